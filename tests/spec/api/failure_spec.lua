-- What a request that failed is told as: each says what happened and what to do now.

local posix = require "mde.posix"
local resources = require "mde.api.resource"
local describe_failure = require("mde.api.failure").describe
local errors = require "mde.base.error"

local function failure(status, fields)
  local all = { host = "api.example", verdict = "refused", delay = 0, attempts = 1, kind = "action",
    at = posix.clock.time(),
    permission = "Machine.RestrictExecution", show = errors.show, refusal = { foreign = false },
    response = status and { status = status, headers = {}, body = "" } }
  for name, value in pairs(fields or {}) do all[name] = value end
  return all
end

-- Of Microsoft Graph, in the cloud of DoD.
local function graph_failure(status, fields)
  local all = failure(status, fields)
  all.resource = setmetatable({ cloud = "dod" }, { __index = resources.kinds.graph })
  return all
end

local function line(fields)
  return tostring(errors.new(fields))
end

describe("a refusal of the service says what to do:", function()
  for _, case in ipairs {
    { 400, "OsPlatformNotSupported", "refused", "Leave this device out" },
    { 400, "ClientVersionNotSupported", "refused", "before the device is updated" },
    { 403, "DisabledFeature", "refused", "turn the feature on in the portal" },
    { 403, "DisallowedOperation", "refused", "a setting of the tenant or of the device's group" },
    { 403, "Forbidden", "permission", "Machine.RestrictExecution" },
    { 403, "Unauthorized", "permission", "Machine.RestrictExecution" },
    { 403, nil, "permission", "Machine.RestrictExecution" },
    { 404, "ResourceNotFound", "not_found", "Check the id" },
    { 404, nil, "not_found", "Check the id" },
    { 400, "ODataError", "refused", "Correct the query" },
    { 400, "BadRequest", "refused", "change what the service names" },
    { 400, "InvalidInput", "refused", "change what the service names" },
    { 400, "MissingRequiredParameter", "refused", "change what the service names" },
    { 400, nil, "refused", "change what the service names" },
    { 409, "SomethingNew", "refused", "change what the service names" },
    { 401, "Unauthorized", "auth", "MDE_SCOPE" },
    { 302, nil, "protocol", "MDE_BASE_URL" },
  } do
    it(("%d %s"):format(case[1], case[2] or "without a code"), function()
      local refusal = { code = case[2], message = "No.", foreign = false }
      local fields = describe_failure(failure(case[1], { refusal = refusal }))
      assert.equal(case[3], fields.kind)
      assert.truthy(fields.hint:find(case[4], 1, true), line(fields))
    end)
  end

  it("blames a proxy for what is the proxy's fault", function()
    for kind, hint in pairs { action = "Nothing was changed. Mend https_proxy.", read = "Mend https_proxy." } do
      local fields = describe_failure(failure(nil, { kind = kind, verdict = "exhausted", message = "407",
        code = "proxy_auth", proxy_hint = "Mend https_proxy." }))
      assert.equal(hint, fields.hint)
      assert.equal("proxy_auth", fields.code)
    end
  end)

  it("names the request that Microsoft's support asks for, unless it is a novel", function()
    local fields = describe_failure(failure(400, { refusal = { request_id = "|7.7.", foreign = false } }))
    assert.truthy(fields.hint:find("support asks for request |7.7.", 1, true), fields.hint)
    fields = describe_failure(failure(400, { refusal = { request_id = ("x"):rep(300), foreign = false } }))
    assert.is_nil(fields.hint:find(("x"):rep(3), 1, true))
  end)

  it("does not take a page that is not the service's for its word", function()
    for _, status in ipairs { 401, 403, 404 } do
      local fields = describe_failure(failure(status, { refusal = { foreign = true } }))
      assert.equal("protocol", fields.kind)
      assert.matches("proxy", fields.hint)
    end
  end)
end)

