-- credential.token_function: tokens that a function of the user's own gets.

local mde = require "mde"
local rehearsal = require "tests.spec.support.rehearsal"

describe("a function that gets tokens", function()
  local function of_tenant(r)
    return require("mde.sim.base.json").decode(r.tenant:handle { method = "POST",
      url = ("/%s/oauth2/v2.0/token"):format(r.tenant.tenant_id),
      headers = { ["Content-Type"] = "application/x-www-form-urlencoded" },
      body = require("tests.spec.support.caller").form { grant_type = "client_credentials", scope =
        "https://api.securitycenter.microsoft.com/.default", client_id = r.tenant.client_id,
        client_secret = r.tenant.client_secret } }.body)
  end

  it("is asked once for as long as the token lives", function()
    local r, asked = nil, {}
    r = rehearsal.new { client = { credential = function(wanted)
      asked[#asked + 1] = wanted
      local answer = of_tenant(r)
      return answer.access_token, answer.expires_in
    end } }
    for _ = 1, 3 do assert.truthy(r.client:machine "desk-5") end
    assert.equal(1, #asked)
    assert.equal("https://api.securitycenter.microsoft.com/.default", asked[1].scope)
    r.tenant:advance(3590)
    assert.truthy(r.client:machine "desk-5")
    assert.equal(2, #asked)
  end)

  it("may return the token endpoint's answer", function()
    local r
    r = rehearsal.new { client = { credential = mde.credential.token(function() return of_tenant(r) end) } }
    assert.truthy(r.client:machine "desk-5")
  end)

  it("that gets none is an error with its reason", function()
    for _, case in ipairs {
      { function() return nil, "the vault is sealed" end, "the vault is sealed" },
      { function() error "something broke" end, "something broke" },
      { function() return "" end, "no access_token" },
      { function() return "two words" end, "characters that no token has" },
      { function() return 7 end, "no access_token" },
      { function() end, "no reason" },
    } do
      local r = rehearsal.new { client = { credential = mde.credential.token(case[1]) } }
      local machine, err = r.client:machine "desk-5"
      assert.is_nil(machine)
      assert.equal("auth", err.kind)
      assert.matches(case[2], err.message, 1, true)
      assert.is_true(rehearsal.is_one_line(tostring(err)))
    end
    rehearsal.refused(mde.credential.token, "a token")
  end)
end)
