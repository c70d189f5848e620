--- json: the one place that knows how JSON is read and written.
--
-- lua-cjson does the work. What it hands on is made fit for Lua: null fields are absent, and integral numbers are
-- integers. One malformed value costs that value: what is no character is U+FFFD, and an impossible number is absent
-- (core.json.repair).
--
-- lua-cjson remembers how the process's locale writes the point of a number, for all codecs at once, and learns it when
-- a codec is made, by whomever. A program may change its locale, so each use tries the codec first, and makes a new one
-- where that fails.

local core = require "mde.core"
local errors = require "mde.base.error"

-- A point of several bytes, which Pashto has, makes lua-cjson end the process.
local function has_usable_point()
  return #core.number.point() == 1
end

if not package.loaded.cjson and not has_usable_point() then
  error("lua-cjson cannot be loaded in a locale whose decimal point has several bytes: call "
    .. 'os.setlocale("C", "numeric") before', 0)
end
local cjson = require "cjson"

local M = {}

--- What returns a codec of lua-cjson that is right in the locale of the moment; it raises if there can be none.
---@param deepest integer levels of tables that it decodes
---@return fun(): table
function M.codecs(deepest)
  local codec
  local function make()
    codec = cjson.new()
    codec.decode_invalid_numbers(false)
    codec.decode_max_depth(deepest)
  end
  make()
  return function()
    local ok, probe = pcall(codec.decode, "0.5")
    if ok and probe * 2 == 1 then return codec end
    if not has_usable_point() then
      error("the locale's decimal point has several bytes, which lua-cjson cannot handle", 0)
    end
    make()
    return codec
  end
end

local codec = M.codecs(64)

local function decode_sound(text)
  if not core.text.is_utf8(text) then return nil, "not UTF-8" end
  local ok, value = pcall(codec)
  -- Called by pcall itself, for lua-cjson puts the file and line of a caller in Lua before its reason.
  if ok then ok, value = pcall(value.decode, text) end
  if not ok then return nil, tostring(value) end
  if value == cjson.null then return nil, "null" end
  return core.json.clean(value, cjson.null)
end

--- The Lua value of a JSON text.
---@param text string
---@return any value
---@return string? reason why it is nil
---@return string sound the text, repaired if that was needed
function M.decode(text)
  local value, reason = decode_sound(text)
  if value ~= nil then return value, nil, text end
  local repaired = core.json.repair(text)
  if repaired == text then return nil, reason, text end
  value, reason = decode_sound(repaired)
  return value, reason, repaired
end

--- The table of a text that is a JSON object or array.
---@param text string
---@return table? object
---@return string? problem a phrase for people
---@return string sound the text, repaired if that was needed
function M.object(text)
  local value, reason, sound = M.decode(text)
  if type(value) == "table" then return value, nil, sound end
  return nil, "it is not a JSON object" .. (reason and " (" .. errors.show(reason) .. ")" or ""), sound
end

--- A JSON object of a table with string keys.
---@param value table
---@return string
function M.encode(value)
  return codec().encode(value)
end

return M
