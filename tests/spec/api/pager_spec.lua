-- A whole collection, page by page. The pages here are made up: the exchange is a list of answers, or a service
-- that evaluates the filters over rows that move while they are read.
-- Labels: only-lua5.4, long

local collection = require "mde.api.pager"
local core = require "mde.core"
local errors = require "mde.base.error"
local filters = require "mde.sim.odata.filter"
local json = require "mde.base.json"
local service_json = require "mde.sim.base.json"
local schema = require "mde.sim.odata.schema"

local function any()
  return true
end

describe("a collection", function()
  local calls

  -- An exchange that answers from a function of how often it was asked: a table, or the text of one.
  local function exchange(answer)
    calls = {}
    return { trace = { tell = function() end }, call = function(_, call)
      calls[#calls + 1] = call
      local value, err = answer(#calls)
      if not value then return nil, err end
      local text = type(value) == "string" and value or service_json.encode(value)
      value = assert(json.object(text))
      local ok, why = call.usable(value, text)
      if not ok then return nil, errors.new { kind = "protocol", code = "not_as_asked", message = why } end
      return value
    end }
  end

  local function page(first, last)
    local rows = {}
    for i = first, last do rows[#rows + 1] = { id = ("row %d"):format(i) } end
    return { value = service_json.array(rows) }
  end

  it("of one page is asked for once", function()
    local rows = assert(collection.read(exchange(function() return page(1, 3) end), "machines", "a eq 'b'", any, 99))
    assert.equal(3, #rows)
    assert.equal(1, #calls)
    assert.equal("/machines?$filter=a%20eq%20%27b%27&$top=10000", calls[1].path)
    assert.equal(99, calls[1].context)
    assert.equal("read", calls[1].kind)
  end)

  it("escapes the whole filter", function()
    assert(collection.read(exchange(function() return page(1, 0) end), "machines", "x' &$top=1#%\195\188+", any, 1))
    assert.equal("/machines?$filter=x%27%20%26%24top%3D1%23%25%C3%BC%2B&$top=10000", calls[1].path)
  end)

  it("that goes on behind a link is refused, and the link is not followed", function()
    local rows, err = collection.read(exchange(function()
      local answer = page(1, 1)
      answer["@odata.nextLink"] = "https://elsewhere.example/api/machines"
      return answer
    end), "machines", "f", any, 1)
    assert.is_nil(rows)
    assert.equal("protocol", err.kind)
    assert.equal(1, #calls)
  end)

  it("of nothing is empty, also where the service calls that not found", function()
    local nothing = errors.new { kind = "not_found", code = "no_such_resource", message = "none" }
    assert.same({}, collection.read(exchange(function() return page(1, 0) end), "machines", "f", any, 1))
    assert.same({}, collection.read(exchange(function() return nil, nothing end), "machines", "f", any, 1))
  end)

  it("of alerts or incidents is not empty where the service calls that not found", function()
    local nothing = errors.new { kind = "not_found", code = "no_such_resource", message = "none", http_status = 404 }
    for _, set in ipairs { "alerts", "graph_alerts", "incidents" } do
      local rows, err = collection.read(exchange(function() return nil, nothing end), set, "f", any, 1)
      assert.is_nil(rows)
      assert.same({ "protocol", "list_not_found", 404 }, { err.kind, err.code, err.http_status })
    end
  end)

  it("says where the service called any page of it not found, which it may say of nothing", function()
    local nothing = errors.new { kind = "not_found", message = "none" }
    for _, case in ipairs { { true, function() return nil, nothing end }, { nil, function() return page(1, 0) end },
      { nil, function() return page(1, 3) end } } do
      local rows, err, absent = collection.read(exchange(case[2]), "machines", "f", any, 1)
      assert.is_table(rows)
      assert.is_nil(err)
      assert.equal(case[1], absent)
    end
  end)

  it("of many rows of one time is read through its pages, also with one that has no id", function()
    local at = core.timestamp.read "2026-02-03T10:00:00Z"
    local function answer(call)
      local text = core.odata.decode(call.path)
      local from = core.timestamp.read(text:match "ge ([^ &)]+)" or "1970-01-01T00:00:00Z")
      local before = core.timestamp.read(text:match "lt ([^ &)]+)" or "2100-01-01T00:00:00Z")
      local skip, rows = tonumber(text:match "skip=(%d+)" or 0), {}
      if at >= from and at < before then
        -- The last row of a page comes again on the next one.
        for i = math.max(1, skip), math.min(1200, math.max(1, skip) + 999) do
          rows[#rows + 1] = { id = i ~= 7 and ("row %d"):format(i) or nil, alertCreationTime = "2026-02-03T10:00:00Z" }
        end
      end
      return { value = service_json.array(rows) }
    end
    local source = exchange(function(n) return answer(calls[n]) end)
    local rows = assert(collection.read(source, "alerts", "", any, 1))
    local without = 0
    for _, row in ipairs(rows) do without = without + (row.id and 0 or 1) end
    assert.same({ 1200, 1 }, { #rows, without })
  end)

  it("is asked for with fewer rows where an answer is longer than it may be", function()
    local too_large = errors.new { kind = "unavailable", code = "too_large", message = "the answer is longer" }
    local source = exchange(function(n)
      local top = tonumber(core.odata.decode(calls[n].path):match "top=(%d+)")
      if top > 100 then return nil, too_large end
      return page(1, 60)
    end)
    assert.equal(60, #assert(collection.read(source, "alerts", "f", any, 1)))
    local tops = {}
    for i, call in ipairs(calls) do tops[i] = call.path:match "top=(%d+)" end
    assert.same({ "1000", "250", "63" }, tops)
    -- One row that is too long is an error.
    local rows, err = collection.read(exchange(function() return nil, too_large end), "alerts", "f", any, 1)
    assert.is_nil(rows)
    assert.equal(too_large, err)
    assert.matches("top=1&", calls[#calls].path)
  end)

  it("of several filters is that of the first, then of the next, each row once", function()
    local pages = collection.pages(exchange(function(n) return page(n, n + 1) end), "machines", { "a", "b" })
    local rows = {}
    for _ = 1, 2 do
      for _, row in ipairs(assert(pages:next(1))) do rows[#rows + 1] = row.id end
    end
    assert.same({ "row 1", "row 2", "row 3" }, rows)
    assert.is_nil((pages:next(1)))
    for i, filter in ipairs { "a", "b" } do
      assert.equal(("/machines?$filter=%s&$top=10000"):format(filter), calls[i].path)
    end
  end)

  it("of actions tells the clock when they were created, one of machines tells nothing", function()
    for set, told in pairs { machineactions = 3, machines = 0 } do
      local heard = 0
      local source = exchange(function() return page(1, 3) end)
      source.clock = { hear_rows = function(_, rows) heard = heard + #rows end }
      assert(collection.read(source, set, "f", any, 1))
      assert.equal(told, heard)
    end
  end)

  it("of everything is not empty where the service calls that not found", function()
    local nothing = errors.new { kind = "not_found", code = "no_such_resource", message = "none" }
    local rows, err = collection.read(exchange(function() return nil, nothing end), "machines", "", any, 1)
    assert.is_nil(rows)
    assert.equal(nothing, err)
    assert.equal("/machines?$top=10000", calls[1].path)
  end)

  it("takes from rows that share an id and are not the same what does not tell them", function()
    local function row(id, kind) return { id = id, type = kind } end
    local rows = assert(collection.read(exchange(function()
      return { value = { row("a", 1), row("b", 1), row("A", 2), row("a", 1), row("b", 1), row("c"), row("C", 2) } }
    end), "machines", "f", any, 1))
    local ids = {}
    for i, one in ipairs(rows) do ids[i] = one.id or "?" end
    assert.same({ "?", "b", "?", "?", "?", "?" }, ids)
  end)

  it("with a row twice has it once, however its id is written", function()
    local rows = assert(collection.read(exchange(function()
      return { value = { { id = "a" }, { id = "b" }, { id = "A" } } }
    end), "machines", "f", any, 1))
    assert.equal(2, #rows)
  end)

  for what, answer in pairs {
    ["no list"] = "{}", ["null for a list"] = '{"value":null}', ["a text for a list"] = '{"value":"none"}',
    ["an object for a list"] = '{"value":{"id":"a"}}', ["an empty object for a list"] = '{"value":{}}',
    ["an object of numbers for a list"] = '{"value":{"1":{"id":"a"}}}', ["a list alone"] = "[]",
    ["two lists"] = '{"value":[{"id":"a"}],"value":[]}',
    ["two lists, one in disguise"] = '{"value":[],"v\\u0061lue":[]}',
    ["a list that is elsewhere"] = '{"error":{"value":[]}}',
  } do
    it("makes no sense with " .. what, function()
      local rows, err = collection.read(exchange(function() return answer end), "machines", "f", any, 1)
      assert.is_nil(rows)
      assert.equal("protocol", err.kind)
    end)
  end

  for what, case in pairs {
    ["a row that is none"] = { '{"value":["row"]}', { {} } },
    ["a row that is null"] = { '{"value":[null]}', { {} } },
    ["nulls among rows"] = { '{"value":[null,{"id":"a"},null,{"id":"b"}]}', { { id = "a" }, { id = "b" }, {}, {} } },
    ["a row that is a list"] = { '{"value":[[]]}', { {} } },
    ["a row without an id"] = { '{"value":[{"name":"b"},{"id":"a"}]}', { { name = "b" }, { id = "a" } } },
    ["a row whose id is a number"] = { '{"value":[{"id":1,"name":"b"}]}', { { name = "b" } } },
    ["a row whose id is empty"] = { '{"value":[{"id":"","name":"b"}]}', { { name = "b" } } },
    ["rows without an id that are alike"] = { '{"value":[{},{}]}', { {}, {} } },
    ["a row whose id cannot be one"] = { '{"value":[{"id":"odd","name":"b"},{"id":"a"}]}',
      { { name = "b" }, { id = "a" } } },
  } do
    it("keeps the others, and that one without an id, beside " .. what, function()
      local told = {}
      local source = exchange(function() return case[1] end)
      source.trace = { tell = function(_, event) told[#told + 1] = event.code end }
      local function mend(row) return row.id ~= "odd" end
      assert.same(case[2], collection.read(source, "machines", "f", mend, 1))
      assert.same({ "row_unidentified" }, told)
      collection.read(source, "machines", "f", mend, 1)
      assert.equal(1, #told)
    end)
  end

  it("that is full brings what has no id in its parts", function()
    local rows = assert(collection.read(exchange(function(number)
      local answer = page(1, 3)
      if calls[number].path:find("lastSeen", 1, true) then
        answer.value[2].id = nil
        return answer
      end
      answer = page(1, 10000)
      for i, row in ipairs(answer.value) do
        row.lastSeen = ("2026-02-03T10:%02d:%02dZ"):format(math.floor(i / 60) % 60, i % 60)
      end
      answer.value[5].id = nil
      return answer
    end), "machines", "f", any, 1))
    local nameless = 0
    for _, row in ipairs(rows) do nameless = nameless + (row.id and 0 or 1) end
    assert.equal(2, nameless)
  end)
end)

-- A service with so many machines, which does to them what `between` says before each answer but the first.
local function service(options)
  local self = { rows = {}, asked = {}, largest = 0 }
  for i = 1, options.count do
    self.rows[i] = { id = ("row %d"):format(i), lastSeen = options.last_seen(i) }
  end
  self.beginning = #self.rows

  local function answer(path)
    local text = path:match "%$filter=([^&]+)"
    local matches = text and assert(filters.parse(core.odata.decode(text), schema.machine)) or any
    local page, list = {}, options.order and options.order(self.rows) or self.rows
    for _, row in ipairs(list) do
      if #page == 10000 then break end
      if matches(row) then page[#page + 1] = { id = row.id, lastSeen = row.lastSeen } end
    end
    return { value = page }
  end

  function self.call(_, call)
    if self.asked[1] and options.between then options.between(self) end
    self.asked[#self.asked + 1] = core.odata.decode(call.path)
    return answer(call.path)
  end

  return self
end

local function iso(seconds)
  return os.date("!%Y-%m-%dT%H:%M:%S", math.floor(seconds)) .. (".%07dZ"):format(math.floor(seconds % 1 * 1e7))
end

-- A source of numbers that is the same in each run.
local function numbers(seed)
  return function(count)
    seed = seed * 16807 % 2147483647
    return math.floor(seed / 2147483647 * count) + 1
  end
end

local NOW, DAY = 1770000000, 86400

local function reshuffled(draw)
  return function(rows)
    local list = {}
    for i, row in ipairs(rows) do
      local other = draw(i)
      list[i] = list[other]
      list[other] = row
    end
    return list
  end
end

local function by_time(later_first)
  return function(rows)
    local list = {}
    for i, row in ipairs(rows) do list[i] = row end
    table.sort(list, function(a, b)
      local x, y = a.lastSeen or "", b.lastSeen or ""
      if x ~= y then return (x > y) == later_first end
      return a.id < b.id
    end)
    return list
  end
end

-- Machines that report, and ones that appear.
local function churn(draw)
  local clock = NOW
  return function(self)
    clock = clock + 5
    for _ = 1, 300 do self.rows[draw(#self.rows)].lastSeen = iso(clock) end
    for _ = 1, 40 do
      self.rows[#self.rows + 1] = { id = ("row %d"):format(#self.rows + 1), lastSeen = iso(clock) }
    end
  end
end

-- Reads it all and checks that everything that was there at the beginning came, and nothing twice.
local function read(exchange, filter)
  local pages, seen, count = collection.pages(exchange, "machines", { filter or "" }), {}, 0
  local rows = assert(pages:next(1))
  while rows do
    assert.truthy(#rows <= 10000)
    for _, row in ipairs(rows) do
      assert.is_nil(seen[row.id])
      seen[row.id] = true
    end
    local err
    rows, err = pages:next(1)
    assert.is_nil(err)
  end
  for i = 1, exchange.beginning do
    if seen[("row %d"):format(i)] then count = count + 1 end
  end
  return count
end

describe("a collection larger than a page", function()
  local function anywhere(draw)
    return function(i)
      if i % 50 == 0 then return nil end
      if i % 77 == 0 then return "0001-01-01T00:00:00Z" end
      return iso(NOW - (i % 10 == 0 and 90 * DAY or DAY) * draw(1000000) / 1000000)
    end
  end

  for name, order in pairs {
    ["in an order that changes"] = reshuffled(numbers(7)), ["newest first"] = by_time(true),
    ["oldest first"] = by_time(false),
  } do
    it("is read whole, " .. name .. ", while machines report and appear", function()
      local draw = numbers(42)
      local exchange = service { count = 25000, last_seen = anywhere(draw), order = order, between = churn(draw) }
      assert.equal(25000, read(exchange))
      assert.truthy(#exchange.asked <= 20, ("%d requests"):format(#exchange.asked))
    end)
  end

  it("is read whole where it is twice as large", function()
    local draw = numbers(43)
    local exchange = service { count = 50000, last_seen = anywhere(draw), order = reshuffled(draw),
      between = churn(draw) }
    assert.equal(50000, read(exchange))
    assert.truthy(#exchange.asked <= 30, ("%d requests"):format(#exchange.asked))
  end)

  it("is read whole where a tenth of it reports between two pages", function()
    local draw, clock = numbers(44), NOW
    local exchange = service { count = 25000, last_seen = anywhere(draw), order = reshuffled(draw),
      between = function(self)
        clock = clock + 60
        for _ = 1, 2500 do self.rows[draw(25000)].lastSeen = iso(clock + draw(1000) / 1000) end
      end }
    assert.equal(25000, read(exchange))
  end)

  it("is cut at no time that cannot be written", function()
    local far = { "9999-12-31T23:59:59.9999999Z", "9999-12-31T23:59:59-14:00" }
    local exchange = service { count = 15000, last_seen = function(i)
      return far[i % 10] or iso(NOW - DAY * i / 15000)
    end }
    assert.equal(15000, read(exchange))
    for _, asked in ipairs(exchange.asked) do assert.is_nil(asked:find "nil" or asked:find "10000%-") end
    exchange = service { count = 15000, last_seen = function() return far[1] end }
    local pages = collection.pages(exchange, "machines", { "" })
    local rows, err = pages:next(1)
    assert.is_nil(rows)
    assert.equal("list_too_long", err.code)
  end)

  it("is read whole where many rows have the same time", function()
    local exchange = service { count = 25000, last_seen = function(i) return iso(NOW + i % 3) end }
    assert.equal(25000, read(exchange))
  end)

  it("is asked for from the earliest, with those without a time, to the last, without gaps", function()
    local draw = numbers(45)
    local exchange = service { count = 15000, last_seen = anywhere(draw), order = reshuffled(draw) }
    read(exchange, "riskScore eq null")
    assert.equal("/machines?$filter=riskScore eq null&$top=10000", exchange.asked[1])
    local time = "(%d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%d%.%d%d?%d?Z)"
    local cut = exchange.asked[2]:match("^/machines%?%$filter=%(riskScore eq null%) and %(lastSeen eq null or "
      .. "lastSeen lt " .. time .. "%)&%$top=10000$")
    assert.truthy(cut, exchange.asked[2])
    assert.equal(("/machines?$filter=(riskScore eq null) and lastSeen ge %s&$top=10000"):format(cut), exchange.asked[3])
    assert.equal(3, #exchange.asked)
  end)

  it("of exactly one page is read on to make sure", function()
    local exchange = service { count = 10000, last_seen = anywhere(numbers(46)) }
    assert.equal(10000, read(exchange))
    assert.equal(3, #exchange.asked)
  end)

  it("is cut by the time of creation where it is of actions", function()
    local asked = {}
    local rows = {}
    for i = 1, 10000 do rows[i] = { id = ("row %d"):format(i), creationDateTimeUtc = iso(NOW + i) } end
    local exchange = { clock = { hear_rows = function() end }, call = function(_, call)
      asked[#asked + 1] = core.odata.decode(call.path)
      return { value = #asked == 1 and rows or {} }
    end }
    assert.equal(10000, #assert(collection.read(exchange, "machineactions", "", function() return true end, 1)))
    assert.truthy(asked[2]:find("?$filter=(creationDateTimeUtc eq null or creationDateTimeUtc lt ", 1, true))
    assert.truthy(asked[3]:find("?$filter=creationDateTimeUtc ge ", 1, true))
  end)

  -- What comes of reading it all; the number of requests.
  local function problem(exchange, calls)
    local count, call = 0, exchange.call
    function exchange.call(...)
      count = count + 1
      assert.truthy(count < 50, "it goes on for ever")
      return call(...)
    end
    local rows, err = collection.read(exchange, "machines", "", function() return true end, 1)
    assert.is_nil(rows)
    if calls then assert.equal(calls, count) end
    return err
  end

  it("whose first page comes for ever is an error", function()
    local first = service { count = 10000, last_seen = function(i) return iso(NOW + i) end }
    local page = first:call { path = "/machines?$top=10000" }
    local err = problem({ call = function() return page end }, 2)
    assert.equal("protocol", err.kind)
    assert.truthy(err.message:find("repeating a page", 1, true))
  end)

  it("whose second page comes for ever is an error too", function()
    local exchange = service { count = 25000, last_seen = function(i) return iso(NOW + i) end }
    local call, page = exchange.call, nil
    function exchange.call(...)
      if #exchange.asked == 2 then page = page or call(...) end
      return page or call(...)
    end
    local err = problem(exchange)
    assert.equal("protocol", err.kind)
  end)

  it("whose pages never bring anything new is an error", function()
    local count = 0
    local exchange = { clock = { hear_rows = function() end }, call = function(_, call)
      count = count + 1
      -- The same ids again, at times that are always where they were asked for.
      local text = core.odata.decode(call.path)
      local from = text:match "ge ([^ &]+)"
      local seconds = from and core.timestamp.read(from) or NOW - 1e6 * count
      local rows = {}
      for i = 1, 10000 do rows[i] = { id = ("row %d"):format(i), lastSeen = iso(seconds + i) } end
      return { value = rows }
    end }
    local err = problem(exchange)
    assert.equal("protocol", err.kind)
    assert.truthy(err.message:find("repeats", 1, true))
  end)

  it("with too many rows of the same time is an error", function()
    local exchange = service { count = 25000, last_seen = function() return "2026-02-02T02:40:00.1234567Z" end }
    local err = problem(exchange)
    assert.equal("protocol", err.kind)
    assert.truthy(err.message:find("the same lastSeen", 1, true))
  end)

  it("with too many rows without a time is an error", function()
    local exchange = service { count = 25000, last_seen = function(i) return i > 12000 and iso(NOW + i) or nil end }
    local err = problem(exchange)
    assert.equal("protocol", err.kind)
    assert.truthy(err.message:find("no lastSeen", 1, true))
  end)

  it("is an error if any of its pages is", function()
    local down = errors.new { kind = "unavailable", code = "connect", message = "down" }
    local exchange = service { count = 25000, last_seen = function(i) return iso(NOW + i) end }
    local call = exchange.call
    function exchange.call(...)
      if #exchange.asked == 3 then return nil, down end
      return call(...)
    end
    assert.equal(down, problem(exchange, 4))
  end)
end)
