--- guard: may this machine be restricted at all?
--
-- The rules judge the machine's record, which they are given. What cannot be judged is refused. They stand before every
-- restrict, in every kind of program, and before no release. guard.md says what they are for and how one is lifted; how
-- many restricts there may be, cap.lua says.

local core = require "mde.core"
local errors = require "mde.base.error"
local options_of = require "mde.base.options"

local M = {}

---@class mde.Protect
---@field tags? string[] machines with one of these tags; default none
---@field names? string[] machines whose name, whole or up to the first dot, matches one of these globs (* and ?)
---@field device_values? string[] machines of one of these values: "Low", "Normal", "High"; default { "High" }
---@field servers? boolean Windows servers, and machines whose platform is not known; default true
---@field platforms? string[] machines of one of these platforms, "Windows10" say; default none

---@alias mde.Rule "tags"|"names"|"device_values"|"servers"|"platforms"|"cap"

---@class mde.Guard
---@field private rules { name: mde.Rule, judge: fun(record: mde.Record): string? }[] those in force, in their order
local Guard = {}
Guard.__index = Guard

-- ---- rules: each gives, for what the client protects, a function that says why a machine is protected

local function quoted(value)
  return type(value) == "string" and errors.quote(value) or "not a text"
end

-- Every machine has a name and a platform: where the record lacks them it does not tell enough.
local function is_missing(value)
  return value == nil or value == ""
end

local function set_of(list)
  local set = {}
  for _, text in ipairs(list) do set[core.text.lower(text)] = true end
  return set
end

local function protect_tags(list)
  local protected = set_of(list)
  return function(machine)
    local tags = machine.machineTags
    if tags == nil then return nil end
    if type(tags) ~= "table" then return "its machineTags are not a list" end
    for _, tag in pairs(tags) do
      if type(tag) ~= "string" then return "one of its machineTags is not a text" end
      if protected[core.text.lower(tag)] then return "it has the tag " .. errors.quote(tag) end
    end
  end
end

