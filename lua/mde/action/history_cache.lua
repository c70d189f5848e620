--- history_cache: the actions that one client knows, by machine.
--
-- A list of the service's lags behind by some seconds. What this client sent or read itself it need not be told; nor,
-- with a store, what another process sent. What is known is put into the lists that are read, and an action that has
-- ended stays so, whatever a list says (mde_status_replaces). While the list of all devices is in use (listing.lua),
-- its actions are kept here, too.

local core = require "mde.core"
local responses = require "mde.action.response"

-- How long what was sent or read is put into lists that do not show it.
local REMEMBERED_SECONDS = 120

local M = {}

---@class mde.KnownAction
---@field row table a copy
---@field machine_id string in lower case
---@field told_at number when it was sent, or seen to end, by the driver's clock; -math.huge: lists alone told it
---@field has_place boolean it is in the list of its machine

---@class mde.HistoryCache
---@field private store? mde.Store
---@field private now fun(): number
---@field private known table<string, mde.KnownAction> by action id
---@field private ids table<string, string[]> of a machine, in the order in which they were told
---@field private listed_until number until when what lists tell is kept
---@field private swept_at number when what is forgotten was taken out
local Cache = {}
Cache.__index = Cache

---@param now fun(): number the driver's clock
---@param store? mde.Store
---@return mde.HistoryCache
function M.new(now, store)
  return setmetatable({ store = store, now = now, known = {}, ids = {}, listed_until = -math.huge,
    swept_at = -math.huge }, Cache)
end

-- With places for what an action usually has: a table that grows is made again each time.
local function copy(row)
  local own = { id = nil, type = nil, requestor = nil, requestorComment = nil, status = nil, machineId = nil,
    computerDnsName = nil, creationDateTimeUtc = nil, lastUpdateDateTimeUtc = nil, errorHResult = nil,
    requestSource = nil, commands = nil, cancellationRequestor = nil, cancellationComment = nil }
  for name, value in pairs(row) do own[name] = value end
  return own
end

local function is_listed(self)
  return self.now() <= self.listed_until
end

