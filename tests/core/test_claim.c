/*
 * claim: a row for every way in which a restriction is one's own, or is not. Who holds a device at all, and for which
 * incident, are rows of test_history.c.
 *
 * A restriction is a letter for its status (P pending, S succeeded, F failed, C cancelled), the minute of its creation
 * and its comment; U is a release that succeeded.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "claim.h"
#include "timestamp.h"

#define RESTRICT (&mde_responses[MDE_RESPONSE_RESTRICT])
#define MACHINE "0123456789abcdef0123456789abcdef01234567"
enum { MOST = 4 };

static struct mde_text text(const char *s)
{
  return (struct mde_text){s, s != NULL ? strlen(s) : 0};
}

/* 1795960800 is 2026-11-29T22:00:00Z. */
#define EXPIRED_BY (INT64_C(1795960800) * MDE_TICKS_PER_SECOND)
#define OURS "why [mde:INC-1:ours-0001]"
#define OURS_TOO "why [mde:ours-0002]"
#define HIS "why [mde:INC-1:his-00001]"
#define UNTIL_THEN "why [mde:INC-1:some-001.until.1795960800]"
#define UNTIL_LATER "why [mde:INC-1:some-002.until.1795960801]"

struct restriction {
  char status;
  int minute;
  const char *comment;
};

static struct mde_action action_of(const struct restriction *row)
{
  static char created[] = "2026-11-29T10:00:00Z";
  created[14] = (char)('0' + row->minute / 10);
  created[15] = (char)('0' + row->minute % 10);
  const char *status = row->status == 'P'   ? "Pending"
                       : row->status == 'F' ? "Failed"
                       : row->status == 'C' ? "Cancelled"
                                            : "Succeeded";
  struct mde_action_text action = {
      .id = text("id"),
      .type = text(row->status == 'U' ? "UnrestrictCodeExecution" : "RestrictCodeExecution"),
      .status = text(status),
      .comment = text(row->comment),
      .created = text(created),
      .updated = text(created)};
  if (row->status == '?') action.type = text(NULL);
  return mde_action_read(&action, RESTRICT, text(MACHINE), MDE_NO_TIME);
}

static size_t read_rows(const struct restriction *rows, struct mde_action *actions)
{
  size_t count = 0;
  for (; count < MOST && rows[count].status != '\0'; count++)
    actions[count] = action_of(&rows[count]);
  return count;
}

