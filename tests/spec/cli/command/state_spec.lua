-- mde state: whether devices are restricted.
-- Labels: not-lua5.3
local console = require "tests.spec.support.console"
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
    assert.equal(2, #r:requests())
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

  it("shows a person how long ago that was", function()
    local told = console.run({ "state", "desk-1" }, { client = r.client, columns = 120 })
    assert.matches("^DEVICE +STATE +NAME +SINCE", told.out)
    assert.matches("1h ago", told.out)
  end)
end)
