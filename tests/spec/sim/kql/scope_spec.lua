-- The columns that an operator sees.
-- Labels: not-lua5.3
local refusal = require "mde.sim.kql.refusal"
local scopes = require "mde.sim.kql.scope"
local values = require "mde.sim.kql.value"

describe("sim.kql.scope", function()
  it("finds columns by name, with regard to case", function()
    local scope = scopes.new { { name = "A", type = "long" }, { name = "B", type = "string" } }
    assert.are.equal("string", scope.by_name.B.type)
    assert.is_nil(scope.by_name.b)
  end)

  it("refuses a name that stands there twice", function()
    local ok, message = refusal.catch(function()
      scopes.new { { name = "A", type = "long" }, { name = "A", type = "string" } }
    end)
    assert.is_false(ok)
    assert.is_truthy(message:find("'A' is declared twice", 1, true))
  end)

  it("makes keys that values cannot forge", function()
    local nodes = {}
    for i, name in ipairs { "a", "b" } do nodes[i] = { type = "string", read = function(row) return row[name] end } end
    local one = scopes.key(nodes, { a = "x", b = "y2:=z" }, values.key)
    assert.are_not.equal(one, scopes.key(nodes, { a = "xy", b = "2:=z" }, values.key))
    assert.are.equal(one, scopes.key(nodes, { a = "x", b = "y2:=z" }, values.key))
  end)
end)
