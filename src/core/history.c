#include "history.h"

#include "timestamp.h"

static bool is(struct mde_text text, const char *word)
{
  return mde_text_same_caseless(text, (struct mde_text){word, strlen(word)});
}

enum mde_status mde_status_read(struct mde_text status)
{
  if (is(status, "Succeeded")) return MDE_STATUS_SUCCEEDED;
  if (is(status, "Failed") || is(status, "TimeOut")) return MDE_STATUS_FAILED;
  if (is(status, "Cancelled") || is(status, "Canceled")) return MDE_STATUS_CANCELLED;
  return MDE_STATUS_PENDING;
}

bool mde_status_replaces(enum mde_status known, enum mde_status told)
{
  return known == MDE_STATUS_PENDING || told != MDE_STATUS_PENDING;
}

bool mde_id_read(struct mde_text text, struct mde_id *id)
{
  enum { GUID_LENGTH = 36 };
  if (text.bytes == NULL || text.length != GUID_LENGTH) return false;
  size_t digits = 0;
  for (size_t i = 0; i < GUID_LENGTH; i++) {
    bool is_dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (is_dash != (text.bytes[i] == '-')) return false;
    if (is_dash) continue;
    int digit = mde_ascii_hexadecimal(text.bytes[i]);
    if (digit < 0) return false;
    unsigned char *byte = &id->bytes[digits / 2];
    *byte = (unsigned char)(digits % 2 == 0 ? digit << 4 : *byte | digit);
    digits++;
  }
  return true;
}

/* The row of a type, if it is this response or takes it back, or the reverse. */
static const struct mde_response *read_response(struct mde_text type, const struct mde_response *of)
{
  if (mde_response_has_type(of, type)) return of;
  bool is_opposite = of->opposite != NULL && mde_response_has_type(of->opposite, type);
  return is_opposite ? of->opposite : NULL;
}

/* A time that is usable, or none. */
static int64_t usable_time(struct mde_text text, int64_t latest)
{
  int64_t time = mde_timestamp(text);
  return latest != MDE_NO_TIME && time > latest ? MDE_NO_TIME : time;
}

struct mde_action mde_action_read(const struct mde_action_text *text, const struct mde_response *of,
                                  struct mde_text machine, int64_t latest)
{
  struct mde_action action = {.counts = false, .response = read_response(text->type, of)};
  if (action.response == NULL && text->type.bytes != NULL) return action;
  if (text->machine.bytes != NULL && !mde_text_same_caseless(text->machine, machine)) return action;
  action.is_unidentified = text->id.bytes == NULL || text->type.bytes == NULL;
  if (action.is_unidentified) return action;
  action.counts = true;
  action.has_id = mde_id_read(text->id, &action.id);
  action.status = mde_status_read(text->status);
  action.created = usable_time(text->created, latest);
  action.updated = usable_time(text->updated, latest);
  if (action.updated == MDE_NO_TIME) action.updated = action.created;
  action.comment = mde_comment_parse(text->comment);
  action.returned = text->comment;
  action.scope = text->scope;
  action.file = text->file;
  return action;
}

void mde_action_aim(struct mde_action *action, const struct mde_response *response,
                    struct mde_text subject, struct mde_text operation)
{
  static const struct mde_text unmanaged = {"UnManagedDevice", 15};
  if (!action->counts || action->response != response) return;
  if (response->is_unmanaged && response->holds)
    action->differs = action->scope.length > 0 && !mde_text_same_caseless(action->scope, unmanaged);
  if (subject.bytes == NULL) return;
  if (response->subject == MDE_SUBJECT_SCOPE)
    action->differs = action->scope.length > 0 && !mde_text_same_caseless(action->scope, subject);
  else if (response->subject == MDE_SUBJECT_FILE)
    action->counts =
        mde_text_same_caseless(action->file, subject) ||
        (action->file.length == 0 && mde_text_same(action->comment.operation, operation));
}

bool mde_history_is_incomplete(const struct mde_action *actions, size_t count)
{
  for (size_t i = 0; i < count; i++)
    if (actions[i].is_unidentified) return true;
  return false;
}

