-- The model of a tenant: its machines, the actions on them, its alerts, its applications, and the history of what
-- really happened, all at one clock. It knows neither HTTP nor the wire; time and randomness come from outside.
local action_queue = require "mde.sim.model.action_queue"
local alerts = require "mde.sim.model.alerts"
local application = require "mde.sim.identity.application"
local clock = require "mde.sim.model.clock"
local clouds = require "mde.base.cloud"
local core = require "mde.core"
local encoding = require "mde.sim.base.encoding"
local fixture = require "mde.sim.model.fixture"
local fleet = require "mde.sim.model.fleet"
local indicators = require "mde.sim.model.indicators"
local machine_details = require "mde.sim.model.machine_details"
local machine_record = require "mde.sim.model.machine_record"
local settings = require "mde.sim.model.settings"
local story = require "mde.sim.model.story"
local time = require "mde.sim.base.time"
local validation = require "mde.sim.base.validation"

---@class mde.sim.tenant
---@field tenant_id string
---@field client_id string
---@field client_secret string
---@field history table[] what it really did, oldest first; `at` is the time, `event` the kind
local M = {}
M.__index = M

local function system_random(count)
  local source = assert(io.open("/dev/urandom", "rb"))
  local bytes = source:read(count)
  source:close()
  return bytes
end

--- Changes how the tenant behaves from now on: `lifetime` of new tokens, `delays = { pending, running }` of actions, or
--- of those of one type, `duplicates`, `comparison`, `repeated_isolation`, `bulk_tags`, `package_uri`, `imports` and
--- `export_links` (see settings.lua), `completion` (which action of a machine is carried out first: the oldest,
--- "in_order", or the newest, "reversed"), `limits` (a table, true for the service's, false for none), `comment_limit`,
--- `lists` (see odata/lists.lua), `alert_lists` (see alert_lists.lua), `hunting` (see hunting.lua), `identities`, `arc`
--- and `app_header` (see identity/managed_identity.lua).
---@param changes table
function M:set(changes)
  settings.change(self, changes)
end

---- birth

-- The identity of the machine on which the endpoints of managed identities seem to be, unless others are told.
local own_identity = "1d000000-0000-4000-8000-00000000001d"

local known_options = {
  machines = true, actions = true, fleet = true, fixture = true, clock = true, start = true, random = true,
  lifetime = true, limits = true, delays = true, duplicates = true, comment_limit = true, lists = true,
  applications = true, tenant_id = true, client_id = true, client_secret = true, roles = true, graph_roles = true,
  cloud = true, identities = true, arc = true, app_header = true, faults = true, completion = true, comparison = true,
  repeated_isolation = true, bulk_tags = true, package_uri = true, alerts = true, incidents = true,
  story = true, alert_lists = true, hunting = true, imports = true, export_links = true,
}

--- Makes a tenant. All options may be left out:
--- `machines` (a list for `put_machine`; the fleet if absent), `fleet = { count, seed }` (how large the fleet is),
--- `actions` (a list for `insert_action`), `alerts` and `incidents` (lists for `raise_alert` and `put_incident`),
--- `story` (see story.lua), `fixture` (a file with further options, see fixture.lua), `clock` and
--- `start` (see clock.lua), `random` (count -> bytes), `tenant_id`, `client_id`, `client_secret`, `roles` and
--- `graph_roles` (the main application), `applications` (a list for `put_application`), `cloud` (whose audiences it
--- takes), `faults` (a list of rules, see faults.lua), and everything that `set` takes.
---@param options table?
---@return mde.sim.tenant
function M.new(options)
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
    graph_roles = options.graph_roles or {},
    cloud = options.cloud or "commercial",
    options = options,
    from_file = from_file,
  }, M)
  self:reset()
  return self
end

-- Calls fn, which is about an option. What it raises names the file, if the option is from one.
function M:blame(option, fn)
  local ok, message = pcall(fn)
  if ok then return end
  error((self.from_file[option] and self.options.fixture .. ": " or "") .. tostring(message), 0)
