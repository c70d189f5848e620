-- The record of one machine: what it may hold, what is filled in, whether it takes actions up, and which addresses it
-- had when.
local copy = require "mde.sim.base.copy"
local json = require "mde.sim.base.json"
local schema = require "mde.sim.odata.schema"
local time = require "mde.sim.base.time"
local validation = require "mde.sim.base.validation"

local M = {}

local DAY = 86400

local defaults = {
  isPotentialDuplication = false, isExcluded = false, osPlatform = "Windows11", osProcessor = "x64", version = "24H2",
  lastIpAddress = "192.0.2.10", lastExternalIpAddress = "198.51.100.7", agentVersion = "10.8750.26100.1",
  osBuild = 26100, healthStatus = "Active", deviceValue = "Normal", rbacGroupId = 0, riskScore = "None",
  exposureLevel = "Low", isAadJoined = true, defenderAvStatus = "Updated", onboardingStatus = "Onboarded",
  osArchitecture = "64-bit", managedBy = "Intune", managedByStatus = "Unknown",
}

-- What a record may have beside the service's properties. `addresses` is more than true or false, and checked apart.
local switches = { offline = true, failing = true, addresses = true }

local address_fields = { ipAddress = true, from = true, to = true }

local function read_moment(name, text, now)
  if text == nil then return nil end
  local resolved = type(text) == "string" and time.resolve(text, now)
  if not resolved then error(validation.mismatch(name, "a time such as 2026-02-03T10:11:12Z or 2h ago", text), 0) end
  return time.parse(resolved)
end

-- Which machine had which address when: for those who want another answer than that it always had what it has now.
local function read_addresses(list, now)
  local complete = {}
  validation.for_each("addresses", list, function(entry, i)
    for name in pairs(entry) do
      if not address_fields[name] then error(validation.unknown("", name, address_fields), 0) end
    end
    if type(entry.ipAddress) ~= "string" then error(validation.mismatch("ipAddress", "a text", entry.ipAddress), 0) end
    local from, to = read_moment("from", entry.from, now), read_moment("to", entry.to, now)
    if from and to and from > to then error("from is later than to", 0) end
    complete[i] = { ipAddress = entry.ipAddress, from = from, to = to }
  end)
  return complete
end

local function check(fields)
  for name, value in pairs(fields) do
    local problem
    if name ~= "addresses" and (value ~= json.null or not schema.machine.properties[name]) then
      problem = schema.problem(schema.machine, name, value, switches)
    end
    if problem then error(problem, 0) end
  end
  local id = fields.id
  if id ~= nil and (type(id) ~= "string" or not id:find "^%x+$" or #id ~= 40) then
    error(validation.mismatch("id", "40 hexadecimal digits", id), 0)
  end
end

--- Fields from outside, checked, with the times as the service writes them. Raises a message for what does not fit.
---@param fields table
---@param now number
---@return table complete
function M.read(fields, now)
  fields = time.resolve_fields(fields, { "firstSeen", "lastSeen" }, now)
  check(fields)
  if fields.addresses ~= nil then fields.addresses = read_addresses(fields.addresses, now) end
  return fields
end

-- The sensor of what is not Windows has a numbering of its own.
local agents = { macOS = "101.24082.4", Linux = "101.24082.4" }

--- The record of an ordinary laptop.
---@param id string
---@param now number
---@param platform any what it will run; as usual if absent
---@return table record
function M.new(id, now, platform)
  local record = { id = id, machineTags = {}, firstSeen = time.iso(now - 200 * DAY), lastSeen = time.iso(now - 3600) }
  for name, value in pairs(defaults) do record[name] = value end
  record.agentVersion = agents[platform] or record.agentVersion
  return record
end

local no_sensor = { Inactive = true, NoSensorData = true, NoSensorDataImpairedCommunication = true }

--- Whether a machine takes up what is waiting for it.
---@param record table
---@return boolean
function M.is_reachable(record)
  return record.onboardingStatus == "Onboarded"
    and not (record.offline or record.mergedIntoMachineId or no_sensor[record.healthStatus])
end

--- Gives a record other fields, as `read` returns them; `json.null` takes one away.
---@param record table
---@param fields table
---@param now number
function M.change(record, fields, now)
  local was_reachable = M.is_reachable(record)
  for name, value in pairs(fields) do
    if value == json.null then record[name] = nil elseif name ~= "id" then record[name] = copy.deep(value) end
  end
  if not record.ipAddresses then
    record.ipAddresses = { record.lastIpAddress and { ipAddress = record.lastIpAddress, type = "Ethernet",
      operationalStatus = "Up" } }
  end
  if M.is_reachable(record) and not was_reachable then record.reachable_since = now end
end

--- Whether a machine had an address in some moment of a time. Without `addresses` it has had what it has since it was
--- first seen, until its last report or, if it is alive, until now.
---@param record table
---@param address string
---@param from number
---@param to number
---@param now number
---@return boolean
function M.had_address(record, address, from, to, now)
  if record.addresses then
    for _, entry in ipairs(record.addresses) do
      if entry.ipAddress == address and (entry.from or -math.huge) <= to and (entry.to or now) >= from then
        return true
      end
    end
    return false
  end
  local has = record.lastIpAddress == address
  for _, entry in ipairs(record.ipAddresses or {}) do has = has or entry.ipAddress == address end
  if not has then return false end
  local first = record.firstSeen and time.parse(record.firstSeen) or -math.huge
  local last = M.is_reachable(record) and now or record.lastSeen and time.parse(record.lastSeen) or now
  return first <= to and last >= from
end

return M
