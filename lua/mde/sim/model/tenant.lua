-- The model of a tenant: its machines, the actions on them and how those go on, its applications, and the history
-- of what really happened. It knows neither HTTP nor the wire; time and randomness come from outside.
--
-- The file is long because it is one model: machines, actions and history change together, at one clock.
local application = require "mde.sim.identity.application"
local clock = require "mde.sim.model.clock"
local clouds = require "mde.base.cloud"
local core = require "mde.core"
local validation = require "mde.sim.base.validation"
local encoding = require "mde.sim.base.encoding"
local fixture = require "mde.sim.model.fixture"
local fleet = require "mde.sim.model.fleet"
local json = require "mde.sim.base.json"
local limits = require "mde.sim.model.limits"
local lists = require "mde.sim.odata.lists"
local roles = require "mde.sim.identity.roles"
local schema = require "mde.sim.odata.schema"
local time = require "mde.sim.base.time"

---@class mde.sim.tenant
---@field tenant_id string
---@field client_id string
---@field client_secret string
---@field history table[] what it really did, oldest first; `at` is the time, `event` the kind
local tenant = {}
tenant.__index = tenant

local final = { Succeeded = true, Failed = true, TimeOut = true, Cancelled = true }

local comparisons = { exact = true, caseless = true }

local ways_with_duplicates = { pending = true, active_request = true, in_progress = true, new = true }

local function system_random(count)
  local source = assert(io.open("/dev/urandom", "rb"))
  local bytes = source:read(count)
  source:close()
  return bytes
end

-- A value that nobody else holds.
local function copy(value)
  if type(value) ~= "table" then return value end
  local same = {}
  for name, member in pairs(value) do same[name] = copy(member) end
  return same
end

---- settings

local settings = {}

local function is_duration(value) return type(value) == "number" and value >= 0 and value < math.huge end

function settings.lifetime(self, value)
  if not is_duration(value) then error(validation.mismatch("lifetime", "a number of seconds", value), 0) end
  self.lifetime = value
end

function settings.delays(self, value)
  if type(value) ~= "table" then error(validation.mismatch("delays", "a table", value), 0) end
  local delays = { pending = self.delays.pending, running = self.delays.running }
  for name, seconds in pairs(value) do
    if not delays[name] then
      error(("delays: there is no '%s'; there are pending and running, in seconds"):format(tostring(name)), 0)
    elseif not is_duration(seconds) then
      error("delays: " .. validation.mismatch(name, "a number of seconds", seconds), 0)
    end
    delays[name] = seconds
  end
  self.delays = delays
end

function settings.duplicates(self, value)
  if not ways_with_duplicates[value] then
    error(validation.mismatch("duplicates", "one of active_request, in_progress, new, pending", value), 0)
  end
  self.duplicates = value
end

function settings.comparison(self, value)
  if not comparisons[value] then error(validation.mismatch("comparison", "one of caseless, exact", value), 0) end
  self.comparison = value
end

function settings.limits(self, value)
  if value == true then value = {} end
  self.limits = value and limits.new(value) or nil
end

function settings.comment_limit(self, value)
  if value and (type(value) ~= "number" or value < 1) then
    error(validation.mismatch("comment_limit", "a number of characters, or false", value), 0)
  end
  self.comment_limit = value or nil
end

local identity_fields = { client_id = "string", object_id = "string", resource_id = "string", roles = "table",
  system = "boolean" }

