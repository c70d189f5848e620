--- ocsf: a state change of a change as an event of OCSF: class 7001, Remediation Activity.
--
-- The events are valid by the schemas of 1.3.0 to 1.8.0. What is not known is absent. What came from the service stands
-- there as the service has it; a line is JSON in which nothing acts (base/json_line.lua).

local core = require "mde.core"
local json_line = require "mde.base.json_line"
local outcomes = require "mde.audit.outcome"

local M = {}

local CLASS, CLASS_NAME = 7001, "Remediation Activity"
local D3FEND_VERSION = "1.2.0"
-- So much of a text from outside is in a line, which so stays short enough to be written in one piece.
local MAX_TEXT_BYTES = 2000

-- ---- what is done

local function countermeasure(tactic, technique)
  return { { d3f_tactic = { name = tactic, uid = "d3f:" .. tactic }, d3f_technique = technique,
    version = D3FEND_VERSION } }
end

local activities = {
  restrict = { id = 1, name = "Isolate",
    countermeasures = countermeasure("Isolate", { name = "Executable Allowlisting", uid = "D3-EAL" }) },
  release = { id = 3, name = "Restore", countermeasures = countermeasure "Restore" },
  isolate = { id = 1, name = "Isolate",
    countermeasures = countermeasure("Isolate", { name = "Network Isolation", uid = "D3-NI" }) },
  unisolate = { id = 3, name = "Restore", countermeasures = countermeasure "Restore" },
  contain = { id = 1, name = "Isolate",
    countermeasures = countermeasure("Isolate", { name = "Network Isolation", uid = "D3-NI" }) },
  uncontain = { id = 3, name = "Restore", countermeasures = countermeasure "Restore" },
  scan = { id = 5, name = "Detect",
    countermeasures = countermeasure("Detect", { name = "File Analysis", uid = "D3-FA" }) },
  quarantine = { id = 2, name = "Evict",
    countermeasures = countermeasure("Evict", { name = "File Eviction", uid = "D3-FEV" }) },
  collect = { id = 99, name = "Collect" },
  cancel = { id = 99, name = "Cancel" },
}

local OTHER = 99

-- ---- the parts

-- A text from outside, not cut within a character.
local function text(value)
  if type(value) ~= "string" then return nil end
  if #value <= MAX_TEXT_BYTES then return value end
  return value:sub(1, MAX_TEXT_BYTES - 3):gsub("[\192-\255][\128-\191]*$", "") .. "..."
end

local function milliseconds(seconds)
  return math.floor(seconds * 1000)
end

-- The words with which a platform begins, and OCSF's number and name for its kind.
local systems = {
  { "windows", 100, "Windows" }, { "linux", 200, "Linux" }, { "android", 201, "Android" },
  { "macos", 300, "macOS" }, { "ios", 301, "iOS" },
}

