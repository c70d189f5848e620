-- The value below which a part of a list lies: 0.5 is the median. Sorts the list.

---@param list number[] not empty
---@param part number 0 to 1
---@return number
return function(list, part)
  table.sort(list)
  local place = 1 + (#list - 1) * part
  local below = math.floor(place)
  local above = list[below + 1] or list[below]
  return list[below] + (above - list[below]) * (place - below)
end
