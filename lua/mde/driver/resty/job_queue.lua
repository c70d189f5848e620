--- job_queue: work that outlives the request which brought it.
--
-- nginx drops a request's threads in the midst of a wait when its client hangs up, so work that must come to its end
-- is run by a timer. A timer for each piece would not do: nginx drops those that are too many, without a word to who
-- started them. So one timer takes everything from a queue and gives each piece a light thread.
--
-- The timer counts as alive only as long as it says so: it may never have begun, and whatever runs in it can end it
-- as a whole (ngx.exit). Whoever brings or awaits work and finds none alive starts another. Since a timer's memory is
-- freed only when it ends, each leaves the queue to the next after a while, and ends with the last of its threads.
local semaphore = require "ngx.semaphore"
local phase = require "mde.driver.resty.phase"
local now = require("mde.posix").clock.now

local BEAT_SECONDS = 1
local DEAD_AFTER_SECONDS = 10
local START_AGAIN_SECONDS = 1
local IDLE_SECONDS = 20
local MAX_SERVICE_SECONDS = 300
local MAX_PIECES = 1000

---@class mde.resty.server a timer at work
---@field beat number when it last showed that it is alive
---@field since number
---@field busy number when it last had work
---@field pieces integer how many it has begun
---@field running integer how many of them have not ended
---@field finished thread[] threads that have ended
---@field retired boolean it takes nothing more
---@field bell userdata

---@class mde.resty.job_queue
---@field private limit integer
---@field private waiting fun()[]
---@field private first integer
---@field private last integer
---@field private servers table<mde.resty.server, true>
---@field private started number? when a timer was started that has not begun yet
local Queue = {}
Queue.__index = Queue

-- ---- pieces of work

-- What the error says may hold anything; where it was raised does not.
local function place_of(err)
  return type(err) == "string" and err:match "^[^%z\1-\31\127]-:%d+:" or "an unknown place:"
end

local function run(piece)
  local ok, err = pcall(piece)
  if not ok then ngx.log(ngx.ERR, "mde: ", place_of(err), " detached work raised an error") end
end

local function ring(server)
  if server.bell:count() < 1 then server.bell:post(1) end
end

local function run_in(server, piece)
  run(piece)
  server.running = server.running - 1
  server.finished[#server.finished + 1] = coroutine.running()
  ring(server)
end

local function next_piece(self)
  if self.first > self.last then return nil end
  local piece = self.waiting[self.first]
  self.waiting[self.first] = nil
  self.first = self.first + 1
  return piece
end

-- ---- the timer

-- A thread that has ended is kept until its parent has asked for it.
local function reap(server)
  local finished = server.finished
  server.finished = {}
  for _, thread in ipairs(finished) do ngx.thread.wait(thread) end
end

local function begin_waiting_pieces(self, server)
  while server.pieces < MAX_PIECES or ngx.worker.exiting() do
    local piece = next_piece(self)
    if not piece then return end
    server.pieces, server.running = server.pieces + 1, server.running + 1
    ngx.thread.spawn(run_in, server, piece)
  end
end

local function has_served_enough(server)
  local time = now()
  if server.running > 0 then server.busy = time end
  return server.pieces >= MAX_PIECES or time - server.since >= MAX_SERVICE_SECONDS
    or time - server.busy >= IDLE_SECONDS or ngx.worker.exiting()
end

local function serve(_, self)
  local time = now()
  local server = { since = time, busy = time, pieces = 0, running = 0, finished = {}, retired = false,
    bell = assert(semaphore.new(0)) }
  self.started = nil
  ngx.ctx[self] = server
  while true do
    server.beat = now()
    self.servers[server] = true
    if not server.retired then begin_waiting_pieces(self, server) end
    if not server.retired and has_served_enough(server) then
      server.retired = true
      self:revive()
    end
    reap(server)
    if server.retired and server.running == 0 then break end
    server.bell:wait(BEAT_SECONDS)
  end
  self.servers[server] = nil
end

-- ---- who brings work

-- The timer that takes work, and how many pieces are under way in all.
local function look(self)
  local oldest, open, running = now() - DEAD_AFTER_SECONDS, nil, 0
  for server in pairs(self.servers) do
    if server.beat < oldest then
      self.servers[server] = nil
    else
      running = running + server.running
      if not server.retired then open = server end
    end
  end
  return open, running
end

--- Whether the caller runs in one of this queue's timers.
---@return boolean
function Queue:is_inside()
  return phase.is_timer() and ngx.ctx[self] ~= nil
end

--- Sees to it that what waits is begun. Does not wait.
---@return boolean? ok
---@return string? message
function Queue:revive()
  if self.first > self.last then return true end
  local server = look(self)
  if server then
    ring(server)
    return true
  end
  if self.started and now() - self.started < START_AGAIN_SECONDS then return true end
  local ok, err = ngx.timer.at(0, serve, self)
  if not ok then return nil, err end
  self.started = now()
  return true
end

--- Has it run beside the caller, also when that one is gone. A piece brought from inside another is begun at once.
---@param piece fun()
---@return true? taken
---@return string? message why it was not: it was not begun
---@return string? code "busy"
function Queue:push(piece)
  if self:is_inside() then
    ngx.thread.spawn(run, piece)
    return true
  end
  local _, running = look(self)
  if running + self.last - self.first + 1 >= self.limit then
    return nil, ("%d calls are under way in this worker of nginx, which is the limit (option queue of the driver)")
      :format(self.limit), "busy"
  end
  self.last = self.last + 1
  self.waiting[self.last] = piece
  local ok, err = self:revive()
  if ok then return true end
  self.waiting[self.last] = nil
  self.last = self.last - 1
  return nil, ("nginx started no timer: %s; raise lua_max_pending_timers in nginx.conf"):format(tostring(err)), "busy"
end

local M = {}

---@param limit integer the most pieces that wait or are under way
---@return mde.resty.job_queue
function M.new(limit)
  return setmetatable({ limit = limit, waiting = {}, first = 1, last = 0, servers = {} }, Queue)
end

return M
