#include "json.h"

#include <stdint.h>

struct cursor {
  const char *at;
  const char *end;
};

static void skip_space(struct cursor *cursor)
{
  while (cursor->at < cursor->end && mde_ascii_is_space(*cursor->at))
    cursor->at++;
}

/* Whether this character comes next behind white space; it is passed over then. */
static bool take(struct cursor *cursor, char wanted)
{
  skip_space(cursor);
  if (cursor->at == cursor->end || *cursor->at != wanted) return false;
  cursor->at++;
  return true;
}

/* Passes over the rest of a string whose first quote was taken; `content` is what it quotes. */
static bool take_string(struct cursor *cursor, struct mde_text *content)
{
  content->bytes = cursor->at;
  while (cursor->at < cursor->end && *cursor->at != '"')
    cursor->at += *cursor->at == '\\' && cursor->end - cursor->at > 1 ? 2 : 1;
  content->length = (size_t)(cursor->at - content->bytes);
  return take(cursor, '"');
}

/* Passes over a list or an object, and counts what stands between its commas. */
static bool take_nested(struct cursor *cursor, size_t *count)
{
  uint64_t objects = 0; /* what is open, the innermost in the lowest bit: 1 is an object */
  int depth = 0;
  size_t commas = 0;
  bool is_empty = true;
  while (cursor->at < cursor->end) {
    struct mde_text ignored;
    char c = *cursor->at++;
    if (mde_ascii_is_space(c)) continue;
    if (depth == 1 && c != ']' && c != '}') is_empty = false;
    if (c == '"') {
      if (!take_string(cursor, &ignored)) return false;
    } else if (c == '[' || c == '{') {
      if (depth == MDE_JSON_MAX_DEPTH) return false;
      objects = objects << 1 | (c == '{');
      depth++;
    } else if (c == ']' || c == '}') {
      if ((objects & 1) != (c == '}')) return false;
      objects >>= 1;
      if (--depth == 0) {
        *count = is_empty ? 0 : commas + 1;
        return true;
      }
    } else if (c == ',' && depth == 1) {
      commas++;
    }
  }
  return false;
}

/* Passes over a number, true, false or null. */
static bool take_word(struct cursor *cursor)
{
  const char *begin = cursor->at;
  while (cursor->at < cursor->end && !mde_ascii_is_space(*cursor->at) && *cursor->at != ',' &&
         *cursor->at != '}')
    cursor->at++;
  return cursor->at > begin;
}

/* Passes over a value; `count` is set if it is a list. */
static bool take_value(struct cursor *cursor, bool *is_list, size_t *count)
{
  struct mde_text ignored;
  size_t members;
  *is_list = false;
  if (take(cursor, '"')) return take_string(cursor, &ignored);
  if (cursor->at < cursor->end && *cursor->at == '{') return take_nested(cursor, &members);
  if (cursor->at < cursor->end && *cursor->at == '[') {
    *is_list = true;
    return take_nested(cursor, count);
  }
  return take_word(cursor);
}

int mde_json_unit(const char *digits)
{
  int code = 0;
  for (int i = 0; i < 4; i++) {
    int digit = mde_ascii_hexadecimal(digits[i]);
    if (digit < 0) return -1;
    code = code * 16 + digit;
  }
  return code;
}

/* Whether a string's content, which may have escapes in it, is this name. */
static bool is_name(struct mde_text content, struct mde_text name)
{
  size_t at = 0;
  for (size_t i = 0; i < name.length; i++) {
    if (at == content.length) return false;
    int c = content.bytes[at++];
    if (c == '\\' && content.length - at >= 5 && content.bytes[at] == 'u') {
      c = mde_json_unit(content.bytes + at + 1);
      at += 5;
    } else if (c == '\\' && at < content.length) {
      c = content.bytes[at++];
      if (strchr("\"\\/", c) == NULL) return false;
    }
    if (c != name.bytes[i]) return false;
  }
  return at == content.length;
}

bool mde_json_list(struct mde_text text, struct mde_text name, size_t *count)
{
  struct cursor cursor = {text.bytes, text.bytes + text.length};
  bool is_known = false;
  bool is_known_list = false;
  if (!take(&cursor, '{')) return false;
  do {
    struct mde_text content;
    bool is_list;
    size_t items = 0;
    if (!take(&cursor, '"') || !take_string(&cursor, &content) || !take(&cursor, ':')) return false;
    if (!take_value(&cursor, &is_list, &items)) return false;
    if (!is_name(content, name)) continue;
    if (is_known) return false;
    is_known = true;
    is_known_list = is_list;
    *count = items;
  } while (take(&cursor, ','));
  if (!take(&cursor, '}')) return false;
  skip_space(&cursor);
  return cursor.at == cursor.end && is_known_list;
}
