--- tally: where what was sent in the last hour is counted, of one response or about one file: by the client itself, or
--- in the store, for all the processes that share it.
--
-- What counts, and what may go, decides the core (src/core/cap.h). Here is told what time it is, by the driver's clock:
-- those who share a store have it in common, and a wall clock that is set forward would forget what was sent.

local core = require "mde.core"
local errors = require "mde.base.error"

local HOUR = 3600

---@class mde.TallySubject what is counted
---@field verb string
---@field file? string a file's SHA-1

---@class mde.Send one that counts
---@field id string its operation id
---@field at number by the driver's clock

---@class mde.Tally
---@field private subject mde.TallySubject
---@field private stored string where the packed cap stands in a store
---@field private limit number
---@field private now fun(): number
---@field private store? mde.Store
---@field private own mde.cap what is counted without a store
local Tally = {}
Tally.__index = Tally

local M = {}

-- Where the packed cap stands in a store; that of restricts where it always stood.
local function stored(subject)
  if subject.verb == "restrict" then return "cap|sends" end
  return ("cap|sends|%s%s"):format(subject.verb, subject.file and "|" .. subject.file or "")
end

---@param subject mde.TallySubject
---@param limit number how many an hour; math.huge: no cap, and nothing is counted
---@param now fun(): number the driver's clock
---@param store? mde.Store
---@return mde.Tally
function M.new(subject, limit, now, store)
  return setmetatable({ subject = subject, stored = stored(subject), limit = limit, now = now,
    store = limit ~= math.huge and store or nil, own = core.cap.new(limit) }, Tally)
end

-- What the store has. What is refused there, for example an older version's, is as good as nothing, and is counted
-- again.
local function unpacked(self, text)
  local cap = core.cap.new(self.limit)
  if text then cap:unpack(text, self.now()) end
  return cap
end

-- What is counted now, to look at.
local function look(self)
  if not self.store then return self.own end
  local text, err = self.store:read_text(self.stored)
  if err then return nil, err end
  return unpacked(self, text)
end

-- Changes what is counted while nobody else can. `step(cap)` returns whether it changed that, and two results. Returns
-- true and these; or nil and an error.
local function change(self, step)
  if not self.store then
    local _, result, more = step(self.own)
    return true, result, more
  end
  return self.store:update(self.stored, HOUR, function(text)
    local cap = unpacked(self, text)
    local changed, result, more = step(cap)
    return changed and cap:pack(self.now()) or nil, result, more
  end)
end

--- Whether what was sent before is in it; nil if that cannot be known.
---@return boolean?
---@return mde.Error? err
function Tally:is_whole()
  local cap, err = look(self)
  if not cap then return nil, err end
  return cap:is_whole()
end

--- Something was sent that is not in it, and has to be asked for.
---@return true? done nil: the store fails
function Tally:doubt()
  return (change(self, function(cap)
    cap:doubt()
    return true
  end))
end

--- Adds what was sent before.
---@param rows table[] of the service's list of actions
---@param service_now number
---@return true?
---@return mde.Error? err
function Tally:merge(rows, service_now)
  return change(self, function(cap)
    if cap:is_whole() then return false end
    cap:merge(rows, service_now, self.now(), self.subject.verb, self.subject.file)
    return true
  end)
end

--- How many may go now, and how many seconds the next must wait: 0 if it may go, nil if no wait helps. Nothing, where
--- that is not known without asking.
---@return number? remaining
---@return number? wait
function Tally:peek()
  -- A store that fails says as little as an empty one.
  local cap = look(self) or core.cap.new(self.limit)
  if not cap:is_whole() then return nil end
  local now = self.now()
  return cap:remaining(now), cap:wait(now)
end

--- Counts a send that is about to go, if there is room or if it goes all the same.
---@param id string
---@param all_the_same boolean?
---@return mde.Send? send nil if there is no room
---@return number? wait seconds until there is; nil if no wait helps
---@return mde.Error? err why it cannot be known
function Tally:take(id, all_the_same)
  local send = { id = id }
  local done, at, refusal = change(self, function(cap)
    local now = self.now()
    local at, problem = cap:take(id, now, all_the_same)
    return at ~= nil, at, not at and { is_full = problem == "full", wait = cap:wait(now) } or nil
  end)
  if not done then return nil, nil, at end
  send.at = at
  if at then return send end
  if refusal.is_full then return nil, refusal.wait end
  return nil, nil, errors.new { kind = "unavailable", code = "store_failed",
    message = "the store could not be read: what had been counted there is gone" }
end

--- It did not go.
---@param send mde.Send
function Tally:give_back(send)
  change(self, function(cap) return cap:give_back(send.id, send.at) end)
end

--- It went then: its hour begins. Not worth another lock of the store where it went at once.
---@param send mde.Send
---@param sent number by the driver's clock
function Tally:went(send, sent)
  if self.store and sent <= send.at + 1 then return end
  local done, changed = change(self, function(cap)
    local is_later = cap:went(send.id, send.at, sent)
    return is_later, is_later
  end)
  if done and changed then send.at = sent end
end

return M
