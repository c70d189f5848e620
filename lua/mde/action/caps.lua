--- caps: the caps of one client: of each response that is counted one, and of the quarantine of each file.

local caps = require "mde.action.cap"
local cap_counts = require "mde.action.cap_count"
local core = require "mde.core"

local M = {}

---@class mde.Caps
---@field private limits mde.CapLimits
---@field private exchange mde.Exchange
---@field private driver mde.Driver
---@field private made table<string, mde.Cap>
local Caps = {}
Caps.__index = Caps

---@param limits mde.CapLimits
---@param exchange mde.Exchange
---@param driver mde.Driver
---@return mde.Caps
function M.new(limits, exchange, driver)
  return setmetatable({ limits = limits, exchange = exchange, driver = driver, made = {} }, Caps)
end

--- The cap that counts a response.
---@param verb string
---@param subject? string of a quarantine, the file's SHA-1
---@return mde.Cap? cap nil where nothing is counted
function Caps:of(verb, subject)
  local response = core.response_actions[verb]
  if not response.is_capped then return nil end
  local file = response.subject == "file" and subject or nil
  local name = file and verb .. "|" .. file or verb
  if not self.made[name] then
    self.made[name] = caps.new { verb = verb, file = file, limit = self.limits[verb], clock = self.exchange,
      store = self.exchange.store, count = cap_counts.new(self.exchange, self.driver, verb, name) }
  end
  return self.made[name]
end

--- Whether there is a cap of any response.
---@return boolean
function Caps:has_limit()
  for _, limit in pairs(self.limits) do
    if limit ~= math.huge then return true end
  end
  return false
end

return M
