-- A connection of a worker's that was idle, and that the service has closed meanwhile: an action is not sent on it.

local nameserver = require "tests.spec.support.server.nameserver"
local site = require "tests.hosts.nginx.site"
local socket = require "socket"

for _, case in ipairs { { 5.5, 6 }, { 1, 2 } } do
  local closes_after, idle = case[1], case[2]

  describe(("a worker's connection that was idle for %g s and closed after %g s"):format(idle, closes_after), function()
    it("leaves an action accepted", function()
      local tenant, names = site.tenant { idle_seconds = closes_after }, nameserver.start()
      local server = site.start(tenant, names, { workers = 1, options = "cap = false" })
      finally(function()
        server.stop()
        names.stop()
        tenant.stop()
      end)
      assert.equal("accepted", server.ask({ ["do"] = "restrict", device = site.id(1) }).answer().outcome)
      socket.sleep(idle)
      assert.equal("accepted", server.ask({ ["do"] = "restrict", device = site.id(2) }).answer().outcome)
      assert.equal(2, #tenant.history "action_created")
      assert.equal(2, #site.requests(tenant, "POST", "restrictCodeExecution"))
      -- One look before each, and none after it.
      assert.equal(2, #site.requests(tenant, "GET", "/machineactions"))
    end)
  end)
end