end

--- Back to birth: machines, applications and settings as they were given, nothing else. The clock goes on.
function M:reset()
  local options = self.options
  self.history = {}
  self.tokens = {}
  self.machines, self.machines_by_id = {}, {}
  self.queue = action_queue.new()
  self.actions = self.queue.all
  self.applications = {}
  self.delays, self.lists, self.alert_lists = { pending = 0.5, running = 1 }, nil, nil
  self.hunting = nil
  self.alert_book = alerts.new(self)
  self.alerts, self.incidents = self.alert_book.all, self.alert_book.incidents
  self.indicator_book = indicators.new(self)
  self.details = {}
  self.story = nil
  local at_birth = {
    lifetime = options.lifetime or 3599,
    delays = options.delays or {},
    duplicates = options.duplicates or "active_request",
    comparison = options.comparison or "exact",
    completion = options.completion or "in_order",
    repeated_isolation = options.repeated_isolation or "succeeds",
    bulk_tags = options.bulk_tags or "refuse_all",
    package_uri = options.package_uri or "quoted",
    imports = options.imports or "in_order",
    export_links = options.export_links or "whole",
    limits = options.limits == nil or options.limits,
    comment_limit = options.comment_limit or false,
    lists = options.lists or {},
    alert_lists = options.alert_lists or {},
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
      roles = self.roles, graph_roles = self.graph_roles }
  end)
  if not options.identities then
    self:set { identities = { { client_id = own_identity, system = true, roles = self.roles,
      graph_roles = self.graph_roles } } }
  end
  self:blame("applications", function()
    validation.for_each("applications", options.applications or {}, function(fields)
      self:put_application(fields)
    end)
  end)
  self:populate(options)
end

function M:populate(options)
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
  self:populate_alerts(options)
  self:blame("hunting", function() self:set { hunting = options.hunting or {} } end)
  for _, machine in ipairs(self.machines) do machine.listed_since = nil end
end

-- What was there before the tenant began is not late.
function M:populate_alerts(options)
  for _, of in ipairs { { "incidents", self.put_incident }, { "alerts", self.raise_alert } } do
    self:blame(of[1], function()
      validation.for_each(of[1], options[of[1]] or {}, function(fields) of[2](self, fields) end)
    end)
  end
  self:blame("story", function()
    if options.story then self.story = story.new(self, options.story) end
  end)
  if self.story then self.story:settle() end
  local now = self.clock.now()
  for _, alert in ipairs(self.alerts) do
    if alert.listed_since <= now then alert.listed_since = nil end
  end
end

---@return string guid
function M:guid()
  local hex = encoding.hex(self.random(16))
  return ("%s-%s-4%s-%s%s-%s"):format(hex:sub(1, 8), hex:sub(9, 12), hex:sub(14, 16),
    ("89ab"):sub(1 + tonumber(hex:sub(17, 17), 16) % 4):sub(1, 1), hex:sub(18, 20), hex:sub(21))
end

