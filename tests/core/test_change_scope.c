/*
 * change: an answer that is about another scope or file than what was sent.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "change.h"
#include "timestamp.h"

#define MACHINE "0123456789abcdef0123456789abcdef01234567"
#define FILE_1 "3395856ce81f2b7382dee72602f798b642f14140"
#define FILE_2 "4495856ce81f2b7382dee72602f798b642f14140"
#define OURS "beacon to known C2 [mde:ours-0001]"
#define CUT "beacon to known C2"
#define OTHERS "by hand"

enum { FIRST, SECOND_SEND };

static struct mde_text text(const char *s)
{
  return (struct mde_text){s, s == NULL ? 0 : strlen(s)};
}

static const struct {
  const char *what;
  int response;
  const char *subject, *told;
  bool keyed;
  const char *comment;
  int send;
  int fate; /* -1: it looks again */
  enum mde_reason reason;
} rows[] = {
    {"ours", MDE_RESPONSE_ISOLATE, "Full", "Full", false, OURS, FIRST, MDE_FATE_ACCEPTED,
     MDE_REASON_NONE},
    {"ours, which the service has in another scope", MDE_RESPONSE_ISOLATE, "Full", "Selective",
     false, OURS, FIRST, MDE_FATE_ACCEPTED, MDE_REASON_NONE},
    {"under a key, of another scope", MDE_RESPONSE_ISOLATE, "Full", "Selective", true, OURS, FIRST,
     -1, MDE_REASON_NONE},
    {"under a key behind a lost answer, of another scope", MDE_RESPONSE_ISOLATE, "Full",
     "Selective", true, OURS, SECOND_SEND, -1, MDE_REASON_NONE},
    {"under a key, somebody's of another scope", MDE_RESPONSE_ISOLATE, "Full", "Selective", true,
     OTHERS, FIRST, MDE_FATE_CONFLICT, MDE_REASON_DIFFERENT},
    {"a scan under a key, of another scope", MDE_RESPONSE_SCAN, "Quick", "Full", true, OURS, FIRST,
     -1, MDE_REASON_NONE},
    {"under a key, of this scope", MDE_RESPONSE_ISOLATE, "Full", "full", true, OURS, FIRST,
     MDE_FATE_ACCEPTED, MDE_REASON_NONE},
    {"with the beginning of our words, of another scope", MDE_RESPONSE_ISOLATE, "Full", "Selective",
     false, CUT, FIRST, MDE_FATE_CONFLICT, MDE_REASON_DIFFERENT},
    {"with the beginning of our words, of this scope", MDE_RESPONSE_ISOLATE, "Full", "Full", false,
     CUT, FIRST, MDE_FATE_ACCEPTED, MDE_REASON_NONE},
    {"somebody's of another scope", MDE_RESPONSE_ISOLATE, "Full", "Selective", false, OTHERS, FIRST,
     MDE_FATE_CONFLICT, MDE_REASON_DIFFERENT},
    {"somebody's of this scope", MDE_RESPONSE_ISOLATE, "Full", "Full", false, OTHERS, FIRST,
     MDE_FATE_ALREADY_ACTIVE, MDE_REASON_NONE},
    {"somebody's, which does not tell its scope", MDE_RESPONSE_ISOLATE, "Full", NULL, false, OTHERS,
     FIRST, MDE_FATE_ALREADY_ACTIVE, MDE_REASON_NONE},
    {"behind a lost answer, somebody's of another scope", MDE_RESPONSE_ISOLATE, "Full", "Selective",
     false, OTHERS, SECOND_SEND, -1, MDE_REASON_NONE},
    {"behind a lost answer, somebody's of this scope", MDE_RESPONSE_ISOLATE, "Full", "Full", false,
     OTHERS, SECOND_SEND, MDE_FATE_ALREADY_ACTIVE, MDE_REASON_NONE},
    {"of another file", MDE_RESPONSE_QUARANTINE, FILE_1, FILE_2, false, OTHERS, FIRST,
     MDE_FATE_CONFLICT, MDE_REASON_DIFFERENT},
    {"under a key, of another file", MDE_RESPONSE_QUARANTINE, FILE_1, FILE_2, true, OURS, FIRST,
     MDE_FATE_CONFLICT, MDE_REASON_DIFFERENT},
    {"under a key, of no file that it tells", MDE_RESPONSE_QUARANTINE, FILE_1, NULL, true, OURS,
     FIRST, MDE_FATE_ACCEPTED, MDE_REASON_NONE},
    {"somebody's, which does not tell its file", MDE_RESPONSE_QUARANTINE, FILE_1, NULL, false,
     OTHERS, FIRST, MDE_FATE_CONFLICT, MDE_REASON_DIFFERENT},
    {"somebody's of this file", MDE_RESPONSE_QUARANTINE, FILE_1, FILE_1, false, OTHERS, FIRST,
     MDE_FATE_ALREADY_ACTIVE, MDE_REASON_NONE},
};

