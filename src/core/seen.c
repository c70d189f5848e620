#include "seen.h"

#include "timestamp.h"

void mde_seen_begin(struct mde_seen *seen)
{
  memset(seen, 0, sizeof *seen);
  seen->older_until = MDE_NO_TIME;
}

/* The index of an action; -1 if it was not seen. */
static int find(const struct mde_seen *seen, const struct mde_id *id)
{
  for (int i = 0; i < seen->count; i++)
    if (memcmp(&seen->actions[i].id, id, sizeof *id) == 0) return i;
  return -1;
}

/* Where the next one goes; -1: nowhere, since all are newer. */
static int make_room(struct mde_seen *seen, int64_t created)
{
  if (seen->count < MDE_SEEN_MAX) return seen->count++;
  int oldest = 0;
  for (int i = 1; i < MDE_SEEN_MAX; i++)
    if (seen->actions[i].created < seen->actions[oldest].created) oldest = i;
  bool is_older = created <= seen->actions[oldest].created;
  int64_t leaves = is_older ? created : seen->actions[oldest].created;
  if (leaves > seen->older_until) seen->older_until = leaves;
  return is_older ? -1 : oldest;
}

void mde_seen_add(struct mde_seen *seen, struct mde_id id, enum mde_status status, int64_t created)
{
  int i = find(seen, &id);
  if (i < 0) i = make_room(seen, created);
  if (i < 0) return;
  seen->actions[i].id = id;
  seen->actions[i].status = status;
  seen->actions[i].created = created;
}

bool mde_seen_has(const struct mde_seen *seen, const struct mde_id *id)
{
  return find(seen, id) >= 0;
}

void mde_seen_mark(const struct mde_seen *seen, struct mde_action *actions, size_t count)
{
  for (size_t i = 0; i < count; i++) {
    int known = actions[i].has_id ? find(seen, &actions[i].id) : -1;
    if (known >= 0)
      mde_action_see(&actions[i], seen->actions[known].status);
    else if (seen->older_until != MDE_NO_TIME && actions[i].created <= seen->older_until)
      mde_action_see(&actions[i], actions[i].status);
  }
}
