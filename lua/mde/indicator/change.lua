--- change: adds indicators and deletes them.
--
-- What the service makes of an indicator is told by its value and type: sent twice, it is there once. So where an
-- answer was lost, it is sent again.

local core = require "mde.core"
local errors = require "mde.base.error"
local fields_of = require "mde.indicator.fields"

local ACTION_SECONDS, READ_SECONDS = 120, 300
local MAX_SENDS = 2
local MOST = 500
-- One bad row among 500 is found with nine refusals. If there are so many, the refusal is about something else.
local MAX_REFUSALS = 60

local M = { MOST = MOST }

local AGAIN = "Do it again: twice does no harm."

-- Sends until an answer came, at most twice. What the answer was, and which send it came to.
local function call(exchange, request, context)
  local answer, err
  for i = 1, MAX_SENDS do
    request.context = context:within(ACTION_SECONDS)
    answer, err = exchange:call(request)
    if answer or err.kind ~= "unknown" then return answer, err, i end
  end
  return nil, errors.derive(err, { hint = AGAIN }), MAX_SENDS
end

-- ---- one

-- What the service may still call an action that it took by its present name.
local former = { AlertAndBlock = "Block", Alert = "Audit" }
local SAME_SECONDS = 60

-- Whether an answer has another action, or ends at another time, than was sent. What it leaves out says nothing.
local function says_otherwise(row, body, now)
  if row.action ~= nil and (former[row.action] or row.action) ~= body.action then return true end
  local ends = row.expirationTime and core.timestamp.read(row.expirationTime)
  if not ends then return false end
  if body.expirationTime then
    return math.abs(ends - core.timestamp.read(body.expirationTime)) > SAME_SECONDS
  end
  return ends <= now
end

local function add(exchange, body, context)
  return call(exchange, { method = "POST", path = "/indicators", kind = "action", api = "indicator_change",
    permission = fields_of.PERMISSION, body = body, usable = function(row)
      if not fields_of.mend(row) or type(row.indicatorValue) ~= "string" or type(row.indicatorType) ~= "string"
          or fields_of.key(row) ~= fields_of.key(body) then
        return false, "it is not the indicator that was sent"
      end
      return not says_otherwise(row, body, exchange.clock:time()), "it has another action or end than was sent"
    end }, context)
end

-- The one of this value and type; nil and no error if the tenant has none.
local function find(exchange, body, context)
  local odata = core.odata
  local filter = ("indicatorValue eq %s and indicatorType eq %s"):format(odata.literal(body.indicatorValue),
    odata.literal(body.indicatorType))
  local answer, err = exchange:call { method = "GET", path = "/indicators?$filter=" .. odata.encode(filter),
    kind = "read", api = "indicators", permission = fields_of.PERMISSION, context = context,
    usable = function(answer, text)
      return core.json.list(text, "value") ~= nil and type(answer.value) == "table", "it has no list of values"
    end }
  if not answer then return nil, err.http_status ~= 404 and err or nil end
  for _, row in ipairs(answer.value) do
    if type(row) == "table" and fields_of.mend(row) and type(row.indicatorValue) == "string"
        and row.indicatorType == body.indicatorType and fields_of.key(row) == fields_of.key(body) then
      return setmetatable(row, fields_of.metatable)
    end
  end
end

---@class mde.AddIndicatorOptions
---@field allow? mde.IndicatorReach[] rules that this call lifts: { "private_address" }
---@field dry_run? boolean check everything, and send nothing; `outcome` says what would be done
---@field timeout? number seconds for everything

M.known_options = { allow = "any", dry_run = "flag", timeout = "seconds" }

--- Adds an indicator, or changes the one of its value and type. Raises for anything else.
---@param exchange mde.Exchange
---@param fields mde.IndicatorFields
---@param options mde.AddIndicatorOptions
---@param context mde.Context
---@return mde.Indicator? indicator
---@return mde.Error? err
function M.add(exchange, fields, options, context)
  local lifted, body = fields_of.lifted(options.allow), fields_of.body(fields, exchange.clock:time())
  local asked = ("%s %s"):format(body.action, errors.quote(body.indicatorValue))
  local err = fields_of.too_wide(body, lifted)
  if err then return nil, errors.about(err, asked) end
  local row
  if body.expirationTime then
    row, err = exchange:settle_clock(context)
    if not row then return nil, errors.about(err, asked) end
    body = fields_of.body(fields, exchange.clock:time())
  end
  if options.dry_run then
    row, err = find(exchange, body, context:within(READ_SECONDS))
    if err then return nil, errors.about(err, asked) end
    body.outcome, body.present = row and "would_change" or "would_add", row
    return setmetatable(body, fields_of.metatable)
  end
  row, err = exchange.single_flight:run_detached(context, add, exchange, body, context)
  if not row then return nil, errors.about(err, asked) end
  row.outcome, row["@odata.context"] = "added", nil
  return setmetatable(row, fields_of.metatable)
