--- came_to: what came of a change, and of a device, in one word: the worst counts.

local core = require "mde.core"
local deeds = require "mde.run.deed"
local responses = require "mde.action.response"

local M = {}

---@alias mde.AccountWord
---| "unknown"        # sent, and nobody knows what came of it
---| "failed"         # the device did not do it
---| "refused"        # the service said no
---| "cancelled"      # somebody cancelled it
---| "not_sent"       # the plan shows it, and nothing was sent
---| "withheld"       # the plan shows it, and a rule, or the opposite under way, stood against it when its turn came
---| "lapsed"         # the answer was lost, its end has passed, and the service does not have it
---| "not_asked_for"  # the plan shows it, and the playbook came to its end and did not ask for it
---| "superseded"     # somebody has decided otherwise; left
---| "not_looked_at"  # what holds of the device could not be read; left
---| "pending"        # the service has taken it, and the device had not done it when the record was written
---| "sending"        # under way
---| "planned"        # to come
---| "restricted"     # done; so with each other verb: deed.lua
---| "released"
---| "isolated"
---| "unisolated"
---| "contained"
---| "uncontained"
---| "scanned"
---| "file_quarantined"
---| "package_collected"
---| "may_come"       # the plan shows it as what the playbook may come to, which is not at its end yet
---| "not_needed"     # the plan shows it as what the playbook may come to, which came to its end without it
---| "already_active" # it was so already
---| "protected"      # a rule left it when the plan was made
---| "conflict"       # the opposite was under way when the plan was made; left
---| "held"           # somebody else holds it; left
---| "not_held"       # nothing that was to be taken back holds it; left
---| "left"           # left as it was

---@class mde.AccountMeaning
---@field word mde.AccountWord
---@field part "needs"|"open"|"done"|"left" a person has to look; it goes on; it is done; it was left alone
---@field means string

--- Every word, the worst first.
---@type mde.AccountMeaning[]
M.words = {
  { word = "unknown", part = "needs", means = "it was sent, and it is not known what came of it" },
  { word = "failed", part = "needs", means = "the device did not carry it out" },
  { word = "refused", part = "needs", means = "the service said no" },
  { word = "cancelled", part = "needs", means = "somebody cancelled it before the device did it" },
  { word = "not_sent", part = "needs", means = "the plan shows it, and nothing was sent" },
  { word = "withheld", part = "needs",
    means = "the plan shows it, and something stood against it when its turn came" },
  { word = "lapsed", part = "needs",
    means = "its answer was lost, its end has passed, and the service does not have it" },
  { word = "not_asked_for", part = "needs",
    means = "the plan shows it, and the playbook came to its end and did not ask for it" },
  { word = "superseded", part = "needs", means = "somebody else has decided otherwise, so it was left" },
  { word = "not_looked_at", part = "needs", means = "what holds of the device could not be read, so it was left" },
  { word = "pending", part = "open",
    means = "the service has taken it, and the device had not done it yet when this was recorded" },
  { word = "sending", part = "open", means = "it is on its way" },
  { word = "planned", part = "open", means = "its turn has not come" },
  { word = "already_active", part = "left", means = "it was so already, so nothing had to be sent" },
  { word = "protected", part = "left", means = "a rule protects the device" },
  { word = "conflict", part = "left", means = "the opposite, or one of another scope, was under way" },
  { word = "held", part = "left", means = "somebody else holds it, too, so it was left" },
  { word = "may_come", part = "left",
    means = "the playbook may come to it, and the run has not come to its end" },
  { word = "not_needed", part = "left", means = "the playbook might have come to it, and did not" },
  { word = "not_held", part = "left", means = "nothing that was to be taken back holds it any more" },
  { word = "left", part = "left", means = "it was left as it was" },
}

local function put_done_words()
  local place = 1
  while M.words[place].part ~= "left" do place = place + 1 end
  for i, verb in ipairs(responses.verbs) do
    local deed = deeds.of(verb)
    table.insert(M.words, place + i - 1, { word = deed.done, part = "done", means = deed.means })
  end
end

put_done_words()

--- The place of each word, 1 is the worst; and its part.
---@type table<string, integer>
M.rank = {}
---@type table<string, "needs"|"open"|"done"|"left">
M.part_of = {}

for i, one in ipairs(M.words) do M.rank[one.word], M.part_of[one.word] = i, one.part end

local rank, part_of = M.rank, M.part_of

-- ---- of a change

--- What came of a step.
---@param step mde.journal.step
---@param row_status? string of the action, when it was answered
---@param live_session? integer that is at work
---@param code? string of its error
---@return mde.AccountWord
function M.of_step(step, row_status, live_session, code)
  if not step.outcome then return step.session == live_session and "sending" or "unknown" end
  if code == "end_passed" then return "lapsed" end
  if step.outcome ~= "accepted" then return rank[step.outcome] and step.outcome or "unknown" end
  local status = core.history.status(step.status or row_status)
  if status ~= "succeeded" then return status end
  local deed = deeds.of(step.verb)
  return deed and deed.done or "left"
