--- guard: may this machine be cut off at all?
--
-- The core judges: src/core/guard.h has the rules. Here are the options of a client and the words. The rules stand
-- before every restrict, isolate and contain, in every kind of program, and before no release. guard.md says what they
-- are for and how one is lifted; how many there may be in an hour, cap.lua says.

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

---@alias mde.Rule "tags"|"names"|"device_values"|"servers"|"platforms"|"cap"|mde.IndicatorReach

---@class mde.Guard
---@field private chosen table<string, boolean|string[]>
---@field private rules mde.core.guard.Rules
---@field private names mde.Rule[] of the rules in force
local Guard = {}
Guard.__index = Guard

-- ---- options

local defaults = { tags = {}, names = {}, device_values = { "High" }, servers = true, platforms = {} }

local known_protect, known_rules = {}, { cap = true }
for _, rule in ipairs(core.guard.rules) do
  known_protect[rule], known_rules[rule] = "any", true
end

local device_values = { Low = true, Normal = true, High = true }

-- A list without gaps of texts: a nil in it would protect less than it seems to.
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

local function did_you_mean(word, known)
  local near = options_of.nearest(word, known)
  return near and ("Did you mean %q?"):format(near) or nil
end

-- What each flaw is called, and what to do.
local flaws = {
  empty = { "%s has nothing in it but characters that do not show", "Take it out." },
  blank = { "%s begins or ends with a space; no name does", "Take it out." },
  control = { "%s has a control character in it; no name has", "Take it out." },
  bracket = { "%s has a bracket in it, which no name has",
    "There are * (any characters) and ? (one character); write one glob for each alternative." },
  long = { "%s is longer than any name", "Write a shorter glob, with * for the rest." },
  unknown = { "there is no device value %s, only Low, Normal and High" },
  wildcard = { "%s has a wildcard, but platforms are compared as they are", "Write the whole names of the platforms." },
}

-- What can match nothing protects nothing, and that would show too late.
local function check_texts(rule, list, what)
  for _, text in ipairs(check_list(list, what)) do
    local flaw = core.guard.flaw(rule, text)
    if flaw then
      errors.invalid("wrong_value", ("%s: " .. flaws[flaw][1]):format(what, errors.quote(text)),
        flaws[flaw][2] or did_you_mean(text, device_values))
    end
  end
end

local function check_flag(value, what)
  if type(value) ~= "boolean" then
    errors.invalid("wrong_type", ("%s must be true or false, not %s"):format(what, errors.quote(value)))
  end
end

--- What a client protects. Raises for a wrong option.
---@param protect? mde.Protect
---@return mde.Guard
function M.new(protect)
  protect = options_of.check(protect, known_protect, "option \"protect\"")
  local chosen = {}
  for _, rule in ipairs(core.guard.rules) do
    local value, what = protect[rule], ("option \"protect\": %s"):format(rule)
    if value == nil then value = defaults[rule] end
    if type(defaults[rule]) == "boolean" then check_flag(value, what) else check_texts(rule, value, what) end
    chosen[rule] = value
  end
  local rules = core.guard.new(chosen)
  return setmetatable({ rules = rules, names = rules:rules(), chosen = chosen }, Guard)
end

--- The rules that a call lifts. Raises for a rule that there is not.
---@param allow? mde.Rule[]
---@return table<mde.Rule, boolean>
function M.allowed(allow)
  local set = {}
  for _, rule in ipairs(check_list(allow == nil and {} or allow, "option \"allow\"")) do
    if not known_rules[rule] then
      errors.invalid("unknown_rule", ("option \"allow\": there is no rule %s"):format(errors.quote(rule)),
        did_you_mean(rule, known_rules) or ("There are %s and cap."):format(table.concat(core.guard.rules, ", ")))
    end
    set[rule] = true
  end
  return set
end

-- ---- the machine

