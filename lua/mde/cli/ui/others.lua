--- others: what a plan notes beside its response actions, tags for example, in a line for each verb; and what of it a
-- run did not do.
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

local words = { failed = "Not done", unknown = "Sent, and not known what came of it", sending = "On its way" }

--- What was sent and not done, or of which that is not known, a line each, and no more than a few.
---@param sent { line: string, word: string, said?: string }[]
---@return string[] lines escaped
function M.not_done(sent)
  local lines, left = {}, 0
  for _, one in ipairs(sent) do
    if words[one.word] and #lines < MAX_NAMED then
      lines[#lines + 1] = ("%s: %s%s"):format(words[one.word], errors.show(one.line),
        one.said and ": " .. errors.show(one.said) or "")
    elseif words[one.word] then
      left = left + 1
    end
  end
  if left > 0 then lines[#lines + 1] = ("%d more were not done (--json lists them all)"):format(left) end
  return lines
end

return M
