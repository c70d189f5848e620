-- mde runs: a table for a person, objects for a program.
-- Labels: not-lua5.3
local cjson = require "cjson"
local console = require "tests.spec.support.console"
local environment = require "tests.spec.support.environment"
local playbooks = require "tests.spec.support.playbooks"
local recorded = require "tests.spec.support.recorded"
local runs = require "mde.run"
local shell = require "tests.spec.support.process.shell"

describe("mde runs", function()
  local stage

  before_each(function()
    stage = playbooks.new { machines = playbooks.fleet(2), limits = false, start = 1770088500 }
  end)
  after_each(function()
    environment.restore()
    stage.remove()
  end)

  local function prepare()
    local path = stage.directory .. "/stopped.db"
    assert(runs.start(stage.client, assert(stage.plan(playbooks.restrict(2))), { record = path, until_time = 1 }))
    shell.write_file(stage.directory .. "/bad.db", "x\27[2J")
    return path
  end

  it("shows each run on a line, with what to type next, and what cannot be read", function()
    local path = prepare()
    local told = console.run({ "runs", stage.directory }, { columns = 200 })
    assert.equal(0, told.status, told.err)
    local lines = {}
    for line in told.out:gmatch "[^\n]+" do lines[#lines + 1] = line end
    assert.equal(3, #lines)
    assert.matches("^RUN +STATE +DEVICES +NEXT +MADE %(UTC%) +VERB +PLAYBOOK$", lines[1])
    assert.matches("stopped +2 +mde resume " .. path:gsub("%p", "%%%0")
      .. " +2026%-02%-03 03:15 +run +playbook.lua$", lines[2])
    assert.matches("bad.db +unreadable", lines[3])
    assert.matches("bad.db\" cannot be read", told.err, 1, true)
    assert.is_nil((told.out .. told.err):find "\27")
  end)

  it("shows run, state and what to type at 80 columns", function()
    local path = prepare()
    os.rename(path, stage.directory .. "/20260203T031500Z-7f3a.db")
    os.execute(("mkdir -p %s/mde/runs; mv %s/2026* %s/mde/runs"):format(stage.directory, stage.directory,
      stage.directory))
    environment.set { XDG_STATE_HOME = stage.directory }
    local told = console.run({ "runs" }, { columns = 80 })
    assert.equal("RUN                    STATE    DEVICES  NEXT                              VERB\n"
      .. "20260203T031500Z-7f3a  stopped  2        mde resume 20260203T031500Z-7f3a  run\n", told.out)
  end)

  it("shows no time where a record says one that cannot be", function()
    recorded.write(stage.directory .. "/a.db", { devices = recorded.bad_night, run = { made = 1e300 } })
    local told = console.run({ "runs", stage.directory }, { columns = 200 })
    assert.equal(0, told.status, told.err)
    assert.matches("a.db +complete +%d+ +%- +run", told.out)
    told = console.run({ "runs", "--json", stage.directory }, {})
    assert.is_nil(cjson.decode(told.out).made)
  end)

  it("writes an object a line with --json", function()
    local path = prepare()
    local told = console.run({ "runs", "--json", stage.directory }, {})
    assert.equal(0, told.status, told.err)
    local first, second = told.out:match "^([^\n]+)\n([^\n]+)\n$"
    first, second = cjson.decode(first), cjson.decode(second)
    assert.equal("2026-02-03T03:15:00Z", first.made)
    assert.same({ "stopped", 2, path, "mde resume " .. path, "run", "playbook.lua" },
      { first.state, first.devices, first.path, first.next, first.verb, first.playbook })
    assert.equal("unreadable", second.state)
    assert.is_nil(second.next)
  end)

  it("lists a run of a kept plan that lies elsewhere, and each command finds it by its id", function()
    environment.set { XDG_STATE_HOME = stage.directory }
    local playbook, plan = stage.path "contain.lua", stage.directory .. "/tonight.plan"
    shell.write_file(playbook, playbooks.restrict(2))
    local function mde(...) return console.run({ ... }, { client = stage.client, columns = 200 }) end
    assert.equal(0, mde("plan", "-q", "-o", plan, playbook).status)
    assert.equal("", mde("runs").out)
    local told = mde("run", "--yes", "--until", "2030-01-01T00:00:00Z", plan)
    local id = told.err:match "Run (%d+T%d+Z%-%x+)%. From another terminal"
    assert.equal(0, told.status, told.err)
    assert.matches("Run " .. id .. " is complete", told.err, 1, true)
    local line = id:gsub("%-", "%%-")
    assert.matches(line .. " +complete +2", mde("runs").out)
    assert.matches("there is nothing to go on with", mde("resume", "--yes", id).err, 1, true)
    assert.matches("there is nothing to stop", mde("stop", id).err, 1, true)
    assert.matches("Run " .. id .. ", playbook", mde("report", id).err, 1, true)
    assert.matches("To go on with that run: mde resume " .. id, mde("run", "--yes", plan).err, 1, true)
    os.remove(plan)
    assert.matches(line .. " +unreadable", mde("runs").out)
    for _, command in ipairs { { "resume", "--yes", id }, { "stop", id }, { "report", id } } do
      told = mde((table.unpack or unpack)(command)) -- luacheck: ignore 143 113
      assert.equal(1, told.status, command[1])
      assert.matches("which is not there any more", told.err, 1, true)
    end
  end)

  it("says where there are none, and fails for a directory that is not there", function()
    local told = console.run({ "runs", stage.directory }, {})
    assert.equal(0, told.status)
    assert.matches("There are no runs.", told.err, 1, true)
    told = console.run({ "runs", stage.directory .. "/none" }, {})
    assert.equal(1, told.status)
  end)
end)
