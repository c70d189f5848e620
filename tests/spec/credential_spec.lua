-- credential: the client secret, and what the sign-in service's refusals mean.
local rehearsal = require "tests.spec.support.rehearsal"

local core = require "mde.core"
local json = require "mde.sim.json"
local mde = require "mde"
local refusal = require "mde.credential.refusal"
local secret = require "mde.credential.secret"

local VALUE = "a made-up value ~+/=%&"

describe("a client secret", function()
  it("says what it has to send, and nothing to those who print it", function()
    local credential = secret.new(VALUE)
    assert.same({ client_secret = VALUE }, credential:form())
    assert.is_nil(tostring(credential):find("made-up", 1, true))
    for name, value in pairs(credential) do
      assert.is_nil((tostring(name) .. tostring(value)):find("made-up", 1, true))
    end
    for _, value in ipairs(credential:secrets()) do
      assert.is_nil(tostring(value):find("made-up", 1, true))
    end
    assert.equal("say [redacted].", core.redact.known("say " .. VALUE .. ".", credential:secrets()))
  end)

  it("is the same by the face", function()
    assert.same({ client_secret = VALUE }, mde.credential.secret(VALUE):form())
  end)

  local wrong = {
    { "is nothing", nil, "empty" }, { "is empty", "", "empty" }, { "is a number", 7, "empty" },
    { "has a line end", "value\n", "line break" }, { "has a NUL", "val\0ue", "control character" },
    { "is a whole file", ("x"):rep(4097), "4,096" },
  }
  for _, case in ipairs(wrong) do
    it("is refused if it " .. case[1], function()
      local err = rehearsal.refused(secret.new, case[2])
      assert.matches(case[3], err.message)
      assert.is_string(err.hint)
      assert.is_nil(tostring(err):find("val", 1, true) and tostring(err):find("ue\\", 1, true))
    end)
  end

  it("reaches the sign-in service whatever characters it has", function()
    for _, value in ipairs { "~+/=%&", "a b c d", "\195\164\226\130\172 and more", [[quotes"'\]], "%41%20+" } do
      local r = rehearsal.new { client_secret = value, client = { credential = value } }
      assert.truthy(r.client:machine "desk-5")
    end
  end)

  it("may be one that the caller made", function()
    local r = rehearsal.new()
    r = rehearsal.new { client = { credential = secret.new(r.tenant.client_secret) } }
    assert.truthy(r.client:machine "desk-5")
  end)
end)

describe("a refusal", function()
  local function read(fields)
    return refusal.read(json.encode(fields))
  end

  it("has a code, one line, a hint and an id", function()
    local code, description, hint, id = read {
      error = "invalid_client", error_codes = { 7000215 }, trace_id = "a-trace",
      error_description = "AADSTS7000215: Invalid client secret provided.\r\nTrace ID: a-trace\r\nTimestamp: now" }
    assert.equal("AADSTS7000215", code)
    assert.equal("AADSTS7000215: Invalid client secret provided.", description)
    assert.matches("AZURE_CLIENT_SECRET", hint)
    assert.equal("a-trace", id)
  end)

  it("is known by its description where the list of numbers is missing", function()
    local code, _, hint = read { error = "invalid_client", error_description = "AADSTS7000222: Expired." }
    assert.equal("AADSTS7000222", code)
    assert.matches("expired", hint)
  end)

  it("has a hint for what people get wrong", function()
    local expected = {
      [7000215] = "AZURE_CLIENT_SECRET", [7000222] = "expired", [700016] = "AZURE_CLIENT_ID",
      [90002] = "AZURE_TENANT_ID", [900382] = "MDE_CLOUD", [500011] = "Defender", [650052] = "Defender",
      [70011] = "MDE_SCOPE", [65001] = "consent", [700025] = "public client", [7000112] = "disabled",
      [50105] = "assignment", [53003] = "Conditional Access",
    }
    for number, words in pairs(expected) do
      local code, _, hint = read { error = "x", error_codes = { number } }
      assert.equal("AADSTS" .. ("%d"):format(number), code)
      assert.matches(words, hint, 1, true)
    end
  end)

  it("without a number is known by its OAuth name, without a hint", function()
    local code, description, hint = read { error = "temporarily_unavailable" }
    assert.equal("temporarily_unavailable", code)
    assert.is_nil(description)
    assert.is_nil(hint)
  end)

  it("that is none says nothing", function()
    for _, body in ipairs { "", "<html>", "null", "7", "[]", "{}", '{"error":{}}', '{"error":7}', '{"error":""}',
        '{"error_codes":{}}', '{"error_codes":[null]}' } do
      assert.is_nil((refusal.read(body)))
    end
  end)
end)
