--- waves: few devices first, and a look at what came of them before many follow.
--
-- How many may be sent, and what a gate needs to open, the core decides (src/core/waves.h). Here a task waits for its
-- turn, one of them asks the service how far a wave is, and a person may open a gate that does not open by itself.

local core = require "mde.core"
local wait = require "mde.action.wait"

local TURN_SECONDS = 0.2
local FIRST_ROUND_SECONDS, MAX_ROUND_SECONDS = 3, 15

local M = {}

---@class mde.GateCounts of the wave that was sent last
---@field verb string
---@field wave integer
---@field sent integer
---@field succeeded integer
---@field failed integer
---@field cancelled integer
---@field pending integer
---@field unknown integer

---@class mde.RunWaves
---@field private core mde.waves
---@field private actions mde.Action[] of the wave
---@field private unknown integer of the wave
---@field private is_looking boolean somebody is at the gate
local Waves = {}
Waves.__index = Waves

---@class mde.WavesSettings
---@field client mde.Client
---@field verb string that cuts devices off
---@field sizes (integer|"rest")[]
---@field gate? mde.GateRule
---@field sent mde.Action[] what earlier sessions sent, in their order
---@field ask? fun(counts: mde.GateCounts, why: string): boolean whether a gate that stays closed is opened
---@field on_event? fun(event: table)

---@param settings mde.WavesSettings
---@return mde.RunWaves
function M.new(settings)
  local waves = setmetatable({ client = settings.client, verb = settings.verb, ask = settings.ask,
    actions = {}, unknown = 0,
    core = core.waves.new(settings.sizes, settings.gate, #settings.sent), is_looking = false,
    on_event = settings.on_event or function() end }, Waves)
  local _, _, sent = waves.core:position()
  for i = #settings.sent - sent + 1, #settings.sent do waves:count(settings.sent[i]) end
  return waves
end

--- Counts one that was sent to the wave.
---@param action mde.Action|false false: it is not known what came of it
function Waves:count(action)
  if action then self.actions[#self.actions + 1] = action else self.unknown = self.unknown + 1 end
end

local counted_as = { succeeded = "succeeded", pending = "pending", cancelled = "cancelled" }

local function counts_of(self)
  local counts = { verb = self.verb, wave = (self.core:position()), sent = #self.actions + self.unknown,
    succeeded = 0, failed = 0, cancelled = 0, pending = 0, unknown = self.unknown }
  for _, action in ipairs(self.actions) do
    local name = counted_as[core.history.status(action.status)] or "failed"
    counts[name] = counts[name] + 1
  end
  return counts
end

-- Brings the actions of the wave up to date, by one list.
local function look(self, seconds)
  local client = self.client
  client.exchange.sleep(seconds)
  local pending = {}
  for _, action in ipairs(self.actions) do
    if core.history.status(action.status) == "pending" then pending[#pending + 1] = action end
  end
  if pending[1] then wait.refresh(client.action_center, pending, client:context(60)) end
end

local reasons = {
  count = "%d were counted, and %d were sent", failed = "%d failed, and at most %d may",
  unknown = "of %d it is not known what came of them", succeeded = "%d succeeded, and %d are needed",
}

-- Whether a gate opens: "open", "wait" or "closed", and why.
local function judge(self, counts, waited)
  local verdict, reason, number, needed = self.core:judge(counts.wave, counts, waited)
  return verdict, verdict == "closed" and reasons[reason]:format(number, needed) or nil
end

--- Which wave it is, in words: each verb has waves of its own.
---@param counts { verb: string, wave: integer }
---@return string
function M.name(counts)
  return ("wave %d%s"):format(counts.wave, counts.verb == "restrict" and "" or " of " .. counts.verb)
end

-- Waits until the gate opens, or does not.
local function pass_gate(self, session)
  local now, interval = self.client.exchange.now, FIRST_ROUND_SECONDS
  local began = now()
  while true do
    local err = session:halted()
    if err then return nil, err end
    local counts = counts_of(self)
    local verdict, why = judge(self, counts, now() - began)
    self.on_event { event = "gate", counts = counts, verdict = verdict, why = why, seconds = now() - began }
    if verdict == "closed" and self.ask and self.ask(counts, why) and self.core:open() then
      session:note("gate", ("%s: opened by a person: %s"):format(M.name(counts), why))
      verdict = "open"
    elseif verdict == "open" then
      session:note("gate", ("%s: %d sent, %d succeeded, %d pending"):format(M.name(counts), counts.sent,
        counts.succeeded, counts.pending))
    end
    if verdict == "open" then
      self.actions, self.unknown = {}, 0
      self.on_event { event = "wave", verb = self.verb, wave = (self.core:position()) }
      return true
    elseif verdict == "closed" then
      session:halt { rule = "gate", state = "paused",
        message = ("the gate after %s stays closed: %s"):format(M.name(counts), why) }
    else
      look(self, interval)
      interval = math.min(interval * 1.5, MAX_ROUND_SECONDS)
    end
  end
end

--- Waits for a turn.
---@param session mde.Session
---@return true?
---@return mde.Error? err the run has stopped
function Waves:admit(session)
  while true do
    local err = session:halted()
    if err then return nil, err end
    local word = self.core:admit()
    if word == "go" then return true end
    if (word == "gate" or word == "paused") and not self.is_looking then
      self.is_looking = true
      local ok, passed, problem = pcall(pass_gate, self, session)
      self.is_looking = false
      if not ok then error(passed, 0) end
      if not passed then return nil, problem end
    else
      self.client.exchange.sleep(TURN_SECONDS)
    end
  end
end

--- One that had a turn has ended.
---@param came? mde.Action|mde.Error what came of it, if it was sent
function Waves:left(came)
  local action = type(came) == "table" and came.outcome == "accepted" and came
  local is_unknown = came and not action and (type(came) ~= "table" or came.kind == "unknown" or came.kind == nil)
  if action or is_unknown then self:count(action) end
  self.core:ended((action or is_unknown) and true or false)
end

return M
