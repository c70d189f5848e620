-- absent_incidents: that nothing names an incident, and which incidents there are.
-- Labels: not-lua5.3
local absent_incidents = require "mde.cli.ui.absent_incidents"
local console = require "tests.spec.support.console"

describe("an incident that nothing names", function()
  local function said(report, since)
    return console.capture(function() absent_incidents.say(report, 1770113472, since) end).err
  end

  it("is named, beside those that there are", function()
    local recent = { { incident = "INC-2", devices = 1, actions = 2, last = "2026-02-03T08:11:12Z" },
      { incident = "INC-1\27", devices = 30, actions = 61 } }
    assert.equal("INC-9: no restriction or release names it since then.\nThe incidents that acted last:\n"
      .. "  INC-2: 1 device, 2 actions, the last 2h ago\n  INC-1\\x1b: 30 devices, 61 actions\n",
      said({ absent = { "INC-9" }, recent = recent }, " since then"))
  end)

  it("is named where there is nothing else", function()
    assert.equal("INC-9: no restriction or release names it.\nNo restriction or release names any incident.\n",
      said { absent = { "INC-9" }, recent = {} })
  end)
end)
