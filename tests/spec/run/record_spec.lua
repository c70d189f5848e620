-- The record of a run: one session at a time, and what it is compared with.
local playbooks = require "tests.spec.support.playbooks"
local posix = require "mde.posix"
local records = require "mde.run.record"
local runs = require "mde.run"
local script = require "tests.spec.support.process.script"
local shell = require "tests.spec.support.process.shell"
local watched_journal = require "tests.spec.support.watched_journal"

describe("the record of a run", function()
  local stage

  before_each(function() stage = playbooks.new { machines = playbooks.fleet(3), limits = false } end)

  after_each(function()
    watched_journal.leave()
    stage.remove()
  end)

  local function begun()
    rawset(_G, "go_on_in_spec", true)
    local plan = assert(stage.plan(playbooks.restrict(3, "if not go_on_in_spec then error 'later' end")))
    rawset(_G, "go_on_in_spec", nil)
    local _, _, path = stage.start(plan)
    return path, plan
  end

  it("belongs to one session at a time", function()
    local path = begun()
    local opened = assert(runs.open(stage.client, path))
    local second, err = runs.open(stage.client, path)
    assert.is_nil(second)
    assert.equal("run_in_use", err.code)
    assert.matches("mde stop", err.hint, 1, true)
    runs.close(opened)
    runs.close(assert(runs.open(stage.client, path)))
  end)

  it("belongs to one process at a time, whatever another client is", function()
    local path = begun()
    local opened = assert(runs.open(stage.client, path))
    local output = script.run([[
      local record, err = require("mde.run.record").open(arg[1])
      io.write(record and "opened" or err.code)]], { arguments = { path } })
    assert.equal("run_in_use", output)
    runs.close(opened)
  end)

  it("is not taken, not for an instant, by who asks whether a session works on it", function()
    local path, open = begun(), posix.locked_file.open
    finally(function() posix.locked_file.open = open end)
    assert.is_false(records.is_in_use(path))
    local opened = assert(runs.open(stage.client, path))
    assert.is_true(records.is_in_use(path))
    runs.close(opened)
    posix.locked_file.open = function() error "the lock of the run is touched" end
    assert.is_false(records.is_in_use(path))
    assert.is_false(records.is_in_use(stage.path "nothing.db"))
  end)

  for _, method in ipairs { "device", "reserve", "begin_session" } do
    it(("stands in nobody's way where a run could not begin: %s failed"):format(method), function()
      local plan, path, kept = assert(stage.plan(playbooks.restrict(3))), stage.path(), stage.path()
      assert(runs.save(stage.client, plan, kept))
      watched_journal.watch(function(name) return name == method and "the disk is full" or nil end)
      local report, err = runs.start(stage.client, plan, { record = path })
      assert.is_nil(report)
      assert.equal("record_unusable", err.code)
      assert.is_nil(shell.read_file(path))
      assert.is_nil(shell.read_file(path .. "-journal"))
      -- A plan that somebody has kept is not taken, and stays.
      if method ~= "device" then
        assert.is_nil(runs.start_opened(stage.client, assert(runs.open(stage.client, kept))))
      end
      watched_journal.leave()
      assert.equal("complete", runs.start_opened(stage.client, assert(runs.open(stage.client, kept))).state)
    end)
  end

  it("is not there, is no record, or is there already: each is said", function()
    local record, err = records.open(stage.path "none.db")
    assert.is_nil(record)
    assert.equal("run_missing", err.code)
    local path = stage.path "text.db"
    shell.write_file(path, "no database")
    record, err = records.open(path)
    assert.is_nil(record)
    assert.equal("record_unusable", err.code)
    -- The lock is free again.
    assert.equal("record_unusable", select(2, records.open(path)).code)
    local plan = assert(stage.plan(playbooks.restrict(1)))
    local saved
    saved, err = runs.save(stage.client, plan, path)
    assert.is_nil(saved)
    assert.equal("record_unusable", err.code)
    assert.matches("Name another file", err.hint, 1, true)
    assert.equal("no database", shell.read_file(path))
    saved, err = runs.save(stage.client, plan, stage.directory .. "/none/x.db")
    assert.is_nil(saved)
    assert.equal("record_unusable", err.code)
  end)

  it("is one file after a clean end, which its owner alone may read", function()
    local path = stage.path()
    assert(runs.start(stage.client, assert(stage.plan(playbooks.restrict(2))), { record = path }))
    assert.is_nil(shell.read_file(path .. "-journal"))
    assert.matches("^%-rw%-%-%-%-%-%-%-", shell.output_of("ls -l " .. path))
  end)

  it("has no secret in it", function()
    local text = assert(shell.read_file((begun())))
    assert.is_nil(text:find(stage.tenant.client_secret, 1, true))
    assert.is_nil(text:find("eyJ", 1, true))
  end)

  it("tells of each session who ran it", function()
    local path = begun()
    stage.resume(path)
    local sessions = {}
    for session in assert(require("mde.journal").open(path)):sessions() do sessions[#sessions + 1] = session end
    assert.equal(2, #sessions)
    for _, session in ipairs(sessions) do
      assert.is_true(session.pid > 0 and session.ended >= session.began and #session.host > 0)
    end
    collectgarbage()
  end)

  it("is taken back from its wish to stop by a new session", function()
    local path = begun()
    assert(runs.stop(path))
    rawset(_G, "go_on_in_spec", true)
    assert.equal("complete", stage.resume(path).state)
    rawset(_G, "go_on_in_spec", nil)
  end)

  it("is of other settings than a client that guards otherwise", function()
    local path = stage.path()
    local plan = assert(stage.plan(playbooks.restrict(1)))
    assert(runs.save(stage.client, plan, path))
    for _, change in ipairs { { cap = 7 }, { protect = { tags = { "vip" } } } } do
      local other = playbooks.new { machines = playbooks.fleet(1), client = change }
      local report, err = runs.start_opened(other.client, assert(runs.open(other.client, path)))
      assert.is_nil(report)
      assert.equal("plan_of_other_settings", err.code)
      other.remove()
    end
    assert.equal("complete", runs.start_opened(stage.client, assert(runs.open(stage.client, path))).state)
  end)

  it("is resumed within a day, and only if it was begun", function()
    local path = begun()
    stage.tenant:advance(86400 + 60)
    local report, err = stage.resume(path)
    assert.is_nil(report)
    assert.equal("plan_old", err.code)
    assert.is_not_nil(stage.resume(path, { stale = true }))
    local kept = stage.path()
    assert(runs.save(stage.client, assert(stage.plan(playbooks.restrict(1))), kept))
    report, err = stage.resume(kept)
    assert.is_nil(report)
    assert.equal("run_not_begun", err.code)
  end)

  it("is compared with the modules and the file of its playbook", function()
    local before = package.path
    package.path = stage.directory .. "/?.lua;" .. before
    finally(function() package.path = before end)
    shell.write_file(stage.directory .. "/changing_module.lua", "return 1")
    local file = stage.path "contain.lua"
    local text = 'require "changing_module" ' .. playbooks.restrict(1, "if not go_on_in_spec then error 'later' end")
    shell.write_file(file, text)
    rawset(_G, "go_on_in_spec", true)
    local plan = assert(runs.plan(stage.client, { playbook = file }))
    rawset(_G, "go_on_in_spec", nil)
    local _, _, path = stage.start(plan)
    assert.is_false(select(2, stage.resume(path)).is_changed)
    shell.write_file(stage.directory .. "/changing_module.lua", "return 2")
    local posts = stage.posts()
    local report, err = stage.resume(path)
    assert.is_nil(report)
    assert.equal("module_changed", err.code)
    assert.matches("changing_module", err.message, 1, true)
    local found
    report, found = stage.resume(path, { modules_changed = true })
    assert.equal("broken", report.state)
    assert.is_false(found.is_changed)
    -- The text in the record runs, not the file.
    shell.write_file(file, "error 'the file ran'")
    report, found = stage.resume(path, { modules_changed = true })
    assert.is_true(found.is_changed)
    assert.matches("later", report.why, 1, true)
    assert.equal(posts, stage.posts())
  end)
end)
