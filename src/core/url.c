#include "url.h"

#include <stdio.h>

#include "ascii.h"
#include "ip_address.h"
#include "redaction.h"
#include "writer.h"

enum { MAX_NAME = 253, MAX_LABEL = 63, MAX_PORT = 65535, HTTPS_PORT = 443, HTTP_PORT = 80 };

/* ---- bytes */

/* The sets are short, and a URL is read for each request: less than a call of strchr for each byte. */
static bool is_one_of(char c, const char *set)
{
  while (*set != '\0' && *set != c)
    set++;
  return *set != '\0';
}

static bool is_visible(char c)
{
  return c > ' ' && c <= '~';
}

/* Of what is neither a delimiter of the whole URL nor refused everywhere. */
static bool may_be_in_user(char c)
{
  return !is_one_of(c, "[]");
}

static bool may_be_in_path(char c)
{
  return mde_ascii_is_unreserved(c) || is_one_of(c, "!$&'()*+,;=:@/");
}

static bool may_be_in_query(char c)
{
  return may_be_in_path(c) || c == '?';
}

/* ---- parts of a text */

static struct mde_text part(struct mde_text text, size_t from, size_t to)
{
  return (struct mde_text){.bytes = text.bytes + from, .length = to - from};
}

static struct mde_text literal(const char *string)
{
  return (struct mde_text){.bytes = string, .length = strlen(string)};
}

/* Where the first of the bytes stands, or the text's length. */
static size_t find(struct mde_text text, const char *set)
{
  size_t at = 0;
  while (at < text.length && !is_one_of(text.bytes[at], set))
    at++;
  return at;
}

static bool begins_with(struct mde_text text, const char *beginning)
{
  return mde_ascii_starts_with(text.bytes, text.bytes + text.length, beginning);
}

/*
 * Where the first byte stands that is neither one of those that may be there nor a percent sign
 * with two digits, or the text's length.
 */
static size_t find_wrong(struct mde_text text, bool (*may_be_there)(char))
{
  size_t at = 0;
  while (at < text.length) {
    if (text.bytes[at] != '%') {
      if (!may_be_there(text.bytes[at])) break;
      at++;
    } else {
      if (text.length - at < 3 || mde_ascii_hexadecimal(text.bytes[at + 1]) < 0 ||
          mde_ascii_hexadecimal(text.bytes[at + 2]) < 0)
        break;
      at += 3;
    }
  }
  return at;
}

/* How long scheme and :// are, or 0. */
static size_t scheme_length(struct mde_text text)
{
  size_t at = 0;
  while (at < text.length &&
         (mde_ascii_is_alpha(text.bytes[at]) ||
          (at > 0 && (mde_ascii_is_digit(text.bytes[at]) || is_one_of(text.bytes[at], "+-.")))))
    at++;
  return at > 0 && begins_with(part(text, at, text.length), "://") ? at + 3 : 0;
}

/* ---- hosts */

static bool is_number(struct mde_text label)
{
  size_t at = begins_with(label, "0x") ? 2 : 0;
  bool is_hexadecimal = at > 0;
  for (; at < label.length; at++)
    if (is_hexadecimal ? mde_ascii_hexadecimal(label.bytes[at]) < 0
                       : !mde_ascii_is_digit(label.bytes[at]))
      return false;
  return true;
}

static struct mde_text without_last_dot(struct mde_text name)
{
  if (name.length > 0 && name.bytes[name.length - 1] == '.') name.length--;
  return name;
}

static bool is_name(struct mde_text name)
{
  name = without_last_dot(name);
  if (name.length > MAX_NAME) return false;
  struct mde_text label;
  for (size_t at = 0;; at += label.length + 1) {
    label = part(name, at, name.length);
    label.length = find(label, ".");
    if (label.length == 0 || label.length > MAX_LABEL) return false;
    for (size_t i = 0; i < label.length; i++)
      if (!mde_ascii_is_alpha(label.bytes[i]) && !mde_ascii_is_digit(label.bytes[i]) &&
          !is_one_of(label.bytes[i], "-_"))
        return false;
    if (at + label.length == name.length) break;
  }
  return !is_number(label);
}

bool mde_url_is_domain(struct mde_text text)
{
  return find(text, ".") < text.length && text.bytes[text.length - 1] != '.' && is_name(text);
}

/* Whether an address is written so that all take it for the same. */
static bool is_plain_address(const struct mde_ip_address *address)
{
  if (address->is_octal) return false;
  if (address->zone.bytes == NULL) return true;
  if (!mde_ip_address_is_link_local(address) || address->zone.length < 3) return false;
  for (size_t i = 2; i < address->zone.length; i++)
    if (!mde_ascii_is_unreserved(address->zone.bytes[i])) return false;
  return begins_with(address->zone, "25");
}

