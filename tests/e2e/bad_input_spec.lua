-- What the outside world can do wrong, over real TLS: each gets one clear error, and nothing is changed.
-- Labels: sanitized, not-lua5.3, long
local tenants = require "tests.spec.support.server.tenant"

local MACHINE_ID = "1f00000000000000000000000000000000000017"

-- Pauses between attempts take no time; time-outs of requests are real.
local function client_of(tenant)
  local time = 0
  local driver = require("mde.driver.curl").new {
    ca_file = tenant.ca_file, proxy = "",
    now = function() return time end,
    sleep = function(seconds) time = time + seconds end,
  }
  return tenant.client { driver = driver }
end

local function assert_clear(err)
  local line = tostring(err)
  assert.is_nil(line:find "[%c]")
  assert.is_true(#line < 1000)
  assert.is_string(err.message)
end

local ACTION_OF_ANOTHER = [[{"id":"11111111-2222-4333-8444-555555555501","type":"RestrictCodeExecution",
  "status":"Pending","requestorComment":"theirs","machineId":"ffffffffffffffffffffffffffffffffffffffff",
  "creationDateTimeUtc":"2026-02-03T10:11:12Z","lastUpdateDateTimeUtc":"2026-02-03T10:11:12Z"}]]
local JSON = { ["Content-Type"] = "application/json" }

describe("a reply over TLS that is", function()
  local tenant

  setup(function() tenant = tenants.start { limits = false } end)
  teardown(function() tenant.stop() end)
  before_each(function()
    tenant.reset()
    tenant.clear()
  end)

  -- What the answer to every request of a kind is, and how it must be told: of a read, and of an action.
  local cases = {
    { "cut off", { fault = "cut", at = "half" }, "unavailable", "unknown" },
    { "missing", { fault = "cut", at = "nothing" }, "unavailable", "unknown" },
    { "reset", { fault = "reset" }, "unavailable", "unknown" },
    { "not JSON", { fault = "answer", body = "<html>proxy</html>", headers = { ["Content-Type"] = "text/html" } },
      "protocol", "unknown" },
    { "empty", { fault = "answer", body = "" }, "protocol", "unknown" },
    { "of the wrong type", { fault = "answer", body = "[1,2,3]", headers = JSON }, "protocol", "unknown" },
    { "a number", { fault = "answer", body = "4", headers = JSON }, "protocol", "unknown" },
    { "100 MB long", { fault = "huge", size = 100 * 1024 * 1024 }, "unavailable", "unknown" },
    { "a gzip bomb", { fault = "gzip_bomb", size = 100 * 1024 * 1024 }, "unavailable", "unknown" },
    { "shorter than it says", { fault = "wrong_length", by = 10 }, "unavailable", "unknown" },
    { "a redirect", { fault = "redirect", status = 302, location = "https://elsewhere.example/" },
      "protocol", "protocol" },
    { "about another machine's action", { fault = "answer", status = 201, body = ACTION_OF_ANOTHER, headers = JSON },
      "protocol", "unknown" },
  }

  for _, case in ipairs(cases) do
    local what, fault, read_kind, action_kind = case[1], case[2], case[3], case[4]

    it(what .. " is a clear error of a read", function()
      local rule = { match = { path = "/api/machineactions/" }, count = false }
      for name, value in pairs(fault) do rule[name] = value end
      tenant.fault(rule)
      local action, err = client_of(tenant):action "11111111-2222-4333-8444-555555555502"
      assert.is_nil(action)
      assert.equal(read_kind, err.kind)
      assert_clear(err)
    end)

    it(what .. " is a clear error of an action, which is sent once", function()
      local rule = { match = { method = "POST", path = "restrictCodeExecution" }, count = false }
      for name, value in pairs(fault) do rule[name] = value end
      tenant.fault(rule)
      local action, err = client_of(tenant):restrict(MACHINE_ID, "beacon", { look = false, timeout = 2 })
      assert.is_nil(action)
      assert.equal(action_kind, err.kind)
      assert_clear(err)
      local posts = 0
      for _, entry in ipairs(tenant.history "request") do
        if entry.method == "POST" and entry.path:find("restrictCodeExecution", 1, true) then posts = posts + 1 end
      end
      assert.equal(1, posts)
    end)
  end

  it("stalled ends at the caller's timeout", function()
    tenant.fault { match = { method = "POST", path = "restrictCodeExecution" }, fault = "stall", at = "head" }
    local action, err = client_of(tenant):restrict(MACHINE_ID, "beacon", { look = false, timeout = 1 })
    assert.is_nil(action)
    assert.equal("unknown", err.kind)
  end)

  it("a token that is 100 MB long or no token at all changes nothing", function()
    for _, fault in ipairs { { fault = "huge" }, { fault = "gzip_bomb" }, { fault = "answer", body = "hello" },
      { fault = "redirect", location = "https://elsewhere.example/" } } do
      fault.match, fault.count = { path = "oauth2" }, false
      tenant.clear()
      tenant.fault(fault)
      local action, err = client_of(tenant):restrict(MACHINE_ID, "beacon")
      assert.is_nil(action)
      assert.is_true(err.kind == "unavailable" or err.kind == "protocol" or err.kind == "auth")
      assert_clear(err)
    end
    assert.equal(0, #tenant.history "action_created")
  end)
end)

describe("a server over TLS", function()
  local servers = {
    ["of the wrong host"] = { certificate = "wrong-host" },
    ["with an expired certificate"] = { certificate = "expired" },
    ["with a self-signed certificate"] = { certificate = "self-signed" },
    ["of an unknown CA"] = { certificate = "unknown-ca" },
    ["that speaks TLS 1.1 only"] = { tls = "1.1" },
  }

  for what, options in pairs(servers) do
    it(what .. " never sees a request", function()
      local tenant = tenants.start(options)
      local action, err = client_of(tenant):restrict(MACHINE_ID, "beacon")
      local history = tenant.history "request"
      tenant.stop()
      assert.is_nil(action)
      assert.equal("unavailable", err.kind)
      assert_clear(err)
      assert.truthy(tostring(err):find "TLS")
      assert.equal(0, #history)
    end)
  end

  it("that is not there is named", function()
    local tenant = tenants.start {}
    local client = client_of(tenant)
    tenant.stop()
    local action, err = client:restrict(MACHINE_ID, "beacon")
    assert.is_nil(action)
    assert.equal("unavailable", err.kind)
    assert.truthy(tostring(err):find("localhost", 1, true))
  end)
end)
