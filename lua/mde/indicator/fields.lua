--- fields: what an indicator says: checked before anything is sent, and written as the service reads it.
--
-- Whether a value is one of its type, and whom it would hit, the core tells (src/core/indicator.h). What would hit more
-- than anybody means is refused by the name of a rule, which the option `allow` lifts: see indicator.md.

local core = require "mde.core"
local errors = require "mde.base.error"
local operators = require "mde.query.operators"
local options_of = require "mde.base.options"
local row_fields = require "mde.base.row_fields"
local times = require "mde.query.times"

local M = { PERMISSION = "Ti.ReadWrite.All" }

---@alias mde.IndicatorAction "Allowed"|"Audit"|"Block"|"BlockAndRemediate"|"Warn"
---@alias mde.IndicatorSeverity "Informational"|"Low"|"Medium"|"High"

---@class mde.IndicatorFields what an indicator says
---@field indicatorValue string a hash, an address, a domain or a URL
---@field indicatorType mde.IndicatorType
---@field action mde.IndicatorAction
---@field title string
---@field description string
---@field severity? mde.IndicatorSeverity default the service's
---@field expirationTime? mde.Time default none: until it is deleted
---@field expires_in? string|number the same as a span from now: "30d", or seconds
---@field recommendedActions? string
---@field application? string kept from the first time on
---@field educateUrl? string of Block and Warn: a page that users are led to
---@field externalId? string
---@field generateAlert? boolean default true for Audit, which cannot be without, else the service's
---@field rbacGroupNames? string[] the device groups that it is for; default all devices; an empty list is refused
---@field rbacGroupIds? integer[] their ids, beside the names

---@class mde.Indicator: mde.IndicatorFields one of the tenant
---@field id string a number
---@field expirationTime? string
---@field creationTimeDateTimeUtc? string
---@field lastUpdateTime? string
---@field createdBy? string
---@field createdByDisplayName? string
---@field source? string
---@field outcome? "added"|"would_add"|"would_change" of mde.add_indicator: what was done, or would be
---@field present? mde.Indicator of a dry run: the one that would be changed

local types = { FileSha1 = "40 hexadecimal digits", FileSha256 = "64 hexadecimal digits",
  FileMd5 = "32 hexadecimal digits", CertificateThumbprint = "40 hexadecimal digits", IpAddress = "one IP address",
  DomainName = "a domain, bad.example say", Url = "a URL, https://bad.example/x say" }

local actions = { Allowed = true, Audit = true, Block = true, BlockAndRemediate = true, Warn = true }
local ended = { Alert = "Audit", AlertAndBlock = "Block, with generateAlert = true" }
local severities = { Informational = true, Low = true, Medium = true, High = true }

-- ---- fields

local function check_choice(name, value, choices)
  if type(value) == "string" and choices[value] then return end
  local near = type(value) == "string" and options_of.nearest(value, choices)
  errors.invalid("wrong_value", ("%s must be %s, not %s"):format(name, options_of.listed(choices), errors.got(value)),
    near and ("Did you mean %q?"):format(near) or nil)
end

local function check_text(name, value)
  if type(value) ~= "string" or not value:find "%S" then
    errors.invalid(value == nil and "missing_value" or "wrong_type",
      ("%s must be a text with something in it, not %s"):format(name, errors.got(value)))
  end
  local flaw = core.odata.flaw((value:gsub("[\t\r\n]", " ")))
  if flaw then errors.invalid("text_malformed", ("%s: the text %s %s"):format(name, errors.quote(value), flaw)) end
end

local function check_link(name, value)
  check_text(name, value)
  if core.indicator.flaw("Url", value) then
    errors.invalid("wrong_value", ("%s is %s, and not a URL of http or https"):format(name, errors.quote(value)),
      "Users are led there.")
  end
end

local function check_truth(name, value)
  if type(value) ~= "boolean" then
    errors.invalid("wrong_type", ("%s must be true or false, not %s"):format(name, errors.got(value)))
  end
end

