--- beside: the changes of a session that are no response actions: which of them may be sent.
--
-- Each is written down right before it leaves and when it has ended, as what is done to devices is. After a stop none
-- leaves, and an indicator leaves only if the plan shows it.

local errors = require "mde.base.error"
local others = require "mde.run.other"

local M = {}

-- Writes events in one commit. True; or nil, message, code.
local function write_rows(journal, rows)
  local ok, message, code = journal:begin()
  for _, row in ipairs(rows) do
    if ok then ok, message, code = journal:event(row) end
    row.n = ok
  end
  if ok then ok, message, code = journal:commit() end
  if ok then return true end
  journal:rollback()
  return nil, message, code
end

--- What earlier sessions have done: that holds, and is not done again. Somebody may have decided otherwise since.
---@param journal table mde.journal's
---@return table<string, integer> counts of each line
function M.done_before(journal)
  local events = {}
  for row in assert(journal:events()) do events[#events + 1] = row end
  return others.done(events)
end

-- Whether a call is one that an earlier session has done; each stands for one.
local function take_done(session, line)
  local left = session.done_before[line] or 0
  session.done_before[line] = left - 1
  return left > 0
end

--- Right before they leave: they are written down, or they stay. By place why one may not be sent.
---@param session mde.Session
---@param changes mde.OtherChange[] each gets the number of its event
---@return false is_planned
---@return table<integer, mde.Error> errs
---@return table<integer, boolean> is_done by place, whether an earlier session has done it
function M.begin(session, changes)
  local errs, rows, places, is_done = {}, {}, {}, {}
  local stopped = session:halted()
  for i, change in ipairs(changes) do
    local line = others.line(change)
    errs[i] = stopped or others.is_bound(change.what) and not session.shown[line] and others.not_planned(line) or nil
    is_done[i] = not errs[i] and take_done(session, line)
    if is_done[i] then
      session.others[#session.others + 1] = { line = line, word = "done" }
    elseif not errs[i] then
      rows[#rows + 1] = { at = session.time(), kind = change.what, detail = others.rest(change) }
      places[#rows] = i
    elseif not stopped then
      session:note("withheld", line)
    end
  end
  local ok, message, code = true, nil, nil
  if rows[1] then ok, message, code = write_rows(session.journal, rows) end
  local unwritten = not ok and session:cannot_write(message, code) or nil
  for n, i in ipairs(places) do errs[i], changes[i].n = unwritten, rows[n].n end
  for i, change in ipairs(changes) do
    if errs[i] and not stopped then
      table.insert(session.others, { line = others.line(change), word = "failed", said = errs[i].message,
        err = errs[i] })
    end
  end
  return false, errs, is_done
end

--- When they have ended.
---@param session mde.Session
---@param changes mde.OtherChange[] that were sent
---@param errs table<integer, any> by place how each ended; nil: it was done
function M.finish(session, changes, errs)
  local rows = {}
  for i, change in ipairs(changes) do
    local err = errs[i]
    rows[i] = others.ended(change, err, session.time())
    session.others[#session.others + 1] = { line = others.line(change), word = others.word(err), err = err,
      said = err ~= nil and (errors.is(err) and err.message or errors.show(err)) or nil }
  end
  if write_rows(session.journal, rows) then return end
  for _, row in ipairs(rows) do
    row.n = nil
    session:write_line(function() return session.journal:event(row) end, function() return row end)
  end
end

return M