function settings.identities(self, value)
  local list = {}
  validation.for_each("identities", value, function(one)
    for name, field in pairs(one) do
      if not identity_fields[name] then error(validation.unknown("", name, identity_fields), 0) end
      if type(field) ~= identity_fields[name] then
        error(validation.mismatch(name, "a " .. identity_fields[name], field), 0)
      end
    end
    if not one.client_id then error("an identity needs a client_id", 0) end
    roles.check(one.roles or {})
    list[#list + 1] = copy(one)
  end)
  self.identities = list
end

function settings.arc(self, value)
  if type(value) ~= "table" then error(validation.mismatch("arc", "a table", value), 0) end
  self.arc = { directory = value.directory or self.arc and self.arc.directory, challenge = value.challenge, keys = {} }
end

function settings.app_header(self, value)
  if type(value) ~= "string" then error(validation.mismatch("app_header", "a text", value), 0) end
  self.app_header = value
end

function settings.completion(self, value)
  if value ~= "in_order" and value ~= "reversed" then
    error(validation.mismatch("completion", "in_order or reversed", value), 0)
  end
  self.completion = value
end

function settings.lists(self, value)
  self.lists = lists.settings(value, self.lists)
  self.is_listed = false
end

--- Changes how the tenant behaves from now on: `lifetime` of new tokens, `delays = { pending, running }` of actions,
--- `duplicates`, `comparison` (whether a filter compares texts with regard to case, "exact", or without, "caseless"),
--- `completion` (which action of a machine is carried out first: the oldest, "in_order", or the newest, "reversed"),
--- `limits` (a table, true for the service's, false for none), `comment_limit`, `lists` (see odata/lists.lua),
--- `identities`, `arc` and `app_header` (see identity/managed_identity.lua).
---@param changes table
function tenant:set(changes)
  for name, value in pairs(changes) do
    if not settings[name] then error(validation.unknown("setting ", name, settings), 0) end
    settings[name](self, value)
  end
end


---- birth

-- The identity of the machine on which the endpoints of managed identities seem to be, unless others are told.
local own_identity = "1d000000-0000-4000-8000-00000000001d"

local known_options = {
  machines = true, actions = true, fleet = true, fixture = true, clock = true, start = true, random = true,
  lifetime = true, limits = true, delays = true, duplicates = true, comment_limit = true, lists = true,
  applications = true, tenant_id = true, client_id = true, client_secret = true, roles = true, cloud = true,
  identities = true, arc = true, app_header = true, faults = true, completion = true, comparison = true,
}

--- Makes a tenant. All options may be left out:
--- `machines` (a list for `put_machine`; the fleet if absent), `fleet = { count, seed }` (how large the fleet is),
--- `actions` (a list for `insert_action`), `fixture` (a file with further options, see fixture.lua), `clock` and
--- `start` (see clock.lua), `random` (count -> bytes), `tenant_id`, `client_id`, `client_secret`, `roles` (the main
--- application), `applications` (a list for `put_application`), `cloud` (whose audiences it takes), `faults` (a list of
--- rules, see faults.lua), and everything that `set` takes.
---@param options table?
---@return mde.sim.tenant
function tenant.new(options)
  options = options or {}
  for name in pairs(options) do
    if not known_options[name] then error(("sim.new: there is no option '%s'"):format(tostring(name)), 3) end
  end
  if options.cloud and not clouds[options.cloud] then
    error(("sim.new: there is no cloud '%s'"):format(tostring(options.cloud)), 3)
  end
  local from_file = {}
  if options.fixture ~= nil then options, from_file = fixture.merge(options) end
  if options.machines and options.fleet then error("sim.new: either `machines` or `fleet`, not both", 3) end
  local self = setmetatable({
    clock = clock.new(options.clock, options.start),
    random = options.random or system_random,
    tenant_id = options.tenant_id or "7e000000-0000-4000-8000-00000000007e",
    client_id = options.client_id or "c1000000-0000-4000-8000-0000000000c1",
    client_secret = options.client_secret or "not a real secret ~+/=%&",
    roles = options.roles or { "Machine.Read.All", "Machine.RestrictExecution" },
    cloud = options.cloud or "commercial",
    options = options,
    from_file = from_file,
  }, tenant)
  self:reset()
  return self
end

-- Calls fn, which is about an option. What it raises names the file, if the option is from one.
function tenant:blame(option, fn)
  local ok, message = pcall(fn)
  if ok then return end
  error((self.from_file[option] and self.options.fixture .. ": " or "") .. tostring(message), 0)
end

--- Back to birth: machines, applications and settings as they were given, nothing else. The clock goes on.
function tenant:reset()
  local options = self.options
  self.history = {}
  self.tokens = {}
  self.machines, self.machines_by_id = {}, {}
  self.actions, self.actions_by_id, self.open_actions = {}, {}, {}
  self.applications = {}
  self.delays, self.lists = { pending = 0.5, running = 1 }, nil
  local at_birth = {
    lifetime = options.lifetime or 3599,
    delays = options.delays or {},
    duplicates = options.duplicates or "active_request",
    comparison = options.comparison or "exact",
    completion = options.completion or "in_order",
    limits = options.limits == nil or options.limits,
    comment_limit = options.comment_limit or false,
    lists = options.lists or {},
    identities = options.identities or {},
    arc = options.arc or {},
    app_header = options.app_header or "a made-up header of an app",
  }
  self.revoked_at = nil
  for name, value in pairs(at_birth) do
    self:blame(name, function() self:set { [name] = value } end)
  end
  self:blame("roles", function()
    self:put_application { client_id = self.client_id, client_secret = self.client_secret, name = "mde",
      roles = self.roles }
  end)
  if not options.identities then
    self:set { identities = { { client_id = own_identity, system = true, roles = self.roles } } }
  end
  self:blame("applications", function()
    validation.for_each("applications", options.applications or {}, function(fields)
      self:put_application(fields)
    end)
  end)
  self:populate(options)
end

function tenant:populate(options)
  local known, generated_count
  self:blame("fleet", function()
    known, generated_count, self.next_machine = fleet.machines(self.clock.now(), options.fleet or {})
  end)
  if options.machines then known, generated_count = options.machines, 0 end
  self:blame("machines", function()
    validation.for_each("machines", known, function(fields) self:put_machine(fields) end)
  end)
  for _ = 1, generated_count do self:adopt_machine(self.next_machine()) end
  self:blame("actions", function()
    validation.for_each("actions", options.actions or {}, function(fields)
      local id = self.from_file.actions and fields.machineId
      if type(id) == "string" and not self:find_machine(id) then error(("there is no machine '%s'"):format(id), 0) end
      self:insert_action(fields)
    end)
  end)
  for _, machine in ipairs(self.machines) do machine.listed_since = nil end
end

---@return string guid
function tenant:guid()
  local hex = encoding.hex(self.random(16))
  return ("%s-%s-4%s-%s%s-%s"):format(hex:sub(1, 8), hex:sub(9, 12), hex:sub(14, 16),
    ("89ab"):sub(1 + tonumber(hex:sub(17, 17), 16) % 4):sub(1, 1), hex:sub(18, 20), hex:sub(21))
end

--- Puts an entry into the history.
---@param event string
---@param entry table gets `event` and, unless it has one, `at`
function tenant:record(event, entry)
  entry.event = event
  entry.at = entry.at or self.clock.now()
  self.history[#self.history + 1] = entry
end

---- applications

--- Registers an application, or replaces it. Tokens that it has keep the roles that they were issued with.
---@param fields table see identity/application.lua
function tenant:put_application(fields)
  local one = application.new(fields)
  self.applications[core.text.lower(one.client_id)] = one
end

--- Tokens that were issued until now are not taken any more. Those that announce `cp1` are answered with a claims
--- challenge.
function tenant:revoke()
  self.revoked_at = self.clock.now()
end

---- machines

local defaults = {
  isPotentialDuplication = false, isExcluded = false, osPlatform = "Windows11", osProcessor = "x64", version = "24H2",
  lastIpAddress = "192.0.2.10", lastExternalIpAddress = "198.51.100.7", agentVersion = "10.8750.26100.1",
  osBuild = 26100, healthStatus = "Active", deviceValue = "Normal", rbacGroupId = 0, riskScore = "None",
  exposureLevel = "Low", isAadJoined = true, defenderAvStatus = "Updated", onboardingStatus = "Onboarded",
  osArchitecture = "64-bit", managedBy = "Intune", managedByStatus = "Unknown",
}

-- What a record may have beside the service's properties. `addresses` is more than true or false, and checked apart.
local switches, action_switches = { offline = true, failing = true, addresses = true }, { frozen = true }

local date_properties = { "firstSeen", "lastSeen" }

local address_fields = { ipAddress = true, from = true, to = true }

local function read_moment(name, text, now)
  if text == nil then return nil end
  local resolved = type(text) == "string" and time.resolve(text, now)
  if not resolved then error(validation.mismatch(name, "a time such as 2026-02-03T10:11:12Z or 2h ago", text), 0) end
  return time.parse(resolved)
end

-- Which machine had which address when: for those who want another answer than that it always had what it has now.
local function read_addresses(list, now)
  local complete = {}
  validation.for_each("addresses", list, function(entry, i)
    for name in pairs(entry) do
      if not address_fields[name] then error(validation.unknown("", name, address_fields), 0) end
    end
    if type(entry.ipAddress) ~= "string" then error(validation.mismatch("ipAddress", "a text", entry.ipAddress), 0) end
    local from, to = read_moment("from", entry.from, now), read_moment("to", entry.to, now)
    if from and to and from > to then error("from is later than to", 0) end
    complete[i] = { ipAddress = entry.ipAddress, from = from, to = to }
  end)
  return complete
end

-- A copy in which times are as the service writes them, and what is not the service's has been checked.
local function read_fields(fields, dates, now)
  local complete = {}
  for name, value in pairs(fields) do complete[name] = value end
  for _, name in ipairs(dates) do
    if type(fields[name]) == "string" then complete[name] = time.resolve(fields[name], now) or fields[name] end
  end
  return complete
end

local no_sensor = { Inactive = true, NoSensorData = true, NoSensorDataImpairedCommunication = true }

-- Whether a machine takes up what is waiting for it.
local function reachable(machine)
  return machine.onboardingStatus == "Onboarded"
    and not (machine.offline or machine.mergedIntoMachineId or no_sensor[machine.healthStatus])
end

local function check_machine(fields)
  for name, value in pairs(fields) do
    local problem
    if name ~= "addresses" and (value ~= json.null or not schema.machine.properties[name]) then
      problem = schema.problem(schema.machine, name, value, switches)
    end
    if problem then error(problem, 0) end
  end
  local id = fields.id
  if id ~= nil and (type(id) ~= "string" or not id:find "^%x+$" or #id ~= 40) then
    error(validation.mismatch("id", "40 hexadecimal digits", id), 0)
  end
end

--- Adds a complete record, which is the tenant's from now on.
---@param machine table
---@param place integer? where in the lists; the end if absent
function tenant:adopt_machine(machine, place)
  machine.listed_since = self.clock.now()
  table.insert(self.machines, place or #self.machines + 1, machine)
  self.machines_by_id[core.text.lower(machine.id)] = machine
end

--- Adds a machine, or changes the one with that `id`. Beside the service's properties there are two switches:
--- `offline` (takes no action up) and `failing` (each action fails); and `addresses`, a list of
--- `{ ipAddress, from, to }`: who had which address when. `json.null` makes a property null. A time may be told as
--- "2h ago".
---@param fields table
---@return table machine
function tenant:put_machine(fields)
  local now = self.clock.now()
  fields = read_fields(fields, date_properties, now)
  check_machine(fields)
  if fields.addresses ~= nil then fields.addresses = read_addresses(fields.addresses, now) end
  local machine = fields.id and self.machines_by_id[core.text.lower(fields.id)]
  if machine then
    self:settle()
  else
    machine = { id = fields.id or encoding.hex(self.random(20)), machineTags = {},
      firstSeen = time.iso(now - 200 * 86400), lastSeen = time.iso(now - 3600) }
    for name, value in pairs(defaults) do machine[name] = value end
    self:adopt_machine(machine)
  end
  local was_reachable = reachable(machine)
  for name, value in pairs(fields) do
    if value == json.null then machine[name] = nil elseif name ~= "id" then machine[name] = copy(value) end
  end
  if not machine.ipAddresses then
    machine.ipAddresses = { machine.lastIpAddress and { ipAddress = machine.lastIpAddress, type = "Ethernet",
      operationalStatus = "Up" } }
  end
  if reachable(machine) and not was_reachable then machine.reachable_since = now end
  return machine
end

--- The machine with this id or, where a name is allowed, computer name; of several the one seen last.
---@param key string
---@param by_name boolean?
---@return table?
function tenant:find_machine(key, by_name)
  key = core.text.lower(key)
  local found = self.machines_by_id[key]
  if found or not by_name then return found end
  for _, machine in ipairs(self.machines) do
    if machine.computerDnsName and core.text.lower(machine.computerDnsName) == key
        and (not found or (machine.lastSeen and time.parse(machine.lastSeen) or 0)
          > (found.lastSeen and time.parse(found.lastSeen) or 0)) then
      found = machine
    end
  end
  return found
end

-- What happens between two pages of a list: machines appear, and others report.
function tenant:churn()
  local churn, now = self.lists.churn, self.clock.now()
  local count = #self.machines
  for i = 1, count > 0 and churn.seen or 0 do
    local machine = self.machines[self.lists.draw(count) + 1]
    machine.lastSeen = time.iso(now - i / 1e4)
  end
  for _ = 1, churn.added or 0 do
    local machine = self.next_machine()
    self:adopt_machine(machine, 1)
    self:record("machine_added", { machine = machine.id })
  end
end

--- The machines as a list has them now, in its order.
---@return table[]
function tenant:listed_machines()
  if self.is_listed then self:churn() end
  self.is_listed = true
  local lag = self.lists.lag
  if lag == 0 then return self.machines end
  local visible, limit = {}, self.clock.now() - lag
  for _, machine in ipairs(self.machines) do
    if not machine.listed_since or machine.listed_since <= limit then visible[#visible + 1] = machine end
  end
  return visible
end

-- Whether a machine had an address in some moment of a time. Without any notes it has had what it has since it was
-- first seen, until its last report or, if it is alive, until now.
local function had_address(machine, address, from, to, now)
  if machine.addresses then
    for _, entry in ipairs(machine.addresses) do
      if entry.ipAddress == address and (entry.from or -math.huge) <= to and (entry.to or now) >= from then
        return true
      end
    end
    return false
  end
  local has = machine.lastIpAddress == address
  for _, entry in ipairs(machine.ipAddresses or {}) do has = has or entry.ipAddress == address end
  if not has then return false end
  local first = machine.firstSeen and time.parse(machine.firstSeen) or -math.huge
  local last = reachable(machine) and now or machine.lastSeen and time.parse(machine.lastSeen) or now
  return first <= to and last >= from
end

--- The machines that had an address within so many seconds of a time.
---@param address string
---@param at number
---@param tolerance number
---@return table[]
function tenant:machines_by_address(address, at, tolerance)
  local found, now = {}, self.clock.now()
  for _, machine in ipairs(self.machines) do
    if had_address(machine, address, at - tolerance, at + tolerance, now) then found[#found + 1] = machine end
  end
  return found
end

--- Gives a machine a tag, or takes it away; nothing happens if that is so already.
---@param machine table
---@param tag string
---@param change "Add"|"Remove"
---@param requestor string
function tenant:tag_machine(machine, tag, change, requestor)
  local tags, place = machine.machineTags or {}, nil
  for i, present in ipairs(tags) do
    if present == tag then place = i end
  end
  if (change == "Add") == (place ~= nil) then return end
  if place then table.remove(tags, place) else tags[#tags + 1] = tag end
  machine.machineTags = tags
  self:record("machine_tagged", { machine = machine.id, tag = tag, change = change, requestor = requestor })
end

--- Sets what a machine is worth.
---@param machine table
---@param value "Low"|"Normal"|"High"
---@param requestor string
function tenant:set_device_value(machine, value, requestor)
  self:record("machine_valued", { machine = machine.id, from = machine.deviceValue, to = value,
    requestor = requestor })
  machine.deviceValue = value
end

---- actions

local function is_open(action) return not final[action.status] end

-- Keeps the list in the order of creation, also when one is inserted with a time of its own.
local function add_in_order(list, action)
  local place = #list + 1
  while place > 1 and list[place - 1].created > action.created do place = place - 1 end
  table.insert(list, place, action)
end

-- Notes what an action's status was from when on, for lists that lag behind.
local function note_status(action, since)
  action.past = action.past or {}
  table.insert(action.past, { since = since, status = action.status, updated = action.lastUpdateDateTimeUtc })
end

-- An action as it was at that time; nil if it was not there yet.
local function as_of(action, at)
  local then_so
  for _, note in ipairs(action.past) do
    if note.since <= at then then_so = note end
  end
  if not then_so or then_so == action.past[#action.past] then return then_so and action end
  local view = {}
  for _, name in ipairs(schema.action.names) do view[name] = action[name] end
  view.status, view.lastUpdateDateTimeUtc = then_so.status, then_so.updated
  view.cancellationRequestor, view.cancellationComment, view.cancellationDateTimeUtc = nil, nil, nil
  view.errorHResult, view.troubleshootInfo = 0, nil
  return view
end

--- The actions as a list has them now, the newest first.
---@return table[]
function tenant:listed_actions()
  local visible, limit = {}, self.clock.now() - self.lists.lag
  for i = #self.actions, 1, -1 do
    local action = self.actions[i]
    if self.lists.lag > 0 then action = as_of(action, limit) end
    visible[#visible + 1] = action
  end
  return visible
end

function tenant:add_action(action)
  note_status(action, action.created)
  add_in_order(self.actions, action)
  self.actions_by_id[core.text.lower(action.id)] = action
  if action.machineId and is_open(action) then
    local key = core.text.lower(action.machineId)
    local open = self.open_actions[key]
    if not open then
      open = {}
      self.open_actions[key] = open
    end
    add_in_order(open, action)
  end
  self:record("action_created", { action = action.id, machine = action.machineId, type = action.type,
    comment = action.requestorComment, requestor = action.requestor, status = action.status })
end

--- The machine's action of this type that is not final, the oldest if there are several.
---@param machine table
---@param kind string
---@return table? action
function tenant:open_action(machine, kind)
  for _, action in ipairs(self.open_actions[core.text.lower(machine.id)] or {}) do
    if action.type == kind and is_open(action) then return action end
  end
end

--- Queues an action, as the service does when it answers 201.
---@param machine table
---@param kind string
---@param comment string
---@param requestor string
---@return table action
function tenant:create_action(machine, kind, comment, requestor)
  if self.comment_limit then comment = encoding.first_characters(comment, self.comment_limit) end
  local now = self.clock.now()
  local action = {
    id = self:guid(), type = kind, status = "Pending", requestor = requestor, requestorComment = comment,
    machineId = machine.id, computerDnsName = machine.computerDnsName, created = now,
    creationDateTimeUtc = time.iso(now), lastUpdateDateTimeUtc = time.iso(now), errorHResult = 0,
    requestSource = "PublicApi", commands = {},
  }
  self:add_action(action)
  return action
end

local date_properties_of_actions = { "creationDateTimeUtc", "lastUpdateDateTimeUtc", "cancellationDateTimeUtc" }

--- Inserts an action as if somebody else had made it: any property of the record; `type` is required, the rest is made
--- up. An open one is carried out like any other unless `frozen` is true. Where there is no `machineId`, the machine
--- may be told by `computerDnsName`. A time may be told as "2h ago".
---@param fields table
---@return table action
function tenant:insert_action(fields)
  local now = self.clock.now()
  fields = read_fields(fields, date_properties_of_actions, now)
  if fields.machineId == nil and type(fields.computerDnsName) == "string" then
    local named = self:find_machine(fields.computerDnsName, true)
    if not named then error(("there is no machine '%s'"):format(fields.computerDnsName), 0) end
    fields.machineId = named.id
  end
  local action = {
    id = self:guid(), status = "Pending", requestor = "somebody.else@corp.example", requestSource = "Portal",
    requestorComment = "from the portal", errorHResult = 0, commands = {}, creationDateTimeUtc = time.iso(now),
  }
  for name, value in pairs(fields) do
    local is_null = value == json.null and schema.action.properties[name]
    local problem = not is_null and schema.problem(schema.action, name, value, action_switches)
    if problem then error(problem, 0) end
    if is_null then action[name] = nil else action[name] = copy(value) end
  end
  if not action.type then error("an action needs a type", 0) end
  action.created = action.creationDateTimeUtc and time.parse(action.creationDateTimeUtc)
  if not action.created then error("creationDateTimeUtc is not a time", 0) end
  if fields.lastUpdateDateTimeUtc == nil then action.lastUpdateDateTimeUtc = action.creationDateTimeUtc end
  local machine = action.machineId and self.machines_by_id[core.text.lower(action.machineId)]
  if machine and fields.computerDnsName == nil then action.computerDnsName = machine.computerDnsName end
  self:add_action(action)
  return action
end

---@param id string
---@return table? action
function tenant:find_action(id)
  return self.actions_by_id[core.text.lower(id)]
end

--- Cancels an action that is not final.
---@param action table
---@param comment string
---@param requestor string
---@return boolean done false if it was final already
function tenant:cancel_action(action, comment, requestor)
  if not is_open(action) then return false end
  local now = self.clock.now()
  self:record("action_cancelled", { action = action.id, machine = action.machineId, from = action.status,
    comment = comment, requestor = requestor })
  action.status = "Cancelled"
  action.cancellationComment, action.cancellationRequestor = comment, requestor
  action.cancellationDateTimeUtc, action.lastUpdateDateTimeUtc = time.iso(now), time.iso(now)
  note_status(action, now)
  return true
end

---- how actions go on

local function change(changes, action, status, at)
  changes[#changes + 1] = { at = at, order = #changes, action = action.id, machine = action.machineId,
    type = action.type, from = action.status, to = status }
  action.status = status
  action.lastUpdateDateTimeUtc = time.iso(at)
  note_status(action, at)
end

-- Takes one action as far as it is by now. True if it is final.
function tenant:carry_out(machine, action, now, changes)
  if action.status == "Pending" then
    if not reachable(machine) then return false end
    local start = math.max(action.created, machine.busy_until or 0, machine.reachable_since or 0) + self.delays.pending
    if now < start then return false end
    action.started = start
    change(changes, action, "InProgress", start)
  end
  local stop = (action.started or action.created) + self.delays.running
  if now < stop then return false end
  machine.busy_until = stop
  if machine.failing then
    action.errorHResult = -2147024891
    action.troubleshootInfo = "The device could not apply the policy."
    change(changes, action, "Failed", stop)
  else
    change(changes, action, "Succeeded", stop)
  end
  return true
end

-- What is open of a machine, in the order in which it is carried out: as it was created, or what is under way already
-- and then the newest first.
local function in_turn(open, completion)
  local list = {}
  for i, action in ipairs(open) do list[i] = action end
  if completion == "reversed" then
    table.sort(list, function(a, b)
      local a_runs, b_runs = a.status == "InProgress", b.status == "InProgress"
      if a_runs ~= b_runs then return a_runs end
      return a.created > b.created
    end)
  end
  return list
end

-- A machine carries its actions out one after the other.
function tenant:work_off(machine, open, now, changes)
  for _, action in ipairs(in_turn(open, self.completion)) do
    if machine and is_open(action) and not action.frozen and not self:carry_out(machine, action, now, changes) then
      break
    end
  end
  for i = #open, 1, -1 do
    if not is_open(open[i]) then table.remove(open, i) end
  end
end

--- Brings everything up to the clock. Whoever looks at actions or the history after time has passed calls it first.
function tenant:settle()
  local now, changes = self.clock.now(), {}
  for id, open in pairs(self.open_actions) do
    self:work_off(self.machines_by_id[id], open, now, changes)
    if not open[1] then self.open_actions[id] = nil end
  end
  table.sort(changes, function(a, b)
    if a.at ~= b.at then return a.at < b.at end
    return a.order < b.order
  end)
  for _, entry in ipairs(changes) do
    entry.order = nil
    self:record("action_changed", entry)
  end
end

--- Puts the clock forward.
---@param seconds number
function tenant:advance(seconds)
  self.clock.advance(seconds)
  self:settle()
end

return tenant
