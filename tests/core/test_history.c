/*
 * history: a row for every rule.
 *
 * A device's actions are written in shorthand, newest last: verb (R restrict, U unrestrict), status
 * (P pending, S succeeded, F failed, T timed out, C cancelled), @created, >updated, and optionally
 * an incident and an operation id as the comment's suffix. Times are minutes of one hour; "?" is
 * none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "claim.h"
#include "timestamp.h"

#define RESTRICT (&mde_responses[MDE_RESPONSE_RESTRICT])
#define RELEASE (&mde_responses[MDE_RESPONSE_RELEASE])

#define MACHINE "0123456789abcdef0123456789abcdef01234567"
#define NONE MDE_NO_ACTION
enum { MOST = 6 };

struct row {
  const char *type, *status, *created, *updated, *comment, *machine;
};

static struct mde_text text(const char *s)
{
  struct mde_text t = {s, s != NULL ? strlen(s) : 0};
  return t;
}

#define AT(minute) "2026-02-03T10:" minute ":00Z"
#define R "RestrictCodeExecution"
#define U "UnrestrictCodeExecution"
#define P "Pending"
#define S "Succeeded"
#define F "Failed"
#define C "Cancelled"

static size_t count_of(const char *s, char wanted)
{
  size_t count = 0;
  for (; *s != '\0'; s++)
    if (*s == wanted) count++;
  return count;
}

static size_t read_rows(const struct row *rows, struct mde_action *actions)
{
  size_t count = 0;
  for (; count < MOST && rows[count].type != NULL; count++) {
    struct mde_action_text action = {.id = text("id"),
                                     .type = text(rows[count].type),
                                     .status = text(rows[count].status),
                                     .machine = text(rows[count].machine),
                                     .comment = text(rows[count].comment),
                                     .created = text(rows[count].created),
                                     .updated = text(rows[count].updated)};
    actions[count] = mde_action_read(&action, RESTRICT, text(MACHINE), MDE_NO_TIME);
  }
  return count;
}

static void statuses_are_read_in_any_case(void **state)
{
  (void)state;
  static const struct {
    const char *word;
    enum mde_status status;
  } cases[] = {
      {"Pending", MDE_STATUS_PENDING},     {"InProgress", MDE_STATUS_PENDING},
      {"Succeeded", MDE_STATUS_SUCCEEDED}, {"succeeded", MDE_STATUS_SUCCEEDED},
      {"Failed", MDE_STATUS_FAILED},       {"TimeOut", MDE_STATUS_FAILED},
      {"timeout", MDE_STATUS_FAILED},      {"Cancelled", MDE_STATUS_CANCELLED},
      {"Canceled", MDE_STATUS_CANCELLED},  {"Queued", MDE_STATUS_PENDING},
      {"Succeeded ", MDE_STATUS_PENDING},  {"", MDE_STATUS_PENDING},
      {NULL, MDE_STATUS_PENDING},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
    assert_int_equal(mde_status_read(text(cases[i].word)), cases[i].status);
}

static void what_has_ended_stays_so(void **state)
{
  (void)state;
  for (enum mde_status told = MDE_STATUS_PENDING; told <= MDE_STATUS_CANCELLED; told++) {
    assert_true(mde_status_replaces(MDE_STATUS_PENDING, told));
    assert_int_equal(told != MDE_STATUS_PENDING, mde_status_replaces(MDE_STATUS_SUCCEEDED, told));
    assert_int_equal(told != MDE_STATUS_PENDING, mde_status_replaces(MDE_STATUS_FAILED, told));
    assert_int_equal(told != MDE_STATUS_PENDING, mde_status_replaces(MDE_STATUS_CANCELLED, told));
  }
}

/* clang-format off: a rule is a line */
static void the_state_is_what_the_actions_say(void **state)
{
  (void)state;
  static const struct {
    const char *what;
    enum mde_state state;
    size_t rests_on;
    struct row rows[MOST];
  } cases[] = {
      {"no action", MDE_STATE_NONE, NONE, {{0}}},
      {"restricted", MDE_STATE_APPLIED, 0, {{R, S, AT("01"), AT("02"), 0, 0}}},
      {"released", MDE_STATE_RELEASED, 0, {{U, S, AT("01"), AT("02"), 0, 0}}},
      {"restricting", MDE_STATE_APPLYING, 0, {{R, P, AT("01"), AT("02"), 0, 0}}},
      {"releasing", MDE_STATE_RELEASING, 0, {{U, P, AT("01"), AT("02"), 0, 0}}},
      {"in progress is not final",
       MDE_STATE_APPLYING,
       0,
       {{R, "InProgress", AT("01"), AT("02"), 0, 0}}},
      {"an unknown word is not final",
       MDE_STATE_APPLYING,
       0,
       {{R, "Paused", AT("01"), AT("02"), 0, 0}}},
      {"failed ones say nothing",
       MDE_STATE_NONE,
       NONE,
       {{R, F, AT("01"), AT("02"), 0, 0}, {U, "TimeOut", AT("03"), AT("04"), 0, 0}}},
      {"cancelled ones say nothing",
       MDE_STATE_APPLIED,
       0,
       {{R, S, AT("01"), AT("02"), 0, 0}, {U, C, AT("03"), AT("04"), 0, 0}}},
      {"restricted, then released",
       MDE_STATE_RELEASED,
       1,
       {{R, S, AT("01"), AT("02"), 0, 0}, {U, S, AT("03"), AT("04"), 0, 0}}},
      {"the order of the list does not matter",
       MDE_STATE_RELEASED,
       0,
       {{U, S, AT("03"), AT("04"), 0, 0}, {R, S, AT("01"), AT("02"), 0, 0}}},
      {"a duplicate that finished after its opposite",
       MDE_STATE_APPLIED,
       0,
       {{R, S, AT("01"), AT("09"), 0, 0}, {U, S, AT("03"), AT("04"), 0, 0}}},
      {"updated at once: created later decides",
       MDE_STATE_RELEASED,
       1,
       {{R, S, AT("01"), AT("05"), 0, 0}, {U, S, AT("03"), AT("05"), 0, 0}}},
      {"the same times",
       MDE_STATE_UNCLEAR,
       NONE,
       {{R, S, AT("01"), AT("05"), 0, 0}, {U, S, AT("01"), AT("05"), 0, 0}}},
      {"no update time: creation time",
       MDE_STATE_RELEASED,
       1,
       {{R, S, AT("01"), 0, 0, 0}, {U, S, AT("03"), 0, 0, 0}}},
      {"no times at all",
       MDE_STATE_UNCLEAR,
       NONE,
       {{R, S, 0, 0, 0, 0}, {U, S, AT("03"), AT("04"), 0, 0}}},
      {"no times, but nothing to compare with", MDE_STATE_APPLIED, 0, {{R, S, 0, 0, 0, 0}}},
      {"updated at once, and one does not say when it was created",
       MDE_STATE_UNCLEAR,
       NONE,
       {{R, S, 0, AT("05"), 0, 0}, {U, S, AT("03"), AT("05"), 0, 0}}},
      {"both pending, and one does not say when it was created",
       MDE_STATE_UNCLEAR,
       NONE,
       {{R, P, 0, AT("05"), 0, 0}, {U, P, AT("03"), AT("04"), 0, 0}}},
      {"no creation times, but update times",
       MDE_STATE_RELEASED,
       1,
       {{R, S, 0, AT("02"), 0, 0}, {U, S, 0, AT("04"), 0, 0}}},
      {"pending beats succeeded, however old",
       MDE_STATE_APPLYING,
       0,
       {{R, P, AT("01"), AT("01"), 0, 0}, {U, S, AT("03"), AT("04"), 0, 0}}},
      {"of two pending ones the newest",
       MDE_STATE_RELEASING,
       1,
       {{R, P, AT("01"), AT("09"), 0, 0}, {U, P, AT("03"), AT("04"), 0, 0}}},
      {"two pending ones of one moment",
       MDE_STATE_UNCLEAR,
       NONE,
       {{R, P, AT("01"), AT("01"), 0, 0}, {U, P, AT("01"), AT("01"), 0, 0}}},
      {"pending without a time beside its opposite",
       MDE_STATE_UNCLEAR,
       NONE,
       {{R, P, 0, 0, 0, 0}, {U, P, AT("01"), AT("01"), 0, 0}}},
      {"other actions do not count",
       MDE_STATE_NONE,
       NONE,
       {{"Isolate", S, AT("01"), AT("02"), 0, 0},
        {"Unisolate", P, AT("01"), AT("02"), 0, 0},
        {NULL, 0, 0, 0, 0, 0}}},
      {"types in another case count",
       MDE_STATE_APPLIED,
       0,
       {{"restrictcodeexecution", S, AT("01"), AT("02"), 0, 0}}},
      {"another machine's actions do not count",
       MDE_STATE_NONE,
       NONE,
       {{R, S, AT("01"), AT("02"), 0, "ffffffffffffffffffffffffffffffffffffffff"}}},
      {"a machine id in another case is the same",
       MDE_STATE_APPLIED,
       0,
       {{R, S, AT("01"), AT("02"), 0, "0123456789ABCDEF0123456789ABCDEF01234567"}}},
      {"the seventh digit decides",
       MDE_STATE_RELEASED,
       1,
       {{R, S, AT("01"), "2026-02-03T10:05:00.0000001Z", 0, 0},
        {U, S, AT("01"), "2026-02-03T10:05:00.0000002Z", 0, 0}}},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct mde_action actions[MOST];
    size_t count = read_rows(cases[i].rows, actions);
    size_t rests_on = 4711;
    enum mde_state found = mde_history_state(actions, count, RESTRICT, &rests_on);
    if (found != cases[i].state || rests_on != cases[i].rests_on)
      fail_msg("%s: state %d on action %zd", cases[i].what, (int)found, (ssize_t)rests_on);
  }
}

