--- cloud: the hosts of each Microsoft cloud that has Defender for Endpoint.
--
-- The scope is not the host: in the commercial cloud a token for the new host name is refused, and
-- the older name must be asked for. The government clouds take the host itself.

---@class mde.Cloud
---@field authority string where to sign in
---@field base_url string the service
---@field scope string what to ask a token for

---@type table<string, mde.Cloud>
local M = {
  commercial = {
    authority = "https://login.microsoftonline.com",
    base_url = "https://api.security.microsoft.com",
    scope = "https://api.securitycenter.microsoft.com/.default",
  },
  gcc = {
    authority = "https://login.microsoftonline.com",
    base_url = "https://api-gcc.securitycenter.microsoft.us",
    scope = "https://api-gcc.securitycenter.microsoft.us/.default",
  },
  gcc_high = {
    authority = "https://login.microsoftonline.us",
    base_url = "https://api-gov.securitycenter.microsoft.us",
    scope = "https://api-gov.securitycenter.microsoft.us/.default",
  },
  dod = {
    authority = "https://login.microsoftonline.us",
    base_url = "https://api-gov.securitycenter.microsoft.us",
    scope = "https://api-gov.securitycenter.microsoft.us/.default",
  },
}

return M
