-- Lists of records: what the query string asks for, page by page, and the ways in which lists misbehave.
--
-- The setting `lists` of a tenant:
--
--   page_rows   rows of an answer without $top, and the most that $top may ask for (10000)
--   next_link   what stands at the end of a page without $top if there are more rows: "missing", as seen of late;
--               "whole", which works; "mangled", which has lost the names of its options, so that the first page comes
--               again, of everything, with yet another link; "looping", which leads to the first page; "foreign", which
--               leads to another host
--   order       "steady", or "reshuffled": another order for each request
--   skip        "honoured", or "ignored": the first page comes for ever
--   churn       { added, seen }: so many machines appear, and so many report again (their lastSeen is now), before each
--               list of machines but the first
--   lag         seconds by which a list lags behind: what was created or has changed since is not in it yet
local core = require "mde.core"
local pseudorandom = require "mde.sim.base.pseudorandom"
local validation = require "mde.sim.base.validation"
local encoding = require "mde.sim.base.encoding"
local filter = require "mde.sim.odata.filter"
local schema = require "mde.sim.odata.schema"
local time = require "mde.sim.base.time"

local M = {}

local MAX_PAGE_ROWS = 10000

local function one_of(...)
  local allowed = {}
  for _, value in ipairs { ... } do allowed[value] = true end
  return { function(value) return allowed[value] == true end, "one of " .. table.concat({ ... }, ", ") }
end

local function is_count(value)
  return type(value) == "number" and value >= 0 and value == math.floor(value)
end

local function is_churn(value)
  if type(value) ~= "table" then return false end
  for name, count in pairs(value) do
    if (name ~= "added" and name ~= "seen") or not is_count(count) then return false end
  end
  return true
end

-- For each field a check, and what is wanted.
local checks = {
  page_rows = { function(value) return is_count(value) and value >= 1 and value <= MAX_PAGE_ROWS end,
    ("a whole number from 1 to %d"):format(MAX_PAGE_ROWS) },
  next_link = one_of("missing", "whole", "mangled", "looping", "foreign"),
  order = one_of("steady", "reshuffled"),
  skip = one_of("honoured", "ignored"),
  churn = { is_churn, "a table with `added` and `seen`, whole numbers" },
  lag = { function(value) return type(value) == "number" and value >= 0 end, "a number of seconds" },
}

--- The setting `lists`; what is left out stays as it was.
---@param changes table
---@param present table? as it was; nil for good manners
---@return table complete
function M.settings(changes, present)
  if type(changes) ~= "table" then error("lists must be a table", 0) end
  local complete = { page_rows = MAX_PAGE_ROWS, next_link = "missing", order = "steady", skip = "honoured", churn = {},
    lag = 0 }
  for name, value in pairs(present or {}) do complete[name] = value end
  for name, value in pairs(changes) do
    if not checks[name] then error("lists: " .. validation.unknown("", name, checks), 0) end
    if not checks[name][1](value) then error("lists: " .. validation.mismatch(name, checks[name][2], value), 0) end
    complete[name] = value
  end
  complete.draw = complete.draw or pseudorandom.new(1)
  return complete
end

---- what the query string asks for

local supported_options = {
  ["$filter"] = "$filter", ["$top"] = "$top", ["$skip"] = "$skip", ["$select"] = "$select",
  ["$count"] = "$count", ["$orderby"] = "$orderby", ["$expand"] = "$expand",
}

-- What is left of an option in a mangled link.
local nameless = ""

local function row_count(options, name)
  local text = options[name]
  if not text then return nil end
  local number = text:find "^%d+$" and #text < 10 and core.number.read(text)
  if not number then return nil, ("The value '%s' of %s is not a number of rows."):format(text, name) end
  return number
end

-- The properties that $select names, as a set.
local function selected(text, kind)
  local wanted = {}
  for item in (text .. ","):gmatch "([^,]*)," do
    local name = item:match "^%s*(.-)%s*$"
    local property = kind.properties[name]
    if not property then return nil, ("Could not find a property named '%s' in %s."):format(name, kind.set) end
    wanted[property.name] = true
  end
  return wanted
end

local truth_values = { ["true"] = true, ["false"] = false }

-- What cannot be put in an order.
local unordered = { ["Edm.Collection"] = true, ["Edm.Complex"] = true }

-- What comes before what, by one property; null is less than everything.
local function comparison_by(property, descending)
  local name, is_date = property.name, property.type == "Edm.DateTimeOffset"
  local function value_of(record)
    local value = record[name]
    if is_date and value then return time.sort_key(value) end
    if type(value) == "boolean" then return value and 1 or 0 end
    return value
  end
  return function(a, b)
    local first, second = value_of(a), value_of(b)
    if descending then first, second = second, first end
    if first == second or second == nil then return false end
    return first == nil or first < second
  end
end

-- What comes before what, as $orderby says: a property, and `asc` or `desc`.
local function order_of(text, kind)
  local name, direction = text:match "^%s*([A-Za-z0-9_]+)%s*([A-Za-z]*)%s*$"
  local property = name and kind.properties[name]
  if not name or direction ~= "" and direction ~= "asc" and direction ~= "desc" then
    return nil, ("The value '%s' of $orderby is not a property, and asc or desc."):format(text)
  elseif not property then
    return nil, ("Could not find a property named '%s' in %s."):format(name, kind.set)
  elseif unordered[property.type] then
    return nil, ("The property '%s' cannot be used in the $orderby query option."):format(name)
  end
  return comparison_by(property, direction == "desc")
end

-- The records in an order; those of one rank stay as they were.
local function ordered(records, comes_before)
  local places, sorted = {}, {}
  for i, record in ipairs(records) do places[record], sorted[i] = i, record end
  table.sort(sorted, function(a, b)
    if comes_before(a, b) then return true end
    return not comes_before(b, a) and places[a] < places[b]
  end)
  return sorted
