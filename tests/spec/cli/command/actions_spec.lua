-- mde actions: what a query of actions finds.
-- Labels: not-lua5.3
local actions = require "mde.cli.command.actions"
local core = require "mde.core"
local console = require "tests.spec.support.console"
local rehearsal = require "tests.spec.support.rehearsal"

describe("mde actions", function()
  it("lists those that its conditions select", function()
    local r = rehearsal.new { machines = { { id = ("a"):rep(40), computerDnsName = "desk-1.corp.example" } } }
    local pending = r:past(("a"):rep(40), "restrict", "Pending", 60,
      { requestor = "alice", requestorComment = "beacon" })
    r:past(("a"):rep(40), "release", "Succeeded", 3600)
    local told = console.run({ "actions", "status=Pending" }, { client = r.client })
    assert.equal(0, told.status, told.err)
    assert.matches("^id\ttype\t[^\n]+\n"
      .. pending.id:gsub("%-", "%%-") .. "\tRestrictCodeExecution\tPending\t[^\n]+\talice\tbeacon\t"
      .. ("a"):rep(40) .. "\n$", told.out)
    told = console.run({ "actions", "status=Pending" }, { client = r.client, columns = 100 })
    assert.matches("\ndesk%-1%.corp%.example +Restrict +Pending .* 1m ago", told.out)
  end)

  it("shows a person the machine first, and the id where there is room for all of it", function()
    local name = "a-laptop-of-somebody.corp.example"
    local r = rehearsal.new { machines = { { id = ("a"):rep(40), computerDnsName = name } } }
    local action = r:past(("a"):rep(40), "release", "Succeeded", 3600, { requestor = "alice" })
    local function shown(columns)
      return console.run({ "actions", "--all" }, { client = r.client, columns = columns }).out
    end
    assert.equal("MACHINE                            TYPE        STATUS     CREATED  REQUESTOR\n"
      .. name .. "  Unrestrict  Succeeded  1h ago   alice\n", shown(80))
    assert.truthy(shown(100):find(name .. "  Unrestrict  Succeeded  " .. action.id, 1, true))
    assert.truthy(shown(200):find("ID +CREATED +REQUESTOR +COMMENT"))
  end)

  describe("by their comment", function()
    local r

    before_each(function()
      r = rehearsal.new { machines = { { id = ("a"):rep(40), computerDnsName = "desk-1.corp.example" } } }
      for comment, status in pairs { ["one [mde:INC-1:operation-1]"] = "Succeeded",
        ["two [mde:inc-1:operation-2]"] = "Failed", ["three [mde:INC-10:operation-3]"] = "Failed",
        ["four [mde:INC-1:operation-4] and more"] = "Failed", ["five [mde:operation-5]"] = "Failed",
        ["Six, a T[w]o%"] = "Pending" } do
        r:past(("a"):rep(40), "restrict", status, 60, { requestorComment = comment })
      end
      r:past(("a"):rep(40), "release", "Succeeded", 60, { requestorComment = rehearsal.null })
    end)

    for words, wanted in pairs {
      ["--incident inc-1"] = "one two", ["--incident INC-10"] = "three",
      ["--incident INC-1 status=Failed"] = "two", ["--incident INC-1 --comment TWO"] = "two",
      ["--comment two"] = "two", ["--comment T[W]O%"] = "Six", ["--comment OPERATION-5"] = "five", ["--comment o"] =
        "Six five four one three two", ["--comment o status=Pending"] = "Six",
      ["--comment o --filter status~eq~'Pending'"] = "Six", ["--comment nothing"] = "",
    } do
      it("are told with " .. words, function()
        local arguments = { "actions" }
        for word in words:gmatch "%S+" do arguments[#arguments + 1] = (word:gsub("~", " ")) end
        local told = console.run(arguments, { client = r.client })
        assert.equal(0, told.status, told.err)
        local found = {}
        for line in told.out:gmatch "[^\n]+" do found[#found + 1] = line:match "\t(%w+)[^\t]*\t%x+$" end
        table.sort(found, core.text.before)
        assert.equal(wanted, table.concat(found, " "))
        assert.equal(wanted == "" and "Nothing was found.\n" or "", told.err)
      end)
    end

    it("are not asked for with what can be no incident, or an empty text", function()
      for _, words in ipairs { { "--incident", "" }, { "--incident", "INC 1" }, { "--comment", "" } } do
        local told = console.run({ "actions", words[1], words[2] }, { client = r.client })
        assert.equal(1, told.status)
        assert.matches("^mde actions: " .. words[1]:gsub("%-", "%%-"), told.err)
        assert.same({}, r:requests())
      end
    end)

    it("are read without a filter, as the help says", function()
      console.run({ "actions", "--incident", "INC-1" }, { client = r.client })
      assert.same({ "GET /api/machineactions?$top=10000" }, r:requests())
      assert.matches("in more pages than with a filter in OData", actions.explained)
    end)
  end)
end)
