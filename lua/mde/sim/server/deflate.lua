-- A deflate stream of any bytes, as they are, in blocks that are merely stored (RFC 1951), bare or as zlib has it.
local M = {}

local MAX_BLOCK_BYTES = 65535

local function bytes_of(number, count)
  local bytes = {}
  for i = 1, count do
    bytes[i] = string.char(number % 256)
    number = math.floor(number / 256)
  end
  return table.concat(bytes)
end

local function adler32(text)
  local low, high = 1, 0
  for i = 1, #text do
    low = (low + text:byte(i)) % 65521
    high = (high + low) % 65521
  end
  return bytes_of(high * 65536 + low, 4):reverse()
end

--- The stream that inflates to a text.
---@param text string
---@param format "raw"|"zlib"
---@return string
function M.stored(text, format)
  local blocks = {}
  for start = 1, math.max(#text, 1), MAX_BLOCK_BYTES do
    local block = text:sub(start, start + MAX_BLOCK_BYTES - 1)
    local is_last = start + MAX_BLOCK_BYTES > #text
    blocks[#blocks + 1] = string.char(is_last and 1 or 0) .. bytes_of(#block, 2) .. bytes_of(65535 - #block, 2) .. block
  end
  local raw = table.concat(blocks)
  return format == "raw" and raw or "\120\1" .. raw .. adler32(text)
end

return M
