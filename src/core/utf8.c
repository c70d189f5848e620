#include "utf8.h"

#include <stddef.h>
#include <string.h>

#include "unicode.h"

int mde_utf8_next(const char **at, const char *end, uint32_t *code_point)
{
  /* The smallest code point that needs a sequence of so many bytes. */
  static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
  const unsigned char *bytes = (const unsigned char *)*at;
  size_t available = (size_t)(end - *at);
  if (available == 0) return 0;
  size_t length;
  uint32_t value;
  if (bytes[0] < 0x80) {
    length = 1;
    value = bytes[0];
  } else if (bytes[0] >= 0xc2 && bytes[0] <= 0xdf) {
    length = 2;
    value = bytes[0] & 0x1fU;
  } else if (bytes[0] >= 0xe0 && bytes[0] <= 0xef) {
    length = 3;
    value = bytes[0] & 0x0fU;
  } else if (bytes[0] >= 0xf0 && bytes[0] <= 0xf4) {
    length = 4;
    value = bytes[0] & 0x07U;
  } else {
    return -1;
  }
  if (available < length) return -1;
  for (size_t i = 1; i < length; i++) {
    if ((bytes[i] & 0xc0) != 0x80) return -1;
    value = (value << 6) | (bytes[i] & 0x3fU);
  }
  if (value < smallest[length] || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff))
    return -1;
  *at += length;
  *code_point = value;
  return 1;
}

bool mde_utf8_is_valid(struct mde_text text)
{
  const char *at = text.bytes;
  const char *end = at + text.length;
  while (at < end) {
    uint64_t eight;
    uint32_t code_point;
    /* Most of what is read is ASCII. */
    if (end - at >= 8 && (memcpy(&eight, at, 8), (eight & UINT64_C(0x8080808080808080)) == 0))
      at += 8;
    else if (mde_utf8_next(&at, end, &code_point) != 1)
      return false;
  }
  return true;
}

/* Reads the code point at `*at`, which is not the end; what is not UTF-8 is of no class. */
static uint32_t next_of_any(const char **at, const char *end)
{
  uint32_t code_point = UINT32_MAX;
  if (mde_utf8_next(at, end, &code_point) != 1) ++*at;
  return code_point;
}

struct mde_text mde_utf8_trim(struct mde_text text)
{
  const char *end = text.bytes + text.length;
  const char *first = end;
  const char *behind = end;
  for (const char *at = text.bytes; at < end;) {
    const char *character = at;
    if (mde_unicode_is_white_space(next_of_any(&at, end))) continue;
    if (first == end) first = character;
    behind = at;
  }
  return (struct mde_text){.bytes = first, .length = (size_t)(behind - first)};
}

bool mde_utf8_has_control(struct mde_text text)
{
  const char *end = text.bytes + text.length;
  for (const char *at = text.bytes; at < end;)
    if (mde_unicode_is_control(next_of_any(&at, end))) return true;
  return false;
}
