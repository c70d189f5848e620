--- absent_incidents: says that nothing names an incident, and which incidents there are.

local columns = require "mde.cli.ui.columns"
local errors = require "mde.base.error"
local phrase = require "mde.cli.ui.phrase"
local terminal = require "mde.cli.ui.terminal"

local M = {}

--- Says which incidents no action names, and those that acted last.
---@param report mde.IncidentReport
---@param now number Unix seconds
---@param since? string in words, the time from which on was looked: " since then"
function M.say(report, now, since)
  for _, incident in ipairs(report.absent) do
    terminal.say(("%s: no restriction or release names it%s."):format(errors.show(incident), since or ""))
  end
  if not report.recent[1] then return terminal.say "No restriction or release names any incident." end
  terminal.say "The incidents that acted last:"
  for _, one in ipairs(report.recent) do
    local ago = columns.ago(one.last, now)
    terminal.say(("  %s: %s, %s%s"):format(one.incident, phrase.counted(one.devices, "device"),
      phrase.counted(one.actions, "action"), ago and ", the last " .. ago or ""))
  end
end

return M
