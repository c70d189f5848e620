-- gzip streams: of a text, which the command gzip packs; and of zero bytes, as many as you like, made without a
-- compressor and never whole in memory.
--
-- The deflate block of the latter has fixed codes: literal zeros until the rest is a multiple of 258, then only "copy
-- 258 bytes from one byte back". Such a copy takes 13 bits, so eight of them are 13 bytes that repeat.
local M = {}

local floor = math.floor

local function xor(a, b)
  local result, bit = 0, 1
  while a > 0 or b > 0 do
    if a % 2 ~= b % 2 then result = result + bit end
    a, b, bit = floor(a / 2), floor(b / 2), bit * 2
  end
  return result
end

---- CRC-32 of many zeros: one zero is a linear map of 32 bits, so n zeros are its n-th power

local function apply(map, bits)
  local result, row = 0, 1
  while bits > 0 do
    if bits % 2 == 1 then result = xor(result, map[row]) end
    bits, row = floor(bits / 2), row + 1
  end
  return result
end

local function square(map)
  local result = {}
  for row = 1, 32 do result[row] = apply(map, map[row]) end
  return result
end

local function one_zero_byte()
  local map = { 0xEDB88320 }
  for row = 2, 32 do map[row] = 2 ^ (row - 2) end
  for _ = 1, 3 do map = square(map) end
  return map
end

local function crc_of_zeros(count)
  local crc, map = 0xFFFFFFFF, one_zero_byte()
  while count > 0 do
    if count % 2 == 1 then crc = apply(map, crc) end
    map, count = square(map), floor(count / 2)
  end
  return xor(crc, 0xFFFFFFFF)
end

---- bits to bytes, the lowest first

local literal_zero = "00110000"
local copy_258 = "11000101" .. "00000"
local end_of_block = "0000000"

local function bytes_of(bits)
  return (bits:gsub("%d%d%d%d%d%d%d%d", function(eight) return string.char(tonumber(eight:reverse(), 2)) end))
end

local function little_endian(number)
  local bytes = {}
  for i = 1, 4 do
    bytes[i] = string.char(number % 256)
    number = floor(number / 256)
  end
  return table.concat(bytes)
end

--- Describes the stream that inflates to `size` zero bytes.
---@param size integer at least 1
---@return { length: integer, write: fun(emit: fun(bytes: string)) } stream its length, and a function that hands out
--- its bytes in pieces
function M.zeros(size)
  local copies = floor((size - 1) / 258)
  local literals = size - copies * 258
  local rounds, rest = floor(copies / 8), copies % 8
  -- The block's three bits shift all that follows; the last bits of a round go before the next.
  local first = "110" .. literal_zero:rep(literals)
  local round = copy_258:rep(8)
  local head = "\31\139\8\0\0\0\0\0\0\255" .. bytes_of(first:sub(1, -4))
  local carried = first:sub(-3)
  local opening = bytes_of(carried .. round:sub(1, -4))
  local repeated = bytes_of(round:sub(-3) .. round:sub(1, -4))
  local last = (rounds > 0 and round:sub(-3) or carried) .. copy_258:rep(rest) .. end_of_block
  last = last .. ("0"):rep(-#last % 8)
  local tail = bytes_of(last) .. little_endian(crc_of_zeros(size)) .. little_endian(size % 2 ^ 32)

  local function write(emit)
    emit(head)
    if rounds > 0 then emit(opening) end
    local left, piece = rounds - 1, repeated:rep(1024)
    while left >= 1024 do
      emit(piece)
      left = left - 1024
    end
    if left > 0 then emit(repeated:rep(left)) end
    emit(tail)
  end

  return { length = #head + rounds * 13 + #tail, write = write }
end

--- Packs a text.
---@param text string
---@return string? stream nil if the command gzip cannot be run
function M.pack(text)
  local name = os.tmpname()
  local file = io.open(name, "wb")
  local written = file and file:write(text)
  if file then written = file:close() and written end
  local pipe = written and io.popen(("gzip -c -1 <'%s' 2>/dev/null"):format(name))
  local stream = pipe and pipe:read "*a" or ""
  if pipe then pipe:close() end
  os.remove(name)
  return stream:sub(-4) == little_endian(#text) and stream or nil
end

return M
