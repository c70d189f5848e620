#include "order.h"

#include "timestamp.h"

bool mde_order_is_particular(const struct mde_order *order)
{
  return order->keyed || order->decided_at != MDE_NO_TIME;
}

size_t mde_order_withdrawn(const struct mde_order *order, const struct mde_action *actions,
                           size_t count)
{
  if (order->withdrawn_since == MDE_NO_TIME) return MDE_NO_ACTION;
  return mde_history_withdrawn(actions, count, order->response, order->incident, order->comment,
                               order->withdrawn_since);
}

static struct mde_assessment assessment(enum mde_assessed assessed, size_t action)
{
  return (struct mde_assessment){.assessed = assessed, .action = action, .recorded = true};
}

/* What the list says if it is the device's own and complete, but for what was withdrawn. */
static struct mde_assessment take_at_its_word(const struct mde_order *order,
                                              const struct mde_action *actions, size_t count)
{
  static const enum mde_assessed assessed[] = {
      [MDE_DECISION_SEND] = MDE_ASSESSED_SEND,
      [MDE_DECISION_ALREADY_ACTIVE] = MDE_ASSESSED_ALREADY_ACTIVE,
      [MDE_DECISION_CONFLICT] = MDE_ASSESSED_CONFLICT,
      [MDE_DECISION_CANCEL_OPPOSITE] = MDE_ASSESSED_CANCEL,
      [MDE_DECISION_SUPERSEDED] = MDE_ASSESSED_UNDONE,
      [MDE_DECISION_OVERTAKEN] = MDE_ASSESSED_DECIDED,
      [MDE_DECISION_DIFFERENT] = MDE_ASSESSED_DIFFERENT,
  };
  if (order->decided_at != MDE_NO_TIME) {
    size_t untimed;
    size_t decided =
        mde_history_decided(actions, count, order->response, order->decided_at,
                            order->is_decided_on ? &order->decided_on : NULL, &untimed);
    if (decided != MDE_NO_ACTION) return assessment(MDE_ASSESSED_DECIDED, decided);
    if (untimed != MDE_NO_ACTION) return assessment(MDE_ASSESSED_UNTIMED, untimed);
  }
  struct mde_intent intent = {.response = order->response,
                              .incident = order->incident,
                              .until = mde_operation_until(order->operation),
                              .key = order->keyed ? order->operation : (struct mde_text){NULL, 0},
                              .cancel_opposite = order->cancel_opposite,
                              .looked = true};
  struct mde_look look = mde_history_look(actions, count, &intent);
  return (struct mde_assessment){assessed[look.decision], look.action, look.recorded};
}

/* The claim as of the time when the change began. */
static struct mde_claim claim_of(const struct mde_order *order, int64_t began_at)
{
  struct mde_claim claim = order->claim;
  if (order->claims_expired) claim.expired_by = mde_claim_expired_by(began_at);
  return claim;
}

void mde_order_aim(const struct mde_order *order, struct mde_action *actions, size_t count)
{
  for (size_t i = 0; i < count; i++)
    mde_action_aim(&actions[i], order->response, order->subject, order->operation);
}

void mde_order_mark(const struct mde_order *order, struct mde_action *actions, size_t count,
                    int64_t began_at)
{
  if (!order->is_claim) return;
  struct mde_claim claim = claim_of(order, began_at);
  mde_claim_mark(&claim, actions, count, order->response->opposite);
}

/* Whether its claim keeps an order from being carried out, and what it says instead. */
static bool is_held(const struct mde_order *order, const struct mde_action *actions, size_t count,
                    int64_t began_at, struct mde_assessment *said)
{
  if (!order->is_claim) return false;
  struct mde_claim claim = claim_of(order, began_at);
  size_t other;
  enum mde_held held = mde_claim_judge(&claim, actions, count, order->response->opposite, &other);
  *said = assessment(held == MDE_HELD_BY_OTHERS ? MDE_ASSESSED_HELD : MDE_ASSESSED_NOT_HELD, other);
  return held != MDE_HELD_BY_CLAIM;
}

/* Whether the list has an action that decides about the device. */
static bool has_past(const struct mde_action *actions, size_t count)
{
  for (size_t i = 0; i < count; i++)
    if (actions[i].counts) return true;
  return false;
}

struct mde_assessment mde_order_assess(const struct mde_order *order,
                                       const struct mde_action *actions, size_t count,
                                       unsigned flags, int64_t began_at)
{
  struct mde_assessment said = take_at_its_word(order, actions, count);
  struct mde_assessment held;
  bool may_act = said.assessed == MDE_ASSESSED_SEND || said.assessed == MDE_ASSESSED_CANCEL;
  if (may_act && is_held(order, actions, count, began_at, &held)) said = held;
  bool would_send = said.assessed == MDE_ASSESSED_SEND;
  bool would_act = would_send || said.assessed == MDE_ASSESSED_CANCEL;
  bool is_active = said.assessed == MDE_ASSESSED_ALREADY_ACTIVE;
  bool is_incomplete = mde_history_is_incomplete(actions, count);

  /* What cannot be identified in a list for others may be another device's. */
  bool is_doubtful = is_incomplete && (mde_order_is_particular(order) || has_past(actions, count));
  bool may_tell = (would_send && !is_doubtful) || (is_active && (flags & MDE_LIST_SINGLE) == 0);
  if ((flags & MDE_LIST_CACHED) != 0 && !may_tell)
    return assessment(MDE_ASSESSED_UNTOLD, MDE_NO_ACTION);

  size_t withdrawn = would_act ? mde_order_withdrawn(order, actions, count) : MDE_NO_ACTION;
  if (withdrawn != MDE_NO_ACTION) return assessment(MDE_ASSESSED_WITHDRAWN, withdrawn);

  bool may_be_undone = is_active && actions[said.action].status != MDE_STATUS_PENDING;
  if (is_incomplete && mde_order_is_particular(order) && (would_act || may_be_undone))
    return assessment(MDE_ASSESSED_INCOMPLETE, MDE_NO_ACTION);
  return said;
}
