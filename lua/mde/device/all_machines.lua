--- all_machines: the tenant's machines by name, for a name that the service does not find.
--
-- A service that regards case finds a name only in the spelling in which it is stored, and three are asked for. Before
-- a name is said not to be there, all machines are read and compared here. What was read serves every name for a
-- minute, and who asks while it is being read waits for it.

local core = require "mde.core"
local errors = require "mde.base.error"
local pager = require "mde.api.pager"
local single_flights = require "mde.sync.single_flight"

local FRESH_SECONDS = 60
local READ_SECONDS = 300

local M = {}

---@class mde.AllMachines
---@field private exchange mde.Exchange
---@field private driver mde.Driver
---@field private is_machine fun(row: table): boolean, string?
---@field private single_flight mde.SingleFlight
---@field private by_host? table<string, table[]> the rows by the first part of their names
---@field private read_at? number by the driver's clock
local AllMachines = {}
AllMachines.__index = AllMachines

-- The first part of a name in its one form.
local function host_of(name)
  return name:match "^.[^.]*" or ""
end

local function read(self, context)
  local started = self.exchange.now()
  local rows, err = pager.read(self.exchange, "machines", "", self.is_machine, context)
  -- The list of nothing is told as 404.
  if not rows and err.kind ~= "not_found" then return nil, err end
  local by_host = {}
  for _, row in ipairs(rows or {}) do
    if type(row.computerDnsName) == "string" then
      local host = host_of(core.name.normal(row.computerDnsName))
      by_host[host] = by_host[host] or {}
      table.insert(by_host[host], row)
    end
  end
  self.by_host, self.read_at = by_host, started
  return true
end

local function read_in_time(self, context)
  return read(self, context:within(READ_SECONDS))
end

--- Lets go of what is too old to serve anybody.
function AllMachines:forget_old()
  if self.read_at and self.exchange.now() - self.read_at >= FRESH_SECONDS then
    self.by_host, self.read_at = nil, nil
  end
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

--- The machines whose name has the same first part, whatever its case; the caller's own to change.
---@param name string
---@param context mde.Context
---@return table[]? rows
---@return mde.Error|number|nil err or when they were read, by the driver's clock
function AllMachines:like(name, context)
  self:forget_old()
  while not self.by_host do
    local ok, err = refresh(self, context)
    if not ok then return nil, err end
  end
  local rows = {}
  for i, row in ipairs(self.by_host[host_of(core.name.normal(name))] or {}) do rows[i] = copy(row) end
  return rows, self.read_at
end

---@param exchange mde.Exchange
---@param driver mde.Driver
---@param is_machine fun(row: table): boolean, string? whether a row with an id is a machine
---@return mde.AllMachines
function M.new(exchange, driver, is_machine)
  return setmetatable({ exchange = exchange, driver = driver, is_machine = is_machine,
    single_flight = single_flights.new(driver, exchange.sleep) }, AllMachines)
end

return M