static bool is_host(struct mde_text host)
{
  struct mde_ip_address address;
  if (mde_ip_address_read(host, &address)) return is_plain_address(&address);
  return is_name(host);
}

/* Whether a name is a domain or below it; the domain is in small letters. */
static bool is_within(struct mde_text name, const char *domain)
{
  size_t length = strlen(domain);
  if (name.length < length) return false;
  size_t at = name.length - length;
  return begins_with(part(name, at, name.length), domain) && (at == 0 || name.bytes[at - 1] == '.');
}

/* Of Microsoft's; what is below another stands before it. */
static const struct {
  const char *name;
  enum mde_url_cloud cloud;
} domains[] = {
    {"microsoftonline.com", MDE_URL_CLOUD_PUBLIC},
    {"microsoftonline.us", MDE_URL_CLOUD_US_GOVERNMENT},
    {"microsoftonline.cn", MDE_URL_CLOUD_CHINA},
    {"login.microsoft.com", MDE_URL_CLOUD_PUBLIC},
    {"login.windows.net", MDE_URL_CLOUD_PUBLIC},
    {"sts.windows.net", MDE_URL_CLOUD_PUBLIC},
    {"login.chinacloudapi.cn", MDE_URL_CLOUD_CHINA},
    {"security.microsoft.com", MDE_URL_CLOUD_PUBLIC},
    {"securitycenter.windows.com", MDE_URL_CLOUD_PUBLIC},
    {"securitycenter.microsoft.com", MDE_URL_CLOUD_PUBLIC},
    {"api-gcc.securitycenter.microsoft.us", MDE_URL_CLOUD_PUBLIC},
    {"securitycenter.microsoft.us", MDE_URL_CLOUD_US_GOVERNMENT},
    {"graph.microsoft.com", MDE_URL_CLOUD_PUBLIC},
    {"graph.microsoft.us", MDE_URL_CLOUD_US_GOVERNMENT},
    {"dod-graph.microsoft.us", MDE_URL_CLOUD_US_GOVERNMENT},
    {"microsoftgraph.chinacloudapi.cn", MDE_URL_CLOUD_CHINA},
};

static enum mde_url_cloud cloud_of(struct mde_text name)
{
  for (size_t i = 0; i < sizeof domains / sizeof domains[0]; i++)
    if (is_within(name, domains[i].name)) return domains[i].cloud;
  return MDE_URL_CLOUD_UNKNOWN;
}

static bool is_of_microsoft(struct mde_text name)
{
  if (cloud_of(name) != MDE_URL_CLOUD_UNKNOWN) return true;
  /* Sovereign clouds sign in at sovcloud-identity.fr, .de and the like. */
  if (name.length < 3) return false;
  const char *country = name.bytes + name.length - 3;
  return country[0] == '.' && mde_ascii_is_alpha(country[1]) && mde_ascii_is_alpha(country[2]) &&
         is_within(part(name, 0, name.length - 3), "sovcloud-identity");
}

enum mde_url_class mde_url_class(struct mde_text host)
{
  struct mde_ip_address address;
  if (!is_host(host)) return MDE_URL_CLASS_FOREIGN;
  if (mde_ip_address_read(host, &address)) {
    if (mde_ip_address_is_loopback(&address)) return MDE_URL_CLASS_THIS_MACHINE;
    if (mde_ip_address_is_link_local(&address)) return MDE_URL_CLASS_LINK_LOCAL;
    return MDE_URL_CLASS_FOREIGN;
  }
  struct mde_text name = without_last_dot(host);
  if (is_within(name, "localhost")) return MDE_URL_CLASS_THIS_MACHINE;
  return is_of_microsoft(name) ? MDE_URL_CLASS_MICROSOFT : MDE_URL_CLASS_FOREIGN;
}

enum mde_url_cloud mde_url_cloud(struct mde_text host)
{
  return is_host(host) ? cloud_of(without_last_dot(host)) : MDE_URL_CLOUD_UNKNOWN;
}

static bool is_near(struct mde_text host)
{
  enum mde_url_class class = mde_url_class(host);
  return class == MDE_URL_CLASS_THIS_MACHINE || class == MDE_URL_CLASS_LINK_LOCAL;
}

