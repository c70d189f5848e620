--- client: one application in one tenant: where its settings come from and what it can do.
--
-- Settings are options, or else the environment variables that every Azure SDK reads (settings.lua). A wrong option
-- raises; a wrong environment is an error that is returned. One file, although a long one: each function is a contract
-- and a line or two that hand it on.

local about_details = require "mde.details"
local about_indicators = require "mde.indicators"
local action_metatables = require "mde.action"
local alerts = require "mde.alerts"
local arguments = require "mde.action.change.arguments"
local authorities = require "mde.driver.ca_bundle"
local cap_limits = require "mde.action.cap"
local caps = require "mde.action.caps"
local centers = require "mde.action.action_center"
local changes = require "mde.action.change"
local contexts = require "mde.sync.context"
local core = require "mde.core"
local device_values = require "mde.device.value"
local devices = require "mde.device.device"
local doctor = require "mde.doctor"
local errors = require "mde.base.error"
local exchanges = require "mde.api.exchange"
local expiries = require "mde.action.expiry"
local guards = require "mde.action.guard"
local held = require "mde.action.held"
local hunts = require "mde.hunting.hunt"
local incidents = require "mde.action.incident"
local interruptible = require "mde.sync.interruptible"
local inventories = require "mde.device.inventory"
local job_pool = require "mde.sync.job_pool"
local limits_of = require "mde.limits"
local lookup = require "mde.action.lookup"
local machine_metatables = require "mde.machine"
local methods = require "mde.base.method"
local options_of = require "mde.base.options"
local other_change = require "mde.other_change"
local packages = require "mde.action.package"
local proxies = require "mde.base.proxy"
local reports = require "mde.action.report"
local responses = require "mde.action.response"
local selection = require "mde.selection"
local settings_of = require "mde.settings"
local state = require "mde.action.state"
local foreign_hosts = require "mde.foreign_host"
local tags = require "mde.device.tag"
local tags_of_many = require "mde.device.tag_many"
local tasks = require "mde.task"
local traces = require "mde.base.trace"
local variables = require "mde.base.environment"
local wait = require "mde.action.wait"
local watches = require "mde.watch"

local READ_SECONDS, RESOLVE_SECONDS = 300, 300

local M = { VERSION = "0.1.0" }

local known_options = {
  tenant_id = "text", client_id = "text", credential = "any", cloud = "text", authority = "text",
  base_url = "text", scope = "text", graph_url = "text", graph_scope = "text", ca_file = "text", proxy = "text",
  driver = "object", store = "any", timeout = "seconds", on_event = "callback", protect = "any", cap = "any",
  limits = "any", reserve = "any",
}

---@class mde.ClientOptions
---@field tenant_id? string AZURE_TENANT_ID: the tenant's GUID or verified domain
---@field client_id? string AZURE_CLIENT_ID: the application's GUID; of a managed identity, its own
---@field credential? string|mde.Credential|mde.TokenGiver the client secret's value, a credential (see credential.md)
--- or a function that gets tokens; by default what the environment describes
---@field cloud? "commercial"|"gcc"|"gcc_high"|"dod" MDE_CLOUD
---@field authority? string AZURE_AUTHORITY_HOST: where to sign in
---@field base_url? string MDE_BASE_URL: the service, a geographic host say
---@field scope? string MDE_SCOPE: what the token is asked for
---@field graph_url? string MDE_GRAPH_URL: Microsoft Graph, without /v1.0; default the cloud's, if the service and the
--- place to sign in are Microsoft's
---@field graph_scope? string MDE_GRAPH_SCOPE: what its token is asked for
---@field ca_file? string SSL_CERT_FILE: the certificates to trust, in one PEM file; without it also SSL_CERT_DIR
---@field proxy? string https_proxy: the proxy's URL, user and password percent-encoded
---@field driver? mde.Driver what carries the bytes; by default libcurl, in nginx its own sockets (driver/driver.md)
---@field store? string|table MDE_STORE: what processes share: limits, cap and turns, and in memory the token; a file's
--- path, `ngx.shared.NAME`, or see store.lua
---@field timeout? number seconds for each call, counting everything
---@field protect? mde.Protect which machines no restrict may touch; see guard.md
---@field cap? number|false|table<string, number|false> how many restricts an hour, how many isolates, how many
--- contains, and how many quarantines of one file; default 25 each; false or math.huge for no cap, 0 for none at all; a
--- table for one each: { restrict = 100, isolate = 10 }
---@field limits? false|{ per_minute?: integer, per_hour?: integer } how many calls of each API the service allows this
--- application, default 100 and 1500; false: they are not counted
---@field reserve? integer of these, so many that `each` leaves to releases and single calls; default 0
---@field on_event? fun(event: table) is told of every request, response and retry, redacted, and of each state change
--- of a change (mde.ChangeEvent); mde.audit.ocsf makes lines for a SIEM of those

