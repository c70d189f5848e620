--- cqueues: the driver for programs that run in cqueues: libcurl beside the program's own timers and sockets.
--
--   local client = mde.client { driver = require "mde.driver.cqueues".new() }
--   controller:wrap(function() print(client:restrict(...)) end)
--   controller:loop()
--
-- Where a call waits:
--
-- - In a coroutine that `controller:wrap` made: it yields to that controller, as cqueues.poll does. So does
--   what `each` calls there; its workers are coroutines of the same controller, in which the program's own
--   functions may poll and sleep as ever.
-- - In a coroutine inside that one (coroutine.wrap, and cqueues.auxlib.wrap too, which cannot be told from it),
--   and where nothing can be suspended (a gsub callback, a sort comparator): it blocks, and the controller with
--   it, of which the client warns. A coroutine of the program's own never gets a yield of ours. Where calls are to be
--   concurrent, each has to be made in a controller:wrap of its own, or through `each`.
-- - Outside of any controller: it blocks.
--
-- One coroutine in each controller, the pump, carries the bytes while something is in flight. It ends when
-- nothing is, so `controller:loop()` returns. What is in flight when a controller is left goes on in the next
-- one in which something waits, or where somebody blocks. After Ctrl-C controller and driver are as usable as
-- before; where it took the pump, who waits has another in a few seconds.
--
-- After a fork the child needs a controller of its own; the driver may stay.
local cqueues = require "cqueues"
local condition = require "cqueues.condition"
local loops = require "mde.driver.loop"
local transfers = require "mde.driver.transfers"

-- luacheck: read globals coroutine.isyieldable (5.1 lacks it)
local isyieldable = coroutine.isyieldable
local poll, controller_here = cqueues.poll, cqueues.running
local now = require("mde.posix").clock.now

local KNOWN_OPTIONS = { ca_file = "string", proxy = "string" }

-- The pump shows this often at least that it is at work, and the suspended ones look as often whether it did:
-- Ctrl-C may have ended it where it could not tell, in cqueues itself or before its first step.
local LOOK_AGAIN_SECONDS = 1

-- What the drivers of this kind share, made with the first.
local multi, loop
local stirred = condition.new()
local pumps = setmetatable({}, { __mode = "k" }) -- controller -> its pump

---@class mde.driver.cqueues.pump
---@field due number when it will have shown again that it is at work, unless it has ended

-- ---- the pump

local start_pump

local function idle()
  return not transfers.in_flight() and not loop:busy()
end

local function show(pump, seconds)
  pump.due = now() + seconds + LOOK_AGAIN_SECONDS
end

-- Only fields, no methods: cqueues calls these on the stack of the one who steps the controller, where Ctrl-C would
-- have it drop the pump without a word. The descriptor is another one after a fork.
local function watched()
  return { pollfd = multi:pollfd(), events = multi:events() }
end

-- Ends when nothing is in flight, of which it tells the pumps of other controllers, or when another has taken its
-- place.
local function carry(pump, controller)
  while pumps[controller] == pump do
    multi:step()
    transfers.tell(multi)
    local seconds = loop:turn()
    if idle() then break end
    seconds = seconds and seconds < LOOK_AGAIN_SECONDS and seconds or LOOK_AGAIN_SECONDS
    show(pump, seconds)
    poll(watched(), stirred, seconds)
  end
  stirred:signal()
end

-- An error (that of a task, or Ctrl-C) reaches the program as that of any coroutine does, through `step`; what
-- waits here is carried on by the next pump.
function start_pump(controller)
  local before = pumps[controller]
  if before and now() < before.due then return end
  local pump = {}
  show(pump, 0)
  controller:wrap(function()
    local ok, err = pcall(carry, pump, controller)
    if pumps[controller] == pump then pumps[controller] = nil end
    if ok then return end
    start_pump(controller)
    error(err, 0)
  end)
  pumps[controller] = pump
end

-- Tasks are ready or wait: the pump here has to see to it.
local function stir()
  local controller = controller_here()
  if controller then start_pump(controller) end
  stirred:signal()
end

-- ---- who waits

-- The controller to which this very coroutine can yield.
local function controller_to_yield_to()
  local controller, directly = controller_here()
  if directly and isyieldable and isyieldable() then return controller end
end

local function park(waiter, seconds)
  local controller = controller_to_yield_to()
  if not controller then return false end
  local woken = condition.new()
  waiter.wake = function() woken:signal() end
  local ends = seconds and now() + seconds
  repeat
    if not idle() then start_pump(controller) end
    local left = ends and ends - now()
    if left and left <= 0 then return true end
    poll(woken, left and left < LOOK_AGAIN_SECONDS and left or LOOK_AGAIN_SECONDS)
  until waiter.done
  return true
end

-- A task in which a function of the program's (on_event, say) polls: a coroutine of the controller does it in
-- its place.
local function poll_for_task(task, tag, ...)
  local controller = tag == cqueues._POLL and controller_here()
  if not controller then return loop:ready_again(task) end
  controller:wrap(function(...) loop:continue(task, poll(...)) end, ...)
end

local function block(seconds)
  multi:poll(seconds)
  transfers.tell(multi)
end

-- Whether a call here stops the controller's other coroutines while it waits, and what to do instead.
local function holds_up()
  local stops = controller_here() ~= nil and not controller_to_yield_to()
    and not (loop:is_task() and isyieldable and isyieldable())
  return stops and "make it in a coroutine of its own, by controller:wrap" or nil
end

-- ---- the driver

local M = {}

---@class mde.driver.cqueues.options
---@field ca_file string? the CA certificates to trust; nil: SSL_CERT_FILE and SSL_CERT_DIR, else libcurl's own
---@field proxy string? http://[user:password@]host[:port], percent-encoded; nil: what https_proxy and no_proxy say;
--- "": none

--- A driver over libcurl for cqueues.
---@param options mde.driver.cqueues.options?
---@return mde.Driver driver
function M.new(options)
  options = options or {}
  transfers.check_options(options, KNOWN_OPTIONS)
  multi = multi or transfers.loop()
  loop = loop or loops.new { now = now, poll = block, park = park, stir = stir, foreign = poll_for_task }
  local function gate() return loop:gate() end
  local line = transfers.open(multi, { ca_file = options.ca_file, proxy = options.proxy }, gate)

  return {
    name = "cqueues",
    now = now,
    proxy = line.proxy,
    authorities = line.authorities,
    send = line.send,
    sleep = function(seconds) loop:sleep(seconds) end,
    spawn = function(fn)
      local controller = controller_to_yield_to()
      if controller then controller:wrap(fn) else loop:spawn(fn) end
    end,
    -- Tasks of our own go on while somebody blocks, which a controller's coroutines cannot. So they do what others
    -- may be waiting for, wherever these are.
    detach = function(fn)
      loop:spawn(fn)
      return true
    end,
    gate = gate,
    holds_up = holds_up,
    close = line.close,
  }
end

return M
