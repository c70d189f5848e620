-- A plan that was kept, or that of a run, read to be shown again; from elsewhere, too.
local journal = require "mde.journal"
local json = require "mde.base.json"
local kepts = require "mde.run.kept"
local playbooks = require "tests.spec.support.playbooks"
local recorded = require "tests.spec.support.recorded"
local runs = require "mde.run"
local shell = require "tests.spec.support.process.shell"

describe("a plan that was kept", function()
  local stage

  before_each(function() stage = playbooks.new { machines = playbooks.fleet(3), limits = false } end)
  after_each(function() stage.remove() end)

  it("is read as it was made, and says whether it was carried out", function()
    local plan, path = assert(stage.plan(playbooks.restrict(3))), stage.path "kept.plan"
    assert(runs.save(stage.client, plan, path, { seconds = 12 }))
    local kept = assert(kepts.read(path))
    assert.equal(runs.shown(plan.digest), runs.shown(kept.plan.digest))
    assert.same(json.decode(json.encode(runs.object(plan))), json.decode(json.encode(runs.object(kept.plan))))
    assert.same({ path, "planned", plan.made + 3600, 12 },
      { kept.run, kept.state, kept.expires_at, kept.plan.limits.seconds })
    assert.is_nil(kept.used_at)
    stage.tenant:advance(120)
    assert(runs.start_opened(stage.client, assert(runs.open(stage.client, path))))
    kept = assert(kepts.read(path))
    assert.equal("complete", kept.state)
    assert.is_true(kept.used_at >= plan.made + 120)
    assert.equal(3, runs.counts(kept.plan).restrict)
  end)

  it("is read while a session works on it, and of somebody else", function()
    local path, seen = stage.path(), nil
    assert(runs.start(stage.client, assert(stage.plan(playbooks.restrict(3))), { record = path,
      on_session = function() seen = assert(kepts.read(path)) end }))
    assert.equal("running", seen.state)
    os.execute(("chmod 666 %s"):format(path))
    assert.is_table((kepts.read(path)))
  end)

  it("is an error where no file is, or what stands there is something else", function()
    for path, code in pairs { [stage.directory .. "/none.plan"] = "run_missing",
      ["/etc/passwd"] = "record_unusable" } do
      local kept, err = kepts.read(path)
      assert.is_nil(kept)
      assert.equal(code, err.code)
    end
    -- Its digest stands for another plan.
    local path = stage.path()
    recorded.write(path, { devices = recorded.bad_night, state = "planned" })
    assert.equal("plan_damaged", select(2, kepts.read(path)).code)
  end)

  -- One that somebody has forged: the digest does not stand for what decides nothing.
  for words, facts in pairs {
    ["tags that are numbers"] = { tags = { 1 } },
    ["a name that is a list"] = { tags = {}, name = { "x" } },
    ["a change that is a text"] = { tags = {}, changes = { "x" } },
    ["a verb that there is not"] = { tags = {}, changes = { { verb = "explode", decision = "protected",
      incident = "" } } },
    ["a holder that is a number"] = { tags = {}, changes = { { verb = "restrict", decision = "held", incident = "",
      holder = 1 } } },
    ["a wave that is a text"] = { tags = {}, changes = { { verb = "restrict", decision = "held", incident = "",
      wave = "1" } } },
  } do
    it("is damaged where a device has " .. words, function()
      local path = stage.path()
      assert(runs.save(stage.client, assert(stage.plan(playbooks.restrict(1))), path))
      facts.changes = facts.changes or {}
      local file = assert(journal.open(path))
      assert(file:device { id = playbooks.id(3), facts = json.encode(facts) })
      file:close()
      assert.equal("plan_damaged", select(2, kepts.read(path)).code)
    end)
  end

  it("is damaged where what it leaves cannot be read", function()
    for name, value in pairs { others = '[1]', unresolvable = '[{"asked":1}]' } do
      local path = stage.path()
      assert(runs.save(stage.client, assert(stage.plan(playbooks.restrict(1))), path))
      local statement = [[UPDATE run SET settings=json_set(settings, '$.%s', json('%s'))]]
      shell.output_of(('sqlite3 %s "%s" 2>&1'):format(path, statement:format(name, (value:gsub('"', '\\"')))))
      local kept, err = kepts.read(path)
      if kept then pending "sqlite3 is not installed" return end
      assert.equal("plan_damaged", err.code)
    end
  end)
end)
