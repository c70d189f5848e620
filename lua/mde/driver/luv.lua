--- luv: the driver for programs that run in luv: libcurl beside the program's own handles.
--
--   local driver = require "mde.driver.luv".new()
--   local client = mde.client { driver = driver }
--   driver.spawn(function() print(client:restrict(...)) end)
--   uv.run()
--
-- Where a call waits:
--
-- - In a function given to `driver.spawn`, and in what `each` runs: it is suspended, and resumed from a callback
--   of uv's. Such a function may also suspend itself and have callbacks of its own resume it, as is usual with
--   luv; the two do not disturb each other.
-- - In the main program, outside of uv.run: it runs uv's loop until it has its answer, so the program's own
--   handles go on.
-- - Anywhere else it blocks, and uv's loop with it, of which the client warns: in a callback, in a coroutine of the
--   program's own, where nothing can be suspended (a gsub callback, a sort comparator). A coroutine that nobody gave
--   to `spawn` never gets a yield of ours, since luv has no rule for what to do with one.
--
-- uv.run() returns when nothing of ours is in flight: a poll handle and a timer are all there is, and they are
-- active only meanwhile. What a spawned function raises comes out of the call for which the main program waits,
-- or else goes to luv as any callback's error does: it prints it and ends the program.
--
-- After a fork uv's own loop is the parent's. In the child every call blocks without it.
local uv = require "luv"
local loops = require "mde.driver.loop"
local posix = require "mde.posix"
local transfers = require "mde.driver.transfers"

-- luacheck: read globals coroutine.isyieldable (5.1 lacks it)
local now, running, isyieldable = posix.clock.now, coroutine.running, coroutine.isyieldable
local ceil, max, min = math.ceil, math.max, math.min

local KNOWN_OPTIONS = { ca_file = "string", proxy = "string" }

-- The longest that the main program waits for uv at a stretch, and that we do without looking: a driver of
-- another kind may have found what was in flight.
local MAX_WAIT_SECONDS = 1

-- What the drivers of this kind share, made with the first.
local multi, loop
local generation -- of forks
local sockets, alarm -- handles
local turning = false -- callbacks need not be told of what they are about to look at
local waiting = false -- the main program runs uv's loop for us
local raised -- what it is to raise, in a table

-- ---- uv's handles

-- A program that ends may have closed all of uv's handles.
local function usable(handle)
  return handle ~= nil and not handle:is_closing()
end

local function stop(handle)
  if usable(handle) and handle:is_active() then handle:stop() end
end

local on_event

local function ring_in(seconds)
  if not usable(alarm) then alarm = assert(uv.new_timer()) end
  -- uv's idea of now is that of the beginning of its round.
  uv.update_time()
  alarm:start(max(0, ceil(seconds * 1000)), 0, on_event)
end

-- Has uv call us when there is something to do, and at the latest in so many seconds; nil: no latest.
local function expect(seconds)
  if not transfers.in_flight() then
    stop(sockets)
  else
    seconds = min(seconds or MAX_WAIT_SECONDS, MAX_WAIT_SECONDS)
    if not usable(sockets) then sockets = assert(uv.new_poll(multi:pollfd())) end
    if not sockets:is_active() then assert(sockets:start("r", on_event)) end
  end
  if seconds then ring_in(seconds) else stop(alarm) end
end

local function turn()
  multi:step()
  transfers.tell(multi)
  return loop:turn()
end

-- Every callback. luv ends the program for an error in one, so where the main program can raise it, it does.
function on_event()
  turning = true
  local ok, result = pcall(turn)
  turning = false
  if ok then return expect(result) end
  expect(0)
  if not waiting then error(result, 0) end
  raised = raised or { result }
end

-- Tasks are ready or wait.
local function stir()
  if not turning and posix.fork.generation() == generation then expect(0) end
end

-- ---- who waits

local function in_main_program()
  local here, is_main = running()
  return here == nil or is_main == true
end

local function block(seconds)
  if not in_main_program() or uv.loop_mode() or posix.fork.generation() ~= generation then
    multi:poll(seconds)
    transfers.tell(multi)
    return
  end
  expect(min(seconds, MAX_WAIT_SECONDS))
  waiting = true
  local ok, err = pcall(uv.run, "once")
  waiting = false
  local problem = raised or not ok and { err }
  raised = nil
  if problem then error(problem[1], 0) end
  expect(loop:busy() and 0 or nil)
end

-- Whether a call here stops the program's own callbacks while it waits, and what to do instead.
local function holds_up()
  local here = running()
  local stops = uv.loop_mode() ~= nil and posix.fork.generation() == generation
    and not (here and loop:is_task() and isyieldable())
  return stops and "make it in a function that is given to driver.spawn" or nil
end

-- ---- the driver

local M = {}

---@class mde.driver.luv.options
---@field ca_file string? the CA certificates to trust; nil: SSL_CERT_FILE and SSL_CERT_DIR, else libcurl's own
---@field proxy string? http://[user:password@]host[:port], percent-encoded; nil: what https_proxy and no_proxy say;
--- "": none

--- A driver over libcurl for luv.
---@param options mde.driver.luv.options?
---@return mde.Driver driver
function M.new(options)
  options = options or {}
  transfers.check_options(options, KNOWN_OPTIONS)
  if not loop then
    multi, generation = transfers.loop(), posix.fork.generation()
    -- A yield of a task that is not ours is the program's own, and so is it to resume it.
    loop = loops.new { now = now, poll = block, stir = stir, foreign = function() end }
  end
  local function gate() return loop:gate() end
  local line = transfers.open(multi, { ca_file = options.ca_file, proxy = options.proxy }, gate)
  return {
    name = "luv",
    now = now,
    proxy = line.proxy,
    authorities = line.authorities,
    send = line.send,
    sleep = function(seconds) loop:sleep(seconds) end,
    spawn = function(fn) loop:spawn(fn) end,
    gate = gate,
    holds_up = holds_up,
    close = line.close,
  }
end

return M
