--- mde state: tells whether devices are restricted.

local batch = require "mde.cli.batch"
local columns_of = require "mde.cli.columns"
local connection = require "mde.cli.connection"
local errors = require "mde.error"
local exit = require "mde.cli.exit"
local interrupt = require "mde.cli.interrupt"
local list = require "mde.cli.list"
local output = require "mde.cli.output"
local result = require "mde.cli.result"
local rows = require "mde.cli.rows"
local terminal = require "mde.cli.terminal"

local state = {
  name = "state",
  summary = "Tell whether devices are restricted.",
  examples = {
    { "mde state laptop-17", "restricted, restricting, releasing, released or none" },
    { "mde state --list suspects.csv --csv", "many, with the action that each state rests on" },
  },
}

local function of_action(name)
  return function(entry) return entry.action and entry.action[name] end
end

---@type mde.cli.RowColumn[]
local columns = {
  { name = "device", title = "DEVICE", value = function(entry) return entry.device end, least = 24 },
  { name = "state", title = "STATE", value = function(entry) return entry.state end, least = 11 },
  { name = "computerDnsName", title = "NAME", value = result.dns_name, optional = true },
  { name = "machineId", title = "MACHINE ID", value = function(entry) return result.record(entry).machine_id end,
    only_data = true },
  { name = "lastUpdateDateTimeUtc", title = "SINCE", value = of_action "lastUpdateDateTimeUtc",
    shown = function(entry) return entry.action and columns_of.ago(entry.action.lastUpdateDateTimeUtc) end },
  { name = "requestor", title = "REQUESTOR", value = of_action "requestor" },
  { name = "requestorComment", title = "COMMENT", value = of_action "requestorComment" },
  { name = "actionId", title = "ACTION", value = of_action "id", optional = true },
}

local csv_columns = {}
for i, column in ipairs(columns) do csv_columns[i] = column end
for _, column in ipairs(result.error_columns) do csv_columns[#csv_columns + 1] = column end

--- Declares the options.
---@param command table of argparse
function state.configure(command)
  list.configure(command, "*")
  rows.configure(command)
end

local function keep(entry, value, action, err)
  entry.done = true
  if value then
    entry.state, entry.action = value, action
  else
    entry.err = err
  end
end

--- Many are looked up first, and share one listing of actions.
local function ask_for_many(client, entries)
  batch.run(client, entries, function(entry)
    local err
    entry.machine, err = client:machine(entry.device)
    return entry.machine, err
  end, { label = "Looking up", patience = 1 })
  if interrupt.asked() then return end
  local machines, of = {}, {}
  for _, entry in ipairs(entries) do
    if entry.machine then
      machines[#machines + 1] = entry.machine
      of[#machines] = entry
    end
  end
  if #machines == 0 then return end
  for i, answer in ipairs(client:states(machines)) do keep(of[i], answer.value, answer.action, answer.err) end
end

local function ask(client, entries)
  if entries[2] then return ask_for_many(client, entries) end
  local value, action = client:state(entries[1].device)
  keep(entries[1], value, action, action)
end

--- Runs the subcommand.
---@param arguments table as argparse leaves them
---@return integer status
function state.run(arguments)
  local named = list.gather(arguments)
  if interrupt.asked() then return exit.interrupted end
  for _, remark in ipairs(list.remarks(named)) do terminal.say("Note: " .. remark .. ".") end
  local entries = named.entries
  local client = connection.open()
  local finished = interrupt.during(client.driver, 1, function() ask(client, entries) end)
  if not finished or interrupt.asked() then
    terminal.say "Interrupted."
    return exit.interrupted
  end
  local format = rows.format(arguments)
  local writer = rows.new(format, format == "csv" and csv_columns or columns)
  for _, entry in ipairs(entries) do
    if not entry.err and not entry.state then
      entry.err = errors.new { kind = "unavailable", asked = entry.device, message = "was not asked for" }
    end
    if entry.err and format ~= "json" then terminal.say("mde: " .. result.complaint(entry)) end
    if format ~= "text" or not entry.err then writer.add(format == "json" and result.record(entry) or entry) end
  end
  writer.finish()
  output.flush()
  return result.status(entries, false)
end

return state
