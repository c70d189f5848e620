--- plan_pass: a playbook is planned while somebody waits, who may interrupt it.

local exit = require "mde.cli.ui.exit"
local interrupt = require "mde.cli.ui.interrupt"
local runs = require "mde.run"
local terminal = require "mde.cli.ui.terminal"

local M = {}

-- Calls fn, which nobody needs to end.
local function while_waiting(context, words, fn)
  if terminal.has_movable_line() and not terminal.is_quiet() then terminal.set_status(words) end
  local finished, value, err = interrupt.during_playbook(context.client, 1, fn)
  terminal.set_status(nil)
  if not finished then
    runs.leave()
    terminal.say "Interrupted; nothing was done."
    return nil, exit.interrupted
  end
  if not value then error(err, 0) end
  return value
end

--- Makes a plan. Raises the error that prevents it.
---@param context mde.cli.Context
---@param options mde.PlanOptions
---@return mde.RunPlan? plan nil if it was interrupted
---@return integer? status
function M.run(context, options)
  return while_waiting(context, "Planning ...", function() return runs.plan(context.client, options) end)
end

--- Makes the plan of an undo. Raises the error that prevents it.
---@param context mde.cli.Context
---@param run string
---@param comment string
---@return mde.RunPlan? plan nil if it was interrupted
---@return integer? status
function M.undo(context, run, comment)
  return while_waiting(context, "Planning ...", function() return runs.plan_undo(context.client, run, comment) end)
end

--- What a run that is continued would do. Raises the error if it cannot be.
---@param context mde.cli.Context
---@param opened mde.OpenedRun
---@param options table
---@return mde.ResumePlan? plan nil if it was interrupted
---@return integer? status
function M.again(context, opened, options)
  return while_waiting(context, "Planning over the record ...", function()
    return runs.replan(context.client, opened, options)
  end)
end

return M
