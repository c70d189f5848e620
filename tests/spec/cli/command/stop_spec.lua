-- mde stop: the file by which a run is told, and what is no run.
-- Labels: not-lua5.3
local console = require "tests.spec.support.console"
local dict_of = require "tests.spec.support.dict"
local environment = require "tests.spec.support.environment"
local errors = require "mde.base.error"
local playbooks = require "tests.spec.support.playbooks"
local runs = require "mde.run"

describe("mde stop", function()
  local stage

  before_each(function() stage = playbooks.new { machines = playbooks.fleet(3) } end)
  after_each(function() stage.remove() end)

  it("lets a run begin nothing new, until it is resumed", function()
    local plan, path = assert(stage.plan(playbooks.restrict(3))), stage.path()
    local report = assert(runs.start(stage.client, plan, { record = path, on_session = function()
      local told = console.run({ "stop", path }, {})
      assert.equal(0, told.status, told.err)
      assert.matches("mde resume", told.err)
    end }))
    assert.equal("stopped", report.state)
    assert.equal(0, stage.posts())
    assert.equal("complete", stage.resume(path).state)
    assert.equal(3, stage.posts())
  end)

  it("stops a run by its id, wherever its record lies", function()
    finally(environment.restore)
    environment.set { XDG_STATE_HOME = stage.directory }
    local plan, path = assert(stage.plan(playbooks.restrict(3))), stage.directory .. "/tonight.plan"
    assert(runs.save(stage.client, plan, path))
    local report = assert(runs.start_opened(stage.client, assert(runs.open(stage.client, path)), { is_listed = true,
      on_session = function(session)
        local told = console.run({ "stop", session.id }, {})
        assert.equal(0, told.status, told.err)
        assert.matches("mde resume " .. session.id, told.err, 1, true)
      end }))
    assert.equal("stopped", report.state)
    assert.equal(0, stage.posts())
    assert.equal("complete", stage.resume(report.run).state)
  end)

  it("holds from when it is given, though a session only prepares", function()
    local plan, path = assert(stage.plan(playbooks.restrict(3))), stage.path()
    assert(runs.start(stage.client, plan, { record = path, on_session = function(session)
      session:halt { rule = "asked", state = "stopped", message = "a test asks" }
    end }))
    local opened = assert(runs.open(stage.client, path))
    assert.equal(0, console.run({ "stop", path }, {}).status)
    assert(runs.replan(stage.client, opened))
    local report = assert(runs.resume(stage.client, opened))
    assert.equal("stopped", report.state)
    assert.equal(0, stage.posts())
    assert.equal("complete", stage.resume(path).state)
  end)

  it("leaves nothing behind where no session is at work", function()
    local path = stage.path()
    assert(runs.save(stage.client, assert(stage.plan(playbooks.restrict(3))), path))
    local told = console.run({ "stop", path }, {})
    assert.equal(0, told.status)
    assert.matches("there is nothing to stop", told.err)
    assert.is_nil(io.open((path:gsub("db$", "stop"))))
  end)

  it("stops a run that works elsewhere by the store, and says where", function()
    local dict = dict_of(stage.tenant.clock.now)
    stage.remove()
    stage = playbooks.new { machines = playbooks.fleet(30), limits = false, latency = 1, client = { store = dict } }
    local plan, told = assert(stage.plan(playbooks.restrict(30), { waves = false })), nil
    local report = stage.start(plan, { on_session = function(session)
      told = console.run({ "stop", session.id }, { client = stage.client })
    end })
    assert.equal(0, told.status, told.err)
    assert.matches("^Run %d+T%d+Z%-%x+, which works on %S+, begins nothing new within 5 seconds", told.err)
    assert.matches("mde resume 2", told.err, 1, true)
    assert.equal("stopped", report.state)
    assert.is_true(stage.posts() < 30)
  end)

  local ID = "20260203T031500Z-7f3a"

  for words, case in pairs {
    ["no session of it is in the store"] = { function() return { client = stage.client } end,
      "no session of it in a table of your own" },
    ["there is no store"] = { function()
      stage.client.exchange.store = nil
      return { client = stage.client }
    end, "no store by which one elsewhere could be asked" },
    ["there is no client"] = { function()
      return { client_error = errors.new { kind = "invalid", code = "settings_missing", message = "not set" } }
    end, "there is no run \"" .. ID .. "\" here, and none elsewhere can be asked: not set" },
  } do
    it("says that there is no such run where " .. words, function()
      stage.remove()
      stage = playbooks.new { machines = {}, client = { store = dict_of(function() return 0 end) } }
      local told = console.run({ "stop", ID }, case[1]())
      assert.equal(1, told.status)
      assert.matches(case[2], told.err, 1, true)
    end)
  end

  it("says that there is no such run", function()
    local told = console.run({ "stop", stage.directory .. "/none.db" }, {})
    assert.equal(1, told.status)
    assert.matches("no such run", told.err)
  end)
end)
