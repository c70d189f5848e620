/*
 * history: actions of one type that do not do for one another. A Selective isolation is no Full one,
 * a Quick scan no Full one, and the quarantine of one file says nothing about another.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "history.h"
#include "test_reading.h"
#include "timestamp.h"

#define MACHINE "0000000000000000000000000000000000000001"
#define FILE_1 "3395856ce81f2b7382dee72602f798b642f14140"
#define FILE_2 "4495856ce81f2b7382dee72602f798b642f14140"
#define OURS "why [mde:INC-1:our-operation]"
#define OURS_CUT "why [mde:INC-1:our"
#define OTHERS "why [mde:INC-1:abcdefgh]"
#define KEY "our-operation"

enum { MOST = 4 };

static struct mde_text text(const char *s)
{
  return (struct mde_text){s, s == NULL ? 0 : strlen(s)};
}

struct row {
  const char *type, *subject, *status, *comment;
  int hour;
};

#define I "Isolate"
#define U "Unisolate"
#define SCAN "RunAntiVirusScan"
#define QUARANTINE "StopAndQuarantineFile"
#define P "Pending"
#define S "Succeeded"
#define F "Failed"
#define C "Cancelled"

static size_t read_rows(const struct row *rows, const struct mde_response *response,
                        const char *subject, struct mde_action *actions)
{
  static char times[MOST][32];
  size_t count = 0;
  for (; count < MOST && rows[count].type != NULL; count++) {
    const struct row *row = &rows[count];
    memcpy(times[count], "2026-02-03T00:00:00Z", 21);
    times[count][12] = (char)('0' + row->hour);
    struct mde_action_text action = {.id = text("id"),
                                     .type = text(row->type),
                                     .status = text(row->status),
                                     .comment = text(row->comment),
                                     .created = text(times[count])};
    if (response->subject == MDE_SUBJECT_FILE)
      action.file = text(row->subject);
    else
      action.scope = text(row->subject);
    actions[count] = mde_action_read(&action, response, text(MACHINE), MDE_NO_TIME);
    mde_action_aim(&actions[count], response, text(subject), text(KEY));
  }
  return count;
}

static const struct {
  const char *what;
  int response;
  const char *subject;
  struct row rows[MOST];
  const char *key, *decision;
} looks[] = {
    {"the same scope is applied",
     MDE_RESPONSE_ISOLATE,
     "Full",
     {{I, "Full", S, OTHERS, 1}},
     NULL,
     "active 0"},
    {"in any case", MDE_RESPONSE_ISOLATE, "Full", {{I, "FULL", S, OTHERS, 1}}, NULL, "active 0"},
    {"a scope that is not told is taken for the same",
     MDE_RESPONSE_ISOLATE,
     "Full",
     {{I, NULL, S, OTHERS, 1}},
     NULL,
     "active 0"},
    {"an empty one too", MDE_RESPONSE_ISOLATE, "Full", {{I, "", P, OTHERS, 1}}, NULL, "active 0"},
    {"where none is wanted, any is the same",
     MDE_RESPONSE_ISOLATE,
     NULL,
     {{I, "Selective", P, OTHERS, 1}},
     NULL,
     "active 0"},
    {"from Selective to Full it is sent",
     MDE_RESPONSE_ISOLATE,
     "Full",
     {{I, "Selective", S, OTHERS, 1}},
     NULL,
     "send"},
    {"and from Full to Selective",
     MDE_RESPONSE_ISOLATE,
     "Selective",
     {{I, "Full", S, OTHERS, 1}},
     NULL,
     "send"},
    {"the last one counts: Full, then Selective",
     MDE_RESPONSE_ISOLATE,
     "Full",
     {{I, "Full", S, OTHERS, 1}, {I, "Selective", S, OTHERS, 2}},
     NULL,
     "send"},
    {"the last one counts: Selective, then Full",
     MDE_RESPONSE_ISOLATE,
     "Full",
     {{I, "Selective", S, OTHERS, 1}, {I, "Full", S, OTHERS, 2}},
     NULL,
     "active 1"},
    {"one of the other scope failed",
     MDE_RESPONSE_ISOLATE,
     "Full",
     {{I, "Selective", F, OTHERS, 1}},
     NULL,
     "send"},
    {"one of the other scope is under way",
     MDE_RESPONSE_ISOLATE,
     "Full",
     {{I, "Selective", P, OTHERS, 1}},
     NULL,
     "different 0"},
    {"one of each is under way",
     MDE_RESPONSE_ISOLATE,
     "Full",
     {{I, "Full", P, OTHERS, 1}, {I, "Selective", P, OTHERS, 2}},
     NULL,
     "active 0"},
    {"released from the other scope",
     MDE_RESPONSE_ISOLATE,
     "Full",
     {{I, "Selective", S, OTHERS, 1}, {U, NULL, S, OTHERS, 2}},
     NULL,
     "send"},
    {"a release does not ask for the scope",
     MDE_RESPONSE_UNISOLATE,
     NULL,
     {{I, "Selective", S, OTHERS, 1}},
     NULL,
     "send"},
    {"a release that is under way has none",
     MDE_RESPONSE_UNISOLATE,
     NULL,
     {{I, "Full", S, OTHERS, 1}, {U, NULL, P, OTHERS, 2}},
     NULL,
     "active 1"},
    {"the key was used for the other scope",
     MDE_RESPONSE_ISOLATE,
     "Full",
     {{I, "Selective", S, OURS, 1}},
     KEY,
     "different 0"},
    {"the key was used for this scope",
     MDE_RESPONSE_ISOLATE,
     "Full",
     {{I, "Full", S, OURS, 1}},
     KEY,
     "active 0"},
    {"the key was used for the other scope, which failed",
     MDE_RESPONSE_ISOLATE,
     "Full",
     {{I, "Selective", F, OURS, 1}},
     KEY,
     "send"},
    {"the key was used for the other scope and undone",
     MDE_RESPONSE_ISOLATE,
     "Full",
     {{I, "Selective", S, OURS, 1}, {U, NULL, S, OTHERS, 2}},
     KEY,
     "superseded 1"},
    {"a Quick scan is under way, a Full one is wanted",
     MDE_RESPONSE_SCAN,
     "Full",
     {{SCAN, "Quick", P, OTHERS, 1}},
     NULL,
     "different 0"},
    {"a Full scan is under way already",
     MDE_RESPONSE_SCAN,
     "Full",
     {{SCAN, "Full", P, OTHERS, 1}},
     NULL,
     "active 0"},
    {"a scan that has ended is no reason",
     MDE_RESPONSE_SCAN,
     "Full",
     {{SCAN, "Full", S, OTHERS, 1}},
     NULL,
     "send"},
    {"the file is being quarantined",
     MDE_RESPONSE_QUARANTINE,
     FILE_1,
     {{QUARANTINE, FILE_1, P, OTHERS, 1}},
     NULL,
     "active 0"},
    {"another file is",
     MDE_RESPONSE_QUARANTINE,
     FILE_1,
     {{QUARANTINE, FILE_2, P, OTHERS, 1}},
     NULL,
     "send"},
    {"the quarantine of another file was cancelled",
     MDE_RESPONSE_QUARANTINE,
     FILE_1,
     {{QUARANTINE, FILE_2, C, OTHERS, 1}},
     NULL,
     "send"},
    {"a file that is not told is another",
     MDE_RESPONSE_QUARANTINE,
     FILE_1,
     {{QUARANTINE, NULL, P, OTHERS, 1}},
     NULL,
     "send"},
    {"but not under our id",
     MDE_RESPONSE_QUARANTINE,
     FILE_1,
     {{QUARANTINE, NULL, P, OURS, 1}},
     NULL,
     "active 0"},
    {"contained by what makes an Isolate",
     MDE_RESPONSE_CONTAIN,
     NULL,
     {{I, "UnManagedDevice", S, OTHERS, 1}},
     NULL,
     "active 0"},
    {"uncontained by what makes an Unisolate",
     MDE_RESPONSE_UNCONTAIN,
     NULL,
     {{I, NULL, S, OTHERS, 1}, {U, NULL, S, OTHERS, 2}},
     NULL,
     "active 1"},
};

static void a_look_tells_scopes_and_files_apart(void **state)
{
  (void)state;
  static const char *const words[] = {
      [MDE_DECISION_SEND] = "send",
      [MDE_DECISION_ALREADY_ACTIVE] = "active",
      [MDE_DECISION_CONFLICT] = "conflict",
      [MDE_DECISION_CANCEL_OPPOSITE] = "cancel",
      [MDE_DECISION_SUPERSEDED] = "superseded",
      [MDE_DECISION_OVERTAKEN] = "overtaken",
      [MDE_DECISION_DIFFERENT] = "different",
  };
  for (size_t i = 0; i < sizeof looks / sizeof looks[0]; i++) {
    const struct mde_response *response = &mde_responses[looks[i].response];
    struct mde_action actions[MOST];
    size_t count = read_rows(looks[i].rows, response, looks[i].subject, actions);
    struct mde_intent intent = {.response = response,
                                .incident = text("INC-1"),
                                .until = MDE_NO_TIME,
                                .key = text(looks[i].key)};
    struct mde_look look = mde_history_look(actions, count, &intent);
    struct reading said = {.length = 0};
    reading_write(&said, "%s", words[look.decision]);
    if (look.action != MDE_NO_ACTION) reading_write(&said, " %zu", look.action);
    if (strcmp(said.text, looks[i].decision) != 0)
      fail_msg("%s: %s, not %s", looks[i].what, said.text, looks[i].decision);
  }
}

/* After a lost answer that was sent at 3 o'clock, with nothing seen before. */
static const struct {
  const char *what;
  int response;
  const char *subject;
  struct row rows[MOST];
  const char *decision;
  bool keyed;
} losses[] = {
    {"ours", MDE_RESPONSE_ISOLATE, "Full", {{I, "Full", P, OURS, 4}}, "ours 0", false},
    {"ours, whatever its scope says",
     MDE_RESPONSE_ISOLATE,
     "Full",
     {{I, "Selective", P, OURS, 4}},
     "ours 0",
     false},
    {"under our key, of this scope",
     MDE_RESPONSE_ISOLATE,
     "Full",
     {{I, "Selective", P, OURS, 5}, {I, "Full", P, OURS, 4}},
     "ours 1",
     true},
    {"under our key, which was used for the other scope",
     MDE_RESPONSE_ISOLATE,
     "Full",
     {{I, "Selective", S, OURS, 4}},
     "unclear 0",
     true},
    {"under our key, for the other scope, which failed",
     MDE_RESPONSE_ISOLATE,
     "Full",
     {{I, "Selective", F, OURS, 4}},
     "nothing",
     true},
    {"under our key, for the other scope, the newer of which failed",
     MDE_RESPONSE_ISOLATE,
     "Full",
     {{I, "Selective", F, OURS, 5}, {I, "Selective", S, OURS, 4}},
     "unclear 1",
     true},
    {"with our words cut short",
     MDE_RESPONSE_ISOLATE,
     "Full",
     {{I, "Full", S, OURS_CUT, 4}},
     "ours 0",
     false},
    {"with our words cut short, of the other scope",
     MDE_RESPONSE_ISOLATE,
     "Full",
     {{I, "Selective", S, OURS_CUT, 4}},
     "nothing",
     false},
    {"somebody's of the same scope",
     MDE_RESPONSE_ISOLATE,
     "Full",
     {{I, "Full", P, OTHERS, 4}},
     "active 0",
     false},
    {"somebody's of the other scope says nothing of ours",
     MDE_RESPONSE_ISOLATE,
     "Full",
     {{I, "Selective", P, OTHERS, 4}},
     "nothing",
     false},
    {"that of another file neither",
     MDE_RESPONSE_QUARANTINE,
     FILE_1,
     {{QUARANTINE, FILE_2, P, OTHERS, 4}},
     "nothing",
     false},
    {"nor that it was cancelled",
     MDE_RESPONSE_QUARANTINE,
     FILE_1,
     {{QUARANTINE, FILE_2, C, OTHERS, 4}},
     "nothing",
     false},
    {"ours, which does not tell its file",
     MDE_RESPONSE_QUARANTINE,
     FILE_1,
     {{QUARANTINE, NULL, P, OURS, 4}},
     "ours 0",
     false},
};

