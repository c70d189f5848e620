-- A connection that was idle, and that the service has closed meanwhile: an action is not sent on it, so nobody has to
-- find out its outcome.
-- Labels: only-lua5.4, long

local socket = require "socket"
local worlds = require "tests.fault.outcomes.world"
local axes = require "tests.fault.outcomes.axes"

-- Seconds after which the server closes, and that nothing was asked before the action.
local cases = { { 5.5, 6 }, { 1, 2 } }

for _, case in ipairs(cases) do
  local closes_after, idle = case[1], case[2]

  describe(("a connection that was idle for %g s and closed after %g s"):format(idle, closes_after), function()
    it("leaves an action accepted, over libcurl", function()
      local tenant = worlds.tenant { idle_seconds = closes_after }
      finally(tenant.stop)
      local client = tenant.client()
      assert(client:state(axes.machine))
      socket.sleep(idle)
      local action = assert(client:restrict(axes.machine, "after a pause", { look = false }))
      assert.equal("accepted", action.outcome)
      assert.equal(1, action.attempts)
      assert.is_nil(action.reconciled)
      assert.equal(1, #tenant.history "action_created")
    end)
  end)
end
