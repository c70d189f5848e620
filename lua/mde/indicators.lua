--- indicators: what a client can do with the tenant's indicators; indicator/indicator.md says what they are.

local changes = require "mde.indicator.change"
local errors = require "mde.base.error"
local options_of = require "mde.base.options"
local other_change = require "mde.other_change"
local selection = require "mde.selection"

---@class mde.Client
local methods = {}

-- What stands for a list in a line: its texts, in an order of their own.
local function listed(list)
  local own = {}
  for i, one in ipairs(type(list) == "table" and list or {}) do own[i] = tostring(one) end
  table.sort(own)
  return table.concat(own, ", ")
end

-- What a plan shows of an indicator that is added, and its run holds: the value, what is done, and whom it is for.
local function added(fields)
  if type(fields) ~= "table" then return { what = "add_indicator", subject = tostring(fields) } end
  local detail = ("%s %s"):format(tostring(fields.action), tostring(fields.indicatorType))
  local names, ids = listed(fields.rbacGroupNames), listed(fields.rbacGroupIds)
  if names ~= "" then detail = detail .. " for " .. names end
  if ids ~= "" then detail = detail .. " for the groups " .. ids end
  return { what = "add_indicator", subject = tostring(fields.indicatorValue), detail = detail }
end

local function deleted(indicator)
  if type(indicator) ~= "table" then return { what = "delete_indicator", subject = tostring(indicator) } end
  return { what = "delete_indicator", subject = tostring(indicator.indicatorValue),
    detail = ("%s, id %s"):format(tostring(indicator.action), tostring(indicator.id)) }
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
  local function add(dry_run)
    return changes.add(self.exchange, fields, { allow = options.allow, timeout = options.timeout, dry_run = dry_run },
      self:context(options.timeout))
  end
  if options.dry_run then return add(true) end
  return other_change.make(self, added(fields), function() return add(true) end, function() return add(false) end)
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
  local function import(items, dry_run)
    return changes.import(self.exchange, items, { allow = options.allow, dry_run = dry_run },
      self:context(options.timeout))
  end
  if options.dry_run then return import(list, true) end
  return other_change.make_many(self, list, added, function(items) return import(items, true) end,
    function(items) return import(items, false) end)
end

--- Deletes an indicator.
---@param indicator string|mde.Indicator it, or its id
---@param options? { timeout?: number }
---@return true?
---@return mde.Error? err
function methods:delete_indicator(indicator, options)
  options = options_of.check(options, { timeout = "seconds" }, "mde.delete_indicator")
  return other_change.make(self, deleted(indicator), function() return true end, function()
    return changes.delete(self.exchange, indicator, self:context(options.timeout))
  end)
end

return methods
