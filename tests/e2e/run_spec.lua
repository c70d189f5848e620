-- mde plan, run, resume and stop as processes of their own, against a tenant over TLS: what is killed, interrupted,
-- stopped and started twice; and what is seen.
-- Labels: only-lua5.4, long
local commands = require "tests.spec.support.process.command"
local wait_until = require "tests.spec.support.process.wait_until"

local has = commands.has
local scene = commands.scene()
local tenant, command, created = scene.tenant, scene.command, scene.created

local COUNT = 12

local playbook = [[
local mde = require "mde"
local suspects = {}
for machine in mde.machines { computerDnsName = mde.startswith("seat-") } do suspects[#suspects + 1] = machine end
mde.each(suspects, function(machine)
  return mde.restrict(machine, "beacon to known C2", { incident = ..., reason = "it beacons" })
end, { parallel = 2 })
]]

local function id(i) return ("%040x"):format(0xe000 + i) end

local function prepare(more)
  for i = 1, COUNT do
    local machine = { id = id(i), computerDnsName = ("seat-%02d.corp.example"):format(i), osPlatform = "Windows11" }
    for name, value in pairs(more or {}) do machine[name] = value end
    tenant.machine(machine)
  end
  local text = playbook:gsub("%.%.%.,", "(arg[1]),")
  return command.file("contain.lua", text), command.directory .. "/run-" .. tostring(math.random(1e9)) .. ".db"
end

-- So that a run takes some seconds.
local function answer_slowly(interval)
  tenant.fault { match = { method = "POST", path = "restrictCodeExecution" }, fault = "slow",
    interval = interval or 0.002, count = false }
end

-- How many actions each machine has.
local function assert_once()
  local counts = {}
  for _, event in ipairs(created()) do counts[event.machine] = (counts[event.machine] or 0) + 1 end
  for i = 1, COUNT do assert.equal(1, counts[id(i)], id(i)) end
end

describe("mde run", function()
  it("restricts what its plan shows, and is complete", function()
    local file, record = prepare()
    local plan = command.run { "plan", file, "INC-12" }
    assert.equal(0, plan.status, plan.err)
    has(plan.err, "Restrict 12 devices")
    assert.equal(0, #created())
    local digest = plan.err:match "sha256:%x+"
    local run = command.run { "run", "--yes", "--journal", record, file, "INC-12" }
    assert.equal(0, run.status, run.err)
    has(run.err, "is complete: 12 accepted")
    assert.matches("^sha256:", digest)
    assert_once()
  end)

  it("that is killed goes on, and does nothing twice", function()
    local file, record = prepare()
    answer_slowly()
    local running = command.start { "run", "--yes", "--journal", record, file, "INC-12" }
    wait_until(function() return #created() >= 4 end, running.errors)
    running.signal "KILL"
    assert.equal(137, running.finish().status)
    tenant.clear()
    assert.is_true(#created() < COUNT)
    local again = command.run { "resume", "--yes", record }
    assert.equal(0, again.status, again.err)
    has(again.err, "recorded")
    has(again.err, "is complete")
    assert_once()
  end)

  it("that is interrupted ends what is in flight, and names the command that goes on", function()
    local file, record = prepare()
    answer_slowly()
    local running = command.start { "run", "--yes", "--journal", record, file, "INC-12" }
    wait_until(function() return #created() >= 2 end, running.errors)
    running.signal "INT"
    local told = running.finish()
    tenant.clear()
    assert.equal(130, told.status, told.err)
    has(told.err, "is stopped")
    local run = told.err:match "mde resume (%d+T%d+Z%-%x+)\n"
    assert.equal(0, command.run({ "resume", "--yes", run }).status)
    assert_once()
  end)

  it("is stopped from another process, and no two work on it", function()
    local file, record = prepare()
    answer_slowly()
    local running = command.start { "run", "--yes", "--journal", record, file, "INC-12" }
    wait_until(function() return #created() >= 2 end, running.errors)
    local second = command.run { "resume", "--yes", record }
    assert.equal(1, second.status)
    has(second.err, "another session works on the run")
    assert.equal(0, command.run({ "stop", record }).status)
    local told = running.finish()
    tenant.clear()
    assert.equal(4, told.status, told.err)
    has(told.err, "it was asked to stop")
    assert.equal(0, command.run({ "resume", "--yes", record }).status)
    assert_once()
  end)

  it("is stopped by a user who has not its record, through the store", function()
    local file = prepare()
    answer_slowly(0.006)
    local function of(user)
      return { environment = { MDE_STORE = command.directory .. "/store",
        XDG_STATE_HOME = command.directory .. "/" .. user } }
    end
    local running = command.start({ "run", "--yes", file, "INC-12" }, of "alice")
    wait_until(function() return #created() >= 1 end, running.errors)
    local run = running.errors():match "mde stop (%d+T%d+Z%-%x+) stops it, too"
    local told = command.run({ "stop", run }, of "bob")
    assert.equal(0, told.status, told.err)
    has(told.err, "begins nothing new")
    told = running.finish()
    tenant.clear()
    assert.equal(4, told.status, told.err)
    has(told.err, "it was asked to stop from elsewhere")
    assert.equal(1, command.run({ "stop", run }, of "bob").status)
    assert.equal(0, command.run({ "resume", "--yes", run }, of "alice").status)
    assert_once()
  end)

  for _, case in ipairs { { "plan", 1, "TERM" }, { "plan", 1, "INT" }, { "plan", 1, "HUP" }, { "run", 2, "TERM" },
    { "run", 2, "INT" } } do
    local how, count, signal = case[1], case[2], case[3]
    it(("is ended by %d SIG%s where the playbook of mde %s never ends"):format(count, signal, how), function()
      -- In a plan that sends nothing; in a run only behind the first device, which the plan has, too.
      prepare()
      local begun = command.directory .. "/begun"
      os.remove(begun)
      local file = command.file("loop.lua", ([[
        local mde = require "mde"
        local action = mde.restrict("seat-01.corp.example", "beacon")
        if %q == "plan" or action and action.outcome == "accepted" then
          io.open(%q, "w"):close()
          while true do pcall(error) end
        end]]):format(how, begun))
      local record = command.directory .. "/loop-" .. tostring(math.random(1e9)) .. ".db"
      local running = command.start(how == "plan" and { "plan", file } or { "run", "--yes", "--journal", record, file })
      wait_until(function() return io.open(begun) end, running.errors)
      for _ = 1, count do
        running.signal(signal)
        os.execute "sleep 0.2"
      end
      local told = running.finish()
      assert.equal(130, told.status, told.err)
      has(told.err, "interrupted while the playbook did not wait for anything")
      if how == "run" then
        assert.equal(1, #created())
        assert.equal(0, command.run({ "stop", record }).status)
      else
        assert.equal(0, #created())
      end
    end)
  end

  if commands.has_tmux() then
    for _, columns in ipairs { 80, 120 } do
      it(("shows its plan and asks, at %d columns"):format(columns), function()
        local file, record = prepare()
        local screen = command.screen({ "run", "--journal", record, file, "INC-12" }, { columns = columns, lines = 50 })
        screen.wait_for "Restrict these 12?"
        screen.record(("run-plan-%d"):format(columns))
        screen.keys("y", "Enter")
        assert.equal(0, screen.status())
        has(screen.text(), "is complete: 12 accepted")
        screen.record(("run-end-%d"):format(columns))
        screen.close()
      end)
    end
  end
end)
