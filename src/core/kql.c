#include "kql.h"

#include <math.h>
#include <stdio.h>

#include "ascii.h"
#include "device.h"
#include "number.h"
#include "timestamp.h"
#include "unicode.h"
#include "utf8.h"
#include "writer.h"

/* ---- values */

/* The first second of the year 1, before which KQL has no time. */
#define FIRST_SECOND (-62135596800.0)

/* So many ticks a timespan holds; one second less, for the rounding. */
#define MOST_SECONDS 922337203684.0

enum { TICKS_PER_SECOND = 10000000, LINE_SEPARATOR = 0x2028, PARAGRAPH_SEPARATOR = 0x2029 };

enum mde_kql_flaw mde_kql_flaw(const struct mde_kql_value *value)
{
  char text[MDE_TIMESTAMP_SIZE];
  switch (value->type) {
  case MDE_KQL_TYPE_STRING:
    return mde_utf8_is_valid(value->text) ? MDE_KQL_FLAW_NONE : MDE_KQL_FLAW_NOT_UTF8;
  case MDE_KQL_TYPE_REAL:
    return isfinite(value->number) ? MDE_KQL_FLAW_NONE : MDE_KQL_FLAW_NOT_FINITE;
  case MDE_KQL_TYPE_DATETIME:
    if (!(value->number >= FIRST_SECOND) ||
        mde_timestamp_write(value->number, MDE_TIMESTAMP_FORM_MICROSECOND, text) == 0)
      return MDE_KQL_FLAW_NOT_A_TIME;
    return MDE_KQL_FLAW_NONE;
  case MDE_KQL_TYPE_TIMESPAN:
    return fabs(value->number) <= MOST_SECONDS ? MDE_KQL_FLAW_NONE : MDE_KQL_FLAW_NOT_A_SPAN;
  case MDE_KQL_TYPE_GUID:
    return mde_device_is_guid(value->text) ? MDE_KQL_FLAW_NONE : MDE_KQL_FLAW_NOT_A_GUID;
  case MDE_KQL_TYPE_LONG:
  case MDE_KQL_TYPE_BOOL:
    break;
  }
  return MDE_KQL_FLAW_NONE;
}

static void put_words(struct mde_writer *writer, const char *words)
{
  mde_writer_text(writer, (struct mde_text){words, strlen(words)});
}

static void put_escaped(struct mde_writer *writer, uint32_t code_point)
{
  char escape[12];
  switch (code_point) {
  case '\\':
    put_words(writer, "\\\\");
    return;
  case '"':
    put_words(writer, "\\\"");
    return;
  case '\t':
    put_words(writer, "\\t");
    return;
  case '\n':
    put_words(writer, "\\n");
    return;
  case '\r':
    put_words(writer, "\\r");
    return;
  default:
    snprintf(escape, sizeof escape, "\\u%04X", (unsigned)code_point);
    put_words(writer, escape);
  }
}

static void put_string(struct mde_writer *writer, struct mde_text text)
{
  const char *at = text.bytes;
  const char *end = text.bytes + text.length;
  const char *from = at;
  uint32_t code_point = 0;
  mde_writer_put(writer, '"');
  while (mde_utf8_next(&at, end, &code_point) == 1) {
    if (code_point == '\\' || code_point == '"' || mde_unicode_is_control(code_point) ||
        code_point == LINE_SEPARATOR || code_point == PARAGRAPH_SEPARATOR)
      put_escaped(writer, code_point);
    else
      mde_writer_text(writer, (struct mde_text){from, (size_t)(at - from)});
    from = at;
  }
  mde_writer_put(writer, '"');
}

static void put_span(struct mde_writer *writer, double seconds)
{
  char text[48];
  double whole_seconds = floor(fabs(seconds));
  int64_t whole = (int64_t)whole_seconds;
  int ticks = (int)floor((fabs(seconds) - whole_seconds) * TICKS_PER_SECOND + 0.5);
  if (ticks == TICKS_PER_SECOND) {
    whole++;
    ticks = 0;
  }
  snprintf(text, sizeof text, "timespan(%s%lld.%02d:%02d:%02d.%07d)",
           seconds < 0 && (whole > 0 || ticks > 0) ? "-" : "", (long long)(whole / 86400),
           (int)(whole / 3600 % 24), (int)(whole / 60 % 60), (int)(whole % 60), ticks);
  put_words(writer, text);
}

