-- The API: what it answers, and what it refuses with which status, code and words. One long table: a row for each
-- refusal.
-- Labels: only-lua5.4
local caller = require "tests.spec.support.caller"
local json = require "mde.sim.base.json"
local sim = require "mde.sim"

local laptop = "1f00000000000000000000000000000000000017"
local restrict = ("machines/%s/restrictCodeExecution"):format(laptop)
local release = ("machines/%s/unrestrictCodeExecution"):format(laptop)
local comment = { Comment = "because" }

local function refused(status, code, response, answer)
  assert.equal(status, response.status)
  assert.equal(code, answer.error.code)
  assert.is_string(answer.error.message)
  assert.is_string(answer.error.target)
  return answer.error.message
end

describe("the API", function()
  local tenant, client

  before_each(function()
    tenant = sim.new { start = 1770113472 + 0.3456789 }
    client = caller.new(tenant)
  end)

  ---- who asks

  describe("asks for a token and", function()
    it("refuses none", function()
      local response, answer = client:call("GET", "machines", nil, { Authorization = false })
      refused(401, "Unauthorized", response, answer)
      assert.equal("Bearer", response.headers["www-authenticate"])
      assert.truthy(response.headers["date"])
    end)

    it("refuses one that it did not give", function()
      for _, header in ipairs { "Bearer x.y.z", "Basic eDp5", "Bearer", "Bearer a b" } do
        local response, answer = client:call("GET", "machines", nil, { Authorization = header })
        refused(401, "Unauthorized", response, answer)
      end
    end)

    it("refuses one that has expired, by its own clock", function()
      assert.equal(200, client:get("machines").status)
      tenant:advance(3598)
      assert.equal(200, client:get("machines").status)
      tenant:advance(1)
      local response, answer = client:get "machines"
      refused(401, "Unauthorized", response, answer)
      assert.truthy(response.headers["www-authenticate"]:find('^Bearer error="invalid_token"'))
    end)

    it("refuses one for another audience", function()
      for _, resource in ipairs { "https://api.security.microsoft.com", "https://graph.microsoft.com" } do
        local _, token = client:ask_for_token { scope = resource .. "/.default" }
        local response, answer = client:call("GET", "machines", nil,
          { Authorization = "Bearer " .. token.access_token })
        refused(403, "Forbidden", response, answer)
      end
    end)

    it("accepts the older names of its audience", function()
      for _, resource in ipairs { "https://securitycenter.onmicrosoft.com/windowsatpservice",
          "https://api.securitycenter.windows.com" } do
        local _, token = client:ask_for_token { scope = resource .. "/.default" }
        local response = client:call("GET", "machines", nil, { Authorization = "Bearer " .. token.access_token })
        assert.equal(200, response.status)
      end
    end)

    it("names the role that is missing", function()
      tenant:put_application { client_id = "reader", client_secret = "x", roles = { "Machine.Read.All" } }
      tenant:put_application { client_id = "writer", client_secret = "x", roles = { "Machine.RestrictExecution" } }
      tenant:put_application { client_id = "nobody", client_secret = "x" }
      local reader = caller.new(tenant, { client_id = "reader", client_secret = "x" })
      local writer = caller.new(tenant, { client_id = "writer", client_secret = "x" })
      local nobody = caller.new(tenant, { client_id = "nobody", client_secret = "x" })
      assert.equal(200, reader:get("machines").status)
      assert.equal("Missing application roles. API required roles: Machine.RestrictExecution, "
        .. "application roles: Machine.Read.All.", refused(403, "Forbidden", reader:post(restrict, comment)))
      assert.equal(201, writer:post(restrict, comment).status)
      assert.equal("Missing application roles. API required roles: Machine.Read.All,Machine.ReadWrite.All, "
        .. "application roles: Machine.RestrictExecution.", refused(403, "Forbidden", writer:get "machineactions"))
      refused(403, "Forbidden", nobody:get("machines/" .. laptop))
      assert.equal(1, #tenant.actions)
    end)

    it("goes by the roles that a token was given with", function()
      client:token()
      tenant:put_application { client_id = tenant.client_id, client_secret = tenant.client_secret }
      assert.equal(200, client:get("machines").status)
      refused(403, "Forbidden", caller.new(tenant):get "machines")
    end)
  end)

  ---- paths and methods

  it("knows paths without case, with and without a version", function()
    assert.equal(200, client:get("MACHINES").status)
    assert.equal(200, client:get("v1.0/machineActions").status)
    assert.equal(200, client:get("machines/" .. laptop:upper()).status)
    assert.equal(404, client:get("v2.0/machines").status)
    assert.equal(404, client:get("nonsense").status)
    assert.equal(404, client:get("machines/" .. laptop .. "/isolate").status)
    assert.equal(404, client:get("").status)
  end)

  it("answers the wrong method with 405, nothing, and the right one", function()
    local response = client:get(restrict)
    assert.equal(405, response.status)
    assert.equal("", response.body)
    assert.equal("POST", response.headers["allow"])
    response = client:post("machines", comment)
    assert.same({ 405, "GET" }, { response.status, response.headers["allow"] })
  end)

  it("has its headers", function()
    local headers = client:get("machines").headers
    assert.equal("application/json; odata.metadata=minimal; odata.streaming=true; charset=utf-8",
      headers["content-type"])
    assert.equal("4.0", headers["odata-version"])
    assert.equal("Tue, 03 Feb 2026 10:11:12 GMT", headers["date"])
    assert.truthy(headers["mise-correlation-id"])
  end)

  ---- machines

  it("gives a machine by id and by name", function()
    local response, machine = client:get("machines/" .. laptop)
    assert.equal(200, response.status)
    assert.equal("laptop-17.corp.example", machine.computerDnsName)
    assert.equal("https://api.security.microsoft.com/api/$metadata#Machines/$entity", machine["@odata.context"])
    assert.equal(json.null, machine.mergedIntoMachineId)
    assert.truthy(response.body:find('"machineTags":[]', 1, true))
    assert.truthy(response.body:find('"osBuild":26100,', 1, true))
    local _, named = client:get("machines/" .. caller.escape "O'Brien-laptop.corp.example")
    assert.equal("o'brien-laptop.corp.example", named.computerDnsName)
    local message = refused(404, "ResourceNotFound", client:get "machines/nobody.corp.example")
    assert.equal("Machine nobody.corp.example was not found", message)
  end)

  it("lists machines by filter", function()
    local rows = client:rows("machines", "computerDnsName eq 'x'' or healthStatus eq ''Active'")
    assert.equal(1, #rows)
    assert.equal("x' or healthStatus eq 'Active", rows[1].computerDnsName)
    assert.equal(3, #client:rows("machines", "computerDnsName eq 'front-desk.corp.example'"))
    assert.equal(laptop, client:rows("machines", "aadDeviceId eq 17171717-0000-4000-8000-000000000017")[1].id)
    assert.equal(laptop, client:rows("machines", ("id eq '%s'"):format(laptop))[1].id)
    local response, none = client:get("machines?$filter=" .. caller.escape "id eq 'x'")
    assert.equal(200, response.status)
    assert.truthy(response.body:find('"value":[]', 1, true))
    assert.same({}, none.value)
  end)

  it("takes + in a query for a blank", function()
    local _, answer = client:get "machines?$filter=id+eq+'x'"
    assert.same({}, answer.value)
    refused(400, "ODataError", client:get "machines?$filter=id%2Beq%2B'x'")
  end)

  it("cuts lists by $top and $skip", function()
    local _, all = client:get "machines"
    local _, part = client:get "machines?$top=2&$skip=1"
    assert.same({ all.value[2].id, all.value[3].id }, { part.value[1].id, part.value[2].id })
    assert.equal(2, #part.value)
    local _, none = client:get "machines?$top=0"
    assert.equal(0, #none.value)
    local desks = caller.escape "computerDnsName eq 'front-desk.corp.example' and healthStatus eq 'Inactive'"
    local _, desk = client:get("machines?$top=1&$skip=1&$filter=" .. desks)
    assert.equal("2f00000000000000000000000000000000000003", desk.value[1].id)
    _, desk = client:get("machines?$top=1&$skip=2&$filter=" .. desks)
    assert.equal(0, #desk.value)
  end)

  local bad_queries = {
    { "$filter=nickname%20eq%20'x'", "nickname" }, { "$filter=aadDeviceId%20eq%20'x'", "aadDeviceId" },
    { "$filter=", "" },
    { "$top=10001", "10000" }, { "$top=-1", "'-1'" }, { "$top=x", "'x'" }, { "$top=", "''" }, { "$skip=1.5", "'1.5'" },
    { "$select=nickname", "nickname" }, { "$select=", "''" }, { "$orderby=nickname", "nickname" },
    { "$orderby=machineTags", "'machineTags' cannot be used" }, { "$orderby=id%20up", "'id up'" },
    { "$orderby=id,version", "'id,version'" }, { "$orderby=", "''" }, { "orderby=id", "'$orderby'" },
    { "$filter=id%20eq%20'1'&$filter=id%20eq%20'2'", "twice" }, { "$filter=%", "percent" },
    { "filter=id%20eq%20'1'", "'filter' must be written '$filter'" }, { "top=1", "'$top'" },
    { "$Top=1", "'$Top'" }, { "$top=1&Skip=1", "'$skip'" }, { "nonsense=1", "'nonsense'" }, { "$count=yes", "'yes'" },
    { "$Count=true", "'$count'" }, { "$expand=id", "$expand" },
    { "$filter=id%20eq%20'%FF'", "UTF-8" }, { "$filter=id%20eq%20'%00'", "NUL" }, { "$top=1&%FF=1", "UTF-8" },
  }
  for _, case in ipairs(bad_queries) do
    it("refuses the query " .. case[1], function()
      local message = refused(400, "ODataError", client:get("machines?" .. case[1]))
      assert.truthy(message:find(case[2], 1, true), message)
    end)
  end

  it("takes options where there is something to choose from, and nowhere else", function()
    local now = "2026-02-03T10:11:12Z"
    for _, path in ipairs { "machines/" .. laptop .. "?$select=id", "machines/" .. laptop .. "?$filter=id%20eq%20'x'",
        ("machines/findbyip(ip='10.1.2.3',timestamp=%s)?$top=1"):format(now),
        "machines/findbytag?tag=tier0&$top=1", "machines/findbytag?tag=tier0&usestartswithfilter=true",
        "machineactions/11111111-2222-4333-8444-555555555555?$select=id" } do
      refused(400, "ODataError", client:get(path))
    end
    refused(400, "ODataError", client:post(restrict .. "?Comment=x", comment))
    assert.same({}, tenant.actions)
  end)

  it("writes every documented property, and null where nothing is known", function()
    local machine = tenant:put_machine { computerDnsName = json.null, firstSeen = "0001-01-01T00:00:00Z",
      lastSeen = json.null, machineTags = { 'a "b" \1' }, rbacGroupId = 140, lastIpAddress = json.null,
      ipAddresses = { { ipAddress = "192.0.2.5", operationalStatus = "Up", type = "Ethernet", extra = "x" } },
      vmMetadata = { vmId = "v", cloudProvider = "Azure" } }
    for _, name in ipairs { "osPlatform", "version", "osBuild", "osArchitecture", "osProcessor", "riskScore",
        "exposureLevel", "deviceValue", "managedBy" } do
      tenant:put_machine { id = machine.id, [name] = json.null }
    end
    assert.equal(('{"@odata.context":"https://api.security.microsoft.com/api/$metadata#Machines/$entity","id":"%s",'
      .. '"mergedIntoMachineId":null,"isPotentialDuplication":false,"isExcluded":false,"exclusionReason":null,'
      .. '"computerDnsName":null,"firstSeen":"0001-01-01T00:00:00Z","lastSeen":null,"osPlatform":null,'
      .. '"osVersion":null,"osProcessor":null,"version":null,"lastIpAddress":null,'
      .. '"lastExternalIpAddress":"198.51.100.7","agentVersion":"10.8750.26100.1","osBuild":null,'
      .. '"healthStatus":"Active","deviceValue":null,"rbacGroupId":140,"rbacGroupName":null,"riskScore":null,'
      .. '"exposureLevel":null,"isAadJoined":true,"aadDeviceId":null,"machineTags":["a \\"b\\" \\u0001"],'
      .. '"defenderAvStatus":"Updated","onboardingStatus":"Onboarded","osArchitecture":null,"managedBy":null,'
      .. '"managedByStatus":"Unknown","ipAddresses":[{"ipAddress":"192.0.2.5","macAddress":null,"type":"Ethernet",'
      .. '"operationalStatus":"Up"}],"vmMetadata":{"vmId":"v","cloudProvider":"Azure","resourceId":null,'
      .. '"subscriptionId":null}}'):format(machine.id), client:get("machines/" .. machine.id).body)
  end)

  it("finds a machine by name though another of that name was never seen", function()
    tenant:put_machine { computerDnsName = "twin.corp.example", lastSeen = json.null }
    local seen = tenant:put_machine { computerDnsName = "twin.corp.example", lastSeen = "3d ago" }
    tenant:put_machine { computerDnsName = "twin.corp.example", lastSeen = json.null }
    local _, found = client:get "machines/twin.corp.example"
    assert.equal(seen.id, found.id)
  end)

  ---- machines by address and by tag

  describe("finds by address", function()
    local a, b

    before_each(function()
      a = tenant:put_machine({ computerDnsName = "a.corp.example", lastIpAddress = "10.1.2.3",
        addresses = { { ipAddress = "10.1.2.3", from = "5d ago", to = "4d ago" } } }).id
      b = tenant:put_machine({ computerDnsName = "b.corp.example", lastIpAddress = "10.1.2.3",
        addresses = { { ipAddress = "10.1.2.3", from = "3d ago" }, { ipAddress = "10.9.9.9", to = "3d ago" } } }).id
    end)

    -- Who had an address so many seconds ago.
    local function who(address, ago, time_text)
      local at = time_text or require("mde.sim.base.time").iso(tenant.clock.now() - ago)
      local response, answer = client:get(("machines/findbyip(ip='%s',timestamp=%s)"):format(address, at))
      assert.equal(200, response.status, response.body)
      local ids = {}
      for i, machine in ipairs(answer.value) do ids[i] = machine.id end
      return ids
    end

    local day = 86400

    it("who had it at that time, give or take 15 minutes", function()
      assert.same({ a }, who("10.1.2.3", 4.5 * day))
      assert.same({ b }, who("10.1.2.3", 1 * day))
      assert.same({ b }, who("10.1.2.3", 0))
      assert.same({}, who("10.1.2.3", 3.5 * day))
      assert.same({ a }, who("10.1.2.3", 4 * day - 900))
      assert.same({}, who("10.1.2.3", 4 * day - 901))
      assert.same({ a }, who("10.1.2.3", 5 * day + 900))
      assert.same({}, who("10.1.2.3", 5 * day + 901))
      assert.same({ b }, who("10.9.9.9", 20 * day))
      assert.same({}, who("10.9.9.9", 2 * day))
      assert.same({}, who("10.77.77.77", 0))
    end)

    it("who has it now, if nobody noted anything else", function()
      local now = tenant:put_machine({ lastIpAddress = "10.5.5.5", firstSeen = "20d ago" }).id
      local gone = tenant:put_machine({ lastIpAddress = "10.5.5.5", firstSeen = "20d ago", lastSeen = "10d ago",
        healthStatus = "Inactive" }).id
      local second = tenant:put_machine({ firstSeen = "9d ago",
        ipAddresses = { { ipAddress = "10.5.5.5", type = "Ethernet" } } }).id
      assert.same({ now, gone }, who("10.5.5.5", 15 * day))
      assert.same({ now, second }, who("10.5.5.5", 5 * day))
      assert.same({}, who("10.5.5.5", 25 * day))
    end)

    it("by IPv6 and in any case of the function's name", function()
      local id = tenant:put_machine({ lastIpAddress = "2001:db8::5" }).id
      assert.same({ id }, who("2001:db8::5", 0))
      local now = "2026-02-03T10:11:12Z"
      local response = client:get(("Machines/FindByIp(timestamp=%s,ip='10.1.2.3')"):format(now))
      assert.equal(200, response.status)
      response = client:get(("machines/findbyip(ip=%%2710.1.2.3%%27,timestamp=%s)"):format(now:gsub(":", "%%3A")))
      assert.equal(200, response.status)
    end)

    local wrong = {
      { "(ip=10.1.2.3,timestamp=2026-02-03T00:00:00Z)", "BadRequest" },
      { "(ip='10.1.2.3',timestamp='2026-02-03T00:00:00Z')", "BadRequest" },
      { "(ip='10.1.2.3',timestamp=2026-02-03T00:00:00Z,x='1')", "BadRequest" },
      { "(IP='10.1.2.3',timestamp=2026-02-03T00:00:00Z)", "BadRequest" },
      { "(ip='10.1.2.3',timestamp=2026-02-03)", "InvalidInput" },
      { "(ip='10.1.2.3',timestamp=2026-02-03Z)", "InvalidInput" },
      { "(ip='10.1.2.3',timestamp=2026-02-03T01:00:00%2B01:00)", "InvalidInput" },
      { "(ip='10.1.2.3')", "BadRequest" }, { "()", "BadRequest" }, { "(timestamp=2026-02-03T00:00:00Z)", "BadRequest" },
      { "(ip='10.1.2.3',timestamp=2026-02-03T00:00:00Z,)", "BadRequest" },
      { "(ip='10.1.2.3' timestamp=2026-02-03T00:00:00Z)", "BadRequest" },
      { "(ip='10.1.2.3',ip='10.1.2.3',timestamp=2026-02-03T00:00:00Z)", "BadRequest" },
      { "(ip='10.1.2.300',timestamp=2026-02-03T00:00:00Z)", "InvalidIpAddress" },
      { "(ip='a.corp.example',timestamp=2026-02-03T00:00:00Z)", "InvalidIpAddress" },
      { "(ip='10.1.2.3',timestamp=yesterday)", "InvalidInput" },
      { "(ip='10.1.2.3',timestamp=2026-01-04T10:11:12Z)", "InvalidInput" },
      { "(ip='10.1.2.3',timestamp=2026-02-03T11:11:12Z)", "InvalidInput" },
    }
    for _, case in ipairs(wrong) do
      it("and refuses findbyip" .. case[1], function()
        refused(400, case[2], client:get("machines/findbyip" .. case[1]))
      end)
    end

    it("up to 30 days back", function()
      assert.same({ b }, who("10.9.9.9", nil, "2026-01-04T10:11:13Z"))
    end)
  end)

  it("finds by tag, whole or from the start, with case", function()
    local function names(query)
      local response, answer = client:get("machines/findbytag?" .. query)
      assert.equal(200, response.status, response.body)
      local list = {}
      for i, machine in ipairs(answer.value) do list[i] = machine.id end
      table.sort(list)
      return list
    end
    tenant = sim.new { start = 1770113472, machines = {
      { id = ("a"):rep(40), machineTags = { "x", "O'Brien & sons, 100% #1 + c" } },
      { id = ("b"):rep(40), machineTags = { "xy" } }, { id = ("c"):rep(40), machineTags = { "X" } },
      { id = ("d"):rep(40), machineTags = json.null } } }
    client = caller.new(tenant)
    assert.same({ ("a"):rep(40) }, names "tag=x")
    assert.same({ ("a"):rep(40) }, names "tag=x&useStartsWithFilter=false")
    assert.same({ ("a"):rep(40), ("b"):rep(40) }, names "tag=x&useStartsWithFilter=True")
    assert.same({ ("a"):rep(40) }, names("tag=" .. caller.escape "O'Brien & sons, 100% #1 + c"))
    assert.same({}, names "tag=z")
    refused(400, "MissingRequiredParameter", client:get "machines/findbytag")
    refused(400, "MissingRequiredParameter", client:get "machines/findbytag?tag=")
    refused(400, "InvalidInput", client:get "machines/findbytag?tag=x&useStartsWithFilter=1")
    refused(400, "ODataError", client:get "machines/findbytag?tag=x&tag=y")
  end)

  ---- tags and values

  describe("writes to machines and", function()
    local writer, tags
    local second = "3f00000000000000000000000000000000000001"

    before_each(function()
      tenant:put_application { client_id = "writer", client_secret = "x", roles = { "Machine.ReadWrite.All" } }
      writer = caller.new(tenant, { client_id = "writer", client_secret = "x" })
      tags = ("machines/%s/tags"):format(laptop)
    end)

    it("adds and removes a tag", function()
      local response, machine = writer:post(tags, { Value = "spare", Action = "Add" })
      assert.equal(200, response.status)
      assert.same({ laptop, { "spare" } }, { machine.id, machine.machineTags })
      assert.truthy(machine["@odata.context"]:find("#Machines/$entity", 1, true))
      response, machine = writer:post(tags, { Value = "Spare", Action = "Add" })
      assert.same({ 200, { "spare", "Spare" } }, { response.status, machine.machineTags })
      response, machine = writer:post(tags, { Value = "spare", Action = "Add" })
      assert.same({ 200, { "spare", "Spare" } }, { response.status, machine.machineTags })
      response, machine = writer:post(tags, { Value = "spare", Action = "Remove" })
      assert.same({ 200, { "Spare" } }, { response.status, machine.machineTags })
      response, machine = writer:post(tags, { Value = "spare", Action = "Remove" })
      assert.same({ 200, { "Spare" } }, { response.status, machine.machineTags })
      local told = {}
      for _, entry in ipairs(tenant.history) do
        if entry.event == "machine_tagged" then
          told[#told + 1] = { entry.machine, entry.change, entry.tag, entry.requestor }
        end
      end
      assert.same({ { laptop, "Add", "spare", "writer" }, { laptop, "Add", "Spare", "writer" },
        { laptop, "Remove", "spare", "writer" } }, told)
    end)

    it("asks for a role of its own", function()
      for _, path in ipairs { tags, "machines/AddOrRemoveTagForMultipleMachines",
          ("machines/%s/setDeviceValue"):format(laptop) } do
        assert.equal("Missing application roles. API required roles: Machine.ReadWrite.All, application roles: "
          .. "Machine.Read.All,Machine.RestrictExecution.",
          refused(403, "Forbidden", client:post(path, { Value = "x", Action = "Add" })))
      end
      refused(403, "Forbidden", writer:post(restrict, comment))
      assert.equal(200, writer:get("machineactions").status)
    end)

    local wrong = {
      { { Action = "Add" }, "MissingRequiredParameter" }, { { Value = "x" }, "MissingRequiredParameter" },
      { { value = "x", action = "Add" }, "MissingRequiredParameter" },
      { { Value = "", Action = "Add" }, "MissingRequiredParameter" },
      { { Value = "x", Action = "add" }, "InvalidInput" }, { { Value = "x", Action = "Set" }, "InvalidInput" },
      { { Value = 5, Action = "Add" }, "InvalidRequestBody" }, { "x", "InvalidRequestBody" },
    }
    for i, case in ipairs(wrong) do
      it("refuses a tag that is not well said, " .. i, function()
        refused(400, case[2], writer:post(tags, case[1]))
        assert.same({}, tenant:find_machine(laptop).machineTags)
      end)
    end

    it("refuses to tag what is not there, and names", function()
      for _, id in ipairs { ("0"):rep(40), "laptop-17.corp.example" } do
        refused(404, "ResourceNotFound", writer:post("machines/" .. id .. "/tags", { Value = "x", Action = "Add" }))
      end
    end)

    it("tags many at once", function()
      local path = "machines/AddOrRemoveTagForMultipleMachines"
      local response, answer = writer:post(path, { Value = "x", Action = "Add", MachineIds = { laptop, second } })
      assert.equal(200, response.status)
      assert.same({ laptop, second }, { answer.value[1].id, answer.value[2].id })
      assert.same({ "x" }, tenant:find_machine(second).machineTags)
      refused(404, "ResourceNotFound",
        writer:post(path, { Value = "y", Action = "Add", MachineIds = { laptop, ("0"):rep(40) } }))
      local ids = {}
      for i = 1, 501 do ids[i] = laptop end
      refused(400, "MaximumBatchSizeExceeded", writer:post(path, { Value = "y", Action = "Add", MachineIds = ids }))
      refused(400, "MissingRequiredParameter", writer:post(path, { Value = "y", Action = "Add" }))
      assert.same({ "x" }, tenant:find_machine(laptop).machineTags)
      table.remove(ids)
      assert.equal(200, writer:post(path, { Value = "y", Action = "Add", MachineIds = ids }).status)
      assert.same({ "x", "y" }, tenant:find_machine(laptop).machineTags)
    end)

    it("sets a machine's value", function()
      local path = ("machines/%s/setDeviceValue"):format(laptop)
      local response, machine = writer:post(path, { DeviceValue = "High" })
      assert.same({ 200, "High" }, { response.status, machine.deviceValue })
      assert.equal(1, #writer:rows("machines", "deviceValue eq 'High' and id eq '" .. laptop .. "'"))
      refused(400, "InvalidInput", writer:post(path, { DeviceValue = "high" }))
      refused(400, "MissingRequiredParameter", writer:post(path, {}))
      refused(404, "ResourceNotFound", writer:post("machines/x/setDeviceValue", { DeviceValue = "Low" }))
      assert.equal("High", tenant:find_machine(laptop).deviceValue)
    end)

    it("answers the wrong method with the right one", function()
      local response = client:get(tags)
      assert.same({ 405, "POST" }, { response.status, response.headers["allow"] })
    end)
  end)

  ---- restrict and release

  it("queues an action and says so in full", function()
    local response = client:post(restrict, '{"Comment":"A \\"comment\\" with \\u00fc and \\n"}')
    assert.equal(201, response.status)
    assert.equal(('{"@odata.context":"https://api.security.microsoft.com/api/$metadata#MachineActions/$entity",'
      .. '"id":"%s","type":"RestrictCodeExecution","title":null,"requestor":"mde",'
      .. '"requestorComment":"A \\"comment\\" with \195\188 and \\n","status":"Pending",'
      .. '"machineId":"%s","computerDnsName":"laptop-17.corp.example",'
      .. '"creationDateTimeUtc":"%s","lastUpdateDateTimeUtc":"%s",'
      .. '"cancellationRequestor":null,"cancellationComment":null,"cancellationDateTimeUtc":null,"errorHResult":0,'
      .. '"scope":null,"externalId":null,"requestSource":"PublicApi","relatedFileInfo":null,"commands":[],'
      .. '"troubleshootInfo":null}'):format(tenant.actions[1].id, laptop, tenant.actions[1].creationDateTimeUtc,
      tenant.actions[1].creationDateTimeUtc), response.body)
    assert.truthy(tenant.actions[1].creationDateTimeUtc:find "^2026%-02%-03T10:11:12%.34567%d+Z$")
  end)

  it("lets an action go on", function()
    local _, action = client:post(release, comment)
    assert.equal("UnrestrictCodeExecution", action.type)
    tenant:advance(0.5)
    local _, read = client:get("machineactions/" .. action.id)
    assert.equal("InProgress", read.status)
    tenant:advance(1)
    _, read = client:get("machineactions/" .. action.id:upper())
    assert.equal("Succeeded", read.status)
  end)

  local bad_bodies = {
    { "no Comment", "{}", "MissingRequiredParameter" },
    { "an empty Comment", '{"Comment":""}', "MissingRequiredParameter" },
    { "a null Comment", '{"Comment":null}', "MissingRequiredParameter" },
    { "Comment in the wrong case", '{"comment":"x"}', "MissingRequiredParameter" },
    { "a Comment that is no text", '{"Comment":5}', "InvalidRequestBody" },
    { "no JSON", "Comment=x", "InvalidRequestBody" },
    { "no object", '["Comment"]', "InvalidRequestBody" },
    { "nothing", "", "InvalidRequestBody" },
    { "no UTF-8", '{"Comment":"\255"}', "InvalidRequestBody" },
    { "a blank Comment", '{"Comment":" \\t\\n "}', "MissingRequiredParameter" },
    { "what is no parameter", '{"Comment":"x","Reason":"y"}', "InvalidRequestBody" },
    { "Comment in two cases", '{"Comment":"x","comment":"y"}', "InvalidRequestBody" },
    { "what is no parameter, and null", '{"Comment":"x","Reason":null}', "InvalidRequestBody" },
    { "a raw line break in a text", '{"Comment":"a\nb"}', "InvalidRequestBody" },
    { "a raw tab in a text", '{"Comment":"a\\\\\tb"}', "InvalidRequestBody" },
    { "more than one object", '{"Comment":"x"}{}', "InvalidRequestBody" },
    { "half a surrogate pair", '{"Comment":"\\ud800"}', "InvalidRequestBody" },
    { "a surrogate in UTF-8", '{"Comment":"\237\160\128"}', "InvalidRequestBody" },
  }
  for _, case in ipairs(bad_bodies) do
    it("refuses a body with " .. case[1], function()
      refused(400, case[3], client:post(restrict, case[2]))
      assert.same({}, tenant.actions)
    end)
  end

  it("insists on JSON", function()
    for _, content_type in ipairs { "text/plain", "application/x-www-form-urlencoded", "application/jsonx",
        "application/json; charset=iso-8859-1", "application/json, text/plain", false } do
      local response = client:call("POST", restrict, comment, { ["Content-Type"] = content_type })
      assert.equal(415, response.status)
    end
    local response = client:call("POST", restrict, comment, { ["Content-Type"] = "Application/JSON; charset=utf-8" })
    assert.equal(201, response.status)
    response = client:call("POST", release, '{\n\t"Comment" : "a \\"b\\" \\\\" }\r\n',
      { ["Content-Type"] = 'application/json;odata.metadata=minimal;charset="utf-8"' })
    assert.equal(201, response.status)
  end)

  it("refuses unknown machines, and names in place of ids", function()
    for _, id in ipairs { ("0"):rep(40), "laptop-17.corp.example", "17171717-0000-4000-8000-000000000017" } do
      refused(404, "ResourceNotFound", client:post(("machines/%s/restrictCodeExecution"):format(id), comment))
    end
    assert.same({}, tenant.actions)
  end)

  it("refuses platforms that cannot do it", function()
    local function try(fields)
      return client:post(("machines/%s/restrictCodeExecution"):format(tenant:put_machine(fields).id), comment)
    end
    for _, platform in ipairs { "Linux", "macOS", "Windows8", "WindowsServer2012R2", "iOS", json.null } do
      refused(400, "OsPlatformNotSupported", try { osPlatform = platform })
    end
    refused(400, "ClientVersionNotSupported", try { osPlatform = "Windows10", version = "1703" })
    assert.same({}, tenant.actions)
    assert.equal(201, try({ osPlatform = "Windows10", version = "1709" }).status)
    assert.equal(201, try({ osPlatform = "Windows10", version = "22H2" }).status)
    assert.equal(201, try({ osPlatform = "WindowsServer2022" }).status)
  end)

  it("refuses a duplicate, or answers it in the way that it was told", function()
    local _, first = client:post(restrict, comment)
    assert.equal("Action is already in progress",
      refused(400, "ActiveRequestAlreadyExists", client:post(restrict, { Comment = "another" })))
    tenant:set { duplicates = "pending" }
    local response, second = client:post(restrict, { Comment = "another" })
    assert.equal(201, response.status)
    assert.same({ first.id, "because" }, { second.id, second.requestorComment })
    tenant:set { duplicates = "in_progress" }
    assert.equal("Action is already in progress", refused(400, "BadRequest", client:post(restrict, comment)))
    assert.equal(1, #tenant.actions)
    tenant:set { duplicates = "new" }
    local _, third = client:post(restrict, comment)
    assert.are_not.equal(first.id, third.id)
    assert.equal(2, #tenant.actions)
  end)

  it("does not take the opposite, or what is over, for a duplicate", function()
    local _, first = client:post(restrict, comment)
    local _, opposite = client:post(release, comment)
    tenant:advance(10)
    local _, again = client:post(restrict, comment)
    assert.are_not.equal(first.id, opposite.id)
    assert.are_not.equal(first.id, again.id)
    assert.equal(3, #tenant.actions)
  end)

  it("cuts comments if it was told to", function()
    tenant:set { comment_limit = 3 }
    local _, action = client:post(restrict, { Comment = "\195\188\226\130\172xyz" })
    assert.equal("\195\188\226\130\172x", action.requestorComment)
  end)

  ---- actions

  it("lists actions, the newest first", function()
    client:post(restrict, comment)
    tenant:advance(1)
    client:post(release, comment)
    tenant:insert_action { type = "Isolate", machineId = ("0"):rep(40), creationDateTimeUtc = "2026-02-01T00:00:00Z" }
    local _, list = client:get "machineactions"
    local types = {}
    for i, action in ipairs(list.value) do types[i] = action.type end
    assert.same({ "UnrestrictCodeExecution", "RestrictCodeExecution", "Isolate" }, types)
    assert.equal(2, #client:rows("machineactions", ("machineId eq '%s'"):format(laptop)))
    assert.equal(1, #client:rows("machineactions", "status eq 'InProgress'"))
    assert.equal(2, #client:rows("machineactions", "creationDateTimeUtc ge 2026-02-03T10:11:12Z"))
    assert.equal(1, #client:rows("machineactions", "id eq " .. list.value[1].id))
    assert.equal(2, #client:rows("machineactions", "requestor eq 'mde' and type ne 'Isolate'"))
    local _, latest = client:get "machineactions?$top=1"
    assert.equal(list.value[1].id, latest.value[1].id)
    refused(400, "ODataError", client:get "machineactions?$filter=requestorComment%20eq%20'x'")
  end)

  it("finds an action by the very time that it wrote", function()
    client:post(restrict, comment)
    local at = tenant.actions[1].creationDateTimeUtc
    assert.equal(1, #client:rows("machineactions", "creationDateTimeUtc eq " .. at))
    assert.equal(0, #client:rows("machineactions", "creationDateTimeUtc lt " .. at))
  end)

  it("refuses ids of actions that are none", function()
    for _, id in ipairs { "0123", laptop, "1234567-12345-1234-1234-123456789012", "x" } do
      local message = refused(400, "BadRequest", client:get("machineactions/" .. id))
      assert.equal(("The key value (%s) from request is not valid. The key value should be format of type "
        .. "'Edm.Guid'."):format(id), message)
    end
    refused(404, "ResourceNotFound", client:get "machineactions/11111111-2222-4333-8444-555555555555")
  end)

  it("cancels", function()
    tenant:put_machine { id = laptop, offline = true }
    local _, action = client:post(restrict, comment)
    local path = ("machineactions/%s/cancel"):format(action.id)
    refused(400, "MissingRequiredParameter", client:post(path, {}))
    local response, cancelled = client:post(path, { Comment = "not needed" })
    assert.equal(200, response.status)
    assert.same({ "Cancelled", "not needed", "mde" }, { cancelled.status, cancelled.cancellationComment,
      cancelled.cancellationRequestor })
    local message = refused(400, "BadRequest", client:post(path, comment))
    assert.truthy(message:find("Cancelled", 1, true))
    refused(404, "ResourceNotFound", client:post("machineactions/11111111-2222-4333-8444-555555555555/cancel", comment))
    refused(400, "BadRequest", client:post("machineactions/x/cancel", comment))
  end)

  it("asks for the permission of the kind that is cancelled", function()
    local isolate = tenant:insert_action { type = "Isolate", machineId = laptop, frozen = true }
    local path = ("machineactions/%s/cancel"):format(isolate.id)
    local message = refused(403, "Forbidden", client:post(path, comment))
    assert.truthy(message:find("API required roles: Machine.Isolate,", 1, true))
    assert.equal("Pending", isolate.status)
  end)

  ---- limits

  it("counts calls in a minute, for each API", function()
    local _, action = client:post(restrict, comment)
    for _ = 1, 100 do assert.equal(200, client:get("machines").status) end
    tenant:advance(52.5)
    local response, answer = client:get "machines"
    assert.equal("API calls quota exceeded! Maximum allowed 100 per 00:01:00 for the key Destination+TenantID+AppID. "
      .. "You can send requests again in 8 seconds.", refused(429, "429", response, answer))
    assert.equal("8", response.headers["retry-after"])
    assert.equal(tenant.tenant_id, answer.error.target)
    assert.equal(200, client:get("machineactions/" .. action.id).status)
    tenant:advance(8)
    assert.equal(200, client:get("machines").status)
  end)

  it("counts for each application", function()
    tenant:put_application { client_id = "other", client_secret = "x", roles = { "Machine.Read.All" } }
    local other = caller.new(tenant, { client_id = "other", client_secret = "x" })
    for _ = 1, 101 do client:get "machines" end
    assert.equal(429, client:get("machines").status)
    assert.equal(200, other:get("machines").status)
  end)

  it("counts calls in an hour", function()
    tenant:set { lifetime = 86400, limits = { per_minute = 5, per_hour = 8 } }
    local function send(count)
      local last
      for _ = 1, count do last = client:get "machines" end
      return last
    end
    assert.equal(200, send(5).status)
    tenant:advance(61)
    assert.equal(200, send(3).status)
    local response = send(1)
    -- The second of the first five makes room for the next call, since the one refused has taken the first's.
    assert.same({ 429, "3539" }, { response.status, response.headers["retry-after"] })
    tenant:advance(3538)
    assert.equal(429, send(1).status)
    tenant:advance(1)
    assert.equal(200, send(1).status)
  end)

  it("makes those wait longer who do not wait", function()
    tenant:set { limits = { per_minute = 2, per_hour = 100 } }
    local function wait() return client:get("machines").headers["retry-after"] end
    assert.same({}, { wait() })
    tenant:advance(20)
    assert.same({}, { wait() })
    tenant:advance(10)
    assert.equal("50", wait())
    assert.equal("60", wait())
    tenant:advance(50)
    assert.equal("10", wait())
    tenant:advance(10)
    assert.same({}, { wait() })
  end)

  it("does not count if it was told so", function()
    tenant:set { limits = false }
    for _ = 1, 150 do assert.equal(200, client:get("machines").status) end
  end)

  it("acts on nothing that it throttled", function()
    tenant:set { limits = { per_minute = 1, per_hour = 10 } }
    assert.equal(201, client:post(restrict, comment).status)
    tenant:advance(10)
    assert.equal(429, client:post(restrict, comment).status)
    assert.equal(1, #tenant.actions)
  end)
end)
