#include "seen.h"

#include "timestamp.h"

void mde_seen_begin(struct mde_seen *seen)
{
  memset(seen, 0, sizeof *seen);
  seen->older_until = seen->newest = MDE_NO_TIME;
}

/* The index of an action; -1 if it was not seen. */
static int find(const struct mde_seen *seen, const struct mde_id *id)
{
  for (int i = 0; i < seen->count; i++)
    if (memcmp(&seen->actions[i].id, id, sizeof *id) == 0) return i;
  return -1;
}

/* How long it stays known by its id: what is pending may yet be cancelled, and what has no time
   could not be told otherwise. */
static int64_t rank_of(enum mde_status status, int64_t created)
{
  return status == MDE_STATUS_PENDING || created == MDE_NO_TIME ? INT64_MAX : created;
}

/* Where the next one goes; -1: nowhere, since all are newer. */
static int make_room(struct mde_seen *seen, enum mde_status status, int64_t created)
{
  if (seen->count < MDE_SEEN_MAX) return seen->count++;
  int oldest = 0;
  int64_t lowest = INT64_MAX;
  for (int i = 0; i < MDE_SEEN_MAX; i++) {
    int64_t rank = rank_of(seen->actions[i].status, seen->actions[i].created);
    if (rank < lowest) {
      lowest = rank;
      oldest = i;
    }
  }
  bool is_older = rank_of(status, created) <= lowest;
  int64_t leaves = is_older ? created : seen->actions[oldest].created;
  if (leaves > seen->older_until) seen->older_until = leaves;
  return is_older ? -1 : oldest;
}

void mde_seen_add(struct mde_seen *seen, struct mde_id id, enum mde_status status, int64_t created)
{
  int i = find(seen, &id);
  if (i < 0) i = make_room(seen, status, created);
  if (i < 0) return;
  seen->actions[i].id = id;
  seen->actions[i].status = status;
  seen->actions[i].created = created;
}

bool mde_seen_has(const struct mde_seen *seen, const struct mde_id *id)
{
  return find(seen, id) >= 0;
}

void mde_seen_add_action(struct mde_seen *seen, const struct mde_action *action)
{
  if (action->has_id)
    mde_seen_add(seen, action->id, action->status, action->created);
  else if (action->created == MDE_NO_TIME)
    seen->has_untimed = true;
  else if (action->created > seen->newest)
    seen->newest = action->created;
}

/* Whether an action that is not known by its id was seen. */
static bool is_told_by_time(const struct mde_seen *seen, const struct mde_action *action)
{
  if (action->created == MDE_NO_TIME) return !action->has_id && seen->has_untimed;
  if (action->created <= seen->older_until) return true;
  return !action->has_id && action->created <= seen->newest;
}

void mde_seen_mark(const struct mde_seen *seen, struct mde_action *actions, size_t count)
{
  for (size_t i = 0; i < count; i++) {
    int known = actions[i].has_id ? find(seen, &actions[i].id) : -1;
    if (known >= 0)
      mde_action_see(&actions[i], seen->actions[known].status);
    else if (is_told_by_time(seen, &actions[i]))
      mde_action_see(&actions[i], actions[i].status);
  }
}

bool mde_seen_is_valid(const struct mde_seen *seen)
{
  if (seen->count < 0 || seen->count > MDE_SEEN_MAX) return false;
  for (int i = 0; i < seen->count; i++)
    if (seen->actions[i].status > MDE_STATUS_CANCELLED) return false;
  return true;
}
