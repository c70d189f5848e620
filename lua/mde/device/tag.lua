--- tag: marks a machine, or takes the mark away. tag_many.lua does so for many.
--
-- A change of the harmless kind: done twice it is done once. If its outcome is not known, the machine's
-- record tells, and it is sent once more if it did not take place.

local core = require "mde.core"
local devices = require "mde.device.device"
local errors = require "mde.base.error"
local texts = require "mde.device.tag_text"

local ACTION_SECONDS = 120
local READ_SECONDS = 300
local MAX_SENDS = 2

local M = {}

local function send(inventory, verb, machine_id, tag, context)
  local response = core.response_actions[verb]
  return inventory.exchange:call {
    method = "POST", path = ("/machines/%s/%s"):format(core.odata.encode(machine_id), response.path), kind = "action",
    api = "tags", permission = response.permission, context = context, body = texts.body(verb, tag),
    usable = function(row)
      if type(row.id) ~= "string" or core.text.lower(row.id) ~= machine_id then
        return false, "it is not the machine that was asked for"
      end
      return texts.is_told(row.machineTags), "machineTags is not a list of texts"
    end,
  }
end

local function change(inventory, verb, machine_id, tag, context)
  local row, err
  for _ = 1, MAX_SENDS do
    row, err = send(inventory, verb, machine_id, tag, context)
    inventory:note_change(machine_id)
    if row and texts.verbs[verb].done(row, tag) then
      row.id = machine_id
      return inventory:adopt(row)
    elseif row then
      return nil, texts.unchanged(verb, machine_id)
    elseif err.kind ~= "unknown" then
      return nil, err
    end
    local machine = inventory:read(machine_id, context)
    if machine and texts.verbs[verb].done(machine, tag) then return machine end
  end
  err.hint = "Do it again: twice does no harm."
  return nil, err
end

local function change_all(inventory, verb, machine_id, tags, context)
  local machine, err
  context = context:within(ACTION_SECONDS)
  for _, tag in ipairs(tags) do
    machine, err = change(inventory, verb, machine_id, tag, context)
    if not machine then break end
  end
  return machine, err
end

--- Adds a tag to a machine, or removes it. Raises for what is no device or no tag.
---@param inventory mde.Inventory
---@param verb "tag"|"untag"
---@param device mde.Device
---@param tag string
---@param context mde.Context
---@return mde.Machine? machine its record, as it is now
---@return mde.Error? err
function M.change(inventory, verb, device, tag, context)
  local what = "mde." .. verb
  devices.check(device)
  texts.check(tag, what)
  local asked = ("%s %s with %s"):format(verb, devices.shown(device), errors.quote(tag))
  local machine, err = inventory:resolve(device, context:within(READ_SECONDS))
  if not machine then return nil, errors.about(err, asked) end
  local to_send = verb == "untag" and texts.spellings(machine, tag) or {}
  if not to_send[1] then to_send[1] = tag end
  machine, err = inventory.exchange.single_flight:run_detached(context, change_all, inventory, verb,
    core.text.lower(machine.id), to_send, context)
  if not machine then return nil, errors.about(err, asked) end
  return machine
end

return M
