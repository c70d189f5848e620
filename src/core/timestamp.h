/*
 * timestamp: the service's times, "2026-02-03T10:11:12.3456789Z", to their last digit.
 *
 * A double would lose the seventh fractional digit, and two actions can differ by just that.
 */
#ifndef MDE_TIMESTAMP_H
#define MDE_TIMESTAMP_H

#include <stddef.h>
#include <stdint.h>

#include "text.h"

#define MDE_TICKS_PER_SECOND INT64_C(10000000)

/* No time: absent, malformed, or the year 1 by which the service says "never". */
#define MDE_NO_TIME INT64_MIN

/*
 * Ticks of 100 ns since 1970 UTC. Reads YYYY-MM-DDThh:mm:ss, then optionally a point and 1 to 9
 * digits (what is finer than a tick is dropped), then Z, z, an offset +hh:mm or -hh:mm, or nothing,
 * which means UTC. Anything else is MDE_NO_TIME.
 */
int64_t mde_timestamp(struct mde_text text);

/* Room for the longest time that is written, "2026-02-03T10:11:12.345678Z", and a NUL. */
enum { MDE_TIMESTAMP_SIZE = 28 };

enum mde_timestamp_form {
  /* "2026-02-03T10:11:12Z". What is finer is cut, toward the past: -0.5 is in the year 1969. */
  MDE_TIMESTAMP_FORM_SECOND,
  /*
   * "2026-02-03T10:11:12.25Z". The nearest microsecond, which may be the next second's first; a
   * double of our days holds no finer time. Zeros at the end are left out, and the point with them.
   */
  MDE_TIMESTAMP_FORM_MICROSECOND
};

/*
 * Writes Unix seconds as the service and OData read a time, in UTC, and returns its length; a NUL
 * follows. A year has four digits, 0000 to 9999. Any other time, NaN and the infinities are no time
 * that could be written: 0, and an empty text.
 */
size_t mde_timestamp_write(double seconds, enum mde_timestamp_form form,
                           char text[MDE_TIMESTAMP_SIZE]);

#endif
