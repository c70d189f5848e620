-- Who else holds devices restricted.

local rehearsal = require "tests.spec.support.rehearsal"

local function id(number)
  return ("%040x"):format(0xa0000 + number)
end

describe("who else holds a device", function()
  local r

  before_each(function()
    local machines = {}
    for i = 1, 3 do machines[i] = { id = id(i), computerDnsName = ("desk-%d.corp.example"):format(i) } end
    r = rehearsal.new { machines = machines, limits = false, unguarded = true }
    for _, incident in ipairs { "INC-1", "INC-2" } do
      for i = 1, 2 do assert(r.client:restrict(id(i), "beacon", { incident = incident })):wait() end
    end
    r:past(id(2), "restrict", "Succeeded", 5, { requestor = "alice@corp.example", requestorComment = "by hand" })
  end)

  local function holders(list, options)
    local values = {}
    local before = #r:requests()
    for i, result in ipairs(r.client:holders(list, options)) do values[i] = result.value end
    return values, #r:requests() - before
  end

  it("is told of one, by its own history", function()
    assert.same({ { "INC-2" } }, (holders({ { id = id(1) } }, { incident = "inc-1" })))
    assert.truthy(r:requests()[#r:requests()]:find("machineId", 1, true))
  end)

  it("is told of many, by one list", function()
    local values, requests = holders({ { id = id(1) }, { id = id(2) }, { id = id(3) } }, { incident = "INC-1" })
    assert.same({ { "INC-2" }, { "alice@corp.example (no incident)", "INC-2" }, {} }, values)
    assert.equal(1, requests)
  end)

  it("are the incidents where none is meant", function()
    assert.same({ { "INC-1", "INC-2" }, { "INC-1", "INC-2" } }, (holders { "desk-1", "desk-2" }))
  end)

  it("is an error for each where it cannot be read or the device cannot be found", function()
    local results = r.client:holders { "nowhere", id(1) }
    assert.equal(1, results.failed)
    assert.truthy(tostring(results[1].err):find('^holders of "nowhere"'))
    assert.same({ "INC-1", "INC-2" }, results[2].value)
    r:answer({ path = "/machineactions" }, 403, { error = { code = "Forbidden", message = "no" } }, { count = false })
    for _, list in ipairs { { { id = id(1) } }, { { id = id(1) }, { id = id(2) } } } do
      results = r.client:holders(list)
      assert.equal(#list, results.failed)
      assert.equal("permission", results[1].err.kind)
      assert.is_nil(results[1].value)
    end
  end)

  it("is not asked with what can be no incident, of what is no list", function()
    for _, case in ipairs { { {}, { incident = "" } }, { {}, { incident = "INC 1" } }, { {}, { incidents = "INC-1" } },
      { "desk-1" }, { { id = id(1) } }, {} } do
      local err = rehearsal.refused(r.client.holders, r.client, case[1], case[2])
      assert.truthy(err.message:find "^mde.holders", err.message)
    end
    assert.same({ failed = 0 }, r.client:holders({}, { incident = 4711 }))
  end)
end)
