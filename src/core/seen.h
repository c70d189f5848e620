/*
 * seen: which actions of a device a look has had, and in which state.
 *
 * What was there when somebody decided is told from what came later by the actions' ids, since no
 * clock is certain enough. A few are known by their ids; what is older than those is told by its
 * time.
 */
#ifndef MDE_SEEN_H
#define MDE_SEEN_H

#include "history.h"

enum { MDE_SEEN_MAX = 24 };

struct mde_seen {
  struct {
    struct mde_id id;
    enum mde_status status;
    int64_t created; /* ticks, or MDE_NO_TIME */
  } actions[MDE_SEEN_MAX];
  int count;
  int64_t older_until; /* what was created until then and is not above was seen, too */
};

/* Nothing was seen. */
void mde_seen_begin(struct mde_seen *seen);

/*
 * This was seen, in the place of what is known of the same action. Where there is no room, the
 * oldest is known by its time from now on. `created`: ticks; INT64_MAX keeps it known by its id.
 */
void mde_seen_add(struct mde_seen *seen, struct mde_id id, enum mde_status status, int64_t created);

bool mde_seen_has(const struct mde_seen *seen, const struct mde_id *id);

/* Marks those that were seen; see mde_action_see. */
void mde_seen_mark(const struct mde_seen *seen, struct mde_action *actions, size_t count);

#endif