--- A response action: its `outcome` is "accepted" or "already_active".
---@alias mde.Act
---| fun(self: mde.Client, device: mde.Device, comment: string, options?: mde.ChangeOptions): mde.Action?, mde.Error?

---@class mde.Client
---@field exchange mde.Exchange
---@field driver mde.Driver
---@field inventory mde.Inventory
---@field action_center mde.ActionCenter
---@field private timeout? number
---@field private guard mde.Guard
---@field caps mde.Caps how many were sent
---@field private changes mde.Changes
---@field private tasks mde.Tasks
---@field private warned? boolean that a call held up the program's event loop
---@field isolate mde.Act cuts a device off the network, but for the service. `isolation_type`: "Full" or "Selective"
---@field unisolate mde.Act lets it onto the network again
---@field contain mde.Act has the onboarded devices block one that is not onboarded
---@field uncontain mde.Act has them talk to it again
---@field scan mde.Act has Defender Antivirus scan a device. `scan_type`: "Quick" or "Full"
---@field quarantine mde.Act stops a file's processes and puts the file into quarantine. `sha1`: which
---@field collect mde.Act collects the investigation package of a device
local Client = { __name = "mde.client" }
Client.__index = Client

local function default_driver(options)
  if settings_of.nginx() then return require "mde.driver.resty".new { proxy = options.proxy } end
  return require "mde.driver.curl".new { ca_file = options.ca_file, proxy = options.proxy }
end

local function check_driver(driver)
  if type(driver.send) ~= "function" then
    errors.invalid("driver_incomplete",
      "option \"driver\" has no function send", "driver/driver.md says what a driver is.")
  end
  if (driver.spawn == nil) ~= (driver.gate == nil) then
    errors.invalid("driver_incomplete", "option \"driver\" has one of spawn and gate but not the other",
      "driver/driver.md says what a driver is.")
  end
  if driver.detach ~= nil and driver.gate == nil then
    errors.invalid("driver_incomplete",
      "option \"driver\" has detach but no gate", "driver/driver.md says what a driver is.")
  end
  return driver
end

-- Plain Lua 5.1 makes single calls: its pcall cannot be waited in, so tasks are of no use there.
local function without_tasks(driver)
  return { name = driver.name, configured_in = driver.configured_in, proxy = driver.proxy,
    authorities = driver.authorities, send = driver.send, now = driver.now, sleep = driver.sleep }
end

local function user_agent()
  local host = rawget(_G, "jit") and "LuaJIT" or _VERSION
  return ("mde/%s (%s)"):format(M.VERSION, host)
end

