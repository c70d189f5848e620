--- options: checks the option tables of the public functions, so that a misspelt name never passes.

local core = require "mde.core"
local errors = require "mde.base.error"

local M = {}

local function distance(a, b)
  local row = {}
  for j = 0, #b do row[j] = j end
  for i = 1, #a do
    local diagonal = row[0]
    row[0] = i
    for j = 1, #b do
      local above = row[j]
      local cost = a:byte(i) == b:byte(j) and 0 or 1
      row[j] = math.min(above + 1, row[j - 1] + 1, diagonal + cost)
      diagonal = above
    end
  end
  return row[#b]
end

-- How far a name is from a candidate; a part of it, as `tenant` is of `tenant_id`, is near.
local function unlikeness(name, candidate)
  if #name >= 3 and candidate:find(name, 1, true) then return 1 end
  return distance(name, candidate)
end

--- The name that was probably meant, or nil. At least half of its letters are those of the other.
---@param name string
---@param names table<string, any> its keys are the names there are
---@return string?
function M.nearest(name, names)
  local best, best_distance
  for candidate in pairs(names) do
    local d = unlikeness(core.text.lower(name), core.text.lower(candidate))
    if not best or d < best_distance or (d == best_distance and core.text.before(candidate, best)) then
      best, best_distance = candidate, d
    end
  end
  if best and best_distance <= math.max(2, math.floor(#name / 3)) and best_distance * 2 <= math.max(#name, #best) then
    return best
  end
end

--- The names there are, for an error.
---@param names table<string, any> its keys are the names
---@return string
function M.listed(names)
  local list = {}
  for name in pairs(names) do list[#list + 1] = name end
  table.sort(list, core.text.before)
  return table.concat(list, ", ")
end

local function is_integer(value)
  return type(value) == "number" and value % 1 == 0
end

local checks = {
  seconds = function(value)
    return type(value) == "number" and value > 0 and value < math.huge, "a number of seconds above 0"
  end,
  count = function(value)
    return is_integer(value) and value >= 1, "a whole number of at least 1"
  end,
  text = function(value)
    return type(value) == "string", "a string"
  end,
  flag = function(value)
    return type(value) == "boolean", "true or false"
  end,
  callback = function(value)
    return type(value) == "function", "a function"
  end,
  object = function(value)
    return type(value) == "table", "a table"
  end,
  any = function()
    return true
  end,
}

--- Raises unless every option is known and of its type. Returns the table, an empty one for nil.
---@param options table?
---@param known table<string, string> name to "seconds", "count", "text", "flag", "callback", "object" or "any"
---@param what string whose options they are, for the error
---@return table
function M.check(options, known, what)
  if options == nil then return {} end
  if type(options) ~= "table" then
    errors.invalid("wrong_type", ("%s: options must be a table, not a %s"):format(what, type(options)),
      "Write { name = value }.")
  end
  for name, value in pairs(options) do
    local check = known[name]
    if not check then
      local near = type(name) == "string" and M.nearest(name, known)
      errors.invalid("unknown_option", ("%s has no option %s"):format(what, errors.quote(name)),
        near and ("Did you mean %q?"):format(near) or ("There are %s."):format(M.listed(known)))
    end
    local ok, wanted = checks[check](value)
    if not ok then
      errors.invalid("wrong_type", ("%s: option %q must be %s, not %s"):format(what, name, wanted, errors.got(value)))
    end
  end
  return options
end

-- What the lists that this library returns have beside their items.
local beside = { failed = true, stopped = true, shared = true, unattributed = true, absent = true, recent = true,
  n = true, lines = true, repeated = true, flawed = true, heading = true, column = true,
  remarks = true, read_as = true }

--- Raises if a list has a hole, since what stands behind a nil would silently be left out; or if it has names in the
--- place of items, for then nothing would be done at all.
---@param list table
---@param what string whose list it is, for the error
function M.check_list(list, what)
  local last = 0
  for index in pairs(list) do
    if type(index) == "number" and index > last then last = index end
  end
  for name in pairs(last == 0 and list or {}) do
    if not beside[name] then
      errors.invalid("not_a_list", ("%s: the table has no item 1, but %s"):format(what, errors.quote(name)),
        "Give a list: { \"laptop-17\", \"laptop-18\" }.")
    end
  end
  for index = 1, last do
    if list[index] == nil then
      errors.invalid("list_with_gaps", ("%s: item %d of the list is missing (nil)"):format(what, index),
        "Leave out what is nil before; a call that failed gives one.")
    end
  end
end

return M
