--- details: what a client can ask about devices beside their records; device/details.md has the rows.

local details = require "mde.device.details"
local exports = require "mde.device.export"
local groups = require "mde.device.group"
local options_of = require "mde.base.options"

---@class mde.Client
local methods = {}

local function read(client, name, device, options)
  options = options_of.check(options, { timeout = "seconds" }, "mde." .. name)
  return details.read(client.inventory, name, device, client:context(options.timeout))
end

--- Who has logged on to a device in the last 30 days. Needs the permission User.Read.All of Defender.
---@param device mde.Device
---@param options? { timeout?: number }
---@return mde.LogonUser[]? users
---@return mde.Error? err
function methods:logon_users(device, options) return read(self, "logon_users", device, options) end

--- What is installed on a device. Needs the permission Software.Read.All.
---@param device mde.Device
---@param options? { timeout?: number }
---@return mde.Software[]? software
---@return mde.Error? err
function methods:software(device, options) return read(self, "software", device, options) end

--- The known flaws of what is installed. Needs the permission Vulnerability.Read.All.
---@param device mde.Device
---@param options? { timeout?: number }
---@return mde.Vulnerability[]? vulnerabilities
---@return mde.Error? err
function methods:vulnerabilities(device, options) return read(self, "vulnerabilities", device, options) end

--- The security updates that a device lacks. Needs the permission Software.Read.All.
---@param device mde.Device
---@param options? { timeout?: number }
---@return mde.MissingKb[]? updates
---@return mde.Error? err
function methods:missing_kbs(device, options) return read(self, "missing_kbs", device, options) end

--- What the service recommends for a device. Needs the permission SecurityRecommendation.Read.All.
---@param device mde.Device
---@param options? { timeout?: number }
---@return mde.Recommendation[]? recommendations
---@return mde.Error? err
function methods:recommendations(device, options) return read(self, "recommendations", device, options) end

--- What is installed on all devices, one after the other; a page at a time is in memory. Needs the permission
--- Software.Read.All.
---@param options? mde.ExportOptions
---@return fun(): table? next_row raises the error if a page cannot be read
function methods:all_software(options)
  return exports.rows(self, "all_software", options_of.check(options, exports.known_options, "mde.all_software"))
end

--- The known flaws on all devices. A row without `cveId` is software without one. Needs the permission
--- Vulnerability.Read.All.
---@param options? mde.ExportOptions
---@return fun(): table? next_row raises the error if a page cannot be read
function methods:all_vulnerabilities(options)
  return exports.rows(self, "all_vulnerabilities",
    options_of.check(options, exports.known_options, "mde.all_vulnerabilities"))
end

--- The device groups of the tenant. Needs the permission Score.Read.All.
---@param options? { timeout?: number }
---@return mde.DeviceGroup[]? groups
---@return mde.Error? err
function methods:device_groups(options)
  options = options_of.check(options, { timeout = "seconds" }, "mde.device_groups")
  return groups.list(self.exchange, self:context(options.timeout))
end

return methods
