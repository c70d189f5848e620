-- Which cap counts what.
local caps = require "mde.action.caps"
local limits = require "mde.action.cap"
local rehearsal = require "tests.spec.support.rehearsal"

local FILE, OTHER = ("1"):rep(40), ("2"):rep(40)

describe("the caps of a client", function()
  local own

  before_each(function()
    local r = rehearsal.new { limits = false, machines = {} }
    own = caps.new(limits.check { isolate = 3, quarantine = 2 }, r.client.exchange, r.driver)
  end)

  it("are one for each response that is counted", function()
    assert.equal(own:of "restrict", own:of "restrict")
    assert.are_not.equal(own:of "restrict", own:of "isolate")
    assert.equal(3, own:of("isolate").limit)
    assert.equal(25, own:of("restrict").limit)
    assert.equal(25, own:of("contain").limit)
    for _, verb in ipairs { "release", "unisolate", "uncontain", "scan", "collect" } do assert.is_nil(own:of(verb)) end
  end)

  it("are one for each file that is put into quarantine", function()
    assert.equal(own:of("quarantine", FILE), own:of("quarantine", FILE))
    assert.are_not.equal(own:of("quarantine", FILE), own:of("quarantine", OTHER))
  end)

  it("are not one for each scope", function()
    assert.equal(own:of("isolate", "Full"), own:of("isolate", "Selective"))
  end)

  it("are none where there is no limit", function()
    assert.is_true(own:has_limit())
    local r = rehearsal.new { limits = false, machines = {} }
    assert.is_false(caps.new(limits.check(false), r.client.exchange, r.driver):has_limit())
    assert.is_true(caps.new(limits.check { restrict = false }, r.client.exchange, r.driver):has_limit())
  end)
end)

describe("the option cap", function()
  it("is one number for each, or a table", function()
    assert.same({ restrict = 7, isolate = 7, contain = 7, quarantine = 7 }, limits.check(7))
    assert.same({ restrict = 25, isolate = 1, contain = math.huge, quarantine = 25 },
      limits.check { isolate = 1, contain = false })
  end)

  it("names what is counted", function()
    assert.matches('no option "scan"', rehearsal.refused(limits.check, { scan = 1 }).message)
    assert.matches('option "cap": isolate must be', rehearsal.refused(limits.check, { isolate = -1 }).message)
  end)
end)
