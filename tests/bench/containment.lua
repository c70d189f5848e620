-- What containment measures: a run under the service's limits, and one that is stopped half way and resumed.

local playbooks = require "tests.spec.support.playbooks"

local core = require "mde.core"
local pace = require "mde.cli.batch.pace"
local runs = require "mde.run"

local IN_FLIGHT = 8

local count, latency = core.number.read(arg[1]), core.number.read(arg[2])
if not count or not latency or count < 2 or count % 1 ~= 0 or latency < 0 then
  io.stderr:write("usage: tests/bench/containment [COUNT [LATENCY]]; COUNT is a whole number from 2 on\n")
  os.exit(1)
end

local function say(format, ...) print(format:format(...)) end

-- All of them have been seen of late.
local function fleet()
  local list, now = playbooks.fleet(count), os.time()
  for i, machine in ipairs(list) do machine.lastSeen = core.timestamp.whole(now - i % 3000) end
  return list
end

local function stage_of(limits)
  return playbooks.new { machines = fleet(), latency = latency, limits = limits, client = { cap = false } }
end

local function requests(stage, method)
  local sum = 0
  for _, entry in ipairs(stage.tenant.history) do
    if entry.event == "request" and entry.method == method then sum = sum + 1 end
  end
  return sum
end

local function under_the_limits()
  local stage = stage_of(nil)
  local plan = assert(stage.plan(playbooks.restrict(count), { waves = "rest" }))
  local began = stage.rehearsal.driver.now()
  local report = assert(stage.start(plan))
  assert(report.state == "complete", report.why)
  local took, least = stage.rehearsal.driver.now() - began, pace.seconds(count)
  say("%d devices under the service's limits: %.1f s; the least possible time is %d s (%+.2f %%)", count, took, least,
    least > 0 and (took / least - 1) * 100 or 0)
  say("  the last minute's devices take %.1f s of these, %d at a time with answers after %.1f s",
    math.ceil(math.min(count, (count - 1) % 100 + 1) / IN_FLIGHT) * latency, IN_FLIGHT, latency)
  say("  %d POSTs, %d reads with those of the plan", requests(stage, "POST"), requests(stage, "GET"))
  stage.remove()
end

local function timed(name, fn, ...)
  local began = os.clock()
  local result = assert(fn(...))
  say("  %-28s %6.2f s of CPU", name, os.clock() - began)
  return result
end

local function half_way()
  local stage = stage_of(false)
  say("the same without limits, stopped half way, with what the simulated tenant itself costs:")
  local plan = timed("plan", stage.plan, playbooks.restrict(count), { waves = "rest" })
  local path, session, ended = stage.path(), nil, 0
  timed("first half", function()
    return stage.start(plan, {
      record = path,
      on_session = function(one) session = one end,
      on_event = function(event)
        if event.event ~= "ended" then return end
        ended = ended + 1
        if ended == count // 2 then session:halt { rule = "asked", state = "stopped", message = "half" } end
      end,
    })
  end)
  stage.renew()
  local opened = timed("open", runs.open, stage.client, path)
  timed("plan over the record", runs.replan, stage.client, opened)
  local report = timed("second half", runs.resume, stage.client, opened)
  assert(report.state == "complete", report.why)
  local file = assert(io.open(path, "rb"))
  say("  the record has %d bytes", file:seek "end")
  file:close()
  stage.remove()
end

under_the_limits()
half_way()
