-- Actions that are waited for, one alone and two together, found again and cancelled.

local tortured = require "tests.spec.support.tortured"

local ids = { ("1"):rep(40), ("2"):rep(40), ("3"):rep(40) }
local world = tortured.new { machines = { { id = ids[1] }, { id = ids[2] }, { id = ids[3], offline = true } } }

local function wait_for(client, actions)
  local value, err = actions[1]:wait { timeout = 60 }
  if not value then return nil, err end
  local results = client:wait({ actions[1], actions[2] }, { timeout = 60 })
  if results.failed > 0 then return nil, results[1].err or results[2].err end
  local found
  found, err = client:find_action { machine_id = ids[3], operation_id = actions[3].operation_id }
  if not found then return nil, err end
  return found:cancel "not that one"
end

return function()
  local actions = {}
  for i, id in ipairs(ids) do
    local action, err = world.client:restrict(id, "why", { look = false })
    if not action then return nil, err end
    actions[i] = action
  end
  return wait_for(world.client, actions)
end, world.renew
