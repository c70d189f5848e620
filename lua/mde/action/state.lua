--- state: is this device restricted, isolated or contained, and for whom?
--
-- The service has no such property; the device's actions say it, and the core reads them. One list says all of it.

local core = require "mde.core"
local devices = require "mde.device.device"
local errors = require "mde.base.error"
local incidents = require "mde.action.incident"
local options_of = require "mde.base.options"
local responses = require "mde.action.response"

local PAGE_SECONDS = 300

local ALL = "all"

local M = {}

M.known_options = { of = "text", timeout = "seconds" }
M.holders_options = { incident = "any", of = "text", timeout = "seconds" }

-- The state that a device's actions say, and the action it rests on.
local function read_state(center, rows, machine_id, of, asked)
  local name, row = core.history.state(rows, machine_id, center.exchange.clock:latest(), of)
  if name == "unclear" and core.history.is_incomplete(rows, machine_id, of) then
    return nil, errors.new { kind = "protocol", code = "list_incomplete", asked = asked,
      message = "an action in the device's list does not say which it is, so what holds now cannot be told",
      hint = "Look at the device's action centre in the portal." }
  elseif name == "unclear" then
    return nil, errors.new { kind = "protocol", code = "order_unclear", asked = asked,
      message = "the times of the device's actions do not tell which came last",
      hint = "Look at the device's action centre in the portal." }
  end
  return name, row and center:adopt(row)
end

-- What the option `of` means.
local function check_of(of, what)
  return of == ALL and ALL or responses.check_holding(of, what, ALL)
end

-- The same; of all, each of them for itself.
local function read(center, rows, machine_id, of, asked)
  if of ~= ALL then return read_state(center, rows, machine_id, of, asked) end
  local states = {}
  for _, verb in ipairs(responses.apart) do
    local name, action = read_state(center, rows, machine_id, verb, ("%s (%s)"):format(asked, verb))
    states[verb] = name and { value = name, action = action } or { err = action }
  end
  return states
end

--- The state of a device and the action it rests on.
---@param center mde.ActionCenter
---@param inventory mde.Inventory
---@param device mde.Device
---@param options mde.StateOptions
---@param context mde.Context
---@return mde.StateName|mde.StatesOfAll|nil state
---@return mde.Action|mde.Error|nil action nil for "none", and of all
function M.one(center, inventory, device, options, context)
  local of = check_of(options.of, "mde.state")
  local asked = "state of " .. devices.shown(device)
  context = context:within(PAGE_SECONDS)
  local machine, err = inventory:resolve(device, context)
  if not machine then return nil, errors.about(err, asked) end
  local machine_id = core.text.lower(machine.id)
  local rows, problem = center:history(machine_id, context)
  if not rows then return nil, errors.about(problem, asked) end
  return read(center, rows, machine_id, of, asked)
end

local function check_list(list, what)
  if type(list) == "table" and list.id == nil then
    options_of.check_list(list, what)
  elseif type(list) ~= "function" then
    errors.invalid("wrong_type", ("%s needs a list of devices or an iterator, not %s"):format(what,
      type(list) == "table" and "one machine" or errors.got(list)),
      list ~= nil and ("Write %s { device }."):format(what) or "Find out why it is nil.")
  end
end

---@class mde.state.Question what is asked of many devices
---@field about string for errors: "state of "
---@field read fun(ids: string[], context: mde.Context): table<string, table[]>?, mde.Error? the actions of these
--- machines at least, by machine id
---@field tell fun(result: mde.Result, rows: table[], machine_id: string, asked: string) what they come to

