--- limiter: one API's budget of calls: exact windows, used in full, and the urgent first.
--
-- The service counts so many calls of an API in any minute and in any hour. A slot is taken just before a call is
-- sent, so the one thing that is decided here is who waits how long. Among those who wait a release goes before a call
-- that somebody waits for, and that before one of many; nobody reserves anything. A 429 stops everybody.
--
-- The budget is the client's own, or in the store that processes share. Times are those of the driver's clock, which
-- all processes of a machine have in common.

local core = require "mde.core"
local contexts = require "mde.sync.context"
local errors = require "mde.base.error"
local posix = require "mde.posix"

-- How long a call that has no answer yet may be under way: without it 1.5 s of jitter let 124 calls arrive in a minute.
local PAD_SECONDS = 2
-- By how much of a window the service's clock and this one may differ at its end: what ntpd corrects at the most.
local DRIFT = 0.0005
-- So much later than it said it would look again, one who waits is taken to be gone: a host may end its tasks.
local GRACE_SECONDS = 2
-- How long after its time somebody urgent of another process is waited for.
local URGENT_SECONDS = 1
-- If no gate opens, everyone but the first looks again.
local LOOK_AGAIN_SECONDS = 0.1
-- How often a call may go whose budget cannot be known.
local UNKNOWN_COUNT, UNKNOWN_SECONDS = 1, 1
-- The longest window of the service's limits: a pause beyond it is a mistake, in a store as well.
local MAX_PAUSE_SECONDS = 3600
-- A budget that was not touched for so long is full again.
local KEPT_SECONDS = 2 * 3600

local M = {}

---@class mde.Window
---@field count integer
---@field seconds number

---@class mde.Budget what is known of the calls of an API
---@field sends mde.limiter? nil: they are not counted
---@field paused_until number
---@field in_doubt boolean whether that may be a mistake of the service's
---@field urgent number[] for each priority until when somebody of it is waited for

---@class mde.Slot
---@field at number when it was taken
---@field waited? number seconds, if it was waited for

---@class mde.Limiter
---@field private windows mde.Window[] none: calls are not counted
---@field private reserve integer
---@field private name string of the API
---@field private now fun(): number
---@field private time fun(): number
---@field private sleep fun(seconds: number)
---@field private driver mde.Driver
---@field private store? mde.Store
---@field private budget mde.Budget the client's own; in a store, that of the last look
---@field private fallback mde.limiter for calls whose budget cannot be known
---@field private waiting mde.limiter.waiter[] in their order
---@field private generation integer of forks, when those came
local Limiter = {}
Limiter.__index = Limiter

local function padded(window)
  return window.seconds * (1 + DRIFT) + PAD_SECONDS
end

local function counter(windows)
  local one, other = windows[1], windows[2]
  if other then return core.limiter.new(one.count, padded(one), other.count, padded(other)) end
  return one and core.limiter.new(one.count, padded(one))
end

local function new_budget(self)
  return { sends = counter(self.windows), paused_until = -math.huge, in_doubt = false,
    urgent = { -math.huge, -math.huge } }
end

---@class mde.LimiterOptions
---@field name string the API
---@field windows mde.Window[] at most two; none: calls are not counted, but a 429 stops them
---@field reserve integer so many calls of each window are left to those that are not of many
---@field now fun(): number
---@field time fun(): number this machine's time, Unix seconds
---@field sleep fun(seconds: number)
---@field driver mde.Driver
---@field store? mde.Store

---@param options mde.LimiterOptions
---@return mde.Limiter
function M.new(options)
  local self = setmetatable({ windows = options.windows, reserve = options.reserve, name = options.name,
    now = options.now, time = options.time, sleep = options.sleep, driver = options.driver, store = options.store,
    waiting = {}, generation = posix.fork.generation(),
    fallback = core.limiter.new(UNKNOWN_COUNT, UNKNOWN_SECONDS) }, Limiter)
  self.budget = new_budget(self)
  return self
end