static bool is_same_host(struct mde_text a, struct mde_text b)
{
  struct mde_ip_address one, other;
  if (!mde_ip_address_read(a, &one) || !mde_ip_address_read(b, &other))
    return mde_text_same_caseless(a, b);
  bool same_zone =
      one.zone.bytes == NULL ? other.zone.bytes == NULL : mde_text_same(one.zone, other.zone);
  return one.is_ipv4 == other.is_ipv4 && same_zone &&
         memcmp(one.bytes, other.bytes, sizeof one.bytes) == 0;
}

/* ---- taking apart */

static int read_port(struct mde_text digits)
{
  int port = 0;
  for (size_t i = 0; i < digits.length; i++) {
    if (!mde_ascii_is_digit(digits.bytes[i])) return -1;
    port = port * 10 + (digits.bytes[i] - '0');
    if (port > MAX_PORT) return -1;
  }
  return port == 0 && digits.length > 0 ? -1 : port;
}

/* The end of the host in an authority without a user: where the colon of the port stands. */
static size_t host_length(struct mde_text authority)
{
  if (!begins_with(authority, "[")) return find(authority, ":");
  size_t bracket = find(authority, "]");
  return bracket < authority.length ? bracket + 1 : bracket;
}

static enum mde_url_flaw read_authority(struct mde_text authority, struct mde_url *url)
{
  size_t at = find(authority, "@");
  if (at < authority.length) {
    url->user = part(authority, 0, at);
    if (find_wrong(url->user, may_be_in_user) < at) return MDE_URL_FLAW_USER;
    authority = part(authority, at + 1, authority.length);
    if (find(authority, "@") < authority.length) return MDE_URL_FLAW_USER;
  }
  url->authority = authority;
  size_t length = host_length(authority);
  if (length == 0) return MDE_URL_FLAW_NO_HOST;
  struct mde_text host = part(authority, 0, length);
  if (!is_host(host)) return MDE_URL_FLAW_HOST;
  url->host = host.bytes[0] == '[' ? part(host, 1, length - 1) : host;
  if (length == authority.length) return MDE_URL_FLAW_NONE;
  if (authority.bytes[length] != ':') return MDE_URL_FLAW_HOST;
  url->port_text = part(authority, length + 1, authority.length);
  url->port = read_port(url->port_text);
  return url->port < 0 ? MDE_URL_FLAW_HOST : MDE_URL_FLAW_NONE;
}

/* Takes apart what begins with the authority at `from`. `wrong`: where a character stands. */
static enum mde_url_flaw read_from(struct mde_text text, size_t from, struct mde_url *url,
                                   size_t *wrong)
{
  for (*wrong = 0; *wrong < text.length; ++*wrong)
    if (!is_visible(text.bytes[*wrong]) || is_one_of(text.bytes[*wrong], "#\\"))
      return MDE_URL_FLAW_CHARACTER;
  *wrong = 0;
  struct mde_text rest = part(text, from, text.length);
  size_t path = find(rest, "/?");
  enum mde_url_flaw flaw = read_authority(part(rest, 0, path), url);
  if (flaw != MDE_URL_FLAW_NONE) return flaw;
  struct mde_text behind = part(rest, path, rest.length);
  size_t mark = find(behind, "?");
  url->path = part(behind, 0, mark);
  size_t good = find_wrong(url->path, may_be_in_path);
  if (good == mark && mark < behind.length) {
    url->query = part(behind, mark + 1, behind.length);
    good = mark + 1 + find_wrong(url->query, may_be_in_query);
  }
  if (good == behind.length) return MDE_URL_FLAW_NONE;
  *wrong = from + path + good;
  return MDE_URL_FLAW_CHARACTER;
}

enum mde_url_flaw mde_url_parse(struct mde_text text, struct mde_url *url, size_t *place)
{
  size_t wrong = 0;
  size_t from = scheme_length(text);
  *url = (struct mde_url){.port = 0};
  enum mde_url_flaw flaw = MDE_URL_FLAW_SCHEME;
  if (from > 0) {
    url->scheme = part(text, 0, from - strlen("://"));
    flaw = read_from(text, from, url, &wrong);
  }
  if (place != NULL) *place = wrong;
  return flaw;
}

static bool has_scheme(const struct mde_url *url, const char *scheme)
{
  return mde_text_same_caseless(url->scheme, literal(scheme));
}

int mde_url_port(const struct mde_url *url)
{
  if (url->port > 0) return url->port;
  return has_scheme(url, "https") ? HTTPS_PORT : has_scheme(url, "http") ? HTTP_PORT : 0;
}

bool mde_url_same_origin(const struct mde_url *a, const struct mde_url *b)
{
  return mde_text_same_caseless(a->scheme, b->scheme) && is_same_host(a->host, b->host) &&
         mde_url_port(a) == mde_url_port(b);
}

