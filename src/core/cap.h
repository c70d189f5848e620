/*
 * cap: how many actions of one response there may be in an hour, and which were sent.
 *
 * It knows each send of the last hour by its operation id and its time. A send is taken just before
 * it goes, and given back if it did not go. What was sent before the cap began is not in it: the
 * service's list tells that, and until that is merged in, the cap is not whole. What cannot be
 * counted is refused, so a cap that is not whole lets nothing pass that does not lift it.
 *
 * Times are seconds on a clock that only goes forward and that all who share a cap have in common,
 * finite. If it is set back all the same, the cap's own time stands still until the clock has caught
 * up: no send is forgotten. A send is in the hour until exactly MDE_CAP_SECONDS have passed.
 *
 * Processes that share a cap hand it to one another as bytes: `pack` and `unpack`. What `unpack`
 * refuses is never read as "nothing was sent", but as a cap that is not whole. So is what is an hour
 * or more from the time of who reads it: a clock was set, and the service knows better.
 */
#ifndef MDE_CAP_H
#define MDE_CAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "allocator.h"
#include "comment.h"
#include "history.h"

#define MDE_CAP_SECONDS 3600.0

/* The limit that everything passes: nothing is kept. */
#define MDE_CAP_NONE SIZE_MAX

enum {
  MDE_CAP_MAX = 100000,                /* the largest limit but MDE_CAP_NONE */
  MDE_CAP_MAX_SENDS = 2 * MDE_CAP_MAX, /* of more, which lifted it, the latest are known */
  MDE_CAP_ID_MAX = MDE_OPERATION_MAX_BYTES
};

struct mde_cap_send {
  double at;
  unsigned char length;    /* 0: one that does not say which operation it is */
  char id[MDE_CAP_ID_MAX]; /* A to Z are a to z; behind `length` there are zeros */
};

struct mde_cap {
  struct mde_allocator allocator;
  size_t limit;
  bool was_merged;            /* what was sent before is among the sends */
  double latest;              /* the latest time that it was told; -INFINITY: none */
  struct mde_cap_send *sends; /* ascending by time, then by id; NULL until there is one */
  size_t length;
  size_t capacity;
};

/*
 * Knows no send, and is not whole; allocates nothing; cannot fail. `limit`: how many may be sent in
 * an hour, 0 to MDE_CAP_MAX, or MDE_CAP_NONE.
 */
void mde_cap_init(struct mde_cap *cap, struct mde_allocator allocator, size_t limit);

/* Frees. The cap is as mde_cap_init made it and usable again; a second call is harmless. */
void mde_cap_clear(struct mde_cap *cap);

/* Whether it knows what it has to: what was sent before is in it, or the limit does not ask. */
bool mde_cap_is_whole(const struct mde_cap *cap);

/* Something was sent that it was not told of: it is not whole. */
void mde_cap_doubt(struct mde_cap *cap);

/* How many may go at `now`, as far as it knows; SIZE_MAX with MDE_CAP_NONE. */
size_t mde_cap_remaining(const struct mde_cap *cap, double now);

/*
 * How many seconds from `now` on the next send must wait, as far as it knows: 0 if it may go. A
 * negative number if no waiting helps, since nothing may go.
 */
double mde_cap_wait(const struct mde_cap *cap, double now);

enum mde_cap_answer {
  MDE_CAP_TAKEN,
  MDE_CAP_FULL,      /* mde_cap_wait says for how long */
  MDE_CAP_UNCOUNTED, /* it is not whole */
  MDE_CAP_NO_MEMORY
};

/*
 * A send is about to go. `all_the_same`: it lifts the cap, so it counts but is not refused. Taken:
 * it counts, and `*at` is its time, by which it is known with its id. Anything else: nothing is
 * changed, and it must not go. `id`: 1 to MDE_CAP_ID_MAX bytes, in any case.
 */
enum mde_cap_answer mde_cap_take(struct mde_cap *cap, struct mde_text id, double now,
                                 bool all_the_same, double *at);

/* The send with this id, taken at `at`, did not go. False if it is not known. */
bool mde_cap_give_back(struct mde_cap *cap, struct mde_text id, double at);

/*
 * It went at `sent`, which is later: its hour begins then, and `sent` is its time. False, and
 * nothing is changed, if it is not later, or the send is not known.
 */
bool mde_cap_went(struct mde_cap *cap, struct mde_text id, double at, double sent);

/*
 * Whether a row of the service's list counts as one of `response`, and as what. It counts if its
 * comment ends with our suffix. One without a type may be one of it. One without an id counts
 * whatever its comment says: it may have lost more than that. `file`: only those about this file
 * count, and those that do not say which; absent: all.
 *
 * `service_now`: the service's time at `now`, in Unix seconds. A row without a usable time, or
 * ahead of that, counts as sent now.
 */
bool mde_cap_counts(const struct mde_action_text *row, const struct mde_response *response,
                    struct mde_text file, double service_now, double now,
                    struct mde_cap_send *send);

/*
 * Adds what was sent before, by the service's list; the cap is whole then. A whole one is left as it
 * is. One id may be sent more than once: of the sends of an id in the list, as many as the cap knows
 * within the hour are those, the earliest first, and the rest are added. So nothing is counted
 * twice, and in doubt which one is known, the later ones count.
 *
 * They are as old as they are at `now`, also where the cap's own time is later. `earlier` is put into
 * another order. False for lack of memory; nothing is changed then.
 */
bool mde_cap_merge(struct mde_cap *cap, struct mde_cap_send *earlier, size_t count, double now);

/* How many bytes `pack` writes. */
size_t mde_cap_packed_size(const struct mde_cap *cap, double now);

/*
 * Writes it, without the limit and without what has left the hour. The same sends and the same time
 * are the same bytes.
 *
 *   "cap" and the version; 1 byte: 1 if what was sent before is in it, else 0; the time, 8 bytes;
 *   how many sends, 4 bytes; of each its time, 8 bytes, the length of its id, 1 byte, and its id;
 *   a checksum of all that, 8 bytes
 *
 * Times are IEEE doubles; what has several bytes begins with the lowest.
 */
void mde_cap_pack(const struct mde_cap *cap, double now, unsigned char *bytes);

enum mde_cap_unpacked {
  MDE_CAP_UNPACKED_OK,
  MDE_CAP_UNPACKED_OTHER,   /* it is of another version, or no cap at all */
  MDE_CAP_UNPACKED_DAMAGED, /* not what `pack` writes */
  MDE_CAP_UNPACKED_CLOCK,   /* of a time, or with a send, that is an hour or more from `now` */
  MDE_CAP_UNPACKED_NO_MEMORY
};

/*
 * Takes what `bytes` tell in the place of what is known. Unless it returns MDE_CAP_UNPACKED_OK the
 * cap knows no send, and is not whole.
 */
enum mde_cap_unpacked mde_cap_unpack(struct mde_cap *cap, const unsigned char *bytes, size_t length,
                                     double now);

#endif
