-- What alerts and incidents can be selected by, as OData for each source.
-- Labels: only-lua5.4
local mde = require "mde"
local queries = require "mde.query.filter"
local rehearsal = require "tests.spec.support.rehearsal"

local function odata(of, query)
  return table.concat((queries.compile(of, query).filters(1770113472)), " | ")
end

describe("a query of alerts", function()
  it("is asked of Defender for Endpoint in its own names and values", function()
    for expected, query in pairs {
      ["severity eq 'High'"] = { severity = "high" },
      ["severity eq 'Medium' or severity eq 'High'"] = { severity = mde.ge "medium" },
      ["status ne 'InProgress'"] = { status = mde.ne "inProgress" },
      ["alertCreationTime ge 2026-02-03T08:11:12Z"] = { createdDateTime = mde.ge(mde.ago "2h") },
      ["(lastUpdateTime ge 2026-02-03T00:00:00Z and lastUpdateTime le 2026-02-04T00:00:00Z)"] =
        { lastUpdateDateTime = mde.between("2026-02-03", "2026-02-04") },
      ["incidentId eq 28282"] = { incidentId = "28282" },
      ["incidentId eq 7587 or incidentId eq 7588"] = { incidentId = { 7587, 7588 } },
      ["detectionSource eq 'WindowsDefenderAv'"] = { detectionSource = "antivirus" },
      ["startswith(category,'Lateral')"] = { category = mde.startswith "Lateral" },
      ["assignedTo eq 'o''brien@corp.example' and status eq 'New'"] = { status = "new",
        assignedTo = "o'brien@corp.example" },
    } do assert.equal(expected, odata("alerts", query)) end
  end)

  it("is asked of Graph in its names", function()
    for expected, query in pairs {
      ["severity eq 'low' or severity eq 'medium'"] = { severity = mde.between("low", "medium") },
      ["createdDateTime ge 2026-02-03T08:11:12Z and status eq 'new'"] = { status = "new",
        createdDateTime = mde.ge(mde.ago "2h") },
      ["determination eq 'compromisedAccount'"] = { determination = "compromisedAccount" },
      ["serviceSource eq 'microsoftSentinel'"] = { serviceSource = "microsoftSentinel" },
    } do assert.equal(expected, odata("graph_alerts", query)) end
    assert.equal("status eq 'redirected'", odata("incidents", { status = "redirected" }))
    assert.equal("", odata("incidents", "all"))
  end)

  local function refused(of, query)
    return rehearsal.refused(queries.compile, of, query)
  end

  it("is refused by name where the source has no such filter, and the other is named", function()
    local err = refused("alerts", { classification = "truePositive" })
    assert.equal("field_not_filterable", err.code)
    assert.truthy(tostring(err):find('source = "graph"', 1, true))
    err = refused("graph_alerts", { category = "Execution" })
    assert.truthy(tostring(err):find('source = "defender"', 1, true))
    err = refused("graph_alerts", { incidentId = "1" })
    assert.truthy(tostring(err):find("mde.incident(id)", 1, true))
    for _, of in ipairs { "alerts", "graph_alerts", "incidents" } do
      assert.equal("field_not_filterable", refused(of, { description = "x" }).code)
    end
  end)

  it("is refused where it would select more, or something else, than was meant", function()
    assert.equal("query_empty", refused("alerts", {}).code)
    assert.truthy(tostring(refused("alerts", { severty = "high" })):find('Did you mean "severity"?', 1, true))
    local function filters(of, query) return function() odata(of, query) end end
    local err = rehearsal.refused(filters("alerts", { severity = "High" }))
    assert.truthy(tostring(err):find('Did you mean "high"?', 1, true))
    err = rehearsal.refused(filters("graph_alerts", { status = "New" }))
    assert.truthy(tostring(err):find('Did you mean "new"?', 1, true))
    for _, value in ipairs { "INC-1", 1.5, -1, "", ("9"):rep(16) } do
      rehearsal.refused(filters("alerts", { incidentId = value }))
    end
  end)
end)
