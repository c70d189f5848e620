/*
 * order: what a list says of what a caller wants. The histories themselves are test_history.c's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "order.h"
#include "timestamp.h"

#define RESTRICT (&mde_responses[MDE_RESPONSE_RESTRICT])
#define RELEASE (&mde_responses[MDE_RESPONSE_RELEASE])
#define NOW (1000000 * MDE_TICKS_PER_SECOND)
#define AGO(seconds) (NOW - (seconds)*MDE_TICKS_PER_SECOND)

enum { CACHED = MDE_LIST_CACHED, SINGLE = MDE_LIST_CACHED | MDE_LIST_SINGLE };

/* What is asked for besides a plain order. */
enum { KEYED = 1, DECIDED = 2, CANCELS = 4, WITHDRAWN = 8 };

static struct mde_text text(const char *s)
{
  return (struct mde_text){s, s == NULL ? 0 : strlen(s)};
}

static struct mde_order order_of(const struct mde_response *response, int how)
{
  return (struct mde_order){.response = response,
                            .operation = text("ours-0001"),
                            .incident = text("INC-1"),
                            .comment = text("beacon [mde:INC-1:ours-0001]"),
                            .keyed = (how & KEYED) != 0,
                            .cancel_opposite = (how & CANCELS) != 0,
                            .decided_at = (how & DECIDED) != 0 ? AGO(50) : MDE_NO_TIME,
                            .withdrawn_since = (how & WITHDRAWN) != 0 ? AGO(900) : MDE_NO_TIME};
}

/* One that the first look has seen. */
static struct mde_action action(const struct mde_response *response, enum mde_status status,
                                int64_t time)
{
  return (struct mde_action){.counts = true,
                             .seen = true,
                             .response = response,
                             .status = status,
                             .created = time,
                             .updated = time,
                             .comment = {.text = text("beacon"),
                                         .incident = text("INC-1"),
                                         .operation = text("theirs-01")}};
}

static const struct mde_action UNIDENTIFIED = {.is_unidentified = true};

static void only_a_key_and_a_decision_make_an_order_particular(void **state)
{
  (void)state;
  for (int how = 0; how < 16; how++) {
    struct mde_order order = order_of(RESTRICT, how);
    assert_int_equal((how & (KEYED | DECIDED)) != 0, mde_order_is_particular(&order));
  }
}

struct row {
  const struct mde_response *response;
  int how;
  const struct mde_response *there;
  enum mde_status status;
  enum mde_assessed own, cached, single; /* by the device's own list, and by one for others */
};

static const struct row rows[] = {
    {RESTRICT, 0, NULL, 0, MDE_ASSESSED_SEND, MDE_ASSESSED_SEND, MDE_ASSESSED_SEND},
    {RELEASE, 0, NULL, 0, MDE_ASSESSED_SEND, MDE_ASSESSED_SEND, MDE_ASSESSED_SEND},
    {RESTRICT, 0, RESTRICT, MDE_STATUS_FAILED, MDE_ASSESSED_SEND, MDE_ASSESSED_SEND,
     MDE_ASSESSED_SEND},
    {RESTRICT, 0, RESTRICT, MDE_STATUS_PENDING, MDE_ASSESSED_ALREADY_ACTIVE,
     MDE_ASSESSED_ALREADY_ACTIVE, MDE_ASSESSED_UNTOLD},
    {RESTRICT, 0, RESTRICT, MDE_STATUS_SUCCEEDED, MDE_ASSESSED_ALREADY_ACTIVE,
     MDE_ASSESSED_ALREADY_ACTIVE, MDE_ASSESSED_UNTOLD},
    {RESTRICT, 0, RELEASE, MDE_STATUS_PENDING, MDE_ASSESSED_CONFLICT, MDE_ASSESSED_UNTOLD,
     MDE_ASSESSED_UNTOLD},
    {RELEASE, CANCELS, RESTRICT, MDE_STATUS_PENDING, MDE_ASSESSED_CANCEL, MDE_ASSESSED_UNTOLD,
     MDE_ASSESSED_UNTOLD},
    {RESTRICT, DECIDED, RELEASE, MDE_STATUS_FAILED, MDE_ASSESSED_DECIDED, MDE_ASSESSED_UNTOLD,
     MDE_ASSESSED_UNTOLD},
    {RESTRICT, WITHDRAWN, RESTRICT, MDE_STATUS_CANCELLED, MDE_ASSESSED_WITHDRAWN,
     MDE_ASSESSED_WITHDRAWN, MDE_ASSESSED_WITHDRAWN},
};