local function os_of(device)
  local name = text(device.osPlatform)
  if not name then return nil end
  local lower = core.text.lower(name)
  for _, system in ipairs(systems) do
    if lower:sub(1, #system[1]) == system[1] then
      return { name = name, type_id = system[2], type = system[3], version = text(device.version) }
    end
  end
  return { name = name, type_id = OTHER, type = "Other", version = text(device.version) }
end

-- The address, if it is one.
local function ip_of(device)
  local address = device.lastIpAddress
  return type(address) == "string" and core.device.kind(address) == "ip_address" and address or nil
end

local function device_of(change)
  local hostname = text(change.computerDnsName)
  if not (change.machine_id or hostname or change.asked) then return nil end
  local known = change.device or {}
  local seen = core.timestamp.read(known.lastSeen)
  return { uid = text(change.machine_id), uid_alt = text(known.aadDeviceId), hostname = hostname,
    name = hostname and (hostname:match "^[^.]+" or hostname) or not change.machine_id and text(change.asked) or nil,
    type_id = 0, type = "Unknown",
    os = os_of(known), ip = ip_of(known),
    groups = known.rbacGroupName and { { name = text(known.rbacGroupName) } } or nil,
    is_managed = known.onboardingStatus == "Onboarded" or nil,
    last_seen_time = seen and seen > 0 and milliseconds(seen) or nil }
end

local function actor_of(change)
  return { app_name = "mde", app_uid = text(change.client_id),
    user = change.user and { name = text(change.user), type_id = 1 } or nil }
end

local function metadata_of(change)
  return { version = "1.5.0", profiles = { "host" }, product = { name = "mde", vendor_name = "mde",
    version = text(change.version) }, uid = ("%s/%d"):format(text(change.run or change.stream), change.sequence),
    sequence = change.sequence, correlation_uid = text(change.incident or change.run),
    tenant_uid = text(change.tenant_id), log_name = change.run and "mde-run" or "mde", log_version = "1" }
end

-- Ours, by the same names.
local UNMAPPED = { "verb", "scope", "sha1", "outcome", "incident", "run", "playbook_sha256", "comment", "action_id",
  "attempts", "looked", "wave", "code", "rule", "http_status", "request_id", "other_action_id", "recorded",
  "reconciled", "asked", "sent_at" }

local function unmapped_of(change)
  local own = {}
  for _, name in ipairs(UNMAPPED) do
    local value = change[name]
    if type(value) == "string" then value = text(value) end
    -- JSON has no word for what is no number, or without end.
    if type(value) ~= "number" or value - value == 0 then own[name] = value end
  end
  return { mde = own }
end

-- What the service or the error calls it, and why.
local function status_of(change)
  if change.kind then return text(change.kind), text(change.message) end
  if change.http_status then return core.number.write(change.http_status), text(change.status) end
  return text(change.status), text(change.message or change.status)
end

-- Whose change it is, as one knows it.
local function subject_of(change)
  return text(change.computerDnsName or change.machine_id or change.asked or change.action_id) or "an action"
end

-- What a SIEM searches by.
local function observables_of(change)
  local list = {}
  local name, file = text(change.computerDnsName), text(change.sha1)
  if name then list[1] = { name = "device.hostname", type_id = 1, type = "Hostname", value = name } end
  if file then list[#list + 1] = { name = "unmapped.mde.sha1", type_id = 8, type = "Hash", value = file } end
  return list[1] and list or nil
end

-- ---- the event

--- An event of OCSF.
---@param change mde.ChangeEvent with `sequence`, and with `run` or `stream`, the first part of the event's uid
---@return table
function M.event(change)
  local activity, outcome = activities[change.verb], outcomes.words[change.outcome]
  local status_code, status_detail = status_of(change)
  local metadata = metadata_of(change)
  return {
    activity_id = activity.id, activity_name = activity.name, category_uid = 7, category_name = "Remediation",
    class_uid = CLASS, class_name = CLASS_NAME, type_uid = CLASS * 100 + activity.id,
    type_name = ("%s: %s"):format(CLASS_NAME, activity.id == OTHER and "Other" or activity.name),
    time = milliseconds(change.time), severity_id = outcome.severity_id, severity = outcome.severity,
    message = ("%s %s: %s"):format(change.verb, subject_of(change), outcome.says),
    -- A class of responses requires one; what never became an operation has the event's own.
    command_uid = text(change.operation_id or change.action_id) or metadata.uid,
    countermeasures = activity.countermeasures, device = device_of(change), actor = actor_of(change),
    status_id = outcome.status_id, status = outcome.status, status_code = status_code, status_detail = status_detail,
    metadata = metadata, observables = observables_of(change), unmapped = unmapped_of(change),
  }
end

--- The event as one line of JSON, without its end. Equal events are equal lines.
---@param change mde.ChangeEvent as for M.event
---@return string line
---@return table event
function M.line(change)
  local event = M.event(change)
  return json_line.encode(event), event
end

return M
