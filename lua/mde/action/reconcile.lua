--- reconcile: finds the restrict or release whose answer was lost.
--
-- The service may have executed it, may yet, or may never have seen it. Only the device's list of actions tells, and
-- lists lag: it is read twice, some seconds apart, before "it is not there" is believed. That there is no list (404),
-- which may be said of an empty one, is not enough. What the list means is the core's to decide.

local core = require "mde.core"
local errors = require "mde.base.error"

local WAITS_SECONDS = { 2, 5 }

local M = {}

---@class mde.Lost
---@field verb "restrict"|"release"
---@field machine_id string
---@field operation_id string
---@field key? string the operation id, if it is the caller's own
---@field comment string the whole of it
---@field seen? table<string, string> what the look before had, ids in lower case to statuses; nil: there was none
---@field sent_at number when it was sent, by the service's clock
---@field context mde.Context

---@alias mde.ListReader fun(context: mde.Context): table[]?, mde.Error?, boolean? reads the machine's actions again;
--- whether the service said that there is no such list

local function late(what)
  return errors.new { kind = "unavailable", code = "time_is_up", message = "the time was up before " .. what }
end

-- Sleeps, if there is more time than that.
local function pause(exchange, seconds, context)
  if context:left() <= seconds then return false end
  exchange.sleep(seconds)
  return true
end

--- What the list says now.
---@param exchange mde.Exchange
---@param lost mde.Lost
---@param list mde.ListReader
---@return "ours"|"active"|"superseded"|"opposite"|"nothing"|nil decision nil if it does not tell
---@return table|mde.Error|nil row the action that it is about; or why it does not tell
---@return boolean? absent the service said that there is no such list
function M.look(exchange, lost, list)
  local rows, err, absent = list(lost.context)
  if not rows then return nil, err end
  lost.latest = exchange.clock:latest()
  local decision, row = core.history.reconcile(rows, lost.machine_id, lost)
  if decision ~= "unclear" then return decision, row, absent end
  return nil, errors.new { kind = "unavailable", code = "order_unclear",
    message = ("whether action %s (%s, created %s) came before it or after cannot be told"):format(errors.show(row.id),
      errors.show(row.type), errors.show(row.creationDateTimeUtc or "at an unknown time")) }
end

--- Finds out. `"nothing"` says that it was not executed, as far as two looks can tell.
---@param exchange mde.Exchange
---@param lost mde.Lost
---@param list mde.ListReader
---@param follow fun(row: table, context: mde.Context): table?, mde.Error? reads an action until it is final
---@return "ours"|"active"|"superseded"|"nothing"|nil decision nil if it cannot be found out
---@return table|mde.Error|nil row the action that it is about; or why it cannot
function M.find_out(exchange, lost, list, follow)
  local never_seen = false
  for _, seconds in ipairs(WAITS_SECONDS) do
    if not pause(exchange, seconds, lost.context) then return nil, late "its list of actions could be read twice" end
    local decision, row, absent
    repeat
      decision, row, absent = M.look(exchange, lost, list)
      if not decision then return nil, row end
      never_seen = never_seen or absent or false
      if decision == "opposite" then
        local ended, problem = follow(row, lost.context)
        if not ended then return nil, problem or late "the opposite action, which was pending before, had ended" end
      end
    until decision ~= "opposite"
    if decision ~= "nothing" then return decision, row end
  end
  if not never_seen then return "nothing" end
  return nil, errors.new { kind = "unavailable", code = "list_absent",
    message = "the service says that there is no such list (HTTP 404)" }
end

return M