end

local function delete(exchange, id, context)
  local answer, err, send = call(exchange, { method = "DELETE", path = "/indicators/" .. id, kind = "action",
    api = "indicator_deletion", permission = fields_of.PERMISSION, may_be_empty = true }, context)
  -- The first of two sends has deleted it.
  if not answer and send > 1 and err.http_status == 404 then return true end
  return answer and true, err
end

--- Deletes an indicator. Raises for what is no id.
---@param exchange mde.Exchange
---@param indicator string|mde.Indicator
---@param context mde.Context
---@return true?
---@return mde.Error? err
function M.delete(exchange, indicator, context)
  local id = indicator
  if type(indicator) == "table" then id = indicator.id end
  if type(id) ~= "string" or not id:find "^[0-9]+$" or #id > 20 then
    errors.invalid(id == nil and "missing_value" or "wrong_value",
      ("mde.delete_indicator: the id of an indicator is a text of digits, not %s"):format(errors.got(id)),
      "mde.indicators { indicatorValue = ... } tells it.")
  end
  local done, err = exchange.single_flight:run_detached(context, delete, exchange, id, context)
  if done then return true end
  return nil, errors.about(err, "delete indicator " .. id)
end

-- ---- many

-- The result that an answer has for each row that was sent. The answer is in the order of the rows, or in another.
local function matched(sent, rows)
  local found, in_order = {}, #rows == #sent
  local function is_of(row, body)
    return type(row) == "table" and type(row.indicator) == "string"
      and core.text.lower(row.indicator) == core.text.lower(body.indicatorValue)
  end
  for i, row in ipairs(rows) do in_order = in_order and is_of(row, sent[i].body) end
  if in_order then return rows end
  local taken, count = {}, {}
  for _, one in ipairs(sent) do
    local value = core.text.lower(one.body.indicatorValue)
    count[value] = (count[value] or 0) + 1
  end
  for i, one in ipairs(sent) do
    for j, row in ipairs(rows) do
      -- Of two types with one value, no answer in another order tells which is which.
      if not taken[j] and is_of(row, one.body) and count[core.text.lower(one.body.indicatorValue)] == 1 then
        found[i], taken[j] = row, true
        break
      end
    end
  end
  return found
end

-- What one row of an answer says.
local function read_result(row, body)
  if not row then
    return nil, errors.new { kind = "unknown", code = "indicator_left_out",
      message = "it was sent, and the service's answer does not say what came of it", hint = AGAIN }
  elseif row.isFailed == false then
    local indicator = { id = row.id ~= nil and tostring(row.id) or nil }
    for name, value in pairs(body) do indicator[name] = value end
    return setmetatable(indicator, fields_of.metatable)
  end
  return nil, errors.new { kind = "refused", code = "indicator_refused",
    message = ("the service refused it: %s"):format(errors.quote(row.failureReason or "it does not say why")),
    hint = "Correct the row; the others are not touched by it." }
end

-- Why one was not sent: what a request for others came to.
local function not_sent(err)
  return errors.wrap(err, { code = "indicator_not_sent",
    message = "it was not sent, since a request for others failed" })
end

