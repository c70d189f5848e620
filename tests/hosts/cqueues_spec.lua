-- mde.driver.cqueues: the contract outside and inside of a controller, and many calls beside a program's own timers.
-- Labels: sanitized, long

local beside = require "tests.hosts.beside"
local conformance = require "tests.spec.driver.conformance"
local cqueues = require "cqueues"
local driver_of_cqueues = require "mde.driver.cqueues"
local script = require "tests.spec.support.script"
local tenants = require "tests.spec.support.tenant"
local within = require "tests.hosts.within"

local function make(tenant)
  return driver_of_cqueues.new { ca_file = tenant.ca_file, proxy = "" }
end

conformance("cqueues, outside of any controller", make, tenants.start)

conformance("cqueues, inside a controller", make, tenants.start, {
  within = function(_, body) within.cqueues(body) end,
})

beside("cqueues", {
  make = make,
  run = function(_, fn) within.cqueues(fn) end,
  every = function(seconds, fn)
    local stopped = false
    cqueues.running():wrap(function()
      while not stopped do
        fn()
        cqueues.sleep(seconds)
      end
    end)
    return function() stopped = true end
  end,
})

local START = [[
local base_url, ca_file = arg[1], arg[2]
local cqueues = require "cqueues"
local new = require "mde.driver.cqueues".new
local driver = new { ca_file = ca_file, proxy = "" }
local function request(path)
  return { method = "GET", url = base_url .. (path or "/api/machines"), headers = {}, timeout = 20,
    max_bytes = 100000, max_idle = 5 }
end
local function status(path)
  local response, message = driver.send(request(path))
  return response and response.status or message
end
local controller = cqueues.new()
io.stdout:setvbuf "no"
]]

