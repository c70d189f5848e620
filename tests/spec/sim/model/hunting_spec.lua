-- The setting `hunting`, and what a query comes to.
-- Labels: only-lua5.4
local hunting = require "mde.sim.model.hunting"
local sim = require "mde.sim"

local NOW = 1770113472

describe("sim.model.hunting", function()
  local tenant

  before_each(function() tenant = sim.new { start = NOW, fleet = { count = 20 } } end)

  it("runs a query over a span of time", function()
    local result = hunting.run(tenant, "DeviceInfo | summarize arg_max(Timestamp, *) by DeviceId | count")
    assert.are.same({ { name = "Count", type = "long" } }, result.columns)
    assert.is_true(result.rows[1].Count >= 10)
    assert.are.equal(0, hunting.run(tenant, "DeviceInfo | count", NOW, NOW).rows[1].Count)
    assert.are.equal(hunting.run(tenant, "DeviceInfo | count").rows[1].Count,
      hunting.run(tenant, "DeviceInfo | count", 0, NOW * 2).rows[1].Count)
  end)

  it("says why it refuses one", function()
    local result, message = hunting.run(tenant, "DeviceInfos")
    assert.is_nil(result)
    assert.is_truthy(message:find("'DeviceInfos'", 1, true))
  end)

  it("leaves out rows beyond the most, in silence", function()
    tenant:set { hunting = { most_rows = 3 } }
    assert.are.equal(3, #hunting.run(tenant, "DeviceInfo").rows)
  end)

  it("says when a reply is too large", function()
    tenant:set { hunting = { most_bytes = 10 } }
    assert.is_nil(hunting.excess(tenant, "0123456789"))
    assert.is_truthy(hunting.excess(tenant, "0123456789+"):find "exceeded the allowed result size")
  end)

  it("has a quota for a quarter of an hour", function()
    tenant:set { hunting = { quota = 2 } }
    assert.is_nil(hunting.spend(tenant))
    assert.is_nil(hunting.spend(tenant))
    local wait = hunting.spend(tenant)
    assert.are.equal(900 - NOW % 900, wait)
    tenant:advance(wait)
    assert.is_nil(hunting.spend(tenant))
  end)

  for name, case in pairs {
    ["an unknown setting"] = { { speling = "older" }, "hunting: there is no 'speling'. Did you mean 'spelling'?" },
    ["a wrong value"] = { { spelling = "new" }, "hunting: spelling must be documented or older" },
    ["an unknown table"] = { { rows = { DeviceInfos = {} } }, "there is no table 'DeviceInfos'. Did you mean" },
    ["an unknown column"] = { { rows = { DeviceInfo = { { Name = "x" } } } },
      "DeviceInfo[1]: there is no column 'Name'" },
    ["a value of another type"] = { { rows = { DeviceInfo = { { OSBuild = "x" } } } }, "OSBuild must be of type long" },
    ["no time"] = { { rows = { DeviceInfo = { { Timestamp = "soon" } } } }, "Timestamp must be a time" },
    ["a machine that is not there"] = { { rows = { DeviceInfo = { { DeviceName = "x" } } } },
      "there is no machine 'x'" },
    ["no table"] = { 5, "hunting must be a table" },
  } do
    it("refuses " .. name, function()
      local ok, message = pcall(tenant.set, tenant, { hunting = case[1] })
      assert.is_false(ok)
      assert.is_truthy(message:find(case[2], 1, true), message)
    end)
  end

  it("comes from an option, and is back at birth", function()
    tenant = sim.new { start = NOW, fleet = { count = 20 }, hunting = { most_rows = 2 } }
    tenant:set { hunting = { most_rows = 5 } }
    tenant:reset()
    assert.are.equal(2, tenant.hunting.most_rows)
    assert.has_error(function() sim.new { hunting = { cost = -1 } } end)
  end)
end)
