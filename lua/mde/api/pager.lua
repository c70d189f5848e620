--- collection: reads an OData collection, page by page, so that nothing that was there is left out.
--
-- One request brings at most 10,000 rows, and where there are more, the order in which the service lists
-- them may change from one page to the next: a reader that skips what was read loses rows. So a full page is
-- followed by ranges of time (of machines `lastSeen`, of all others when they were made), the earliest first,
-- with the rows that have no time, and the last without an end, each cut in two until it fits a page. Times
-- only move forward. A row that moves while this goes on lands in a range
-- that has not been read yet, so a row that was there at the beginning is never missed; what comes twice
-- is told by its id. No link of the service's is followed: they have been missing and mangled. Microsoft Graph's say
-- that a page was not all, whatever a page may hold.
--
-- Many alerts may have one time. Such a range is read from one page to the next before anything of it is handed over,
-- and again as long as a row comes twice and another may have been passed over for it.
--
-- One malformed row costs that row at most. A row that does not say which it is stays in the list, without an id: what
-- the list says is then for the caller to doubt.

local core = require "mde.core"
local errors = require "mde.base.error"

local PAGE_SECONDS = 120
-- Full pages in a row without a row that is new, after which the service is taken to repeat itself.
local MAX_FRUITLESS_PAGES = 10
-- How often a range of one time is read where rows come twice.
local MAX_PASSES = 5
-- Rows of a page that may lie elsewhere than was asked for, since they moved just then.
local MAX_STRAYS = 100

local M = {}

---@class mde.Collection what is read in pages
---@field noun string what people call its rows
---@field path string
---@field options string of the query, each with an & before it
---@field time string the field by whose times it is cut
---@field rows integer of a page, at most
---@field has_untimed boolean a row may lack that time
---@field is_linked boolean a link says that there is more, on a page of however many rows
---@field is_skippable boolean what has one time may be more than a page, and is read with $skip
---@field is_absent_if_empty boolean the list of nothing may be told as 404
---@field api string
---@field resource? mde.ResourceName
---@field permission string

---@alias mde.CollectionName "machines"|"machineactions"|"indicators"|"alerts"|"graph_alerts"|"incidents"

-- Of alerts a page holds fewer, since each brings its evidence; of incidents as many as each cloud gives.
---@type table<mde.CollectionName, mde.Collection>
local collections = {
  machines = { noun = "machines", path = "/machines", options = "", time = "lastSeen", rows = 10000,
    has_untimed = true, is_linked = false, is_skippable = false, is_absent_if_empty = true, api = "machines",
    permission = "Machine.Read.All" },
  machineactions = { noun = "actions", path = "/machineactions", options = "", time = "creationDateTimeUtc",
    rows = 10000, has_untimed = true, is_linked = false, is_skippable = false, is_absent_if_empty = true,
    api = "machineactions", permission = "Machine.Read.All" },
  indicators = { noun = "indicators", path = "/indicators", options = "", time = "creationTimeDateTimeUtc",
    rows = 10000, has_untimed = true, is_linked = true, is_skippable = false, is_absent_if_empty = true,
    api = "indicators", permission = "Ti.ReadWrite.All" },
  alerts = { noun = "alerts", path = "/alerts", options = "&$expand=evidence", time = "alertCreationTime", rows = 1000,
    has_untimed = true, is_linked = false, is_skippable = true, is_absent_if_empty = false, api = "alerts",
    permission = "Alert.Read.All" },
  graph_alerts = { noun = "alerts", path = "/security/alerts_v2", options = "", time = "createdDateTime", rows = 1000,
    has_untimed = false, is_linked = true, is_skippable = true, is_absent_if_empty = false,
    api = "graph_alerts", resource = "graph", permission = "SecurityAlert.Read.All" },
  incidents = { noun = "incidents", path = "/security/incidents", options = "", time = "createdDateTime", rows = 50,
    has_untimed = false, is_linked = true, is_skippable = true, is_absent_if_empty = false,
    api = "graph_incidents", resource = "graph", permission = "SecurityIncident.Read.All" },
}

local function any_row()
  return true
end

-- Whether an id tells one row from another. The empty GUID stands for a row that has none.
local function says_something(id)
  return type(id) == "string" and id:find "[^0%s-]" ~= nil
end