describe("mde.driver.cqueues", function()
  local tenant

  setup(function() tenant = tenants.start { limits = false } end)
  teardown(function() tenant.stop() end)

  before_each(function()
    tenant.reset()
    tenant.clear()
  end)

  local function start(text)
    return script.start(START .. text, { arguments = { tenant.base_url, tenant.ca_file },
      -- The child of a fork forgets the parent's handles on purpose, which a leak checker cannot know.
      environment = text:find("fork", 1, true) and { ASAN_OPTIONS = "detect_leaks=0" } or nil })
  end

  local function run(text)
    local output, status = start(text).finish()
    assert.equal("exit 0", status, output)
    return output
  end

  local function stall(path)
    tenant.fault { fault = "stall", match = { path = path or "/api/machines" }, count = false }
  end

  it("says what is wrong with its options", function()
    assert.error_matches(function() driver_of_cqueues.new { cafile = "x" } end, "no option 'cafile'")
    assert.error_matches(function() driver_of_cqueues.new { proxy = 1 } end, "proxy must be a string")
  end)

  it("lets the controller's loop end when nothing is in flight, again and again", function()
    assert.equal("401\ttrue\n404\ttrue\n401\ttrue\n", run [[
      for _, path in ipairs { "/api/machines", "/nothing", "/api/machines" } do
        local answer
        controller:wrap(function() answer = status(path) end)
        local ended = controller:loop()
        print(answer, ended and controller:empty())
      end
    ]])
  end)

  it("gives what a coroutine raises to the controller, and goes on", function()
    assert.equal("oops 401 401 true\n", run [[
      local heard, answers = nil, {}
      controller:wrap(function() status() error("oops", 0) end)
      controller:wrap(function() answers[1] = status() end)
      repeat
        local ended, problem = controller:loop()
        heard = heard or problem
      until ended
      controller:wrap(function() answers[2] = status() end)
      assert(controller:loop())
      io.write(heard, " ", answers[1], " ", answers[2], " ", tostring(controller:empty()), "\n")
    ]])
  end)

  it("gives what a task of its own raises to the controller, and goes on", function()
    assert.equal("false\toops\n401\n", run [[
      controller:wrap(function()
        driver.detach(function() driver.sleep(0.01) error("oops", 0) end)
        driver.sleep(0.1)
      end)
      local ended, problem = controller:loop()
      print(not not ended, problem)
      local answer
      controller:wrap(function() answer = status() end)
      assert(controller:loop())
      print(answer)
    ]])
  end)

  it("lets a task of its own poll what is the program's", function()
    assert.equal("woken\t401\n", run [[
      local condition, gate = require "cqueues.condition".new(), driver.gate()
      controller:wrap(function()
        driver.detach(function()
          print(condition:wait(20) and "woken", status())
          gate:open()
        end)
        gate:wait()
      end)
      controller:wrap(function()
        cqueues.sleep(0.05)
        condition:signal()
      end)
      assert(controller:loop())
    ]])
  end)

  it("carries on in one controller what was begun in another", function()
    assert.equal("401\tbegun elsewhere\n", run [[
      local gate, answer = driver.gate(), nil
      do
        local first = cqueues.new()
        first:wrap(function()
          driver.detach(function()
            answer = status()
            gate:open()
          end)
          gate:wait()
        end)
        first:step(0)
        first:step(0)
        first:close()
      end
      collectgarbage()
      controller:wrap(function()
        gate:wait()
        print(answer, "begun elsewhere")
      end)
      assert(controller:loop())
    ]])
  end)

  it("waits in two controllers at once", function()
    assert.equal("401 401\n", run [[
      local inner, answers = cqueues.new(), {}
      inner:wrap(function() answers[1] = status() end)
      controller:wrap(function() assert(inner:loop()) end)
      controller:wrap(function() answers[2] = status() end)
      assert(controller:loop())
      print(table.concat(answers, " "))
    ]])
  end)

  it("is usable after Ctrl-C", function()
    stall()
    local process = start [[
      controller:wrap(function() status() end)
      -- It ends the loop, or the coroutine in it that runs just then.
      local ok, looped, why = pcall(controller.loop, controller)
      print(ok and looped, (tostring(ok and why or looped):gsub("^.*: ", "")))
      print(status "/nothing")
      controller:wrap(function()
        print(status "/nothing")
        os.exit(0, true)
      end)
      controller:loop()
    ]]
    repeat until #tenant.history "request" > 0
    os.execute("kill -INT " .. process.pid)
    local output, status = process.finish()
    assert.equal("false\tinterrupted!\n404\n404\n", output)
    assert.equal("exit 0", status)
  end)

  -- What lua's own Ctrl-C does, an error in a hook of the main program, at one place after the other.
  it("is usable after an error at any step of the main program", function()
    assert.equal("404\ttrue\ttrue\n", run [[
      local main, places, last, answer = coroutine.running(), 0, false, nil
      repeat
        places = places + 1
        local left = places
        answer = nil
        controller:wrap(function() status() end)
        local function interrupt()
          if coroutine.running() ~= main then return end
          left = left - 1
          if left > 0 then return end
          debug.sethook()
          error("interrupted!", 0)
        end
        pcall(function()
          debug.sethook(interrupt, "crl")
          controller:loop()
          debug.sethook()
        end)
        last = left > 0 or places == 200
        controller:wrap(function() answer = status "/nothing" end)
        repeat local ended = controller:loop(15) until ended
      until last or answer ~= 404 or not controller:empty()
      print(answer, controller:empty(), last)
    ]])
  end)

  it("has connections and a descriptor of its own in the child of a fork", function()
    assert.equal("child 404 404 0 parent 401 401 401\n", run [[
      local fork, multi = require "tests.fork", require "mde.curl".multi()
      local answers, child = {}, nil
      local function ask(where, path, count)
        where:wrap(function() for i = 1, count do answers[#answers + 1] = status(path) end end)
      end
      ask(controller, "/api/machines", 1)
      assert(controller:loop())
      local before = multi:pollfd()
      ask(controller, "/api/machines", 2)
      controller:step(0)
      controller:step(0)
      child = fork.fork()
      if child == 0 then
        assert(multi:pollfd() ~= before)
        answers = {}
        local own = cqueues.new()
        ask(own, "/nothing", 2)
        assert(own:loop())
        io.write("child ", table.concat(answers, " "), " ")
        os.exit(0, true)
      end
      io.write(fork.wait(child), " ")
      assert(controller:loop())
      assert(multi:pollfd() == before)
      io.write("parent ", table.concat(answers, " "), "\n")
    ]])
  end)

  local endings = {
    { "in coroutines", [[
      for i = 1, 20 do controller:wrap(function() status() end) end
      controller:step(0.1) controller:step(0.1) ]] },
    { "in a controller that is collected", [[
      controller:wrap(function() status() end)
      controller:step(0.1) controller:step(0.1)
      controller = nil collectgarbage() collectgarbage() ]] },
    { "while the driver is closed", [[
      controller:wrap(function() status() end)
      controller:step(0.1) driver.close() ]] },
    { "with the multi handle closed first", [[
      controller:wrap(function() print((status():gsub(" while.*", ""))) end)
      controller:step(0.1) controller:step(0.1)
      require "mde.curl".multi():close()
      assert(controller:loop()) ]], "the driver was closed\n" },
    { "in tasks outside of any controller", [[
      for i = 1, 20 do driver.spawn(function() status() end) end
      driver.sleep(0.1) ]] },
  }

  for _, ending in ipairs(endings) do
    it("lets the state close with requests in flight: " .. ending[1], function()
      stall()
      assert.equal((ending[3] or "") .. "end\n", run(ending[2] .. "\nprint 'end' os.exit(true, true)"))
    end)
  end
end)

describe("mde.curl.loop", function()
  local tenant

  setup(function() tenant = tenants.start { limits = false } end)
  teardown(function() tenant.stop() end)

  -- A loop that knows nothing but the descriptor: `timeout` is not asked.
  it("needs nothing but its descriptor", function()
    local loop = assert(require "mde.curl".loop())
    assert.equal(require "mde.curl".multi(), loop)
    assert.equal("r", loop:events())
    local descriptor = loop:pollfd()
    local transfer = assert(loop:start({ method = "GET", url = tenant.base_url .. "/api/machines", headers = {},
      timeout = 10, max_bytes = 100000, max_idle = 5 }, { ca_file = tenant.ca_file, proxy = "" }))
    assert.is_number(loop:timeout())
    local controller = cqueues.new()
    controller:wrap(function()
      while not loop:finished() do
        cqueues.poll { pollfd = descriptor, events = "r" }
        loop:step()
      end
    end)
    assert(controller:loop())
    assert.equal(transfer, loop:finished())
    loop:release(transfer)
    assert.equal(401, transfer:result().status)
    assert.equal(descriptor, loop:pollfd())
  end)

  it("keeps its descriptor when it is closed, and says there that something has ended", function()
    -- The connection stands, and nobody answers.
    local unserved = assert(require "socket".bind("127.0.0.1", 0))
    local port = select(2, unserved:getsockname())
    local output, status = script.run([[
      local multi, cqueues = require "mde.curl".loop(), require "cqueues"
      local transfer = assert(multi:start({ method = "GET", url = arg[1] .. "/api/machines", headers = {},
        timeout = 10, max_bytes = 100000, max_idle = 5 }, { ca_file = arg[2], proxy = "" }))
      local object, controller = { pollfd = multi:pollfd(), events = "r" }, cqueues.new()
      controller:wrap(function()
        multi:step()
        while cqueues.poll(object, 0) == object do multi:step() end
        controller:wrap(function() multi:close() end)
        print(cqueues.poll(object, 5) == object, multi:finished() == transfer)
      end)
      assert(controller:loop())
    ]], { arguments = { "https://127.0.0.1:" .. port, tenant.ca_file } })
    unserved:close()
    assert.equal("true\ttrue\n", output)
    assert.equal("exit 0", status)
  end)

  it("takes on what is in flight when it is asked for", function()
    local output, status = script.run([[
      local curl, cqueues = require "mde.curl", require "cqueues"
      local multi, transfers = curl.multi(), {}
      for i = 1, 3 do
        transfers[i] = assert(multi:start({ method = "GET", url = arg[1] .. "/api/machines", headers = {},
          timeout = 10, max_bytes = 100000, max_idle = 5 }, { ca_file = arg[2], proxy = "" }))
        for _ = 1, i do multi:poll(0.002) end
      end
      assert(curl.loop() == multi)
      local controller, ended = cqueues.new(), 0
      controller:wrap(function()
        while ended < 3 do
          multi:step()
          local transfer = multi:finished()
          if transfer then
            ended = ended + 1
            multi:release(transfer)
          else
            cqueues.poll { pollfd = multi:pollfd(), events = "r" }
          end
        end
      end)
      assert(controller:loop())
      for i = 1, 3 do print(transfers[i]:result().status) end
    ]], { arguments = { tenant.base_url, tenant.ca_file } })
    assert.equal("401\n401\n401\n", output)
    assert.equal("exit 0", status)
  end)
end)
