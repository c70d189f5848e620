-- mde resume: what it shows before it goes on, and the end.
-- Labels: not-lua5.3
local console = require "tests.spec.support.console"
local playbooks = require "tests.spec.support.playbooks"
local shell = require "tests.spec.support.process.shell"

describe("mde resume", function()
  local stage, record

  -- A run of thirty, paused at its first gate.
  before_each(function()
    local machines = playbooks.fleet(30)
    for i = 1, 30 do machines[i].offline = true end
    stage = playbooks.new { machines = machines }
    local path = stage.path "contain.lua"
    shell.write_file(path, playbooks.restrict(30))
    record = stage.path()
    assert.equal(4, console.run({ "run", path, "--journal", record, "--yes" }, { client = stage.client }).status)
  end)

  after_each(function() stage.remove() end)

  local function resume(words, options)
    options = options or {}
    options.client = stage.client
    return console.run({ "resume", record, (table.unpack or unpack)(words or {}) }, options) -- luacheck: ignore 143 113
  end

  it("shows what is done and what follows, and asks", function()
    local told = resume({}, { answers = { "n" } })
    assert.equal(2, told.status)
    assert.matches("5 recorded, 25 to be sent, 0 sent and not answered", told.err)
    assert.equal(5, stage.posts())
  end)

  it("goes on once the gate may open, and does nothing twice", function()
    for i = 1, 30 do stage.tenant:put_machine { id = playbooks.id(i), offline = false } end
    local told = resume { "--yes" }
    assert.equal(0, told.status, told.err)
    assert.equal(30, stage.posts())
    for i = 1, 30 do assert.equal(1, stage.actions()["restrict " .. playbooks.id(i)]) end
    told = resume { "--yes" }
    assert.equal(0, told.status)
    assert.matches("is complete; there is nothing to go on with", told.err)
  end)

  it("lets the id of a run that is complete find its record again, where that was moved", function()
    local runs = require "mde.run"
    for i = 1, 30 do stage.tenant:put_machine { id = playbooks.id(i), offline = false } end
    assert.equal(0, resume({ "--yes" }).status)
    local id = assert(runs.account(record)).run.id
    assert.equal(id, assert(runs.account(id)).run.id)
    local moved = record .. ".moved"
    assert(os.rename(record, moved))
    assert.equal("run_moved", select(2, runs.account(id)).code)
    record = moved
    assert.matches("nothing to go on with", resume({ "--yes" }).err, 1, true)
    assert.equal(id, assert(runs.account(id)).run.id)
  end)

  it("goes on from a script through a gate that stays closed, if it is told to", function()
    local told = resume { "--yes" }
    assert.equal(4, told.status, told.err)
    assert.equal(5, stage.posts())
    told = resume { "--yes", "--gate", "succeeded=0%,wait=1s" }
    assert.equal(0, told.status, told.err)
    assert.equal(30, stage.posts())
  end)

  it("says that there is no such run", function()
    local told = console.run({ "resume", "20260101T000000Z-0000", "--yes" }, { client = stage.client })
    assert.equal(1, told.status)
    assert.matches("there is no run", told.err)
  end)

  it("makes nothing beside a file that is no record", function()
    local path = stage.directory .. "/contain.lua"
    local told = console.run({ "resume", path, "--yes" }, { client = stage.client })
    assert.equal(1, told.status)
    assert.matches("is no record of a run", told.err)
    assert.is_nil(io.open(path .. ".lock"))
  end)

  it("runs the text of the record, and says that the file has changed", function()
    shell.write_file(stage.directory .. "/contain.lua", "error 'changed'")
    local told = resume({}, { answers = { "n" } })
    assert.matches("has changed; the text in the record runs", told.err)
    assert.not_matches("raised", told.err)
  end)
end)

describe("mde resume of a playbook whose data have changed", function()
  local stage, data, record

  -- Of three that were planned the first is done; then the data name another one in the place of the two.
  before_each(function()
    local machines = playbooks.fleet(4)
    for i = 1, 4 do machines[i].offline = true end
    stage = playbooks.new { machines = machines }
    local path = stage.path "contain.lua"
    data, record = stage.path "data.txt", stage.path()
    shell.write_file(data, "pc-1.corp.example\npc-2.corp.example\npc-3.corp.example\n")
    shell.write_file(path, ([[
      local mde = require "mde"
      for name in io.lines(%q) do mde.restrict(name, "beacon", { incident = "INC-1" }) end]]):format(data))
    assert.equal(4, console.run({ "run", path, "--journal", record, "--yes", "--waves", "1,rest" },
      { client = stage.client }).status)
  end)

  after_each(function() stage.remove() end)

  local function resume(answers)
    local told = console.run({ "resume", record }, { client = stage.client, answers = answers, columns = 200 })
    return told, told.err:gsub("%s+", " ")
  end

  it("names before it asks what falls out and what is not planned", function()
    shell.write_file(data, "pc-1.corp.example\npc-4.corp.example\n")
    local told, text = resume { "n" }
    assert.equal(2, told.status)
    assert.matches("1 not planned, and left; a new plan shows it: restrict pc-4.corp.example", text, 1, true)
    assert.matches("2 planned, and not asked for by the playbook any more; nothing is sent to them: "
      .. "restrict pc-2.corp.example restrict pc-3.corp.example", text, 1, true)
    assert.matches("Go on with 0, and without these 2?", text, 1, true)
    assert.equal(1, stage.posts())
  end)

  it("asks before it closes a run of which nothing follows but planned devices fall out", function()
    shell.write_file(data, "pc-1.corp.example\n")
    local told, text = resume { "n" }
    assert.equal(2, told.status)
    assert.matches("Go on with 0, and without these 2?", text, 1, true)
    shell.write_file(data, "pc-1.corp.example\npc-2.corp.example\npc-3.corp.example\n")
    told, text = resume { "n" }
    assert.matches("Go on with 2?", text, 1, true)
    assert.is_nil(text:find("fall out", 1, true), told.err)
  end)

  it("does not close the run unasked where the playbook comes to nothing of it", function()
    shell.write_file(data, "")
    local told = console.run({ "resume", record, "--yes" }, { client = stage.client, columns = 200 })
    assert.equal(2, told.status)
    assert.matches("the playbook comes to nothing of what is recorded and planned; are its data there?", told.err, 1,
      true)
    assert.matches("Nothing was done.", told.err, 1, true)
    local _, text = resume { "y" }
    assert.matches("is complete: ", text, 1, true)
  end)

  it("says which are not reached where the playbook raises over the record", function()
    assert(os.remove(data))
    local _, text = resume { "n" }
    assert.matches("2 planned, and not reached before the playbook raised: restrict pc-2.corp.example", text, 1, true)
    assert.matches("is broken: nothing was sent this time, 2 planned and not reached.", text, 1, true)
    assert.equal(1, stage.posts())
  end)
end)
