-- A tenant written by hand: a file with options of `sim.new`, as a table of Lua or as JSON (see sim.md).
local alert_record = require "mde.sim.model.alert_record"
local core = require "mde.core"
local validation = require "mde.sim.base.validation"
local json = require "mde.sim.base.json"
local schema = require "mde.sim.odata.schema"

local M = {}

-- What a file may tell. The clock, ids and secrets are not its matter.
local allowed = {
  machines = true, actions = true, applications = true, fleet = true, roles = true, graph_roles = true,
  lifetime = true, delays = true, duplicates = true, limits = true, comment_limit = true, lists = true,
  identities = true, app_header = true, faults = true, completion = true, comparison = true,
  repeated_isolation = true, bulk_tags = true, package_uri = true, alerts = true, incidents = true,
  story = true, alert_lists = true, hunting = true, imports = true, export_links = true,
}

-- Raises a message about a position in the text.
local function refuse_at(text, position, message)
  local _, line_breaks = text:sub(1, position - 1):gsub("\n", "")
  error((":%d: %s"):format(line_breaks + 1, message), 0)
end

local function read_json(text)
  local position = json.control_character(text)
  if position then refuse_at(text, position, "a text holds a line break or another control character") end
  local value, message = json.decode_object(text)
  if value then return value end
  position = message:match " at character (%d+)"
  if position then refuse_at(text, core.number.read(position), message) end
  error(": " .. message, 0)
end

-- Whether nothing but blanks and comments stands before a table.
local function is_table_alone(text)
  local position = 1
  while true do
    position = text:find("%S", position) or #text + 1
    if text:sub(position, position + 1) ~= "--" then return text:sub(position, position) == "{" end
    local level = text:match("^%-%-%[(=*)%[", position)
    local _, stop = text:find(level and "]" .. level .. "]" or "\n", position, true)
    position = (stop or #text) + 1
  end
end

local surroundings = {
  __index = function(_, name)
    error(("there is no '%s' here: texts stand in quotes"):format(tostring(name)), 2)
  end,
}

-- The file sees nothing but `null`. Lua's own messages begin with the line, after a name that is short enough to stay.
local function read_lua(text)
  if text:sub(1, 1) == "\27" then error(": it is compiled, and must be text", 0) end
  if is_table_alone(text) then text = "return " .. text end
  local chunk, message = load(text, "=fixture", "t", setmetatable({ null = json.null }, surroundings))
  local ok, value = chunk ~= nil, message
  if chunk then ok, value = pcall(chunk) end
  if not ok then error(":" .. tostring(value):gsub("^fixture:", ""), 0) end
  if type(value) ~= "table" then error(": it does not return a table", 0) end
  return value
end

local function check_values(kind, record)
  for name, value in pairs(record) do
    local problem = schema.undocumented(kind, name, value)
    if problem then error(problem, 0) end
  end
end

local function check_list(name, list)
  validation.check_list(name, list, "table")
  for key in pairs(list) do
    if type(key) ~= "number" then
      error(("%s must be a list of tables: '%s' stands in none"):format(name, tostring(key)), 0)
    end
  end
end

-- What the tenant lets pass, since it can be told to be strange, and a hand does not mean.
local function check_records(options)
  check_list("machines", options.machines or {})
  for _, name in ipairs { "actions", "alerts", "incidents" } do check_list(name, options[name] or {}) end
  local place_of = {}
  validation.for_each("machines", options.machines or {}, function(machine, i)
    check_values(schema.machine, machine)
    local id = type(machine.id) == "string" and core.text.lower(machine.id)
    if id and place_of[id] then error(("the id is that of machines[%d]"):format(place_of[id]), 0) end
    if id then place_of[id] = i end
  end)
  validation.for_each("actions", options.actions or {}, function(action)
    check_values(schema.action, action)
    if action.type ~= nil and action.machineId == nil and action.computerDnsName == nil then
      error("an action needs a machine: machineId or computerDnsName", 0)
    end
  end)
  for kind, name in pairs { alert = "alerts", incident = "incidents" } do
    validation.for_each(name, options[name] or {}, function(record)
      local problem = alert_record.undocumented(kind, record)
      if problem then error(problem, 0) end
    end)
  end
end

local function check(options)
  for name in pairs(options) do
    if not allowed[name] then error(": " .. validation.unknown("", name, allowed), 0) end
  end
  if options.machines and options.fleet then error(": either `machines` or `fleet`, not both", 0) end
  local ok, message = pcall(check_records, options)
  if not ok then error(": " .. message, 0) end
end

--- Reads a file: JSON if its name ends so, a table of Lua otherwise. Raises a message that names the file, the line or
--- the place, and what is wanted.
---@param path string
---@return table options
function M.read(path)
  local file, why = io.open(path, "rb")
  if not file then error(why, 0) end
  local text = file:read "*a"
  file:close()
  if not text then error(path .. " cannot be read", 0) end
  text = text:gsub("^\239\187\191", "")
  local ok, options = pcall(core.text.lower(path):find "%.json$" and read_json or read_lua, text)
  if not ok then error(path .. options, 0) end
  local message
  ok, message = pcall(check, options)
  if not ok then error(path .. message, 0) end
  return options
end

--- The options with those of the file that `fixture` names; what is told in both is as the options have it.
---@param options table
---@return table merged
---@return table<string, boolean> from_file which of them the file says
function M.merge(options)
  if type(options.fixture) ~= "string" then error("fixture must be the path of a file", 0) end
  local merged, from_file = M.read(options.fixture), {}
  if options.machines then merged.fleet = nil elseif options.fleet then merged.machines = nil end
  for name in pairs(merged) do from_file[name] = options[name] == nil end
  for name, value in pairs(options) do merged[name] = value end
  return merged, from_file
end

return M
