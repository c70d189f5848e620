-- Labels: not-lua5.3
local reader = require "mde.base.json"
local json = require "mde.base.json_line"

describe("a line of JSON", function()
  for _, case in ipairs {
    { "plain", '"plain"' }, { 'a"b\\c/d', '"a\\"b\\\\c/d"' }, { "a\nb\tc\rd", '"a\\nb\\tc\\rd"' },
    { "\27[2J\0\127", '"\\u001b[2J\\u0000\\u007f"' },
    { "caf\195\169 \230\151\165 \240\159\148\146", '"caf\195\169 \230\151\165 \240\159\148\146"' },
    { "a\227\133\164\243\160\129\129", '"a\\u3164\\udb40\\udc41"' },
    { "\194\155x", '"\\u009bx"' }, { "\226\128\174x\226\129\166\226\128\168", '"\\u202ex\\u2066\\u2028"' },
    { "a\255b\195", '"a\\ufffdb\\ufffd"' }, { "\237\160\128", '"\\ufffd\\ufffd\\ufffd"' },
    { "\192\175", '"\\ufffd\\ufffd"' }, { "\244\144\128\128", '"\\ufffd\\ufffd\\ufffd\\ufffd"' },
    { 17, "17" }, { 17.5, "17.5" }, { -1, "-1" }, { 1e300, "1e+300" }, { 0.1, "0.1" }, { 0 / 0, "null" },
    { math.huge, "null" }, { true, "true" }, { false, "false" }, { nil, "null" },
    { {}, "[]" }, { { 1, "a" }, '[1,"a"]' }, { { b = 1, a = { c = {} } }, '{"a":{"c":[]},"b":1}' },
    { { a = print, b = 1 }, '{"b":1}' },
  } do
    it("is " .. case[2], function()
      local line = json.encode(case[1])
      assert.equal(case[2], line)
      -- Another reader takes it for what it is.
      assert.is_table((reader.decode("[" .. line .. "]")))
    end)
  end

  it("has an empty table as it is wanted", function()
    assert.equal('{"a":[{},1],"b":{}}', json.encode({ a = { {}, 1 }, b = {} }, "{}"))
    assert.equal("{}", json.encode({}, "{}"))
  end)

  it("leaves a metatable's methods out", function()
    assert.equal('{"id":"x"}', json.encode(setmetatable({ id = "x" }, { __index = { wait = print } })))
  end)

  it("has null where that is said", function()
    assert.equal('{"a":null,"b":[null]}', json.encode { a = json.null, b = { json.null } })
  end)
end)
