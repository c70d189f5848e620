-- The guard, over real TLS and in processes of their own: what a one-line script cannot do by accident.
-- Labels: not-lua5.3
local script = require "tests.spec.support.process.script"
local tenants = require "tests.spec.support.server.tenant"

local DOMAIN_CONTROLLER = "5f00000000000000000000000000000000000001"

local ONE_LINE = [[local action, err = require "mde".restrict(...) print(action and action.outcome or err)]]
local ALLOWED = [[local action, err = require "mde".restrict(..., "why", { allow = { "servers", "device_values" } })
  print(action and action.outcome or err)]]

describe("the guard over TLS", function()
  local tenant

  setup(function() tenant = tenants.start { limits = false, action_seconds = 0.1 } end)
  teardown(function() tenant.stop() end)
  before_each(function()
    tenant.reset()
    tenant.clear()
  end)

  local function run(text, ...)
    local environment = { MDE_LOG = "" }
    for name, value in pairs(tenant.env) do environment[name] = value end
    local output, status = script.run(text, { environment = environment, arguments = { ... },
      build = os.getenv "MDE_BUILD" })
    assert.equal("exit 0", status, output)
    return output
  end

  it("keeps a one-line script from a domain controller, until that names the rules", function()
    for _, device in ipairs { "dc-01", "DC-01.corp.example", DOMAIN_CONTROLLER } do
      local output = run(ONE_LINE, device, "a typing error")
      assert.matches('rule "servers": its osPlatform is "WindowsServer2022"', output, 1, true)
      assert.matches('rule "device_values": its deviceValue is "High"', output, 1, true)
      assert.matches("--allow device_values --allow servers", output, 1, true)
    end
    assert.same({}, tenant.history "action_created")
    assert.equal("accepted\n", run(ALLOWED, "dc-01"))
    assert.equal(DOMAIN_CONTROLLER, tenant.history "action_created"[1].machine)
  end)

  it("refuses the 26th of 30 restricts, each by a process of its own", function()
    for i = 1, 30 do
      tenant.machine { id = ("%040x"):format(0xb0000 + i), computerDnsName = ("desk-%d.corp.example"):format(i) }
    end
    for i = 1, 30 do
      local output = run(ONE_LINE, ("desk-%d.corp.example"):format(i), "why")
      if i <= 25 then
        assert.equal("accepted\n", output)
      else
        assert.matches('rule "cap": as many restricts were sent as may be in an hour (cap = 25)', output, 1, true)
        assert.matches("--allow cap", output, 1, true)
      end
    end
    assert.equal(25, #tenant.history "action_created")
    tenant.advance(3601)
    assert.equal("accepted\n", run(ONE_LINE, "desk-30.corp.example", "an hour later"))
  end)

  it("never lets each pass the cap, and counts with one request", function()
    local client, names = tenant.client { cap = 10 }, {}
    for i = 1, 40 do
      names[i] = ("desk-%d.corp.example"):format(i)
      tenant.machine { id = ("%040x"):format(0xb0000 + i), computerDnsName = names[i] }
    end
    local results = client:each(names, function(name) return client:restrict(name, "why", { look = false }) end)
    assert.equal(30, results.failed)
    for i, result in ipairs(results) do
      assert.equal(names[i], result.item)
      assert.equal(result.err and "cap" or nil, result.err and result.err.rule)
    end
    assert.equal(10, #tenant.history "action_created")
    local counts = 0
    for _, entry in ipairs(tenant.history "request") do
      if entry.path == "/api/machineactions" then counts = counts + 1 end
    end
    assert.equal(1, counts)
  end)
end)
