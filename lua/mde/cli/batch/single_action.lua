--- single_action: what `mde action` and `mde cancel` have in common: actions by their ids, and telling of them.

local batch = require "mde.cli.batch.batch"
local columns = require "mde.cli.ui.columns"
local connection = require "mde.cli.connection"
local details = require "mde.cli.ui.details"
local errors = require "mde.base.error"
local interrupt = require "mde.cli.ui.interrupt"
local output = require "mde.cli.ui.output"
local result = require "mde.cli.batch.result"
local rows = require "mde.cli.ui.rows"
local terminal = require "mde.cli.ui.terminal"

local core = require "mde.core"

local single_action = {}

local shown = { "id", "type", "status", "computerDnsName", "machineId", "creationDateTimeUtc", "lastUpdateDateTimeUtc",
  "requestor", "requestorComment", "incident", "cancellationRequestor", "cancellationComment", "troubleshootInfo" }

--- Declares the ids and the formats.
---@param command table of argparse
function single_action.configure(command)
  command:argument("ids", "An action's id, a GUID."):args "+":argname "<id>"
  rows.configure(command)
end

local function teller(format)
  if format ~= "text" then
    local writer = rows.new(format, columns.actions)
    return function(entry)
      if not entry.err then
        writer.add(entry.action)
      elseif format == "json" then
        writer.add { id = entry.device, error = result.error_record(entry.err) }
      else
        terminal.say("mde: " .. result.complaint(entry))
      end
    end
  end
  local first = true
  return function(entry)
    if entry.err then return terminal.say("mde: " .. result.complaint(entry)) end
    if not first then output.write "\n" end
    first = false
    details.write(entry.action, shown)
  end
end

--- Does something with each action that the arguments name, and tells of the action it gives.
---@param arguments table as argparse leaves them
---@param patience integer interruptions after which it is given up
---@param done string how it is told
---@param act fun(client: mde.Client, id: string): mde.Action?, mde.Error?
---@return integer status
function single_action.run(arguments, patience, done, act)
  local entries = {}
  for i, id in ipairs(arguments.ids) do
    if core.odata.kind(id) ~= "guid" then
      errors.invalid(("%s is not an action's id (a GUID)"):format(errors.quote(id)),
        "mde actions lists the ids. Nothing was done.")
    end
    entries[i] = { device = id }
  end
  local client = connection.open()
  local complete = batch.run(client, entries, function(entry)
    local err
    entry.action, err = act(client, entry.device)
    return entry.action, err
  end, { label = "Asking", patience = patience, show = teller(rows.format(arguments)) })
  batch.say_end(entries, complete, { noun = "action", outcome = function() return done end, brief = true,
    ask = patience > 1 and "mde action" or nil })
  return result.status(entries, interrupt.asked() or not complete and batch.is_cut_short())
end

return single_action
