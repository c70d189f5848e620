-- What a request for a token that failed is told as: what happened, and what to do now.

local errors = require "mde.base.error"
local failures = require "mde.auth.failure"
local json = require "mde.sim.base.json"
local posix = require "mde.posix"
local rehearsal = require "tests.spec.support.rehearsal"

local ADVICE = { absent = "It is absent.", unassigned = "Assign one.", refused = "Check it." }

local function failure(status, fields)
  local all = { host = "login.example", verdict = "unavailable", delay = 0, attempts = 1, kind = "token",
    at = posix.clock.time(), show = errors.show, response = status and { status = status, headers = {}, body = "" } }
  for name, value in pairs(fields or {}) do
    if name ~= "body" then all[name] = value end
  end
  local body = fields and fields.body
  if body then all.response.body = type(body) == "table" and json.encode(body) or body end
  return all
end

-- The error as a person sees it, who is always told what to do, and a program, for which it has a code.
local function shown(fields, status)
  assert.is_string(fields.code)
  fields.http_status = status
  local err = errors.new(fields)
  assert.is_string(err.hint)
  assert.is_true(rehearsal.is_one_line(tostring(err)), tostring(err))
  return err
end

local function sign_in(status, fields) return shown(failures.sign_in(failure(status, fields)), status) end

local function identity(status, fields)
  return shown(failures.identity(failure(status, fields), "the endpoint", ADVICE), status)
end

describe("a sign-in that failed", function()
  it("without an answer names the host, the reason and how often it was tried", function()
    local err = sign_in(nil, { message = "could not resolve host", attempts = 3, code = "resolve" })
    assert.same({ "unavailable", "resolve" }, { err.kind, err.code })
    assert.equal("signing in at login.example failed: could not resolve host (3 attempts)", err.message)
    assert.matches("AZURE_AUTHORITY_HOST", err.hint)
  end)

  it("by the fault of the file with the certificates to trust does not blame the host", function()
    local err = sign_in(nil, { message = "the CA certificates could not be read", code = "tls_authorities" })
    assert.equal("Try again when that is mended.", err.hint)
  end)

  it("by a proxy's fault blames the proxy, and not the host", function()
    local err = sign_in(nil, { message = "407", code = "proxy_auth", proxy_hint = "Mend https_proxy." })
    assert.equal("Mend https_proxy.", err.hint)
  end)

  it("with a refusal has its code, its first line and where to mend it", function()
    local err = sign_in(401, { verdict = "refused", body = { error = "invalid_client", error_codes = { 7000215 },
      error_description = "AADSTS7000215: Wrong.\r\nTrace ID: a-trace", trace_id = "a-trace" } })
    assert.equal("auth", err.kind)
    assert.equal("AADSTS7000215", err.code)
    assert.equal("a-trace", err.request_id)
    assert.matches("(HTTP 401): AADSTS7000215: Wrong.", err.message, 1, true)
    assert.is_nil(err.message:find("Trace", 1, true))
    assert.matches("AZURE_CLIENT_SECRET", err.hint)
  end)

  it("with a number that nobody knows says what to check", function()
    local err = sign_in(400, { verdict = "refused", body = { error_codes = { 999999 } } })
    assert.equal("AADSTS999999", err.code)
    assert.matches("AZURE_TENANT_ID, AZURE_CLIENT_ID", err.hint, 1, true)
  end)

  it("with a refusal of somebody else's is no sign-in service's answer", function()
    for _, body in ipairs { "", "<html>", "{}" } do
      local err = sign_in(403, { verdict = "refused", body = body })
      assert.equal("protocol", err.kind)
      assert.matches("does not answer like a sign-in service", err.message, 1, true)
      assert.matches("proxy", err.hint)
    end
  end)

  it("that was throttled says when to come back, also where the answer does not", function()
    for delay, seconds in pairs { [0] = 5, [90] = 90 } do
      local before = posix.clock.time()
      local err = sign_in(delay > 0 and 503 or 429, { verdict = delay > 0 and "throttled" or "refused", delay = delay })
      assert.equal("throttled", err.kind)
      assert.is_true(err.retry_at >= before + seconds and err.retry_at <= posix.clock.time() + seconds)
      assert.matches(("wait for %d seconds"):format(seconds), err.message, 1, true)
    end
  end)

  it("with a redirect is not followed", function()
    local given = failure(302)
    given.response.headers.location = "https://elsewhere.example/\27[2J"
    local err = shown(failures.sign_in(given), 302)
    assert.equal("protocol", err.kind)
    assert.matches("elsewhere.example/\\x1b", err.message, 1, true)
  end)

  it("with a success that is no token says what it is instead", function()
    local err = sign_in(200, { message = "it has no access_token", attempts = 2 })
    assert.equal("protocol", err.kind)
    assert.matches("an answer that is no token: it has no access_token (2 attempts)", err.message, 1, true)
  end)

  it("because of the service itself is worth another try, and tells what it said", function()
    local err = sign_in(503, { attempts = 4, body = { error = "temporarily_unavailable", error_codes = { 90033 } } })
    assert.equal("unavailable", err.kind)
    assert.equal("AADSTS90033", err.code)
    assert.matches("(HTTP 503 AADSTS90033) (4 attempts)", err.message, 1, true)
    assert.is_string(err.hint)
    err = sign_in(500, { body = "<html>" })
    assert.equal("sign_in_failed", err.code)
    assert.matches("(HTTP 500)", err.message, 1, true)
    assert.equal("Try again in a minute.", err.hint)
  end)

  it("shows nothing of what comes from outside as it came", function()
    local err = sign_in(401, { verdict = "refused", body = { error = "\27[2J", error_description = "a\27[31mb" } })
    assert.equal("\\x1b[2J", err.code)
    assert.matches("a\\x1b[31mb", err.message, 1, true)
  end)
end)