void mde_action_see(struct mde_action *action, enum mde_status status)
{
  action->seen = action->status != MDE_STATUS_CANCELLED || status == MDE_STATUS_CANCELLED;
}

/*
 * Newest first by creation: whether `a` comes before `b`. An action without a time is the oldest.
 */
static bool created_later(const struct mde_action *a, const struct mde_action *b)
{
  return a->created > b->created;
}

static bool succeeded_later(const struct mde_action *a, const struct mde_action *b)
{
  return a->updated != b->updated ? a->updated > b->updated : a->created > b->created;
}

/* The newest pending action of a kind that is of another scope, or is not; or MDE_NO_ACTION. */
static size_t newest_pending(const struct mde_action *actions, size_t count,
                             const struct mde_response *response, bool differs)
{
  size_t found = MDE_NO_ACTION;
  for (size_t i = 0; i < count; i++)
    if (actions[i].counts && actions[i].response == response && actions[i].differs == differs &&
        actions[i].status == MDE_STATUS_PENDING &&
        (found == MDE_NO_ACTION || created_later(&actions[i], &actions[found])))
      found = i;
  return found;
}

/* The newest created action of a kind and status, or MDE_NO_ACTION. */
static size_t newest(const struct mde_action *actions, size_t count,
                     const struct mde_response *response, enum mde_status status)
{
  size_t found = MDE_NO_ACTION;
  for (size_t i = 0; i < count; i++)
    if (actions[i].counts && actions[i].response == response && actions[i].status == status &&
        (found == MDE_NO_ACTION || created_later(&actions[i], &actions[found])))
      found = i;
  return found;
}

/* The action of a kind that succeeded last. */
static size_t last_succeeded(const struct mde_action *actions, size_t count,
                             const struct mde_response *response)
{
  size_t found = MDE_NO_ACTION;
  for (size_t i = 0; i < count; i++)
    if (actions[i].counts && actions[i].response == response &&
        actions[i].status == MDE_STATUS_SUCCEEDED &&
        (found == MDE_NO_ACTION || succeeded_later(&actions[i], &actions[found])))
      found = i;
  return found;
}

/*
 * Which of two actions of opposite kinds is the later: 1 the first, -1 the second, 0 if that cannot
 * be told. Either may be MDE_NO_ACTION.
 */
static int later_of(const struct mde_action *actions, size_t first, size_t second,
                    bool (*later)(const struct mde_action *, const struct mde_action *))
{
  if (second == MDE_NO_ACTION) return 1;
  if (first == MDE_NO_ACTION) return -1;
  const struct mde_action *a = &actions[first];
  const struct mde_action *b = &actions[second];
  bool created_known = a->created != MDE_NO_TIME && b->created != MDE_NO_TIME;
  bool updated_known = a->updated != MDE_NO_TIME && b->updated != MDE_NO_TIME;
  bool by_update = later == succeeded_later && a->updated != b->updated;
  if (by_update ? !updated_known : !created_known) return 0;
  return later(a, b) ? 1 : later(b, a) ? -1 : 0;
}

enum mde_state mde_history_state(const struct mde_action *actions, size_t count,
                                 const struct mde_response *response, size_t *rests_on)
{
  static const enum mde_state changing[] = {MDE_STATE_RELEASING, MDE_STATE_UNCLEAR,
                                            MDE_STATE_APPLYING};
  static const enum mde_state settled[] = {MDE_STATE_RELEASED, MDE_STATE_UNCLEAR,
                                           MDE_STATE_APPLIED};
  const enum mde_state *states = changing;
  size_t restriction = newest(actions, count, response, MDE_STATUS_PENDING);
  size_t release = newest(actions, count, response->opposite, MDE_STATUS_PENDING);
  int which = later_of(actions, restriction, release, created_later);
  if (restriction == MDE_NO_ACTION && release == MDE_NO_ACTION) {
    *rests_on = MDE_NO_ACTION;
    if (mde_history_is_incomplete(actions, count)) return MDE_STATE_UNCLEAR;
    states = settled;
    restriction = last_succeeded(actions, count, response);
    release = last_succeeded(actions, count, response->opposite);
    which = later_of(actions, restriction, release, succeeded_later);
  }
  *rests_on = which > 0 ? restriction : which < 0 ? release : MDE_NO_ACTION;
  if (restriction == MDE_NO_ACTION && release == MDE_NO_ACTION) return MDE_STATE_NONE;
  return states[which + 1];
}

