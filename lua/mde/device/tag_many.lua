--- tag_many: marks many machines, or takes the mark away, with one request for every 500.
--
-- What the service does with a machine among them that it does not know, no page says. It may refuse all, leave that
-- one out, or stop there. So its answer is believed of each machine that is in it, as that says; and where it refuses
-- them for one that it does not know, they are sent in halves until it is alone. Twice is once, so sending a machine
-- again does no harm.

local core = require "mde.core"
local errors = require "mde.base.error"
local texts = require "mde.device.tag_text"

local ACTION_SECONDS, RESOLVE_SECONDS = 120, 300
local MAX_SENDS = 2
-- One unknown machine among 500 is found with nine refusals. If there are so many, the refusal is about something else.
local MAX_REFUSALS = 60

local M = {}

-- What the service may say of a list with a machine in it that it does not know.
local may_be_one = { [400] = true, [404] = true }

local function usable(answer)
  if type(answer.value) ~= "table" then return false, "it is not a list of machines" end
  for _, row in ipairs(answer.value) do
    if type(row) ~= "table" or not texts.is_told(row.machineTags) then return false, "it is not a list of machines" end
  end
  return true
end

local function send(inventory, verb, ids, tag, context)
  local response, body = core.response_actions[verb], texts.body(verb, tag)
  body.MachineIds = ids
  return inventory.exchange:call {
    method = "POST", path = "/machines/" .. response.many_path, kind = "action", api = "tags_of_many",
    permission = response.permission, context = context:within(ACTION_SECONDS), body = body, answers_list = true,
    usable = usable,
  }
end

-- The machines of an answer, by id.
local function by_id(answer)
  local rows = {}
  for _, row in ipairs(answer.value) do
    if type(row.id) == "string" then rows[core.text.lower(row.id)] = row end
  end
  return rows
end

local function left_out(machine_id)
  return errors.new { kind = "not_found", code = "machine_left_out", machine_id = machine_id,
    message = "the service took it for the others, and its answer leaves this machine out",
    hint = "The service may have forgotten it: mde.machine(id) tells." }
end

local function part(list, first, last)
  local own = {}
  for i = first, last do own[#own + 1] = list[i] end
  return own
end

-- Sends for these machines; `told.tell(id, row, err)` is told what came of each, and `told.refusals` counts.
local function change(inventory, verb, ids, tag, context, told)
  local answer, err
  for _ = 1, MAX_SENDS do
    answer, err = send(inventory, verb, ids, tag, context)
    for _, id in ipairs(ids) do inventory:note_change(id) end
    if answer or err.kind ~= "unknown" then break end
  end
  if answer then
    local rows = by_id(answer)
    for _, id in ipairs(ids) do
      local row = rows[id]
      if row and not texts.verbs[verb].done(row, tag) then
        told.tell(id, nil, texts.unchanged(verb, id))
      else
        told.tell(id, row, not row and left_out(id) or nil)
      end
    end
    return
  end
  told.refusals = told.refusals + 1
  if may_be_one[err.http_status] and ids[2] and told.refusals < MAX_REFUSALS then
    local half = math.floor(#ids / 2)
    change(inventory, verb, part(ids, 1, half), tag, context, told)
    change(inventory, verb, part(ids, half + 1, #ids), tag, context, told)
    return
  end
  if err.kind == "unknown" then err.hint = "Do it again: twice does no harm." end
  if ids[2] and may_be_one[err.http_status] then
    err = errors.wrap(err, { kind = "refused", code = "batch_refused",
      message = ("the service refused a request for %d machines, this one among them"):format(#ids),
      hint = "Tag it by itself: mde.tag(id, tag) says what is wrong." })
  end
  for _, id in ipairs(ids) do told.tell(id, nil, errors.derive(err, { machine_id = id })) end
end

-- In parts of as many as one request takes.
local function change_all(inventory, verb, sends, context, told)
  local most = core.response_actions[verb].many
  for _, own in ipairs(sends) do
    for first = 1, #own.ids, most do
      told.refusals = 0
      change(inventory, verb, part(own.ids, first, math.min(first + most - 1, #own.ids)), own.tag, context, told)
    end
  end
  return true
end

-- Which machines are asked to lose or get which spelling.
local function sends_of(verb, machines, tag)
  local sends, by_tag = {}, {}
  local function add(spelling, id)
    if not by_tag[spelling] then
      by_tag[spelling] = { tag = spelling, ids = {} }
      sends[#sends + 1] = by_tag[spelling]
    end
    table.insert(by_tag[spelling].ids, id)
  end
  for id, machine in pairs(machines) do
    local own = verb == "untag" and texts.spellings(machine, tag) or {}
    for _, spelling in ipairs(own[1] and own or { tag }) do add(spelling, id) end
  end
  for _, own in ipairs(sends) do table.sort(own.ids, core.text.before) end
  table.sort(sends, function(a, b) return core.text.before(a.tag, b.tag) end)
  return sends
end

--- Adds a tag to many machines, or removes it. Raises for what is no tag.
---@param inventory mde.Inventory
---@param verb "tag"|"untag"
---@param list mde.Device[]
---@param tag string
---@param context mde.Context
---@return mde.Results results in the order of the list: `value` the machine as it is now, or `err`; and `failed`
function M.change(inventory, verb, list, tag, context)
  texts.check(tag, "mde." .. verb)
  local results = inventory:resolve_many(list, context:within(RESOLVE_SECONDS))
  local machines, rows, problems = {}, {}, {}
  for _, result in ipairs(results) do
    if result.value then machines[core.text.lower(result.value.id)] = result.value end
  end
  local sends = sends_of(verb, machines, tag)
  local function tell(id, row, err)
    if row then row.id = id end
    rows[id] = row and inventory:adopt(row) or rows[id]
    problems[id] = err or problems[id]
  end
  local _, stopped = inventory.exchange.single_flight:run_detached(context, change_all, inventory, verb, sends, context,
    { tell = tell, refusals = 0 })
  results.failed = 0
  for _, result in ipairs(results) do
    local id = result.value and core.text.lower(result.value.id)
    if id then
      result.value = not problems[id] and rows[id] or nil
      result.err = not result.value and (problems[id] or stopped) or nil
    end
    if result.err then results.failed = results.failed + 1 end
  end
  return results
end

return M
