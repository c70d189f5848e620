--- recall: what earlier sessions of a run have recorded, given back to a playbook that comes by again.
--
-- A result is given back, and nothing is asked. What was not sent is not recorded: it is tried again. A step that was
-- sent and not answered is no result; finding out about it begins in the middle (action/change.lua).

local asked = require "mde.run.asked"
local core = require "mde.core"
local errors = require "mde.base.error"
local json = require "mde.base.json"
local responses = require "mde.action.response"
local steps_of = require "mde.run.steps"

local M = {}

---@class mde.Recall
---@field steps mde.Steps
---@field private center mde.ActionCenter
---@field private journal table
---@field is_resuming boolean an earlier session has recorded a step, and this one has made no new one yet
---@field private compared table<mde.Step, boolean> with a call of this session
---@field private noted? table<integer, boolean>
---@field private last table<string, { id: string, at: number }> the newest action of the run on each machine, of each
--- group of responses
local Recall = {}
Recall.__index = Recall

-- The fields of an action that can be written down: texts, numbers, flags and lists of texts.
local function plain(row)
  local own = {}
  for name, value in pairs(row) do
    local kind = type(value)
    if type(name) == "string" and (kind == "string" or kind == "number" or kind == "boolean"
      or kind == "table" and getmetatable(value) == nil and type(value[1]) == "string") then
      own[name] = value
    end
  end
  return own
end

--- An action as the record keeps it.
---@param action mde.Action
---@return string json
function M.of_action(action)
  return json.encode(plain(action))
end

--- An error as the record keeps it.
---@param err mde.Error
---@return string json
function M.of_error(err)
  local own = plain(err)
  own.action = err.action and plain(err.action) or nil
  return json.encode(own)
end

