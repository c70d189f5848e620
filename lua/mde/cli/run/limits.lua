--- limits: what the service's limits and the caps make of a plan: how long it takes, and what is over a cap.
--
-- It is kept with a plan, so that this can be shown again as it was.

local core = require "mde.core"
local deeds = require "mde.run.deed"
local duration = require "mde.cli.ui.duration"
local errors = require "mde.base.error"
local runs = require "mde.run"
local terminal = require "mde.cli.ui.terminal"

local M = {}

---@class mde.PlanLimits
---@field seconds integer how long it takes at the least
---@field at_once integer so many go at once
---@field caps mde.PlanOverCap[]

---@class mde.PlanOverCap a cap that lets less through than the plan asks for
---@field verb string
---@field sha1? string of the file of a quarantine
---@field count integer so many it asks for
---@field limit number the cap
---@field remaining integer so many it lets through now
---@field is_counted boolean those of the last hour could be counted
---@field if_needed? boolean `count` has what the playbook may come to among it (mde.may)

-- ---- found out

-- How long it takes at the least, and how many go at once.
local function pace_of(client, counts)
  local by_path, seconds, at_once = {}, 0, 0
  -- Two that are posted to one path share its limits.
  for _, verb in ipairs(deeds.verbs) do
    local path = core.response_actions[verb].path
    by_path[path] = by_path[path] or { verb = verb, count = 0 }
    by_path[path].count = by_path[path].count + counts[verb]
  end
  for _, one in pairs(by_path) do
    if one.count > 0 then
      local peek = client:peek(one.verb, one.count)
      seconds, at_once = math.max(seconds, peek.seconds), at_once + math.min(one.count, peek.remaining or one.count)
    end
  end
  return math.floor(seconds), at_once
end

-- How often a verb is planned, and how often together with what the playbook may come to; a quarantine of each file,
-- which is counted by itself.
local function asked_of(plan)
  local list, by_key = {}, {}
  for _, verb in ipairs { "restrict", "isolate", "contain" } do
    by_key[verb] = { verb = verb, count = 0, possible = 0 }
    list[#list + 1] = by_key[verb]
  end
  for _, device in ipairs(plan.devices) do
    for _, change in ipairs(device.changes) do
      local file = change.verb == "quarantine" and change.subject or nil
      local key = file or change.verb
      if file and not by_key[key] then
        by_key[key] = { verb = change.verb, sha1 = file, count = 0, possible = 0 }
        list[#list + 1] = by_key[key]
      end
      local one = change.decision == change.verb and by_key[key]
      if one then
        one.possible = one.possible + 1
        if not change.if_needed then one.count = one.count + 1 end
      end
    end
  end
  return list
end

local words_of = { restrict = "restricts", isolate = "isolations", contain = "containments",
  quarantine = "quarantines" }

-- The caps that let less through now than the plan asks for; behind them those that are in the way only of what the
-- playbook may come to.
local function over_caps(client, plan)
  local over, possible = {}, {}
  for _, one in ipairs(asked_of(plan)) do
    local cap = one.possible > 0 and runs.cap(client, one.verb, one.sha1)
    local function note(list, count, if_needed)
      if not cap or count <= cap.remaining then return end
      list[#list + 1] = { verb = one.verb, sha1 = one.sha1, count = count, limit = cap.limit,
        remaining = cap.remaining, is_counted = cap.is_counted, if_needed = if_needed }
    end
    note(over, one.count)
    if one.possible > one.count then note(possible, one.possible, true) end
  end
  for _, one in ipairs(possible) do over[#over + 1] = one end
  return over
end

--- What they make of a plan now. The service may be asked for what was sent in the last hour.
---@param client mde.Client
---@param plan mde.RunPlan
---@return mde.PlanLimits
function M.of(client, plan)
  local counts = runs.counts(plan)
  local seconds, at_once = pace_of(client, counts)
  return { seconds = seconds, at_once = at_once, caps = over_caps(client, plan) }
end

-- ---- kept

local function is_count(value)
  return type(value) == "number" and value >= 0 and value < 2 ^ 53 and value == math.floor(value)
end

-- Seconds that can be told as a span of time.
local function is_span(value)
  return type(value) == "number" and value >= 0 and value < 2 ^ 31
end

--- What a plan has kept of them; nil if it has not, or what stands there is something else.
---@param kept any
---@return mde.PlanLimits?
function M.kept(kept)
  if type(kept) ~= "table" or not is_span(kept.seconds) or not is_count(kept.at_once)
    or type(kept.caps) ~= "table" then return nil end
  for _, one in ipairs(kept.caps) do
    if type(one) ~= "table" or not words_of[one.verb] or not is_count(one.count) or not is_count(one.limit)
      or not is_count(one.remaining) or one.sha1 ~= nil and type(one.sha1) ~= "string"
      or one.if_needed ~= nil and one.if_needed ~= true then return nil end
  end
  return kept
end

-- ---- told

--- Says them, where there is something to say.
---@param limits mde.PlanLimits
---@param is_kept? boolean the plan is kept with its caps, so that more need a new one
function M.say(limits, is_kept)
  if limits.seconds > 1 then
    terminal.say(("It takes at least %s under the service's limits; %d go at once."):format(
      duration.countdown(limits.seconds), limits.at_once))
  end
  for _, one in ipairs(limits.caps) do
    local words = words_of[one.verb] .. (one.sha1 and " of the file " .. errors.show(one.sha1) or "")
    local limit, whole = core.number.whole(one.limit), core.number.whole(one.limit - one.remaining + one.count)
    local advice = ("for all of them %s --cap %s=%s"):format(is_kept and "make a new plan with" or "give", one.verb,
      whole)
    local counted = one.is_counted and "" or " at most, as those of the last hour could not be counted"
    if one.if_needed then
      terminal.say(("If the playbook comes to all of its %d %s: the cap of %s an hour lets %d through now%s; %s.")
        :format(one.count, words, limit, one.remaining, counted, advice))
    else
      terminal.say(("The cap of %s %s an hour lets %d of these %d through now%s; %s."):format(limit, words,
        one.remaining, one.count, counted, advice))
    end
  end
end

--- What a plan as an object for JSON has of them.
---@param limits mde.PlanLimits
---@return table
function M.members(limits)
  local members, caps = { seconds = limits.seconds, at_once = limits.at_once }, {}
  for i, one in ipairs(limits.caps) do
    caps[i] = { cap = one.limit, cap_lets_through = one.remaining, cap_of = one.verb, sha1 = one.sha1,
      if_needed = one.if_needed }
  end
  local first = caps[1]
  if first then members.caps = caps end
  -- The first that stops the run for certain stands by itself, too.
  if first and not first.if_needed then
    members.cap, members.cap_lets_through, members.cap_of = first.cap, first.cap_lets_through, first.cap_of
  end
  return members
end

return M
