#include "indicator.h"

#include "ascii.h"
#include "ip_address.h"

static const size_t digits[MDE_INDICATOR_TYPES] = {
    [MDE_INDICATOR_TYPE_FILE_SHA1] = 40,
    [MDE_INDICATOR_TYPE_FILE_SHA256] = 64,
    [MDE_INDICATOR_TYPE_FILE_MD5] = 32,
    [MDE_INDICATOR_TYPE_CERTIFICATE_THUMBPRINT] = 40,
};

static struct mde_text string(const char *bytes)
{
  return (struct mde_text){.bytes = bytes, .length = strlen(bytes)};
}

static struct mde_text part(struct mde_text text, size_t from, size_t to)
{
  return (struct mde_text){.bytes = text.bytes + from, .length = to - from};
}

/* Where a character stands first; the length if it does not. */
static size_t position(struct mde_text text, char c)
{
  const char *at = text.length > 0 ? memchr(text.bytes, c, text.length) : NULL;
  return at == NULL ? text.length : (size_t)(at - text.bytes);
}

static bool has(struct mde_text text, char c)
{
  return position(text, c) < text.length;
}

/* ---- what a value must look like */

static enum mde_indicator_flaw hash_flaw(struct mde_text value, size_t length)
{
  for (size_t i = 0; i < value.length; i++)
    if (mde_ascii_hexadecimal(value.bytes[i]) < 0) return MDE_INDICATOR_FLAW_NOT_A_HASH;
  return value.length == length ? MDE_INDICATOR_FLAW_NONE : MDE_INDICATOR_FLAW_OTHER_HASH;
}

/* Whether a text is an address by itself: neither in brackets nor with a zone. */
static bool is_plain_address(struct mde_text text, struct mde_ip_address *address)
{
  return mde_ip_address_read(text, address) && address->zone.bytes == NULL &&
         address->text.length == text.length;
}

static enum mde_indicator_flaw address_flaw(struct mde_text value)
{
  struct mde_ip_address address;
  if (is_plain_address(value, &address))
    return address.is_octal ? MDE_INDICATOR_FLAW_AMBIGUOUS : MDE_INDICATOR_FLAW_NONE;
  size_t slash = position(value, '/');
  if (slash < value.length && is_plain_address(part(value, 0, slash), &address))
    return MDE_INDICATOR_FLAW_RANGE;
  return MDE_INDICATOR_FLAW_NOT_AN_ADDRESS;
}

/* Labels of RFC 1035 2.3.1, which may have an underscore and begin with a digit, with dots between. */
static bool is_domain(struct mde_text text)
{
  if (text.length == 0 || text.length > MDE_INDICATOR_DOMAIN_MAX) return false;
  size_t from = 0;
  for (size_t i = 0; i <= text.length; i++) {
    if (i < text.length && text.bytes[i] != '.') {
      char c = text.bytes[i];
      if (!mde_ascii_is_alphanumeric(c) && c != '_' && c != '-') return false;
      continue;
    }
    if (i == from || i - from > 63 || text.bytes[from] == '-' || text.bytes[i - 1] == '-')
      return false;
    from = i + 1;
  }
  return true;
}

/*
 * Whether what is read as a name is meant as an address: its last label begins with a digit (WHATWG
 * URL, 3.5, "ends in a number"). No top-level domain does.
 */
static bool ends_in_number(struct mde_text text)
{
  size_t from = text.length;
  while (from > 0 && text.bytes[from - 1] != '.')
    from--;
  return from < text.length && mde_ascii_is_digit(text.bytes[from]);
}

static enum mde_indicator_flaw domain_flaw(struct mde_text value)
{
  struct mde_ip_address address;
  if (mde_ip_address_read(value, &address)) return MDE_INDICATOR_FLAW_ADDRESS;
  if (has(value, '/') || has(value, ':')) return MDE_INDICATOR_FLAW_URL;
  if (has(value, '*')) return MDE_INDICATOR_FLAW_WILDCARD;
  if (!is_domain(value)) return MDE_INDICATOR_FLAW_NOT_A_DOMAIN;
  return ends_in_number(value) ? MDE_INDICATOR_FLAW_ADDRESS : MDE_INDICATOR_FLAW_NONE;
}

/* What stands between the scheme and the path of a URL; a length of 0 if there is no scheme. */
static struct mde_text authority_of(struct mde_text url)
{
  const char *end = url.bytes + url.length;
  size_t from = 0;
  if (mde_ascii_starts_with(url.bytes, end, "http://")) from = strlen("http://");
  if (mde_ascii_starts_with(url.bytes, end, "https://")) from = strlen("https://");
  size_t to = from;
  while (from > 0 && to < url.length && !memchr("/?#\\", url.bytes[to], 4))
    to++;
  return part(url, from, to);
}