/* ---- writing */

static void put_port(struct mde_writer *writer, int port)
{
  char digits[16];
  if (port == 0) return;
  snprintf(digits, sizeof digits, ":%d", port);
  mde_writer_text(writer, literal(digits));
}

/* The host as it stands in the authority, with its brackets. */
static struct mde_text host_in_authority(const struct mde_url *url)
{
  return part(url->authority, 0, host_length(url->authority));
}

/* ---- settings */

static bool may_be_in_setting(char c)
{
  return mde_ascii_is_unreserved(c) || c == '/';
}

/* Whether it names a host and a place there, and nothing else. */
static bool is_bare(const struct mde_url *url)
{
  if (url->user.bytes != NULL || url->query.bytes != NULL) return false;
  if (url->port_text.bytes != NULL && url->port_text.length == 0) return false;
  for (size_t i = 0; i < url->path.length; i++)
    if (!may_be_in_setting(url->path.bytes[i])) return false;
  return true;
}

static bool begins_as_host(struct mde_text text)
{
  struct mde_text name = part(text, 0, find(text, ":/"));
  if (find(name, ".") < name.length || mde_text_same_caseless(name, literal("localhost")))
    return true;
  return name.length < text.length && text.bytes[name.length] == ':';
}

enum mde_url_setting mde_url_https(struct mde_text text, struct mde_url *url)
{
  size_t ignored;
  if (begins_with(text, "http://")) return MDE_URL_SETTING_INSECURE;
  if (scheme_length(text) == 0 && begins_as_host(text)) {
    *url = (struct mde_url){.port = 0};
    if (read_from(text, 0, url, &ignored) != MDE_URL_FLAW_NONE) return MDE_URL_SETTING_MALFORMED;
  } else if (mde_url_parse(text, url, NULL) != MDE_URL_FLAW_NONE || !has_scheme(url, "https")) {
    return MDE_URL_SETTING_MALFORMED;
  }
  return is_bare(url) ? MDE_URL_SETTING_OK : MDE_URL_SETTING_MALFORMED;
}

size_t mde_url_normal(const struct mde_url *url, char *out, size_t size)
{
  struct mde_writer writer = {.out = out, .size = size};
  struct mde_text path = url->path;
  while (path.length > 0 && path.bytes[path.length - 1] == '/')
    path.length--;
  mde_writer_text(&writer, literal("https://"));
  mde_writer_small(&writer, host_in_authority(url));
  if (url->port != HTTPS_PORT) put_port(&writer, url->port);
  mde_writer_text(&writer, path);
  return writer.length;
}

enum mde_url_setting mde_url_endpoint(struct mde_text text, struct mde_url *url)
{
  if (mde_url_parse(text, url, NULL) != MDE_URL_FLAW_NONE || !is_bare(url))
    return MDE_URL_SETTING_MALFORMED;
  if (has_scheme(url, "https")) return MDE_URL_SETTING_OK;
  if (!has_scheme(url, "http")) return MDE_URL_SETTING_MALFORMED;
  return is_near(url->host) ? MDE_URL_SETTING_OK : MDE_URL_SETTING_INSECURE;
}

/* ---- proxies */

/* The next byte of a text in which each percent sign has two digits behind it. */
static char decode(struct mde_text text, size_t *at)
{
  char c = text.bytes[(*at)++];
  if (c != '%') return c;
  c = (char)(mde_ascii_hexadecimal(text.bytes[*at]) << 4 |
             mde_ascii_hexadecimal(text.bytes[*at + 1]));
  *at += 2;
  return c;
}

static bool is_proxy_user(struct mde_text user)
{
  size_t colon = find(user, ":");
  for (size_t at = 0; at < user.length;) {
    size_t from = at;
    unsigned char byte = (unsigned char)decode(user, &at);
    if (byte < ' ' || byte == 0x7f || (byte == ':' && from < colon)) return false;
  }
  return true;
}

bool mde_url_proxy(struct mde_text text, struct mde_url *url)
{
  static const char *const schemes[] = {"http", "https", "socks4", "socks4a", "socks5", "socks5h"};
  size_t ignored;
  size_t from = scheme_length(text);
  *url = (struct mde_url){.port = 0};
  url->scheme = from > 0 ? part(text, 0, from - strlen("://")) : literal("http");
  bool is_known = false;
  for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++)
    if (has_scheme(url, schemes[i])) is_known = true;
  if (!is_known || read_from(text, from, url, &ignored) != MDE_URL_FLAW_NONE) return false;
  if (url->query.bytes != NULL || (url->path.length > 0 && !mde_text_same(url->path, literal("/"))))
    return false;
  return url->user.bytes == NULL || is_proxy_user(url->user);
}

