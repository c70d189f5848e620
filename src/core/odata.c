#include "odata.h"

#include <stdint.h>
#include <stdio.h>

#include "ascii.h"
#include "unicode.h"
#include "utf8.h"
#include "writer.h"

/* ---- writing */

size_t mde_odata_literal(struct mde_text text, char *out, size_t size)
{
  struct mde_writer writer = {.out = out, .size = size};
  mde_writer_put(&writer, '\'');
  for (size_t i = 0; i < text.length; i++) {
    if (text.bytes[i] == '\'') mde_writer_put(&writer, '\'');
    mde_writer_put(&writer, text.bytes[i]);
  }
  mde_writer_put(&writer, '\'');
  return writer.length;
}

size_t mde_odata_encode(struct mde_text text, char *out, size_t size)
{
  static const char digits[] = "0123456789ABCDEF";
  struct mde_writer writer = {.out = out, .size = size};
  for (size_t i = 0; i < text.length; i++) {
    unsigned char byte = (unsigned char)text.bytes[i];
    if (mde_ascii_is_unreserved(text.bytes[i])) {
      mde_writer_put(&writer, text.bytes[i]);
    } else {
      mde_writer_put(&writer, '%');
      mde_writer_put(&writer, digits[byte >> 4]);
      mde_writer_put(&writer, digits[byte & 15]);
    }
  }
  return writer.length;
}

size_t mde_odata_decode(struct mde_text text, bool plus_is_space, char *out, size_t size)
{
  struct mde_writer writer = {.out = out, .size = size};
  for (size_t i = 0; i < text.length; i++) {
    char c = text.bytes[i];
    if (c == '%') {
      if (text.length - i < 3) return MDE_ODATA_MALFORMED;
      int high = mde_ascii_hexadecimal(text.bytes[i + 1]);
      int low = mde_ascii_hexadecimal(text.bytes[i + 2]);
      if (high < 0 || low < 0) return MDE_ODATA_MALFORMED;
      c = (char)(high * 16 + low);
      i += 2;
    } else if (c == '+' && plus_is_space) {
      c = ' ';
    }
    mde_writer_put(&writer, c);
  }
  return writer.length;
}

/* ---- text */

enum mde_odata_flaw mde_odata_flaw(struct mde_text text, char flaw[MDE_ODATA_FLAW_SIZE])
{
  const char *at = text.bytes;
  const char *end = text.bytes + text.length;
  uint32_t code_point = 0;
  int status;
  while ((status = mde_utf8_next(&at, end, &code_point)) == 1) {
    if (!mde_unicode_is_control(code_point)) continue;
    if (code_point < 0x80)
      snprintf(flaw, MDE_ODATA_FLAW_SIZE, "has a control character (byte 0x%02x)",
               (unsigned)code_point);
    else
      snprintf(flaw, MDE_ODATA_FLAW_SIZE, "has a control character (U+%04X)", (unsigned)code_point);
    return MDE_ODATA_FLAW_CONTROL_CHARACTER;
  }
  if (status == 0) return MDE_ODATA_FLAW_NONE;
  snprintf(flaw, MDE_ODATA_FLAW_SIZE, "is not valid UTF-8");
  return MDE_ODATA_FLAW_NOT_UTF8;
}
