-- Worlds for the table of faults: a simulated tenant over TLS, and mde.driver.curl or a real nginx.

local axes = require "tests.fault.outcomes.axes"
local controls = require "tests.spec.support.server.control"
local tenants = require "tests.spec.support.server.tenant"

local worlds = {}

--- Starts the tenant, with the two machines that the rows are about.
---@param options table? of tests.spec.support.server.tenant
---@return tests.tenant
function worlds.tenant(options)
  local given = { limits = false, fixture = {
    roles = { "Machine.Read.All", "Machine.RestrictExecution", "Machine.Isolate" },
    machines = { { id = axes.machine, computerDnsName = "row.corp.example" },
      { id = axes.other, computerDnsName = "other.corp.example" } } } }
  for name, value in pairs(options or {}) do given[name] = value end
  return tenants.start(given)
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
    control = controls.request(control.send, tenant.control_url, 50),
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
  local nameserver = require "tests.spec.support.server.nameserver"
  local nginx = require "tests.spec.support.server.nginx"
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
