/* One file, although a long one: what follows each step is read beside the other steps. */
#include "change.h"

#include "timestamp.h"

/* The step after which a place under the cap is asked for is in `after_slot`. */
enum step {
  STEP_LOOK,       /* HISTORY */
  STEP_SLOT,       /* SLOT */
  STEP_CANCEL,     /* CANCEL */
  STEP_CLEAR,      /* END of the opposite action */
  STEP_SEND,       /* SEND: nothing has left yet */
  STEP_SENDING,    /* it has left */
  STEP_ACTIVE,     /* HISTORY: the service says that one is active already */
  STEP_FIRST_WAIT, /* SLEEP */
  STEP_FIRST_FIND, /* HISTORY */
  STEP_SECOND_WAIT,
  STEP_SECOND_FIND,
  STEP_OWN_FIND,    /* HISTORY: the first two were of all devices */
  STEP_FIRST_END,   /* END of an opposite action that was pending before, then FIRST_FIND */
  STEP_SECOND_END,  /* the same, then SECOND_FIND */
  STEP_RESEND,      /* SEND */
  STEP_RESEND_FIND, /* HISTORY: what was found before is old by now */
  STEP_ENDED
};

enum { MAX_SENDS = 2 };

/*
 * What was done under a key, and what others restrict that a claim must leave, may have been done a
 * moment ago, which a list for others need not show. What was decided otherwise is read again by itself wherever such a list says so.
 */
static enum mde_reading first_reading(const struct mde_order *order)
{
  return order->keyed || (order->is_claim && !order->dry_run) ? MDE_READING_OWN
                                                              : MDE_READING_CACHED;
}

void mde_change_begin(struct mde_change *change, const struct mde_order *order, int64_t now)
{
  memset(change, 0, sizeof *change);
  change->step = order->look ? STEP_LOOK : order->dry_run ? STEP_ENDED : STEP_SLOT;
  change->after_slot = STEP_SEND;
  change->fate = MDE_FATE_WOULD_SEND;
  change->reading = (unsigned char)first_reading(order);
  change->looked_at = change->sent_at = MDE_NO_TIME;
  mde_seen_begin(&change->seen);
  change->began = now;
  change->recorded = true;
}

void mde_change_begin_lost(struct mde_change *change, const struct mde_order *order,
                           const struct mde_lost *lost, int64_t now)
{
  mde_change_begin(change, order, now);
  change->step = STEP_FIRST_FIND;
  change->sent_at = lost->sent_at;
  change->has_seen = change->looked = lost->looked;
  change->sends = lost->sends;
  change->has_slot = change->may_have_arrived = true;
}

static void end(struct mde_change *change, enum mde_fate fate, enum mde_reason reason)
{
  change->step = STEP_ENDED;
  change->fate = (unsigned char)fate;
  change->reason = (unsigned char)reason;
}

static void look_again(struct mde_change *change, enum mde_reading reading)
{
  change->step = STEP_LOOK;
  change->reading = (unsigned char)reading;
}

/* A place under the cap is taken once, and kept. */
static void take_slot(struct mde_change *change, enum step next)
{
  change->after_slot = (unsigned char)next;
  change->step = (unsigned char)(change->has_slot ? next : STEP_SLOT);
}

/* ---- what was seen */

void mde_change_see(struct mde_change *change, struct mde_id id, enum mde_status status)
{
  if (!mde_seen_has(&change->seen, &id)) mde_seen_add(&change->seen, id, status, MDE_NO_TIME);
}

/*
 * The first look sees what it has. One that comes long after the change began may have what was
 * decided meanwhile; there the time tells, as far as it can.
 */
static void see_all(struct mde_change *change, const struct mde_action *actions, size_t count,
                    const struct mde_list *list)
{
  bool is_late = list->told_at - change->began > MDE_CHANGE_LOOK_TICKS;
  for (size_t i = 0; i < count; i++) {
    const struct mde_action *a = &actions[i];
    bool is_new = is_late && a->created > list->began_at + MDE_DOUBT_TICKS;
    if (a->counts && !is_new) mde_seen_add_action(&change->seen, a);
  }
  change->has_seen = true;
}

static bool is_recorded(const struct mde_order *order, const struct mde_action *action)
{
  return mde_action_records(action, order->incident, mde_operation_until(order->operation));
}

