--- result: what a change came to: an action, or an error in words.

local core = require "mde.core"
local errors = require "mde.base.error"
local responses = require "mde.action.response"

-- So much of a comment is shown.
local MAX_WHY_BYTES = 160

local M = {}

---@class mde.ChangeReport what a result is told from
---@field run mde.ChangeRun
---@field result table what the core says
---@field center mde.ActionCenter

local function conflict(report)
  local opposite = report.run.row
  return errors.new {
    kind = "conflict", code = "opposite_pending", action = report.center:adopt(opposite),
    message = ("the opposite action %s (%s, created %s) is still %s"):format(errors.show(opposite.id),
      errors.show(opposite.type), errors.show(opposite.creationDateTimeUtc or "at an unknown time"),
      errors.show(opposite.status)),
    hint = responses.releases(report.run.verb) and "Wait for its end, or leave cancel_opposite at true."
      or "Wait for its end, or give cancel_opposite = true to cancel it.",
  }
end

-- A time of the service's, in UTC to the second; what cannot be read stays as it is.
local function shown_time(text)
  local seconds = type(text) == "string" and core.timestamp.read(text)
  return seconds and core.timestamp.whole(seconds) or errors.show(text)
end

--- Who made or cancelled an action, for which incident, when and why, as far as it says.
---@param row table
---@param is_cancelled? boolean
---@return string words what stands behind the action's name, with a blank or comma before
function M.decided_by(row, is_cancelled)
  local who = is_cancelled and row.cancellationRequestor or row.requestor
  local comment = is_cancelled and row.cancellationComment or row.requestorComment
  local cancelled_at = is_cancelled and row.cancellationDateTimeUtc
  local why, incident = core.comment.parse(type(comment) == "string" and comment or "")
  if #why > MAX_WHY_BYTES then why = why:sub(1, MAX_WHY_BYTES):gsub("[\192-\255][\128-\191]*$", "") .. "..." end
  local words = {}
  if type(who) == "string" then words[#words + 1] = " by " .. errors.show(who) end
  if incident then words[#words + 1] = " for " .. errors.show(incident) end
  if cancelled_at then
    words[#words + 1] = " at " .. shown_time(cancelled_at)
  elseif row.creationDateTimeUtc then
    words[#words + 1] = ", created " .. shown_time(row.creationDateTimeUtc)
  end
  if why ~= "" then words[#words + 1] = ": " .. errors.quote(why) end
  return table.concat(words)
end

local superseding = {
  key = { code = "key_overtaken", before = "this key was used before, and ",
    hint = "Somebody decided otherwise. If you still mean it, use another key." },
  decided_on_loss = { code = "send_overtaken", before = "it was sent and its answer was lost, and ",
    hint = "Somebody decided otherwise. Nothing was sent again; if you still mean it, call it again." },
  withdrawn = { code = "withdrawn", before = "one like it was sent before and taken back: ",
    hint = "Somebody decided otherwise. If you still mean it, call it without again = false (--again)." },
  decided = { code = "call_overtaken", before = "it was not carried out; meanwhile ",
    hint = "Somebody decided otherwise after this was decided. If you still mean it, call it again." },
}

--- What to do where somebody decided otherwise after a call had begun.
M.DECIDED_HINT = superseding.decided.hint

local function superseded(report)
  local newer, way = report.run.row, superseding[report.result.reason]
  local is_cancelled = core.history.status(newer.status) == "cancelled"
  local became = is_cancelled and "its action %s (%s, %s) was cancelled%s" or "action %s (%s, %s) has overtaken it%s"
  return errors.new {
    kind = "superseded", code = way.code, action = report.center:adopt(newer),
    message = way.before .. became:format(errors.show(newer.id), errors.show(newer.type),
      errors.show(newer.status), M.decided_by(newer, is_cancelled)),
    hint = way.hint,
  }
end

local function too_many_cancels()
  return errors.new { kind = "conflict", code = "opposites_keep_appearing",
    message = "opposite actions keep appearing; 10 were cancelled",
    hint = "Find out who else acts on this device." }
end

local function untimed(report)
  local row = report.run.row
  return errors.new { kind = "conflict", code = "opposite_untimed", action = report.center:adopt(row),
    message = ("whether the opposite action %s (%s, %s) was decided before it or after cannot be told"):format(
      errors.show(row.id), errors.show(row.type), errors.show(row.status)),
    hint = "Look at the device's action centre in the portal; without decided_at it is done." }
end

local function cancel_denied(report)
  local opposite = report.run.row
  return errors.wrap(report.run.problem, { code = "opposite_not_cancelled", action = report.center:adopt(opposite),
    message = ("the opposite action %s could not be cancelled"):format(errors.show(opposite.id)) })
end

local function cancel_late(report)
  local opposite, problem = report.run.row, report.run.problem
  return errors.new {
    kind = "conflict", code = "opposite_not_cancelled", action = report.center:adopt(opposite),
    message = ("the opposite action %s could not be cancelled in time%s"):format(errors.show(opposite.id),
      problem and ": " .. problem.message or ""),
    hint = "It may still be carried out. Try again, or wait for its end.",
  }
end

-- What one is about, and what was wanted instead.
local function shown_subject(row, verb, wanted)
  if core.response_actions[verb].subject == "scope" then
    return ("%s and not %s"):format(errors.show(row.scope or "scope unknown"), errors.show(wanted))
  end
  local file = type(row.relatedFileInfo) == "table" and row.relatedFileInfo.fileIdentifier
  return ("of file %s and not %s"):format(errors.show(file or "unknown"), errors.show(wanted))
end

-- One of another scope, or about another file, which does not do for what is wanted.
local function different(report)
  local run = report.run
  local row = run.row
  local is_pending = core.history.status(row.status) == "pending"
  return errors.new { kind = "conflict", code = "another_scope", action = report.center:adopt(row),
    message = ("%s: action %s (%s, %s, %s)%s"):format(
      run.http_status and "the service took it for another action, and did nothing as far as its answer says"
        or "nothing was done, since this is in the way", errors.show(row.id), errors.show(row.type),
      shown_subject(row, run.verb, run.subject), errors.show(row.status), M.decided_by(row)),
    hint = is_pending and "Wait for its end, or cancel it, and call it again."
      or "This key stands for it. If you mean both, use another key." }
end

local released = { release = "released", unisolate = "unisolated", uncontain = "uncontained" }

-- An action that holds the device and that the claim does not cover.
local function held(report)
  local row, verb = report.run.row, report.run.verb
  local is_known, state = row.id and row.type, core.response_actions[responses.holder(verb)].state
  return errors.new { kind = "conflict", code = "held_by_others", action = is_known and report.center:adopt(row) or nil,
    message = is_known and ("it was not %s, since somebody else holds it %s: action %s (%s)%s"):format(released[verb],
      state, errors.show(row.id), errors.show(row.status), M.decided_by(row))
      or ("it was not %s, since an action in the device's list does not say which it is, and may hold it"):format(
        released[verb]),
    hint = ("mde.held and mde.report show who holds it. A %s without operations and expired ends it for all."):format(
      verb),
  }
end

local function nothing_held(report)
  local verb = report.run.verb
  return errors.new { kind = "conflict", code = "nothing_held",
    message = ("it was not %s, since none of these holds it %s"):format(released[verb],
      core.response_actions[responses.holder(verb)].state),
    hint = "They have failed, were cancelled, or the service does not show them (any more)." }
end

local function problem_of(report)
  return report.run.problem
end

-- What a device cannot do, and which ones can.
local unsupported = {
  OsPlatformNotSupported = "No repetition helps. %s is for: %s. Leave this device out%s.",
  ClientVersionNotSupported = "No repetition helps before it is updated. %s is for: %s. Leave this device out%s.",
}

local function refused(report)
  local verb, err = report.run.verb, report.run.problem
  local hint = unsupported[err.code]
  if not hint then return err end
  return errors.derive(err, { hint = hint:format(verb, core.response_actions[verb].platforms,
    verb == "restrict" and ", or isolate it" or "") })
end

-- A release, and what stands under a key, is not sent unseen.
local function unseen(report)
  local run, err = report.run, report.run.problem
  if err.kind == "auth" then return err end
  local what = run.has_cancelled and "the opposite action was cancelled, and nothing was sent after that"
    or "nothing was sent"
  return errors.wrap(err, { kind = "unavailable", code = "history_unreadable",
    message = what .. ", since the device's history could not be read",
    hint = ("Try again; %slook = false (--no-look) sends it unseen."):format(run.keyed and "without a key, " or "") })
end

-- Nor what rests on what was done before, where the list may not tell that.
local function undecided(report)
  return errors.new { kind = "unavailable", code = "list_incomplete",
    message = ("nothing was sent, since an action in the device's list does not say which it is: it may be what was "
      .. "done %s"):format(report.run.keyed and "under this key" or "since"),
    hint = ("Look at the device's action centre in the portal; without %s it is sent."):format(
      report.run.keyed and "a key" or "decided_at") }
end

-- The service refused it since such an action is in progress, and no list tells which.
local function active(said)
  return function(report)
    local err = report.run.refusal
    err.hint = said .. ". Try again in a minute."
    return err
  end
end

-- ---- of unknown fate

local function untold(report, why)
  return ("%s; its list of actions does not tell either: %s"):format(report.run.lost.message, why)
end

local function not_again(report, why)
  return ("%s; it was not sent again: %s"):format(report.run.lost.message, why)
end

-- Why a look did not tell: where that was right before it was to be sent again, it was not.
local function look_failed(report, why)
  local is_before_resend = report.run.has_resent and report.result.sends < 2
  return (is_before_resend and not_again or untold)(report, why)
end

local messages = {
  time = function(report) return untold(report, "the time was up before its list of actions could be read twice") end,
  absent = function(report) return look_failed(report, "the service says that there is no such list (HTTP 404)") end,
  incomplete = function(report)
    return look_failed(report, "an action in it does not say which it is, and may be this one")
  end,
  unreadable = function(report) return look_failed(report, report.run.problem.message) end,
  unclear = function(report)
    local row = report.run.row
    return look_failed(report, ("whether action %s (%s, created %s) came before it or after cannot be told"):format(
      errors.show(row.id), errors.show(row.type), errors.show(row.creationDateTimeUtc or "at an unknown time")))
  end,
  opposite = function(report)
    local problem = report.run.problem
    if not problem and report.run.want == "end" then
      return untold(report, "the time was up before the opposite action, which was pending before, had ended")
    end
    return look_failed(report, problem and problem.message or conflict(report).message)
  end,
  not_shown = function(report) return report.run.lost.message .. "; its list of actions does not show it" end,
  resent = function(report)
    return ("%s; sent again, it ended with: %s"):format(report.run.lost.message, report.run.problem.message)
  end,
  not_resent = function(report)
    local run = report.run
    if not run.attempted then return not_again(report, run.problem.message) end
    return ("%s; sent again, it ended with: %s"):format(run.lost.message, run.problem.message)
  end,
}

local function unknown(report)
  local run, err = report.run, report.run.lost
  err.message = messages[report.result.reason](report)
  err.kind, err.verb, err.operation_id, err.comment = "unknown", run.verb, run.operation_id, run.comment
  err.machine_id, err.sent_at, err.subject, err.keyed = run.machine_id, run.sent_at, run.subject, run.keyed or nil
  return err
end

-- ---- all of it

local refusals = {
  conflict = { opposite = conflict, untimed = untimed, cancel_denied = cancel_denied, cancel_late = cancel_late,
    cancels = too_many_cancels, held = held, not_held = nothing_held, different = different },
  superseded = { key = superseded, decided = superseded, decided_on_loss = superseded,
    withdrawn = superseded },
  protected = { none = problem_of },
  refused = { none = refused, not_shown = active "The device's list of actions does not show it",
    unreadable = active "The device's list of actions could not be read" },
  not_sent = { none = problem_of, unreadable = unseen, incomplete = undecided },
}

--- The error that a change ended with.
---@param report mde.ChangeReport
---@return mde.Error
function M.error(report)
  local result = report.result
  if result.fate == "unknown" then return unknown(report) end
  return refusals[result.fate][result.reason or "none"](report)
end

--- The action that a change ended with.
---@param report mde.ChangeReport
---@return mde.Action
function M.action(report)
  local run, result = report.run, report.result
  local row, would_cancel = run.row, nil
  if result.fate == "would_send" then
    would_cancel = result.reason == "opposite" and report.center:adopt(row) or nil
    row = { machineId = run.machine_id, computerDnsName = run.computerDnsName, requestorComment = run.comment,
      status = "not sent", type = core.response_actions[run.verb].type,
      scope = core.response_actions[run.verb].subject == "scope" and run.subject or nil }
  end
  local action = report.center:adopt(row, { outcome = result.fate, looked = result.looked })
  if result.sends > 0 and (run.answered or result.reconciled) then
    action.attempts, action.reconciled = run.attempts, result.reconciled or nil
  end
  if result.fate == "already_active" then
    action.recorded = result.recorded
    local says_scope = core.response_actions[run.verb].subject ~= "scope" or (row.scope or "") ~= ""
    action.scope_unknown = not says_scope or nil
  else
    action.operation_id, action.incident = run.operation_id, run.incident
    action.comment_cut, action.comment_changed = result.comment_cut or nil, run.comment_changed or nil
    action.would_cancel = would_cancel
    action.not_held = result.fate == "would_send" and run.not_held or nil
    action.end_lost = run.hold_seconds ~= nil and not action.expires_at or nil
    local overturned = not responses.releases(run.verb) and run.overturned
    action.overturned = overturned and report.center:adopt(overturned) or nil
  end
  return action
end

return M
