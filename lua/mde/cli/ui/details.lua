--- details: one record, a line for each field.

local csv = require "mde.cli.ui.csv"
local output = require "mde.cli.ui.output"
local terminal = require "mde.cli.ui.terminal"

local M = {}

--- Writes the named fields that there are.
---@param record table
---@param names string[]
function M.write(record, names)
  local longest = 0
  for _, name in ipairs(names) do
    if record[name] ~= nil then longest = math.max(longest, #name) end
  end
  for _, name in ipairs(names) do
    if record[name] ~= nil then
      output.write(("%s  %s\n"):format(terminal.fit(name, longest), terminal.escape(csv.text(record[name]))))
    end
  end
end

return M
