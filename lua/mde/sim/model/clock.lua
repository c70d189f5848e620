-- The tenant's clock: made up, so that an hour passes at once, or the real one. Either can be put forward.
local M = {}

local function new(source, made_up)
  local ahead = 0
  return {
    made_up = made_up,
    now = function() return source() + ahead end,
    advance = function(seconds) ahead = ahead + seconds end,
  }
end

--- A clock that stands still until it is put forward.
---@param start number? seconds since 1970; the present if absent
---@return table clock `now()`, `advance(seconds)`, `made_up`
function M.made_up(start)
  -- A fraction, so that the times the tenant writes have one.
  start = start or os.time() + 0.3456789
  return new(function() return start end, true)
end

--- The machine's own time.
---@return table clock
function M.real()
  return new(require("mde.posix").clock.time, false)
end

--- What the option `clock` may be: "made-up" (or nil), "real", or a function that returns seconds since 1970.
---@param wish nil|string|function
---@param start number?
---@return table clock
function M.new(wish, start)
  if wish == nil or wish == "made-up" then return M.made_up(start) end
  if wish == "real" then return M.real() end
  if type(wish) == "function" then return new(wish, false) end
  error('clock must be "made-up", "real" or a function', 2)
end

return M
