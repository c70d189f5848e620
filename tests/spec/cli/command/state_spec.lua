-- mde state: whether devices are restricted.
-- Labels: not-lua5.3
local console = require "tests.spec.support.console"
local json = require "mde.base.json"
local rehearsal = require "tests.spec.support.rehearsal"

local function id(number) return ("%040x"):format(0xa0000 + number) end

describe("mde state", function()
  local r

  before_each(function()
    local machines = {}
    for i = 1, 2 do machines[i] = { id = id(i), computerDnsName = ("desk-%d.corp.example"):format(i) } end
    r = rehearsal.new { limits = false, machines = machines }
    r:past(id(1), "restrict", "Succeeded", 7200, { requestor = "alice", requestorComment = "beacon" })
  end)

  local function state(...) return console.run({ "state", ... }, { client = r.client }) end

  it("tells the state of one, by one look-up and its history", function()
    local told = state "desk-1"
    assert.equal(0, told.status)
    assert.matches("^device\tstate\t[^\n]+\ndesk%-1\trestricted\tdesk%-1%.corp%.example\t"
      .. id(1) .. "\t[^\t]+\talice\tbeacon\t", told.out)
    assert.equal("", told.err)
    assert.matches("\tactionId\tisolation\n.*\tnone\n$", told.out)
    assert.equal(2, #r:requests())
    -- A machine id is read, too: it may be of a machine that was merged.
    local before = #r:requests()
    assert.equal(0, state(id(1)).status)
    assert.equal(2, #r:requests() - before)
  end)

  it("tells whether they are isolated, too", function()
    r:past(id(1), "restrict", "Succeeded", 3600, { type = "Isolate", scope = "Full", requestor = "bob" })
    r:past(id(2), "restrict", "Pending", 60, { type = "Isolate", scope = "Full" })
    assert.matches("^device\t.*\ndesk%-1\trestricted\t.*\tisolated\n$", state "desk-1".out)
    local before = #r:requests()
    local rows = {}
    for line in state("desk-1", "desk-2", "--json").out:gmatch "[^\n]+" do
      rows[#rows + 1] = assert(json.decode(line))
    end
    -- The records, and one list for all.
    assert.equal(2, #r:requests() - before)
    assert.same({ "restricted", "alice", "isolated", "bob" }, { rows[1].state, rows[1].action.requestor,
      rows[1].isolation, rows[1].isolation_action.requestor })
    assert.same({ "none", "isolating" }, { rows[2].state, rows[2].isolation })
    assert.is_nil(rows[2].action)
  end)

  it("tells those of many in their order, by one list, and what it could not find", function()
    local told = state("desk-2", "nowhere", "desk-1", "--csv")
    assert.equal(2, told.status)
    local lines = {}
    for line in told.out:gmatch "[^\r\n]+" do lines[#lines + 1] = line end
    assert.matches("^device,state,computerDnsName,machineId,.*,error,message$", lines[1])
    assert.matches("^desk%-2,none,", lines[2])
    assert.matches("^nowhere,.*,not_found,", lines[3])
    assert.matches("^desk%-1,restricted,", lines[4])
    assert.matches('^mde: .*"nowhere"', told.err)
  end)

  it("tells the one where the other cannot be told", function()
    local same = rehearsal.time(r.tenant.clock.now() - 100)
    for _, verb in ipairs { "restrict", "release" } do
      r:past(id(2), verb, "Succeeded", 100, { lastUpdateDateTimeUtc = same })
    end
    r:past(id(2), "restrict", "Succeeded", 50, { type = "Isolate" })
    for _, words in ipairs { { "desk-2" }, { "desk-2", "desk-1" } } do
      words[#words + 1] = "--json"
      local told = state(words[1], words[2], words[3])
      assert.equal(3, told.status)
      local row = assert(json.decode(told.out:match "[^\n]+"))
      assert.same({ nil, "isolated", "order_unclear" }, { row.state, row.isolation, row.error.code })
      assert.matches('^state of "desk%-2[^"]*" %(restrict%): ', row.error.text)
    end
  end)

  it("shows a person how long ago that was", function()
    local told = console.run({ "state", "desk-1" }, { client = r.client, columns = 120 })
    assert.matches("^DEVICE +STATE +ISOLATION +NAME +SINCE", told.out)
    assert.matches("1h ago", told.out)
  end)
end)
