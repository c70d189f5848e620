-- What a machine has beside its record.
-- Labels: only-lua5.4
local machine_details = require "mde.sim.model.machine_details"
local sim = require "mde.sim"

local laptop = "1f00000000000000000000000000000000000017"

describe("the details of a machine", function()
  local tenant

  before_each(function() tenant = sim.new { start = 1770113472.5, fleet = { count = 60 } } end)

  it("are made up, the same each time, and not the same for all", function()
    local users = {}
    for _, machine in ipairs(tenant.machines) do
      for kind in pairs(machine_details.kinds) do
        assert.same(machine_details.of(tenant, machine, kind), machine_details.of(tenant, machine, kind))
      end
      users[machine_details.of(tenant, machine, "logonusers")[1].id] = true
    end
    assert.truthy(next(users, next(users)))
  end)

  it("fit each other", function()
    local flaws, weaknesses = 0, 0
    for _, machine in ipairs(tenant.machines) do
      flaws = flaws + #machine_details.of(tenant, machine, "vulnerabilities")
      for _, program in ipairs(machine_details.of(tenant, machine, "software")) do
        weaknesses = weaknesses + program.weaknesses
      end
    end
    assert.truthy(flaws > 0)
    assert.equal(flaws, weaknesses)
    local without_flaw = 0
    local rows = machine_details.export(tenant, "vulnerabilities")
    for _, row in ipairs(rows) do without_flaw = without_flaw + (row.cveId and 0 or 1) end
    assert.equal(flaws, #rows - without_flaw)
    assert.truthy(without_flaw > 0)
  end)

  it("may be told", function()
    tenant:put_details(laptop, { logonusers = { { id = "corp\\zoe", accountName = "zoe" } } })
    assert.equal("corp\\zoe", machine_details.of(tenant, tenant:find_machine(laptop), "logonusers")[1].id)
    assert.has_error(function() tenant:put_details(laptop, { logons = {} }) end)
    assert.has_error(function() tenant:put_details("nobody", {}) end, "there is no machine 'nobody'")
    tenant:reset()
    assert.not_equal("corp\\zoe", machine_details.of(tenant, tenant:find_machine(laptop), "logonusers")[1].id)
  end)

  it("are exported of machines that have reported since", function()
    local all = machine_details.export(tenant, "software")
    local some = machine_details.export(tenant, "software", tenant.clock.now() - 6 * 3600)
    assert.truthy(#some > 0 and #some < #all)
    assert.same({}, machine_details.export(tenant, "software", tenant.clock.now() + 1))
  end)
end)