describe("a missing permission", function()
  -- What is told where these are the claims, and this is what the service says.
  local function told(claims, said, fields)
    local all = { claims = claims, refusal = said or {} }
    for name, value in pairs(fields or {}) do all[name] = value end
    local describes = describe_failure(failure(403, all))
    assert.equal("permission", describes.kind)
    return describes
  end

  local SERVICE = "https://api.securitycenter.microsoft.com"

  it("is told with those that the token has", function()
    for roles, has in pairs { [{ "Machine.Read.All", "Ti.Read" }] = "Machine.Read.All, Ti.Read", [{}] = "none" } do
      assert.equal(("Give the application the permission Machine.RestrictExecution (its token has %s) and let an "
        .. "administrator consent; a token from before that lacks it for up to an hour."):format(has),
        told({ roles = roles, aud = SERVICE }).hint)
    end
    assert.matches("(its token has none)", told({}).hint, 1, true)
  end)

  it("is told with those that the service names, where the token cannot be read", function()
    local said = { required_roles = "A.One,A.Two", present_roles = "B.One, B.Two" }
    for _, claims in ipairs { { opaque = true, roles = { "C.One" } }, false } do
      assert.matches("^Give the application the permission A.One or A.Two %(its token has B.One, B.Two%) and",
        told(claims or nil, said).hint)
    end
    assert.matches("(its token has none)", told(nil, { required_roles = "A.One", present_roles = "" }).hint, 1, true)
    assert.is_nil(told(nil, {}).hint:find("its token has", 1, true))
  end)

  it("is told in words where nobody knows which it is", function()
    for _, claims in ipairs { { roles = { "Machine.Isolate" }, aud = SERVICE }, {} } do
      local untold = failure(403, { claims = claims, refusal = {} })
      untold.permission = nil
      local describes = describe_failure(untold)
      assert.matches("^Give the application the permission that this action needs %(its token has [%w.]+%) and let an",
        describes.hint)
      assert.is_nil(describes.permission)
    end
  end)

  it("is told as it can be shown, whatever the service calls it", function()
    local hint = told(nil, { required_roles = "A\27[2J", present_roles = "B\10" }).hint
    assert.is_nil(hint:find "%c", hint)
    assert.matches("A\\x1b[2J", hint, 1, true)
    assert.matches("B\\x0a", hint, 1, true)
  end)

  it("is a matter of Microsoft Graph for a managed identity", function()
    local fields = told({ roles = {} }, nil, { credential = "managed identity" })
    assert.matches("^Give the managed identity the permission Machine.RestrictExecution %(its token has none%): ",
      fields.hint)
    assert.matches("Microsoft Graph", fields.hint)
    assert.equal("permission_missing", fields.code)
  end)

  it("is none where the token has it: then it is for somebody else, or the device's group is meant", function()
    local roles = { "Ti.Read", "Machine.RestrictExecution" }
    assert.matches("^Its token has the permission Machine.RestrictExecution%. .* a role for the device's group",
      told({ roles = roles, aud = SERVICE }).hint)
    for _, case in ipairs { { "https://graph.microsoft.com", "https://graph.microsoft.com" }, { nil, "nobody" },
      { "x\27", "x\\x1b" } } do
      assert.equal(("Its token has the permission Machine.RestrictExecution, but is for %s: check MDE_SCOPE and "
        .. "MDE_CLOUD."):format(case[2]), told({ roles = roles, aud = case[1] }).hint)
      assert.equal("wrong_audience", told({ roles = roles, aud = case[1] }).code)
    end
  end)

  it("is none where the tenant is not set up", function()
    local fields = told({ roles = {} }, { not_provisioned = true })
    assert.same({ "The tenant has not been set up for Defender for Endpoint.", "not_provisioned" },
      { fields.hint, fields.code })
  end)

  it("is not there because a role has the name of a word between two", function()
    assert.matches("^Give the application the permission Machine.Read.All or Machine.ReadWrite.All",
      told({ roles = { "or" } }, { required_roles = "Machine.Read.All,Machine.ReadWrite.All" }).hint)
  end)
end)

describe("every way to fail says what to do:", function()
  for what, case in pairs {
    ["no answer to a read"] = { nil, { verdict = "give_up", kind = "read", message = "refused" } },
    ["no answer to an action"] = { nil, { verdict = "give_up", message = "refused" } },
    ["an action whose fate is unknown"] = { nil, { verdict = "unknown", message = "gone" } },
    ["a read that failed"] = { 503, { verdict = "give_up", kind = "read" } },
    ["an action that failed"] = { 421, { verdict = "give_up" } },
    ["429"] = { 429, { verdict = "give_up" } },
    ["a wait that is too long"] = { 503, { verdict = "throttled", delay = 3000 } },
    ["an action that is active"] = { 400, { verdict = "active" } },
    ["nonsense"] = { 200, { verdict = "give_up", kind = "read", message = "it is not JSON" } },
    ["a token that came too late"] = { 401, { verdict = "give_up", kind = "read" } },
    ["a proxy's page"] = { 404, { refusal = { foreign = true } } },
  } do
    it(what, function()
      local fields = describe_failure(failure(case[1], case[2]))
      assert.is_string(fields.hint, line(fields))
      assert.truthy(fields.hint:find "%.$")
    end)
  end

  it("and when, where it is to be tried again", function()
    local before = posix.clock.time()
    for _, case in ipairs { { 30, 30 }, { 0, 60 } } do
      local fields = describe_failure(failure(429, { verdict = "give_up", delay = case[1] }))
      assert.equal("throttled", fields.kind)
      assert.is_true(fields.retry_at >= before + case[2] and fields.retry_at < before + case[2] + 20)
      assert.matches(("Try again in %d seconds"):format(case[2]), fields.hint)
    end
  end)

  it("and whether something was changed, which of a change of unknown fate nobody can say", function()
    for status, verdict in pairs { [421] = "give_up", [503] = "unknown" } do
      local fields = describe_failure(failure(status, { verdict = verdict }))
      assert.equal(verdict == "unknown" and "unknown" or "unavailable", fields.kind)
      assert.matches(verdict == "unknown" and "Do not repeat it blindly" or "Nothing was changed", fields.hint)
    end
    assert.is_nil(describe_failure(failure(503, { verdict = "give_up", kind = "read" })).hint:find("changed", 1, true))
  end)

  it("and how often it was tried, and what the service said, on one line", function()
    local fields = describe_failure(failure(503, { verdict = "give_up", kind = "read", attempts = 4,
      refusal = { message = "over\27load", foreign = false } }))
    assert.equal("the service failed (HTTP 503) (4 attempts): over\\x1bload", fields.message)
    fields = describe_failure(failure(nil, { verdict = "give_up", attempts = 4, message = "nobody is there" }))
    assert.equal("no answer from api.example: nobody is there (4 attempts)", fields.message)
  end)
end)

