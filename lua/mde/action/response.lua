--- response: the response actions, by the rows of the core (src/core/response_actions.h): which of them make actions,
--- which are listed and counted together, and what the body of one says besides the comment.

local core = require "mde.core"
local errors = require "mde.base.error"
local options_of = require "mde.base.options"

local rows = core.response_actions

local M = {}

--- The names of those that make an action, in the order in which they are shown.
---@type string[]
M.verbs = {}

--- Of those the ones that cut a device off until something takes them back.
---@type string[]
M.holding = {}

local by_type, by_path = {}, {}
-- By the verb, since each call asks for them several times.
local apis, holders, is_releasing = {}, {}, {}

for _, name in ipairs(rows) do
  local row = rows[name]
  if row.kind == "acts" then
    M.verbs[#M.verbs + 1] = name
    if row.holds then M.holding[#M.holding + 1] = name end
    local type = core.text.lower(row.type)
    by_type[type] = by_type[type] or name
    by_path[row.path] = by_path[row.path] or name
    apis[name] = by_path[row.path]
    is_releasing[name] = row.opposite ~= nil and rows[row.opposite].holds
    holders[name] = row.holds and name or is_releasing[name] and row.opposite or nil
  end
end

--- Whether this is the name of one that makes an action.
---@param verb any
---@return boolean
function M.is_verb(verb)
  local row = type(verb) == "string" and rows[verb]
  return type(row) == "table" and row.kind == "acts"
end

--- The first whose type this is.
---@param action_type? string in any case
---@return string? verb nil for a type that is not in the table
function M.of_type(action_type)
  return action_type and by_type[core.text.lower(action_type)]
end

--- The API whose calls the service counts: two that are posted to one path share it.
---@param verb string
---@return string
function M.api(verb)
  return apis[verb]
end

--- Whether an action is one of this response.
---@param row table
---@param verb string
---@return boolean
function M.is_of(row, verb)
  return row.type ~= nil and core.text.lower(row.type) == core.text.lower(rows[verb].type)
end

--- Whether it takes back what holds a device.
---@param verb string
---@return boolean
function M.releases(verb)
  return is_releasing[verb]
end

--- What holds a device, if this or its opposite does.
---@param verb string
---@return string? verb
function M.holder(verb)
  return holders[verb]
end

--- What the option `of` means: one that holds a device. Raises for another one.
---@param of any nil: restrict
---@param what string who is called, for the error
---@param other? string a word that the caller knows beside them
---@return string verb
function M.check_holding(of, what, other)
  if of == nil then return "restrict" end
  if M.is_verb(of) and rows[of].holds then return of end
  return errors.invalid("wrong_value", ("%s: option \"of\" must be %s, not %s"):format(what,
    table.concat(M.holding, ", ") .. (other and ", " .. other or ""), errors.got(of)))
end

-- ---- listed together

---@class mde.ResponseGroup responses whose actions are listed together: one and its opposite
---@field name string of the first of them
---@field filter string OData
---@field package types table<string, true> in lower case
local Group = {}
Group.__index = Group

--- Whether an action is one of them.
---@param row table
---@return boolean
function Group:has(row)
  return self.types[core.text.lower(row.type or "")] or false
end

local groups = {}

local function new_group(name, members)
  local group = setmetatable({ name = name, types = {} }, Group)
  local clauses = {}
  for _, one in ipairs(members) do
    group.types[core.text.lower(rows[one].type)] = true
    clauses[#clauses + 1] = "type eq " .. core.odata.literal(rows[one].type)
  end
  group.filter = table.concat(clauses, " or ")
  return group
end

for _, name in ipairs(M.verbs) do
  local first = by_type[core.text.lower(rows[name].type)]
  local opposite = rows[first].opposite
  groups[name] = groups[first] or opposite and groups[opposite] or new_group(first, { first, opposite })
end

--- Those that cut a device off and whose actions are told apart: the service tells a containment as an isolation.
---@type string[]
M.apart = {}

local holding = {}
for _, name in ipairs(M.holding) do
  if groups[name].name == name then
    M.apart[#M.apart + 1] = name
    holding[#holding + 1], holding[#holding + 2] = name, rows[name].opposite
  end
end
groups.all = new_group("all", holding)

--- The response and its opposite, and others of their types; of "all": all that cut a device off, and their opposites.
---@param verb string
---@return mde.ResponseGroup
function M.group(verb)
  return groups[verb]
end

-- ---- what the body says

local function did_you_mean(value, words)
  local known = {}
  for _, word in ipairs(words) do known[word] = true end
  local near = type(value) == "string" and options_of.nearest(value, known)
  return near and ("Did you mean %q?"):format(near) or nil
end

local function check_value(verb, field, value)
  if value == nil and field.value then return field.value end
  local what = ("mde.%s: option %q"):format(verb, field.option)
  if type(value) == "string" and field.takes(value) then return value end
  if field.kind == "sha1" then
    errors.invalid(value == nil and "sha1_missing" or "wrong_value",
      ("%s must be the file's SHA-1, 40 hexadecimal digits, not %s"):format(what, errors.got(value)),
      "The service takes no other hash; an alert's evidence has it.")
  end
  return errors.invalid("wrong_value", ("%s must be %s, not %s"):format(what,
    table.concat(field.words, " or "), errors.got(value)), did_you_mean(value, field.words))
end

--- The options that the rows name, each with the type that base/options.lua knows.
---@param verb string
---@return table<string, string>
function M.options(verb)
  local known = {}
  for _, field in ipairs(rows[verb].fields) do
    if field.option then known[field.option] = "text" end
  end
  return known
end

--- What the body says besides the comment, and what two actions of the type may differ in. Raises for a wrong option.
---@param verb string
---@param options table
---@return table<string, string> members
---@return string? subject the scope, or the file's SHA-1 in lower case
function M.body(verb, options)
  local fields, members, subject = rows[verb].fields, {}, nil
  for i = 1, #fields do
    local field = fields[i]
    local value = field.option and check_value(verb, field, options[field.option]) or field.value
    if field.kind == "sha1" then value = core.text.lower(value) end
    members[field.name] = value
    if field.option then subject = value end
  end
  return members, rows[verb].subject and subject or nil
end

return M
