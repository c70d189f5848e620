-- What the client gives to driver.detach in nginx reaches no local variable of a function that still waits: nginx would
-- clear it when it drops the request, and give its place to another.

local nameserver = require "tests.spec.support.server.nameserver"
local nginx = require "tests.spec.support.server.nginx"
local tenants = require "tests.spec.support.server.tenant"

local CALLS = [[
  local resty = require "mde.driver.resty"
  local variables = require "tests.hosts.nginx.variables"
  local driver, detached, open = resty.new(), 0, {}
  local detach = driver.detach
  -- It begins when the request waits. What a timer detaches is safe, since nothing drops a timer.
  function driver.detach(fn)
    if ngx.get_phase() == "timer" then return detach(fn) end
    detached = detached + 1
    return detach(function()
      for _, one in ipairs(variables.open(fn)) do open[#open + 1] = one end
      fn()
    end)
  end
  local client = assert(require("mde.client").new { driver = driver })
  variables.of_a_function_that_waits = function(wait)
    local mine = 0
    driver.detach(function() mine = mine + 1 end)
    wait()
    return mine
  end
  function call()
    variables.of_a_function_that_waits(function() driver.sleep(0.2) end)
    ngx.say(table.concat(open, ", "))
    open = {}
    local name, done = "1f00000000000000000000000000000000000017", 0
    local function note(value, err)
      if value then done = done + 1 else open[#open + 1] = tostring(err) end
      return value
    end
    note(client:restrict(name, "why"))
    note(client:release(name, "why not", { cancel_opposite = true }))
    local action = note(client:restrict(name, "why", { look = false }))
    note(client:cancel(action, "never mind"))
    note(client:tag(name, "seen"))
    local results = client:each({ name, name }, function(one) return client:release(one, "all of them") end)
    for i = 1, 2 do note(results[i].value, results[i].err) end
    ngx.say(done, " done, ", detached, " detached")
    ngx.print(table.concat(open, "\n"))
  end
]]

describe("What the client detaches in nginx", function()
  it("holds no variable that is not its own", function()
    local tenant, names = tenants.start { action_seconds = 60, "--role", "Machine.ReadWrite.All", "--role",
      "Machine.RestrictExecution" }, nameserver.start()
    local environment = {}
    for name, value in pairs(tenant.env) do environment[name] = value end
    local server = nginx.start {
      ca_file = tenant.ca_file, resolver = names.address, environment = environment,
      http = "init_by_lua_block {" .. CALLS .. "}",
      locations = "location / { content_by_lua_block { call() } }",
    }
    finally(function()
      server.stop()
      names.stop()
      tenant.stop()
    end)
    local body = server.get "/"
    local seen, done, detached, open = body:match "^([^\n]*)\n(%d+) done, (%d+) detached\n(.*)$"
    assert(seen and seen:find("fn, mine", 1, true), "an open variable would not have been seen: " .. body)
    assert.equal("", open)
    assert.equal("7", done)
    assert.is_true(tonumber(detached) >= 5)
  end)
end)
