--- meanwhile: what somebody decided while the question stood goes before the answer, which rests on the plan.
--
-- Two lists tell of all devices: the opposite actions since the plan was made, and what of this verb was cancelled
-- since. Each of those is left, and named; with --again what was cancelled is done again. If an action does not say of
-- which device it is, as a fresh one may, each device is asked about by itself.

local core = require "mde.core"
local errors = require "mde.base.error"
local interrupt = require "mde.cli.ui.interrupt"
local mde = require "mde"
local result = require "mde.cli.batch.result"
local terminal = require "mde.cli.ui.terminal"

-- How long an action may have been pending that is cancelled while the question stands.
local PENDING_SECONDS = 24 * 3600

local M = {}

---@class mde.cli.Decision what somebody decided otherwise
---@field action mde.Action
---@field text string in words

-- Calls fn(action, id of its machine) for each that a query finds. Where one does not say of which device it is, each
-- device is asked about by itself.
local function each(client, plan, query, fn)
  local has_nameless = false
  for action in client:actions(query) do
    if action.machineId then fn(action, core.text.lower(action.machineId)) else has_nameless = true end
  end
  for _, entry in ipairs(has_nameless and plan.send or {}) do
    query.machineId = entry.machine.id
    for action in client:actions(query) do fn(action, core.text.lower(entry.machine.id)) end
  end
end

-- Takes in an opposite action of each machine since then that was not cancelled.
local function add_opposites(found, client, verb, plan)
  local opposite = core.response_actions[core.response_actions[verb].opposite]
  if not opposite then return end
  each(client, plan, { type = opposite.type, creationDateTimeUtc = mde.ge(plan.made_at) }, function(action, id)
    if core.history.status(action.status) == "cancelled" then return end
    found[id] = { action = action, text = ("%s made the opposite action %s (%s, %s)"):format(
      errors.show(action.requestor or "somebody"), errors.show(action.id), errors.show(action.type),
      errors.show(action.status)) }
  end)
end

-- Whether it was cancelled since then. One that does not say when may have been.
local function is_cancelled_since(action, since)
  local text = action.cancellationDateTimeUtc or action.lastUpdateDateTimeUtc
  local at = type(text) == "string" and core.timestamp.read(text)
  return not at or at >= since
end

-- Takes in what of this verb was cancelled since then.
local function add_cancelled(found, client, verb, plan)
  each(client, plan, { type = core.response_actions[verb].type, status = "Cancelled",
    creationDateTimeUtc = mde.ge(plan.made_at - PENDING_SECONDS) }, function(action, id)
    if found[id] or not is_cancelled_since(action, plan.made_at) then return end
    found[id] = { action = action, text = ("%s cancelled action %s (%s)"):format(
      errors.show(action.cancellationRequestor or "somebody"), errors.show(action.id), errors.show(action.type)) }
  end)
end

-- What was decided otherwise since the plan was made, by the machine's id.
local function decisions(client, verb, plan, is_again)
  local found = {}
  add_opposites(found, client, verb, plan)
  if not is_again then add_cancelled(found, client, verb, plan) end
  return found
end

local function overtaken(entry, verb, decision)
  return errors.new { kind = "superseded", code = "plan_overtaken", action = decision.action,
    asked = ("%s %s"):format(verb, errors.quote(result.name(entry))),
    message = "nothing was sent; while the question stood, " .. decision.text,
    hint = "Somebody decided otherwise. If you still mean it, run the same command again." }
end

--- Looks at what was decided since the plan was made. An entry of `send` whose device somebody has decided otherwise of
--- is done, with an error of kind `superseded`.
---@param context mde.cli.Context its request is an mde.cli.ChangeRequest
---@param plan mde.cli.Plan
---@return boolean finished false if it was interrupted
function M.run(context, plan)
  local request = context.request
  if request.options.look == false or request.options.decided_at then return true end
  local finished, ok, found = interrupt.during(context.client, 1, function()
    return pcall(decisions, context.client, request.verb, plan, context.arguments.again)
  end)
  if not finished then return false end
  if not ok then
    terminal.caution("what others did while the question stood could not be read: "
      .. (errors.is(found) and found.message or tostring(found)))
    return true
  end
  for _, entry in ipairs(plan.send) do
    local decision = found[core.text.lower(entry.machine.id)]
    if decision then
      entry.err, entry.ending = overtaken(entry, request.verb, decision), "left"
      entry.started, entry.done = true, true
    end
  end
  return true
end

return M
