--- reconcile: what became of a restrict or release whose answer was lost.
--
-- The service may have executed it, may yet, or may never have seen it. Only the device's list of actions tells, and
-- lists lag: it is read twice, some seconds apart, before "it is not there" is believed. That there is no list (404),
-- which may be said of an empty one, is not enough. What the list means is the core's to decide.

local core = require "mde.core"
local errors = require "mde.error"

local WAITS_SECONDS = { 2, 5 }
-- How much earlier than it was sent by our reckoning the service may say that it was created.
local MARGIN_SECONDS = 60

---@class mde.Lost
---@field verb "restrict"|"release"
---@field machine_id string
---@field operation_id string
---@field comment string the whole of it
---@field sent_at number when it was sent, by the service's clock
---@field deadline mde.Deadline

local function late(what)
  return errors.new { kind = "unavailable", message = "the time was up before " .. what }
end

-- Sleeps, if there is more time than that.
local function pause(exchange, seconds, deadline)
  if deadline:left() <= seconds then return false end
  exchange.sleep(seconds)
  return true
end

-- Ours, whose comment the service has cut short and our id with it.
local function find_cut(rows, lost)
  for _, row in ipairs(rows) do
    local reply = core.history.reply(row, lost.machine_id, lost.verb, lost.comment, lost.sent_at - MARGIN_SECONDS)
    if reply == "cut" and core.history.status(row.status) ~= "cancelled" then return row end
  end
end

local function decide(rows, lost)
  local decision, row = core.history.reconcile(rows, lost.machine_id, lost.verb, lost.operation_id,
    lost.sent_at - MARGIN_SECONDS)
  if decision == "ours" or decision == "superseded" then return decision, row end
  local cut = find_cut(rows, lost)
  if cut then return "ours", cut end
  return decision, row
end

--- Finds out. `"nothing"` says that it was not executed, as far as two looks can tell.
---@param exchange mde.Exchange
---@param lost mde.Lost
---@param list fun(deadline: mde.Deadline): table[]?, mde.Error?, boolean? reads the machine's actions anew; whether the
--- service said that there is no such list
---@param follow fun(row: table, deadline: mde.Deadline): table?, mde.Error? reads an action until it is final
---@return "ours"|"active"|"superseded"|"nothing"|nil decision nil if it cannot be found out
---@return table|mde.Error|nil row the action that it is about; or why it cannot
return function(exchange, lost, list, follow)
  local never_seen = false
  for _, seconds in ipairs(WAITS_SECONDS) do
    if not pause(exchange, seconds, lost.deadline) then return nil, late "its list of actions could be read twice" end
    local decision, row
    repeat
      local rows, err, absent = list(lost.deadline)
      if not rows then return nil, err end
      never_seen = never_seen or absent or false
      decision, row = decide(rows, lost)
      if decision == "opposite" then
        local ended, problem = follow(row, lost.deadline)
        if not ended then return nil, problem or late "the opposite action, which was pending before, had ended" end
      end
    until decision ~= "opposite"
    if decision ~= "nothing" then return decision, row end
  end
  if not never_seen then return "nothing" end
  return nil, errors.new { kind = "unavailable", message = "the service says that there is no such list (HTTP 404)" }
end
