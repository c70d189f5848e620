-- The records about a machine that are not its own.
-- Labels: only-lua5.4
local detail_schema = require "mde.sim.odata.detail_schema"
local json = require "mde.sim.base.json"
local schema = require "mde.sim.odata.schema"

describe("the records of details", function()
  it("are written in the service's order, with its types", function()
    local text = schema.list(detail_schema.vulnerabilities, { { id = "CVE-1", cvssV3 = 4.3, exploitTypes = {} } })
    assert.truthy(text:find('"value":[{"id":"CVE-1","name":null,"description":null,"severity":null,"cvssV3":4.3', 1,
      true))
    assert.truthy(text:find('"exploitTypes":[]', 1, true))
    assert.equal(json.null, json.decode(schema.list(detail_schema.exposure, { {} })).value[1].score)
  end)

  it("have the number of properties that the pages show", function()
    local counts = {}
    for name, kind in pairs(detail_schema) do counts[name] = #kind.list end
    assert.same({ logonusers = 9, software = 9, vulnerabilities = 14, recommendations = 20, getmissingkbs = 6,
      exported_software = 13, exported_vulnerabilities = 23, exposure = 4 }, counts)
  end)
end)