#define SUFFIX_1 "why [mde:INC-1:operation-1]"
#define SUFFIX_ENDED "why [mde:INC-8:operation-8]"
#define SUFFIX_10 "why [mde:INC-10:operation-10]"
#define SUFFIX_KEY "why [mde:INC-1:alert-4711]"
#define CUT "why [mde:INC-1:a" /* as short as may be */
#define BARE_KEY "why [mde:alert-4711]"

static void looking_first_decides(void **state)
{
  (void)state;
  static const struct {
    const char *what;
    const struct mde_response *response;
    const char *incident, *key;
    bool cancel_opposite;
    enum mde_decision decision;
    size_t action;
    bool unrecorded;
    struct row rows[MOST];
  } cases[] = {
      /* nothing in the way */
      {"restrict: no action", RESTRICT, 0, 0, false, MDE_DECISION_SEND, NONE, false, {{0}}},
      {"restrict: released",
       RESTRICT,
       0,
       0,
       false,
       MDE_DECISION_SEND,
       NONE,
       false,
       {{U, S, AT("01"), AT("02"), 0, 0}}},
      {"restrict: failed before",
       RESTRICT,
       0,
       0,
       false,
       MDE_DECISION_SEND,
       NONE,
       false,
       {{R, F, AT("01"), AT("02"), 0, 0}}},
      {"restrict: cancelled before",
       RESTRICT,
       0,
       0,
       false,
       MDE_DECISION_SEND,
       NONE,
       false,
       {{R, C, AT("01"), AT("02"), 0, 0}}},
      {"release: no action", RELEASE, 0, 0, true, MDE_DECISION_SEND, NONE, false, {{0}}},
      {"release: restricted",
       RELEASE,
       0,
       0,
       true,
       MDE_DECISION_SEND,
       NONE,
       false,
       {{R, S, AT("01"), AT("02"), 0, 0}}},
      {"release: unclear",
       RELEASE,
       0,
       0,
       true,
       MDE_DECISION_SEND,
       NONE,
       false,
       {{R, S, AT("01"), AT("05"), 0, 0}, {U, S, AT("01"), AT("05"), 0, 0}}},
      {"restrict: unclear",
       RESTRICT,
       0,
       0,
       false,
       MDE_DECISION_SEND,
       NONE,
       false,
       {{R, S, AT("01"), AT("05"), 0, 0}, {U, S, AT("01"), AT("05"), 0, 0}}},
      /* restricted */
      {"restrict: restricted",
       RESTRICT,
       0,
       0,
       false,
       MDE_DECISION_ALREADY_ACTIVE,
       0,
       false,
       {{R, S, AT("01"), AT("02"), 0, 0}}},
      {"restrict: restricted by the same incident",
       RESTRICT,
       "inc-1",
       0,
       false,
       MDE_DECISION_ALREADY_ACTIVE,
       0,
       false,
       {{R, S, AT("01"), AT("02"), SUFFIX_1, 0}}},
      {"restrict: restricted without the incident",
       RESTRICT,
       "INC-1",
       0,
       false,
       MDE_DECISION_SEND,
       NONE,
       false,
       {{R, S, AT("01"), AT("02"), "by hand", 0}}},
      {"restrict: INC-10 is not INC-1",
       RESTRICT,
       "INC-1",
       0,
       false,
       MDE_DECISION_SEND,
       NONE,
       false,
       {{R, S, AT("01"), AT("02"), SUFFIX_10, 0}}},
      {"restrict: an older record since the last release",
       RESTRICT,
       "INC-1",
       0,
       false,
       MDE_DECISION_ALREADY_ACTIVE,
       1,
       false,
       {{U, S, AT("01"), AT("02"), 0, 0},
        {R, S, AT("03"), AT("04"), SUFFIX_1, 0},
        {R, S, AT("05"), AT("06"), SUFFIX_10, 0}}},
      {"restrict: a record before the last release",
       RESTRICT,
       "INC-1",
       0,
       false,
       MDE_DECISION_SEND,
       NONE,
       false,
       {{R, S, AT("01"), AT("02"), SUFFIX_1, 0},
        {U, S, AT("03"), AT("04"), 0, 0},
        {R, S, AT("05"), AT("06"), SUFFIX_10, 0}}},
      {"restrict: no incident named, the last one is told",
       RESTRICT,
       0,
       0,
       false,
       MDE_DECISION_ALREADY_ACTIVE,
       1,
       false,
       {{R, S, AT("01"), AT("02"), SUFFIX_1, 0}, {R, S, AT("05"), AT("06"), SUFFIX_10, 0}}},
      {"restrict: a failed record is none",
       RESTRICT,
       "INC-1",
       0,
       false,
       MDE_DECISION_SEND,
       NONE,
       false,
       {{R, S, AT("01"), AT("02"), 0, 0}, {R, F, AT("05"), AT("06"), SUFFIX_1, 0}}},
      /* restricting */
      {"restrict: restricting",
       RESTRICT,
       0,
       0,
       false,
       MDE_DECISION_ALREADY_ACTIVE,
       0,
       false,
       {{R, P, AT("01"), AT("02"), SUFFIX_1, 0}}},
      {"restrict: restricting by the same incident",
       RESTRICT,
       "INC-1",
       0,
       false,
       MDE_DECISION_ALREADY_ACTIVE,
       0,
       false,
       {{R, P, AT("01"), AT("02"), SUFFIX_1, 0}}},
      {"restrict: restricting by another incident",
       RESTRICT,
       "INC-1",
       0,
       false,
       MDE_DECISION_ALREADY_ACTIVE,
       0,
       true,
       {{R, P, AT("01"), AT("02"), SUFFIX_10, 0}}},
      {"restrict: restricting twice, the caller's is told",
       RESTRICT,
       "INC-1",
       0,
       false,
       MDE_DECISION_ALREADY_ACTIVE,
       0,
       false,
       {{R, P, AT("01"), AT("02"), SUFFIX_1, 0}, {R, P, AT("03"), AT("04"), SUFFIX_10, 0}}},
      {"restrict: restricting again while restricted",
       RESTRICT,
       "INC-1",
       0,
       false,
       MDE_DECISION_ALREADY_ACTIVE,
       1,
       true,
       {{R, S, AT("01"), AT("02"), 0, 0}, {R, P, AT("03"), AT("04"), 0, 0}}},
      {"restrict: old and still pending",
       RESTRICT,
       0,
       0,
       false,
       MDE_DECISION_ALREADY_ACTIVE,
       0,
       false,
       {{R, P, "2020-01-01T00:00:00Z", "2020-01-01T00:00:00Z", 0, 0},
        {U, S, AT("03"), AT("04"), 0, 0}}},
      /* the opposite is pending */
      {"restrict: releasing",
       RESTRICT,
       0,
       0,
       false,
       MDE_DECISION_CONFLICT,
       1,
       false,
       {{R, S, AT("01"), AT("02"), 0, 0}, {U, P, AT("03"), AT("04"), 0, 0}}},
      {"restrict: releasing, cancel it",
       RESTRICT,
       0,
       0,
       true,
       MDE_DECISION_CANCEL_OPPOSITE,
       1,
       false,
       {{R, S, AT("01"), AT("02"), 0, 0}, {U, P, AT("03"), AT("04"), 0, 0}}},
      {"restrict: both pending",
       RESTRICT,
       0,
       0,
       false,
       MDE_DECISION_CONFLICT,
       0,
       false,
       {{U, P, AT("01"), AT("02"), 0, 0}, {R, P, AT("03"), AT("04"), 0, 0}}},
      {"release: restricting",
       RELEASE,
       0,
       0,
       true,
       MDE_DECISION_CANCEL_OPPOSITE,
       0,
       false,
       {{R, P, AT("01"), AT("02"), 0, 0}}},
      {"release: restricting, do not cancel",
       RELEASE,
       0,
       0,
       false,
       MDE_DECISION_CONFLICT,
       0,
       false,
       {{R, P, AT("01"), AT("02"), 0, 0}}},
      {"release: an old duplicate is still pending",
       RELEASE,
       0,
       0,
       true,
       MDE_DECISION_CANCEL_OPPOSITE,
       0,
       false,
       {{R, P, AT("01"), AT("02"), 0, 0}, {U, S, AT("03"), AT("04"), 0, 0}}},
      {"release: the newest of several first",
       RELEASE,
       0,
       0,
       true,
       MDE_DECISION_CANCEL_OPPOSITE,
       1,
       false,
       {{R, P, AT("01"), AT("02"), 0, 0}, {R, P, AT("03"), AT("04"), 0, 0}}},
      /* released, releasing */
      {"release: released",
       RELEASE,
       0,
       0,
       true,
       MDE_DECISION_ALREADY_ACTIVE,
       1,
       false,
       {{R, S, AT("01"), AT("02"), 0, 0}, {U, S, AT("03"), AT("04"), 0, 0}}},
      {"release: releasing",
       RELEASE,
       0,
       0,
       true,
       MDE_DECISION_ALREADY_ACTIVE,
       1,
       false,
       {{R, S, AT("01"), AT("02"), 0, 0}, {U, P, AT("03"), AT("04"), 0, 0}}},
      {"release: released under another incident",
       RELEASE,
       "INC-1",
       0,
       true,
       MDE_DECISION_ALREADY_ACTIVE,
       0,
       true,
       {{U, S, AT("03"), AT("04"), SUFFIX_10, 0}}},
      /* the caller's own key */
      {"key: never used",
       RESTRICT,
       0,
       "alert-4711",
       false,
       MDE_DECISION_SEND,
       NONE,
       false,
       {{U, S, AT("01"), AT("02"), 0, 0}}},
      {"key: pending",
       RESTRICT,
       "INC-1",
       "alert-4711",
       false,
       MDE_DECISION_ALREADY_ACTIVE,
       0,
       false,
       {{R, P, AT("01"), AT("02"), SUFFIX_KEY, 0}}},
      {"key: succeeded",
       RESTRICT,
       "INC-1",
       "alert-4711",
       false,
       MDE_DECISION_ALREADY_ACTIVE,
       0,
       false,
       {{R, S, AT("01"), AT("02"), SUFFIX_KEY, 0}}},
      {"key: the first is told, not the newest",
       RESTRICT,
       "INC-1",
       "alert-4711",
       false,
       MDE_DECISION_ALREADY_ACTIVE,
       0,
       false,
       {{R, S, AT("01"), AT("02"), SUFFIX_KEY, 0}, {R, S, AT("03"), AT("04"), SUFFIX_1, 0}}},
      {"key: used under another incident",
       RESTRICT,
       "INC-2",
       "alert-4711",
       false,
       MDE_DECISION_ALREADY_ACTIVE,
       0,
       true,
       {{R, S, AT("01"), AT("02"), SUFFIX_KEY, 0}}},
      {"key: failed",
       RESTRICT,
       0,
       "alert-4711",
       false,
       MDE_DECISION_SEND,
       NONE,
       false,
       {{R, F, AT("01"), AT("02"), BARE_KEY, 0}}},
      {"key: failed, then succeeded",
       RESTRICT,
       0,
       "alert-4711",
       false,
       MDE_DECISION_ALREADY_ACTIVE,
       1,
       false,
       {{R, F, AT("01"), AT("02"), BARE_KEY, 0}, {R, S, AT("03"), AT("04"), BARE_KEY, 0}}},
      {"key: cancelled",
       RESTRICT,
       0,
       "alert-4711",
       false,
       MDE_DECISION_SUPERSEDED,
       0,
       false,
       {{R, C, AT("01"), AT("02"), BARE_KEY, 0}}},
      {"key: undone",
       RESTRICT,
       0,
       "alert-4711",
       false,
       MDE_DECISION_SUPERSEDED,
       1,
       false,
       {{R, S, AT("01"), AT("02"), BARE_KEY, 0}, {U, S, AT("03"), AT("04"), 0, 0}}},
      {"key: being undone",
       RESTRICT,
       0,
       "alert-4711",
       true,
       MDE_DECISION_SUPERSEDED,
       1,
       false,
       {{R, S, AT("01"), AT("02"), BARE_KEY, 0}, {U, P, AT("03"), AT("04"), 0, 0}}},
      {"key: undone by an opposite that finished later",
       RESTRICT,
       0,
       "alert-4711",
       false,
       MDE_DECISION_SUPERSEDED,
       0,
       false,
       {{U, S, AT("01"), AT("09"), 0, 0}, {R, S, AT("02"), AT("03"), BARE_KEY, 0}}},
      {"key: the undoing failed",
       RESTRICT,
       0,
       "alert-4711",
       false,
       MDE_DECISION_ALREADY_ACTIVE,
       0,
       false,
       {{R, S, AT("01"), AT("02"), BARE_KEY, 0}, {U, F, AT("03"), AT("04"), 0, 0}}},
      {"key: undone, then restricted by somebody",
       RESTRICT,
       0,
       "alert-4711",
       false,
       MDE_DECISION_SUPERSEDED,
       1,
       false,
       {{R, S, AT("01"), AT("02"), BARE_KEY, 0},
        {U, S, AT("03"), AT("04"), 0, 0},
        {R, S, AT("05"), AT("06"), 0, 0}}},
      {"key: an older release does not undo",
       RESTRICT,
       0,
       "alert-4711",
       false,
       MDE_DECISION_ALREADY_ACTIVE,
       1,
       false,
       {{U, S, AT("01"), AT("02"), 0, 0}, {R, S, AT("03"), AT("04"), BARE_KEY, 0}}},
      {"key: of the other verb",
       RELEASE,
       0,
       "alert-4711",
       true,
       MDE_DECISION_SEND,
       NONE,
       false,
       {{R, S, AT("01"), AT("02"), BARE_KEY, 0}}},
      {"key: in another case is another key",
       RESTRICT,
       "INC-9",
       "ALERT-4711",
       false,
       MDE_DECISION_SEND,
       NONE,
       false,
       {{R, S, AT("01"), AT("02"), BARE_KEY, 0}}},
      {"key: released by key, restricted since",
       RELEASE,
       0,
       "alert-4711",
       true,
       MDE_DECISION_SUPERSEDED,
       1,
       false,
       {{U, S, AT("01"), AT("02"), BARE_KEY, 0}, {R, S, AT("03"), AT("04"), 0, 0}}},
      {"key: undone at the same time",
       RESTRICT,
       0,
       "alert-4711",
       false,
       MDE_DECISION_SUPERSEDED,
       1,
       false,
       {{R, S, AT("01"), AT("05"), BARE_KEY, 0}, {U, P, AT("01"), AT("02"), 0, 0}}},
      {"key: undone twice, the newest first",
       RESTRICT,
       0,
       "alert-4711",
       false,
       MDE_DECISION_SUPERSEDED,
       1,
       false,
       {{R, S, AT("01"), AT("02"), BARE_KEY, 0},
        {U, S, AT("05"), AT("06"), 0, 0},
        {U, S, AT("03"), AT("04"), 0, 0}}},
      {"key: undone twice, the newest last",
       RESTRICT,
       0,
       "alert-4711",
       false,
       MDE_DECISION_SUPERSEDED,
       2,
       false,
       {{R, S, AT("01"), AT("02"), BARE_KEY, 0},
        {U, S, AT("03"), AT("04"), 0, 0},
        {U, S, AT("05"), AT("06"), 0, 0}}},
      {"restrict: the incident stands in another machine's action alone",
       RESTRICT,
       "INC-1",
       0,
       false,
       MDE_DECISION_SEND,
       NONE,
       false,
       {{R, S, AT("01"), AT("02"), "by hand", 0},
        {R, S, AT("03"), AT("04"), SUFFIX_1, "fedcba9876543210fedcba9876543210fedcba98"}}},
      {"restrict: pending, behind another machine's action",
       RESTRICT,
       0,
       0,
       false,
       MDE_DECISION_ALREADY_ACTIVE,
       1,
       false,
       {{R, P, AT("03"), 0, "by hand", "fedcba9876543210fedcba9876543210fedcba98"},
        {R, P, AT("01"), AT("02"), "by hand", 0}}},
      {"restrict: a release without times, before or after",
       RESTRICT,
       0,
       0,
       false,
       MDE_DECISION_SEND,
       NONE,
       false,
       {{R, S, AT("03"), AT("04"), 0, 0}, {U, S, 0, 0, 0, 0}}},
      {"key: without a time, an opposite may have undone it",
       RESTRICT,
       0,
       "alert-4711",
       false,
       MDE_DECISION_CONFLICT,
       1,
       false,
       {{R, P, 0, 0, BARE_KEY, 0}, {U, S, AT("03"), AT("04"), 0, 0}}},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct mde_action actions[MOST];
    size_t count = read_rows(cases[i].rows, actions);
    struct mde_intent intent = {.response = cases[i].response,
                                .until = MDE_NO_TIME,
                                .incident = text(cases[i].incident),
                                .key = text(cases[i].key),
                                .cancel_opposite = cases[i].cancel_opposite};
    struct mde_look look = mde_history_look(actions, count, &intent);
    if (look.decision != cases[i].decision || look.action != cases[i].action ||
        look.recorded == cases[i].unrecorded)
      fail_msg("%s: decision %d, action %zd, recorded %d", cases[i].what, (int)look.decision,
               (ssize_t)look.action, look.recorded);
  }
}

