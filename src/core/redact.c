#include "redact.h"

#include <stdbool.h>
#include <stdint.h>

size_t mde_redact_limit(size_t length)
{
  /* A known value grows from 4 bytes to 10 at most, and what surrounds that at most threefold. */
  return length > SIZE_MAX / 16 ? SIZE_MAX : length * 9 + 64;
}

/* ---- the text that is read, and what has been written of it */

struct scanner {
  struct mde_secret *out;
  const char *start;
  const char *at;
  const char *end;
  const char *copied; /* everything before it is in `out` */
  int status;         /* MDE_SECRET_OK, or why `out` is incomplete */
};

static void write_bytes(struct scanner *scanner, const char *bytes, size_t length)
{
  if (scanner->status == MDE_SECRET_OK)
    scanner->status = mde_secret_append(scanner->out, bytes, length);
}

static void copy_until(struct scanner *scanner, const char *to)
{
  write_bytes(scanner, scanner->copied, (size_t)(to - scanner->copied));
  scanner->copied = to;
}

/* Puts the mark in place of the bytes from `from` to `to`, and goes on behind them. */
static void take_out(struct scanner *scanner, const char *from, const char *to)
{
  if (from < to) {
    copy_until(scanner, from);
    write_bytes(scanner, MDE_REDACTED, sizeof MDE_REDACTED - 1);
    scanner->copied = to;
  }
  scanner->at = to;
}

static void begin(struct scanner *scanner, struct mde_secret *out, struct mde_text text)
{
  if (text.bytes == NULL) text.bytes = "";
  scanner->out = out;
  scanner->start = text.bytes;
  scanner->at = text.bytes;
  scanner->end = text.bytes + text.length;
  scanner->copied = text.bytes;
  scanner->status = MDE_SECRET_OK;
}

/* ---- where things end */