static struct mde_sent sent_of(const struct mde_change *change, const struct mde_order *order)
{
  return (struct mde_sent){.response = order->response,
                           .operation = order->operation,
                           .keyed = order->keyed,
                           .comment = order->comment,
                           .looked = change->has_seen,
                           .sent_at = change->sent_at};
}

/* ---- looking first */

static void look(struct mde_change *change, const struct mde_order *order,
                 struct mde_action *actions, size_t count, const struct mde_list *list,
                 size_t *about, size_t *overturned)
{
  static const struct {
    enum mde_fate fate;
    enum mde_reason reason;
  } ends[] = {
      [MDE_ASSESSED_ALREADY_ACTIVE] = {MDE_FATE_ALREADY_ACTIVE, MDE_REASON_NONE},
      [MDE_ASSESSED_CONFLICT] = {MDE_FATE_CONFLICT, MDE_REASON_OPPOSITE},
      [MDE_ASSESSED_UNTIMED] = {MDE_FATE_CONFLICT, MDE_REASON_UNTIMED},
      [MDE_ASSESSED_UNDONE] = {MDE_FATE_SUPERSEDED, MDE_REASON_KEY},
      [MDE_ASSESSED_DECIDED] = {MDE_FATE_SUPERSEDED, MDE_REASON_DECIDED},
      [MDE_ASSESSED_WITHDRAWN] = {MDE_FATE_SUPERSEDED, MDE_REASON_WITHDRAWN},
      [MDE_ASSESSED_HELD] = {MDE_FATE_CONFLICT, MDE_REASON_HELD},
      [MDE_ASSESSED_DIFFERENT] = {MDE_FATE_CONFLICT, MDE_REASON_DIFFERENT},
      [MDE_ASSESSED_NOT_HELD] = {MDE_FATE_CONFLICT, MDE_REASON_NOT_HELD},
      [MDE_ASSESSED_INCOMPLETE] = {MDE_FATE_NOT_SENT, MDE_REASON_INCOMPLETE},
  };
  struct mde_change next = *change;
  if (!next.has_seen) see_all(&next, actions, count, list);
  mde_seen_mark(&next.seen, actions, count);
  mde_order_mark(order, actions, count, list->began_at);
  struct mde_assessment said = mde_order_assess(order, actions, count, list->flags, list->began_at);
  if (said.assessed == MDE_ASSESSED_UNTOLD) {
    change->reading = MDE_READING_OWN;
    return;
  }
  /* What held it was cancelled for this release, which is sent as any other is then. */
  if (said.assessed == MDE_ASSESSED_NOT_HELD && change->cancels > 0)
    said.assessed = MDE_ASSESSED_SEND;
  *change = next;
  change->looked_at = list->read_at;
  change->looked = true;
  change->recorded = said.recorded;
  *about = said.action;
  switch (said.assessed) {
  case MDE_ASSESSED_SEND:
    *overturned = mde_history_opposed(actions, count, order->response);
    if (order->dry_run)
      end(change, MDE_FATE_WOULD_SEND, MDE_REASON_NONE);
    else
      take_slot(change, STEP_SEND);
    break;
  case MDE_ASSESSED_CANCEL:
    if (order->dry_run)
      end(change, MDE_FATE_WOULD_SEND, MDE_REASON_OPPOSITE);
    else if (change->cancels == MDE_CHANGE_MAX_CANCELS)
      end(change, MDE_FATE_CONFLICT, MDE_REASON_CANCELS);
    else
      take_slot(change, STEP_CANCEL);
    break;
  default:
    end(change, ends[said.assessed].fate, ends[said.assessed].reason);
  }
}

/*
 * Containing matters more than looking first, so a response that holds is sent unseen. Not one
 * under a key, which may have been used before, nor one that was decided at a time after which
 * somebody may have decided otherwise; nor a release, which may undo what somebody means to keep.
 */
static void look_failed(struct mde_change *change, const struct mde_order *order, int64_t now)
{
  change->looked_at = now;
  change->looked = false;
  if (!order->response->holds || mde_order_is_particular(order))
    end(change, MDE_FATE_NOT_SENT, MDE_REASON_UNREADABLE);
  else if (order->dry_run)
    end(change, MDE_FATE_WOULD_SEND, MDE_REASON_UNREADABLE);
  else
    take_slot(change, STEP_SEND);
}

