#include "redact_known.h"

#include <stdbool.h>
#include <stdint.h>

#include "redact.h"
#include "redaction.h"

enum {
  MIN_VALUE_BYTES = 4,
  TELLING_BYTES = 16,        /* so many bytes from the front give a value away */
  TELLING_AT_THE_END = 8,    /* and so many where the text is cut off behind them */
  MIN_BASE64_CHARACTERS = 8, /* characters; fewer are in many a word */
  TELLING_CHARACTERS = 22    /* of base64, for TELLING_BYTES */
};

/* Behind the two hexadecimal digits at `at` if they mean `byte`, else NULL. */
static const char *match_digits(const char *at, const char *end, char byte)
{
  if (end - at < 2 || mde_ascii_hexadecimal(at[0]) < 0 || mde_ascii_hexadecimal(at[1]) < 0)
    return NULL;
  int value = mde_ascii_hexadecimal(at[0]) * 16 + mde_ascii_hexadecimal(at[1]);
  return value == (unsigned char)byte ? at + 2 : NULL;
}

/*
 * Behind one byte of a value that is written in some way at `at`, which is not the end, else NULL.
 */
static const char *match_byte(const char *at, const char *end, char byte)
{
  const char *behind = NULL;
  if (*at == '%') behind = match_digits(at + 1, end, byte);
  if (*at == '\\' && end - at >= 2) {
    if (at[1] == byte && (byte == '/' || byte == '\\' || byte == '"' || byte == '\''))
      behind = at + 2;
    if ((byte == '\n' && at[1] == 'n') || (byte == '\r' && at[1] == 'r') ||
        (byte == '\t' && at[1] == 't'))
      behind = at + 2;
    if (mde_ascii_starts_with(at, end, "\\u00")) behind = match_digits(at + 4, end, byte);
  }
  if (behind == NULL && (*at == byte || (*at == '+' && byte == ' '))) behind = at + 1;
  return behind;
}

/* How many bytes of the text at `at` are the value as it is; 0 if they are not. */
static size_t match_plain(const char *at, const char *end, struct mde_text value)
{
  size_t count = 0;
  while (count < value.length && at + count < end && at[count] == value.bytes[count])
    count++;
  bool tells = count == value.length || count >= TELLING_BYTES ||
               (at + count == end && count >= TELLING_AT_THE_END);
  return tells ? count : 0;
}

/* The same for the value with any of its bytes encoded. */
static size_t match_encoded(const char *at, const char *end, struct mde_text value)
{
  const char *from = at;
  size_t count = 0;
  while (count < value.length && at < end) {
    const char *behind = match_byte(at, end, value.bytes[count]);
    if (behind == NULL) break;
    at = behind;
    count++;
  }
  bool tells =
      count == value.length || count >= TELLING_BYTES || (at == end && count >= TELLING_AT_THE_END);
  return tells ? (size_t)(at - from) : 0;
}

/* The six bits of the base64 character at `*at`, which is moved behind it; -1 if it is another. */
static int take_base64(const char **at, const char *end)
{
  const char *from = *at;
  if (from == end) return -1;
  char c = *from;
  size_t length = 1;
  if (c == '\\' && end - from >= 2 && from[1] == '/') {
    c = '/';
    length = 2;
  } else if (c == '%' &&
             (mde_ascii_starts_with(from, end, "%2b") || mde_ascii_starts_with(from, end, "%2f"))) {
    c = mde_ascii_lower(from[2]) == 'b' ? '+' : '/';
    length = 3;
  }
  *at += length;
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '+' || c == '-') return 62;
  if (c == '/' || c == '_') return 63;
  *at = from;
  return -1;
}

/* The six bits of `value` from bit `bit` on, counted from the front. */
static int six_bits(struct mde_text value, size_t bit)
{
  unsigned first = (unsigned char)value.bytes[bit / 8];
  unsigned second = bit / 8 + 1 < value.length ? (unsigned char)value.bytes[bit / 8 + 1] : 0;
  return (int)(((first << 8 | second) >> (10 - bit % 8)) & 63);
}

/* Base64 text with `before` bytes (0 to 2) in front of the value: the first bit that begins a
 * character. */
static size_t first_bit(size_t before)
{
  return before == 0 ? 0 : 6 - before * 2;
}

/*
 * How many bytes of the text at `at` are the value in base64, with `before` bytes in front of it.
 */
static size_t match_base64(const char *at, const char *end, struct mde_text value, size_t before)
{
  const char *from = at;
  size_t bit = first_bit(before);
  size_t bits = value.length * 8;
  size_t count = 0;
  for (; bit + 6 <= bits; bit += 6, count++) {
    const char *next = at;
    if (take_base64(&next, end) != six_bits(value, bit)) break;
    at = next;
  }
  bool is_whole = bit + 6 > bits;
  if (count < MIN_BASE64_CHARACTERS || !(is_whole || count >= TELLING_CHARACTERS)) return 0;
  if (is_whole && bit < bits) {
    take_base64(&at, end);
    for (int i = 0; i < 2; i++) {
      if (at < end && *at == '=')
        at++;
      else if (mde_ascii_starts_with(at, end, "%3d"))
        at += 3;
    }
  }
  return (size_t)(at - from);
}

/* The longest of the known values that stands at `at`, in any form. */
static size_t longest_match(const char *at, const char *end, const struct mde_text *values,
                            size_t count)
{
  size_t longest = 0;
  for (size_t i = 0; i < count; i++) {
    if (values[i].length < MIN_VALUE_BYTES) continue;
    size_t lengths[] = {match_plain(at, end, values[i]), match_encoded(at, end, values[i]),
                        match_base64(at, end, values[i], 0), match_base64(at, end, values[i], 1),
                        match_base64(at, end, values[i], 2)};
    for (size_t j = 0; j < sizeof lengths / sizeof lengths[0]; j++)
      if (lengths[j] > longest) longest = lengths[j];
  }
  return longest;
}

/* Which bytes a known value can begin with in any form; most bytes of most texts are no such. */
static void find_first_bytes(const struct mde_text *values, size_t count, bool first[256])
{
  static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  memset(first, 0, 256 * sizeof first[0]);
  first['%'] = first['\\'] = first['+'] = first['-'] = first['_'] = true;
  for (size_t i = 0; i < count; i++) {
    if (values[i].length < MIN_VALUE_BYTES) continue;
    first[(unsigned char)values[i].bytes[0]] = true;
    for (size_t before = 0; before < 3; before++)
      first[(unsigned char)alphabet[six_bits(values[i], first_bit(before))]] = true;
  }
}

int mde_redact_known(struct mde_buffer *out, struct mde_buffer *scratch, struct mde_text text,
                     const struct mde_text *values, size_t count)
{
  struct mde_redaction redaction;
  bool first[256];
  find_first_bytes(values, count, first);
  mde_redaction_begin(&redaction, scratch, text);
  while (redaction.at < redaction.end && redaction.status == MDE_BUFFER_OK) {
    size_t length = 0;
    if (first[(unsigned char)*redaction.at])
      length = longest_match(redaction.at, redaction.end, values, count);
    if (length > 0)
      mde_redaction_take_out(&redaction, redaction.at, redaction.at + length);
    else
      redaction.at++;
  }
  int status = mde_redaction_finish(&redaction);
  if (status == MDE_BUFFER_OK) {
    struct mde_text rest = {.bytes = scratch->bytes, .length = scratch->length};
    if (rest.length > 0) status = mde_redact_text(out, rest);
  }
  mde_buffer_clear(scratch);
  return status;
}