/* clang-format on */
static void actions_are_found_by_operation_id(void **state)
{
  (void)state;
  static const struct row rows[MOST] = {{R, F, AT("01"), AT("02"), BARE_KEY, 0},
                                        {R, P, AT("03"), AT("03"), BARE_KEY, 0},
                                        {U, P, AT("05"), AT("05"), BARE_KEY, 0},
                                        {R, P, AT("07"), AT("07"), "why [mde:alert-47110]", 0},
                                        {R, P, AT("08"), AT("08"), BARE_KEY, "ff"}};
  struct mde_action actions[MOST];
  size_t count = read_rows(rows, actions);
  assert_int_equal(mde_history_find(actions, count, RESTRICT, text("alert-4711")), 1);
  assert_int_equal(mde_history_find(actions, count, RELEASE, text("alert-4711")), 2);
  assert_int_equal(mde_history_find(actions, count, RELEASE, text("alert-47110")), NONE);
  assert_int_equal(mde_history_find(actions, 0, RESTRICT, text("alert-4711")), NONE);
}

/* clang-format off: a rule is a line */
#define SUFFIX_LOWER "why [mde:inc-1:operation-2]"
#define SUFFIX_TWICE "why [mde:INC-1:operation-1] [mde:INC-2:operation-3]"
#define SUFFIX_NO_INCIDENT "why [mde:operation-4]"

