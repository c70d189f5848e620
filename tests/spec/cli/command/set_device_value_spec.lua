-- mde set-device-value: says what machines are worth.
-- Labels: not-lua5.3
local console = require "tests.spec.support.console"
local rehearsal = require "tests.spec.support.rehearsal"

describe("mde set-device-value", function()
  local r

  before_each(function()
    r = rehearsal.new { roles = { "Machine.ReadWrite.All" }, machines = {
      { computerDnsName = "desk-1.corp.example" }, { computerDnsName = "desk-2.corp.example" } } }
  end)

  local function set(...) return console.run({ "set-device-value", ... }, { client = r.client }) end

  it("sets the last word", function()
    local told = set("desk-1", "desk-2", "High")
    assert.equal(0, told.status, told.err)
    assert.equal('desk-1.corp.example: valued "High"\ndesk-2.corp.example: valued "High"\n', told.out)
    for _, name in ipairs { "desk-1", "desk-2" } do
      assert.equal("High", assert(r.client:machine(name)).deviceValue)
    end
  end)

  it("is refused with another word, before anything is asked", function()
    for _, words in ipairs { { "desk-1", "high" }, { "High" }, { "desk-1", " " } } do
      assert.equal(1, set((table.unpack or unpack)(words)).status) -- luacheck: ignore
    end
    assert.matches('must be Low, Normal, High, not "high"', set("desk-1", "high").err)
    assert.same({}, r.tenant.history)
  end)
end)
