--- left: what a playbook leaves as it is (mde.leave), as the plan and the record of a run have it: a change that is
--- none, of the verb "leave", with the reason.

local core = require "mde.core"
local devices = require "mde.device.device"
local json = require "mde.base.json"

local M = {}

--- No response action: nothing is sent for it.
M.VERB = "leave"

-- The change that stands for it.
local function change_of(machine_id, reason, asked)
  return { machine_id = machine_id, verb = M.VERB, incident = "", decision = "left", why = reason, asked = asked,
    in_list = true }
end

-- What the names among them mean, with a handful of requests.
local function resolve(client, list)
  local names = {}
  for _, one in ipairs(list) do
    if not one.machine_id then names[#names + 1] = one.device end
  end
  return names[1] and client:resolve(names) or {}
end

--- Puts what a pass has left among its changes, behind the others; a name that means no machine, or several, among
--- those that mean none.
---@param client mde.Client
---@param planning mde.Planning
function M.find(client, planning)
  local results, place = resolve(client, planning.left), 0
  for _, one in ipairs(planning.left) do
    local id, asked, err = one.machine_id, devices.shown(one.device), nil
    if not id then
      place = place + 1
      local machine = results[place].value
      id, err = machine and core.text.lower(machine.id), results[place].err
      if id and type(one.device) == "string" then planning.asked[core.text.lower(one.canonical)] = id end
    end
    if id then
      table.insert(planning.changes, change_of(id, one.reason, asked))
    else
      table.insert(planning.unresolvable, { asked = asked, verb = M.VERB, code = err.code, kind = err.kind,
        why = err.message })
    end
  end
end

--- Whether nothing but that is said of a device of a plan.
---@param device mde.PlanDevice
---@return boolean
function M.is_left(device)
  for _, change in ipairs(device.changes) do
    if change.verb ~= M.VERB then return false end
  end
  return true
end

--- The row of a device that a session leaves and its plan does not have.
---@param machine_id string
---@param device mde.Device
---@param reason string
---@return mde.journal.device
function M.row(machine_id, device, reason)
  local machine = type(device) == "table" and device or {}
  local function fact(name) return type(machine[name]) == "string" and machine[name] or nil end
  return { id = machine_id, name = fact "computerDnsName", platform = fact "osPlatform", decision = "left",
    why = reason, facts = json.encode { is_unplanned = true, tags = {}, changes = { change_of(machine_id, reason) } } }
end

return M
