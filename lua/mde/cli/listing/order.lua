--- order: the order in which records are listed, by one field: `lastSeen`, or `lastSeen:desc` for the highest first.
--
-- Levels go by their rank, times by when they were, texts without regard to case; what is equal stays as it came. A
-- value that is missing comes last, whichever way.

local core = require "mde.core"
local errors = require "mde.base.error"
local fields = require "mde.cli.listing.fields"

local M = {}

---@class mde.cli.Order
---@field name string the field
---@field descending boolean
---@field of mde.cli.Fields

--- The order that `NAME` or `NAME:desc` asks. Raises for what is not one.
---@param text string
---@param of mde.cli.Fields
---@return mde.cli.Order
function M.read(text, of)
  local name, direction = text:match "^([^:]*):?(.*)$"
  if direction ~= "" and direction ~= "asc" and direction ~= "desc" then
    errors.invalid("wrong_type", ("--sort: %s is no direction"):format(errors.quote(direction)),
      ("Write %s:desc for the highest first."):format(errors.show(name)))
  end
  fields.check(name, of, "--sort")
  return { name = name, descending = direction == "desc", of = of }
end

local NUMBER, TEXT = 1, 2

-- What a value is compared by, and of which sort that is; nil for one that is missing.
local function key_of(value, order)
  local levels = order.of.levels[order.name]
  if order.of.times[order.name] then
    value = core.timestamp.read(value)
  elseif levels and levels[value] then
    value = levels[value]
  elseif type(value) == "boolean" then
    value = value and 1 or 0
  elseif type(value) == "table" then
    local parts = {}
    for i, part in ipairs(value) do parts[i] = tostring(part) end
    value = parts[1] and table.concat(parts, ", ") or nil
  end
  if type(value) == "number" then return value, NUMBER end
  if type(value) == "string" and value ~= "" then return core.text.lower(value), TEXT end
end

local function is_less(a, b, sort)
  if sort == NUMBER then return a < b end
  return core.text.before(a, b)
end

--- The records in that order.
---@param records table[]
---@param order mde.cli.Order
---@return table[]
function M.sorted(records, order)
  local entries = {}
  for i, record in ipairs(records) do
    local key, sort = key_of(record[order.name], order)
    entries[i] = { record = record, key = key, sort = sort, place = i }
  end
  table.sort(entries, function(a, b)
    if a.sort == nil or b.sort == nil then
      if a.sort ~= b.sort then return b.sort == nil end
      return a.place < b.place
    end
    local first, second = a, b
    if order.descending then first, second = b, a end
    if a.sort ~= b.sort then return first.sort < second.sort end
    if a.key == b.key then return a.place < b.place end
    return is_less(first.key, second.key, a.sort)
  end)
  local result = {}
  for i, entry in ipairs(entries) do result[i] = entry.record end
  return result
end

return M
