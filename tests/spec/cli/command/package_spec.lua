-- mde package: the link to what a collection has collected.
-- Labels: not-lua5.3
local console = require "tests.spec.support.console"
local rehearsal = require "tests.spec.support.rehearsal"

describe("mde package", function()
  local r

  before_each(function()
    r = rehearsal.new { machines = { { computerDnsName = "desk-1.corp.example" } }, roles = { "Machine.Read.All",
      "Machine.CollectForensics" } }
  end)

  local function package(...) return console.run({ "package", ... }, { client = r.client }) end

  it("writes the link alone, and says whom it is for", function()
    local action = assert(r.client:collect("desk-1", "forensics"))
    assert.equal("Succeeded", action:wait { timeout = 7200 })
    local told = package(action.id)
    assert.equal(0, told.status, told.err)
    assert.matches("^https://[^%s\"]+\n$", told.out)
    assert.equal("The link holds for a short time. Who has it can read the package: do not hand it on.\n", told.err)
    assert.equal("", package(action.id, "--quiet").err)
  end)

  it("says what is to be waited for", function()
    local action = assert(r.client:collect("desk-1", "forensics"))
    local told = package(action.id)
    assert.equal(2, told.status)
    assert.equal("", told.out)
    assert.matches("mde action shows how far it is", told.err)
  end)

  it("is refused with what is no id, before anything is asked", function()
    local told = package "desk-1"
    assert.equal(1, told.status)
    assert.matches("is not an action's id", told.err)
    assert.same({}, r.tenant.history)
  end)
end)