/* ---- sending */

/* It leaves, unless what it rests on is too old by now. */
static int leave(struct mde_change *change, const struct mde_order *order, int64_t now,
                 bool others_may_have_changed)
{
  bool is_old = change->looked_at != MDE_NO_TIME &&
                (others_may_have_changed ||
                 (!change->has_looked_again && now - change->looked_at > MDE_CHANGE_LOOK_TICKS));
  change->has_looked_again = is_old;
  change->in_flight = !is_old;
  if (!is_old) {
    change->step = STEP_SENDING;
    return MDE_CHANGE_OK;
  }
  if (change->sends > 0)
    change->step = STEP_RESEND_FIND;
  else
    look_again(change, others_may_have_changed ? MDE_READING_OWN : first_reading(order));
  return MDE_CHANGE_STALE;
}

/* The send has ended, and something of it may have arrived. */
static void arrived(struct mde_change *change)
{
  change->in_flight = false;
  change->may_have_arrived = true;
  change->sends++;
}

static void lose(struct mde_change *change, int64_t sent_at)
{
  arrived(change);
  if (change->sends == 1 || sent_at < change->sent_at) change->sent_at = sent_at;
  change->step = STEP_FIRST_WAIT;
}

/* The service says that one is active, and the list does not show which, or shows another. */
static void active_not_found(struct mde_change *change, enum mde_fate fate, enum mde_reason reason)
{
  /* Behind a lost answer it says that the first arrived: it is looked for again. */
  if (change->sends == MAX_SENDS)
    change->step = STEP_FIRST_WAIT;
  else
    end(change, fate, reason);
}

int mde_change_answer(struct mde_change *change, const struct mde_order *order,
                      const struct mde_action_text *answer, struct mde_moment moment)
{
  if (change->step != STEP_SENDING) return MDE_CHANGE_UNASKED;
  struct mde_sent sent = sent_of(change, order);
  sent.sent_at = moment.sent_at;
  struct mde_id id;
  bool seen = mde_id_read(answer->id, &id) && mde_seen_has(&change->seen, &id);
  enum mde_reply reply = mde_history_reply(answer, order->machine, &sent, seen);
  if (reply == MDE_REPLY_FOREIGN) {
    lose(change, moment.sent_at);
    return MDE_CHANGE_OK;
  }
  struct mde_action action = mde_action_read(answer, order->response, order->machine, MDE_NO_TIME);
  mde_order_aim(order, &action, 1);
  /* Our own id says that it is ours, of whatever scope. Under a key it is ours, or one of before. */
  if (order->keyed && action.differs && reply == MDE_REPLY_ACCEPTED) {
    lose(change, moment.sent_at);
    change->was_told = true;
    return MDE_CHANGE_OK;
  }
  arrived(change);
  /* A key may stand for several files; and the beginning of our comment says that it is ours,
     unless it says another file. */
  bool is_another = !action.counts || action.differs;
  if (reply == MDE_REPLY_CUT && !action.differs && answer->file.length == 0) is_another = false;
  if (is_another && (order->keyed || reply != MDE_REPLY_ACCEPTED)) {
    active_not_found(change, MDE_FATE_CONFLICT, MDE_REASON_DIFFERENT);
  } else if (reply == MDE_REPLY_ALREADY_ACTIVE) {
    change->recorded = is_recorded(order, &action);
    end(change, MDE_FATE_ALREADY_ACTIVE, MDE_REASON_NONE);
  } else {
    change->comment_cut = reply == MDE_REPLY_CUT;
    end(change, MDE_FATE_ACCEPTED, MDE_REASON_NONE);
  }
  return MDE_CHANGE_OK;
}

/* ---- finding out */

static void found_ours(struct mde_change *change, const struct mde_order *order,
                       const struct mde_action *action)
{
  change->reconciled = true;
  change->comment_cut = !mde_text_same(action->comment.operation, order->operation);
  end(change, MDE_FATE_ACCEPTED, MDE_REASON_NONE);
}

/*
 * No list shows it. That there is no list, which may be said of an empty one, shows nothing, nor
 * does one that is incomplete. What an answer has told is there, so that nothing is sent again.
 * Where it was sent unseen, `withdrawn` may show only now.
 */
