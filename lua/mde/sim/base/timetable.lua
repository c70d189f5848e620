-- What is due when: a binary heap of keys, the earliest first. A key has one time at most; of two with the same time
-- the one that was put first comes first.
local floor = math.floor

---@class mde.sim.timetable
---@field package heap { key: any, at: number, number: integer }[] entry n comes before 2n and 2n+1
---@field package entries table<any, table> by the key; an entry in the heap that does not stand here counts no more
---@field package count integer how many were put
local M = {}
M.__index = M

---@return mde.sim.timetable
function M.new()
  return setmetatable({ heap = {}, entries = {}, count = 0 }, M)
end

local function is_earlier(a, b)
  if a.at ~= b.at then return a.at < b.at end
  return a.number < b.number
end

local function rise(heap, entry)
  local place = #heap + 1
  while place > 1 and is_earlier(entry, heap[floor(place / 2)]) do
    heap[place] = heap[floor(place / 2)]
    place = floor(place / 2)
  end
  heap[place] = entry
end

local function remove_first(heap)
  local size = #heap
  local last, place = heap[size], 1
  heap[size] = nil
  size = size - 1
  if size == 0 then return end
  while place * 2 <= size do
    local below = place * 2
    if below < size and is_earlier(heap[below + 1], heap[below]) then below = below + 1 end
    if is_earlier(last, heap[below]) then break end
    heap[place] = heap[below]
    place = below
  end
  heap[place] = last
end

--- Says when a key is due, instead of what was said of it before.
---@param key any
---@param at number? never, if absent
function M:put(key, at)
  local known = self.entries[key]
  if known and known.at == at then return end
  self.entries[key] = nil
  if not at then return end
  self.count = self.count + 1
  local entry = { key = key, at = at, number = self.count }
  self.entries[key] = entry
  rise(self.heap, entry)
end

--- Takes out the key that is due first, if it is due by now.
---@param now number
---@return any? key
function M:take(now)
  local heap = self.heap
  while heap[1] and heap[1].at <= now do
    local entry = heap[1]
    remove_first(heap)
    if self.entries[entry.key] == entry then
      self.entries[entry.key] = nil
      return entry.key
    end
  end
end

return M
