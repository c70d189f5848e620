--- audit: what is told of a run, event by event, out of its record.
--
-- Each state change of a step is a row of the record, in the same commit as the result that it tells of. The line that
-- is written when it happens and the one that a report writes later are made from that row by the same function, so
-- they are the same bytes. Rows of this kind are counted from 1: that is the number of an event in its run.

local changes = require "mde.audit.change"
local core = require "mde.core"
local deeds = require "mde.run.deed"
local digests = require "mde.run.digest"
local json = require "mde.base.json"
local ocsf = require "mde.audit.ocsf"

local M = {}

--- The kind of the rows of a record that tell of a change.
M.KIND = "change"

local KIND = M.KIND

---@class mde.RunAudit
---@field private journal table mde.journal's
---@field private session integer
---@field private trace mde.Trace
---@field private time fun(): number Unix seconds
---@field private sequence integer of the last event
---@field private run table what is the same for all events
local Audit = {}
Audit.__index = Audit

-- ---- from a row to an event

-- The wave of each verb of a device. Where no change has one of its own, the plan is of an older version, and that of
-- the device is the wave in which it was restricted.
local function waves_of(facts, wave)
  local waves = {}
  for _, change in ipairs(type(facts.changes) == "table" and facts.changes or {}) do
    if type(change) == "table" and type(change.verb) == "string" and type(change.wave) == "number" then
      waves[change.verb] = change.wave
    end
  end
  if not next(waves) then waves.restrict = wave end
  return waves
end

-- What a record knows beside the events.
local function read(journal)
  local run = journal:run()
  local known = { id = run.id, tenant_id = run.tenant ~= "" and run.tenant or nil,
    client_id = run.client ~= "" and run.client or nil, playbook_sha256 = digests.hex(run.digest), sessions = {},
    devices = {} }
  for session in assert(journal:sessions()) do known.sessions[session.n] = session end
  for device in assert(journal:devices()) do
    local facts = device.facts and json.decode(device.facts)
    if type(facts) == "table" then
      known.devices[device.id] = { waves = waves_of(facts, device.wave), name = device.name,
        known = type(facts.audit) == "table" and changes.device(facts.audit) or nil }
    end
  end
  return known
end

-- The event that a row tells of; nil if what stands there tells of no change, or of none at a time that can be.
local function event_of(run, row, sequence)
  local change = row.detail and changes.read(json.decode(row.detail))
  if not change or not core.timestamp.whole(row.at) then return nil end
  local device, session = run.devices[change.machine_id] or {}, run.sessions[change.session] or {}
  change.time, change.sequence, change.run = row.at, sequence, run.id
  change.tenant_id, change.client_id, change.playbook_sha256 = run.tenant_id, run.client_id, run.playbook_sha256
  change.user, change.version, change.session = session.who, session.mde, nil
  change.computerDnsName = change.computerDnsName or device.name
  change.device = device.known or change.device
  if deeds.cuts_off(change.verb) then change.wave = device.waves and device.waves[change.verb] end
  return change
end

--- The lines of a run, out of its record: the same bytes as when they were written first.
---
---     for line in audit.lines(journal) do ... end
---@param journal table mde.journal's
---@return fun(): string? next_line JSON of OCSF, without its end; see audit/audit.md
function M.lines(journal)
  local run, rows, sequence = read(journal), assert(journal:events()), 0
  return function()
    for row in rows do
      if row.kind == KIND then
        sequence = sequence + 1
        local change = event_of(run, row, sequence)
        if change then return (ocsf.line(change)) end
      end
    end
  end
end

-- ---- a session

--- What a session tells of its run.
---@param journal table mde.journal's
---@param session integer its number
---@param exchange mde.Exchange its trace, and its time
---@return mde.RunAudit
function M.new(journal, session, exchange)
  local sequence = 0
  for row in assert(journal:events()) do
    if row.kind == KIND then sequence = sequence + 1 end
  end
  return setmetatable({ journal = journal, session = session, trace = exchange.trace, time = exchange.time,
    sequence = sequence, run = read(journal) }, Audit)
end

--- The row of an event. What the plan knows of the device stands in the record already.
---@param change mde.ChangeEvent
---@param step? integer
---@return mde.journal.event
function Audit:row(change, step)
  local own = {}
  for name, value in pairs(change) do own[name] = value end
  own.event, own.session = nil, self.session
  if self.run.devices[change.machine_id] and self.run.devices[change.machine_id].known then own.device = nil end
  for _, name in ipairs { "message", "comment" } do own[name] = own[name] and self.trace:redact(own[name]) end
  return { at = self.time(), kind = KIND, step = step, detail = json.encode(own) }
end

-- Writes what the result is, and what is told of it. nil, message, code if that failed; false if another result stands.
local function write_all(self, events, result, step)
  local value, message, code = result()
  if not value then return value, message, code end
  local rows = {}
  for i, change in ipairs(events) do
    rows[i] = self:row(change, step or type(value) == "number" and value or nil)
    local n
    n, message, code = self.journal:event(rows[i])
    if not n then return nil, message, code end
  end
  return value, rows
end

local function tell(self, row, sequence)
  self.trace:tell(event_of(self.run, row, sequence))
end

--- Writes a result and the events that tell of it, in one commit, and tells them. Nothing is told unless it is written.
---@param events mde.ChangeEvent[]
---@param result fun(): any, string?, string? writes it: the number of its step, or true; false if another one stands;
--- nil, message and code where that failed
---@param step? integer which the events are about, if `result` does not return its number
---@return any value of `result`
---@return string? message why nothing was written
---@return string? code
function Audit:write(events, result, step)
  local journal = self.journal
  local ok, message, code = journal:begin()
  if not ok then return nil, message, code end
  local done, value, rows, what = pcall(write_all, self, events, result, step)
  if done and value ~= nil then
    ok, message, code = journal:commit()
    if not ok then value, rows, what = nil, message, code end
  end
  if not done or value == nil then
    journal:rollback()
    if not done then error(value, 0) end
    return nil, rows, what
  end
  for _, row in ipairs(value and rows or {}) do
    self.sequence = self.sequence + 1
    self.trace:shield(tell, self, row, self.sequence)
  end
  return value
end

return M