size_t mde_url_proxy_shown(const struct mde_url *url, char *out, size_t size)
{
  struct mde_writer writer = {.out = out, .size = size};
  mde_writer_small(&writer, url->scheme);
  mde_writer_text(&writer, literal("://"));
  mde_writer_text(&writer, host_in_authority(url));
  put_port(&writer, url->port);
  return writer.length;
}

size_t mde_url_proxy_user(const struct mde_url *url, char *out, size_t size)
{
  struct mde_writer writer = {.out = out, .size = size};
  for (size_t at = 0; at < url->user.length;)
    mde_writer_put(&writer, decode(url->user, &at));
  if (find(url->user, ":") == url->user.length) mde_writer_put(&writer, ':');
  return writer.length;
}

/* ---- requests */

bool mde_url_request(struct mde_text text, bool plain, struct mde_url *url,
                     char problem[MDE_URL_PROBLEM_SIZE])
{
  size_t place;
  const char *scheme = plain ? "http" : "https";
  const char *what = "url names a host and port that cannot be";
  enum mde_url_flaw flaw = mde_url_parse(text, url, &place);
  problem[0] = '\0';
  if (flaw == MDE_URL_FLAW_SCHEME || !has_scheme(url, scheme)) {
    snprintf(problem, MDE_URL_PROBLEM_SIZE, "url must begin with %s://", scheme);
    return false;
  }
  switch (flaw) {
  case MDE_URL_FLAW_CHARACTER:
    snprintf(problem, MDE_URL_PROBLEM_SIZE,
             "url has a character at position %zu that must be percent-encoded", place + 1);
    return false;
  case MDE_URL_FLAW_NO_HOST:
    what = "url names no host";
    break;
  case MDE_URL_FLAW_USER:
    what = "url has something besides host and port before its path";
    break;
  case MDE_URL_FLAW_NONE:
    if (url->user.bytes != NULL)
      what = "url has something besides host and port before its path";
    else if (plain && !is_near(url->host))
      what = "http goes to this machine and its link-local network alone";
    else
      return true;
    break;
  default:
    break;
  }
  snprintf(problem, MDE_URL_PROBLEM_SIZE, "%s", what);
  return false;
}

/* ---- showing */

/* The user, host and port of what is meant as a URL, wherever they begin. */
static struct mde_text authority_of(struct mde_text text)
{
  size_t from = scheme_length(text);
  struct mde_text rest = part(text, from, text.length);
  return part(rest, 0, find(rest, "/?#"));
}

bool mde_url_is_ambiguous(struct mde_text text)
{
  struct mde_text authority = authority_of(text);
  const char *end = authority.bytes + authority.length;
  size_t count = 0;
  for (size_t i = 0; i < text.length; i++) {
    if (!is_visible(text.bytes[i]) || text.bytes[i] == '\\') return true;
    if (text.bytes[i] == '@' && (++count > 1 || text.bytes + i >= end)) return true;
  }
  if (count > 0) authority = part(authority, find(authority, "@") + 1, authority.length);
  size_t length = host_length(authority);
  bool in_brackets = begins_with(authority, "[");
  if (in_brackets && authority.bytes[length - 1] != ']') return true;
  if (!in_brackets && find(authority, "%") < authority.length) return true;
  if (length == authority.length) return false;
  return authority.bytes[length] != ':' ||
         read_port(part(authority, length + 1, authority.length)) < 0;
}

size_t mde_url_shown(struct mde_text text, char *out, size_t size)
{
  struct mde_writer writer = {.out = out, .size = size};
  size_t from = scheme_length(text);
  mde_writer_text(&writer, part(text, 0, from));
  if (mde_url_is_ambiguous(text)) {
    mde_writer_text(&writer, literal(MDE_REDACTED));
    return writer.length;
  }
  struct mde_text rest = part(text, from, text.length);
  size_t at = find(rest, "@");
  if (at < rest.length) {
    mde_writer_text(&writer, literal(MDE_REDACTED));
    rest = part(rest, at, rest.length);
  }
  size_t behind = find(rest, "?#");
  mde_writer_text(&writer, part(rest, 0, behind));
  if (behind < rest.length) {
    mde_writer_put(&writer, rest.bytes[behind]);
    mde_writer_text(&writer, literal(MDE_REDACTED));
  }
  return writer.length;
}
