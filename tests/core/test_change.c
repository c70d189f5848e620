/*
 * change: what the exploration cannot see, since it has no clock: which list will do, how long it
 * waits, what is kept of the time of a lost send; and a few whole lives in a row. Tables, and so
 * longer than other files.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "change.h"
#include "timestamp.h"

#define RESTRICT (&mde_responses[MDE_RESPONSE_RESTRICT])
#define RELEASE (&mde_responses[MDE_RESPONSE_RELEASE])

#define SECOND MDE_TICKS_PER_SECOND
#define SERVICE (1000000 * SECOND) /* the service's time when the other clock says 0 */

static struct mde_text text(const char *s)
{
  return (struct mde_text){s, s == NULL ? 0 : strlen(s)};
}

static struct mde_order order_of(const struct mde_response *response)
{
  return (struct mde_order){.response = response,
                            .machine = text("0123456789abcdef0123456789abcdef01234567"),
                            .operation = text("ours-0001"),
                            .comment = text("beacon to known C2 [mde:ours-0001]"),
                            .look = true,
                            .resend = true,
                            .decided_at = MDE_NO_TIME,
                            .withdrawn_since = MDE_NO_TIME};
}

static struct mde_moment at(int64_t seconds)
{
  return (struct mde_moment){.now = seconds * SECOND, .sent_at = SERVICE + seconds * SECOND};
}

static struct mde_action action(int n, const struct mde_response *response, enum mde_status status,
                                int64_t created)
{
  struct mde_action one = {.counts = true,
                           .has_id = true,
                           .response = response,
                           .status = status,
                           .created = SERVICE + created * SECOND,
                           .updated = SERVICE + created * SECOND,
                           .comment = {.text = text("by hand")},
                           .returned = text("by hand")};
  one.id.bytes[0] = (unsigned char)n;
  return one;
}

static int tell_list(struct mde_change *change, const struct mde_order *order,
                     struct mde_action *actions, size_t count, unsigned flags, int64_t seconds)
{
  size_t about;
  size_t overturned;
  struct mde_list list = {.flags = flags,
                          .read_at = seconds * SECOND,
                          .told_at = seconds * SECOND,
                          .began_at = SERVICE};
  return mde_change_history(change, order, actions, count, &list, &about, &overturned);
}

static void tell(struct mde_change *change, const struct mde_order *order, enum mde_event event,
                 int64_t seconds)
{
  assert_int_equal(MDE_CHANGE_OK, mde_change_tell(change, order, event, at(seconds)));
}

static void assert_wants(const struct mde_change *change, enum mde_want want, enum mde_phase phase)
{
  struct mde_wanted wanted = mde_change_next(change);
  assert_int_equal(want, wanted.want);
  assert_int_equal(phase, wanted.phase);
}

static void begin(struct mde_change *change, const struct mde_order *order)
{
  mde_change_begin(change, order, 0);
  assert_wants(change, MDE_WANT_HISTORY, MDE_PHASE_LOOK);
}

static void send_after_look(struct mde_change *change, const struct mde_order *order)
{
  begin(change, order);
  assert_int_equal(MDE_CHANGE_OK, tell_list(change, order, NULL, 0, 0, 1));
  assert_true(mde_change_result(change).looked);
  tell(change, order, MDE_EVENT_SLOT_TAKEN, 1);
  assert_wants(change, MDE_WANT_SEND, MDE_PHASE_SEND);
}

static void the_first_look_takes_a_list_for_others_unless_the_call_has_a_key(void **state)
{
  (void)state;
  struct mde_change change;
  struct mde_order order = order_of(RESTRICT);
  begin(&change, &order);
  assert_int_equal(MDE_READING_CACHED, mde_change_next(&change).reading);
  order.keyed = true;
  begin(&change, &order);
  assert_int_equal(MDE_READING_OWN, mde_change_next(&change).reading);
  order.keyed = false;
  order.decided_at = SERVICE;
  begin(&change, &order);
  assert_int_equal(MDE_READING_CACHED, mde_change_next(&change).reading);
}

/* Where a list for others says that somebody has decided otherwise, the device's own is read. */
static void a_decision_in_a_list_for_others_is_read_again(void **state)
{
  (void)state;
  struct mde_change change;
  struct mde_order order = order_of(RESTRICT);
  order.decided_at = SERVICE;
  struct mde_action list[] = {action(1, RELEASE, MDE_STATUS_SUCCEEDED, 10)};
  begin(&change, &order);
  tell_list(&change, &order, list, 1, MDE_LIST_CACHED, 1);
  assert_wants(&change, MDE_WANT_HISTORY, MDE_PHASE_LOOK);
  assert_int_equal(MDE_READING_OWN, mde_change_next(&change).reading);
  tell_list(&change, &order, list, 1, 0, 1);
  assert_int_equal(MDE_WANT_NOTHING, mde_change_next(&change).want);
  assert_int_equal(MDE_FATE_SUPERSEDED, mde_change_result(&change).fate);
}

/* By what a list for others cannot tell, its own is asked for. */
static void what_a_list_for_others_does_not_tell_is_read_again(void **state)
{
  (void)state;
  struct mde_order order = order_of(RESTRICT);
  struct mde_action list[] = {{.is_unidentified = true},
                              action(1, RESTRICT, MDE_STATUS_FAILED, -100)};
  struct mde_change change;
  begin(&change, &order);
  tell_list(&change, &order, list, 2, MDE_LIST_CACHED, 1);
  assert_wants(&change, MDE_WANT_HISTORY, MDE_PHASE_LOOK);
  assert_int_equal(MDE_READING_OWN, mde_change_next(&change).reading);
  assert_false(mde_change_result(&change).looked);
}

/* What cannot be identified may be what was done under the key. */
static void what_an_incomplete_list_may_tell_otherwise_is_not_sent(void **state)
{
  (void)state;
  struct mde_order order = order_of(RESTRICT);
  order.keyed = true;
  struct mde_action unidentified = {.is_unidentified = true};
  struct mde_change change;
  begin(&change, &order);
  tell_list(&change, &order, &unidentified, 1, 0, 1);
  assert_wants(&change, MDE_WANT_NOTHING, MDE_PHASE_FIND);
  assert_int_equal(MDE_FATE_NOT_SENT, mde_change_result(&change).fate);
  assert_int_equal(MDE_REASON_INCOMPLETE, mde_change_result(&change).reason);
}

/* It is lost, and the lists do not show it: unless it is what cannot be identified. */
static void what_an_incomplete_list_does_not_show_is_not_sent_again(void **state)
{
  (void)state;
  for (int which = 0; which < 2; which++) {
    struct mde_order order = order_of(RESTRICT);
    struct mde_change change;
    send_after_look(&change, &order);
    tell(&change, &order, MDE_EVENT_SENDING, 2);
    tell(&change, &order, MDE_EVENT_LOST, 3);
    for (int i = 0; i < 2; i++) {
      tell(&change, &order, MDE_EVENT_SLEPT, 4 + i);
      struct mde_action unidentified = {.is_unidentified = true};
      tell_list(&change, &order, &unidentified, i == which ? 1 : 0, 0, 4 + i);
    }
    assert_wants(&change, MDE_WANT_NOTHING, MDE_PHASE_FIND);
    assert_int_equal(MDE_FATE_UNKNOWN, mde_change_result(&change).fate);
    assert_int_equal(MDE_REASON_INCOMPLETE, mde_change_result(&change).reason);
    assert_int_equal(MDE_SLOT_COUNT, mde_change_result(&change).slot);
  }
}

