/*
 * limiter: how many sends there may be in how much time, counted exactly.
 *
 * It keeps the times of the last sends in a ring, and never sends, sleeps or reads a clock itself.
 * A window says "at most `count` sends within `seconds`"; a limiter has up to
 * MDE_LIMITER_MAX_WINDOWS of them, and a send may go when every one has room. A send is in a window
 * until exactly `seconds` have passed; one in the future is in it, too.
 *
 * A slot is taken just before a send and given back only if it is certain that nothing was sent.
 * Times are seconds on one clock, finite, and need not be told in order: sends that are learnt of
 * later, from the service's own history say, are added to the ones before.
 *
 * Processes that share a budget hand the sends to one another as bytes: `pack` and `unpack`.
 */
#ifndef MDE_LIMITER_H
#define MDE_LIMITER_H

#include <stdbool.h>
#include <stddef.h>

#include "allocator.h"

enum { MDE_LIMITER_MAX_WINDOWS = 2, MDE_LIMITER_MAX_COUNT = 100000 };

struct mde_window {
  size_t count;   /* 0 to MDE_LIMITER_MAX_COUNT; 0 lets nothing pass */
  double seconds; /* above 0; what the network may bunch together is the caller's to add */
};

struct mde_limiter {
  struct mde_allocator allocator;
  struct mde_window windows[MDE_LIMITER_MAX_WINDOWS];
  size_t window_count;
  double *sends;   /* a ring, ascending from `first` on; NULL until the first is told */
  size_t capacity; /* the largest count of a window: older sends matter to none */
  size_t first;
  size_t length;
  double forgotten; /* the latest send that the ring had no place for; -INFINITY: none */
};

/* Without a send so far; allocates nothing; cannot fail. `count`: 1 to MDE_LIMITER_MAX_WINDOWS. */
void mde_limiter_init(struct mde_limiter *limiter, struct mde_allocator allocator,
                      const struct mde_window *windows, size_t count);

/* Frees. The limiter is without a send and usable again; a second call is harmless. */
void mde_limiter_clear(struct mde_limiter *limiter);

/*
 * How many seconds from `now` on the next send must wait: 0 if it may go. A negative number if no
 * waiting helps, since a window lets nothing pass. `reserve`: so many sends of each window are left
 * to others.
 */
double mde_limiter_wait(const struct mde_limiter *limiter, double now, size_t reserve);

/* How many sends may go at `now`. */
size_t mde_limiter_remaining(const struct mde_limiter *limiter, double now);

/* How many seconds from `now` on no window has a send in it any more: 0 if none has now. */
double mde_limiter_reset(const struct mde_limiter *limiter, double now);

/*
 * Records a send at `time`, whether or not there was room for it. False for lack of memory, which
 * only the first can meet; nothing is recorded then, and nothing must be sent.
 */
bool mde_limiter_take(struct mde_limiter *limiter, double time);

/*
 * The send recorded at `time` did not happen. False if none is known. Where more were taken than
 * there was room for, the sends that the ring had no place for are known by their latest alone: it
 * comes back in the place of the one given back, so that rather too many are counted than too few.
 */
bool mde_limiter_give_back(struct mde_limiter *limiter, double time);

/* How many bytes `pack` writes: 8, and 8 for each send in the ring. */
size_t mde_limiter_packed_size(const struct mde_limiter *limiter);

/* Writes the sends: the latest forgotten one, then those of the ring, ascending, as IEEE doubles,
 * the lowest byte first. */
void mde_limiter_pack(const struct mde_limiter *limiter, unsigned char *bytes);

enum mde_unpack_status {
  MDE_UNPACK_STATUS_OK,
  MDE_UNPACK_STATUS_DAMAGED,
  MDE_UNPACK_STATUS_NO_MEMORY
};

/*
 * Takes the sends of `bytes` in the place of those that are known; where they are of larger
 * windows, the latest. Damaged: not what `pack` writes. Unless it returns MDE_UNPACK_STATUS_OK the
 * limiter is without a send.
 */
enum mde_unpack_status mde_limiter_unpack(struct mde_limiter *limiter, const unsigned char *bytes,
                                          size_t length);

#endif
