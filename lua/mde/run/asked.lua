--- asked: what a call asks beside what makes it the step it is (steps.lua): its comment, allow, timeout and look, and
--- what its body says, the scope of an isolation for example; of a restrict until when it holds, of a release what it
--- is for.
--
-- It is recorded with the step. Where a playbook that comes by again asks otherwise, the recorded result holds, and
-- what differs is told.

local core = require "mde.core"
local errors = require "mde.base.error"
local json = require "mde.base.json"

local M = {}

local function sorted_names(set)
  local names = {}
  for name in pairs(set or {}) do names[#names + 1] = name end
  table.sort(names, core.text.before)
  return names
end

--- What a call asks, as the record keeps it among the step's arguments; the comment stands there by itself.
---@param intent table
---@return { allow: string, timeout?: number, look: boolean, release_after?: number, operations: string,
--- expired: boolean }
function M.of(intent)
  local operations = {}
  for i, operation in ipairs(intent.operations or {}) do operations[i] = operation end
  table.sort(operations, core.text.before)
  return { allow = table.concat(sorted_names(intent.allow), ","), timeout = intent.timeout, look = intent.look,
    release_after = intent.hold_seconds, operations = table.concat(operations, ","), expired = intent.expired or false }
end

local function shown(value)
  if value == nil or value == "" then return "none" end
  return type(value) == "string" and errors.quote(value) or tostring(value)
end

local function number_shown(value)
  return type(value) == "number" and core.number.write(value) or shown(value)
end

-- The option that says in which scope a verb is meant.
local function scope_option(verb)
  local row = core.response_actions[verb]
  for _, field in ipairs(row and row.subject == "scope" and row.fields or {}) do
    if field.option then return field.option end
  end
end

--- In what a call differs from the step that it is, in words; nil: in nothing.
---@param step mde.Step
---@param intent table
---@return string?
function M.difference(step, intent)
  local words = {}
  local function compare(name, was, now, show)
    if was ~= now then
      words[#words + 1] = ("%s was %s and is %s now"):format(name, (show or shown)(was), (show or shown)(now))
    end
  end
  local recorded = json.decode(step.arguments)
  local was, now = type(recorded) == "table" and recorded.asked, M.of(intent)
  if step.comment then
    compare("the comment", (core.comment.parse(step.comment)), (core.comment.parse(intent.comment)))
  end
  local scope = scope_option(step.verb)
  if scope then compare(scope, step.subject, intent.subject) end
  -- An older record does not say.
  if type(was) == "table" then
    compare("allow", was.allow, now.allow)
    compare("timeout", was.timeout, now.timeout, number_shown)
    compare("look", was.look, now.look)
    if was.expired ~= nil then
      compare("release_after", was.release_after, now.release_after, number_shown)
      compare("operations", was.operations, now.operations)
      compare("expired", was.expired, now.expired)
    end
  end
  return words[1] and table.concat(words, ", ") or nil
end

return M
