--- places: how many may be at something at once; the others wait until one is free.
--
-- Whoever takes a place says until when at the latest. One that was not given back by then, because nginx ended the
-- thread that had it, is free.
local semaphore = require "ngx.semaphore"
local now = require("mde.posix").clock.now

-- So much later than it said, one who has a place is taken to be gone: a request may end a moment after its time-out.
local GRACE_SECONDS = 1
local LONGEST_WAIT_SECONDS = 1
local SHORTEST_WAIT_SECONDS = 0.001

---@class mde.resty.places
---@field private count integer
---@field private taken table<table, number> each place to when it is free at the latest
---@field private bell userdata
local Places = {}
Places.__index = Places

local function free(self)
  local time, left = now(), 0
  for place, ends in pairs(self.taken) do
    if ends <= time then self.taken[place] = nil else left = left + 1 end
  end
  return self.count - left
end

--- Waits for a place.
---@param ends number when it will be given back at the latest
---@param patience number when the wait is over
---@return table? place nil if none became free
function Places:take(ends, patience)
  while free(self) <= 0 do
    local left = patience - now()
    if left <= 0 then return nil end
    self.bell:wait(math.max(SHORTEST_WAIT_SECONDS, math.min(left, LONGEST_WAIT_SECONDS)))
  end
  local place = {}
  self.taken[place] = ends + GRACE_SECONDS
  return place
end

--- Gives a place back.
---@param place table
function Places:give(place)
  self.taken[place] = nil
  if self.bell:count() < 1 then self.bell:post(1) end
end

local M = {}

---@param count integer
---@return mde.resty.places
function M.new(count)
  return setmetatable({ count = count, taken = {}, bell = assert(semaphore.new(0)) }, Places)
end

return M
