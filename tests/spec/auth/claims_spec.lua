-- claims: what an access token says of itself. It comes from outside and may be anything.

local claims = require "mde.auth.claims"
local core = require "mde.core"

local HEADER = core.base64.encode_url '{"typ":"JWT"}'

local function token_of(payload)
  return HEADER .. "." .. core.base64.encode_url(payload) .. ".c2lnbmVk"
end

local function of(payload)
  return claims.of_token(token_of(payload))
end

describe("the claims of a token", function()
  it("are those that something is made of", function()
    assert.same({ aud = "https://a.example", tid = "t", appid = "c", roles = { "Machine.Read.All" }, exp = 1770117072 },
      of [[{"aud":"https://a.example","tid":"t","appid":"c","roles":["Machine.Read.All"],"exp":1770117072,"x":1}]])
  end)

  it("name the application as either version of a token does", function()
    assert.equal("new", of '{"azp":"new"}'.appid)
    assert.equal("old", of '{"appid":"old","azp":"new"}'.appid)
  end)

  it("leave out what has another type", function()
    assert.same({}, of '{"aud":["a"],"tid":7,"appid":{},"azp":false,"roles":"Machine.Read.All","exp":"soon"}')
    assert.same({}, of '{"roles":["Machine.Read.All",7],"exp":null}')
  end)

  it("tell no roles from none that were consented to", function()
    assert.is_nil(of '{}'.roles)
    assert.same({}, of '{"roles":[]}'.roles)
  end)

  for what, token in pairs {
    ["nothing"] = "", ["an opaque token"] = "an-opaque-token", ["two parts"] = HEADER .. ".e30",
    ["four parts"] = token_of "{}" .. ".x", ["a number"] = token_of "1", ["a text"] = token_of '"x"',
    ["what is no JSON"] = token_of "{", ["what is no base64"] = HEADER .. ".!!!.x",
    ["a length that base64 has not"] = HEADER .. ".e30aa.x", ["an empty part"] = HEADER .. "..x",
    ["a line end"] = token_of "{}" .. "\n",
  } do
    it("are not looked for in " .. what, function() assert.same({ opaque = true }, claims.of_token(token)) end)
  end

  it("need no signature", function()
    assert.same({ tid = "t" }, claims.of_token(HEADER .. "." .. core.base64.encode_url '{"tid":"t"}' .. "."))
  end)
end)
