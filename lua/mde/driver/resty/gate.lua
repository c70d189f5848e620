--- gate: what several wait for until it is opened, on nginx's semaphores.
local semaphore = require "ngx.semaphore"
local phase = require "mde.driver.resty.phase"
local now = require("mde.posix").clock.now

-- No wait at nginx is longer than this one; a waiter who still has to wait then begins another.
local MAX_WAIT_SECONDS = 2
-- nginx counts in milliseconds.
local MIN_WAIT_SECONDS = 0.001

---@class mde.resty.gate
---@field private opened boolean
---@field private meanwhile fun() called each time that a wait begins again
---@field private waiters userdata? the semaphore, once somebody has waited
local Gate = {}
Gate.__index = Gate

--- Waits until the gate is open.
---@param seconds number? the longest wait; nil: no limit
---@return boolean opened false if the time passed first
function Gate:wait(seconds)
  if self.opened then return true end
  phase.check()
  local ends = seconds and now() + seconds or math.huge
  self.waiters = self.waiters or assert(semaphore.new(0))
  while not self.opened do
    local left = ends - now()
    if left <= 0 then return false end
    self.waiters:wait(math.max(MIN_WAIT_SECONDS, math.min(left, MAX_WAIT_SECONDS)))
    self.meanwhile()
  end
  return true
end

--- Lets everybody through, now and from now on.
function Gate:open()
  if self.opened then return end
  self.opened = true
  local waiting = self.waiters and -self.waiters:count() or 0
  if waiting > 0 then self.waiters:post(waiting) end
end

local function nothing() end

local M = {}

--- A gate, shut.
---@param meanwhile fun()? does not wait
---@return mde.resty.gate
function M.new(meanwhile)
  return setmetatable({ opened = false, meanwhile = meanwhile or nothing }, Gate)
end

return M
