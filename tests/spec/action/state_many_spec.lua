-- The states of many devices.

local rehearsal = require "tests.spec.support.rehearsal"

local function id(number)
  return ("%040x"):format(0xa0000 + number)
end

describe("the states of many", function()
  local r

  before_each(function()
    local machines = {}
    for i = 1, 9 do machines[i] = { id = id(i), computerDnsName = ("desk-%d.corp.example"):format(i) } end
    r = rehearsal.new { machines = machines, limits = false }
  end)

  it("are those of each, by one list", function()
    local restricted = r:past(id(1), "restrict", "Succeeded", 100)
    r:past(id(2), "restrict", "Pending", 100)
    r:past(id(3):upper(), "restrict", "Succeeded", 200)
    local releasing = r:past(id(3), "release", "Pending", 100)
    r:past(id(4), "restrict", "Succeeded", 200)
    r:past(id(4), "release", "Succeeded", 100)
    r:past(id(5), "restrict", "Failed", 100)
    r:past(id(6), "restrict", "Succeeded", 100, { type = "Isolate" })
    local machines = {}
    for i = 1, 7 do machines[i] = { id = i % 2 == 0 and id(i) or id(i):upper() } end
    local results = r.client:states(machines)
    local states = {}
    for i, result in ipairs(results) do
      assert.equal(machines[i], result.item)
      states[i] = result.value
    end
    assert.same({ "restricted", "restricting", "releasing", "released", "none", "none", "none" }, states)
    assert.equal(0, results.failed)
    assert.equal(restricted.id, results[1].action.id)
    assert.equal(releasing.id, results[3].action.id)
    assert.is_nil(results[5].action)
    assert.equal(1, #r:requests())
    for i, machine in ipairs(machines) do assert.equal(r.client:state(machine), states[i]) end
  end)

  it("of all are the restriction and the isolation of each, by one list", function()
    r:past(id(1), "restrict", "Succeeded", 100)
    r:past(id(1), "restrict", "Pending", 50, { type = "Isolate" })
    r:past(id(2), "release", "Succeeded", 50, { type = "Unisolate" })
    local same = rehearsal.time(r.tenant.clock.now() - 100)
    for _, verb in ipairs { "restrict", "release" } do
      r:past(id(3), verb, "Succeeded", 100, { lastUpdateDateTimeUtc = same })
    end
    local results = r.client:states({ { id = id(1) }, { id = id(2) }, { id = id(3) }, "nowhere" }, { of = "all" })
    local told = {}
    for i = 1, 3 do
      told[i] = ("%s %s"):format(results[i].value.restrict.value or results[i].value.restrict.err.code,
        results[i].value.isolate.value)
      assert.is_nil(results[i].action)
    end
    assert.same({ "restricted isolating", "none released", "order_unclear none" }, told)
    assert.equal("Isolate", results[1].value.isolate.action.type)
    -- One of which one of the two cannot be told is not done.
    assert.same({ "order_unclear", "not_found", 2 }, { results[3].err.code, results[4].err.kind, results.failed })
    local lists = 0
    for _, request in ipairs(r:requests()) do
      if request:find("machineactions", 1, true) then lists = lists + 1 end
    end
    assert.equal(1, lists)
  end)

  it("can be waited for", function()
    assert(r.client:restrict(id(1), "why", { incident = "INC-1" }))
    local result = r.client:states { { id = id(1) } }[1]
    assert.equal("restricting", result.value)
    assert.equal("INC-1", result.action.incident)
    assert.equal("Succeeded", result.action:wait())
  end)

  it("takes names, ids and iterators, and tells what it could not resolve", function()
    r:past(id(2), "restrict", "Succeeded", 100)
    local results = r.client:states { "desk-2", id(1), "nowhere", "192.0.2.1", { id = id(2) } }
    assert.same({ "restricted", "none" }, { results[1].value, results[2].value })
    assert.equal("not_found", results[3].err.kind)
    assert.truthy(tostring(results[3].err):find('^state of "nowhere"'))
    assert.equal("invalid", results[4].err.kind)
    assert.equal("restricted", results[5].value)
    assert.equal(2, results.failed)
    assert.equal(9, #r.client:states(r.client:machines "all"))
  end)

  it("tells for each where it cannot be told", function()
    local same = rehearsal.time(r.tenant.clock.now() - 100)
    for _, verb in ipairs { "restrict", "release" } do
      r:past(id(1), verb, "Succeeded", 100, { lastUpdateDateTimeUtc = same })
    end
    local results = r.client:states { { id = id(1) }, { id = id(2) } }
    assert.equal("protocol", results[1].err.kind)
    assert.is_nil(results[1].value)
    assert.is_nil(results[1].action)
    assert.equal("none", results[2].value)
    assert.equal(1, results.failed)
  end)

  it("counts an action that does not say whose it is for nobody", function()
    r:past(id(1), "restrict", "Pending", 10, { machineId = rehearsal.null })
    assert.equal("none", r.client:states({ { id = id(1) } })[1].value)
  end)

  it("is an error for each if the list cannot be read", function()
    r:answer({ path = "/machineactions" }, 403, { error = { code = "Forbidden", message = "no" } }, { count = false })
    local results = r.client:states { { id = id(1) }, { id = id(2), computerDnsName = "desk-2" } }
    assert.equal(2, results.failed)
    assert.equal("permission", results[1].err.kind)
    assert.is_nil(results[1].value)
    assert.truthy(tostring(results[2].err):find('^state of "desk%-2"'))
  end)

  it("asks nothing for nobody", function()
    assert.same({ failed = 0 }, r.client:states {})
    assert.equal(0, #r:requests())
    assert.equal(1, r.client:states({ "192.0.2.1" }).failed)
    assert.equal(0, #r:requests())
  end)

  it("refuses what is no list, and unknown options", function()
    for _, case in ipairs {
      { nil, "not nil", "why it is nil" }, { "desk-1", 'not "desk-1"', "mde.states { device }" },
      { { id = id(1) }, "not one machine", "mde.states { device }" }, { 7, "not 7", "mde.states { device }" },
      { { "desk-1", nil, "desk-2" }, "item 2 of the list is missing", "Leave out" },
      { { ["desk-1"] = true }, 'no item 1, but "desk-1"', "Give a list" },
    } do
      local err = rehearsal.refused(r.client.states, r.client, case[1])
      assert.truthy(err.message:find("^mde.states"), err.message)
      assert.truthy(err.message:find(case[2], 1, true), err.message)
      assert.truthy(err.hint:find(case[3], 1, true), tostring(err))
    end
    rehearsal.refused(r.client.states, r.client, {}, { parallel = 3 })
    assert.same({}, r:requests())
  end)
end)
