-- mde.driver.luv: what every driver for an event loop promises, in the main program and in uv.run; and what only luv's
-- loop does.
-- Labels: sanitized, not-lua5.3, long

local event_loop = require "tests.hosts.event_loop"
local uv = require "luv"

event_loop({
  name = "luv",
  places = {
    {
      name = "in the main program",
      run = function(_, fn)
        fn()
        uv.run()
      end,
    },
    {
      name = "inside uv.run",
      run = function(driver, fn)
        driver.spawn(fn)
        uv.run()
      end,
    },
  },

  every = function(seconds, fn)
    local timer = uv.new_timer()
    timer:start(0, seconds * 1000, fn)
    return function() timer:close() end
  end,

  program = [[
    local uv = require "luv"
    local function after(seconds, fn)
      local timer = uv.new_timer()
      timer:start(seconds * 1000, 0, function()
        timer:close()
        fn()
      end)
    end
    local function go(fn) driver.spawn(fn) end
    local function finish() uv.run() end
    local function is_idle() return not uv.loop_alive() end
    local function a_while()
      after(0.2, function() uv.stop() end)
      uv.run()
    end
  ]],

  endings = {
    { "with the multi handle closed in a callback", [[
      driver.spawn(function() print((status():gsub(" while.*", ""))) end)
      after(0.1, function() require "mde.curl".multi():close() end)
      uv.run() ]], "the driver was closed\n" },
    { "with uv's handles closed first", [[
      driver.spawn(function() status() end)
      after(0.1, function() uv.walk(function(handle) if not handle:is_closing() then handle:close() end end) end)
      uv.run() ]] },
  },
}, function(program)
  it("goes on after a program has closed all of uv's handles", function()
    assert.equal("401\n401\n", program.run [[
      for _ = 1, 2 do
        driver.spawn(function() print(status()) end)
        uv.run()
        uv.walk(function(handle) if not handle:is_closing() then handle:close() end end)
        uv.run()
      end
    ]])
  end)

  it("resumes a task only for what it waits for", function()
    assert.equal("mine 401 mine 401\n", program.run [[
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
    assert.equal("401 a 401\n401\n", program.run [[
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

  it("tells where a call holds up uv's loop, and what to do instead", function()
    local instead = "make it in a function that is given to driver.spawn"
    assert.equal(("nil nil %s %s %s nil"):format(instead, instead, instead), program.run [[
      local said = { tostring(driver.holds_up()) }
      local function say() said[#said + 1] = tostring(driver.holds_up()) end
      driver.spawn(function()
        say()
        ;("x"):gsub("x", say)
        coroutine.wrap(say)()
      end)
      uv.run()
      after(0.01, say)
      uv.run()
      say()
      io.write(table.concat(said, " "))
    ]])
  end)

  it("raises in the main program what a task raises while it waits, and goes on", function()
    assert.equal("false\toops\n401\n401\n", program.run [[
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
    local output = program.run([[
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
    assert.equal("child 404 404 0 parent 401 401 401\n", program.run [[
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
end)
