-- A list of thirty devices, ten of which a colleague releases while it is carried out: what the end says, and that the
-- same command leaves them.
-- Labels: only-lua5.4
local commands = require "tests.spec.support.process.command"
local wait_until = require "tests.spec.support.process.wait_until"

local has = commands.has
local scene = commands.scene()
local tenant, command, created = scene.tenant, scene.command, scene.created

local COUNT, RELEASED = 30, 10

local function id(number) return ("%040x"):format(0xf100 + number) end
local function name(number) return ("seat-%02d.corp.example"):format(number) end

describe("a colleague who releases ten of thirty devices", function()
  it("is named by the end, and what was released stays so when the command runs again", function()
    local lines = {}
    for i = 1, COUNT do
      tenant.machine { id = id(i), computerDnsName = name(i), offline = i == COUNT }
      lines[i] = name(i)
    end
    local list = command.file("suspects.txt", table.concat(lines, "\n") .. "\n")
    local words = { "restrict", "--list", list, "--comment", "same beacon", "--incident", "INC-30", "--cap", "100",
      "--yes", "--wait" }
    local running = command.start(words)
    -- All but the last, which is offline.
    wait_until(function() return select(2, running.output():gsub(": Succeeded", "")) == COUNT - 1 end, running.errors)
    for i = 1, RELEASED do
      tenant.action { machineId = id(i), type = "UnrestrictCodeExecution", status = "Succeeded",
        requestor = i < RELEASED and "a.colleague@corp.example" or "another@corp.example", requestorComment = "fine" }
    end
    tenant.machine { id = id(COUNT), offline = false }

    local told = running.finish()
    assert.equal(2, told.status, told.err)
    has(told.err, "Now: 20 restricted, 9 released since by a.colleague@corp.example, 1 released since by another@")
    has(told.err, "30 devices: 20 succeeded, 10 released since.")

    local before = #created()
    local again = command.run(words)
    assert.equal(2, again.status, again.err)
    assert.equal(before, #created())
    assert.equal(RELEASED, select(2, again.err:gsub("taken back", "")), again.err)
    has(again.err, "30 devices: 20 succeeded, 10 left.")
    print(told.err:match "Now:[^\n]*", told.err:match "30 devices:[^\n]*", again.err:match "30 devices:[^\n]*")
  end)
end)
