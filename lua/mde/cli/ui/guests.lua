--- guests: says before an isolation that the guests of a host of virtual machines go with it; see action/guard.md.
--
-- The service says of no device that it is such a host, but for what its platform is called. So it is said as long as
-- nothing that a person knows, a tag or a name, protects a device.

local terminal = require "mde.cli.ui.terminal"

local M = {}

--- Says it, unless tags or names are protected.
---@param client mde.Client
function M.caution(client)
  for _, rule in ipairs(client:rules()) do
    if rule == "tags" or rule == "names" then return end
  end
  terminal.caution("a device that runs virtual machines takes them off the network with it, and but for servers "
    .. "nothing tells which devices do; give these a tag, and protect that")
end

return M
