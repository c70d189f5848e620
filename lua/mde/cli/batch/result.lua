--- result: how the outcome of one device, of a tag or of an action is told: in a sentence, as JSON or CSV.

local core = require "mde.core"
local errors = require "mde.base.error"
local exit = require "mde.cli.ui.exit"
local problem = require "mde.cli.ui.problem"
local words = require "mde.cli.batch.words"

local M = {}

---@class mde.cli.Result
---@field device string as it was named
---@field identity? mde.Identity if it was named by several identifiers
---@field machine? mde.Machine if it was looked up
---@field action? mde.Action
---@field started? boolean
---@field state? mde.StateName
---@field isolation? mde.StateName
---@field isolation_action? mde.Action by which it is isolated, or no longer
---@field done? boolean
---@field err? any
---@field problem? mde.Error why no machine was found for it
---@field waited? string "Succeeded"
---@field ending? string how it ended, for the counts, if not as an error
---@field shares_name? boolean whether another machine goes by the same name
---@field incidents? string[] the incidents for which it was chosen
---@field verb? string what is done to it, where that is not what the command is called

local function is_final(action)
  return action.status ~= "Pending" and action.status ~= "InProgress"
end

local function id_of(one)
  return one.action and one.action.machineId or one.machine and one.machine.id
end

local function name_in(record)
  local name = record and record.computerDnsName
  return name ~= "" and name or nil
end

--- The name the service has for a device, if it is known; an empty one does not count.
---@param one mde.cli.Result
---@return string?
function M.dns_name(one)
  return name_in(one.action) or name_in(one.machine)
end

--- What a device is called when it is spoken of.
---@param one mde.cli.Result
---@return string
function M.name(one)
  local name = errors.show(M.dns_name(one) or one.device)
  local id = one.shares_name and id_of(one)
  return id and ("%s (%s)"):format(name, errors.show(id)) or name
end

--- Takes note of a device, so that two machines of one name are told apart by their ids.
---@param one mde.cli.Result
---@param seen table<string, mde.cli.Result> the first of each name; empty in the beginning
function M.note_name(one, seen)
  local name, id = M.dns_name(one), id_of(one)
  if not name or not id then return end
  name = core.text.lower(name)
  local first = seen[name]
  if not first then
    seen[name] = one
  elseif core.text.lower(id_of(first)) ~= core.text.lower(id) then
    first.shares_name, one.shares_name = true, true
  end
end

local function active(one, verb)
  local action, own = one.action, words.of(verb)
  local text = ("%salready %s%s (action %s, %s, by %s: %s)"):format(own.thing, is_final(action) and "" or "being ",
    own.past, errors.show(action.id), errors.show(action.status),
    errors.show(action.requestor or "somebody"), errors.quote(action.requestorComment or ""))
  if action.recorded == false and action.expires_at then
    text = ("%s; that one is meant to end at %s, and yours is recorded nowhere"):format(text,
      core.timestamp.whole(action.expires_at))
  elseif action.recorded == false then
    text = text .. "; your incident is recorded nowhere"
  end
  return text
end

