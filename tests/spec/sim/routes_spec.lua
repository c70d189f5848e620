-- The API: which request goes where, and what it answers and refuses.
-- Labels: only-lua5.4
local caller = require "tests.spec.support.caller"
local json = require "mde.sim.base.json"
local sim = require "mde.sim"

local laptop = "1f00000000000000000000000000000000000017"
local restrict = ("machines/%s/restrictCodeExecution"):format(laptop)
local release = ("machines/%s/unrestrictCodeExecution"):format(laptop)
local comment = { Comment = "because" }

local refused = caller.refused

describe("the API", function()
  local tenant, client

  before_each(function()
    tenant = sim.new { start = 1770113472 + 0.3456789 }
    client = caller.new(tenant)
  end)


  ---- paths and methods

  it("knows paths without case, with and without a version", function()
    assert.equal(200, client:get("MACHINES").status)
    assert.equal(200, client:get("v1.0/machineActions").status)
    assert.equal(200, client:get("machines/" .. laptop:upper()).status)
    assert.equal(404, client:get("v2.0/machines").status)
    assert.equal(404, client:get("nonsense").status)
    assert.equal(404, client:get("machines/" .. laptop .. "/nonsense").status)
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
end)
