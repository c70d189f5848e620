--- single_action: what `mde action` and `mde cancel` have in common: actions by their ids, and telling of them.

local batch = require "mde.cli.batch.batch"
local columns = require "mde.cli.ui.columns"
local core = require "mde.core"
local details = require "mde.cli.ui.details"
local errors = require "mde.base.error"
local output = require "mde.cli.ui.output"
local problem = require "mde.cli.ui.problem"
local rows = require "mde.cli.ui.rows"

local M = {}

local shown = { "id", "type", "status", "computerDnsName", "machineId", "creationDateTimeUtc", "lastUpdateDateTimeUtc",
  "requestor", "requestorComment", "incident", "cancellationRequestor", "cancellationComment", "troubleshootInfo" }

--- Declares the ids and the formats.
---@param command table of argparse
function M.configure(command)
  command:argument("ids", "An action's id, a GUID."):args "+":argname "<id>"
  rows.configure(command)
end

--- Raises for what is no id of an action.
---@param id string
function M.check_id(id)
  if core.device.kind(id) == "guid" then return end
  errors.invalid("not_an_action", ("%s is not an action's id (a GUID)"):format(errors.quote(id)),
    "mde actions lists the ids. Nothing was done.")
end

--- The actions that the arguments name. Raises for what is no id.
---@param arguments table as argparse leaves them
---@return mde.cli.Result[]
function M.request(arguments)
  local entries = {}
  for i, id in ipairs(arguments.ids) do
    M.check_id(id)
    entries[i] = { device = id }
  end
  return entries
end

local function as_json(entry)
  return entry.err and { id = entry.device, error = problem.record(entry.err) } or entry.action
end

-- What shows one that is done.
local function teller(context)
  if context.format == "json" then return rows.new(context, columns.actions, as_json).add end
  local writer = context.format == "csv" and rows.new(context, columns.actions)
  local first = true
  return function(entry)
    if entry.err then return batch.complain(entry) end
    if writer then return writer.add(entry.action) end
    if not first then output.write "\n" end
    first = false
    details.write(entry.action, shown)
  end
end

--- Does something with each action that is asked for, and tells of the action it gives.
---@param context mde.cli.Context its request is a list of mde.cli.Result
---@param patience integer interruptions after which it is given up
---@param done string how it is told
---@param act fun(id: string): mde.Action?, mde.Error?
---@return integer status
function M.run(context, patience, done, act)
  local entries = context.request
  local complete = batch.run(context, entries, function(entry)
    local err
    entry.action, err = act(entry.device)
    return entry.action, err
  end, { label = "Asking", patience = patience, show = teller(context) })
  batch.say_end(entries, complete, { noun = "action", outcome = function() return done end, brief = true,
    ask = patience > 1 and "mde action" or nil })
  return batch.status(entries, complete)
end

return M
