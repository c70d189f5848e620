--- others: what a plan notes beside its response actions, tags for example, in a line for each verb.
--
-- Each is a text that begins with its verb: "tag pc-1.corp.example: contained".

local errors = require "mde.base.error"

-- So many of a verb are named.
local MAX_NAMED = 5

local M = {}

--- The lines, in the order in which the verbs come first: "tag 292: pc-1: seen, pc-2: seen and 290 more (--json lists
--- them all)"; of one alone its text.
---@param others string[]
---@return string[] lines escaped
function M.lines(others)
  local groups, order, lines = {}, {}, {}
  for _, other in ipairs(others) do
    local verb, rest = other:match "^(%S+) (.+)$"
    verb = verb or other
    if not groups[verb] then
      groups[verb] = {}
      order[#order + 1] = verb
    end
    table.insert(groups[verb], rest or "")
  end
  for i, verb in ipairs(order) do
    local group, named = groups[verb], {}
    for n = 1, math.min(#group, MAX_NAMED) do named[n] = errors.show(group[n]) end
    local left = #group - #named
    lines[i] = errors.show(verb) .. (group[2] and (" %d:"):format(#group) or "") .. (named[1] ~= "" and " " or "")
      .. table.concat(named, ", ") .. (left > 0 and (" and %d more (--json lists them all)"):format(left) or "")
  end
  return lines
end

return M