/* Numbers in a list stand as they are, as in JSON. */
static void put_value(struct mde_writer *writer, const struct mde_kql_value *value, bool in_list)
{
  char text[MDE_NUMBER_SIZE];
  _Static_assert((int)MDE_NUMBER_SIZE >= (int)MDE_TIMESTAMP_SIZE, "room for a time, too");
  const char *call = "";
  switch (value->type) {
  case MDE_KQL_TYPE_STRING:
    put_string(writer, value->text);
    return;
  case MDE_KQL_TYPE_BOOL:
    put_words(writer, value->truth ? "true" : "false");
    return;
  case MDE_KQL_TYPE_TIMESPAN:
    put_span(writer, value->number);
    return;
  case MDE_KQL_TYPE_GUID:
    put_words(writer, "guid(");
    mde_writer_small(writer, value->text);
    put_words(writer, ")");
    return;
  case MDE_KQL_TYPE_DATETIME:
    call = "datetime";
    mde_timestamp_write(value->number, MDE_TIMESTAMP_FORM_MICROSECOND, text);
    break;
  case MDE_KQL_TYPE_LONG:
    call = in_list ? "" : "long";
    snprintf(text, sizeof text, "%lld", (long long)value->whole);
    break;
  case MDE_KQL_TYPE_REAL:
    call = in_list ? "" : "real";
    mde_number_write(value->number, text);
    break;
  }
  put_words(writer, call);
  if (*call != '\0') mde_writer_put(writer, '(');
  put_words(writer, text);
  if (*call != '\0') mde_writer_put(writer, ')');
}

size_t mde_kql_literal(const struct mde_kql_value *value, char *out, size_t size)
{
  struct mde_writer writer = {.out = out, .size = size};
  put_value(&writer, value, false);
  return writer.length;
}

size_t mde_kql_list(const struct mde_kql_values *values, char *out, size_t size)
{
  struct mde_writer writer = {.out = out, .size = size};
  put_words(&writer, "dynamic([");
  for (size_t i = 0; i < values->count; i++) {
    if (i > 0) mde_writer_put(&writer, ',');
    put_value(&writer, &values->list[i], true);
  }
  put_words(&writer, "])");
  return writer.length;
}

/* ---- names */

/* The words of the language that could stand where a parameter does, or are part of an operator. */
static const char *const keywords[] = {
    "accumulate",   "and",       "apply",     "as",       "asc",      "away",        "between",
    "bool",         "boolean",   "by",        "consume",  "contains", "count",       "database",
    "datatable",    "date",      "datetime",  "decimal",  "declare",  "default",     "desc",
    "distinct",     "double",    "dynamic",   "endswith", "evaluate", "expand",      "extend",
    "externaldata", "facet",     "false",     "filter",   "find",     "first",       "float",
    "fork",         "from",      "getschema", "graph",    "guid",     "has",         "hasprefix",
    "hassuffix",    "has_all",   "has_any",   "hint",     "in",       "inner",       "int",
    "invoke",       "join",      "keep",      "kind",     "last",     "let",         "like",
    "limit",        "long",      "lookup",    "make",     "matches",  "materialize", "mv",
    "not",          "null",      "nulls",     "of",       "on",       "or",          "order",
    "parse",        "partition", "pattern",   "print",    "project",  "range",       "real",
    "reduce",       "regex",     "rename",    "render",   "reorder",  "restrict",    "sample",
    "scan",         "search",    "serialize", "series",   "set",      "sort",        "startswith",
    "string",       "summarize", "take",      "time",     "timespan", "to",          "top",
    "toscalar",     "totable",   "true",      "typeof",   "union",    "uuid",        "view",
    "where",        "with",
};

static bool is_name_byte(char c)
{
  return mde_ascii_is_alphanumeric(c) || c == '_';
}

enum mde_kql_name_flaw mde_kql_name_flaw(struct mde_text name)
{
  if (name.length == 0 || name.length > MDE_KQL_NAME_MAX) return MDE_KQL_NAME_FLAW_NOT_A_NAME;
  for (size_t i = 0; i < name.length; i++)
    if (!is_name_byte(name.bytes[i])) return MDE_KQL_NAME_FLAW_NOT_A_NAME;
  if (name.bytes[0] < 'a' || name.bytes[0] > 'z') return MDE_KQL_NAME_FLAW_LIKE_A_COLUMN;
  for (size_t i = 0; i < sizeof keywords / sizeof keywords[0]; i++)
    if (mde_text_same_caseless(name, (struct mde_text){keywords[i], strlen(keywords[i])}))
      return MDE_KQL_NAME_FLAW_KEYWORD;
  return MDE_KQL_NAME_FLAW_NONE;
}

/* The character at `at`, which lies before `end`, and where the next one is. */
static const char *read_character(const char *at, const char *end, uint32_t *code_point)
{
  if (mde_utf8_next(&at, end, code_point) == 1) return at;
  *code_point = 0xfffd;
  return at + 1;
}

static bool ends_line(uint32_t code_point)
{
  return code_point == '\n' || code_point == '\r' || code_point == LINE_SEPARATOR ||
         code_point == PARAGRAPH_SEPARATOR;
}

static bool is_space(uint32_t code_point)
{
  return mde_unicode_is_white_space(code_point) || code_point == 0x180e || code_point == 0x200b ||
         code_point == 0xfeff;
}

static bool stands_at(const char *at, const char *end, const char *words)
{
  size_t length = strlen(words);
  return (size_t)(end - at) >= length && memcmp(at, words, length) == 0;
}

