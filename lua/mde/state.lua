--- state: is this device restricted?
--
-- The service has no such property; the device's actions say it, and the core reads them.

local actions = require "mde.action"
local core = require "mde.core"
local devices = require "mde.device"
local errors = require "mde.error"
local options_of = require "mde.options"

local PAGE_SECONDS = 300

--- The state of a device and the action it rests on.
---@param client mde.Client
---@param device string|mde.Machine
---@param options? { timeout?: number }
---@return "restricted"|"restricting"|"releasing"|"released"|"none"|nil state
---@return mde.Action|mde.Error|nil action nil for "none"
local function state(client, device, options)
  options = options_of.check(options, { timeout = "seconds" }, "mde.state")
  local asked = "state of " .. devices.shown(device)
  local deadline = client:deadline({ ends = client:ends(options.timeout) }, PAGE_SECONDS)
  local machine, err = devices.resolve(client, device, deadline)
  if not machine then return nil, errors.about(err, asked) end
  local machine_id = machine.id:lower()
  local rows, problem = actions.history(client, machine_id, deadline)
  if not rows then return nil, errors.about(problem, asked) end
  local name, row = core.history.state(rows, machine_id)
  if name == "unclear" then
    return nil, errors.new { kind = "protocol", asked = asked,
      message = "the times of the device's actions do not tell which came last",
      hint = "Look at the device's action centre." }
  end
  return name, row and actions.adopt(client, row)
end

return state
