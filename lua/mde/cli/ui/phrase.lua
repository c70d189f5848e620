--- phrase: numbers and times as a person reads them.

local core = require "mde.core"

local M = {}

--- "1 device", "2 devices".
---@param count integer
---@param noun string
---@return string
function M.counted(count, noun)
  return ("%d %s%s"):format(count, noun, count == 1 and "" or "s")
end

--- A time to the second, for a program or a sentence: "2026-11-29T02:58:04Z".
---@param seconds? number Unix seconds; nil stays nil
---@return string?
function M.second(seconds)
  return seconds and core.timestamp.whole(seconds)
end

--- A time to the minute, UTC: "11-29 02:58", or with its year "2026-11-29 02:58".
---@param seconds number Unix seconds
---@param has_year? boolean
---@return string
function M.minute(seconds, has_year)
  local text = core.timestamp.whole(seconds)
  return text:sub(has_year and 1 or 6, 10) .. " " .. text:sub(12, 16)
end

return M