/* Behind the white space and the comments at `at`. */
static const char *skip_trivia(const char *at, const char *end)
{
  while (at < end) {
    uint32_t code_point;
    const char *next = read_character(at, end, &code_point);
    if (is_space(code_point)) {
      at = next;
    } else if (stands_at(at, end, "//")) {
      while (at < end) {
        at = read_character(at, end, &code_point);
        if (ends_line(code_point)) break;
      }
    } else {
      break;
    }
  }
  return at;
}

/* Behind a string that begins with its quote at `at`; one without an end ends with the line. */
static const char *skip_string(const char *at, const char *end, bool is_verbatim)
{
  char quote = *at++;
  while (at < end) {
    uint32_t code_point;
    const char *next = read_character(at, end, &code_point);
    if (code_point == '\\' && !is_verbatim && next < end)
      next++;
    else if (code_point == (unsigned char)quote && is_verbatim && next < end && *next == quote)
      next++;
    else if (code_point == (unsigned char)quote)
      return next;
    else if (ends_line(code_point))
      return at;
    at = next;
  }
  return at;
}

/* Behind a string of several lines, whose three marks at each end are `marks`. */
static const char *skip_lines(const char *at, const char *end, const char *marks)
{
  at += strlen(marks);
  while (at < end && !stands_at(at, end, marks))
    at++;
  return at < end ? at + strlen(marks) : at;
}

/* Behind the string at `at`, NULL if no string begins there. */
static const char *skip_literal(const char *at, const char *end)
{
  if ((*at == 'h' || *at == 'H') && end - at > 1) at++;
  bool is_verbatim = *at == '@' && end - at > 1;
  if (is_verbatim) at++;
  if (*at == '"' || *at == '\'') return skip_string(at, end, is_verbatim);
  if (stands_at(at, end, "```")) return skip_lines(at, end, "```");
  if (stands_at(at, end, "~~~")) return skip_lines(at, end, "~~~");
  return NULL;
}

/* Whether a list of names goes on here that ends with `) =`: (a, b) = f(). */
static bool is_of_tuple(const char *at, const char *end)
{
  while (at < end && (*at == ',' || is_name_byte(*at)))
    at = skip_trivia(at + 1, end);
  if (at == end || *at != ')') return false;
  at = skip_trivia(at + 1, end);
  return at < end && *at == '=' && !stands_at(at, end, "==") && !stands_at(at, end, "=~") &&
         !stands_at(at, end, "=>");
}

static enum mde_kql_use use_before(const char *at, const char *end)
{
  at = skip_trivia(at, end);
  if (is_of_tuple(at, end)) return MDE_KQL_USE_DEFINED;
  if (at == end) return MDE_KQL_USE_READ;
  if (*at == '(') return MDE_KQL_USE_CALLED;
  if (*at == ':') return MDE_KQL_USE_DEFINED;
  if (*at != '=') return MDE_KQL_USE_READ;
  if (stands_at(at, end, "==") || stands_at(at, end, "=~") || stands_at(at, end, "=>"))
    return MDE_KQL_USE_READ;
  return MDE_KQL_USE_DEFINED;
}

enum mde_kql_use mde_kql_next_name(const char **at, const char *end, struct mde_text *name)
{
  bool is_member = false;
  while ((*at = skip_trivia(*at, end)) < end) {
    const char *from = *at;
    const char *behind = skip_literal(from, end);
    if (behind != NULL) {
      *at = behind;
      is_member = false;
    } else if (is_name_byte(*from) || *from == '$') {
      do
        ++*at;
      while (*at < end && is_name_byte(**at));
      bool is_number = mde_ascii_is_digit(*from);
      if (!is_number) {
        *name = (struct mde_text){from, (size_t)(*at - from)};
        return is_member ? MDE_KQL_USE_MEMBER : use_before(*at, end);
      }
      is_member = false;
    } else if (stands_at(from, end, "..")) {
      *at += 2;
      is_member = false;
    } else {
      is_member = *from == '.';
      ++*at;
    }
  }
  return MDE_KQL_USE_NONE;
}

enum mde_kql_use mde_kql_use(struct mde_text query, struct mde_text name)
{
  const char *at = query.bytes;
  const char *end = query.bytes + query.length;
  enum mde_kql_use all = MDE_KQL_USE_NONE;
  struct mde_text found;
  enum mde_kql_use use;
  bool is_ranged = false; /* range x from */
  while ((use = mde_kql_next_name(&at, end, &found)) != MDE_KQL_USE_NONE) {
    bool was_ranged = is_ranged;
    is_ranged = use == MDE_KQL_USE_READ && mde_text_same(found, (struct mde_text){"range", 5});
    if (!mde_text_same(found, name) || use == MDE_KQL_USE_MEMBER) continue;
    if (was_ranged) return MDE_KQL_USE_DEFINED;
    if (use != MDE_KQL_USE_READ) return use;
    all = use;
  }
  return all;
}
