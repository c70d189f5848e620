-- mde undo: what it shows, asks and takes back.
-- Labels: not-lua5.3
local console = require "tests.spec.support.console"
local journals = require "tests.spec.support.journals"
local json = require "mde.base.json"
local playbooks = require "tests.spec.support.playbooks"

describe("mde undo", function()
  local stage, record

  before_each(function()
    stage = playbooks.new { machines = playbooks.fleet(4) }
    assert(assert(stage.client:restrict(playbooks.id(4), "before", { incident = "INC-1" })):wait())
    local report, _, path = stage.start(assert(stage.plan(playbooks.restrict(4))))
    assert.equal("complete", report.state)
    record = path
    stage.rehearsal.driver.sleep(600)
    stage.rehearsal:past(playbooks.id(2), "restrict", "Succeeded", 60,
      { requestorComment = "why [mde:INC-2:byhand-01]" })
  end)

  after_each(function() stage.remove() end)

  local function undo(words, options)
    options = options or {}
    options.client = stage.client
    local line = { "undo", record }
    for _, word in ipairs(words) do line[#line + 1] = word end
    return console.run(line, options)
  end

  local function released(i) return stage.posted_to(playbooks.id(i), "unrestrictCodeExecution") end

  it("shows what it would release and whom it leaves, asks, and does it", function()
    local told = undo({ "--journal", stage.path() }, { answers = { "y" } })
    assert.equal(2, told.status, told.err)
    assert.matches("Held already when the run came by, and left so: 1: pc%-4%.corp%.example", told.err)
    assert.matches("1 that others hold too: pc%-2%.corp%.example %(INC%-2%)", told.err)
    assert.matches("To be released: 2 devices", told.err)
    assert.matches("Release 2 devices, ", told.err)
    assert.matches("Release these 2%?", told.err)
    assert.matches("is complete: 2 accepted, 1 conflict", told.err)
    assert.same({ 1, 0, 1, 0 }, { released(1), released(2), released(3), released(4) })
  end)

  it("names what the run did in ways that it does not know, as it can be shown", function()
    assert.equal("", journals.by_sqlite(record, ("UPDATE step SET verb = 'off' || char(27) || 'board' WHERE device = "
      .. "(SELECT n FROM device WHERE id = '%s')"):format(playbooks.id(3))))
    local told = undo { "--dry-run" }
    assert.matches("Done by the run in ways that this version of mde does not know, and left so: 1: pc-3.corp.example "
      .. "(off\\x1bboard)\n", told.err, 1, true)
    assert.matches("To be released: 1 device\n", told.err)
  end)

  it("does nothing if the answer is no, and in a dry run", function()
    local told = undo({}, { answers = { "n" } })
    assert.equal(2, told.status)
    assert.matches("Nothing was done", told.err)
    assert.equal(6, undo({ "--dry-run", "--exit-code" }).status)
    told = undo { "--dry-run", "--json" }
    local plan = assert(json.decode(told.out))
    assert.equal(2, plan.counts.release)
    assert.equal(record, plan.undoes)
    assert.equal(0, released(1))
  end)

  it("says that nothing is left to be released, and that nobody goes on with the run", function()
    undo { "--yes", "--journal", stage.path() }
    stage.rehearsal.driver.sleep(600)
    local told = undo { "--yes", "--journal", stage.path() }
    assert.equal(2, told.status, "pc-2 is left")
    assert.matches("Nothing is to be taken back", told.err)
    told = console.run({ "resume", record, "--yes" }, { client = stage.client })
    assert.equal(0, told.status)
    assert.matches("is complete %(undone by [^\n]+%); there is nothing to go on with", told.err)
  end)

  it("refuses what contradicts itself", function()
    for _, words in ipairs { { "--json", "--yes" }, { "--exit-code", "--yes" }, { "--comment", "", "--yes" }, {} } do
      assert.equal(1, undo(words).status)
    end
  end)
end)
