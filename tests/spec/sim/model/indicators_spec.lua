-- The indicators of a tenant: added, changed, expired, and how many there may be.
-- Labels: only-lua5.4
local indicators = require "mde.sim.model.indicators"
local sim = require "mde.sim"

describe("the indicators of a tenant", function()
  local tenant, book

  before_each(function()
    tenant = sim.new { start = 1770113472.5, machines = {} }
    book = tenant.indicator_book
  end)

  local function fields(value, more)
    local complete = { indicatorValue = value, indicatorType = "DomainName", action = "Block", title = "t",
      description = "d" }
    for name, each in pairs(more or {}) do complete[name] = each end
    return complete
  end

  it("are one for each value and type, whatever the case", function()
    local first = book:put(fields("bad.example", { application = "a" }), "mde")
    local again = book:put(fields("BAD.example", { application = "b", title = "u" }), "mde")
    assert.equal(first, again)
    assert.same({ "994", "u", "a", 1 }, { first.id, first.title, first.application, #book:listed() })
    book:put(fields("bad.example", { indicatorType = "Url" }), "mde")
    assert.equal(2, #book:listed())
    assert.equal("indicator_updated", tenant.history[2].event)
  end)

  it("are gone when they have expired", function()
    local one = book:put(fields("bad.example", { expirationTime = "2026-02-03T10:12:00Z" }), "mde")
    assert.equal(one, book:find(one.id))
    tenant:advance(60)
    assert.is_nil(book:find(one.id))
    assert.equal("995", book:put(fields "bad.example", "mde").id)
  end)

  it("last for ever again where a change tells no end", function()
    book:put(fields("bad.example", { expirationTime = "2026-02-03T10:12:00Z" }), "mde")
    assert.is_nil(book:put(fields "bad.example", "mde").expirationTime)
  end)

  it("are at most 15,000", function()
    assert.equal(15000, indicators.MOST)
    for i = 1, indicators.MOST do assert(book:put(fields(("h%d.example"):format(i)), "mde")) end
    local one, message = book:put(fields "bad.example", "mde")
    assert.is_nil(one)
    assert.truthy(message:find "15000")
    assert.truthy(book:put(fields "h7.example", "mde"))
    book:remove(book:find "1000", "mde")
    assert.truthy(book:put(fields "bad.example", "mde"))
  end)
end)
