-- The tenant as a driver in the same process: the contract as far as it goes here, the clock, the faults.
-- Labels: not-lua5.3
local faults = require "mde.sim.faults"
local sim = require "mde.sim"

local url = "https://api.security.microsoft.com/api/machines"

describe("the tenant's driver", function()
  local tenant, driver

  before_each(function()
    tenant = sim.new { start = 1000 }
    driver = tenant:driver()
  end)

  local function send(changes)
    local request = { method = "GET", url = url, headers = {} }
    for name, value in pairs(changes or {}) do request[name] = value end
    return driver.send(request)
  end

  it("answers under each of the tenant's names, and under no other", function()
    for _, host in ipairs { "api.security.microsoft.com", "LOGIN.microsoftonline.com", "localhost:8443" } do
      assert.equal(401, send({ url = ("https://%s/api/machines"):format(host) }).status)
    end
    assert.same({ nil, "could not resolve host: elsewhere.example", false, "resolve" },
      { send { url = "https://elsewhere.example/api/machines" } })
    assert.equal(3, #tenant.history)
  end)

  it("raises for malformed requests", function()
    assert.has_error(function() send { url = 5 } end)
    assert.has_error(function() send { url = url .. "?a b" } end)
    assert.has_error(function() send { url = "http://api.security.microsoft.com/api/machines" } end)
    assert.has_error(function() send { method = false } end)
    assert.has_error(function() send { body = {} } end)
    assert.has_error(function() send { headers = { A = "b\nc" } } end)
    assert.has_error(function() send { headers = { A = 5 } } end)
    assert.has_error(function() tenant:driver { patience = 5 } end)
    assert.same({}, tenant.history)
  end)

  it("does not change a request", function()
    local request = { method = "GET", url = url, headers = { Accept = "application/json" } }
    driver.send(request)
    assert.same({ method = "GET", url = url, headers = { Accept = "application/json" } }, request)
  end)

  it("refuses an answer that is too long", function()
    assert.same({ nil, "the answer is longer than 20 bytes", true, "too_large" }, { send { max_bytes = 20 } })
  end)

  it("sleeps on the made-up clock", function()
    driver.sleep(3600.5)
    assert.equal(4600.5, driver.now())
    assert.equal(4600.5, tenant.clock.now())
  end)

  it("runs several requests at once", function()
    driver = tenant:driver { latency = 2 }
    local gate, done = driver.gate(), 0
    for _ = 1, 50 do
      driver.spawn(function()
        send()
        done = done + 1
        if done == 50 then gate:open() end
      end)
    end
    assert.is_true(gate:wait(100))
    assert.equal(1002, driver.now())
  end)

  it("ends a request after its time", function()
    driver = tenant:driver { latency = 5 }
    assert.same({ nil, "timed out", true, "timeout" }, { send { timeout = 3 } })
    assert.equal(1003, driver.now())
    assert.equal(1, #tenant.history)
    assert.equal(1002.5, tenant.history[1].at)
  end)

  it("lets a request arrive that nobody waits for any more", function()
    driver = tenant:driver { latency = 20 }
    assert.is_nil((send { timeout = 3 }))
    assert.same({}, tenant.history)
    driver.sleep(10)
    assert.equal(1010, tenant.history[1].at)
  end)

  ---- faults: what the caller gets, and whether the tenant acted

  local failures = {
    { { fault = "gone" }, "closed", true, "closed", 401 },
    { { fault = "reset" }, "reset", true, "closed", nil },
    { { fault = "reset", processed = true }, "reset", true, "closed", 401 },
    { { fault = "cut" }, "before the answer was complete", true, "closed", 401 },
    { { fault = "wrong_length" }, "before the answer was complete", true, "closed", 401 },
    { { fault = "malformed" }, "malformed", true, "malformed", 401 },
    { { fault = "stall" }, "timed out", true, "timeout", 401 },
    { { fault = "slow", interval = 1 }, "timed out", true, "timeout", 401 },
    { { fault = "huge" }, "longer than", true, "too_large", 401 },
    { { fault = "gzip_bomb" }, "longer than", true, "too_large", 401 },
  }
  for _, case in ipairs(failures) do
    local rule = case[1]
    it(("suffers '%s'%s"):format(rule.fault, rule.processed and " after acting" or ""), function()
      tenant.faults:add(rule)
      local response, message, maybe_sent, code = send { timeout = 7, max_bytes = 1e6 }
      assert.is_nil(response)
      assert.truthy(message:find(case[2], 1, true), message)
      assert.equal(case[3], maybe_sent)
      assert.equal(case[4], code)
      assert.equal(1, #tenant.history)
      assert.equal(rule.fault, tenant.history[1].fault)
      assert.equal(case[5], tenant.history[1].status)
      assert.equal(401, send().status)
    end)
  end

  it("suffers 'refuse' before anything was sent", function()
    tenant.faults:add { fault = "refuse" }
    assert.same({ nil, "the connection was refused", false, "connect" }, { send() })
    assert.same({}, tenant.history)
  end)

  it("gets canned answers", function()
    tenant.faults:add { fault = "redirect", location = "https://elsewhere.example/x", status = 307 }
    tenant.faults:add { fault = "answer", status = 503, headers = { ["Retry-After"] = "7" }, body = "<html>" }
    local redirect, canned = send(), send()
    assert.same({ 307, "https://elsewhere.example/x", "" },
      { redirect.status, redirect.headers["location"], redirect.body })
    assert.same({ 503, "7", "<html>" }, { canned.status, canned.headers["retry-after"], canned.body })
    assert.truthy(canned.headers["date"])
    assert.is_nil(tenant.history[1].status)
  end)

  it("gets a body that is shorter than it should be", function()
    local whole = send().body
    tenant.faults:add { fault = "wrong_length", by = -10 }
    assert.equal(#whole - 10, #send().body)
  end)

  it("gets a slow answer in the end", function()
    tenant.faults:add { fault = "slow", interval = 0.01 }
    local response = send { timeout = 100 }
    assert.equal(401, response.status)
    assert.is_true(driver.now() > 1000)
  end)
end)

describe("the rules of what goes wrong", function()
  local rules

  before_each(function() rules = faults.new() end)

  local function hits(method, target)
    local rule = rules:for_request(method, target)
    return rule and rule.fault
  end

  it("hit the requests that they mean, as often as they say", function()
    rules:add { fault = "gone", match = { method = "post", path = "/restrict%", nth = 2 }, count = 2 }
    local seen = {}
    for i, target in ipairs { "/restrict%", "/restrict", "/x/restrict%?y", "/restrict%", "/restrict%" } do
      seen[i] = hits("POST", target) or "-"
    end
    assert.same({ "-", "-", "gone", "gone", "-" }, seen)
    assert.is_nil(hits("GET", "/restrict%"))
  end)

  it("strike one at a time, the first that is due", function()
    rules:add { fault = "gone" }
    rules:add { fault = "cut", count = false }
    assert.same({ "gone", "cut", "cut" }, { hits("GET", "/"), hits("GET", "/"), hits("GET", "/") })
    rules:clear()
    assert.is_nil(hits("GET", "/"))
  end)

  it("keep connections and requests apart", function()
    rules:add { fault = "refuse", match = { nth = 2 } }
    assert.is_nil(hits("GET", "/"))
    assert.is_nil(rules:for_connection())
    assert.equal("refuse", rules:for_connection().fault)
    assert.is_nil(rules:for_connection())
  end)

  local malformed = {
    {},
    { fault = "flood" },
    { fault = "gone", at = "half" },
    { fault = "gone", match = 5 },
    { fault = "gone", match = { verb = "GET" } },
    { fault = "gone", match = { nth = "2" } },
    { fault = "gone", count = "often" },
    { fault = "gone", processed = 1 },
    { fault = "cut", at = "end" },
    { fault = "cut", how = "x" },
    { fault = "refuse", match = { path = "/" } },
    { fault = "huge", size = -1 },
    { fault = "slow", interval = "x" },
    { fault = "answer", status = 99 },
    { fault = "answer", headers = { A = "b\r\nC: d" } },
    { fault = "answer", headers = { A = 5 } },
    { fault = "answer", headers = { ["Content-Length"] = "5" } },
  }
  for i, rule in ipairs(malformed) do
    it(("refuse number %d of the malformed"):format(i), function()
      assert.has_error(function() rules:add(rule) end)
      assert.same({}, rules.rules)
    end)
  end
end)
