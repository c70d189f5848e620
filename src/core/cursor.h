/*
 * cursor: which alerts of a list that grows were handed over, so that each is handed over once.
 *
 * The list is read again and again from a time on, `since`, which mde_cursor_read tells. It is told
 * each row, says what is to be done with it, and is told how that ended. Rows may come in any order,
 * late, with equal times, and again and again: each is known by its id.
 *
 * Three lines keep an alert from being lost. A read begins an overlap before the mark, the time of
 * the newest row of the last read that was complete. Every now and then a read is a sweep: it
 * begins a longer span before the mark, so it finds what came later than the overlap; so long ids
 * are known. And what has begun, failed or waits is read again as often as it takes, however old.
 *
 * An id that is forgotten must not look new when its alert is changed years later. So a row that is
 * not known and is older than what was forgotten is not handed over, but named: MDE_CURSOR_OLD. The
 * age is the creation's, or, by status, the last change's.
 *
 * A row without an id may be any alert. A read that has one is not complete: nothing is gone because
 * of it, nobody is caught up by it, and the mark stays where that row is, until it is a span behind
 * the newest. So it does not hold up the others for ever, and is handed over if it has an id later.
 *
 * Times are ticks since 1970 (timestamp.h). `now` is the service's time; nothing is lost if it is
 * wrong, or set back. A row that is dated ahead of it moves nothing, and is known until that time
 * has passed.
 */
#ifndef MDE_CURSOR_H
#define MDE_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cursor_entries.h"

enum {
  MDE_CURSOR_TRIES_MAX = 100, /* as a limit */
  MDE_CURSOR_ASIDE_DAYS = 30, /* so long what was set aside is known */
  MDE_CURSOR_MISSES = 2       /* so many complete reads without it, and an alert is gone */
};

/* Which of the alerts are new: each, once; or each again when its status is another. */
enum mde_cursor_mode { MDE_CURSOR_ONCE, MDE_CURSOR_BY_STATUS };

struct mde_cursor_limits {
  enum mde_cursor_mode mode;
  int64_t overlap;     /* ticks; at least 0 */
  int64_t span;        /* ticks; at least the overlap, at most a year */
  int64_t sweep_every; /* ticks; above 0 */
  int64_t delay;       /* ticks before an alert that failed is tried again; four times as long each
                          time, at most an hour; above 0 */
  int tries;           /* 1 to MDE_CURSOR_TRIES_MAX; then it is set aside */
};

/* Overlap 15 min, span 24 h, a sweep each hour, delay 60 s, 3 tries, once. */
struct mde_cursor_limits mde_cursor_limits_default(void);

/* Whether each is in its range. */
bool mde_cursor_limits_are_valid(const struct mde_cursor_limits *limits);

struct mde_cursor {
  struct mde_cursor_limits limits;
  int64_t first;     /* nothing before it is asked for */
  int64_t floor;     /* what is not known and older than this is old */
  int64_t mark;      /* the newest row of the last complete read */
  int64_t swept;     /* when the last complete sweep began; MDE_NO_TIME: never */
  int64_t caught_up; /* when the last complete read began; MDE_NO_TIME: never */
  uint64_t done;     /* how often an alert was handed over with success */

  bool is_reading, is_sweeping;
  int64_t read_at, read_newest;
  bool is_whole;     /* each row of the read has an id */
  int64_t read_held; /* the earliest time of one that has not; without one, the mark */
  uint32_t read;

  struct mde_cursor_entries entries;

  bool is_from_start;    /* the next record is the first */
  bool head_has_changed; /* it has a record to come */
  uint64_t sum;          /* of all records until now */
  size_t ids;            /* how many ids these have, with those that are to come */
};

/* Knows nothing, and asks for what was created or changed at `first` or later. Allocates nothing;
   cannot fail. `limits` are valid; `first` is a time. */
void mde_cursor_init(struct mde_cursor *cursor, struct mde_allocator allocator,
                     const struct mde_cursor_limits *limits, int64_t first);

/* Frees. The cursor is as mde_cursor_init made it; a second call is harmless. */
void mde_cursor_clear(struct mde_cursor *cursor);

/* ---- a read */

/* A read begins at `now`, in the place of one that has not ended. Returns since when the rows are
   to be asked for, by their last change and inclusive. */
int64_t mde_cursor_read(struct mde_cursor *cursor, int64_t now);

struct mde_cursor_row {
  struct mde_text id, status; /* absent: none */
  int64_t updated, created;   /* of one that is MDE_NO_TIME, the other is taken; of both, what is
                                 known of the alert */
};

enum mde_cursor_answer {
  MDE_CURSOR_HAND_OVER,   /* begin it, or let it be: then it waits */
  MDE_CURSOR_KNOWN,       /* it was handed over, or was set aside or named as old before */
  MDE_CURSOR_LATER,       /* it has failed, and its time has not come */
  MDE_CURSOR_OLD,         /* it is not known, and older than what was forgotten; told once */
  MDE_CURSOR_INTERRUPTED, /* begun too often, and never ended: it is set aside now */
  MDE_CURSOR_NO_ID,       /* or one that is too long: it cannot be told from others */
  MDE_CURSOR_NO_TIME,     /* it is not known, and nobody knows whether it is old */
  MDE_CURSOR_FULL,        /* there are MDE_CURSOR_MAX within the span: it is not known, and the read
                             is not complete */
  MDE_CURSOR_NO_MEMORY    /* so, too */
};

/* A row of the read. `now`: the time now. */
enum mde_cursor_answer mde_cursor_tell(struct mde_cursor *cursor, const struct mde_cursor_row *row,
                                       int64_t now);

/* The read has ended, and every row of it was told; what was to be handed over was, or waits. The
   mark moves, as far as each row before it has an id; what is past the span is forgotten. Returns
   how many were set aside because they are gone. */
size_t mde_cursor_end_read(struct mde_cursor *cursor);

/* ---- an alert */

/* It is handed over now. Returns which try this is; 0 if it is not one that waits or has begun. */
int mde_cursor_begin(struct mde_cursor *cursor, struct mde_text id);

enum mde_cursor_end {
  MDE_CURSOR_SUCCEEDED,
  MDE_CURSOR_FAILED,
  MDE_CURSOR_PUT_OFF /* it is not the alert's fault: this was no try */
};

/* How it ended. `not_before`: the earliest time of another try, if that is later than the delay, but
   at most an hour away; MDE_NO_TIME: the delay alone. False if it has not begun. */
bool mde_cursor_finish(struct mde_cursor *cursor, struct mde_text id, enum mde_cursor_end end,
                       int64_t now, int64_t not_before);

/* What was set aside waits again, with all its tries. False if it was not. */
bool mde_cursor_again(struct mde_cursor *cursor, struct mde_text id);

/* What is known of an id; NULL: nothing. Stands until the next row is told or a read ends. */
const struct mde_cursor_entry *mde_cursor_find(const struct mde_cursor *cursor, struct mde_text id);

/* How many are in this state. */
size_t mde_cursor_count(const struct mde_cursor *cursor, enum mde_cursor_state state);

/* Ticks from `now` until something is due, a retry or a sweep; 0: it is. */
int64_t mde_cursor_wait(const struct mde_cursor *cursor, int64_t now);

/* For how many ticks nobody knows what has come: since the last complete read began, or, before
   it, since the mark. At least 0. */
int64_t mde_cursor_behind(const struct mde_cursor *cursor, int64_t now);

#endif
