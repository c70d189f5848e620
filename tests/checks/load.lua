-- Loads mde where no more is promised than single calls (plain Lua 5.1, whose pcall cannot be waited in), makes some
-- against a simulated tenant served over TLS, and sees that the call that needs more says why it does not work.

local mde = require "mde"
local tenants = require "tests.spec.support.server.tenant"

local NAME = "laptop-17.corp.example"
local tenant = tenants.start { "--action-seconds", "0" }

local function calls()
  local client = tenant.client()
  local function expect(expected, value, err)
    if value ~= expected then
      error(("%s instead of %s"):format(tostring(value or err), tostring(expected)), 2)
    end
  end

  local action, err = client:restrict(NAME, "does it load")
  expect("accepted", action and action.outcome, err)
  expect("Succeeded", action:wait { timeout = 60 })
  expect("restricted", client:state(NAME))
  local machines = {}
  for machine in client:machines { computerDnsName = mde.eq(NAME) } do machines[#machines + 1] = machine end
  expect(1, #machines)
  action, err = client:release(machines[1], "it does")
  expect("accepted", action and action.outcome, err)
  expect("Succeeded", action:wait { timeout = 60 })
  expect("released", client:state(NAME))
  local nobody, problem = client:restrict("nobody.corp.example", "does an error come back")
  expect("not_found", not nobody and problem.kind)

  local before = #tenant.history "request"
  local ok, refusal = pcall(client.each, client, { NAME }, function(name) return client:restrict(name, "each") end)
  expect("invalid", not ok and refusal.kind)
  for _, part in ipairs { "mde.each", "plain Lua 5.1", "5.3 or newer, or LuaJIT" } do
    if not tostring(refusal):find(part, 1, true) then error("each does not say " .. part .. ": " .. refusal.message) end
  end
  expect(before, #tenant.history "request")
end

local ok, problem = pcall(calls)
tenant.stop()
if not ok then error(problem, 0) end
print(_VERSION, mde._VERSION, "restricted and released", NAME)