static void what_stands_in_the_way_in_a_cached_list_is_read_again(void **state)
{
  (void)state;
  static const struct {
    const struct mde_response *response;
    enum mde_status status;
    unsigned flags;
    enum mde_want want;
  } rows[] = {
      {RELEASE, MDE_STATUS_PENDING, MDE_LIST_CACHED, MDE_WANT_HISTORY},
      {RELEASE, MDE_STATUS_PENDING, 0, MDE_WANT_NOTHING},
      {RESTRICT, MDE_STATUS_PENDING, MDE_LIST_CACHED, MDE_WANT_NOTHING},
      {RESTRICT, MDE_STATUS_PENDING, MDE_LIST_CACHED | MDE_LIST_SINGLE, MDE_WANT_HISTORY},
      {RESTRICT, MDE_STATUS_SUCCEEDED, MDE_LIST_CACHED | MDE_LIST_SINGLE, MDE_WANT_HISTORY},
      {RESTRICT, MDE_STATUS_SUCCEEDED, MDE_LIST_CACHED, MDE_WANT_NOTHING},
      {RELEASE, MDE_STATUS_SUCCEEDED, MDE_LIST_CACHED | MDE_LIST_SINGLE, MDE_WANT_SLOT},
  };
  struct mde_order order = order_of(RESTRICT);
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    struct mde_change change;
    begin(&change, &order);
    struct mde_action one = action(1, rows[i].response, rows[i].status, -100);
    assert_int_equal(MDE_CHANGE_OK, tell_list(&change, &order, &one, 1, rows[i].flags, 1));
    assert_int_equal(rows[i].want, mde_change_next(&change).want);
    if (mde_change_result(&change).fate == MDE_FATE_CONFLICT)
      assert_int_equal(MDE_REASON_OPPOSITE, mde_change_result(&change).reason);
    if (rows[i].want == MDE_WANT_HISTORY) {
      assert_int_equal(MDE_READING_OWN, mde_change_next(&change).reading);
      assert_false(mde_change_result(&change).looked);
    }
  }
}

static void a_look_is_too_old_after_a_minute(void **state)
{
  (void)state;
  struct mde_order order = order_of(RESTRICT);
  struct mde_change change;
  send_after_look(&change, &order);
  assert_int_equal(MDE_CHANGE_OK, mde_change_tell(&change, &order, MDE_EVENT_SENDING, at(61)));
  send_after_look(&change, &order);
  struct mde_moment later = at(61);
  later.now++;
  assert_int_equal(MDE_CHANGE_STALE, mde_change_tell(&change, &order, MDE_EVENT_SENDING, later));
  assert_wants(&change, MDE_WANT_HISTORY, MDE_PHASE_LOOK);
  assert_int_equal(MDE_READING_CACHED, mde_change_next(&change).reading);
  send_after_look(&change, &order);
  assert_int_equal(MDE_CHANGE_STALE,
                   mde_change_tell(&change, &order, MDE_EVENT_SENDING_LATER, at(2)));
  assert_int_equal(MDE_READING_OWN, mde_change_next(&change).reading);
  assert_int_equal(MDE_SLOT_RETURN, mde_change_result(&change).slot);
}

/* What nobody has looked at cannot become old. */
static void an_unseen_send_is_never_too_old(void **state)
{
  (void)state;
  struct mde_order order = order_of(RESTRICT);
  order.look = false;
  struct mde_change change;
  mde_change_begin(&change, &order, 0);
  tell(&change, &order, MDE_EVENT_SLOT_TAKEN, 1);
  tell(&change, &order, MDE_EVENT_SENDING_LATER, 100000);
  assert_wants(&change, MDE_WANT_SEND, MDE_PHASE_SEND);
  order.dry_run = true;
  mde_change_begin(&change, &order, 0);
  assert_int_equal(MDE_FATE_WOULD_SEND, mde_change_result(&change).fate);
}

static void lose(struct mde_change *change, const struct mde_order *order, int64_t seconds)
{
  tell(change, order, MDE_EVENT_SENDING, seconds);
  tell(change, order, MDE_EVENT_LOST, seconds);
}

static void it_waits_2_s_and_5_s_before_it_looks_for_a_lost_send(void **state)
{
  (void)state;
  struct mde_order order = order_of(RESTRICT);
  struct mde_change change;
  send_after_look(&change, &order);
  lose(&change, &order, 2);
  assert_wants(&change, MDE_WANT_SLEEP, MDE_PHASE_FIND);
  assert_int_equal(2 * SECOND, mde_change_next(&change).wait);
  tell(&change, &order, MDE_EVENT_SLEPT, 4);
  assert_wants(&change, MDE_WANT_HISTORY, MDE_PHASE_FIND);
  assert_int_equal(MDE_READING_NOW, mde_change_next(&change).reading);
  assert_int_equal(MDE_CHANGE_OK, tell_list(&change, &order, NULL, 0, 0, 4));
  assert_int_equal(5 * SECOND, mde_change_next(&change).wait);
  tell(&change, &order, MDE_EVENT_SLEPT, 9);
  assert_int_equal(MDE_CHANGE_OK, tell_list(&change, &order, NULL, 0, MDE_LIST_SHARED, 9));
  assert_wants(&change, MDE_WANT_HISTORY, MDE_PHASE_FIND);
  assert_int_equal(MDE_READING_OWN, mde_change_next(&change).reading);
  assert_int_equal(MDE_CHANGE_OK, tell_list(&change, &order, NULL, 0, 0, 10));
  assert_wants(&change, MDE_WANT_SEND, MDE_PHASE_FIND);
  assert_int_equal(1, mde_change_result(&change).sends);
  assert_int_equal(MDE_FATE_UNKNOWN, mde_change_result(&change).fate);
}