static void found_nothing(struct mde_change *change, const struct mde_order *order,
                          size_t withdrawn, size_t *about)
{
  bool may_send_again = order->resend && change->sends < MAX_SENDS && !change->was_told;
  if (change->step == STEP_FIRST_FIND)
    change->step = STEP_SECOND_WAIT;
  else if (change->was_absent)
    end(change, MDE_FATE_UNKNOWN, MDE_REASON_ABSENT);
  else if (change->was_incomplete)
    end(change, MDE_FATE_UNKNOWN, MDE_REASON_INCOMPLETE);
  else if (!may_send_again)
    end(change, MDE_FATE_UNKNOWN, MDE_REASON_NOT_SHOWN);
  else if (change->step == STEP_SECOND_FIND && change->was_shared)
    change->step = STEP_OWN_FIND;
  else if (withdrawn != MDE_NO_ACTION) {
    *about = withdrawn;
    end(change, MDE_FATE_SUPERSEDED, MDE_REASON_DECIDED_ON_LOSS);
  } else
    change->step = STEP_RESEND;
}

static void find(struct mde_change *change, const struct mde_order *order,
                 struct mde_action *actions, size_t count, const struct mde_list *list,
                 size_t *about)
{
  struct mde_sent sent = sent_of(change, order);
  mde_seen_mark(&change->seen, actions, count);
  struct mde_reconciled reconciled = mde_history_reconcile(actions, count, &sent);
  change->looked_at = list->read_at;
  if ((list->flags & MDE_LIST_ABSENT) != 0) change->was_absent = true;
  if ((list->flags & MDE_LIST_SHARED) != 0) change->was_shared = true;
  if (mde_history_is_incomplete(actions, count)) change->was_incomplete = true;
  *about = reconciled.action;
  switch (reconciled.decision) {
  case MDE_RECONCILIATION_OURS:
    found_ours(change, order, &actions[reconciled.action]);
    break;
  case MDE_RECONCILIATION_ACTIVE:
    change->reconciled = true;
    change->recorded = is_recorded(order, &actions[reconciled.action]);
    end(change, MDE_FATE_ALREADY_ACTIVE, MDE_REASON_NONE);
    break;
  case MDE_RECONCILIATION_SUPERSEDED:
    end(change, MDE_FATE_SUPERSEDED, MDE_REASON_DECIDED_ON_LOSS);
    break;
  case MDE_RECONCILIATION_UNCLEAR:
    end(change, MDE_FATE_UNKNOWN, MDE_REASON_UNCLEAR);
    break;
  case MDE_RECONCILIATION_OPPOSITE:
    if (change->step == STEP_FIRST_FIND)
      change->step = STEP_FIRST_END;
    else if (change->step == STEP_SECOND_FIND)
      change->step = STEP_SECOND_END;
    else
      end(change, MDE_FATE_UNKNOWN, MDE_REASON_OPPOSITE);
    break;
  case MDE_RECONCILIATION_NOTHING:
    found_nothing(change, order, mde_order_withdrawn(order, actions, count), about);
    break;
  }
}

static void find_active(struct mde_change *change, const struct mde_order *order,
                        struct mde_action *actions, size_t count, size_t *about)
{
  struct mde_sent sent = sent_of(change, order);
  mde_seen_mark(&change->seen, actions, count);
  struct mde_reconciled whose = mde_history_reconcile(actions, count, &sent);
  if (whose.decision == MDE_RECONCILIATION_OURS) {
    *about = whose.action;
    found_ours(change, order, &actions[whose.action]);
    return;
  }
  struct mde_intent intent = {.response = order->response,
                              .incident = order->incident,
                              .until = mde_operation_until(order->operation)};
  struct mde_look look = mde_history_look(actions, count, &intent);
  /* The opposite may be pending besides: it is not what the service has found active. */
  if (look.decision == MDE_DECISION_CONFLICT && whose.decision == MDE_RECONCILIATION_ACTIVE) {
    look.decision = MDE_DECISION_ALREADY_ACTIVE;
    look.action = whose.action;
    look.recorded = is_recorded(order, &actions[whose.action]);
  }
  *about = look.action;
  if (look.decision == MDE_DECISION_ALREADY_ACTIVE) {
    change->recorded = look.recorded;
    end(change, MDE_FATE_ALREADY_ACTIVE, MDE_REASON_NONE);
  } else if (look.decision == MDE_DECISION_CONFLICT) {
    active_not_found(change, MDE_FATE_CONFLICT, MDE_REASON_OPPOSITE);
  } else if (look.decision == MDE_DECISION_DIFFERENT) {
    active_not_found(change, MDE_FATE_CONFLICT, MDE_REASON_DIFFERENT);
  } else {
    active_not_found(change, MDE_FATE_REFUSED, MDE_REASON_NOT_SHOWN);
  }
}

