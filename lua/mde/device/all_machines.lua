--- all_machines: the tenant's machines, read once for many devices, or for a name that the service does not find.
--
-- A service that regards case finds a name only in the spelling in which it is stored, and three are asked for. Before
-- a name is said not to be there, all machines are read and compared here. What was read serves every device for a
-- minute from then on, however long it took, and who asks while it is being read waits for it. It is kept until five
-- minutes after reading began, for what need not be newer.

local core = require "mde.core"
local errors = require "mde.base.error"
local pager = require "mde.api.pager"
local single_flights = require "mde.sync.single_flight"

local FRESH_SECONDS, KEPT_SECONDS = 60, 300
local READ_SECONDS = 300

local M = {}

---@class mde.AllMachines
---@field private exchange mde.Exchange
---@field private driver mde.Driver
---@field private has_id fun(row: table): boolean
---@field private single_flight mde.SingleFlight
---@field private rows? table<string, table<string, table[]>> for each kind of device, by the first part of the name or
--- by the id
---@field private offered? table[] those that may be offered for a name that none has
---@field private names? mde.core.nearest.names of these, once they were searched
---@field private count? integer how many there were when they were read last
---@field private read_at? number when reading began, by the driver's clock
---@field private finished_at? number and when it ended
local AllMachines = {}
AllMachines.__index = AllMachines

-- So many are read with a request or two.
local FEW = 10000

local function put(lists, key, row)
  lists[key] = lists[key] or {}
  table.insert(lists[key], row)
end

-- Of a merged machine the other one is offered.
local function can_be_offered(row)
  local standing = core.device.standing(row)
  return standing ~= "unidentified" and standing ~= "merged"
end

local function read(self, context)
  local started = self.exchange.now()
  local rows, err = pager.read(self.exchange, "machines", "", self.has_id, context)
  -- The list of nothing is told as 404.
  if not rows and err.kind ~= "not_found" then return nil, err end
  local by_host, by_entra, by_id, offered = {}, {}, {}, {}
  for _, row in ipairs(rows or {}) do
    if row.id then put(by_id, core.text.lower(row.id), row) end
    if type(row.computerDnsName) == "string" then
      put(by_host, core.device.host(row.computerDnsName), row)
      if can_be_offered(row) then offered[#offered + 1] = row end
    end
    if type(row.aadDeviceId) == "string" then put(by_entra, core.text.lower(row.aadDeviceId), row) end
  end
  self.rows = { bare_name = by_host, full_name = by_host, guid = by_entra, machine_id = by_id }
  self.offered, self.names = offered, nil
  self.read_at, self.finished_at, self.count = started, self.exchange.now(), #(rows or {})
  return true
end

local function read_in_time(self, context)
  return read(self, context:within(READ_SECONDS))
end

-- Whether what was read last is not older than so many seconds.
local function is_within(self, seconds)
  return self.read_at ~= nil and self.exchange.now() - self.read_at < seconds
end

--- Whether what is like a device can be told without reading.
---@return boolean
function AllMachines:is_fresh()
  return self.finished_at ~= nil and self.exchange.now() - self.finished_at < FRESH_SECONDS
end

--- What was read by now serves nobody any more.
function AllMachines:expire()
  self.rows, self.offered, self.names, self.read_at, self.finished_at = nil, nil, nil, nil, nil
end

--- Lets go of what is too old to serve anybody.
function AllMachines:forget_old()
  if not self:is_fresh() and not is_within(self, KEPT_SECONDS) then self:expire() end
end

-- One reads, everybody waits for that one. nil, error if it cannot be read.
local function refresh(self, context)
  local ok, err = self.single_flight:share("machines", context, read_in_time, self)
  if ok then return true end
  return nil, err or errors.new { kind = "unavailable", code = "time_is_up",
    message = "the list of all machines, which may have the name in another spelling, could not be read in time",
    hint = "Try again later, or give the machine's id." }
end

local function copy(row)
  local same = {}
  for name, value in pairs(row) do same[name] = value end
  return same
end

--- Calls fn(row) for each that was read last; it leaves the row as it is.
---@param fn fun(row: table)
function AllMachines:each(fn)
  for _, rows in pairs(self.rows and self.rows.machine_id or {}) do
    for _, row in ipairs(rows) do fn(row) end
  end
end

--- Whether they are known to be so few that reading them costs no more than reading some of them by themselves.
---@return boolean
function AllMachines:are_few()
  return self.count ~= nil and self.count < FEW
end

-- What was read last of a kind of device, as the caller's own.
local function rows_like(self, kind, canonical)
  local is_name = kind == "bare_name" or kind == "full_name"
  local key = is_name and core.device.host(canonical) or core.text.lower(canonical)
  local rows = {}
  for i, row in ipairs(self.rows[kind][key] or {}) do rows[i] = copy(row) end
  return rows, self.read_at
end

--- The same as `like`, of what was read at most so many seconds ago; nothing is read.
---@param kind "bare_name"|"full_name"|"guid"|"machine_id"
---@param canonical string
---@param max_age number seconds; more than five minutes are five
---@return table[] rows
---@return number? read_at by the driver's clock
function AllMachines:known(kind, canonical, max_age)
  if not is_within(self, math.min(max_age, KEPT_SECONDS)) then return {} end
  return rows_like(self, kind, canonical)
end

--- The machines with an id, or whose name has the same first part, whatever its case; the caller's own to change. One
--- that cannot be told from others has no id.
---@param kind "bare_name"|"full_name"|"guid"|"machine_id"
---@param canonical string
---@param context mde.Context
---@return table[]? rows
---@return mde.Error|number|nil err or when they were read, by the driver's clock
function AllMachines:like(kind, canonical, context)
  self:forget_old()
  while not self:is_fresh() do
    local ok, err = refresh(self, context)
    if not ok then return nil, err end
  end
  return rows_like(self, kind, canonical)
end

--- The machines whose names are most like one that none has, the nearest first; the caller's own to change. To be
--- asked for right behind what is like it: nothing is read here.
---@param name string
---@return table[] rows at most five
function AllMachines:nearest(name)
  local offered, rows = self.offered or {}, {}
  self.names = self.names or core.nearest.new(offered)
  for i, place in ipairs(self.names:find(name)) do rows[i] = copy(offered[place]) end
  return rows
end

---@param exchange mde.Exchange
---@param driver mde.Driver
---@param has_id fun(row: table): boolean whether its id is one
---@return mde.AllMachines
function M.new(exchange, driver, has_id)
  return setmetatable({ exchange = exchange, driver = driver, has_id = has_id,
    single_flight = single_flights.new(driver, exchange.sleep) }, AllMachines)
end

return M
