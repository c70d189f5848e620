-- mde doctor: the report, as a person and as a program reads it.
-- Labels: not-lua5.3
local console = require "tests.spec.support.console"
local errors = require "mde.base.error"
local json = require "mde.sim.base.json"
local environment = require "tests.spec.support.environment"
local rehearsal = require "tests.spec.support.rehearsal"
local shell = require "tests.spec.support.process.shell"

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
    assert.equal("not set", report.checks[1].message)
    assert.equal("skipped", report.checks[11].status)
  end)

  describe("of a profile", function()
    local directory

    before_each(function()
      directory = shell.new_directory()
      os.execute("mkdir -p " .. shell.quote(directory .. "/mde"))
      shell.write_file(directory .. "/mde/config", "[contoso]\ncap = 7\n[other]\ncap = 8\n")
    end)

    after_each(function() os.execute("rm -rf " .. shell.quote(directory)) end)

    local function run(words, profile)
      environment.set { XDG_CONFIG_HOME = directory, MDE_PROFILE = profile }
      local r = rehearsal.new { machines = {} }
      return console.run(words, { client = r.client })
    end

    for words, profile in pairs { [{ "doctor", "--profile", "contoso" }] = "", [{ "doctor" }] = "contoso",
      [{ "doctor", "--profile=contoso" }] = "other" } do
      it("takes its settings and names it: " .. table.concat(words, " "), function()
        local told = run(words, profile)
        assert.equal(0, told.status, told.err)
        assert.equal(7, told.client_options.cap)
        assert.equal(('ok       profile       "contoso" of %s/mde/config'):format(directory), told.out:match "^[^\n]*")
      end)
    end

    it("names none where there is none", function()
      local told = run({ "doctor" }, nil)
      assert.equal(0, told.status)
      assert.is_nil(told.out:find "profile")
    end)

    it("reports one that cannot be used", function()
      local told = run({ "doctor", "--profile", "fabrikam" }, nil)
      assert.equal(1, told.status)
      assert.equal("", told.err)
      assert.matches('^FAILED   settings      .*/mde/config has no profile "fabrikam"', told.out)
    end)
  end)

  it("is left at Ctrl-C", function()
    local r = rehearsal.new { machines = {}, latency = 1 }
    local told = console.run({ "doctor" }, { client = r.client, interruptions = function() return 1 end })
    assert.equal(130, told.status)
    assert.equal("", told.out)
  end)
end)