static void tell(struct mde_change *change, const struct mde_order *order, enum mde_event event)
{
  struct mde_moment moment = {.now = 0, .sent_at = 0};
  assert_int_equal(MDE_CHANGE_OK, mde_change_tell(change, order, event, moment));
}

static void tell_nothing_listed(struct mde_change *change, const struct mde_order *order)
{
  struct mde_list list = {.flags = 0, .began_at = 0};
  size_t about;
  size_t overturned;
  assert_int_equal(MDE_CHANGE_OK,
                   mde_change_history(change, order, NULL, 0, &list, &about, &overturned));
}

static void an_answer_of_another_scope_or_file_is_no_success(void **state)
{
  (void)state;
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    const struct mde_response *response = &mde_responses[rows[i].response];
    struct mde_order order = {.response = response,
                              .machine = text(MACHINE),
                              .subject = text(rows[i].subject),
                              .operation = text("ours-0001"),
                              .comment = text(OURS),
                              .keyed = rows[i].keyed,
                              .look = true,
                              .resend = true,
                              .decided_at = MDE_NO_TIME,
                              .withdrawn_since = MDE_NO_TIME};
    struct mde_change change;
    mde_change_begin(&change, &order, 0);
    tell_nothing_listed(&change, &order);
    tell(&change, &order, MDE_EVENT_SLOT_TAKEN);
    tell(&change, &order, MDE_EVENT_SENDING);
    if (rows[i].send == SECOND_SEND) {
      tell(&change, &order, MDE_EVENT_LOST);
      for (int look = 0; look < 2; look++) {
        tell(&change, &order, MDE_EVENT_SLEPT);
        tell_nothing_listed(&change, &order);
      }
      tell(&change, &order, MDE_EVENT_SENDING);
    }
    bool is_file = response->subject == MDE_SUBJECT_FILE;
    struct mde_action_text answer = {.id = text("5c1f9a52-0000-4000-8000-000000000001"),
                                     .type = text(response->type),
                                     .status = text("Pending"),
                                     .machine = text(MACHINE),
                                     .comment = text(rows[i].comment),
                                     .scope = text(is_file ? NULL : rows[i].told),
                                     .file = text(is_file ? rows[i].told : NULL)};
    struct mde_moment moment = {.now = 0, .sent_at = 0};
    assert_int_equal(MDE_CHANGE_OK, mde_change_answer(&change, &order, &answer, moment));
    struct mde_result result = mde_change_result(&change);
    enum mde_want want = mde_change_next(&change).want;
    if (rows[i].fate < 0) {
      if (want != MDE_WANT_SLEEP) fail_msg("%s: it does not look again", rows[i].what);
      continue;
    }
    if (want != MDE_WANT_NOTHING || (int)result.fate != rows[i].fate ||
        result.reason != rows[i].reason)
      fail_msg("%s: fate %d, reason %d", rows[i].what, (int)result.fate, (int)result.reason);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(an_answer_of_another_scope_or_file_is_no_success),
  };
  return cmocka_run_group_tests_name("change_scope", tests, NULL, NULL);
}
