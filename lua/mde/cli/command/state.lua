--- mde state: tells whether devices are restricted.

local batch = require "mde.cli.batch.batch"
local columns_of = require "mde.cli.ui.columns"
local errors = require "mde.base.error"
local interrupt = require "mde.cli.ui.interrupt"
local list = require "mde.cli.batch.list"
local lookup = require "mde.cli.batch.lookup"
local output = require "mde.cli.ui.output"
local result = require "mde.cli.batch.result"
local rows = require "mde.cli.ui.rows"

local M = {
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
    shown = function(entry, now) return entry.action and columns_of.ago(entry.action.lastUpdateDateTimeUtc, now) end },
  { name = "requestor", title = "REQUESTOR", value = of_action "requestor" },
  { name = "requestorComment", title = "COMMENT", value = of_action "requestorComment" },
  { name = "actionId", title = "ACTION", value = of_action "id", optional = true },
}

local csv_columns = {}
for i, column in ipairs(columns) do csv_columns[i] = column end
for _, column in ipairs(result.error_columns) do csv_columns[#csv_columns + 1] = column end

--- Declares the options.
---@param command table of argparse
function M.configure(command)
  list.configure(command, "*")
  rows.configure(command)
  rows.configure_heading(command)
end

local function keep(entry, value, action, err)
  entry.done = true
  if value then
    entry.state, entry.action = value, action
  else
    entry.err = err
  end
end

-- The devices whose records are found; the entries of the others have their errors.
local function look_up(context, entries)
  lookup.run(context, entries)
  local machines, entry_of = {}, {}
  for _, entry in ipairs(entries) do
    if entry.machine then
      entry.done = false
      machines[#machines + 1] = entry.machine
      entry_of[#machines] = entry
    end
  end
  return machines, entry_of
end

-- Many are looked up first, and share one listing of actions.
local function ask_for_many(context, entries)
  local machines, entry_of = look_up(context, entries)
  if interrupt.asked() or not machines[1] then return end
  local _, answers = interrupt.during(context.client, 1, function()
    return context.client:states(machines)
  end)
  for i, answer in ipairs(answers or {}) do keep(entry_of[i], answer.value, answer.action, answer.err) end
end

local function ask_for_one(client, entry)
  entry.started = true
  interrupt.during(client, 1, function()
    local value, action = client:state(entry.identity or entry.device)
    keep(entry, value, action, action)
  end)
end

local function write(context, entries)
  local format = context.format
  local writer = rows.new(context, format == "csv" and csv_columns or columns, result.record)
  for _, entry in ipairs(entries) do
    if entry.done and entry.err and format ~= "json" then batch.complain(entry) end
    if not entry.done then
      entry.err = errors.new { kind = "unavailable", code = "not_asked",
        asked = "state of " .. errors.quote(entry.device), message = "it was not asked for any more",
        hint = "Ask again." }
    end
    if format ~= "text" or not entry.err then writer.add(entry) end
  end
  writer.finish()
  output.flush()
end

M.request = list.entries

--- Runs the subcommand.
---@param context mde.cli.Context
---@return integer status
function M.run(context)
  local entries = context.request
  if entries[2] then ask_for_many(context, entries) else ask_for_one(context.client, entries[1]) end
  local status, complete = result.status(entries, interrupt.asked()), true
  for _, entry in ipairs(entries) do complete = complete and entry.done or false end
  write(context, entries)
  batch.say_end(entries, complete, { noun = "device", outcome = function() return "told" end, brief = true })
  return status
end

return M
