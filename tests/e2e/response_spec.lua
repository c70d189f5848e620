-- The response actions beside restrict and release as a person gives them, each a process of its own, over TLS.
-- Labels: only-lua5.4
local commands = require "tests.spec.support.process.command"
local tenants = require "tests.spec.support.server.tenant"

local has, has_not = commands.has, commands.has_not

local function id(number) return ("%040x"):format(0xe0 + number) end

describe("an incident", function()
  local tenant, command

  setup(function()
    local options = { limits = false, action_seconds = 0.3 }
    for _, name in ipairs { "Read.All", "RestrictExecution", "Isolate", "CollectForensics" } do
      options[#options + 1] = "--role"
      options[#options + 1] = "Machine." .. name
    end
    tenant = tenants.start(options)
    command = commands.new(tenant.env)
    tenant.machine { id = id(1), computerDnsName = "desk-1.corp.example" }
    tenant.machine { id = id(2), computerDnsName = "desk-2.corp.example" }
  end)

  teardown(function()
    if command then command.stop() end
    tenant.stop()
  end)

  local function run(...)
    local result = command.run { ... }
    assert.equal(0, result.status, result.err)
    return result
  end

  it("restricts and isolates, is shown, and is taken back in the right order", function()
    run("restrict", "desk-1", "desk-2", "--comment", "beacon", "--incident", "INC-1", "--yes", "--wait", "20s")
    local told = run("isolate", "desk-1", "--comment", "beacon", "--incident", "INC-1", "--yes", "--wait", "20s")
    has(told.out, "desk-1.corp.example: isolation accepted (action ")
    told = run("state", "desk-1", "desk-2", "--csv")
    assert.matches("\ndesk%-1,restricted,[^\n]*,isolated,,?\r?\n", told.out)
    assert.matches("\ndesk%-2,restricted,[^\n]*,none,,?\r?\n", told.out)

    told = run("release", "--all-of", "INC-1", "--comment", "all clear", "--yes", "--wait", "20s")
    has(told.err, "INC-1 holds 1 device isolated: the isolation is taken back first")
    local types = {}
    for i, action in ipairs(tenant.history "action_created") do types[i] = action.type end
    assert.same({ "Isolate", "Unisolate", "UnrestrictCodeExecution", "UnrestrictCodeExecution" },
      { (table.unpack or unpack)(types, 3) }) -- luacheck: ignore
    has(run("state", "desk-1").out, "\treleased\n")
  end)

  it("has a package collected, whose link alone goes to standard output", function()
    local told = run("collect", "desk-1", "--comment", "forensics", "--yes", "--wait", "20s")
    told = run("package", (told.out:match "action (%x[%x-]+)"))
    assert.matches("^https://[^\n]+\n$", told.out)
    has_not(told.err, "https://")
    has(told.err, "Who has it can read the package")
  end)

  it("is told which permission is missing", function()
    local told = command.run { "scan", "desk-1", "--comment", "x", "--yes" }
    assert.equal(2, told.status)
    has(told.err, "Machine.Scan")
    assert.equal(1, command.run { "start-investigation", "desk-1" }.status)
  end)
end)
