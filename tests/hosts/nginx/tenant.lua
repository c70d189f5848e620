-- Controls a served simulated tenant from inside nginx, as tests/spec/support/tenant.lua does from outside: through the
-- tenant's own port, over connections that nothing else uses.
local json = require "mde.sim.base.json"

local tenants = {}

-- No test asks for connections that may idle for so long, so control's are in a pool of their own.
local IDLE_SECONDS = 57

---@param driver mde.Driver
---@param base_url string
---@param env table<string, string>
---@param identity_url string where the endpoints of managed identities are
function tenants.of(driver, base_url, env, identity_url)
  local self = { base_url = base_url, env = env, identity_url = identity_url }

  local function control(method, path, body)
    local response, message = driver.send {
      method = method, url = base_url .. path, body = body and json.encode(body), timeout = 30,
      headers = body and { ["Content-Type"] = "application/json" } or {}, max_bytes = 1e8, max_idle = IDLE_SECONDS,
    }
    if not response then error("the simulated tenant cannot be controlled: " .. message, 3) end
    local value = json.decode(response.body)
    if response.status ~= 200 then error(tostring(value and value.message or response.status), 3) end
    return value
  end

  function self.history(event)
    local some = {}
    for _, entry in ipairs(control("GET", "/sim/history").history) do
      if not event or entry.event == event then some[#some + 1] = entry end
    end
    return some
  end

  function self.fault(rule) control("POST", "/sim/faults", rule) end

  function self.clear() control("DELETE", "/sim/faults") end

  function self.reset() control("POST", "/sim/reset") end

  -- Whoever started it ends it.
  function self.stop() end

  return self
end

return tenants