-- ---- the budget, as a store keeps it

local function pack(budget)
  local write = core.number.write
  return ("%s%s %s %s\n"):format(budget.in_doubt and "~" or "", write(budget.paused_until), write(budget.urgent[1]),
    write(budget.urgent[2])) .. (budget.sends and budget.sends:pack() or "")
end

-- False if it is not what `pack` makes.
local function unpack_into(budget, text)
  local doubt, pause, release, single, sends = text:match "^(~?)(%S+) (%S+) (%S+)\n(.*)$"
  if not pause then return false end
  local read = core.number.read
  budget.in_doubt = doubt == "~"
  budget.paused_until = read(pause) or -math.huge
  budget.urgent = { read(release) or -math.huge, read(single) or -math.huge }
  return not budget.sends or budget.sends:unpack(sends)
end

local function transact_in_store(self, change, a, b)
  local first, second
  local done, err = self.store:update("limit|" .. self.name, KEPT_SECONDS, function(text)
    local budget = new_budget(self)
    -- What is damaged tells nothing: everybody waits until the shorter window is empty for certain.
    if text and not unpack_into(budget, text) then budget.paused_until = self.now() + self.windows[1].seconds end
    local longest = self.now() + MAX_PAUSE_SECONDS
    local is_too_long = budget.paused_until > longest
    if is_too_long then budget.paused_until, budget.in_doubt = longest, true end
    local changed
    changed, first, second = change(self, budget, a, b)
    self.budget = budget
    return (changed or is_too_long) and pack(budget) or nil
  end)
  if done then return true, first, second end
  return nil, err
end

-- Changes the budget while nobody else can; `change(self, budget, a, b)` returns whether it did, and two values that
-- are returned behind true. nil, error where the store fails.
local function transact(self, change, a, b)
  if self.store then return transact_in_store(self, change, a, b) end
  local _, first, second = change(self, self.budget, a, b)
  return true, first, second
end

-- Seconds until a call of this priority may go: the pause that a 429 asked for, and the rest; nil: never.
local function waits(self, budget, priority, now)
  local queue = 0
  if budget.sends then queue = budget.sends:wait(now, priority == contexts.MANY and self.reserve or 0) end
  if not queue then return nil end
  for higher = 1, priority - 1 do queue = math.max(queue, budget.urgent[higher] - now) end
  return math.max(0, budget.paused_until - now), queue
end

local function take(self, budget, priority, now)
  local pause, queue = waits(self, budget, priority, now)
  local state = { pause = pause, queue = queue }
  if not pause then return false, nil, state end
  local at = pause <= 0 and queue <= 0 and now or nil
  if at and budget.sends then budget.sends:take(at) end
  -- Those of this client wait in their order anyway.
  if self.store and priority < contexts.MANY then
    budget.urgent[priority] = at and -math.huge or now + math.max(pause, queue) + URGENT_SECONDS
  end
  return true, at, state
end

-- Takes a slot, if there is one: its time; or how long to wait; or nil, nil, error if that cannot be known.
local function try(self, priority)
  local done, at, state = transact(self, take, priority, self.now())
  if not done then return nil, nil, at end
  return at, state
end

-- The same where the store fails: one call each second, and none of many.
local function try_unknown(self, priority, err)
  if priority == contexts.MANY then
    return nil, nil, errors.wrap(err, { kind = "unavailable", code = "limits_unknown",
      message = "nothing was sent, since the service's limits cannot be kept without the store" })
  end
  local now = self.now()
  local queue = self.fallback:wait(now)
  if queue > 0 then return nil, { pause = 0, queue = queue } end
  self.fallback:take(now)
  return now, { pause = 0, queue = 0 }
end

-- ---- who waits

---@class mde.limiter.waiter
---@field priority mde.Priority
---@field due? number when it looks again, if it is the first
---@field gate? table opened when it should look at once
---@field passed_over? boolean it is not among those who wait any more
---@field waits_since? number nil: it has not had to wait so far

