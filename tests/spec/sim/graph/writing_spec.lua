-- What is written to alerts and incidents of Graph.
-- Labels: only-lua5.4
local json = require "mde.sim.base.json"
local sim = require "mde.sim"
local writing = require "mde.sim.graph.writing"

describe("what is written over Graph", function()
  local tenant = sim.new { start = 1770113472, machines = {} }

  local function request(members)
    return { origin = "https://graph.microsoft.com", headers = { ["content-type"] = "application/json" },
      body = type(members) == "table" and json.encode(members) or members }
  end

  local checks = { status = writing.member("status", "new", "resolved"), severity = writing.any_member "severity",
    assignedTo = writing.text_or_null, tags = writing.texts }

  local function read(members) return writing.read_changes(tenant, request(members), checks) end

  it("is a change of what can be changed", function()
    assert.same({ status = "resolved", severity = "unknown", assignedTo = false },
      read { status = "resolved", severity = "unknown", assignedTo = json.null })
    assert.same({ assignedTo = "kai", tags = { "a", "b" } }, read { assignedTo = "kai", tags = { "a", "b" } })
    assert.same({ tags = {} }, read '{"tags":[]}')
  end)

  it("is refused if it is anything else", function()
    for _, members in ipairs { {}, { status = "inProgress" }, { status = "New" }, { status = json.null },
        { severity = "unknownFutureValue" }, { assignedTo = 5 }, { tags = "a" }, { tags = { 5 } },
        { tags = { a = "b" } }, { tags = json.null }, { title = "x" }, "[]", "null" } do
      local changes, response = read(members)
      assert.is_nil(changes)
      assert.equal(400, response.status)
    end
  end)

  it("is a comment", function()
    local function comment(members) return writing.read_comment(tenant, request(members)) end
    assert.equal("seen", comment { comment = "seen" })
    assert.equal("seen", comment { comment = "seen", ["@odata.type"] = "microsoft.graph.security.alertComment" })
    assert.equal("seen", comment { comment = "seen", ["@odata.type"] = "#microsoft.graph.security.alertComment" })
    for _, members in ipairs { {}, { comment = " " }, { comment = 5 }, { comment = "x", by = "y" },
        { comment = "x", ["@odata.type"] = "microsoft.graph.comment" }, { comment = "x", ["@odata.type"] = 5 } } do
      local text, response = comment(members)
      assert.is_nil(text)
      assert.equal(400, response.status)
    end
  end)
end)
