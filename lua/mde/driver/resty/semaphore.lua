--- semaphore: how many may be at something at once; the others wait until a slot is free.
--
-- A slot is taken until a time at the latest. One that was not given back by then, because nginx ended the thread that
-- had it, is free. ngx.semaphore alone would wait for it for ever.
local ngx_semaphore = require "ngx.semaphore"
local now = require("mde.posix").clock.now

-- So much later than it said, one who has a slot is taken to be gone: a request may end a moment after its time-out.
local GRACE_SECONDS = 1
local MAX_WAIT_SECONDS = 1
local MIN_WAIT_SECONDS = 0.001

---@class mde.resty.semaphore
---@field private count integer
---@field private taken table<table, number> each slot to when it is free at the latest
---@field private bell userdata
local Semaphore = {}
Semaphore.__index = Semaphore

local function free(self)
  local time, left = now(), 0
  for slot, ends in pairs(self.taken) do
    if ends <= time then self.taken[slot] = nil else left = left + 1 end
  end
  return self.count - left
end

--- Waits for a slot.
---@param ends number when it will be given back at the latest
---@param patience number when the wait is over
---@return table? slot nil if none became free
function Semaphore:take(ends, patience)
  while free(self) <= 0 do
    local left = patience - now()
    if left <= 0 then return nil end
    self.bell:wait(math.max(MIN_WAIT_SECONDS, math.min(left, MAX_WAIT_SECONDS)))
  end
  local slot = {}
  self.taken[slot] = ends + GRACE_SECONDS
  return slot
end

--- Gives a slot back.
---@param slot table
function Semaphore:give(slot)
  self.taken[slot] = nil
  if self.bell:count() < 1 then self.bell:post(1) end
end

local M = {}

---@param count integer
---@return mde.resty.semaphore
function M.new(count)
  return setmetatable({ count = count, taken = {}, bell = assert(ngx_semaphore.new(0)) }, Semaphore)
end

return M