int mde_change_history(struct mde_change *change, const struct mde_order *order,
                       struct mde_action *actions, size_t count, const struct mde_list *list,
                       size_t *about, size_t *overturned)
{
  *about = *overturned = MDE_NO_ACTION;
  mde_order_aim(order, actions, count);
  switch (change->step) {
  case STEP_LOOK:
    look(change, order, actions, count, list, about, overturned);
    return MDE_CHANGE_OK;
  case STEP_ACTIVE:
    find_active(change, order, actions, count, about);
    return MDE_CHANGE_OK;
  case STEP_FIRST_FIND:
  case STEP_SECOND_FIND:
  case STEP_OWN_FIND:
  case STEP_RESEND_FIND:
    find(change, order, actions, count, list, about);
    return MDE_CHANGE_OK;
  default:
    return MDE_CHANGE_UNASKED;
  }
}

/* ---- whatever else happened */

static int unreadable(struct mde_change *change, const struct mde_order *order, int64_t now)
{
  switch (change->step) {
  case STEP_LOOK:
    look_failed(change, order, now);
    return MDE_CHANGE_OK;
  case STEP_ACTIVE:
    active_not_found(change, MDE_FATE_REFUSED, MDE_REASON_UNREADABLE);
    return MDE_CHANGE_OK;
  case STEP_FIRST_FIND:
  case STEP_SECOND_FIND:
  case STEP_OWN_FIND:
  case STEP_RESEND_FIND:
    end(change, MDE_FATE_UNKNOWN, MDE_REASON_UNREADABLE);
    return MDE_CHANGE_OK;
  default:
    return MDE_CHANGE_UNASKED;
  }
}

/* The end of an opposite action. */
static int told_end(struct mde_change *change, bool ended)
{
  switch (change->step) {
  case STEP_CLEAR:
    if (ended)
      look_again(change, MDE_READING_OWN);
    else
      end(change, MDE_FATE_CONFLICT, MDE_REASON_CANCEL_LATE);
    return MDE_CHANGE_OK;
  case STEP_FIRST_END:
  case STEP_SECOND_END:
    if (ended)
      change->step = change->step == STEP_FIRST_END ? STEP_FIRST_FIND : STEP_SECOND_FIND;
    else
      end(change, MDE_FATE_UNKNOWN, MDE_REASON_OPPOSITE);
    return MDE_CHANGE_OK;
  default:
    return MDE_CHANGE_UNASKED;
  }
}

static int told_send(struct mde_change *change, const struct mde_order *order, enum mde_event event,
                     struct mde_moment moment)
{
  bool is_first = change->sends == 0;
  bool may_leave = change->step == STEP_SEND || change->step == STEP_RESEND;
  if (event == MDE_EVENT_SENDING || event == MDE_EVENT_SENDING_LATER) {
    if (!may_leave && change->step != STEP_SENDING) return MDE_CHANGE_UNASKED;
    return leave(change, order, moment.now, event == MDE_EVENT_SENDING_LATER);
  }
  /* A send may end before it leaves: no sign-in, no slot, no time. */
  if (change->step != STEP_SENDING && !(may_leave && event == MDE_EVENT_NOT_SENT))
    return MDE_CHANGE_UNASKED;
  switch (event) {
  case MDE_EVENT_NOT_SENT:
    change->in_flight = false;
    if (is_first)
      end(change, MDE_FATE_NOT_SENT, MDE_REASON_NONE);
    else
      end(change, MDE_FATE_UNKNOWN, MDE_REASON_NOT_RESENT);
    break;
  case MDE_EVENT_REFUSED:
    arrived(change);
    if (is_first)
      end(change, MDE_FATE_REFUSED, MDE_REASON_NONE);
    else
      end(change, MDE_FATE_UNKNOWN, MDE_REASON_RESENT);
    break;
  case MDE_EVENT_ACTIVE:
    arrived(change);
    change->step = STEP_ACTIVE;
    break;
  default:
    lose(change, moment.sent_at);
    break;
  }
  return MDE_CHANGE_OK;
}

