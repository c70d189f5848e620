-- What can be told to go wrong with the simulated tenant: what each rule makes of an answer, and rules in a file.
-- Labels: not-lua5.3
local core = require "mde.core"
local json = require "mde.sim.base.json"
local shell = require "tests.spec.support.process.shell"
local sim = require "mde.sim"

local LAPTOP = ("1"):rep(40)
local RESTRICT = "/api/machines/" .. LAPTOP .. "/restrictCodeExecution"

describe("a fault", function()
  local tenant, driver, token

  before_each(function()
    tenant = sim.new { machines = { { id = LAPTOP, computerDnsName = "laptop.corp.example" } }, start = 1.7e9 }
    driver = tenant:driver()
    local response = assert(driver.send {
      method = "POST", url = ("https://login.microsoftonline.com/%s/oauth2/v2.0/token"):format(tenant.tenant_id),
      headers = { ["Content-Type"] = "application/x-www-form-urlencoded" },
      body = ("grant_type=client_credentials&client_id=%s&client_secret=%s&scope=%s"):format(tenant.client_id,
        core.odata.encode(tenant.client_secret), core.odata.encode "https://api.securitycenter.microsoft.com/.default"),
    })
    token = json.decode(response.body).access_token
    tenant.history = {}
  end)

  local function restrict(rule)
    if rule then tenant.faults:add(rule) end
    return driver.send { method = "POST", url = "https://api.security.microsoft.com" .. RESTRICT, timeout = 30,
      headers = { Authorization = "Bearer " .. token, ["Content-Type"] = "application/json" },
      body = '{"Comment":"x"}' }
  end

  it("has the shape of the side that was asked", function()
    tenant.faults:add { match = {}, fault = "throttled", count = 2, seconds = 7 }
    local codes = {}
    for _, path in ipairs { "api.security.microsoft.com/api/machines", "graph.microsoft.com/v1.0/security/x" } do
      local response = driver.send { method = "GET", url = "https://" .. path, timeout = 30 }
      assert.same({ 429, "7" }, { response.status, response.headers["retry-after"] })
      local refusal = json.decode(response.body).error
      codes[#codes + 1] = refusal.code
      assert.equal(#codes == 2, refusal.target == nil and refusal.innerError["request-id"] ~= nil)
    end
    assert.same({ "429", "TooManyRequests" }, codes)
  end)

  local function done()
    local count = 0
    for _, entry in ipairs(tenant.history) do
      if entry.event == "action_created" then count = count + 1 end
    end
    return count
  end

  it("throttles in each form of Retry-After", function()
    for form, wanted in pairs { seconds = 7, milliseconds = 7, date = 7, rfc850 = 7, asctime = 7 } do
      local response = restrict { fault = "throttled", form = form, seconds = 7 }
      assert.equal(429, response.status)
      assert.equal(wanted, (core.header.retry_after(response.headers, tenant.clock.now())), form)
    end
    assert.matches("again in 7 seconds", restrict({ fault = "throttled", form = "text", seconds = 7 }).body)
    for _, form in ipairs { "negative", "garbage" } do
      local seconds, problem = core.header.retry_after(restrict({ fault = "throttled", form = form }).headers, 1.7e9)
      assert.is_nil(seconds)
      assert.is_truthy(problem)
    end
    assert.is_nil(restrict({ fault = "throttled", form = "none" }).headers["retry-after"])
    assert.equal(0, done())
  end)

  it("challenges, and says what a token should have", function()
    local response = restrict { fault = "challenge" }
    assert.equal(401, response.status)
    local challenge = core.header.challenges(response.headers["www-authenticate"])[1]
    assert.equal("insufficient_claims", challenge.parameters.error)
    assert.is_truthy(json.decode(core.base64.decode(challenge.parameters.claims)).access_token)
    assert.equal(0, done())
  end)

  it("has another idea of the time", function()
    local response = restrict { fault = "skew", by = -86400 }
    assert.equal(201, response.status)
    assert.equal(1.7e9 - 86400, core.header.date(response.headers.date, 1.7e9))
    assert.equal(1, done())
  end)

  it("does not say whose an action is", function()
    local action = json.decode(restrict({ fault = "nameless" }).body)
    assert.equal(json.null, action.machineId)
    assert.equal(json.null, action.computerDnsName)
    assert.equal(LAPTOP, tenant:find_action(action.id).machineId)
  end)

  it("is no answer where it is malformed, and one where it is only unusual", function()
    local response, _, maybe_sent = restrict { fault = "malformed" }
    assert.is_nil(response)
    assert.is_true(maybe_sent)
    tenant:advance(10)
    assert.equal(201, restrict({ fault = "interim", status = 100 }).status)
    tenant:advance(10)
    assert.equal(201, restrict({ fault = "deflate" }).status)
  end)

  it("is refused where it makes no sense", function()
    for _, rule in ipairs { { fault = "none" }, { fault = "throttled", form = "weeks" }, { fault = "interim",
      status = 101 }, { fault = "skew", by = "a day" }, { fault = "deflate", format = "br" },
      { fault = "malformed", how = "badly" }, { fault = "gone", at = "half" } } do
      assert.is_false(pcall(tenant.faults.add, tenant.faults, rule))
    end
  end)
end)

describe("faults in a file", function()
  local path

  before_each(function() path = os.tmpname() end)
  after_each(function() os.remove(path) end)

  -- The example of sim.md, word for word.
  local function example()
    local text = assert(shell.read_file "lua/mde/sim/sim.md")
    return assert(text:match "each:\n\n```lua\n(.-)```", "there is no example")
  end

  it("are those of the documentation", function()
    shell.write_file(path, example())
    local tenant = sim.new { fixture = path }
    local kinds = {}
    for i, rule in ipairs(tenant.faults.rules) do kinds[i] = rule.fault end
    assert.same({ "gone", "stall", "answer", "throttled" }, kinds)
    assert.equal("reversed", tenant.completion)
    assert.equal(4, tenant.lists.lag)
    tenant.faults:clear()
    tenant:reset()
    tenant:restore_faults()
    assert.equal(4, #tenant.faults.rules)
  end)

  it("are blamed by place where they are wrong", function()
    shell.write_file(path, '{ faults = { { fault = "gone" }, { fault = "gon" } } }')
    local ok, message = pcall(sim.new, { fixture = path })
    assert.is_false(ok)
    assert.matches(path, message, 1, true)
    assert.matches("faults[2]", message, 1, true)
    assert.matches("gon", message, 1, true)
  end)
end)

describe("the order in which a machine carries its actions out", function()
  local function order(completion)
    local tenant = sim.new { machines = { { id = LAPTOP, offline = true } }, completion = completion, start = 1.7e9 }
    local machine, list = tenant:find_machine(LAPTOP), {}
    for i, kind in ipairs { "RestrictCodeExecution", "UnrestrictCodeExecution", "RestrictCodeExecution" } do
      tenant:advance(1)
      list[tenant:create_action(machine, kind, "x", "mde").id] = i
    end
    tenant:put_machine { id = LAPTOP, offline = false }
    tenant:advance(60)
    local ended = {}
    for _, entry in ipairs(tenant.history) do
      if entry.to == "Succeeded" then ended[#ended + 1] = list[entry.action] end
    end
    return ended
  end

  it("is that of their creation, or the reverse", function()
    assert.same({ 1, 2, 3 }, order "in_order")
    assert.same({ 3, 2, 1 }, order "reversed")
  end)
end)
