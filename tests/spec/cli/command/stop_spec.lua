-- mde stop: the file by which a run is told, and what is no run.
-- Labels: not-lua5.3
local console = require "tests.spec.support.console"
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

  it("says that there is no such run", function()
    local told = console.run({ "stop", stage.directory .. "/none.db" }, {})
    assert.equal(1, told.status)
    assert.matches("no such run", told.err)
  end)
end)
