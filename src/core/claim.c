#include "claim.h"

#include "timestamp.h"

static const int64_t GRACE_TICKS = 60 * MDE_TICKS_PER_SECOND;

int64_t mde_claim_expired_by(int64_t now)
{
  return now == MDE_NO_TIME ? MDE_NO_TIME : now - GRACE_TICKS;
}

static bool is_incident_among(struct mde_text incident, const struct mde_text *incidents,
                              size_t count)
{
  for (size_t i = 0; i < count; i++)
    if (mde_incident_same(incident, incidents[i])) return true;
  return false;
}

static bool is_operation_among(struct mde_text operation, const struct mde_text *operations,
                               size_t count)
{
  for (size_t i = 0; i < count; i++)
    if (mde_text_same(operation, operations[i])) return true;
  return false;
}

static bool has_expired(const struct mde_claim *claim, struct mde_text operation)
{
  int64_t until = mde_operation_until(operation);
  return until != MDE_NO_TIME && until <= claim->expired_by;
}

static bool covers(const struct mde_claim *claim, const struct mde_action *restriction)
{
  const struct mde_comment *comment = &restriction->comment;
  if (is_operation_among(comment->operation, claim->operations, claim->operation_count))
    return true;
  if (has_expired(claim, comment->operation)) return true;
  return restriction->created >= claim->since &&
         is_incident_among(comment->incident, claim->incidents, claim->incident_count);
}

void mde_claim_mark(const struct mde_claim *claim, struct mde_action *actions, size_t count,
                    const struct mde_response *response)
{
  for (size_t i = 0; i < count; i++)
    actions[i].is_claimed =
        actions[i].counts && actions[i].response == response && covers(claim, &actions[i]);
}

enum whose { WHOSE_NOBODYS, WHOSE_OURS, WHOSE_OTHERS };

static enum whose whose(const struct mde_claim *claim, const struct mde_action *actions,
                        size_t action, const struct mde_response *response, size_t release)
{
  if (actions[action].is_unidentified) return WHOSE_OTHERS;
  if (!mde_history_holds(actions, action, response, release)) return WHOSE_NOBODYS;
  if (is_incident_among(actions[action].comment.incident, claim->ended, claim->ended_count))
    return WHOSE_NOBODYS;
  return covers(claim, &actions[action]) ? WHOSE_OURS : WHOSE_OTHERS;
}

struct mde_holders mde_claim_holders(const struct mde_claim *claim,
                                     const struct mde_action *actions, size_t count,
                                     const struct mde_response *response, size_t *ours,
                                     size_t *others)
{
  struct mde_holders held = {0, 0};
  size_t release = mde_history_opposed(actions, count, response);
  for (size_t i = 0; i < count; i++) {
    enum whose holder = whose(claim, actions, i, response, release);
    if (holder == WHOSE_OURS) ours[held.ours++] = i;
    if (holder == WHOSE_OTHERS) others[held.others++] = i;
  }
  return held;
}

enum mde_held mde_claim_judge(const struct mde_claim *claim, const struct mde_action *actions,
                              size_t count, const struct mde_response *response, size_t *other)
{
  enum mde_held held = MDE_HELD_BY_NOBODY;
  size_t release = mde_history_opposed(actions, count, response);
  *other = MDE_NO_ACTION;
  for (size_t i = 0; i < count; i++) {
    enum whose holder = whose(claim, actions, i, response, release);
    if (holder == WHOSE_OURS && held == MDE_HELD_BY_NOBODY) held = MDE_HELD_BY_CLAIM;
    if (holder != WHOSE_OTHERS) continue;
    held = MDE_HELD_BY_OTHERS;
    if (*other == MDE_NO_ACTION || actions[*other].is_unidentified ||
        (!actions[i].is_unidentified && actions[i].created > actions[*other].created))
      *other = i;
  }
  return held;
}