local function collected(list)
  if type(list) == "table" then return list end
  local items = {}
  for item in list do items[#items + 1] = item end
  return items
end

-- Finds the devices, reads their actions at once and tells what they come to.
---@return mde.Results
local function of_many(inventory, list, question, context)
  local results = inventory:resolve_many(collected(list), context:within(PAGE_SECONDS))
  local ids, histories, problem = {}, nil, nil
  for _, result in ipairs(results) do
    if result.value then ids[#ids + 1] = core.text.lower(result.value.id) end
  end
  if ids[1] then histories, problem = question.read(ids, context:within(PAGE_SECONDS)) end
  results.failed = 0
  for _, result in ipairs(results) do
    local asked = question.about .. devices.shown(result.item)
    local machine = result.value
    result.value = nil
    if machine and histories then
      local machine_id = core.text.lower(machine.id)
      question.tell(result, histories[machine_id] or {}, machine_id, asked)
    else
      result.err = errors.about(machine and problem or result.err, asked)
    end
    if result.err ~= nil then results.failed = results.failed + 1 end
  end
  return results
end

---@alias mde.StateName
---| "restricted"|"restricting"|"isolated"|"isolating"|"contained"|"containing"|"releasing"|"released"|"none"

---@class mde.StateOptions
---@field of? "restrict"|"isolate"|"contain"|"all" what holds the device; default restrict. Isolating a device and
--- containing one make the same type of action, so that the service does not tell them apart. Of "all" the value is
--- mde.StatesOfAll, from one list
---@field timeout? number seconds

---@class mde.StatesOfAll
---@field restrict mde.StateOf
---@field isolate mde.StateOf a containment is told so, too

---@class mde.StateOf
---@field value? mde.StateName nil: it cannot be told
---@field action? mde.Action the action it rests on; nil for "none"
---@field err? mde.Error why it cannot be told

---@class mde.StateResult : mde.Result
---@field value? mde.StateName|mde.StatesOfAll of all, beside an err if one of the two cannot be told
---@field action? mde.Action the action it rests on; nil for "none", and of all

--- The states of many devices, by one list of all actions. A machine costs nothing more; a name or an id is resolved
--- first, as in M.one. An action that does not say whose it is counts for nobody here.
---@param center mde.ActionCenter
---@param inventory mde.Inventory
---@param list mde.Device[]|fun(): mde.Device?
---@param options mde.StateOptions
---@param context mde.Context
---@return mde.Results results of mde.StateResult, in the order of the list
function M.many(center, inventory, list, options, context)
  check_list(list, "mde.states")
  local of = check_of(options.of, "mde.states")
  return of_many(inventory, list, {
    about = "state of ",
    read = function(_, part) return center:histories(of, part) end,
    tell = function(result, rows, machine_id, asked)
      local state, action = read(center, rows, machine_id, of, asked)
      if state then
        result.value, result.action = state, action
        result.err = of == "all" and (state.restrict.err or state.isolate.err) or nil
      else
        result.err = action
      end
    end,
  }, context)
end

---@class mde.HoldersOptions
---@field of? "restrict"|"isolate"|"contain" by what it is held; default restrict
---@field incident? string|integer for which it would be released; without one: every incident that holds it is told
---@field timeout? number

---@class mde.HoldersResult : mde.Result
---@field value? string[] who else, in words: incidents, and who did it without one

--- Who else than an incident holds each device, so that a release for that incident would end that, too. A
--- machine costs nothing more than one list: its own, or where there are several that of all actions. An action that
--- does not say whose it is counts for nobody.
---@param center mde.ActionCenter
---@param inventory mde.Inventory
---@param list mde.Device[]|fun(): mde.Device?
---@param options mde.HoldersOptions
---@param context mde.Context
---@return mde.Results results of mde.HoldersResult, in the order of the list
function M.holders(center, inventory, list, options, context)
  check_list(list, "mde.holders")
  local incident, of = options.incident, responses.check_holding(options.of, "mde.holders")
  if incident ~= nil then incident = incidents.check(incident, "mde.holders") end
  return of_many(inventory, list, {
    about = "holders of ",
    read = function(ids, part)
      if ids[2] then return center:histories(of, part) end
      local rows, err = center:history(ids[1], part)
      return rows and { [ids[1]] = rows }, err
    end,
    tell = function(result, rows, machine_id)
      result.value = incidents.other_holders(rows, machine_id, incident, center.exchange.clock:latest(), of)
    end,
  }, context)
end

return M
