-- What the scenarios of tests/fault/torture.c have in common: a tenant, clients and times that are the same each time,
-- so that every run makes the same allocations.
--
--   local t = require("tests.spec.support.tortured").new { machines = { { id = ("1"):rep(40) } } }
--   return function() return t.client:state(...) end, function() t.renew() end

local core = require "mde.core"
local posix = require "mde.posix"

posix.entropy.bytes = function(count) return ("\7"):rep(count) end
posix.clock.time = function() return 1.7e9 end
posix.clock.now = function() return 1000 end

local mde = require "mde"
local sim = require "mde.sim"

local tortured = {}

---@param options table of the tenant (see mde.sim); `client`: of the client
---@return table world `tenant`, `client`, and `renew`: puts everything back and makes a new client
function tortured.new(options)
  local drawn, of_tenant, of_client = 0, { start = 1.7e9 }, {}
  for name, value in pairs(options) do of_tenant[name] = value end
  for name, value in pairs(options.client or {}) do of_client[name] = value end
  of_tenant.client = nil
  of_tenant.random = function(count)
    drawn = drawn + 1
    return (("%08d"):format(drawn):rep(40)):sub(1, count)
  end
  local world = { tenant = sim.new(of_tenant) }

  --- A client that knows nothing of the last run; `more`: further options.
  function world.new_client(more)
    local settings = { tenant_id = world.tenant.tenant_id, client_id = world.tenant.client_id,
      credential = world.tenant.client_secret, driver = world.tenant:driver() }
    for name, value in pairs(of_client) do settings[name] = value end
    for name, value in pairs(more or {}) do settings[name] = value end
    return assert(mde.client(settings))
  end

  function world.renew()
    world.tenant:reset()
    world.tenant:restore_faults()
    world.client = world.new_client()
  end

  -- The secret, the form in which it is sent, and how every token begins.
  -- luacheck: read globals plant
  plant(world.tenant.client_secret)
  plant(core.odata.encode(world.tenant.client_secret))
  plant(core.base64.encode_url '{"typ":"JWT"')
  world.renew()
  return world
end

--- nil and what is wrong, unless a value is as it should be.
function tortured.expect(value, wanted, err)
  if value == wanted then return true end
  return nil, err or ("%s, and not %s"):format(tostring(value), tostring(wanted))
end

return tortured
