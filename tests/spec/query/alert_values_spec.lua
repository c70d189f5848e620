-- How Defender for Endpoint spells what Graph spells otherwise.
-- Labels: only-lua5.4
local sim_values = require "mde.sim.model.alert_values"
local values = require "mde.query.alert_values"

describe("the values of alerts", function()
  it("are those that Graph has", function()
    for name, list in pairs { severity = values.severities, status = values.statuses,
        incidentStatus = values.incident_statuses, classification = values.classifications,
        determination = values.determinations, serviceSource = values.service_sources,
        detectionSource = values.detection_sources } do
      for _, value in ipairs(list) do assert.is_true(sim_values.is_listed(name, value), name .. " " .. value) end
    end
  end)

  it("are read from the spelling of Defender for Endpoint", function()
    for spelling, meant in pairs { ["severity UnSpecified"] = "unknown", ["severity High"] = "high",
        ["status InProgress"] = "inProgress", ["status Unknown"] = "unknown",
        ["classification TruePositive"] = "truePositive",
        ["classification Informational, expected activity"] = "informationalExpectedActivity",
        ["determination CompromisedUser"] = "compromisedAccount", ["determination Clean"] = "notMalicious",
        ["determination NotMalicious"] = "notMalicious", ["determination ConfirmedUserActivity"] = "confirmedActivity",
        ["determination InsufficientData"] = "notEnoughDataToValidate", ["detectionSource WindowsDefenderAv"] =
          "antivirus", ["detectionSource MTP"] = "microsoft365Defender" } do
      local name, own = spelling:match "^(%S+) (.*)$"
      assert.equal(meant, values.from_defender(name, own), spelling)
    end
  end)

  it("stay as they are where they are not known", function()
    assert.equal("Odd", values.from_defender("severity", "Odd"))
    assert.equal("Execution", values.from_defender("category", "Execution"))
    assert.is_nil(values.from_defender("severity", nil))
  end)

  it("have a spelling each, but for those that only Graph takes", function()
    for _, value in ipairs(values.determinations) do
      local own = values.spellings.determination[value]
      if value == "apt" or value == "securityPersonnel" then
        assert.is_nil(own)
      else
        assert.equal(value, values.from_defender("determination", own))
      end
    end
  end)
end)