static void a_lost_answer_is_not_taken_for_another_scope_or_file(void **state)
{
  (void)state;
  static const char *const words[] = {
      [MDE_RECONCILIATION_OURS] = "ours",
      [MDE_RECONCILIATION_ACTIVE] = "active",
      [MDE_RECONCILIATION_SUPERSEDED] = "superseded",
      [MDE_RECONCILIATION_OPPOSITE] = "opposite",
      [MDE_RECONCILIATION_UNCLEAR] = "unclear",
      [MDE_RECONCILIATION_NOTHING] = "nothing",
  };
  for (size_t i = 0; i < sizeof losses / sizeof losses[0]; i++) {
    const struct mde_response *response = &mde_responses[losses[i].response];
    struct mde_action actions[MOST];
    size_t count = read_rows(losses[i].rows, response, losses[i].subject, actions);
    struct mde_sent sent = {.response = response,
                            .operation = text(KEY),
                            .keyed = losses[i].keyed,
                            .comment = text(OURS),
                            .looked = true,
                            .sent_at = MDE_NO_TIME};
    struct mde_reconciled found = mde_history_reconcile(actions, count, &sent);
    struct reading said = {.length = 0};
    reading_write(&said, "%s", words[found.decision]);
    if (found.action != MDE_NO_ACTION) reading_write(&said, " %zu", found.action);
    if (strcmp(said.text, losses[i].decision) != 0)
      fail_msg("%s: %s, not %s", losses[i].what, said.text, losses[i].decision);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_look_tells_scopes_and_files_apart),
      cmocka_unit_test(a_lost_answer_is_not_taken_for_another_scope_or_file),
  };
  return cmocka_run_group_tests_name("history_scope", tests, NULL, NULL);
}
