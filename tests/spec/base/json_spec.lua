-- What the service sends, as Lua sees it.
-- Labels: sanitized-each-lua

local json = require "mde.base.json"

describe("json", function()
  for text, value in pairs {
    ['{"a":1,"b":"x","c":true,"d":[1,2]}'] = { a = 1, b = "x", c = true, d = { 1, 2 } },
    ['{"a":null,"b":{"c":null,"d":1}}'] = { b = { d = 1 } },
    ["[null,1,null,2,null]"] = { 1, 2 },
    ["[]"] = {},
    ['"text"'] = "text",
    ["false"] = false,
    ['{"a":"\\u0000\\u00e9\\n"}'] = { a = "\0\195\169\n" },
  } do
    it("reads " .. text, function() assert.same(value, json.decode(text)) end)
  end

  it("reads whole numbers as integers", function()
    local value = json.decode '{"small":3,"large":9007199254740991,"negative":-7,"half":2.5}'
    assert.equal("3", ("%d"):format(value.small))
    assert.equal("9007199254740991", ("%d"):format(value.large))
    assert.equal("-7", ("%d"):format(value.negative))
    assert.equal(2.5, value.half)
    assert.equal("3", tostring(value.small))
  end)

  for what, text in pairs {
    ["nothing"] = "", ["white space"] = " \n", ["a page"] = "<html></html>", ["half of it"] = '{"value":[{"id":"a"',
    ["more than it"] = "{} {}", ["a thousand brackets that stay open"] = ("["):rep(1000),
    ["null"] = "null", ["a NUL"] = "\0", ["a single quote"] = "{'a':1}",
  } do
    it("does not take for JSON: " .. what, function()
      local value, why = json.decode(text)
      assert.is_nil(value)
      assert.equal("string", type(why))
    end)
  end

  for text, value in pairs {
    ['{"a":NaN,"b":1}'] = { b = 1 }, ['{"a":[1,Infinity,2]}'] = { a = { 1, 2 } }, ['{"a":1e999}'] = {},
    ['\239\187\191{"a":1}'] = { a = 1 },
    ['{"a":"\\ud83d","b":1e999}'] = { a = "\239\191\189" }, ['{"a":"\228"}'] = { a = "\239\191\189" },
    ['{"a":' .. ("["):rep(64) .. ("]"):rep(64) .. "}"] = true,
  } do
    it("takes the rest where a value is malformed: " .. text, function()
      local decoded, why, sound = json.decode(text)
      assert.is_nil(why)
      if value ~= true then assert.same(value, decoded) end
      assert.is_true(sound ~= text)
      assert.same(decoded, (json.decode(sound)))
      assert.same(decoded, (json.object(text)))
    end)
  end

  it("says what is wrong, and not where this library stands", function()
    local _, problem = json.object "{a"
    assert.matches("^it is not a JSON object %(Expected ", problem)
  end)

  it("says what was decoded", function()
    assert.equal("[1]", select(3, json.decode "[1]"))
    assert.equal("[1,null]", select(3, json.object "[1,NaN]"))
  end)

  it("writes texts so that they come back as they were", function()
    local text = 'quote " backslash \\ slash / line\nfeed NUL \0 escape \27 delete \127 \195\169 \240\159\148\146'
    assert.equal(text, json.decode(json.encode { Comment = text }).Comment)
  end)
end)
