-- The device groups of the tenant.
-- Labels: not-lua5.3
local rehearsal = require "tests.spec.support.rehearsal"

describe("mde.device_groups", function()
  it("tells the groups that devices are in", function()
    local r = rehearsal.new { roles = { "Score.Read.All" } }
    local groups, names = assert(r.client:device_groups()), {}
    for _, group in ipairs(groups) do names[group.rbacGroupId] = group.rbacGroupName end
    assert.same({ "UnassignedGroup", "Laptops" }, { names[0], names[140] })
    assert.equal(1, #r:requests())
  end)

  it("reads on where there are a thousand, and ends where they repeat", function()
    local machines = {}
    for i = 1, 1003 do
      machines[i] = { id = ("%040x"):format(i), rbacGroupId = i, rbacGroupName = ("g%d"):format(i) }
    end
    local r = rehearsal.new { machines = machines, roles = { "Score.Read.All" } }
    assert.equal(1003, #assert(r.client:device_groups()))
    r.tenant:set { lists = { skip = "ignored" } }
    local groups, err = r.client:device_groups()
    assert.is_nil(groups)
    assert.equal("pages_repeat", err.code)
  end)

  it("reads on behind a full page with a row that is none", function()
    local r = rehearsal.new { roles = { "Score.Read.All" }, limits = false }
    local rows = {}
    for i = 1, 999 do rows[i] = { rbacGroupId = i, rbacGroupName = "g" .. i } end
    rows[1000] = 7
    r:answer({ path = "exposureScore" }, 200, { value = rows })
    r:answer({ path = "exposureScore" }, 200, { value = { { rbacGroupId = 1000, rbacGroupName = "last" } } })
    local groups = assert(r.client:device_groups())
    assert.same({ 1000, "last" }, { #groups, groups[1000].rbacGroupName })
  end)

  it("needs a permission, which the error names", function()
    assert.equal("Score.Read.All", select(2, rehearsal.new({}).client:device_groups()).permission)
  end)
end)
