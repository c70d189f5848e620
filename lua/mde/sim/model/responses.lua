-- What can be done to devices over the API: a row for each request, with what it takes, who may send it, which devices
-- can do it and what a repetition gets.
--
-- Written from the service's documents and from observations alone, and never from the client's own table: a mistake in
-- one of the two shows when they are compared. `source` names the sections of the fact sheet and of that of 2026, and
-- the pages of the documents.

local core = require "mde.core"

---@class mde.sim.field
---@field name string in the service's spelling, which counts
---@field required boolean
---@field kind "text"|"value"|"sha1"|"ids"|"truth"|"time"|"list"
---@field values string[]? of a value: what it may be, in this spelling
---@field element "string"|"number"|"table"|nil of a list: what it is of
---@field can_be_null boolean? null is as if it were left out
---@field default string? of a value: what it is if it is left out
---@field most integer? of ids: how many there may be; as many as one likes if absent

---@class mde.sim.response
---@field name string the end of the path, in the service's spelling, which counts
---@field method "GET"|"POST"
---@field path string
---@field fields mde.sim.field[] the members of the body, and there may be no others
---@field roles string[] each of which is enough
---@field role_of_type boolean? of these, only the role of the action's own type is enough
---@field status integer of the answer
---@field type string? of the action that it makes; nil if it makes none
---@field scope string? the field that the action's `scope` is taken from
---@field without_scope table<string, boolean>? its values that make an action without a scope
---@field file string? the field that the action's `relatedFileInfo` is taken from
---@field platforms table<string, table<string, string>>? what devices it is for: for each `osPlatform`, the least
--- `version`, `osVersion` or `agentVersion`; nil for all
---@field platforms_of table<string, table<string, table<string, string>>>? the same for a value of the scope
---@field onboarded table<string, boolean>? for a value of the scope, whether the device must be onboarded or must not
---@field around boolean? on a device that is not onboarded, the others carry it out, and its platform does not matter
---@field duplicate "as_set"|"refused"? what one gets while one of the type is open: as the setting says, or always 400
---@field limits { per_minute: integer?, per_hour: integer? }? of its own, in place of the usual ones
---@field replacement string? it is retired, and this is what to do
---@field source string

local M = {}

-- ---- which devices

local restricting = {
  Windows10 = { version = "1709" }, Windows11 = {}, WindowsServer2019 = {}, WindowsServer2022 = {},
  WindowsServer2025 = {},
}

local isolating = {
  Windows10 = { version = "1703" }, Windows11 = {}, WindowsServer2012R2 = {}, WindowsServer2016 = {},
  WindowsServer2019 = {}, WindowsServer2022 = {}, WindowsServer2025 = {}, Linux = {},
  macOS = { agentVersion = "101.98.84" },
}

local isolating_in_part = {
  Windows10 = { version = "1709" }, Windows11 = {}, WindowsServer2012R2 = {}, WindowsServer2016 = {},
  WindowsServer2019 = {}, WindowsServer2022 = {}, WindowsServer2025 = {}, macOS = { agentVersion = "101.98.84" },
}

local scanning = {
  Windows10 = { version = "1709" }, Windows11 = {}, Linux = { agentVersion = "101.98.84" },
  macOS = { agentVersion = "101.98.84" },
}

local quarantining = { Windows10 = { version = "1703" }, Windows11 = {} }

local collecting = {
  Windows10 = { version = "1703" }, Windows11 = {}, WindowsServer2012R2 = {}, WindowsServer2016 = {},
  WindowsServer2019 = {}, WindowsServer2022 = {}, WindowsServer2025 = {}, Linux = {}, macOS = {},
}

local offboarding = {
  Windows10 = { version = "1703" }, Windows11 = {}, WindowsServer2012R2 = {}, WindowsServer2016 = {},
  WindowsServer2019 = {}, WindowsServer2022 = {}, WindowsServer2025 = {}, Linux = {}, macOS = { osVersion = "14" },
}

-- ---- the rows

local reading = { "Machine.Read.All", "Machine.ReadWrite.All" }
local writing = { "Machine.ReadWrite.All" }

local comment = { name = "Comment", required = true, kind = "text" }
local tag = { name = "Value", required = true, kind = "text" }
local tag_change = { name = "Action", required = true, kind = "value", values = { "Add", "Remove" } }

