-- Machines over the API: lists of them, one of them, and what is written to them.
-- Labels: only-lua5.4
local caller = require "tests.spec.support.caller"
local json = require "mde.sim.base.json"
local sim = require "mde.sim"

local laptop = "1f00000000000000000000000000000000000017"
local restrict = ("machines/%s/restrictCodeExecution"):format(laptop)
local comment = { Comment = "because" }

local refused = caller.refused

describe("the API of machines", function()
  local tenant, client

  before_each(function()
    tenant = sim.new { start = 1770113472 + 0.3456789 }
    client = caller.new(tenant)
  end)

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

    -- Bodies of which one of three ids is of no machine.
    local nobody = ("0"):rep(40)
    for _, case in ipairs {
      { nil, 404, {} }, { "refuse_all", 404, {} }, { "skip", 200, { laptop, second } }, { "stop", 404, { laptop } },
    } do
      it("tags many of which one is not there, as it was told: " .. (case[1] or "nothing"), function()
        local path = "machines/AddOrRemoveTagForMultipleMachines"
        if case[1] then tenant:set { bulk_tags = case[1] } end
        local response, answer = writer:post(path,
          { Value = "x", Action = "Add", MachineIds = { laptop, nobody, second } })
        assert.equal(case[2], response.status)
        if case[2] == 404 then
          assert.truthy(refused(404, "ResourceNotFound", response, answer):find(nobody, 1, true))
        else
          assert.same({ laptop, second, nil }, { answer.value[1].id, answer.value[2].id, answer.value[3] })
        end
        local tagged = {}
        for _, row in ipairs(writer:rows("machines", "machineTags/any(t: t eq 'x')")) do
          tagged[#tagged + 1] = row.id
        end
        assert.same(case[3], tagged)
      end)
    end

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
end)
