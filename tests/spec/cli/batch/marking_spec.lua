-- marking: what mde tag and mde untag have in common.
-- Labels: not-lua5.3
local console = require "tests.spec.support.console"
local marking = require "mde.cli.batch.marking"
local rehearsal = require "tests.spec.support.rehearsal"

describe("marking devices", function()
  local command = marking.subcommand("tag", { done = "tagged", doing = "tagging %s", label = "Tagging" }, {})

  it("takes the last word for the tag", function()
    local request = command.request { devices = { "desk-1", "desk-2", "left for review" } }
    assert.equal("left for review", request.tag)
    assert.equal(2, #request.entries)
    assert.equal("desk-2", request.entries[2].device)
  end)

  for what, case in pairs {
    ["an empty tag"] = { { "desk-1", " " }, "the tag is empty" },
    ["a tag alone"] = { { "desk-1" }, "is the tag, and no device is named" },
  } do
    it("is refused with " .. what, function()
      assert.matches(case[2], rehearsal.refused(command.request, { devices = case[1] }).message)
    end)
  end

  it("tells of each", function()
    local r = rehearsal.new { roles = { "Machine.ReadWrite.All" },
      machines = { { computerDnsName = "desk-1.corp.example" } } }
    local function run(format)
      return console.capture(function()
        return command.run { client = r.client, format = format, arguments = {},
          request = command.request { devices = { "desk-1", "nowhere", "review" } } }
      end)
    end
    local told = run "text"
    assert.equal('desk-1.corp.example: tagged "review"\n', told.out)
    assert.matches('^mde: .*"nowhere".*\n2 devices: 1 tagged, 1 left%.\n$', told.err)
    assert.equal(2, told.value)
    told = run "csv"
    assert.matches("\r\ndesk%-1,%x+,desk%-1%.corp%.example,done,", told.out)
    assert.matches("\r\nnowhere,,,error,,,not_found,", told.out)
  end)

  it("is quiet where that is asked for", function()
    local r = rehearsal.new { roles = { "Machine.ReadWrite.All" },
      machines = { { computerDnsName = "desk-1.corp.example" }, { computerDnsName = "desk-2.corp.example" } } }
    local told = console.run({ "tag", "desk-1", "desk-2", "review", "--quiet" }, { client = r.client })
    assert.equal("", told.err)
    assert.equal(2, select(2, told.out:gsub("\n", "")))
  end)
end)
