-- mde tag: puts a tag on machines.
-- Labels: not-lua5.3
local console = require "tests.spec.support.console"
local rehearsal = require "tests.spec.support.rehearsal"

describe("mde tag", function()
  it("puts a tag beside those that are there", function()
    local r = rehearsal.new { roles = { "Machine.ReadWrite.All" },
      machines = { { computerDnsName = "desk-1.corp.example", machineTags = { "lab" } } } }
    local told = console.run({ "tag", "desk-1", "review" }, { client = r.client })
    assert.equal(0, told.status, told.err)
    assert.equal('desk-1.corp.example: tagged "review"\n', told.out)
    assert.same({ "lab", "review" }, assert(r.client:machine "desk-1").machineTags)
  end)
end)
