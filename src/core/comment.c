#include "comment.h"

#include "show.h"
#include "timestamp.h"
#include "unicode.h"
#include "utf8.h"

static const char opening[] = " [mde:";
#define OPENING_LENGTH (sizeof opening - 1)

static bool all_of(struct mde_text text, const char *others)
{
  for (size_t i = 0; i < text.length; i++) {
    char c = text.bytes[i];
    if (!mde_ascii_is_alphanumeric(c) && (c == '\0' || strchr(others, c) == NULL)) return false;
  }
  return true;
}

bool mde_incident_valid(struct mde_text incident)
{
  return incident.bytes != NULL && incident.length >= 1 &&
         incident.length <= MDE_INCIDENT_MAX_BYTES && all_of(incident, "._#/-");
}

bool mde_operation_valid(struct mde_text operation)
{
  return operation.bytes != NULL && operation.length >= MDE_OPERATION_MIN_BYTES &&
         operation.length <= MDE_OPERATION_MAX_BYTES && all_of(operation, "._-");
}

static const char until_word[] = ".until.";
#define UNTIL_WORD_LENGTH (sizeof until_word - 1)
enum { UNTIL_DIGITS = 10 };

/* How many digits stand behind ".until." at the end of a text; 0 if it does not end so. */
static size_t until_digits(struct mde_text text)
{
  size_t digits = 0;
  while (digits < text.length && mde_ascii_is_digit(text.bytes[text.length - 1 - digits]))
    digits++;
  if (digits == 0 || text.length < digits + UNTIL_WORD_LENGTH) return 0;
  const char *word = text.bytes + text.length - digits - UNTIL_WORD_LENGTH;
  return memcmp(word, until_word, UNTIL_WORD_LENGTH) == 0 ? digits : 0;
}

bool mde_key_valid(struct mde_text key)
{
  return mde_operation_valid(key) && until_digits(key) == 0;
}

struct mde_text mde_operation_name(struct mde_text operation)
{
  if (until_digits(operation) != UNTIL_DIGITS ||
      operation.bytes[operation.length - UNTIL_DIGITS] == '0')
    return operation;
  struct mde_text name = {operation.bytes, operation.length - MDE_UNTIL_LENGTH};
  return mde_operation_valid(name) ? name : operation;
}

int64_t mde_operation_until(struct mde_text operation)
{
  struct mde_text name = mde_operation_name(operation);
  if (name.length == operation.length) return MDE_NO_TIME;
  int64_t seconds = 0;
  for (size_t i = operation.length - UNTIL_DIGITS; i < operation.length; i++)
    seconds = seconds * 10 + (operation.bytes[i] - '0');
  return seconds * MDE_TICKS_PER_SECOND;
}

size_t mde_operation_with_until(char out[MDE_OPERATION_MAX_BYTES], struct mde_text name,
                                int64_t until)
{
  static const int64_t least = INT64_C(1000000000);
  if (!mde_key_valid(name) || name.length + MDE_UNTIL_LENGTH > MDE_OPERATION_MAX_BYTES) return 0;
  if (until < least || until >= 10 * least) return 0;
  memcpy(out, name.bytes, name.length);
  memcpy(out + name.length, until_word, UNTIL_WORD_LENGTH);
  size_t length = name.length + MDE_UNTIL_LENGTH;
  for (size_t i = length; i > length - UNTIL_DIGITS; until /= 10)
    out[--i] = (char)('0' + until % 10);
  return length;
}

bool mde_incident_same(struct mde_text a, struct mde_text b)
{
  return mde_text_same_caseless(a, b);
}

/* The last place where a suffix could begin, or NULL. */
static const char *last_opening(struct mde_text comment)
{
  if (comment.length <= OPENING_LENGTH || comment.bytes[comment.length - 1] != ']') return NULL;
  for (const char *at = comment.bytes + comment.length - OPENING_LENGTH;; at--) {
    if (memcmp(at, opening, OPENING_LENGTH) == 0) return at;
    if (at == comment.bytes) return NULL;
  }
}

struct mde_comment mde_comment_parse(struct mde_text comment)
{
  struct mde_comment parts = {.text = comment};
  if (comment.bytes == NULL) {
    parts.text = (struct mde_text){"", 0};
    return parts;
  }
  const char *start = last_opening(comment);
  if (start == NULL) return parts;
  const char *inside = start + OPENING_LENGTH;
  const char *end = comment.bytes + comment.length - 1;
  struct mde_text incident = {NULL, 0};
  const char *colon = memchr(inside, ':', (size_t)(end - inside));
  if (colon != NULL) {
    incident = (struct mde_text){inside, (size_t)(colon - inside)};
    if (!mde_incident_valid(incident)) return parts;
    inside = colon + 1;
  }
  struct mde_text operation = {inside, (size_t)(end - inside)};
  if (!mde_operation_valid(operation)) return parts;
  parts.text.length = (size_t)(start - comment.bytes);
  parts.incident = incident;
  parts.operation = operation;
  return parts;
}

void mde_operation_make(const unsigned char random[MDE_OPERATION_RANDOM_BYTES],
                        char operation[MDE_OPERATION_LENGTH])
{
  static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz234567";
  uint32_t bits = 0;
  int held = 0;
  size_t written = 0;
  for (size_t i = 0; i < MDE_OPERATION_RANDOM_BYTES; i++) {
    bits = (bits << 8 | random[i]) & 0xfff;
    for (held += 8; held >= 5; held -= 5)
      operation[written++] = alphabet[bits >> (held - 5) & 31];
  }
  operation[written] = alphabet[bits << (5 - held) & 31];
}