bool mde_history_holds(const struct mde_action *actions, size_t restriction,
                       const struct mde_response *response, size_t release)
{
  const struct mde_action *a = &actions[restriction];
  if (!a->counts || a->response != response) return false;
  if (a->status == MDE_STATUS_PENDING) return true;
  return a->status == MDE_STATUS_SUCCEEDED &&
         later_of(actions, restriction, release, succeeded_later) >= 0;
}

static bool carries(const struct mde_action *action, const struct mde_response *response,
                    struct mde_text operation)
{
  return action->counts && action->response == response &&
         mde_text_same(action->comment.operation, operation);
}

size_t mde_history_find(const struct mde_action *actions, size_t count,
                        const struct mde_response *response, struct mde_text operation)
{
  struct mde_text name = mde_operation_name(operation);
  size_t found = MDE_NO_ACTION;
  for (size_t i = 0; i < count; i++)
    if (actions[i].counts && actions[i].response == response &&
        mde_text_same(mde_operation_name(actions[i].comment.operation), name) &&
        (found == MDE_NO_ACTION || created_later(&actions[i], &actions[found])))
      found = i;
  return found;
}

/* The newest opposite action that overtook `first`; or may have, where `certain` is false. */
static size_t undone_by(const struct mde_action *actions, size_t count,
                        const struct mde_action *first, bool certain)
{
  size_t found = MDE_NO_ACTION;
  for (size_t i = 0; i < count; i++) {
    const struct mde_action *a = &actions[i];
    if (!a->counts || a->response != first->response->opposite) continue;
    bool succeeded = a->status == MDE_STATUS_SUCCEEDED;
    bool created_known = a->created != MDE_NO_TIME && first->created != MDE_NO_TIME;
    bool created_later_or_at = created_known ? a->created >= first->created : !certain;
    bool decided_later = (succeeded || a->status == MDE_STATUS_PENDING) && created_later_or_at;
    bool finished_later =
        succeeded && first->status == MDE_STATUS_SUCCEEDED && succeeded_later(a, first);
    if ((decided_later || finished_later) &&
        (found == MDE_NO_ACTION || created_later(a, &actions[found])))
      found = i;
  }
  return found;
}

static bool has_same_reason(const struct mde_action *action, struct mde_text incident,
                            struct mde_text text)
{
  if (action->comment.operation.bytes == NULL) return false;
  if (incident.bytes != NULL) return mde_incident_same(action->comment.incident, incident);
  return action->comment.incident.bytes == NULL && mde_text_same(action->comment.text, text);
}

size_t mde_history_withdrawn(const struct mde_action *actions, size_t count,
                             const struct mde_response *response, struct mde_text incident,
                             struct mde_text comment, int64_t since)
{
  struct mde_text text = mde_comment_parse(comment).text;
  size_t newest = MDE_NO_ACTION;
  for (size_t i = 0; i < count; i++) {
    const struct mde_action *a = &actions[i];
    if (!a->counts || a->response != response || !has_same_reason(a, incident, text)) continue;
    if (a->created != MDE_NO_TIME && a->created < since) continue;
    if (newest == MDE_NO_ACTION || created_later(a, &actions[newest])) newest = i;
  }
  if (newest == MDE_NO_ACTION || actions[newest].status == MDE_STATUS_CANCELLED) return newest;
  if (actions[newest].status == MDE_STATUS_FAILED) return MDE_NO_ACTION;
  return undone_by(actions, count, &actions[newest], false);
}

bool mde_action_records(const struct mde_action *action, struct mde_text incident, int64_t until)
{
  int64_t ends = mde_operation_until(action->comment.operation);
  bool is_long_enough =
      ends == MDE_NO_TIME || (until != MDE_NO_TIME && ends >= until - MDE_UNTIL_SLACK_TICKS);
  return is_long_enough &&
         (incident.bytes == NULL || mde_incident_same(action->comment.incident, incident));
}

