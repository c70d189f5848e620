-- Lists of Graph: options, pages and links.
-- Labels: only-lua5.4
local json = require "mde.sim.base.json"
local lists = require "mde.sim.graph.lists"
local sim = require "mde.sim"

local kind = lists.kind("things", "owner", "at", { severity = "severity", status = "incidentStatus" }, "title")

describe("a list of Graph", function()
  local tenant, records
  local request = { origin = "https://graph.microsoft.com", path = "/v1.0/security/things", query = "", headers = {} }

  before_each(function()
    tenant, records = sim.new { start = 1770113472, machines = {} }, {}
    for i = 1, 5 do
      records[i] = { title = ("%d"):format(i), owner = i == 1 and "Kai" or nil, severity = i < 3 and "high" or "low",
        at = "2026-02-03T10:11:12Z" }
    end
  end)

  local function ask(options, query)
    request.query = query or ""
    local response = lists.answer(tenant, request, options, kind, "things", records, function(record)
      return json.encode(record.title)
    end)
    return response.status, json.decode(response.body)
  end

  local function titles(options)
    local status, answer = ask(options)
    assert.equal(200, status, answer.error and answer.error.message)
    return table.concat(answer.value, " "), answer
  end

  it("is told whole if it fits on a page", function()
    local text, answer = titles {}
    assert.equal("1 2 3 4 5", text)
    assert.equal("https://graph.microsoft.com/v1.0/$metadata#security/things", answer["@odata.context"])
    assert.is_nil(answer["@odata.nextLink"])
    assert.is_nil(answer["@odata.count"])
  end)

  it("comes in pages, each with a link to the next", function()
    tenant:set { alert_lists = { page_rows = 2 } }
    local text, answer = titles { ["$count"] = "true" }
    assert.same({ "1 2", 5, "https://graph.microsoft.com/v1.0/security/things?$skip=2" }, { text,
      answer["@odata.count"], answer["@odata.nextLink"] })
    local _, more = ask({ ["$top"] = "3", ["$skip"] = "1" }, "$top=3&$skip=1&$count=false")
    assert.equal("https://graph.microsoft.com/v1.0/security/things?$top=3&$count=false&$skip=4",
      more["@odata.nextLink"])
    text, answer = titles { ["$skip"] = "4" }
    assert.same({ "5" }, { text, answer["@odata.nextLink"] })
    assert.equal("", (titles { ["$skip"] = "5" }))
  end)

  it("has bad manners, if it is told to", function()
    tenant:set { alert_lists = { page_rows = 2, repeats = 1, next_link = "looping" } }
    local text, answer = titles { ["$skip"] = "2" }
    assert.same({ "2 3", "https://graph.microsoft.com/v1.0/security/things?$skip=0" }, { text,
      answer["@odata.nextLink"] })
    tenant:set { alert_lists = { next_link = "foreign" } }
    assert.truthy(select(2, titles {})["@odata.nextLink"]:find "^https://elsewhere.example/")
  end)

  it("is filtered by what the documents name", function()
    assert.equal("1 2", (titles { ["$filter"] = "severity eq 'high'" }))
    assert.equal("1", (titles { ["$filter"] = "owner eq 'Kai' and at ge 2026-02-03T10:11:12Z" }))
    assert.equal("1 2 3 4 5", (titles { ["$filter"] = "severity in ('low', 'high')" }))
    assert.equal("", (titles { ["$filter"] = "at gt 2026-02-03T10:11:12.0000000Z" }))
    assert.equal("", (titles { ["$filter"] = "owner eq 'kai'" }))
    tenant:set { comparison = "caseless" }
    assert.equal("1", (titles { ["$filter"] = "owner eq 'kai'" }))
  end)

  it("refuses the rest", function()
    for _, options in ipairs { { ["$top"] = "0" }, { ["$top"] = "1001" }, { ["$top"] = "x" }, { ["$skip"] = "-1" },
        { ["$count"] = "yes" }, { ["$filter"] = "title eq 'x'" }, { ["$filter"] = "Owner eq 'x'" },
        { ["$filter"] = "severity eq 'High'" }, { ["$filter"] = "'High' eq severity" },
        { ["$filter"] = "severity in ('low', 'worst')" }, { ["$filter"] = "status eq 'new'" } } do
      local status, answer = ask(options)
      assert.same({ 400, "BadRequest" }, { status, answer.error.code })
    end
  end)
end)
