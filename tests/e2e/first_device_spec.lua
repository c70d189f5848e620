-- One device, over real TLS: from the environment to the tenant's own history.
-- Labels: sanitized, not-lua5.3
local tenants = require "tests.spec.support.server.tenant"

local ENTRA_ID, MACHINE_ID = "17171717-0000-4000-8000-000000000017", "1f00000000000000000000000000000000000017"
local INJECTION = "x' or healthStatus eq 'Active"
local INJECTION_ID = "6f00000000000000000000000000000000000002"

local function count(tenant, event, field, value)
  local n = 0
  for _, entry in ipairs(tenant.history(event)) do
    if not field or entry[field] == value then n = n + 1 end
  end
  return n
end

describe("a device over TLS", function()
  local tenant

  setup(function() tenant = tenants.start { limits = false, action_seconds = 0.5 } end)
  teardown(function() tenant.stop() end)
  before_each(function()
    tenant.reset()
    tenant.clear()
  end)

  it("is restricted by its Entra device id, waited for, and released", function()
    local client = tenant.client()
    local action = assert(client:restrict(ENTRA_ID, "beacon to known C2", { incident = "INC-4711" }))
    assert.equal("accepted", action.outcome)
    assert.equal(MACHINE_ID, action.machineId)
    assert.equal("beacon to known C2 [mde:INC-4711:" .. action.operation_id .. "]", action.requestorComment)
    assert.equal("Succeeded", action:wait { timeout = 30 })
    assert.equal("restricted", client:state(ENTRA_ID))

    local again = assert(client:restrict(ENTRA_ID, "beacon to known C2", { incident = "inc-4711" }))
    assert.equal("already_active", again.outcome)
    assert.equal(action.id, again.id)

    local release = assert(client:release(ENTRA_ID, "cleared", { incident = "INC-4711" }))
    assert.equal("accepted", release.outcome)
    assert.equal("Succeeded", release:wait { timeout = 30 })
    assert.equal("released", client:state(MACHINE_ID))

    local created = tenant.history "action_created"
    assert.equal(2, #created)
    assert.equal(1, count(tenant, "token_issued"))
  end)

  it("is found by exactly the name that is given, whatever is in it", function()
    local client = tenant.client()
    assert(client:restrict(INJECTION, "a name that is also a filter"))
    local created = tenant.history "action_created"
    assert.equal(1, #created)
    assert.equal(INJECTION_ID, created[1].machine)
    for _, name in ipairs { "x' or healthStatus eq 'Inactive", "x'", "' or 1 eq 1 or '", "%27", "a&$top=1", "a#b" } do
      local action, err = client:restrict(name, "nobody")
      assert.is_nil(action)
      assert.equal("not_found", err.kind)
    end
    assert.equal(1, count(tenant, "action_created"))
  end)

  it("gets one action when the server processes the POST and closes the reused connection", function()
    local client = tenant.client()
    assert(client:state(MACHINE_ID))
    tenant.fault { match = { method = "POST", path = "restrictCodeExecution" }, fault = "gone" }
    local action = assert(client:restrict(MACHINE_ID, "beacon", { incident = "INC-4711" }))
    assert.equal("accepted", action.outcome)
    assert.is_true(action.reconciled)
    local created = tenant.history "action_created"
    assert.equal(1, #created)
    assert.equal(created[1].action, action.id)

    local found = assert(client:find_action { machine_id = MACHINE_ID, operation_id = action.operation_id })
    assert.equal(created[1].action, found.id)
  end)

  it("is signed in for once by 100 callers", function()
    local client = tenant.client()
    local items = {}
    for i = 1, 100 do items[i] = i end
    local results = client:each(items, function() return client:machine(MACHINE_ID) end, { parallel = 100 })
    assert.equal(0, results.failed)
    for i, result in ipairs(results) do
      assert.equal(i, result.item)
      assert.equal(MACHINE_ID, result.value.id)
    end
    assert.equal(1, count(tenant, "token_issued"))
    assert.equal(1, count(tenant, "request", "path", "/" .. tenant.env.AZURE_TENANT_ID .. "/oauth2/v2.0/token"))
  end)

  it("is refused to 100 callers with a wrong secret by one request and equal errors", function()
    local client = tenant.client { credential = "not the right one" }
    local items = {}
    for i = 1, 100 do items[i] = i end
    local results = client:each(items, function() return client:restrict(MACHINE_ID, "beacon") end, { parallel = 100 })
    assert.equal(100, results.failed)
    for _, result in ipairs(results) do
      assert.equal("auth", result.err.kind)
      assert.equal("AADSTS7000215", result.err.code)
      assert.equal(results[1].err.message, result.err.message)
    end
    assert.equal(0, count(tenant, "token_issued"))
    assert.equal(1, count(tenant, "token_refused"))
    assert.equal(0, count(tenant, "action_created"))
  end)

  it("is acted on for eight callers at a time, results in order", function()
    local client = tenant.client { cap = 40 }
    local ids = {}
    for i = 1, 40 do
      ids[i] = ("%040x"):format(0xa0000 + i)
      tenant.machine { id = ids[i], computerDnsName = ("desk-%d.corp.example"):format(i) }
    end
    local results = client:each(ids, function(id) return client:restrict(id, "beacon") end)
    assert.equal(0, results.failed)
    for i, result in ipairs(results) do
      assert.equal(ids[i], result.item)
      assert.equal(ids[i], result.value.machineId)
    end
    assert.equal(40, count(tenant, "action_created"))
  end)
end)