describe("a refusal of Microsoft Graph", function()
  local NEEDED = "ThreatHunting.Read.All"

  local function told(status, fields)
    fields.permission = NEEDED
    return describe_failure(graph_failure(status, fields))
  end

  it("names the scope of the cloud, and whom the token is for", function()
    local fields = told(401, { claims = { aud = "https://graph.microsoft.us" }, refusal = { message = "No." } })
    assert.equal("auth", fields.kind)
    assert.equal("Microsoft Graph did not accept a fresh token (HTTP 401): No.", fields.message)
    assert.equal("The token is for https://graph.microsoft.us. In the cloud dod Microsoft Graph takes tokens of the "
      .. "scope https://dod-graph.microsoft.us/.default: check MDE_SCOPE, MDE_BASE_URL and MDE_CLOUD.", fields.hint)
    fields = told(401, { credential = "token function", claims = { opaque = true }, refusal = {} })
    assert.matches("^In the cloud dod .* the function that gets tokens has to ask for the scope", fields.hint)
  end)

  it("names the permission, and the licence where the token does not tell its roles", function()
    local fields = told(403, { claims = { aud = "https://dod-graph.microsoft.us", roles = {} }, refusal = {} })
    assert.same({ "permission", NEEDED }, { fields.kind, fields.permission })
    assert.matches("Give the application the permission ThreatHunting.Read.All of Microsoft Graph (its token has none) "
      .. "and let an administrator consent", fields.hint, 1, true)
    assert.is_nil(fields.hint:find "licence")
    fields = told(403, { claims = { opaque = true }, refusal = {} })
    assert.matches("If it has that, the tenant lacks the licence", fields.hint, 1, true)
    assert.is_nil(fields.permission)
    fields = told(403, { credential = "managed identity", claims = { roles = { "A" } }, refusal = {} })
    assert.matches("assigns it that role of Microsoft Graph; it can take a day", fields.hint, 1, true)
  end)

  it("of a token that has the permission is the audience's or the licence's", function()
    local roles = { NEEDED }
    assert.equal("licence_missing", told(403, { claims = { aud = "https://graph.microsoft.com", roles = roles },
      refusal = {} }).code)
    local fields = told(403, { claims = { aud = "https://api.securitycenter.microsoft.com", roles = roles },
      refusal = {} })
    assert.equal("wrong_audience", fields.code)
  end)

  it("is known by its code in whatever case, and not by those of Defender", function()
    for _, code in ipairs { "BadRequest", "badRequest", "BADREQUEST" } do
      assert.matches("^Correct what the message names", told(400, { refusal = { code = code } }).hint)
    end
    assert.is_nil(told(400, { refusal = { code = "OsPlatformNotSupported" } }).hint:find "Leave this device out")
    assert.equal("not_found", told(404, { refusal = {} }).kind)
  end)

  it("that is no answer names Graph", function()
    local fields = told(504, { verdict = "exhausted", kind = "read", refusal = {} })
    assert.same({ "unavailable", "Microsoft Graph failed (HTTP 504)" }, { fields.kind, fields.message })
    fields = told(429, { verdict = "exhausted", kind = "read", refusal = {} })
    assert.same({ "throttled", "Microsoft Graph is throttling this application" }, { fields.kind, fields.message })
    fields = told(504, { verdict = "unknown", refusal = {} })
    assert.equal("Do not repeat it blindly: read first whether it was done.", fields.hint)
  end)
end)
