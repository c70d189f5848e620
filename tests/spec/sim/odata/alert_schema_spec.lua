-- The records that the older API has about alerts.
-- Labels: not-lua5.3
local alert_schema = require "mde.sim.odata.alert_schema"
local json = require "mde.sim.base.json"
local schema = require "mde.sim.odata.schema"

describe("the record of an alert", function()
  it("has the properties that the service writes, and filters by those that it names", function()
    local filterable = {}
    for _, one in ipairs(alert_schema.alert.list) do
      if one.filterable then filterable[#filterable + 1] = one.name end
    end
    assert.equal("id incidentId investigationId assignedTo severity status detectionSource category "
      .. "alertCreationTime lastEventTime lastUpdateTime", table.concat(filterable, " "))
    assert.equal(29, #alert_schema.alert.list)
    assert.equal("evidence", alert_schema.alert.expandable)
  end)

  it("has evidence whose pieces all have the same 25 members", function()
    local text = schema.entity(alert_schema.alert, { evidence = { { entityType = "Ip", ipAddress = "203.0.113.7" } } })
    local piece, count = json.decode(text).evidence[1], 0
    for _ in pairs(piece) do count = count + 1 end
    assert.same({ 25, "Ip", json.null }, { count, piece.entityType, piece.sha1 })
  end)
end)

describe("the records of users and files", function()
  it("are written in the service's order", function()
    assert.truthy(schema.entity(alert_schema.user, { id = "corp\\x" })
      :find('#Users/$entity","id":"corp\\\\x","accountName":null', 1, true))
    assert.truthy(schema.list(alert_schema.file, { { sha1 = "00" } })
      :find('"value":[{"sha1":"00","sha256":null', 1, true))
  end)
end)