static void a_list_for_others_tells_less_than_the_devices_own(void **state)
{
  (void)state;
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    const struct row *row = &rows[i];
    struct mde_order order = order_of(row->response, row->how);
    struct mde_action there = action(row->there, row->status, AGO(10));
    size_t count = row->there != NULL ? 1 : 0;
    struct mde_assessment own = mde_order_assess(&order, &there, count, 0, NOW);
    assert_int_equal(row->own, own.assessed);
    assert_true(own.action == (row->own == MDE_ASSESSED_SEND ? MDE_NO_ACTION : 0));
    assert_true(own.recorded);
    assert_int_equal(row->cached, mde_order_assess(&order, &there, count, CACHED, NOW).assessed);
    assert_int_equal(row->single, mde_order_assess(&order, &there, count, SINGLE, NOW).assessed);
  }
}

static void what_does_not_say_when_is_told_from_what_is_pending(void **state)
{
  (void)state;
  struct mde_order order = order_of(RESTRICT, DECIDED);
  struct mde_action there[] = {action(RELEASE, MDE_STATUS_FAILED, MDE_NO_TIME),
                               action(RELEASE, MDE_STATUS_FAILED, AGO(40))};
  assert_int_equal(MDE_ASSESSED_UNTIMED, mde_order_assess(&order, there, 1, 0, NOW).assessed);
  struct mde_assessment said = mde_order_assess(&order, there, 2, 0, NOW);
  assert_int_equal(MDE_ASSESSED_DECIDED, said.assessed);
  assert_true(said.action == 1);
  order.decided_at = AGO(30);
  assert_int_equal(MDE_ASSESSED_SEND, mde_order_assess(&order, &there[1], 1, 0, NOW).assessed);
}

static void what_was_done_under_a_key_may_be_undone(void **state)
{
  (void)state;
  struct mde_order order = order_of(RESTRICT, KEYED);
  struct mde_action there[] = {action(RESTRICT, MDE_STATUS_SUCCEEDED, AGO(20)),
                               action(RELEASE, MDE_STATUS_SUCCEEDED, AGO(10))};
  there[0].comment.operation = order.operation;
  struct mde_assessment said = mde_order_assess(&order, there, 2, 0, NOW);
  assert_int_equal(MDE_ASSESSED_UNDONE, said.assessed);
  assert_true(said.action == 1);
  assert_int_equal(MDE_ASSESSED_ALREADY_ACTIVE,
                   mde_order_assess(&order, there, 1, 0, NOW).assessed);
}

/* What cannot be identified may be a release, or what was done under the key. */
static void an_incomplete_list_does_not_say_that_nothing_was_done(void **state)
{
  (void)state;
  static const struct row incomplete[] = {
      {RESTRICT, 0, NULL, 0, MDE_ASSESSED_SEND, MDE_ASSESSED_SEND, MDE_ASSESSED_SEND},
      {RELEASE, 0, NULL, 0, MDE_ASSESSED_SEND, MDE_ASSESSED_SEND, MDE_ASSESSED_SEND},
      {RESTRICT, 0, RESTRICT, MDE_STATUS_FAILED, MDE_ASSESSED_SEND, MDE_ASSESSED_UNTOLD,
       MDE_ASSESSED_UNTOLD},
      {RESTRICT, 0, RESTRICT, MDE_STATUS_SUCCEEDED, MDE_ASSESSED_SEND, MDE_ASSESSED_UNTOLD,
       MDE_ASSESSED_UNTOLD},
      {RELEASE, 0, RELEASE, MDE_STATUS_SUCCEEDED, MDE_ASSESSED_SEND, MDE_ASSESSED_UNTOLD,
       MDE_ASSESSED_UNTOLD},
      {RESTRICT, 0, RESTRICT, MDE_STATUS_PENDING, MDE_ASSESSED_ALREADY_ACTIVE,
       MDE_ASSESSED_ALREADY_ACTIVE, MDE_ASSESSED_UNTOLD},
      {RELEASE, 0, RELEASE, MDE_STATUS_PENDING, MDE_ASSESSED_ALREADY_ACTIVE,
       MDE_ASSESSED_ALREADY_ACTIVE, MDE_ASSESSED_UNTOLD},
      {RESTRICT, 0, RELEASE, MDE_STATUS_PENDING, MDE_ASSESSED_CONFLICT, MDE_ASSESSED_UNTOLD,
       MDE_ASSESSED_UNTOLD},
      {RELEASE, CANCELS, RESTRICT, MDE_STATUS_PENDING, MDE_ASSESSED_CANCEL, MDE_ASSESSED_UNTOLD,
       MDE_ASSESSED_UNTOLD},
      {RESTRICT, WITHDRAWN, RESTRICT, MDE_STATUS_CANCELLED, MDE_ASSESSED_WITHDRAWN,
       MDE_ASSESSED_UNTOLD, MDE_ASSESSED_UNTOLD},
      {RESTRICT, KEYED, NULL, 0, MDE_ASSESSED_INCOMPLETE, MDE_ASSESSED_UNTOLD, MDE_ASSESSED_UNTOLD},
      {RESTRICT, KEYED, RESTRICT, MDE_STATUS_SUCCEEDED, MDE_ASSESSED_INCOMPLETE,
       MDE_ASSESSED_UNTOLD, MDE_ASSESSED_UNTOLD},
      {RESTRICT, KEYED, RESTRICT, MDE_STATUS_PENDING, MDE_ASSESSED_ALREADY_ACTIVE,
       MDE_ASSESSED_ALREADY_ACTIVE, MDE_ASSESSED_UNTOLD},
      {RESTRICT, KEYED, RELEASE, MDE_STATUS_PENDING, MDE_ASSESSED_CONFLICT, MDE_ASSESSED_UNTOLD,
       MDE_ASSESSED_UNTOLD},
      {RELEASE, KEYED | CANCELS, RESTRICT, MDE_STATUS_PENDING, MDE_ASSESSED_INCOMPLETE,
       MDE_ASSESSED_UNTOLD, MDE_ASSESSED_UNTOLD},
      {RESTRICT, DECIDED, NULL, 0, MDE_ASSESSED_INCOMPLETE, MDE_ASSESSED_UNTOLD,
       MDE_ASSESSED_UNTOLD},
      {RESTRICT, DECIDED, RELEASE, MDE_STATUS_FAILED, MDE_ASSESSED_DECIDED, MDE_ASSESSED_UNTOLD,
       MDE_ASSESSED_UNTOLD},
  };
  for (size_t i = 0; i < sizeof incomplete / sizeof incomplete[0]; i++) {
    const struct row *row = &incomplete[i];
    struct mde_order order = order_of(row->response, row->how);
    for (size_t place = 0; place < 2; place++) {
      struct mde_action list[2] = {UNIDENTIFIED, UNIDENTIFIED};
      if (row->there != NULL) list[1 - place] = action(row->there, row->status, AGO(10));
      assert_int_equal(row->own, mde_order_assess(&order, list, 2, 0, NOW).assessed);
      assert_int_equal(row->cached, mde_order_assess(&order, list, 2, CACHED, NOW).assessed);
      assert_int_equal(row->single, mde_order_assess(&order, list, 2, SINGLE, NOW).assessed);
    }
  }
}