/* In `holds` a letter for each action: o ours, x another's, - holds nothing. */
static void who_holds_a_device(void **state)
{
  (void)state;
  static const struct {
    const char *what;
    const char *incidents[2];
    const char *since;
    const char *holds;
    struct row rows[MOST];
  } cases[] = {
      {"nothing happened", {"INC-1"}, 0, "", {{0}}},
      {"restricted", {"INC-1"}, 0, "o", {{R, S, AT("01"), AT("02"), SUFFIX_1, 0}}},
      {"restricting", {"INC-1"}, 0, "o", {{R, P, AT("01"), AT("01"), SUFFIX_1, 0}}},
      {"in progress", {"INC-1"}, 0, "o", {{R, "InProgress", AT("01"), 0, SUFFIX_1, 0}}},
      {"another case", {"inc-1"}, 0, "o", {{R, S, AT("01"), AT("02"), SUFFIX_1, 0}}},
      {"another case there", {"INC-1"}, 0, "o", {{R, S, AT("01"), AT("02"), SUFFIX_LOWER, 0}}},
      {"INC-10 is not INC-1", {"INC-1"}, 0, "x", {{R, S, AT("01"), AT("02"), SUFFIX_10, 0}}},
      {"INC-1 is not INC-10", {"INC-10"}, 0, "x", {{R, S, AT("01"), AT("02"), SUFFIX_1, 0}}},
      {"only the last suffix counts",
       {"INC-1"},
       0,
       "x",
       {{R, S, AT("01"), AT("02"), SUFFIX_TWICE, 0}}},
      {"only the last suffix counts, for its own",
       {"INC-2"},
       0,
       "o",
       {{R, S, AT("01"), AT("02"), SUFFIX_TWICE, 0}}},
      {"a suffix in the middle is text",
       {"INC-1"},
       0,
       "x",
       {{R, S, AT("01"), AT("02"), SUFFIX_1 " and more", 0}}},
      {"a suffix without an incident",
       {"INC-1"},
       0,
       "x",
       {{R, S, AT("01"), AT("02"), SUFFIX_NO_INCIDENT, 0}}},
      {"no comment", {"INC-1"}, 0, "x", {{R, S, AT("01"), AT("02"), 0, 0}}},
      {"failed", {"INC-1"}, 0, "-", {{R, F, AT("01"), AT("02"), SUFFIX_1, 0}}},
      {"timed out", {"INC-1"}, 0, "-", {{R, "TimeOut", AT("01"), AT("02"), SUFFIX_1, 0}}},
      {"cancelled", {"INC-1"}, 0, "-", {{R, C, AT("01"), AT("02"), SUFFIX_1, 0}}},
      {"another action", {"INC-1"}, 0, "-", {{"Isolate", S, AT("01"), 0, SUFFIX_1, 0}}},
      {"another machine", {"INC-1"}, 0, "-", {{R, S, AT("01"), AT("02"), SUFFIX_1, "ff"}}},
      {"released",
       {"INC-1"},
       0,
       "--",
       {{R, S, AT("01"), AT("02"), SUFFIX_1, 0}, {U, S, AT("03"), AT("04"), 0, 0}}},
      {"a release in between",
       {"INC-1"},
       0,
       "--o",
       {{R, S, AT("01"), AT("02"), SUFFIX_10, 0},
        {U, S, AT("03"), AT("04"), 0, 0},
        {R, S, AT("05"), AT("06"), SUFFIX_1, 0}}},
      {"a release in between, then somebody else's",
       {"INC-1"},
       0,
       "--x",
       {{R, S, AT("01"), AT("02"), SUFFIX_1, 0},
        {U, S, AT("03"), AT("04"), 0, 0},
        {R, S, AT("05"), AT("06"), SUFFIX_10, 0}}},
      {"the order of the list does not matter",
       {"INC-1"},
       0,
       "o--",
       {{R, S, AT("05"), AT("06"), SUFFIX_1, 0},
        {U, S, AT("03"), AT("04"), 0, 0},
        {R, S, AT("01"), AT("02"), SUFFIX_10, 0}}},
      {"a release that is pending",
       {"INC-1"},
       0,
       "o-",
       {{R, S, AT("01"), AT("02"), SUFFIX_1, 0}, {U, P, AT("03"), AT("04"), 0, 0}}},
      {"a release that failed",
       {"INC-1"},
       0,
       "o-",
       {{R, S, AT("01"), AT("02"), SUFFIX_1, 0}, {U, F, AT("03"), AT("04"), 0, 0}}},
      {"a release that was cancelled",
       {"INC-1"},
       0,
       "o-",
       {{R, S, AT("01"), AT("02"), SUFFIX_1, 0}, {U, C, AT("03"), AT("04"), 0, 0}}},
      {"pending since before the release",
       {"INC-1"},
       0,
       "o-",
       {{R, P, AT("01"), AT("01"), SUFFIX_1, 0}, {U, S, AT("03"), AT("04"), 0, 0}}},
      {"somebody else's, pending since before the release",
       {"INC-1"},
       0,
       "x-o",
       {{R, P, AT("01"), AT("01"), SUFFIX_10, 0},
        {U, S, AT("03"), AT("04"), 0, 0},
        {R, S, AT("05"), AT("06"), SUFFIX_1, 0}}},
      {"asked for before the release, done after it",
       {"INC-1"},
       0,
       "o-",
       {{R, S, AT("01"), AT("09"), SUFFIX_1, 0}, {U, S, AT("03"), AT("04"), 0, 0}}},
      {"asked for after the release, done before it",
       {"INC-1"},
       0,
       "--",
       {{R, S, AT("04"), AT("05"), SUFFIX_1, 0}, {U, S, AT("03"), AT("09"), 0, 0}}},
      {"times that do not tell",
       {"INC-1"},
       0,
       "ox-",
       {{R, S, 0, 0, SUFFIX_1, 0},
        {R, S, AT("03"), AT("04"), SUFFIX_10, 0},
        {U, S, AT("03"), AT("04"), 0, 0}}},
      {"two incidents",
       {"INC-1"},
       0,
       "ox",
       {{R, S, AT("01"), AT("02"), SUFFIX_1, 0}, {R, S, AT("03"), AT("04"), SUFFIX_10, 0}}},
      {"two incidents, both asked about",
       {"INC-1", "inc-10"},
       0,
       "oo",
       {{R, S, AT("01"), AT("02"), SUFFIX_1, 0}, {R, S, AT("03"), AT("04"), SUFFIX_10, 0}}},
      {"somebody by hand, later",
       {"INC-1"},
       0,
       "ox",
       {{R, S, AT("01"), AT("02"), SUFFIX_1, 0}, {R, P, AT("03"), AT("04"), "by hand", 0}}},
      {"created then", {"INC-1"}, AT("01"), "o", {{R, S, AT("01"), AT("02"), SUFFIX_1, 0}}},
      {"created before", {"INC-1"}, AT("02"), "x", {{R, S, AT("01"), AT("02"), SUFFIX_1, 0}}},
      {"created before and since",
       {"INC-1"},
       AT("02"),
       "xo",
       {{R, S, AT("01"), AT("02"), SUFFIX_1, 0}, {R, S, AT("03"), AT("04"), SUFFIX_1, 0}}},
      {"created nobody knows when", {"INC-1"}, AT("02"), "x", {{R, P, 0, 0, SUFFIX_1, 0}}},
      {"no incident asked about", {0}, 0, "x", {{R, P, 0, 0, SUFFIX_1, 0}}},
      {"another incident, which has ended",
       {"INC-1"},
       0,
       "o-",
       {{R, S, AT("01"), AT("02"), SUFFIX_1, 0}, {R, P, AT("03"), AT("04"), SUFFIX_ENDED, 0}}},
      {"an incident that has ended, and somebody by hand",
       {"INC-1"},
       0,
       "o-x",
       {{R, S, AT("01"), AT("02"), SUFFIX_1, 0},
        {R, S, AT("03"), AT("04"), SUFFIX_ENDED, 0},
        {R, S, AT("05"), AT("06"), "by hand", 0}}},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct mde_action actions[MOST];
    size_t count = read_rows(cases[i].rows, actions);
    struct mde_text incidents[2];
    struct mde_text ended[] = {text("INC-7"), text("inc-8")};
    struct mde_claim claim = {.incidents = incidents,
                              .since = mde_timestamp(text(cases[i].since)),
                              .ended = ended,
                              .ended_count = 2};
    while (claim.incident_count < 2 && cases[i].incidents[claim.incident_count] != NULL) {
      incidents[claim.incident_count] = text(cases[i].incidents[claim.incident_count]);
      claim.incident_count++;
    }
    size_t ours[MOST], others[MOST];
    struct mde_holders held = mde_claim_holders(&claim, actions, count, RESTRICT, ours, others);
    char found[MOST + 1] = "------";
    found[count] = '\0';
    assert_true(held.ours + held.others <= count);
    assert_int_equal(count - held.ours - held.others, count_of(cases[i].holds, '-'));
    for (size_t k = 0; k < held.ours; k++)
      found[ours[k]] = 'o';
    for (size_t k = 0; k < held.others; k++)
      found[others[k]] = 'x';
    if (strcmp(found, cases[i].holds) != 0) fail_msg("%s: %s", cases[i].what, found);
  }
}

