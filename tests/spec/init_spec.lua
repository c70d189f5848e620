-- The module itself: the client that the environment describes, made when it is first asked for.
-- Labels: sanitized

local clients = require "mde.client"
local errors = require "mde.base.error"
local mde = require "mde"
local operators = require "mde.query.operators"
local rehearsal = require "tests.spec.support.rehearsal"

local tenant_id = "7e000000-0000-4000-8000-00000000007e"
local client_id = "c1000000-0000-4000-8000-0000000000c1"
local unpack = table.unpack or unpack -- luacheck: ignore

describe("the client that the module makes of the environment", function()
  local system = package.loaded.os
  local getenv = system.getenv
  local environment, fresh

  before_each(function()
    environment = { AZURE_TENANT_ID = tenant_id, AZURE_CLIENT_ID = client_id, AZURE_CLIENT_SECRET = "planted-secret",
      MDE_LOG = getenv "MDE_LOG" }
    system.getenv = function(name) return environment[name] end
    package.loaded.mde = nil
    fresh = require "mde"
    package.loaded.mde = mde
  end)

  after_each(function() system.getenv = getenv end)

  it("is missing as long as the environment is: every function says so", function()
    environment = {}
    for _, name in ipairs { "restrict", "release", "machine", "action", "cancel", "find_action", "state", "each" } do
      local value, err = fresh[name]("laptop-17", "why")
      assert.is_nil(value)
      assert.equal("invalid", err.kind)
      assert.truthy(err.message:find("AZURE_TENANT_ID", 1, true))
    end
  end)

  it("is made once the environment is there", function()
    environment.AZURE_CLIENT_ID = nil
    assert.is_nil((fresh.each({}, print)))
    environment.AZURE_CLIENT_ID = client_id
    assert.same({ failed = 0 }, fresh.each({}, print))
  end)

  it("is missing in the head of a for, too, which it raises there", function()
    environment = {}
    for _, name in ipairs { "machines", "actions" } do
      local ok, err = pcall(fresh[name], "all")
      assert.is_false(ok)
      assert.is_true(errors.is(err))
      assert.truthy(err.message:find("AZURE_TENANT_ID", 1, true))
    end
  end)

  it("is missing in what the doctor reports", function()
    environment = {}
    local report = fresh.doctor()
    assert.is_false(report.ok)
    assert.truthy(report.checks[1].message:find("AZURE_TENANT_ID", 1, true))
  end)

  describe("is made once, and", function()
    local new = clients.new
    local made, calls

    before_each(function()
      made, calls = 0, {}
      function clients.new(...)
        made = made + 1
        assert.equal(0, select("#", ...))
        return setmetatable({ number = made }, { __index = function(_, name)
          return function(...)
            calls[#calls + 1] = { name, n = select("#", ...), ... }
            return nil, name, nil
          end
        end })
      end
    end)

    after_each(function() clients.new = new end)

    it("says what the service has retired, called with a client or without one", function()
      assert.equal("retired", rehearsal.refused(mde.start_investigation, "laptop-17").code)
      local client = setmetatable({ exchange = true }, clients.methods)
      assert.equal("retired", rehearsal.refused(client.start_investigation, client, "laptop-17").code)
    end)

    -- What only the library itself asks of a client.
    local inner = { start_investigation = true,
      context = true, rules = true, attach = true, find_out = true, tell_left = true }

    for name in pairs(clients.methods) do
      if not name:find "^__" and not inner[name] then
        it("does what the function of the module is called with: " .. name, function()
          for _ = 1, 2 do
            local given = { n = 1, nil }
            if name ~= "doctor" then given = { n = 3, "laptop-17", nil, "why" } end
            local function gathered(...) return { n = select("#", ...), ... } end
            assert.same({ n = 3, nil, name, nil }, gathered(fresh[name](unpack(given, 1, given.n))))
            local call = calls[#calls]
            assert.equal(name, call[1])
            assert.same({ n = given.n + 1, 1 }, { n = call.n, call[2].number })
            for i = 1, given.n do assert.equal(given[i], call[i + 2]) end
          end
          assert.equal(1, made)
        end)
      end
    end
  end)

  it("raises for a wrong argument", function()
    rehearsal.refused(fresh.restrict, "192.0.2.1", "why")
    rehearsal.refused(fresh.restrict, "laptop-17", "")
  end)
end)

describe("an action", function()
  it("is reached as a function of the module too", function()
    local r = rehearsal.new()
    for _, name in ipairs { "restrict", "release", "machine", "action", "cancel", "find_action", "state", "each" } do
      assert.equal("function", type(mde[name]))
      assert.equal("function", type(r.client[name]))
    end
    assert.truthy(mde._VERSION:find "^mde %d")
  end)
end)

describe("the module", function()
  it("has every operator of a query", function()
    assert.is_true(#operators.names >= 10)
    for _, name in ipairs(operators.names) do assert.equal(operators[name], mde[name]) end
  end)

  it("makes a credential of each kind, and refuses what can be none", function()
    assert.equal("managed identity", mde.credential.managed_identity { source = "imds" }.kind)
    assert.equal("token function", mde.credential.token(print).kind)
    for name, wrong in pairs { secret = "", secret_file = "/nowhere/at/all", certificate = "/nowhere/at/all.pem",
      federated = 17, managed_identity = { source = "moon" }, token = "a token" } do
      local ok, err = pcall(mde.credential[name], wrong)
      assert.is_false(ok)
      assert.is_true(errors.is(err), name)
    end
  end)

  it("shows any value on one line", function()
    assert.equal("a\\x1b[2J\\x0ab", mde.show "a\27[2J\nb")
    assert.equal("17", mde.show(17))
    assert.equal("nil", mde.show(nil))
    assert.equal("desk\\x0a", mde.show(setmetatable({}, { __tostring = function() return "desk\n" end })))
  end)
end)