/* A key under which it is active already by what has ended. */
static void an_incomplete_list_may_have_what_undid_a_key(void **state)
{
  (void)state;
  struct mde_order order = order_of(RESTRICT, KEYED);
  struct mde_action list[] = {action(RESTRICT, MDE_STATUS_SUCCEEDED, AGO(20)), UNIDENTIFIED};
  list[0].comment.operation = order.operation;
  assert_int_equal(MDE_ASSESSED_ALREADY_ACTIVE, mde_order_assess(&order, list, 1, 0, NOW).assessed);
  assert_int_equal(MDE_ASSESSED_INCOMPLETE, mde_order_assess(&order, list, 2, 0, NOW).assessed);
  list[0].status = MDE_STATUS_PENDING;
  assert_int_equal(MDE_ASSESSED_ALREADY_ACTIVE, mde_order_assess(&order, list, 2, 0, NOW).assessed);
}

static void nothing_is_withdrawn_unless_that_is_asked(void **state)
{
  (void)state;
  struct mde_action cancelled = action(RESTRICT, MDE_STATUS_CANCELLED, AGO(100));
  struct mde_order order = order_of(RESTRICT, WITHDRAWN);
  assert_true(mde_order_withdrawn(&order, &cancelled, 1) == 0);
  order.withdrawn_since = AGO(99);
  assert_true(mde_order_withdrawn(&order, &cancelled, 1) == MDE_NO_ACTION);
  order = order_of(RESTRICT, 0);
  assert_true(mde_order_withdrawn(&order, &cancelled, 1) == MDE_NO_ACTION);
}

