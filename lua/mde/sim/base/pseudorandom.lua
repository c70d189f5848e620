-- Numbers that look random and are the same in every run, on every computer and every Lua.
local M = {}

local modulus, multiplier = 2147483647, 16807

--- A source of numbers.
---@param seed integer
---@return fun(count: integer): integer draw a number from 0 to count - 1
function M.new(seed)
  local state = seed % (modulus - 1) + 1
  local function draw(count)
    state = state * multiplier % modulus
    return math.floor(state / modulus * count)
  end
  -- Small seeds begin with small numbers.
  for _ = 1, 4 do draw(1) end
  return draw
end

--- The same list in another order.
---@param list table
---@param draw fun(count: integer): integer
---@return table shuffled
function M.shuffled(list, draw)
  local shuffled = {}
  for i = 1, #list do
    local other = draw(i) + 1
    shuffled[i] = shuffled[other]
    shuffled[other] = list[i]
  end
  return shuffled
end

return M
