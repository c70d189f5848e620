-- By what incidents hold machines, in the order in which it is taken back.
local rehearsal = require "tests.spec.support.rehearsal"

local function id(i) return ("%040x"):format(i) end

describe("what incidents hold", function()
  local r

  local function isolated(i, incident, fields)
    local all = { type = "Isolate", scope = "Full",
      requestorComment = ("why [mde:%s:operation-%d]"):format(incident, i) }
    for name, value in pairs(fields or {}) do all[name] = value end
    r:past(id(i), "restrict", "Succeeded", 600, all)
  end

  local function restricted(i, incident)
    r:past(id(i), "restrict", "Succeeded", 900,
      { requestorComment = ("why [mde:%s:operation-%d]"):format(incident, i) })
  end

  -- Each machine as "name: verb by incidents, ...".
  local function told(options)
    local list = {}
    for i, machine in ipairs(assert(r.client:held(options))) do
      local parts = {}
      for j, by in ipairs(machine.held) do
        parts[j] = by.opposite .. (by.incidents and " (" .. table.concat(by.incidents, ", ") .. ")" or "")
      end
      list[i] = machine.computerDnsName .. ": " .. table.concat(parts, ", ")
    end
    return list
  end

  before_each(function()
    local machines = {}
    for i = 1, 5 do machines[i] = { id = id(i), computerDnsName = ("m%d.corp.example"):format(i) } end
    r = rehearsal.new { limits = false, machines = machines }
  end)

  it("is taken back in the right order: onto the network first", function()
    restricted(1, "INC-1")
    isolated(1, "INC-1")
    restricted(2, "INC-1")
    isolated(3, "INC-1")
    isolated(4, "INC-2")
    assert.same({ "m1.corp.example: unisolate, release", "m2.corp.example: release", "m3.corp.example: unisolate" },
      told { incident = "inc-1" })
    assert.equal(2, #r:requests())
  end)

  it("names who else holds it by the same", function()
    restricted(1, "INC-1")
    restricted(1, "INC-2")
    isolated(1, "INC-1")
    assert.same({ "m1.corp.example: unisolate, release (INC-2)" }, told { incident = "INC-1" })
    assert.same({ "m1.corp.example: unisolate, release" }, told { incident = "INC-1", ended = "INC-2" })
  end)

  it("is told of one response alone, by one list", function()
    restricted(1, "INC-1")
    isolated(1, "INC-1")
    assert.same({ "m1.corp.example: unisolate" }, told { incident = "INC-1", of = "isolate" })
    assert.equal(1, #r:requests())
    local err = rehearsal.refused(function() return r.client:held { incident = "INC-1", of = "scan" } end)
    assert.matches('"of" must be isolate or restrict, not "scan"', err.message)
  end)

  it("is not what was taken back", function()
    isolated(1, "INC-1")
    r:past(id(1), "release", "Succeeded", 60, { type = "Unisolate" })
    assert.same({}, told { incident = "INC-1" })
  end)

  it("is not told where a list cannot be read", function()
    r:fault { match = { path = "machineactions" }, fault = "answer", status = 403, body = "{}", count = 9 }
    local list, err = r.client:held { incident = "INC-1" }
    assert.is_nil(list)
    assert.equal("permission", err.kind)
    assert.equal("mde.held", rehearsal.refused(r.client.held, r.client, {}).message:match "^mde.held")
  end)
end)