/* Before it is sent again after a while, it is looked for once more. */
static void a_second_send_is_too_old_after_a_minute(void **state)
{
  (void)state;
  struct mde_order order = order_of(RESTRICT);
  struct mde_change change;
  send_after_look(&change, &order);
  lose(&change, &order, 2);
  for (int i = 0; i < 2; i++) {
    tell(&change, &order, MDE_EVENT_SLEPT, 9);
    assert_int_equal(MDE_CHANGE_OK, tell_list(&change, &order, NULL, 0, 0, 9));
  }
  struct mde_change in_time = change;
  tell(&in_time, &order, MDE_EVENT_SENDING, 69);
  assert_int_equal(MDE_CHANGE_STALE, mde_change_tell(&change, &order, MDE_EVENT_SENDING, at(70)));
  assert_wants(&change, MDE_WANT_HISTORY, MDE_PHASE_FIND);
  assert_int_equal(MDE_CHANGE_OK, tell_list(&change, &order, NULL, 0, 0, 70));
  tell(&change, &order, MDE_EVENT_SENDING, 130);
  tell(&change, &order, MDE_EVENT_NOT_SENT, 130);
  assert_int_equal(MDE_REASON_NOT_RESENT, mde_change_result(&change).reason);
  assert_int_equal(MDE_SLOT_COUNT, mde_change_result(&change).slot);
}

/* Where nothing was looked at, only the time of the send tells what came before it. */
static void an_unseen_send_is_told_from_others_by_the_time_of_the_first(void **state)
{
  (void)state;
  struct mde_order order = order_of(RESTRICT);
  order.look = false;
  static const struct {
    int64_t created;
    enum mde_reason reason;
  } rows[] = {
      {-300, MDE_REASON_UNCLEAR},
      {1301, MDE_REASON_DECIDED_ON_LOSS},
      {1299, MDE_REASON_UNCLEAR},
      {1300, MDE_REASON_UNCLEAR},
  };
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    struct mde_change change;
    mde_change_begin(&change, &order, 0);
    tell(&change, &order, MDE_EVENT_SLOT_TAKEN, 1);
    lose(&change, &order, i == 0 ? 0 : 1000);
    tell(&change, &order, MDE_EVENT_SLEPT, 1002);
    struct mde_action one = action(1, RELEASE, MDE_STATUS_SUCCEEDED, rows[i].created);
    assert_int_equal(MDE_CHANGE_OK, tell_list(&change, &order, &one, 1, 0, 1002));
    assert_int_equal(rows[i].reason, mde_change_result(&change).reason);
  }
}

/* A first look that comes a minute after the call began has seen what is older than the call. */
static void a_late_first_look_has_not_seen_what_came_since_the_call(void **state)
{
  (void)state;
  static const struct {
    int64_t looks, created;
    enum mde_fate fate;
  } rows[] = {
      {60, 3000, MDE_FATE_NOT_SENT}, /* in time: seen, whatever the clocks say */
      {61, 3000, MDE_FATE_SUPERSEDED}, {61, 301, MDE_FATE_SUPERSEDED},
      {61, 300, MDE_FATE_NOT_SENT}, /* the clocks may be 5 minutes apart */
      {61, -3000, MDE_FATE_NOT_SENT},
  };
  struct mde_order order = order_of(RESTRICT);
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    struct mde_change change;
    begin(&change, &order);
    struct mde_action one = action(1, RELEASE, MDE_STATUS_SUCCEEDED, rows[i].created);
    assert_int_equal(MDE_CHANGE_OK, tell_list(&change, &order, &one, 1, 0, rows[i].looks));
    assert_int_equal(rows[i].fate, mde_change_result(&change).fate);
  }
}

/* A call of the same client that began earlier has decided knowing of it. */
static void what_the_caller_knew_does_not_overtake_him(void **state)
{
  (void)state;
  struct mde_order order = order_of(RESTRICT);
  struct mde_action one = action(1, RELEASE, MDE_STATUS_SUCCEEDED, 3000);
  for (int knew = 0; knew < 2; knew++) {
    struct mde_change change;
    begin(&change, &order);
    if (knew) mde_change_see(&change, one.id, MDE_STATUS_PENDING);
    assert_int_equal(MDE_CHANGE_OK, tell_list(&change, &order, &one, 1, 0, 100));
    assert_int_equal(knew ? MDE_FATE_NOT_SENT : MDE_FATE_SUPERSEDED,
                     mde_change_result(&change).fate);
  }
}

static void ten_opposite_actions_are_cancelled_and_no_more(void **state)
{
  (void)state;
  struct mde_order order = order_of(RELEASE);
  order.cancel_opposite = true;
  struct mde_change change;
  begin(&change, &order);
  int cancels = 0;
  struct mde_action actions[32];
  for (int i = 0; mde_change_next(&change).want == MDE_WANT_HISTORY; i++) {
    actions[i] = action(i + 1, RESTRICT, MDE_STATUS_PENDING, -100 + i);
    change.has_seen = false; /* each was there before the call */
    assert_int_equal(MDE_CHANGE_OK, tell_list(&change, &order, actions, (size_t)i + 1, 0, 1));
    if (i == 0) tell(&change, &order, MDE_EVENT_SLOT_TAKEN, 1);
    if (mde_change_next(&change).want != MDE_WANT_CANCEL) break;
    cancels++;
    tell(&change, &order, MDE_EVENT_CANCELLED, 1);
    assert_wants(&change, MDE_WANT_END, MDE_PHASE_LOOK);
    tell(&change, &order, MDE_EVENT_ENDED, 1);
    actions[i].status = MDE_STATUS_FAILED;
  }
  assert_int_equal(MDE_CHANGE_MAX_CANCELS, cancels);
  assert_int_equal(MDE_REASON_CANCELS, mde_change_result(&change).reason);
}

static void a_decision_since_the_caller_s_own_supersedes_it(void **state)
{
  (void)state;
  static const struct {
    const struct mde_response *response;
    enum mde_status status;
    int64_t created; /* seconds before or after the caller decided */
    bool is_timed;
    enum mde_fate fate;
    enum mde_reason reason;
  } rows[] = {
      {RELEASE, MDE_STATUS_SUCCEEDED, 0, true, MDE_FATE_SUPERSEDED, MDE_REASON_DECIDED},
      {RELEASE, MDE_STATUS_SUCCEEDED, -1, true, MDE_FATE_NOT_SENT, MDE_REASON_STOPPED},
      {RELEASE, MDE_STATUS_PENDING, 5, true, MDE_FATE_SUPERSEDED, MDE_REASON_DECIDED},
      {RELEASE, MDE_STATUS_PENDING, -5, true, MDE_FATE_CONFLICT, MDE_REASON_OPPOSITE},
      {RELEASE, MDE_STATUS_FAILED, 5, true, MDE_FATE_SUPERSEDED, MDE_REASON_DECIDED},
      {RELEASE, MDE_STATUS_CANCELLED, 5, true, MDE_FATE_NOT_SENT, MDE_REASON_STOPPED},
      {RELEASE, MDE_STATUS_SUCCEEDED, 0, false, MDE_FATE_CONFLICT, MDE_REASON_UNTIMED},
      {RESTRICT, MDE_STATUS_CANCELLED, 5, true, MDE_FATE_SUPERSEDED, MDE_REASON_DECIDED},
      {RESTRICT, MDE_STATUS_CANCELLED, -5, true, MDE_FATE_NOT_SENT, MDE_REASON_STOPPED},
      {RESTRICT, MDE_STATUS_CANCELLED, 0, false, MDE_FATE_NOT_SENT, MDE_REASON_STOPPED},
      {RESTRICT, MDE_STATUS_SUCCEEDED, 5, true, MDE_FATE_ALREADY_ACTIVE, MDE_REASON_NONE},
  };
  struct mde_order order = order_of(RESTRICT);
  order.decided_at = SERVICE - 1000 * SECOND;
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    struct mde_change change;
    begin(&change, &order);
    struct mde_action one = action(1, rows[i].response, rows[i].status, -1000 + rows[i].created);
    if (!rows[i].is_timed) one.created = one.updated = MDE_NO_TIME;
    assert_int_equal(MDE_CHANGE_OK, tell_list(&change, &order, &one, 1, 0, 1));
    assert_int_equal(rows[i].fate, mde_change_result(&change).fate);
    assert_int_equal(rows[i].reason, mde_change_result(&change).reason);
  }
  /* Nothing is sent where that cannot be read. */
  struct mde_change change;
  begin(&change, &order);
  tell(&change, &order, MDE_EVENT_UNREADABLE, 1);
  assert_int_equal(MDE_REASON_UNREADABLE, mde_change_result(&change).reason);
}

