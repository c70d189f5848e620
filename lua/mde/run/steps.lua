--- steps: what the record of a run knows of each change, found by what is done and to whom.
--
-- A step is the verb, the machine, the incident (or the caller's key), and which time this is; of a quarantine the
-- file, too. It is never a position in the playbook, since tasks end in another order each time. The nth call that gets
-- so far finds the nth that is recorded.

local core = require "mde.core"
local json = require "mde.base.json"

local M = {}

---@class mde.Step as the record keeps it (mde.journal), and
---@field device string the machine's id
---@field verb string
---@field incident string in lower case; ""
---@field key string ""
---@field occurrence integer
---@field subject? string the scope, or the file's SHA-1
---@field name? string of the device, in the plan; when the session has ended
---@field why_left? string the playbook leaves the device (mde.leave); when the session has ended
---@field reached? boolean the playbook has come by in this session
---@field is_known? boolean what came of it is known in this session, and could not be written

---@class mde.Steps
---@field all mde.Step[] in the order in which they were written first
---@field private queues table<string, mde.Step[]> for each identity those that are recorded
---@field private taken table<string, integer> of these, how many were come by
---@field private counts table<string, integer> how often each verb, machine, incident and key is recorded, of any file
---@field private by_action table<string, mde.Step>
local Steps = {}
Steps.__index = Steps

-- The file, of what is about one.
local function file_of(verb, subject)
  local row = core.response_actions[verb]
  return row and row.subject == "file" and subject or ""
end

local function tuple(verb, machine_id, incident, key)
  return table.concat({ verb, machine_id, incident, key }, "\0")
end

local function identity(verb, machine_id, incident, key, subject)
  return tuple(verb, machine_id, incident, key) .. "\0" .. file_of(verb, subject)
end

local function identity_of(step)
  return identity(step.verb, step.device, step.incident, step.key, step.subject)
end

local function tuple_of(step)
  return tuple(step.verb, step.device, step.incident, step.key)
end

-- The scope or the file, as the record has it among the arguments.
local function subject_of(step)
  local row = core.response_actions[step.verb]
  local arguments = row and row.subject and json.decode(step.arguments or "")
  local subject = type(arguments) == "table" and arguments.subject
  return type(subject) == "string" and subject or nil
end

--- What stands for an incident: they are compared without case.
---@param incident? string
---@return string
function M.incident_of(incident)
  return incident and core.text.lower(incident) or ""
end

--- The incident of a planned change as the playbook spelled it; nil: it has no incident.
---@param change { incident: string, spelling?: any }
---@return string?
function M.spelled(change)
  local spelling, incident = change.spelling, change.incident
  if type(spelling) == "string" and core.text.lower(spelling) == incident then return spelling end
  return incident ~= "" and incident or nil
end

---@param recorded mde.Step[] in order
---@return mde.Steps
function M.new(recorded)
  local steps = setmetatable({ all = {}, queues = {}, taken = {}, counts = {}, by_action = {} }, Steps)
  for _, step in ipairs(recorded) do steps:add(step) end
  return steps
end

--- Takes in a step that is recorded.
---@param step mde.Step
function Steps:add(step)
  step.subject = step.subject or subject_of(step)
  local name, kind = identity_of(step), tuple_of(step)
  self.counts[kind] = math.max(self.counts[kind] or 0, step.occurrence)
  self.queues[name] = self.queues[name] or {}
  table.insert(self.queues[name], step)
  self.all[#self.all + 1] = step
  if step.action then self:found(step, step.action) end
end

--- The step is about this action of the service.
---@param step mde.Step
---@param action_id string
function Steps:found(step, action_id)
  self.by_action[core.text.lower(action_id)] = step
end

--- The step that is about an action of the service.
---@param action_id string
---@return mde.Step?
function Steps:of_action(action_id)
  return self.by_action[core.text.lower(action_id)]
end

--- The next recorded step that this call may be; nil: it is new.
---@param verb string
---@param machine_id string
---@param incident string
---@param key string
---@param subject? string
---@return mde.Step?
function Steps:next(verb, machine_id, incident, key, subject)
  local name = identity(verb, machine_id, incident, key, subject)
  local queue = self.queues[name]
  -- The caller has said by the key that all calls with it are one.
  if key ~= "" then return queue and queue[1] end
  return queue and queue[(self.taken[name] or 0) + 1]
end

--- The playbook has come by this step.
---@param step mde.Step
function Steps:take(step)
  if step.reached then return end
  step.reached = true
  local name = identity_of(step)
  self.taken[name] = (self.taken[name] or 0) + 1
end

--- Which time a new step is, whatever the file.
---@return integer
function Steps:occurrence(verb, machine_id, incident, key)
  return (self.counts[tuple(verb, machine_id, incident, key)] or 0) + 1
end

-- The highest occurrence that is still recorded.
local function last_of(all, kind)
  local last = 0
  for _, step in ipairs(all) do
    if tuple_of(step) == kind then last = math.max(last, step.occurrence) end
  end
  return last
end

--- The step is not recorded any more: certainly nothing of it arrived.
---@param step mde.Step
function Steps:drop(step)
  local name = identity_of(step)
  for _, list in ipairs { self.queues[name], self.all } do
    for i = #list, 1, -1 do
      if list[i] == step then table.remove(list, i) end
    end
  end
  if #self.queues[name] == 0 then self.queues[name] = nil end
  self.counts[tuple_of(step)] = last_of(self.all, tuple_of(step))
  if step.reached then self.taken[name] = self.taken[name] - 1 end
end

return M
