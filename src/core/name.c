#include "name.h"

#include "unicode.h"
#include "utf8.h"

bool mde_name_is_blank(uint32_t code_point)
{
  return mde_unicode_is_white_space(code_point) && !mde_unicode_is_control(code_point);
}

/* Reads the code point at `*at`; a byte that is not UTF-8 is a character of its own. */
static uint32_t next(const char **at, const char *end)
{
  uint32_t code_point = UINT32_MAX;
  if (mde_utf8_next(at, end, &code_point) != 1) ++*at;
  return code_point;
}

static struct mde_text without_blanks_before(struct mde_text text)
{
  const char *end = text.bytes + text.length;
  for (const char *at = text.bytes; at < end;) {
    const char *character = at;
    if (!mde_name_is_blank(next(&at, end)))
      return (struct mde_text){.bytes = character, .length = (size_t)(end - character)};
  }
  return text;
}

static struct mde_text without_blanks_and_dot_behind(struct mde_text text)
{
  const char *end = text.bytes + text.length;
  size_t length = 0; /* up to the last character that is no blank */
  bool ends_in_dot = false;
  uint32_t before = '.';
  for (const char *at = text.bytes; at < end;) {
    uint32_t code_point = next(&at, end);
    if (!mde_name_is_blank(code_point)) {
      length = (size_t)(at - text.bytes);
      ends_in_dot = code_point == '.' && before != '.' && !mde_name_is_blank(before);
    }
    before = code_point;
  }
  if (length == 0) return text;
  return (struct mde_text){.bytes = text.bytes, .length = ends_in_dot ? length - 1 : length};
}

struct mde_text mde_name_asked(struct mde_text text, enum mde_name_relation relation)
{
  if (relation == MDE_NAME_RELATION_IS || relation == MDE_NAME_RELATION_STARTS)
    text = without_blanks_before(text);
  if (relation == MDE_NAME_RELATION_IS || relation == MDE_NAME_RELATION_ENDS)
    text = without_blanks_and_dot_behind(text);
  return text;
}

static bool contains(struct mde_text name, struct mde_text part)
{
  for (size_t i = 0; part.length <= name.length && i <= name.length - part.length; i++) {
    struct mde_text here = {.bytes = name.bytes + i, .length = part.length};
    if (mde_text_same_caseless(here, part)) return true;
  }
  return false;
}

bool mde_name_matches(struct mde_text name, enum mde_name_relation relation, struct mde_text text)
{
  name = mde_name_asked(name, MDE_NAME_RELATION_IS);
  text = mde_name_asked(text, relation);
  if (relation == MDE_NAME_RELATION_IS) return mde_text_same_caseless(name, text);
  if (relation == MDE_NAME_RELATION_CONTAINS) return contains(name, text);
  if (text.length > name.length) return false;
  if (relation == MDE_NAME_RELATION_ENDS) name.bytes += name.length - text.length;
  name.length = text.length;
  return mde_text_same_caseless(name, text);
}

static size_t write(struct mde_text text, int (*change)(int), char *out, size_t size)
{
  for (size_t i = 0; i < text.length && i < size; i++)
    out[i] = (char)change(text.bytes[i]);
  return text.length;
}

size_t mde_name_in_small_letters(struct mde_text text, char *out, size_t size)
{
  return write(text, mde_ascii_lower, out, size);
}

size_t mde_name_in_capitals(struct mde_text text, char *out, size_t size)
{
  return write(text, mde_ascii_upper, out, size);
}

size_t mde_name_normal(struct mde_text name, char *out, size_t size)
{
  return mde_name_in_small_letters(mde_name_asked(name, MDE_NAME_RELATION_IS), out, size);
}
