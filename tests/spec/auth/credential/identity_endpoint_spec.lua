-- credential.identity_endpoint: where a token may be asked for, and whose it is.

local endpoints = require "mde.auth.credential.identity_endpoint"
local rehearsal = require "tests.spec.support.rehearsal"
local token_requests = require "tests.spec.support.token_request"

describe("the endpoint of a managed identity", function()
  it("stays as it was set", function()
    local url = "HTTP://LOCALHOST:80/msi/token/"
    assert.equal(url, endpoints.check_url(url, "IDENTITY_ENDPOINT"))
  end)

  it("is on this machine or on its link-local network, or reached by https", function()
    for url, expected in pairs {
      ["http://10.0.0.1/"] = { "url_insecure", '"http://10.0.0.1/": http is spoken to this machine and its link-local '
        .. "network alone" },
      ["http://127.1/"] = { "url_malformed", '"http://127.1/", which is not the URL of an endpoint' },
      ["\27"] = { "url_malformed", '"[redacted]", which is not the URL of an endpoint' },
    } do
      local err = rehearsal.refused(endpoints.check_url, url, "IDENTITY_ENDPOINT")
      assert.same({ expected[1], "IDENTITY_ENDPOINT is " .. expected[2] }, { err.code, err.message })
    end
  end)

  it("is not shown with what a user part could have of a secret", function()
    local err = rehearsal.refused(endpoints.check_url, "http://user:made-up@127.0.0.1/", "IDENTITY_ENDPOINT")
    assert.is_nil(tostring(err):find("made-up", 1, true))
  end)

  it("is asked for the identity by its own names", function()
    local query = endpoints.query("2018-02-01", token_requests.new(), { resource_id = "/subscriptions/a" },
      { client_id = "client_id", object_id = "object_id", resource_id = "msi_res_id" })
    assert.same({ ["api-version"] = "2018-02-01", resource = "https://api.securitycenter.microsoft.com",
      msi_res_id = "/subscriptions/a" }, query)
  end)
end)

describe("the token of an endpoint", function()
  local wanted = { client_id = "1D000000-0000-4000-8000-0000000000A1" }

  it("is taken where it is of the identity that was named, or does not say whose it is", function()
    for _, answer in ipairs { { client_id = wanted.client_id:lower() }, {}, { client_id = "" }, { client_id = 7 } } do
      assert.equal(answer, endpoints.check_identity(answer, wanted))
    end
    local of_any = { client_id = "1d000000-0000-4000-8000-0000000000ff" }
    assert.equal(of_any, endpoints.check_identity(of_any, {}))
  end)

  it("is refused where it is of another", function()
    local answer, err = endpoints.check_identity({ client_id = "another\27[2J" }, wanted)
    assert.is_nil(answer)
    assert.equal("auth", err.kind)
    assert.matches("not of " .. wanted.client_id, err.message, 1, true)
    assert.is_true(rehearsal.is_one_line(tostring(err)))
    assert.is_string(err.hint)
  end)
end)

describe("a kind of managed identity", function()
  local class = endpoints.class { kind = "imds", name = "instance metadata service", ask = print }

  local function credential(options)
    return setmetatable({ options = options, url = "http://169.254.169.254:80/metadata/identity" }, class)
  end

  it("tells who receives what it sends, and whose identity it is", function()
    assert.equal("169.254.169.254:80", credential({}):host())
    assert.equal("instance metadata service, the machine's own", credential({}):about()[1].value)
    assert.equal("instance metadata service, the identity \\x1b[2J",
      credential({ client_id = "\27[2J" }):about()[1].value)
  end)

  it("is told from another by the identity that is named", function()
    assert.same({ "imds" }, credential({}):traits())
    for _, name in ipairs { "client_id", "object_id", "resource_id" } do
      assert.same({ "imds", "a" }, credential({ [name] = "a" }):traits())
    end
  end)
end)
