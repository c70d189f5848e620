-- A process that forks while it has connections and requests in flight, as servers do once they are set up. With
-- shared connections each would read answers to requests of the other.
-- Labels: sanitized

local script = require "tests.spec.support.process.script"
local tenants = require "tests.spec.support.server.tenant"

local START = [[
local base_url, ca_file = arg[1], arg[2]
local fork = require "tests.fork"
local driver = require("mde.driver.curl").new { ca_file = ca_file, proxy = "" }
local function send(path, timeout)
  return driver.send { method = "GET", url = base_url .. path, headers = {}, timeout = timeout or 10,
    max_bytes = 100000, max_idle = 50 }
end
-- Asks for what only this process asks for, many times; true if each answer was to that.
local function answers_are_mine(status)
  for i = 1, 50 do
    local response = send(status == 401 and "/api/machines" or "/nothing")
    if not response or response.status ~= status then return false end
  end
  return true
end
io.stdout:setvbuf "no"
]]

describe("mde.driver.curl after a fork", function()
  local tenant

  setup(function() tenant = tenants.start() end)
  teardown(function() tenant.stop() end)

  before_each(function()
    tenant.reset()
    tenant.clear()
  end)

  local function run(text)
    local output, status = script.run(START .. text, {
      arguments = { tenant.base_url, tenant.ca_file },
      -- The child forgets the parent's handles on purpose, which a leak checker cannot know.
      environment = { ASAN_OPTIONS = "detect_leaks=0" },
    })
    assert.equal("exit 0", status, output)
    return output
  end

  it("has connections of its own in each process", function()
    assert.equal("child true 0 parent true\n", run [[
      assert(send "/api/machines")
      local child = fork.fork()
      if child == 0 then
        io.write("child ", tostring(answers_are_mine(404)), " ")
        fork.exit(0)
      end
      local mine = answers_are_mine(401)
      io.write(fork.wait(child), " parent ", tostring(mine), "\n")
    ]])
  end)

  it("closes nothing of the parent's when the child's state closes", function()
    assert.equal("child 0 parent true\n", run [[
      assert(send "/api/machines")
      local child = fork.fork()
      if child == 0 then
        io.write "child "
        os.exit(0, true)
      end
      io.write(fork.wait(child))
      io.write(" parent ", tostring(answers_are_mine(401)), "\n")
    ]])
  end)

  it("closes nothing of the parent's when the child closes its driver, or sends and then closes its state", function()
    assert.equal("child true 0 parent true\n", run [[
      assert(send "/api/machines")
      local child = fork.fork()
      if child == 0 then
        driver.close()
        driver = require("mde.driver.curl").new { ca_file = ca_file, proxy = "" }
        io.write("child ", tostring(answers_are_mine(404)), " ")
        os.exit(0, true)
      end
      io.write(fork.wait(child))
      io.write(" parent ", tostring(answers_are_mine(401)), "\n")
    ]])
  end)

  it("leaves to the parent what it had in flight, and whoever waits for that", function()
    tenant.fault { fault = "slow", interval = 0.001, processed = true, match = { path = "/api/machineactions" } }
    local output = run [[
      local where = "parent"
      local response
      local gate = driver.gate()
      driver.spawn(function()
        response = send "/api/machineactions"
        io.write(where, " was answered ")
        gate:open()
      end)
      driver.sleep(0.1)
      local child = fork.fork()
      if child == 0 then
        where = "child"
        local mine = answers_are_mine(404)
        io.write("child ", tostring(gate:wait(0.1)), " ", tostring(response), " ", tostring(mine), " ")
        os.exit(0, true)
      end
      io.write(fork.wait(child), " ")
      gate:wait(20)
      io.write(tostring(response and response.status), "\n")
    ]]
    assert.equal("child false nil true 0 parent was answered 401\n", output)
    local arrived = 0
    for _, entry in ipairs(tenant.history "request") do
      if entry.path == "/api/machineactions" then arrived = arrived + 1 end
    end
    assert.equal(1, arrived)
  end)

  it("works in children of children", function()
    assert.equal("true true true\n", run [[
      assert(send "/api/machines")
      local child = fork.fork()
      if child == 0 then
        assert(send "/api/machines")
        local grandchild = fork.fork()
        if grandchild == 0 then
          io.write(tostring(answers_are_mine(404)), " ")
          fork.exit(0)
        end
        assert(fork.wait(grandchild) == 0)
        io.write(tostring(answers_are_mine(401)), " ")
        fork.exit(0)
      end
      assert(fork.wait(child) == 0)
      io.write(tostring(answers_are_mine(401)), "\n")
    ]])
  end)
end)
