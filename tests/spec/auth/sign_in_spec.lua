-- sign_in: what a credential's request for a token looks like on the wire, and which answers are one.

local json = require "mde.sim.base.json"
local sign_in = require "mde.auth.sign_in"

-- A token request whose one call is noted.
local function new(fields)
  local request = { tenant_id = "t", client_id = "c", token_url = "https://login.example/t/oauth2/v2.0/token",
    scope = "https://api.securitycenter.microsoft.com/.default", context = {} }
  for name, value in pairs(fields or {}) do request[name] = value end
  request.call = function(call)
    request.called = call
    return { access_token = "x" }, nil, { sent = 1 }
  end
  return sign_in.new(request), request
end

-- A form's fields.
local function read_form(text)
  local fields = {}
  for name, value in text:gmatch "([^&=]+)=([^&]*)" do
    fields[name] = value:gsub("%%(%x%x)", function(digits) return string.char(tonumber(digits, 16)) end)
  end
  return fields
end

describe("a token request", function()
  it("is a form, whatever characters its fields have", function()
    local request, noted = new()
    assert(request:post { client_secret = "a&b=c d+%/\195\164" })
    local call = noted.called
    assert.equal("POST", call.method)
    assert.equal("https://login.example/t/oauth2/v2.0/token", call.url)
    assert.equal("login.example", call.host)
    assert.equal("application/x-www-form-urlencoded", call.content_type)
    assert.is_falsy(call.plain)
    local form = read_form(call.payload)
    assert.equal("a&b=c d+%/\195\164", form.client_secret)
    assert.equal("client_credentials", form.grant_type)
    assert.equal("c", form.client_id)
    assert.equal("https://api.securitycenter.microsoft.com/.default", form.scope)
    assert.same({ access_token = { xms_cc = { values = { "cp1" } } } }, json.decode(form.claims))
  end)

  it("says the same in the same order each time", function()
    local request, noted = new()
    request:post { b = "1", a = "2" }
    local first = noted.called.payload
    request:post { a = "2", b = "1" }
    assert.equal(first, noted.called.payload)
  end)

  it("hands on what a claims challenge asks for, beside what every token has", function()
    local challenge = { access_token = { nbf = { essential = true, value = "1" }, xms_cc = { values = { "other" } } },
      id_token = { x = 1 } }
    local request, noted = new { claims = challenge }
    request:post {}
    assert.same({ access_token = { nbf = { essential = true, value = "1" }, xms_cc = { values = { "cp1" } } },
      id_token = { x = 1 } }, json.decode(read_form(noted.called.payload).claims))
    assert.same({ "other" }, challenge.access_token.xms_cc.values)
  end)

  it("takes a challenge without a token's part", function()
    local request, noted = new { claims = { access_token = 7 } }
    request:post {}
    assert.same({ access_token = { xms_cc = { values = { "cp1" } } } },
      json.decode(read_form(noted.called.payload).claims))
  end)

  it("keeps what is known of its attempt", function()
    local request = new()
    request:post {}
    assert.same({ sent = 1 }, request.info)
  end)

  it("to an endpoint beside the machine is plain only where its URL is", function()
    local request, noted = new()
    for url, expected in pairs {
      ["http://127.0.0.1:40342/token"] = { "127.0.0.1:40342", true, "http://127.0.0.1:40342/token?a=b%26" },
      ["https://identity.example/?x=y"] = { "identity.example", false, "https://identity.example/?x=y&a=b%26" },
    } do
      request:get { url = url, query = { a = "b&" }, headers = { Metadata = "true" } }
      assert.equal(expected[1], noted.called.host)
      assert.equal(expected[2], noted.called.plain)
      assert.equal(expected[3], noted.called.url)
      assert.equal("identity", noted.called.kind)
    end
    request:get { url = "http://127.0.0.1/", query = {}, headers = {} }
    assert.equal("http://127.0.0.1/", noted.called.url)
  end)

  it("names the resource of a scope", function()
    assert.equal("https://api.securitycenter.microsoft.com", new():resource())
    assert.equal("api://x/.default/y", new({ scope = "api://x/.default/y" }):resource())
  end)
end)

describe("an answer to it", function()
  for what, answer in pairs {
    ["with a token"] = { access_token = "a.b.c" },
    ["of the kind Bearer"] = { access_token = "x", token_type = "Bearer" },
    ["of that kind in other letters"] = { access_token = "x", token_type = "bEARER" },
  } do
    it("is one: " .. what, function() assert.equal(answer, sign_in.check_answer(answer)) end)
  end

  for what, case in pairs {
    ["without a token"] = { {}, "no access_token" },
    ["with an empty one"] = { { access_token = "" }, "no access_token" },
    ["with a number"] = { { access_token = 7 }, "no access_token" },
    ["with a blank in it"] = { { access_token = "a b" }, "characters that no token has" },
    ["with a line end in it"] = { { access_token = "a\r\nHost: x" }, "characters that no token has" },
    ["of another kind"] = { { access_token = "x", token_type = "pop" }, "not Bearer" },
    ["of a kind that is no text"] = { { access_token = "x", token_type = {} }, "not Bearer" },
  } do
    it("is none: " .. what, function()
      local answer, problem = sign_in.check_answer(case[1])
      assert.is_nil(answer)
      assert.matches(case[2], problem, 1, true)
    end)
  end

  it("is read as an object of JSON", function()
    local request, noted = new()
    request:post {}
    assert.equal("x", noted.called.read({ body = '{"access_token":"x"}' }).access_token)
    for _, body in ipairs { "", "[]", "7", "<html>", '{"access_token":"x"' } do
      local answer, problem = noted.called.read { body = body }
      assert.is_nil(answer)
      assert.is_string(problem)
    end
    assert.is_true(noted.called.longest <= 65536)
  end)
end)
