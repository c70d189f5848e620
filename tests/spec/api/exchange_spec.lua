-- One authenticated call of the service: what it is refused for, and what time its answers tell.
--
-- A read is `machine(ID)`, an action `restrict(ID, ..., { look = false })`: one request each, with a token
-- that is there already.
-- Labels: sanitized
local clients = require "mde.client"
local contexts = require "mde.sync.context"
local dicts = require "tests.spec.support.dict"
local mde = require "mde"
local posix = require "mde.posix"
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
    assert.matches('is for https://api.security.microsoft.com: check option "scope" and MDE_CLOUD', err.hint, 1, true)
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

describe("an exchange", function()
  local r, exchange

  local function begin(options)
    r = new(options)
    exchange = r.client.exchange
  end

  local function context(seconds) return contexts.new(r.driver.now, seconds) end

  local function get(fields)
    local call = { method = "GET", path = "/machines/" .. ID, kind = "read", api = "machine",
      permission = "Machine.Read.All", context = context(60) }
    for name, value in pairs(fields or {}) do call[name] = value end
    return exchange:call(call)
  end

  -- How often a token was asked for, and the API.
  local function asked()
    return r:count "token_issued", #r:requests()
  end

  describe("calls", function()
    it("with a token, and tells how the call went", function()
      begin()
      local before = posix.clock.time()
      local answer, err, info = get()
      assert.is_nil(err)
      assert.equal(ID, answer.id)
      assert.same({ 1, "definite", 200 }, { info.attempts, info.class, info.response.status })
      assert.equal(r.driver.now(), info.sent)
      assert.is_true(info.sent_at >= before and info.sent_at <= posix.clock.time())
      get()
      assert.same({ 1, 2 }, { asked() })
    end)

    it("again with another token where the first was not accepted", function()
      begin()
      assert(get())
      r.tenant.tokens = {}
      local answer, _, info = get()
      assert.equal(ID, answer.id)
      assert.equal(2, info.attempts)
      assert.same({ 2, 3 }, { asked() })
    end)

    it("and lets who asks judge the answer, and the text that it was", function()
      begin()
      local seen
      local answer, err = get { usable = function(value, text)
        seen = { value.id, text:find('"id":"' .. ID .. '"', 1, true) ~= nil }
        return false, "it is not what was meant"
      end }
      assert.is_nil(answer)
      assert.equal("protocol", err.kind)
      assert.matches("it is not what was meant", err.message)
      assert.same({ ID, true }, seen)
    end)

    it("unless who asks takes it back at the last moment, when token and slot are in hand", function()
      begin()
      local tokens
      local answer, err, info = get { before_send = function()
        tokens = r:count "token_issued"
        return false
      end }
      assert.is_nil(answer)
      assert.is_nil(err)
      assert.equal(0, info.attempts)
      assert.is_nil(info.class)
      assert.equal(1, tokens)
      assert.same({}, r:requests())
      assert.equal(100, exchange:peek("machine", 1).remaining)
    end)

    it("and counts each by its API", function()
      begin()
      assert(get())
      assert.equal(99, exchange:peek("machine", 1).remaining)
      assert.equal(100, exchange:peek("machines", 1).remaining)
      assert.equal(0, exchange:queue "machine")
      for _ = 2, 100 do assert(get()) end
      assert.is_true(math.abs(exchange:queue "machine" - 60.03) < 1e-6)
    end)

    it("and learns from each answer what time it is", function()
      begin { start = os.time() - 7200 + 0.5 }
      assert.is_true(math.abs(exchange.clock:time() - posix.clock.time()) < 5)
      assert(get())
      assert.is_true(math.abs(exchange.clock:time() - r.tenant.clock.now()) < 5)
    end)
  end)

  it("has a token, what it says of itself, and where it comes from", function()
    begin()
    assert.is_string(assert(exchange:token(context())).value)
    assert.same({ "Machine.Read.All", "Machine.RestrictExecution" }, (function(roles)
      table.sort(roles)
      return roles
    end)(assert(exchange:token_claims(context())).roles))
    assert.equal("login.microsoftonline.com", exchange:signs_in_at())
    assert.equal(1, r:count "token_issued")
  end)

  describe("probes a host", function()
    it("once, without a credential, and tells how far its clock is ahead", function()
      begin { start = os.time() + 3600.5 }
      local requests, send = {}, r.driver.send
      function r.driver.send(request)
        requests[#requests + 1] = request
        return send(request)
      end
      local response, message, code, offset = exchange:probe("https://api.security.microsoft.com/api/machines", 7)
      assert.equal(401, response.status)
      assert.is_nil(message)
      assert.is_nil(code)
      assert.is_true(math.abs(offset - 3600) < 5)
      assert.equal(1, #requests)
      assert.is_nil(requests[1].headers.Authorization)
      assert.equal(7, requests[1].timeout)
    end)

    it("and says why there is no answer, or no time", function()
      begin()
      r:fault { fault = "refuse", count = false }
      local response, message, code = exchange:probe("https://api.security.microsoft.com/api/machines", 7)
      assert.is_nil(response)
      assert.matches("refused", message)
      assert.equal("connect", code)
      assert.same({ nil, "the time was up", "time_is_up" },
        { exchange:probe("https://api.security.microsoft.com/api/machines", 0) })
    end)

    for what, date in pairs { ["says no time"] = false, ["says one of no sense"] = "yesterday" } do
      it("that " .. what .. ", and tells none", function()
        begin()
        local send = r.driver.send
        function r.driver.send(request)
          local response = send(request)
          response.headers.date = date or nil
          return response
        end
        local response, _, _, offset = exchange:probe("https://api.security.microsoft.com/api/machines", 7)
        assert.is_table(response)
        assert.is_nil(offset)
      end)
    end
  end)

  describe("settles what time it is", function()
    it("by the token alone, where that agrees with this machine", function()
      begin()
      for _ = 1, 2 do assert.is_true(exchange:settle_clock(context())) end
      assert.same({ 1, 0 }, { asked() })
    end)

    it("by asking the API for little where they differ, whatever it answers, and no more once that has", function()
      begin { start = os.time() - 7200 + 0.5 }
      r:answer({ path = "/machines" }, 403, { error = { code = "Forbidden", message = "no" } })
      for _ = 1, 2 do assert.is_true(exchange:settle_clock(context())) end
      assert.same({ "GET /api/machines?$top=1" }, r:requests())
      assert.is_true(math.abs(exchange.clock:time() - r.tenant.clock.now()) < 5)
    end)

    it("unless it cannot sign in", function()
      begin { client = { credential = "not the right one" } }
      local settled, err = exchange:settle_clock(context())
      assert.is_nil(settled)
      assert.equal("auth", err.kind)
      assert.same({}, r:requests())
    end)
  end)

  describe("shares a store", function()
    local dict, token

    -- The names of what a client puts there that asks for a machine. It gets its token anywhere.
    local function names(options)
      dict:forget()
      local all = { tenant_id = r.tenant.tenant_id, client_id = r.tenant.client_id, driver = r.driver, store = dict,
        credential = mde.credential.token(function() return token, 3000 end) }
      for name, value in pairs(options) do all[name] = value or nil end
      assert(clients.new(all)).exchange:call { method = "GET", path = "/machines/" .. ID, kind = "read",
        api = "machine", permission = "Machine.Read.All", context = context(2) }
      local list = dict.keys()
      assert.is_true(#list > 0)
      return list
    end

    before_each(function()
      begin()
      token = assert(exchange:token(context())).value
      dict = dicts(r.driver.now)
    end)

    it("with those of the same application and host alone, however these are written", function()
      local own = names {}
      assert.same(own, names { tenant_id = r.tenant.tenant_id:upper(), client_id = r.tenant.client_id:upper(),
        base_url = "https://API.security.microsoft.com" })
      local is_own = {}
      for _, name in ipairs(own) do is_own[name] = true end
      for _, options in ipairs { { client_id = ID:sub(1, 8) .. "-0000-4000-8000-000000000001" },
        { tenant_id = "other.example" }, { authority = "https://login.example", cloud = "commercial" } } do
        for _, name in ipairs(names(options)) do assert.is_nil(is_own[name], name) end
      end
      local shared = 0
      for _, name in ipairs(names { base_url = "https://eu.api.security.microsoft.com" }) do
        if is_own[name] then
          shared = shared + 1
          assert.matches("token", name)
        end
      end
      assert.is_true(shared > 0)
      for _, name in ipairs(names { scope = "https://resource.example/.default" }) do
        if is_own[name] then assert.is_nil(name:find("token", 1, true), name) end
      end
    end)

    it("with those of the same identity, where that has no application's ids", function()
      local function of(options)
        local credential = mde.credential.token(function() return token, 3000 end)
        credential.traits = options.traits and function() return options.traits end
        return names { tenant_id = options.tenant_id or false, client_id = false, credential = credential }
      end
      local own = of { traits = { "machine", 17 } }
      assert.same(own, of { traits = { "MACHINE", 17 } })
      assert.same(own, of { traits = { "machine", 17 }, tenant_id = r.tenant.tenant_id })
      assert.not_same(own, of { traits = { "machine", 18 } })
      assert.same(of {}, of {})
      assert.not_same(own, of {})
    end)

    it("but shares no token where nobody knows whose it is", function()
      local sent = {}
      local function read_of(name)
        local driver = setmetatable({ send = function(request)
          sent[#sent + 1] = request.headers.Authorization
          return r.driver.send(request)
        end }, { __index = r.driver })
        assert(clients.new { driver = driver, store = dict,
          credential = function() return "of-the-tenant-" .. name, 3000 end }):machine(ID)
      end
      read_of "a"
      sent = {}
      read_of "b"
      assert.is_true(#sent > 0)
      for _, header in ipairs(sent) do assert.equal("Bearer of-the-tenant-b", header) end
    end)

    it("but puts no token into one that is on a disk", function()
      assert.matches("token", table.concat(names {}, " "))
      dict.on_disk = true
      assert.is_nil(table.concat(names {}, " "):find("token", 1, true))
    end)
  end)
end)
