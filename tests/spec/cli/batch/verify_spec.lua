-- verify: whether the devices are still as they were meant to be, after the waiting.
-- Labels: not-lua5.3
local console = require "tests.spec.support.console"
local rehearsal = require "tests.spec.support.rehearsal"
local verify = require "mde.cli.batch.verify"

local function id(number) return ("%040x"):format(0xa0000 + number) end

describe("after the waiting", function()
  local r

  before_each(function()
    local machines = {}
    for i = 1, 8 do machines[i] = { id = id(i), computerDnsName = ("desk-%d.corp.example"):format(i) } end
    r = rehearsal.new { limits = false, machines = machines }
  end)

  local function look(verb, count)
    local entries = {}
    for i = 1, count do
      local action = assert(r.client[verb](r.client, id(i), "why", { look = false }))
      entries[i] = { device = id(i), action = action, waited = assert(action:wait { timeout = 3600 }) }
    end
    return entries, function()
      return console.capture(function()
        verify.run({ client = r.client, request = { verb = verb } }, entries)
      end).err
    end
  end

  it("nothing is said where all are so", function()
    local entries, said = look("restrict", 3)
    assert.equal("", said())
    for _, entry in ipairs(entries) do assert.is_nil(entry.err) end
  end)

  it("what was undone is an error, and said with who did it", function()
    local entries, said = look("restrict", 4)
    for i = 1, 2 do r:past(id(i), "release", "Succeeded", 0, { requestor = "a.colleague@corp.example" }) end
    r:past(id(3), "release", "Succeeded", 0, { requestor = "nightly" })
    assert.equal("Now: 1 restricted, 2 released since by a.colleague@corp.example, 1 released since by nightly.\n",
      said())
    assert.same({ "superseded", "undone_since" }, { entries[1].err.kind, entries[1].err.code })
    assert.equal("released since", entries[3].ending)
    assert.is_nil(entries[4].err)
  end)

  it("a release that was undone is told, too", function()
    local entries, said = look("release", 1)
    r:past(id(1), "restrict", "Succeeded", 0, { requestor = "a.colleague" })
    assert.equal("Now: 1 restricted since by a.colleague.\n", said())
    assert.equal("superseded", entries[1].err.kind)
  end)

  it("what cannot be read is said to be so", function()
    local _, said = look("restrict", 2)
    r:answer({ path = "/machineactions" }, 403, { error = { code = "Forbidden", message = "no" } }, { count = false })
    assert.equal("Note: whether 2 of them are still so could not be read; mde state shows it.\n", said())
  end)

  it("what has failed or was not waited for is left alone", function()
    local entries = { { device = id(1) }, { device = id(2), waited = nil, err = "x" } }
    local said = console.capture(function()
      verify.run({ client = r.client, request = { verb = "restrict" } }, entries)
    end).err
    assert.equal("", said)
    assert.same({}, r:requests())
  end)
end)
