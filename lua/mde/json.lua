--- json: the one place that knows how JSON is read and written.
--
-- lua-cjson does the work. What it hands on is made fit for Lua: null fields are absent, integral
-- numbers are integers, and a number that is none is an error.

local cjson = require "cjson"
local core = require "mde.core"
local errors = require "mde.error"

local codec = cjson.new()
codec.decode_invalid_numbers(false)
codec.decode_max_depth(64)

local M = {}

--- The Lua value of a JSON text.
---@param text string
---@return any value
---@return string? reason why it is nil
function M.decode(text)
  local ok, value = pcall(codec.decode, text)
  if not ok then return nil, tostring(value) end
  if value == cjson.null then return nil, "null" end
  return core.json.clean(value, cjson.null)
end

--- The table of a text that is a JSON object or array.
---@param text string
---@return table? object
---@return string? problem a phrase for people
function M.object(text)
  local value, reason = M.decode(text)
  if type(value) == "table" then return value end
  return nil, "it is not a JSON object" .. (reason and " (" .. errors.show(reason) .. ")" or "")
end

--- A JSON object of a table with string keys.
---@param value table
---@return string
function M.encode(value)
  return codec.encode(value)
end

return M
