-- mde untag: takes a tag off machines.
-- Labels: not-lua5.3
local console = require "tests.spec.support.console"
local rehearsal = require "tests.spec.support.rehearsal"

describe("mde untag", function()
  it("takes a tag from among those that are there", function()
    local r = rehearsal.new { roles = { "Machine.ReadWrite.All" },
      machines = { { computerDnsName = "desk-1.corp.example", machineTags = { "lab", "review" } } } }
    local told = console.run({ "untag", "desk-1", "review" }, { client = r.client })
    assert.equal(0, told.status, told.err)
    assert.equal('desk-1.corp.example: untagged "review"\n', told.out)
    assert.same({ "lab" }, assert(r.client:machine "desk-1").machineTags)
  end)
end)
