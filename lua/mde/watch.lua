--- watch: what a client gives a watch: its time, its store, and its alerts.

local alerts = require "mde.alerts"
local core = require "mde.core"
local errors = require "mde.base.error"
local operators = require "mde.query.operators"
local queries = require "mde.query.filter"
local watches = require "mde.watch.watch"

local M = {}

-- The alerts that a filter describes and that were changed since.
local function alerts_of(client, filter, source)
  return { read = function(_, since)
    local changed = {}
    for name, value in pairs(filter ~= "all" and filter or {}) do changed[name] = value end
    changed.lastUpdateDateTime = operators.ge(since)
    return alerts.with_unidentified(client, changed, source)
  end, find = function(_, id) return client:alert(id, { source = source }) end }
end

local function source_of(client, filter, source)
  if filter == nil then filter = "all" end
  if type(filter) ~= "table" and filter ~= "all" or type(filter) == "table" and filter.lastUpdateDateTime ~= nil then
    errors.invalid("wrong_value", "mde.watch: option \"alerts\" must be a table without lastUpdateDateTime",
      "Write alerts = { severity = \"high\" }, or leave it out for all. Since when they are read, the watch knows.")
  end
  queries.compile(source == "graph" and "graph_alerts" or "alerts", filter)
  return alerts_of(client, filter, source)
end

-- Of a function that gets tokens nobody knows the tenant.
local function owner_of(exchange)
  return core.text.lower(exchange.tenant_id and "the tenant " .. exchange.tenant_id or "the host " .. exchange.host)
end

--- A watch of a client.
---@param client mde.Client
---@param options mde.WatchOptions
---@return mde.Watch
function M.new(client, options)
  local exchange = client.exchange
  local resource = type(options) == "table" and options.source == "graph" and "graph" or nil
  local host = { now = function() return client:now() end, clock = { now = exchange.now, sleep = exchange.sleep },
    settle = function() return exchange:settle_clock(client:context(), resource) end, store = exchange.store,
    owner = owner_of(exchange),
    shield = function(fn, ...) exchange.trace:shield(fn, ...) end,
    context = function() return client:context() end,
    source = function(filter, source) return source_of(client, filter, source) end }
  return watches.new(host, options)
end

return M