/* Told by a list of all devices, too: it is left as it is. */
static void what_somebody_has_taken_back_is_not_repeated(void **state)
{
  (void)state;
  struct mde_order order = order_of(RESTRICT);
  order.withdrawn_since = SERVICE - 3600 * SECOND;
  struct mde_action actions[] = {action(1, RESTRICT, MDE_STATUS_SUCCEEDED, -600),
                                 action(2, RELEASE, MDE_STATUS_SUCCEEDED, -300)};
  actions[0].comment = mde_comment_parse(text("beacon to known C2 [mde:ours-0000]"));
  for (int cached = 0; cached < 2; cached++) {
    struct mde_change change;
    begin(&change, &order);
    unsigned flags = cached ? MDE_LIST_CACHED : 0;
    assert_int_equal(MDE_CHANGE_OK, tell_list(&change, &order, actions, 2, flags, 1));
    assert_int_equal(MDE_WANT_NOTHING, mde_change_next(&change).want);
    assert_int_equal(MDE_FATE_SUPERSEDED, mde_change_result(&change).fate);
    assert_int_equal(MDE_REASON_WITHDRAWN, mde_change_result(&change).reason);
  }
  /* Containing matters more than that: where it cannot be read it is sent. */
  struct mde_change change;
  begin(&change, &order);
  tell(&change, &order, MDE_EVENT_UNREADABLE, 1);
  assert_int_equal(MDE_WANT_SLOT, mde_change_next(&change).want);
  order.withdrawn_since = MDE_NO_TIME;
  begin(&change, &order);
  assert_int_equal(MDE_CHANGE_OK, tell_list(&change, &order, actions, 2, 0, 1));
  assert_int_equal(MDE_WANT_SLOT, mde_change_next(&change).want);
}

static void only_a_restrict_that_undoes_nothing_is_sent_unseen(void **state)
{
  (void)state;
  static const struct {
    const struct mde_response *response;
    bool keyed, decided, dry_run;
    enum mde_fate fate;
    enum mde_want want;
  } rows[] = {
      {RESTRICT, false, false, false, MDE_FATE_NOT_SENT, MDE_WANT_SLOT},
      {RESTRICT, true, false, false, MDE_FATE_NOT_SENT, MDE_WANT_NOTHING},
      {RESTRICT, false, true, false, MDE_FATE_NOT_SENT, MDE_WANT_NOTHING},
      {RELEASE, false, false, false, MDE_FATE_NOT_SENT, MDE_WANT_NOTHING},
      {RESTRICT, false, false, true, MDE_FATE_WOULD_SEND, MDE_WANT_NOTHING},
  };
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    struct mde_order order = order_of(rows[i].response);
    order.keyed = rows[i].keyed;
    order.dry_run = rows[i].dry_run;
    if (rows[i].decided) order.decided_at = SERVICE;
    struct mde_change change;
    begin(&change, &order);
    tell(&change, &order, MDE_EVENT_UNREADABLE, 1);
    assert_int_equal(rows[i].want, mde_change_next(&change).want);
    assert_int_equal(rows[i].fate, mde_change_result(&change).fate);
    assert_false(mde_change_result(&change).looked);
  }
}

static void an_answer_is_ours_or_another_s_or_none(void **state)
{
  (void)state;
  static const struct {
    const char *id, *type, *status, *comment;
    bool seen;
    enum mde_want want;
    enum mde_fate fate;
    bool cut, recorded;
  } rows[] = {
#define ID "01000000-0000-0000-0000-000000000000"
#define OURS "beacon to known C2 [mde:INC-1:ours-0001]"
      {ID, "RestrictCodeExecution", "Pending", OURS, false, MDE_WANT_NOTHING, MDE_FATE_ACCEPTED,
       false, true},
      {ID, "RestrictCodeExecution", "Pending", "beacon to known C2", false, MDE_WANT_NOTHING,
       MDE_FATE_ACCEPTED, true, true},
      {ID, "RestrictCodeExecution", "Pending", "by hand", false, MDE_WANT_NOTHING,
       MDE_FATE_ALREADY_ACTIVE, false, false},
      {ID, "RestrictCodeExecution", "Pending", "by hand [mde:INC-1:theirs-01]", false,
       MDE_WANT_NOTHING, MDE_FATE_ALREADY_ACTIVE, false, true},
      {ID, "RestrictCodeExecution", "Pending", OURS, true, MDE_WANT_NOTHING,
       MDE_FATE_ALREADY_ACTIVE, false, true},
      {"x", "RestrictCodeExecution", "Pending", OURS, false, MDE_WANT_NOTHING, MDE_FATE_ACCEPTED,
       false, true},
      {ID, "UnrestrictCodeExecution", "Pending", OURS, false, MDE_WANT_SLEEP, MDE_FATE_UNKNOWN,
       false, true},
      {ID, "RestrictCodeExecution", "Failed", "by hand", false, MDE_WANT_SLEEP, MDE_FATE_UNKNOWN,
       false, true},
  };
  struct mde_order order = order_of(RESTRICT);
  order.incident = text("INC-1");
  order.comment = text(OURS);
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    struct mde_change change;
    begin(&change, &order);
    struct mde_id id = {{1}};
    if (rows[i].seen) mde_change_see(&change, id, MDE_STATUS_PENDING);
    assert_int_equal(MDE_CHANGE_OK, tell_list(&change, &order, NULL, 0, 0, 1));
    tell(&change, &order, MDE_EVENT_SLOT_TAKEN, 1);
    tell(&change, &order, MDE_EVENT_SENDING, 2);
    struct mde_action_text answer = {.id = text(rows[i].id),
                                     .type = text(rows[i].type),
                                     .status = text(rows[i].status),
                                     .comment = text(rows[i].comment)};
    assert_int_equal(MDE_CHANGE_OK, mde_change_answer(&change, &order, &answer, at(2)));
    struct mde_result result = mde_change_result(&change);
    assert_int_equal(rows[i].want, mde_change_next(&change).want);
    assert_int_equal(rows[i].fate, result.fate);
    assert_int_equal(rows[i].cut, result.comment_cut);
    assert_int_equal(rows[i].recorded, result.recorded);
    assert_int_equal(1, result.sends);
    assert_int_equal(MDE_SLOT_COUNT, result.slot);
    assert_false(result.reconciled);
  }
}

