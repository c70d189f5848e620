--- cap: is it one too many, a restrict for instance? Each response that cuts a device off has a cap of its own, and a
--- quarantine one for each file.
--
-- What was sent within the last hour the core counts (src/core/cap.h): for the client itself, or in the store for all
-- that share it (tally.lua). What was sent before a client began, or while the store failed, the service tells
-- (cap_count.lua). What cannot be counted is refused.

local core = require "mde.core"
local errors = require "mde.base.error"
local guards = require "mde.action.guard"
local options_of = require "mde.base.options"
local tallies = require "mde.action.tally"

local DEFAULT = 25
local MAX = 100000

---@class mde.Cap of one response, or of the quarantine of one file
---@field limit number how many an hour; math.huge: no cap
---@field private verb string
---@field private now fun(): number
---@field private time fun(): number this machine's time, Unix seconds
---@field private store? mde.Store
---@field private count mde.CapCount
---@field private subject mde.TallySubject
---@field private tally mde.Tally counts those of the last hour
---@field private spare? mde.Tally counts them while the store fails, beginning with what the service tells
local Cap = {}
Cap.__index = Cap

---@alias mde.CapCount fun(tally: mde.Tally, context: mde.Context): true?, mde.Error? counts what was sent before, if it
--- is not counted yet

---@class mde.CapSlot the place of one change under the cap
---@field id string its operation id
---@field lifted boolean the call lifts the cap: it counts, and may be one too many
---@field send? mde.Send what was taken for it
---@field tally? mde.Tally from which

local known_caps = { restrict = "any", isolate = "any", contain = "any", quarantine = "any" }

local M = { DEFAULT = DEFAULT }

-- What is counted, in words.
local counted = { restrict = "restricts", isolate = "isolations", contain = "containments",
  quarantine = "quarantines of this file" }

local function check(cap, what)
  if cap == nil then return DEFAULT end
  if cap == false or cap == math.huge then return math.huge end
  if type(cap) ~= "number" or cap % 1 ~= 0 or cap < 0 or cap > MAX then
    errors.invalid("wrong_type",
      ("%s must be a whole number of restricts an hour from 0 to %d, not %s"):format(what, MAX, errors.quote(cap)),
      "For none at all, give cap = false.")
  end
  return cap
end

---@alias mde.CapLimits table<string, number> how many of a response an hour; math.huge: no cap

--- What the option `cap` means. Raises for a wrong one.
---@param cap? number|false|table<string, number|false> how many an hour of each response that is counted, default 25;
--- false or math.huge for no cap; a table for one each: { restrict = 100, isolate = 10 }
---@return mde.CapLimits
function M.check(cap)
  local limits = {}
  if type(cap) == "table" then
    options_of.check(cap, known_caps, "option \"cap\"")
    for verb in pairs(counted) do limits[verb] = check(cap[verb], ("option \"cap\": %s"):format(verb)) end
    return limits
  end
  local limit = check(cap, "option \"cap\"")
  for verb in pairs(counted) do limits[verb] = limit end
  return limits
end

---@class mde.CapSettings
---@field verb string
---@field file? string of a quarantine, the file's SHA-1
---@field limit number
---@field clock mde.Clock the driver's
---@field store? mde.Store
---@field count mde.CapCount

---@param settings mde.CapSettings
---@return mde.Cap
function M.new(settings)
  local subject = { verb = settings.verb, file = settings.file }
  return setmetatable({ verb = settings.verb, subject = subject, limit = settings.limit,
    now = settings.clock.now, time = settings.clock.time, store = settings.store, count = settings.count,
    tally = tallies.new(subject, settings.limit, settings.clock.now, settings.store) }, Cap)
end

-- Where the store fails that keeps the limits, nothing of many is sent, counted or not.
local function uncounted(self, err)
  if err.code == "limits_unknown" then return err end
  local hint = ("To go on uncounted, give %s, or a client with cap = false."):format(guards.how_to_lift { "cap" })
  return errors.wrap(err, { code = "cap_uncounted", rule = "cap", hint = errors.and_hint(err, hint), message =
    ("nothing was sent, since the %s of the last hour could not be counted (cap %d)"):format(counted[self.verb],
      self.limit) })
