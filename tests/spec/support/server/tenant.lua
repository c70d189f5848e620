-- Starts a simulated tenant as a process of its own, for tests that want real TLS, and controls it.
--
--   local tenant = require("tests.spec.support.server.tenant").start { certificate = "expired" }
--   ... tenant.base_url, tenant.env, tenant.ca_file, tenant.pid
--   tenant.fault { fault = "gone", match = { method = "POST" } }    -- see control.lua
--   local client = tenant.client { cap = false }
--   tenant.stop()
--
-- Control goes through a port of its own, which faults and bad certificates do not touch. How it compares text is in
-- MDE_TEST_COMPARISON, where no option says it.

local core = require "mde.core"
local controls = require "tests.spec.support.server.control"
local json = require "mde.sim.base.json"
local servers = require "tests.spec.support.process.server"
local shell = require "tests.spec.support.process.shell"
local sim = require "mde.sim"

local tenants = {}

-- The default ids and secret, so that a search for planted secrets knows them.
local function plant_identity(directory)
  local template = sim.new { machines = {} }
  shell.write_file(directory .. "/tenant.json", json.encode { tenant_id = template.tenant_id,
    client_id = template.client_id, client_secret = template.client_secret })
  return template
end

local switches = { certificate = "--certificate", tls = "--tls", latency = "--latency", duplicates = "--duplicates",
  action_seconds = "--action-seconds", idle_seconds = "--idle-seconds", machines = "--machines", seed = "--seed",
  fixture = "--fixture", comparison = "--comparison" }

local function command_of(directory, options)
  local words = { "lua5.4", "lua/mde/cli/mde.lua", "sim", "--port", "0", "--control-port", "0", "--identity-port", "0",
    "--arc-directory", directory, "--dir", directory }
  local function add(...)
    for _, word in ipairs { ... } do
      words[#words + 1] = type(word) == "number" and core.number.write(word) or tostring(word)
    end
  end
  for _, argument in ipairs(options) do add(argument) end
  local comparison = os.getenv "MDE_TEST_COMPARISON"
  if comparison and not options.comparison then add("--comparison", comparison) end
  for name, value in pairs(options) do
    if name == "fixture" and type(value) == "table" then
      shell.write_file(directory .. "/fixture.json", json.encode(value))
      add("--fixture", directory .. "/fixture.json")
    elseif switches[name] then
      add(switches[name], value)
    elseif name == "limits" then
      if not value then add "--no-limits" end
    elseif type(name) ~= "number" then
      error(("a tenant has no option '%s'"):format(tostring(name)), 3)
    end
  end
  return words
end

---@class tests.Tenant: tests.Control
---@field base_url string
---@field control_url string where it takes the simulator's own requests
---@field ca_file string
---@field identity_url string where the endpoints of managed identities are, over plain http
---@field directory string
---@field pid integer
---@field client_secret string

--- Starts a tenant. Options: `certificate`, `tls`, `latency`, `duplicates`, `comparison`, `action_seconds`,
--- `idle_seconds`, `limits = false`, `fixture` (a file, or what is in it as a table); list items are further arguments
--- of `mde sim`.
---@param options table?
---@return tests.Tenant
function tenants.start(options)
  local directory = shell.new_directory()
  local template = plant_identity(directory)
  local server = servers.start { command = command_of(directory, options or {}), place = directory, lines = 3,
    environment = shell.lua_environment() }
  local base_url = assert(server.lines[1]:match "^https://%S+")
  local control_url = assert(server.lines[2]:match "^https://%S+")
  local identity_url = assert(server.lines[3]:match "^http://%S+")
  local ca_file = directory .. "/ca.pem"
  local driver = require("mde.driver.curl").new { ca_file = ca_file, proxy = "" }
  -- By its address, so that libcurl starts no thread to look a name up: the leak sanitizer crashes over a process that
  -- ends while such a thread does.
  local control_address = control_url:gsub("localhost", "127.0.0.1")
  local self = controls.new(controls.request(driver.send, control_address), template:env(base_url, ca_file))
  self.base_url, self.control_url, self.identity_url = base_url, control_url, identity_url
  self.ca_file, self.directory, self.pid = ca_file, directory, server.pid
  self.client_secret = template.client_secret

  --- The environment that points a client at a managed identity of this tenant: "imds", "app_service" or "arc".
  function self.identity_env(source) return template:identity_env(source, identity_url) end

  --- What it wrote to its standard error.
  self.errors = server.errors

  --- Ends the process and removes its directory.
  function self.stop()
    driver.close()
    server.stop()
  end

  return self
end

return tenants
