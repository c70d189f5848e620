-- Tokens of two processes that share a store: refused at first, then fetched by one while others wait, taken by the
-- other process, revoked, asked for with claims, and refreshed when they age. And limits that are used up.

local dicts = require "tests.spec.support.dict"
local tortured = require "tests.spec.support.tortured"

local LAPTOP = ("1"):rep(40)
local world = tortured.new {
  machines = { { id = LAPTOP } },
  client = { limits = { per_minute = 3, per_hour = 100 } },
  faults = { { match = { path = "/oauth2/" }, fault = "answer", status = 503 } },
}
local other, store

local function read(client)
  local machine, err = client:machine(LAPTOP)
  return machine and true, err
end

return function()
  local results = world.client:each({ 1, 2, 3 }, function() return read(world.client) end, { parallel = 3 })
  if results.failed > 0 then return nil, results[1].err or results[2].err or results[3].err end
  local well, err = read(other)
  if not well then return nil, err end
  world.tenant:revoke()
  world.tenant:advance(1)
  well, err = read(other)
  if not well then return nil, err end
  world.tenant:advance(3400)
  return read(world.client)
end, function()
  store = dicts(function() return world.tenant.clock.now() end)
  world.renew()
  world.client, other = world.new_client { store = store }, world.new_client { store = store }
end
