-- The module itself: the client that the environment describes, made when it is first asked for.
-- Labels: sanitized

local mde = require "mde"
local rehearsal = require "tests.spec.support.rehearsal"

local tenant_id = "7e000000-0000-4000-8000-00000000007e"
local client_id = "c1000000-0000-4000-8000-0000000000c1"

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
