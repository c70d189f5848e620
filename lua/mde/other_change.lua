--- other_change: makes a change that is no response action, a tag or an indicator for example, with the run there is.
--
-- A pass that plans notes it, and it is rehearsed. A session of a run says which may be sent, writes down that they
-- are, and what came of each; what an earlier session has done is looked at, and not sent. Without a run it is sent.

local M = {}

-- Sends what may be, and lets the session know how it ended, also where it raises.
local function carry_out(session, changes, send)
  local ok, value, err = pcall(send)
  local errs = {}
  for i in ipairs(changes) do
    if not ok then
      errs[i] = value
    elseif type(err) == "function" then
      errs[i] = err(i)
    elseif value == nil then
      errs[i] = err
    end
  end
  session:end_others(changes, errs)
  if not ok then error(value, 0) end
  return value, err
end

--- Makes one.
---@param client mde.Client
---@param change mde.OtherChange
---@param rehearse fun(): any, mde.Error? what a plan does in its place
---@param send fun(): any, mde.Error?
---@return any value of either
---@return mde.Error? err
function M.make(client, change, rehearse, send)
  local session = client.action_center.session
  if not session then return send() end
  local is_planned, errs, is_done = session:begin_others { change }
  if is_planned or is_done and is_done[1] then return rehearse() end
  if errs[1] then return nil, errs[1] end
  return carry_out(session, { change }, send)
end

--- Makes many. Those that may not be sent have their error, and the others are sent.
---@param client mde.Client
---@param items any[]
---@param change_of fun(item: any): mde.OtherChange
---@param rehearse fun(items: any[]): mde.Results
---@param send fun(items: any[]): mde.Results
---@return mde.Results results in the order of the items
function M.make_many(client, items, change_of, rehearse, send)
  local session = client.action_center.session
  if not session then return send(items) end
  local changes = {}
  for i, item in ipairs(items) do changes[i] = change_of(item) end
  local is_planned, errs, is_done = session:begin_others(changes)
  if is_planned then return rehearse(items) end
  local left, own, done, places = {}, {}, {}, {}
  for i, item in ipairs(items) do
    if is_done and is_done[i] then
      done[#done + 1] = item
      places[i] = -#done
    elseif not errs[i] then
      left[#left + 1], own[#own + 1] = item, changes[i]
      places[i] = #left
    end
  end
  local seen = done[1] and rehearse(done)
  local sent = { failed = 0 }
  if left[1] then
    sent = carry_out(session, own, function()
      local results = send(left)
      return results, function(i) return results[i] and results[i].err end
    end)
  end
  local results = { failed = 0 }
  for i, item in ipairs(items) do
    local place = places[i]
    results[i] = place and (place < 0 and seen[-place] or sent[place]) or { item = item, err = errs[i] }
    if results[i].err then results.failed = results.failed + 1 end
  end
  return results
end

return M