static void what_was_found_in_a_list_says_so_and_whether_it_was_cut(void **state)
{
  (void)state;
  struct mde_order order = order_of(RESTRICT);
  for (int cut = 0; cut < 2; cut++) {
    struct mde_change change;
    send_after_look(&change, &order);
    lose(&change, &order, 2);
    tell(&change, &order, MDE_EVENT_SLEPT, 4);
    struct mde_action one = action(1, RESTRICT, MDE_STATUS_PENDING, 3);
    one.returned = cut ? text("beacon to known C2") : order.comment;
    if (!cut) one.comment.operation = order.operation;
    assert_int_equal(MDE_CHANGE_OK, tell_list(&change, &order, &one, 1, 0, 4));
    struct mde_result result = mde_change_result(&change);
    assert_int_equal(MDE_FATE_ACCEPTED, result.fate);
    assert_true(result.reconciled);
    assert_int_equal(cut, result.comment_cut);
  }
  struct mde_change change;
  send_after_look(&change, &order);
  lose(&change, &order, 2);
  tell(&change, &order, MDE_EVENT_SLEPT, 4);
  struct mde_action other = action(1, RESTRICT, MDE_STATUS_PENDING, 3);
  assert_int_equal(MDE_CHANGE_OK, tell_list(&change, &order, &other, 1, 0, 4));
  assert_int_equal(MDE_FATE_ALREADY_ACTIVE, mde_change_result(&change).fate);
  assert_true(mde_change_result(&change).reconciled);
}

/*
 * An opposite action that was pending before is read until it has ended; then it is looked again.
 */
static void an_opposite_action_is_waited_for_in_each_of_two_looks_and_in_no_other(void **state)
{
  (void)state;
  struct mde_order order = order_of(RESTRICT);
  struct mde_action pending = action(1, RELEASE, MDE_STATUS_PENDING, -10);
  struct mde_action failed = action(1, RELEASE, MDE_STATUS_FAILED, -10);
  for (int look = 0; look < 3; look++) {
    struct mde_change change;
    mde_change_begin(&change, &order, 0);
    mde_change_see(&change, pending.id, MDE_STATUS_PENDING);
    assert_int_equal(MDE_CHANGE_OK, tell_list(&change, &order, &failed, 1, 0, 1));
    tell(&change, &order, MDE_EVENT_SLOT_TAKEN, 1);
    lose(&change, &order, 2);
    for (int before = 0; before < look; before++) {
      if (before < 2) tell(&change, &order, MDE_EVENT_SLEPT, 9);
      assert_int_equal(MDE_CHANGE_OK,
                       tell_list(&change, &order, NULL, 0, look == 2 ? MDE_LIST_SHARED : 0, 9));
    }
    if (look < 2) tell(&change, &order, MDE_EVENT_SLEPT, 9);
    assert_wants(&change, MDE_WANT_HISTORY, MDE_PHASE_FIND);
    assert_int_equal(MDE_CHANGE_OK, tell_list(&change, &order, &pending, 1, 0, 9));
    if (look == 2) {
      assert_int_equal(MDE_REASON_OPPOSITE, mde_change_result(&change).reason);
      assert_wants(&change, MDE_WANT_NOTHING, MDE_PHASE_FIND);
      continue;
    }
    assert_wants(&change, MDE_WANT_END, MDE_PHASE_FIND);
    struct mde_change late = change;
    tell(&late, &order, MDE_EVENT_OPEN, 9);
    assert_int_equal(MDE_REASON_OPPOSITE, mde_change_result(&late).reason);
    tell(&change, &order, MDE_EVENT_ENDED, 9);
    assert_wants(&change, MDE_WANT_HISTORY, MDE_PHASE_FIND);
    assert_int_equal(MDE_CHANGE_OK, tell_list(&change, &order, &failed, 1, 0, 9));
    /* The first look is followed by a second, the second by a send. */
    assert_int_equal(look == 0 ? MDE_WANT_SLEEP : MDE_WANT_SEND, mde_change_next(&change).want);
  }
}

/* The service says that one is active: whose, the device's own list tells. */
static void what_the_service_says_is_active_is_looked_for(void **state)
{
  (void)state;
  static const struct {
    const struct mde_response *response;
    enum mde_status status;
    bool with_opposite, ours;
    enum mde_fate fate;
    enum mde_reason reason;
  } rows[] = {
      {RESTRICT, MDE_STATUS_PENDING, false, false, MDE_FATE_ALREADY_ACTIVE, MDE_REASON_NONE},
      {RESTRICT, MDE_STATUS_PENDING, true, false, MDE_FATE_ALREADY_ACTIVE, MDE_REASON_NONE},
      {RESTRICT, MDE_STATUS_PENDING, true, true, MDE_FATE_ACCEPTED, MDE_REASON_NONE},
      {RELEASE, MDE_STATUS_PENDING, false, false, MDE_FATE_CONFLICT, MDE_REASON_OPPOSITE},
      {RELEASE, MDE_STATUS_FAILED, false, false, MDE_FATE_REFUSED, MDE_REASON_NOT_SHOWN},
      {RESTRICT, MDE_STATUS_SUCCEEDED, false, false, MDE_FATE_ALREADY_ACTIVE, MDE_REASON_NONE},
  };
  struct mde_order order = order_of(RESTRICT);
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    struct mde_change change;
    send_after_look(&change, &order);
    tell(&change, &order, MDE_EVENT_SENDING, 2);
    tell(&change, &order, MDE_EVENT_ACTIVE, 2);
    assert_wants(&change, MDE_WANT_HISTORY, MDE_PHASE_FIND);
    assert_int_equal(MDE_READING_OWN, mde_change_next(&change).reading);
    struct mde_action actions[] = {action(1, rows[i].response, rows[i].status, 1),
                                   action(2, RELEASE, MDE_STATUS_PENDING, -50)};
    mde_change_see(&change, actions[1].id, MDE_STATUS_PENDING);
    if (!rows[i].ours) mde_change_see(&change, actions[0].id, rows[i].status);
    if (rows[i].ours) actions[0].comment.operation = order.operation;
    assert_int_equal(MDE_CHANGE_OK,
                     tell_list(&change, &order, actions, rows[i].with_opposite ? 2 : 1, 0, 3));
    assert_int_equal(rows[i].fate, mde_change_result(&change).fate);
    assert_int_equal(rows[i].reason, mde_change_result(&change).reason);
    assert_int_equal(rows[i].ours, mde_change_result(&change).reconciled);
  }
  struct mde_change change;
  send_after_look(&change, &order);
  tell(&change, &order, MDE_EVENT_SENDING, 2);
  tell(&change, &order, MDE_EVENT_ACTIVE, 2);
  tell(&change, &order, MDE_EVENT_UNREADABLE, 2);
  assert_int_equal(MDE_FATE_REFUSED, mde_change_result(&change).fate);
  assert_int_equal(MDE_REASON_UNREADABLE, mde_change_result(&change).reason);
}

