--- indicators: what a client can do with the tenant's indicators; indicator/indicator.md says what they are.

local changes = require "mde.indicator.change"
local errors = require "mde.base.error"
local options_of = require "mde.base.options"
local selection = require "mde.selection"

---@class mde.Client
local methods = {}

-- Tells a run of a change that is no restrict or release; whether that is all, since it is planned.
local function only_noted(client, what, subject, detail)
  local session = client.action_center.session
  return session ~= nil and session:other(what, subject, detail)
end

-- What stands for an indicator in a plan.
local function shown(fields)
  return tostring(type(fields) == "table" and fields.indicatorValue or fields)
end

--- The indicators that a query selects, one after the other. Needs the permission Ti.ReadWrite.All, as all of these.
---@param query mde.Query a table, a text of OData, or "all"
---@param options? mde.SelectionOptions
---@return fun(): mde.Indicator? next_indicator raises the error if a page cannot be read
function methods:indicators(query, options)
  return selection.indicators(self, query, options)
end

--- Adds an indicator, or changes the one of its value and type.
---@param fields mde.IndicatorFields
---@param options? mde.AddIndicatorOptions
---@return mde.Indicator? indicator
---@return mde.Error? err
function methods:add_indicator(fields, options)
  options = options_of.check(options, changes.known_options, "mde.add_indicator")
  if not options.dry_run and only_noted(self, "add_indicator", shown(fields), type(fields) == "table"
      and fields.action) then
    options = { allow = options.allow, timeout = options.timeout, dry_run = true }
  end
  return changes.add(self.exchange, fields, options, self:context(options.timeout))
end

--- Adds many indicators, with a request for every 500. What is wrong with one is its result's error, and the others are
--- added all the same.
---@param list mde.IndicatorFields[]
---@param options? mde.AddIndicatorOptions
---@return mde.Results results in the order of the list: `value` the indicator, or `err`; and `failed`
function methods:import_indicators(list, options)
  options = options_of.check(options, changes.known_options, "mde.import_indicators")
  if type(list) ~= "table" then
    errors.invalid("wrong_type", ("mde.import_indicators needs a list of indicators, not %s"):format(
      errors.got(list)))
  end
  options_of.check_list(list, "mde.import_indicators")
  local dry_run = options.dry_run or false
  for _, fields in ipairs(dry_run and {} or list) do
    dry_run = only_noted(self, "add_indicator", shown(fields), type(fields) == "table" and fields.action) or dry_run
  end
  return changes.import(self.exchange, list, { allow = options.allow, dry_run = dry_run },
    self:context(options.timeout))
end

--- Deletes an indicator.
---@param indicator string|mde.Indicator it, or its id
---@param options? { timeout?: number }
---@return true?
---@return mde.Error? err
function methods:delete_indicator(indicator, options)
  options = options_of.check(options, { timeout = "seconds" }, "mde.delete_indicator")
  local subject = type(indicator) == "table" and indicator.indicatorValue or indicator
  if only_noted(self, "delete_indicator", tostring(subject)) then return true end
  return changes.delete(self.exchange, indicator, self:context(options.timeout))
end

return methods
