--- record: what the service said of a machine, kept apart from the table that a program has.
--
-- A program may write into its machines: use a table again for another device, say, or put in its own
-- tags. What may be done to a device is judged on what the service said, and on the newest of it: all the
-- tables of one machine share a record. It is kept as long as one of them is.

local core = require "mde.core"

-- What a judgement may rest on.
local FIELDS = { "id", "computerDnsName", "osPlatform", "deviceValue", "machineTags", "mergedIntoMachineId",
  "healthStatus", "onboardingStatus" }

local M = {}

---@class mde.Record the service's fields that a judgement may rest on
---@field id string in lower case
---@field read_at number by the driver's clock

---@class mde.Records
---@field private by_machine table<table, mde.Record>
---@field private by_id table<string, mde.Record>
local Records = {}
Records.__index = Records

---@return mde.Records
function M.new()
  return setmetatable({
    by_machine = setmetatable({}, { __mode = "k" }),
    by_id = setmetatable({}, { __mode = "v" }),
  }, Records)
end

local function copy_of(value)
  if type(value) ~= "table" then return value end
  local own = {}
  for i, item in pairs(value) do own[i] = item end
  return own
end

--- Keeps what a machine was read as.
---@param machine table
---@param read_at number by the driver's clock
function Records:keep(machine, read_at)
  local id = core.text.lower(machine.id)
  local record = self.by_id[id] or {}
  self.by_id[id], self.by_machine[machine] = record, record
  if record.read_at and record.read_at > read_at then return end
  for _, name in ipairs(FIELDS) do record[name] = copy_of(machine[name]) end
  record.id, record.read_at = id, read_at
end

--- What was read by now is too old for any judgement.
function Records:expire()
  for _, record in pairs(self.by_id) do record.read_at = -math.huge end
end

--- Takes in what was read of a machine, if this client knows it.
---@param row table
---@param read_at number by the driver's clock
function Records:renew(row, read_at)
  if self.by_id[core.text.lower(row.id)] then self:keep(row, read_at) end
end

--- What the service said of the machine that this table stands for.
---@param machine table
---@return mde.Record? record nil if this client has not read it, or if it has another machine's id now
function Records:of(machine)
  local record = self.by_machine[machine]
  if record and type(machine.id) == "string" and core.text.lower(machine.id) == record.id then return record end
end

--- Whether this table was read as one machine and has another's id now.
---@param machine table
---@return boolean
function Records:has_other(machine)
  return self.by_machine[machine] ~= nil and self:of(machine) == nil
end

return M