static int told_sleep(struct mde_change *change, bool slept)
{
  if (change->step != STEP_FIRST_WAIT && change->step != STEP_SECOND_WAIT)
    return MDE_CHANGE_UNASKED;
  if (slept)
    change->step = change->step == STEP_FIRST_WAIT ? STEP_FIRST_FIND : STEP_SECOND_FIND;
  else
    end(change, MDE_FATE_UNKNOWN, MDE_REASON_TIME);
  return MDE_CHANGE_OK;
}

static int stop(struct mde_change *change)
{
  if (change->step == STEP_ENDED) return MDE_CHANGE_UNASKED;
  struct mde_result result = mde_change_result(change);
  bool is_resend =
      change->step == STEP_RESEND || (change->step == STEP_SENDING && change->sends > 0);
  end(change, result.fate, is_resend ? MDE_REASON_NOT_RESENT : MDE_REASON_STOPPED);
  return MDE_CHANGE_OK;
}

int mde_change_tell(struct mde_change *change, const struct mde_order *order, enum mde_event event,
                    struct mde_moment moment)
{
  switch (event) {
  case MDE_EVENT_UNREADABLE:
    return unreadable(change, order, moment.now);
  case MDE_EVENT_SLOT_TAKEN:
  case MDE_EVENT_SLOT_DENIED:
    if (change->step != STEP_SLOT) return MDE_CHANGE_UNASKED;
    change->has_slot = event == MDE_EVENT_SLOT_TAKEN;
    change->step = change->after_slot;
    if (!change->has_slot) end(change, MDE_FATE_PROTECTED, MDE_REASON_NONE);
    return MDE_CHANGE_OK;
  case MDE_EVENT_CANCELLED:
  case MDE_EVENT_CANCEL_DENIED:
    if (change->step != STEP_CANCEL) return MDE_CHANGE_UNASKED;
    change->cancels++;
    change->step = STEP_CLEAR;
    if (event == MDE_EVENT_CANCEL_DENIED) end(change, MDE_FATE_CONFLICT, MDE_REASON_CANCEL_DENIED);
    return MDE_CHANGE_OK;
  case MDE_EVENT_ENDED:
  case MDE_EVENT_OPEN:
    return told_end(change, event == MDE_EVENT_ENDED);
  case MDE_EVENT_SLEPT:
  case MDE_EVENT_TIME_UP:
    return told_sleep(change, event == MDE_EVENT_SLEPT);
  case MDE_EVENT_STOPPED:
    return stop(change);
  case MDE_EVENT_SENDING:
  case MDE_EVENT_SENDING_LATER:
  case MDE_EVENT_NOT_SENT:
  case MDE_EVENT_REFUSED:
  case MDE_EVENT_ACTIVE:
  case MDE_EVENT_LOST:
    return told_send(change, order, event, moment);
  }
  return MDE_CHANGE_UNASKED;
}

/* ---- what it wants, and what is known */

