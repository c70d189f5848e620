-- The words that all kinds of requests have in common where they fail.

local failures = require "mde.request.failure"

local function show(text) return "[" .. text .. "]" end

describe("a failure", function()
  it("tells how often it was tried, where that was more than once", function()
    assert.equal("gone", failures.with_attempts("gone", { attempts = 1 }))
    assert.equal("gone (3 attempts)", failures.with_attempts("gone", { attempts = 3 }))
  end)

  it("that asks for patience says until when", function()
    local fields = failures.throttled("api.example", 90.4, 1000)
    assert.same({ "throttled", "throttled" }, { fields.kind, fields.code })
    assert.equal(1090.4, fields.retry_at)
    assert.matches("api.example asks to wait for 90 seconds", fields.message, 1, true)
    assert.is_string(fields.hint)
  end)

  it("that is a redirect tells where to, made fit to be shown, and does not go there", function()
    local function redirected(location)
      return failures.redirected({ host = "api.example", show = show,
        response = { status = 307, headers = { location = location } } }, "a hint")
    end
    assert.equal('api.example answered with a redirect (HTTP 307) to "[https://x/\27]", which is not followed',
      redirected "https://x/\27".message)
    assert.equal("api.example answered with a redirect (HTTP 307), which is not followed", redirected(nil).message)
    assert.equal("a hint", redirected("").hint)
    assert.same({ "protocol", "redirected" }, { redirected("").kind, redirected("").code })
  end)

  it("is a redirect or a success by its status alone", function()
    for status, is in pairs { [199] = "", [200] = "success", [299] = "success", [300] = "redirect", [399] = "redirect",
      [400] = "" } do
      assert.equal(is == "success", failures.is_success(status), tostring(status))
      assert.equal(is == "redirect", failures.is_redirect(status), tostring(status))
    end
  end)
end)
