-- mde.core.nearest through the binding; the tables are in tests/core/test_nearest.c.
-- Labels: sanitized-each-lua
local nearest = require("mde.core").nearest

describe("core.nearest", function()
  it("finds the places of the nearest names, whatever their case", function()
    local names = nearest.new { { computerDnsName = "Desk-1.corp.example." }, { computerDnsName = "laptop-17" },
      { computerDnsName = " LAPTOP-7.Corp.Example" } }
    assert.same({ 2, 3 }, names:find "Laptp-17")
    assert.same({ 3, 2 }, names:find "LAPTOP-8.corp.example. ")
    assert.same({ 1 }, names:find "dekk-1.corp.example")
    assert.same({}, names:find "elsewhere")
    assert.same({}, names:find "")
  end)

  it("tells those of one distance by their domain, and by when they were seen", function()
    local names = nearest.new { { computerDnsName = "desk-1.lab", lastSeen = "2026-02-09T00:00:00Z" },
      { computerDnsName = "desk-2.corp", lastSeen = "2026-02-03T10:11:12.1234567Z" },
      { computerDnsName = "desk-3.corp", lastSeen = "2026-02-03T10:11:12.1234568Z" },
      { computerDnsName = "desk-4.corp", lastSeen = "0001-01-01T00:00:00Z" },
      { computerDnsName = "desk-5.corp", lastSeen = 17 } }
    assert.same({ 3, 2, 4, 5, 1 }, names:find "desk-.corp")
  end)

  it("passes over machines whose name is no text, absent or longer than any that can be asked for", function()
    local long = ("desk-1.%s"):format(("x"):rep(300))
    local names = nearest.new { {}, { computerDnsName = 17 }, { computerDnsName = { "desk-1" } },
      { computerDnsName = long }, { computerDnsName = "" }, { computerDnsName = "desk-1" } }
    assert.same({ 6 }, names:find "desk-2")
    assert.same({}, names:find(long))
    assert.same({}, nearest.new({}):find "desk-1")
  end)

  it("keeps what it needs of the names", function()
    local machines = {}
    for i = 1, 2000 do machines[i] = { computerDnsName = ("Desk-%d.corp.example"):format(i) } end
    local names = nearest.new(machines)
    for i = 1, 2000 do machines[i].computerDnsName = nil end
    machines = nil -- luacheck: ignore
    collectgarbage()
    -- What would be put where the names were.
    for i = 1, 2000 do assert.equal("o", (("other-%d.corp.example"):format(i):sub(1, 1))) end
    local places = names:find "desk-1999x.corp.example"
    assert.equal(1999, places[1])
    assert.equal(5, #places)
  end)

  it("raises for what is no list of machines, and no name", function()
    for _, wrong in ipairs {
      function() nearest.new() end, function() nearest.new "desk-1" end, function() nearest.new { "desk-1" } end,
      function() nearest.new({}):find() end, function() nearest.new({}):find {} end,
      function() nearest.new({}).find({}, "desk-1") end,
    } do
      assert.has_error(wrong)
    end
  end)
end)
