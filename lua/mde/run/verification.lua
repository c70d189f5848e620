--- verification: what the record of a run says, compared with what the service says: the service's list is the second
--- copy of what was sent.
--
-- For each response that the run used one list of it and its opposite since the plan was made is read. Each change
-- that was sent is looked up by its operation id, which stands in the comment of its action, or else by the action's
-- id. A disk that changes what it keeps, a record that somebody has edited, and what has gone on since are seen alike.
-- What an undo of the run has taken back is told as that, and not as a difference.

local core = require "mde.core"
local deeds = require "mde.run.deed"
local errors = require "mde.base.error"
local responses = require "mde.action.response"
local places = require "mde.run.place"
local readings = require "mde.run.reading"
local records = require "mde.run.record"

local READ_SECONDS = 300
-- Clocks and lists are so far apart at the most.
local MARGIN_SECONDS = 300

local M = {}

---@class mde.RunDifference
---@field kind "missing"|"unrecorded"|"found"|"status"|"other"|"reversed" the service does not have it; has one that the
--- record does not have; knows of what the record does not; it has gone on, or ended otherwise; it is another action;
--- somebody has done the opposite since
---@field machine_id string
---@field name? string
---@field verb string
---@field operation_id? string
---@field action_id? string
---@field recorded? string the status, or the outcome, in the record
---@field status? string of the action as the service has it
---@field words string

---@class mde.RunVerification
---@field verified_at number Unix seconds, by the service's time
---@field compared integer changes that were sent
---@field actions integer of the service's list
---@field differences mde.RunDifference[]
---@field undone? { by: string, taken_back: integer, is_readable: boolean } the undo of the run, and on how many
--- devices it has taken back what the run did; not readable: its record is not here, and what it took back is among the
--- differences

---@class mde.RunUndo what is known of the undo of a run
---@field by string as it is called in a command
---@field operations? table<string, boolean> the operation ids of its record; nil: that is not here

local types = {}
for _, verb in ipairs(responses.verbs) do types[verb] = core.text.lower(core.response_actions[verb].type) end

local function lower(value)
  return type(value) == "string" and core.text.lower(value) or ""
end

-- The rows of the list by the operation id in their comments, and by their own ids.
local function by_id(rows)
  local by_operation, by_action = {}, {}
  for _, row in ipairs(rows) do
    local _, _, operation = core.comment.parse(row.requestorComment)
    if operation then
      by_operation[operation] = by_operation[operation] or {}
      table.insert(by_operation[operation], row)
    end
    if type(row.id) == "string" then by_action[lower(row.id)] = row end
  end
  return by_operation, by_action
end

local function is_same(row, device, change)
  return lower(row.machineId) == device.id and lower(row.type) == types[change.verb]
end

