-- mde indicators: what it takes, and the list.
-- Labels: only-lua5.4
local console = require "tests.spec.support.console"
local rehearsal = require "tests.spec.support.rehearsal"

describe("mde indicators list", function()
  local r

  before_each(function()
    r = rehearsal.new { machines = {}, roles = { "Ti.ReadWrite.All" }, limits = false }
    for i, action in ipairs { "Block", "Allowed" } do
      r.client:add_indicator { indicatorValue = ("h%d.example"):format(i), indicatorType = "DomainName",
        action = action, title = "t", description = "d", rbacGroupNames = { "g" .. i }, generateAlert = i == 2 }
    end
  end)

  local function run(...) return console.run({ "indicators", ... }, { client = r.client }) end

  it("writes those that conditions select", function()
    for _, condition in ipairs { "action=Block", "rbacGroupNames=g1", "generateAlert=false",
        "indicatorValue=h1.example" } do
      local told = run("list", condition, "--csv", "--columns", "id,indicatorValue")
      assert.equal("id,indicatorValue\r\n994,h1.example\r\n", told.out, condition .. told.err)
    end
    local told = run("list", "--all")
    assert.equal(0, told.status)
    assert.matches("994\tBlock\tDomainName\th1.example\t\tt\tmde\n995", told.out)
  end)

  it("needs to be told which", function()
    assert.matches("nothing says which are meant", run("list").err)
    assert.equal(1, run("list").status)
  end)

  it("takes a word that says what to do, and what that needs", function()
    assert.equal(1, run("remove", "994").status)
    assert.matches("needs one value", run("add", "--yes").err)
    assert.matches("needs one file", run("import", "a", "b", "--yes").err)
    assert.matches("needs ids", run("delete", "--yes").err)
  end)
end)