-- The first who is still there. Who was thought gone, and was only late, joins again.
local function first(self)
  local list, now = self.waiting, self.now()
  while list[1] do
    list[1].due = list[1].due or now
    if now <= list[1].due + GRACE_SECONDS then break end
    table.remove(list, 1).passed_over = true
  end
  return list[1]
end

-- Returns the place in the queue.
local function join(self, waiter)
  local generation = posix.fork.generation()
  if self.generation ~= generation then self.generation, self.waiting = generation, {} end
  local list, place = self.waiting, #self.waiting + 1
  while place > 1 and list[place - 1].priority > waiter.priority do place = place - 1 end
  waiter.passed_over, waiter.due = nil, nil
  table.insert(list, place, waiter)
  return place
end

local function wake(waiter)
  if waiter and waiter.gate then waiter.gate:open() end
end

local function leave(self, waiter)
  for place, other in ipairs(self.waiting) do
    if other == waiter then
      table.remove(self.waiting, place)
      break
    end
  end
  wake(first(self))
end

-- Waits so long, or until somebody says that it is time to look again.
local function wait(self, waiter, seconds, is_first)
  waiter.waits_since = waiter.waits_since or self.now()
  if not self.driver.gate then return self.sleep(is_first and seconds or math.min(seconds, LOOK_AGAIN_SECONDS)) end
  waiter.gate = self.driver.gate()
  waiter.gate:wait(seconds)
  waiter.gate = nil
end

local function in_words(self)
  local words = {}
  for i, window in ipairs(self.windows) do
    words[i] = ("%d in %s"):format(window.count, window.seconds == 60 and "a minute" or window.seconds == 3600
      and "an hour" or core.number.write(window.seconds) .. " seconds")
  end
  return table.concat(words, " and ")
end

local function too_late(self, seconds)
  return errors.new { kind = "throttled", code = "limit_reached", retry_at = self.time() + seconds,
    message = ("this application has used up what the service allows it (%s); the next call may go in %s seconds, "
      .. "which is longer than the time there is"):format(in_words(self), core.number.write(math.ceil(seconds))),
    hint = "Try again then, or give it a longer timeout." }
end

local function never(self)
  return errors.new { kind = "throttled", code = "reserve_too_large",
    message = ("the option \"reserve\" leaves nothing of %s to calls of many"):format(in_words(self)),
    hint = "Give the client a smaller reserve." }
end

-- Whether the wait is longer than there is time for, and what to say then.
local function refused(self, context, state)
  if state.pause > 0 and state.pause >= context:left() then return { paused = state.pause } end
  if state.queue > 0 and state.queue >= context:patience() then return too_late(self, state.queue) end
end

