-- Actions: each response action is queued, refused, repeated, carried out and cancelled; and the package of one.
-- Labels: only-lua5.4
local caller = require "tests.spec.support.caller"
local json = require "mde.sim.base.json"
local sim = require "mde.sim"

local laptop = "1f00000000000000000000000000000000000017"
local drawer = "1f00000000000000000000000000000000000018"
local broken = "1f00000000000000000000000000000000000019"
local unmanaged = "9f00000000000000000000000000000000000001"
local sha1 = "c40d9e7b1f6a83520d7be4c1935fa86207d1b9ec"
local all_roles = { "Machine.Read.All", "Machine.RestrictExecution", "Machine.Isolate", "Machine.Scan",
  "Machine.StopAndQuarantine", "Machine.CollectForensics", "Machine.Offboard", "Machine.LiveResponse",
  "Alert.ReadWrite.All" }

-- For each: what goes, what its action is, its role, its platform that cannot, and bodies that are refused.
local cases = {
  { name = "restrictCodeExecution", body = { Comment = "why" }, type = "RestrictCodeExecution",
    role = "Machine.RestrictExecution", cannot = "WindowsServer2016", wrong = {} },
  { name = "unrestrictCodeExecution", body = { Comment = "why" }, type = "UnrestrictCodeExecution",
    role = "Machine.RestrictExecution", cannot = "WindowsServer2016", wrong = {} },
  { name = "isolate", body = { Comment = "why", IsolationType = "Selective" }, type = "Isolate",
    role = "Machine.Isolate", cannot = "Linux", scope = "Selective",
    wrong = {
      { { Comment = "why", IsolationType = "selective" }, "InvalidInput" },
      { { Comment = "why", IsolationType = "UnmanagedDevice" }, "InvalidInput" },
      { { Comment = "why", IsolationType = "" }, "InvalidInput" },
      { { Comment = "why", IsolationType = 1 }, "InvalidRequestBody" },
      { { Comment = "why", IsolationType = json.null }, "InvalidRequestBody" },
      { { Comment = "why", isolationType = "Full" }, "InvalidRequestBody" },
    } },
  { name = "unisolate", body = { Comment = "why" }, type = "Unisolate", role = "Machine.Isolate", cannot = "iOS",
    wrong = { { { Comment = "why", IsolationType = "Full" }, "InvalidRequestBody" } } },
  { name = "runAntiVirusScan", body = { Comment = "why", ScanType = "Quick" }, type = "RunAntiVirusScan",
    role = "Machine.Scan", cannot = "iOS", scope = "Quick",
    wrong = {
      { { Comment = "why" }, "MissingRequiredParameter" },
      { { Comment = "why", ScanType = "" }, "MissingRequiredParameter" },
      { { Comment = "why", ScanType = json.null }, "MissingRequiredParameter" },
      { { Comment = "why", scanType = "Full" }, "MissingRequiredParameter" },
      { { Comment = "why", ScanType = "full" }, "InvalidInput" },
      { { Comment = "why", ScanType = { "Full" } }, "InvalidRequestBody" },
    } },
  { name = "StopAndQuarantineFile", body = { Comment = "why", Sha1 = sha1 }, type = "StopAndQuarantineFile",
    role = "Machine.StopAndQuarantine", cannot = "macOS",
    file = { fileIdentifier = sha1, fileIdentifierType = "Sha1" },
    wrong = {
      { { Comment = "why" }, "MissingRequiredParameter" },
      { { Comment = "why", SHA1 = sha1 }, "MissingRequiredParameter" },
      { { Comment = "why", Sha1 = sha1 .. "0" }, "InvalidHashValue" },
      { { Comment = "why", Sha1 = sha1:sub(2) }, "InvalidHashValue" },
      { { Comment = "why", Sha1 = "g" .. sha1:sub(2) }, "InvalidHashValue" },
      { { Comment = "why", Sha1 = sha1 .. ("0"):rep(24) }, "InvalidHashValue" },
      { { Comment = "why", Sha1 = " " .. sha1 }, "InvalidHashValue" },
      { { Comment = "why", Sha1 = 5 }, "InvalidRequestBody" },
      { { Comment = "why", Sha1 = sha1, Sha256 = sha1 }, "InvalidRequestBody" },
    } },
  { name = "collectInvestigationPackage", body = { Comment = "why" }, type = "CollectInvestigationPackage",
    role = "Machine.CollectForensics", cannot = "iOS", wrong = {} },
  { name = "offboard", body = { Comment = "why" }, type = "Offboard", role = "Machine.Offboard", cannot = "iOS",
    wrong = {} },
}