/* The host of an authority without a user; its brackets stay. */
static struct mde_text host_of(struct mde_text authority)
{
  size_t from = position(authority, ']');
  if (from == authority.length) from = 0;
  struct mde_text rest = part(authority, from, authority.length);
  return part(authority, 0, from + position(rest, ':'));
}

static bool is_port(struct mde_text text)
{
  unsigned value = 0;
  if (text.length < 2 || text.length > 6) return text.length == 0;
  for (size_t i = 1; i < text.length; i++) {
    if (!mde_ascii_is_digit(text.bytes[i])) return false;
    value = value * 10 + (unsigned)(text.bytes[i] - '0');
  }
  return text.bytes[0] == ':' && value > 0 && value <= 65535;
}

static bool is_host(struct mde_text host)
{
  struct mde_ip_address address;
  if (mde_ip_address_read(host, &address)) return address.zone.bytes == NULL && !address.is_octal;
  return is_domain(host) && !ends_in_number(host);
}

static enum mde_indicator_flaw url_flaw(struct mde_text value)
{
  if (value.length > MDE_INDICATOR_URL_MAX) return MDE_INDICATOR_FLAW_TOO_LONG;
  for (size_t i = 0; i < value.length; i++) {
    unsigned char c = (unsigned char)value.bytes[i];
    if (c <= ' ' || c >= 0x7f || memchr("\"<>\\^`{|}", c, 9) != NULL)
      return MDE_INDICATOR_FLAW_NOT_A_URL;
  }
  struct mde_text authority = authority_of(value);
  if (authority.length == 0) return MDE_INDICATOR_FLAW_NOT_A_URL;
  if (has(authority, '@')) return MDE_INDICATOR_FLAW_USER_IN_URL;
  struct mde_text host = host_of(authority);
  if (!is_host(host) || !is_port(part(authority, host.length, authority.length)))
    return MDE_INDICATOR_FLAW_NOT_A_URL;
  return MDE_INDICATOR_FLAW_NONE;
}

enum mde_indicator_flaw mde_indicator_flaw(enum mde_indicator_type type, struct mde_text value)
{
  if (value.bytes == NULL || value.length == 0) return MDE_INDICATOR_FLAW_EMPTY;
  if (digits[type] > 0) return hash_flaw(value, digits[type]);
  if (type == MDE_INDICATOR_TYPE_IP_ADDRESS) return address_flaw(value);
  return type == MDE_INDICATOR_TYPE_DOMAIN_NAME ? domain_flaw(value) : url_flaw(value);
}

/* ---- whom it would hit */

static bool is_empty_file(struct mde_text value)
{
  static const char *const hashes[] = {
      "d41d8cd98f00b204e9800998ecf8427e",
      "da39a3ee5e6b4b0d3255bfef95601890afd80709",
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
  };
  for (size_t i = 0; i < sizeof hashes / sizeof hashes[0]; i++)
    if (mde_text_same_caseless(value, string(hashes[i]))) return true;
  return false;
}

static enum mde_indicator_reach address_reach(const struct mde_ip_address *address)
{
  static const unsigned char zeros[16];
  static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};
  const unsigned char *bytes = address->bytes;
  if (mde_ip_address_is_loopback(address) || mde_ip_address_is_link_local(address))
    return MDE_INDICATOR_REACH_OWN_ADDRESS;
  if (memcmp(bytes, mapped, sizeof mapped) == 0) {
    const unsigned char *ipv4 = bytes + sizeof mapped;
    if (ipv4[0] == 0 || ipv4[0] >= 224) return MDE_INDICATOR_REACH_ANY_ADDRESS;
    bool is_private = ipv4[0] == 10 || (ipv4[0] == 172 && (ipv4[1] & 0xf0) == 16) ||
                      (ipv4[0] == 192 && ipv4[1] == 168) ||
                      (ipv4[0] == 100 && (ipv4[1] & 0xc0) == 64);
    return is_private ? MDE_INDICATOR_REACH_PRIVATE : MDE_INDICATOR_REACH_NARROW;
  }
  if (memcmp(bytes, zeros, sizeof zeros) == 0 || bytes[0] == 0xff)
    return MDE_INDICATOR_REACH_ANY_ADDRESS;
  return (bytes[0] & 0xfe) == 0xfc ? MDE_INDICATOR_REACH_PRIVATE : MDE_INDICATOR_REACH_NARROW;
}

