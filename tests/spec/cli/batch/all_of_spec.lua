-- all_of: the devices that incidents hold, for what takes that back. mde release has its own spec of this.
-- Labels: not-lua5.3
local console = require "tests.spec.support.console"
local rehearsal = require "tests.spec.support.rehearsal"

local function id(number) return ("%040x"):format(0xa0000 + number) end

describe("all that an incident holds isolated", function()
  local r

  before_each(function()
    local machines = {}
    for i = 1, 2 do machines[i] = { id = id(i), computerDnsName = ("desk-%d.corp.example"):format(i) } end
    machines[3] = { id = id(3), computerDnsName = "printer.corp.example", onboardingStatus = "CanBeOnboarded" }
    r = rehearsal.new { limits = false, unguarded = true, machines = machines, roles = { "Machine.Read.All",
      "Machine.Isolate" } }
  end)

  local function unisolate(...)
    return console.run({ "unisolate", "--comment", "false alarm", "--yes", ... }, { client = r.client })
  end

  local function isolate(verb, device, incident)
    assert(r.client[verb](r.client, device, "beacon", { incident = incident })):wait()
  end

  it("is let onto the network again, and nothing else is", function()
    isolate("isolate", "desk-1", "INC-1")
    for _, incident in ipairs { "INC-1", "INC-2" } do isolate("isolate", "desk-2", incident) end
    local told = unisolate("--all-of", "INC-1", "--since", "14h", "--wait")
    assert.equal(0, told.status, told.err)
    assert.matches("^desk%-1%.corp%.example: release from isolation accepted [^\n]+\ndesk%-1[^\n]+: Succeeded\n$",
      told.out)
    assert.equal("Left isolated: desk-2.corp.example, held too by INC-2. Later, to release it:\n  mde unisolate "
      .. "--all-of INC-2 --ended INC-1\n", told.err)
    assert.equal(0, unisolate("--all-of", "INC-2", "--ended", "INC-1", "--wait").status)
    assert.equal("released", (r.client:state("desk-2", { of = "isolate" })))
  end)

  it("may be nothing, and an incident that nothing names is refused", function()
    isolate("isolate", "desk-1", "INC-1")
    local told = unisolate("--all-of", "INC-77")
    assert.equal(2, told.status)
    assert.equal("INC-77: no isolation or release from isolation names it.\n"
      .. "Nothing to release from isolation: INC-77 alone holds no device.\n", told.err)
    r.driver.sleep(7200)
    told = unisolate("--all-of", "INC-1", "--since", "1h")
    assert.equal(0, told.status)
    assert.equal("Nothing to release from isolation: INC-1 alone holds no device that was isolated since then.\n",
      told.err)
  end)

  it("has what the incident contained, too: the service makes the same action of both", function()
    isolate("contain", id(3), "INC-1")
    local told = unisolate("--all-of", "INC-1", "--wait")
    assert.equal(0, told.status, told.err)
    assert.equal("released", (r.client:state(id(3), { of = "contain" })))
  end)

  it("is selected by incidents alone", function()
    for _, words in ipairs { { "desk-1", "--all-of", "INC-1" }, { "desk-1", "--since", "2h" },
      { "desk-1", "--ended", "INC-2" }, { "--all-of", "INC-1", "--ended", "inc-1" }, { "--all-of", "" } } do
      assert.equal(1, unisolate((table.unpack or unpack)(words)).status) -- luacheck: ignore
    end
    assert.same({}, r.tenant.history)
  end)
end)
