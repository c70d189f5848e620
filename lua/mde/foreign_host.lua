--- foreign_host: who else than Microsoft receives the credential or the token of a client.
--
-- A setting may name any host, by mistake too. So what goes to one that is not Microsoft's is told before it is sent.
-- This machine does not count: there it is a simulated tenant.

local core = require "mde.core"
local errors = require "mde.base.error"

local M = {}

--- The hosts that are neither Microsoft's nor this machine, one line each: what they receive, and which setting chose
--- them.
---@param exchange mde.Exchange
---@return string[]
function M.remarks(exchange)
  local list = {}
  local function look(url, what, variable)
    local parts = core.url.parse(url)
    if parts.class == "microsoft" or parts.class == "this_machine" then return end
    list[#list + 1] = ("%s receives %s and is no host of Microsoft's (%s)"):format(errors.show(parts.authority), what,
      exchange.named(variable))
  end
  local credential = exchange.credential
  if credential.kind ~= "token function" and not credential.host then
    look(exchange.authority, "the credential", "AZURE_AUTHORITY_HOST")
  end
  look(exchange.base_url, "the token", "MDE_BASE_URL")
  if exchange.graph_url then look(exchange.graph_url, "the token for Microsoft Graph", "MDE_GRAPH_URL") end
  return list
end

return M
