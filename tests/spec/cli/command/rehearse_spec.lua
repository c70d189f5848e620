-- mde rehearse: what it tells of each night.
-- Labels: not-lua5.3
local console = require "tests.spec.support.console"
local fleets = require "tests.spec.support.playbooks"
local json = require "mde.base.json"
local mde = require "mde"
local shell = require "tests.spec.support.process.shell"

local make_client = mde.client

describe("mde rehearse", function()
  local directory
  before_each(function()
    directory = shell.new_directory_in_memory()
    shell.write_file(directory .. "/contain.lua", fleets.restrict(20))
    local lines = {}
    for i, machine in ipairs(fleets.fleet(20)) do lines[i] = json.encode(machine) end
    shell.write_file(directory .. "/fleet.json", table.concat(lines, "\n") .. "\n")
  end)
  after_each(function() shell.remove(directory) end)

  local function rehearse(...)
    local words = { "rehearse", "--fleet", directory .. "/fleet.json", ... }
    words[#words + 1] = directory .. "/contain.lua"
    return console.run(words, { make_client = make_client })
  end

  it("tells of each night how it ended, and that it was verified", function()
    local told = rehearse()
    for _, night in ipairs { "quiet", "busy", "lost", "crossed" } do assert.matches(night .. ": ", told.out) end
    local _, count = told.out:gsub("verified: the tenant did what the record says, and nothing twice", "")
    assert.equal(4, count)
    assert.matches("plan: restrict 20, 0 already", told.out)
    assert.equal("", told.err)
  end)

  it("says what is planned of each verb", function()
    shell.write_file(directory .. "/contain.lua", [[
      local mde = require "mde"
      for i = 1, 3 do mde.isolate(("pc-%d.corp.example"):format(i), "beacon") end
      mde.scan("pc-4.corp.example", "beacon")
      mde.may("isolate", "pc-5.corp.example", "later")]])
    local told = rehearse("--night", "quiet")
    assert.equal(0, told.status, told.err)
    assert.matches("plan: isolate 3, scan 1, 1 if needed, 0 already, 0 left", told.out, 1, true)
    assert.matches("4 sent", told.out)
  end)

  it("writes an object for each night, and keeps the records", function()
    local told = rehearse("--json", "--night", "quiet", "--keep", directory .. "/nights")
    assert.equal(0, told.status, told.err)
    local night = assert(json.decode(told.out))
    assert.same({ "quiet", "complete", 20, 1 }, { night.night, night.state, night.sent, night.sessions })
    assert.equal(directory .. "/nights/quiet.db", night.record)
    assert.is_true(require("mde.run").is_record(night.record))
  end)

  it("is held by the cap as the run itself would be", function()
    local told = rehearse("--json", "--night", "quiet", "--cap", "5")
    local night = assert(json.decode(told.out))
    assert.equal(20, night.sent)
    assert.is_true(night.sessions > 1 and night.seconds > 3600)
  end)

  it("refuses a fleet, faults and a playbook that cannot be used", function()
    for _, words in ipairs { { "--fleet", directory .. "/none", directory .. "/contain.lua" },
      { "--faults", directory .. "/none", directory .. "/contain.lua" },
      { "--night", "quiet", directory .. "/none.lua" } } do
      assert.equal(1, console.run({ "rehearse", (table.unpack or unpack)(words) }, { make_client = make_client }).status) -- luacheck: ignore
    end
  end)
end)