static void a_record_holds_as_long_as_is_wanted(void **state)
{
  (void)state;
#define UNTIL(n) "why [mde:INC-1:ours-0001.until." n "]"
  static const struct {
    const char *what, *status, *comment, *incident;
    int64_t until; /* seconds; 0: until it is released */
    enum mde_decision decision;
    bool recorded;
  } cases[] = {
      {"no end, wanted for good", S, SUFFIX_1, "INC-1", 0, MDE_DECISION_ALREADY_ACTIVE, true},
      {"no end, wanted until then", S, SUFFIX_1, "INC-1", 1795960800, MDE_DECISION_ALREADY_ACTIVE,
       true},
      {"an end, wanted for good", S, UNTIL("1795960800"), "INC-1", 0, MDE_DECISION_SEND, true},
      {"an end, wanted for good, no incident", S, UNTIL("1795960800"), NULL, 0, MDE_DECISION_SEND,
       true},
      {"the same end", S, UNTIL("1795960800"), "INC-1", 1795960800, MDE_DECISION_ALREADY_ACTIVE,
       true},
      {"a later end", S, UNTIL("1795960900"), "INC-1", 1795960800, MDE_DECISION_ALREADY_ACTIVE,
       true},
      {"an end five minutes sooner", S, UNTIL("1795960500"), "INC-1", 1795960800,
       MDE_DECISION_ALREADY_ACTIVE, true},
      {"an end sooner than that", S, UNTIL("1795960499"), "INC-1", 1795960800, MDE_DECISION_SEND,
       true},
      {"the same end, another incident", S, UNTIL("1795960800"), "INC-2", 1795960800,
       MDE_DECISION_SEND, true},
      {"an end, pending, wanted for good", P, UNTIL("1795960800"), "INC-1", 0,
       MDE_DECISION_ALREADY_ACTIVE, false},
      {"an end, pending, wanted until then", P, UNTIL("1795960800"), "INC-1", 1795960800,
       MDE_DECISION_ALREADY_ACTIVE, true},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct row rows[MOST] = {{R, cases[i].status, AT("01"), AT("02"), cases[i].comment, 0}};
    struct mde_action actions[MOST];
    size_t count = read_rows(rows, actions);
    struct mde_intent intent = {
        .response = RESTRICT,
        .incident = text(cases[i].incident),
        .until = cases[i].until == 0 ? MDE_NO_TIME : cases[i].until * MDE_TICKS_PER_SECOND};
    struct mde_look look = mde_history_look(actions, count, &intent);
    if (look.decision != cases[i].decision || look.recorded != cases[i].recorded)
      fail_msg("%s: decision %d", cases[i].what, (int)look.decision);
  }
}

static void a_key_is_known_again_whatever_its_end(void **state)
{
  (void)state;
  struct row rows[MOST] = {{R, P, AT("01"), AT("02"), "why [mde:alert-4711.until.1795960800]", 0}};
  struct mde_action actions[MOST];
  size_t count = read_rows(rows, actions);
  static const char *const keys[] = {"alert-4711", "alert-4711.until.1795961111"};
  for (size_t i = 0; i < 2; i++)
    assert_int_equal(0, mde_history_find(actions, count, RESTRICT, text(keys[i])));
  assert_int_equal(NONE, mde_history_find(actions, count, RESTRICT, text("alert-471")));
}

static void what_somebody_has_taken_back(void **state)
{
  (void)state;
  /* Sent again at minute 30, for INC-1, or with the text "why"; what was sent before 05 is old. */
  static const struct {
    const char *what, *comment;
    size_t by;
    struct row rows[MOST];
  } cases[] = {
      {"nothing", SUFFIX_KEY, NONE, {{0}}},
      {"what stands", SUFFIX_KEY, NONE, {{R, S, AT("10"), AT("11"), SUFFIX_1, 0}}},
      {"released",
       SUFFIX_KEY,
       1,
       {{R, S, AT("10"), AT("11"), SUFFIX_1, 0}, {U, S, AT("12"), AT("13"), "by hand", 0}}},
      {"being released",
       SUFFIX_KEY,
       1,
       {{R, S, AT("10"), AT("11"), SUFFIX_1, 0}, {U, P, AT("12"), AT("13"), "by hand", 0}}},
      {"a release that failed",
       SUFFIX_KEY,
       NONE,
       {{R, S, AT("10"), AT("11"), SUFFIX_1, 0}, {U, F, AT("12"), AT("13"), "by hand", 0}}},
      {"a release that was cancelled",
       SUFFIX_KEY,
       NONE,
       {{R, S, AT("10"), AT("11"), SUFFIX_1, 0}, {U, C, AT("12"), AT("13"), "by hand", 0}}},
      {"cancelled", SUFFIX_KEY, 0, {{R, C, AT("10"), AT("11"), SUFFIX_1, 0}}},
      {"it failed",
       SUFFIX_KEY,
       NONE,
       {{R, F, AT("10"), AT("11"), SUFFIX_1, 0}, {U, S, AT("12"), AT("13"), "by hand", 0}}},
      {"released while it was pending",
       SUFFIX_KEY,
       1,
       {{R, P, AT("10"), AT("11"), SUFFIX_1, 0}, {U, S, AT("12"), AT("13"), "by hand", 0}}},
      {"a release before",
       SUFFIX_KEY,
       NONE,
       {{U, S, AT("08"), AT("09"), "by hand", 0}, {R, S, AT("10"), AT("11"), SUFFIX_1, 0}}},
      {"a release that finished later",
       SUFFIX_KEY,
       0,
       {{U, S, AT("08"), AT("12"), "by hand", 0}, {R, S, AT("10"), AT("11"), SUFFIX_1, 0}}},
      {"sent once more since",
       SUFFIX_KEY,
       NONE,
       {{R, S, AT("10"), AT("11"), SUFFIX_1, 0},
        {U, S, AT("12"), AT("13"), "by hand", 0},
        {R, S, AT("14"), AT("15"), SUFFIX_LOWER, 0}}},
      {"of another incident",
       SUFFIX_KEY,
       NONE,
       {{R, S, AT("10"), AT("11"), SUFFIX_10, 0}, {U, S, AT("12"), AT("13"), "by hand", 0}}},
      {"a colleague's by hand",
       SUFFIX_KEY,
       NONE,
       {{R, S, AT("10"), AT("11"), "why", 0}, {U, S, AT("12"), AT("13"), "by hand", 0}}},
      {"long ago",
       SUFFIX_KEY,
       NONE,
       {{R, S, AT("04"), AT("04"), SUFFIX_1, 0}, {U, S, AT("12"), AT("13"), "by hand", 0}}},
      {"just then",
       SUFFIX_KEY,
       1,
       {{R, S, AT("05"), AT("05"), SUFFIX_1, 0}, {U, S, AT("12"), AT("13"), "by hand", 0}}},
      {"without a time",
       SUFFIX_KEY,
       1,
       {{R, S, "?", "?", SUFFIX_1, 0}, {U, S, AT("12"), AT("13"), "by hand", 0}}},
      {"a release without a time",
       SUFFIX_KEY,
       1,
       {{R, S, AT("10"), AT("11"), SUFFIX_1, 0}, {U, S, "?", "?", "by hand", 0}}},
      {"of another machine",
       SUFFIX_KEY,
       NONE,
       {{R, S, AT("10"), AT("11"), SUFFIX_1, 0},
        {U, S, AT("12"), AT("13"), "by hand", "ffffffffffffffffffffffffffffffffffffffff"}}},
      {"the same text",
       "why [mde:operation-9]",
       1,
       {{R, S, AT("10"), AT("11"), SUFFIX_NO_INCIDENT, 0},
        {U, S, AT("12"), AT("13"), "by hand", 0}}},
      {"the same text of an incident",
       "why [mde:operation-9]",
       NONE,
       {{R, S, AT("10"), AT("11"), SUFFIX_1, 0}, {U, S, AT("12"), AT("13"), "by hand", 0}}},
      {"another text",
       "why not [mde:operation-9]",
       NONE,
       {{R, S, AT("10"), AT("11"), SUFFIX_NO_INCIDENT, 0},
        {U, S, AT("12"), AT("13"), "by hand", 0}}},
      {"two releases: the newer",
       SUFFIX_KEY,
       2,
       {{R, S, AT("10"), AT("11"), SUFFIX_1, 0},
        {U, S, AT("12"), AT("13"), "by hand", 0},
        {U, S, AT("14"), AT("15"), "by hand", 0}}},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct mde_action actions[MOST];
    size_t count = read_rows(cases[i].rows, actions);
    struct mde_comment comment = mde_comment_parse(text(cases[i].comment));
    size_t by = mde_history_withdrawn(actions, count, RESTRICT, comment.incident,
                                      text(cases[i].comment), mde_timestamp(text(AT("05"))));
    if (by != cases[i].by) fail_msg("%s: %zd", cases[i].what, (ssize_t)by);
  }
}

/* clang-format on */

/* What was sent at minute 30 under the operation id of SUFFIX_KEY. */
static struct mde_sent a_send(bool looked)
{
  return (struct mde_sent){.response = RESTRICT,
                           .operation = text("alert-4711"),
                           .comment = text(SUFFIX_KEY),
                           .looked = looked,
                           .sent_at = mde_timestamp(text(AT("30")))};
}

