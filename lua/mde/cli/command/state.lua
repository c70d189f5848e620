--- mde state: tells whether devices are restricted, and whether they are isolated.

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
  summary = "Tell whether devices are restricted or isolated.",
  explained = [[
state is restricted, restricting, releasing, released or none; isolation is isolated, isolating,
releasing, released or none, and has what was contained, too. What --json writes of each device:
device (as named), outcome, machine_id, computerDnsName, state and the action that it rests on,
isolation and the isolation_action that it rests on, and error (kind, message, hint and text).]],
  examples = {
    { "mde state laptop-17", "whether it is restricted, and whether it is isolated" },
    { "mde state --list suspects.csv --csv", "many, with the action that each state rests on" },
  },
}

local function of_action(name)
  return function(entry) return entry.action and entry.action[name] end
end

local function isolation(entry) return entry.isolation end

---@type mde.cli.RowColumn[]
local columns = {
  { name = "device", title = "DEVICE", value = function(entry) return entry.device end, least = 24 },
  { name = "state", title = "STATE", value = function(entry) return entry.state end, least = 11 },
  { name = "isolation", title = "ISOLATION", value = isolation, least = 10, only_shown = true },
  { name = "computerDnsName", title = "NAME", value = result.dns_name, optional = true },
  { name = "machineId", title = "MACHINE ID", value = function(entry) return result.record(entry).machine_id end,
    only_data = true },
  { name = "lastUpdateDateTimeUtc", title = "SINCE", value = of_action "lastUpdateDateTimeUtc",
    shown = function(entry, now) return entry.action and columns_of.ago(entry.action.lastUpdateDateTimeUtc, now) end },
  { name = "requestor", title = "REQUESTOR", value = of_action "requestor" },
  { name = "requestorComment", title = "COMMENT", value = of_action "requestorComment" },
  { name = "actionId", title = "ACTION", value = of_action "id", optional = true },
  -- Behind what was there before it, for programs that count columns.
  { name = "isolation", title = "ISOLATION", value = isolation, only_data = true },
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

local function keep(entry, states, err)
  entry.done, entry.err = true, err
  if not states then return end
  local restrict, isolate = states.restrict, states.isolate
  entry.state, entry.action = restrict.value, restrict.action
  entry.isolation, entry.isolation_action = isolate.value, isolate.action
  entry.err = restrict.err or isolate.err
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
    return context.client:states(machines, { of = "all" })
  end)
  for i, answer in ipairs(answers or {}) do keep(entry_of[i], answer.value, answer.err) end
end

local function ask_for_one(client, entry)
  entry.started = true
  interrupt.during(client, 1, function()
    keep(entry, client:state(entry.identity or entry.device, { of = "all" }))
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