/* clang-format off: a rule is a line */
static const struct {
  const char *what;
  enum mde_held by_operation, by_expiry;
  int other_by_operation, other_by_expiry; /* -1: none */
  struct restriction rows[MOST];
} cases[] = {
    {"no action", MDE_HELD_BY_NOBODY, MDE_HELD_BY_NOBODY, -1, -1, {{0}}},
    {"one of ours", MDE_HELD_BY_CLAIM, MDE_HELD_BY_OTHERS, -1, 0, {{'S', 1, OURS}}},
    {"one of ours, pending", MDE_HELD_BY_CLAIM, MDE_HELD_BY_OTHERS, -1, 0, {{'P', 1, OURS}}},
    {"one of ours, failed", MDE_HELD_BY_NOBODY, MDE_HELD_BY_NOBODY, -1, -1, {{'F', 1, OURS}}},
    {"one of ours, cancelled", MDE_HELD_BY_NOBODY, MDE_HELD_BY_NOBODY, -1, -1, {{'C', 1, OURS}}},
    {"one of ours, released since",
     MDE_HELD_BY_NOBODY,
     MDE_HELD_BY_NOBODY,
     -1,
     -1,
     {{'S', 1, OURS}, {'U', 2, "by hand"}}},
    {"released, and restricted again by us",
     MDE_HELD_BY_CLAIM,
     MDE_HELD_BY_OTHERS,
     -1,
     2,
     {{'S', 1, HIS}, {'U', 2, "by hand"}, {'S', 3, OURS}}},
    {"two of ours",
     MDE_HELD_BY_CLAIM,
     MDE_HELD_BY_OTHERS,
     -1,
     1,
     {{'S', 1, OURS}, {'P', 2, OURS_TOO}}},
    {"the same incident, by somebody else",
     MDE_HELD_BY_OTHERS,
     MDE_HELD_BY_OTHERS,
     1,
     1,
     {{'S', 1, OURS}, {'S', 2, HIS}}},
    {"somebody else before us",
     MDE_HELD_BY_OTHERS,
     MDE_HELD_BY_OTHERS,
     0,
     1,
     {{'S', 1, HIS}, {'S', 2, OURS}}},
    {"by hand, with the beginning of our id",
     MDE_HELD_BY_OTHERS,
     MDE_HELD_BY_OTHERS,
     0,
     0,
     {{'S', 1, "why [mde:INC-1:ours-000"}}},
    {"our id within the text alone",
     MDE_HELD_BY_OTHERS,
     MDE_HELD_BY_OTHERS,
     0,
     0,
     {{'S', 1, "see [mde:INC-1:ours-0001] of monday"}}},
    {"our id in capitals",
     MDE_HELD_BY_OTHERS,
     MDE_HELD_BY_OTHERS,
     0,
     0,
     {{'S', 1, "why [mde:INC-1:OURS-0001]"}}},
    {"without a comment", MDE_HELD_BY_OTHERS, MDE_HELD_BY_OTHERS, 0, 0, {{'S', 1, NULL}}},
    {"of two others the newer",
     MDE_HELD_BY_OTHERS,
     MDE_HELD_BY_OTHERS,
     1,
     1,
     {{'S', 1, HIS}, {'S', 5, "by hand"}, {'S', 3, HIS}}},
    {"what cannot be identified",
     MDE_HELD_BY_OTHERS,
     MDE_HELD_BY_OTHERS,
     1,
     0,
     {{'S', 1, OURS}, {'?', 2, NULL}}},
    {"what cannot be identified, alone",
     MDE_HELD_BY_OTHERS,
     MDE_HELD_BY_OTHERS,
     0,
     0,
     {{'?', 2, NULL}}},
    {"what cannot be identified, and somebody who can",
     MDE_HELD_BY_OTHERS,
     MDE_HELD_BY_OTHERS,
     1,
     1,
     {{'?', 2, NULL}, {'S', 3, HIS}}},
    {"expired", MDE_HELD_BY_OTHERS, MDE_HELD_BY_CLAIM, 0, -1, {{'S', 1, UNTIL_THEN}}},
    {"expired, and still pending",
     MDE_HELD_BY_OTHERS,
     MDE_HELD_BY_CLAIM,
     0,
     -1,
     {{'P', 1, UNTIL_THEN}}},
    {"expired a second later",
     MDE_HELD_BY_OTHERS,
     MDE_HELD_BY_OTHERS,
     0,
     0,
     {{'S', 1, UNTIL_LATER}}},
    {"expired, and one that ends later",
     MDE_HELD_BY_OTHERS,
     MDE_HELD_BY_OTHERS,
     1,
     1,
     {{'S', 1, UNTIL_THEN}, {'S', 2, UNTIL_LATER}}},
    {"expired, and one without an end",
     MDE_HELD_BY_OTHERS,
     MDE_HELD_BY_OTHERS,
     0,
     1,
     {{'S', 1, UNTIL_THEN}, {'S', 2, OURS}}},
    {"expired, and one by hand",
     MDE_HELD_BY_OTHERS,
     MDE_HELD_BY_OTHERS,
     1,
     1,
     {{'S', 1, UNTIL_THEN}, {'S', 2, "by hand"}}},
    {"an end that is no time",
     MDE_HELD_BY_OTHERS,
     MDE_HELD_BY_OTHERS,
     0,
     0,
     {{'S', 1, "why [mde:some-001.until.1]"}}},
};
/* clang-format on */

