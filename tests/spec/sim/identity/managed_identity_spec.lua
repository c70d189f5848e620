-- The endpoints of managed identities: tokens, and what is refused to whoever asks in another way.
-- Labels: not-lua5.3

local caller = require "tests.spec.support.caller"
local json = require "mde.sim.base.json"
local sim = require "mde.sim"

local RESOURCE = "https://api.securitycenter.microsoft.com"
local OWN, OTHER = "1d000000-0000-4000-8000-00000000001d", "1d000000-0000-4000-8000-0000000000a1"

local function query(parameters)
  local parts = {}
  for name, value in pairs(parameters) do parts[#parts + 1] = name .. "=" .. caller.escape(value) end
  return table.concat(parts, "&")
end

describe("the endpoint of a managed identity", function()
  local tenant

  before_each(function()
    tenant = sim.new { identities = { { client_id = OWN, system = true, roles = { "Machine.Read.All" } },
      { client_id = OTHER, object_id = "1d000000-0000-4000-8000-0000000000a2", resource_id = "/a/b" } } }
  end)

  local function ask(path, parameters, headers, changes)
    local request = { method = "GET", url = path .. "?" .. query(parameters), headers = headers, plain = true }
    for name, value in pairs(changes or {}) do request[name] = value end
    local response = tenant:handle(request)
    return response, json.decode(response.body)
  end

  local function imds(parameters, headers, changes)
    local all = { ["api-version"] = "2018-02-01", resource = RESOURCE }
    for name, value in pairs(parameters or {}) do all[name] = value or nil end
    return ask("/metadata/identity/oauth2/token", all, headers or { Metadata = "true" }, changes)
  end

  it("of a virtual machine gives a token in texts alone", function()
    local response, answer = imds()
    assert.equal(200, response.status)
    for name, value in pairs(answer) do assert.equal("string", type(value), name) end
    assert.equal("Bearer", answer.token_type)
    assert.equal(3599, tonumber(answer.expires_on) - tonumber(answer.not_before))
    assert.equal(OWN, answer.client_id)
    assert.equal(200, tenant:handle({ method = "GET", url = "/api/machines",
      headers = { Authorization = "Bearer " .. answer.access_token } }).status)
  end)

  it("gives a token for Graph, with the identity's roles there", function()
    tenant:set { identities = { { client_id = OWN, system = true, graph_roles = { "ThreatHunting.Read.All" } } } }
    local _, answer = imds { resource = "https://graph.microsoft.com" }
    assert.same({ "https://graph.microsoft.com", { "ThreatHunting.Read.All" } },
      { answer.resource, tenant.tokens[answer.access_token].roles })
  end)

  for _, parameters in ipairs { { client_id = OTHER }, { object_id = "1D000000-0000-4000-8000-0000000000A2" },
    { msi_res_id = "/a/b" } } do
    it("gives that of the one who is named by " .. next(parameters), function()
      local _, answer = imds(parameters)
      assert.equal(OTHER, answer.client_id)
    end)
  end

  local refused = {
    { "without the header Metadata", nil, {} }, { "with another value in it", nil, { Metadata = "True" } },
    { "through a proxy", nil, { Metadata = "true", ["X-Forwarded-For"] = "10.0.0.1" } },
    { "without a version", { ["api-version"] = false } }, { "without a resource", { resource = false } },
    { "for a scope", { resource = RESOURCE .. "/.default" } },
    { "for what there is not", { resource = "https://a.b" } },
    { "for somebody unknown", { client_id = "1d000000-0000-4000-8000-0000000000ff" } },
  }
  for _, case in ipairs(refused) do
    it("of a virtual machine refuses " .. case[1], function()
      local response, answer = imds(case[2], case[3])
      assert.equal(400, response.status)
      assert.is_string(answer.error)
      assert.is_string(answer.error_description)
    end)
  end

  it("is not there over TLS, and nothing else is there without it", function()
    assert.equal(404, imds(nil, nil, { plain = false }).status)
    assert.equal(404, ask("/api/machines", {}, {}).status)
    assert.equal(405, imds(nil, nil, { method = "POST" }).status)
  end)

  local function app(parameters, header)
    local all = { ["api-version"] = "2019-08-01", resource = RESOURCE }
    for name, value in pairs(parameters or {}) do all[name] = value or nil end
    return ask("/msi/token", all, { ["X-IDENTITY-HEADER"] = header or tenant.app_header })
  end

  it("of an app has its own manners", function()
    local response, answer = app()
    assert.equal(200, response.status)
    assert.is_nil(answer.expires_in)
    assert.equal("string", type(answer.expires_on))
    assert.equal(OTHER, select(2, app { principal_id = "1d000000-0000-4000-8000-0000000000a2" }).client_id)
    assert.equal(OTHER, select(2, app { mi_res_id = "/a/b" }).client_id)
    for _, case in ipairs { { { msi_res_id = "/a/b" }, nil, 400 }, { nil, "another", 401 },
      { { ["api-version"] = "2018-02-01" }, nil, 400 }, { { client_id = "x" }, nil, 400 } } do
      response, answer = app(case[1], case[2])
      assert.equal(case[3], response.status)
      assert.equal(case[3], answer.statusCode)
      assert.is_string(answer.message)
    end
  end)

  it("of Azure Arc asks for a proof, which holds once", function()
    local directory = os.tmpname()
    os.remove(directory)
    os.execute("mkdir " .. directory)
    finally(function() os.execute("rm -rf " .. directory) end)
    tenant:set { arc = { directory = directory } }
    local parameters = { ["api-version"] = "2020-06-01", resource = RESOURCE }
    local path = "/metadata/identity/oauth2/token"
    assert.equal(400, ask(path, parameters, {}).status)
    local response = ask(path, parameters, { Metadata = "true" })
    assert.equal(401, response.status)
    local named = response.headers["www-authenticate"]:match "^Basic realm=(.*)$"
    local file = assert(io.open(named))
    local key = file:read "*a"
    file:close()
    local headers = { Metadata = "true", Authorization = "Basic " .. key }
    assert.equal(200, ask(path, parameters, headers).status)
    assert.equal(401, ask(path, parameters, headers).status)
  end)
end)