end

-- What came of a call for which nothing was sent, and which the next session would not try again.
local ended_calls = { protected = "withheld", conflict = "withheld", superseded = "superseded",
  not_asked_for = "not_asked_for" }
-- What says more than that: of a release that is for certain restrictions alone.
local ended_codes = { nothing_held = "not_held", held_by_others = "held" }

--- What the plan says of a change of which nothing is recorded but perhaps how its last call ended.
---@param planned { verb: string, decision: string, if_needed?: boolean }
---@param is_to_come boolean
---@param call? table
---@param is_complete? boolean the playbook came to its end
---@return mde.AccountWord
function M.of_plan(planned, is_to_come, call, is_complete)
  if planned.decision == planned.verb then
    local ended = call and (ended_codes[call.code] or ended_calls[call.outcome])
    if ended then return ended end
    if planned.if_needed == true and not call then return is_complete and "not_needed" or "may_come" end
    return is_to_come and "planned" or "not_sent"
  end
  if planned.decision == "recorded" or not rank[planned.decision] then return "left" end
  return planned.decision
end

-- ---- of a device

---@class mde.DeviceGroup what came of a response and its opposite, or of the quarantine of one file
---@field name string of the first of them, with the file
---@field word mde.AccountWord
---@field last? mde.AccountChange that was done last; nil: nothing of it is recorded
---@field is_surpassed? boolean the restriction failed, and the device was cut off in another way later
---@field wanted? string the verb of it that the plan shows last, and not only if it is needed

-- Whether a step found what an earlier one of the run had done, or had sent.
local function is_found_again(change, last)
  return change.word == "already_active" and last ~= nil and last.verb == change.verb and last.outcome == "accepted"
    and (last.word == "pending" or part_of[last.word] == "done")
end

-- The worst of what was done last, of what nobody knows, and of what was planned and not done. What the plan left alone
-- counts where there is nothing else.
local function group_of(name, changes)
  local group, worst, left = { name = name }, nil, nil
  local function consider(word)
    if not worst or rank[word] < rank[worst] then worst = word end
  end
  for _, change in ipairs(changes) do
    if change.decision == change.verb and not change.if_needed then group.wanted = change.verb end
    if change.n then
      if not is_found_again(change, group.last) then group.last = change end
      if change.word == "unknown" or change.word == "sending" then consider(change.word) end
    elseif change.decision == change.verb then
      consider(change.word)
    elseif not left or rank[change.word] < rank[left] then
      left = change.word
    end
  end
  if group.last then consider(group.last.word) end
  group.word = worst or left or "left"
  return group
end

-- Whether a device that could not be restricted was isolated or contained later, so that the failure does not matter: a
-- ladder. An isolation that failed stays told, since a restriction keeps nothing off the network; so does what nobody
-- knows, or what the service refused.
local function is_surpassed(group, groups)
  local own = group.last
  if not own or own.verb ~= "restrict" or own.word ~= "failed" or group.word ~= "failed" then return false end
  for _, other in ipairs(groups) do
    local last = other ~= group and other.last
    if last and deeds.cuts_off(last.verb) and last.n > own.n and other.word == last.word
      and (part_of[last.word] == "done" or last.word == "pending") then return true end
  end
  return false
end

-- What is told together: a response and its opposite. One quarantine says nothing of another file's.
local function name_of(change)
  local group = responses.group(change.verb)
  local name = group and group.name or change.verb
  return deeds.subject_name(change.verb) == "sha1" and ("%s %s"):format(name, change.sha1 or "") or name
end

--- What came of a device: the worst of what came of each response, but that a device which was isolated or contained
--- in the end is not told by the restriction that failed before.
---@param changes mde.AccountChange[] the steps in their order, then what is planned alone
---@return mde.AccountWord
---@return mde.DeviceGroup[]
function M.of_device(changes)
  local groups, by_name = {}, {}
  for _, change in ipairs(changes) do
    local name = name_of(change)
    if not by_name[name] then
      by_name[name] = {}
      groups[#groups + 1] = name
    end
    table.insert(by_name[name], change)
  end
  for i, name in ipairs(groups) do groups[i] = group_of(name, by_name[name]) end
  local worst
  for _, group in ipairs(groups) do
    group.is_surpassed = is_surpassed(group, groups) or nil
    if not group.is_surpassed and (not worst or rank[group.word] < rank[worst]) then worst = group.word end
  end
  return worst or "left", groups
end

return M
