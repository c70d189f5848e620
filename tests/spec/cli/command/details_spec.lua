-- mde details: what the service knows of a device beside its record.
-- Labels: only-lua5.4
local console = require "tests.spec.support.console"
local rehearsal = require "tests.spec.support.rehearsal"

local ID = "1f00000000000000000000000000000000000017"

describe("mde details", function()
  local function begin(...)
    local r = rehearsal.new { roles = { "Machine.Read.All", ... } }
    r.tenant:put_details(ID, { logonusers = { { id = "corp\\zoe\27[2J", lastSeen = "2026-02-03T10:11:12Z" } },
      software = {}, getmissingkbs = { { id = "5540673", name = "January" } } })
    return function(...) return console.run({ "details", ... }, { client = r.client }) end
  end

  it("shows what can be read, and tells what cannot", function()
    local told = begin("User.Read.All", "Software.Read.All") "laptop-17"
    assert.equal(2, told.status)
    assert.equal("part\tid\tabout\nlogon_users\tcorp\\zoe\\x1b[2J\t2026-02-03T10:11:12Z\n"
      .. "missing_kbs\t5540673\tJanuary\n", told.out)
    assert.matches("Vulnerability.Read.All", told.err)
    assert.matches("SecurityRecommendation.Read.All", told.err)
  end)

  it("shows one part", function()
    local details = begin "Software.Read.All"
    local told = details("laptop-17", "--only", "missing_kbs", "--json")
    assert.same({ 0, "" }, { told.status, told.err })
    assert.matches('"part":"missing_kbs"', told.out)
    assert.matches("Nothing was found", details("laptop-17", "--only", "software").err)
  end)

  it("is about one device", function()
    local details = begin()
    assert.equal(2, details("nobody-9").status)
    assert.equal(1, details("192.0.2.1").status)
    assert.equal(1, details("laptop-17", "--only", "alerts").status)
  end)
end)
