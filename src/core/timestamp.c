#include "timestamp.h"

#include "calendar.h"

/* The number that `count` digits at `*at` make, moving past them; -1 if they are not all digits. */
static int digits(const char **at, const char *end, int count)
{
  int value = 0;
  if (end - *at < count) return -1;
  for (int i = 0; i < count; i++) {
    char c = (*at)[i];
    if (c < '0' || c > '9') return -1;
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
  for (; *at < end && **at >= '0' && **at <= '9'; (*at)++, count++)
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
      mde_days_from_date(year, month, day) * 86400 + hour * 3600 + minute * 60 + second;
  return (seconds - ahead) * MDE_TICKS_PER_SECOND + ticks;
}
