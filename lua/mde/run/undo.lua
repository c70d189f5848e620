--- undo: takes back what a run has restricted, isolated and contained, and nothing else.
--
-- An undo is a run of a playbook that is written here: it releases each device that the run has restricted, if every
-- restriction that holds the device carries an operation id of that run; so with isolations. Whatever else holds it,
-- the same incident by another hand too, leaves it so, and is named. So it is planned, recorded and resumed as any run.
-- A device is let onto the network before it may run any code again: what it has to be told then reaches it. Where it
-- could not be let onto the network, it stays restricted.

local core = require "mde.core"
local deeds = require "mde.run.deed"
local errors = require "mde.base.error"
local others = require "mde.run.other"
local places = require "mde.run.place"
local playbooks = require "mde.run.playbook"
local records = require "mde.run.record"

local M = {}

-- Each argument but the first is what holds a device: what takes it back, the device's id, the incident and the
-- operation ids, with tabs between. Of one device they are in the order in which they are taken back.
local TEXT = [[
-- Written by mde undo: takes back what a run has done to cut devices off, and nothing else.
local mde = require "mde"

local comment, devices, held = arg[1], {}, {}
for i = 2, #arg do
  local verb, id, incident, operations = arg[i]:match "^([a-z]+)\t(%x+)\t([^\t]*)\t(.+)$"
  local list = {}
  for operation in operations:gmatch "[^\t]+" do list[#list + 1] = operation end
  if not held[id] then
    devices[#devices + 1] = id
    held[id] = {}
  end
  table.insert(held[id], { verb = verb, incident = incident ~= "" and incident or nil, operations = list })
end

return mde.each(devices, function(id)
  local last, problem
  for _, one in ipairs(held[id]) do
    local action, err = mde[one.verb](id, comment, { incident = one.incident, operations = one.operations })
    -- What others hold, or nobody holds, is left. After any other error the device stays as it is.
    if not action and err.code ~= "held_by_others" and err.code ~= "nothing_held" then return nil, err end
    last, problem = action, problem or err
  end
  if problem then return nil, problem end
  return last
end)
]]

-- The order in which a device is let go.
local ORDER = { "isolate", "contain", "restrict" }

---@class mde.Undone what is to be taken back
---@field run string how the run is called in a command
---@field playbook mde.Playbook
---@field found string[] names of devices that it found restricted, isolated or contained already: they stay so
---@field lasting mde.Lasting[] what it has done that nothing takes back
---@field foreign mde.Lasting[] what it has done by verbs that are not known here, as of a newer version: it stays so
---@field others string[] what it has changed, or may have, beside what is done to devices: it stays so
---@field progress string what the run had done when it was read

---@class mde.Lasting
---@field verb string
---@field name string of the device

-- Whether something of a step may have been done.
local function may_stand(step)
  local status = step.status and core.history.status(step.status)
  return step.attempts > 0 and step.outcome ~= "refused" and step.outcome ~= "already_active"
    and step.outcome ~= "superseded" and status ~= "failed" and status ~= "cancelled"
end

-- Whether something of it may hold its device. What was superseded may stand all the same.
local function may_hold(step)
  return deeds.cuts_off(step.verb) and (may_stand(step) or step.outcome == "superseded" and step.attempts > 0)
end

-- Whether a step is one that this could have written: a record may come from elsewhere.
local function is_sound(step)
  return core.device.kind(step.device) == "machine_id" and core.comment.operation_valid(step.operation)
end

-- The incident of a comment, as it is spelt there.
local function incident_of(step)
  local _, incident = core.comment.parse(step.comment)
  return incident or ""
end

-- What holds a device by a verb: its incident, if it has one alone, and its operation ids.
local function hold(device, step)
  local held = device.held[step.verb]
  if not held then
    held = { incident = incident_of(step), operations = {} }
    device.held[step.verb] = held
  end
  if core.text.lower(held.incident) ~= core.text.lower(incident_of(step)) then held.incident = "" end
  table.insert(held.operations, step.operation)
end

-- The devices in the order in which they were cut off first, each with what holds it; by device the verbs of which it
-- was found that they were done already; the steps that nothing takes back; and those of which nobody knows here
-- whether anything does.
local function read_steps(journal)
  local list, by_device, found, lasting, foreign = {}, {}, {}, {}, {}
  for step in journal:steps() do
    local is_cut_off = deeds.cuts_off(step.verb)
    if may_hold(step) and is_sound(step) then
      if not by_device[step.device] then
        by_device[step.device] = { id = step.device, held = {} }
        list[#list + 1] = by_device[step.device]
      end
      hold(by_device[step.device], step)
    elseif is_cut_off and step.outcome == "already_active" then
      found[step.device] = found[step.device] or {}
      found[step.device][step.verb] = true
    elseif not deeds.of(step.verb) then
      if may_stand(step) then foreign[#foreign + 1] = { verb = step.verb, name = step.device } end
    elseif not core.response_actions[step.verb].opposite and may_stand(step) then
      lasting[#lasting + 1] = { verb = step.verb, name = step.device }
    end
  end
  for id, verbs in pairs(found) do
    for verb in pairs(by_device[id] and by_device[id].held or {}) do verbs[verb] = nil end
  end
  return list, found, lasting, foreign
end

-- The names of those that were found so; and those of what stays are put in their place.
local function names_of(journal, found, lasting, foreign)
  local names, by_id = {}, {}
  for device in journal:devices() do
    by_id[device.id] = device.name
    for _, verb in ipairs(ORDER) do
      if found[device.id] and found[device.id][verb] then
        names[#names + 1] = (device.name or device.id) .. (verb == "restrict" and "" or (" (%s)"):format(
          deeds.done(verb)))
      end
    end
  end
  for _, list in ipairs { lasting, foreign } do
    for _, one in ipairs(list) do one.name = by_id[one.name] or one.name end
  end
  return names
end

-- What was changed beside devices, or may have been.
local function others_of(journal)
  local events, lines = {}, {}
  for row in journal:events() do events[#events + 1] = row end
  for _, one in ipairs(others.of_events(events)) do
    if one.word ~= "failed" then lines[#lines + 1] = one.line end
  end
  return lines
end

-- The arguments of the playbook that takes it back.
local function arguments_of(comment, devices)
  local arguments = { comment }
  for _, device in ipairs(devices) do
    for _, verb in ipairs(ORDER) do
      local held = device.held[verb]
      if held then
        arguments[#arguments + 1] = ("%s\t%s\t%s\t%s"):format(core.response_actions[verb].opposite, device.id,
          held.incident, table.concat(held.operations, "\t"))
      end
    end
  end
  return arguments
end

-- How far a run is: another session or another send makes another text of it.
local function progress_of(journal)
  local sessions, steps, sends = 0, 0, 0
  for _ in journal:sessions() do sessions = sessions + 1 end
  for step in journal:steps() do
    steps, sends = steps + 1, sends + step.attempts
  end
  return ("%d sessions, %d steps, %d sends"):format(sessions, steps, sends)
end

local function refused(code, run, why, hint)
  return nil, errors.new { kind = "invalid", code = code, hint = hint,
    message = ("%s cannot be undone: %s"):format(errors.quote(run), why) }
end

local function check(run, row)
  if not row then
    return refused("record_unusable", run, "its record cannot be read", "Look at it: mde report RUN.")
  elseif row.verb == "undo" then
    return refused("undo_of_undo", run, "it is an undo itself", "Run the playbook again, if you still mean it.")
  elseif row.state == "planned" then
    return refused("run_not_begun", run, "it is a plan that was not carried out", "Nothing was sent by it.")
  end
  return true
end

--- What there is to be undone of a run. The run must not be at work.
---@param run string its id, or the path of its record
---@param comment string why it is undone; recorded in the service
---@param check_tenant fun(plan: { tenant_id?: string, client_id?: string, base_url: string }): boolean?, mde.Error?
---@return mde.Undone?
---@return mde.Error? err
function M.read(run, comment, check_tenant)
  local path, err = places.record_of(run)
  if not path then return nil, err end
  local record
  record, err = records.hold(path)
  if not record then return nil, err end
  local journal = record.journal
  local row = journal:run()
  local sound, problem = check(run, row)
  if sound then
    sound, problem = check_tenant { tenant_id = row.tenant ~= "" and row.tenant or nil,
      client_id = row.client ~= "" and row.client or nil, base_url = row.base_url }
  end
  local ok, devices, undone = pcall(function()
    local list, found, lasting, foreign = read_steps(journal)
    return list, { run = places.name_of(path, row.id), found = names_of(journal, found, lasting, foreign),
      lasting = lasting, foreign = foreign,
      others = others_of(journal), progress = progress_of(journal) }
  end)
  records.abandon(record)
  if not sound then return nil, problem end
  if not ok then
    return refused("record_unusable", run, "its record cannot be read", "Look at it: mde report RUN.")
  end
  local playbook
  playbook, err = playbooks.of_text("undo of " .. undone.run, TEXT, arguments_of(comment, devices))
  if not playbook then return nil, err end
  undone.playbook = playbook
  return undone
end

local function write_mark(journal, by, at)
  local ok, message = journal:begin()
  if ok then ok, message = journal:event { at = at, kind = "undone", detail = by } end
  if ok then ok, message = journal:set_state("complete", "undone by " .. by) end
  if ok then ok, message = journal:commit() end
  if not ok then journal:rollback() end
  return ok, message
end

--- Writes into the record of a run that it is being undone: nobody goes on with it any more. Where that stands there
--- already it is left so.
---@param run string
---@param by string the undo, as it is called in a command
---@param at number Unix seconds
---@param progress? string what the run had done when its undo was planned; nil: that was checked before
---@return true?
---@return mde.Error? err
function M.mark(run, by, at, progress)
  local path, err = places.record_of(run)
  if not path then return nil, err end
  local record
  record, err = records.hold(path)
  if not record then return nil, err end
  local journal, ok, message = record.journal, true, nil
  local row = journal:run()
  local is_marked = row ~= nil and row.why == "undone by " .. by
  local has_gone_on = progress ~= nil and not is_marked and progress_of(journal) ~= progress
  if row and not is_marked and not has_gone_on then ok, message = write_mark(journal, by, at) end
  records.abandon(record)
  if has_gone_on then
    return refused("run_went_on", run, "it went on since its undo was planned", "Plan the undo again: mde undo RUN.")
  elseif ok and row then
    return true
  end
  return refused("record_unusable", run, "its record cannot be written: " .. errors.show(message or "it is damaged"),
    "See that its file may be written, and that the disk has room.")
end

return M
