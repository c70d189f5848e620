-- Lists: pages, $select, and the bad manners that can be switched on.
-- Labels: not-lua5.3
local caller = require "tests.spec.support.caller"
local json = require "mde.sim.base.json"
local sim = require "mde.sim"

local host = "https://api.security.microsoft.com"

local function machines(count)
  local list = {}
  for i = 1, count do
    list[i] = { id = ("%040d"):format(i), computerDnsName = ("m%d.corp.example"):format(i), lastSeen = "2h ago",
      healthStatus = i % 2 == 0 and "Inactive" or "Active" }
  end
  return list
end

-- The numbers that ids were made of.
local function numbers(rows)
  local list = {}
  for i, row in ipairs(rows) do list[i] = tonumber(row.id) end
  return list
end

local function sorted(list)
  table.sort(list)
  return list
end

describe("a list", function()
  local tenant, client

  before_each(function()
    tenant = sim.new { start = 1770113472, machines = machines(7), lists = { page_rows = 3 }, limits = false }
    client = caller.new(tenant)
  end)

  local function get(path) return json.decode(client:get(path).body) end

  local function get_link(link)
    return get(assert(link:match "^https://api%.security%.microsoft%.com/api/(.*)$", link))
  end

  it("has as many rows as a page holds, and no link, unless it is told to", function()
    local answer = get "machines"
    assert.same({ 1, 2, 3 }, numbers(answer.value))
    assert.is_nil(answer["@odata.nextLink"])
  end)

  it("has 10,000 rows in a page of the service", function()
    local large = sim.new { fleet = { count = 10003 } }
    local other = caller.new(large)
    local _, all = other:get "machines?$select=id"
    assert.equal(10000, #all.value)
    assert.is_nil(all["@odata.nextLink"])
    local _, rest = other:get "machines?$select=id&$top=10000&$skip=10000"
    assert.equal(3, #rest.value)
    assert.equal(400, other:get("machines?$top=10001").status)
  end)

  it("never has a link with $top", function()
    tenant:set { lists = { next_link = "whole" } }
    local answer = get "machines?$top=3"
    assert.equal(3, #answer.value)
    assert.is_nil(answer["@odata.nextLink"])
    assert.equal(400, client:get("machines?$top=4").status)
  end)

  it("has whole links", function()
    tenant:set { lists = { next_link = "whole" } }
    local answer = get "machines"
    assert.equal(host .. "/api/machines?$skip=3", answer["@odata.nextLink"])
    answer = get_link(answer["@odata.nextLink"])
    assert.same({ 4, 5, 6 }, numbers(answer.value))
    answer = get_link(answer["@odata.nextLink"])
    assert.same({ 7 }, numbers(answer.value))
    assert.is_nil(answer["@odata.nextLink"])
  end)

  it("keeps the other options in whole links", function()
    tenant:set { lists = { next_link = "whole" } }
    local answer = get("machines?$skip=0&$select=id&$filter=" .. caller.escape "healthStatus eq 'Active'")
    assert.same({ 1, 3, 5 }, numbers(answer.value))
    answer = get_link(answer["@odata.nextLink"])
    assert.same({ 7 }, numbers(answer.value))
    assert.is_nil(answer.value[1].computerDnsName)
  end)

  it("has mangled links, which bring the first page of everything for ever", function()
    tenant:set { lists = { next_link = "mangled" } }
    local seen = {}
    local answer = get("machines?$filter=" .. caller.escape "id ne 'x'")
    for _ = 1, 6 do
      assert.same({ 1, 2, 3 }, numbers(answer.value))
      local link = answer["@odata.nextLink"]
      assert.is_nil(seen[link])
      assert.is_nil(link:find("filter", 1, true))
      seen[link] = true
      answer = get_link(link)
    end
  end)

  it("has looping links", function()
    tenant:set { lists = { next_link = "looping" } }
    local link = get("machines")["@odata.nextLink"]
    local answer = get_link(link)
    assert.same({ 1, 2, 3 }, numbers(answer.value))
    assert.equal(link, answer["@odata.nextLink"])
  end)

  it("has foreign links", function()
    tenant:set { lists = { next_link = "foreign" } }
    assert.equal("https://elsewhere.example/api/machines?$skip=3", get("machines")["@odata.nextLink"])
  end)

  it("has no link of any kind where nothing is left", function()
    for _, kind in ipairs { "whole", "mangled", "looping", "foreign" } do
      tenant:set { lists = { next_link = kind, page_rows = 7 } }
      assert.is_nil(get("machines")["@odata.nextLink"])
      assert.is_nil(get("machineactions")["@odata.nextLink"])
    end
  end)

  it("links to the host that was asked", function()
    tenant:set { lists = { next_link = "whole" } }
    local headers = { Authorization = "Bearer " .. client:token(), Host = "localhost:5" }
    local response = tenant:handle { method = "GET", url = "/api/v1.0/machines", headers = headers }
    assert.equal("https://localhost:5/api/v1.0/machines?$skip=3", json.decode(response.body)["@odata.nextLink"])
  end)

  it("can come in another order each time", function()
    tenant:set { lists = { order = "reshuffled", page_rows = 7 } }
    local orders, distinct = {}, 0
    for _ = 1, 5 do
      local list = numbers(get("machines").value)
      local order = table.concat(list, " ")
      assert.same({ 1, 2, 3, 4, 5, 6, 7 }, sorted(list))
      if not orders[order] then distinct = distinct + 1 end
      orders[order] = true
    end
    assert.is_true(distinct > 2)
    tenant:set { lists = { order = "steady" } }
    assert.same({ 1, 2, 3, 4, 5, 6, 7 }, numbers(get("machines").value))
  end)

  it("is reshuffled in the same way in each run", function()
    local function order()
      local other = sim.new { machines = machines(7), lists = { order = "reshuffled" } }
      local _, answer = caller.new(other):get "machines"
      return numbers(answer.value)
    end
    assert.same(order(), order())
  end)

  it("can come with its first page for ever", function()
    tenant:set { lists = { skip = "ignored" } }
    assert.same({ 1, 2, 3 }, numbers(get("machines?$top=3&$skip=3").value))
    assert.same({ 1, 2, 3 }, numbers(get("machines?$top=3&$skip=300").value))
    tenant:set { lists = { next_link = "whole" } }
    local answer = get_link(get("machines")["@odata.nextLink"])
    assert.same({ 1, 2, 3 }, numbers(answer.value))
    assert.equal(host .. "/api/machines?$skip=6", answer["@odata.nextLink"])
  end)

  it("lets machines appear and report between pages", function()
    tenant:set { lists = { churn = { added = 2, seen = 3 }, page_rows = 100 } }
    local first = get "machines"
    assert.equal(7, #first.value)
    tenant:advance(60)
    local second = get "machines"
    assert.equal(9, #second.value)
    local moved = 0
    for i = 1, 7 do
      assert.equal(first.value[i].id, second.value[i + 2].id)
      if first.value[i].lastSeen < second.value[i + 2].lastSeen then moved = moved + 1 end
    end
    assert.is_true(moved >= 1 and moved <= 3)
    assert.equal(11, #get("machines").value)
    local added = 0
    for _, entry in ipairs(tenant.history) do
      if entry.event == "machine_added" then
        added = added + 1
        assert.truthy(tenant:find_machine(entry.machine))
      end
    end
    assert.equal(4, added)
  end)

  it("can lag behind", function()
    tenant:set { lists = { lag = 10, page_rows = 100 } }
    tenant:put_machine { id = ("f"):rep(40), computerDnsName = "new.corp.example" }
    local action = tenant:create_action(tenant.machines[1], "RestrictCodeExecution", "why", "mde")
    assert.equal(7, #get("machines").value)
    assert.equal(0, #get("machineactions").value)
    assert.equal("Pending", get("machineactions/" .. action.id).status)
    tenant:advance(10)
    assert.equal(8, #get("machines").value)
    assert.equal("Succeeded", get("machineactions/" .. action.id).status)
    local listed = get("machineactions").value
    assert.equal(1, #listed)
    assert.same({ "Pending", action.creationDateTimeUtc }, { listed[1].status, listed[1].lastUpdateDateTimeUtc })
    assert.equal(1, #client:rows("machineactions", "status eq 'Pending'"))
    tenant:advance(1)
    assert.equal("InProgress", get("machineactions").value[1].status)
    tenant:advance(1)
    assert.equal("Succeeded", get("machineactions").value[1].status)
  end)

  it("does not know yet, while it lags behind, that an action was cancelled or failed", function()
    tenant:set { lists = { lag = 10 } }
    tenant:put_machine { id = tenant.machines[3].id, failing = true }
    local cancelled = tenant:create_action(tenant.machines[1], "RestrictCodeExecution", "why", "mde")
    tenant:create_action(tenant.machines[3], "RestrictCodeExecution", "why", "mde")
    tenant:advance(0.2)
    tenant:cancel_action(cancelled, "no longer", "mde")
    tenant:advance(9.9)
    local listed = get("machineactions").value
    assert.same({ "Pending", json.null, json.null, json.null }, { listed[2].status, listed[2].cancellationComment,
      listed[2].cancellationRequestor, listed[2].cancellationDateTimeUtc })
    tenant:advance(0.9)
    listed = get("machineactions").value
    assert.same({ "InProgress", 0, json.null }, { listed[1].status, listed[1].errorHResult,
      listed[1].troubleshootInfo })
    assert.same({ "Cancelled", "no longer" }, { listed[2].status, listed[2].cancellationComment })
    tenant:advance(1)
    listed = get("machineactions").value
    assert.equal("Failed", listed[1].status)
    assert.is_string(listed[1].troubleshootInfo)
  end)

  it("has the properties that $select names, in the service's order", function()
    tenant:set { lists = { page_rows = 100 } }
    local response = client:get "machines?$top=1&$select=healthStatus,%20Id,machineTags"
    assert.equal(('{"@odata.context":"https://api.security.microsoft.com/api/$metadata#Machines(id,healthStatus,'
      .. 'machineTags)","value":[{"id":"%040d","healthStatus":"Active","machineTags":[]}]}'):format(1), response.body)
    assert.equal(0, #get("machineactions?$select=id,status").value)
  end)

  it("says with $count=true how many there are, whatever part of them it has", function()
    local response = client:get "machines?$count=true&$top=2&$skip=1&$select=id"
    assert.truthy(response.body:find '^{"@odata.context":"[^"]*","@odata.count":7,"value":%[')
    assert.same({ 2, 3 }, numbers(json.decode(response.body).value))
    assert.equal(3, get("machines?$count=true&$filter=" .. caller.escape "healthStatus eq 'Inactive'")["@odata.count"])
    assert.equal(0, get("machineactions?$count=true")["@odata.count"])
    assert.equal(7, get("machines?$count=true&$top=0")["@odata.count"])
    tenant:set { lists = { next_link = "whole" } }
    local answer = get "machines?$count=true"
    assert.same({ 7, host .. "/api/machines?$count=true&$skip=3" },
      { answer["@odata.count"], answer["@odata.nextLink"] })
    assert.is_nil(get("machines?$count=false")["@odata.count"])
    assert.is_nil(get("machines")["@odata.count"])
  end)

  it("comes in the order that $orderby names, and those of one rank in the service's", function()
    tenant:put_machine { id = ("%040d"):format(3), lastSeen = "2026-01-01T00:00:00.5Z", version = json.null }
    tenant:put_machine { id = ("%040d"):format(5), lastSeen = "2026-01-01T00:00:00Z" }
    tenant:set { lists = { page_rows = 100 } }
    assert.same({ 5, 3, 1, 2, 4, 6, 7 }, numbers(get("machines?$orderby=lastSeen").value))
    assert.same({ 5, 3, 1, 2, 4, 6, 7 }, numbers(get("machines?$orderby=LastSeen%20asc").value))
    assert.same({ 1, 2, 4, 6, 7, 3, 5 }, numbers(get("machines?$orderby=lastSeen%20desc").value))
    assert.same({ 6, 7 }, numbers(get("machines?$orderby=lastSeen%20desc&$skip=3&$top=2").value))
    assert.same({ 3, 1, 2, 4, 5, 6, 7 }, numbers(get("machines?$orderby=version").value))
    assert.same({ 2, 4, 6, 1, 3, 5, 7 }, numbers(get("machines?$orderby=healthStatus+desc").value))
  end)

  it("takes what a large vendor's connector asks for", function()
    local ids = {}
    tenant:set { lists = { page_rows = 100 } }
    for i = 1, 3 do
      ids[i] = tenant:create_action(tenant.machines[i], "RestrictCodeExecution", "why", "mde").id
      tenant:advance(10)
    end
    local filter = ("id in ('%s','%s') AND status in ('Succeeded') AND machineId in ('%040d','%040d')")
      :format(ids[1]:upper(), ids[3], 1, 3)
    local answer = get("machineactions?$count=true&$top=10&$skip=0&$orderby=creationDateTimeUtc%20asc&$filter="
      .. caller.escape(filter))
    assert.same({ 2, ids[1], ids[3] }, { answer["@odata.count"], answer.value[1].id, answer.value[2].id })
  end)

  it("compares texts with regard to case, or without", function()
    local filter = "computerDnsName eq 'M1.corp.example'"
    assert.same({}, client:rows("machines", filter))
    tenant:set { comparison = "caseless" }
    assert.same({ 1 }, numbers(client:rows("machines", filter)))
    local born_so = sim.new { machines = machines(2), comparison = "caseless" }
    assert.same({ 1 }, numbers(caller.new(born_so):rows("machines", filter)))
    assert.has_error(function() tenant:set { comparison = "both" } end)
    tenant:reset()
    assert.same({}, caller.new(tenant):rows("machines", filter))
  end)

  it("goes back to good manners with a reset", function()
    tenant:set { lists = { skip = "ignored", order = "reshuffled", churn = { added = 5 }, lag = 3, page_rows = 7 } }
    tenant:reset()
    for _ = 1, 2 do assert.same({ 1, 2, 3 }, numbers(get("machines").value)) end
  end)

  it("refuses settings that do not exist", function()
    for _, wrong in ipairs { { next_link = "short" }, { order = 1 }, { page_rows = 0 }, { page_rows = 10001 },
        { page_rows = 1.5 }, { churn = { lost = 1 } }, { churn = 5 }, { lag = -1 }, { manners = "good" }, { draw = 1 },
        "bad" } do
      assert.has_error(function() tenant:set { lists = wrong } end)
    end
    assert.has_error(function() sim.new { lists = { skip = "never" } } end)
  end)
end)
