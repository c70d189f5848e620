--- tag: marks a machine, or takes the mark away.
--
-- A change of the harmless kind: done twice it is done once. If its outcome is not known, the machine's
-- record tells, and it is sent once more if it did not take place.

local core = require "mde.core"
local devices = require "mde.device.device"
local errors = require "mde.base.error"

local ACTION_SECONDS = 120
local READ_SECONDS = 300
local MAX_SENDS = 2

local PERMISSION = "Machine.ReadWrite.All"

-- The spellings of a tag that a machine has: case does not tell tags apart for people, but it may for the service.
local function spellings(machine, tag)
  local own = {}
  for _, other in ipairs(machine.machineTags or {}) do
    if type(other) == "string" and core.guard.tag(other) == core.guard.tag(tag) then own[#own + 1] = other end
  end
  return own
end

local function has(machine, tag)
  for _, own in ipairs(spellings(machine, tag)) do
    if own == tag then return true end
  end
  return false
end

local verbs = {
  tag = { action = "Add", done = function(machine, tag) return spellings(machine, tag)[1] ~= nil end, still = "lacks" },
  untag = { action = "Remove", done = function(machine, tag) return not has(machine, tag) end, still = "still has" },
}

local M = {}

-- A tag that others could not read, or could not type, is a mistake.
local function check_tag(tag, what)
  local got = type(tag) == "string" and errors.quote(tag) or tag == nil and "nil" or "a " .. type(tag)
  if type(tag) ~= "string" then
    errors.invalid("wrong_type", ("%s: a tag is a string, not %s"):format(what, got), "Find out where it comes from.")
  elseif not tag:find "%S" then
    errors.invalid("tag_empty", ("%s: the tag is empty"):format(what), "Find out why it is.")
  end
  local flaw, code = core.odata.flaw(tag)
  if not flaw and errors.escape(tag) ~= tag then flaw = "has characters in it that do not show" end
  if flaw then
    errors.invalid("tag_malformed",
      ("%s: the tag %s %s"):format(what, got, flaw), code == "not_utf8" and "Convert it to UTF-8 first."
      or "Take them out: nobody could type that tag.")
  end
end

-- Whether a machine's tags can be told from an answer: a list of texts, or none.
local function is_told(tags)
  for _, tag in pairs(type(tags) == "table" and tags or {}) do
    if type(tag) ~= "string" then return false end
  end
  return tags == nil or type(tags) == "table"
end

local function send(inventory, verb, machine_id, tag, context)
  return inventory.exchange:call {
    method = "POST", path = ("/machines/%s/tags"):format(core.odata.encode(machine_id)), kind = "action", api = "tags",
    permission = PERMISSION, context = context, body = { Value = tag, Action = verbs[verb].action },
    usable = function(row)
      if type(row.id) ~= "string" or core.text.lower(row.id) ~= machine_id then
        return false, "it is not the machine that was asked for"
      end
      return is_told(row.machineTags), "machineTags is not a list of texts"
    end,
  }
end

local function change(inventory, verb, machine_id, tag, context)
  local row, err
  for _ = 1, MAX_SENDS do
    row, err = send(inventory, verb, machine_id, tag, context)
    inventory:note_change(machine_id)
    if row and verbs[verb].done(row, tag) then
      row.id = machine_id
      return inventory:adopt(row)
    elseif row then
      return nil, errors.new { kind = "protocol", code = "tag_unchanged", machine_id = machine_id,
        message = ("the service took it, but by its answer the machine %s the tag"):format(verbs[verb].still),
        hint = "Read the machine again; if it is so, do it again." }
    elseif err.kind ~= "unknown" then
      return nil, err
    end
    local machine = inventory:read(machine_id, context)
    if machine and verbs[verb].done(machine, tag) then return machine end
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
  check_tag(tag, what)
  local asked = ("%s %s with %s"):format(verb, devices.shown(device), errors.quote(tag))
  local machine, err = inventory:resolve(device, context:within(READ_SECONDS))
  if not machine then return nil, errors.about(err, asked) end
  local to_send = verb == "untag" and spellings(machine, tag) or {}
  if not to_send[1] then to_send[1] = tag end
  machine, err = inventory.exchange.single_flight:run_detached(context, change_all, inventory, verb,
    core.text.lower(machine.id), to_send, context)
  if not machine then return nil, errors.about(err, asked) end
  return machine
end

return M
