-- What `require "mde"` gives a playbook.
local libraries = require "mde.run.library"
local mde = require "mde"
local playbooks = require "tests.spec.support.playbooks"
local rehearsal = require "tests.spec.support.rehearsal"
local script = require "tests.spec.support.process.script"

describe("the library of a playbook", function()
  local stage

  after_each(function()
    if stage then stage.remove() end
    stage = nil
    rawset(_G, "tell_spec", nil)
  end)

  local function library(pass)
    stage = stage or playbooks.new { machines = playbooks.fleet(3) }
    return libraries.new(stage.client, pass or { made = 1770088500, is_plan = false, rank = function() end,
      machine_of = function() end, resuming = function() return false end })
  end

  it("has everything that mde has, by the client of the run", function()
    local own = library()
    for name, value in pairs(mde) do assert.equal(type(value), type(own[name]), name) end
    assert.equal("pc-1.corp.example", assert(own.machine "pc-1").computerDnsName)
  end)

  it("has no client of its own", function()
    local err = rehearsal.refused(library().client, {})
    assert.equal("playbook_client", err.code)
    assert.equal("wrong_type", rehearsal.refused(library().on_plan, "x").code)
  end)

  it("counts mde.ago from the time of the plan", function()
    local own = library()
    assert.equal(1770088500 - 7200, own.ago "2h")
    assert.equal(0, own.ago "100000d")
    local told = {}
    rawset(_G, "tell_spec", function(...) told[#told + 1] = { ... } end)
    local plan = assert(stage.plan [[
      local mde = require "mde"
      tell_spec(mde.ago "1h", math.random(1e9))
      error_later = true
      mde.restrict("pc-1.corp.example", "beacon")]])
    stage.tenant:advance(600)
    local report = stage.start(plan)
    assert.equal("complete", report.state)
    assert.equal(plan.made - 3600, told[1][1])
    -- In the run as in the plan, and so are the random numbers.
    assert.same(told[1], told[2])
  end)

  it("does what a list names in the order of the plan, and gives the results in the order of the list", function()
    local ranks, told = { [playbooks.id(1)] = 3, [playbooks.id(2)] = 2, [playbooks.id(3)] = 1 }, {}
    local own = library { made = 1, is_plan = false, machine_of = function(_, name)
      return name == "pc-3.corp.example" and playbooks.id(3) or nil
    end, rank = function(_, id) return ranks[id] end }
    local items = { playbooks.id(1), "unknown.corp.example", { id = playbooks.id(2) }, 17, "pc-3.corp.example" }
    local results = own.each(items, function(item)
      told[#told + 1] = item
      if item == 17 then error("no", 0) end
      return item
    end, { parallel = 1 })
    assert.same({ items[5], items[3], items[1], items[2], items[4] }, told)
    assert.equal(5, #results)
    for i, item in ipairs(items) do assert.equal(item, results[i].item) end
    assert.equal(1, results.failed)
    assert.equal(items[3], results[3].value)
    assert.is_nil(results[4].value)
  end)

  it("takes iterators and single machines as mde.each does", function()
    local own, n = library(), 0
    local results = own.each(function()
      n = n + 1
      return n <= 3 and n or nil
    end, function(item) return item * 2 end)
    assert.same({ 2, 4, 6 }, { results[1].value, results[2].value, results[3].value })
  end)

  it("gives results in the order of the list although the plan has another", function()
    local machines = playbooks.fleet(6)
    for i, machine in ipairs(machines) do machine.lastSeen = ("2026-02-03T03:%02d:00Z"):format(i) end
    stage = playbooks.new { machines = machines, start = 1770091200, limits = false }
    local names, sent = nil, {}
    rawset(_G, "tell_spec", function(list) names = list end)
    local plan = assert(stage.plan(playbooks.restrict(6, [[
      local items = {}
      for i, result in ipairs(results) do items[i] = result.item .. " " .. tostring(result.value ~= nil) end
      tell_spec(items)]])))
    assert.equal(playbooks.id(6), plan.devices[1].id)
    stage.start(plan, { on_event = function(event)
      if event.event == "sending" then sent[#sent + 1] = event.machine_id end
    end })
    for i = 1, 6 do assert.equal(("pc-%d.corp.example true"):format(i), names[i]) end
    assert.equal(playbooks.id(6), sent[1])
  end)

  it("notes what changes something else, and carries it out in a run alone", function()
    stage = playbooks.new { machines = playbooks.fleet(1), roles = { "Machine.Read.All", "Machine.ReadWrite.All",
      "Machine.RestrictExecution" } }
    local plan = assert(stage.plan [[
      local mde = require "mde"
      assert(mde.tag("pc-1.corp.example", "seen"))]])
    assert.equal(0, stage.rehearsal:count "machine_tagged")
    assert.equal("complete", stage.start(plan).state)
    assert.equal(1, stage.rehearsal:count "machine_tagged")
  end)

  it("stops at the first change of a fork of the process", function()
    local output, status = script.run([[
      io.stdout:setvbuf "no"
      fork = require "tests.fork"
      local playbooks = require "tests.spec.support.playbooks"
      local stage = playbooks.new { machines = playbooks.fleet(2), limits = false }
      local plan = assert(stage.plan(
        'local mde = require "mde" assert(mde.restrict("pc-1.corp.example", "x"))' ..
        'if forks then child = fork.fork() if child ~= 0 then fork.wait(child) end end ' ..
        'mde.restrict("pc-2.corp.example", "x")'))
      forks = true
      local parent = true
      local report = stage.start(plan)
      if report and report.err and report.err.code == "forked" then
        io.write("child: ", stage.posts(), " ", #report.entries, "\n")
        fork.exit(0)
      end
      io.write("parent: ", report.state, " ", stage.posts(), "\n")
      stage.remove()]])
    -- Without the lines of the trace.
    assert.equal("child: 1 1\nparent: complete 2\n", (output:gsub("{[^\n]*\n", "")))
    assert.equal("exit 0", status)
  end)
end)
