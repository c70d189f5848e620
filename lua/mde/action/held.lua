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

M.known_options = incidents.known_options

---@class mde.HeldBy by what the incidents hold a machine
---@field verb "isolate"|"restrict"
---@field opposite "unisolate"|"release" what takes it back
---@field action mde.Action the newest action by which they hold it
---@field incidents? string[] who else holds it by this, in words; nil: nobody does

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
    incidents = machine.incidents })
end

--- The machines that these incidents hold. Two lists of actions are read.
---@param center mde.ActionCenter
---@param inventory mde.Inventory
---@param options mde.RestrictedOptions
---@param context mde.Context
---@return mde.HeldList? machines
---@return mde.Error? err
function M.held(center, inventory, options, context)
  local list, by_id = { unattributed = {} }, {}
  for _, verb in ipairs(ORDER) do
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
