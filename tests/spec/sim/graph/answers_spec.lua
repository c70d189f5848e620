-- What every answer of the simulated Microsoft Graph has.
-- Labels: only-lua5.4
local answers = require "mde.sim.graph.answers"
local json = require "mde.sim.base.json"
local sim = require "mde.sim"

describe("an answer of Graph", function()
  local tenant = sim.new { machines = {}, start = 1770113472 }

  it("has an id of its own, and the client's", function()
    local response = answers.with_body(tenant, { headers = { ["client-request-id"] = "mine" } }, 200, "{}")
    assert.equal("mine", response.headers["client-request-id"])
    assert.equal(36, #response.headers["request-id"])
    response = answers.with_body(tenant, { headers = {} }, 200, "{}")
    assert.equal(response.headers["request-id"], response.headers["client-request-id"])
  end)

  it("that refuses has the same ids inside, a time and what is added", function()
    local response = answers.refusal(tenant, { headers = {} }, 504, "UnknownError", "", { status = "504" })
    assert.equal(504, response.status)
    local refusal = json.decode(response.body).error
    assert.same({ "UnknownError", "" }, { refusal.code, refusal.message })
    assert.same({ date = "2026-02-03T10:11:12", status = "504", ["request-id"] = response.headers["request-id"],
      ["client-request-id"] = response.headers["client-request-id"] }, refusal.innerError)
  end)

  it("tells new members of an enumeration to those who ask for them", function()
    for header, includes in pairs { ["include-unknown-enum-members"] = true, ["odata.maxpagesize=5"] = false,
      ["odata.maxpagesize=5, Include-Unknown-Enum-Members"] = true } do
      assert.equal(includes, answers.includes_unknown_members { headers = { prefer = header } })
    end
    assert.is_false(answers.includes_unknown_members { headers = {} })
  end)
end)
