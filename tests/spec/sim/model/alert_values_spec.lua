-- What the documents list as the values of alerts and incidents.
-- Labels: not-lua5.3
local alert_values = require "mde.sim.model.alert_values"

describe("the values of an alert", function()
  it("are known by property", function()
    assert.is_true(alert_values.is_listed("severity", "high"))
    assert.is_false(alert_values.is_listed("severity", "High"))
    assert.is_false(alert_values.is_listed("severity", "unknownFutureValue"))
    assert.is_nil(alert_values.undocumented("severity", "high"))
    assert.is_nil(alert_values.undocumented("title", "High"))
    assert.is_nil(alert_values.undocumented("severity", nil))
    local message = alert_values.undocumented("incidentStatus", "new")
    assert.equal("status must be one of active, resolved, inProgress, redirected, awaitingAction, not 'new'", message)
  end)

  it("hide those behind the sentinel from a client that did not ask for them", function()
    assert.equal("unknownFutureValue", alert_values.closed("serviceSource", "microsoftSentinel"))
    assert.equal("unknownFutureValue", alert_values.closed("incidentStatus", "awaitingAction"))
    assert.equal("unknownFutureValue", alert_values.closed("remediationStatus", "active"))
    assert.equal("microsoftDefenderForEndpoint", alert_values.closed("serviceSource", "microsoftDefenderForEndpoint"))
    assert.equal("never seen", alert_values.closed("serviceSource", "never seen"))
    assert.is_nil(alert_values.closed("serviceSource", nil))
  end)
end)
