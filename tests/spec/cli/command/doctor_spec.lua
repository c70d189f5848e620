-- mde doctor: the report, as a person and as a program reads it.
-- Labels: not-lua5.3
local console = require "tests.spec.support.console"
local errors = require "mde.base.error"
local json = require "mde.sim.base.json"
local environment = require "tests.spec.support.environment"
local rehearsal = require "tests.spec.support.rehearsal"

describe("mde doctor", function()
  before_each(function() environment.set {} end)
  after_each(environment.restore)

  it("says what each check found, and which functions work", function()
    local r = rehearsal.new { machines = {} }
    local told = console.run({ "doctor" }, { client = r.client })
    assert.equal(0, told.status, told.err)
    assert.matches("^ok       settings      application ", told.out)
    assert.matches("\nok       permissions   restrict, release and all that reads will work\n\n", told.out)
    assert.matches("\nNothing is in the way%. Nothing was changed%.\n$", told.out)
  end)

  it("ends with the status of what failed, and says what to do about it", function()
    local r = rehearsal.new { machines = {}, roles = { "Machine.Read.All" } }
    local told = console.run({ "doctor" }, { client = r.client })
    assert.equal(2, told.status)
    assert.matches("\nFAILED   permissions   missing: Machine%.RestrictExecution\n +Add them in the portal", told.out)
    assert.matches("\nNothing was changed%.\n$", told.out)
  end)

  it("reports an environment that describes no client", function()
    local told = console.run({ "doctor", "--json" },
      { client_error = errors.new { kind = "invalid", code = "settings_missing", message = "not set" } })
    assert.equal(1, told.status)
    local report = json.decode(told.out)
    assert.is_false(report.ok)
    assert.matches("AZURE_TENANT_ID", report.checks[1].message)
    assert.equal("skipped", report.checks[7].status)
  end)

  it("is left at Ctrl-C", function()
    local r = rehearsal.new { machines = {}, latency = 1 }
    local told = console.run({ "doctor" }, { client = r.client, interruptions = function() return 1 end })
    assert.equal(130, told.status)
    assert.equal("", told.out)
  end)
end)
