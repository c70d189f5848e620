/*
 * claim: which of the restrictions that hold a device are one's own to take back.
 *
 * An incident, a run or an expired time takes back what it restricted, and nothing else. A device
 * is released for a claim if the claim covers every restriction because of which it is restricted.
 * In doubt a restriction is somebody else's, so that the device stays as it is.
 */
#ifndef MDE_CLAIM_H
#define MDE_CLAIM_H

#include "history.h"

/* A restriction is covered if any of the three covers it. */
struct mde_claim {
  const struct mde_text *incidents; /* those of any of these incidents, */
  size_t incident_count;
  int64_t since; /* created then or later; ticks; MDE_NO_TIME: however old */

  const struct mde_text *operations; /* those with any of these operation ids, byte for byte */
  size_t operation_count;

  int64_t expired_by; /* those that were meant to hold until then at most (comment.h); ticks; 0 or
                         MDE_NO_TIME: none */

  const struct mde_text *ended; /* incidents that hold no longer, whatever the history says */
  size_t ended_count;
};

/*
 * What a claim for all that has expired covers at a service's time, ticks: what was meant to hold
 * until a minute before it at most, so that no clock that is a little fast ends it early.
 * MDE_NO_TIME: nobody knows the time, and nothing has expired.
 */
int64_t mde_claim_expired_by(int64_t now);

/* Marks the restrictions that the claim covers, whether they hold the device or not. */
void mde_claim_mark(const struct mde_claim *claim, struct mde_action *actions, size_t count,
                    const struct mde_response *response);

struct mde_holders {
  size_t ours;   /* how many of the restrictions that hold the device the claim covers */
  size_t others; /* and how many it does not */
};

/*
 * Who holds a device: writes the indexes of the restrictions because of which it is restricted, or
 * is about to be (mde_history_holds), into `ours` and `others`, each with room for `count`. A
 * release that is pending, failed or was cancelled takes nobody's hold away. A restriction of an
 * incident that has ended holds for nobody. One without a time where one is asked for is another's,
 * and so is what is unidentified.
 */
struct mde_holders mde_claim_holders(const struct mde_claim *claim,
                                     const struct mde_action *actions, size_t count,
                                     const struct mde_response *response, size_t *ours,
                                     size_t *others);

enum mde_held {
  MDE_HELD_BY_NOBODY,
  MDE_HELD_BY_CLAIM, /* by what the claim covers, and by nothing else */
  MDE_HELD_BY_OTHERS /* too, or alone */
};

/* The same in a word. `*other`: the newest that the claim does not cover, or MDE_NO_ACTION. */
enum mde_held mde_claim_judge(const struct mde_claim *claim, const struct mde_action *actions,
                              size_t count, const struct mde_response *response, size_t *other);

#endif
