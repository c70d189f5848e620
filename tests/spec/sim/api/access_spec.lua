-- Who asks the API, how often, and may they: tokens, roles and limits.
-- Labels: only-lua5.4
local caller = require "tests.spec.support.caller"
local sim = require "mde.sim"

local laptop = "1f00000000000000000000000000000000000017"
local restrict = ("machines/%s/restrictCodeExecution"):format(laptop)
local comment = { Comment = "because" }

local refused = caller.refused

describe("access", function()
  local tenant, client

  before_each(function()
    tenant = sim.new { start = 1770113472 + 0.3456789 }
    client = caller.new(tenant)
  end)

  describe("asks for a token and", function()
    it("refuses none", function()
      local response, answer = client:call("GET", "machines", nil, { Authorization = false })
      refused(401, "Unauthorized", response, answer)
      assert.equal("Bearer", response.headers["www-authenticate"])
      assert.truthy(response.headers["date"])
    end)

    it("refuses one that it did not give", function()
      for _, header in ipairs { "Bearer x.y.z", "Basic eDp5", "Bearer", "Bearer a b" } do
        local response, answer = client:call("GET", "machines", nil, { Authorization = header })
        refused(401, "Unauthorized", response, answer)
      end
    end)

    it("refuses one that has expired, by its own clock", function()
      assert.equal(200, client:get("machines").status)
      tenant:advance(3598)
      assert.equal(200, client:get("machines").status)
      tenant:advance(1)
      local response, answer = client:get "machines"
      refused(401, "Unauthorized", response, answer)
      assert.truthy(response.headers["www-authenticate"]:find('^Bearer error="invalid_token"'))
    end)

    it("refuses one for another audience", function()
      for _, resource in ipairs { "https://api.security.microsoft.com", "https://graph.microsoft.com" } do
        local _, token = client:ask_for_token { scope = resource .. "/.default" }
        local response, answer = client:call("GET", "machines", nil,
          { Authorization = "Bearer " .. token.access_token })
        refused(403, "Forbidden", response, answer)
      end
    end)

    it("accepts the older names of its audience", function()
      for _, resource in ipairs { "https://securitycenter.onmicrosoft.com/windowsatpservice",
          "https://api.securitycenter.windows.com" } do
        local _, token = client:ask_for_token { scope = resource .. "/.default" }
        local response = client:call("GET", "machines", nil, { Authorization = "Bearer " .. token.access_token })
        assert.equal(200, response.status)
      end
    end)

    it("names the role that is missing", function()
      tenant:put_application { client_id = "reader", client_secret = "x", roles = { "Machine.Read.All" } }
      tenant:put_application { client_id = "writer", client_secret = "x", roles = { "Machine.RestrictExecution" } }
      tenant:put_application { client_id = "nobody", client_secret = "x" }
      local reader = caller.new(tenant, { client_id = "reader", client_secret = "x" })
      local writer = caller.new(tenant, { client_id = "writer", client_secret = "x" })
      local nobody = caller.new(tenant, { client_id = "nobody", client_secret = "x" })
      assert.equal(200, reader:get("machines").status)
      assert.equal("Missing application roles. API required roles: Machine.RestrictExecution, "
        .. "application roles: Machine.Read.All.", refused(403, "Forbidden", reader:post(restrict, comment)))
      assert.equal(201, writer:post(restrict, comment).status)
      assert.equal("Missing application roles. API required roles: Machine.Read.All,Machine.ReadWrite.All, "
        .. "application roles: Machine.RestrictExecution.", refused(403, "Forbidden", writer:get "machineactions"))
      refused(403, "Forbidden", nobody:get("machines/" .. laptop))
      assert.equal(1, #tenant.actions)
    end)

    it("goes by the roles that a token was given with", function()
      client:token()
      tenant:put_application { client_id = tenant.client_id, client_secret = tenant.client_secret }
      assert.equal(200, client:get("machines").status)
      refused(403, "Forbidden", caller.new(tenant):get "machines")
    end)
  end)

  ---- limits

  it("counts calls in a minute, for each API", function()
    local _, action = client:post(restrict, comment)
    for _ = 1, 100 do assert.equal(200, client:get("machines").status) end
    tenant:advance(52.5)
    local response, answer = client:get "machines"
    assert.equal("API calls quota exceeded! Maximum allowed 100 per 00:01:00 for the key Destination+TenantID+AppID. "
      .. "You can send requests again in 8 seconds.", refused(429, "429", response, answer))
    assert.equal("8", response.headers["retry-after"])
    assert.equal(tenant.tenant_id, answer.error.target)
    assert.equal(200, client:get("machineactions/" .. action.id).status)
    tenant:advance(8)
    assert.equal(200, client:get("machines").status)
  end)

  it("counts for each application", function()
    tenant:put_application { client_id = "other", client_secret = "x", roles = { "Machine.Read.All" } }
    local other = caller.new(tenant, { client_id = "other", client_secret = "x" })
    for _ = 1, 101 do client:get "machines" end
    assert.equal(429, client:get("machines").status)
    assert.equal(200, other:get("machines").status)
  end)

  it("counts calls in an hour", function()
    tenant:set { lifetime = 86400, limits = { per_minute = 5, per_hour = 8 } }
    local function send(count)
      local last
      for _ = 1, count do last = client:get "machines" end
      return last
    end
    assert.equal(200, send(5).status)
    tenant:advance(61)
    assert.equal(200, send(3).status)
    local response = send(1)
    -- The second of the first five makes room for the next call, since the one refused has taken the first's.
    assert.same({ 429, "3539" }, { response.status, response.headers["retry-after"] })
    tenant:advance(3538)
    assert.equal(429, send(1).status)
    tenant:advance(1)
    assert.equal(200, send(1).status)
  end)

  it("makes those wait longer who do not wait", function()
    tenant:set { limits = { per_minute = 2, per_hour = 100 } }
    local function wait() return client:get("machines").headers["retry-after"] end
    assert.same({}, { wait() })
    tenant:advance(20)
    assert.same({}, { wait() })
    tenant:advance(10)
    assert.equal("50", wait())
    assert.equal("60", wait())
    tenant:advance(50)
    assert.equal("10", wait())
    tenant:advance(10)
    assert.same({}, { wait() })
  end)

  it("does not count if it was told so", function()
    tenant:set { limits = false }
    for _ = 1, 150 do assert.equal(200, client:get("machines").status) end
  end)

  it("acts on nothing that it throttled", function()
    tenant:set { limits = { per_minute = 1, per_hour = 10 } }
    assert.equal(201, client:post(restrict, comment).status)
    tenant:advance(10)
    assert.equal(429, client:post(restrict, comment).status)
    assert.equal(1, #tenant.actions)
  end)
end)
