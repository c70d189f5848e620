-- mde run: the question, the end, and the exit status.
-- Labels: not-lua5.3
local console = require "tests.spec.support.console"
local playbooks = require "tests.spec.support.playbooks"
local shell = require "tests.spec.support.process.shell"

describe("mde run", function()
  local stage

  local function set_up(options)
    stage = playbooks.new(options or { machines = playbooks.fleet(30) })
  end

  after_each(function() stage.remove() end)

  local function run(text, words, options)
    local path = stage.path "contain.lua"
    shell.write_file(path, text)
    local all = { "run", path, "--journal", stage.path() }
    for _, word in ipairs(words or {}) do all[#all + 1] = word end
    options = options or {}
    options.client = stage.client
    return console.run(all, options)
  end

  it("asks, and does nothing without a yes", function()
    set_up()
    local told = run(playbooks.restrict(2), {}, { answers = { "n" } })
    assert.equal(2, told.status, told.err)
    assert.matches("Restrict these 2%?", told.err)
    assert.matches("Nothing was done", told.err)
    assert.equal(0, stage.posts())
    told = run(playbooks.restrict(2), {}, { answers = { "y" } })
    assert.equal(0, told.status, told.err)
    assert.equal(2, stage.posts())
    assert.matches("is complete: 2 accepted", told.err)
  end)

  it("has more than 25 confirmed by their number", function()
    set_up()
    local told = run(playbooks.restrict(30), { "--no-waves" }, { answers = { "yes", "30" } })
    assert.equal(0, told.status, told.err)
    assert.equal(30, stage.posts())
  end)

  it("needs --yes where nobody can be asked", function()
    set_up()
    local told = run(playbooks.restrict(1))
    assert.equal(1, told.status)
    assert.matches("%-%-yes", told.err)
    assert.equal(0, run(playbooks.restrict(1), { "--yes" }).status)
  end)

  it("carries out nothing but the plan that is expected", function()
    set_up()
    local told = run(playbooks.restrict(1), { "--yes", "--expect", "sha256:" .. ("0"):rep(64) })
    assert.equal(2, told.status)
    assert.matches("not the one that %-%-expect names", told.err)
    local digest = told.err:match "this plan is (sha256:%x+)"
    -- A plan of another second has the same digest.
    told = run(playbooks.restrict(1), { "--yes", "--expect", digest:sub(1, 12) })
    assert.equal(2, told.status)
    assert.matches("is cut short: 12 digits or more", told.err, 1, true)
    assert.matches("--expect " .. digest, told.err:gsub("%s+", " "), 1, true)
    assert.equal(0, stage.posts())
  end)

  it("says that nothing is to be sent, and whether something was left", function()
    set_up()
    assert.equal(0, run("return", { "--yes" }).status)
    assert.equal(2, run("require('mde').restrict('nobody.corp.example', 'x')", { "--yes" }).status)
  end)

  it("is paused by a gate that stays closed, and names the command that goes on", function()
    local machines = playbooks.fleet(30)
    for i = 1, 30 do machines[i].offline = true end
    set_up { machines = machines }
    local told = run(playbooks.restrict(30), { "--yes" })
    assert.equal(4, told.status, told.err)
    assert.equal(5, stage.posts())
    assert.matches("gate after wave 1 stays closed: 0 succeeded, and 3 are needed", told.err)
    assert.matches("is paused: 5 accepted, 25 not begun", told.err)
    assert.matches("mde resume ", told.err)
  end)

  it("goes on through a gate that a person opens", function()
    local machines = playbooks.fleet(30)
    for i = 1, 30 do machines[i].offline = true end
    set_up { machines = machines }
    local told = run(playbooks.restrict(30), {}, { answers = { "30", "y" } })
    assert.equal(0, told.status, told.err)
    assert.equal(30, stage.posts())
    assert.matches("Wave 1: 5 sent, 0 succeeded, 0 failed, 0 cancelled, 5 pending, 0 unknown", told.err)
  end)

  it("shows its progress where the playbook asks for more than the plan shows", function()
    local machines = playbooks.fleet(30)
    machines[31] = { computerDnsName = "dc-1.corp.example", osPlatform = "WindowsServer2022" }
    set_up { machines = machines, unguarded = false, client = { cap = false, protect = { device_values = {} } } }
    local told = run(playbooks.restrict(30, [[
      mde.restrict("dc-1.corp.example", "beacon")
      mde.restrict("dc-1.corp.example", "beacon")]]), {}, { answers = { "30" }, movable = true })
    assert.equal(2, told.status, told.err)
    assert.matches("is complete: 30 accepted, 2 left by the rule plan", told.err)
    assert.matches("dc%-1%.corp%.example.*since when it was made: .*is protected", told.err)
  end)

  it("takes the cap of a plan that was kept, and of a run that goes on", function()
    set_up()
    local runs = require "mde.run"
    local playbook, file = stage.path "contain.lua", stage.path "kept.plan"
    shell.write_file(playbook, playbooks.restrict(2))
    local other = playbooks.new { machines = playbooks.fleet(2), client = { cap = 300 } }
    assert.equal(0, console.run({ "plan", playbook, "-o", file }, { client = other.client }).status)
    other.remove()
    assert.equal(300, runs.cap_of(file))
    assert.equal(300, console.run({ "run", file, "--yes" }, { client = stage.client }).client_options.cap)
    for _, words in ipairs { { "run", file, "--yes", "--cap", "7" }, { "resume", file, "--yes", "--cap", "7" } } do
      assert.same({ restrict = 7, isolate = 300, contain = 300, quarantine = 300 },
        console.run(words, { client = stage.client }).client_options.cap)
    end
    assert.equal(300, console.run({ "resume", file, "--yes" }, { client = stage.client }).client_options.cap)
  end)

  it("carries out a plan that was kept once, in one copy of its file, and does not show it again", function()
    set_up()
    local playbook, file, copy = stage.path "contain.lua", stage.path "kept.plan", stage.path "copy.plan"
    shell.write_file(playbook, playbooks.restrict(2))
    assert.equal(0, console.run({ "plan", playbook, "-o", file }, { client = stage.client }).status)
    shell.output_of(("cp %s %s"):format(file, copy))
    assert.equal(0, console.run({ "run", file, "--yes" }, { client = stage.client }).status)
    local told = console.run({ "run", copy, "--yes" }, { client = stage.client, columns = 200 })
    assert.equal(1, told.status)
    assert.matches('copy.plan" was carried out already, in the file "' .. file, told.err, 1, true)
    -- One over the other says nothing of it, either.
    shell.output_of(("cp %s %s"):format(copy, file))
    assert.equal(1, console.run({ "run", file, "--yes" }, { client = stage.client }).status)
    assert.equal(2, stage.posts())
    shell.write_file(playbook, playbooks.restrict(3))
    file = stage.path "second.plan"
    assert.equal(0, console.run({ "plan", playbook, "-o", file }, { client = stage.client }).status)
    for _, status in ipairs { 0, 1 } do
      told = console.run({ "run", file, "--yes" }, { client = stage.client, columns = 200 })
      assert.equal(status, told.status, told.err)
    end
    assert.matches("was carried out already", told.err, 1, true)
    assert.is_nil(told.err:find("Plan sha256:", 1, true))
  end)

  it("ends with 4 where an action failed", function()
    set_up { machines = playbooks.fleet(2, { failing = true }) }
    local told = run(playbooks.restrict(2, "for _, result in ipairs(results) do result.value:wait() end"), { "--yes" })
    assert.equal(4, told.status, told.err)
    assert.matches("is complete: 2 failed", told.err)
  end)

  it("carries out a plan that was kept, once", function()
    set_up()
    local playbook, file = stage.path "contain.lua", stage.path "kept.plan"
    shell.write_file(playbook, playbooks.restrict(2))
    assert.equal(0, console.run({ "plan", playbook, "-o", file }, { client = stage.client }).status)
    local told = console.run({ "run", file, "--yes", "--waves", "1,rest" }, { client = stage.client })
    assert.equal(1, told.status)
    assert.matches("%-%-waves is fixed by the plan", told.err)
    told = console.run({ "run", file, "--yes" }, { client = stage.client })
    assert.equal(0, told.status, told.err)
    told = console.run({ "run", file, "--yes" }, { client = stage.client })
    assert.equal(1, told.status)
    assert.matches("carried out already", told.err)
    assert.equal(2, stage.posts())
  end)

  it("begins nothing after --until", function()
    set_up()
    local told = run(playbooks.restrict(1), { "--yes", "--until", "yesterday" })
    assert.equal(1, told.status)
    assert.matches("%-%-until", told.err)
    assert.equal(0, run(playbooks.restrict(1), { "--yes", "--until", "2h" }).status)
  end)
end)
