-- mde action: one action by its id.
-- Labels: not-lua5.3
local console = require "tests.spec.support.console"
local rehearsal = require "tests.spec.support.rehearsal"

describe("mde action", function()
  it("shows it, and changes nothing", function()
    local r = rehearsal.new { machines = { { id = ("a"):rep(40) } } }
    local action = r:past(("a"):rep(40), "restrict", "Pending", 60, { requestor = "alice" })
    local told = console.run({ "action", action.id }, { client = r.client })
    assert.equal(0, told.status, told.err)
    assert.matches("\nstatus +Pending\n", told.out)
    assert.matches("\nrequestor +alice\n", told.out)
    assert.same({ "GET /api/machineactions/" .. action.id }, r:requests())
  end)
end)