---@param journal table mde.journal's
---@param center mde.ActionCenter
---@return mde.Recall
function M.new(journal, center)
  local recorded = {}
  for step in assert(journal:steps()) do
    -- What stands there is which session came by last; this one has not yet.
    step.reached = nil
    recorded[#recorded + 1] = step
  end
  local recall = setmetatable({ journal = journal, center = center, is_resuming = recorded[1] ~= nil, last = {},
    compared = {},
    steps = steps_of.new(recorded) }, Recall)
  for _, step in ipairs(recorded) do
    local row = step.row and json.decode(step.row)
    if type(row) == "table" then recall:acted(step.device, step.verb, row) end
  end
  return recall
end

--- The machine that this name means in the run.
---@param name string
---@return string? id
function Recall:machine_of(name)
  return self.journal:find_asked(core.text.lower(name)) or nil
end

-- A verb and its opposite on one machine; what no response action is has no group.
local function name_of(machine_id, verb)
  local group = responses.group(verb)
  return ("%s %s"):format(machine_id, group and group.name or verb)
end

--- The run has made an action on a machine.
---@param machine_id string
---@param verb string
---@param row table
function Recall:acted(machine_id, verb, row)
  local at, name = core.timestamp.read(row.creationDateTimeUtc), name_of(machine_id, verb)
  local last = self.last[name]
  if at and type(row.id) == "string" and (not last or at >= last.at) then
    self.last[name] = { id = row.id, at = at }
  end
end

--- The run's own newest action of a verb, or of its opposite, on a machine: what it decided last.
---@param machine_id string
---@param verb string
---@return { id: string, at: number }?
function Recall:last_of(machine_id, verb)
  return self.last[name_of(machine_id, verb)]
end

--- The recorded step that a call is; nil: it is new.
---@param intent table
---@return mde.Step?
function Recall:step_of(intent)
  return self.steps:next(intent.verb, intent.machine_id, steps_of.incident_of(intent.incident),
    intent.key or "", intent.subject)
end

--- Whether the key of a call stands for another file of the device already. It is the operation id of one action.
---@param intent table
---@return boolean
function Recall:is_key_of_another(intent)
  if not intent.key or core.response_actions[intent.verb].subject ~= "file" then return false end
  for _, step in ipairs(self.steps.all) do
    if step.operation == intent.key and step.device == intent.machine_id and step.verb == intent.verb then
      return step ~= self:step_of(intent)
    end
  end
  return false
end

-- The steps of which it stands in the record that a call differs from them.
local function noted_steps(journal)
  local noted = {}
  for event in assert(journal:events()) do
    if event.kind == "differs" and event.step then noted[event.step] = true end
  end
  return noted
end

--- In what a call differs from the step of an earlier session that it is, in words; told once in a session.
---@param intent table
---@param session integer which one this is
---@return mde.Step? step
---@return string? words
---@return boolean? is_noted it stands in the record
function Recall:difference(intent, session)
  local step = self:step_of(intent)
  if not step or step.session == session or self.compared[step] then return nil end
  self.compared[step] = true
  local words = asked.difference(step, intent)
  if not words then return nil end
  self.noted = self.noted or noted_steps(self.journal)
  return step, words, self.noted[step.n]
end

local function read(text)
  local value = text and json.decode(text)
  return type(value) == "table" and value or nil
end

-- An action of the record; its status is what was seen of it last.
local function action_of(self, step)
  local row = read(step.row)
  if not row then return nil end
  row.status, row.replayed = step.status or row.status, true
  local outcome = step.outcome
  return self.center:adopt(row, { outcome = outcome, looked = row.looked, recorded = row.recorded,
    attempts = step.attempts, replayed = true, also_held = row.also_held, also_ended = row.also_ended })
end

--- What was done by earlier sessions with a verb, in its order. What was sent and not answered is not among it: it
--- takes its turn again, and must not wait behind a gate for itself.
---@param verb string
---@return mde.Action[]
function Recall:sent(verb)
  local list = {}
  for _, step in ipairs(self.steps.all) do
    if step.verb == verb and step.outcome == "accepted" then list[#list + 1] = action_of(self, step) end
  end
  return list
end

local function error_of(self, step)
  local fields = read(step.error) or {}
  if fields.action then fields.action = self.center:adopt(fields.action) end
  fields.kind, fields.code = fields.kind or "refused", fields.code or "recorded"
  fields.message = fields.message or "an earlier session of the run was refused this"
  return errors.new(fields)
end

--- The result of an earlier session, if there is one.
---@param intent table
---@return boolean known
---@return mde.Action? action
---@return mde.Error? err
function Recall:recall(intent)
  local step = self:step_of(intent)
  if not step or not step.outcome or step.outcome == "unknown" then return false end
  if step.outcome == "accepted" or step.outcome == "already_active" then
    local action = action_of(self, step)
    if not action then return false end
    self.steps:take(step)
    return true, action
  end
  self.steps:take(step)
  return true, nil, error_of(self, step)
end

-- Of a device so many actions are remembered; older ones are told from a send by their time.
local MAX_SEEN = 32

--- What is said of a step in the body of its request, as it was recorded.
---@param step mde.Step
---@return table<string, string> members
function M.members_of(step)
  local options = {}
  for _, field in ipairs(core.response_actions[step.verb].fields) do
    if field.option then options[field.option] = step.subject end
  end
  return (responses.body(step.verb, options))
end

--- What a call asks, and what the look before its send has shown, as the record keeps it: what was there before is not
--- mistaken for a decision that came after.
---@param intent table
---@return string json
function M.of_call(intent)
  local seen = {}
  for _, row in ipairs(intent.seen or {}) do
    if type(row.id) == "string" and #seen < MAX_SEEN then
      seen[#seen + 1] = { id = row.id, status = row.status or "" }
    end
  end
  return json.encode { asked = asked.of(intent), subject = intent.subject, reason = intent.reason,
    looked = intent.seen ~= nil, seen = seen }
end

-- The actions of the run itself that were answered before a step left.
local function own_before(self, step)
  local seen = {}
  for _, other in ipairs(self.steps.all) do
    if other == step then break end
    local row = other.device == step.device and other.action and read(other.row)
    if row then seen[#seen + 1] = { id = other.action, status = other.status or row.status or "" } end
  end
  return seen
end

--- What is known of a step that was sent and not answered, for finding out about it. However often it was sent by
--- earlier sessions, this one may send it once more where the device's list was read twice and does not show it: it
--- reads that at least seconds after they had ended.
---@param step mde.Step
---@return mde.SentBefore
function Recall:sent_before(step)
  local _, incident = core.comment.parse(step.comment)
  local look, seen = read(step.arguments) or {}, own_before(self, step)
  for _, own in ipairs(type(look.seen) == "table" and look.seen or {}) do
    if type(own) == "table" and core.device.is_guid(own.id) then
      seen[#seen + 1] = { id = own.id, status = type(own.status) == "string" and own.status or "" }
    end
  end
  return { verb = step.verb, subject = step.subject, machine_id = step.device, comment = step.comment,
    operation_id = step.operation, incident = incident, keyed = step.key ~= "",
    sent_at = step.sent_service or step.sent, sends = 1, attempts = math.max(1, step.attempts),
    looked = look.looked == true, seen = seen }
end

return M
