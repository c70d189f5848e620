-- The body of a request to the simulated Microsoft Graph.
-- Labels: only-lua5.4
local body = require "mde.sim.graph.body"
local sim = require "mde.sim"

describe("a body for Graph", function()
  local tenant = sim.new { machines = {} }

  local function read(text, content_type)
    return body.read(tenant, { body = text, headers = { ["content-type"] = content_type or "application/json" } })
  end

  it("is an object of JSON", function()
    assert.same({ query = "x\ny" }, read [[ {"query":"x\ny"}]])
    assert.same({ query = "x" }, read([[{"query":"x"}]], "application/json; charset=utf-8"))
  end)

  it("is nothing else", function()
    for _, text in ipairs { "", "[]", "5", "{", '{"query":"x\ny"}', '{"query":"\255"}' } do
      local members, response = read(text)
      assert.is_nil(members)
      assert.equal(400, response.status)
    end
    assert.equal(415, select(2, read("{}", "text/plain")).status)
  end)
end)