end

-- What the query string asks for: `matches`, `top`, `skip`, `counts`, `comes_before` and `wanted`, each if asked for,
-- and all `fields`; or why it is refused.
local function read_options(query, kind, page_rows, caseless)
  local fields, message = encoding.form(query)
  if not fields then return nil, message end
  for name in pairs(fields) do
    local meant = supported_options["$" .. core.text.lower(name):gsub("^%$", "")]
    if meant == "$expand" and not kind.expandable then meant = nil end
    if meant and name ~= meant then
      return nil, ("The query option '%s' must be written '%s'."):format(name, meant)
    elseif not meant and name ~= nameless then
      return nil, ("The query option '%s' is not supported."):format(name)
    end
  end
  local options = { fields = fields }
  options.top, message = row_count(fields, "$top")
  if message then return nil, message end
  if options.top and options.top > page_rows then
    return nil, ("The value %d of $top is above the limit of %d."):format(options.top, page_rows)
  end
  options.skip, message = row_count(fields, "$skip")
  if message then return nil, message end
  if fields["$select"] then
    options.wanted, message = selected(fields["$select"], kind)
    if not options.wanted then return nil, message end
  end
  if fields["$filter"] then
    options.matches, message = filter.parse(fields["$filter"], kind, caseless)
    if not options.matches then return nil, message end
  end
  if fields["$orderby"] then
    options.comes_before, message = order_of(fields["$orderby"], kind)
    if not options.comes_before then return nil, message end
  end
  if fields["$expand"] and fields["$expand"] ~= kind.expandable then
    return nil, ("The property '%s' cannot be used in the $expand query option."):format(fields["$expand"])
  end
  if fields["$count"] then
    options.counts = truth_values[fields["$count"]]
    if options.counts == nil then
      return nil, ("The value '%s' of $count is not true or false."):format(fields["$count"])
    end
  end
  return options
end

---- the next page

-- The same query with another $skip.
local function query_with_skip(query, skip)
  local parts = {}
  for pair in query:gmatch "[^&]+" do
    if encoding.unescape(pair:match "^[^=]*", true) ~= "$skip" then parts[#parts + 1] = pair end
  end
  parts[#parts + 1] = ("$skip=%d"):format(skip)
  return table.concat(parts, "&")
end

local links = {}

function links.missing() end

function links.whole(request, _, skip)
  return request.origin .. request.path .. "?" .. query_with_skip(request.query, skip)
end

function links.mangled(request, options, skip, page_rows)
  local before = core.number.read(options.fields[nameless] or "")
  return ("%s%s?=%d"):format(request.origin, request.path, before and before + page_rows or skip)
end

function links.looping(request)
  return request.origin .. request.path .. "?" .. query_with_skip(request.query, 0)
end

function links.foreign(request, _, skip)
  return "https://elsewhere.example" .. request.path .. "?" .. query_with_skip(request.query, skip)
end

--- The address of the page that begins at a row, or of what a client is led to in place of it.
---@param manner "whole"|"looping"|"foreign"
---@param request { query: string, path: string, origin: string }
---@param skip integer
---@return string
function M.link(manner, request, skip)
  return links[manner](request, nil, skip)
end

---- the answer

-- The rows as they are where $expand does not name what it could.
local function folded(rows, name)
  local list = {}
  for i, row in ipairs(rows) do list[i] = setmetatable({ [name] = {} }, { __index = row }) end
  return list
end

--- How many records a filter lets through, which is all that may be asked.
---@param request { query: string }
---@param kind table
---@param records table[]
---@param caseless boolean
---@return integer? count
---@return string? message why the request is refused
function M.count(request, kind, records, caseless)
  local options, message = read_options(request.query, kind, MAX_PAGE_ROWS, caseless)
  if not options then return nil, message end
  for name in pairs(options.fields) do
    if name ~= "$filter" then return nil, ("The query option '%s' is not supported."):format(name) end
  end
  local total = 0
  for _, record in ipairs(records) do
    if not options.matches or options.matches(record) then total = total + 1 end
  end
  return total
end

--- Answers a request for a list.
---@param settings table from `lists.settings`; `repeats`: rows of the page before that come again
---@param request { query: string, path: string, origin: string } `origin`: scheme and host that were asked
---@param kind table
---@param records table[] in the service's order
---@param caseless boolean whether a filter compares texts without regard to case
---@return string? body
---@return string? message why the request is refused
function M.answer(settings, request, kind, records, caseless)
  local page_rows = settings.page_rows
  local options, message = read_options(request.query, kind, page_rows, caseless)
  if not options then return nil, message end
  if settings.order == "reshuffled" then records = pseudorandom.shuffled(records, settings.draw) end
  if options.comes_before then records = ordered(records, options.comes_before) end
  local skip = settings.skip == "honoured" and options.skip or 0
  skip = math.max(0, skip - (settings.repeats or 0))
  local matches, wanted_rows = options.matches, options.top or page_rows
  local rows, count, total = {}, 0, 0
  for i = 1, #records do
    local record = records[i]
    if not matches or matches(record) then
      total = total + 1
      if total > skip and count < wanted_rows then
        count = count + 1
        rows[count] = record
      elseif total > skip and not options.counts then
        break
      end
    end
  end
  local next_link
  if total > skip + count and not options.top then
    next_link = links[settings.next_link](request, options, (options.skip or 0) + page_rows, page_rows)
  end
  if kind.expandable and not options.fields["$expand"] then rows = folded(rows, kind.expandable) end
  return schema.list(kind, rows, options.wanted, next_link, options.counts and total or nil)
end

return M
