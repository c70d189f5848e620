-- mde cancel: an action that has not ended yet.
-- Labels: not-lua5.3
local console = require "tests.spec.support.console"
local rehearsal = require "tests.spec.support.rehearsal"

describe("mde cancel", function()
  it("cancels it, and says why", function()
    local r = rehearsal.new { machines = { { computerDnsName = "desk-1.corp.example" } } }
    local action = assert(r.client:restrict("desk-1", "beacon"))
    local told = console.run({ "cancel", action.id, "--comment", "wrong laptop" }, { client = r.client })
    assert.equal(0, told.status, told.err)
    assert.matches("\nstatus +Cancelled\n", told.out)
    assert.matches("\ncancellationComment +wrong laptop\n", told.out)
    told = console.run({ "cancel", action.id }, { client = r.client })
    assert.equal(1, told.status)
    assert.matches("%-%-comment", told.err)
  end)

  it("names the permission that this action needs, and asks for it once", function()
    local r = rehearsal.new { machines = { { id = ("%040x"):format(1), computerDnsName = "desk-1.corp.example" } } }
    local action = r:past(("%040x"):format(1), "restrict", "Pending", 60, { type = "Isolate", scope = "Full" })
    r:answer({ method = "POST", path = "/cancel" }, 403, { error = { code = "Forbidden", message = "no" } },
      { count = false })
    local told = console.run({ "cancel", action.id, "--comment", "wrong laptop" }, { client = r.client })
    assert.equal(2, told.status)
    assert.matches("Give the application the permission that this action needs %(.*%) and let.*"
      .. "This action needs the permission Machine%.Isolate%.\n", told.err)
    assert.same({ "cancel" }, r:posts())
  end)
end)
