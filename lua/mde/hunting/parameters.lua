--- parameters: the values that a hunting query takes by name.
--
-- Graph's runHuntingQuery has no parameters of its own. So each becomes a `let name = literal;` before the query, by
-- the one function that writes literals. They stand in the query's first line, so that a line that the service names is
-- the caller's own. A name is refused that a column could hide, that the query gives another meaning, or that it never
-- uses.

local core = require "mde.core"
local errors = require "mde.base.error"
local options_of = require "mde.base.options"
local values = require "mde.hunting.value"

local M = {}

local name_flaws = {
  not_a_name = { "is no name of a parameter", "A name is 1 to 64 of A-Z a-z 0-9 _, and begins with a small letter." },
  like_a_column = { "is no name of a parameter: it does not begin with a small letter",
    "A column of that name would hide it, and be compared with itself." },
  keyword = { "is no name of a parameter: it is a word of the query language", "Give it another name." },
}

local function check_name(name)
  if type(name) ~= "string" then
    errors.invalid("parameter_malformed", ("mde.hunt: the parameters need names, and %s is not one"):format(
      errors.got(name)), "Write parameters = { hash = sha1 }, and hash in the query.")
  end
  local flaw = name_flaws[core.kql.name_flaw(name)]
  if not flaw then return end
  errors.invalid("parameter_malformed", ("mde.hunt: %s %s"):format(errors.quote(name), flaw[1]), flaw[2])
end

local function check_use(query, name)
  local use = core.kql.use(query, name)
  if use == "read" then return end
  if use then
    errors.invalid("parameter_malformed", ("mde.hunt: the query %s itself, beside the parameter of that name"):format(
      use == "called" and ("calls %s()"):format(name) or ("gives %s a meaning"):format(name)),
      "Give the parameter another name.")
  end
  local names = {}
  for _, used in ipairs(core.kql.names(query)) do
    if core.kql.name_flaw(used) ~= "keyword" then names[used] = true end
  end
  local near = options_of.nearest(name, names)
  errors.invalid("parameter_unused", ("mde.hunt: the query does not use the parameter %s"):format(name),
    near and ("Did you mean %s in the query? It stands there without quotes, %s == %s say."):format(errors.quote(near),
      "DeviceName", name) or ("It stands there without quotes: DeviceName == %s, say."):format(name))
end

--- The query with its parameters. Raises for those that cannot be used.
---@param query string
---@param parameters? table<string, mde.KqlParameter>
---@return string query
---@return integer before how many characters stand before the caller's own, in its first line
function M.bind(query, parameters)
  if parameters == nil then return query, 0 end
  if type(parameters) ~= "table" then
    errors.invalid("wrong_type", ("mde.hunt: option \"parameters\" must be a table, not %s"):format(
      errors.got(parameters)))
  end
  local names, spelled = {}, {}
  for name in pairs(parameters) do
    check_name(name)
    local folded = core.text.lower(name)
    if spelled[folded] then
      errors.invalid("parameter_malformed", ("mde.hunt: the parameters %s and %s differ by their case alone"):format(
        name, spelled[folded]), "Give one of them another name.")
    end
    spelled[folded] = name
    names[#names + 1] = name
  end
  table.sort(names, core.text.before)
  local statements = {}
  for i, name in ipairs(names) do
    check_use(query, name)
    local literal = values.literal(parameters[name], "mde.hunt: parameter " .. name)
    statements[i] = ("let %s = %s; "):format(name, literal)
  end
  local before = table.concat(statements)
  return before .. query, #before - select(2, before:gsub("[\128-\191]", ""))
end

return M
