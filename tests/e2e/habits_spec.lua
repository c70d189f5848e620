-- What a person expects of any command: columns to choose, an order, headings, less to read, a log, a manual. Against a
-- tenant over TLS.
-- Labels: only-lua5.4, long
local commands = require "tests.spec.support.process.command"
local sim_json = require "mde.sim.base.json"

local has, lines_of = commands.has, commands.lines_of
local scene = commands.scene()
local tenant, command = scene.tenant, scene.command

describe("a listing", function()
  before_each(function()
    for i, risk in ipairs { "Low", "High", "Medium" } do
      tenant.machine { id = ("%040x"):format(0xd0000 + i), computerDnsName = ("habit-%d.example"):format(i),
        riskScore = risk, lastSeen = ("2026-02-0%dT00:00:00Z"):format(i) }
    end
  end)

  local function list(...)
    local result = command.run { "machines", "computerDnsName^=habit-", ... }
    assert.equal(0, result.status, result.err)
    return result.out
  end

  it("has the fields that are named, in an order, and no more than are wanted", function()
    assert.equal("riskScore,computerDnsName\r\nHigh,habit-2.example\r\nMedium,habit-3.example\r\n",
      list("--columns", "riskScore,computerDnsName", "--sort", "riskScore:desc", "--limit", "2", "--csv"))
    local rows = {}
    for i, line in ipairs(lines_of(list("--columns=id,mergedIntoMachineId", "--sort=lastSeen", "--json"))) do
      rows[i] = assert(sim_json.decode(line))
    end
    assert.equal(3, #rows)
    assert.same({ id = ("%040x"):format(0xd0001), mergedIntoMachineId = sim_json.null }, rows[1])
    assert.equal(1, #lines_of(list("--limit", "1", "--json")))
  end)

  it("says which field was probably meant, and asks for nothing", function()
    for option, name in pairs { ["--columns"] = "id,lastseen", ["--sort"] = "lastseen:desc" } do
      local result = command.run { "machines", "--all", option, name }
      assert.equal(1, result.status)
      has(result.err, option .. ': a machine has no field "lastseen". Did you mean "lastSeen"?')
    end
    has(command.run({ "actions", "--all", "--sort", "creationDate" }).err, 'Did you mean "creationDateTimeUtc"?')
    has(command.run({ "actions", "--all", "--limit", "0" }).err, "'0' is not a whole number above 0")
    assert.equal(0, #tenant.history "request")
  end)
end)

describe("a restrict", function()
  it("leaves a log, and says nothing else where it is quiet", function()
    local path = command.directory .. "/night.log"
    local names = scene.desks(2)
    local result = command.run { "restrict", names[1], names[2], "dc-01", "--comment", "x", "--yes", "--quiet",
      "--wait", "--incident", "INC-1", "--log", path }
    assert.equal(2, result.status)
    assert.equal(1, #lines_of(result.err))
    has(result.err, "dc-01")
    assert.equal(4, #lines_of(result.out))
    local outcomes = {}
    for line in io.lines(path) do
      local row = assert(sim_json.decode(line))
      assert.equal("INC-1", row.incident)
      assert.matches("^%d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%dZ$", row.time)
      outcomes[#outcomes + 1] = row.waited or row.outcome
    end
    assert.same({ "accepted", "accepted", "error", "Succeeded", "Succeeded" }, outcomes)
    assert.equal("rw-------", io.popen("stat -c %A " .. path):read "*l":sub(2))
  end)

  it("is done once with a key, however often it is asked", function()
    for _, outcome in ipairs { "accepted", "already" } do
      local result = command.run { "restrict", "laptop-17", "--comment", "x", "--yes", "--key", "alert-4711" }
      assert.equal(0, result.status, result.err)
      has(result.out, outcome)
    end
    assert.equal(1, #scene.created())
    has(tenant.history("action_created")[1].comment, " [mde:alert-4711]")
  end)

  it("is not begun where its log cannot be written", function()
    local result = command.run { "restrict", "laptop-17", "--comment", "x", "--yes", "--log", "/nowhere/log" }
    assert.equal(1, result.status)
    assert.equal('mde restrict: the log "/nowhere/log" cannot be opened: No such file or directory. Nothing was done. '
      .. "Name another file, or leave out --log.\n", result.err)
    assert.equal(0, #tenant.history "request")
  end)
end)
