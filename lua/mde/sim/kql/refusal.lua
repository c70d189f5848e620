-- Refusals of a query travel as tables, so that a mistake in these files is not taken for one in a query.
local M = {}

local mark = {}

--- Refuses the query: raises a message in the manner of the service.
---@param ... any as string.format takes it
function M.raise(...)
  error(setmetatable({ message = string.format(...) }, mark), 0)
end

--- What is wrong with the query as a whole: it breaks the language's rules.
---@param ... any
function M.semantic(...)
  M.raise("%s. Fix semantic errors in your query.", string.format(...))
end

--- What this tenant does not do, though the service may.
---@param what string
function M.not_simulated(what)
  M.raise("Not simulated: %s. The service may know it; this tenant does not.", what)
end

--- Calls fn and catches a refusal; anything else that it raises goes on.
---@param fn fun(): ...
---@return boolean ok
---@return any result what fn returned first, or the message
function M.catch(fn)
  local ok, result = pcall(fn)
  if ok then return true, result end
  if type(result) == "table" and getmetatable(result) == mark then return false, result.message end
  error(result, 0)
end

return M
