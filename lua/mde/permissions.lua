--- permissions: which application permission each function needs, and what a set of them is good for.
--
-- Those of Defender for Endpoint and those of Microsoft Graph are roles of two resources, and stand in two tokens.

local core = require "mde.core"

local M = {}

M.reading = "Machine.Read.All or Machine.ReadWrite.All"
M.restricting = "Machine.RestrictExecution"
M.writing = "Machine.ReadWrite.All"

local function has_any(roles, needs)
  for _, role in ipairs(roles) do
    for name in (needs .. " or "):gmatch "(.-) or " do
      if name == role then return true end
    end
  end
  return false
end

-- `expected`: an application of this library has the permission as a rule; the other response actions are an extra.
local functions = {
  { name = "machine, machines", needs = M.reading, expected = true },
  { name = "action, actions, wait, report, expired", needs = M.reading, expected = true },
  { name = "state, states, restricted, find_action", needs = M.reading, expected = true },
  { name = "restrict", needs = M.restricting, expected = true },
  { name = "release", needs = M.restricting, expected = true },
  { name = "cancel", needs = M.restricting, expected = true },
}

-- The other rows of the table that are functions, those of one permission together.
local function add_extras()
  local known, groups = { restrict = true, release = true, cancel = true }, {}
  for _, name in ipairs(core.response_actions) do
    local needs = core.response_actions[name].permission
    local group = not known[name] and groups[needs]
    if group then
      group.name = group.name .. ", " .. name
    elseif not known[name] then
      groups[needs] = { name = name, needs = needs }
      functions[#functions + 1] = groups[needs]
    end
  end
end

add_extras()

-- What else Defender knows, by what it is and not by a function.
for _, one in ipairs {
  { name = "alerts of Defender", needs = "Alert.Read.All or Alert.ReadWrite.All" },
  { name = "changes of Defender's alerts", needs = "Alert.ReadWrite.All" },
  { name = "indicators", needs = "Ti.ReadWrite.All" },
  { name = "software of a device", needs = "Software.Read.All" },
  { name = "vulnerabilities of a device", needs = "Vulnerability.Read.All" },
  { name = "recommendations for a device", needs = "SecurityRecommendation.Read.All" },
  { name = "users of a device", needs = "User.Read.All" },
  { name = "device groups", needs = "Score.Read.All" },
} do
  one.topic = true
  functions[#functions + 1] = one
end

-- The same of Microsoft Graph. The expected ones read.
local of_graph = {
  { name = "alerts of Graph", needs = "SecurityAlert.Read.All or SecurityAlert.ReadWrite.All", expected = true },
  { name = "changes of Graph's alerts", needs = "SecurityAlert.ReadWrite.All" },
  { name = "incidents of Graph", needs = "SecurityIncident.Read.All or SecurityIncident.ReadWrite.All",
    expected = true },
  { name = "changes of Graph's incidents", needs = "SecurityIncident.ReadWrite.All" },
  { name = "hunting", needs = "ThreatHunting.Read.All", expected = true },
}

-- What a function that changes something cannot do where nothing can be read.
local function blind(name, rules)
  local allow = name == "restrict" and rules[1]
    and ("; only with allow = { \"%s\" }"):format(table.concat(rules, "\", \"")) or ""
  return ("by machine id alone, without looking first%s"):format(allow)
end

--- What each function can do with these roles.
---@param roles string[]
---@param rules mde.Rule[] of the guard, the cap among them, that are in force
---@return mde.DoctorFunction[]
function M.functions(roles, rules)
  local can_read, list = has_any(roles, M.reading), {}
  for i, one in ipairs(functions) do
    local works = has_any(roles, one.needs)
    local remark = works and not can_read and one.needs == M.restricting and one.name ~= "cancel"
      and blind(one.name, rules) or nil
    list[i] = { name = one.name, needs = one.needs, works = works, expected = one.expected, remark = remark,
      topic = one.topic }
  end
  return list
end

--- What Microsoft Graph gives with these roles of it.
---@param roles string[]
---@return mde.DoctorFunction[]
function M.graph(roles)
  local list = {}
  for i, one in ipairs(of_graph) do
    list[i] = { name = one.name, needs = one.needs, works = has_any(roles, one.needs), expected = one.expected,
      topic = true }
  end
  return list
end

return M
