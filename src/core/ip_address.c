#include "ip_address.h"

#include <stdint.h>

#include "ascii.h"

#define GROUPS 8 /* of 16 bits */

static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};

static bool read_ipv4(struct mde_text text, unsigned char bytes[4], bool *is_octal)
{
  size_t at = 0;
  bool has_zero = false;
  for (int i = 0; i < 4; i++) {
    int value = 0;
    if (i > 0 && (at == text.length || text.bytes[at++] != '.')) return false;
    size_t from = at;
    for (; at < text.length && at - from < 3 && mde_ascii_is_digit(text.bytes[at]); at++)
      value = value * 10 + (text.bytes[at] - '0');
    if (at == from || value > 255) return false;
    if (at - from > 1 && text.bytes[from] == '0') has_zero = true;
    bytes[i] = (unsigned char)value;
  }
  if (at < text.length) return false;
  *is_octal = has_zero;
  return true;
}

/*
 * Eight groups of up to four digits; `::` stands for one or more; the last two may be an IPv4 one.
 */
static bool read_ipv6(struct mde_text text, struct mde_ip_address *address)
{
  uint16_t groups[GROUPS];
  size_t at = 0;
  size_t count = 0;
  size_t before = GROUPS; /* how many groups stand before the `::` */
  bool shortened = false;
  if (text.length >= 2 && text.bytes[0] == ':' && text.bytes[1] == ':') {
    shortened = true;
    before = 0;
    at = 2;
  }
  while (at < text.length) {
    struct mde_text rest = {.bytes = text.bytes + at, .length = text.length - at};
    unsigned char ipv4[4];
    if (count + 2 <= GROUPS && read_ipv4(rest, ipv4, &address->is_octal)) {
      groups[count++] = (uint16_t)(ipv4[0] << 8 | ipv4[1]);
      groups[count++] = (uint16_t)(ipv4[2] << 8 | ipv4[3]);
      break;
    }
    size_t digits = 0;
    unsigned value = 0;
    for (; digits < 4 && digits < rest.length && mde_ascii_hexadecimal(rest.bytes[digits]) >= 0;
         digits++)
      value = value << 4 | (unsigned)mde_ascii_hexadecimal(rest.bytes[digits]);
    if (digits == 0 || count == GROUPS) return false;
    groups[count++] = (uint16_t)value;
    at += digits;
    if (at == text.length) break;
    if (text.bytes[at] != ':' || ++at == text.length) return false;
    if (text.bytes[at] == ':') {
      if (shortened) return false;
      shortened = true;
      before = count;
      at++;
    }
  }
  if (shortened ? count == GROUPS : count < GROUPS) return false;
  for (size_t i = 0; i < GROUPS; i++) {
    size_t skipped = GROUPS - count;
    uint16_t group = i < before ? groups[i] : i < before + skipped ? 0 : groups[i - skipped];
    address->bytes[2 * i] = (unsigned char)(group >> 8);
    address->bytes[2 * i + 1] = (unsigned char)(group & 0xff);
  }
  return true;
}

bool mde_ip_address_read(struct mde_text text, struct mde_ip_address *address)
{
  struct mde_ip_address own = {.text = text};
  bool in_brackets = text.length >= 2 && text.bytes[0] == '[' && text.bytes[text.length - 1] == ']';
  if (in_brackets) {
    own.text.bytes++;
    own.text.length -= 2;
  } else if (read_ipv4(text, own.bytes + sizeof mapped, &own.is_octal)) {
    memcpy(own.bytes, mapped, sizeof mapped);
    own.is_ipv4 = true;
    *address = own;
    return true;
  }
  const char *end = own.text.bytes + own.text.length;
  const char *zone = own.text.length > 0 ? memchr(own.text.bytes, '%', own.text.length) : NULL;
  if (zone != NULL) {
    own.text.length = (size_t)(zone - own.text.bytes);
    own.zone.bytes = zone + 1;
    own.zone.length = (size_t)(end - own.zone.bytes);
    if (own.zone.length == 0) return false;
  }
  if (own.text.length == 0 || !read_ipv6(own.text, &own)) return false;
  *address = own;
  return true;
}

static bool is_mapped(const struct mde_ip_address *address)
{
  return memcmp(address->bytes, mapped, sizeof mapped) == 0;
}

bool mde_ip_address_is_loopback(const struct mde_ip_address *address)
{
  static const unsigned char one[16] = {[15] = 1};
  if (is_mapped(address)) return address->bytes[12] == 127;
  return memcmp(address->bytes, one, sizeof one) == 0;
}

bool mde_ip_address_is_link_local(const struct mde_ip_address *address)
{
  const unsigned char *bytes = address->bytes;
  if (is_mapped(address)) return bytes[12] == 169 && bytes[13] == 254;
  return bytes[0] == 0xfe && (bytes[1] & 0xc0) == 0x80;
}