static bool records(const struct mde_action *action, const struct mde_intent *intent)
{
  return mde_action_records(action, intent->incident, intent->until);
}

static struct mde_look look(enum mde_decision decision, size_t action)
{
  return (struct mde_look){.decision = decision, .action = action, .recorded = true};
}

static struct mde_look look_at_repeat(const struct mde_action *actions, size_t count, size_t first,
                                      const struct mde_intent *intent)
{
  if (actions[first].status == MDE_STATUS_CANCELLED) return look(MDE_DECISION_SUPERSEDED, first);
  size_t undoing = undone_by(actions, count, &actions[first], true);
  if (undoing != MDE_NO_ACTION) return look(MDE_DECISION_SUPERSEDED, undoing);
  undoing = undone_by(actions, count, &actions[first], false);
  if (undoing != MDE_NO_ACTION) return look(MDE_DECISION_CONFLICT, undoing);
  if (actions[first].differs) return look(MDE_DECISION_DIFFERENT, first);
  struct mde_look repeat = look(MDE_DECISION_ALREADY_ACTIVE, first);
  repeat.recorded = records(&actions[first], intent);
  return repeat;
}

/* The newest action of this kind and status that is later than `after` and records the intent. */
static size_t newest_record(const struct mde_action *actions, size_t count,
                            const struct mde_intent *intent, enum mde_status status, size_t after)
{
  size_t found = MDE_NO_ACTION;
  for (size_t i = 0; i < count; i++) {
    const struct mde_action *a = &actions[i];
    if (!a->counts || a->response != intent->response || a->differs || a->status != status ||
        !records(a, intent))
      continue;
    if (after != MDE_NO_ACTION && !succeeded_later(a, &actions[after])) continue;
    if (found == MDE_NO_ACTION || created_later(a, &actions[found])) found = i;
  }
  return found;
}

/* Whether an action says otherwise than one of this kind: an opposite one, or one that was taken
 * back. */
static bool says_otherwise(const struct mde_action *action, const struct mde_response *response)
{
  return action->counts && !action->is_claimed &&
         (action->response == response) == (action->status == MDE_STATUS_CANCELLED);
}

/* The newest action by which somebody decided otherwise since the first look. */
static size_t decided_otherwise(const struct mde_action *actions, size_t count,
                                const struct mde_response *response)
{
  size_t found = MDE_NO_ACTION;
  for (size_t i = 0; i < count; i++)
    if (says_otherwise(&actions[i], response) && !actions[i].seen &&
        (found == MDE_NO_ACTION || created_later(&actions[i], &actions[found])))
      found = i;
  return found;
}

size_t mde_history_decided(const struct mde_action *actions, size_t count,
                           const struct mde_response *response, int64_t since,
                           const struct mde_id *except, size_t *untimed)
{
  size_t found = MDE_NO_ACTION;
  *untimed = MDE_NO_ACTION;
  for (size_t i = 0; i < count; i++) {
    const struct mde_action *a = &actions[i];
    if (!says_otherwise(a, response)) continue;
    if (except != NULL && a->has_id && memcmp(&a->id, except, sizeof *except) == 0) continue;
    /* A cancellation is its last update. */
    int64_t decided = a->status == MDE_STATUS_CANCELLED ? a->updated : a->created;
    if (decided == MDE_NO_TIME && a->response != response)
      *untimed = i;
    else if (decided != MDE_NO_TIME && decided >= since &&
             (found == MDE_NO_ACTION || created_later(a, &actions[found])))
      found = i;
  }
  return found;
}

size_t mde_history_opposed(const struct mde_action *actions, size_t count,
                           const struct mde_response *response)
{
  return last_succeeded(actions, count, response->opposite);
}

