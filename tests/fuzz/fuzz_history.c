/*
 * history: any listing. The first byte of each 0xff-separated record chooses type and status, the
 * rest is its times and its comment; its length chooses scope and file. Whatever comes, the answers
 * agree with each other, of a response that differs in nothing, in its scope, and in its file.
 */
#include <assert.h>
#include <stdint.h>

#include "claim.h"
#include "timestamp.h"

enum { MOST = 16 };

/* What is asked about, and the types that records are of: its own, its opposite, another. */
struct asked {
  int response;
  const char *types[3];
  const char *subjects[3]; /* the first is the one that is wanted */
};

static const char machine[] = "0123456789abcdef0123456789abcdef01234567";

static struct mde_text word(const char *s)
{
  struct mde_text text = {s, strlen(s)};
  return text;
}

static struct mde_action read_record(const struct asked *asked, const uint8_t *record,
                                     size_t length)
{
  static const char *const statuses[] = {"Pending", "Succeeded", "Failed", "Cancelled", "?"};
  uint8_t choice = length > 0 ? record[0] : 0;
  const char *rest = (const char *)record + (length > 0);
  size_t left = length > 0 ? length - 1 : 0;
  size_t third = left / 3;
  struct mde_action_text text = {.id = word("id"),
                                 .type = word(asked->types[choice % 3]),
                                 .status = word(statuses[choice / 3 % 5]),
                                 .created = {rest, third},
                                 .updated = {rest + third, third},
                                 .comment = {rest + 2 * third, left - 2 * third}};
  const struct mde_response *response = &mde_responses[asked->response];
  const char *subject = asked->subjects[length % 3];
  if (subject != NULL && response->subject == MDE_SUBJECT_FILE) text.file = word(subject);
  if (subject != NULL && response->subject == MDE_SUBJECT_SCOPE) text.scope = word(subject);
  struct mde_action action = mde_action_read(
      &text, response, word(machine), choice & 0x40 ? INT64_C(17700000000000000) : MDE_NO_TIME);
  if (asked->subjects[0] != NULL)
    mde_action_aim(&action, response, word(asked->subjects[0]), word("alert-4711"));
  if (choice & 0x80) mde_action_see(&action, mde_status_read(word(statuses[choice / 15 % 5])));
  return action;
}

static void check_holders(const struct mde_response *response, const struct mde_action *actions,
                          size_t count)
{
  size_t rests_on;
  enum mde_state state = mde_history_state(actions, count, response, &rests_on);
  assert(rests_on == MDE_NO_ACTION || rests_on < count);
  assert((rests_on == MDE_NO_ACTION) == (state == MDE_STATE_NONE || state == MDE_STATE_UNCLEAR));

  size_t ours[MOST], others[MOST];
  struct mde_text incident = word("INC-1");
  struct mde_claim claim = {.incidents = &incident, .incident_count = 1, .since = MDE_NO_TIME};
  struct mde_holders held = mde_claim_holders(&claim, actions, count, response, ours, others);
  assert(held.ours + held.others <= count);
  if (state == MDE_STATE_APPLIED || state == MDE_STATE_APPLYING)
    assert(held.ours + held.others > 0);
  struct mde_claim nobodys = {.since = MDE_NO_TIME, .ended = &incident, .ended_count = 1};
  struct mde_holders left = mde_claim_holders(&nobodys, actions, count, response, ours, others);
  assert(left.ours == 0 && left.others == held.others);
}