struct mde_wanted mde_change_next(const struct mde_change *change)
{
  static const struct {
    enum mde_want want;
    enum mde_phase phase;
    enum mde_reading reading;
  } wants[] = {
      [STEP_LOOK] = {MDE_WANT_HISTORY, MDE_PHASE_LOOK, MDE_READING_CACHED},
      [STEP_SLOT] = {MDE_WANT_SLOT, MDE_PHASE_SEND, MDE_READING_OWN},
      [STEP_CANCEL] = {MDE_WANT_CANCEL, MDE_PHASE_LOOK, MDE_READING_OWN},
      [STEP_CLEAR] = {MDE_WANT_END, MDE_PHASE_LOOK, MDE_READING_OWN},
      [STEP_SEND] = {MDE_WANT_SEND, MDE_PHASE_SEND, MDE_READING_OWN},
      [STEP_SENDING] = {MDE_WANT_SEND, MDE_PHASE_SEND, MDE_READING_OWN},
      [STEP_ACTIVE] = {MDE_WANT_HISTORY, MDE_PHASE_FIND, MDE_READING_OWN},
      [STEP_FIRST_WAIT] = {MDE_WANT_SLEEP, MDE_PHASE_FIND, MDE_READING_OWN},
      [STEP_FIRST_FIND] = {MDE_WANT_HISTORY, MDE_PHASE_FIND, MDE_READING_NOW},
      [STEP_SECOND_WAIT] = {MDE_WANT_SLEEP, MDE_PHASE_FIND, MDE_READING_OWN},
      [STEP_SECOND_FIND] = {MDE_WANT_HISTORY, MDE_PHASE_FIND, MDE_READING_NOW},
      [STEP_OWN_FIND] = {MDE_WANT_HISTORY, MDE_PHASE_FIND, MDE_READING_OWN},
      [STEP_FIRST_END] = {MDE_WANT_END, MDE_PHASE_FIND, MDE_READING_OWN},
      [STEP_SECOND_END] = {MDE_WANT_END, MDE_PHASE_FIND, MDE_READING_OWN},
      [STEP_RESEND] = {MDE_WANT_SEND, MDE_PHASE_FIND, MDE_READING_OWN},
      [STEP_RESEND_FIND] = {MDE_WANT_HISTORY, MDE_PHASE_FIND, MDE_READING_NOW},
      [STEP_ENDED] = {MDE_WANT_NOTHING, MDE_PHASE_FIND, MDE_READING_OWN},
  };
  struct mde_wanted wanted = {.want = wants[change->step].want,
                              .phase = wants[change->step].phase,
                              .reading = wants[change->step].reading};
  if (change->step == STEP_LOOK) wanted.reading = (enum mde_reading)change->reading;
  if (change->step == STEP_FIRST_WAIT) wanted.wait = MDE_CHANGE_FIRST_WAIT_TICKS;
  if (change->step == STEP_SECOND_WAIT) wanted.wait = MDE_CHANGE_SECOND_WAIT_TICKS;
  return wanted;
}

static bool is_one_of(int value, int first, int last)
{
  return value >= first && value <= last;
}

bool mde_change_is_valid(const struct mde_change *change)
{
  bool has_left = change->sends > 0 || change->in_flight;
  bool is_finding = is_one_of(change->step, STEP_ACTIVE, STEP_RESEND_FIND);
  return is_one_of(change->step, STEP_LOOK, STEP_ENDED) &&
         (change->after_slot == STEP_SEND || change->after_slot == STEP_CANCEL) &&
         is_one_of(change->fate, MDE_FATE_ACCEPTED, MDE_FATE_UNKNOWN) &&
         is_one_of(change->reason, MDE_REASON_NONE, MDE_REASON_DIFFERENT) &&
         is_one_of(change->reading, MDE_READING_CACHED, MDE_READING_OWN) &&
         is_one_of(change->cancels, 0, MDE_CHANGE_MAX_CANCELS) &&
         is_one_of(change->sends, 0, MAX_SENDS) && mde_seen_is_valid(&change->seen) &&
         (change->step != STEP_SENDING || change->in_flight) &&
         (!change->in_flight || change->step == STEP_SENDING || change->step == STEP_ENDED) &&
         change->may_have_arrived == (change->sends > 0) && (!is_finding || change->sends > 0) &&
         (!has_left || change->has_slot) && (!change->was_told || change->sends > 0);
}

struct mde_result mde_change_result(const struct mde_change *change)
{
  bool may_have_arrived = change->may_have_arrived || change->in_flight;
  struct mde_result result = {
      .fate = (enum mde_fate)change->fate,
      .reason = (enum mde_reason)change->reason,
      .sends = change->sends,
      .looked = change->looked,
      .recorded = change->recorded,
      .reconciled = change->reconciled,
      .comment_cut = change->comment_cut,
      .slot = !change->has_slot  ? MDE_SLOT_NONE
              : may_have_arrived ? MDE_SLOT_COUNT
                                 : MDE_SLOT_RETURN,
  };
  if (change->step != STEP_ENDED) {
    bool is_sent = change->sends > 0 || change->in_flight;
    result.fate = is_sent ? MDE_FATE_UNKNOWN : MDE_FATE_NOT_SENT;
    result.reason = MDE_REASON_STOPPED;
  }
  return result;
}
