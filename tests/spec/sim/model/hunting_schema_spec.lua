-- The tables of hunting.
-- Labels: not-lua5.3
local schema = require "mde.sim.model.hunting_schema"
local scopes = require "mde.sim.kql.scope"
local values = require "mde.sim.kql.value"

describe("sim.model.hunting_schema", function()
  it("has columns of known types, each once, the time first", function()
    local count = 0
    for name, columns in pairs(schema.tables) do
      count = count + 1
      assert.are.same({ name = "Timestamp", type = "datetime" }, columns[1], name)
      scopes.new(columns)
      for _, column in ipairs(columns) do assert.is_string(values.wire_types[column.type], column.name) end
    end
    assert.are.equal(7, count)
  end)

  it("has the uncertain column apart", function()
    assert.is_nil(scopes.new(schema.tables.DeviceInfo).by_name.MitigationStatus)
    assert.are.equal("string", scopes.new(schema.with_uncertain.DeviceInfo).by_name.MitigationStatus.type)
    assert.are.same(schema.tables.AlertInfo, schema.with_uncertain.AlertInfo)
  end)
end)