struct mde_look mde_history_look(const struct mde_action *actions, size_t count,
                                 const struct mde_intent *intent)
{
  const struct mde_response *response = intent->response;
  if (intent->key.bytes != NULL) {
    size_t first = mde_history_find(actions, count, response, intent->key);
    if (first != MDE_NO_ACTION && actions[first].status != MDE_STATUS_FAILED)
      return look_at_repeat(actions, count, first, intent);
  }

  size_t decided = intent->looked ? decided_otherwise(actions, count, response) : MDE_NO_ACTION;
  if (decided != MDE_NO_ACTION) return look(MDE_DECISION_OVERTAKEN, decided);

  size_t opposite = newest(actions, count, response->opposite, MDE_STATUS_PENDING);
  if (opposite != MDE_NO_ACTION)
    return look(intent->cancel_opposite ? MDE_DECISION_CANCEL_OPPOSITE : MDE_DECISION_CONFLICT,
                opposite);

  size_t pending = newest_pending(actions, count, response, false);
  if (pending != MDE_NO_ACTION) {
    size_t recorded = newest_record(actions, count, intent, MDE_STATUS_PENDING, MDE_NO_ACTION);
    struct mde_look already = look(MDE_DECISION_ALREADY_ACTIVE, pending);
    already.recorded = recorded != MDE_NO_ACTION;
    if (already.recorded) already.action = recorded;
    return already;
  }
  pending = newest_pending(actions, count, response, true);
  if (pending != MDE_NO_ACTION) return look(MDE_DECISION_DIFFERENT, pending);

  const struct mde_response *holding = response->holds ? response : response->opposite;
  if (holding == NULL) return look(MDE_DECISION_SEND, MDE_NO_ACTION);
  size_t rests_on;
  enum mde_state state = mde_history_state(actions, count, holding, &rests_on);
  if (!response->holds && state == MDE_STATE_RELEASED) {
    struct mde_look already = look(MDE_DECISION_ALREADY_ACTIVE, rests_on);
    already.recorded = records(&actions[rests_on], intent);
    return already;
  }
  if (response->holds && state == MDE_STATE_APPLIED && !actions[rests_on].differs) {
    size_t release = last_succeeded(actions, count, response->opposite);
    size_t recorded = newest_record(actions, count, intent, MDE_STATUS_SUCCEEDED, release);
    if (recorded != MDE_NO_ACTION)
      return look(MDE_DECISION_ALREADY_ACTIVE,
                  intent->incident.bytes != NULL ? recorded : rests_on);
  }
  return look(MDE_DECISION_SEND, MDE_NO_ACTION);
}

enum when { WHEN_BEFORE, WHEN_UNCLEAR, WHEN_AFTER };

/* When an action was created, as seen from a send. */
static enum when when_of(const struct mde_action *action, const struct mde_sent *sent)
{
  if (action->seen) return WHEN_BEFORE;
  if (sent->looked) return WHEN_AFTER;
  if (action->created == MDE_NO_TIME || sent->sent_at == MDE_NO_TIME) return WHEN_UNCLEAR;
  if (action->created < sent->sent_at - MDE_DOUBT_TICKS) return WHEN_BEFORE;
  return action->created > sent->sent_at + MDE_DOUBT_TICKS ? WHEN_AFTER : WHEN_UNCLEAR;
}

/* The newest action by which somebody decided otherwise then: after a send, or perhaps. */
static size_t find_otherwise(const struct mde_action *actions, size_t count,
                             const struct mde_sent *sent, enum when when)
{
  size_t found = MDE_NO_ACTION;
  for (size_t i = 0; i < count; i++)
    if (says_otherwise(&actions[i], sent->response) && when_of(&actions[i], sent) == when &&
        (found == MDE_NO_ACTION || created_later(&actions[i], &actions[found])))
      found = i;
  return found;
}

/*
 * The newest that carries our id and that the look before the send had not; or one that carries our
 * key and is of another scope, since a key may have been used before. Of those, one that has failed
 * is in nobody's way, nor does it hide one that has not.
 */
static size_t find_ours(const struct mde_action *actions, size_t count, const struct mde_sent *sent,
                        bool of_another_scope)
{
  size_t found = MDE_NO_ACTION;
  for (size_t i = 0; i < count; i++)
    if (carries(&actions[i], sent->response, sent->operation) && !actions[i].seen &&
        (sent->keyed && actions[i].differs) == of_another_scope &&
        !(of_another_scope && actions[i].status == MDE_STATUS_FAILED) &&
        (found == MDE_NO_ACTION || created_later(&actions[i], &actions[found])))
      found = i;
  return found;
}

