-- A tenant written by hand: a file with options of `sim.new`, as a table of Lua or as JSON (see sim.md).
local json = require "mde.sim.json"

local fixture = {}

-- What a file may tell. The clock, ids and secrets are not its matter.
local allowed = {
  machines = true, actions = true, applications = true, fleet = true, roles = true, lifetime = true, delays = true,
  duplicates = true, limits = true, comment_limit = true, lists = true,
}

local function read_json(text)
  return json.decode_object(text)
end

-- The file sees nothing but `null`.
local function read_lua(text, name)
  if text:sub(1, 1) == "\27" then return nil, "is compiled" end
  if text:find "^%s*{" then text = "return " .. text end
  local chunk, message = load(text, "=" .. name, "t", { null = json.null })
  if not chunk then return nil, message end
  local ok, value = pcall(chunk)
  if not ok then return nil, value end
  if type(value) ~= "table" then return nil, "does not return a table" end
  return value
end

--- Reads a file: JSON if its name ends so, a table of Lua otherwise. Raises a message that names the file.
---@param path string
---@return table options
function fixture.read(path)
  local file, why = io.open(path, "rb")
  if not file then error(why, 0) end
  local text = file:read "*a"
  file:close()
  if not text then error(path .. " cannot be read", 0) end
  text = text:gsub("^\239\187\191", "")
  local read = path:lower():find "%.json$" and read_json or read_lua
  local options, message = read(text, path)
  if not options then error(("%s: %s"):format(path, tostring(message)), 0) end
  for name in pairs(options) do
    if not allowed[name] then error(("%s: there is no '%s'"):format(path, tostring(name)), 0) end
  end
  return options
end

--- The options with those of the file that `fixture` names; what is told in both is as the options have it.
---@param options table
---@return table merged
function fixture.merge(options)
  if type(options.fixture) ~= "string" then error("fixture must be the path of a file", 0) end
  local merged = fixture.read(options.fixture)
  if options.machines then merged.fleet = nil elseif options.fleet then merged.machines = nil end
  for name, value in pairs(options) do merged[name] = value end
  return merged
end

return fixture