---@type mde.sim.response[]
M.rows = {
  {
    name = "restrictCodeExecution", method = "POST", path = "machines/{id}/restrictCodeExecution",
    fields = { comment }, roles = { "Machine.RestrictExecution" }, status = 201, type = "RestrictCodeExecution",
    platforms = restricting, duplicate = "as_set",
    source = "5.1, 5.3; 2026: 2.1, 9; restrict-code-execution, respond-machine-alerts",
  },
  {
    name = "unrestrictCodeExecution", method = "POST", path = "machines/{id}/unrestrictCodeExecution",
    fields = { comment }, roles = { "Machine.RestrictExecution" }, status = 201, type = "UnrestrictCodeExecution",
    platforms = restricting, duplicate = "as_set",
    source = "5.1, 5.3; 2026: 2.1; unrestrict-code-execution",
  },
  {
    name = "isolate", method = "POST", path = "machines/{id}/isolate",
    fields = { comment, { name = "IsolationType", required = false, kind = "value",
      values = { "Full", "Selective", "UnManagedDevice" }, default = "Full" } },
    roles = { "Machine.Isolate" }, status = 201, type = "Isolate", scope = "IsolationType",
    without_scope = { UnManagedDevice = true },
    platforms = isolating, platforms_of = { Selective = isolating_in_part },
    onboarded = { Full = true, Selective = true, UnManagedDevice = false }, around = true, duplicate = "as_set",
    source = "5.1, 5.3; 2026: 2.1, 2.2; isolate-machine, respond-machine-alerts",
  },
  {
    name = "unisolate", method = "POST", path = "machines/{id}/unisolate",
    fields = { comment }, roles = { "Machine.Isolate" }, status = 201, type = "Unisolate",
    platforms = isolating, around = true, duplicate = "as_set",
    source = "5.1, 5.3; 2026: 2.1, 2.2; unisolate-machine",
  },
  {
    name = "runAntiVirusScan", method = "POST", path = "machines/{id}/runAntiVirusScan",
    fields = { comment, { name = "ScanType", required = true, kind = "value", values = { "Quick", "Full" } } },
    roles = { "Machine.Scan" }, status = 201, type = "RunAntiVirusScan", scope = "ScanType",
    platforms = scanning, duplicate = "as_set",
    source = "5.1, 5.3; 2026: 2.1, 2.3; run-av-scan",
  },
  {
    name = "StopAndQuarantineFile", method = "POST", path = "machines/{id}/StopAndQuarantineFile",
    fields = { comment, { name = "Sha1", required = true, kind = "sha1" } },
    roles = { "Machine.StopAndQuarantine" }, status = 201, type = "StopAndQuarantineFile", file = "Sha1",
    platforms = quarantining, duplicate = "as_set",
    source = "5.1, 9.3; 2026: 2.1, 2.4; stop-and-quarantine-file",
  },
  {
    name = "collectInvestigationPackage", method = "POST", path = "machines/{id}/collectInvestigationPackage",
    fields = { comment }, roles = { "Machine.CollectForensics" }, status = 201, type = "CollectInvestigationPackage",
    platforms = collecting, duplicate = "refused",
    source = "5.1, 5.3; 2026: 2.1, 2.8; collect-investigation-package",
  },
  {
    name = "offboard", method = "POST", path = "machines/{id}/offboard",
    fields = { comment }, roles = { "Machine.Offboard" }, status = 201, type = "Offboard",
    platforms = offboarding, duplicate = "as_set",
    source = "5.1, 9.2; 2026: 2.1, 2.5; offboard-machine-api",
  },
  {
    name = "startInvestigation", method = "POST", path = "machines/{id}/startInvestigation",
    fields = { comment }, roles = { "Alert.ReadWrite.All" }, status = 404, limits = { per_hour = 50 },
    replacement = "runAntiVirusScan with the ScanType Full",
    source = "5.1, 7.3; 2026: 0, 2.6; initiate-autoir-investigation",
  },
  {
    name = "cancel", method = "POST", path = "machineactions/{id}/cancel",
    fields = { comment }, status = 200, role_of_type = true,
    roles = { "Machine.CollectForensics", "Machine.Isolate", "Machine.RestrictExecution", "Machine.Scan",
      "Machine.Offboard", "Machine.StopAndQuarantine", "Machine.LiveResponse" },
    source = "2.8, 4.5; 2026: 2.1; cancel-machine-action",
  },
  {
    name = "getPackageUri", method = "GET", path = "machineactions/{id}/getPackageUri",
    fields = {}, roles = reading, status = 200, limits = { per_minute = 2, per_hour = 120 },
    source = "5.2, 7.3; 2026: 2.1, 2.8; get-package-sas-uri",
  },
  {
    name = "tags", method = "POST", path = "machines/{id}/tags",
    fields = { tag, tag_change }, roles = writing, status = 200,
    source = "3.6; 2026: 4; add-or-remove-machine-tags",
  },
  {
    name = "AddOrRemoveTagForMultipleMachines", method = "POST", path = "machines/AddOrRemoveTagForMultipleMachines",
    fields = { tag, tag_change, { name = "MachineIds", required = true, kind = "ids", most = 500 } },
    roles = writing, status = 200,
    source = "3.6; 2026: 4; add-or-remove-multiple-machine-tags",
  },
  {
    name = "setDeviceValue", method = "POST", path = "machines/{id}/setDeviceValue",
    fields = { { name = "DeviceValue", required = true, kind = "value", values = { "Low", "Normal", "High" } } },
    roles = writing, status = 200,
    source = "3.6; 2026: 4; set-device-value",
  },
}

