--- shell_word: a text as one word of a command that is shown to be copied into a shell.

local M = {}

--- The word: as it is if no shell reads anything into it, else in single quotes.
---@param text string
---@return string
function M.of(text)
  if text:find "^[A-Za-z0-9_./:@%%,+-][A-Za-z0-9_./:@%%,+=-]*$" then return text end
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

return M
