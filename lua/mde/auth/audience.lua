--- audience: whom a token is for, and whether that is Defender for Endpoint.
--
-- The service has had several names, each cloud has its own, and a token may carry its application id instead.

local clouds = require "mde.base.cloud"
local core = require "mde.core"

local known = {
  ["https://api.securitycenter.windows.com"] = true,
  ["https://securitycenter.onmicrosoft.com/windowsatpservice"] = true,
  ["fc780465-2017-40d4-a0c5-307022471b92"] = true,
}
for _, cloud in pairs(clouds) do
  local audience = cloud.scope:gsub("/%.default$", "")
  known[audience] = true
end

local M = {}

--- Whether a token's `aud` is one of the service's.
---@param aud any
---@return boolean
function M.is_of_the_service(aud)
  if type(aud) ~= "string" then return false end
  local name = core.text.lower(aud):gsub("/+$", "")
  return known[name] or false
end

return M
