--- details: what the service knows of a device beside its record: who logged on, its software, the flaws of that, the
-- updates that are missing, and what is recommended. details.md says what each row has.

local core = require "mde.core"
local devices = require "mde.device.device"
local errors = require "mde.base.error"

local READ_SECONDS, RESOLVE_SECONDS, PAGE_SECONDS = 300, 300, 120

local M = {}

---@class mde.LogonUser
---@field id string `domain\user`
---@field accountName? string
---@field accountDomain? string
---@field accountSid? string
---@field firstSeen? string
---@field lastSeen? string
---@field logonTypes? string with commas between
---@field isDomainAdmin? boolean
---@field isOnlyNetworkUser? boolean

---@class mde.Software
---@field id string `vendor-_-product`
---@field name? string
---@field vendor? string
---@field weaknesses? integer how many flaws are known
---@field publicExploit? boolean
---@field exposedMachines? integer
---@field impactScore? number

---@class mde.Vulnerability
---@field id string its CVE
---@field name? string
---@field description? string
---@field severity? string Low to Critical
---@field cvssV3? number
---@field publishedOn? string
---@field publicExploit? boolean
---@field exploitVerified? boolean

---@class mde.MissingKb
---@field id string its number
---@field name? string
---@field productsNames? string[]
---@field url? string
---@field cveAddressed? integer how many flaws it mends

---@class mde.Recommendation
---@field id string
---@field recommendationName? string
---@field productName? string
---@field recommendedVersion? string
---@field status? string
---@field severityScore? number

-- For each function the end of the path, what it is called in an error, and the permission.
local kinds = {
  logon_users = { path = "logonusers", what = "logon users", permission = "User.Read.All" },
  software = { path = "software", what = "software", permission = "Software.Read.All" },
  vulnerabilities = { path = "vulnerabilities", what = "vulnerabilities", permission = "Vulnerability.Read.All" },
  missing_kbs = { path = "getmissingkbs", what = "missing updates", permission = "Software.Read.All" },
  recommendations = { path = "recommendations", what = "recommendations",
    permission = "SecurityRecommendation.Read.All" },
}
M.kinds = kinds

--- The names of the functions, in the order in which they are shown.
M.names = { "logon_users", "software", "vulnerabilities", "missing_kbs", "recommendations" }

--- Whether an answer is a list; rows that are no objects are taken out of it.
---@param answer table
---@param text string
---@return boolean
---@return string? why
function M.is_list(answer, text)
  local count, rows = core.json.list(text, "value"), answer.value
  if not count or type(rows) ~= "table" then return false, "it has no list of values" end
  local kept = {}
  for i = 1, count do
    if type(rows[i]) == "table" then kept[#kept + 1] = rows[i] end
  end
  answer.value = kept
  return true
end

--- What the service knows of a device. Raises for what is no device.
---@param inventory mde.Inventory
---@param name string of the function
---@param device mde.Device
---@param context mde.Context
---@return table[]? rows as the service has them
---@return mde.Error? err
function M.read(inventory, name, device, context)
  local kind = kinds[name]
  devices.check(device)
  local asked = ("%s of %s"):format(kind.what, devices.shown(device))
  local machine, err = inventory:resolve(device, context:within(RESOLVE_SECONDS))
  if not machine then return nil, errors.about(err, asked) end
  local answer
  answer, err = inventory.exchange:call {
    method = "GET", path = ("/machines/%s/%s"):format(core.odata.encode(core.text.lower(machine.id)), kind.path),
    kind = "read", api = "machine_" .. name, permission = kind.permission, context = context:within(READ_SECONDS),
    seconds = PAGE_SECONDS, usable = M.is_list,
  }
  if not answer then return nil, errors.about(err, asked) end
  if answer["@odata.nextLink"] ~= nil then
    return nil, errors.about(errors.new { kind = "protocol", code = "list_cut_short",
      message = ("the service cut the list short after %d rows and links to the rest; no link is followed"):format(
        #answer.value), hint = "Try again later." }, asked)
  end
  return answer.value
end

return M