/*
 * Under these two labels others are registered: the second-level labels that country registries
 * use, in front of a label of two letters.
 */
static bool is_registry(struct mde_text label)
{
  static const char *const labels[] = {"ac",  "co",   "com", "edu", "gob", "gov",
                                       "go",  "gouv", "ltd", "me",  "mil", "ne",
                                       "net", "nom",  "or",  "org", "plc", "sch"};
  for (size_t i = 0; i < sizeof labels / sizeof labels[0]; i++)
    if (mde_text_same_caseless(label, string(labels[i]))) return true;
  return false;
}

static bool is_top_level(struct mde_text domain)
{
  size_t dot = position(domain, '.');
  if (dot == domain.length) return true;
  struct mde_text rest = part(domain, dot + 1, domain.length);
  return !has(rest, '.') && rest.length == 2 && is_registry(part(domain, 0, dot));
}

/*
 * What a device is registered and signs in at, is updated and managed from, tells by that it is
 * online, and reports to: the domain itself and, for those with a dot in front, everything below it.
 * Of a domain under which customers have names of their own, only the domain itself.
 */
static bool is_vital(struct mde_text domain)
{
  static const char *const domains[] = {
      ".microsoft.com",
      ".microsoftonline.com",
      ".microsoft.us",
      ".microsoftonline.us",
      ".windows.com",
      ".windowsupdate.com",
      ".msftauth.net",
      ".msauth.net",
      ".office.com",
      ".office365.com",
      ".live.com",
      ".azure.com",
      ".office.net",
      ".sharepointonline.com",
      ".msftconnecttest.com",
      ".digicert.com",
      ".msocsp.com",
      "windows.net",
      "core.windows.net",
      "azurewebsites.net",
      "sharepoint.com",
      "onmicrosoft.com",
      "azureedge.net",
      ".login.windows.net",
      ".enterpriseregistration.windows.net",
      ".sts.windows.net",
      "graph.windows.net",
      "blob.core.windows.net",
  };
  for (size_t i = 0; i < sizeof domains / sizeof domains[0]; i++) {
    struct mde_text below = string(domains[i]);
    struct mde_text own = below;
    if (own.bytes[0] == '.') own = part(own, 1, own.length);
    if (mde_text_same_caseless(domain, own)) return true;
    if (own.length < below.length && domain.length > below.length &&
        mde_text_same_caseless(part(domain, domain.length - below.length, domain.length), below))
      return true;
  }
  return false;
}

static enum mde_indicator_reach host_reach(struct mde_text host)
{
  struct mde_ip_address address;
  if (mde_ip_address_read(host, &address)) return address_reach(&address);
  if (is_top_level(host)) return MDE_INDICATOR_REACH_TOP_LEVEL;
  return is_vital(host) ? MDE_INDICATOR_REACH_VITAL : MDE_INDICATOR_REACH_NARROW;
}

/*
 * Whether a URL says more than a host: its path has more than slashes and the dots that are resolved
 * away (RFC 3986, 5.2.4), plain or percent-encoded, or something is asked behind the question mark.
 */
static bool has_path(struct mde_text url)
{
  struct mde_text authority = authority_of(url);
  size_t behind = (size_t)(authority.bytes - url.bytes) + authority.length;
  struct mde_text rest = part(url, behind, url.length);
  rest.length = position(rest, '#');
  size_t i = 0;
  while (i < rest.length) {
    bool is_dot =
        i + 3 <= rest.length && mde_text_same_caseless(part(rest, i, i + 3), string("%2e"));
    if (!is_dot && rest.bytes[i] != '/' && rest.bytes[i] != '.') break;
    i += is_dot ? 3 : 1;
  }
  while (i < rest.length && rest.bytes[i] == '?')
    i++;
  return i < rest.length;
}

enum mde_indicator_reach mde_indicator_reach(enum mde_indicator_type type, struct mde_text value)
{
  if (type == MDE_INDICATOR_TYPE_CERTIFICATE_THUMBPRINT) return MDE_INDICATOR_REACH_NARROW;
  if (digits[type] > 0)
    return is_empty_file(value) ? MDE_INDICATOR_REACH_EMPTY_FILE : MDE_INDICATOR_REACH_NARROW;
  if (type != MDE_INDICATOR_TYPE_URL) return host_reach(value);
  enum mde_indicator_reach reach = host_reach(host_of(authority_of(value)));
  return reach == MDE_INDICATOR_REACH_VITAL && has_path(value) ? MDE_INDICATOR_REACH_NARROW : reach;
}
