--- evidence: what an alert is about: devices, users, files, processes, addresses and URLs.
--
-- Both sources come to one shape. Which device may be acted on the core decides (src/core/evidence.h). What is of a
-- type that is not known here is passed over; it stays in the alert's `row`.

local core = require "mde.core"
local errors = require "mde.base.error"
local row_fields = require "mde.base.row_fields"

---@class mde.AlertDevice a device that an alert is about; a mde.Device, if it has an id
---@field id? string the machine id, in lower case; nil where Defender for Endpoint does not know the device
---@field aadDeviceId? string
---@field computerDnsName? string
---@field osPlatform? string
---@field onboardingStatus? string
---@field roles string[] what the alert says of its part: compromised, attacked, contextual, source ...
---@field is_contextual boolean it was seen nearby, and nothing says that it was hit
---@field is_target boolean it may be acted on: it has an id, is onboarded and not only contextual
---@field problem? string why it cannot be acted on, a sentence without its end

---@class mde.AlertUser
---@field accountName? string
---@field domainName? string
---@field userSid? string
---@field azureAdUserId? string
---@field userPrincipalName? string
---@field displayName? string
---@field roles string[]

---@class mde.AlertFile
---@field fileName? string
---@field filePath? string
---@field sha1? string
---@field sha256? string
---@field md5? string
---@field filePublisher? string
---@field mdeDeviceId? string the machine on which it was
---@field detectionStatus? string as its source spells it
---@field verdict? string of the source "graph"

---@class mde.AlertProcess: mde.AlertFile
---@field processId? integer
---@field parentProcessId? integer
---@field processCommandLine? string
---@field processCreationDateTime? string
---@field userAccount? mde.AlertUser

---@class mde.Evidence
---@field devices mde.AlertDevice[]
---@field users mde.AlertUser[]
---@field files mde.AlertFile[]
---@field processes mde.AlertProcess[]
---@field addresses string[]
---@field urls string[]

local M = {}

-- ---- what a row has

local function table_of(value)
  return type(value) == "table" and value or {}
end

-- The texts of these names, in a new table.
local function texts(from, names)
  local own = {}
  for i = 1, #names do
    local value = from[names[i]]
    if type(value) == "string" and value ~= "" then own[names[i]] = value end
  end
  return own
end

local function number(value)
  return type(value) == "number" and value or nil
end

local function roles_of(piece)
  local own = { roles = piece.roles }
  row_fields.make_list(own, "roles")
  return own.roles or {}
end

local account_names = { "accountName", "domainName", "userSid", "azureAdUserId", "userPrincipalName", "displayName" }
local file_names = { "fileName", "filePath", "sha1", "sha256", "md5", "filePublisher" }

local function file_of(of_file, piece)
  local file = texts(table_of(of_file), file_names)
  for name, value in pairs(texts(piece, { "mdeDeviceId", "detectionStatus", "verdict" })) do file[name] = value end
  return file
end

local function process_of(of_file, piece)
  local process = file_of(of_file, piece)
  for name, value in pairs(texts(piece, { "processCommandLine", "processCreationDateTime" })) do
    process[name] = value
  end
  process.processId, process.parentProcessId = number(piece.processId), number(piece.parentProcessId)
  return process
end

-- ---- devices

local Device = { __name = "mde.alert_device" }

function Device:__tostring()
  return errors.show(self.computerDnsName or self.id or self.aadDeviceId or "a device without a name")
end

--- Whether a value is a device of an alert.
---@param value any
---@return boolean
function M.is_device(value)
  return getmetatable(value) == Device
end

local problems = {
  no_id = function()
    return "Defender for Endpoint does not know it: the alert has no machine id for it"
  end,
  malformed_id = function(piece)
    return ("the alert has %s in the place of its machine id"):format(errors.quote(piece.id))
  end,
  not_onboarded = function(piece)
    return ("it is not onboarded (%s) and takes no actions; mde.contain has the onboarded devices block it"):format(
      errors.show(piece.onboardingStatus))
  end,
}

local device_names = { "aadDeviceId", "computerDnsName", "osPlatform", "onboardingStatus" }

-- What a piece says that is no guess: an Entra id is a GUID, and not of zeros.
local function checked(piece)
  if piece.aadDeviceId and core.device.kind(piece.aadDeviceId) ~= "guid" then piece.aadDeviceId = nil end
  return piece
end

