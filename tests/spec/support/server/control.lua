-- Controls a simulated tenant that is served: the simulator's own requests, by whatever driver the test has.
--
--   local request = controls.request(driver.send, "https://127.0.0.1:8444")
--   request("POST", "/sim/clock", { advance = 60 })
--   local tenant = controls.new(request)
--   tenant.fault { fault = "gone", match = { method = "POST" } }

local json = require "mde.sim.base.json"

local controls = {}

--- A function that sends a request, which raises unless the answer is a success.
---@param send fun(request: table): table?, string?
---@param url string where the tenant takes them
---@param max_idle number? seconds for which their connections may be idle (5). With a number that no test asks for,
--- their connections are not the test's
---@return fun(method: string, path: string, body: table?): any answer
function controls.request(send, url, max_idle)
  return function(method, path, body)
    local response, message = send {
      method = method, url = url .. path, body = body and json.encode(body), timeout = 30,
      headers = body and { ["Content-Type"] = "application/json" } or {}, max_bytes = 1e8, max_idle = max_idle or 5,
    }
    if not response then error("the simulated tenant cannot be controlled: " .. message, 3) end
    local value = json.decode(response.body)
    if response.status ~= 200 then error(tostring(value and value.message or response.status), 3) end
    return value
  end
end

--- What can be asked of the tenant and changed in it.
---@param request fun(method: string, path: string, body: table?): any
---@param env table<string, string> the environment of its clients
---@return tests.Control
function controls.new(request, env)
  ---@class tests.Control
  ---@field env table<string, string>
  local self = { env = env }

  --- What the tenant really did; of one kind of event if there is one.
  function self.history(event)
    local some = {}
    for _, entry in ipairs(request("GET", "/sim/history").history) do
      if not event or entry.event == event then some[#some + 1] = entry end
    end
    return some
  end

  --- Adds a rule of what goes wrong (see mde/sim/faults.lua).
  function self.fault(rule) request("POST", "/sim/faults", rule) end

  --- The rules, with how often each was seen and applied.
  function self.faults() return request("GET", "/sim/faults").faults end

  --- Forgets all rules.
  function self.clear() request("DELETE", "/sim/faults") end

  --- Adds or changes a machine; its id.
  function self.machine(fields) return request("POST", "/sim/machines", fields).id end

  --- Inserts an action of somebody else's; its id.
  function self.action(fields) return request("POST", "/sim/actions", fields).id end

  --- Raises an alert; its id and that of its incident.
  function self.alert(fields)
    local raised = request("POST", "/sim/alerts", fields)
    return raised.id, raised.incidentId
  end

  --- Registers an application.
  function self.application(fields) request("POST", "/sim/applications", fields) end

  --- Changes how the tenant behaves.
  function self.set(settings) request("POST", "/sim/settings", settings) end

  --- Puts the tenant's clock forward.
  function self.advance(seconds) request("POST", "/sim/clock", { advance = seconds }) end

  --- Takes back all tokens that were issued until now.
  function self.revoke() request("POST", "/sim/revoke", {}) end

  --- Back to birth.
  function self.reset() request("POST", "/sim/reset") end

  --- A client of this tenant; by libcurl, if the options name no `driver`.
  ---@param more table? further options
  ---@return mde.Client
  function self.client(more)
    local settings = { tenant_id = env.AZURE_TENANT_ID, client_id = env.AZURE_CLIENT_ID,
      credential = env.AZURE_CLIENT_SECRET, authority = env.AZURE_AUTHORITY_HOST, base_url = env.MDE_BASE_URL,
      graph_url = env.MDE_GRAPH_URL, graph_scope = env.MDE_GRAPH_SCOPE }
    for name, value in pairs(more or {}) do settings[name] = value end
    if not settings.driver then settings.ca_file, settings.proxy = env.SSL_CERT_FILE, "" end
    return assert(require("mde").client(settings))
  end

  return self
end

return controls
