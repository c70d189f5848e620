-- The tables of advanced hunting that this tenant has, with the names, types and order of the service's columns; not
-- all of them. A column is a string unless it says otherwise.
local M = {}

-- What every event has of the process that caused it.
local initiator = "InitiatingProcessFileName InitiatingProcessFolderPath InitiatingProcessId:long "
  .. "InitiatingProcessCommandLine InitiatingProcessSHA1 InitiatingProcessSHA256 InitiatingProcessAccountDomain "
  .. "InitiatingProcessAccountName"

local account = "AccountDomain AccountName AccountSid AccountUpn"

local texts = {
  DeviceInfo = "Timestamp:datetime DeviceId DeviceName ClientVersion PublicIP OSArchitecture OSPlatform OSBuild:long "
    .. "IsAzureADJoined:bool AadDeviceId LoggedOnUsers OSVersion MachineGroup ReportId:long OnboardingStatus "
    .. "DeviceCategory DeviceType MergedToDeviceId IsInternetFacing:bool SensorHealthState IsExcluded:bool "
    .. "ExposureLevel AssetValue DeviceManualTags DeviceDynamicTags",
  DeviceProcessEvents = "Timestamp:datetime DeviceId DeviceName ActionType FileName FolderPath SHA1 SHA256 MD5 "
    .. "FileSize:long ProcessId:long ProcessCommandLine ProcessCreationTime:datetime " .. account .. " "
    .. initiator .. " ReportId:long",
  DeviceFileEvents = "Timestamp:datetime DeviceId DeviceName ActionType FileName FolderPath SHA1 SHA256 MD5 "
    .. "FileOriginUrl FileSize:long " .. initiator .. " ReportId:long",
  DeviceNetworkEvents = "Timestamp:datetime DeviceId DeviceName ActionType RemoteIP RemotePort:int RemoteUrl LocalIP "
    .. "LocalPort:int Protocol " .. initiator .. " ReportId:long",
  DeviceLogonEvents = "Timestamp:datetime DeviceId DeviceName ActionType LogonType " .. account .. " Protocol "
    .. "FailureReason IsLocalAdmin:bool LogonId:long RemoteDeviceName RemoteIP " .. initiator .. " ReportId:long",
  AlertInfo = "Timestamp:datetime AlertId Title Category Severity ServiceSource DetectionSource AttackTechniques",
  AlertEvidence = "Timestamp:datetime AlertId Title Categories AttackTechniques ServiceSource DetectionSource "
    .. "EntityType EvidenceRole FileName FolderPath SHA1 SHA256 FileSize:long RemoteIP RemoteUrl AccountName "
    .. "AccountDomain AccountSid AccountObjectId AccountUpn DeviceId DeviceName ProcessCommandLine Severity",
}

-- A column that is not certain to exist in a tenant; by the documents of 2024 it does not.
local uncertain = { DeviceInfo = "MitigationStatus" }

local function read(text)
  local columns = {}
  for word in text:gmatch "%S+" do
    local name, kind = word:match "^([A-Za-z0-9]+):?([a-z]*)$"
    columns[#columns + 1] = { name = name, type = kind ~= "" and kind or "string" }
  end
  return columns
end

--- Each table's columns by its name.
---@type table<string, mde.sim.kql.column[]>
M.tables = {}

--- The same with the columns that are not certain to exist.
---@type table<string, mde.sim.kql.column[]>
M.with_uncertain = {}

for name, text in pairs(texts) do
  M.tables[name] = read(text)
  M.with_uncertain[name] = read(text .. " " .. (uncertain[name] or ""))
end

return M
