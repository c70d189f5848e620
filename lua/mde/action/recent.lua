--- recent: the actions that were sent, or seen to end, a moment ago, which the service's list may not show yet.
--
-- A list may lag behind by some seconds. What this client did itself it need not be told; nor, with a store,
-- what another process sent.

local core = require "mde.core"

local REMEMBERED_SECONDS = 120

local M = {}

---@class mde.Recent
---@field private store? mde.Store
---@field private now fun(): number
---@field private by_machine table<string, table[]> oldest first
---@field private order table[] of all machines, oldest first
---@field private first integer in `order`
---@field private last integer
local Recent = {}
Recent.__index = Recent

---@param now fun(): number the driver's clock
---@param store? mde.Store
---@return mde.Recent
function M.new(now, store)
  return setmetatable({ store = store, now = now, by_machine = {}, order = {}, first = 1, last = 0 }, Recent)
end

local function copy(row)
  local own = {}
  for name, value in pairs(row) do own[name] = value end
  return own
end

local function is_pending(row)
  return core.history.status(row.status) == "pending"
end

local function forget_old(self)
  local since, order = self.now() - REMEMBERED_SECONDS, self.order
  while order[self.first] and order[self.first].at < since do
    local machine_id = order[self.first].machine_id
    local entries = self.by_machine[machine_id]
    table.remove(entries, 1)
    if not entries[1] then self.by_machine[machine_id] = nil end
    order[self.first] = nil
    self.first = self.first + 1
  end
end

--- Remembers an action.
---@param machine_id string
---@param row table
function Recent:remember(machine_id, row)
  forget_old(self)
  machine_id = core.text.lower(machine_id)
  local entry = { at = self.now(), machine_id = machine_id, row = copy(row) }
  entry.row.machineId = entry.row.machineId or machine_id
  self.last = self.last + 1
  self.order[self.last] = entry
  self.by_machine[machine_id] = self.by_machine[machine_id] or {}
  table.insert(self.by_machine[machine_id], entry)
end

local function name_of(machine_id)
  return "recent|sent|" .. machine_id
end

-- What processes sent to a machine, without what is too old. Nothing where the store cannot be read: the service's
-- list has it all the same some seconds later.
local function sent_to(self, machine_id)
  local since, entries = self.now() - REMEMBERED_SECONDS, {}
  for _, entry in ipairs(self.store and self.store:read(name_of(machine_id)) or {}) do
    if entry.at >= since then entries[#entries + 1] = entry end
  end
  return entries
end

--- Remembers an action that was sent, and tells it to other processes. To be called by whoever has the turn for
--- this machine.
---@param machine_id string
---@param row table
function Recent:announce(machine_id, row)
  machine_id = core.text.lower(machine_id)
  self:remember(machine_id, row)
  if not self.store then return end
  local entries = sent_to(self, machine_id)
  entries[#entries + 1] = { at = self.now(), row = copy(row) }
  self.store:write(name_of(machine_id), entries, REMEMBERED_SECONDS)
end

local function add(rows, place, entries)
  for _, entry in ipairs(entries) do
    local id = core.text.lower(entry.row.id)
    local listed = rows[place[id] or 0]
    if not listed or is_pending(listed) and not is_pending(entry.row) then
      place[id] = place[id] or #rows + 1
      rows[place[id]] = copy(entry.row)
    end
  end
end

--- Puts what is remembered of a machine into its list: what is missing there, and the end of what is pending.
---@param machine_id string in lower case
---@param rows table[] changed in place
function Recent:recall(machine_id, rows)
  forget_old(self)
  local place = {}
  for i, row in ipairs(rows) do place[core.text.lower(row.id)] = i end
  add(rows, place, sent_to(self, machine_id))
  add(rows, place, self.by_machine[machine_id] or {})
end

-- What the service does not say whose it is, it may be known here.
local function attribute(self, lists)
  local owners, others = {}, {}
  for machine_id, entries in pairs(self.by_machine) do
    for _, entry in ipairs(entries) do owners[core.text.lower(entry.row.id)] = machine_id end
  end
  for _, row in ipairs(lists[""] or {}) do
    local machine_id = owners[core.text.lower(row.id)]
    row.machineId = machine_id
    local list = machine_id and (lists[machine_id] or {}) or others
    if machine_id then lists[machine_id] = list end
    list[#list + 1] = row
  end
  lists[""] = others[1] and others or nil
end

--- The same for the lists of all machines.
---@param lists table<string, table[]> by machine id in lower case, under "" what does not say whose it is; changed in
--- place
function Recent:recall_all(lists)
  forget_old(self)
  attribute(self, lists)
  for machine_id in pairs(self.by_machine) do
    lists[machine_id] = lists[machine_id] or {}
    self:recall(machine_id, lists[machine_id])
  end
end

return M