local function refused(status, code, response, answer)
  assert.equal(status, response.status, response.body)
  assert.equal(code, answer.error.code)
  assert.is_string(answer.error.target)
  return answer.error.message
end

describe("the response action", function()
  local tenant, client

  before_each(function()
    tenant = sim.new { start = 1770113472, roles = all_roles, limits = false }
    client = caller.new(tenant)
  end)

  local function caller_with(roles)
    tenant:put_application { client_id = "other", client_secret = "x", roles = roles }
    return caller.new(tenant, { client_id = "other", client_secret = "x" })
  end

  for _, case in ipairs(cases) do
    local function path(id) return ("machines/%s/%s"):format(id or laptop, case.name) end

    describe(case.name, function()
      it("is queued and goes on to its end", function()
        local response, action = client:post(path(), case.body)
        assert.equal(201, response.status, response.body)
        assert.truthy(action["@odata.context"]:find("#MachineActions/$entity", 1, true))
        assert.same({ case.type, "Pending", "why", laptop, case.scope or json.null, case.file or json.null },
          { action.type, action.status, action.requestorComment, action.machineId, action.scope,
            action.relatedFileInfo })
        tenant:advance(0.5)
        assert.equal("InProgress", tenant:find_action(action.id).status)
        tenant:advance(1)
        local _, read = client:get("machineactions/" .. action.id)
        assert.same({ "Succeeded", case.scope or json.null, case.file or json.null },
          { read.status, read.scope, read.relatedFileInfo })
        assert.equal(1, #client:rows("machineactions", ("type eq '%s'"):format(case.type)))
      end)

      it("stays pending on a machine out of reach, and fails on one that fails", function()
        local _, waiting = client:post(path(drawer), case.body)
        local _, failing = client:post(path(broken), case.body)
        tenant:advance(1e6)
        assert.same({ "Pending", "Failed" },
          { tenant:find_action(waiting.id).status, tenant:find_action(failing.id).status })
      end)

      it("is told in the history with what it is about", function()
        client:post(path(), case.body)
        local told = {}
        for _, entry in ipairs(tenant.history) do
          if entry.event == "action_created" then told[#told + 1] = { entry.type, entry.scope, entry.file } end
        end
        assert.same({ { case.type, case.scope, case.file and sha1 } }, told)
      end)

      it("asks for its role alone", function()
        for _, role in ipairs(all_roles) do
          local response, answer = caller_with({ role }):post(path(drawer), case.body)
          if role == case.role then
            assert.equal(201, response.status)
          else
            assert.equal(("Missing application roles. API required roles: %s, application roles: %s.")
              :format(case.role, role), refused(403, "Forbidden", response, answer))
          end
        end
        assert.equal(1, #tenant.actions)
      end)

      it("is refused where its body is wrong", function()
        local wrong = { { {}, "MissingRequiredParameter" }, { '{"Comment":null}', "MissingRequiredParameter" } }
        local function also(code, change)
          local body = {}
          for name, value in pairs(case.body) do body[name] = value end
          change(body)
          wrong[#wrong + 1] = { body, code }
        end
        also("MissingRequiredParameter", function(body) body.Comment, body.comment = nil, "why" end)
        also("MissingRequiredParameter", function(body) body.Comment = " " end)
        also("InvalidRequestBody", function(body) body.Comment = 5 end)
        also("InvalidRequestBody", function(body) body.ExternalId = "INC-1" end)
        for _, more in ipairs(case.wrong) do wrong[#wrong + 1] = more end
        for _, one in ipairs(wrong) do refused(400, one[2], client:post(path(), one[1])) end
        assert.same({}, tenant.actions)
      end)

      it("is refused for what is not a machine's id, and for a platform that cannot", function()
        for _, id in ipairs { ("0"):rep(40), "laptop-17.corp.example" } do
          refused(404, "ResourceNotFound", client:post(path(id), case.body))
        end
        local other = tenant:put_machine { osPlatform = case.cannot }
        assert.truthy(refused(400, "OsPlatformNotSupported", client:post(path(other.id), case.body))
          :find(case.cannot, 1, true))
        assert.same({}, tenant.actions)
      end)

      it("is known by this spelling, and sent by POST", function()
        for _, name in ipairs { case.name:lower(), case.name:upper(), case.name .. "s" } do
          if name ~= case.name then
            assert.equal(404, client:post(("machines/%s/%s"):format(laptop, name), case.body).status)
          end
        end
        local response = client:get(path())
        assert.same({ 405, "POST" }, { response.status, response.headers["allow"] })
        assert.same({}, tenant.actions)
      end)

      it("is refused while one is open, or answered as it was told", function()
        local is_collection = case.name == "collectInvestigationPackage"
        local _, first = client:post(path(drawer), case.body)
        local function repeat_with(setting)
          tenant:set { duplicates = setting }
          return client:post(path(drawer), case.body)
        end
        refused(400, "ActiveRequestAlreadyExists", repeat_with "active_request")
        refused(400, "BadRequest", repeat_with "in_progress")
        if is_collection then
          refused(400, "ActiveRequestAlreadyExists", repeat_with "pending")
          refused(400, "ActiveRequestAlreadyExists", repeat_with "new")
        else
          local response, echo = repeat_with "pending"
          assert.same({ 201, first.id }, { response.status, echo.id })
          assert.equal(1, #tenant.actions)
          local second
          response, second = repeat_with "new"
          assert.equal(201, response.status)
          assert.are_not.equal(first.id, second.id)
        end
        assert.equal(is_collection and 1 or 2, #tenant.actions)
      end)

      it("is cancelled by who may send it, and nobody else", function()
        local _, action = client:post(path(drawer), case.body)
        local cancel = ("machineactions/%s/cancel"):format(action.id)
        for _, role in ipairs(all_roles) do
          if role ~= case.role then
            refused(403, "Forbidden", caller_with({ role }):post(cancel, { Comment = "stop" }))
          end
        end
        local response, cancelled = caller_with({ case.role }):post(cancel, { Comment = "stop" })
        assert.same({ 200, "Cancelled", case.type }, { response.status, cancelled.status, cancelled.type })
        refused(400, "BadRequest", client:post(cancel, { Comment = "stop" }))
      end)
    end)
  end

  ---- what is special

  it("isolate is Full unless it says otherwise", function()
    local _, action = client:post("machines/" .. laptop .. "/isolate", { Comment = "why" })
    assert.equal("Full", action.scope)
    assert.equal(400, (client:post("machines/" .. laptop .. "/isolate", { Comment = "x", IsolationType = "Full" }))
      .status)
  end)

  it("isolate contains a device that is not onboarded, by the others", function()
    local path = "machines/" .. unmanaged .. "/isolate"
    for _, kind in ipairs { "Full", "Selective" } do
      assert.truthy(refused(400, "InvalidInput", client:post(path, { Comment = "x", IsolationType = kind }))
        :find("not onboarded", 1, true))
    end
    refused(400, "InvalidInput", client:post(path, { Comment = "x" }))
    local response, contained = client:post(path, { Comment = "x", IsolationType = "UnManagedDevice" })
    assert.same({ 201, "Isolate", json.null }, { response.status, contained.type, contained.scope })
    local released
    response, released = client:post("machines/" .. unmanaged .. "/unisolate", { Comment = "x" })
    assert.same({ 201, "Unisolate" }, { response.status, released.type })
    tenant:advance(10)
    assert.same({ "Succeeded", "Succeeded" },
      { tenant:find_action(contained.id).status, tenant:find_action(released.id).status })
    refused(400, "InvalidInput", client:post("machines/" .. laptop .. "/isolate",
      { Comment = "x", IsolationType = "UnManagedDevice" }))
  end)

  it("isolate does not keep the device from what comes next", function()
    client:post("machines/" .. laptop .. "/isolate", { Comment = "x", IsolationType = "Full" })
    local _, scan = client:post("machines/" .. laptop .. "/runAntiVirusScan", { Comment = "x", ScanType = "Full" })
    tenant:advance(10)
    assert.equal("Succeeded", tenant:find_action(scan.id).status)
  end)

  it("isolate may stay pending for ever on what is isolated", function()
    local path = "machines/" .. laptop .. "/isolate"
    tenant:set { repeated_isolation = "sticks" }
    local function isolate()
      local _, action = client:post(path, { Comment = "x" })
      tenant:advance(10)
      return tenant:find_action(action.id)
    end
    assert.equal("Succeeded", isolate().status)
    local stuck = isolate()
    assert.equal("Pending", stuck.status)
    client:post("machines/" .. laptop .. "/unisolate", { Comment = "x" })
    tenant:advance(600)
    assert.equal("Pending", stuck.status)
    refused(400, "ActiveRequestAlreadyExists", client:post(path, { Comment = "x" }))
    assert.equal(200, client:post(("machineactions/%s/cancel"):format(stuck.id), { Comment = "x" }).status)
    assert.equal("Succeeded", isolate().status)
    tenant:set { repeated_isolation = "succeeds" }
    assert.equal("Succeeded", isolate().status)
  end)

  it("offboard is the last that a device does", function()
    client:post("machines/" .. laptop .. "/offboard", { Comment = "x" })
    local _, late = client:post("machines/" .. laptop .. "/unisolate", { Comment = "x" })
    tenant:advance(1e6)
    assert.equal("Pending", tenant:find_action(late.id).status)
    tenant:put_machine { id = laptop, offline = false }
    tenant:advance(10)
    assert.equal("Succeeded", tenant:find_action(late.id).status)
  end)

  it("startInvestigation is retired", function()
    local path = "machines/" .. laptop .. "/startInvestigation"
    local message = refused(404, "NotFound", client:post(path, { Comment = "x" }))
    assert.equal("startInvestigation is retired. Use runAntiVirusScan with the ScanType Full.", message)
    refused(403, "Forbidden", caller_with({ "Machine.Scan" }):post(path, { Comment = "x" }))
    assert.same({}, tenant.actions)
    tenant:set { limits = true }
    for _ = 1, 50 do assert.equal(404, (client:post(path, { Comment = "x" })).status) end
    assert.equal(429, (client:post(path, { Comment = "x" })).status)
  end)

  it("of another type is listed, and not cancelled", function()
    for _, kind in ipairs { "RequestSample", "Unknown" } do
      local action = tenant:insert_action { type = kind, machineId = laptop, frozen = true }
      assert.equal(action.id, client:rows("machineactions", ("type eq '%s'"):format(kind))[1].id)
      refused(400, "BadRequest", client:post(("machineactions/%s/cancel"):format(action.id), { Comment = "x" }))
      assert.equal("Pending", action.status)
    end
    local session = tenant:insert_action { type = "LiveResponse", machineId = laptop, frozen = true }
    assert.equal(200, client:post(("machineactions/%s/cancel"):format(session.id), { Comment = "x" }).status)
  end)
end)

describe("the package of a collection", function()
  local tenant, client, path, action

  before_each(function()
    tenant = sim.new { start = 1770113472, roles = { "Machine.Read.All", "Machine.CollectForensics" } }
    client = caller.new(tenant)
    local _, created = client:post(("machines/%s/collectInvestigationPackage"):format(laptop), { Comment = "x" })
    action = tenant:find_action(created.id)
    path = ("machineactions/%s/getPackageUri"):format(action.id)
  end)

  it("is there when the collection has succeeded, in quotes of its own", function()
    refused(404, "ResourceNotFound", client:get(path))
    tenant:advance(2)
    local response, answer = client:get(path)
    assert.equal(200, response.status)
    assert.equal("https://api.security.microsoft.com/api/$metadata#Edm.String", answer["@odata.context"])
    local uri = answer.value:match '^"(https://.*)"$'
    assert.truthy(uri and uri:find "^https://[%w.-]+%.example:443/", answer.value)
    tenant:set { package_uri = "plain" }
    tenant:advance(60)
    local _, plain = client:get(path)
    assert.truthy(plain.value:find "^https://.*%%3d$", plain.value)
    assert.are_not.equal(uri, plain.value)
  end)

  it("is not there for a collection that did not succeed", function()
    for _, status in ipairs { "InProgress", "Failed", "Cancelled", "TimeOut" } do
      tenant:set { limits = false }
      action.status = status
      refused(404, "ResourceNotFound", client:get(path))
    end
  end)

  it("is refused for other ids", function()
    local scan = tenant:insert_action { type = "RunAntiVirusScan", machineId = laptop, status = "Succeeded" }
    tenant:set { limits = false }
    refused(400, "InvalidInput", client:get(("machineactions/%s/getPackageUri"):format(scan.id)))
    refused(400, "BadRequest", client:get "machineactions/0123/getPackageUri")
    refused(404, "ResourceNotFound", client:get "machineactions/11111111-2222-4333-8444-555555555555/getPackageUri")
    refused(400, "ODataError", client:get(path .. "?$top=1"))
    assert.equal(404, client:get(path:lower()).status)
    local response = client:post(path, {})
    assert.same({ 405, "GET" }, { response.status, response.headers["allow"] })
  end)

  it("asks for the right to read", function()
    tenant:put_application { client_id = "other", client_secret = "x", roles = { "Machine.CollectForensics" } }
    local other = caller.new(tenant, { client_id = "other", client_secret = "x" })
    assert.equal("Missing application roles. API required roles: Machine.Read.All,Machine.ReadWrite.All, "
      .. "application roles: Machine.CollectForensics.", refused(403, "Forbidden", other:get(path)))
  end)

  it("has a limit of its own", function()
    tenant:advance(2)
    assert.equal(200, client:get(path).status)
    assert.equal(200, client:get(path).status)
    local response, answer = client:get(path)
    assert.truthy(refused(429, "429", response, answer):find("Maximum allowed 2 per 00:01:00", 1, true))
    assert.equal("60", response.headers["retry-after"])
    assert.equal(200, client:get("machineactions/" .. action.id).status)
  end)
end)
