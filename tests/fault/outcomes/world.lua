-- Worlds for the table of faults: a simulated tenant over TLS, and mde.driver.curl or a real nginx.

local axes = require "tests.fault.outcomes.axes"
local shell = require "tests.spec.support.shell"
local tenants = require "tests.spec.support.tenant"
local json = require "mde.sim.base.json"

local worlds = {}

--- Starts the tenant, with the two machines that the rows are about.
---@param options table? of tests.spec.support.tenant
---@return tests.tenant
function worlds.tenant(options)
  local path = os.tmpname()
  local fixture = path .. ".json"
  shell.write_file(fixture, json.encode { machines = { { id = axes.machine, computerDnsName = "row.corp.example" },
    { id = axes.other, computerDnsName = "other.corp.example" } } })
  local given = { limits = false, fixture = fixture }
  for name, value in pairs(options or {}) do given[name] = value end
  local tenant = tenants.start(given)
  os.remove(fixture)
  os.remove(path)
  return tenant
end

--- Starts a world; `stop` ends it.
---@param name? "curl"|"cqueues" the driver, "curl" unless told
---@return tests.outcomes.World
function worlds.start(name)
  local tenant = worlds.tenant()
  local driver = require("mde.driver." .. (name or "curl")).new { ca_file = tenant.ca_file, proxy = "" }
  local control = require("mde.driver.curl").new { ca_file = tenant.ca_file, proxy = "" }
  return {
    env = tenant.env, send = driver.send,
    control = function(method, path, body)
      local response, message = control.send {
        method = method, url = tenant.control_url .. path, body = body and json.encode(body), timeout = 30,
        headers = body and { ["Content-Type"] = "application/json" } or {}, max_bytes = 1e8, max_idle = 50,
      }
      if not response then error("the simulated tenant cannot be controlled: " .. message, 0) end
      local value = json.decode(response.body)
      if response.status ~= 200 then error(tostring(value and value.message or response.status), 0) end
      return value
    end,
    stop = function()
      driver.close()
      control.close()
      tenant.stop()
    end,
  }
end

--- Starts a tenant and an nginx that plays the rows for whoever asks it (tests/hosts/nginx/table.lua).
---@return { get: (fun(path: string): string?), stop: fun() }
function worlds.start_nginx()
  local nameserver = require "tests.spec.support.nameserver"
  local nginx = require "tests.spec.support.nginx"
  local tenant, names = worlds.tenant(), nameserver.start()
  local environment = { MDE_CONTROL_URL = tenant.control_url }
  for name, value in pairs(tenant.env) do environment[name] = value end
  local server = nginx.start {
    ca_file = tenant.ca_file, resolver = names.address, environment = environment,
    locations = 'location / { content_by_lua_block { require("tests.hosts.nginx.table").answer() } }',
  }
  return {
    get = function(path) return (server.get(path, 290)) end,
    stop = function()
      server.stop()
      names.stop()
      tenant.stop()
    end,
  }
end

return worlds
