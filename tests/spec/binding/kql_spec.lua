-- mde.core.kql through the binding.
-- Labels: sanitized-each-lua
local kql = require("mde.core").kql

describe("core.kql", function()
  it("writes literals of each type", function()
    assert.are.equal([["a\"b\\c\n"]], kql.literal("string", 'a"b\\c\n'))
    assert.are.equal("long(-5)", kql.literal("long", -5))
    assert.are.equal("long(9007199254740992)", kql.literal("long", 2 ^ 53))
    assert.are.equal("real(0.5)", kql.literal("real", 0.5))
    assert.are.equal("true", kql.literal("bool", true))
    assert.are.equal("datetime(2026-02-03T10:11:12Z)", kql.literal("datetime", 1770113472))
    assert.are.equal("timespan(0.02:00:00.0000000)", kql.literal("timespan", 7200))
    assert.are.equal("guid(74be27de-1e4e-49d9-b579-fe0b013d3642)",
      kql.literal("guid", "74BE27DE-1e4e-49d9-b579-fe0b013d3642"))
    assert.are.equal('"' .. ([[\"]]):rep(10000) .. '"', kql.literal("string", ('"'):rep(10000)))
  end)

  it("writes lists", function()
    assert.are.equal([[dynamic(["a","\"]) or (\""])]], kql.list("string", { "a", '"]) or ("' }))
    assert.are.equal("dynamic([1,2])", kql.list("long", { 1, 2 }))
    assert.are.equal("dynamic([])", kql.list("string", {}))
    local many = {}
    for i = 1, 3000 do many[i] = "x" end
    assert.are.equal(#"dynamic([])" + 4 * 3000 - 1, #kql.list("string", many))
  end)

  it("says what cannot be written", function()
    assert.are.same({ nil, "not_utf8" }, { kql.literal("string", "\255") })
    assert.are.same({ nil, "not_finite" }, { kql.literal("real", 0 / 0) })
    assert.are.same({ nil, "not_a_time" }, { kql.literal("datetime", 1e15) })
    assert.are.same({ nil, "not_a_span" }, { kql.literal("timespan", math.huge) })
    assert.are.same({ nil, "not_a_guid" }, { kql.literal("guid", "x) or (1") })
    assert.are.same({ nil, "not_utf8", 2 }, { kql.list("string", { "a", "\255" }) })
  end)

  it("raises for values of another type", function()
    for _, arguments in ipairs { { "string", 1 }, { "long", "1" }, { "long", 0.5 }, { "long", 1e300 }, { "bool", 1 },
      { "datetime", "now" }, { "guid" }, { "text", "x" } } do
      assert.is_false((pcall(kql.literal, arguments[1], arguments[2])))
    end
    assert.is_false((pcall(kql.list, "string", { "a", 1 })))
    assert.is_false((pcall(kql.list, "string", "a")))
  end)

  it("knows which names a parameter can have", function()
    assert.is_nil(kql.name_flaw "hash")
    assert.are.equal("not_a_name", kql.name_flaw "a b")
    assert.are.equal("like_a_column", kql.name_flaw "DeviceName")
    assert.are.equal("keyword", kql.name_flaw "where")
  end)

  it("tells what a query does with a name", function()
    assert.are.equal("read", kql.use("T | where A == host", "host"))
    assert.are.equal("defined", kql.use("T | extend host = A | where B == host", "host"))
    assert.are.equal("called", kql.use("T | where A > ago(1d)", "ago"))
    assert.is_nil(kql.use("T | where A == 'host' // host", "host"))
    assert.are.same({ "T", "where", "A", "host", "or", "B" }, kql.names "T | where A == host or B == host // C")
    assert.are.same({}, kql.names "")
  end)
end)
