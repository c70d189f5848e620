--- other: the changes of a run that are no response actions, tags and indicators for example: the line that stands for
--- one in a plan and in the record, which of them the plan has to show, and what came of each.
--
-- The record has an event right before one is sent, whose kind is what is done ("add_indicator"), and one when it has
-- ended: "done", "failed" or "unknown", which begins with the number of the first. Without that nobody knows.

local core = require "mde.core"
local errors = require "mde.base.error"

local M = {}

---@class mde.OtherChange a change that is no response action
---@field what string the function: "tag", "add_indicator"
---@field subject any whom or what it is about
---@field detail? any what is to be so
---@field n? integer the event of the record that says that it is sent

---@class mde.OtherResult
---@field line string
---@field word "done"|"failed"|"unknown"|"sending"
---@field said? string why
---@field at? number when it was sent, Unix seconds

-- An indicator hits every device of the tenant.
local bound = { add_indicator = true, delete_indicator = true }

-- What is bound stands there in full.
local function shown(what, value)
  if bound[what] and type(value) == "string" then return errors.escape(value) end
  return errors.show(value)
end

--- What it is about, without what is done.
---@param change mde.OtherChange
---@return string
function M.rest(change)
  local subject = change.subject
  if type(subject) == "table" then subject = subject.computerDnsName or subject.id end
  return shown(change.what, subject) .. (change.detail and ": " .. shown(change.what, change.detail) or "")
end

--- The line that stands for it: "add_indicator bad.example: Block DomainName".
---@param change mde.OtherChange
---@return string
function M.line(change)
  return change.what .. " " .. M.rest(change)
end

--- Whether it is not done unless the plan shows its line.
---@param what string
---@return boolean
function M.is_bound(what) return bound[what] == true end

--- The lines of a plan that bind its run, each once, in an order of their own.
---@param lines string[]
---@return string[]
function M.bound(lines)
  local list, seen = {}, {}
  for _, line in ipairs(lines) do
    if not seen[line] and bound[line:match "^(%S+) "] then list[#list + 1] = line end
    seen[line] = true
  end
  table.sort(list, core.text.before)
  return list
end

--- That the plan does not show it.
---@param line string
---@return mde.Error
function M.not_planned(line)
  return errors.new { kind = "protected", code = "not_planned", rule = "plan",
    message = ("nothing was sent, since the plan does not show it: %s"):format(errors.show(line)),
    hint = "Make a plan that shows it: mde plan, then mde run." }
end

--- How a change ended, in a word.
---@param err? any what it returned as its error, or raised
---@return "done"|"failed"|"unknown"
function M.word(err)
  if err == nil then return "done" end
  return (not errors.is(err) or err.kind == "unknown") and "unknown" or "failed"
end

local ends = { done = true, failed = true, unknown = true }
local sends = { add_indicator = true, delete_indicator = true, tag = true, untag = true, set_device_value = true,
  cancel = true, update_alert = true, update_incident = true }

--- The event that says what came of one.
---@param change mde.OtherChange that was sent
---@param err? any
---@param at number Unix seconds
---@return mde.journal.event
function M.ended(change, err, at)
  return { at = at, kind = M.word(err), detail = ("%d %s%s"):format(change.n, M.line(change),
    err ~= nil and " - " .. errors.show(errors.is(err) and err.message or err) or "") }
end

--- What the record says of all that were sent, in their order.
---@param events mde.journal.event[]
---@param is_live? boolean a session is at work
---@return mde.OtherResult[]
function M.of_events(events, is_live)
  local list, by_n = {}, {}
  for _, row in ipairs(events) do
    if sends[row.kind] and row.n then
      list[#list + 1] = { line = ("%s %s"):format(row.kind, row.detail or ""), at = row.at,
        word = is_live and "sending" or "unknown" }
      by_n[row.n] = list[#list]
    elseif ends[row.kind] then
      local n, rest = (row.detail or ""):match "^(%d+) (.*)$"
      local one = n and by_n[core.number.read(n)]
      if one then
        one.word = row.kind
        if one.line .. " - " == rest:sub(1, #one.line + 3) then one.said = rest:sub(#one.line + 4) end
      end
    end
  end
  return list
end

--- How often each line of an indicator was done, as the record says.
---@param events mde.journal.event[]
---@return table<string, integer>
function M.done(events)
  local counts = {}
  for _, one in ipairs(M.of_events(events)) do
    if one.word == "done" and bound[one.line:match "^(%S+) "] then counts[one.line] = (counts[one.line] or 0) + 1 end
  end
  return counts
end

--- Those of which it is not known what came, nor was the same done since.
---@param results mde.OtherResult[]
---@return mde.OtherResult[]
function M.open(results)
  local last, list = {}, {}
  for _, one in ipairs(results) do last[one.line] = one end
  for _, one in ipairs(results) do
    if one.word == "unknown" and last[one.line] == one then list[#list + 1] = one end
  end
  return list
end

return M
