-- The search of the trace for secrets (tests/checks/trace_check.lua) finds what it should: doctored traces.
-- Labels: not-lua5.3

local trace_check = require "tests.checks.trace_check"

-- Made here and split, so that this file and its own output hold no planted secret.
local planted = {
  secrets = { "not a real/secret" .. "~+:1" },
  token_prefixes = { "abcdef" .. "ghijklmnop" },
}
local secret = planted.secrets[1]

local clean = [[
some other output
{"event":"request","driver":"curl","headers":{"Authorization":"Bearer [redacted]"}}
{"event":"request","driver":"curl","headers":{},"body":"client_id=x&client_secret=[redacted]&scope=y"}
]]

local function check(trace, ...)
  return trace_check.check(trace, planted, { ... })
end

describe("the search of the trace", function()
  it("finds keys and assertions, whoever made them", function()
    for _, text in ipairs { "-----BEGIN PRIVATE KEY" .. "-----", "a=b&client_assertion=eyJhbGciOi.eyJh.x",
      "Authorization: Basic 0123456789abcdef" } do
      assert.equal(1, #check(clean .. text .. "\n", "curl"), text)
    end
  end)

  it("is content with a clean trace", function()
    assert.same({}, check(clean, "curl"))
  end)

  it("notices a driver that was not seen", function()
    assert.same({ "no request of the driver sim" }, check(clean, "curl", "sim"))
    assert.equal(1, #check("", "curl"))
  end)

  it("notices that no redacted header or body was seen", function()
    local header, body = clean:match "\n({.-})\n({.-})\n"
    assert.same({ "no redacted token body of the driver curl" }, check(header, "curl"))
    assert.same({ "no redacted Authorization header of the driver curl" }, check(body, "curl"))
    assert.equal(2, #check(clean:gsub("%[redacted%]", "shown"), "curl"))
  end)

  local leaks = {
    { "a bare secret", secret },
    { "a secret in a form", "client_secret=not%20a%20real%2Fsecret~%2B%3A1&x=y" },
    { "a secret in a form, spaces as +", "client_secret=not+a+real%2Fsecret~%2B%3A1" },
    { "a secret in lower-case percent signs", "not%20a%20real%2fsecret~%2b%3a1" },
    { "a secret in JSON", [[{"a":"not a real\/secret~+:1"}]] },
    { "the beginning of a token", "Bearer abcdefghijklmnopqrst" },
    -- base64 of the secret after 0, 1, 2 bytes and with 0, 1, 2 bytes after it
    { "base64", "bm90IGEgcmVhbC9zZWNyZXR+Kzox" },
    { "base64 followed by another byte", "bm90IGEgcmVhbC9zZWNyZXR+KzoxIQ==" },
    { "base64 after one byte", "OW5vdCBhIHJlYWwvc2VjcmV0fis6MQ==" },
    { "base64 after two bytes", "OTlub3QgYSByZWFsL3NlY3JldH4rOjE=" },
    { "base64 after four bytes", "OTk5OW5vdCBhIHJlYWwvc2VjcmV0fis6MQ" },
    { "base64url", "bm90IGEgcmVhbC9zZWNyZXR-Kzox" },
  }
  for _, leak in ipairs(leaks) do
    local what, text = leak[1], leak[2]
    it("finds " .. what, function()
      local complaints = check(clean .. "GET /" .. text .. "\n", "curl")
      assert.is_true(#complaints > 0)
      for _, complaint in ipairs(complaints) do
        assert.is_nil(complaint:find(secret, 1, true))
      end
    end)
  end
end)