-- Takes out what is forgotten, now and then.
local function sweep(self)
  local now = self.now()
  if is_listed(self) or now - self.swept_at <= REMEMBERED_SECONDS then return end
  self.swept_at = now
  for machine_id, ids in pairs(self.ids) do
    local kept = {}
    for _, id in ipairs(ids) do
      if now - self.known[id].told_at <= REMEMBERED_SECONDS then kept[#kept + 1] = id else self.known[id] = nil end
    end
    self.ids[machine_id] = kept[1] and kept or nil
  end
end

-- Whether the row that is told says more than the one that is known.
local function replaces(known, row)
  return not known or core.history.replaces(known.row.status, row.status)
end

-- Where there is no memory for all of it, it is not in the machine's list, and comes there the next time.
local function keep(self, machine_id, row, told_at)
  local id = core.text.lower(row.id)
  local known = self.known[id]
  local own = replaces(known, row) and copy(row) or known.row
  own.machineId = own.machineId or machine_id
  local entry = { row = own, machine_id = machine_id, told_at = told_at, has_place = false }
  if known then
    entry.machine_id, entry.has_place = known.machine_id, known.has_place
    entry.told_at = math.max(told_at, known.told_at)
  end
  self.known[id] = entry
  if entry.has_place then return end
  local ids = self.ids[entry.machine_id] or {}
  self.ids[entry.machine_id] = ids
  ids[#ids + 1] = id
  entry.has_place = true
end

--- Keeps what lists tell, too, for so many seconds from now.
---@param seconds number
function Cache:keep_listed(seconds)
  sweep(self)
  self.listed_until = math.max(self.listed_until, self.now() + seconds)
end

--- Takes note of an action in a list, or that was read, if what lists tell is kept.
---@param row table as the service told it
function Cache:note(row)
  if not row.id or not is_listed(self) or not responses.of_type(row.type) then return end
  local machine_id = row.machineId or self:owner(row.id)
  if machine_id then keep(self, core.text.lower(machine_id), row, -math.huge) end
end

--- Remembers an action that was sent, or seen to end.
---@param machine_id string
---@param row table
function Cache:remember(machine_id, row)
  sweep(self)
  keep(self, core.text.lower(machine_id), row, self.now())
end

--- Whose an action is, as far as that is known.
---@param id string? nil: it cannot be told from others
---@return string? machine_id
function Cache:owner(id)
  local known = id and self.known[core.text.lower(id)]
  return known and known.machine_id
end

--- What is known of an action that has ended.
---@param id string
---@return table? row a copy
function Cache:ended(id)
  local known = self.known[core.text.lower(id)]
  return known and core.history.status(known.row.status) ~= "pending" and copy(known.row) or nil
end

--- All that is known of a machine.
---@param machine_id string in lower case
---@return table[] rows copies
function Cache:rows(machine_id)
  local rows = {}
  for i, id in ipairs(self.ids[machine_id] or {}) do rows[i] = copy(self.known[id].row) end
  return rows
end

--- The actions of a group that are not known to have ended, without an order.
---@param group mde.ResponseGroup
---@return fun(): table?
function Cache:pending(group)
  local id
  return function()
    local known
    repeat
      id, known = next(self.known, id)
    until not known or group:has(known.row) and core.history.status(known.row.status) == "pending"
    return known and known.row
  end
end

--- Forgets what lists told of a group. What others are told of theirs stays.
---@param group mde.ResponseGroup
function Cache:forget_listed(group)
  local since = self.now() - REMEMBERED_SECONDS
  for machine_id, ids in pairs(self.ids) do
    local kept = {}
    for _, id in ipairs(ids) do
      local known = self.known[id]
      if known.told_at >= since or not group:has(known.row) then kept[#kept + 1] = id else self.known[id] = nil end
    end
    self.ids[machine_id] = kept[1] and kept or nil
  end
end

-- ---- what processes sent, through the store

local function name_of(machine_id)
  return "recent|sent|" .. machine_id
end

-- Without what is too old. Nothing where the store cannot be read: the service's list has it all the same some seconds
-- later.
local function sent_to(self, machine_id)
  local since, entries = self.now() - REMEMBERED_SECONDS, {}
  for _, entry in ipairs(self.store and self.store:read(name_of(machine_id)) or {}) do
    if entry.at >= since then entries[#entries + 1] = entry end
  end
  return entries
end

--- Remembers an action that was sent, and tells it to other processes. The caller has the turn for this
--- machine.
---@param machine_id string
---@param row table
function Cache:announce(machine_id, row)
  machine_id = core.text.lower(machine_id)
  self:remember(machine_id, row)
  if not self.store then return end
  local entries = sent_to(self, machine_id)
  entries[#entries + 1] = { at = self.now(), row = copy(row) }
  self.store:write(name_of(machine_id), entries, REMEMBERED_SECONDS)
end

-- ---- lists

-- Puts a row where it is missing in a list, and in the place of one that it ends.
local function add(rows, places, row)
  local id = core.text.lower(row.id)
  local listed = rows[places[id] or 0]
  if listed and core.history.replaces(row.status, listed.status) then return end
  places[id] = places[id] or #rows + 1
  rows[places[id]] = copy(row)
end

--- Puts what is known of a machine into its list: what was sent or read a moment ago and is missing there, and the end
--- of what is pending.
---@param machine_id string in lower case
---@param rows table[] changed in place
function Cache:complete(machine_id, rows)
  local places, since = {}, self.now() - REMEMBERED_SECONDS
  for i, row in ipairs(rows) do
    if row.id then places[core.text.lower(row.id)] = i end
  end
  for _, entry in ipairs(sent_to(self, machine_id)) do add(rows, places, entry.row) end
  for _, id in ipairs(self.ids[machine_id] or {}) do
    local known = self.known[id]
    if known.told_at >= since or places[id] then add(rows, places, known.row) end
  end
end

-- What the service does not say whose it is, it may be known here.
local function attribute(self, lists)
  local others = {}
  for _, row in ipairs(lists[""] or {}) do
    local machine_id = self:owner(row.id)
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
function Cache:complete_all(lists)
  attribute(self, lists)
  for machine_id in pairs(self.ids) do
    local rows = lists[machine_id] or {}
    self:complete(machine_id, rows)
    lists[machine_id] = rows[1] and rows or nil
  end
end

return M
