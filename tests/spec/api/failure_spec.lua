-- What a request that failed is told as: each says what happened and what to do now.

local posix = require "mde.posix"
local describe_failure = require("mde.api.failure").describe
local errors = require "mde.base.error"

local function failure(status, fields)
  local all = { host = "api.example", verdict = "refused", delay = 0, attempts = 1, kind = "action",
    permission = "Machine.RestrictExecution", show = errors.show, refusal = { foreign = false },
    response = status and { status = status, headers = {}, body = "" } }
  for name, value in pairs(fields or {}) do all[name] = value end
  return all
end

local function line(fields)
  return tostring(errors.new(fields))
end

describe("a refusal of the service says what to do:", function()
  for _, case in ipairs {
    { 400, "OsPlatformNotSupported", "refused", "Windows 10 1709 or later, Windows 11 and Windows Server 2019" },
    { 400, "ClientVersionNotSupported", "refused", "before Windows is updated" },
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

  it("names the request that Microsoft's support asks for, unless it is a novel", function()
    local fields = describe_failure(failure(400, { refusal = { request_id = "|7.7.", foreign = false } }))
    assert.truthy(fields.hint:find("support asks for request |7.7.", 1, true), fields.hint)
    fields = describe_failure(failure(400, { refusal = { request_id = ("x"):rep(300), foreign = false } }))
    assert.is_nil(fields.hint:find(("x"):rep(3), 1, true))
  end)
end)

describe("a missing permission", function()
  -- What is said where these are the claims, and this is the service's message.
  local function hint(claims, message, fields)
    local all = { claims = claims, refusal = { message = message, foreign = false } }
    for name, value in pairs(fields or {}) do all[name] = value end
    local told = describe_failure(failure(403, all))
    assert.equal("permission", told.kind)
    return told.hint
  end

  it("is not there because a role has the name of a word between two", function()
    local needed = "Missing application roles. API required roles: Machine.Read.All,Machine.ReadWrite.All, "
      .. "application roles: or."
    assert.matches("^Give the application the permission Machine.Read.All or Machine.ReadWrite.All",
      hint({ roles = { "or" } }, needed))
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
    assert.is_true(describe_failure(failure(429, { verdict = "give_up", delay = 30 })).retry_at >= before + 30)
  end)
end)
