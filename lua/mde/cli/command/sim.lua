-- mde sim: serves a simulated tenant over HTTPS on localhost.

local core = require "mde.core"
local output = require "mde.cli.ui.output"

local M = {
  name = "sim",
  summary = "Serve a simulated tenant, to rehearse in.",
  needs_no_client = true,
  has_plain_process = true,
  examples = {
    { "mde sim", "serves https://localhost:8443 until Ctrl-C" },
    { 'eval "$(mde sim --print-env)"', "in another shell: points a client at it" },
  },
}

local default_port = 8443

local function number(text)
  local value = core.number.read(text)
  if not value or value < 0 then
    return nil, ("'%s' is not a number of 0 or more"):format(text)
  end
  return value
end

local function count(text)
  local value = text:find "^%d+$" and core.number.read(text)
  if not value or value > 1000000 then return nil, ("'%s' is not a number of up to 1000000"):format(text) end
  return value
end

local function port(text)
  local value = text:find "^%d+$" and core.number.read(text)
  if not value or value > 65535 then return nil, ("'%s' is not a port"):format(text) end
  return value
end

--- Declares the options.
---@param command table of argparse
function M.configure(command)
  command:option("--port", ("Port on localhost; 0 for any that is free (default %d)."):format(default_port))
    :convert(port):overwrite(false)
  command:option("--dir", "Where the tenant's keys, ids and secret are kept "
    .. "(default $XDG_STATE_HOME/mde/sim or ~/.local/state/mde/sim)."):argname "<directory>":overwrite(false)
  command:flag("--print-env", "Print the environment that points a client at the tenant, for eval, and exit.")
  command:option("--machines", "How many machines there are (default 200)."):convert(count):overwrite(false)
  command:option("--seed", "Another number makes other machines (default 1)."):convert(count):overwrite(false)
  command:option("--story", "An intrusion of five devices, told in alerts: all of it has happened, or, with live, it "
    .. "happens over the next 40 minutes (default past).")
    :args "?":choices { "past", "live" }:overwrite(false)
  command:option("--fixture", "A file with machines, actions and settings of your own, as a table of Lua or as JSON.")
    :argname "<file>":overwrite(false)
  command:option("--role", "A role of the application, in place of Machine.Read.All and Machine.RestrictExecution.")
    :count "*"
  command:option("--graph-role", "A role of the application for Microsoft Graph, SecurityAlert.Read.All say (default "
    .. "none)."):count "*"
  command:option("--latency", "Seconds that each request takes."):convert(number):default "0":overwrite(false)
  command:option("--idle-seconds", "Seconds after which an idle connection is closed (default 65).")
    :convert(number):default "65":overwrite(false)
  command:option("--action-seconds", "Seconds from an action's creation to its end (default 1.5)."):convert(number)
    :overwrite(false)
  command:option("--duplicates", "What a second action of a kind that is pending gets (default active_request, an "
    .. "error 400).")
    :choices { "active_request", "in_progress", "pending", "new" }:overwrite(false)
  command:option("--repeated-isolation", "Whether isolating a machine that is isolated already succeeds, or sticks in "
    .. "Pending (default succeeds).")
    :choices { "succeeds", "sticks" }:overwrite(false)
  command:option("--bulk-tags", "What one unknown id among many does to a change of tags: nothing is tagged, it is "
    .. "skipped, or it stops there (default refuse_all).")
    :choices { "refuse_all", "skip", "stop" }:overwrite(false)
  command:option("--package-uri", "Whether the link to a package stands in quotes of its own (default quoted).")
    :choices { "quoted", "plain" }:overwrite(false)
  command:option("--comparison", "Whether filters compare text with regard to case (default exact).")
    :choices { "exact", "caseless" }:overwrite(false)
  command:flag("--no-limits", "Do not count calls.")
  command:option("--offline", "A machine, by name, that takes no action up."):count "*"
  command:option("--certificate", "The server's certificate.")
    :choices { "valid", "wrong-host", "expired", "self-signed", "unknown-ca" }:default "valid":overwrite(false)
  command:option("--tls", "The newest version of TLS that the server speaks."):choices { "1.1" }:overwrite(false)
  command:option("--control-port", "A second port for the simulator's own requests alone, always with a valid "
    .. "certificate and out of the faults' reach; 0 for any that is free."):convert(port):overwrite(false)
  command:option("--identity-port", "A port on which the endpoints of managed identities are served over plain http; 0 "
    .. "for any that is free."):convert(port):overwrite(false)
  command:option("--arc-directory", "Where the endpoint of Azure Arc puts its key files."):argname "<directory>"
    :overwrite(false)
  command:flag("--until-eof", "Stop also when standard input ends.")
end

local function fail(message)
  io.stderr:write("mde sim: ", message, "\n")
  return 1
end

-- Without these the command cannot run: each module, and what to do about it.
local needed = {
  { "cqueues", "install lua-cqueues" }, { "openssl", "install lua-luaossl" }, { "cjson", "install lua-cjson" },
  { "mde.core", "build mde, and name its directory in LUA_CPATH" },
  { "mde.posix", "build mde, and name its directory in LUA_CPATH" },
}

