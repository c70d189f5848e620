-- mde.driver.luv: the contract in the main program and in uv.run, and many calls beside a program's own timers.
-- Labels: sanitized, not-lua5.3, long

local beside = require "tests.hosts.beside"
local conformance = require "tests.spec.driver.conformance"
local driver_of_luv = require "mde.driver.luv"
local script = require "tests.spec.support.script"
local tenants = require "tests.spec.support.tenant"
local uv = require "luv"
local within = require "tests.hosts.within"

local function make(tenant)
  return driver_of_luv.new { ca_file = tenant.ca_file, proxy = "" }
end

local function every(seconds, fn)
  local timer = uv.new_timer()
  timer:start(0, seconds * 1000, fn)
  return function() timer:close() end
end

conformance("luv, in the main program", make, tenants.start)

conformance("luv, inside uv.run", make, tenants.start, { within = within.luv })

beside("luv, inside uv.run", { make = make, run = within.luv, every = every })

beside("luv, in the main program", {
  make = make,
  run = function(_, fn)
    fn()
    uv.run()
  end,
  every = every,
})

local START = [[
local base_url, ca_file = arg[1], arg[2]
local uv = require "luv"
local new = require "mde.driver.luv".new
local driver = new { ca_file = ca_file, proxy = "" }
local function request(path)
  return { method = "GET", url = base_url .. (path or "/api/machines"), headers = {}, timeout = 20,
    max_bytes = 100000, max_idle = 5 }
end
local function status(path)
  local response, message = driver.send(request(path))
  return response and response.status or message
end
local function after(seconds, fn)
  local timer = uv.new_timer()
  timer:start(seconds * 1000, 0, function()
    timer:close()
    fn()
  end)
end
io.stdout:setvbuf "no"
]]

describe("mde.driver.luv", function()
  local tenant

  setup(function() tenant = tenants.start { limits = false } end)
  teardown(function() tenant.stop() end)

  before_each(function()
    tenant.reset()
    tenant.clear()
  end)

  -- What luv has of its own when it ends the program, or the child of a fork of its parent, is no leak of ours.
  local function start(text, ended_by_luv)
    return script.start(START .. text, { arguments = { tenant.base_url, tenant.ca_file },
      environment = (ended_by_luv or text:find("fork", 1, true)) and { ASAN_OPTIONS = "detect_leaks=0" } or nil })
  end

  local function run(text, expected)
    local output, status = start(text, expected ~= nil).finish()
    assert.equal(expected or "exit 0", status, output)
    return output
  end

  local function stall(path)
    tenant.fault { fault = "stall", match = { path = path or "/api/machines" }, count = false }
  end

  it("says what is wrong with its options", function()
    assert.error_matches(function() driver_of_luv.new { cafile = "x" } end, "no option 'cafile'")
    assert.error_matches(function() driver_of_luv.new { ca_file = 1 } end, "ca_file must be a string")
  end)

  it("lets uv.run end when nothing is in flight, again and again", function()
    assert.equal("401\nfalse\n404\nfalse\n401\nfalse\n", run [[
      for _, path in ipairs { "/api/machines", "/nothing", "/api/machines" } do
        driver.spawn(function()
          driver.sleep(0.01)
          print(status(path))
        end)
        uv.run()
        print(uv.loop_alive())
      end
    ]])
  end)

  it("leaves nothing active behind a call of the main program", function()
    assert.equal("401\nfalse\n", run [[
      print(status())
      print(uv.loop_alive())
      uv.run()
    ]])
  end)

  it("goes on after a program has closed all of uv's handles", function()
    assert.equal("401\n401\n", run [[
      for _ = 1, 2 do
        driver.spawn(function() print(status()) end)
        uv.run()
        uv.walk(function(handle) if not handle:is_closing() then handle:close() end end)
        uv.run()
      end
    ]])
  end)

  it("resumes a task only for what it waits for", function()
    assert.equal("mine 401 mine 401\n", run [[
      local said = {}
      driver.spawn(function()
        local task = coroutine.running()
        for _ = 1, 2 do
          after(0.05, function() assert(coroutine.resume(task, "mine")) end)
          said[#said + 1] = coroutine.yield()
          said[#said + 1] = status()
        end
      end)
      driver.spawn(function() for _ = 1, 5 do status() end end)
      uv.run()
      print(table.concat(said, " "))
    ]])
  end)

  it("blocks in a coroutine that nobody gave to spawn, and never yields from it", function()
    assert.equal("401 a 401\n401\n", run [[
      local own = coroutine.wrap(function()
        local first = status()
        coroutine.yield(first .. " a")
        return status()
      end)
      print(own(), own())
      after(0.01, function() print(status()) end)
      uv.run()
    ]]:gsub("\t", " "))
  end)

  it("raises in the main program what a task raises while it waits, and goes on", function()
    assert.equal("false\toops\n401\n401\n", run [[
      driver.spawn(function()
        driver.sleep(0.05)
        error("oops", 0)
      end)
      print(pcall(driver.sleep, 20))
      print(status())
      driver.spawn(function() print(status()) end)
      uv.run()
    ]])
  end)

  it("hands what a task raises to luv, which ends the program", function()
    local output = run([[
      driver.spawn(function()
        status()
        error("oops", 0)
      end)
      uv.run()
      print "not reached"
    ]], "exit 255")
    assert.truthy(output:find("Uncaught Error: oops", 1, true))
    assert.is_nil(output:find "not reached")
  end)

  it("blocks without uv's loop in the child of a fork", function()
    assert.equal("child 404 404 0 parent 401 401 401\n", run [[
      local fork, answers = require "tests.fork", {}
      assert(status() == 401)
      driver.spawn(function() for i = 1, 3 do answers[i] = status() end end)
      uv.run "nowait"
      uv.run "nowait"
      local child = fork.fork()
      if child == 0 then
        local run_by_uv = false
        after(0, function() run_by_uv = true end)
        io.write("child ", status "/nothing", " ", status "/nothing", " ")
        assert(not run_by_uv)
        fork.exit(0)
      end
      io.write(fork.wait(child), " ")
      uv.run()
      io.write("parent ", table.concat(answers, " "), "\n")
    ]])
  end)

  local endings = {
    { "in tasks", [[
      for i = 1, 20 do driver.spawn(function() status() end) end
      after(0.2, function() uv.stop() end)
      uv.run() ]] },
    { "while the driver is closed", [[
      driver.spawn(function() status() end)
      after(0.1, function() uv.stop() end)
      uv.run()
      driver.close() ]] },
    { "with the multi handle closed first", [[
      driver.spawn(function() print((status():gsub(" while.*", ""))) end)
      after(0.1, function() require "mde.curl".multi():close() end)
      uv.run() ]], "the driver was closed\n" },
    { "with uv's handles closed first", [[
      driver.spawn(function() status() end)
      after(0.1, function() uv.walk(function(handle) if not handle:is_closing() then handle:close() end end) end)
      uv.run() ]] },
  }

  for _, ending in ipairs(endings) do
    it("lets the state close with requests in flight: " .. ending[1], function()
      stall()
      assert.equal((ending[3] or "") .. "end\n", run(ending[2] .. "\nprint 'end' os.exit(true, true)"))
    end)
  end
end)