--- A client. Raises for a wrong option; returns nil and an error for a wrong or missing environment variable.
---@param options? mde.ClientOptions
---@return mde.Client? client
---@return mde.Error? err
function M.new(options)
  if type(options) == "table" and options.client_secret ~= nil then
    errors.invalid("unknown_option",
      "mde.client has no option \"client_secret\"", "Give the secret's value as \"credential\".")
  end
  options = options_of.check(options, known_options, "mde.client")
  local settings = settings_of.of_options(options)
  if options.ca_file then authorities.check(options.ca_file, "option \"ca_file\"") end
  if options.proxy and options.proxy ~= "" then proxies.read(options.proxy, proxies.OPTION) end
  for _, name in ipairs { "ca_file", "proxy" } do
    if options[name] and options.driver then
      errors.invalid("option_without_effect", ("option %q has no effect beside the option \"driver\""):format(name),
        "Give it to what makes the driver: require \"mde.driver.curl\".new { ... }, say.")
    end
  end
  if options.ca_file and settings_of.nginx() then
    errors.invalid("option_without_effect", "option \"ca_file\" has no effect in nginx",
      "Name the file in nginx.conf: lua_ssl_trusted_certificate.")
  end
  local guard, limits = guards.new(options.protect), cap_limits.check(options.cap)
  settings.windows, settings.reserve = limits_of.check(options.limits, options.reserve)
  settings.api_windows = limits_of.of_apis(settings.windows)
  local driver = options.driver and check_driver(options.driver)
  local ok, problem = errors.try(settings_of.complete, settings)
  if ok and not driver then
    ok, problem = errors.try(default_driver, options)
    driver = problem
  end
  if not ok then return nil, problem end
  if _VERSION == "Lua 5.1" and not rawget(_G, "jit") then driver = without_tasks(driver) end
  settings.driver = driver
  settings.user_agent = user_agent()
  settings.trace = traces.new(options.on_event, function() return settings.credential:secrets() end)
  local exchange = exchanges.new(settings)
  local client = setmetatable({ exchange = exchange, driver = driver, timeout = options.timeout, guard = guard,
    tasks = tasks.new() }, Client)
  client.inventory = inventories.new(exchange, driver, machine_metatables.metatable(client))
  client.action_center = centers.new(exchange, driver, action_metatables.metatable(client))
  client.caps = caps.new(limits, exchange, driver)
  client.changes = changes.new { center = client.action_center, inventory = client.inventory, guard = guard,
    caps = client.caps }
  return client
end

function Client:__tostring()
  return ("mde.client: %s"):format(self.exchange.base_url)
end