static void a_device_is_held_by_the_claim_or_by_others(void **state)
{
  (void)state;
  const struct mde_text operations[] = {text("ours-0001"), text("ours-0002")};
  const struct mde_claim by_operation = {
      .operations = operations, .operation_count = 2, .since = MDE_NO_TIME};
  const struct mde_claim by_expiry = {.expired_by = EXPIRED_BY, .since = MDE_NO_TIME};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct mde_action actions[MOST];
    size_t count = read_rows(cases[i].rows, actions);
    size_t other;
    if (mde_claim_judge(&by_operation, actions, count, RESTRICT, &other) != cases[i].by_operation ||
        other != (size_t)cases[i].other_by_operation)
      fail_msg("by operation: %s", cases[i].what);
    if (mde_claim_judge(&by_expiry, actions, count, RESTRICT, &other) != cases[i].by_expiry ||
        other != (size_t)cases[i].other_by_expiry)
      fail_msg("by expiry: %s", cases[i].what);
  }
}

static void the_list_of_holders_agrees_with_the_judgment(void **state)
{
  (void)state;
  const struct mde_text operations[] = {text("ours-0001"), text("ours-0002")};
  const struct mde_claim claim = {
      .operations = operations, .operation_count = 2, .since = MDE_NO_TIME};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct mde_action actions[MOST];
    size_t count = read_rows(cases[i].rows, actions);
    size_t ours[MOST], others[MOST];
    struct mde_holders held = mde_claim_holders(&claim, actions, count, RESTRICT, ours, others);
    enum mde_held by = held.others > 0 ? MDE_HELD_BY_OTHERS
                       : held.ours > 0 ? MDE_HELD_BY_CLAIM
                                       : MDE_HELD_BY_NOBODY;
    assert_int_equal(cases[i].by_operation, by);
  }
}

static void a_claim_of_nothing_covers_nothing(void **state)
{
  (void)state;
  static const struct restriction rows[] = {{'S', 1, OURS}, {'S', 1, UNTIL_THEN}};
  const struct mde_claim claims[] = {{.since = MDE_NO_TIME},
                                     {.since = MDE_NO_TIME, .expired_by = MDE_NO_TIME}};
  for (size_t i = 0; i < 2; i++)
    for (size_t k = 0; k < 2; k++) {
      struct mde_action action = action_of(&rows[k]);
      size_t other;
      assert_int_equal(MDE_HELD_BY_OTHERS,
                       mde_claim_judge(&claims[i], &action, 1, RESTRICT, &other));
    }
}

static void what_has_expired_ended_a_minute_ago(void **state)
{
  (void)state;
  assert_true(mde_claim_expired_by(EXPIRED_BY) == EXPIRED_BY - 60 * MDE_TICKS_PER_SECOND);
  assert_true(mde_claim_expired_by(MDE_NO_TIME) == MDE_NO_TIME);
}

static void an_incident_that_has_ended_holds_for_nobody(void **state)
{
  (void)state;
  const struct mde_text ended = text("inc-1");
  const struct mde_claim claim = {.since = MDE_NO_TIME, .ended = &ended, .ended_count = 1};
  struct mde_action action = action_of(&(struct restriction){'S', 1, HIS});
  size_t other;
  assert_int_equal(MDE_HELD_BY_NOBODY, mde_claim_judge(&claim, &action, 1, RESTRICT, &other));
  assert_true(other == MDE_NO_ACTION);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_device_is_held_by_the_claim_or_by_others),
      cmocka_unit_test(the_list_of_holders_agrees_with_the_judgment),
      cmocka_unit_test(a_claim_of_nothing_covers_nothing),
      cmocka_unit_test(what_has_expired_ended_a_minute_ago),
      cmocka_unit_test(an_incident_that_has_ended_holds_for_nobody),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
