#include "redact.h"

#include <stdbool.h>

#include "redaction.h"

/* Bytes; what is further away from a URL's authority is no part of a password that began in it. */
#define MAX_PASSWORD 256

/* ---- where things end */

static bool is_space_or_control(char c)
{
  return c == ' ' || mde_ascii_is_control(c);
}

static bool is_quote(char c)
{
  return c == '"' || c == '\'';
}

static const char *skip_blanks(const char *at, const char *end)
{
  while (at < end && mde_ascii_is_blank(*at))
    at++;
  return at;
}

static const char *skip_spaces(const char *at, const char *end)
{
  while (at < end && mde_ascii_is_space(*at))
    at++;
  return at;
}

static const char *skip_backslashes(const char *at, const char *end)
{
  while (at < end && *at == '\\')
    at++;
  return at;
}

static const char *end_of_line(const char *at, const char *end)
{
  while (at < end && *at != '\r' && *at != '\n')
    at++;
  return at;
}

/* Backslashes before a quote belong to the quote, in JSON inside a string. */
static const char *before_quote(const char *from, const char *at, const char *end)
{
  if (at < end && is_quote(*at))
    while (at > from && at[-1] == '\\')
      at--;
  return at;
}

/*
 * The end of a value without quotes: a space, a quote, an angle bracket, or an ampersand, also as
 * JSON may escape it; a percent-encoded one only where the equals sign before it was encoded, too.
 */
static const char *end_of_word(const char *at, const char *end, bool encoded)
{
  const char *from = at;
  while (at < end && !is_space_or_control(*at) && !is_quote(*at) && *at != '&' && *at != '<' &&
         *at != '>' && !(encoded && mde_ascii_starts_with(at, end, "%26")) &&
         !mde_ascii_starts_with(at, end, "\\u0026"))
    at++;
  return before_quote(from, at, end);
}

/*
 * The quote that closes a string whose opening one had `depth` backslashes before it, or the end.
 *
 * JSON in a string has its quotes escaped: depth 1, then 3, 7, ... A run of backslashes and a quote
 * closes the string, or one around it, if the run is up to `depth` more than a number of escaped
 * backslashes, each of which takes twice (depth + 1).
 */
static const char *closing_quote(const char *at, const char *end, char quote, size_t depth)
{
  size_t backslashes = 0;
  for (; at < end; at++) {
    if (*at == '\\') {
      backslashes++;
      continue;
    }
    if (*at == quote && backslashes % (2 * (depth + 1)) <= depth) break;
    backslashes = 0;
  }
  return at;
}

/* The end of such a string's contents: the backslashes of the closing quote are no part of them. */
static const char *string_end(const char *from, const char *end, char quote, size_t depth)
{
  const char *at = closing_quote(from, end, quote, depth);
  size_t backslashes = 0;
  if (at == end) return end;
  while (at - backslashes > from && at[-1 - (ptrdiff_t)backslashes] == '\\')
    backslashes++;
  return at - backslashes % (2 * (depth + 1));
}

/* Behind the bracket that closes the one at `at`, past whatever strings lie between; or the end. */
static const char *behind_brackets(const char *at, const char *end)
{
  size_t depth = 0;
  while (at < end) {
    char c = *at++;
    if (c == '"') {
      at = closing_quote(at, end, '"', 0);
      if (at < end) at++;
    } else if (c == '[' || c == '{') {
      depth++;
    } else if ((c == ']' || c == '}') && --depth == 0) {
      break;
    }
  }
  return at;
}

/* ---- credentials: a scheme and what belongs to it */

/* How many bytes of a credential are its scheme with the blanks behind it; 0 if it is unknown. */
static size_t scheme_length(const char *from, const char *to)
{
  static const char *const schemes[] = {"bearer", "basic",     "digest",           "negotiate",
                                        "ntlm",   "sharedkey", "aws4-hmac-sha256", "pop"};
  for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
    if (!mde_ascii_starts_with(from, to, schemes[i])) continue;
    const char *behind = from + strlen(schemes[i]);
    const char *value = skip_blanks(behind, to);
    if (value == to || value > behind) return (size_t)(value - from);
  }
  return 0;
}

/*
 * The credentials of a header line in running text: one word if the scheme says so, else the line.
 */
