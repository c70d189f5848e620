-- A device that is left as it is, with the reason: what is checked.
local errors = require "mde.base.error"
local leaves = require "mde.device.leave"
local mde = require "mde"
local rehearsal = require "tests.spec.support.rehearsal"

local ID = ("A1"):rep(20)

describe("what leaves a device", function()
  it("names it in any way that a call may", function()
    assert.same({ "full_name", "pc-1.corp.example" }, { leaves.check("pc-1.corp.example", "for review") })
    assert.equal("machine_id", (leaves.check(ID, "for review")))
    assert.equal("machine", (leaves.check({ id = ID }, "for review")))
  end)

  it("is refused without a device or a reason that can be recorded", function()
    for _, case in ipairs { { "missing_value", nil, "x" }, { "device_is_address", "10.1.2.3", "x" },
      { "wrong_type", "pc-1" }, { "wrong_type", "pc-1", 1 }, { "empty_text", "pc-1", "" },
      { "empty_text", "pc-1", " " }, { "text_malformed", "pc-1", "\255" } } do
      for _, leave in ipairs { leaves.check, mde.leave } do
        assert.equal(case[1], rehearsal.refused(leave, case[2], case[3]).code)
      end
    end
  end)

  it("does nothing outside of a run, and needs no client", function()
    assert.equal(0, select("#", mde.leave("pc-1", "for review")))
    assert.is_true(errors.is(rehearsal.refused(mde.leave, "pc-1")))
  end)
end)
