-- A plan on one screen.
-- Labels: not-lua5.3
local console = require "tests.spec.support.console"
local json = require "mde.base.json_line"
local limits = require "mde.cli.run.limits"
local playbooks = require "tests.spec.support.playbooks"
local runs = require "mde.run"
local screen = require "mde.cli.run.screen"

describe("a plan on the screen", function()
  local stage

  after_each(function()
    if stage then stage.remove() end
    stage = nil
  end)

  local function shown(plan, columns)
    local told = console.capture(function() screen.show(plan, limits.of(stage.client, plan), stage.client:now()) end,
      { answers = {}, columns = columns or 120 })
    return told.out .. told.err
  end

  local function object_of(plan) return screen.object(plan, limits.of(stage.client, plan)) end

  local function set_up(machines, options)
    local all = { machines = machines }
    for name, value in pairs(options or {}) do all[name] = value end
    stage = playbooks.new(all)
  end

  it("says how many of each verb, with their scopes and files, and what it may come to", function()
    local machines = playbooks.fleet(6)
    machines[6].onboardingStatus = "CanBeOnboarded"
    set_up(machines, { client = { cap = { restrict = false, isolate = 2 } } })
    local plan = assert(stage.plan(([[
      local mde = require "mde"
      local function pc(i) return ("pc-%%d.corp.example"):format(i) end
      mde.restrict(pc(1), "beacon")
      for i = 1, 3 do mde.isolate(pc(i), "beacon", { isolation_type = "Selective" }) end
      mde.isolate(pc(4), "beacon")
      mde.scan(pc(1), "beacon")
      mde.quarantine(pc(1), "dropper", { sha1 = "%s" })
      mde.may("isolate", pc(5), "later")
      mde.may("contain", pc(6), "later")]]):format(("a1"):rep(20))))
    local text = shown(plan)
    for _, words in ipairs { "Restrict 1 device, isolate 4, scan 1, quarantine a file on 1.",
      "If the playbook comes to it, and only then: isolate 1 device, contain 1.", "To be restricted: 1 device",
      "To be isolated (Selective): 3 devices", "To be isolated (Full): 1 device",
      "To be isolated (Full) if the playbook comes to it: 1 device", "To have a file quarantined (a1a1",
      "The cap of 2 isolations an hour lets 2 of these 4 through now; for all of them give --cap isolate=4." } do
      assert.matches(words, text, 1, true)
    end
    local question, count = screen.question(plan)
    assert.same({ "Restrict 1, isolate 4, scan 1, quarantine a file on 1, and if the playbook comes to it isolate "
      .. "1 device, contain 1?", 9 }, { question, count })
    local object = object_of(plan)
    assert.same({ 2, 2, "isolate" }, { object.cap, object.cap_lets_through, object.cap_of })
  end)

  it("asks about all that is let go, but for what is cut off by the same plan", function()
    set_up(playbooks.fleet(31))
    for i = 2, 31 do
      stage.rehearsal:past(playbooks.id(i), "restrict", "Succeeded", 900, { type = "Isolate", scope = "Full",
        requestorComment = "by hand" })
    end
    local plan = assert(stage.plan [[
      local mde = require "mde"
      mde.restrict("pc-1.corp.example", "beacon")
      for i = 2, 31 do mde.unisolate(("pc-%d.corp.example"):format(i), "cleared") end]])
    assert.same({ "Restrict 1, unisolate 30?", 31 }, { screen.question(plan) })
    plan = assert(stage.plan [[
      local mde = require "mde"
      assert(mde.restrict("pc-1.corp.example", "beacon")):wait()
      mde.release("pc-1.corp.example", "cleared")]])
    assert.same({ "Restrict it?", 1 }, { screen.question(plan) })
  end)

  it("names every cap that is exceeded, in JSON too", function()
    local sha1 = ("a1"):rep(20)
    set_up(playbooks.fleet(3), { client = { cap = { restrict = 1, isolate = 2, quarantine = 1 } } })
    local plan = assert(stage.plan(([[
      local mde = require "mde"
      for i = 1, 3 do
        local device = ("pc-%%d.corp.example"):format(i)
        mde.restrict(device, "beacon")
        mde.isolate(device, "beacon")
        mde.quarantine(device, "dropper", { sha1 = "%s" })
      end]]):format(sha1)))
    local object = object_of(plan)
    assert.same({ { cap = 1, cap_lets_through = 1, cap_of = "restrict" },
      { cap = 2, cap_lets_through = 2, cap_of = "isolate" },
      { cap = 1, cap_lets_through = 1, cap_of = "quarantine", sha1 = sha1 } }, object.caps)
    assert.same({ 1, "restrict" }, { object.cap, object.cap_of })
  end)

  it("says how many, of what, and by which digest", function()
    local machines = playbooks.fleet(4)
    machines[2].osPlatform = "WindowsServer2022"
    machines[3].lastSeen = "2020-01-01T00:00:00Z"
    set_up(machines)
    local plan = assert(stage.plan(playbooks.restrict(3, 'mde.release("pc-4.corp.example", "cleared")')))
    local text = shown(plan)
    assert.matches(runs.shown(plan.digest), text, 1, true)
    assert.matches("Restrict 3 devices, 1 of them servers, release 1, 1 not seen for an hour, which may stay pending.",
      text, 1, true)
    assert.matches(stage.tenant.tenant_id, text, 1, true)
    assert.matches("To be restricted: 3 devices", text, 1, true)
    assert.matches("To be released: 1 device\n", text, 1, true)
    -- What deserves a look comes first.
    assert.is_true(text:find("pc-2.corp.example", 1, true) < text:find("pc-1.corp.example", 1, true))
    assert.matches("(server)", text, 1, true)
    assert.matches("wait taken to succeed", text, 1, true)
  end)

  for words, case in pairs {
    ["a long tag"] = { ("t"):rep(60), "it beacons", "it beacons" },
    ["a long reason"] = { "vip", ("it beacons "):rep(9), "it beacons it" },
    ["both"] = { ("t"):rep(60), ("it beacons "):rep(9), "it beacons it" },
  } do
    it("shows the reason at 80 columns, beside " .. words, function()
      local machines = playbooks.fleet(1)
      machines[1].machineTags, machines[1].deviceValue = { case[1] }, "High"
      set_up(machines)
      local text = shown(assert(stage.plan(([[
        require("mde").restrict("pc-1.corp.example", "beacon", { reason = %q })]]):format(case[2]))), 80)
      local heading, line = text:match "(  NAME[^\n]*)\n([^\n]*)"
      assert.matches("REASON", heading, 1, true)
      assert.is_nil(heading:find("TAGS", 1, true))
      assert.matches(case[3], line, 1, true)
      assert.matches("pc-1.corp.example", line, 1, true)
      assert.is_true(#line <= 80)
    end)
  end

  it("says for how long they are meant to hold, where that is said", function()
    set_up(playbooks.fleet(4))
    local text = [[
      local mde = require "mde"
      local spans = { "8h", "90m", "90m" }
      for i = 1, 4 do mde.restrict(("pc-%d.corp.example"):format(i), "beacon", { release_after = spans[i] }) end]]
    local plan = assert(stage.plan(text))
    assert.matches("Meant to hold: 2 for 1 h 30 min, 1 for 8 h, 1 until released.",
      shown(plan), 1, true)
    assert.equal(28800, object_of(plan).devices[1].release_after)
    assert.is_nil(shown(assert(stage.plan(playbooks.restrict(4)))):find("Meant to hold", 1, true))
  end)

  it("says who is left, by reason", function()
    local machines = playbooks.fleet(4)
    machines[1].machineTags = { "tier0" }
    set_up(machines, { unguarded = false, client = { protect = { tags = { "tier0" }, servers = false,
      device_values = {} } } })
    stage.rehearsal:past(playbooks.id(2), "restrict", "Succeeded", 900, { requestor = "eve@corp.example" })
    local text = shown(assert(stage.plan [[
      local mde = require "mde"
      for i = 1, 3 do mde.restrict(("pc-%d.corp.example"):format(i), "beacon") end
      mde.may("isolate", "pc-1.corp.example", "beacon")
      mde.restrict("nobody.corp.example", "x")
      mde.tag("pc-4.corp.example", "seen")]]))
    -- Once for both of its verbs.
    assert.matches("1 protected by the rule tags: pc-1.corp.example\n", text, 1, true)
    assert.matches("1 restricted or released already: pc-2.corp.example (eve@corp.example)", text, 1, true)
    assert.matches("1 not found: \"nobody.corp.example\"", text, 1, true)
    assert.matches("Also: tag pc-4.corp.example: seen", text, 1, true)
  end)

  it("counts what the cap has let through already", function()
    set_up(playbooks.fleet(30), { unguarded = false, client = { cap = 25,
      protect = { servers = false, device_values = {} } } })
    for i = 1, 10 do assert(stage.client:restrict(playbooks.id(i), "before", { incident = "INC-0" })) end
    stage.tenant:advance(600)
    local text = shown(assert(stage.plan(playbooks.restrict(30))))
    assert.matches("lets 15 of these 30 through now; for all of them give --cap restrict=40.", text, 1, true)
    assert.matches("sent again to record the incident: ", text, 1, true)
  end)

  it("says how long it takes, and that the cap stops it", function()
    set_up(playbooks.fleet(120), { unguarded = false, client = { cap = 25,
      protect = { servers = false, device_values = {} } } })
    local plan = assert(stage.plan(playbooks.restrict(120)))
    local text = shown(plan)
    assert.matches("It takes at least", text, 1, true)
    assert.matches("The cap of 25 restricts an hour lets 25 of these 120 through now; for all of them give --cap "
      .. "restrict=120.", text, 1, true)
    assert.matches("Wave 1: 5 devices", text, 1, true)
    assert.matches("Wave 2: 45 devices", text, 1, true)
    assert.matches("Wave 3: 70 devices", text, 1, true)
    assert.matches("and 65 more; --json lists them all", text, 1, true)
    local object = object_of(plan)
    assert.equal(25, object.cap)
    assert.equal(120, #object.devices)
    assert.is_true(object.seconds > 0 and object.at_once > 0 and object.at_once <= 120)
  end)

  it("says nothing of time and cap where there is nothing to say", function()
    set_up(playbooks.fleet(1))
    local text = shown(assert(stage.plan "return"))
    assert.is_nil(text:find("It takes", 1, true))
    assert.is_nil(text:find("The cap", 1, true))
    assert.matches("Restrict 0 devices.", text, 1, true)
  end)

  it("never acts on the terminal, whatever the service or the playbook says", function()
    local hostile = "\27]0;owned\7\27[2J\226\128\174x"
    local machines = playbooks.fleet(3, { machineTags = { hostile }, osPlatform = hostile })
    for _, machine in ipairs(machines) do machine.computerDnsName = hostile end
    set_up(machines)
    stage.rehearsal:past(playbooks.id(2), "restrict", "Succeeded", 900, { requestor = hostile })
    local plan = assert(stage.plan(([[
      local mde = require "mde"
      for _, id in ipairs { %q, %q } do mde.restrict(id, "x", { reason = %q }) end
      mde.release(%q, %q)
      mde.restrict("nobody.corp.example", "x")
      mde.tag(%q, %q)]]):format(playbooks.id(1), playbooks.id(2), hostile, playbooks.id(3), hostile, playbooks.id(1),
        "seen")))
    plan.playbook.name = hostile
    local text = shown(plan)
    assert.is_nil(text:find "[%z\1-\9\11-\31\127]")
    assert.is_nil(text:find("\226\128\174", 1, true))
    assert.is_nil(json.encode(object_of(plan)):find "[%c\127]")
  end)

  it("names 40 of one reason and counts the others", function()
    set_up(playbooks.fleet(1))
    local text = shown(assert(stage.plan [[
      local mde = require "mde"
      for i = 1, 45 do mde.restrict(("nobody-%d.corp.example"):format(i), "x") end]]))
    assert.matches("45 not found: ", text, 1, true)
    assert.matches("nobody-40.corp.example\", and 5 more", text:gsub("%s+", " "), 1, true)
  end)
end)
