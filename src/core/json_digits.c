#include "json_digits.h"

/* 2^53, the last whole number below which a double holds every one. */
static const struct mde_text EXACT = {"9007199254740992", 16};

static size_t put(char *out, size_t length, const char *bytes, size_t count)
{
  if (out != NULL) memcpy(out + length, bytes, count);
  return length + count;
}

/* Where a string ends that begins here: behind its last quote, or where the text is cut. */
static const char *string_end(const char *at, const char *end)
{
  for (at++; at < end && *at != '"'; at++)
    if (*at == '\\' && end - at > 1) at++;
  return at < end ? at + 1 : end;
}

static bool is_in_word(char c)
{
  return c == '-' || c == '+' || c == '.' || c == '_' || mde_ascii_is_alphanumeric(c);
}

/* Whether a word is a whole number that a double may not hold. */
static bool is_long(struct mde_text word)
{
  if (word.length > 0 && word.bytes[0] == '-') {
    word.bytes++;
    word.length--;
  }
  if (word.length < EXACT.length || word.bytes[0] == '0') return false;
  for (size_t i = 0; i < word.length; i++)
    if (!mde_ascii_is_digit(word.bytes[i])) return false;
  return word.length > EXACT.length || memcmp(word.bytes, EXACT.bytes, EXACT.length) > 0;
}

size_t mde_json_digits(struct mde_text text, char *out)
{
  const char *at = text.bytes;
  const char *end = at + text.length;
  size_t length = 0;
  while (at < end) {
    const char *next = at + 1;
    bool is_quoted = false;
    if (*at == '"') {
      next = string_end(at, end);
    } else if (is_in_word(*at)) {
      while (next < end && is_in_word(*next))
        next++;
      is_quoted = is_long((struct mde_text){at, (size_t)(next - at)});
    }
    if (is_quoted) length = put(out, length, "\"", 1);
    length = put(out, length, at, (size_t)(next - at));
    if (is_quoted) length = put(out, length, "\"", 1);
    at = next;
  }
  return length;
}
