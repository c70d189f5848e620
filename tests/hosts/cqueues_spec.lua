-- mde.driver.cqueues: what every driver for an event loop promises, outside and inside of a controller; and what only a
-- controller can do.
-- Labels: sanitized, not-lua5.3, long

local cqueues = require "cqueues"
local event_loop = require "tests.hosts.event_loop"
local wait_until = require "tests.spec.support.process.wait_until"

-- Runs a function in a coroutine of a controller.
local function run_inside(_, fn)
  local controller, ended = cqueues.new(), false
  controller:wrap(function()
    fn()
    ended = true
  end)
  while not ended do assert(controller:step()) end
end

event_loop({
  name = "cqueues",
  places = {
    { name = "outside of any controller" },
    { name = "inside a controller", run = run_inside },
  },

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

  program = [[
    local cqueues = require "cqueues"
    local controller = cqueues.new()
    local function go(fn) controller:wrap(fn) end
    local function finish() assert(controller:loop()) end
    local function is_idle() return controller:empty() end
    local function a_while()
      controller:step(0.1)
      controller:step(0.1)
    end
  ]],

  endings = {
    { "in a controller that is collected", [[
      controller:wrap(function() status() end)
      controller:step(0.1) controller:step(0.1)
      controller = nil collectgarbage() collectgarbage() ]] },
    { "in tasks outside of any controller", [[
      for i = 1, 20 do driver.spawn(function() status() end) end
      driver.sleep(0.1) ]] },
  },
}, function(program)
  it("tells where a call holds up a controller, and what to do instead", function()
    local instead = "make it in a coroutine of its own, by controller:wrap"
    assert.equal(("nil nil %s %s nil nil"):format(instead, instead), program.run [[
      local said = { tostring(driver.holds_up()) }
      local function say() said[#said + 1] = tostring(driver.holds_up()) end
      controller:wrap(function()
        say()
        ;("x"):gsub("x", say)
        coroutine.wrap(say)()
        local gate = driver.gate()
        driver.detach(function() say() gate:open() end)
        gate:wait()
      end)
      assert(controller:loop())
      say()
      io.write(table.concat(said, " "))
    ]])
  end)

  it("gives what a coroutine raises to the controller, and goes on", function()
    assert.equal("oops 401 401 true\n", program.run [[
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
    assert.equal("false\toops\n401\n", program.run [[
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
    assert.equal("woken\t401\n", program.run [[
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
    assert.equal("401\tbegun elsewhere\n", program.run [[
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
    assert.equal("401 401\n", program.run [[
      local inner, answers = cqueues.new(), {}
      inner:wrap(function() answers[1] = status() end)
      controller:wrap(function() assert(inner:loop()) end)
      controller:wrap(function() answers[2] = status() end)
      assert(controller:loop())
      print(table.concat(answers, " "))
    ]])
  end)

  it("is usable after Ctrl-C", function()
    program.stall()
    local process = program.start [[
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
    wait_until(function() return #program.tenant.history "request" > 0 end)
    os.execute("kill -INT " .. process.pid)
    local output, status = process.finish()
    assert.equal("false\tinterrupted!\n404\n404\n", output)
    assert.equal("exit 0", status)
  end)

  -- What lua's own Ctrl-C does, an error in a hook of the main program, at one place after the other.
  it("is usable after an error at any step of the main program", function()
    assert.equal("404\ttrue\ttrue\n", program.run [[
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
    assert.equal("child 404 404 0 parent 401 401 401\n", program.run [[
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
end)
