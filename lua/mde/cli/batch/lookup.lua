--- lookup: finds the machines of a list before anything is done to them.

local batch = require "mde.cli.batch.batch"
local core = require "mde.core"
local interrupt = require "mde.cli.ui.interrupt"
local progress = require "mde.cli.ui.progress"

local M = {}

-- The machine by which an entry is meant, even if its record cannot be read.
local function known_machine(entry)
  if entry.machine or entry.identity then return entry.machine end
  local kind, id = core.device.kind(entry.device)
  return kind == "machine_id" and { id = id } or nil
end

-- Whether it is for devices that are not onboarded: a name means one of them, too, if it is one record's.
local function is_for_unmanaged(context)
  local row = core.response_actions[context.request and context.request.verb]
  return row ~= nil and row.is_unmanaged
end

-- Takes in what was found. A machine whose id is known is meant by it, unless the service says that there is no such
-- machine. But what else it was named by must fit its record.
local function take(context, entry, machine, err)
  local known = known_machine(entry)
  if not machine and err.code == "not_onboarded" and is_for_unmanaged(context) and not entry.identity
    and #err.candidates == 1 then
    machine, err = err.candidates[1], nil
  end
  if not machine and known and err.kind ~= "not_found" and err.kind ~= "auth" then machine = known end
  entry.machine = machine
  return machine, err
end

local function one(context, entries)
  return batch.run(context, entries, function(entry)
    return take(context, entry, context.client:machine(entry.machine or entry.identity or entry.device))
  end, { label = "Looking up", patience = 1 })
end

local function many(context, entries)
  local devices = {}
  local rest = {}
  for _, entry in ipairs(entries) do
    if not entry.done then rest[#rest + 1] = entry end
  end
  entries = rest
  for i, entry in ipairs(entries) do
    devices[i] = entry.machine and entry.machine.id or entry.identity or entry.device
    entry.started = true
  end
  local shown = progress.new("Looking up", #entries, false)
  local finished, results = interrupt.during(context.client, 1, function() return context.client:resolve(devices) end)
  for i, entry in ipairs(finished and entries or {}) do
    local machine, err = take(context, entry, results[i].value, results[i].err)
    entry.err, entry.done = not machine and err or nil, true
    shown.step(entry.err ~= nil)
  end
  shown.finish()
  return finished or false
end

--- Reads the machines' records: `machine` of each entry, or its `err`.
---@param context mde.cli.Context
---@param entries mde.cli.Result[]
---@return boolean complete false if it was interrupted
function M.run(context, entries)
  if entries[2] then return many(context, entries) end
  return one(context, entries)
end

return M