static void take_out_line(struct mde_redaction *redaction, const char *from)
{
  const char *to = end_of_line(from, redaction->end);
  const char *value = from + scheme_length(from, to);
  bool is_word =
      mde_ascii_starts_with(from, to, "bearer") || mde_ascii_starts_with(from, to, "basic");
  if (value > from && is_word) to = end_of_word(value, to, false);
  mde_redaction_take_out(redaction, value, to);
}

/* ---- names and what follows them */

enum name_kind {
  NAME_KIND_ANY_VALUE,   /* whatever follows */
  NAME_KIND_CREDENTIALS, /* a scheme may stay */
  NAME_KIND_WHOLE_LINE,  /* a header whose value has spaces */
  NAME_KIND_PARAMETER, /* a short name: only as a whole word, and without a colon in running text */
  NAME_KIND_HEADER_NAME /* a common word: only at the start of a line, or quoted */
};

/* A question mark stands for an underscore, a hyphen, or nothing. */
static const struct {
  const char *name;
  enum name_kind kind;
} names[] = {
    {"access?token", NAME_KIND_ANY_VALUE},    {"assertion", NAME_KIND_ANY_VALUE},
    {"authorization", NAME_KIND_CREDENTIALS}, {"client?secret", NAME_KIND_ANY_VALUE},
    {"cookie", NAME_KIND_WHOLE_LINE},         {"id?token", NAME_KIND_ANY_VALUE},
    {"password", NAME_KIND_ANY_VALUE},        {"refresh?token", NAME_KIND_ANY_VALUE},
    {"secret", NAME_KIND_HEADER_NAME},        {"sig", NAME_KIND_PARAMETER},
    {"token", NAME_KIND_PARAMETER},           {"x?identity?header", NAME_KIND_ANY_VALUE},
};

/* Behind the name, or NULL if it does not stand at `at`. */
static const char *match_name(const char *at, const char *end, const char *name)
{
  for (; *name != '\0'; name++) {
    if (*name == '?') {
      if (at < end && (*at == '_' || *at == '-')) at++;
      continue;
    }
    if (at == end || mde_ascii_lower(*at) != *name) return NULL;
    at++;
  }
  return at;
}

/*
 * Whether an encoded character ends at `at`: %26 or \u0026. Its last digits are no part of a word.
 */
static bool is_behind_escape(const char *start, const char *at)
{
  if (at - start >= 3 && at[-3] == '%') return true;
  return at - start >= 6 && mde_ascii_starts_with(at - 6, at, "\\u00");
}

static bool may_begin_here(const struct mde_redaction *redaction, enum name_kind kind)
{
  if (kind != NAME_KIND_PARAMETER && kind != NAME_KIND_HEADER_NAME) return true;
  if (redaction->at == redaction->start) return true;
  char before = redaction->at[-1];
  if (kind == NAME_KIND_HEADER_NAME)
    return before == '\n' || is_quote(before) || before == '&' || before == '?';
  return (!mde_ascii_is_alphanumeric(before) && before != '_' && before != '-') ||
         is_behind_escape(redaction->start, redaction->at);
}

/* What stands between a name and its value. */
struct separator {
  bool quoted_name;
  char quote;          /* the quote behind the name */
  const char *slashes; /* the backslashes before it */
  size_t depth;        /* and how many they are */
  char sign;           /* ':' or '=' */
  bool encoded;        /* the sign is percent-encoded */
  const char *value;   /* where the value begins */
};

static bool read_separator(const char *at, const char *end, struct separator *separator)
{
  const char *quote = skip_backslashes(at, end);
  memset(separator, 0, sizeof *separator);
  if (quote < end && is_quote(*quote)) {
    separator->quoted_name = true;
    separator->quote = *quote;
    separator->slashes = at;
    separator->depth = (size_t)(quote - at);
    at = skip_spaces(quote + 1, end);
  } else {
    at = skip_blanks(at, end);
  }
  if (mde_ascii_starts_with(at, end, "%3d")) {
    separator->sign = '=';
    separator->encoded = true;
    separator->value = at + 3;
    return true;
  }
  if (at == end || (*at != ':' && *at != '=')) return false;
  separator->sign = *at++;
  if (separator->sign == '=' && at < end && *at == '>') at++;
  separator->value = separator->quoted_name ? skip_spaces(at, end) : skip_blanks(at, end);
  return true;
}