static void check_lost(const struct mde_response *response, const struct mde_action *actions,
                       size_t count)
{
  for (int i = 0; i < 8; i++) {
    struct mde_sent sent = {.response = response,
                            .operation = word("alert-4711"),
                            .keyed = (i & 1) != 0,
                            .comment = word("why [mde:alert-4711]"),
                            .looked = (i & 2) != 0,
                            .sent_at = i & 4 ? INT64_C(17700000000000000) : MDE_NO_TIME};
    struct mde_reconciled found = mde_history_reconcile(actions, count, &sent);
    assert((found.action == MDE_NO_ACTION) == (found.decision == MDE_RECONCILIATION_NOTHING));
    assert(found.action == MDE_NO_ACTION || found.action < count);
    if (found.decision == MDE_RECONCILIATION_OURS)
      assert(actions[found.action].response == sent.response && !actions[found.action].seen);
    if (found.decision == MDE_RECONCILIATION_OURS && sent.keyed)
      assert(!actions[found.action].differs);
    if (found.decision == MDE_RECONCILIATION_ACTIVE)
      assert(actions[found.action].response == sent.response && !actions[found.action].differs);
    if (found.decision == MDE_RECONCILIATION_SUPERSEDED) assert(!actions[found.action].seen);
    if (found.decision == MDE_RECONCILIATION_UNCLEAR)
      assert(!sent.looked || (sent.keyed && actions[found.action].differs));
    if (found.decision == MDE_RECONCILIATION_OPPOSITE)
      assert(actions[found.action].response != sent.response &&
             actions[found.action].status == MDE_STATUS_PENDING);
  }
}

static void check_look(const struct mde_response *response, const struct mde_action *actions,
                       size_t count)
{
  for (int i = 0; i < 8; i++) {
    struct mde_intent intent = {.response = response,
                                .until = MDE_NO_TIME,
                                .cancel_opposite = (i & 1) != 0,
                                .looked = (i & 4) != 0};
    if (i & 2) intent.key = word("alert-4711");
    struct mde_look look = mde_history_look(actions, count, &intent);
    assert((look.action == MDE_NO_ACTION) == (look.decision == MDE_DECISION_SEND));
    assert(look.action == MDE_NO_ACTION || look.action < count);
    if (look.decision == MDE_DECISION_ALREADY_ACTIVE) {
      assert(actions[look.action].response == intent.response && !actions[look.action].differs);
      assert(actions[look.action].status == MDE_STATUS_PENDING ||
             actions[look.action].status == MDE_STATUS_SUCCEEDED);
    }
    if (look.decision == MDE_DECISION_DIFFERENT) assert(actions[look.action].differs);
    if (look.decision == MDE_DECISION_OVERTAKEN)
      assert(intent.looked && !actions[look.action].seen);
    if (look.decision == MDE_DECISION_CANCEL_OPPOSITE)
      assert(actions[look.action].status == MDE_STATUS_PENDING);
    /* Of a key that was used before, whether what has succeeded undid it may not be told. */
    if (look.decision == MDE_DECISION_CONFLICT)
      assert(actions[look.action].status == MDE_STATUS_PENDING || intent.key.bytes != NULL);
  }
}

static void check(const struct asked *asked, const uint8_t *data, size_t size)
{
  struct mde_action actions[MOST];
  size_t count = 0;
  for (size_t at = 0; at < size && count < MOST; count++) {
    const uint8_t *end = memchr(data + at, 0xff, size - at);
    size_t length = end != NULL ? (size_t)(end - data) - at : size - at;
    actions[count] = read_record(asked, data + at, length);
    at += length + 1;
  }

  const struct mde_response *response = &mde_responses[asked->response];
  if (response->holds) check_holders(response, actions, count);
  check_lost(response, actions, count);
  if (response->holds) check_lost(response->opposite, actions, count);
  check_look(response, actions, count);
  if (response->holds) check_look(response->opposite, actions, count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  static const struct asked all[] = {
      {MDE_RESPONSE_RESTRICT,
       {"RestrictCodeExecution", "UnrestrictCodeExecution", "Isolate"},
       {NULL, NULL, NULL}},
      {MDE_RESPONSE_ISOLATE,
       {"Isolate", "Unisolate", "RestrictCodeExecution"},
       {"Full", "Selective", NULL}},
      {MDE_RESPONSE_SCAN, {"RunAntiVirusScan", "Isolate", ""}, {"Quick", "Full", NULL}},
      {MDE_RESPONSE_QUARANTINE,
       {"StopAndQuarantineFile", "RunAntiVirusScan", ""},
       {"3395856ce81f2b7382dee72602f798b642f14140", "da39a3ee5e6b4b0d3255bfef95601890afd80709",
        NULL}},
  };
  for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
    check(&all[i], data, size);
  return 0;
}
