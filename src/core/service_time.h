/*
 * service_time: what time it is at the service, from clocks of which none is trusted alone.
 *
 * There are three witnesses: the local clock, the `Date` of the API's answers, and the access token
 * (when it was issued, and how old it is). The service's time is their median, and of two the
 * earlier. So no single wrong clock can win: not one that makes every earlier action look older
 * than it is, nor one that moves what was just sent into the past.
 *
 * The creation time of an action that the service lists may move that time forward by at most
 * MDE_SERVICE_TIME_MAX_AHEAD_SECONDS. A row further ahead has no usable time, so no single row can
 * win either.
 *
 * Times are Unix seconds, `ticked` is seconds on a clock that only goes forward. What a witness
 * said is kept against that one, so a step of the local clock moves one witness, not three.
 */
#ifndef MDE_SERVICE_TIME_H
#define MDE_SERVICE_TIME_H

#include <stdbool.h>

/*
 * Seconds: how far ahead a row may be, and how far apart witnesses may be before a warning is due.
 */
#define MDE_SERVICE_TIME_MAX_AHEAD_SECONDS 300.0

enum mde_witness { MDE_WITNESS_API, MDE_WITNESS_TOKEN };

enum { MDE_WITNESS_COUNT = 2 };

struct mde_service_time {
  bool heard[MDE_WITNESS_COUNT];
  double ahead[MDE_WITNESS_COUNT]; /* of `ticked` */
  bool has_row;
  double row_ahead; /* the newest usable creation time, ahead of `ticked` when it was read */
};

/* Nobody has been heard. */
void mde_service_time_init(struct mde_service_time *time);

/*
 * A witness said that it was `told` at `ticked`; the last word of each counts. A time before 2017
 * or after 2100, or no finite number, is no testimony: false, and nothing is changed.
 */
bool mde_service_time_hear(struct mde_service_time *time, enum mde_witness witness, double ticked,
                           double told);

/* A row that was read at `ticked` was created at `created`. True if that moves the time forward. */
bool mde_service_time_row(struct mde_service_time *time, double ticked, double local,
                          double created);

/* The service's time at `ticked`, when the local clock says `local`. */
double mde_service_time_at(const struct mde_service_time *time, double ticked, double local);

/* The same by the witnesses alone, without what rows say. */
double mde_service_time_agreed(const struct mde_service_time *time, double ticked, double local);

/* The latest creation time that a row may have to be usable: the median, and the span above. */
double mde_service_time_latest(const struct mde_service_time *time, double ticked, double local);

/* How many seconds the two witnesses that differ most are apart; 0 if only the local clock is. */
double mde_service_time_spread(const struct mde_service_time *time, double ticked, double local);

#endif
