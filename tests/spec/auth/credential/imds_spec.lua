-- credential.imds: the managed identity of a virtual machine.

local environment = require "tests.spec.support.environment"
local identities = require "tests.spec.support.managed_identity"
local imds = require "mde.auth.credential.imds"
local rehearsal = require "tests.spec.support.rehearsal"
local token_requests = require "tests.spec.support.token_request"

local OTHER = identities.OTHER

describe("the managed identity", function()
  after_each(environment.restore)

  -- A client whose endpoint answers with a status for so many seconds, and how often it was asked.
  local function not_ready(source, seconds, status, headers, of_tenant)
    local r = identities.rehearse(source, nil, of_tenant)
    local send, ready, asked = r.driver.send, r.driver.now() + seconds, { 0 }
    r.driver.send = function(request)
      if not request.plain then return send(request) end
      asked[1] = asked[1] + 1
      if r.driver.now() >= ready then return send(request) end
      return { status = status, headers = headers or {}, body = "" }
    end
    return r, asked
  end

  for _, source in ipairs { "imds", "app_service", "arc" } do
    it("of a machine that has just booted is waited for: " .. source, function()
      for _, status in ipairs { 404, 410, 429, 500, 503 } do
        for _, seconds in ipairs { 8, 20 } do
          local r, asked = not_ready(source, seconds, status, nil,
            { arc = { challenge = "outside", directory = "/etc/mde" } })
          local began = r.driver.now()
          local _, err = r.client:machine "desk-5"
          -- Azure Arc's agent asks for a proof then.
          assert.equal(source == "arc" and "arc_challenge" or nil, err and err.code)
          local took = r.driver.now() - began
          assert.is_true(took >= seconds and took < seconds + 9, ("HTTP %d: %g"):format(status, took))
          assert.is_true(asked[1] <= 7)
        end
      end
    end)
  end

  it("of a virtual machine whose service is being brought up to date is waited for as long as that takes", function()
    local r, asked = not_ready("imds", 70, 410)
    assert.truthy(r.client:machine "desk-5")
    assert.equal(12, asked[1])
  end)

  it("is waited for while what answered before is started again, and not where nothing ever answers", function()
    for _, source in ipairs { "imds", "app_service" } do
      local r = not_ready(source, 20, 410)
      local send, began = r.driver.send, r.driver.now()
      r.driver.send = function(request)
        local time = r.driver.now() - began
        if request.plain and time >= 5 and time < 18 then return nil, "refused", false, "connect" end
        return send(request)
      end
      assert.truthy(r.client:machine "desk-5")
      r = not_ready(source, 0, 410)
      local asked = 0
      r.driver.send = function()
        asked = asked + 1
        return nil, "refused", false, "connect"
      end
      assert.equal("connect", select(2, r.client:machine "desk-5").code)
      assert.equal(4, asked)
    end
  end)

  it("is waited for no longer than the caller waits", function()
    for _, sequential in ipairs { true, false } do
      local r = not_ready("imds", 1000, 410, nil, { sequential = sequential })
      local began = r.driver.now()
      local _, err = r.client:machine("desk-5", { timeout = 9 })
      assert.equal("unavailable", err.kind)
      assert.matches("410", err.message, 1, true)
      assert.is_true(r.driver.now() - began <= 9)
    end
    -- Whoever waits long enough gets a token, though somebody else did not.
    local r = not_ready("imds", 15, 410)
    assert.equal("unavailable", select(2, r.client:machine("desk-5", { timeout = 9 })).kind)
    assert.truthy(r.client:machine("desk-5", { timeout = 30 }))
    -- And one with nothing in the background tries up to its end.
    r = not_ready("imds", 8, 410, nil, { sequential = true })
    assert.truthy(r.client:machine("desk-5", { timeout = 10 }))
  end)

  it("that does not get ready in all that time is left in peace for a minute, otherwise for seconds", function()
    for _, status in ipairs { 404, 410 } do
      local r, asked = not_ready("imds", 1000, status)
      local _, err = r.client:machine "desk-5"
      assert.equal("unavailable", err.kind)
      assert.matches(status == 404 and "Only a virtual machine in Azure" or "Try again in a minute", err.hint, 1, true)
      local before = asked[1]
      assert.equal(status == 404 and 7 or 12, before)
      r.tenant:advance(59)
      assert.is_truthy(select(2, r.client:machine "desk-5").age)
      assert.equal(before, asked[1])
      r, asked = not_ready("imds", 10, status, nil, { sequential = true })
      assert.equal("unavailable", select(2, r.client:machine("desk-5", { timeout = 4 })).kind)
      r.tenant:advance(5.5)
      assert.truthy(r.client:machine "desk-5")
      assert.is_true(asked[1] < 9)
    end
  end)

  it("of a virtual machine is not asked sooner than it wants to be", function()
    local r, asked = not_ready("imds", 20, 429, { ["retry-after"] = "20" })
    assert.truthy(r.client:machine "desk-5")
    assert.equal(2, asked[1])
  end)

  it("is refreshed without haste while there is a token", function()
    local r = identities.rehearse "imds"
    assert.truthy(r.client:machine "desk-5")
    r:fault { fault = "answer", status = 410, match = { path = "/metadata/" }, count = false }
    r.tenant:advance(3599 - 200)
    local began = r.driver.now()
    assert.truthy(r.client:machine "desk-5")
    assert.is_true(r.driver.now() - began < 1)
  end)

  it("of a virtual machine that is none says what else there is", function()
    local r = identities.rehearse "imds"
    r:fault { fault = "refuse", count = false }
    local _, err = r.client:machine "desk-5"
    assert.equal("unavailable", err.kind)
    assert.matches("AZURE_CLIENT_CERTIFICATE_PATH", err.hint)
  end)

  it("whose agent gives another's token is an error", function()
    local r = identities.rehearse("imds", { client_id = OTHER.client_id })
    r:answer({ path = "/metadata/" }, 200, { access_token = "a.b.c", expires_in = "3599", token_type = "Bearer",
      client_id = "1d000000-0000-4000-8000-0000000000ff" })
    local _, err = r.client:machine "desk-5"
    assert.equal("auth", err.kind)
    assert.matches("not of " .. OTHER.client_id, err.message, 1, true)
  end)

  it("of a virtual machine is asked for at the one address, if no other is named that is near", function()
    local function asked(host)
      environment.set { AZURE_POD_IDENTITY_AUTHORITY_HOST = host }
      local request = token_requests.new()
      assert(imds.new({ resource_id = "/subscriptions/a" }):ask(request))
      assert.same({ Metadata = "true" }, request.got[1].headers)
      assert.equal("/subscriptions/a", request.got[1].query.msi_res_id)
      return request.got[1].url
    end
    assert.equal("http://169.254.169.254/metadata/identity/oauth2/token", asked(nil))
    assert.equal("http://127.0.0.1:9/metadata/identity/oauth2/token", asked "http://127.0.0.1:9//")
    environment.set { AZURE_POD_IDENTITY_AUTHORITY_HOST = "http://10.0.0.1/" }
    assert.matches("AZURE_POD_IDENTITY_AUTHORITY_HOST", rehearsal.refused(imds.new, {}).message, 1, true)
  end)
end)
