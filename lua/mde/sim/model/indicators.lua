-- The indicators of a tenant: what its devices allow, watch for or block. One value of one type is one indicator, as
-- far as the documents let one guess: another with these changes it. One that has expired is gone.
local core = require "mde.core"
local time = require "mde.sim.base.time"

local lower = core.text.lower

---@class mde.sim.indicators
---@field package tenant mde.sim.tenant
local M = {}
M.__index = M

-- How many may be active.
M.MOST = 15000

-- The number before that of the first.
local FIRST = 993

---@param tenant mde.sim.tenant whose clock and history they have
---@return mde.sim.indicators
function M.new(tenant)
  return setmetatable({ tenant = tenant, all = {}, by_id = {}, by_key = {}, last = FIRST, next_end = math.huge }, M)
end

local function key_of(fields)
  return fields.indicatorType .. " " .. lower(fields.indicatorValue)
end

local function forget(self, indicator)
  self.by_id[indicator.id], self.by_key[key_of(indicator)] = nil, nil
  for i, each in ipairs(self.all) do
    if each == indicator then return table.remove(self.all, i) end
  end
end

local function end_of(indicator)
  return indicator.expirationTime and time.parse(indicator.expirationTime) or math.huge
end

-- Forgets what has expired.
local function settle(self)
  local now = self.tenant.clock.now()
  if now < self.next_end then return end
  self.next_end = math.huge
  for i = #self.all, 1, -1 do
    local ends = end_of(self.all[i])
    if ends <= now then
      local gone = forget(self, self.all[i])
      self.tenant:record("indicator_expired", { indicator = gone.id, value = gone.indicatorValue })
    else
      self.next_end = math.min(self.next_end, ends)
    end
  end
end

-- What stays as it was when an indicator is changed.
local fixed = { application = true }

--- Adds an indicator, or changes the one of this value and type.
---@param fields table the service's properties
---@param by string
---@return table? indicator nil if there are too many
---@return string? message
function M:put(fields, by)
  settle(self)
  local now = time.iso(self.tenant.clock.now())
  local indicator = self.by_key[key_of(fields)]
  local is_new = indicator == nil
  if is_new then
    if #self.all >= M.MOST then
      return nil, ("Max capacity exceeded: there are %d active indicators."):format(M.MOST)
    end
    self.last = self.last + 1
    indicator = { id = ("%d"):format(self.last), creationTimeDateTimeUtc = now, createdBy = self.tenant.client_id,
      createdByDisplayName = by, createdBySource = "PublicApi", source = by, sourceType = "AadApp",
      rbacGroupNames = {}, rbacGroupIds = {}, severity = "Informational", generateAlert = false }
    self.all[#self.all + 1], self.by_id[indicator.id] = indicator, indicator
  end
  for name, value in pairs(fields) do
    if is_new or not fixed[name] then indicator[name] = value end
  end
  if fields.expirationTime == nil then indicator.expirationTime = nil end
  self.by_key[key_of(indicator)] = indicator
  self.next_end = math.min(self.next_end, end_of(indicator))
  indicator.lastUpdateTime, indicator.lastUpdatedBy = now, by
  self.tenant:record(is_new and "indicator_added" or "indicator_updated", { indicator = indicator.id,
    value = indicator.indicatorValue, type = indicator.indicatorType, action = indicator.action, requestor = by })
  return indicator
end

---@param id string
---@return table?
function M:find(id)
  settle(self)
  return self.by_id[id]
end

---@param indicator table
---@param by string
function M:remove(indicator, by)
  forget(self, indicator)
  self.tenant:record("indicator_deleted", { indicator = indicator.id, value = indicator.indicatorValue,
    requestor = by })
end

--- Those that are active, the oldest first.
---@return table[]
function M:listed()
  settle(self)
  return self.all
end

return M
