--- held: everything by which incidents hold machines, restricted or isolated, in the order in which it is taken back.
--
-- A device that is cut off the network is let onto it before it may run any code again: what it has to be told then
-- reaches it. So isolations come first.

local core = require "mde.core"
local errors = require "mde.base.error"
local incidents = require "mde.action.incident"

local M = {}

-- Containing a device makes an Isolate, too.
local ORDER = { "isolate", "restrict" }

M.known_options = { of = "text" }
for name, kind in pairs(incidents.known_options) do M.known_options[name] = kind end

---@class mde.HeldOptions : mde.RestrictedOptions
---@field of? "isolate"|"restrict" by this alone

---@class mde.HeldBy by what the incidents hold a machine
---@field verb "isolate"|"restrict"
---@field opposite "unisolate"|"release" what takes it back
---@field action mde.Action the newest action by which they hold it
---@field incidents? string[] who else holds it by this, in words; nil: nobody does
---@field others? mde.Action[] by which actions they do

---@class mde.Held : mde.Machine a machine as far as its actions tell; it can be given to mde.release
---@field id string
---@field computerDnsName? string
---@field held mde.HeldBy[] in the order in which it is taken back

---@class mde.HeldList an array of mde.Held, by name
---@field [integer] mde.Held
---@field unattributed mde.Action[] actions of these incidents that do not say of which machine they are

local function add(list, by_id, machine, verb)
  local known = by_id[machine.id]
  if not known then
    known = machine
    known.held = {}
    by_id[machine.id], list[#list + 1] = known, known
  end
  table.insert(known.held, { verb = verb, opposite = core.response_actions[verb].opposite, action = machine.action,
    incidents = machine.incidents, others = machine.others })
end

-- By what they are asked to hold. Raises for what holds nothing.
local function check_of(of)
  if of == nil then return ORDER end
  for _, verb in ipairs(ORDER) do
    if of == verb then return { verb } end
  end
  return errors.invalid("wrong_value", ("mde.held: option \"of\" must be %s, not %s"):format(
    table.concat(ORDER, " or "), errors.got(of)))
end

--- The machines that these incidents hold. A list of actions is read for each response that holds.
---@param center mde.ActionCenter
---@param inventory mde.Inventory
---@param options mde.HeldOptions
---@param context mde.Context
---@return mde.HeldList? machines
---@return mde.Error? err
function M.held(center, inventory, options, context)
  local list, by_id = { unattributed = {} }, {}
  for _, verb in ipairs(check_of(options.of)) do
    local machines, err = incidents.held_by(center, inventory, verb, options, "mde.held", context)
    if not machines then return nil, errors.about(err, "held") end
    for _, part in ipairs { machines, machines.shared } do
      for _, machine in ipairs(part) do add(list, by_id, machine, verb) end
    end
    for _, action in ipairs(machines.unattributed) do table.insert(list.unattributed, action) end
  end
  table.sort(list, incidents.by_name)
  return list
end

return M