describe("a managed identity's endpoint that failed", function()
  it("without an answer may not be there", function()
    local err = identity(nil, { host = "169.254.169.254", message = "connection refused", attempts = 2 })
    assert.equal("unavailable", err.kind)
    assert.equal("the endpoint (169.254.169.254) does not answer: connection refused (2 attempts)", err.message)
    assert.equal(ADVICE.absent, err.hint)
  end)

  it("tells an identity that is not assigned from one that is wrong", function()
    for hint, said in pairs { [ADVICE.unassigned] = "Identity not found", [ADVICE.refused] = "Resource is invalid" } do
      local err = identity(400, { verdict = "refused", body = { error = "invalid_request", error_description = said } })
      assert.equal("auth", err.kind)
      assert.equal("invalid_request", err.code)
      assert.equal(hint, err.hint)
      assert.matches("(HTTP 400): " .. said, err.message, 1, true)
    end
    local err = identity(400, { verdict = "refused", body = { message = "No Managed Identity found" } })
    assert.same({ "identity_unassigned", ADVICE.unassigned }, { err.code, err.hint })
    assert.equal(ADVICE.refused, identity(403, { verdict = "refused", body = { message = "identity not found" } }).hint)
  end)

  it("is absent where it is not found, and in trouble otherwise", function()
    assert.equal(ADVICE.absent, identity(404).hint)
    assert.equal("Try again in a minute.", identity(500).hint)
    assert.equal("unavailable", identity(500, { body = "<html>" }).kind)
  end)

  it("throttles for as long as it says, or a little", function()
    for delay, seconds in pairs { [0] = 5, [60] = 60 } do
      local before = posix.clock.time()
      local err = identity(429, { verdict = "throttled", delay = delay })
      assert.equal("throttled", err.kind)
      assert.is_true(err.retry_at >= before + seconds and err.retry_at <= posix.clock.time() + seconds)
    end
  end)

  it("with a success that is no token is something else", function()
    local err = identity(200, { message = "it has no access_token" })
    assert.equal("protocol", err.kind)
    assert.equal(ADVICE.absent, err.hint)
  end)
end)