local function missing_module()
  for _, one in ipairs(needed) do
    local ok, message = pcall(require, one[1])
    if not ok then return ("%s (%s)"):format(tostring(message):match "^[^\n]*":gsub(":$", ""), one[2]) end
  end
end

local function is_served(port_number)
  local socket = require "cqueues.socket"
  local probe = socket.connect { host = "127.0.0.1", port = port_number }
  probe:onerror(function(_, _, code) return code end)
  local connected = probe:connect(1)
  probe:close()
  return connected ~= nil and connected ~= false
end

local function base_url(port_number)
  return ("https://localhost:%d"):format(port_number)
end

local function print_environment(home, tenant, wanted_port)
  local quote = require("mde.sim.server.state_directory").quote
  local noted = not wanted_port and home:port()
  if noted and not is_served(noted) then noted = nil end
  local environment = tenant:env(base_url(wanted_port or noted or default_port), home.ca_file)
  local names = {}
  for name in pairs(environment) do names[#names + 1] = name end
  table.sort(names, core.text.before)
  for _, name in ipairs(names) do output.write(("export %s=%s\n"):format(name, quote(environment[name]))) end
  return 0
end

-- How to call this program again from a shell, for the line that tells about --print-env.
local function program()
  local quote = require("mde.sim.server.state_directory").quote
  local path = arg and arg[0] or "mde"
  return path:find "[^A-Za-z0-9_./+-]" and quote(path) or path
end

local function announce(home, port_number, control_port, identity_port)
  output.write(("%s serves a simulated tenant. To point a client at it: eval \"$(%s sim --print-env --dir %s)\"\n")
    :format(base_url(port_number), program(), require("mde.sim.server.state_directory").quote(home.directory)))
  if control_port then output.write(base_url(control_port) .. " takes the simulator's own requests.\n") end
  if identity_port then
    output.write(("http://127.0.0.1:%d has the endpoints of managed identities.\n"):format(identity_port))
  end
  output.flush()
end

local function set_offline(tenant, names)
  for _, name in ipairs(names) do
    local found = false
    for _, machine in ipairs(tenant.machines) do
      if machine.computerDnsName == name then
        tenant:put_machine { id = machine.id, offline = true }
        found = true
      end
    end
    if not found then return ("--offline: there is no machine '%s'"):format(name) end
  end
end

local function serve(home, tenant, arguments)
  local keys = require "mde.sim.server.certificates"
  local server = require("mde.sim.server.https").new(tenant, arguments.latency, arguments.idle_seconds)
  local port_number, control_port, identity_port, message
  port_number, message = server:open(arguments.port or default_port,
    keys.server_context(home.authority, arguments.certificate, arguments.tls))
  if not port_number then return fail(message) end
  if arguments.control_port then
    control_port, message = server:open(arguments.control_port, keys.server_context(home.authority), true)
    if not control_port then return fail(message) end
  end
  if arguments.identity_port then
    identity_port, message = server:open(arguments.identity_port, nil)
    if not identity_port then return fail(message) end
  end
  server:run {
    until_eof = arguments.until_eof,
    ready = function()
      home:set_port(port_number)
      announce(home, port_number, control_port, identity_port)
    end,
  }
  home:clear_port(port_number)
  return 0
end

-- What the arguments say of the tenant; what they leave out is as the fixture has it, or as usual.
local function options_of_tenant(home, arguments)
  local total = arguments.action_seconds
  local options = {
    clock = "real",
    tenant_id = home.identity.tenant_id,
    client_id = home.identity.client_id,
    client_secret = home.identity.client_secret,
    fixture = arguments.fixture,
    duplicates = arguments.duplicates,
    comparison = arguments.comparison,
    repeated_isolation = arguments.repeated_isolation,
    bulk_tags = arguments.bulk_tags,
    package_uri = arguments.package_uri,
    delays = total and { pending = total / 3, running = total - total / 3 },
  }
  if arguments.arc_directory then options.arc = { directory = arguments.arc_directory } end
  if arguments.story then
    options.story = { seed = arguments.seed, begins = arguments.story[1] == "live" and "0s ago" or nil }
  end
  if arguments.no_limits then options.limits = false end
  if arguments.role[1] then options.roles = arguments.role end
  if arguments.graph_role[1] then options.graph_roles = arguments.graph_role end
  if arguments.machines or arguments.seed then
    options.fleet = { count = arguments.machines, seed = arguments.seed }
  end
  return options
end

--- Runs the subcommand.
---@param context mde.cli.Context
---@return integer status
function M.run(context)
  local arguments = context.arguments
  local missing = missing_module()
  if missing then return fail(missing) end
  local homes = require "mde.sim.server.state_directory"
  local directory = arguments.dir or homes.default()
  if not directory then return fail "neither --dir, XDG_STATE_HOME nor HOME says where to keep the keys" end
  local ok, home = pcall(homes.open, directory)
  if not ok then return fail(home) end
  local tenant
  ok, tenant = pcall(require("mde.sim").new, options_of_tenant(home, arguments))
  if not ok then return fail(tostring(tenant)) end
  if arguments.print_env then return print_environment(home, tenant, arguments.port) end
  local problem = set_offline(tenant, arguments.offline)
  if problem then return fail(problem) end
  return serve(home, tenant, arguments)
end

return M
