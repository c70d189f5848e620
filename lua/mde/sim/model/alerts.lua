-- The alerts of a tenant and the incidents that they belong to: how they are raised, changed and merged, and which of
-- them a list shows.
local alert_record = require "mde.sim.model.alert_record"
local core = require "mde.core"
local time = require "mde.sim.base.time"

---@class mde.sim.alerts
---@field all mde.sim.alert[] the oldest first
---@field incidents mde.sim.incident[] the oldest first
---@field package tenant mde.sim.tenant
local M = {}
M.__index = M

-- The number before that of the first incident.
local FIRST_INCIDENT = 28200

---@param tenant mde.sim.tenant whose clock, randomness, machines and history they have
---@return mde.sim.alerts
function M.new(tenant)
  return setmetatable({ tenant = tenant, all = {}, by_id = {}, incidents = {}, incidents_by_id = {},
    last_incident = FIRST_INCIDENT, raised = 0 }, M)
end

-- The time as the tenant's alerts have it: whole minutes, say, if it is told to have those.
local function now_text(self)
  local now, grain = self.tenant.clock.now(), self.tenant.alert_lists.granularity
  return time.iso(grain > 0 and now - now % grain or now)
end

--- An id of the service's: ten millionths of a second since the year 1, and a number that may be negative.
---@param at number seconds since 1970
---@param number integer
---@return string
function M.id_of(at, number)
  local whole = math.floor(at)
  return ("da%d%07d_%d"):format(whole + 62135596800, math.floor((at - whole) * 1e7), number)
end

-- An id that differs from others of the same moment.
local function new_id(self)
  local a, b, c, d = self.tenant.random(4):byte(1, 4)
  return M.id_of(self.tenant.clock.now() + self.raised % 1000 / 1000, (a - 128) * 16777216 + b * 65536 + c * 256 + d)
end

-- Keeps a list in the order of creation, also when one is inserted with a time of its own.
local function add_in_order(list, record)
  local place = #list + 1
  while place > 1 and list[place - 1].created > record.created do place = place - 1 end
  table.insert(list, place, record)
end

local ranks = { unknown = 0, informational = 1, low = 2, medium = 3, high = 4 }

local function touch(self, record, at)
  record.lastUpdateDateTime = at and time.iso(at) or now_text(self)
  record.revision = record.revision + 1
end

-- ---- incidents

local function add_incident(self, fields)
  local id = ("%d"):format(self.last_incident + 1)
  local incident = alert_record.new_incident(fields, id, self.tenant.clock.now(), now_text(self))
  if self.incidents_by_id[incident.id] then error(("there is an incident %s already"):format(incident.id), 0) end
  self.last_incident = math.max(self.last_incident, core.number.read(incident.id))
  add_in_order(self.incidents, incident)
  self.incidents_by_id[incident.id] = incident
  self.tenant:record("incident_added", { incident = incident.id, title = incident.displayName })
  return incident
end

--- Adds an incident. Its `redirectIncidentId`, if it has one, says that it was merged into that one.
---@param fields table
---@return mde.sim.incident
function M:put_incident(fields)
  local incident = add_incident(self, fields)
  if incident.redirectIncidentId then incident.status = "redirected" end
  return incident
end

---@param id string
---@return mde.sim.incident?
function M:find_incident(id)
  return self.incidents_by_id[id]
end

