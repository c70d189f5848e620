-- The runs in a directory: the newest first, each with its state and what to type next, also beside a damaged file.
local directories = require "mde.run.directory"
local environment = require "tests.spec.support.environment"
local journal = require "mde.journal"
local playbooks = require "tests.spec.support.playbooks"
local recorded = require "tests.spec.support.recorded"
local records = require "mde.run.record"
local runs = require "mde.run"
local shell = require "tests.spec.support.process.shell"

describe("the runs in a directory", function()
  local stage, place

  before_each(function()
    stage = playbooks.new { machines = playbooks.fleet(3), limits = false }
    place = stage.directory .. "/runs"
    os.execute("mkdir " .. place)
  end)
  after_each(function()
    environment.restore()
    stage.remove()
  end)

  local function run(name, more)
    local plan = assert(stage.plan(playbooks.restrict(2, more and more.text)))
    local path = ("%s/%s.db"):format(place, name)
    local report = assert(runs.start(stage.client, plan, { record = path, until_time = more and more.until_time,
      on_event = more and more.on_event }))
    stage.tenant:advance(60)
    return path, report
  end

  local function list(of)
    local found = {}
    for i, one in ipairs(assert(directories.list(of or place))) do
      found[i] = { one.path:match "[^/]+$", one.state, one.devices, one.next }
    end
    return found
  end

  it("are listed by their states, the newest first", function()
    local complete = run "a"
    local stopped = run("c", { until_time = 1 })
    local plan = place .. "/b.plan"
    assert(runs.save(stage.client, assert(stage.plan(playbooks.restrict(3))), plan))
    assert.same({ { "b.plan", "planned", 3, "mde run " .. plan }, { "c.db", "stopped", 2, "mde resume " .. stopped },
      { "a.db", "complete", 2 } }, list())
    local first = directories.list(place)[3]
    assert.same({ complete, "run", "playbook.lua" }, { first.run, first.verb, first.playbook })
    assert.is_true(first.made > 1e9)
    assert.matches("the time was up", directories.list(place)[2].why, 1, true)
  end)

  it("are named as a shell takes them for one word", function()
    local here = stage.directory .. "/it's $(mine)"
    os.execute("mkdir " .. shell.quote(here))
    recorded.write(here .. "/a;b.db", { devices = recorded.bad_night, state = "paused" })
    local one = assert(directories.list(here))[1]
    assert.equal(here .. "/a;b.db|", shell.output_of("printf '%s|' " .. one.next:match "^mde resume (.*)$"))
  end)

  it("are at work, or were killed", function()
    local seen
    local path = run("a", { on_event = function(event)
      if event.event == "sending" then seen = list() end
    end })
    assert.same({ { "a.db", "running", 2, "mde stop " .. path } }, seen)
    path = place .. "/b.db"
    local plan = assert(stage.plan(playbooks.restrict(2)))
    stage.mortal(function(what) return what == "answer" end)
    pcall(runs.start, stage.client, plan, { record = path })
    stage.another()
    assert.same({ "b.db", "killed", 2, "mde resume " .. path }, list()[1])
  end)

  it("are running where it cannot be told whether they are at work, which is said", function()
    recorded.write(place .. "/a.db", { devices = recorded.bad_night, state = "running", open = true })
    shell.write_file(place .. "/a.lock", "")
    os.execute(("chmod 666 %s/a.lock"):format(place))
    local one = assert(directories.list(place))[1]
    assert.equal("running", one.state)
    assert.is_nil(one.next)
    assert.matches("cannot be told whether a session is at work", one.why, 1, true)
    assert.matches("everybody on this machine may write it", one.why, 1, true)
  end)

  it("are not killed where they end while they are read", function()
    local path = place .. "/a.db"
    recorded.write(path, { devices = recorded.bad_night, state = "running", open = true })
    local is_in_use = records.is_in_use
    finally(function() records.is_in_use = is_in_use end)
    records.is_in_use = function(of)
      local file = assert(journal.open(of))
      assert(file:set_state "complete")
      file:close()
      return is_in_use(of)
    end
    assert.same({ { "a.db", "complete", #recorded.bad_night } }, list())
  end)

  it("are told though one says a time that is no time, and where something waits to be written", function()
    recorded.write(place .. "/a.db", { devices = recorded.bad_night, run = { made = 1e300 } })
    os.execute(("mkfifo %s/fifo %s/fifo.db"):format(place, place))
    local states = {}
    for _, one in ipairs(assert(directories.list(place))) do
      states[one.path:match "[^/]+$"] = one.state
      assert.is_nil(one.made)
    end
    assert.same({ ["a.db"] = "complete", ["fifo.db"] = "unreadable" }, states)
  end)

  it("are all told though one of the files is damaged, cut short, or none", function()
    run "a"
    local text = shell.read_file(run "b")
    shell.write_file(place .. "/c.db", text:sub(1, 5000))
    shell.write_file(place .. "/d.db", "no database")
    shell.write_file(place .. "/e.db", text:sub(1, 3000) .. ("x"):rep(3000) .. text:sub(6001))
    os.execute(("mkdir %s/f.db; ln -s nowhere %s/g.db"):format(place, place))
    shell.write_file(place .. "/notes.txt", "nothing of ours")
    local found, states = list(), {}
    for _, one in ipairs(found) do states[one[1]] = one[2] end
    assert.same({ ["a.db"] = "complete", ["b.db"] = "complete", ["c.db"] = "unreadable", ["d.db"] = "unreadable",
      ["e.db"] = "unreadable", ["f.db"] = "unreadable", ["g.db"] = "unreadable" }, states)
    assert.same({ "b.db", "a.db" }, { found[1][1], found[2][1] })
    for i = 3, 7 do
      assert.is_nil(found[i][4])
      assert.equal("string", type(directories.list(place)[i].why))
    end
  end)

  it("are among them with a record that lies elsewhere, and told where it was moved", function()
    environment.set { XDG_STATE_HOME = stage.directory }
    local path = stage.directory .. "/tonight.plan"
    assert(runs.save(stage.client, assert(stage.plan(playbooks.restrict(2))), path))
    local opened = assert(runs.open(stage.client, path))
    local report = assert(runs.start_opened(stage.client, opened, { until_time = 1, is_listed = true }))
    assert.matches("^%d+T%d+Z%-%x+$", report.run)
    local one = assert(directories.list())[1]
    assert.same({ report.run, "stopped", "mde resume " .. report.run, 2 },
      { one.run, one.state, one.next, one.devices })
    assert.matches("/tonight%.plan$", one.path)
    -- Not in what somebody names, where it is a file like any other.
    assert.same({}, directories.list(stage.directory .. "/mde/runs/../runs"))
    os.rename(path, path .. ".old")
    one = assert(directories.list())[1]
    assert.same({ report.run, "unreadable" }, { one.run, one.state })
    assert.matches("tonight.plan\", which is not there any more", one.why, 1, true)
    assert.is_nil(one.next)
  end)

  it("are not taken for another one whose record has come to lie in the same place", function()
    environment.set { XDG_STATE_HOME = stage.directory }
    local path, reports = stage.directory .. "/tonight.plan", {}
    for i = 1, 2 do
      assert(runs.save(stage.client, assert(stage.plan(playbooks.restrict(i))), path))
      reports[i] = assert(runs.start_opened(stage.client, assert(runs.open(stage.client, path)), { is_listed = true }))
      if i == 1 then os.remove(path) end
    end
    local sent = stage.posts()
    for _, ask in ipairs { runs.record_of, runs.account, runs.kept,
      function(id) return runs.plan_undo(stage.client, id, "wrong") end,
      function(id) return runs.open(stage.client, id) end } do
      local found, err = ask(reports[1].run)
      assert.is_nil(found)
      assert.equal("run_moved", err.code)
      assert.matches(("where the record of the run %q lies now"):format(reports[2].run), err.message, 1, true)
    end
    assert.equal(sent, stage.posts())
    assert.matches("/tonight%.plan$", (runs.record_of(reports[2].run)))
    local states = {}
    for _, one in ipairs(assert(directories.list())) do states[one.run] = one.state end
    assert.same({ [reports[1].run] = "unreadable", [reports[2].run] = "complete" }, states)
  end)

  it("are not begun a second time from a copy of their plan, nor continued from one", function()
    environment.set { XDG_STATE_HOME = stage.directory }
    local path, copy = stage.directory .. "/tonight.plan", stage.directory .. "/copy.plan"
    assert(runs.save(stage.client, assert(stage.plan(playbooks.restrict(2))), path))
    assert.is_true(os.execute(("cp '%s' '%s'"):format(path, copy)) ~= nil)
    local report = assert(runs.start_opened(stage.client, assert(runs.open(stage.client, path)),
      { until_time = 1, is_listed = true }))
    local other, err = runs.start_opened(stage.client, assert(runs.open(stage.client, copy)), { is_listed = true })
    assert.is_nil(other)
    assert.equal("plan_taken", err.code)
    assert.matches("mde resume " .. report.run, err.hint, 1, true)
    os.execute(("cp '%s' '%s'"):format(path, copy))
    local opened = assert(runs.open(stage.client, copy))
    assert(runs.replan(stage.client, opened))
    other, err = runs.resume(stage.client, opened, { is_listed = true })
    assert.is_nil(other)
    assert.equal("run_copied", err.code)
    assert.equal(0, stage.posts())
    -- One that was moved is no copy.
    os.rename(path, path .. ".old")
    opened = assert(runs.open(stage.client, path .. ".old"))
    assert(runs.replan(stage.client, opened))
    assert.equal("complete", assert(runs.resume(stage.client, opened, { is_listed = true })).state)
    assert.equal(2, stage.posts())
  end)

  it("are none where there is no directory yet, and an error where a named one is missing", function()
    local found, err = directories.list(place .. "/none")
    assert.is_nil(found)
    assert.equal("runs_unreadable", err.code)
    environment.set { XDG_STATE_HOME = place }
    assert.same({}, directories.list())
  end)
end)
