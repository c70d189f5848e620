/*
 * timestamp: the service's times, "2026-02-03T10:11:12.3456789Z", to their last digit.
 *
 * A double would lose the seventh fractional digit, and two actions can differ by just that.
 */
#ifndef MDE_TIMESTAMP_H
#define MDE_TIMESTAMP_H

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

#endif