static bool is_letter_or_digit(char c)
{
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_blank(char c)
{
  return c == ' ' || c == '\t';
}

static bool is_space_or_control(char c)
{
  unsigned char byte = (unsigned char)c;
  return byte <= 0x20 || byte == 0x7f;
}

static bool is_quote(char c)
{
  return c == '"' || c == '\'';
}

static const char *skip_blanks(const char *at, const char *end)
{
  while (at < end && is_blank(*at))
    at++;
  return at;
}

static const char *skip_spaces(const char *at, const char *end)
{
  while (at < end && (is_blank(*at) || *at == '\r' || *at == '\n'))
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

/* `prefix` is in lower case. */
static bool starts_with(const char *at, const char *end, const char *prefix)
{
  for (; *prefix != '\0'; at++, prefix++)
    if (at == end || mde_ascii_lower(*at) != *prefix) return false;
  return true;
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
         *at != '>' && !(encoded && starts_with(at, end, "%26")) &&
         !starts_with(at, end, "\\u0026"))
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

/* How many bytes of a credential are its scheme with the blanks behind it; 0 if it is none we know.
 */
static size_t scheme_length(const char *from, const char *to)
{
  static const char *const schemes[] = {"bearer", "basic",     "digest",           "negotiate",
                                        "ntlm",   "sharedkey", "aws4-hmac-sha256", "pop"};
  for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
    if (!starts_with(from, to, schemes[i])) continue;
    const char *behind = from + strlen(schemes[i]);
    const char *value = skip_blanks(behind, to);
    if (value == to || value > behind) return (size_t)(value - from);
  }
  return 0;
}

/* The credentials of a header line in running text: one word if the scheme says so, else the line.
 */
static void take_out_line(struct scanner *scanner, const char *from)
{
  const char *to = end_of_line(from, scanner->end);
  const char *value = from + scheme_length(from, to);
  bool is_word = starts_with(from, to, "bearer") || starts_with(from, to, "basic");
  if (value > from && is_word) to = end_of_word(value, to, false);
  take_out(scanner, value, to);
}

/* ---- names and what follows them */

enum name_kind {
  ANY_VALUE,   /* whatever follows */
  CREDENTIALS, /* a scheme may stay */
  WHOLE_LINE,  /* a header whose value has spaces */
  PARAMETER,   /* a short name: only as a whole word, and without a colon in running text */
  HEADER_NAME  /* a common word: only at the start of a line, or quoted */
};

/* A question mark stands for an underscore, a hyphen, or nothing. */
static const struct {
  const char *name;
  enum name_kind kind;
} names[] = {
    {"access?token", ANY_VALUE},  {"assertion", ANY_VALUE},         {"authorization", CREDENTIALS},
    {"client?secret", ANY_VALUE}, {"cookie", WHOLE_LINE},           {"id?token", ANY_VALUE},
    {"password", ANY_VALUE},      {"refresh?token", ANY_VALUE},     {"secret", HEADER_NAME},
    {"sig", PARAMETER},           {"x?identity?header", ANY_VALUE},
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

/* Whether an encoded character ends at `at`: %26 or \u0026. Its last digits are no part of a word.
 */
static bool is_behind_escape(const char *start, const char *at)
{
  if (at - start >= 3 && at[-3] == '%') return true;
  return at - start >= 6 && starts_with(at - 6, at, "\\u00");
}

static bool may_begin_here(const struct scanner *scanner, enum name_kind kind)
{
  if (kind != PARAMETER && kind != HEADER_NAME) return true;
  if (scanner->at == scanner->start) return true;
  char before = scanner->at[-1];
  if (kind == HEADER_NAME)
    return before == '\n' || is_quote(before) || before == '&' || before == '?';
  return (!is_letter_or_digit(before) && before != '_' && before != '-') ||
         is_behind_escape(scanner->start, scanner->at);
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
  if (starts_with(at, end, "%3d")) {
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
static void take_out_bare_value(struct scanner *scanner, const struct separator *separator)
{
  const char *from = separator->value;
  const char *to = from;
  if (from < scanner->end && (*from == '[' || *from == '{')) {
    to = behind_brackets(from, scanner->end);
  } else {
    while (to < scanner->end && !is_space_or_control(*to) && !is_quote(*to) && *to != ',' &&
           *to != '}' && *to != ']')
      to++;
    to = before_quote(from, to, scanner->end);
  }
  bool is_null = to - from == 4 && starts_with(from, to, "null");
  if (from == to || is_null) {
    scanner->at = to;
    return;
  }
  copy_until(scanner, from);
  write_bytes(scanner, separator->slashes, separator->depth);
  write_bytes(scanner, &separator->quote, 1);
  take_out(scanner, from, to);
  write_bytes(scanner, separator->slashes, separator->depth);
  write_bytes(scanner, &separator->quote, 1);
}

static void take_out_value(struct scanner *scanner, enum name_kind kind,
                           const struct separator *separator)
{
  const char *from = separator->value;
  const char *quote = skip_backslashes(from, scanner->end);
  if (quote < scanner->end && is_quote(*quote)) {
    const char *to = string_end(quote + 1, scanner->end, *quote, (size_t)(quote - from));
    from = quote + 1;
    if (kind == CREDENTIALS) from += scheme_length(from, to);
    take_out(scanner, from, to);
  } else if (separator->quoted_name) {
    take_out_bare_value(scanner, separator);
  } else if (kind == CREDENTIALS) {
    take_out_line(scanner, from);
  } else if (kind == WHOLE_LINE && separator->sign == ':') {
    take_out(scanner, from, end_of_line(from, scanner->end));
  } else {
    take_out(scanner, from, end_of_word(from, scanner->end, separator->encoded));
  }
}

/* Whether a name of ours with a value stood at scanner->at; if so, the scanner is behind both. */
static bool scan_name(struct scanner *scanner)
{
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    struct separator separator;
    enum name_kind kind = names[i].kind;
    const char *behind = match_name(scanner->at, scanner->end, names[i].name);
    if (behind == NULL || !may_begin_here(scanner, kind)) continue;
    if (!read_separator(behind, scanner->end, &separator)) continue;
    if (kind == PARAMETER && separator.sign == ':' && !separator.quoted_name) continue;
    take_out_value(scanner, kind, &separator);
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
    if ((size_t)(to - from) == strlen(words[i]) && starts_with(from, to, words[i])) return true;
  return false;
}

static bool is_token_byte(char c)
{
  return is_letter_or_digit(c) || c == '-' || c == '_';
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
static bool scan_bearer(struct scanner *scanner)
{
  if (!starts_with(scanner->at, scanner->end, "bearer")) return false;
  if (scanner->at > scanner->start &&
      (is_letter_or_digit(scanner->at[-1]) || scanner->at[-1] == '_'))
    return false;
  const char *behind = scanner->at + strlen("bearer");
  const char *from = skip_blanks(behind, scanner->end);
  if (from == behind) {
    if (starts_with(behind, scanner->end, "%20"))
      from = behind + 3;
    else if (starts_with(behind, scanner->end, "+"))
      from = behind + 1;
    else
      return false;
  }
  const char *to = end_of_word(from, scanner->end, false);
  if (from == to || is_prose(from, to) || is_challenge_parameter(from, scanner->end)) return false;
  take_out(scanner, from, to);
  return true;
}

/* A JSON Web Token: its first part is an object, and all such begin alike in base64. */
static bool scan_web_token(struct scanner *scanner)
{
  static const char beginning[] = "eyJ";
  const char *at = scanner->at;
  size_t length = sizeof beginning - 1;
  if ((size_t)(scanner->end - at) < length || memcmp(at, beginning, length) != 0) return false;
  if (at > scanner->start && is_token_byte(at[-1])) return false;
  size_t dots = 0;
  while (at < scanner->end && (is_token_byte(*at) || *at == '.'))
    if (*at++ == '.') dots++;
  if (dots == 0 || at - scanner->at < 20) return false;
  take_out(scanner, scanner->at, at);
  return true;
}

/* Whether a URL's authority that was cut off has begun a password: a colon, but no port behind. */
static bool has_begun_password(const char *from, const char *end)
{
  const char *at = from;
  if (from < end && *from == '[') return false;
  while (at < end && *at != ':')
    at++;
  while (at < end && (*at == ':' || (*at >= '0' && *at <= '9')))
    at++;
  return at < end;
}

/* The user and password of a URL. */
static bool scan_user_information(struct scanner *scanner)
{
  const char *at = scanner->at + 1;
  for (int slash = 0; slash < 2; slash++) {
    if (at < scanner->end && *at == '\\') at++;
    if (at == scanner->end || *at++ != '/') return false;
  }
  const char *from = at;
  const char *last = NULL;
  for (; at < scanner->end && !is_space_or_control(*at) && !is_quote(*at) && *at != '/' &&
         *at != '?' && *at != '#' && *at != '<' && *at != '>' && *at != '\\';
       at++)
    if (*at == '@') last = at;
  if (last == NULL && at == scanner->end && has_begun_password(from, at)) last = at;
  if (last == NULL || last == from) return false;
  take_out(scanner, from, last);
  return true;
}

int mde_redact_text(struct mde_secret *out, struct mde_text text)
{
  struct scanner scanner;
  begin(&scanner, out, text);
  while (scanner.at < scanner.end && scanner.status == MDE_SECRET_OK) {
    bool found = false;
    switch (mde_ascii_lower(*scanner.at)) {
    case ':':
      found = scan_user_information(&scanner);
      break;
    case 'b':
      found = scan_bearer(&scanner);
      break;
    case 'e':
      found = scan_web_token(&scanner);
      break;
    case 'a':
    case 'c':
    case 'i':
    case 'p':
    case 'r':
    case 's':
    case 'x':
      found = scan_name(&scanner);
      break;
    default:
      break;
    }
    if (!found) scanner.at++;
  }
  copy_until(&scanner, scanner.end);
  return scanner.status;
}

static bool is_word(struct mde_text text, const char *word)
{
  struct mde_text other = {.bytes = word, .length = strlen(word)};
  return mde_text_same_caseless(text, other);
}

int mde_redact_header(struct mde_secret *out, struct mde_text name, struct mde_text value)
{
  struct scanner scanner;
  bool has_scheme = is_word(name, "authorization") || is_word(name, "proxy-authorization");
  bool is_secret = is_word(name, "cookie") || is_word(name, "set-cookie") ||
                   is_word(name, "secret") || is_word(name, "x-identity-header");
  if (!has_scheme && !is_secret) return mde_redact_text(out, value);
  begin(&scanner, out, value);
  if (has_scheme) scanner.at += scheme_length(scanner.at, scanner.end);
  take_out(&scanner, scanner.at, scanner.end);
  copy_until(&scanner, scanner.end);
  return scanner.status;
}

/* ---- known values */

enum {
  SHORTEST_VALUE = 4,
  TELLING_BYTES = 16,     /* so many bytes from the front give a value away */
  TELLING_AT_THE_END = 8, /* and so many where the text is cut off behind them */
  SHORTEST_BASE64 = 8,    /* characters; fewer are in many a word */
  TELLING_CHARACTERS = 22 /* of base64, for TELLING_BYTES */
};

static int hexadecimal(char c)
{
  if (c >= '0' && c <= '9') return c - '0';
  int lower = mde_ascii_lower(c);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* Behind the two hexadecimal digits at `at` if they mean `byte`, else NULL. */
static const char *match_digits(const char *at, const char *end, char byte)
{
  if (end - at < 2 || hexadecimal(at[0]) < 0 || hexadecimal(at[1]) < 0) return NULL;
  int value = hexadecimal(at[0]) * 16 + hexadecimal(at[1]);
  return value == (unsigned char)byte ? at + 2 : NULL;
}

/* Behind one byte of a value that is written in some way at `at`, which is not the end, else NULL.
 */
static const char *match_byte(const char *at, const char *end, char byte)
{
  const char *behind = NULL;
  if (*at == '%') behind = match_digits(at + 1, end, byte);
  if (*at == '\\' && end - at >= 2) {
    if (at[1] == byte && (byte == '/' || byte == '\\' || is_quote(byte))) behind = at + 2;
    if ((byte == '\n' && at[1] == 'n') || (byte == '\r' && at[1] == 'r') ||
        (byte == '\t' && at[1] == 't'))
      behind = at + 2;
    if (starts_with(at, end, "\\u00")) behind = match_digits(at + 4, end, byte);
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

/* The six bits of the base64 character at `*at`, which is moved behind it; -1 if it is none. */
static int take_base64(const char **at, const char *end)
{
  const char *from = *at;
  if (from == end) return -1;
  char c = *from;
  size_t length = 1;
  if (c == '\\' && end - from >= 2 && from[1] == '/') {
    c = '/';
    length = 2;
  } else if (c == '%' && (starts_with(from, end, "%2b") || starts_with(from, end, "%2f"))) {
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

/* How many bytes of the text at `at` are the value in base64, with `before` bytes in front of it.
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
  if (count < SHORTEST_BASE64 || !(is_whole || count >= TELLING_CHARACTERS)) return 0;
  if (is_whole && bit < bits) {
    take_base64(&at, end);
    for (int i = 0; i < 2; i++) {
      if (at < end && *at == '=')
        at++;
      else if (starts_with(at, end, "%3d"))
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
    if (values[i].length < SHORTEST_VALUE) continue;
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
    if (values[i].length < SHORTEST_VALUE) continue;
    first[(unsigned char)values[i].bytes[0]] = true;
    for (size_t before = 0; before < 3; before++)
      first[(unsigned char)alphabet[six_bits(values[i], first_bit(before))]] = true;
  }
}

int mde_redact_known(struct mde_secret *out, struct mde_secret *scratch, struct mde_text text,
                     const struct mde_text *values, size_t count)
{
  struct scanner scanner;
  bool first[256];
  find_first_bytes(values, count, first);
  begin(&scanner, scratch, text);
  while (scanner.at < scanner.end && scanner.status == MDE_SECRET_OK) {
    size_t length = 0;
    if (first[(unsigned char)*scanner.at])
      length = longest_match(scanner.at, scanner.end, values, count);
    if (length > 0)
      take_out(&scanner, scanner.at, scanner.at + length);
    else
      scanner.at++;
  }
  copy_until(&scanner, scanner.end);
  int status = scanner.status;
  if (status == MDE_SECRET_OK) {
    struct mde_text rest = {.bytes = scratch->bytes, .length = scratch->length};
    if (rest.length > 0) status = mde_redact_text(out, rest);
  }
  mde_secret_clear(scratch);
  return status;
}