-- Whether two rows are one that stands there twice.
local function are_same(row, other)
  for name, value in pairs(row) do
    local has = other[name]
    if name ~= "id" and type(value) ~= "table" and type(has) ~= "table" and has ~= value then return false end
  end
  return true
end

-- Takes away an id that rows share which are not the same: it tells none of them.
local function drop_shared_ids(rows)
  local first = {}
  for _, row in ipairs(rows) do
    local id = row.id and core.text.lower(row.id)
    local other = id and first[id]
    if id and not other then
      first[id] = row
    elseif other and not (other.id and are_same(row, other) and are_same(other, row)) then
      row.id, other.id = nil, nil
    end
  end
end

--- What tells whether an answer is a list, and takes away the id of each row that cannot be told by it. A row that is
--- no object is one of which nothing is known.
---@param mend fun(row: table): boolean makes a row's fields what they are meant to be; whether its id is one
---@param name? string of the list in the answer, default "value"
---@return fun(answer: table, text: string): boolean, string?
function M.lists(mend, name)
  name = name or "value"
  return function(answer, text)
    local count, rows = core.json.list(text, name), answer[name]
    if not count or type(rows) ~= "table" then return false, "it has no list of values" end
    for i = 1, count do
      if type(rows[i]) ~= "table" then rows[i] = {} end
      local row = rows[i]
      if not mend(row) or not says_something(row.id) then row.id = nil end
    end
    drop_shared_ids(rows)
    return true
  end
end

-- Times are cut in whole milliseconds since 1970, so that a range can always be cut further or never again.
local function milliseconds(text)
  local seconds = core.timestamp.read(text)
  return seconds and math.floor(seconds * 1000)
end

-- nil outside of the years that can be written.
local function written(time)
  return core.timestamp.write(time / 1000)
end

---@class mde.Part a part of a collection
---@field filter string OData; "" for all
---@field from? integer the first millisecond; nil beside `before`: the rows without a time, too
---@field before? integer the first millisecond behind it

