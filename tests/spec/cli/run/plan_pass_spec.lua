-- A playbook is planned while somebody waits, who may interrupt it.
-- Labels: not-lua5.3
local console = require "tests.spec.support.console"
local errors = require "mde.base.error"
local exit = require "mde.cli.ui.exit"
local plan_pass = require "mde.cli.run.plan_pass"
local playbooks = require "tests.spec.support.playbooks"
local runs = require "mde.run"

describe("the pass of a plan", function()
  local stage

  before_each(function() stage = playbooks.new { machines = playbooks.fleet(2) } end)

  after_each(function() stage.remove() end)

  local function run(text, options)
    return console.capture(function()
      return plan_pass.run({ client = stage.client }, { playbook = stage.playbook(text) })
    end, options)
  end

  it("gives the plan, and shows that it works", function()
    local told = run(playbooks.restrict(2), { answers = {}, movable = true })
    assert.equal(2, runs.counts(told.value).restrict)
    assert.matches("Planning ...", told.err, 1, true)
    assert.equal("", run(playbooks.restrict(2)).err)
  end)

  it("raises the error", function()
    local ok, err = pcall(run, "error 'no'")
    assert.is_false(ok)
    assert.is_true(errors.is(err))
    assert.equal("playbook_raised", err.code)
  end)

  it("is left at the first Ctrl-C", function()
    local os_exit, library = os.exit, package.loaded.mde
    stage.renew(stage.tenant:driver { latency = 1 })
    -- In the midst of the playbook.
    local told = run(playbooks.restrict(2), { interruptions = function() return os.exit ~= os_exit and 1 or 0 end })
    assert.equal(os_exit, os.exit)
    assert.equal(library, package.loaded.mde)
    assert.is_nil(told.value)
    assert.equal(exit.interrupted, told.more)
    assert.matches("Interrupted; nothing was done.", told.err, 1, true)
    assert.equal(0, stage.posts())
  end)

  it("is made over the record of a run that is continued", function()
    local plan = assert(stage.plan(playbooks.restrict(2)))
    local _, _, path = stage.start(plan)
    local opened = assert(runs.open(stage.client, path))
    local told = console.capture(function() return plan_pass.again({ client = stage.client }, opened, {}) end)
    assert.equal(2, told.value.recorded)
    runs.close(opened)
  end)
end)
