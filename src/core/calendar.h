/*
 * calendar: the Gregorian calendar as arithmetic, for code that reads a date.
 */
#ifndef MDE_CALENDAR_H
#define MDE_CALENDAR_H

#include <stdint.h>

/* Days in a month, 1 to 12, of a year. */
int mde_days_in_month(int64_t year, int month);

/* Days from 1970-01-01 to a date that exists; negative before. */
int64_t mde_days_from_date(int64_t year, int month, int day);

#endif
