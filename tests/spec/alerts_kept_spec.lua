-- What the alerts of a client keep alive: not the client, in a Lua whose weak tables hold what their values know.
-- Labels: not-lua5.3
local mde = require "mde"
local rehearsal = require "tests.spec.support.rehearsal"

describe("the alerts of a client", function()
  it("keep no client that nobody has any more", function()
    local r = rehearsal.new { roles = { "Alert.Read.All" } }
    r.tenant:raise_alert { title = "beacon" }
    r.tenant:advance(1)
    local alive = setmetatable({}, { __mode = "k" })
    for _ = 1, 5 do
      local client = assert(mde.client { tenant_id = r.tenant.tenant_id, client_id = r.tenant.client_id,
        credential = r.tenant.client_secret, driver = r.driver })
      alive[client] = true
      local alert = client:alerts "all" ()
      assert.equal("beacon", alert.title)
      assert.same({}, alert:targets())
    end
    for _ = 1, 4 do collectgarbage() end
    local count = 0
    for _ in pairs(alive) do count = count + 1 end
    assert.is_true(count <= 1, count)
  end)
end)
