--- output: standard output, which may end before we do: a closed pipe or terminal, a full disk.
--
-- After the first failure nothing more is written; the caller goes on, or stops, as it sees fit.

local M = {}

local BROKEN_PIPE, INTERRUPTED = 32, 4

local problem

local function note(ok, message, code)
  if not ok and code ~= INTERRUPTED and not problem then problem = { message = message, code = code } end
  return problem == nil
end

--- Writes, and returns false once that is of no use any more.
---@param text string
---@return boolean
function M.write(text)
  if problem then return false end
  return note(io.stdout:write(text))
end

--- Hands on what was written so far.
---@return boolean
function M.flush()
  if problem then return false end
  return note(io.stdout:flush())
end

--- Whether the reader has gone or nothing can be written.
---@return boolean
function M.is_broken()
  return problem ~= nil
end

--- Why nothing can be written, unless the reader has only gone, as `head` does.
---@return string? message
function M.failure()
  if problem and problem.code ~= BROKEN_PIPE then return problem.message end
end

return M
