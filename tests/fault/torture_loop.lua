-- One request by mde.driver.cqueues inside a controller over real TLS, to a simulated tenant in a process of its own.

local cqueues = require "cqueues"
local tenant = require("tests.spec.support.server.tenant").start { limits = false }
local driver = require("mde.driver.cqueues").new { ca_file = tenant.ca_file, proxy = "" }

local function send()
  local response, message = driver.send {
    method = "POST", url = tenant.base_url .. "/api/machines", body = ("x"):rep(300), timeout = 20,
    headers = { ["Content-Type"] = "text/plain", ["Authorization"] = "Bearer none" }, max_bytes = 65536, max_idle = 5,
  }
  if not response then return nil, message end
  if response.status ~= 401 and response.status ~= 405 then return nil, "HTTP " .. response.status end
  return true
end

return function()
  local controller, done, result, message = cqueues.new(), false, nil, nil
  controller:wrap(function()
    result, message = send()
    done = true
  end)
  while not done do
    local stepped, ok, problem = pcall(controller.step, controller, 5)
    -- Where cqueues itself has no memory, it says so with a bare number.
    if not stepped then error("cqueues: " .. tostring(ok), 0) end
    if not ok then error(tostring(problem), 0) end
  end
  return result, message
end
