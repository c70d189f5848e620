-- An incident from a row of Graph.
-- Labels: only-lua5.4
local incidents = require "mde.alert.incident"

describe("an incident", function()
  it("has what Graph says of it", function()
    local row = { id = "28279", status = "redirected", redirectIncidentId = "28282", displayName = "rundll32",
      createdDateTime = "2026-11-20T02:59:04.5533333Z", lastUpdateDateTime = "2026-11-20T03:02:15.2Z",
      classification = "unknown", determination = "unknown", severity = "high", customTags = { "CASE-4711" },
      priorityScore = 87, comments = { { comment = "seen" } }, alerts = {} }
    local incident = incidents.of_row(row)
    for _, name in ipairs { "id", "status", "redirectIncidentId", "displayName", "createdDateTime",
        "lastUpdateDateTime", "severity", "priorityScore" } do
      assert.equal(row[name], incident[name], name)
    end
    assert.same({ { "CASE-4711" }, { { comment = "seen" } } }, { incident.customTags, incident.comments })
    assert.is_nil(incident.alerts)
    assert.equal(row, incident.row)
  end)

  it("costs no more than the value that is not as it was meant to be", function()
    local incident = incidents.of_row({ id = "1", customTags = 3, comments = "x", priorityScore = "high",
      displayName = {}, redirectIncidentId = 28282 }, { { id = "a" } }, 2)
    assert.same({ {}, {}, "28282", 2, 1 }, { incident.customTags, incident.comments, incident.redirectIncidentId,
      incident.unidentified, #incident.alerts })
    assert.is_nil(incident.displayName)
    assert.is_nil(incident.priorityScore)
  end)
end)
