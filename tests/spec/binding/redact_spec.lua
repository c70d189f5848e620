-- mde.core.redact through the binding; the table of texts is in tests/core/test_redact.c.
-- Labels: sanitized-each-lua
local core = require "mde.core"
local redact = core.redact

describe("core.redact", function()
  it("takes secrets out of forms, JSON, header lines and messages", function()
    assert.are.equal("a=b&client_secret=[redacted]&c=d", redact.text "a=b&client_secret=fake&c=d")
    assert.are.equal('{"access_token" : "[redacted]"}', redact.text [[{"access_token" : "fa\"ke"}]])
    assert.are.equal('{"access_token":"[redacted]', redact.text '{"access_token":"fak')
    assert.are.equal("Authorization: Bearer [redacted]\r\nA: b", redact.text "Authorization: Bearer xyz\r\nA: b")
    assert.are.equal("nothing to see", redact.text "nothing to see")
    assert.are.equal("", redact.text "")
  end)

  it("takes secrets out of URLs", function()
    assert.are.equal("https://[redacted]@x.example/?sig=[redacted]&se=1",
      redact.text "https://user:fake@x.example/?sig=fa%2Bke&se=1")
  end)

  it("takes secrets out of headers", function()
    assert.are.equal("Bearer [redacted]", redact.header("Authorization", "Bearer fake"))
    assert.are.equal("[redacted]", redact.header("set-cookie", "a=b; Secure"))
    assert.are.equal("[redacted]", redact.header("X-IDENTITY-HEADER", "fake"))
    assert.are.equal("application/json", redact.header("content-type", "application/json"))
  end)

  it("takes known values out in every encoding", function()
    local value = "pl4nted/va+lue x~"
    local percent = value:gsub("[^%w]", function(c) return ("%%%02x"):format(c:byte()) end)
    for _, form in ipairs { value, percent, percent:upper():gsub("PL", "pl"):gsub("NTED", "nted"):gsub("VA", "va")
      :gsub("LUE", "lue"):gsub("X", "x"), "pl4nted%2Fva%2Blue+x~", "pl4nted\\/va+lue x~",
      "cGw0bnRlZC92YStsdWUgeH4=", "cGw0bnRlZC92YStsdWUgeH4" } do
      assert.are.equal("a [redacted] b", redact.known("a " .. form .. " b", { value }))
      assert.are.equal("a [redacted] b", redact.known("a " .. form .. " b", { "other value", core.secret.new(value) }))
    end
    assert.are.equal("client_secret=[redacted]", redact.known("client_secret=unknown", {}))
  end)

  it("passes over a secret that is wiped, and over values in every text", function()
    local secret = core.secret.new "pl4nted"
    secret:wipe()
    assert.are.equal("pl4nted abc", redact.known("pl4nted abc", { secret, "abc", "" }))
  end)

  it("raises for wrong arguments", function()
    assert.has_error(function() redact.text() end)
    assert.has_error(function() redact.known("x", "x") end)
    assert.has_error(function() redact.known("x", { 5 }) end)
    assert.has_error(function() redact.known("x", { {} }) end)
    assert.has_error(function() redact.known("x", { redact.text and io.stdout }) end)
  end)

  it("is safe on any bytes, and long ones", function()
    local seed = 1
    local function random(limit)
      seed = (seed * 16807) % 2147483647
      return seed % limit
    end
    local parts = { "client_secret", "=", '"', ":", "\\", "Bearer ", "sig=", "/", "@", "{", "[", "\0", "\255", "&" }
    for _ = 1, 300 do
      local text = {}
      for i = 1, 60 do text[i] = parts[random(#parts) + 1] end
      text = table.concat(text)
      local once = redact.text(text)
      assert.are.equal(once, redact.text(once))
    end
    local long = ("client_secret=fake&"):rep(50000)
    assert.are.equal(("client_secret=[redacted]&"):rep(50000), redact.text(long))
  end)
end)