local function halves(list)
  local first, second, half = {}, {}, math.floor(#list / 2)
  for i, one in ipairs(list) do table.insert(i <= half and first or second, one) end
  return first, second
end

-- Sends these; `told.refusals` counts. nil and an error if those behind them need not be tried.
local function send(exchange, list, context, told)
  local bodies = {}
  for i, one in ipairs(list) do bodies[i] = one.body end
  local answer, err = call(exchange, { method = "POST", path = "/indicators/import", kind = "action",
    api = "indicator_import", permission = fields_of.PERMISSION, body = { Indicators = bodies }, answers_list = true,
    usable = function(answer, text)
      return core.json.list(text, "value") ~= nil and type(answer.value) == "table", "it has no list of results"
    end }, context)
  if answer then
    local rows = matched(list, answer.value)
    for i, one in ipairs(list) do one.value, one.err = read_result(rows[i], one.body) end
    return true
  end
  if err.http_status == 400 then told.refusals = told.refusals + 1 end
  if err.http_status == 400 and list[2] and told.refusals < MAX_REFUSALS then
    -- One of them may be why all are refused.
    local first, second = halves(list)
    local going_on, problem = send(exchange, first, context, told)
    if going_on then return send(exchange, second, context, told) end
    for _, one in ipairs(second) do one.err = not_sent(problem) end
    return nil, problem
  end
  if err.http_status == 400 and list[2] then
    err = errors.wrap(err, { kind = "refused", code = "batch_refused",
      message = ("the service refused a request for %d indicators, this one among them"):format(#list),
      hint = "Add it by itself: mde.add_indicator says what is wrong." })
  end
  for _, one in ipairs(list) do one.err = err end
  if err.kind == "unknown" or err.http_status == 400 and told.refusals < MAX_REFUSALS then return true end
  return nil, err
end

local function send_all(exchange, list, context)
  local stopped
  local told = { refusals = 0 }
  for first = 1, #list, MOST do
    local part = {}
    for i = first, math.min(first + MOST - 1, #list) do part[#part + 1] = list[i] end
    if stopped then
      for _, one in ipairs(part) do one.err = not_sent(stopped) end
    else
      stopped = select(2, send(exchange, part, context, told))
    end
  end
  return true
end

-- What tells one row of a list from another: of a URL, only scheme and host are without regard to case.
local function key_of(body)
  if body.indicatorType ~= "Url" then return fields_of.key(body) end
  return "Url " .. body.indicatorValue:gsub("^[^/]*//[^/?#]*", core.text.lower)
end

-- Whether two rows of one key say the same.
local function are_same(a, b)
  for _, pair in ipairs { { a, b }, { b, a } } do
    for name, value in pairs(pair[1]) do
      local other = name == "indicatorValue" and value or pair[2][name]
      if type(value) == "table" and type(other) == "table" then
        if table.concat(value, "\n") ~= table.concat(other, "\n") then return false end
      elseif value ~= other then
        return false
      end
    end
  end
  return true
end

local function contradictory(first)
  return errors.new { kind = "conflict", code = "indicator_contradictory",
    message = ("nothing was sent: row %d has the same value and type, and says otherwise"):format(first),
    hint = "Leave one of them out." }
end

-- What is to be sent: each value and type once. Rows that contradict each other are not sent.
local function to_send(entries)
  local by_key, list = {}, {}
  for i, entry in ipairs(entries) do
    if entry.body then
      local key = key_of(entry.body)
      local first = by_key[key]
      if not first then
        entry.place, by_key[key] = i, entry
      elseif are_same(first.body, entry.body) then
        entry.same = first
      else
        first.err = first.err or contradictory(i)
        entry.err = contradictory(first.place)
      end
    end
  end
  for _, entry in ipairs(entries) do
    if entry.body and not entry.same and not entry.err then list[#list + 1] = entry end
  end
  return list
end

local function check(entry, lifted, now)
  local ok, body = errors.try(fields_of.body, entry.item, now)
  if not ok then
    entry.err = body
    return
  end
  entry.err = fields_of.too_wide(body, lifted)
  entry.body = not entry.err and body or nil
end

--- Adds many indicators, with a request for every 500. What is wrong with one is its result's error, and the others are
--- added all the same.
---@param exchange mde.Exchange
---@param items mde.IndicatorFields[]
---@param options mde.AddIndicatorOptions
---@param context mde.Context
---@return mde.Results results in the order of the list: `value` the indicator, or `err`; and `failed`
function M.import(exchange, items, options, context)
  local lifted, entries = fields_of.lifted(options.allow), {}
  local settled, stopped, can_end = true, nil, false
  for i, item in ipairs(items) do
    entries[i] = { item = item }
    can_end = can_end or type(item) == "table" and (item.expirationTime or item.expires_in) ~= nil
  end
  -- What time it is matters to those alone.
  if can_end then settled, stopped = exchange:settle_clock(context) end
  local now = exchange.clock:time()
  for _, entry in ipairs(entries) do check(entry, lifted, now) end
  local list = to_send(entries)
  if not settled then
    for _, entry in ipairs(list) do entry.err = stopped end
  elseif options.dry_run then
    for _, entry in ipairs(list) do
      entry.body.outcome = "would_add"
      entry.value = setmetatable(entry.body, fields_of.metatable)
    end
  elseif list[1] then
    local _, problem = exchange.single_flight:run_detached(context, send_all, exchange, list, context)
    for _, entry in ipairs(list) do
      if not entry.value and not entry.err then entry.err = problem end
    end
  end
  local results = { failed = 0 }
  for i, entry in ipairs(entries) do
    local said = entry.same or entry
    results[i] = { item = entry.item, value = said.value, err = not said.value and said.err or nil }
    if results[i].err then results.failed = results.failed + 1 end
  end
  return results
end

return M
