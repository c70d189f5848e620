-- credential.refusal: what the sign-in service's refusals mean.

local json = require "mde.sim.base.json"
local refusal = require "mde.auth.credential.refusal"
local rehearsal = require "tests.spec.support.rehearsal"

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
      [50105] = "assignment", [53003] = "Conditional Access", [700027] = "AZURE_CLIENT_CERTIFICATE_PATH",
      [700024] = "clock", [70021] = "federated credential", [700211] = "issuer", [700212] = "audience",
      [700213] = "subject", [50196] = "one is enough", [90055] = "throttling",
    }
    for number, words in pairs(expected) do
      local code, _, hint = read { error = "x", error_codes = { number } }
      assert.equal("AADSTS" .. ("%d"):format(number), code)
      assert.matches(words, hint, 1, true)
    end
  end)

  it("of every number that is known says what is wrong, where to mend it, and whether to try again", function()
    local numbers = [[7000215 70002 7000222 7000218 900144 90014 700025 700027 50012 900384 700030 50048 700024 70021
      700211 700212 700213 700229 700016 700011 90002 50059 50128 90019 90038 900382 900432 500011 50001 650057 650052
      70011 28002 700022 700023 65001 650056 90094 90008 70001 7000112 1000031 50105 53003 530032 530035 50196 90055
      90006 90012 90024 90033 90090 50033 90036 90092 50000]]
    local again = { [50196] = true, [90055] = true, [90006] = true, [90012] = true, [90024] = true, [90033] = true,
      [90090] = true, [50033] = true, [90036] = true, [90092] = true, [50000] = true }
    for number in numbers:gmatch "%d+" do
      local hint = refusal.hint(tonumber(number))
      assert.is_string(hint, number)
      assert.is_true(#hint > 40 and rehearsal.is_one_line(hint), number)
      assert.equal(again[tonumber(number)] or false, hint:find("Try again in a minute", 1, true) ~= nil, number)
    end
  end)

  it("that only asks for patience is tried again, and told apart from a no", function()
    for number, requests in pairs { [90033] = 4, [53003] = 1 } do
      local r = rehearsal.new()
      r.tenant:put_application { client_id = r.tenant.client_id, client_secret = r.tenant.client_secret,
        refuse = number }
      local _, err = r.client:machine "desk-5"
      assert.equal(requests == 4 and "unavailable" or "auth", err.kind)
      assert.equal(("AADSTS%d"):format(number), err.code)
      assert.equal(requests, r:count "token_refused")
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