/* clang-format off: a rule is a line */
static void the_answer_to_a_send_is_judged(void **state)
{
  (void)state;
  static const char sent[] = SUFFIX_KEY;
  /* Seen by the look before; not seen by it; neither, and the id is a key; there was no look. */
  enum before { SEEN, UNSEEN, KEYED, BLIND };
  static const struct {
    const char *what;
    enum mde_reply reply;
    enum before before;
    const char *id;
    struct row row;
  } cases[] = {
      {"ours", MDE_REPLY_ACCEPTED, UNSEEN, "id", {R, P, AT("30"), 0, sent, MACHINE}},
      {"ours, unlooked", MDE_REPLY_ACCEPTED, BLIND, "id", {R, P, AT("30"), 0, sent, MACHINE}},
      {"ours, under a key, long before",
       MDE_REPLY_ALREADY_ACTIVE,
       KEYED,
       "id",
       {R, P, AT("24"), 0, sent, MACHINE}},
      {"ours, under a key", MDE_REPLY_ACCEPTED, KEYED, "id", {R, P, AT("26"), 0, sent, MACHINE}},
      {"ours, under a key, 5 min before",
       MDE_REPLY_ACCEPTED,
       KEYED,
       "id",
       {R, P, AT("25"), 0, sent, MACHINE}},
      {"ours, without a machine yet",
       MDE_REPLY_ACCEPTED,
       UNSEEN,
       "id",
       {R, P, AT("30"), 0, sent, 0}},
      {"ours, without times", MDE_REPLY_ACCEPTED, UNSEEN, "id", {R, P, 0, 0, sent, MACHINE}},
      {"ours, failed at once",
       MDE_REPLY_ACCEPTED,
       UNSEEN,
       "id",
       {R, F, AT("30"), 0, sent, MACHINE}},
      {"ours, a clock that is behind",
       MDE_REPLY_ACCEPTED,
       UNSEEN,
       "id",
       {R, P, AT("01"), 0, sent, MACHINE}},
      {"ours, a clock that is behind, unlooked",
       MDE_REPLY_ACCEPTED,
       BLIND,
       "id",
       {R, P, AT("01"), 0, sent, MACHINE}},
      {"ours, years ahead",
       MDE_REPLY_ACCEPTED,
       BLIND,
       "id",
       {R, P, "2046-02-03T10:00:00Z", 0, sent, MACHINE}},
      {"cut short", MDE_REPLY_CUT, UNSEEN, "id", {R, P, AT("30"), 0, CUT, MACHINE}},
      {"the first words of our comment, a moment ago",
       MDE_REPLY_ALREADY_ACTIVE,
       UNSEEN,
       "id",
       {R, P, AT("30"), 0, "why [mde:INC-1:", MACHINE}},
      {"cut short, a clock that is behind",
       MDE_REPLY_CUT,
       UNSEEN,
       "id",
       {R, P, AT("26"), 0, CUT, MACHINE}},
      {"the beginning of our comment long before",
       MDE_REPLY_ALREADY_ACTIVE,
       UNSEEN,
       "id",
       {R, P, AT("24"), 0, "why", MACHINE}},
      {"cut short, unlooked", MDE_REPLY_CUT, BLIND, "id", {R, P, AT("26"), 0, CUT, MACHINE}},
      {"our key, but the look had it",
       MDE_REPLY_ALREADY_ACTIVE,
       SEEN,
       "id",
       {R, P, AT("30"), 0, sent, MACHINE}},
      {"the beginning of our comment, but the look had it",
       MDE_REPLY_ALREADY_ACTIVE,
       SEEN,
       "id",
       {R, P, AT("29"), 0, "why", MACHINE}},
      {"the beginning of our comment long before, unlooked",
       MDE_REPLY_ALREADY_ACTIVE,
       BLIND,
       "id",
       {R, P, AT("24"), 0, "why", MACHINE}},
      {"somebody else's",
       MDE_REPLY_ALREADY_ACTIVE,
       UNSEEN,
       "id",
       {R, P, AT("30"), 0, SUFFIX_10, MACHINE}},
      {"without a comment",
       MDE_REPLY_ALREADY_ACTIVE,
       UNSEEN,
       "id",
       {R, P, AT("30"), 0, 0, MACHINE}},
      {"somebody else's that succeeded",
       MDE_REPLY_ALREADY_ACTIVE,
       SEEN,
       "id",
       {R, S, AT("20"), 0, "by hand", MACHINE}},
      {"somebody else's that failed",
       MDE_REPLY_FOREIGN,
       SEEN,
       "id",
       {R, F, AT("20"), 0, "by hand", MACHINE}},
      {"somebody else's that was cancelled",
       MDE_REPLY_FOREIGN,
       SEEN,
       "id",
       {R, C, AT("20"), 0, "by hand", MACHINE}},
      {"another machine", MDE_REPLY_FOREIGN, UNSEEN, "id", {R, P, AT("30"), 0, sent, "ff"}},
      {"the opposite", MDE_REPLY_FOREIGN, UNSEEN, "id", {U, P, AT("30"), 0, sent, MACHINE}},
      {"another type", MDE_REPLY_FOREIGN, UNSEEN, "id", {"Isolate", P, AT("30"), 0, sent, MACHINE}},
      {"no type", MDE_REPLY_FOREIGN, UNSEEN, "id", {0, P, AT("30"), 0, sent, MACHINE}},
      {"no id", MDE_REPLY_FOREIGN, UNSEEN, 0, {R, P, AT("30"), 0, sent, MACHINE}},
      {"an empty id", MDE_REPLY_FOREIGN, UNSEEN, "", {R, P, AT("30"), 0, sent, MACHINE}},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    const struct row *row = &cases[i].row;
    struct mde_action_text action = {.id = text(cases[i].id),
                                     .type = text(row->type),
                                     .status = text(row->status),
                                     .machine = text(row->machine),
                                     .comment = text(row->comment),
                                     .created = text(row->created),
                                     .updated = text(row->updated)};
    struct mde_sent send = a_send(cases[i].before != BLIND);
    send.keyed = cases[i].before == KEYED;
    enum mde_reply reply =
        mde_history_reply(&action, text(MACHINE), &send, cases[i].before == SEEN);
    if (reply != cases[i].reply) fail_msg("%s: %d", cases[i].what, (int)reply);
  }
}

/*
 * What became of a restrict with the operation id "alert-4711" that was sent at minute 30. Of each
 * row `seen` says what the look before had: 'x' not there, '=' there as it is, 'p' there, pending;
 * NULL: nothing was looked at.
 */
