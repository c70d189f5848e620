--- tag: marks a machine, or takes the mark away.
--
-- A change of the harmless kind: done twice it is done once. If nobody knows what became of it, the machine's
-- record tells, and it is sent once more if it did not take place.

local core = require "mde.core"
local devices = require "mde.device"
local errors = require "mde.error"
local machines = require "mde.machine"
local options_of = require "mde.options"

local ACTION_SECONDS = 120
local READ_SECONDS = 300
local MOST_SENDS = 2

local PERMISSION = "Machine.ReadWrite.All"

local verbs = {
  tag = { action = "Add", done = function(machine, tag) return machine:has_tag(tag) end },
  untag = { action = "Remove", done = function(machine, tag) return not machine:has_tag(tag) end },
}

local M = {}

-- A tag that others could not read, or could not type, is a mistake.
local function check_tag(tag, what)
  local got = type(tag) == "string" and errors.quote(tag) or tag == nil and "nil" or "a " .. type(tag)
  if type(tag) ~= "string" then
    errors.invalid(("%s: a tag is a string, not %s"):format(what, got))
  elseif not tag:find "%S" then
    errors.invalid(("%s: the tag is empty"):format(what))
  elseif tag:find "[%c\127]" or errors.escape(tag) ~= tag then
    errors.invalid(("%s: the tag %s has characters in it that do not show, or is not UTF-8"):format(what, got))
  end
end

local function send(client, verb, machine_id, tag, deadline)
  return client.exchange:call {
    method = "POST", path = ("/machines/%s/tags"):format(core.odata.encode(machine_id)), kind = "action", api = "tags",
    permission = PERMISSION, deadline = deadline, body = { Value = tag, Action = verbs[verb].action },
    usable = function(row)
      return type(row.id) == "string" and row.id:lower() == machine_id, "it is not the machine that was asked for"
    end,
  }
end

local function change(client, verb, machine_id, tag, deadline)
  local row, err
  for _ = 1, MOST_SENDS do
    row, err = send(client, verb, machine_id, tag, deadline)
    if row then
      row.id = machine_id
      return machines.adopt(client, row)
    elseif err.kind ~= "unknown" then
      return nil, err
    end
    local machine = devices.read(client, machine_id, deadline)
    if machine and verbs[verb].done(machine, tag) then return machine end
  end
  err.hint = "Do it again: twice does no harm."
  return nil, err
end

--- Adds a tag to a machine, or removes it.
---@param client mde.Client
---@param verb "tag"|"untag"
---@param device string|mde.Machine
---@param tag string
---@param options? { timeout?: number }
---@return mde.Machine? machine its record, anew
---@return mde.Error? err
function M.change(client, verb, device, tag, options)
  local what = "mde." .. verb
  options = options_of.check(options, { timeout = "seconds" }, what)
  devices.check(device)
  check_tag(tag, what)
  local asked = ("%s %s with %s"):format(verb, devices.shown(device), errors.quote(tag))
  local call = { ends = client:ends(options.timeout) }
  local machine, err = devices.resolve(client, device, client:deadline(call, READ_SECONDS))
  if not machine then return nil, errors.about(err, asked) end
  machine, err = change(client, verb, machine.id:lower(), tag, client:deadline(call, ACTION_SECONDS))
  if not machine then return nil, errors.about(err, asked) end
  return machine
end

return M