local function check_list(name, value, element, wanted)
  local count = 0
  for _ in pairs(type(value) == "table" and value or {}) do count = count + 1 end
  local is_list = type(value) == "table" and count == #value
  for i = 1, is_list and count or 0 do
    local one = value[i]
    is_list = is_list and type(one) == element and (element ~= "number" or one % 1 == 0)
  end
  if not is_list then errors.invalid("wrong_type", ("%s must be a list of %s"):format(name, wanted)) end
end

-- An empty list may be one that was computed and came out so; without it, the indicator would be for all devices.
local function check_groups(name, value, element, wanted)
  check_list(name, value, element, wanted)
  if not value[1] then
    errors.invalid("empty_list", ("%s was given an empty list"):format(name),
      "Name device groups, or leave it out: then the indicator is for all devices.")
  end
end

local function check_group_names(name, value)
  check_groups(name, value, "string", "texts")
  for i, group in ipairs(value) do check_text(("%s[%d]"):format(name, i), group) end
end

local checks = {
  indicatorType = function(name, value) check_choice(name, value, types) end,
  severity = function(name, value) check_choice(name, value, severities) end,
  title = check_text, description = check_text, recommendedActions = check_text, application = check_text,
  educateUrl = check_link, externalId = check_text, generateAlert = check_truth,
  rbacGroupNames = check_group_names,
  rbacGroupIds = function(name, value) check_groups(name, value, "number", "whole numbers") end,
}

function checks.action(name, value)
  if ended[value] then
    errors.invalid("wrong_value", ("%s %s ended in January 2022"):format(name, value),
      ("Write %s."):format(ended[value]))
  end
  check_choice(name, value, actions)
end

local words = {
  empty = "is empty", not_a_hash = "is not a hash", other_hash = "has not so many digits as the type",
  not_an_address = "is not an IP address", range = "is a range, and the service takes single addresses alone",
  ambiguous = "has a number that begins with a zero, which some read as octal", not_a_domain = "is not a domain",
  wildcard = "has a star in it; a domain means what is below it, too", address = "is an address",
  url = "is more than a domain", not_a_url = "is not a URL of http or https",
  user_in_url = "has a user before the host, which hides the host", too_long = "is too long",
}
local better = { address = "Its type is IpAddress.", url = "Its type is Url, or write the domain alone." }

local function check_value(value, type_of)
  if type(value) ~= "string" then
    errors.invalid(value == nil and "missing_value" or "wrong_type",
      ("indicatorValue must be a text, not %s"):format(errors.got(value)))
  end
  local flaw = core.indicator.flaw(type_of, value)
  if flaw then
    errors.invalid("indicator_malformed", ("the value %s of type %s %s"):format(errors.quote(value), type_of,
      words[flaw]), better[flaw] or ("Write %s."):format(types[type_of]))
  end
end

-- When it ends, as the service reads it; nil: never.
local function end_of(fields, now)
  local seconds
  if fields.expires_in ~= nil then
    if fields.expirationTime ~= nil then
      errors.invalid("contradictory_options", "an indicator has expirationTime or expires_in, not both",
        "Leave one of them out.")
    end
    local span = operators.span(fields.expires_in)
    if not span or span == 0 then
      errors.invalid("wrong_value", ("expires_in is %s, and not a span of time"):format(
        errors.got(fields.expires_in)), 'Write "12h" or "30d".')
    end
    seconds = now + span
  elseif fields.expirationTime ~= nil then
    seconds = select(2, times.read(fields.expirationTime, now, "expirationTime"))
  else
    return nil
  end
  if seconds <= now then
    errors.invalid("time_out_of_range", ("expirationTime is %s, which is over"):format(core.timestamp.write(seconds)),
      "Give a time to come.")
  end
  return core.timestamp.write(math.floor(seconds))
end