/* A value of JSON that is no string: what takes its place has to be one. */
static void take_out_bare_value(struct mde_redaction *redaction, const struct separator *separator)
{
  const char *from = separator->value;
  const char *to = from;
  if (from < redaction->end && (*from == '[' || *from == '{')) {
    to = behind_brackets(from, redaction->end);
  } else {
    while (to < redaction->end && !is_space_or_control(*to) && !is_quote(*to) && *to != ',' &&
           *to != '}' && *to != ']')
      to++;
    to = before_quote(from, to, redaction->end);
  }
  bool is_null = to - from == 4 && mde_ascii_starts_with(from, to, "null");
  if (from == to || is_null) {
    redaction->at = to;
    return;
  }
  mde_redaction_copy(redaction, from);
  mde_redaction_write(redaction, separator->slashes, separator->depth);
  mde_redaction_write(redaction, &separator->quote, 1);
  mde_redaction_take_out(redaction, from, to);
  mde_redaction_write(redaction, separator->slashes, separator->depth);
  mde_redaction_write(redaction, &separator->quote, 1);
}

static void take_out_value(struct mde_redaction *redaction, enum name_kind kind,
                           const struct separator *separator)
{
  const char *from = separator->value;
  const char *quote = skip_backslashes(from, redaction->end);
  if (quote < redaction->end && is_quote(*quote)) {
    const char *to = string_end(quote + 1, redaction->end, *quote, (size_t)(quote - from));
    from = quote + 1;
    if (kind == NAME_KIND_CREDENTIALS) from += scheme_length(from, to);
    mde_redaction_take_out(redaction, from, to);
  } else if (separator->quoted_name) {
    take_out_bare_value(redaction, separator);
  } else if (kind == NAME_KIND_CREDENTIALS) {
    take_out_line(redaction, from);
  } else if (kind == NAME_KIND_WHOLE_LINE && separator->sign == ':') {
    mde_redaction_take_out(redaction, from, end_of_line(from, redaction->end));
  } else {
    mde_redaction_take_out(redaction, from, end_of_word(from, redaction->end, separator->encoded));
  }
}

/*
 * Whether a name of ours with a value stood at redaction->at; if so, the redaction is behind both.
 */
static bool scan_name(struct mde_redaction *redaction)
{
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    struct separator separator;
    enum name_kind kind = names[i].kind;
    const char *behind = match_name(redaction->at, redaction->end, names[i].name);
    if (behind == NULL || !may_begin_here(redaction, kind)) continue;
    if (!read_separator(behind, redaction->end, &separator)) continue;
    if (kind == NAME_KIND_PARAMETER && separator.sign == ':' && !separator.quoted_name) continue;
    take_out_value(redaction, kind, &separator);
    return true;
  }
  return false;
}

/* ---- what is recognised without a name */

/* Words behind "Bearer" in messages for people. */
static bool is_prose(const char *from, const char *to)
{
  static const char *const words[] = {"token",         "tokens", "authentication",
                                      "authorization", "scheme", "challenge"};
  for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
    if ((size_t)(to - from) == strlen(words[i]) && mde_ascii_starts_with(from, to, words[i]))
      return true;
  return false;
}

static bool is_token_byte(char c)
{
  return mde_ascii_is_alphanumeric(c) || c == '-' || c == '_';
}

/*
 * `name=value`, which is a challenge's parameter; the equals signs that end base64 are not. A name
 * could have other bytes too, but none has, and with a point in it it may be a token.
 */
static bool is_challenge_parameter(const char *from, const char *end)
{
  const char *at = from;
  while (at < end && is_token_byte(*at))
    at++;
  if (at == from || at == end || *at != '=') return false;
  at++;
  return at < end && *at != '=' && *at != ',' && !is_space_or_control(*at);
}

/* Bearer and a credential. */
static bool scan_bearer(struct mde_redaction *redaction)
{
  if (!mde_ascii_starts_with(redaction->at, redaction->end, "bearer")) return false;
  if (redaction->at > redaction->start &&
      (mde_ascii_is_alphanumeric(redaction->at[-1]) || redaction->at[-1] == '_'))
    return false;
  const char *behind = redaction->at + strlen("bearer");
  const char *from = skip_blanks(behind, redaction->end);
  if (from == behind) {
    if (mde_ascii_starts_with(behind, redaction->end, "%20"))
      from = behind + 3;
    else if (mde_ascii_starts_with(behind, redaction->end, "+"))
      from = behind + 1;
    else
      return false;
  }
  const char *to = end_of_word(from, redaction->end, false);
  if (from == to || is_prose(from, to) || is_challenge_parameter(from, redaction->end))
    return false;
  mde_redaction_take_out(redaction, from, to);
  return true;
}

