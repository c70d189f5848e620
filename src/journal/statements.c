#include "statements.h"

#include <stddef.h>

/* A step, as it is read. */
#define STEP                                                                                       \
  "SELECT s.n, s.session, d.id AS device, s.verb, s.incident, s.key, s.occurrence, s.operation, "  \
  "s.comment, s.arguments, s.attempts, s.sent, s.sent_service, s.answered, s.outcome, s.action, "  \
  "s.row, s.error, s.status, s.status_at, s.expires, s.reached "                                   \
  "FROM step s JOIN device d ON d.n = s.device "

/* The columns that make a step the one it is. */
#define IDENTITY "session, device, verb, incident, key, occurrence, operation, comment, arguments"
#define GIVEN_IDENTITY                                                                             \
  "$session, (SELECT n FROM device WHERE id = :device), :verb, coalesce(:incident, ''), "          \
  "coalesce(:key, ''), coalesce($occurrence, 1), :operation, :comment, :arguments"

#define IS_OPEN "(outcome IS NULL OR outcome = 'unknown')"

/* One to three lines each, the purpose first. */
/* clang-format off */
static const struct {
  const char *purpose;
  const char *text;
} sayings[MDE_STATEMENTS] = {
    [MDE_BEGIN] = {"begin a transaction", "BEGIN IMMEDIATE"},
    [MDE_COMMIT] = {"commit", "COMMIT"},
    [MDE_ROLLBACK] = {"roll back", "ROLLBACK"},

    [MDE_RUN] = {"read the run", "SELECT id, verb, undoes, tenant, client, base_url, playbook, text, digest, arguments, "
      "settings, plan, made, taken, state, why FROM run"},
    [MDE_RUN_INSERT] = {"record the run", "INSERT INTO run(one, id, verb, undoes, tenant, client, base_url, playbook, text, "
      "digest, arguments, settings, plan, made, state) VALUES(1, :id, :verb, :undoes, :tenant, :client, :base_url, "
      ":playbook, @text, @digest, :arguments, :settings, @plan, $made, 'planned')"},
    [MDE_RUN_PLAN] = {"record the plan's digest",
      "UPDATE run SET plan = @digest WHERE plan IS NULL OR plan = @digest"},
    [MDE_RUN_TAKE] = {"take the plan", "UPDATE run SET taken = $now WHERE taken IS NULL"},
    [MDE_RUN_STATE] = {"record the run's state", "UPDATE run SET state = :state, why = :why"},

    [MDE_SESSIONS] = {"read the sessions", "SELECT n, began, ended, host, boot, pid, who, mde, digest FROM session ORDER BY n"},
    [MDE_SESSION_INSERT] = {"record a session", "INSERT INTO session(began, host, boot, pid, who, mde, digest) "
      "VALUES($began, :host, :boot, $pid, :who, :mde, @digest)"},
    [MDE_SESSION_END] = {"record the end of a session", "UPDATE session SET ended = $ended WHERE n = $n"},

    [MDE_MODULES] = {"read the modules", "SELECT name, path, digest FROM module ORDER BY name"},
    [MDE_MODULE_PUT] = {"record a module", "INSERT OR REPLACE INTO module(name, path, digest) VALUES(:name, :path, @digest)"},

    [MDE_DEVICES] = {"read the devices",
      "SELECT n, id, name, platform, facts, wave, decision, rule, why FROM device ORDER BY n"},
    [MDE_DEVICE_FIND] = {"find a device", "SELECT n FROM device WHERE id = :id"},
    [MDE_DEVICE_INSERT] = {"record a device", "INSERT INTO device(id, name, platform, facts, wave, decision, rule, why) "
      "VALUES(:id, :name, :platform, :facts, $wave, :decision, :rule, :why)"},
    [MDE_DEVICE_UPDATE] = {"record a device", "UPDATE device SET name = coalesce(:name, name), "
      "platform = coalesce(:platform, platform), facts = coalesce(:facts, facts), wave = coalesce($wave, wave), "
      "decision = coalesce(:decision, decision), rule = coalesce(:rule, rule), why = coalesce(:why, why) WHERE id = :id"},

    [MDE_ASKED] = {"read the names",
      "SELECT a.name, d.id AS device FROM asked a JOIN device d ON d.n = a.device ORDER BY a.name"},
    [MDE_ASKED_FIND] = {"find a name", "SELECT d.id AS id FROM asked a JOIN device d ON d.n = a.device WHERE a.name = :name"},
    [MDE_ASKED_IS] = {"find a name", "SELECT a.name FROM asked a JOIN device d ON d.n = a.device "
      "WHERE a.name = :name AND d.id = :device"},
    [MDE_ASKED_PUT] = {"record a name",
      "INSERT OR IGNORE INTO asked(name, device) SELECT :name, n FROM device WHERE id = :device"},

    [MDE_PLANNED] = {"read the plan", "SELECT d.id AS device, d.name, p.verb, p.incident FROM planned p "
      "JOIN device d ON d.n = p.device ORDER BY d.id, p.verb, p.incident"},
    [MDE_PLANNED_IS] = {"look into the plan", "SELECT p.verb FROM planned p JOIN device d ON d.n = p.device "
      "WHERE d.id = :device AND p.verb = :verb AND p.incident = coalesce(:incident, '')"},
    [MDE_PLANNED_PUT] = {"record a line of the plan", "INSERT OR IGNORE INTO planned(device, verb, incident) "
      "SELECT n, :verb, coalesce(:incident, '') FROM device WHERE id = :device"},

    [MDE_STEPS] = {"read the steps", STEP "ORDER BY s.n"},
    [MDE_STEPS_OPEN] = {"read the open steps", STEP "WHERE s.outcome IS NULL OR s.outcome = 'unknown' ORDER BY s.n"},
    [MDE_STEPS_PENDING] = {"read the pending steps", STEP "WHERE s.outcome = 'accepted' AND "
      "(s.status IS NULL OR s.status IN('Pending', 'InProgress')) ORDER BY s.n"},
    [MDE_STEP_FIND] = {"find a step", STEP "WHERE d.id = :device AND s.verb = :verb AND s.incident = coalesce(:incident, '') "
      "AND s.key = coalesce(:key, '') AND s.occurrence = coalesce($occurrence, 1)"},
    [MDE_STEP_IS] = {"find a step", "SELECT n FROM step WHERE n = $step"},
    [MDE_STEP_SENDING] = {"record what is being sent",
      "INSERT INTO step(" IDENTITY ", attempts, sent, sent_service, expires) "
      "VALUES(" GIVEN_IDENTITY ", 1, $at, $sent_service, $expires)"},
    [MDE_STEP_SENDING_AGAIN] = {"record what is being sent again", "UPDATE step SET attempts = attempts + 1, "
      "sent = coalesce(sent, $at), sent_service = coalesce(sent_service, $sent_service) WHERE verb = :verb "
      "AND device = (SELECT n FROM device WHERE id = :device) AND incident = coalesce(:incident, '') "
      "AND key = coalesce(:key, '') AND occurrence = coalesce($occurrence, 1) AND operation = :operation AND " IS_OPEN},
    [MDE_STEP_SETTLED] = {"record what needed no sending",
      "INSERT INTO step(" IDENTITY ", answered, outcome, action, row, error) "
      "VALUES(" GIVEN_IDENTITY ", $answered, :outcome, :action, :row, :error)"},
    [MDE_STEP_RESULT] = {"record a result", "UPDATE step SET outcome = :outcome, answered = $answered, "
      "action = coalesce(:action, action), row = coalesce(:row, row), error = :error "
      "WHERE n = $step AND (" IS_OPEN " OR outcome = :outcome)"},
    [MDE_STEP_STATUS] = {"record the status of an action", "UPDATE step SET status = :status, status_at = $at WHERE n = $step "
      "AND (status IS NULL OR status IN('Pending', 'InProgress') OR status = :status)"},
    [MDE_STEP_REACHED] = {"record that a step was reached", "UPDATE step SET reached = $session WHERE n = $step"},
    [MDE_STEP_ONE_FEWER] = {"forget an attempt",
      "UPDATE step SET attempts = attempts - 1 WHERE n = $step AND attempts > 1 AND " IS_OPEN},
    [MDE_STEP_DELETE] = {"forget a step", "DELETE FROM step WHERE n = $step AND (outcome IS NULL OR outcome = 'refused')"},

    [MDE_EVENTS] = {"read the events", "SELECT n, at, step, kind, detail FROM event ORDER BY n"},
    [MDE_EVENT_INSERT] = {"record an event", "INSERT INTO event(at, step, kind, detail) VALUES($at, $step, :kind, :detail)"},

    [MDE_RESERVE_FILL] = {"reserve space", "INSERT INTO reserve(bytes) VALUES(zeroblob($bytes))"},
    [MDE_RESERVE_EMPTY] = {"reserve space", "DELETE FROM reserve"},
    [MDE_COPY] = {"copy what is", "VACUUM INTO :path"},
};
/* clang-format on */

int mde_statements_prepare(sqlite3 *handle, sqlite3_stmt *statements[MDE_STATEMENTS])
{
  for (int i = 0; i < MDE_STATEMENTS; i++) {
    int status = sqlite3_prepare_v3(handle, sayings[i].text, -1, SQLITE_PREPARE_PERSISTENT,
                                    &statements[i], NULL);
    if (status != SQLITE_OK) return status;
  }
  return SQLITE_OK;
}

void mde_statements_finalize(sqlite3_stmt *statements[MDE_STATEMENTS])
{
  for (int i = 0; i < MDE_STATEMENTS; i++) {
    sqlite3_finalize(statements[i]);
    statements[i] = NULL;
  }
}

const char *mde_statement_purpose(enum mde_statement statement)
{
  return sayings[statement].purpose;
}