static void what_is_already_active_is_recorded_or_not(void **state)
{
  (void)state;
  struct mde_order order = order_of(RESTRICT);
  order.incident = text("INC-1");
  order.comment = text("beacon to known C2 [mde:INC-1:ours-0001]");
  static const char *const incidents[] = {NULL, "inc-1", "INC-2"};
  for (size_t i = 0; i < 3; i++) {
    struct mde_change change;
    begin(&change, &order);
    struct mde_action one = action(1, RESTRICT, MDE_STATUS_PENDING, -10);
    one.comment.incident = text(incidents[i]);
    assert_int_equal(MDE_CHANGE_OK, tell_list(&change, &order, &one, 1, 0, 1));
    assert_int_equal(MDE_FATE_ALREADY_ACTIVE, mde_change_result(&change).fate);
    assert_int_equal(i == 1, mde_change_result(&change).recorded);
  }
}

static void the_release_that_a_restrict_goes_against_is_named(void **state)
{
  (void)state;
  struct mde_order order = order_of(RESTRICT);
  struct mde_change change;
  begin(&change, &order);
  struct mde_action actions[] = {action(1, RELEASE, MDE_STATUS_SUCCEEDED, -300),
                                 action(2, RELEASE, MDE_STATUS_SUCCEEDED, -200),
                                 action(3, RELEASE, MDE_STATUS_FAILED, -100)};
  size_t about;
  size_t overturned;
  struct mde_list list = {.read_at = SECOND, .told_at = SECOND, .began_at = SERVICE};
  assert_int_equal(MDE_CHANGE_OK,
                   mde_change_history(&change, &order, actions, 3, &list, &about, &overturned));
  assert_int_equal(MDE_NO_ACTION, about);
  assert_int_equal(1, overturned);
}

/* A look that failed becomes old, too, and what was looked at before it is forgotten. */
static void a_look_that_failed_is_made_again_after_a_minute(void **state)
{
  (void)state;
  struct mde_order order = order_of(RESTRICT);
  struct mde_change change;
  begin(&change, &order);
  tell(&change, &order, MDE_EVENT_UNREADABLE, 1);
  tell(&change, &order, MDE_EVENT_SLOT_TAKEN, 1);
  assert_int_equal(MDE_CHANGE_STALE, mde_change_tell(&change, &order, MDE_EVENT_SENDING, at(62)));
  assert_int_equal(MDE_CHANGE_OK, tell_list(&change, &order, NULL, 0, 0, 62));
  assert_true(mde_change_result(&change).looked);
  assert_int_equal(MDE_CHANGE_STALE,
                   mde_change_tell(&change, &order, MDE_EVENT_SENDING_LATER, at(63)));
  tell(&change, &order, MDE_EVENT_UNREADABLE, 63);
  assert_false(mde_change_result(&change).looked);
  tell(&change, &order, MDE_EVENT_SENDING, 63);
  tell(&change, &order, MDE_EVENT_NOT_SENT, 63);
  assert_int_equal(MDE_SLOT_RETURN, mde_change_result(&change).slot);
}

/* Once for each attempt it is looked again for its age; a look may take longer than it keeps. */
static void a_look_that_takes_a_minute_does_not_keep_it_for_ever(void **state)
{
  (void)state;
  struct mde_order order = order_of(RESTRICT);
  struct mde_change change;
  send_after_look(&change, &order);
  assert_int_equal(MDE_CHANGE_STALE, mde_change_tell(&change, &order, MDE_EVENT_SENDING, at(62)));
  assert_int_equal(MDE_CHANGE_OK, tell_list(&change, &order, NULL, 0, 0, 62));
  tell(&change, &order, MDE_EVENT_SENDING, 200);
  assert_int_equal(MDE_CHANGE_STALE, mde_change_tell(&change, &order, MDE_EVENT_SENDING, at(300)));
}

/* It is late by the clock that began somewhere, not at 0. */
static void a_first_look_in_time_has_seen_all(void **state)
{
  (void)state;
  struct mde_order order = order_of(RESTRICT);
  struct mde_change change;
  mde_change_begin(&change, &order, 5000 * SECOND);
  struct mde_action one = action(1, RELEASE, MDE_STATUS_SUCCEEDED, 3000);
  assert_int_equal(MDE_CHANGE_OK, tell_list(&change, &order, &one, 1, 0, 5001));
  assert_wants(&change, MDE_WANT_SLOT, MDE_PHASE_SEND);
}

/* Under a key, an answer that is older than the send is what was done under it before. */
static void an_answer_under_a_key_may_be_an_older_one(void **state)
{
  (void)state;
  struct mde_order order = order_of(RESTRICT);
  order.keyed = true;
  static const struct {
    const char *created;
    enum mde_fate fate;
  } rows[] = {{"1970-01-12T13:00:00Z", MDE_FATE_ALREADY_ACTIVE},
              {"1970-01-12T13:46:30Z", MDE_FATE_ACCEPTED}};
  for (size_t i = 0; i < 2; i++) {
    struct mde_change change;
    send_after_look(&change, &order);
    tell(&change, &order, MDE_EVENT_SENDING, 2);
    struct mde_action_text answer = {.id = text(ID),
                                     .type = text("RestrictCodeExecution"),
                                     .status = text("Pending"),
                                     .comment = order.comment,
                                     .created = text(rows[i].created)};
    assert_int_equal(MDE_CHANGE_OK, mde_change_answer(&change, &order, &answer, at(2)));
    assert_int_equal(rows[i].fate, mde_change_result(&change).fate);
  }
}

static void a_refused_send_has_left(void **state)
{
  (void)state;
  struct mde_order order = order_of(RESTRICT);
  struct mde_change change;
  send_after_look(&change, &order);
  tell(&change, &order, MDE_EVENT_SENDING, 2);
  tell(&change, &order, MDE_EVENT_REFUSED, 3);
  assert_int_equal(MDE_FATE_REFUSED, mde_change_result(&change).fate);
  assert_int_equal(1, mde_change_result(&change).sends);
  assert_int_equal(MDE_SLOT_COUNT, mde_change_result(&change).slot);
  assert_false(change.in_flight);
}