/* A JSON Web Token: its first part is an object, and all such begin alike in base64. */
static bool scan_web_token(struct mde_redaction *redaction)
{
  static const char beginning[] = "eyJ";
  const char *at = redaction->at;
  size_t length = sizeof beginning - 1;
  if ((size_t)(redaction->end - at) < length || memcmp(at, beginning, length) != 0) return false;
  if (at > redaction->start && is_token_byte(at[-1])) return false;
  size_t dots = 0;
  while (at < redaction->end && (is_token_byte(*at) || *at == '.'))
    if (*at++ == '.') dots++;
  if (dots == 0 || at - redaction->at < 20) return false;
  mde_redaction_take_out(redaction, redaction->at, at);
  return true;
}

/* Whether a URL's authority that was cut off has begun a password: a colon, but no port behind. */
static bool has_begun_password(const char *from, const char *end)
{
  const char *at = from;
  if (from < end && *from == '[') return false;
  while (at < end && *at != ':')
    at++;
  while (at < end && (*at == ':' || mde_ascii_is_digit(*at)))
    at++;
  return at < end;
}

static bool ends_word(char c)
{
  return is_space_or_control(c) || is_quote(c) || c == '<' || c == '>';
}

/*
 * The user and password of a URL. A password that is not percent-encoded may have in it what ends
 * the authority: where one has begun, it reaches as far as the last @, or as the text if that is
 * cut off.
 */
static bool scan_user_information(struct mde_redaction *redaction)
{
  const char *at = redaction->at + 1;
  for (int slash = 0; slash < 2; slash++) {
    if (at < redaction->end && *at == '\\') at++;
    if (at == redaction->end || *at++ != '/') return false;
  }
  const char *from = at;
  const char *last = NULL;
  for (; at < redaction->end && !ends_word(*at) && *at != '/' && *at != '?' && *at != '#' &&
         *at != '\\';
       at++)
    if (*at == '@') last = at;
  bool has_begun = has_begun_password(from, at);
  if (last != NULL || has_begun) {
    const char *furthest = redaction->end - at > MAX_PASSWORD ? at + MAX_PASSWORD : redaction->end;
    for (; at < furthest && !ends_word(*at); at++)
      if (*at == '@') last = at;
  }
  if (last == NULL && at == redaction->end && has_begun) last = at;
  if (last == NULL || last == from) return false;
  mde_redaction_take_out(redaction, from, last);
  return true;
}

int mde_redact_text(struct mde_buffer *out, struct mde_text text)
{
  struct mde_redaction redaction;
  mde_redaction_begin(&redaction, out, text);
  while (redaction.at < redaction.end && redaction.status == MDE_BUFFER_OK) {
    bool found = false;
    switch (mde_ascii_lower(*redaction.at)) {
    case ':':
      found = scan_user_information(&redaction);
      break;
    case 'b':
      found = scan_bearer(&redaction);
      break;
    case 'e':
      found = scan_web_token(&redaction);
      break;
    case 'a':
    case 'c':
    case 'i':
    case 'p':
    case 'r':
    case 's':
    case 't':
    case 'x':
      found = scan_name(&redaction);
      break;
    default:
      break;
    }
    if (!found) redaction.at++;
  }
  return mde_redaction_finish(&redaction);
}

static bool is_word(struct mde_text text, const char *word)
{
  struct mde_text other = {.bytes = word, .length = strlen(word)};
  return mde_text_same_caseless(text, other);
}

int mde_redact_header(struct mde_buffer *out, struct mde_text name, struct mde_text value)
{
  struct mde_redaction redaction;
  bool has_scheme = is_word(name, "authorization") || is_word(name, "proxy-authorization");
  bool is_secret = is_word(name, "cookie") || is_word(name, "set-cookie") ||
                   is_word(name, "secret") || is_word(name, "x-identity-header");
  if (!has_scheme && !is_secret) return mde_redact_text(out, value);
  mde_redaction_begin(&redaction, out, value);
  if (has_scheme) redaction.at += scheme_length(redaction.at, redaction.end);
  mde_redaction_take_out(&redaction, redaction.at, redaction.end);
  return mde_redaction_finish(&redaction);
}
