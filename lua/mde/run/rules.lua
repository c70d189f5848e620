--- rules: what a run is held back by: the sizes of its waves, the rule of its gates, and when it must not go on.
--
-- The core decides (src/core/waves.h, stop_rules.h). Here is read what a user says of them, and an error is told in the
-- words of the core.

local core = require "mde.core"
local errors = require "mde.base.error"

local M = {}

-- ---- what a user says

local flaws = {
  empty = "nothing stands where a part should", number = "%s is neither a number nor \"rest\"",
  zero = "%s: a wave of none has no end", large = "%s is more than 100000", not_last = "%s follows the rest",
  many = "there are more than 16 waves", name = "%s is neither succeeded=, failed= nor wait=",
  twice = "%s is said twice", percent = "%s is not a whole number from 0%% to 100%%",
  time = "%s is not a time; write 90s, 2m or 1h",
}

local function refuse(what, text, flaw, part, hint)
  errors.invalid("wrong_value", ("%s is %s, and %s"):format(what, errors.quote(text),
    flaws[flaw]:format(errors.quote(part or ""))), hint)
end

--- The sizes of the waves. Raises for a text that says none.
---@param text? string "5,45,rest"; nil: by how many there are
---@param count integer how many devices are restricted
---@return (integer|"rest")[]
function M.sizes(text, count)
  if text == nil then return core.waves.default(count) end
  local sizes, flaw, part = core.waves.read(text)
  return sizes or refuse('option "waves"', text, flaw, part, "Write 5,45,rest, say.")
end

--- The rule of the gates. Raises for a text that says none.
---@param text? string "succeeded=60%,wait=2m"
---@return mde.GateRule?
function M.gate(text)
  if text == nil then return nil end
  local gate, flaw, part = core.waves.read_gate(text)
  return gate or refuse('option "gate"', text, flaw, part, "Write succeeded=60%,failed=10%,wait=2m, say.")
end

-- ---- when it must not go on

local words = {
  role = "the application lacks the permission", sign_in = "the sign-in is refused",
  proxy = "the proxy refuses its user and password",
  forbidden_in_a_row = "%d devices in a row were forbidden (HTTP 403)",
  unknown_in_a_row = "%d outcomes in a row are unknown, or there was no answer",
  unknown_last = "%d of the last %d outcomes are unknown, or there was no answer",
  superseded = "somebody takes back what this run does: %d devices", cap = "the cap is full",
  journal = "the record of the run cannot be written", store = "the store that keeps the service's limits fails",
}

-- After an abort something has to be mended first; what it stopped can go on all the same.
local states = { abort = "paused", pause = "paused", stop = "stopped" }

local kinds = {
  unknown = "unknown", superseded = "superseded", auth = "sign_in", unavailable = "no_answer", throttled = "no_answer",
  protocol = "no_answer", refused = "answered", conflict = "answered", failed = "answered", cancelled = "answered",
}

-- What is told of this client alone, and not of the service.
local codes = { proxy_auth = "proxy", limits_unknown = "store", machine_busy = "left", journal_failed = "journal" }

local function event_of(machine_id, action, err)
  if action then return "done" end
  if not errors.is(err) then return "left" end
  if codes[err.code] then return codes[err.code] end
  if err.kind == "permission" then return err.permission and "role" or "forbidden", machine_id end
  if err.rule == "cap" then return "cap", err.retry_at or 0 end
  return kinds[err.kind] or "left"
end

---@class mde.RunRules
---@field private rules mde.stop_rules
local Rules = {}
Rules.__index = Rules

---@param limits? mde.StopLimits
---@return mde.RunRules
function M.new(limits)
  return setmetatable({ rules = core.stop_rules.new(limits) }, Rules)
end

--- Takes note of how a change ended.
---@param machine_id? string
---@param action? mde.Action
---@param err? mde.Error
---@return mde.RunStop? stop why nothing new is to be begun
function Rules:note(machine_id, action, err)
  if errors.is(err) and err.code == "run_stopped" then return nil end
  local stop = self.rules:note(event_of(machine_id, action, err))
  if not stop then return nil end
  local message = words[stop.rule]:format(stop.count, stop.of)
  if errors.is(err) and (stop.rule == "cap" or stop.kind == "abort") then
    message = ("%s (%s)"):format(message, err.message)
  end
  return { rule = stop.rule, message = message, state = states[stop.kind], retry_at = errors.is(err) and err.retry_at,
    err = err }
end

return M