static void what_has_not_left_has_no_end_but_that(void **state)
{
  (void)state;
  struct mde_order order = order_of(RESTRICT);
  static const enum mde_event ends[] = {MDE_EVENT_REFUSED, MDE_EVENT_ACTIVE, MDE_EVENT_LOST};
  struct mde_change change;
  send_after_look(&change, &order);
  for (size_t i = 0; i < 3; i++)
    assert_int_equal(MDE_CHANGE_UNASKED, mde_change_tell(&change, &order, ends[i], at(2)));
  tell(&change, &order, MDE_EVENT_NOT_SENT, 2);
  assert_int_equal(MDE_FATE_NOT_SENT, mde_change_result(&change).fate);
  assert_int_equal(MDE_REASON_NONE, mde_change_result(&change).reason);
  assert_int_equal(MDE_SLOT_RETURN, mde_change_result(&change).slot);
}

/* The result says whether something may have arrived. */
static void it_may_be_stopped_at_any_time(void **state)
{
  (void)state;
  struct mde_order order = order_of(RESTRICT);
  struct mde_change change;
  begin(&change, &order);
  tell(&change, &order, MDE_EVENT_STOPPED, 1);
  assert_int_equal(MDE_REASON_STOPPED, mde_change_result(&change).reason);
  assert_int_equal(MDE_SLOT_NONE, mde_change_result(&change).slot);
  send_after_look(&change, &order);
  struct mde_change stopped = change;
  tell(&stopped, &order, MDE_EVENT_STOPPED, 2);
  assert_int_equal(MDE_FATE_NOT_SENT, mde_change_result(&stopped).fate);
  assert_int_equal(MDE_SLOT_RETURN, mde_change_result(&stopped).slot);
  tell(&change, &order, MDE_EVENT_SENDING, 2);
  stopped = change;
  tell(&stopped, &order, MDE_EVENT_STOPPED, 2);
  assert_int_equal(MDE_FATE_UNKNOWN, mde_change_result(&stopped).fate);
  assert_int_equal(MDE_REASON_STOPPED, mde_change_result(&stopped).reason);
  assert_int_equal(MDE_SLOT_COUNT, mde_change_result(&stopped).slot);
  tell(&change, &order, MDE_EVENT_LOST, 2);
  stopped = change;
  tell(&stopped, &order, MDE_EVENT_STOPPED, 2);
  assert_int_equal(MDE_REASON_STOPPED, mde_change_result(&stopped).reason);
  for (int i = 0; i < 2; i++) {
    tell(&change, &order, MDE_EVENT_SLEPT, 9);
    assert_int_equal(MDE_CHANGE_OK, tell_list(&change, &order, NULL, 0, 0, 9));
  }
  for (int i = 0; i < 2; i++) {
    stopped = change;
    tell(&stopped, &order, MDE_EVENT_STOPPED, 9);
    assert_int_equal(MDE_FATE_UNKNOWN, mde_change_result(&stopped).fate);
    assert_int_equal(MDE_REASON_NOT_RESENT, mde_change_result(&stopped).reason);
    tell(&change, &order, MDE_EVENT_SENDING, 9);
  }
}

static void what_it_is_told_unasked_changes_nothing(void **state)
{
  (void)state;
  struct mde_order order = order_of(RESTRICT);
  struct mde_change change;
  begin(&change, &order);
  struct mde_change before = change;
  assert_int_equal(MDE_CHANGE_UNASKED, mde_change_tell(&change, &order, MDE_EVENT_LOST, at(1)));
  struct mde_action_text answer = {.id = text("x")};
  assert_int_equal(MDE_CHANGE_UNASKED, mde_change_answer(&change, &order, &answer, at(1)));
  assert_memory_equal(&before, &change, sizeof change);
  tell(&change, &order, MDE_EVENT_STOPPED, 1);
  assert_int_equal(MDE_FATE_NOT_SENT, mde_change_result(&change).fate);
  assert_int_equal(MDE_CHANGE_UNASKED, tell_list(&change, &order, NULL, 0, 0, 1));
}

static void begin_lost(struct mde_change *change, const struct mde_order *order, int sends,
                       bool looked)
{
  struct mde_lost lost = {.sent_at = SERVICE, .sends = sends, .looked = looked};
  mde_change_begin_lost(change, order, &lost, 0);
  assert_wants(change, MDE_WANT_HISTORY, MDE_PHASE_FIND);
}

static void a_lost_send_is_looked_for_in_the_middle(void **state)
{
  (void)state;
  struct mde_change change;
  struct mde_order order = order_of(RESTRICT);
  begin_lost(&change, &order, 1, true);
  assert_int_equal(MDE_FATE_UNKNOWN, mde_change_result(&change).fate);
  assert_int_equal(MDE_SLOT_COUNT, mde_change_result(&change).slot);
  struct mde_action ours = action(1, RESTRICT, MDE_STATUS_PENDING, 1);
  ours.comment.operation = order.operation;
  assert_int_equal(MDE_CHANGE_OK, tell_list(&change, &order, &ours, 1, 0, 1));
  assert_int_equal(MDE_FATE_ACCEPTED, mde_change_result(&change).fate);
  assert_true(mde_change_result(&change).reconciled);
}

static void a_lost_send_is_sent_again_once_in_all(void **state)
{
  (void)state;
  struct mde_order order = order_of(RESTRICT);
  for (int sends = 1; sends <= 2; sends++) {
    struct mde_change change;
    begin_lost(&change, &order, sends, true);
    tell_list(&change, &order, NULL, 0, 0, 1);
    tell(&change, &order, MDE_EVENT_SLEPT, 6);
    tell_list(&change, &order, NULL, 0, 0, 6);
    assert_int_equal(sends == 1 ? MDE_WANT_SEND : MDE_WANT_NOTHING, mde_change_next(&change).want);
  }
}

/* What it had seen is told by ids; without that, by the time of the send. */
static void what_a_lost_send_had_seen_does_not_supersede_it(void **state)
{
  (void)state;
  static const struct {
    bool looked, knew;
    int64_t created;
    enum mde_reason reason;
  } rows[] = {
      {true, true, 3, MDE_REASON_STOPPED},
      {true, false, -1000, MDE_REASON_DECIDED_ON_LOSS},
      {false, false, -1000, MDE_REASON_STOPPED},
      {false, false, 3, MDE_REASON_UNCLEAR},
      {false, false, 1000, MDE_REASON_DECIDED_ON_LOSS},
  };
  struct mde_order order = order_of(RESTRICT);
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    struct mde_change change;
    begin_lost(&change, &order, 1, rows[i].looked);
    struct mde_action release = action(1, RELEASE, MDE_STATUS_SUCCEEDED, rows[i].created);
    if (rows[i].knew) mde_change_see(&change, release.id, release.status);
    tell_list(&change, &order, &release, 1, 0, 1);
    assert_int_equal(rows[i].reason, mde_change_result(&change).reason);
  }
}

