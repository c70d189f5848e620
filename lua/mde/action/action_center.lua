--- action_center: the actions of a tenant, as this client reads them: one, those of a machine, or all that restrict.
--
-- What this client did or read a moment ago is put into what the service lists (history_cache.lua). The list that many
-- devices share is read by listing.lua.

local actions = require "mde.action.action"
local changes = require "mde.audit.change"
local core = require "mde.core"
local history_caches = require "mde.action.history_cache"
local listings = require "mde.action.listing"
local pager = require "mde.api.pager"
local responses = require "mde.action.response"

local M = {}

---@class mde.ActionCenter
---@field exchange mde.Exchange
---@field driver mde.Driver
---@field cache mde.HistoryCache
---@field private listings table<mde.ResponseGroup, mde.Listing> those that were asked for
---@field session? mde.ChangeSession what a run decides of the changes of this client
---@field private metatable table of the actions
---@field private known table<mde.Action, mde.ChangeKnown> of the actions that this client's changes gave
local Center = {}
Center.__index = Center

---@param exchange mde.Exchange
---@param driver mde.Driver
---@param metatable table of the actions
---@return mde.ActionCenter
function M.new(exchange, driver, metatable)
  local center = setmetatable({ exchange = exchange, driver = driver, metatable = metatable,
    cache = history_caches.new(exchange.now, exchange.store), known = setmetatable({}, { __mode = "k" }),
    listings = {} }, Center)
  return center
end

--- The list of all actions of a verb's group, which many devices share.
---@param verb string
---@return mde.Listing
function Center:listing(verb)
  local group = responses.group(verb)
  self.listings[group] = self.listings[group] or listings.new(self, group)
  return self.listings[group]
end

--- What was listed by now serves no later look.
function Center:expire()
  for _, listing in pairs(self.listings) do listing:expire() end
end

--- The fate of an action of this machine is not known: from now on it is read by itself.
---@param machine_id string
---@param verb string
function Center:doubt(machine_id, verb)
  self:listing(verb):doubt(machine_id)
end

--- A row of the service as an action.
---@param row table changed in place
---@param fields? table what this library found out about it
---@return mde.Action
function Center:adopt(row, fields)
  return actions.adopt(row, self.metatable, fields)
end

--- Tells the cache what was read of an action.
---@param row table?
---@return table? row
function Center:note(row)
  if row then self.cache:note(row) end
  return row
end

-- ---- who is told of changes

--- Tells of a state change of a change: the run, which writes it down and tells it on, or else those who watch.
---@param change mde.ChangeEvent
function Center:tell(change)
  if self.session then return self.session:changed(change) end
  change.tenant_id, change.client_id = self.exchange.tenant_id, self.exchange.client_id
  self.exchange.trace:tell(change)
end

--- Whether anybody is: what nobody hears is not put into words.
---@return boolean
function Center:is_heard()
  return self.session ~= nil or self.exchange.trace:on()
end

-- What a call came to.
local function tell_result(self, known, action, err)
  if action and action.outcome then
    self.known[action] = { verb = known.verb, machine_id = known.machine_id, computerDnsName = known.computerDnsName,
      device = known.device, operation_id = known.operation_id, comment = known.comment, subject = known.subject }
  end
  self:tell(changes.of(known, action, err))
  if action and action.outcome == "accepted" and core.history.status(action.status) ~= "pending" then
    self:ended(action, action)
  end
end

--- Tells what a call came to. Nothing that goes wrong in this changes what it came to.
---@param known mde.ChangeKnown
---@param action? mde.Action
---@param err? mde.Error
function Center:tell_result(known, action, err)
  if not self:is_heard() then return end
  self.exchange.trace:shield(tell_result, self, known, action, err)
end

--- Tells that an action is final: a run always, those who watch if it is the action of a change and has just ended.
---@param row table as it was read
---@param action? mde.Action that has just ended
function Center:ended(row, action)
  if self.session then return self.session:ended(row) end
  if not action or not action.outcome or not self:is_heard() then return end
  self.exchange.trace:shield(function()
    local change = changes.ended(action, self.known[action])
    if change then self:tell(change) end
  end)
end

-- ---- reading

--- The actions that the service lists for a machine, of every type. One that cannot be told from others has no id, here
--- and in the other lists.
---@param machine_id string in lower case
---@param context mde.Context
---@return table[]? rows
---@return mde.Error? err
---@return boolean? absent the service said that there is no such list
function Center:history(machine_id, context)
  local rows, err, absent = pager.read(self.exchange, "machineactions",
    "machineId eq " .. core.odata.literal(machine_id), actions.mend, context)
  for _, row in ipairs(rows or {}) do self:note(row) end
  if rows then self.cache:complete(machine_id, rows) end
  return rows, err, absent
end

--- The actions of a group, of all machines, that were created since a time or do not say when, or all of them, as the
--- service lists them.
---@param group mde.ResponseGroup
---@param since? number Unix seconds
---@param context mde.Context
---@return table[]? rows
---@return mde.Error? err
---@return boolean? absent the service said that there is no such list
function Center:listed(group, since, context)
  local filter = group.filter
  if since then
    filter = ("(%s) and (creationDateTimeUtc ge %s or creationDateTimeUtc eq null)"):format(filter,
      core.timestamp.whole(since))
  end
  return pager.read(self.exchange, "machineactions", filter, actions.mend, context)
end

--- All actions of a verb's group, by machine. Those that do not say whose they are stand under "".
---@param verb string or "all"
---@param context mde.Context
---@return table<string, table[]>? rows by machine id in lower case
---@return mde.Error? err
function Center:histories(verb, context)
  local rows, err = self:listed(responses.group(verb), nil, context)
  if not rows then return nil, err end
  local machines = {}
  for _, row in ipairs(rows) do
    local machine_id = core.text.lower(row.machineId or "")
    machines[machine_id] = machines[machine_id] or {}
    table.insert(machines[machine_id], row)
  end
  self.cache:complete_all(machines)
  return machines
end

--- Reads one action.
---@param id string a GUID
---@param context mde.Context
---@return table? row
---@return mde.Error? err
function Center:read(id, context)
  local row, err = self.exchange:call {
    method = "GET", path = "/machineactions/" .. core.odata.encode(id), kind = "read", api = "machineaction",
    permission = "Machine.Read.All", context = context, usable = actions.is_the_action(id),
  }
  return self:note(row), err
end

--- Asks the service to cancel an action.
---@param id string a GUID
---@param verb? string which response it is of, if that is known
---@param comment string
---@param context mde.Context
---@return table? row the answer
---@return mde.Error? err
---@return table info what the exchange tells of the call
function Center:request_cancel(id, verb, comment, context)
  local row, err, info = self.exchange:call {
    method = "POST", path = ("/machineactions/%s/cancel"):format(core.odata.encode(id)), kind = "action",
    api = "cancel", permission = verb and core.response_actions[verb].permission, context = context,
    body = { Comment = comment },
    usable = actions.is_the_action(id),
  }
  return self:note(row), err, info
end

return M