-- One device of its pieces: what the first has not, the next one may have.
local function device_of(judged, pieces)
  local first = pieces[judged.pieces[1]]
  local device = { roles = {}, is_contextual = judged.is_contextual, is_target = judged.is_target }
  local has_role = {}
  for _, place in ipairs(judged.pieces) do
    local piece = pieces[place]
    for _, name in ipairs(device_names) do
      if device[name] == nil then device[name] = piece[name] end
    end
    for _, role in ipairs(piece.roles) do
      if not has_role[role] then device.roles[#device.roles + 1] = role end
      has_role[role] = true
    end
  end
  if judged.problem then
    local told = { id = first.id, onboardingStatus = device.onboardingStatus }
    device.problem = problems[judged.problem](told)
  end
  if not judged.problem or judged.problem == "not_onboarded" then device.id = core.text.lower(first.id) end
  return setmetatable(device, Device)
end

local function devices_of(pieces)
  local devices = {}
  for i, judged in ipairs(core.alert.devices(pieces)) do devices[i] = device_of(judged, pieces) end
  return devices
end

-- ---- both sources

local function new()
  return { users = {}, files = {}, processes = {}, addresses = {}, urls = {} }
end

local function add(list, item)
  if next(item) ~= nil then list[#list + 1] = item end
end

-- Adds a text that is not there yet.
local function add_text(list, value)
  if type(value) ~= "string" or value == "" then return end
  for i = 1, #list do
    if list[i] == value then return end
  end
  list[#list + 1] = value
end

-- Adds an account that is not there yet.
local function add_user(list, account, roles)
  if next(account) == nil then return end
  for _, known in ipairs(list) do
    local is_same = true
    for _, name in ipairs(account_names) do is_same = is_same and known[name] == account[name] end
    if is_same then return end
  end
  account.roles = roles
  list[#list + 1] = account
end

local of_graph = {}

function of_graph.userEvidence(piece, evidence)
  add_user(evidence.users, texts(table_of(piece.userAccount), account_names), roles_of(piece))
end

function of_graph.fileEvidence(piece, evidence)
  add(evidence.files, file_of(piece.fileDetails, piece))
end

function of_graph.processEvidence(piece, evidence)
  local process = process_of(piece.imageFile, piece)
  local account = texts(table_of(piece.userAccount), account_names)
  if next(account) ~= nil then process.userAccount = account end
  add(evidence.processes, process)
end

function of_graph.ipEvidence(piece, evidence) add_text(evidence.addresses, piece.ipAddress) end

function of_graph.urlEvidence(piece, evidence) add_text(evidence.urls, piece.url) end

local function graph_device(piece)
  local own = texts(piece, { "osPlatform", "onboardingStatus" })
  -- What stands in the place of an id is told, whatever it is.
  if piece.mdeDeviceId ~= nil and piece.mdeDeviceId ~= "" then own.id = errors.show(piece.mdeDeviceId) end
  if type(piece.mdeDeviceId) == "string" then own.id = piece.mdeDeviceId end
  own.computerDnsName = texts(piece, { "deviceDnsName" }).deviceDnsName or texts(piece, { "hostName" }).hostName
  own.aadDeviceId = texts(piece, { "azureAdDeviceId" }).azureAdDeviceId
  own.roles = roles_of(piece)
  return checked(own)
end

--- What an alert of Graph is about.
---@param row table
---@return mde.Evidence
function M.of_graph(row)
  local evidence, pieces = new(), {}
  for _, piece in ipairs(table_of(row.evidence)) do
    local kind = type(piece) == "table" and type(piece["@odata.type"]) == "string"
      and piece["@odata.type"]:match "^#?microsoft%.graph%.security%.([A-Za-z]+)$"
    if kind == "deviceEvidence" then
      pieces[#pieces + 1] = graph_device(piece)
    elseif kind and of_graph[kind] then
      of_graph[kind](piece, evidence)
    end
  end
  evidence.devices = devices_of(pieces)
  return evidence
end

local of_defender = {}

local function defender_account(piece)
  local account = texts(piece, account_names)
  account.azureAdUserId = texts(piece, { "aadUserId" }).aadUserId
  return account
end

function of_defender.User(piece, evidence) add_user(evidence.users, defender_account(piece), {}) end

function of_defender.File(piece, evidence) add(evidence.files, file_of(piece, piece)) end

function of_defender.Process(piece, evidence)
  local process = process_of(piece, piece)
  process.processCreationDateTime = texts(piece, { "processCreationTime" }).processCreationTime
  local account = defender_account(piece)
  if next(account) ~= nil then process.userAccount = account end
  add(evidence.processes, process)
end

function of_defender.Ip(piece, evidence) add_text(evidence.addresses, piece.ipAddress) end

function of_defender.Url(piece, evidence) add_text(evidence.urls, piece.url) end

--- What an alert of Defender for Endpoint is about. It has one device, which stands beside the evidence.
---@param row table
---@return mde.Evidence
function M.of_defender(row)
  local evidence = new()
  for _, piece in ipairs(table_of(row.evidence)) do
    local read = type(piece) == "table" and of_defender[piece.entityType]
    if read then read(piece, evidence) end
  end
  local related = table_of(row.relatedUser)
  if not evidence.users[1] then
    local named = texts(related, { "userName", "domainName" })
    add_user(evidence.users, { accountName = named.userName, domainName = named.domainName }, {})
  end
  local device = texts(row, { "machineId", "computerDnsName" })
  local is_told = device.machineId or device.computerDnsName
  evidence.devices = devices_of(is_told and { { id = device.machineId, computerDnsName = device.computerDnsName,
    roles = {} } } or {})
  return evidence
end

return M