/* Whether nobody sees it. */
static bool is_blank(uint32_t c)
{
  return mde_unicode_is_white_space(c) || mde_show_is_unsafe(c);
}

/* How long a text is, by both measures. */
struct size {
  int code_points, units;
};

static void count(struct size *size, uint32_t c)
{
  size->code_points++;
  size->units += c > 0xffff ? 2 : 1;
}

static bool is_too_long(const struct size *size)
{
  return size->code_points > MDE_COMMENT_MAX_CODE_POINTS || size->units > MDE_COMMENT_MAX_UNITS;
}

static int check_text(struct mde_text text)
{
  const char *at = text.bytes;
  const char *end = at + text.length;
  struct size size = {0, 0};
  bool seen = false;
  bool nul = false;
  uint32_t c;
  int status;
  while ((status = mde_utf8_next(&at, end, &c)) > 0) {
    count(&size, c);
    seen = seen || !is_blank(c);
    nul = nul || c == 0;
  }
  if (status == 0 && !seen) return MDE_COMMENT_STATUS_EMPTY;
  if (status < 0) return MDE_COMMENT_STATUS_NOT_UTF8;
  if (nul) return MDE_COMMENT_STATUS_NUL;
  return is_too_long(&size) ? MDE_COMMENT_STATUS_TOO_LONG : MDE_COMMENT_STATUS_OK;
}

static char *put(char *at, struct mde_text text)
{
  memcpy(at, text.bytes, text.length);
  return at + text.length;
}

/* Disarms what could be taken for the beginning of a suffix. */
static bool disarm(char *at, size_t length)
{
  bool found = false;
  for (size_t i = 0; i + OPENING_LENGTH <= length; i++) {
    if (memcmp(at + i, opening, OPENING_LENGTH) != 0) continue;
    at[i + 1] = '(';
    found = true;
  }
  return found;
}

int mde_comment_compose(char out[MDE_COMMENT_MAX_BYTES], size_t *length, bool *changed,
                        struct mde_text text, struct mde_text incident, struct mde_text operation)
{
  size_t whole = text.length;
  size_t before;
  do {
    before = text.length;
    text = mde_comment_parse(text).text;
  } while (text.length < before);
  int status = check_text(text);
  if (status != MDE_COMMENT_STATUS_OK) return status;
  if (incident.bytes != NULL && !mde_incident_valid(incident)) return MDE_COMMENT_STATUS_INCIDENT;
  if (!mde_operation_valid(operation)) return MDE_COMMENT_STATUS_OPERATION;
  char *at = put(out, text);
  *changed = disarm(out, text.length) || text.length < whole;
  at = put(at, (struct mde_text){opening, OPENING_LENGTH});
  if (incident.bytes != NULL) {
    at = put(at, incident);
    *at++ = ':';
  }
  at = put(at, operation);
  *at++ = ']';
  *length = (size_t)(at - out);
  return MDE_COMMENT_STATUS_OK;
}

size_t mde_comment_make(char out[MDE_COMMENT_MAX_TEXT_BYTES], struct mde_text bytes)
{
  static const struct mde_text unknown = {"\xef\xbf\xbd", 3}; /* U+FFFD */
  static const struct mde_text ellipsis = {"\xe2\x80\xa6", 3};
  static const struct mde_text empty = {"(empty)", 7};
  const char *at = bytes.bytes;
  const char *end = at + bytes.length;
  char *written = out;
  char *cut = out; /* where an ellipsis still fits */
  struct size size = {0, 0};
  bool seen = false;
  while (at < end) {
    const char *start = at;
    uint32_t c = 0;
    bool is_known = mde_utf8_next(&at, end, &c) > 0 && c != 0;
    if (!is_known) c = 0xfffd;
    if (at == start) at++;
    struct mde_text one = is_known ? (struct mde_text){start, (size_t)(at - start)} : unknown;
    struct size with_ellipsis = size;
    count(&with_ellipsis, 0x2026);
    if (!is_too_long(&with_ellipsis)) cut = written;
    count(&size, c);
    if (is_too_long(&size)) return (size_t)(put(cut, ellipsis) - out);
    written = put(written, one);
    seen = seen || !is_blank(c);
  }
  return (size_t)((seen ? written : put(out, empty)) - out);
}

enum mde_comment_match mde_comment_compare(struct mde_text sent, struct mde_text returned)
{
  if (returned.bytes == NULL || returned.length == 0) return MDE_COMMENT_MATCH_OTHER;
  struct mde_comment ours = mde_comment_parse(sent);
  struct mde_comment theirs = mde_comment_parse(returned);
  bool same_incident = ours.incident.bytes == NULL
                           ? theirs.incident.bytes == NULL
                           : mde_incident_same(ours.incident, theirs.incident);
  if (same_incident && mde_text_same(ours.operation, theirs.operation))
    return MDE_COMMENT_MATCH_SAME;
  if (returned.length < sent.length && memcmp(sent.bytes, returned.bytes, returned.length) == 0)
    return MDE_COMMENT_MATCH_CUT;
  return MDE_COMMENT_MATCH_OTHER;
}
