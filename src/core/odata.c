#include "odata.h"

#include <stdint.h>
#include <stdio.h>

#include "utf8.h"

static bool is_digit(char c)
{
  return c >= '0' && c <= '9';
}

static int hexadecimal(char c)
{
  if (is_digit(c)) return c - '0';
  int lower = mde_ascii_lower(c);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* ---- writing */

struct writer {
  char *out;
  size_t size;
  size_t length; /* of all that was to be written */
};

static void put(struct writer *writer, char c)
{
  if (writer->length < writer->size) writer->out[writer->length] = c;
  writer->length++;
}

size_t mde_odata_literal(struct mde_text text, char *out, size_t size)
{
  struct writer writer = {.out = out, .size = size};
  put(&writer, '\'');
  for (size_t i = 0; i < text.length; i++) {
    if (text.bytes[i] == '\'') put(&writer, '\'');
    put(&writer, text.bytes[i]);
  }
  put(&writer, '\'');
  return writer.length;
}

static bool is_unreserved(char c)
{
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '.' ||
         c == '_' || c == '~';
}

size_t mde_odata_encode(struct mde_text text, char *out, size_t size)
{
  static const char digits[] = "0123456789ABCDEF";
  struct writer writer = {.out = out, .size = size};
  for (size_t i = 0; i < text.length; i++) {
    unsigned char byte = (unsigned char)text.bytes[i];
    if (is_unreserved(text.bytes[i])) {
      put(&writer, text.bytes[i]);
    } else {
      put(&writer, '%');
      put(&writer, digits[byte >> 4]);
      put(&writer, digits[byte & 15]);
    }
  }
  return writer.length;
}

size_t mde_odata_decode(struct mde_text text, bool plus_is_space, char *out, size_t size)
{
  struct writer writer = {.out = out, .size = size};
  for (size_t i = 0; i < text.length; i++) {
    char c = text.bytes[i];
    if (c == '%') {
      if (text.length - i < 3) return MDE_ODATA_MALFORMED;
      int high = hexadecimal(text.bytes[i + 1]);
      int low = hexadecimal(text.bytes[i + 2]);
      if (high < 0 || low < 0) return MDE_ODATA_MALFORMED;
      c = (char)(high * 16 + low);
      i += 2;
    } else if (c == '+' && plus_is_space) {
      c = ' ';
    }
    put(&writer, c);
  }
  return writer.length;
}

/* ---- addresses */

static bool is_ipv4(struct mde_text text)
{
  size_t at = 0;
  for (int number = 0; number < 4; number++) {
    int value = 0;
    size_t from = at;
    if (number > 0) {
      if (at == text.length || text.bytes[at] != '.') return false;
      from = ++at;
    }
    for (; at < text.length && at - from < 3 && is_digit(text.bytes[at]); at++)
      value = value * 10 + (text.bytes[at] - '0');
    if (at == from || value > 255) return false;
  }
  return at == text.length;
}

/*
 * Eight groups of up to four digits; `::` stands for one or more; the last two may be an IPv4 one.
 */
static bool is_ipv6(struct mde_text text)
{
  size_t at = 0;
  int groups = 0;
  bool shortened = false;
  if (text.length >= 2 && text.bytes[0] == ':' && text.bytes[1] == ':') {
    shortened = true;
    at = 2;
  }
  while (at < text.length) {
    struct mde_text rest = {.bytes = text.bytes + at, .length = text.length - at};
    if (is_ipv4(rest)) {
      groups += 2;
      break;
    }
    size_t digits = 0;
    while (digits < 4 && digits < rest.length && hexadecimal(rest.bytes[digits]) >= 0)
      digits++;
    if (digits == 0) return false;
    at += digits;
    groups++;
    if (at == text.length) break;
    if (text.bytes[at] != ':' || ++at == text.length) return false;
    if (text.bytes[at] == ':') {
      if (shortened) return false;
      shortened = true;
      at++;
    }
    if (groups > 8) return false;
  }
  return shortened ? groups < 8 : groups == 8;
}

bool mde_odata_is_ip_address(struct mde_text text, struct mde_text *address)
{
  struct mde_text inner = text;
  bool is_address = false;
  if (inner.length >= 2 && inner.bytes[0] == '[' && inner.bytes[inner.length - 1] == ']') {
    inner.bytes++;
    inner.length -= 2;
  } else {
    is_address = is_ipv4(inner);
  }
  if (!is_address && inner.length > 0) {
    const char *zone = memchr(inner.bytes, '%', inner.length);
    bool zone_is_empty = zone != NULL && zone + 1 == inner.bytes + inner.length;
    if (zone != NULL) inner.length = (size_t)(zone - inner.bytes);
    is_address = !zone_is_empty && is_ipv6(inner);
  }
  if (is_address && address != NULL) *address = inner;
  return is_address;
}

/* ---- text */

enum mde_odata_flaw mde_odata_flaw(struct mde_text text, char flaw[MDE_ODATA_FLAW_SIZE])
{
  const char *at = text.bytes;
  const char *end = text.bytes + text.length;
  uint32_t code_point = 0;
  int status;
  while ((status = mde_utf8_next(&at, end, &code_point)) == 1) {
    if (code_point < 0x20 || code_point == 0x7f)
      snprintf(flaw, MDE_ODATA_FLAW_SIZE, "has a control character (byte 0x%02x)",
               (unsigned)code_point);
    else if (code_point >= 0x80 && code_point <= 0x9f)
      snprintf(flaw, MDE_ODATA_FLAW_SIZE, "has a control character (U+%04X)", (unsigned)code_point);
    else
      continue;
    return MDE_ODATA_FLAW_CONTROL_CHARACTER;
  }
  if (status == 0) return MDE_ODATA_FLAW_NONE;
  snprintf(flaw, MDE_ODATA_FLAW_SIZE, "is not valid UTF-8");
  return MDE_ODATA_FLAW_NOT_UTF8;
}