--- The alerts of an incident, the oldest first.
---@param incident mde.sim.incident
---@return mde.sim.alert[]
function M:alerts_of(incident)
  local found = {}
  for _, alert in ipairs(self.all) do
    if alert.incidentId == incident.id then found[#found + 1] = alert end
  end
  return found
end

--- Changes what an analyst can change of an incident.
---@param incident mde.sim.incident
---@param changes table `status`, `classification`, `determination`, `assignedTo`, `customTags`, `severity`,
--- `resolvingComment`; false takes one away
---@param by string
function M:update_incident(incident, changes, by)
  for name, value in pairs(changes) do incident[name] = value or nil end
  incident.lastModifiedBy = by
  touch(self, incident)
  self.tenant:record("incident_updated", { incident = incident.id, changes = changes, requestor = by })
end

--- Merges an incident into another: its alerts move there, and it stays behind as a signpost.
---@param from mde.sim.incident
---@param into mde.sim.incident
---@param at number? when; now if absent
function M:merge(from, into, at)
  if from == into then error(("incident %s cannot be merged into itself"):format(from.id), 0) end
  if into.redirectIncidentId then error(("incident %s was itself merged into another"):format(into.id), 0) end
  for _, alert in ipairs(self:alerts_of(from)) do
    alert.incidentId = into.id
    touch(self, alert, at)
  end
  if (ranks[from.severity] or 0) > (ranks[into.severity] or 0) then into.severity = from.severity end
  from.status, from.redirectIncidentId = "redirected", into.id
  touch(self, from, at)
  touch(self, into, at)
  self.tenant:record("incidents_merged", { incident = from.id, into = into.id })
end

-- The incident of a new alert: the one that it names, which begins with it if need be, or one of its own.
local function incident_of(self, alert)
  if alert.is_standalone or (alert.is_suppressed and not alert.incidentId) then return nil end
  local known = alert.incidentId and self.incidents_by_id[alert.incidentId]
  if known and known.redirectIncidentId then
    known = self.incidents_by_id[known.redirectIncidentId] or known
  end
  local incident = known or add_incident(self, { id = alert.incidentId, displayName = alert.title,
    createdDateTime = alert.createdDateTime, severity = alert.severity })
  alert.incidentId = incident.id
  if known then
    if (ranks[alert.severity] or 0) > (ranks[incident.severity] or 0) then incident.severity = alert.severity end
    incident.lastUpdateDateTime = alert.lastUpdateDateTime
    incident.revision = incident.revision + 1
  end
end

-- ---- alerts

-- From when on lists show a new alert: some arrive late, with the time that they should have had.
local function listed_since(self, alert)
  local late = self.tenant.alert_lists.late
  local seconds = alert.late_by or (late.every and self.raised % late.every == 0 and late.by) or 0
  return self.tenant.clock.now() + seconds
end

--- Raises an alert: any property of the record, and all may be left out. Without `incidentId` it gets an incident of
--- its own, unless it has `is_standalone` or `is_suppressed`. A list shows it `late_by` seconds later.
---@param fields table
---@return mde.sim.alert
function M:raise(fields)
  local tenant = self.tenant
  local alert = alert_record.new_alert(fields, new_id(self), tenant.clock.now(), now_text(self),
    function(key, by_name) return tenant:find_machine(key, by_name) end)
  if self.by_id[alert.id] then error(("there is an alert %s already"):format(alert.id), 0) end
  incident_of(self, alert)
  self.raised = self.raised + 1
  alert.listed_since = listed_since(self, alert)
  alert.late_by = nil
  add_in_order(self.all, alert)
  self.by_id[alert.id] = alert
  local machine = self.machine_of(alert)
  tenant:record("alert_raised", { alert = alert.id, incident = alert.incidentId, machine = machine and machine.id,
    title = alert.title })
  return alert
end

---@param id string
---@return mde.sim.alert?
function M:find(id)
  return self.by_id[id]
end

--- The machine that an alert is about: the first device in its evidence that Defender knows.
---@param alert mde.sim.alert
---@return table? machine
function M.machine_of(alert)
  for _, piece in ipairs(alert.evidence) do
    if piece.kind == "device" and piece.machine then return piece.machine end
  end
end

--- Changes what an analyst can change of an alert.
---@param alert mde.sim.alert
---@param changes table `status`, `classification`, `determination`, `assignedTo`; false takes one away
---@param by string
function M:update(alert, changes, by)
  for name, value in pairs(changes) do alert[name] = value or nil end
  touch(self, alert)
  if alert.status ~= "resolved" then
    alert.resolvedDateTime = nil
  elseif changes.status then
    alert.resolvedDateTime = alert.lastUpdateDateTime
  end
  self.tenant:record("alert_updated", { alert = alert.id, changes = changes, requestor = by })
end

--- Adds a comment to an alert or an incident.
---@param record mde.sim.alert|mde.sim.incident
---@param text string
---@param by string
function M:comment(record, text, by)
  touch(self, record)
  table.insert(record.comments, { comment = text, createdByDisplayName = by,
    createdDateTime = record.lastUpdateDateTime })
  local is_alert = self.by_id[record.id] == record
  self.tenant:record("commented", { alert = is_alert and record.id or nil,
    incident = not is_alert and record.id or nil, comment = text, requestor = by })
end

--- The alerts as lists have them now, the newest first.
---@return mde.sim.alert[]
function M:listed()
  local limit, listed = self.tenant.clock.now() - self.tenant.lists.lag, {}
  for i = #self.all, 1, -1 do
    local alert = self.all[i]
    if not alert.listed_since or alert.listed_since <= limit then listed[#listed + 1] = alert end
  end
  return listed
end

--- The incidents, the newest first.
---@return mde.sim.incident[]
function M:listed_incidents()
  local listed = {}
  for i = #self.incidents, 1, -1 do listed[#listed + 1] = self.incidents[i] end
  return listed
end

--- Adds an event to an alert.
---@param alert mde.sim.alert
---@param at string
function M:add_event(alert, at)
  local key, before = time.sort_key, core.text.before
  if before(key(alert.lastActivityDateTime), key(at)) then alert.lastActivityDateTime = at end
  if before(key(at), key(alert.firstActivityDateTime)) then alert.firstActivityDateTime = at end
  touch(self, alert)
  self.tenant:record("alert_updated", { alert = alert.id, changes = { lastActivityDateTime = at } })
end

--- The open alert on a machine that has this title.
---@param machine table
---@param title string
---@return mde.sim.alert?
function M:open_alert(machine, title)
  for i = #self.all, 1, -1 do
    local alert = self.all[i]
    if alert.title == title and alert.status ~= "resolved" and self.machine_of(alert) == machine then return alert end
  end
end

return M
