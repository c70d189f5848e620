-- Percent-encoding, forms and base64, read strictly. Written apart from the client's own, so that a mistake in
-- one is not undone by the same mistake in the other.
local M = {}

--- Undoes percent-encoding.
---@param text string
---@param plus_is_space boolean? as in forms and query strings
---@return string? decoded nil if a percent sign is not followed by two hexadecimal digits
function M.unescape(text, plus_is_space)
  if plus_is_space then text = text:gsub("%+", " ") end
  local rest = text:gsub("%%%x%x", "")
  if rest:find("%", 1, true) then return nil end
  return (text:gsub("%%(%x%x)", function(digits) return string.char(tonumber(digits, 16)) end))
end

local digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
local values = {}
for i = 1, #digits do values[digits:sub(i, i)] = i - 1 end

--- Base64 without padding, in the alphabet for URLs.
---@param bytes string
---@return string
function M.base64url(bytes)
  local parts = {}
  for i = 1, #bytes, 3 do
    local a, b, c = bytes:byte(i, i + 2)
    local group = a * 65536 + (b or 0) * 256 + (c or 0)
    for place = 3, c and 0 or b and 1 or 2, -1 do
      local index = math.floor(group / 64 ^ place) % 64
      parts[#parts + 1] = digits:sub(index + 1, index + 1)
    end
  end
  return (table.concat(parts):gsub("%+", "-"):gsub("/", "_"))
end

--- Reads ordinary base64, padded or not.
---@param text string
---@return string? bytes
function M.unbase64(text)
  text = text:gsub("=+$", "")
  if text:find "[^A-Za-z0-9+/]" or #text % 4 == 1 then return nil end
  local parts = {}
  for i = 1, #text, 4 do
    local group, count = 0, 0
    for j = i, i + 3 do
      local value = values[text:sub(j, j)]
      group = group * 64 + (value or 0)
      if value then count = count + 1 end
    end
    parts[#parts + 1] = string.char(math.floor(group / 65536), math.floor(group / 256) % 256, group % 256)
      :sub(1, count - 1)
  end
  return table.concat(parts)
end

---@param bytes string
---@return string
function M.hex(bytes)
  return (bytes:gsub(".", function(byte) return ("%02x"):format(byte:byte()) end))
end

-- What may follow a first byte of UTF-8: patterns for a character of two, three and four bytes.
local sequences = {
  "^[\194-\223][\128-\191]",
  "^\224[\160-\191][\128-\191]", "^[\225-\236\238\239][\128-\191][\128-\191]", "^\237[\128-\159][\128-\191]",
  "^\240[\144-\191][\128-\191][\128-\191]", "^[\241-\243][\128-\191][\128-\191][\128-\191]",
  "^\244[\128-\143][\128-\191][\128-\191]",
}

--- Counts the characters of a UTF-8 text.
---@param text string
---@return integer? count nil if it is not UTF-8
function M.characters(text)
  local count, position = 0, 1
  while true do
    local first = text:find("[\128-\255]", position)
    count = count + (first or #text + 1) - position
    if not first then return count end
    local last
    for i = 1, #sequences do last = last or select(2, text:find(sequences[i], first)) end
    if not last then return nil end
    count, position = count + 1, last + 1
  end
end

--- The first characters of a UTF-8 text.
---@param text string
---@param limit integer
---@return string
function M.first_characters(text, limit)
  local position = 1
  while limit > 0 and position <= #text do
    position = position + 1
    while position <= #text and text:byte(position) >= 128 and text:byte(position) < 192 do position = position + 1 end
    limit = limit - 1
  end
  return text:sub(1, position - 1)
end

--- What is wrong with a text that was percent-encoded, if anything.
---@param text string? decoded
---@return string? problem
function M.problem(text)
  if not text then return "a percent sign is not followed by two hexadecimal digits" end
  if text:find("%z") then return "there is a NUL" end
  if not M.characters(text) then return "a text is not UTF-8" end
end

--- Reads `name=value&...`.
---@param text string
---@return table<string, string>? fields nil if the text is malformed or a name occurs twice
---@return string? message
function M.form(text)
  local fields = {}
  for pair in text:gmatch "[^&]+" do
    local name, value = pair:match "^([^=]*)=?(.*)$"
    name, value = M.unescape(name, true), M.unescape(value, true)
    local problem = M.problem(name) or M.problem(value)
    if problem then return nil, problem end
    if fields[name] then return nil, ("'%s' occurs twice"):format(name) end
    fields[name] = value
  end
  return fields
end

return M
