-- Hunting, over the simulated tenant.
-- Labels: not-lua5.3
local core = require "mde.core"
local errors = require "mde.base.error"
local json = require "mde.sim.base.json"
local mde = require "mde"
local rehearsal = require "tests.spec.support.rehearsal"

local NOW = 1770113472
local PATH = "/v1.0/security/runHuntingQuery"

local machines = {
  { id = ("a"):rep(40), computerDnsName = "a.corp.example", lastSeen = "1h ago", isAadJoined = true, osBuild = 26100 },
  { id = ("b"):rep(40), computerDnsName = "b.corp.example", lastSeen = "3h ago", isAadJoined = false },
}

local function new(options)
  options = options or {}
  options.machines, options.start = options.machines or machines, NOW
  options.graph_roles = options.graph_roles or { "ThreatHunting.Read.All" }
  return rehearsal.new(options)
end

local LATEST = "DeviceInfo | summarize arg_max(Timestamp, *) by DeviceId | sort by DeviceName asc "

local function names(hunt)
  local list = {}
  for row in hunt do list[#list + 1] = row.DeviceName end
  return table.concat(list, " ")
end

local function refused(r, ...)
  local ok, err = pcall(r.client.hunt, r.client, ...)
  assert.is_false(ok)
  assert.is_true(errors.is(err), tostring(err))
  return err
end

it("a reply that links to more is cut", function()
  local r = new()
  local body = '{"schema":[{"name":"a","type":"String"}],"results":[{"a":"1"}],"@odata.nextLink":"https://x.example"}'
  r:answer({ path = PATH }, 200, body)
  local hunt = r.client:hunt "X"
  assert.is_true(hunt.cut)
  assert.are.same({ a = "1" }, hunt())
  local _, err = pcall(hunt)
  assert.are.equal("list_cut_short", err.code)
  r:answer({ path = PATH }, 200, body)
  hunt = r.client:hunt("X", { allow_cut = true })
  hunt()
  assert.is_nil(hunt())
end)

it("a row keeps the digits of whole numbers that no double holds", function()
  local r = new()
  r:answer({ path = PATH }, 200, '{"schema":[{"name":"P","type":"Int64"},{"name":"D","type":"Double"}],"results":['
    .. '{"P":9007199254740993,"D":100000000000000000},{"P":-72057594037927935,"D":0.5},{"P":5}]}')
  local rows = {}
  for row in r.client:hunt "X" do rows[#rows + 1] = row end
  assert.are.same({ { P = "9007199254740993", D = 1e17 }, { P = "-72057594037927935", D = 0.5 }, { P = 5 } }, rows)
end)

describe("mde.hunt", function()
  it("hands out rows, and knows their columns", function()
    local r = new()
    local hunt = r.client:hunt(LATEST .. "| project Timestamp, DeviceName, OSBuild, IsAzureADJoined")
    assert.are.same({ 2, false, "2 rows" }, { hunt.count, hunt.cut, tostring(hunt) })
    assert.are.same({ name = "IsAzureADJoined", type = "SByte" }, hunt.schema[4])
    assert.are.same({ Timestamp = "2026-02-03T09:11:12Z", DeviceName = "a.corp.example", OSBuild = 26100,
      IsAzureADJoined = true }, hunt())
    assert.is_false(hunt().IsAzureADJoined)
    assert.is_nil(hunt())
    assert.is_nil(hunt())
    assert.are.same({ "POST " .. PATH }, r:requests())
  end)

  it("has a schema without rows", function()
    local hunt = new().client:hunt "DeviceInfo | where false | project DeviceId"
    assert.are.same({ { name = "DeviceId", type = "String" } }, hunt.schema)
    assert.are.equal(0, hunt.count)
    assert.is_nil(hunt())
  end)

  it("reads the older spelling, too", function()
    local r = new { hunting = { spelling = "older" } }
    assert.are.equal("a.corp.example b.corp.example", names(r.client:hunt(LATEST)))
  end)

  it("takes parameters", function()
    local r = new()
    assert.are.equal("a.corp.example", names(r.client:hunt(LATEST .. "| where DeviceName =~ name and Timestamp > since",
      { parameters = { name = "A.corp.example", since = mde.kql.datetime(mde.ago "2h") } })))
    assert.are.equal("b.corp.example", names(r.client:hunt(LATEST .. "| where DeviceName in (list)",
      { parameters = { list = { "b.corp.example", "c" } } })))
  end)

  it("looks at a time", function()
    local r = new()
    assert.are.equal("a.corp.example", names(r.client:hunt(LATEST, { timespan = "2h" })))
    assert.are.equal("b.corp.example", names(r.client:hunt(LATEST,
      { timespan = { from = mde.ago "4h", to = mde.ago "2h" } })))
  end)

  it("asks for a token of Graph's alone", function()
    local r = new()
    r.client:hunt(LATEST)
    local audiences = {}
    for _, entry in ipairs(r.tenant.history) do
      if entry.event == "token_issued" then audiences[#audiences + 1] = entry.audience end
    end
    assert.are.equal(1, #audiences)
    assert.is_truthy(audiences[1]:find("graph", 1, true) or audiences[1]:find("00000003", 1, true), audiences[1])
  end)

  it("keeps the service's words about a query", function()
    local r = new()
    local err = refused(r, "DeviceInfos\n| where x == 1")
    assert.are.same({ "refused", "BadRequest", 400 }, { err.kind, err.code, err.http_status })
    local text = tostring(err)
    assert.is_truthy(text:find('hunt "DeviceInfos | where x == 1": Microsoft Graph refused it (HTTP 400 BadRequest)', 1,
      true), text)
    assert.is_truthy(text:find("Failed to resolve table or column expression named 'DeviceInfos'", 1, true), text)
    assert.is_truthy(text:find("Correct the query where the message says.", 1, true), text)
    assert.is_falsy(text:find("parameters", 1, true))
  end)

  it("says where a query is wrong, beside its parameters", function()
    local r = new()
    local query = "DeviceInfo\n| where DeviceName == name and == 1"
    local text = tostring(refused(r, query, { parameters = { name = "a" } }))
    assert.is_truthy(text:find("on line [2,", 1, true), text)
    assert.is_truthy(text:find("The parameters stand before it, 16 characters in its first line.", 1, true), text)
  end)

  it("shows what the service says escaped", function()
    local r = new()
    r:answer({ path = PATH }, 400, { error = { code = "BadRequest", message = "\27[2Jx" } })
    assert.is_nil(tostring(refused(r, "DeviceInfo")):find "\27")
  end)

  it("says which permission is missing", function()
    local err = refused(new { graph_roles = { "SecurityAlert.Read.All" } }, "DeviceInfo")
    assert.are.equal("permission", err.kind)
    assert.is_truthy(tostring(err):find("ThreatHunting.Read.All", 1, true))
  end)

  it("is never cut in silence", function()
    local r = new()
    local row, rows = '{"a":1}', {}
    for i = 1, 100000 do rows[i] = row end
    local body = ('{"schema":[{"name":"a","type":"Int64"}],"results":[%s]}'):format(table.concat(rows, ","))
    r:answer({ path = PATH }, 200, body, { count = 2 })
    local hunt = r.client:hunt "DeviceInfo"
    assert.are.same({ 100000, true }, { hunt.count, hunt.cut })
    local count = 0
    local ok, err = pcall(function() for _ in hunt do count = count + 1 end end)
    assert.is_false(ok)
    assert.are.same({ 100000, "list_cut_short", "protocol" }, { count, err.code, err.kind })
    assert.has_error(function() hunt() end)
    hunt, count = r.client:hunt("DeviceInfo", { allow_cut = true }), 0
    for _ in hunt do count = count + 1 end
    assert.are.same({ 100000, true }, { count, hunt.cut })
  end)

  it("tells of a failure without words what may help", function()
    local r = new()
    r:fault { match = { path = PATH }, fault = "hunting_timeout", count = false }
    local err = refused(r, "DeviceInfo")
    assert.are.same({ "unavailable", 504 }, { err.kind, err.http_status })
    assert.is_truthy(tostring(err):find("may take too long", 1, true))
    assert.are.equal(2, #r:requests())
  end)

  it("tells of run time that is used up", function()
    local err = refused(new { hunting = { quota = 0 } }, "DeviceInfo")
    assert.are.equal("throttled", err.kind)
    assert.is_number(err.retry_at)
    assert.is_truthy(tostring(err):find("your tenant has used its CPU resources", 1, true))
    assert.is_truthy(tostring(err):find("next quarter of an hour", 1, true))
  end)

  it("waits until 45 calls a minute allow another", function()
    local r = new()
    for _ = 1, 46 do r.client:hunt "DeviceInfo | count" end
    assert.are.equal(46, #r:requests())
    for _, entry in ipairs(r.tenant.history) do
      if entry.event == "request" then assert.are_not.equal(429, entry.status) end
    end
  end)

  it("gives an attempt more than the 200 seconds that a query may run", function()
    local r = new()
    local longest = 0
    local send = r.driver.send
    function r.driver.send(request)
      if request.url:find(PATH, 1, true) then longest = request.timeout or request.seconds or 0 end
      return send(request)
    end
    r.client:hunt "DeviceInfo | count"
    assert.is_true(longest >= 200, tostring(longest))
  end)

  for name, case in pairs {
    ["no text"] = { 5, nil, "wrong_type" }, ["an empty query"] = { " \n", nil, "empty_text" },
    ["a query that is not UTF-8"] = { "DeviceInfo // \255", nil, "query_malformed" },
    ["a query with a NUL"] = { "DeviceInfo\0", nil, "query_malformed" },
    ["an unknown option"] = { "DeviceInfo", { timspan = "7d" }, "unknown_option" },
    ["a wrong timespan"] = { "DeviceInfo", { timespan = "P1Y" }, "wrong_value" },
    ["a parameter that is not used"] = { "DeviceInfo", { parameters = { x = 1 } }, "parameter_unused" },
    ["a wrong flag"] = { "DeviceInfo", { allow_cut = 1 }, "wrong_type" },
  } do
    it("refuses " .. name .. ", and sends nothing", function()
      local r = new()
      local err = refused(r, case[1], case[2])
      assert.are.same({ "invalid", case[3] }, { err.kind, err.code })
      assert.is_string(err.where)
      assert.are.same({}, r:requests())
    end)
  end

  it("sends its query whole", function()
    local r, body = new(), nil
    local send = r.driver.send
    function r.driver.send(request)
      if request.url:find(PATH, 1, true) then body = request.body end
      return send(request)
    end
    r.client:hunt("DeviceInfo\n| where DeviceName == name | count", { parameters = { name = "\195\164\"\n" },
      timespan = "P1D" })
    local sent = json.decode(body)
    assert.are.same({ Query = 'let name = "\195\164\\"\\n"; DeviceInfo\n| where DeviceName == name | count',
      Timespan = "P1D" }, sent)
    assert.is_true(core.text.is_utf8(body))
    assert.is_nil(body:find("\n", 1, true))
  end)
end)
