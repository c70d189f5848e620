-- Loads mde where no more is promised than that, and makes one call of each kind against a simulated
-- tenant in the same process.

local mde = require "mde"
local sim = require "mde.sim"

local tenant = sim.new()
local client = mde.client {
  tenant_id = tenant.tenant_id,
  client_id = tenant.client_id,
  credential = tenant.client_secret,
  driver = tenant:driver(),
}
local NAME = "laptop-17.corp.example"
local action = assert(client:restrict(NAME, "does it load"))
assert(action.outcome == "accepted", action.outcome)
assert(action:wait { timeout = 3600 } == "Succeeded")
assert(client:state(NAME) == "restricted")
print(_VERSION, mde._VERSION, "restricted", NAME)