-- Whose hold the release ended that was not meant by it, in words.
local function also_ended(one)
  local meant, others = {}, {}
  for _, incident in ipairs(one.incidents or {}) do meant[core.text.lower(incident)] = true end
  for _, holder in ipairs(one.action and one.action.also_ended or {}) do
    if not meant[core.text.lower(holder)] then others[#others + 1] = errors.show(holder) end
  end
  if others[1] then
    return ("it %s held %sby %s, which ends with it"):format(one.action.outcome == "would_send" and "is" or "was",
      one.action.incident and "too " or "", table.concat(others, ", "))
  end
end

-- The release against which a restriction goes.
local function overturned(action, verb)
  local older = action.overturned
  return older and ("; it goes against %s %s by %s"):format(words.of(core.response_actions[verb].opposite).noun,
    errors.show(older.id), errors.show(older.requestor or "somebody")) or ""
end

-- Until when it is meant to hold, if it has an end.
local function expiry(action)
  return action.expires_at and " until " .. core.timestamp.whole(action.expires_at) or ""
end

--- That the service's list shows nothing which a release would take back; it is sent all the same.
---@param verb string
---@return string
function M.not_held(verb)
  local own = words.of(verb)
  return ("not %s, as far as the service's list of its actions goes back; nothing needs the %s, and it would be sent "
    .. "all the same"):format(own.opposite_past, own.noun)
end

local function would_send(one, verb)
  local action, own = one.action, words.of(verb)
  if action.not_held then return M.not_held(verb) end
  local text = ("%swould be %s%s"):format(own.thing, own.past, expiry(action))
  if action.would_cancel then
    text = ("%s, after %s %s was cancelled"):format(text, words.of(core.response_actions[verb].opposite).noun,
      errors.show(action.would_cancel.id))
  end
  if action.looked == false then text = text .. ", unseen" end
  local others = also_ended(one)
  return text .. overturned(action, verb) .. (others and "; " .. others or "")
end

local function accepted(one, verb, brief)
  local action = one.action
  local text = words.of(verb).noun .. " accepted" .. expiry(action)
  if not brief then text = ("%s (action %s, %s)"):format(text, errors.show(action.id), errors.show(action.status)) end
  if action.comment_changed then text = text .. '; " [mde:" in the comment was changed' end
  if action.comment_cut then text = text .. "; the service cut the comment short" end
  if action.end_lost then text = text .. "; until when it holds is recorded nowhere, so release it by hand" end
  local others = also_ended(one)
  return text .. overturned(action, verb) .. (others and "; " .. others or "")
end

local tellers = { already_active = active, would_send = would_send }

--- What happened, in one line.
---@param one mde.cli.Result
---@param verb string
---@param brief boolean? whether the action's id is of no interest, because there are many
---@return string
function M.sentence(one, verb, brief)
  local tell = tellers[one.action.outcome] or accepted
  return ("%s: %s"):format(M.name(one), tell(one, verb, brief))
end

--- Why it did not happen, in one line.
---@param one mde.cli.Result
---@return string
function M.complaint(one)
  local text = errors.escape(problem.in_words(one.err))
  return one.where and ("%s: %s"):format(errors.show(one.where), text) or text
end

local function outcome(one)
  if one.action and one.action.outcome then return one.action.outcome end
  if one.err then return "error" end
  if one.done then return "done" end
  return one.started and "unknown" or "not_started"
end

--- What --json shows of one device.
---@param one mde.cli.Result
---@return table
function M.record(one)
  local machine, action = one.machine or {}, one.action or {}
  return {
    device = one.device, verb = one.verb, outcome = outcome(one),
    machine_id = action.machineId or machine.id,
    computerDnsName = action.computerDnsName or machine.computerDnsName,
    action = one.action, waited = one.waited, state = one.state, isolation = one.isolation,
    isolation_action = one.isolation_action,
    error = one.err and problem.record(one.err, one.action),
  }
end

local function of_action(name)
  return function(one) return one.action and one.action[name] end
end

--- What --csv shows of an error, and of what else is to be known.
---@type mde.cli.RowColumn[]
M.error_columns = {
  { name = "error", value = function(one) return one.err and problem.record(one.err).kind end },
  { name = "message", value = function(one) return one.err and problem.in_words(one.err) or also_ended(one) end },
}

--- What --csv shows of one device.
---@type mde.cli.RowColumn[]
M.columns = {
  { name = "device", value = function(one) return one.device end },
  { name = "machineId", value = function(one) return M.record(one).machine_id end },
  { name = "computerDnsName", value = function(one) return M.record(one).computerDnsName end },
  { name = "outcome", value = outcome },
  { name = "actionId", value = of_action "id" },
  { name = "status", value = of_action "status" },
  M.error_columns[1],
  M.error_columns[2],
}

--- The same, where several things are done with devices.
---@type mde.cli.RowColumn[]
M.columns_of_parts = {}
for i, column in ipairs(M.columns) do M.columns_of_parts[i] = column end
table.insert(M.columns_of_parts, { name = "verb", value = function(one) return one.verb end })

-- What a whole call is refused for before anything is done, costs one of many that one alone.
local function status_of(one, is_begun)
  local status = exit.of(one.err)
  local is_flawed = errors.is(one.err) and one.err.kind == "invalid"
  return status == exit.usage and (is_begun or is_flawed) and exit.refused or status
end

--- The exit status of many devices: the highest.
---@param list mde.cli.Result[]
---@param was_interrupted boolean
---@return integer
function M.status(list, was_interrupted)
  local status, is_begun = was_interrupted and exit.interrupted or exit.done, false
  for _, one in ipairs(list) do is_begun = is_begun or one.action ~= nil end
  for _, one in ipairs(list) do
    if one.err then status = math.max(status, status_of(one, is_begun)) end
  end
  return status
end

return M