end

local function one_too_many(self, wait)
  local fields = { kind = "protected", code = wait and "cap_full" or "cap_zero", rule = "cap",
    hint = ("If so many are meant, give %s, or the client a higher cap (--cap N)."):format(
      guards.how_to_lift { "cap" }) }
  if wait then
    fields.retry_at = self.time() + wait
    fields.message = ("rule \"cap\": as many %s were sent as may be in an hour (cap = %d); the next may go "
      .. "at %s"):format(counted[self.verb], self.limit, core.timestamp.whole(math.ceil(fields.retry_at)))
  else
    fields.message = ("rule \"cap\": this client may not %s anything (cap = 0)"):format(self.verb)
  end
  return errors.new(fields)
end

-- Who counts now. Where the store works again, what was sent meanwhile is known to the service alone.
local function current(self)
  if self.spare and self.tally:doubt() then self.spare = nil end
  return self.spare or self.tally
end

---@class mde.CapState
---@field limit number how many may be sent in an hour; math.huge where there is no cap
---@field remaining? number how many of them may be sent now; nil where what was sent before is not counted yet, which
--- the first restrict does
---@field refusal? mde.Error the error that a call gets now; its `retry_at` says when the next may go

--- What is left of it, as far as that is known without asking.
---@return mde.CapState
function Cap:state()
  local remaining, wait = self.tally:peek()
  return { limit = self.limit, remaining = remaining,
    refusal = remaining == 0 and one_too_many(self, wait) or nil }
end

--- A place for a change, which has taken nothing so far; nil if there is no cap, so that nothing is counted.
---@param operation_id string
---@param lifted boolean?
---@return mde.CapSlot?
function Cap:slot(operation_id, lifted)
  if self.limit == math.huge then return nil end
  return { id = operation_id, lifted = lifted or false }
end

-- A send; or how long to wait for one; or why it cannot be known.
local function take_from(slot, tally)
  return tally:take(slot.id, slot.lifted)
end

-- Whether a send could be taken, in the same words.
local function look_at(slot, tally)
  local remaining, wait = tally:peek()
  return slot.lifted or remaining ~= 0, wait
end

-- Asks a tally in which is counted what was sent before, unless the slot needs no count.
local function ask_counted(self, slot, tally, context, ask)
  local is_counted, err = true, nil
  if not slot.lifted then is_counted, err = self.count(tally, context) end
  local send, wait
  if is_counted then send, wait, err = ask(slot, tally) end
  return send, wait, err and uncounted(self, err)
end

-- Asks the tally, or the spare one if the store fails. What `ask` returned, and which it was.
local function try(self, slot, context, ask)
  local tally = current(self)
  local send, wait, err = ask_counted(self, slot, tally, context, ask)
  if err and self.store and tally == self.tally then
    self.spare = self.spare or tallies.new(self.subject, self.limit, self.now)
    tally = self.spare
    send, wait, err = ask_counted(self, slot, tally, context, ask)
  end
  return send, not send and (err or one_too_many(self, wait)) or nil, tally
end

--- Counts one that is about to be sent, unless it is counted already.
---@param slot mde.CapSlot
---@param context mde.Context
---@return true?
---@return mde.Error? err of kind `protected`, or why the sends before could not be counted
function Cap:take(slot, context)
  if slot.send then return true end
  local send, err, tally = try(self, slot, context, take_from)
  slot.send, slot.tally = send, tally
  return send and true or nil, err
end

--- Whether a place could be taken now. Counts nothing.
---@param slot mde.CapSlot
---@param context mde.Context
---@return true?
---@return mde.Error? err the one that taking it would return
function Cap:check(slot, context)
  local is_free, err = try(self, slot, context, look_at)
  return is_free or nil, err
end

--- Nothing was sent: it does not count.
---@param slot mde.CapSlot
function M.give_back(slot)
  if slot.send then slot.tally:give_back(slot.send) end
  slot.send = nil
end

--- It was sent then: its hour begins, which can be some time after it was counted.
---@param slot mde.CapSlot
---@param sent number by the driver's clock
function Cap.went(_, slot, sent)
  if slot.send then slot.tally:went(slot.send, sent) end
end

return M
