-- Controls a served simulated tenant from inside nginx, over connections that nothing else uses.

local controls = require "tests.spec.support.server.control"

local tenants = {}

-- No test asks for connections that may idle for so long, so control's are in a pool of their own.
local IDLE_SECONDS = 57

--- The simulator's own requests; see tests/spec/support/server/control.lua.
---@param driver mde.Driver
---@param url string
---@return fun(method: string, path: string, body: table?): any
function tenants.request(driver, url)
  return controls.request(driver.send, url, IDLE_SECONDS)
end

--- The tenant as tests/spec/support/server/tenant.lua has it outside.
---@param driver mde.Driver
---@param base_url string
---@param env table<string, string>
---@param identity_url string where the endpoints of managed identities are
function tenants.of(driver, base_url, env, identity_url)
  local self = controls.new(tenants.request(driver, base_url), env)
  self.base_url, self.identity_url = base_url, identity_url

  -- The program that started it ends it.
  function self.stop() end

  return self
end

return tenants
