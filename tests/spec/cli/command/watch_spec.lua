-- mde watch: a playbook that waits for alerts, until it is interrupted.
local console = require "tests.spec.support.console"
local core = require "mde.core"
local rehearsal = require "tests.spec.support.rehearsal"
local shell = require "tests.spec.support.process.shell"

local LAPTOP = { id = ("a"):rep(40), computerDnsName = "laptop.corp.example", osPlatform = "Windows11" }

local PLAYBOOK = [[
local mde = require "mde"
local rows = TEST_ROWS
mde.watch {
  cursor = ...,
  every = 5,
  source = { read = function()
    local i = 0
    return function()
      i = i + 1
      return rows[i]
    end
  end },
  handler = function(alert, options)
    if alert.fails then return nil, alert.fails end
    if alert.during then alert.during() end
    return mde.restrict(alert.machineId, mde.comment(alert.title), options)
  end,
}
]]

describe("mde watch", function()
  local r, directory, rows

  before_each(function()
    r = rehearsal.new { machines = { LAPTOP } }
    directory = shell.new_directory()
    shell.write_file(directory .. "/on-alert.lua", PLAYBOOK)
    rows = {}
    rawset(_G, "TEST_ROWS", rows)
  end)

  after_each(function()
    rawset(_G, "TEST_ROWS", nil)
    os.execute("rm -r " .. directory)
  end)

  local function add(id, fields)
    local now = core.timestamp.write(r.client:now())
    local row = { id = id, title = "beacon to known C2", lastUpdateDateTime = now, createdDateTime = now,
      machineId = LAPTOP.id }
    for name, value in pairs(fields or {}) do row[name] = value end
    rows[#rows + 1] = row
    return row
  end

  local function run(words, options)
    options = options or {}
    options.client = r.client
    local all = { "watch" }
    for _, word in ipairs(words or {}) do all[#all + 1] = word end
    all[#all + 1] = options.playbook or directory .. "/on-alert.lua"
    all[#all + 1] = directory .. "/cursor"
    return console.run(all, options)
  end

  it("hands over what has come since the last time, with --once", function()
    add "alert-0001"
    local told = run { "--once", "--since", "1h" }
    assert.equal(0, told.status, told.err)
    assert.matches("alert%-0001 %(beacon to known C2%): handed over", told.err)
    assert.matches("1 handed over", told.err)
    assert.same({ "restrictCodeExecution" }, r:posts())
    told = run { "--once" }
    assert.equal(0, told.status, told.err)
    assert.not_matches("alert%-0001", told.err)
    assert.matches("going on from the cursor", told.err)
    assert.same({ "restrictCodeExecution" }, r:posts())
  end)

  it("ends after the handler that runs at the first Ctrl-C", function()
    local interruptions, was_finished = 0, false
    add("alert-0001", { during = function()
      interruptions = 1
      r.tenant.clock.advance(1)
      was_finished = true
    end })
    add "alert-0002"
    local told = run({ "--since", "1h" }, { interruptions = function() return interruptions end })
    assert.equal(0, told.status, told.err)
    assert.is_true(was_finished)
    assert.matches("alert%-0001 %(beacon to known C2%): handed over", told.err)
    assert.not_matches("alert%-0002", told.err)
  end)

  it("says what failed, and that by its status with --once", function()
    add("alert-0001", { fails = "no such \27[31mthing", title = "\27[2Jtitle" })
    local told = run { "--once", "--since", "1h" }
    assert.equal(4, told.status)
    assert.matches("alert%-0001 %(\\x1b%[2Jtitle%): try 1 failed: no such \\x1b%[31mthing", told.err)
    assert.not_matches("\27", told.err)
    assert.matches("1 to be tried again", told.err)
  end)

  it("names in the end what is set aside, also what a start before has set aside", function()
    add("alert-0001", { fails = "no such thing" })
    for try = 1, 4 do
      local told = run { "--once", "--since", "1h" }
      local has = told.err:find("Set aside: alert-0001. To have one handed over again: mde watch --again ID", 1, true)
      assert.equal(try >= 3, has ~= nil, told.err)
      r.tenant:advance(3600)
    end
  end)

  it("names rows that it cannot know", function()
    add(nil)
    local told = run { "--once", "--since", "1h" }
    assert.equal(4, told.status)
    assert.matches("is not handed over: it has no id", told.err)
  end)

  it("names what is too old to be new", function()
    add "alert-0001"
    r.tenant:advance(60)
    local told = run { "--once" }
    assert.equal(0, told.status, told.err)
    assert.matches("alert%-0001 %(beacon to known C2%): not handed over: it is too old", told.err)
  end)

  it("says that an alert to be handed over again is not set aside", function()
    local told = run { "--once", "--again", "alert-\27[31m" }
    assert.equal(4, told.status)
    assert.matches("alert%-\\x1b%[31m is not set aside", told.err)
  end)

  it("shows how it stands on a terminal", function()
    local looks = 0
    add "alert-0001"
    local told = run({ "--since", "1h" }, { movable = true, answers = {}, interruptions = function()
      looks = looks + 1
      return looks > 40 and 1 or 0
    end })
    assert.equal(0, told.status, told.err)
    assert.matches("Watching: behind by %d+ s, 1 handed over", told.err)
  end)

  it("says nothing but errors with --quiet", function()
    add "alert-0001"
    local told = run { "--once", "--quiet", "--since", "1h" }
    assert.same({ 0, "" }, { told.status, told.err })
  end)

  it("says why it cannot go on", function()
    shell.write_file(directory .. "/cursor", "something else")
    local told = run { "--once" }
    assert.equal(1, told.status)
    assert.matches("cannot be used: it is no cursor of mde watch", told.err)
    shell.write_file(directory .. "/empty.lua", "")
    told = run({}, { playbook = directory .. "/empty.lua" })
    assert.equal(1, told.status)
    assert.matches("does not call mde%.watch", told.err)
    told = run({}, { playbook = directory .. "/missing.lua" })
    assert.equal(1, told.status)
    shell.write_file(directory .. "/wrong.lua", "require('mde').watch { handler = 17 }")
    told = run({}, { playbook = directory .. "/wrong.lua" })
    assert.equal(1, told.status)
    assert.matches("wrong%.lua:1", told.err)
  end)
end)
