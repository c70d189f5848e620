/*
 * seen: which actions of a device a look has had, and in which state.
 *
 * What was there when somebody decided is told from what came later by the actions' ids, since no
 * clock is certain enough. A few are known by their ids; what is older than those, and what has no
 * usable id, is told by its time.
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
  int64_t newest;      /* of what was seen without an id */
  bool has_untimed;    /* something was seen that had neither an id nor a time */
};

/* Nothing was seen. */
void mde_seen_begin(struct mde_seen *seen);

/*
 * This was seen, in the place of what is known of the same action. Where there is no room, the
 * oldest is known by its time from now on, but for one that is pending or has no time.
 * `created`: ticks, or MDE_NO_TIME.
 */
void mde_seen_add(struct mde_seen *seen, struct mde_id id, enum mde_status status, int64_t created);

/* The same of an action in a list, which may have no id. */
void mde_seen_add_action(struct mde_seen *seen, const struct mde_action *action);

bool mde_seen_has(const struct mde_seen *seen, const struct mde_id *id);

/* Whether these are the contents of some such set. */
bool mde_seen_is_valid(const struct mde_seen *seen);

/* Marks those that were seen; see mde_action_see. */
void mde_seen_mark(const struct mde_seen *seen, struct mde_action *actions, size_t count);

#endif
