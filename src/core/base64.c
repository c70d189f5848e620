#include "base64.h"

#include <stdbool.h>
#include <stdint.h>

#include "writer.h"

static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char for_urls[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static size_t encode(struct mde_text bytes, const char *alphabet, bool padded, char *out,
                     size_t size)
{
  struct mde_writer output = {out, size, 0};
  for (size_t i = 0; i < bytes.length; i += 3) {
    size_t count = bytes.length - i < 3 ? bytes.length - i : 3;
    uint32_t group = 0;
    for (size_t j = 0; j < 3; j++)
      group = group << 8 | (j < count ? (unsigned char)bytes.bytes[i + j] : 0);
    for (size_t j = 0; j < 4; j++) {
      if (j <= count)
        mde_writer_put(&output, alphabet[group >> (18 - 6 * j) & 63]);
      else if (padded)
        mde_writer_put(&output, '=');
    }
  }
  return output.length;
}

size_t mde_base64_encode(struct mde_text bytes, char *out, size_t size)
{
  return encode(bytes, plain, true, out, size);
}

size_t mde_base64_encode_url(struct mde_text bytes, char *out, size_t size)
{
  return encode(bytes, for_urls, false, out, size);
}

/* The six bits of a digit in either alphabet; -1 for what is none. */
static int value_of(char c)
{
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '+' || c == '-') return 62;
  if (c == '/' || c == '_') return 63;
  return -1;
}

/* The length without padding; MDE_BASE64_MALFORMED if that is not as long as it has to be. */
static size_t digits_of(struct mde_text text)
{
  size_t length = text.length, padding = 0;
  while (length > 0 && padding < 2 && text.bytes[length - 1] == '=') {
    length--;
    padding++;
  }
  if (length % 4 == 1) return MDE_BASE64_MALFORMED;
  if (padding > 0 && (length + padding) % 4 != 0) return MDE_BASE64_MALFORMED;
  return length;
}

size_t mde_base64_decode(struct mde_text text, char *out, size_t size)
{
  struct mde_writer output = {out, size, 0};
  size_t digits = digits_of(text);
  if (digits == MDE_BASE64_MALFORMED) return MDE_BASE64_MALFORMED;
  bool is_plain = false, is_for_urls = false;
  uint32_t group = 0;
  unsigned bits = 0;
  for (size_t i = 0; i < digits; i++) {
    char c = text.bytes[i];
    int value = value_of(c);
    is_plain = is_plain || c == '+' || c == '/';
    is_for_urls = is_for_urls || c == '-' || c == '_';
    if (value < 0 || (is_plain && is_for_urls)) return MDE_BASE64_MALFORMED;
    group = group << 6 | (uint32_t)value;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      mde_writer_put(&output, (char)(unsigned char)(group >> bits & 255));
      group &= (1u << bits) - 1;
    }
  }
  return group == 0 ? output.length : MDE_BASE64_MALFORMED;
}