static void a_lost_answer_is_found_in_the_list(void **state)
{
  (void)state;
#define OURS SUFFIX_KEY
#define LATE "2046-02-03T10:00:00Z"
  static const struct {
    const char *what;
    const char *seen;
    enum mde_reconciliation decision;
    size_t action;
    struct row rows[MOST];
  } cases[] = {
      {"no action", "", MDE_RECONCILIATION_NOTHING, NONE, {{0}}},
      {"ours", "x", MDE_RECONCILIATION_OURS, 0, {{R, P, AT("30"), 0, OURS, MACHINE}}},
      {"ours, unlooked", 0, MDE_RECONCILIATION_OURS, 0, {{R, P, AT("30"), 0, OURS, MACHINE}}},
      {"ours, a clock that is behind",
       "x",
       MDE_RECONCILIATION_OURS,
       0,
       {{R, P, AT("01"), 0, OURS, MACHINE}}},
      {"ours, a clock that is behind, unlooked",
       0,
       MDE_RECONCILIATION_OURS,
       0,
       {{R, P, AT("01"), 0, OURS, MACHINE}}},
      {"ours, years ahead", "x", MDE_RECONCILIATION_OURS, 0, {{R, P, LATE, 0, OURS, MACHINE}}},
      {"ours, succeeded",
       "x",
       MDE_RECONCILIATION_OURS,
       0,
       {{R, S, AT("30"), AT("31"), OURS, MACHINE}}},
      {"ours, failed",
       "x",
       MDE_RECONCILIATION_OURS,
       0,
       {{R, F, AT("30"), AT("31"), OURS, MACHINE}}},
      {"ours, without times and machine", "x", MDE_RECONCILIATION_OURS, 0, {{R, P, 0, 0, OURS, 0}}},
      {"ours, cancelled",
       "x",
       MDE_RECONCILIATION_SUPERSEDED,
       0,
       {{R, C, AT("30"), AT("31"), OURS, MACHINE}}},
      {"our id with the other verb",
       "x",
       MDE_RECONCILIATION_SUPERSEDED,
       0,
       {{U, P, AT("30"), 0, OURS, MACHINE}}},
      {"a key that was used before",
       "=",
       MDE_RECONCILIATION_NOTHING,
       NONE,
       {{R, F, AT("30"), AT("31"), OURS, MACHINE}}},
      {"a key that was used before, and the new one without a usable time",
       "=x",
       MDE_RECONCILIATION_OURS,
       1,
       {{R, F, AT("10"), AT("11"), OURS, MACHINE}, {R, P, 0, 0, OURS, MACHINE}}},

      {"pending before",
       "=",
       MDE_RECONCILIATION_ACTIVE,
       0,
       {{R, P, AT("29"), 0, "by hand", MACHINE}}},
      {"pending since",
       "x",
       MDE_RECONCILIATION_ACTIVE,
       0,
       {{R, P, AT("31"), 0, "by hand", MACHINE}}},
      {"the same by somebody else, done",
       "x",
       MDE_RECONCILIATION_NOTHING,
       NONE,
       {{R, S, AT("31"), AT("32"), "by hand", MACHINE}}},

      {"the opposite since, pending",
       "x",
       MDE_RECONCILIATION_SUPERSEDED,
       0,
       {{U, P, AT("31"), 0, "by hand", MACHINE}}},
      {"the opposite since, done",
       "x",
       MDE_RECONCILIATION_SUPERSEDED,
       0,
       {{U, S, AT("31"), AT("32"), "by hand", MACHINE}}},
      {"the opposite since, by a clock that is behind",
       "x",
       MDE_RECONCILIATION_SUPERSEDED,
       0,
       {{U, S, AT("01"), AT("02"), "by hand", MACHINE}}},
      {"the opposite since, without a time",
       "x",
       MDE_RECONCILIATION_SUPERSEDED,
       0,
       {{U, P, 0, 0, "by hand", MACHINE}}},
      {"the opposite since, failed",
       "x",
       MDE_RECONCILIATION_SUPERSEDED,
       0,
       {{U, F, AT("31"), AT("32"), "by hand", MACHINE}}},
      {"the opposite since, cancelled",
       "x",
       MDE_RECONCILIATION_NOTHING,
       NONE,
       {{U, C, AT("31"), AT("32"), "by hand", MACHINE}}},
      {"the look had the opposite, done a moment before",
       "=",
       MDE_RECONCILIATION_NOTHING,
       NONE,
       {{U, S, AT("29"), AT("29"), "by hand", MACHINE}}},
      {"the look had the opposite, by a clock that is ahead",
       "=",
       MDE_RECONCILIATION_NOTHING,
       NONE,
       {{U, S, AT("45"), AT("46"), "by hand", MACHINE}}},
      {"the look had the opposite, years ahead",
       "=",
       MDE_RECONCILIATION_NOTHING,
       NONE,
       {{U, S, LATE, LATE, "by hand", MACHINE}}},
      {"the look had the opposite pending, done since",
       "p",
       MDE_RECONCILIATION_NOTHING,
       NONE,
       {{U, S, AT("10"), AT("31"), "by hand", MACHINE}}},
      {"the look had the opposite pending",
       "=",
       MDE_RECONCILIATION_OPPOSITE,
       0,
       {{U, P, AT("10"), 0, "by hand", MACHINE}}},

      {"of several the newest counts",
       "xx",
       MDE_RECONCILIATION_SUPERSEDED,
       1,
       {{R, P, AT("31"), 0, "by hand", MACHINE}, {U, S, AT("32"), AT("33"), "no", MACHINE}}},
      {"whatever was done after it",
       "xx",
       MDE_RECONCILIATION_SUPERSEDED,
       0,
       {{U, S, AT("31"), AT("33"), "no", MACHINE}, {R, P, AT("32"), 0, "by hand", MACHINE}}},
      {"but ours is ours",
       "xx",
       MDE_RECONCILIATION_OURS,
       0,
       {{R, S, AT("30"), AT("31"), OURS, MACHINE}, {U, S, AT("32"), AT("33"), "no", MACHINE}}},
      {"the same since, cancelled",
       "x",
       MDE_RECONCILIATION_SUPERSEDED,
       0,
       {{R, C, AT("31"), AT("32"), "by hand", MACHINE}}},
      {"one of this verb without a time hides no opposite",
       "xx",
       MDE_RECONCILIATION_SUPERSEDED,
       1,
       {{R, P, 0, 0, "by hand", MACHINE}, {U, S, AT("31"), AT("32"), "no", MACHINE}}},
      {"a few words of ours are anybody's",
       "x",
       MDE_RECONCILIATION_NOTHING,
       NONE,
       {{R, S, AT("30"), AT("31"), "why", MACHINE}}},
      {"unlooked: failed long after",
       0,
       MDE_RECONCILIATION_SUPERSEDED,
       0,
       {{U, F, AT("36"), AT("37"), "by hand", MACHINE}}},
      {"unlooked: one of this verb without a time hides no opposite",
       0,
       MDE_RECONCILIATION_UNCLEAR,
       1,
       {{R, P, 0, 0, "by hand", MACHINE}, {U, S, AT("31"), AT("32"), "no", MACHINE}}},
      {"another machine's",
       "x",
       MDE_RECONCILIATION_NOTHING,
       NONE,
       {{U, P, AT("31"), 0, "no", "ff"}}},

      {"ours, cut short", "x", MDE_RECONCILIATION_OURS, 0, {{R, P, AT("30"), 0, CUT, MACHINE}}},
      {"ours, cut short, cancelled",
       "x",
       MDE_RECONCILIATION_SUPERSEDED,
       0,
       {{R, C, AT("30"), 0, CUT, MACHINE}}},
      {"cut short, but the look had it",
       "=",
       MDE_RECONCILIATION_NOTHING,
       NONE,
       {{R, S, AT("29"), AT("30"), CUT, MACHINE}}},
      {"superseded, though cut",
       "xx",
       MDE_RECONCILIATION_SUPERSEDED,
       1,
       {{R, S, AT("30"), AT("31"), CUT, MACHINE}, {U, S, AT("32"), AT("33"), "no", MACHINE}}},

      {"unlooked: long before",
       0,
       MDE_RECONCILIATION_NOTHING,
       NONE,
       {{U, S, AT("24"), AT("25"), "by hand", MACHINE}}},
      {"unlooked: long after",
       0,
       MDE_RECONCILIATION_SUPERSEDED,
       0,
       {{U, S, AT("36"), AT("37"), "by hand", MACHINE}}},
      {"unlooked: shortly before",
       0,
       MDE_RECONCILIATION_UNCLEAR,
       0,
       {{U, S, AT("26"), AT("27"), "by hand", MACHINE}}},
      {"unlooked: shortly after",
       0,
       MDE_RECONCILIATION_UNCLEAR,
       0,
       {{U, P, AT("34"), 0, "by hand", MACHINE}}},
      {"unlooked: without a time",
       0,
       MDE_RECONCILIATION_UNCLEAR,
       0,
       {{U, P, 0, 0, "by hand", MACHINE}}},
      {"unlooked: cut short long before",
       0,
       MDE_RECONCILIATION_NOTHING,
       NONE,
       {{R, S, AT("24"), AT("25"), CUT, MACHINE}}},
      {"unlooked: cut short about then",
       0,
       MDE_RECONCILIATION_UNCLEAR,
       0,
       {{R, P, AT("30"), 0, CUT, MACHINE}}},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct mde_action actions[MOST];
    size_t count = read_rows(cases[i].rows, actions);
    const char *seen = cases[i].seen;
    for (size_t k = 0; seen != NULL && k < count; k++)
      if (seen[k] != 'x')
        mde_action_see(&actions[k], seen[k] == 'p' ? MDE_STATUS_PENDING : actions[k].status);
    struct mde_sent send = a_send(seen != NULL);
    struct mde_reconciled found = mde_history_reconcile(actions, count, &send);
    if (found.decision != cases[i].decision || found.action != cases[i].action)
      fail_msg("%s: %d about %zd", cases[i].what, (int)found.decision, (ssize_t)found.action);
  }
}

/* What a later look decides; `seen` as above, of the first look. */
static void a_later_look_respects_what_was_decided_since(void **state)
{
  (void)state;
  static const struct {
    const char *what;
    const char *seen;
    const struct mde_response *response;
    enum mde_decision decision;
    size_t action;
    struct row rows[MOST];
  } cases[] = {
      {"nothing new", "", RESTRICT, MDE_DECISION_SEND, NONE, {{0}}},
      {"the opposite since, done",
       "x",
       RESTRICT,
       MDE_DECISION_OVERTAKEN,
       0,
       {{U, S, AT("31"), AT("32"), 0, 0}}},
      {"the opposite since, failed",
       "x",
       RESTRICT,
       MDE_DECISION_OVERTAKEN,
       0,
       {{U, F, AT("31"), AT("32"), 0, 0}}},
      {"the opposite since, pending",
       "x",
       RESTRICT,
       MDE_DECISION_OVERTAKEN,
       0,
       {{U, P, AT("31"), AT("32"), 0, 0}}},
      {"the opposite since, cancelled",
       "x",
       RESTRICT,
       MDE_DECISION_SEND,
       NONE,
       {{U, C, AT("31"), AT("32"), 0, 0}}},
      {"the opposite since, and the same again",
       "xx",
       RESTRICT,
       MDE_DECISION_OVERTAKEN,
       0,
       {{U, S, AT("31"), AT("32"), 0, 0}, {R, P, AT("33"), AT("33"), 0, 0}}},
      {"the newest of several",
       "xx",
       RESTRICT,
       MDE_DECISION_OVERTAKEN,
       1,
       {{U, S, AT("31"), AT("32"), 0, 0}, {U, S, AT("33"), AT("34"), 0, 0}}},
      {"the first look had the opposite",
       "=",
       RESTRICT,
       MDE_DECISION_SEND,
       NONE,
       {{U, S, AT("31"), AT("32"), 0, 0}}},
      {"the first look had the opposite pending, done since",
       "p",
       RESTRICT,
       MDE_DECISION_SEND,
       NONE,
       {{U, S, AT("31"), AT("32"), 0, 0}}},
      {"the same since",
       "x",
       RESTRICT,
       MDE_DECISION_ALREADY_ACTIVE,
       0,
       {{R, P, AT("31"), AT("32"), 0, 0}}},
      {"the same since, cancelled",
       "x",
       RESTRICT,
       MDE_DECISION_OVERTAKEN,
       0,
       {{R, C, AT("31"), AT("32"), 0, 0}}},
      {"the first look had the same pending, cancelled since",
       "p",
       RESTRICT,
       MDE_DECISION_OVERTAKEN,
       0,
       {{R, C, AT("20"), AT("32"), 0, 0}}},
      {"the first look had the same cancelled",
       "=",
       RESTRICT,
       MDE_DECISION_SEND,
       NONE,
       {{R, C, AT("20"), AT("32"), 0, 0}}},
      {"release: restricted since",
       "x",
       RELEASE,
       MDE_DECISION_OVERTAKEN,
       0,
       {{R, S, AT("31"), AT("32"), 0, 0}}},
      {"release: restricting since",
       "x",
       RELEASE,
       MDE_DECISION_OVERTAKEN,
       0,
       {{R, P, AT("31"), AT("32"), 0, 0}}},
      {"release: released since",
       "x",
       RELEASE,
       MDE_DECISION_ALREADY_ACTIVE,
       0,
       {{U, S, AT("31"), AT("32"), 0, 0}}},
      {"another machine's",
       "x",
       RESTRICT,
       MDE_DECISION_SEND,
       NONE,
       {{U, S, AT("31"), AT("32"), 0, "ff"}}},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct mde_action actions[MOST];
    size_t count = read_rows(cases[i].rows, actions);
    for (size_t k = 0; k < count; k++)
      if (cases[i].seen[k] != 'x')
        mde_action_see(&actions[k],
                       cases[i].seen[k] == 'p' ? MDE_STATUS_PENDING : actions[k].status);
    struct mde_intent intent = {.response = cases[i].response,
                                .until = MDE_NO_TIME,
                                .cancel_opposite = cases[i].response == RELEASE,
                                .looked = true};
    struct mde_look look = mde_history_look(actions, count, &intent);
    if (look.decision != cases[i].decision || look.action != cases[i].action)
      fail_msg("%s: %d about %zd", cases[i].what, (int)look.decision, (ssize_t)look.action);
  }
}
/* clang-format on */