--- The rows by their names.
---@type table<string, mde.sim.response>
M.by_name = {}

-- Live response has no row here; an action that somebody else began can be cancelled.
local roles_of_types = { LiveResponse = "Machine.LiveResponse" }

for _, row in ipairs(M.rows) do
  M.by_name[row.name] = row
  if row.type then roles_of_types[row.type] = row.roles[1] end
end

--- The role that cancels an action of a type; nil if such an action cannot be cancelled.
---@param kind string
---@return string?
function M.role_of_type(kind)
  return roles_of_types[kind]
end

-- ---- which devices can

-- The numbers between the dots; nil if there is anything else.
local function numbers_of(text)
  if not text:find "^%d[%d.]*$" then return nil end
  local numbers = {}
  for digits in text:gmatch "%d+" do numbers[#numbers + 1] = core.number.read(digits) end
  return numbers
end

-- A version that is not of numbers, 22H2 for one, is of a later time than those that are least ones.
local function is_older(version, least)
  local has, wanted = numbers_of(version), numbers_of(least)
  if not has then return false end
  for i, number in ipairs(wanted) do
    local own = has[i] or 0
    if own ~= number then return own < number end
  end
  return false
end

--- Why a device cannot do something, as the code of a refusal.
---@param row mde.sim.response
---@param scope string? the value of the field that tells the scope
---@param machine table
---@return "InvalidInput"|"OsPlatformNotSupported"|"ClientVersionNotSupported"|nil code nil if it can
---@return string? message
function M.problem(row, scope, machine)
  local is_onboarded = machine.onboardingStatus == "Onboarded"
  local must_be_onboarded
  if scope and row.onboarded then must_be_onboarded = row.onboarded[scope] end
  if must_be_onboarded ~= nil and must_be_onboarded ~= is_onboarded then
    return "InvalidInput", ("%s '%s' is for devices that are %s, and machine %s is %s."):format(row.scope, scope,
      must_be_onboarded and "onboarded" or "not onboarded", machine.id, is_onboarded and "onboarded" or "not onboarded")
  end
  if row.around and not is_onboarded then return nil end
  local platforms = row.platforms_of and row.platforms_of[scope] or row.platforms
  local least_versions = not platforms and {} or platforms[machine.osPlatform]
  if not least_versions then
    return "OsPlatformNotSupported", ("The operating system %s of machine %s does not support this action.")
      :format(machine.osPlatform or "(unknown)", machine.id)
  end
  for property, least in pairs(least_versions) do
    if machine[property] and is_older(machine[property], least) then
      return "ClientVersionNotSupported", ("Version %s of machine %s is too old for this action.")
        :format(machine[property], machine.id)
    end
  end
end

return M
