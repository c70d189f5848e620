#include "header.h"

#include "calendar.h"

#include <string.h>

bool mde_header_is_token_byte(char c)
{
  return mde_ascii_is_alphanumeric(c) || (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

bool mde_header_is_token(struct mde_text text)
{
  for (size_t i = 0; i < text.length; i++)
    if (!mde_header_is_token_byte(text.bytes[i])) return false;
  return text.length > 0;
}

static struct mde_text trim(struct mde_text text)
{
  while (text.length > 0 && mde_ascii_is_blank(text.bytes[0])) {
    text.bytes++;
    text.length--;
  }
  while (text.length > 0 && mde_ascii_is_blank(text.bytes[text.length - 1]))
    text.length--;
  return text;
}

/* ---- dates */

struct moment {
  int64_t year;
  int month; /* 1 to 12 */
  int day;
  int hour;
  int minute;
  int second;
};

static int64_t seconds_from_moment(const struct moment *moment)
{
  int64_t days = mde_days_from_date(moment->year, moment->month, moment->day);
  return days * 86400 + moment->hour * 3600 + moment->minute * 60 + moment->second;
}

/* The year that `unix_seconds` lies in. */
static int64_t year_of(int64_t unix_seconds)
{
  int64_t day = unix_seconds / 86400 - (unix_seconds % 86400 < 0);
  return mde_date_from_days(day).year;
}

static const char *const short_days[] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun", NULL};
static const char *const long_days[] = {"Monday", "Tuesday",  "Wednesday", "Thursday",
                                        "Friday", "Saturday", "Sunday",    NULL};
static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul",
                                     "Aug", "Sep", "Oct", "Nov", "Dec", NULL};

/* Each of these moves `text` behind what it has read, or says that it does not stand there. */

static bool take(struct mde_text *text, const char *literal)
{
  size_t length = strlen(literal);
  if (text->length < length || memcmp(text->bytes, literal, length) != 0) return false;
  text->bytes += length;
  text->length -= length;
  return true;
}

static bool take_name(struct mde_text *text, const char *const *names, int *index)
{
  for (int i = 0; names[i] != NULL; i++)
    if (take(text, names[i])) {
      *index = i;
      return true;
    }
  return false;
}

static bool take_digits(struct mde_text *text, size_t count, int *value)
{
  if (text->length < count) return false;
  *value = 0;
  for (size_t i = 0; i < count; i++) {
    if (!mde_ascii_is_digit(text->bytes[i])) return false;
    *value = *value * 10 + (text->bytes[i] - '0');
  }
  text->bytes += count;
  text->length -= count;
  return true;
}

static bool take_month(struct mde_text *text, struct moment *moment)
{
  int index = 0;
  if (!take_name(text, months, &index)) return false;
  moment->month = index + 1;
  return true;
}

static bool take_year(struct mde_text *text, struct moment *moment)
{
  int year = 0;
  if (!take_digits(text, 4, &year)) return false;
  moment->year = year;
  return true;
}

static bool take_time(struct mde_text *text, struct moment *moment)
{
  return take_digits(text, 2, &moment->hour) && take(text, ":") &&
         take_digits(text, 2, &moment->minute) && take(text, ":") &&
         take_digits(text, 2, &moment->second);
}

/* Sun, 06 Nov 1994 08:49:37 GMT */
static bool read_fixed_date(struct mde_text text, struct moment *moment)
{
  int day_name = 0;
  return take_name(&text, short_days, &day_name) && take(&text, ", ") &&
         take_digits(&text, 2, &moment->day) && take(&text, " ") && take_month(&text, moment) &&
         take(&text, " ") && take_year(&text, moment) && take(&text, " ") &&
         take_time(&text, moment) && take(&text, " GMT") && text.length == 0;
}

/* Sunday, 06-Nov-94 08:49:37 GMT; the year is left at its two digits */
static bool read_short_year_date(struct mde_text text, struct moment *moment)
{
  int day_name = 0;
  int year = 0;
  bool matches = take_name(&text, long_days, &day_name) && take(&text, ", ") &&
                 take_digits(&text, 2, &moment->day) && take(&text, "-") &&
                 take_month(&text, moment) && take(&text, "-") && take_digits(&text, 2, &year) &&
                 take(&text, " ") && take_time(&text, moment) && take(&text, " GMT") &&
                 text.length == 0;
  moment->year = year;
  return matches;
}

/* Sun Nov  6 08:49:37 1994 */
static bool read_asctime_date(struct mde_text text, struct moment *moment)
{
  int day_name = 0;
  if (!(take_name(&text, short_days, &day_name) && take(&text, " ") && take_month(&text, moment) &&
        take(&text, " ")))
    return false;
  bool has_day =
      take(&text, " ") ? take_digits(&text, 1, &moment->day) : take_digits(&text, 2, &moment->day);
  return has_day && take(&text, " ") && take_time(&text, moment) && take(&text, " ") &&
         take_year(&text, moment) && text.length == 0;
}

static bool is_on_the_calendar(const struct moment *moment)
{
  int last = mde_days_in_month(moment->year, moment->month);
  return moment->day >= 1 && moment->day <= last && moment->hour <= 23 && moment->minute <= 59 &&
         moment->second <= 60;
}

/* Gives a two-digit year the century that RFC 9110 asks for. */
static void set_century(struct moment *moment, int64_t now)
{
  int64_t current = year_of(now);
  int64_t since_new_year = now - mde_days_from_date(current, 1, 1) * 86400;
  int64_t two_digits = moment->year;
  moment->year = (current + 50) / 100 * 100 + two_digits;
  if (moment->year > current + 50) moment->year -= 100;
  int64_t into_its_year =
      seconds_from_moment(moment) - mde_days_from_date(moment->year, 1, 1) * 86400;
  if (moment->year == current + 50 && into_its_year > since_new_year) moment->year -= 100;
}

bool mde_header_date(struct mde_text text, int64_t now, int64_t *unix_seconds)
{
  struct moment moment = {0};
  if (read_short_year_date(text, &moment)) {
    /* Outside these years, which are those of the other two forms, the rule has nothing to say. */
    if (now < -62167219200 || now > 253402300799) return false;
    set_century(&moment, now);
  } else if (!read_fixed_date(text, &moment) && !read_asctime_date(text, &moment)) {
    return false;
  }
  if (!is_on_the_calendar(&moment)) return false;
  *unix_seconds = seconds_from_moment(&moment);
  return true;
}

/* ---- Retry-After */

bool mde_header_number(struct mde_text text, double *number)
{
  size_t i = 0;
  *number = 0;
  for (; i < text.length && mde_ascii_is_digit(text.bytes[i]); i++)
    if (*number < 1e18) *number = *number * 10 + (text.bytes[i] - '0');
  if (i == 0) return false;
  if (i == text.length) return true;
  if (text.bytes[i] != '.' || ++i == text.length) return false;
  double scale = 0.1;
  for (; i < text.length && mde_ascii_is_digit(text.bytes[i]); i++) {
    *number += (text.bytes[i] - '0') * scale;
    scale /= 10;
  }
  return i == text.length;
}

static struct mde_text up_to_comma(struct mde_text text, size_t from)
{
  while (from < text.length && text.bytes[from] != ',')
    from++;
  text.length = from;
  return text;
}

struct wait_context {
  int64_t base;   /* what a date is relative to */
  int64_t now;    /* decides on the century of a two-digit year */
  double unit;    /* how many of a number's units make a second */
  bool has_dates; /* whether the header may hold a date */
};

/*
 * How long one part of a header tells to wait. A date has a comma inside, so two lengths are tried.
 */
static bool read_wait(struct mde_text text, const struct wait_context *context, double *seconds,
                      size_t *used)
{
  struct mde_text part = up_to_comma(text, 0);
  int64_t date = 0;
  *used = part.length;
  if (mde_header_number(trim(part), seconds)) {
    *seconds /= context->unit;
    return true;
  }
  if (!context->has_dates) return false;
  if (!mde_header_date(trim(part), context->now, &date)) {
    if (part.length == text.length) return false;
    part = up_to_comma(text, part.length + 1);
    *used = part.length;
    if (!mde_header_date(trim(part), context->now, &date)) return false;
  }
  *seconds = date > context->base ? (double)(date - context->base) : 0;
  return true;
}

/* The longest wait in a header, which may have come several times. */
static bool longest_wait(struct mde_text text, const struct wait_context *context, double *longest)
{
  *longest = 0;
  for (;;) {
    double seconds = 0;
    size_t used = 0;
    if (!read_wait(text, context, &seconds, &used)) return false;
    if (seconds > *longest) *longest = seconds;
    if (used == text.length) break;
    text.bytes += used + 1;
    text.length -= used + 1;
  }
  if (*longest > MDE_HEADER_MAX_WAIT_SECONDS) *longest = MDE_HEADER_MAX_WAIT_SECONDS;
  return true;
}

int mde_header_retry_after(const struct mde_retry_headers *headers, double now, double *seconds)
{
  struct wait_context context = {.unit = 1000};
  /* Beyond what a date can say; also keeps the conversion to an integer defined. */
  if (!(now > -1e12)) now = -1e12;
  if (now > 1e12) now = 1e12;
  context.now = (int64_t)now;
  bool present = headers->retry_after_ms.bytes != NULL ||
                 headers->x_ms_retry_after_ms.bytes != NULL || headers->retry_after.bytes != NULL;
  if (!present) return MDE_RETRY_AFTER_NONE;
  if (headers->retry_after_ms.bytes != NULL &&
      longest_wait(headers->retry_after_ms, &context, seconds))
    return MDE_RETRY_AFTER_FOUND;
  if (headers->x_ms_retry_after_ms.bytes != NULL &&
      longest_wait(headers->x_ms_retry_after_ms, &context, seconds))
    return MDE_RETRY_AFTER_FOUND;
  if (headers->retry_after.bytes != NULL) {
    context.unit = 1;
    context.has_dates = true;
    if (headers->date.bytes == NULL ||
        !mde_header_date(trim(headers->date), context.now, &context.base))
      context.base = context.now;
    if (longest_wait(headers->retry_after, &context, seconds)) return MDE_RETRY_AFTER_FOUND;
  }
  return MDE_RETRY_AFTER_INVALID;
}

/* ---- challenges */

enum challenge_state {
  CHALLENGE_STATE_BEFORE_SCHEME, /* at the start: only a scheme may come */
  CHALLENGE_STATE_AFTER_SCHEME,  /* a blob, a parameter, or a comma */
  CHALLENGE_STATE_AFTER_PIECE,   /* a comma or the end */
  CHALLENGE_STATE_AFTER_TOKEN68  /* a comma or the end, and then a scheme */
};

void mde_challenge_reader_init(struct mde_challenge_reader *reader, struct mde_text text)
{
  memset(reader, 0, sizeof *reader);
  reader->at = text.bytes;
  reader->end = text.bytes + text.length;
  reader->state = CHALLENGE_STATE_BEFORE_SCHEME;
}

static const char *skip_blanks(const char *at, const char *end)
{
  while (at < end && mde_ascii_is_blank(*at))
    at++;
  return at;
}

static const char *skip_token(const char *at, const char *end)
{
  while (at < end && mde_header_is_token_byte(*at))
    at++;
  return at;
}

static struct mde_text between(const char *from, const char *to)
{
  struct mde_text text = {.bytes = from, .length = (size_t)(to - from)};
  return text;
}

/* A blob reaches to the next comma or the end; that is what tells `abc=` from `name=value`. */
static bool read_token68(struct mde_challenge_reader *reader)
{
  const char *at = reader->at;
  while (at < reader->end &&
         (mde_ascii_is_alphanumeric(*at) || (*at != '\0' && strchr("-._~+/", *at) != NULL)))
    at++;
  if (at == reader->at) return false;
  while (at < reader->end && *at == '=')
    at++;
  const char *behind = skip_blanks(at, reader->end);
  if (behind < reader->end && *behind != ',') return false;
  reader->value = between(reader->at, at);
  reader->quoted = false;
  reader->at = behind;
  return true;
}

/* The value of a parameter; reader->at stands on its first byte. */
static bool read_value(struct mde_challenge_reader *reader)
{
  const char *at = reader->at;
  if (at == reader->end) return false;
  if (*at != '"') {
    const char *behind = skip_token(at, reader->end);
    if (behind == at) return false;
    reader->value = between(at, behind);
    reader->quoted = false;
    reader->at = behind;
    return true;
  }
  for (at++; at < reader->end && *at != '"'; at++) {
    if (*at == '\\' && ++at == reader->end) return false;
    if (!mde_ascii_is_field_byte(*at)) return false;
  }
  if (at == reader->end) return false;
  reader->value = between(reader->at + 1, at);
  reader->quoted = true;
  reader->at = at + 1;
  return true;
}

/* `name = value`; leaves the reader as it was if there is no equals sign behind a token. */
static enum mde_challenge_piece read_parameter(struct mde_challenge_reader *reader)
{
  const char *behind_name = skip_token(reader->at, reader->end);
  const char *equals = skip_blanks(behind_name, reader->end);
  if (behind_name == reader->at || equals == reader->end || *equals != '=')
    return MDE_CHALLENGE_PIECE_END;
  reader->name = between(reader->at, behind_name);
  reader->at = skip_blanks(equals + 1, reader->end);
  return read_value(reader) ? MDE_CHALLENGE_PIECE_PARAMETER : MDE_CHALLENGE_PIECE_MALFORMED;
}

static enum mde_challenge_piece read_scheme(struct mde_challenge_reader *reader)
{
  const char *behind = skip_token(reader->at, reader->end);
  if (behind == reader->at) return MDE_CHALLENGE_PIECE_MALFORMED;
  if (behind < reader->end && !mde_ascii_is_blank(*behind) && *behind != ',')
    return MDE_CHALLENGE_PIECE_MALFORMED;
  reader->name = between(reader->at, behind);
  reader->at = behind;
  reader->state = CHALLENGE_STATE_AFTER_SCHEME;
  return MDE_CHALLENGE_PIECE_SCHEME;
}

enum mde_challenge_piece mde_challenge_next(struct mde_challenge_reader *reader)
{
  bool comma = false;
  for (;;) {
    reader->at = skip_blanks(reader->at, reader->end);
    if (reader->at == reader->end || *reader->at != ',') break;
    comma = true;
    reader->at++;
  }
  if (reader->at == reader->end) return MDE_CHALLENGE_PIECE_END;
  if (reader->state == CHALLENGE_STATE_AFTER_SCHEME && !comma && read_token68(reader)) {
    reader->state = CHALLENGE_STATE_AFTER_TOKEN68;
    return MDE_CHALLENGE_PIECE_TOKEN68;
  }
  bool needs_comma = reader->state == CHALLENGE_STATE_AFTER_PIECE ||
                     reader->state == CHALLENGE_STATE_AFTER_TOKEN68;
  if (needs_comma && !comma) return MDE_CHALLENGE_PIECE_MALFORMED;
  if (reader->state == CHALLENGE_STATE_AFTER_SCHEME ||
      reader->state == CHALLENGE_STATE_AFTER_PIECE) {
    bool must_be_parameter = reader->state == CHALLENGE_STATE_AFTER_SCHEME && !comma;
    enum mde_challenge_piece piece = read_parameter(reader);
    reader->state = CHALLENGE_STATE_AFTER_PIECE;
    if (piece != MDE_CHALLENGE_PIECE_END) return piece;
    if (must_be_parameter) return MDE_CHALLENGE_PIECE_MALFORMED;
  }
  return read_scheme(reader);
}

size_t mde_header_unquote(struct mde_text value, char *out, size_t size)
{
  size_t length = 0;
  for (size_t i = 0; i < value.length; i++) {
    if (value.bytes[i] == '\\' && i + 1 < value.length) i++;
    if (length < size) out[length] = value.bytes[i];
    length++;
  }
  return length;
}