--- What is not as it should be with the credential, one line each: others may read its file, it ends soon; a host that
--- is not Microsoft's receives it or the token, and which setting says so; and what of the environment has no effect.
---@return string[]
function Client:remarks()
  local credential = self.exchange.credential
  local list = credential.remarks and credential:remarks() or {}
  for _, remark in ipairs(foreign_hosts.remarks(self.exchange)) do list[#list + 1] = remark end
  for _, name in ipairs { "SSL_CERT_FILE", "SSL_CERT_DIR" } do
    if self.driver.configured_in and variables.get(name) then
      list[#list + 1] = ("%s has no effect here: %s names the certificates to trust"):format(name,
        self.driver.configured_in)
    end
  end
  return list
end

-- A call that blocks does what it is asked to, since a device has to be contained wherever the caller stands; but the
-- first one that stops a running event loop with it is told.
local function warn_of_blocking(client)
  local holds_up = not client.warned and client.driver.holds_up
  local instead = holds_up and holds_up()
  if not instead then return end
  client.warned = true
  local where = errors.calling_line()
  client.exchange.trace:tell { event = "warning", code = "loop_held_up", where = where,
    message = ("a call%s blocks the event loop until it has ended, with the program's timers and sockets; %s"):format(
      where and " at " .. errors.show(where) or "", instead) }
end

--- What every call begins with, and passes down: when it must have ended, how urgent it is, and what it shares with
--- others.
---@param timeout? number seconds for everything; default the client's
---@param verb? string what releases a device goes first
---@return mde.Context
function Client:context(timeout, verb)
  warn_of_blocking(self)
  local cache = self.tasks:cache()
  local priority = verb and responses.releases(verb) and contexts.RELEASE or cache and contexts.MANY or contexts.SINGLE
  return contexts.new(self.exchange.now, timeout or self.timeout, priority, cache)
end

-- The context of a call that has no option but its timeout.
local function timed(client, options, name)
  return client:context(options_of.check(options, { timeout = "seconds" }, name).timeout)
end

-- Makes an action of a device.
local function change(client, verb, device, comment, options)
  options = options_of.check(options, arguments.known_options(verb), "mde." .. verb)
  return client.changes:make(verb, device, comment, options, client:context(options.timeout, verb))
end

--- Lets a device run only code signed by Microsoft.
---@param device mde.Device
---@param comment string why; recorded in the service
---@param options? mde.ChangeOptions
---@return mde.Action? action its `outcome` is "accepted" or "already_active"
---@return mde.Error? err
function Client:restrict(device, comment, options)
  return change(self, "restrict", device, comment, options)
end

--- Takes the restriction back.
---@param device mde.Device
---@param comment string why; recorded in the service
---@param options? mde.ChangeOptions
---@return mde.Action? action
---@return mde.Error? err
function Client:release(device, comment, options)
  return change(self, "release", device, comment, options)
end

for _, verb in ipairs(responses.verbs) do
  Client[verb] = Client[verb] or function(self, device, comment, options)
    return change(self, verb, device, comment, options)
  end
end

--- The service has retired it: nothing is sent, and the error says what to do.
function M.start_investigation()
  errors.invalid("retired", "mde.start_investigation: the service has retired this on 1 September 2026, in all clouds",
    'Its documentation names a full antivirus scan instead: mde.scan(device, comment, { scan_type = "Full" }).')
end

Client.start_investigation = M.start_investigation

--- The link to an investigation package. It holds for a short time, and is fetched without the token: who has it
--- can read the package.
---@param action mde.Action|string a collection that has succeeded, or its id
---@param options? { timeout?: number }
---@return string? url
---@return mde.Error? err
function Client:package_link(action, options)
  return packages.link(self.action_center, action, timed(self, options, "mde.package_link"))
end

--- Tells those who watch that a device is left as it is, by a caller that knows already what a call would come to.
---@param verb string
---@param device mde.Device
---@param comment string
---@param options mde.ChangeOptions checked before: its incident, and its scope or file
---@param action? mde.Action by which it is so already
---@param err? mde.Error or else why it is left
function Client:tell_left(verb, device, comment, options, action, err)
  self.changes:tell_left(verb, device, comment, options, action, err)
end

--- Reads the record of a device, again if a machine is given. `{ ip = "10.1.2.3", at = time }` is the device that had
--- the address then, in the last 30 days.
---@param device mde.Device|{ ip: string, at: mde.Time }
---@param options? { timeout?: number }
---@return mde.Machine? machine
---@return mde.Error? err
function Client:machine(device, options)
  local context = timed(self, options, "mde.machine"):within(READ_SECONDS)
  local shown = devices.shown(device)
  local machine, err, max_age
  if type(device) == "table" and device.id == nil and (device.ip ~= nil or device.at ~= nil) then
    machine, err = self.inventory:find_owner(device, context)
  else
    if type(device) == "table" then
      local kind, id = devices.check(device)
      if kind == "machine" then device, max_age = id, 0 end
    end
    machine, err = self.inventory:resolve(device, context, max_age)
  end
  if not machine then return nil, errors.about(err, "machine " .. shown) end
  return machine
end

--- Finds the machines that many devices mean, with a handful of requests: a few are asked for together, for more the
--- tenant's machines are read once. What cannot name a device is an error of that one.
---@param list mde.Device[]
---@param options? { timeout?: number } seconds for all, default 300
---@return mde.Results results in the order of the list: `value` the machine, or `err`
function Client:resolve(list, options)
  if type(list) ~= "table" or list.id ~= nil then
    errors.invalid("wrong_type", ("mde.resolve needs a list of devices, not %s"):format(
      type(list) == "table" and "one machine" or errors.got(list)), "Write mde.resolve { device }.")
  end
  options_of.check_list(list, "mde.resolve")
  local results = self.inventory:resolve_many(list, timed(self, options, "mde.resolve"):within(RESOLVE_SECONDS))
  for _, result in ipairs(results) do
    if result.err then result.err = errors.about(result.err, "machine " .. devices.shown(result.item)) end
  end
  return results
end

--- The machines that a query selects, one after the other, however many there are.
---@param query mde.Query a table, a text of OData, or "all"; see query.lua
---@param options? mde.SelectionOptions
---@return fun(): mde.Machine? next_machine raises the error if a page cannot be read
function Client:machines(query, options)
  return selection.machines(self, query, options)
end

--- The actions that a query selects, of every type.
---@param query mde.Query
---@param options? mde.SelectionOptions
---@return fun(): mde.Action? next_action raises the error if a page cannot be read
function Client:actions(query, options)
  return selection.actions(self, query, options)
end

--- Asks a query of advanced hunting in KQL, and hands out its rows; see hunting/hunting.md. Raises the error if it has
--- no answer.
---@param query string
---@param options? mde.HuntOptions
---@return mde.Hunt hunt an iterator over the rows, with `schema`, `count` and `cut`
function Client:hunt(query, options)
  options = hunts.check(query, options)
  return hunts.run(self.exchange, query, options, self:context(options.timeout))
end

--- Reads one action by its id.
---@param id string|mde.Action
---@param options? { timeout?: number }
---@return mde.Action? action
---@return mde.Error? err
function Client:action(id, options)
  return lookup.read(self.action_center, id, timed(self, options, "mde.action"))
end

--- Cancels an action that is not final yet.
---@param action mde.Action|string
---@param comment string
---@param options? { timeout?: number }
---@return mde.Action? action
---@return mde.Error? err
function Client:cancel(action, comment, options)
  return other_change.make(self, { what = "cancel", subject = action, detail = comment }, function()
    if type(action) == "table" then return action end
    return self:action(action, options)
  end, function() return lookup.cancel(self.action_center, action, comment, timed(self, options, "mde.cancel")) end)
end

--- Asks the service whether an action of unknown fate exists, and how far it is.
---@param err mde.Error
---@param options? { timeout?: number }
---@return mde.Action? action
---@return mde.Error? problem
function Client:find_action(err, options)
  return lookup.find(self.action_center, err, timed(self, options, "mde.find_action"))
end

--- Whether a device is restricted; or isolated, with { of = "isolate" }; or both, by one list, with { of = "all" }.
---@param device mde.Device
---@param options? mde.StateOptions
---@return mde.StateName|mde.StatesOfAll|nil state
---@return mde.Action|mde.Error|nil action the action it rests on
function Client:state(device, options)
  options = options_of.check(options, state.known_options, "mde.state")
  return state.one(self.action_center, self.inventory, device, options, self:context(options.timeout))
end

--- The states of many devices, by one list of all actions.
---@param list mde.Device[]|fun(): mde.Device?
---@param options? mde.StateOptions
---@return mde.Results results of mde.StateResult, in the order of the list
function Client:states(list, options)
  options = options_of.check(options, state.known_options, "mde.states")
  return state.many(self.action_center, self.inventory, list, options, self:context(options.timeout))
end

--- Waits until many actions are final, with one list a round.
---@param list mde.Action[]
---@param options? mde.WaitOptions
---@return mde.Results results of each action "Succeeded", or an error, in the order of the list
function Client:wait(list, options)
  options = options_of.check(options, wait.known_options, "mde.wait")
  local seconds = options.timeout or wait.seconds(type(list) == "table" and list or {})
  return wait.many(self.action_center, list, seconds, options.on_progress, self:context(seconds))
end

--- The machines that incidents hold, and nobody else; those that others hold too are in its `shared`.
---@param options mde.RestrictedOptions
---@return mde.RestrictedList? machines
---@return mde.Error? err
function Client:restricted(options)
  options = options_of.check(options, incidents.known_options, "mde.restricted")
  return incidents.held_by(self.action_center, self.inventory, "restrict", options, "mde.restricted",
    self:context(options.timeout))
end

--- Everything by which incidents hold machines, restricted or isolated, each in the order in which it is taken back.
---@param options mde.HeldOptions
---@return mde.HeldList? machines
---@return mde.Error? err
function Client:held(options)
  options = options_of.check(options, held.known_options, "mde.held")
  return held.held(self.action_center, self.inventory, options, self:context(options.timeout))
end

--- The machines that are held by restrictions which have expired (`release_after`), and by nothing else; what something
--- else holds too is in its `shared`. Release each with `{ expired = true }`: then that is looked at once more.
---@param options? { timeout?: number }
---@return mde.RestrictedList? machines
---@return mde.Error? err
function Client:expired(options)
  options = options_of.check(options, expiries.known_options, "mde.expired")
  return expiries.expired(self.action_center, self.inventory, self:context(options.timeout))
end

--- What incidents did: every device that they restricted or released, when and by whom, and whether it is restricted
--- now. By the service's own history, in one list of all actions.
---@param options mde.ReportOptions
---@return mde.IncidentReport? report
---@return mde.Error? err
function Client:report(options)
  options = options_of.check(options, reports.known_options, "mde.report")
  return reports.read(self.action_center, options, self:context(options.timeout))
end

-- Tags one machine, or many with a request for every 500.
local function tag(client, verb, device, text, options)
  local what = "mde." .. verb
  local is_list = type(device) == "table" and getmetatable(device) == nil and device.id == nil
  local context = timed(client, options, what)
  if not is_list then
    return other_change.make(client, { what = verb, subject = device, detail = text },
      function() return client:machine(device, options) end,
      function() return tags.change(client.inventory, verb, device, text, context) end)
  end
  options_of.check_list(device, what)
  return other_change.make_many(client, device, function(item)
    return { what = verb, subject = item, detail = text }
  end, function() return client.inventory:resolve_many(device, context) end,
    function(items) return tags_of_many.change(client.inventory, verb, items, text, context) end)
end

--- Adds a tag to a machine, or to each of a list with one request for every 500. Needs the permission
--- Machine.ReadWrite.All.
---@param device mde.Device|mde.Device[]
---@param text string the tag
---@param options? { timeout?: number }
---@return mde.Machine|mde.Results|nil machine its record, as it is now; of a list the results, in its order
---@return mde.Error? err
function Client:tag(device, text, options)
  return tag(self, "tag", device, text, options)
end

--- Removes a tag from a machine, or from each of a list. Needs the permission Machine.ReadWrite.All.
---@param device mde.Device|mde.Device[]
---@param text string the tag
---@param options? { timeout?: number }
---@return mde.Machine|mde.Results|nil machine its record, as it is now; of a list the results, in its order
---@return mde.Error? err
function Client:untag(device, text, options)
  return tag(self, "untag", device, text, options)
end

--- Says what a machine is worth, which the guard asks. Needs the permission Machine.ReadWrite.All.
---@param device mde.Device
---@param value "Low"|"Normal"|"High"
---@param options? { timeout?: number }
---@return mde.Machine? machine its record, as it is now
---@return mde.Error? err
function Client:set_device_value(device, value, options)
  return other_change.make(self, { what = "set_device_value", subject = device, detail = value },
    function() return self:machine(device, options) end, function()
      return device_values.set(self.inventory, device, value, timed(self, options, "mde.set_device_value"))
    end)
end

--- Looks at settings, hosts, clock, token and permissions, and changes nothing; see doctor.md.
---@param options? { timeout?: number, graph?: boolean } seconds for all of it, default 60; true: Microsoft Graph, too
---@return mde.Report
function Client:doctor(options)
  options = options_of.check(options, { timeout = "seconds", graph = "flag" }, "mde.doctor")
  return doctor.examine(self, options.timeout, options.graph)
end

--- The rules of the guard that are in force, the cap among them.
---@return mde.Rule[]
function Client:rules()
  local names = self.guard:rule_names()
  if self.caps:has_limit() then names[#names + 1] = "cap" end
  return names
end

--- The service's time, as well as the answers so far tell it: what its records say, `lastSeen` for instance, is to be
--- compared with this and not with `os.time()`. Asks nothing; before the first answer it is this machine's time.
---@return number seconds Unix seconds
function Client:now()
  return self.exchange.clock:time()
end

--- What is left of the service's limits, without asking it: how many calls may go now, when the next may, and how long
--- so many more will take at the least.
---@param verb? string default restrict
---@param count? integer default 1
---@return mde.Peek
function Client:peek(verb, count)
  return self.exchange:peek(responses.api(limits_of.check_verb(verb, "mde.peek")), limits_of.check_count(count))
end

--- Calls fn(item) for many items, several at a time; see job_pool.lua. What it restricts and releases looks at one list
--- of the tenant's actions, which is extended at most once a minute, instead of one for each device; and the devices
--- that its calls look up are asked for together (device/lookups.lua).
---@param items any[]|fun(): any
---@param fn fun(item: any): any, any
---@param options? mde.EachOptions
---@return mde.Results
function Client:each(items, fn, options)
  warn_of_blocking(self)
  if type(fn) == "function" then
    fn = self.tasks:sharing(self.action_center, fn)
  end
  return job_pool.each(self.driver, items, fn, options)
end

--- What is left of the cap of a response in an hour, without asking for it.
---@param verb? string one that is counted, default restrict
---@param sha1? string of a quarantine: the file
---@return mde.CapState
function Client:cap(verb, sha1)
  verb = limits_of.check_verb(verb, "mde.cap")
  local response = core.response_actions[verb]
  if response.subject == "file" then sha1 = select(2, responses.body(verb, { sha1 = sha1 })) end
  local cap = response.is_capped and self.caps:of(verb, sha1)
  return cap and cap:state() or { limit = math.huge, remaining = math.huge }
end

--- Who else than an incident holds each device restricted (or isolated, with { of = "isolate" }): what a release for
--- that incident would end, too.
---@param list mde.Device[]|fun(): mde.Device?
---@param options? mde.HoldersOptions
---@return mde.Results results of mde.HoldersResult, in the order of the list
function Client:holders(list, options)
  options = options_of.check(options, state.holders_options, "mde.holders")
  return state.holders(self.action_center, self.inventory, list, options, self:context(options.timeout))
end

--- From now on a run decides which changes are carried out, and is told of each; mde.run does this. nil: no run. What
--- its plan has read a moment ago does not serve the run: while it was shown, somebody may have decided otherwise.
---@param session? mde.ChangeSession
function Client:attach(session)
  self.action_center.session = session
  if not session then return end
  self.action_center:expire()
  self.inventory:expire()
end

--- Finds out what came of a send whose answer this process never had; see change.lua. Nothing is sent.
---@param sent mde.SentBefore
---@return mde.Action? action
---@return mde.Error? err
---@return boolean? absent
function Client:find_out(sent)
  return self.changes:find_out(sent, self:context(nil, sent.verb))
end

--- Calls fn(), and asks is_interrupted() ten times a second while it waits: once that is true, fn is left where it is.
--- What was sent by then may be carried out all the same.
---@param fn fun(): any, any
---@param is_interrupted fun(): boolean?
---@return boolean finished false if fn was left
---@return any value what fn returned
---@return any err
function Client:interruptible(fn, is_interrupted)
  if type(fn) ~= "function" or type(is_interrupted) ~= "function" then
    errors.invalid("wrong_type", "mde.interruptible needs two functions: what to do, and whether to leave it")
  end
  local cache = self.tasks:cache()
  return interruptible.run(self.driver, cache and self.tasks:sharing(cache, fn) or fn, is_interrupted)
end

--- A watch: `watch:run()` hands each alert to a function once, over restarts, until `watch:stop()`; see watch/watch.md.
---@param options mde.WatchOptions
---@return mde.Watch
function Client:watcher(options)
  return watches.new(self, options)
end

--- Watches until it is stopped, or cannot go on.
---@param options mde.WatchOptions
---@return true? ended
---@return mde.Error? err
function Client:watch(options)
  return self:watcher(options):run()
end

for _, more in ipairs { about_details, about_indicators, alerts.methods } do
  for name, method in pairs(more) do Client[name] = method end
end

methods.check_object(Client, "client", Client, "exchange")
M.methods = Client

return M
