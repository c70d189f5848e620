/*
 * calendar: the Gregorian calendar as arithmetic, for code that reads or writes a date.
 */
#ifndef MDE_CALENDAR_H
#define MDE_CALENDAR_H

#include <stdint.h>

/* Days in a month, 1 to 12, of a year. */
int mde_days_in_month(int64_t year, int month);

/* Days from 1970-01-01 to a date that exists; negative before. */
int64_t mde_days_from_date(int64_t year, int month, int day);

struct mde_date {
  int64_t year;
  int month; /* 1 to 12 */
  int day;
};

/* The date so many days after 1970-01-01; before, where they are negative. */
struct mde_date mde_date_from_days(int64_t days);

#endif