-- The part as OData. The filter is in parentheses only where something is added to it, so that one that
-- is malformed is refused before.
local function filter_of(part, collection)
  local clauses, time = {}, collection.time
  if part.from then clauses[1] = ("%s ge %s"):format(time, written(part.from)) end
  if part.before then
    local earlier = ("%s lt %s"):format(time, written(part.before))
    local has_untimed = collection.has_untimed and not part.from
    clauses[#clauses + 1] = has_untimed and ("(%s eq null or %s)"):format(time, earlier) or earlier
  end
  if not clauses[1] then return part.filter end
  if part.filter ~= "" then table.insert(clauses, 1, "(" .. part.filter .. ")") end
  return table.concat(clauses, " and ")
end

-- Where to cut a part whose page was full: in the middle of the times on that page, and inside of the part.
-- nil if it is one millisecond long, or has no times.
local function middle(part, rows, time)
  local low, high, inside = part.from or -math.huge, part.before or math.huge, {}
  for _, row in ipairs(rows) do
    local own = milliseconds(row[time])
    if own and own > low and own < high and written(own) then inside[#inside + 1] = own end
  end
  if inside[1] then
    table.sort(inside)
    return inside[math.ceil(#inside / 2)]
  elseif part.from and part.from + 1 < high and written(part.from + 1) then
    return part.from + 1
  end
end

-- How many rows are not where they were asked for.
local function strays(part, rows, time)
  local count = 0
  for _, row in ipairs(rows) do
    local own = milliseconds(row[time])
    if own and (part.from and own < part.from or part.before and own >= part.before) then count = count + 1 end
  end
  return count
end

local function malformed(code, message, hint)
  return errors.new { kind = "protocol", code = code, message = message, hint = hint }
end

local function not_listed(err, collection)
  return errors.derive(err, { kind = "protocol", code = "list_not_found",
    message = ("the service says that it has no list of %s (404), so nobody knows what is in it"):format(
      collection.noun),
    hint = "Try again later. If it stays so, check which host is asked: mde doctor." })
end

---@class mde.Pages
---@field private exchange mde.Exchange
---@field private set mde.CollectionName
---@field private collection mde.Collection
---@field private mend fun(row: table): boolean
---@field private parts mde.Part[] what is still to be read, the next one last
---@field private rows integer of a page
---@field private seen table<string, boolean> the ids so far
---@field private fruitless integer
---@field absent? boolean the service said that there is no such list, which it says of an empty one
local Pages = {}
Pages.__index = Pages

-- The answer to one request. Where that is longer than an answer may be, it is asked for with fewer rows from then on.
function Pages:call(filter, context, skip)
  local collection = self.collection
  local path = collection.path .. "?"
  if filter ~= "" then path = ("%s$filter=%s&"):format(path, core.odata.encode(filter)) end
  path = ("%s$top=%d%s"):format(path, self.rows, collection.options)
  if skip and skip > 0 then path = ("%s&$skip=%d"):format(path, skip) end
  local answer, err = self.exchange:call {
    method = "GET", path = path, kind = "read", api = collection.api, permission = collection.permission,
    resource = collection.resource, context = context, seconds = PAGE_SECONDS, usable = M.lists(self.mend),
  }
  if answer or err.code ~= "too_large" or self.rows == 1 then return answer, err end
  self.rows = math.ceil(self.rows / 4)
  return self:call(filter, context, skip)
end

-- The rows of one part; at most one page. `skip`: without so many at its beginning.
---@return table[]? rows
---@return mde.Error? err
---@return boolean? is_full there may be more
function Pages:ask(part, context, skip)
  local collection, filter = self.collection, filter_of(part, self.collection)
  local answer, err = self:call(filter, context, skip)
  if not answer and err.kind == "not_found" and filter ~= "" then
    -- Of machines the list of nothing is documented as 404 and has been seen as an empty list. Of alerts and incidents
    -- it is neither: who takes that for the list takes each alert for gone.
    if not collection.is_absent_if_empty then return nil, not_listed(err, collection) end
    self.absent = true
    return {}, nil, false
  elseif not answer then
    return nil, err
  end
  local count, is_cut = #answer.value, answer["@odata.nextLink"] ~= nil
  if is_cut and count < self.rows and (count == 0 or not collection.is_linked) then
    return nil, malformed("list_cut_short",
      ("the service cut a list short after %d rows and links to the rest; no link is followed"):format(count),
      "Try again later.")
  end
  if self.set == "machineactions" then self.exchange.clock:hear_rows(answer.value) end
  return answer.value, nil, count >= self.rows or is_cut
end

-- Puts what a full page has left out on the list of what is to be read. nil, error if that cannot be told.
function Pages:divide(part, cut)
  local parts = self.parts
  if self.fruitless >= MAX_FRUITLESS_PAGES then
    return nil, malformed("pages_repeat", "the service repeats the same rows page after page", "Try again later.")
  end
  parts[#parts + 1] = { filter = part.filter, from = cut, before = part.before }
  parts[#parts + 1] = { filter = part.filter, from = part.from, before = cut }
  return true
end

-- Adds the rows with an id that are not there yet; returns how many, and how many were there.
local function add_rows(all, seen, page)
  local added, repeated = 0, 0
  for _, row in ipairs(page) do
    local id = row.id and core.text.lower(row.id)
    if id and seen[id] then
      repeated = repeated + 1
    elseif id then
      all[#all + 1], added, seen[id] = row, added + 1, true
    end
  end
  return added, repeated
end

-- Goes through a part once, from one page to the next. How many rows were not there yet, how many came twice in it, and
-- those without an id: nobody knows whether they were there, so they count for neither.
function Pages:pass(part, all, seen, context)
  local of_pass, skip, added, repeated, unidentified = {}, 0, 0, 0, {}
  while true do
    local page, err, is_full = self:ask(part, context, skip)
    if not page then return nil, err end
    local fresh, twice = add_rows({}, of_pass, page)
    added, repeated = added + add_rows(all, seen, page), repeated + twice
    for _, row in ipairs(page) do
      if not row.id then unidentified[#unidentified + 1] = row end
    end
    if not is_full then return added, repeated, unidentified end
    if fresh == 0 then
      return nil, malformed("pages_repeat", "the service repeats the same rows page after page", "Try again later.")
    end
    skip = skip + #page
  end
end

-- All rows of a part that no time divides.
function Pages:read_through(part, context)
  if not self.collection.is_skippable then
    return nil, malformed("list_too_long",
      ("there are %d or more %s with %s %s, which cannot be read in parts"):format(self.rows, self.set,
        part.from and "the same" or "no", self.collection.time), "Ask for fewer, by another field too.")
  end
  local all, seen = {}, {}
  for _ = 1, MAX_PASSES do
    local added, repeated, unidentified = self:pass(part, all, seen, context)
    if not added then return nil, repeated end
    if repeated == 0 or added == 0 then
      for _, row in ipairs(unidentified) do all[#all + 1] = row end
      return all
    end
  end
  return nil, malformed("pages_repeat", ("the service's pages of %s changed each time that they were read")
    :format(self.collection.noun), "Try again later.")
end

-- What has no id on a full page comes again in the ranges.
function Pages:new_ones(rows, is_full)
  local seen, fresh = self.seen, {}
  for _, row in ipairs(rows) do
    local id = row.id and core.text.lower(row.id)
    if id and not seen[id] or not id and not is_full then fresh[#fresh + 1] = row end
    if id then seen[id] = true end
  end
  return fresh
end

-- How many rows without an id the lists of a client had.
local told = setmetatable({}, { __mode = "k" })

-- Says once how many cannot be told apart, and again if it is another number.
function Pages:warn(rows)
  local count, exchange, set = 0, self.exchange, self.set
  for _, row in ipairs(rows) do
    if not row.id then count = count + 1 end
  end
  if count == 0 then return end
  told[exchange] = told[exchange] or {}
  if told[exchange][set] == count then return end
  told[exchange][set] = count
  exchange.trace:tell { event = "warning", code = "row_unidentified",
    message = ("the service's list of %s has %d that cannot be identified; whatever they are, they are left out")
      :format(self.collection.noun, count) }
end

--- Goes on with what other filters select, and leaves out what was on an earlier page.
---@param filters string[] OData, not yet percent-encoded; "" for all
function Pages:turn_to(filters)
  self.parts, self.fruitless = {}, 0
  for i = #filters, 1, -1 do self.parts[#self.parts + 1] = { filter = filters[i] } end
end

--- The rows of the next page that were not on an earlier one; there may be none. One that cannot be told from others
--- has no id.
---@param context mde.Context
---@return table[]? rows nil at the end
---@return mde.Error? err
function Pages:next(context)
  local part = self.parts[#self.parts]
  if not part then return nil end
  local rows, err, is_full = self:ask(part, context)
  if not rows then return nil, err end
  local time = self.collection.time
  local strange = strays(part, rows, time)
  if strange > math.max(MAX_STRAYS, #rows / 2) then
    return nil, malformed("rows_not_asked_for",
      ("%d of %d rows are not those that were asked for; the service may be repeating a page"):format(strange, #rows),
      "Try again later.")
  end
  local cut = is_full and middle(part, rows, time)
  if is_full and not cut then
    rows, err = self:read_through(part, context)
    if not rows then return nil, err end
    is_full = false
  end
  table.remove(self.parts)
  self:warn(rows)
  local fresh = self:new_ones(rows, is_full)
  self.fruitless = fresh[1] and 0 or self.fruitless + 1
  if is_full then
    local divided
    divided, err = self:divide(part, cut)
    if not divided then return nil, err end
  end
  return fresh
end

--- The pages of what any of the filters selects.
---@param exchange mde.Exchange
---@param set mde.CollectionName
---@param filters string[] OData, not yet percent-encoded; "" for all
---@param mend? fun(row: table): boolean makes a row's fields what they are meant to be; whether its id is one
---@return mde.Pages
function M.pages(exchange, set, filters, mend)
  local pages = setmetatable({ exchange = exchange, set = set, collection = collections[set], mend = mend or any_row,
    rows = collections[set].rows, seen = {} }, Pages)
  pages:turn_to(filters)
  return pages
end

--- All rows that a filter selects. One that cannot be told from others has no id.
---@param exchange mde.Exchange
---@param set mde.CollectionName
---@param filter string OData, not yet percent-encoded
---@param mend? fun(row: table): boolean makes a row's fields what they are meant to be; whether its id is one
---@param context mde.Context
---@return table[]? rows
---@return mde.Error? err
---@return boolean? absent the service said that there is no such list, which it says of an empty one
function M.read(exchange, set, filter, mend, context)
  local pages, all = M.pages(exchange, set, { filter }, mend), {}
  while true do
    local rows, err = pages:next(context)
    if not rows and err then return nil, err end
    if not rows then return all, nil, pages.absent end
    for _, row in ipairs(rows) do all[#all + 1] = row end
  end
end

return M