static void a_claim_keeps_a_release_from_what_others_hold(void **state)
{
  (void)state;
  static const struct {
    const char *what, *operation; /* NULL: nobody restricted it */
    enum mde_status status;
    bool is_released;
    enum mde_assessed own, cached;
  } cases[] = {
      {"ours", "ours-0002", MDE_STATUS_SUCCEEDED, false, MDE_ASSESSED_SEND, MDE_ASSESSED_SEND},
      {"ours, pending", "ours-0002", MDE_STATUS_PENDING, false, MDE_ASSESSED_CANCEL,
       MDE_ASSESSED_UNTOLD},
      {"another's", "theirs-01", MDE_STATUS_SUCCEEDED, false, MDE_ASSESSED_HELD,
       MDE_ASSESSED_UNTOLD},
      {"another's, pending", "theirs-01", MDE_STATUS_PENDING, false, MDE_ASSESSED_HELD,
       MDE_ASSESSED_UNTOLD},
      {"another's, failed", "theirs-01", MDE_STATUS_FAILED, false, MDE_ASSESSED_NOT_HELD,
       MDE_ASSESSED_UNTOLD},
      {"another's, released", "theirs-01", MDE_STATUS_SUCCEEDED, true, MDE_ASSESSED_ALREADY_ACTIVE,
       MDE_ASSESSED_ALREADY_ACTIVE},
      {"nobody's", NULL, MDE_STATUS_FAILED, false, MDE_ASSESSED_NOT_HELD, MDE_ASSESSED_UNTOLD},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct mde_text operation = text("ours-0002");
    struct mde_order order = order_of(RELEASE, CANCELS);
    order.is_claim = true;
    order.claim =
        (struct mde_claim){.operations = &operation, .operation_count = 1, .since = MDE_NO_TIME};
    struct mde_action there[] = {action(RESTRICT, cases[i].status, AGO(90)),
                                 action(RELEASE, MDE_STATUS_SUCCEEDED, AGO(30))};
    there[0].comment.operation = text(cases[i].operation);
    there[0].counts = cases[i].operation != NULL;
    size_t count = cases[i].is_released ? 2 : 1;
    if (mde_order_assess(&order, there, count, 0, NOW).assessed != cases[i].own ||
        mde_order_assess(&order, there, count, CACHED, NOW).assessed != cases[i].cached)
      fail_msg("%s", cases[i].what);
  }
}

static void what_is_taken_back_is_not_decided_otherwise(void **state)
{
  (void)state;
  struct mde_text operation = text("ours-0002");
  struct mde_order order = order_of(RELEASE, CANCELS | DECIDED);
  order.is_claim = true;
  order.claim =
      (struct mde_claim){.operations = &operation, .operation_count = 1, .since = MDE_NO_TIME};
  struct mde_action there[] = {action(RESTRICT, MDE_STATUS_SUCCEEDED, AGO(10)),
                               action(RESTRICT, MDE_STATUS_SUCCEEDED, AGO(5))};
  there[0].comment.operation = operation;
  assert_int_equal(MDE_ASSESSED_DECIDED, mde_order_assess(&order, there, 1, 0, NOW).assessed);
  mde_order_mark(&order, there, 2, NOW);
  assert_int_equal(MDE_ASSESSED_SEND, mde_order_assess(&order, there, 1, 0, NOW).assessed);
  assert_int_equal(MDE_ASSESSED_DECIDED, mde_order_assess(&order, there, 2, 0, NOW).assessed);
  there[0].seen = false;
  assert_int_equal(MDE_ASSESSED_SEND, mde_order_assess(&order, there, 1, 0, NOW).assessed);
}

static void what_has_expired_is_told_by_the_services_time(void **state)
{
  (void)state;
  static const int64_t until = INT64_C(1795960800) * MDE_TICKS_PER_SECOND;
  struct mde_order order = order_of(RELEASE, CANCELS);
  order.is_claim = order.claims_expired = true;
  order.claim = (struct mde_claim){.since = MDE_NO_TIME};
  struct mde_action there = action(RESTRICT, MDE_STATUS_SUCCEEDED, until - 100);
  there.comment.operation = text("theirs-01.until.1795960800");
  int64_t end = until + 60 * MDE_TICKS_PER_SECOND;
  assert_int_equal(MDE_ASSESSED_HELD, mde_order_assess(&order, &there, 1, 0, until).assessed);
  assert_int_equal(MDE_ASSESSED_HELD, mde_order_assess(&order, &there, 1, 0, end - 1).assessed);
  assert_int_equal(MDE_ASSESSED_HELD, mde_order_assess(&order, &there, 1, 0, MDE_NO_TIME).assessed);
  assert_int_equal(MDE_ASSESSED_SEND, mde_order_assess(&order, &there, 1, 0, end).assessed);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(only_a_key_and_a_decision_make_an_order_particular),
      cmocka_unit_test(a_list_for_others_tells_less_than_the_devices_own),
      cmocka_unit_test(what_does_not_say_when_is_told_from_what_is_pending),
      cmocka_unit_test(what_was_done_under_a_key_may_be_undone),
      cmocka_unit_test(an_incomplete_list_does_not_say_that_nothing_was_done),
      cmocka_unit_test(an_incomplete_list_may_have_what_undid_a_key),
      cmocka_unit_test(nothing_is_withdrawn_unless_that_is_asked),
      cmocka_unit_test(a_claim_keeps_a_release_from_what_others_hold),
      cmocka_unit_test(what_is_taken_back_is_not_decided_otherwise),
      cmocka_unit_test(what_has_expired_is_told_by_the_services_time),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
