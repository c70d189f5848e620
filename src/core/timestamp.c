#include "timestamp.h"

#include <math.h>

#include "calendar.h"

#define SECONDS_PER_DAY 86400
#define MICROSECONDS_PER_SECOND 1000000

/* The first second of the year 0, and that of the year 10000. */
#define FIRST_WRITTEN_SECOND (-62167219200.0)
#define END_OF_WRITTEN_SECONDS 253402300800.0

/* ---- reading */

/* The number that `count` digits at `*at` make, moving past them; -1 if they are not all digits. */
static int digits(const char **at, const char *end, int count)
{
  int value = 0;
  if (end - *at < count) return -1;
  for (int i = 0; i < count; i++) {
    char c = (*at)[i];
    if (!mde_ascii_is_digit(c)) return -1;
    value = value * 10 + (c - '0');
  }
  *at += count;
  return value;
}

static bool character(const char **at, const char *end, char wanted)
{
  if (*at == end || **at != wanted) return false;
  (*at)++;
  return true;
}

/* The fraction as ticks; -1 if a point is not followed by 1 to 9 digits. */
static int64_t fraction(const char **at, const char *end)
{
  if (!character(at, end, '.')) return 0;
  int64_t ticks = 0;
  int count = 0;
  for (; *at < end && mde_ascii_is_digit(**at); (*at)++, count++)
    if (count < 7) ticks = ticks * 10 + (**at - '0');
  if (count < 1 || count > 9) return -1;
  for (; count < 7; count++)
    ticks *= 10;
  return ticks;
}

/* Seconds that local time is ahead of UTC; INT64_MIN if the rest of the text is no zone. */
static int64_t zone(const char **at, const char *end)
{
  if (*at == end || character(at, end, 'Z') || character(at, end, 'z')) return 0;
  int64_t sign = **at == '-' ? -1 : 1;
  if (!character(at, end, '+') && !character(at, end, '-')) return INT64_MIN;
  int hours = digits(at, end, 2);
  if (hours < 0 || hours > 23 || !character(at, end, ':')) return INT64_MIN;
  int minutes = digits(at, end, 2);
  if (minutes < 0 || minutes > 59) return INT64_MIN;
  return sign * (hours * 3600 + minutes * 60);
}

int64_t mde_timestamp(struct mde_text text)
{
  if (text.bytes == NULL) return MDE_NO_TIME;
  const char *at = text.bytes;
  const char *end = at + text.length;
  int year = digits(&at, end, 4);
  if (year <= 1 || !character(&at, end, '-')) return MDE_NO_TIME;
  int month = digits(&at, end, 2);
  if (month < 1 || month > 12 || !character(&at, end, '-')) return MDE_NO_TIME;
  int day = digits(&at, end, 2);
  if (day < 1 || day > mde_days_in_month(year, month)) return MDE_NO_TIME;
  if (!character(&at, end, 'T') && !character(&at, end, 't')) return MDE_NO_TIME;
  int hour = digits(&at, end, 2);
  if (hour < 0 || hour > 23 || !character(&at, end, ':')) return MDE_NO_TIME;
  int minute = digits(&at, end, 2);
  if (minute < 0 || minute > 59 || !character(&at, end, ':')) return MDE_NO_TIME;
  int second = digits(&at, end, 2);
  if (second < 0 || second > 60) return MDE_NO_TIME;
  int64_t ticks = fraction(&at, end);
  if (ticks < 0) return MDE_NO_TIME;
  int64_t ahead = zone(&at, end);
  if (ahead == INT64_MIN || at != end) return MDE_NO_TIME;
  int64_t seconds =
      mde_days_from_date(year, month, day) * SECONDS_PER_DAY + hour * 3600 + minute * 60 + second;
  return (seconds - ahead) * MDE_TICKS_PER_SECOND + ticks;
}

/* ---- writing */

/* The digits of a number, as many as are wanted, and what stands behind them. */
static char *put(char *at, int64_t number, int count, char behind)
{
  for (int i = count - 1; i >= 0; i--) {
    at[i] = (char)('0' + number % 10);
    number /= 10;
  }
  at[count] = behind;
  return at + count + 1;
}

size_t mde_timestamp_write(double seconds, enum mde_timestamp_form form,
                           char text[MDE_TIMESTAMP_SIZE])
{
  double whole = floor(seconds);
  double millionths = 0;
  if (form == MDE_TIMESTAMP_FORM_MICROSECOND)
    millionths = floor((seconds - whole) * MICROSECONDS_PER_SECOND + 0.5);
  if (millionths >= MICROSECONDS_PER_SECOND) {
    whole += 1;
    millionths = 0;
  }
  text[0] = '\0';
  if (!(whole >= FIRST_WRITTEN_SECOND && whole < END_OF_WRITTEN_SECONDS)) return 0;

  int64_t since_1970 = (int64_t)whole;
  int64_t of_day = (since_1970 % SECONDS_PER_DAY + SECONDS_PER_DAY) % SECONDS_PER_DAY;
  struct mde_date date = mde_date_from_days((since_1970 - of_day) / SECONDS_PER_DAY);
  char *at = put(text, date.year, 4, '-');
  at = put(at, date.month, 2, '-');
  at = put(at, date.day, 2, 'T');
  at = put(at, of_day / 3600, 2, ':');
  at = put(at, of_day / 60 % 60, 2, ':');
  at = put(at, of_day % 60, 2, '.');
  if (millionths > 0) {
    at = put(at, (int64_t)millionths, 6, '\0') - 1;
    while (at[-1] == '0')
      at--;
  } else {
    at--;
  }
  at[0] = 'Z';
  at[1] = '\0';
  return (size_t)(at + 1 - text);
}
