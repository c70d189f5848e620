--- cloud: the hosts of each Microsoft cloud that has Defender for Endpoint, and Microsoft Graph's beside them.
--
-- The scope is not the host: in the commercial cloud a token for the new host name is refused, and
-- the older name must be asked for. The government clouds take the host itself. Of Graph it is the host everywhere.

---@class mde.Cloud
---@field authority string where to sign in
---@field base_url string the service
---@field scope string what to ask a token for
---@field graph_url string Microsoft Graph
---@field graph_scope string what to ask a token for Graph for

---@type table<string, mde.Cloud>
local M = {
  commercial = {
    authority = "https://login.microsoftonline.com",
    base_url = "https://api.security.microsoft.com",
    scope = "https://api.securitycenter.microsoft.com/.default",
    graph_url = "https://graph.microsoft.com",
    graph_scope = "https://graph.microsoft.com/.default",
  },
  gcc = {
    authority = "https://login.microsoftonline.com",
    base_url = "https://api-gcc.securitycenter.microsoft.us",
    scope = "https://api-gcc.securitycenter.microsoft.us/.default",
    graph_url = "https://graph.microsoft.com",
    graph_scope = "https://graph.microsoft.com/.default",
  },
  gcc_high = {
    authority = "https://login.microsoftonline.us",
    base_url = "https://api-gov.securitycenter.microsoft.us",
    scope = "https://api-gov.securitycenter.microsoft.us/.default",
    graph_url = "https://graph.microsoft.us",
    graph_scope = "https://graph.microsoft.us/.default",
  },
  dod = {
    authority = "https://login.microsoftonline.us",
    base_url = "https://api-gov.securitycenter.microsoft.us",
    scope = "https://api-gov.securitycenter.microsoft.us/.default",
    graph_url = "https://dod-graph.microsoft.us",
    graph_scope = "https://dod-graph.microsoft.us/.default",
  },
}

return M
