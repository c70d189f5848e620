-- Starts a simulated tenant as a process of its own, for tests that want real TLS, and controls it.
--
--   local tenant = require("tests.spec.support.tenant").start { certificate = "expired" }
--   ... tenant.base_url, tenant.env, tenant.ca_file, tenant.pid
--   tenant.stop()
--
-- Control goes through a port of its own, which faults and bad certificates do not touch. How it compares text, unless
-- told, is in MDE_TEST_COMPARISON.
local json = require "mde.sim.base.json"
local sim = require "mde.sim"

local tenants = {}

local function quote(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

local function read_file(path)
  local file = io.open(path, "rb")
  if not file then return "" end
  local text = file:read "*a"
  file:close()
  return text
end

local function new_directory()
  local pipe = assert(io.popen "mktemp -d")
  local directory = assert(pipe:read "*l", "no directory for a tenant could be made")
  pipe:close()
  return directory
end

-- The default ids and secret, so that a search for planted secrets knows them.
local function plant_identity(directory)
  local template = sim.new { machines = {} }
  local file = assert(io.open(directory .. "/tenant.json", "w"))
  file:write(json.encode { tenant_id = template.tenant_id, client_id = template.client_id,
    client_secret = template.client_secret })
  file:close()
  return template
end

local function command_line(directory, options)
  local words = { "--port", "0", "--control-port", "0", "--identity-port", "0", "--arc-directory", directory,
    "--until-eof", "--dir", directory }
  for _, argument in ipairs(options) do words[#words + 1] = argument end
  local comparison = os.getenv "MDE_TEST_COMPARISON"
  if comparison and not options.comparison then
    words[#words + 1] = "--comparison"
    words[#words + 1] = comparison
  end
  local switches = { certificate = "--certificate", tls = "--tls", latency = "--latency", duplicates = "--duplicates",
    action_seconds = "--action-seconds", idle_seconds = "--idle-seconds",
    machines = "--machines", seed = "--seed", fixture = "--fixture", comparison = "--comparison" }
  for name, value in pairs(options) do
    if switches[name] then
      words[#words + 1] = switches[name]
      words[#words + 1] = tostring(value)
    elseif name == "limits" then
      if not value then words[#words + 1] = "--no-limits" end
    elseif type(name) ~= "number" then
      error(("a tenant has no option '%s'"):format(tostring(name)), 3)
    end
  end
  for i, word in ipairs(words) do words[i] = quote(word) end
  local build = os.getenv "MDE_BUILD" or "./build"
  return ("echo $$ >%s/pid && LUA_PATH_5_4='./lua/?.lua;./lua/?/init.lua;;' "
    .. "LUA_CPATH_5_4=%s exec lua5.4 lua/mde/cli/mde.lua sim %s >%s/output 2>%s/errors")
    :format(directory, quote(build .. "/lua5.4/?.so;;"), table.concat(words, " "), directory, directory)
end

-- Runs the process; its standard input is a pipe that ends with this process, whatever becomes of it.
local function launch(directory, options)
  os.execute(("mkfifo %s/output"):format(directory))
  local input = assert(io.popen(command_line(directory, options), "w"))
  local output = assert(io.open(directory .. "/output", "r"))
  local first, second, third = output:read "*l", output:read "*l", output:read "*l"
  output:close()
  local base_url = first and first:match "^https://%S+"
  local control_url = second and second:match "^https://%S+"
  local identity_url = third and third:match "^http://%S+"
  if not base_url or not control_url or not identity_url then
    input:close()
    local errors = read_file(directory .. "/errors")
    os.execute("rm -rf " .. quote(directory))
    error("the simulated tenant did not start: " .. errors, 3)
  end
  return input, base_url, control_url, identity_url
end

---@class tests.tenant
---@field base_url string
---@field control_url string where it takes the simulator's own requests
---@field env table<string, string>
---@field ca_file string
---@field identity_url string where the endpoints of managed identities are, over plain http
---@field directory string
---@field pid integer
---@field client_secret string

--- Starts a tenant. Options: `certificate`, `tls`, `latency`, `duplicates`, `comparison`, `action_seconds`,
--- `idle_seconds`, `limits = false`; list items are further arguments of `mde sim`.
---@param options table?
---@return tests.tenant
function tenants.start(options)
  local directory = new_directory()
  local template = plant_identity(directory)
  local input, base_url, control_url, identity_url = launch(directory, options or {})
  local ca_file = directory .. "/ca.pem"
  local driver = require("mde.driver.curl").new { ca_file = ca_file, proxy = "" }
  -- By its address, so that libcurl starts no thread to look a name up: the leak sanitizer crashes over a process that
  -- ends while such a thread does.
  local control_address = control_url:gsub("localhost", "127.0.0.1")
  local self = {
    base_url = base_url, control_url = control_url, identity_url = identity_url,
    ca_file = ca_file, directory = directory,
    client_secret = template.client_secret,
    env = template:env(base_url, ca_file),
    pid = tonumber(read_file(directory .. "/pid")),
  }

  -- One of the simulator's own requests.
  local function control(method, path, body)
    local response, message = driver.send {
      method = method, url = control_address .. path, body = body and json.encode(body), timeout = 30,
      headers = body and { ["Content-Type"] = "application/json" } or {}, max_bytes = 1e8, max_idle = 5,
    }
    if not response then error("the simulated tenant cannot be controlled: " .. message, 3) end
    local value = json.decode(response.body)
    if response.status ~= 200 then error(tostring(value and value.message or response.status), 3) end
    return value
  end

  --- What the tenant really did; of one kind of event if told.
  function self.history(event)
    local all = control("GET", "/sim/history").history
    if not event then return all end
    local some = {}
    for _, entry in ipairs(all) do
      if entry.event == event then some[#some + 1] = entry end
    end
    return some
  end

  --- Adds a rule of what goes wrong (see mde/sim/faults.lua).
  function self.fault(rule) control("POST", "/sim/faults", rule) end

  --- The rules, with how often each was seen and applied.
  function self.faults() return control("GET", "/sim/faults").faults end

  --- Forgets all rules.
  function self.clear() control("DELETE", "/sim/faults") end

  --- Adds or changes a machine; its id.
  function self.machine(fields) return control("POST", "/sim/machines", fields).id end

  --- Inserts an action of somebody else's; its id.
  function self.action(fields) return control("POST", "/sim/actions", fields).id end

  --- Registers an application.
  function self.application(fields) control("POST", "/sim/applications", fields) end

  --- Changes how the tenant behaves.
  function self.set(settings) control("POST", "/sim/settings", settings) end

  --- Puts the tenant's clock forward.
  function self.advance(seconds) control("POST", "/sim/clock", { advance = seconds }) end

  --- The environment that points a client at a managed identity of this tenant: "imds", "app_service" or "arc".
  function self.identity_env(source) return template:identity_env(source, identity_url) end

  --- Takes back all tokens that were issued until now.
  function self.revoke() control("POST", "/sim/revoke", {}) end

  --- Back to birth.
  function self.reset() control("POST", "/sim/reset") end

  --- What it wrote to its standard error.
  function self.errors() return read_file(directory .. "/errors") end

  --- Ends the process and removes its directory.
  function self.stop()
    if not input then return end
    driver.close()
    os.execute(("kill %d 2>/dev/null"):format(self.pid))
    input:close()
    input = nil
    os.execute("rm -rf " .. quote(directory))
  end

  return self
end

return tenants