/* A row from the future wins neither against those of today nor against a look. */
static void a_time_in_the_future_is_not_usable(void **state)
{
  (void)state;
  struct mde_action_text restriction = {.id = text("a"),
                                        .type = text(R),
                                        .status = text(S),
                                        .created = text(LATE),
                                        .updated = text(LATE)};
  int64_t latest = mde_timestamp(text(AT("35")));
  struct mde_action action = mde_action_read(&restriction, RESTRICT, text(MACHINE), latest);
  assert_true(action.created == MDE_NO_TIME && action.updated == MDE_NO_TIME);
  restriction.created = text(AT("35"));
  action = mde_action_read(&restriction, RESTRICT, text(MACHINE), latest);
  assert_true(action.created == latest && action.updated == latest);

  restriction.created = text(LATE);
  struct mde_action_text release = {.id = text("b"),
                                    .type = text(U),
                                    .status = text(S),
                                    .created = text(AT("30")),
                                    .updated = text(AT("31"))};
  struct mde_action actions[] = {mde_action_read(&restriction, RESTRICT, text(MACHINE), latest),
                                 mde_action_read(&release, RESTRICT, text(MACHINE), latest)};
  size_t rests_on;
  assert_int_equal(mde_history_state(actions, 2, RESTRICT, &rests_on), MDE_STATE_UNCLEAR);
  struct mde_intent intent = {.response = RESTRICT, .until = MDE_NO_TIME};
  assert_int_equal(mde_history_look(actions, 2, &intent).decision, MDE_DECISION_SEND);
}

static void an_action_has_an_id_if_it_says_a_guid(void **state)
{
  (void)state;
  struct mde_action_text row = {.type = text(R), .status = text(P)};
  row.id = text("5c1f9a52-0000-4000-8000-0000000000fe");
  struct mde_action action = mde_action_read(&row, RESTRICT, text(MACHINE), MDE_NO_TIME);
  assert_true(action.has_id);
  assert_int_equal(0x5c, action.id.bytes[0]);
  assert_int_equal(0xfe, action.id.bytes[15]);
  row.id = text("5c1f9a52-0000-4000-8000-0000000000fg");
  assert_false(mde_action_read(&row, RESTRICT, text(MACHINE), MDE_NO_TIME).has_id);
  row.id = text(NULL);
  assert_false(mde_action_read(&row, RESTRICT, text(MACHINE), MDE_NO_TIME).has_id);
}

static void what_does_not_say_what_it_is_is_unidentified(void **state)
{
  (void)state;
  static const struct {
    const char *id, *type, *machine;
    bool counts, is_unidentified;
  } rows[] = {
      {"id", R, MACHINE, true, false},       {NULL, R, MACHINE, false, true},
      {NULL, U, NULL, false, true},          {"id", NULL, MACHINE, false, true},
      {NULL, NULL, NULL, false, true},       {NULL, "Isolate", MACHINE, false, false},
      {NULL, R, "another", false, false},    {NULL, NULL, "another", false, false},
      {"id", "Isolate", NULL, false, false}, {"id", NULL, "another", false, false},
  };
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    struct mde_action_text row = {.id = text(rows[i].id),
                                  .type = text(rows[i].type),
                                  .machine = text(rows[i].machine),
                                  .status = text(S)};
    struct mde_action action = mde_action_read(&row, RESTRICT, text(MACHINE), MDE_NO_TIME);
    assert_int_equal(rows[i].counts, action.counts);
    assert_int_equal(rows[i].is_unidentified, action.is_unidentified);
    assert_int_equal(rows[i].is_unidentified, mde_history_is_incomplete(&action, 1));
  }
}

/* What is pending is so whatever else there is. */
static void beside_what_is_unidentified_only_what_is_pending_is_sure(void **state)
{
  (void)state;
  static const struct {
    const char *type, *status;
    enum mde_state state;
    size_t ours, others;
  } rows[] = {
      {NULL, NULL, MDE_STATE_UNCLEAR, 0, 1}, {R, S, MDE_STATE_UNCLEAR, 1, 1},
      {U, S, MDE_STATE_UNCLEAR, 0, 1},       {R, F, MDE_STATE_UNCLEAR, 0, 1},
      {R, P, MDE_STATE_APPLYING, 1, 1},      {U, P, MDE_STATE_RELEASING, 0, 1},
  };
  struct mde_text incident = text("INC-1");
  struct mde_claim claim = {.incidents = &incident, .incident_count = 1, .since = MDE_NO_TIME};
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    struct mde_action_text row = {.id = text("id"),
                                  .type = text(rows[i].type),
                                  .status = text(rows[i].status),
                                  .comment = text("x [mde:INC-1:operation-1]"),
                                  .created = text(AT("01"))};
    struct mde_action actions[] = {{.is_unidentified = true},
                                   mde_action_read(&row, RESTRICT, text(MACHINE), MDE_NO_TIME)};
    size_t count = rows[i].type != NULL ? 2 : 1;
    size_t rests_on;
    assert_int_equal(rows[i].state, mde_history_state(actions, count, RESTRICT, &rests_on));
    assert_int_equal(rows[i].state == MDE_STATE_UNCLEAR ? NONE : 1, rests_on);
    size_t ours[2];
    size_t others[2];
    struct mde_holders held = mde_claim_holders(&claim, actions, count, RESTRICT, ours, others);
    assert_int_equal(rows[i].ours, held.ours);
    assert_int_equal(rows[i].others, held.others);
    assert_int_equal(0, others[0]);
  }
}

static void only_a_response_and_its_opposite_count(void **state)
{
  (void)state;
  static const struct {
    int of;
    const char *type;
    bool counts;
  } rows[] = {
      {MDE_RESPONSE_RESTRICT, R, true},
      {MDE_RESPONSE_RESTRICT, U, true},
      {MDE_RESPONSE_RESTRICT, "Isolate", false},
      {MDE_RESPONSE_ISOLATE, "Isolate", true},
      {MDE_RESPONSE_ISOLATE, "unisolate", true},
      {MDE_RESPONSE_ISOLATE, R, false},
      {MDE_RESPONSE_SCAN, "RunAntiVirusScan", true},
      {MDE_RESPONSE_SCAN, U, false},
      {MDE_RESPONSE_SCAN, "LiveResponse", false},
      {MDE_RESPONSE_RESTRICT, "LiveResponse", false},
      {MDE_RESPONSE_RESTRICT, NULL, false},
  };
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    struct mde_action_text row = {.id = text("id"), .type = text(rows[i].type), .status = text(S)};
    struct mde_action action =
        mde_action_read(&row, &mde_responses[rows[i].of], text(MACHINE), MDE_NO_TIME);
    assert_int_equal(rows[i].counts, action.counts);
    if (action.counts) assert_ptr_equal(mde_response_of_type(row.type), action.response);
  }
}

static void a_decision_is_as_old_as_its_creation_or_its_cancellation(void **state)
{
  (void)state;
  static const struct {
    const char *what, *since;
    size_t action;
    struct row rows[MOST];
  } cases[] = {
      {"the opposite, created before", AT("10"), NONE, {{U, S, AT("09"), AT("30"), 0, 0}}},
      {"the opposite, created then", AT("10"), 0, {{U, S, AT("10"), AT("30"), 0, 0}}},
      {"the same, cancelled then", AT("10"), 0, {{R, C, AT("01"), AT("10"), 0, 0}}},
      {"the same, cancelled before", AT("10"), NONE, {{R, C, AT("01"), AT("09"), 0, 0}}},
      {"the opposite, cancelled", AT("10"), NONE, {{U, C, AT("20"), AT("30"), 0, 0}}},
      {"the same, not cancelled", AT("10"), NONE, {{R, S, AT("20"), AT("30"), 0, 0}}},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct mde_action actions[MOST];
    size_t count = read_rows(cases[i].rows, actions);
    size_t untimed;
    size_t found = mde_history_decided(actions, count, RESTRICT,
                                       mde_timestamp(text(cases[i].since)), NULL, &untimed);
    if (found != cases[i].action) fail_msg("%s", cases[i].what);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_lost_answer_is_found_in_the_list),
      cmocka_unit_test(a_later_look_respects_what_was_decided_since),
      cmocka_unit_test(a_time_in_the_future_is_not_usable),
      cmocka_unit_test(what_does_not_say_what_it_is_is_unidentified),
      cmocka_unit_test(beside_what_is_unidentified_only_what_is_pending_is_sure),
      cmocka_unit_test(only_a_response_and_its_opposite_count),
      cmocka_unit_test(what_has_ended_stays_so),
      cmocka_unit_test(a_decision_is_as_old_as_its_creation_or_its_cancellation),
      cmocka_unit_test(an_action_has_an_id_if_it_says_a_guid),
      cmocka_unit_test(statuses_are_read_in_any_case),
      cmocka_unit_test(the_state_is_what_the_actions_say),
      cmocka_unit_test(looking_first_decides),
      cmocka_unit_test(actions_are_found_by_operation_id),
      cmocka_unit_test(who_holds_a_device),
      cmocka_unit_test(a_record_holds_as_long_as_is_wanted),
      cmocka_unit_test(a_key_is_known_again_whatever_its_end),
      cmocka_unit_test(what_somebody_has_taken_back),
      cmocka_unit_test(the_answer_to_a_send_is_judged),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
