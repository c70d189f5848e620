-- Two devices released by each, with their listing, and what an incident holds. Times and random numbers are made
-- up, so that every run makes the same allocations.

local posix = require "mde.posix"

posix.entropy.bytes = function(count) return ("\7"):rep(count) end
posix.clock.time = function() return 1.7e9 end
posix.clock.now = function() return 1000 end

local mde = require "mde"
local sim = require "mde.sim"

local machines = { { id = ("1"):rep(40) }, { id = ("2"):rep(40) } }

local drawn = 0
local tenant = sim.new {
  machines = machines,
  random = function(count)
    drawn = drawn + 1
    return (("%08d"):format(drawn):rep(40)):sub(1, count)
  end,
}
local client

local function release(machine)
  return client:release(machine, "cleared", { incident = "INC-1" })
end

local function many()
  local held, err = client:restricted { incident = { "INC-1" }, since = 1.6e9 }
  if not held then return nil, err end
  if #held ~= 1 or #held.shared ~= 1 then return nil, ("%d are held"):format(#held) end
  local results = client:each(machines, release, { on_progress = tostring })
  for _, result in ipairs(results) do
    if result.err then return nil, result.err end
    if result.value.outcome ~= "accepted" then return nil, "outcome " .. result.value.outcome end
  end
  return true
end

-- The same history each time, and a client that knows nothing of the last time.
local function before()
  tenant:reset()
  client = assert(mde.client {
    tenant_id = tenant.tenant_id, client_id = tenant.client_id, credential = tenant.client_secret,
    driver = tenant:driver(),
  })
  for i, machine in ipairs(machines) do
    for number = 1, i do
      tenant:insert_action { machineId = machine.id, type = "RestrictCodeExecution", status = "Succeeded",
        requestorComment = ("why [mde:INC-%d:abcdefgh]"):format(number) }
    end
  end
end

return many, before