/* Ours, whose comment the service has cut short and our id with it. */
static size_t find_cut(const struct mde_action *actions, size_t count, const struct mde_sent *sent)
{
  for (size_t i = 0; i < count; i++) {
    const struct mde_action *a = &actions[i];
    if (a->counts && !a->differs && a->response == sent->response &&
        a->status != MDE_STATUS_CANCELLED && when_of(a, sent) != WHEN_BEFORE &&
        a->returned.length >= MDE_COMMENT_MIN_CUT_BYTES &&
        mde_comment_compare(sent->comment, a->returned) == MDE_COMMENT_MATCH_CUT)
      return i;
  }
  return MDE_NO_ACTION;
}

static struct mde_reconciled reconciled(enum mde_reconciliation decision, size_t action)
{
  return (struct mde_reconciled){.decision = decision, .action = action};
}

struct mde_reconciled mde_history_reconcile(const struct mde_action *actions, size_t count,
                                            const struct mde_sent *sent)
{
  const struct mde_response *response = sent->response;
  size_t ours = find_ours(actions, count, sent, false);
  if (ours != MDE_NO_ACTION) {
    bool cancelled = actions[ours].status == MDE_STATUS_CANCELLED;
    return reconciled(cancelled ? MDE_RECONCILIATION_SUPERSEDED : MDE_RECONCILIATION_OURS, ours);
  }

  size_t otherwise = find_otherwise(actions, count, sent, WHEN_AFTER);
  if (otherwise != MDE_NO_ACTION) return reconciled(MDE_RECONCILIATION_SUPERSEDED, otherwise);
  size_t cut = find_cut(actions, count, sent);
  if (cut != MDE_NO_ACTION && when_of(&actions[cut], sent) == WHEN_AFTER)
    return reconciled(MDE_RECONCILIATION_OURS, cut);
  size_t perhaps = find_otherwise(actions, count, sent, WHEN_UNCLEAR);
  if (perhaps == MDE_NO_ACTION) perhaps = cut;
  if (perhaps == MDE_NO_ACTION) perhaps = find_ours(actions, count, sent, true);
  if (perhaps != MDE_NO_ACTION) return reconciled(MDE_RECONCILIATION_UNCLEAR, perhaps);

  size_t pending = newest_pending(actions, count, response, false);
  if (pending != MDE_NO_ACTION) return reconciled(MDE_RECONCILIATION_ACTIVE, pending);
  size_t opposite = newest(actions, count, response->opposite, MDE_STATUS_PENDING);
  if (opposite != MDE_NO_ACTION) return reconciled(MDE_RECONCILIATION_OPPOSITE, opposite);
  return reconciled(MDE_RECONCILIATION_NOTHING, MDE_NO_ACTION);
}

enum mde_reply mde_history_reply(const struct mde_action_text *text, struct mde_text machine,
                                 const struct mde_sent *sent, bool seen)
{
  struct mde_action action = mde_action_read(text, sent->response, machine, MDE_NO_TIME);
  if (!action.counts || action.response != sent->response || text->id.bytes == NULL ||
      text->id.length == 0)
    return MDE_REPLY_FOREIGN;
  enum mde_comment_match match = mde_comment_compare(sent->comment, text->comment);
  bool settled = match == MDE_COMMENT_MATCH_SAME && !sent->keyed;
  bool older = action.created != MDE_NO_TIME && sent->sent_at != MDE_NO_TIME &&
               action.created < sent->sent_at - MDE_DOUBT_TICKS;
  if (!seen && (settled || !older)) {
    if (match == MDE_COMMENT_MATCH_SAME) return MDE_REPLY_ACCEPTED;
    if (match == MDE_COMMENT_MATCH_CUT && text->comment.length >= MDE_COMMENT_MIN_CUT_BYTES)
      return MDE_REPLY_CUT;
  }
  if (action.status == MDE_STATUS_FAILED || action.status == MDE_STATUS_CANCELLED)
    return MDE_REPLY_FOREIGN;
  return MDE_REPLY_ALREADY_ACTIVE;
}
