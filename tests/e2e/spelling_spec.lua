-- A device whose name is typed in another spelling, in a tenant over TLS that compares names as they are, and in one
-- that compares them without regard to case.
-- Labels: only-lua5.4, caseless
local commands = require "tests.spec.support.process.command"

local has = commands.has
local scene = commands.scene()
local tenant, command, created = scene.tenant, scene.command, scene.created

describe("mde", function()
  it("finds one device by its name in whatever spelling, and acts on it once", function()
    tenant.machine { id = ("%040x"):format(0xd0001), computerDnsName = "Counter-1.Shop.example" }
    for _, typed in ipairs { "COUNTER-1.SHOP.EXAMPLE", "counter-1.shop.example.", "cOUNTER-1.shop.Example" } do
      has(command.run({ "state", typed }).out, typed .. "\tnone")
      has(command.run({ "machines", "computerDnsName=" .. typed, "--csv" }).out, "Counter-1.Shop.example")
    end
    local result = command.run({ "restrict", "-", "--comment", "x", "--yes" },
      { input = "COUNTER-1.shop.example\ncounter-1.SHOP.example.\nCounter-1\n" })
    assert.equal(0, result.status, result.err)
    has(result.err, "is named more than once")
    assert.equal(1, #created())
  end)
end)