-- Whether a text matches a glob: where a star has taken too little, it takes one more.
local function matches(glob, text)
  local g, t, star, taken = 1, 1, nil, nil
  while t <= #text do
    local wanted = glob:sub(g, g)
    if wanted == "*" then
      star, taken = g, t
      g = g + 1
    elseif wanted == "?" or wanted == text:sub(t, t) then
      -- A question mark stands for a character, which may be several bytes.
      g, t = g + 1, t + (wanted == "?" and #text:match("^.[\128-\191]*", t) or 1)
    elseif star then
      taken = taken + 1
      g, t = star + 1, taken
    else
      return false
    end
  end
  return not glob:find("[^*]", g)
end

local function protect_names(list)
  local globs = {}
  for i, glob in ipairs(list) do globs[i] = core.name.normal(glob) end
  return function(machine)
    local name = machine.computerDnsName
    if is_missing(name) then return "its record has no computerDnsName" end
    if type(name) ~= "string" then return "its computerDnsName is not a text" end
    local whole = core.name.normal(name)
    local host = whole:match "^[^.]*"
    for i, glob in ipairs(globs) do
      if matches(glob, whole) or matches(glob, host) then
        return ("its name %s matches %s"):format(errors.quote(name), errors.quote(list[i]))
      end
    end
  end
end

local function protect_device_values(list)
  local protected = set_of(list)
  return function(machine)
    local value = machine.deviceValue
    if value ~= nil and (type(value) ~= "string" or protected[core.text.lower(value)]) then
      return "its deviceValue is " .. quoted(value)
    end
  end
end

local function protect_servers(wanted)
  return wanted and function(machine)
    local platform = machine.osPlatform
    if is_missing(platform) then return "its record has no osPlatform, so it counts as a server" end
    if type(platform) ~= "string" or core.text.lower(platform):find("server", 1, true) then
      return "its osPlatform is " .. quoted(platform)
    end
  end
end

local function protect_platforms(list)
  local protected = set_of(list)
  return function(machine)
    local platform = machine.osPlatform
    if is_missing(platform) then return "its record has no osPlatform" end
    if type(platform) ~= "string" or protected[core.text.lower(platform)] then
      return "its osPlatform is " .. quoted(platform)
    end
  end
end

-- ---- options

-- A list without gaps of texts that are not empty: a nil in it would protect less than it seems to.
local function check_list(list, what)
  local count = 0
  for _ in pairs(type(list) == "table" and list or {}) do count = count + 1 end
  if type(list) ~= "table" or count ~= #list then
    errors.invalid("wrong_type", ("%s must be a list of strings, not %s"):format(what,
      type(list) == "table" and "a table with gaps or names" or errors.quote(list)))
  end
  for i = 1, count do
    if type(list[i]) ~= "string" or not list[i]:find "%S" then
      errors.invalid("wrong_type", ("%s: item %d must be a string with something in it, not %s"):format(what, i,
        errors.quote(list[i])))
    end
  end
  return list
end

local device_values = { Low = true, Normal = true, High = true }

local function check_device_values(list, what)
  local known = set_of { "Low", "Normal", "High" }
  for _, value in ipairs(check_list(list, what)) do
    if not known[core.text.lower(value)] then
      local near = options_of.nearest(value, device_values)
      errors.invalid("wrong_value",
        ("%s: there is no device value %s, only Low, Normal and High"):format(what, errors.quote(value)),
        near and ("Did you mean %q?"):format(near) or nil)
    end
  end
  return list
end

local function check_platforms(list, what)
  for _, platform in ipairs(check_list(list, what)) do
    if platform:find "[*?]" then
      errors.invalid("wrong_value", ("%s: %s has a wildcard, but platforms are compared as they are"):format(what,
        errors.quote(platform)), "Write the whole names of the platforms.")
    end
  end
  return list
end

-- What no name of a machine can match protects nothing, and that would show too late.
local function check_names(list, what)
  for _, glob in ipairs(check_list(list, what)) do
    if glob:find "[%z\1-\31\127]" or glob:find "^%s" or glob:find "%s$" then
      errors.invalid("wrong_value",
        ("%s: %s begins or ends with a space, or has a control character in it; no name does")
        :format(what, errors.quote(glob)), "Take it out.")
    elseif glob:find "[%[%]{}]" then
      errors.invalid("wrong_value", ("%s: %s has a bracket in it, which no name has"):format(what, errors.quote(glob)),
        "There are * (any characters) and ? (one character); write one glob for each alternative.")
    end
  end
  return list
end

local function check_flag(value, what)
  if type(value) ~= "boolean" then
    errors.invalid("wrong_type", ("%s must be true or false, not %s"):format(what, errors.quote(value)))
  end
  return value
end

-- What `protect` can name, in the order in which it is judged: what holds by default, what may be told, and what
-- makes the judge of it.
local kinds = {
  { name = "tags", default = {}, check = check_list, protect = protect_tags },
  { name = "names", default = {}, check = check_names, protect = protect_names },
  { name = "device_values", default = { "High" }, check = check_device_values, protect = protect_device_values },
  { name = "servers", default = true, check = check_flag, protect = protect_servers },
  { name = "platforms", default = {}, check = check_platforms, protect = protect_platforms },
}

local known_protect, known_rules = {}, { cap = true }
for _, kind in ipairs(kinds) do
  known_protect[kind.name], known_rules[kind.name] = "any", true
end

-- A copy, so that nobody can change what is protected by changing the table that was given.
local function copy(list)
  if type(list) ~= "table" then return list end
  local items = {}
  for i, item in ipairs(list) do items[i] = item end
  return items
end

--- What a client protects. Raises for a wrong option.
---@param protect? mde.Protect
---@return mde.Guard
function M.new(protect)
  protect = options_of.check(protect, known_protect, "option \"protect\"")
  local rules = {}
  for _, kind in ipairs(kinds) do
    local value = protect[kind.name]
    if value == nil then value = kind.default end
    value = copy(kind.check(value, ("option \"protect\": %s"):format(kind.name)))
    if value ~= false and (value == true or value[1]) then
      rules[#rules + 1] = { name = kind.name, judge = kind.protect(value) }
    end
  end
  return setmetatable({ rules = rules }, Guard)
end

--- The rules that a call lifts. Raises for a rule that there is not.
---@param allow? mde.Rule[]
---@return table<mde.Rule, boolean>
function M.allowed(allow)
  local set = {}
  for _, rule in ipairs(check_list(allow == nil and {} or allow, "option \"allow\"")) do
    if not known_rules[rule] then
      local near = options_of.nearest(rule, known_rules)
      errors.invalid("unknown_rule", ("option \"allow\": there is no rule %s"):format(errors.quote(rule)),
        near and ("Did you mean %q?"):format(near)
          or "There are tags, names, device_values, servers, platforms and cap.")
    end
    set[rule] = true
  end
  return set
end

-- ---- the machine

local function in_force(self, allow)
  local rules = {}
  for _, rule in ipairs(self.rules) do
    if not allow[rule.name] then rules[#rules + 1] = rule end
  end
  return rules
end

--- Whether a machine's record has to be known before it is restricted.
---@param allow table<mde.Rule, boolean> rules that are lifted
---@return boolean
function Guard:judges(allow)
  return #in_force(self, allow) > 0
end

--- The names of the rules in force.
---@return mde.Rule[]
function Guard:rule_names()
  local names = {}
  for i, rule in ipairs(self.rules) do names[i] = rule.name end
  return names
end

--- How the rules of these names are lifted, in words.
---@param names mde.Rule[]
---@return string
function M.how_to_lift(names)
  local texts, switches = {}, {}
  for i, name in ipairs(names) do texts[i], switches[i] = errors.quote(name), "--allow " .. name end
  return ("allow = { %s } (%s)"):format(table.concat(texts, ", "), table.concat(switches, " "))
end

local function names_of(rules)
  local names = {}
  for i, rule in ipairs(rules) do names[i] = rule.name end
  return names
end

-- Why a record cannot be read where the restrict itself might still go out; nothing is gained by lifting a
-- rule where the sign-in fails, say.
local is_curable = { unavailable = true, permission = true, protocol = true, refused = true }

--- The error of a machine whose record, which has to be judged, could not be read.
---@param err mde.Error why
---@param allow table<mde.Rule, boolean>
---@return mde.Error
function Guard:unjudged(err, allow)
  if not is_curable[err.kind] then return err end
  local names = names_of(in_force(self, allow))
  return errors.wrap(err, { code = "record_unreadable",
    hint = errors.and_hint(err, "To restrict it unseen, give " .. M.how_to_lift(names) .. "."),
    message = ("nothing was sent, since its record could not be read to see whether it is protected (%s)")
      :format(table.concat(names, ", ")) })
end

local function protected(machine, rules, reasons)
  local parts = {}
  for i, rule in ipairs(rules) do parts[i] = ("rule %s: %s"):format(errors.quote(rule.name), reasons[i]) end
  return errors.new {
    kind = "protected", code = "machine_protected", rule = rules[1].name, machine_id = machine.id,
    message = ("machine %s%s is protected (%s)"):format(errors.show(machine.id),
      is_missing(machine.computerDnsName) and "" or ", " .. quoted(machine.computerDnsName) .. ",",
      table.concat(parts, "; ")),
    hint = ("To restrict it all the same, give %s."):format(M.how_to_lift(names_of(rules))),
  }
end

--- Why a machine may not be restricted; nil if it may.
---@param record mde.Record
---@param allow table<mde.Rule, boolean>
---@return mde.Error? err of kind `protected`
function Guard:refusal(record, allow)
  local broken, reasons = {}, {}
  for _, rule in ipairs(in_force(self, allow)) do
    local reason = rule.judge(record)
    if reason then broken[#broken + 1], reasons[#reasons + 1] = rule, reason end
  end
  if #broken > 0 then return protected(record, broken, reasons) end
end

return M
