-- What every answer of the API has: headers, and the shape of a refusal.
-- Labels: not-lua5.3
local answers = require "mde.sim.api.answers"
local json = require "mde.sim.base.json"
local schema = require "mde.sim.odata.schema"
local sim = require "mde.sim"

describe("an answer", function()
  local tenant

  before_each(function() tenant = sim.new { machines = { { riskScore = "High" }, {} } } end)

  it("has the service's headers, and an id of its own", function()
    local one, other = answers.with_body(tenant, 200, "{}"), answers.empty(tenant, 404)
    assert.same({ 200, "{}", 404, "" }, { one.status, one.body, other.status, other.body })
    assert.equal("application/json; odata.metadata=minimal; odata.streaming=true; charset=utf-8",
      one.headers["content-type"])
    assert.is_nil(other.headers["content-type"])
    assert.are_not.equal(one.headers["mise-correlation-id"], other.headers["mise-correlation-id"])
  end)

  it("that refuses has a code, a message and a target", function()
    local refused = answers.refusal(tenant, 400, "InvalidInput", 'a "word"')
    local told = json.decode(refused.body).error
    assert.same({ 400, "InvalidInput", 'a "word"' }, { refused.status, told.code, told.message })
    assert.truthy(told.target:find "^|%x+%.%x+%.$")
    assert.equal("x", json.decode(answers.refusal(tenant, 429, "429", "m", "x").body).error.target)
    local unknown = answers.no_such_machine(tenant, "x")
    assert.same({ 404, "ResourceNotFound" }, { unknown.status, json.decode(unknown.body).error.code })
  end)

  it("lists what the options want, or refuses them", function()
    local function list(query)
      return answers.list(tenant, { query = query, origin = "https://x", path = "/api/machines" }, schema.machine,
        tenant.machines)
    end
    assert.equal(1, #json.decode(list("$filter=riskScore%20eq%20'High'").body).value)
    assert.same({ 400, "ODataError" }, { list("$top=x").status, json.decode(list("$top=x").body).error.code })
  end)
end)
