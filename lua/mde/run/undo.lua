--- undo: takes back what a run has restricted, and nothing else.
--
-- An undo is a run of a playbook that is written here: it releases each device that the run has restricted, if every
-- restriction that holds the device carries an operation id of that run. Whatever else holds it, the same incident by
-- another hand too, leaves it restricted, and is named. So it is planned, recorded and resumed as any run is.

local core = require "mde.core"
local errors = require "mde.base.error"
local places = require "mde.run.place"
local playbooks = require "mde.run.playbook"
local posix = require "mde.posix"
local records = require "mde.run.record"

local M = {}

-- Each argument but the first is a device: its id, the incident and the operation ids, with tabs between.
local TEXT = [[
-- Written by mde undo: takes back what a run has restricted, and nothing else.
local mde = require "mde"

local comment, devices, restrictions = arg[1], {}, {}
for i = 2, #arg do
  local id, incident, operations = arg[i]:match "^(%x+)\t([^\t]*)\t(.+)$"
  local list = {}
  for operation in operations:gmatch "[^\t]+" do list[#list + 1] = operation end
  devices[#devices + 1] = id
  restrictions[id] = { incident = incident ~= "" and incident or nil, operations = list }
end

return mde.each(devices, function(id)
  return mde.release(id, comment, restrictions[id])
end)
]]

---@class mde.Undone what is to be taken back
---@field run string how the run is called in a command
---@field playbook mde.Playbook
---@field devices integer that the run has restricted, or may have
---@field found string[] names of devices that it found restricted already: they stay so

-- Whether something of a step may have arrived.
local function may_hold(step)
  return step.verb == "restrict" and step.attempts > 0 and step.outcome ~= "refused"
    and step.outcome ~= "already_active"
end

-- The incident of a comment, as it is spelt there.
local function incident_of(step)
  local _, incident = core.comment.parse(step.comment)
  return incident or ""
end

-- The devices in the order in which they were restricted first, each with its incident, if it has one alone, and its
-- operation ids; and those that were found restricted.
local function read_steps(journal)
  local list, by_device, found = {}, {}, {}
  for step in journal:steps() do
    if may_hold(step) then
      local device = by_device[step.device]
      if not device then
        device = { id = step.device, incident = incident_of(step), operations = {} }
        by_device[step.device] = device
        list[#list + 1] = device
      end
      if core.text.lower(device.incident) ~= core.text.lower(incident_of(step)) then device.incident = "" end
      table.insert(device.operations, step.operation)
    elseif step.verb == "restrict" and step.outcome == "already_active" then
      found[step.device] = true
    end
  end
  for _, device in ipairs(list) do found[device.id] = nil end
  return list, found
end

local function names_of(journal, found)
  local names = {}
  for device in journal:devices() do
    if found[device.id] then names[#names + 1] = device.name or device.id end
  end
  return names
end

local function refused(code, run, why, hint)
  return nil, errors.new { kind = "invalid", code = code, hint = hint,
    message = ("%s cannot be undone: %s"):format(errors.quote(run), why) }
end

local function check(run, row)
  if row.verb == "undo" then
    return refused("undo_of_undo", run, "it is an undo itself", "Run the playbook again, if you still mean it.")
  elseif row.state == "planned" then
    return refused("run_not_begun", run, "it is a plan that was not carried out", "Nothing was sent by it.")
  end
  return true
end

--- What there is to be undone of a run. The run must not be at work.
---@param run string its id, or the path of its record
---@param comment string why it is undone; recorded in the service
---@return mde.Undone?
---@return mde.Error? err
function M.read(run, comment)
  local path, err = places.record_of(run)
  if not path then return nil, err end
  local record
  record, err = records.hold(path)
  if not record then return nil, err end
  local row = record.journal:run()
  local sound, problem = check(run, row)
  local devices, found = read_steps(record.journal)
  local names = names_of(record.journal, found)
  records.abandon(record)
  if not sound then return nil, problem end
  local arguments = { comment }
  for _, device in ipairs(devices) do
    arguments[#arguments + 1] = ("%s\t%s\t%s"):format(device.id, device.incident,
      table.concat(device.operations, "\t"))
  end
  local playbook
  playbook, err = playbooks.of_text("undo of " .. places.name_of(path), TEXT, arguments)
  if not playbook then return nil, err end
  return { run = places.name_of(path), playbook = playbook, devices = #devices, found = names }
end

--- Writes into the record of a run that it is being undone: nobody goes on with it any more.
---@param run string
---@param by string the undo, as it is called in a command
---@return true?
---@return mde.Error? err
function M.mark(run, by)
  local path, err = places.record_of(run)
  if not path then return nil, err end
  local record
  record, err = records.hold(path)
  if not record then return nil, err end
  local journal = record.journal
  local ok, message = journal:begin()
  if ok then ok, message = journal:event { at = posix.clock.time(), kind = "undone", detail = by } end
  if ok then ok, message = journal:set_state("complete", "undone by " .. by) end
  if ok then ok, message = journal:commit() end
  if not ok then journal:rollback() end
  records.abandon(record)
  if ok then return true end
  return refused("record_unusable", run, "its record cannot be written: " .. errors.show(message),
    "See that its file may be written, and that the disk has room.")
end

return M
