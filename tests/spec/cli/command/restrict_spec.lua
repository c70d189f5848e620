-- mde restrict: the arguments that are its own.
-- Labels: not-lua5.3
local console = require "tests.spec.support.console"
local rehearsal = require "tests.spec.support.rehearsal"

describe("mde restrict", function()
  local r

  before_each(function()
    r = rehearsal.new { limits = false, machines = {
      { computerDnsName = "dc-1.corp.example", osPlatform = "WindowsServer2022" },
      { computerDnsName = "desk-1.corp.example" } } }
  end)

  local function restrict(...)
    return console.run({ "restrict", "--comment", "beacon", "--yes", ... }, { client = r.client })
  end

  it("restricts, with the incident in the comment", function()
    local told = restrict("desk-1", "--incident", "INC-4711")
    assert.equal(0, told.status, told.err)
    assert.matches("^desk%-1%.corp%.example: restriction accepted %(action ", told.out)
    for action in r.client:actions "all" do assert.matches("^beacon %[mde:INC%-4711:", action.requestorComment) end
  end)

  it("lifts the rules that are named, and no others", function()
    assert.equal(2, restrict "dc-1".status)
    assert.same({}, r:posts())
    assert.equal(0, restrict("dc-1", "--allow", "servers").status)
    local told = restrict("dc-1", "--allow", "server")
    assert.equal(1, told.status)
    assert.matches('Did you mean "servers"%?', told.err)
  end)

  it("gives the client another cap", function()
    assert.equal(3, restrict("desk-1", "--cap", "3").client_options.cap)
    assert.is_nil(restrict("desk-1").client_options.cap)
    for _, cap in ipairs { "0", "-1", "1.5", "many" } do
      local told = restrict("desk-1", "--cap=" .. cap)
      assert.equal(1, told.status)
      assert.matches("is not a whole number above 0", told.err)
    end
  end)

  it("says in its help which cap there is without that", function()
    local command = require("argparse")("mde"):command "restrict"
    require("mde.cli.command.restrict").configure(command)
    local cap = rehearsal.new({ machines = {} }).client:cap().limit
    assert.truthy(command:get_help():gsub("%s+", " "):find(("an hour (default %d)."):format(cap), 1, true))
  end)

  it("cancels a pending release if it is told to", function()
    assert(r.client:release("desk-1", "cleared"))
    local told = restrict "desk-1"
    assert.equal(2, told.status)
    assert.matches("give %-%-cancel%-opposite", told.err)
    assert.equal(0, restrict("desk-1", "--cancel-opposite").status)
  end)
end)
