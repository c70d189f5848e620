--- foreign_host: who else than Microsoft receives the credential or the token of a client.
--
-- A setting may name any host, by mistake too. So what goes to one that is not Microsoft's is told before it is sent.
-- This machine does not count: a simulated tenant, or the endpoint of a managed identity.

local core = require "mde.core"
local errors = require "mde.base.error"

local M = {}

local MICROSOFT = { "microsoftonline%.com", "microsoftonline%.us", "microsoftonline%.cn",
  "login%.microsoft%.com", "login%.windows%.net", "sts%.windows%.net", "login%.chinacloudapi%.cn",
  "sovcloud%-identity%.[a-z][a-z]", "security%.microsoft%.com", "securitycenter%.microsoft%.com",
  "securitycenter%.windows%.com", "securitycenter%.microsoft%.us" }

--- The host of a URL, with its port.
---@param url string
---@return string
function M.host_of(url)
  return url:match "^https?://([^/?#]+)"
end

--- A host in lower case, without its port.
---@param host string
---@return string
function M.name_of(host)
  return (core.text.lower(host):gsub(":%d+$", ""))
end

---@param host string
---@return boolean
function M.is_of_microsoft(host)
  for _, domain in ipairs(MICROSOFT) do
    if ("." .. M.name_of(host)):find("%." .. domain .. "$") then return true end
  end
  return false
end

---@param host string
---@return boolean
function M.is_this_machine(host)
  local name = M.name_of(host)
  return name == "localhost" or name == "[::1]" or name:find "^127%.%d+%.%d+%.%d+$" ~= nil
    or name:find "^169%.254%.%d+%.%d+$" ~= nil
end

--- The hosts that are neither Microsoft's nor this machine, one line each: what they receive, and which setting chose
--- them.
---@param exchange mde.Exchange
---@return string[]
function M.remarks(exchange)
  local list = {}
  local function look(url, what, variable)
    local host = M.host_of(url)
    if M.is_of_microsoft(host) or M.is_this_machine(host) then return end
    list[#list + 1] = ("%s receives %s and is no host of Microsoft's (%s)"):format(errors.show(host), what,
      exchange.named(variable))
  end
  local credential = exchange.credential
  if credential.kind ~= "token function" and not credential.host then
    look(exchange.authority, "the credential", "AZURE_AUTHORITY_HOST")
  end
  look(exchange.base_url, "the token", "MDE_BASE_URL")
  return list
end

return M
