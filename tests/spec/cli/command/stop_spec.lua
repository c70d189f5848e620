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

  it("says that there is no such run", function()
    local told = console.run({ "stop", stage.directory .. "/none.db" }, {})
    assert.equal(1, told.status)
    assert.matches("no such run", told.err)
  end)
end)
