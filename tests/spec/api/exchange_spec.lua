-- One authenticated call of the service: what it is refused for, and what time its answers tell.
--
-- A read is `machine(ID)`, an action `restrict(ID, ..., { look = false })`: one request each, with a token
-- that is there already.
-- Labels: sanitized
local rehearsal = require "tests.spec.support.rehearsal"

local ID = ("a1"):rep(20)
local OTHER = ("b2"):rep(20)

local function new(options)
  options = options or {}
  options.machines = { { id = ID, computerDnsName = "desk-1.corp.example" },
    { id = OTHER, computerDnsName = "desk-2.corp.example" } }
  options.unguarded = true
  return rehearsal.new(options)
end

-- With a token.
local function signed_in(options)
  local r = new(options)
  assert(r.client:machine(ID))
  r.tenant.history = {}
  return r
end

local function read(r)
  return r.client:machine(ID)
end

local function act(r)
  return r.client:restrict(ID, "a test", { look = false })
end

describe("403", function()
  it("names the permission that is missing and the roles that are there", function()
    local r = new { roles = { "Machine.Read.All" } }
    local action, err = act(r)
    assert.is_nil(action)
    assert.equal("permission", err.kind)
    assert.equal(403, err.http_status)
    assert.matches("Machine.RestrictExecution", err.hint, 1, true)
    assert.matches("its token has Machine.Read.All", err.hint, 1, true)
    assert.equal(1, #r:posts())
  end)

  it("names each of several, and none", function()
    local r = new { roles = {} }
    local _, err = read(r)
    assert.equal("permission", err.kind)
    assert.matches("Machine.Read.All or Machine.ReadWrite.All (its token has none)", err.hint, 1, true)
  end)

  it("names the permission of the call if the service does not", function()
    local r = signed_in()
    r:answer({ method = "POST" }, 403, "")
    local _, err = act(r)
    assert.equal("permission", err.kind)
    assert.matches("Machine.RestrictExecution", err.hint, 1, true)
    r:answer({ method = "POST" }, 403, { error = { code = "Unauthorized",
      message = "Unauthorized request - reason of failure: Account mode is inactive" } })
    _, err = act(r)
    assert.equal("permission", err.kind)
    assert.matches("has not been set up for Defender", err.hint, 1, true)
  end)

  it("of a token that has the permission says what else it can be", function()
    local r = signed_in()
    r:answer({ method = "POST" }, 403, "")
    assert.matches("needs a role for the device's group", select(2, act(r)).hint, 1, true)
    r = new { client = { scope = "https://api.security.microsoft.com/.default" } }
    local _, err = act(r)
    assert.matches("is for https://api.security.microsoft.com: check MDE_SCOPE", err.hint, 1, true)
  end)
end)

describe("the service's clock", function()
  for _, hours in ipairs { -5, 5 } do
    it(("may be %d hours off"):format(hours), function()
      local r = new { start = os.time() + hours * 3600 + 0.5 }
      local action = assert(r.client:restrict(ID, "a test"))
      assert.equal("accepted", action.outcome)
      r:fault { match = { method = "POST" }, fault = "gone" }
      r:answer({ path = "/machineactions" }, 403, "", { count = false })
      local _, err = r.client:restrict(OTHER, "a test")
      assert.equal("unknown", err.kind)
      assert.is_true(math.abs(err.sent_at - r.driver.now()) < 3)
    end)
  end

  it("may be missing, unreadable or out of its mind", function()
    for _, date in ipairs { "yesterday", "", "Thu, 01 Jan 1970 00:00:00 GMT", "Fri, 31 Dec 9999 23:59:59 GMT",
        false } do
      local r = signed_in()
      local send = r.driver.send
      r.driver.send = function(request)
        local response, message, maybe_sent = send(request)
        if response then response.headers.date = date or nil end
        return response, message, maybe_sent
      end
      assert.equal("accepted", assert(act(r)).outcome)
      r:fault { match = { method = "POST" }, fault = "gone" }
      r:answer({ path = "/machineactions" }, 403, "", { count = false })
      local _, err = r.client:restrict(OTHER, "a test", { look = false })
      assert.is_true(math.abs(err.sent_at - os.time()) < 60)
    end
  end)
end)
