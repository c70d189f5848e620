-- The tenant's indicators, as a client reads them.
-- Labels: not-lua5.3
local operators = require "mde.query.operators"
local rehearsal = require "tests.spec.support.rehearsal"

describe("mde.indicators", function()
  local r

  before_each(function()
    r = rehearsal.new { machines = {}, roles = { "Ti.ReadWrite.All" }, limits = false }
    for i, action in ipairs { "Block", "Allowed", "Block" } do
      r.client:add_indicator { indicatorValue = ("h%d.example"):format(i), indicatorType = "DomainName",
        action = action, title = "t", description = "d", severity = "High", generateAlert = action == "Allowed",
        rbacGroupNames = i == 3 and { "Laptops" } or nil }
      r.tenant:advance(60)
    end
  end)

  local function values(query)
    local list = {}
    for one in r.client:indicators(query) do list[#list + 1] = one.indicatorValue end
    table.sort(list)
    return table.concat(list, " ")
  end

  it("tells those that a query selects", function()
    assert.equal("h1.example h2.example h3.example", values "all")
    assert.equal("h1.example h3.example", values { action = "Block", severity = operators.ge "Medium" })
    assert.equal("h2.example", values { generateAlert = true })
    assert.equal("h3.example", values { rbacGroupNames = operators.has "Laptops" })
    assert.equal("h2.example", values "indicatorValue eq 'h2.example'")
    assert.equal("", values { indicatorValue = "h4.example" })
    rehearsal.refused(r.client.indicators, r.client, { action = "block" })
    rehearsal.refused(r.client.indicators, r.client, { generateAlert = "true" })
    rehearsal.refused(r.client.indicators, r.client, { id = "994" })
  end)

  it("tells more than a page has", function()
    for i = 1, 10001 do
      r.tenant.clock.advance(1)
      r.tenant.indicator_book:put({ indicatorValue = ("x%d.example"):format(i), indicatorType = "DomainName",
        action = "Audit", title = "t", description = "d" }, "somebody")
    end
    local count, seen = 0, {}
    for one in r.client:indicators "all" do
      assert.is_nil(seen[one.id])
      seen[one.id], count = true, count + 1
    end
    assert.equal(10004, count)
  end)

  it("sends nothing in a plan", function()
    local noted = {}
    r.client.action_center.session = { begin_others = function(_, changes)
      for _, change in ipairs(changes) do noted[#noted + 1] = change.what .. " " .. change.subject end
      return true, {}
    end }
    local fields = { indicatorValue = "bad.example", indicatorType = "DomainName", action = "Block", title = "t",
      description = "d" }
    local posts = #r:posts()
    assert.equal("would_add", assert(r.client:add_indicator(fields)).outcome)
    assert.equal("would_add", r.client:import_indicators({ fields })[1].value.outcome)
    assert.is_true(r.client:delete_indicator "994")
    assert.same({ "add_indicator bad.example", "add_indicator bad.example", "delete_indicator 994" }, noted)
    assert.same({ posts, 3 }, { #r:posts(), #r.tenant.indicator_book:listed() })
  end)
end)