--- Puts an entry into the history.
---@param event string
---@param entry table gets `event` and, unless it has one, `at`
function M:record(event, entry)
  entry.event = event
  entry.at = entry.at or self.clock.now()
  self.history[#self.history + 1] = entry
end

---- applications

--- Registers an application, or replaces it. Tokens that it has keep the roles that they were issued with.
---@param fields table see identity/application.lua
function M:put_application(fields)
  local one = application.new(fields)
  self.applications[core.text.lower(one.client_id)] = one
end

--- Tokens that were issued until now are not taken any more. Those that announce `cp1` are answered with a claims
--- challenge.
function M:revoke()
  self.revoked_at = self.clock.now()
end

---- machines

--- Adds a complete record, which is the tenant's from now on.
---@param machine table
---@param place integer? where in the lists; the end if absent
function M:adopt_machine(machine, place)
  machine.listed_since = self.clock.now()
  table.insert(self.machines, place or #self.machines + 1, machine)
  self.machines_by_id[core.text.lower(machine.id)] = machine
  self.queue:wake(machine.id)
end

--- Adds a machine, or changes the one with that `id`. Beside the service's properties there are two switches:
--- `offline` (takes no action up) and `failing` (each action fails); and `addresses`, a list of
--- `{ ipAddress, from, to }`: who had which address when. `json.null` makes a property null. A time may be told as
--- "2h ago".
---@param fields table
---@return table machine
function M:put_machine(fields)
  local now = self.clock.now()
  fields = machine_record.read(fields, now)
  local machine = fields.id and self.machines_by_id[core.text.lower(fields.id)]
  if machine then
    self:settle()
  else
    machine = machine_record.new(fields.id or encoding.hex(self.random(20)), now, fields.osPlatform)
    self:adopt_machine(machine)
  end
  machine_record.change(machine, fields, now)
  self.queue:wake(machine.id)
  return machine
end

--- The machine with this id or, where a name is allowed, computer name; of several the one seen last.
---@param key string
---@param by_name boolean?
---@return table?
function M:find_machine(key, by_name)
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
function M:churn()
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
function M:listed_machines()
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

--- The machines that had an address within so many seconds of a time.
---@param address string
---@param at number
---@param tolerance number
---@return table[]
function M:machines_by_address(address, at, tolerance)
  local found, now = {}, self.clock.now()
  for _, machine in ipairs(self.machines) do
    if machine_record.had_address(machine, address, at - tolerance, at + tolerance, now) then
      found[#found + 1] = machine
    end
  end
  return found
end

--- Gives a machine a tag, or takes it away; nothing happens if that is so already.
---@param machine table
---@param tag string
---@param change "Add"|"Remove"
---@param requestor string
function M:tag_machine(machine, tag, change, requestor)
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
function M:set_device_value(machine, value, requestor)
  self:record("machine_valued", { machine = machine.id, from = machine.deviceValue, to = value,
    requestor = requestor })
  machine.deviceValue = value
end

---- actions

--- The actions as a list has them now, the newest first.
---@return table[]
function M:listed_actions()
  local lag = self.lists.lag
  return self.queue:listed(lag > 0 and self.clock.now() - lag or nil)
end

function M:add_action(action)
  self.queue:add(action)
  self:record("action_created", { action = action.id, machine = action.machineId, type = action.type,
    comment = action.requestorComment, requestor = action.requestor, status = action.status, scope = action.scope,
    file = action.relatedFileInfo and action.relatedFileInfo.fileIdentifier })
end

--- The machine's action of this type that is not final, the oldest if there are several.
---@param machine table
---@param kind string
---@return table? action
function M:open_action(machine, kind)
  return self.queue:find_open(machine.id, kind)
end

--- Queues an action, as the service does when it answers 201.
---@param machine table
---@param kind string
---@param comment string
---@param requestor string
---@param more { scope: string?, file: string?, around: boolean? }? its scope, the SHA-1 of its file, and whether it is
--- not the machine that carries it out
---@return table action
function M:create_action(machine, kind, comment, requestor, more)
  more = more or {}
  if self.comment_limit then comment = encoding.first_characters(comment, self.comment_limit) end
  local now = self.clock.now()
  local action = {
    id = self:guid(), type = kind, status = "Pending", requestor = requestor, requestorComment = comment,
    machineId = machine.id, computerDnsName = machine.computerDnsName, created = now,
    creationDateTimeUtc = time.iso(now), lastUpdateDateTimeUtc = time.iso(now), errorHResult = 0,
    requestSource = "PublicApi", commands = {}, scope = more.scope, around = more.around,
    relatedFileInfo = more.file and { fileIdentifier = more.file, fileIdentifierType = "Sha1" },
  }
  action.frozen = kind == "Isolate" and self.repeated_isolation == "sticks" and self.queue:is_isolated(machine.id)
  self:add_action(action)
  return action
end

local action_times = { "creationDateTimeUtc", "lastUpdateDateTimeUtc", "cancellationDateTimeUtc" }

--- Inserts an action as if somebody else had made it: any property of the record; `type` is required, the rest is made
--- up. An open one is carried out like any other unless `frozen` is true. Where there is no `machineId`, the machine
--- may be told by `computerDnsName`. A time may be told as "2h ago".
---@param fields table
---@return table action
function M:insert_action(fields)
  local now = self.clock.now()
  fields = time.resolve_fields(fields, action_times, now)
  if fields.machineId == nil and type(fields.computerDnsName) == "string" then
    local named = self:find_machine(fields.computerDnsName, true)
    if not named then error(("there is no machine '%s'"):format(fields.computerDnsName), 0) end
    fields.machineId = named.id
  end
  local action = action_queue.complete(fields, self:guid(), now)
  local machine = action.machineId and self.machines_by_id[core.text.lower(action.machineId)]
  if machine and fields.computerDnsName == nil then action.computerDnsName = machine.computerDnsName end
  self:add_action(action)
  return action
end

---@param id string
---@return table? action
function M:find_action(id)
  return self.queue:find(id)
end

--- Cancels an action that is not final.
---@param action table
---@param comment string
---@param requestor string
---@return boolean done false if it was final already
function M:cancel_action(action, comment, requestor)
  local before = self.queue:cancel(action, comment, requestor, self.clock.now())
  if not before then return false end
  self:record("action_cancelled", { action = action.id, machine = action.machineId, from = before,
    comment = comment, requestor = requestor })
  return true
end

--- Where the package lies that an action has collected: another host, which is not there. Each link is a new one.
---@param action table
---@return string
function M:package_uri_of(action)
  local uri = ("https://packages.mde-sim.example:443/safedownload/%s.zip?token=%s%%2b%s%%3d%%3d"):format(
    action.id, encoding.hex(self.random(12)), encoding.hex(self.random(12)))
  return self.package_uri == "quoted" and '"' .. uri .. '"' or uri
end

---- what a machine has beside its record

--- Tells what a machine has: lists named `logonusers`, `software`, `vulnerabilities`, `recommendations` and
--- `getmissingkbs`, of records as the service writes them.
---@param machine_id string
---@param details table<string, table[]>
function M:put_details(machine_id, details)
  machine_details.put(self, machine_id, details)
end

---- alerts

--- Raises an alert: any property of the record (see alert_record.lua), all of which may be left out. Times may be told
--- as "2h ago". Lists show it `late_by` seconds later, with the time that it has.
---@param fields table
---@return mde.sim.alert
function M:raise_alert(fields)
  return self.alert_book:raise(fields)
end

--- Changes an alert as an analyst does: `status`, `classification`, `determination`, `assignedTo` (false for nobody).
---@param alert mde.sim.alert
---@param changes table
---@param by string?
function M:update_alert(alert, changes, by)
  self.alert_book:update(alert, changes, by or "somebody")
end

--- Adds an incident.
---@param fields table
---@return mde.sim.incident
function M:put_incident(fields)
  return self.alert_book:put_incident(fields)
end

--- Merges an incident into another: its alerts move there, and it says where they are.
---@param from_id string
---@param into_id string
---@param at number? when, in seconds since 1970; now if absent
function M:merge_incidents(from_id, into_id, at)
  local from, into = self.alert_book:find_incident(from_id), self.alert_book:find_incident(into_id)
  if not from or not into then
    error(("there is no incident %s"):format(tostring(from and into_id or from_id)), 0)
  end
  self.alert_book:merge(from, into, at)
end

---- time

--- Brings everything up to the clock. Call it before looking at actions or the history when time has passed.
function M:settle()
  local behaviour = { delays = self.delays, completion = self.completion }
  for _, change in ipairs(self.queue:settle(self.machines_by_id, behaviour, self.clock.now())) do
    self:record("action_changed", change)
  end
  if self.story then self.story:settle() end
end

--- Puts the clock forward.
---@param seconds number
function M:advance(seconds)
  self.clock.advance(seconds)
  self:settle()
end

return M