--- What is sent for an indicator. Raises for anything else.
---@param fields mde.IndicatorFields
---@param now number the service's time, Unix seconds
---@return table body
function M.body(fields, now)
  if type(fields) ~= "table" then
    errors.invalid(fields == nil and "missing_value" or "wrong_type",
      ("an indicator is a table, not %s"):format(errors.got(fields)),
      "Write { indicatorValue = ..., indicatorType = ..., action = ..., title = ..., description = ... }.")
  end
  local known = { indicatorValue = true, expirationTime = true, expires_in = true }
  for name in pairs(checks) do known[name] = true end
  for name in pairs(fields) do
    if not known[name] then
      local near = type(name) == "string" and options_of.nearest(name, known)
      errors.invalid("unknown_field", ("an indicator has no field %s"):format(errors.quote(name)),
        near and ("Did you mean %q?"):format(near) or ("There are %s."):format(options_of.listed(known)))
    end
  end
  local body = { expirationTime = end_of(fields, now) }
  for _, name in ipairs { "indicatorType", "action", "title", "description" } do checks[name](name, fields[name]) end
  for name, check in pairs(checks) do
    local value = fields[name]
    if value ~= nil then check(name, value) end
    body[name] = value
  end
  check_value(fields.indicatorValue, fields.indicatorType)
  body.indicatorValue = fields.indicatorValue
  if body.action == "Audit" then
    if body.generateAlert == false then
      errors.invalid("wrong_value", "generateAlert is false, and the service refuses that for Audit", "Leave it out.")
    end
    body.generateAlert = true
  elseif body.educateUrl and body.action ~= "Block" and body.action ~= "Warn" then
    errors.invalid("option_without_effect", "educateUrl belongs to Block and Warn", "Leave it out.")
  end
  return body
end

-- ---- whom it would hit

local reaches = {
  empty_file = "is the hash of a file without a byte, which is on every device",
  any_address = "stands for no host but for any, or for many",
  own_address = "is each device's own address",
  private_address = "is an address of your own networks",
  top_level_domain = "is a domain under which others register theirs, or a name without a dot",
  vital_domain = "belongs to what devices sign in at, are updated from or report to",
}
M.rules = reaches

-- Which rules are in force for what. Audit tells and does nothing.
local blocking = { empty_file = true, any_address = true, own_address = true, private_address = true,
  top_level_domain = true, vital_domain = true }
local in_force = { Block = blocking, BlockAndRemediate = blocking, Warn = blocking,
  Allowed = { any_address = true, top_level_domain = true }, Audit = {} }

--- The rules that a call lifts. Raises for a rule that is not there.
---@param allow any
---@return table<string, boolean>
function M.lifted(allow)
  local lifted = {}
  if allow == nil then return lifted end
  check_list("option \"allow\"", allow, "string", "rules")
  for _, rule in ipairs(allow) do
    if not reaches[rule] then
      local near = options_of.nearest(rule, reaches)
      errors.invalid("unknown_rule", ("option \"allow\": there is no rule %s of indicators"):format(
        errors.quote(rule)), near and ("Did you mean %q?"):format(near)
        or ("There are %s."):format(options_of.listed(reaches)))
    end
    lifted[rule] = true
  end
  return lifted
end

--- Why an indicator would hit more than is meant.
---@param body table
---@param lifted table<string, boolean>
---@return mde.Error?
function M.too_wide(body, lifted)
  local rule = core.indicator.reach(body.indicatorType, body.indicatorValue)
  if not rule or not in_force[body.action][rule] or lifted[rule] then return nil end
  return errors.new { kind = "protected", code = "indicator_too_wide", rule = rule,
    message = ("nothing was sent: %s %s"):format(errors.quote(body.indicatorValue), reaches[rule]),
    hint = ("If it is meant, allow = { \"%s\" } (--allow %s) lifts the rule."):format(rule, rule) }
end

--- What tells one indicator from another.
---@param fields table
---@return string
function M.key(fields)
  return fields.indicatorType .. " " .. core.text.lower(fields.indicatorValue)
end

local texts = { "id", "indicatorValue", "indicatorType", "action", "title", "description", "severity", "expirationTime",
  "creationTimeDateTimeUtc", "lastUpdateTime", "createdBy", "createdByDisplayName", "source", "sourceType",
  "application", "recommendedActions" }

--- Makes the fields of a row of the service's what they are meant to be.
---@param row table changed in place
---@return boolean has_id whether its id is one
function M.mend(row)
  row_fields.make_texts(row, texts)
  row_fields.make_list(row, "rbacGroupNames")
  return row.id ~= nil and row.id:find "^[0-9]+$" ~= nil
end

M.metatable = { __name = "mde.indicator", __tostring = function(indicator)
  return ("%s %s"):format(errors.show(indicator.action), errors.show(indicator.indicatorValue))
end }

return M