-- The names of the rules that a call does not lift.
local function in_force(self, allow)
  local names = {}
  for _, name in ipairs(self.names) do
    if not allow[name] then names[#names + 1] = name end
  end
  return names
end

--- Whether a machine's record has to be known before it is restricted.
---@param allow table<mde.Rule, boolean> rules that are lifted
---@return boolean
function Guard:judges(allow)
  for i = 1, #self.names do
    if not allow[self.names[i]] then return true end
  end
  return false
end

--- What is protected, as it was chosen: what a plan is bound to.
---@return table<string, boolean|string[]>
function Guard:describe()
  return self.chosen
end

--- The names of the rules in force.
---@return mde.Rule[]
function Guard:rule_names()
  return self.rules:rules()
end

--- How the rules of these names are lifted, in words.
---@param names mde.Rule[]
---@return string
function M.how_to_lift(names)
  local texts, switches = {}, {}
  for i, name in ipairs(names) do texts[i], switches[i] = errors.quote(name), "--allow " .. name end
  return ("allow = { %s } (%s)"):format(table.concat(texts, ", "), table.concat(switches, " "))
end

-- Why a record cannot be read where the restrict itself might still go out; nothing is gained by lifting a
-- rule where the sign-in fails, say.
local is_curable = { unavailable = true, permission = true, protocol = true, refused = true }

--- The error of a machine whose record, which has to be judged, could not be read.
---@param err mde.Error why
---@param verb string
---@param allow table<mde.Rule, boolean>
---@return mde.Error
function Guard:unjudged(err, verb, allow)
  if not is_curable[err.kind] then return err end
  local names = in_force(self, allow)
  return errors.wrap(err, { code = "record_unreadable",
    hint = errors.and_hint(err, ("To %s it unseen, give %s."):format(verb, M.how_to_lift(names))),
    message = ("nothing was sent, since its record could not be read to see whether it is protected (%s)")
      :format(table.concat(names, ", ")) })
end

local fields = { tags = "machineTags", names = "computerDnsName", device_values = "deviceValue",
  servers = "osPlatform", platforms = "osPlatform" }

-- In words, by what a rule is broken; where it is one text, that, and what it matches if that is written differently.
local reasons = {
  matches = function(broken, field)
    if broken.rule == "names" then
      return ("its name %s matches %s"):format(errors.quote(broken.found), errors.quote(broken.by))
    elseif broken.rule ~= "tags" then
      return ("its %s is %s"):format(field, errors.quote(broken.found))
    end
    return ("it has the tag %s"):format(errors.quote(broken.found))
      .. (broken.found ~= broken.by and (", protected as %s"):format(errors.quote(broken.by)) or "")
  end,
  missing = function(broken, field)
    return ("its record has no %s"):format(field) .. (broken.rule == "servers" and ", so it counts as a server" or "")
  end,
  not_a_text = function(_, field) return ("its %s is not a text"):format(field) end,
  not_a_list = function(_, field) return ("its %s are not a list"):format(field) end,
  item_not_a_text = function(_, field) return ("one of its %s is not a text"):format(field) end,
  too_long = function(_, field) return ("its %s is longer than any name"):format(field) end,
}

--- Why a machine may not be cut off; nil if it may.
---@param record mde.Record
---@param verb string
---@param allow table<mde.Rule, boolean>
---@return mde.Error? err of kind `protected`
function Guard:refusal(record, verb, allow)
  local names, parts = {}, {}
  for i, broken in ipairs(self.rules:judge(record, allow)) do
    names[i] = broken.rule
    parts[i] = ("rule %s: %s"):format(errors.quote(broken.rule), reasons[broken.reason](broken, fields[broken.rule]))
  end
  if #names == 0 then return nil end
  local name = record.computerDnsName
  local shown = name ~= nil and name ~= "" and
    (", %s,"):format(type(name) == "string" and errors.quote(name) or "not a text") or ""
  return errors.new {
    kind = "protected", code = "machine_protected", rule = names[1], machine_id = record.id,
    message = ("machine %s%s is protected (%s)"):format(errors.show(record.id), shown, table.concat(parts, "; ")),
    hint = ("To %s it all the same, give %s."):format(verb, M.how_to_lift(names)),
  }
end

return M
