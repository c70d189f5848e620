--- ending: in which state a session leaves its run, and what it did not come by: of the record, and of the plan.
--
-- A playbook that ran to its end has asked for all that it means now. What the record has and it did not come by stays
-- as it is; what the plan shows and it did not ask for is not sent any more. Neither keeps a run open.

local core = require "mde.core"
local deeds = require "mde.run.deed"
local errors = require "mde.base.error"
local others_of = require "mde.run.other"

local M = {}

--- The word of a change that the plan shows and the playbook did not ask for, and the kind of the event that says it.
M.NOT_ASKED_FOR = "not_asked_for"

---@class mde.NotCalled a change that the plan shows
---@field machine_id string
---@field verb string
---@field incident string
---@field name? string of the device
---@field why? string the playbook leaves it (mde.leave)

---@class mde.RunEnding
---@field state "complete"|"paused"|"stopped"|"broken"
---@field why? string
---@field open mde.Step[] sent, and not known what came of it
---@field pending mde.Step[] accepted by the service, and not finished as far as the run has seen
---@field not_reached mde.Step[] recorded, and the playbook did not come by
---@field not_called mde.NotCalled[] planned, and the playbook did not ask for it; only of a run that is complete
---@field not_come_to mde.NotCalled[] planned, and the playbook did not come so far; only of one that is not complete

-- The steps of which the outcome is unknown, those that have not ended, and those that the playbook did not come by.
local function left_over(session, plan)
  local open, pending, not_reached, names = {}, {}, {}, {}
  for _, device in ipairs(plan.devices) do names[device.id] = device.name end
  for _, step in ipairs(session.recall.steps.all) do
    step.name, step.why_left = names[step.device], session.left[step.device]
    if step.outcome == "unknown" or not (step.outcome or step.is_known) then open[#open + 1] = step end
    if step.outcome == "accepted" and (not step.status or core.history.status(step.status) == "pending") then
      pending[#pending + 1] = step
    end
    if not step.reached then not_reached[#not_reached + 1] = step end
  end
  return open, pending, not_reached
end

--- What the plan shows and a pass of the playbook did not call for: its query finds other devices now.
---@param pass { entries: table[], recall: mde.Recall, left: table<string, string> }
---@param plan mde.RunPlan
---@return mde.NotCalled[]
function M.not_called(pass, plan)
  local called, list = {}, {}
  for _, entry in ipairs(pass.entries) do
    -- A name that means no machine any more stands there as it was asked for.
    local called_for = entry.machine_id or entry.name
    if called_for then called[deeds.key(called_for, entry.verb, entry.subject)] = true end
  end
  -- What an earlier session did is done, whether this one asks for it or not.
  for _, step in ipairs(pass.recall.steps.all) do
    called[deeds.key(step.device, step.verb, step.subject)] = true
  end
  for _, device in ipairs(plan.devices) do
    for _, change in ipairs(device.changes) do
      local verb, subject = change.verb, change.subject
      if change.decision == verb and not change.if_needed and not called[deeds.key(device.id, verb, subject)]
        and not (device.name and called[deeds.key(errors.quote(device.name), verb, subject)]) then
        list[#list + 1] = { machine_id = device.id, verb = verb, incident = change.incident, name = device.name,
          why = pass.left[device.id] }
      end
    end
  end
  return list
end

-- Whether a call came to something that the next session tries again.
local function has_untried(entries)
  for _, entry in ipairs(entries) do
    local kind = errors.is(entry.err) and entry.err.kind
    if kind == "throttled" or kind == "unavailable" or kind == "auth" or kind == "protocol" then return true end
    if kind == "protected" and entry.err.rule == "cap" then return true end
  end
  return false
end

-- Of changes that are no response actions, what may have been done or not; the first of them is named.
local function unknown_others(session)
  local list = others_of.open(session.others)
  if not list[1] then return nil end
  return ("it is not known what came of %s%s"):format(errors.show(list[1].line),
    list[2] and (" and of %d more"):format(#list - 1) or "")
end

local function state_of(session, err, open)
  if session.stop then return session.stop.state, session.stop.message end
  if err then return "broken", err.message end
  if open[1] then return "paused", ("the outcome of %d sends is not known"):format(#open) end
  if has_untried(session.entries) then
    return "paused", "some devices are left, which the next session tries again"
  end
  local unknown = unknown_others(session)
  if unknown then return "paused", unknown end
  if has_untried(session.others) then return "paused", "some changes are left, which the next session tries again" end
  return "complete"
end

--- How a session ends.
---@param session mde.Session
---@param plan mde.RunPlan
---@param err? mde.Error what the playbook raised
---@return mde.RunEnding
function M.of(session, plan, err)
  local open, pending, not_reached = left_over(session, plan)
  local state, why = state_of(session, err, open)
  local rest, is_complete = M.not_called(session, plan), state == "complete"
  return { state = state, why = why, open = open, pending = pending, not_reached = not_reached,
    not_called = is_complete and rest or {}, not_come_to = is_complete and {} or rest }
end

return M
