-- What a plan is bound to, what it counts and shows, and that one which was kept reads back as itself.
-- Labels: not-lua5.3
local cjson = require "cjson"
local core = require "mde.core"
local journals = require "tests.spec.support.journals"
local json = require "mde.base.json_line"
local plans = require "mde.run.plan"
local playbook_of = require "mde.run.playbook"
local playbooks = require "tests.spec.support.playbooks"
local runs = require "mde.run"
local shell = require "tests.spec.support.process.shell"

describe("the digest of a plan", function()
  local stages, directory

  before_each(function()
    stages, directory = {}, shell.new_directory()
    shell.write_file(directory .. "/plan_module.lua", "return 1")
  end)

  after_each(function()
    for _, stage in ipairs(stages) do stage.remove() end
    shell.remove(directory)
  end)

  local TEXT = [[
    local mde = require "mde"
    require "plan_module"
    mde.restrict("pc-1.corp.example", "beacon", { incident = "INC-1" })
    mde.restrict("pc-2.corp.example", "beacon", { incident = "INC-1" })]]

  -- The plan under these settings: `tenant`: options of the tenant and client, `text`, `plan`: options of the plan.
  local function plan(settings)
    local before = package.path
    package.path = directory .. "/?.lua;" .. before
    local options = { machines = playbooks.fleet(3), start = 1770088500, client = { cap = 25, base_url =
      settings.base_url } }
    for name, value in pairs(settings.tenant or {}) do options[name] = value end
    for name, value in pairs(settings.client or {}) do options.client[name] = value end
    local stage = playbooks.new(options)
    stages[#stages + 1] = stage
    local made = assert(stage.plan(settings.text or TEXT, settings.plan or {}))
    package.path = before
    return made, stage
  end

  local function digest(settings) return runs.shown(plan(settings or {}).digest) end

  it("is the same each time", function() assert.equal(digest(), digest()) end)

  for words, settings in pairs {
    ["the tenant"] = { tenant = { tenant_id = "11111111-2222-4333-8444-555555555555" } },
    ["the application"] = { tenant = { client_id = "11111111-2222-4333-8444-555555555556" } },
    ["the host"] = { base_url = "https://api.securitycenter.microsoft.com" },
    ["the text of the playbook"] = { text = TEXT .. " " },
    ["an argument"] = { plan = { arguments = { "x" } } },
    ["what is protected"] = { client = { protect = { tags = { "vip" } } } },
    ["the cap"] = { client = { cap = 26 } },
    ["no cap"] = { client = { cap = false } },
    ["the waves"] = { plan = { waves = "1,rest" } },
    ["that there are no waves"] = { plan = { waves = false } },
    ["the gate"] = { plan = { gate = "succeeded=50%" } },
  } do
    it("changes with " .. words, function() assert.are_not.equal(digest(), digest(settings)) end)
  end

  it("changes with a module that the playbook loads", function()
    local before = digest()
    shell.write_file(directory .. "/plan_module.lua", "return 2")
    assert.are_not.equal(before, digest())
  end)

  -- Of a playbook that reads what it does from a module which is no part of it: its text and modules are the same.
  local function by_what_it_does(list)
    rawset(_G, "planned_for_spec", list)
    local value = digest { text = [[
      local mde = require "mde"
      for _, one in ipairs(planned_for_spec) do
        mde[one[1] ](one[2], "beacon", { incident = one[3], release_after = one[4] })
      end]] }
    rawset(_G, "planned_for_spec", nil)
    return value
  end

  it("changes with a device, a verb and an incident, and not with their order", function()
    local one, two = { "restrict", "pc-1.corp.example", "INC-1" }, { "restrict", "pc-2.corp.example", "INC-1" }
    local before = by_what_it_does { one, two }
    assert.equal(before, by_what_it_does { two, one })
    assert.are_not.equal(before, by_what_it_does { one })
    assert.are_not.equal(before, by_what_it_does { one, { "restrict", "pc-3.corp.example", "INC-1" } })
    assert.are_not.equal(before, by_what_it_does { one, { "release", "pc-2.corp.example", "INC-1" } })
    assert.are_not.equal(before, by_what_it_does { one, { "restrict", "pc-2.corp.example", "INC-2" } })
    assert.are_not.equal(before, by_what_it_does { one, { "restrict", "pc-2.corp.example" } })
    -- Until when it is meant to hold, too.
    local with_end = by_what_it_does { one, { "restrict", "pc-2.corp.example", "INC-1", "8h" } }
    assert.are_not.equal(before, with_end)
    assert.are_not.equal(with_end, by_what_it_does { one, { "restrict", "pc-2.corp.example", "INC-1", "7h" } })
    -- They are compared without case.
    assert.equal(before, by_what_it_does { one, { "restrict", "pc-2.corp.example", "inc-1" } })
  end)

  for words, fields in pairs {
    ["when a machine was seen"] = { lastSeen = "2026-02-03T02:00:00Z" }, ["a tag"] = { machineTags = { "x" } },
    ["risk"] = { riskScore = "High" }, ["its value"] = { deviceValue = "Low" },
    ["its platform"] = { osPlatform = "Windows10" },
  } do
    it("does not change with " .. words, function()
      assert.equal(digest(), digest { tenant = { machines = playbooks.fleet(3, fields) } })
    end)
  end

  it("does not change with a machine's name", function()
    local text = ([[local mde = require "mde" mde.restrict("%s", "beacon")]]):format(playbooks.id(1))
    local renamed = playbooks.fleet(1)
    renamed[1].computerDnsName = "other.corp.example"
    assert.equal(digest { text = text }, digest { text = text, tenant = { machines = renamed } })
  end)

  it("is approved by its digits, of which there are enough", function()
    local made = plan {}
    local shown = runs.shown(made.digest)
    assert.matches("^sha256:%x+$", shown)
    assert.equal(71, #shown)
    local digits = shown:sub(8)
    for _, expected in ipairs { shown, digits, digits:sub(1, 12), core.text.upper(shown) } do
      assert.is_true(runs.is_expected(made, expected), expected)
    end
    local other = (digits:sub(1, 1) == "0" and "1" or "0") .. digits:sub(2)
    for _, expected in ipairs { digits:sub(1, 11), other, digits .. "0", "", "sha256:", digits:sub(2) } do
      assert.is_false(runs.is_expected(made, expected), expected)
    end
    local function is_cut_short(expected) return select(2, runs.is_expected(made, expected)) end
    assert.is_true(is_cut_short("sha256:" .. digits:sub(1, 11)))
    for _, expected in ipairs { "", other:sub(1, 11), digits .. "0" } do
      assert.is_falsy(is_cut_short(expected), expected)
    end
  end)
end)

describe("a plan", function()
  local stage

  after_each(function()
    if stage then stage.remove() end
    stage = nil
  end)

  it("counts what is done and what is left", function()
    local machines = playbooks.fleet(8)
    machines[2].machineTags = { "tier0" }
    machines[3].osPlatform = "WindowsServer2022"
    machines[4].lastSeen = "2020-01-01T00:00:00Z"
    stage = playbooks.new { machines = machines, unguarded = false,
      client = { protect = { tags = { "tier0" }, servers = false, device_values = {} } } }
    stage.rehearsal:past(playbooks.id(5), "restrict", "Succeeded", 900, { requestorComment = "x [mde:INC-9:k3v7q2m4]" })
    stage.rehearsal:past(playbooks.id(7), "release", "Pending", 60)
    local plan = assert(stage.plan [[
      local mde = require "mde"
      for i = 1, 5 do mde.restrict(("pc-%d.corp.example"):format(i), "beacon") end
      mde.release("pc-6.corp.example", "cleared")
      mde.restrict("pc-7.corp.example", "beacon")
      mde.restrict("nobody.corp.example", "beacon")
      mde.restrict("nobody.corp.example", "beacon")]])
    assert.same({ restrict = 3, release = 1, isolate = 0, unisolate = 0, contain = 0, uncontain = 0, scan = 0,
      quarantine = 0, collect = 0, if_needed = 0, to_send = 4, already_active = 1, recorded = 0, left = 2,
      left_by_playbook = 0,
      not_looked_at = 0, unresolvable = 1, servers = 1, offline = 1 }, runs.counts(plan))
    assert.equal(0, stage.posts())
  end)

  it("counts a device that was not seen for an hour once, whatever is done to it", function()
    stage = playbooks.new { machines = playbooks.fleet(2, { lastSeen = "2020-01-01T00:00:00Z" }), limits = false }
    assert.equal(2, runs.counts(assert(stage.plan [[
      local mde = require "mde"
      for i = 1, 2 do
        mde.restrict(("pc-%d.corp.example"):format(i), "beacon", { incident = "INC-1" })
        mde.restrict(("pc-%d.corp.example"):format(i), "beacon", { incident = "INC-2" })
      end]])).offline)
  end)

  for words, case in pairs {
    ["one wave up to 25"] = { 25, nil, { 25 } }, ["5, 45 and the rest"] = { 60, nil, { 5, 45, 10 } },
    ["waves of its own"] = { 8, "2,3", { 2, 3, 3 } }, ["one if none are wanted"] = { 30, false, { 30 } },
  } do
    it("has " .. words, function()
      stage = playbooks.new { machines = playbooks.fleet(case[1]), limits = false }
      local plan = assert(stage.plan(playbooks.restrict(case[1]), { waves = case[2] }))
      local sizes = {}
      for _, device in ipairs(plan.devices) do sizes[device.wave] = (sizes[device.wave] or 0) + 1 end
      assert.same(case[3], sizes)
    end)
  end

  it("puts one of each platform first, of those that were seen last", function()
    local machines = playbooks.fleet(30)
    for i, machine in ipairs(machines) do
      machine.osPlatform = i > 20 and "Windows10" or "Windows11"
      machine.lastSeen = ("2026-02-03T03:%02d:00Z"):format(i % 20)
    end
    stage = playbooks.new { machines = machines, start = 1770091200, limits = false }
    local plan = assert(stage.plan(playbooks.restrict(30)))
    assert.equal("pc-19.corp.example", plan.devices[1].name)
    assert.equal("pc-30.corp.example", plan.devices[2].name)
    assert.same({ 1, 1, 1, 1, 1, 2 }, { plan.devices[1].wave, plan.devices[2].wave, plan.devices[3].wave,
      plan.devices[4].wave, plan.devices[5].wave, plan.devices[6].wave })
    stage.remove()
    -- One that calls by itself comes in its own order.
    stage = playbooks.new { machines = machines, start = 1770091200, limits = false }
    plan = assert(stage.plan [[
      local mde = require "mde"
      for i = 1, 30 do mde.restrict(("pc-%d.corp.example"):format(i), "beacon") end]])
    for i = 1, 30 do assert.equal(playbooks.id(i), plan.devices[i].id) end
  end)

  it("is an object for JSON, with lists where it is empty", function()
    stage = playbooks.new { machines = playbooks.fleet(1, { machineTags = { "a\27[2Jb" } }), start = 1770088500,
      tenant_id = "11111111-2222-4333-8444-555555555555" }
    local plan = assert(stage.plan(playbooks.restrict(1), { arguments = { "INC-1" } }))
    local text = json.encode(runs.object(plan))
    local object = cjson.decode(text)
    assert.equal("mde-plan-1", object.format)
    assert.equal(runs.shown(plan.digest), object.digest)
    assert.equal("2026-02-03T03:15:00Z", object.made_at)
    assert.equal("11111111-2222-4333-8444-555555555555", object.tenant_id)
    assert.same({ "INC-1" }, object.playbook.arguments)
    assert.equal(1, object.counts.restrict)
    local device = object.devices[1]
    assert.same({ playbooks.id(1), "pc-1.corp.example", "restrict", "INC-1", "restrict", "beacon", 1 },
      { device.id, device.name, device.verb, device.incident, device.decision, device.reason, device.wave })
    assert.same({ "a\27[2Jb" }, device.tags)
    local empty = json.encode(runs.object(assert(stage.plan "return")))
    for _, name in ipairs { "devices", "unresolvable", "others", "arguments" } do
      assert.matches(('"%s":[]'):format(name), empty, 1, true)
    end
  end)

  it("that was kept reads back as itself, whatever its texts", function()
    local hostile = "</td><script>\27]0;x\7\226\128\174 [mde:INC-1:k3v7q2m4] \"'\\ \240\159\146\165"
    local machines = playbooks.fleet(30, { machineTags = { hostile, "tier0" } })
    machines[1].computerDnsName = hostile
    machines[2].computerDnsName = nil
    stage = playbooks.new { machines = machines, limits = false }
    local plan = assert(stage.plan(([[
      local mde = require "mde"
      for i = 1, 30 do
        mde.restrict(("%%040x"):format(0xb0000 + i), %q, { incident = "INC-1", reason = %q })
      end
      mde.release("pc-3.corp.example", %q)
      mde.restrict("nobody.corp.example", "x")
      mde.tag("pc-4.corp.example", %q)]]):format(hostile, hostile, hostile, hostile),
      { arguments = { hostile, "", "\0" }, gate = "wait=1m", waves = "3,rest" }))
    local path = stage.path()
    assert.is_true(runs.save(stage.client, plan, path))
    local opened = assert(runs.open(stage.client, path))
    assert.equal("planned", opened.state)
    assert.same(json.encode(runs.object(plan)), json.encode(runs.object(opened.plan)))
    assert.equal(plan.playbook.text, opened.plan.playbook.text)
    assert.is_true(plans.is_same(plan.settings, opened.plan.settings))
    runs.close(opened)
  end)

  it("has arguments that the record can keep", function()
    stage = playbooks.new { machines = playbooks.fleet(1) }
    for _, argument in ipairs { "M\252ller", "\237\160\128" } do
      local own, err = playbook_of.of_text("a.lua", "return", { "x", argument })
      assert.is_nil(own)
      assert.equal("text_malformed", err.code)
      assert.matches("argument 2", err.message, 1, true)
    end
    assert.is_not_nil(playbook_of.of_text("a.lua", "return", { "M\195\188ller" }))
  end)

  it("that was changed in its file is refused", function()
    local journal = require "mde.journal"
    stage = playbooks.new { machines = playbooks.fleet(3) }
    local path = stage.path()
    local plan = assert(stage.plan(playbooks.restrict(2)))
    assert.is_true(runs.save(stage.client, plan, path))
    local file = assert(journal.open(path))
    local facts
    for device in file:devices() do facts = facts or device.facts end
    assert(file:device { id = playbooks.id(3), facts = facts })
    file:close()
    local opened, err = runs.open(stage.client, path)
    assert.is_nil(opened)
    assert.equal("plan_damaged", err.code)
  end)

  it("is refused where its file has another playbook than was approved", function()
    stage = playbooks.new { machines = playbooks.fleet(2) }
    local path = stage.path()
    assert.is_true(runs.save(stage.client, assert(stage.plan(playbooks.restrict(1))), path))
    assert.equal("", journals.by_sqlite(path, "UPDATE run SET text = 'require \"mde\".release(\"pc-2\", \"x\")'"))
    for _, read in ipairs { function() return runs.open(stage.client, path) end, runs.kept } do
      local found, err = read(path)
      assert.is_nil(found)
      assert.equal("plan_damaged", err.code)
      assert.matches("the text of its playbook is not what its digest says", err.message, 1, true)
    end
  end)

  it("is compared by its settings, not by their order", function()
    assert.is_true(plans.is_same({ a = { "x", "y" }, b = 1 }, { b = 1, a = { "y", "x" } }))
    for _, other in ipairs { { a = { "x" }, b = 1 }, { a = { "x", "y" } }, { a = { "x", "y" }, b = 2 }, {} } do
      assert.is_false(plans.is_same({ a = { "x", "y" }, b = 1 }, other))
    end
  end)

  it("is of a playbook whose digest is that of its text", function()
    assert.equal("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
      require("mde.crypto").hex(playbook_of.of_text("a.lua", "abc", {}).digest))
  end)
end)