-- The action of the service that a change is, and others that carry its operation id on the same device.
local function rows_of(device, change, by_operation, by_action)
  local own, others = change.action_id and by_action[lower(change.action_id)], {}
  if own and not is_same(own, device, change) then own = nil end
  for _, row in ipairs(change.operation_id and by_operation[change.operation_id] or {}) do
    if is_same(row, device, change) and row ~= own then
      if own then others[#others + 1] = row else own = row end
    end
  end
  return own, others
end

-- Whether the comment of an action says that it is another operation; one that the service has cut says nothing.
local function is_other(row, change)
  local _, _, operation = core.comment.parse(row.requestorComment)
  return operation ~= nil and operation ~= change.operation_id
end

-- In the record a send that was not answered, or whose answer was no action.
local function words_of_outcome(change)
  return (change.outcome or "no answer"):gsub("_", " ")
end

local function operation_of(comment)
  return (select(3, core.comment.parse(comment))) or ""
end

local function judge(device, change, rows, undo, add)
  local own, others = rows_of(device, change, rows.by_operation, rows.by_action)
  for _, row in ipairs(others) do
    add("unrecorded", row, ("the service has a second action of this operation, %s, which the record does not have")
      :format(errors.show(row.id)))
  end
  if not own then
    if change.outcome == "accepted" then
      add("missing", nil, "the record says that the service accepted it, and the service's list does not have it")
    end
  elseif change.outcome ~= "accepted" then
    add("found", own, ("the record says \"%s\", and the service has it: %s"):format(words_of_outcome(change),
      errors.show(own.status)))
  elseif is_other(own, change) then
    add("other", own, "the service has this action under another operation id than the record")
  elseif core.history.status(own.status) == "cancelled" and undo[operation_of(own.cancellationComment)] then
    add("undone")
  elseif lower(own.status) ~= lower(change.status) then
    add("status", own, ("the record says %s, and the service says %s"):format(errors.show(change.status or "Pending"),
      errors.show(own.status)))
  elseif change.action_id and lower(own.id) ~= lower(change.action_id) then
    add("unrecorded", own, ("the service has this operation as action %s, and the record as %s"):format(
      errors.show(own.id), errors.show(change.action_id)))
  end
end

-- The record has an operation id for the devices that it names; on any other device it is no one's of this run.
local function judge_strays(account, rows, add)
  local known, devices = {}, {}
  for _, device in ipairs(account.devices) do
    devices[device.id] = device
    for _, change in ipairs(device.changes) do
      local id = change.operation_id
      if id then known[("%s\0%s\0%s"):format(id, device.id, types[change.verb] or "")] = true end
    end
  end
  for _, device in ipairs(account.devices) do
    for _, change in ipairs(device.changes) do
      for _, row in ipairs(change.operation_id and rows.by_operation[change.operation_id] or {}) do
        local key = ("%s\0%s\0%s"):format(change.operation_id, lower(row.machineId), lower(row.type))
        if not known[key] then
          known[key] = true
          local other = devices[lower(row.machineId)]
          add(other or { id = lower(row.machineId), name = row.computerDnsName }, change, row)
        end
      end
    end
  end
end

-- ---- what others have done since

-- What a state of a device says was done last: what holds it, or what takes that back.
local function verb_of(state, holder)
  local row = core.response_actions[holder]
  if state == row.state or state == row.changing then return holder end
  if state == "released" or state == "releasing" then return row.opposite end
end

-- For what may hold a device the change by which the run left it as it is.
local function last_changes(device)
  local last = {}
  for _, change in ipairs(device.changes) do
    local status = core.history.status(change.status)
    local holds = change.outcome == "already_active"
      or change.outcome == "accepted" and (status == "succeeded" or status == "pending")
    local holder = types[change.verb] and responses.holder(change.verb)
    if change.n and holds and holder and not (last[holder] and last[holder].n > change.n) then last[holder] = change end
  end
  return last
end

-- The rows of the list by the machine.
local function by_machine(list)
  local rows = {}
  for _, row in ipairs(list) do
    local id = lower(row.machineId)
    rows[id] = rows[id] or {}
    table.insert(rows[id], row)
  end
  return rows
end

-- What the run has sent, by operation id and by action id.
local function own_of(account)
  local own = {}
  for _, device in ipairs(account.devices) do
    for _, change in ipairs(device.changes) do
      if change.operation_id then own[change.operation_id] = true end
      if change.action_id and change.outcome == "accepted" then own[lower(change.action_id)] = true end
    end
  end
  return own
end

-- The opposite of a change by another hand, done or pending.
local function is_opposite(row, change, own)
  local _, _, operation = core.comment.parse(row.requestorComment)
  local status = core.history.status(row.status)
  return lower(row.type) == types[core.response_actions[change.verb].opposite] and not own[operation or ""]
    and not own[lower(row.id)] and (status == "succeeded" or status == "pending")
end

local function doer_of(row)
  local _, incident = core.comment.parse(row.requestorComment)
  local who = type(row.requestor) == "string" and row.requestor ~= "" and row.requestor or "somebody"
  return errors.show(incident and ("%s (%s)"):format(who, incident) or who)
end

-- Whether somebody has done the opposite since. Which is the newer of two actions says the core.
local function judge_since(device, change, rows, own, undo, latest, add)
  local holder, opposite, undone = responses.holder(change.verb), nil, nil
  for _, row in ipairs(rows) do
    local is_undone = undo[operation_of(row.requestorComment)]
    if is_opposite(row, change, own) then
      undone, opposite = undone or is_undone, not is_undone and row or opposite
    end
  end
  if not (opposite or undone) then return end
  local state, row = core.history.state(rows, device.id, latest, holder)
  local is_reversed = verb_of(state, holder) ~= change.verb
  if state == "unclear" and opposite then
    add("reversed", change, opposite, ("%s has done the opposite, and the times do not tell whether before or since")
      :format(doer_of(opposite)))
  elseif state == "unclear" or row and undo[operation_of(row.requestorComment)] and is_reversed then
    add("undone")
  elseif row and is_reversed and is_opposite(row, change, own) then
    local words = ("%s since by %s"):format(deeds.done(verb_of(state, holder)), doer_of(row))
    if core.history.status(row.status) == "pending" then words = words .. ", which the device has not done yet" end
    add("reversed", change, row, words)
  end
end

--- Compares an account with what the service has.
---@param account mde.RunAccount
---@param list table[] actions of the responses that the run used, as the service lists them
---@param now number Unix seconds
---@param latest? number Unix seconds, after which no time of an action is usable
---@param undo? mde.RunUndo
---@return mde.RunVerification
function M.compare(account, list, now, latest, undo)
  local taken_back, is_counted, undo_operations = 0, {}, undo and undo.operations or {}
  local result = { verified_at = now, compared = 0, actions = #list, differences = {} }
  local rows = {}
  rows.by_operation, rows.by_action = by_id(list)
  local function note(kind, device, change, row, words)
    if kind == "undone" then
      if not is_counted[device.id] then taken_back = taken_back + 1 end
      is_counted[device.id] = true
      return
    end
    table.insert(result.differences, { kind = kind, machine_id = device.id, name = device.name, verb = change.verb,
      operation_id = change.operation_id, action_id = row and row.id or change.action_id,
      recorded = change.status or change.outcome, status = row and row.status, words = words })
  end
  for _, device in ipairs(account.devices) do
    for _, change in ipairs(device.changes) do
      if change.n and change.attempts and change.attempts > 0 then
        result.compared = result.compared + 1
        judge(device, change, rows, undo_operations, function(kind, row, words)
          note(kind, device, change, row, words)
        end)
      end
    end
  end
  judge_strays(account, rows, function(device, change, row)
    note("unrecorded", device, change, row, ("the service has %s of this device under an operation of this run, which "
      .. "the record does not have"):format(errors.show(row.type)))
  end)
  local machines, own = by_machine(list), own_of(account)
  for _, device in ipairs(account.devices) do
    for _, verb in ipairs(responses.holding) do
      local last = last_changes(device)[verb]
      if last then
        judge_since(device, last, machines[device.id] or {}, own, undo_operations, latest,
          function(kind, change, row, words) note(kind, device, change, row, words) end)
      end
    end
  end
  result.undone = undo and { by = undo.by, taken_back = taken_back, is_readable = undo.operations ~= nil } or nil
  return result
end

-- Whether the run was in the tenant that the client is of.
local function check_tenant(client, account)
  local own, recorded = client.exchange.tenant_id, account.run.tenant_id
  if not own or not recorded or core.text.lower(own) == core.text.lower(recorded) then return true end
  return nil, errors.new { kind = "invalid", code = "plan_of_another",
    message = ("the run was in the tenant %s, and this client is of %s"):format(errors.show(recorded),
      errors.show(own)),
    hint = "Use the profile or environment of that tenant." }
end

-- The undo of a run. What it sent stands in its own record, which may be elsewhere, and must be that of an undo.
local function undo_of(account)
  local by = account.run.undone_by
  if not by then return nil end
  local path = places.record_of(by)
  local reading = path and records.is_record(path) and readings.read(by)
  if not reading or reading.run.verb ~= "undo" then return { by = by } end
  local operations = {}
  for _, step in ipairs(reading.steps) do
    if step.operation then operations[step.operation] = true end
  end
  return { by = by, operations = operations }
end

-- The groups of the responses that the run used, in their order; of a run without any, restricts and releases.
local function groups_of(account)
  local used, list, seen = {}, {}, {}
  for _, device in ipairs(account.devices) do
    for _, change in ipairs(device.changes) do used[change.verb] = used[change.verb] or change.n ~= nil end
  end
  for _, verb in ipairs(responses.verbs) do
    local group = responses.group(verb)
    if used[verb] and not seen[group] then list[#list + 1] = group end
    seen[group] = seen[group] or used[verb]
  end
  return list[1] and list or { responses.group "restrict" }
end

--- Reads the service's lists and compares.
---@param client mde.Client
---@param account mde.RunAccount
---@return mde.RunVerification?
---@return mde.Error? err
function M.verify(client, account)
  local same, err = check_tenant(client, account)
  if not same then return nil, err end
  local since = account.run.made_at and math.max(0, account.run.made_at - MARGIN_SECONDS)
  local list = {}
  for _, group in ipairs(groups_of(account)) do
    local rows
    rows, err = client.action_center:listed(group, since, client:context(READ_SECONDS))
    if not rows then return nil, errors.about(err, "verify the run " .. errors.quote(account.run.name)) end
    for _, row in ipairs(rows) do list[#list + 1] = row end
  end
  return M.compare(account, list, client:now(), client.exchange.clock:latest(), undo_of(account))
end

return M
