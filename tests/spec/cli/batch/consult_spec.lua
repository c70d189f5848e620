-- consult: shows what is to be restricted or released, and asks.
-- Labels: not-lua5.3
local console = require "tests.spec.support.console"
local consult = require "mde.cli.batch.consult"
local rehearsal = require "tests.spec.support.rehearsal"

local function id(number) return ("%040x"):format(0xa0000 + number) end

local words = { question = "Release", means = "To be released:", comment = "cleared", doing = "releasing %s" }

describe("before a change", function()
  local r

  before_each(function()
    r = rehearsal.new { limits = false, unguarded = true, machines = {
      { id = id(1), computerDnsName = "desk-1.corp.example", machineTags = { "lab" } },
      { id = id(2), computerDnsName = "twin.corp.example" }, { id = id(3), computerDnsName = "TWIN.corp.example" },
    } }
  end)

  -- What is asked about these devices, and what comes of the answers.
  local function ask(devices, answers, options)
    options = options or {}
    local entries = {}
    for i, device in ipairs(devices) do entries[i] = { device = device } end
    local context = { client = r.client, arguments = { comment = options.comment }, format = "text",
      request = { verb = "release", options = { incident = options.incident } } }
    return console.capture(function()
      return consult.ask(context, entries, words)
    end, { answers = answers, columns = 100, interruptions = options.interruptions })
  end

  it("it is shown and asked for, with a comment", function()
    local told = ask({ "desk-1" }, { "", "y" })
    assert.equal("cleared", told.more)
    assert.equal(id(1), told.value[1].machine.id)
    assert.matches("^Comment %[cleared%]: To be released:\n  NAME +PLATFORM +LAST SEEN +TAGS", told.err)
    assert.matches("\n  desk%-1%.corp%.example +Windows11 +1h ago +lab", told.err)
    assert.matches("\nTenant [%x-]+, application [%x-]+, at%s+api%.security%.microsoft%.com\n"
      .. 'No incident, comment: "cleared"\nRelease it%? %[y/N%] $', told.err)
    assert.same({}, r:posts())
  end)

  it("a comment is asked for until it can be recorded", function()
    local told = ask({ "desk-1" }, { ("x"):rep(851), "false alarm", "y" })
    assert.equal("false alarm", told.more)
    assert.matches("longer than 850 characters", told.err)
    assert.equal("given", ask({ "desk-1" }, { "y" }, { comment = "given" }).more)
  end)

  for what, answers in pairs { no = { "", "n" }, nothing = { "" }, ["no comment"] = {} } do
    it("nothing is done where somebody says " .. what, function()
      local told = ask({ "desk-1" }, answers)
      assert.is_nil(told.value)
      assert.equal(2, told.more)
      assert.matches("Nothing was done%.\n$", told.err)
    end)
  end

  it("nothing is done at Ctrl-C", function()
    local told = ask({ "desk-1" }, { "", "y" }, { interruptions = function() return 1 end })
    assert.is_nil(told.value)
    assert.equal(130, told.more)
    assert.matches("Interrupted; nothing was done%.\n$", told.err)
  end)

  it("what cannot be found is told, and is done", function()
    local told = ask({ "nowhere", "desk-1" }, { "", "y" })
    assert.matches('^Comment %[cleared%]: mde: machine "nowhere"', told.err)
    assert.is_true(told.value[1].done)
    assert.is_false(told.value[2].done)
    told = ask({ "nowhere" }, {})
    assert.is_nil(told.value)
    assert.equal(2, told.more)
    assert.is_nil(told.err:find("[y/N]", 1, true))
  end)

  it("two names of one machine count once, and two machines of one name are told apart", function()
    local told = ask({ "desk-1", id(1):upper(), id(2), id(3) }, { "", "y" })
    assert.equal(3, #told.value)
    assert.matches("are the same machine; it counts once", told.err)
    assert.truthy(told.err:find("twin.corp.example " .. id(2), 1, true), told.err)
    assert.truthy(told.err:find("TWIN.corp.example " .. id(3), 1, true), told.err)
    assert.matches("Release these 3%?", told.err)
  end)

  it("it is said who else holds a device", function()
    for _, incident in ipairs { "INC-1", "INC-2" } do
      assert(r.client:restrict(id(1), "beacon", { incident = incident })):wait()
    end
    local told = ask({ "desk-1" }, { "", "y" }, { incident = "INC-1" })
    assert.matches("Note: desk%-1%.corp%.example is held too by INC%-2; the release ends that as well%.", told.err)
  end)

  it("nothing is asked where the history cannot be read", function()
    r:answer({ path = "/machineactions" }, 403, { error = { code = "Forbidden", message = "no" } }, { count = false })
    local told = ask({ "desk-1" }, { "" })
    assert.is_nil(told.value)
    assert.equal(3, told.more)
    assert.is_nil(told.err:find("[y/N]", 1, true))
  end)
end)
