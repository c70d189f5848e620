--- meanwhile: what somebody decided while the question stood goes before the answer, which rests on the plan.
--
-- One list of the opposite actions since the plan was made tells of all devices. Each of those is left, and named. If
-- one of the actions does not say of which device it is, as a fresh one may, each device is asked about by itself.

local core = require "mde.core"
local errors = require "mde.base.error"
local interrupt = require "mde.cli.ui.interrupt"
local mde = require "mde"
local result = require "mde.cli.batch.result"
local terminal = require "mde.cli.ui.terminal"

local M = {}

-- Calls fn(action) for each that a query finds and that was not cancelled.
local function each_effective(client, query, fn)
  for action in client:actions(query) do
    if core.history.status(action.status) ~= "cancelled" then fn(action) end
  end
end

-- An opposite action of each machine since the plan was made that was not cancelled, by the machine's id.
local function opposite_actions(client, verb, plan)
  local opposite = core.response_actions[core.response_actions[verb].opposite]
  local query = { type = opposite.type, creationDateTimeUtc = mde.ge(plan.made_at) }
  local found, has_nameless = {}, false
  each_effective(client, query, function(action)
    if action.machineId then found[core.text.lower(action.machineId)] = action else has_nameless = true end
  end)
  for _, entry in ipairs(has_nameless and plan.send or {}) do
    query.machineId = entry.machine.id
    each_effective(client, query, function(action) found[core.text.lower(entry.machine.id)] = action end)
  end
  return found
end

local function overtaken(entry, verb, action)
  return errors.new { kind = "superseded", code = "plan_overtaken", action = action,
    asked = ("%s %s"):format(verb, errors.quote(result.name(entry))),
    message = ("nothing was sent; while the question stood, %s made the opposite action %s (%s, %s)"):format(
      errors.show(action.requestor or "somebody"), errors.show(action.id), errors.show(action.type),
      errors.show(action.status)),
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
    return pcall(opposite_actions, context.client, request.verb, plan)
  end)
  if not finished then return false end
  if not ok then
    terminal.caution("what others did while the question stood could not be read: "
      .. (errors.is(found) and found.message or tostring(found)))
    return true
  end
  for _, entry in ipairs(plan.send) do
    local action = found[core.text.lower(entry.machine.id)]
    if action then
      entry.err, entry.ending = overtaken(entry, request.verb, action), "left"
      entry.started, entry.done = true, true
    end
  end
  return true
end

return M