local function wait_in_turn(self, waiter, context)
  while true do
    local ahead = first(self)
    if waiter.passed_over or not ahead then
      join(self, waiter)
    elseif ahead == waiter then
      local at, state, err = try(self, context.priority)
      if not at and err then at, state, err = try_unknown(self, context.priority, err) end
      if at then return { at = at } end
      if err then return nil, err end
      if not state.pause then return nil, never(self) end
      local problem = refused(self, context, state)
      if problem then return nil, problem end
      local seconds, began = math.max(state.pause, state.queue), self.now()
      waiter.due = began + seconds
      wait(self, waiter, seconds, true)
      if state.queue >= state.pause then context:queued(self.now() - began) end
    else
      waiter.due = nil
      local began = self.now()
      wait(self, waiter, math.min(math.max(0, ahead.due - began) + GRACE_SECONDS, context:patience()), false)
      context:queued(self.now() - began)
      if context:patience() <= 0 then return nil, too_late(self, self:seconds(#self.waiting)) end
    end
  end
end

--- Waits until a call may go, and takes its slot. What it waits for the limits does not count for the deadline.
---@param context mde.Context
---@return mde.Slot? slot
---@return mde.Error|{ paused: number }|nil err `paused`: the service asks to stay away for so many seconds, which is
--- longer than there is time
function Limiter:enter(context)
  local waiter = { priority = context.priority }
  local place = join(self, waiter)
  if context:patience() < math.huge and place > 1 then
    local seconds = self:seconds(place)
    if seconds >= context:patience() then
      leave(self, waiter)
      return nil, too_late(self, seconds)
    end
  end
  local ok, slot, err = pcall(wait_in_turn, self, waiter, context)
  leave(self, waiter)
  if not ok then error(slot, 0) end
  if slot and waiter.waits_since then slot.waited = self.now() - waiter.waits_since end
  return slot, err
end

local function take_back(_, budget, slot)
  return budget.sends ~= nil and budget.sends:give_back(slot.at)
end

--- Nothing was sent in this slot.
---@param slot mde.Slot
function Limiter:give_back(slot)
  transact(self, take_back, slot)
  wake(first(self))
end

local function move(_, budget, slot, at)
  if not budget.sends:give_back(slot.at) then return false end
  budget.sends:take(at)
  return true
end

--- What was sent in this slot has come to its end. An answer of the service's says that it has arrived by now, so its
--- windows end that long from now and nothing is added for the way; without one it may still arrive.
---@param slot mde.Slot
---@param is_definite boolean the service has answered
function Limiter:answered(slot, is_definite)
  if not self.windows[1] then return end
  local now = self.now()
  transact(self, move, slot, is_definite and now - PAD_SECONDS or now)
  -- Who waits for this slot's windows was told a time that still had the way in it.
  if is_definite then wake(first(self)) end
end

local function put_off(_, budget, ends, in_doubt)
  if budget.in_doubt or ends > budget.paused_until then
    budget.paused_until, budget.in_doubt = ends, in_doubt
  end
  return true
end

--- The service asks everybody to stay away for so long. A longer pause stays, unless it is in doubt.
---@param seconds number
---@param in_doubt boolean the service named a span that it cannot mean: the next answer corrects it
function Limiter:pause(seconds, in_doubt)
  transact(self, put_off, self.now() + seconds, in_doubt)
end

local function end_doubtful_pause(_, budget)
  if not budget.in_doubt then return false end
  budget.paused_until, budget.in_doubt = -math.huge, false
  return true
end

--- The service has done what it was asked for, so a pause that is in doubt is over.
function Limiter:resume()
  if not self.budget.in_doubt then return end
  transact(self, end_doubtful_pause)
  wake(first(self))
end

local function leave_as_it_is() return false end

-- The budget as it is now; the one that was seen last, where the store fails.
local function look(self)
  transact(self, leave_as_it_is)
  return self.budget
end

---@class mde.Peek what is left of an API's budget
---@field limit? integer how many calls may go at most at once; nil: they are not counted
---@field remaining? integer how many of them may go now
---@field retry_after number seconds until the next may go
---@field reset_after number seconds until all may go again
---@field seconds number how long it takes at the least until as many as were asked about have gone

--- What is left. Takes nothing.
---@return mde.Peek
function Limiter:peek()
  local budget, now = look(self), self.now()
  local pause = math.max(0, budget.paused_until - now)
  if not budget.sends then return { retry_after = pause, reset_after = pause } end
  local limit, remaining, retry_after, reset_after = budget.sends:peek(now)
  return { limit = limit, remaining = pause > 0 and 0 or remaining, retry_after = math.max(pause, retry_after or 0),
    reset_after = math.max(pause, reset_after) }
end

--- How long it takes at the least until so many more calls have gone.
---@param count integer
---@return number seconds
function Limiter:seconds(count)
  local budget, now = look(self), self.now()
  local time, sends = math.max(now, budget.paused_until), counter(self.windows)
  if not sends then return time - now end
  sends:unpack(budget.sends:pack())
  for _ = 1, count do
    time = time + sends:wait(time)
    -- At the least: each is answered at once.
    sends:take(time - PAD_SECONDS)
  end
  return time - now
end

return M
