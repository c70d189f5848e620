#include "json_repair.h"

#include <stdint.h>

#include "json.h"
#include "number.h"
#include "utf8.h"

static const struct mde_text REPLACEMENT = {"\xef\xbf\xbd", 3};
static const struct mde_text NOTHING = {"null", 4};
static const struct mde_text BYTE_ORDER_MARK = {"\xef\xbb\xbf", 3};

struct repair {
  const char *at, *end;
  char *out;
  size_t length;
};

static void put(struct repair *repair, struct mde_text text)
{
  if (repair->out != NULL) memcpy(repair->out + repair->length, text.bytes, text.length);
  repair->length += text.length;
}

/* Puts the next bytes as they are. */
static void keep(struct repair *repair, size_t count)
{
  put(repair, (struct mde_text){repair->at, count});
  repair->at += count;
}

static void replace(struct repair *repair, size_t count, struct mde_text by)
{
  put(repair, by);
  repair->at += count;
}

static size_t left(const struct repair *repair)
{
  return (size_t)(repair->end - repair->at);
}

/* What the escape \uXXXX at this place stands for; -1 without such an escape. */
static int unit_at(const char *at, const char *end)
{
  return end - at >= 6 && at[0] == '\\' && at[1] == 'u' ? mde_json_unit(at + 2) : -1;
}

static bool is_high(int unit)
{
  return unit >= 0xd800 && unit <= 0xdbff;
}

static bool is_low(int unit)
{
  return unit >= 0xdc00 && unit <= 0xdfff;
}

static void repair_escape(struct repair *repair)
{
  if (left(repair) < 2) {
    keep(repair, 1);
    return;
  }
  int unit = unit_at(repair->at, repair->end);
  if (is_high(unit) && is_low(unit_at(repair->at + 6, repair->end)))
    keep(repair, 12);
  else if (is_high(unit) || is_low(unit))
    replace(repair, 6, REPLACEMENT);
  else if (unit >= 0)
    keep(repair, 6);
  else if (repair->at[1] != '\0' && strchr("\"\\/bfnrt", repair->at[1]) != NULL)
    keep(repair, 2);
  else
    replace(repair, 1, REPLACEMENT);
}

static void repair_character(struct repair *repair)
{
  const char *next = repair->at;
  uint32_t code_point;
  if (*repair->at != '\0' && mde_utf8_next(&next, repair->end, &code_point) == 1)
    keep(repair, (size_t)(next - repair->at));
  else
    replace(repair, 1, REPLACEMENT);
}

static void repair_string(struct repair *repair)
{
  keep(repair, 1);
  while (repair->at < repair->end && *repair->at != '"') {
    if (*repair->at == '\\')
      repair_escape(repair);
    else
      repair_character(repair);
  }
  if (repair->at < repair->end) keep(repair, 1);
}

static bool is_word(struct mde_text word, const char *wanted)
{
  return mde_text_same(word, (struct mde_text){wanted, strlen(wanted)});
}

/* RFC 8259 has no zero before another digit, and no point without a digit behind it. */
static bool is_number(struct mde_text word)
{
  double number;
  const char *digits = word.bytes + (word.bytes[0] == '-' ? 1 : 0);
  const char *end = word.bytes + word.length;
  if (end - digits > 1 && digits[0] == '0' && mde_ascii_is_digit(digits[1])) return false;
  const char *point = memchr(word.bytes, '.', word.length);
  if (point != NULL && (point + 1 == end || !mde_ascii_is_digit(point[1]))) return false;
  return mde_number_read(word, &number);
}

static bool ends_word(char c)
{
  return c != '\0' && strchr(" \t\r\n,:[]{}\"", c) != NULL;
}

static void repair_word(struct repair *repair)
{
  const char *end = repair->at + 1;
  while (end < repair->end && !ends_word(*end))
    end++;
  struct mde_text word = {repair->at, (size_t)(end - repair->at)};
  if (is_word(word, "true") || is_word(word, "false") || is_word(word, "null") || is_number(word))
    keep(repair, word.length);
  else
    replace(repair, word.length, NOTHING);
}

static void pass_string(struct repair *repair)
{
  for (repair->at++; repair->at < repair->end && *repair->at != '"'; repair->at++)
    if (*repair->at == '\\' && left(repair) > 1) repair->at++;
  if (repair->at < repair->end) repair->at++;
}

/* Puts null for a list or an object; nothing if it is cut. */
static void drop_nested(struct repair *repair)
{
  size_t depth = 0;
  do {
    char c = *repair->at;
    if (c == '"') {
      pass_string(repair);
      continue;
    }
    repair->at++;
    if (c == '[' || c == '{') depth++;
    if (c == ']' || c == '}') depth--;
  } while (depth > 0 && repair->at < repair->end);
  if (depth == 0) put(repair, NOTHING);
}

static bool begins_with(struct mde_text text, struct mde_text with)
{
  return text.length >= with.length && memcmp(text.bytes, with.bytes, with.length) == 0;
}

size_t mde_json_repair(struct mde_text text, char *out)
{
  struct repair repair = {text.bytes, text.bytes + text.length, out, 0};
  int depth = 0;
  if (begins_with(text, BYTE_ORDER_MARK)) repair.at += BYTE_ORDER_MARK.length;
  while (repair.at < repair.end) {
    char c = *repair.at;
    if (c == '"') {
      repair_string(&repair);
    } else if ((c == '[' || c == '{') && depth == MDE_JSON_MAX_DEPTH) {
      drop_nested(&repair);
    } else if (c != '\0' && strchr(" \t\r\n,:[]{}", c) != NULL) {
      if (c == '[' || c == '{') depth++;
      if ((c == ']' || c == '}') && depth > 0) depth--;
      keep(&repair, 1);
    } else {
      repair_word(&repair);
    }
  }
  return repair.length;
}