static void what_nothing_takes_back_is_sent_unless_one_is_pending(void **state)
{
  (void)state;
  static const struct {
    enum mde_status status;
    enum mde_want want;
  } rows[] = {
      {MDE_STATUS_PENDING, MDE_WANT_NOTHING},
      {MDE_STATUS_SUCCEEDED, MDE_WANT_SLOT},
      {MDE_STATUS_FAILED, MDE_WANT_SLOT},
      {MDE_STATUS_CANCELLED, MDE_WANT_SLOT},
  };
  struct mde_order order = order_of(&mde_responses[MDE_RESPONSE_SCAN]);
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    struct mde_change change;
    begin(&change, &order);
    struct mde_action one = action(1, order.response, rows[i].status, -100);
    tell_list(&change, &order, &one, 1, 0, 1);
    assert_int_equal(rows[i].want, mde_change_next(&change).want);
    if (rows[i].want == MDE_WANT_NOTHING)
      assert_int_equal(MDE_FATE_ALREADY_ACTIVE, mde_change_result(&change).fate);
  }
  struct mde_change change;
  begin(&change, &order);
  tell(&change, &order, MDE_EVENT_UNREADABLE, 1);
  assert_int_equal(MDE_REASON_UNREADABLE, mde_change_result(&change).reason);
}

static void of_several_decisions_the_newest_supersedes(void **state)
{
  (void)state;
  struct mde_order order = order_of(RESTRICT);
  order.decided_at = SERVICE - 1000 * SECOND;
  static const int newest[] = {0, 1};
  for (size_t i = 0; i < 2; i++) {
    struct mde_action actions[] = {action(1, RELEASE, MDE_STATUS_SUCCEEDED, -500 - (int)i * 100),
                                   action(2, RELEASE, MDE_STATUS_SUCCEEDED, -550)};
    struct mde_change change;
    begin(&change, &order);
    struct mde_list list = {.began_at = SERVICE};
    size_t about;
    size_t overturned;
    mde_change_history(&change, &order, actions, 2, &list, &about, &overturned);
    assert_int_equal(MDE_FATE_SUPERSEDED, mde_change_result(&change).fate);
    assert_int_equal(newest[i], about);
  }
}

/* By the numbers of the steps, since bytes from outside have numbers. */
static void what_no_change_can_be_is_not_valid(void **state)
{
  (void)state;
  enum { LOOK = 0, SENDING = 5, ACTIVE = 6, FIRST_WAIT = 7, RESEND_FIND = 15, ENDED = 16 };
  static const struct {
    unsigned char step;
    int sends;
    bool in_flight, may_have_arrived, has_slot, is_valid;
  } rows[] = {
      {LOOK, 0, false, false, false, true},       {LOOK, 0, true, false, true, false},
      {LOOK, 0, false, true, true, false},        {SENDING, 0, true, false, true, true},
      {SENDING, 0, true, false, false, false},    {SENDING, 0, false, false, true, false},
      {ACTIVE, 0, false, false, true, false},     {ACTIVE, 1, false, true, true, true},
      {FIRST_WAIT, 0, false, false, true, false}, {FIRST_WAIT, 1, false, true, true, true},
      {FIRST_WAIT, 1, false, false, true, false}, {FIRST_WAIT, 2, false, true, true, true},
      {FIRST_WAIT, 3, false, true, true, false},  {FIRST_WAIT, -1, false, true, true, false},
      {FIRST_WAIT, 1, true, true, true, false},   {RESEND_FIND, 0, false, false, true, false},
      {RESEND_FIND, 1, false, true, true, true},  {ENDED, 0, true, false, true, true},
      {ENDED, 1, false, true, false, false},      {ENDED, 0, false, false, false, true},
      {ENDED + 1, 0, false, false, false, false},
  };
  struct mde_order order = order_of(RESTRICT);
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    struct mde_change change;
    begin(&change, &order);
    change.step = rows[i].step;
    change.sends = rows[i].sends;
    change.in_flight = rows[i].in_flight;
    change.may_have_arrived = rows[i].may_have_arrived;
    change.has_slot = rows[i].has_slot;
    if (mde_change_is_valid(&change) != rows[i].is_valid) fail_msg("row %zu", i);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_first_look_takes_a_list_for_others_unless_the_call_has_a_key),
      cmocka_unit_test(a_decision_in_a_list_for_others_is_read_again),
      cmocka_unit_test(what_a_list_for_others_does_not_tell_is_read_again),
      cmocka_unit_test(what_an_incomplete_list_may_tell_otherwise_is_not_sent),
      cmocka_unit_test(what_an_incomplete_list_does_not_show_is_not_sent_again),
      cmocka_unit_test(what_stands_in_the_way_in_a_cached_list_is_read_again),
      cmocka_unit_test(a_look_is_too_old_after_a_minute),
      cmocka_unit_test(an_unseen_send_is_never_too_old),
      cmocka_unit_test(it_waits_2_s_and_5_s_before_it_looks_for_a_lost_send),
      cmocka_unit_test(a_second_send_is_too_old_after_a_minute),
      cmocka_unit_test(an_unseen_send_is_told_from_others_by_the_time_of_the_first),
      cmocka_unit_test(a_late_first_look_has_not_seen_what_came_since_the_call),
      cmocka_unit_test(what_the_caller_knew_does_not_overtake_him),
      cmocka_unit_test(ten_opposite_actions_are_cancelled_and_no_more),
      cmocka_unit_test(a_decision_since_the_caller_s_own_supersedes_it),
      cmocka_unit_test(what_somebody_has_taken_back_is_not_repeated),
      cmocka_unit_test(only_a_restrict_that_undoes_nothing_is_sent_unseen),
      cmocka_unit_test(an_answer_is_ours_or_another_s_or_none),
      cmocka_unit_test(what_was_found_in_a_list_says_so_and_whether_it_was_cut),
      cmocka_unit_test(an_opposite_action_is_waited_for_in_each_of_two_looks_and_in_no_other),
      cmocka_unit_test(what_the_service_says_is_active_is_looked_for),
      cmocka_unit_test(what_is_already_active_is_recorded_or_not),
      cmocka_unit_test(the_release_that_a_restrict_goes_against_is_named),
      cmocka_unit_test(a_look_that_failed_is_made_again_after_a_minute),
      cmocka_unit_test(a_look_that_takes_a_minute_does_not_keep_it_for_ever),
      cmocka_unit_test(a_first_look_in_time_has_seen_all),
      cmocka_unit_test(an_answer_under_a_key_may_be_an_older_one),
      cmocka_unit_test(a_refused_send_has_left),
      cmocka_unit_test(what_has_not_left_has_no_end_but_that),
      cmocka_unit_test(it_may_be_stopped_at_any_time),
      cmocka_unit_test(what_it_is_told_unasked_changes_nothing),
      cmocka_unit_test(a_lost_send_is_looked_for_in_the_middle),
      cmocka_unit_test(a_lost_send_is_sent_again_once_in_all),
      cmocka_unit_test(what_a_lost_send_had_seen_does_not_supersede_it),
      cmocka_unit_test(of_several_decisions_the_newest_supersedes),
      cmocka_unit_test(what_no_change_can_be_is_not_valid),
      cmocka_unit_test(what_nothing_takes_back_is_sent_unless_one_is_pending),
  };
  return cmocka_run_group_tests_name("change", tests, NULL, NULL);
}
