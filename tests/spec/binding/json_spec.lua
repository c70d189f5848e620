-- mde.core.json: nulls absent, integral numbers integers, nothing that is no number.
-- Labels: sanitized-each-lua
local json = require("mde.core").json
local cjson = require("cjson").new()

local null = cjson.null
local type_of_number = rawget(math, "type") -- absent in Lua 5.1

-- The number as Lua prints it, which shows whether it is an integer.
local function shown(value)
  return tostring(json.clean(value, null))
end

describe("core.json", function()
  it("keeps the digits of whole numbers beyond 2^53 as texts", function()
    assert.are.equal('{"a":"9007199254740993","b":[1,"72057594037927935"]}',
      json.digits '{"a":9007199254740993,"b":[1,72057594037927935]}')
    assert.are.equal('{"a":5}', json.digits '{"a":5}')
  end)

  it("removes null fields and closes up lists", function()
    local value = cjson.decode [[{"a":null,"b":{"c":null,"d":[null,1,null,{"e":null},null]},"f":false,"g":""}]]
    local clean = json.clean(value, null)
    assert.are.equal(value, clean)
    assert.are.same({ b = { d = { 1, {} } }, f = false, g = "" }, clean)
    assert.are.equal(2, #clean.b.d)
    assert.are.same({}, json.clean(cjson.decode "[null,null,null]", null))
    assert.are.same({ { 1 }, { 2 } }, json.clean(cjson.decode "[[null,1],null,[2,null]]", null))
  end)

  it("handles what is no table", function()
    assert.is_nil(json.clean(null, null))
    assert.are.equal(1, select("#", json.clean(null, null)))
    assert.are.equal("x", json.clean("x", null))
    assert.is_false(json.clean(false, null))
    assert.are.equal(1.5, json.clean(1.5, null))
    assert.is_nil(json.clean(nil, nil))
  end)

  it("leaves nulls when no sentinel is named", function()
    assert.are.same({ a = null }, json.clean({ a = null }))
  end)

  it("makes integral numbers integers", function()
    assert.are.equal("3", shown(3.0))
    assert.are.equal("0", shown(0.0))
    assert.are.equal("-17", shown(-17.0))
    assert.are.equal(tostring(1.5), shown(1.5))
    local value = json.clean(cjson.decode [[{"a":3,"b":[1,2.5,3],"c":9007199254740992,"d":1e300}]], null)
    assert.are.equal("3", tostring(value.a))
    assert.are.equal(("1 %s 3"):format(tostring(2.5)), table.concat(value.b, " "))
    assert.are.equal(9007199254740992, value.c)
    assert.are.equal(1e300, value.d)
    if type_of_number then
      assert.are.equal("integer", type_of_number(value.a))
      assert.are.equal("integer", type_of_number(value.b[3]))
      assert.are.equal("integer", type_of_number(value.c))
      assert.are.equal("float", type_of_number(value.d))
      assert.are.equal("float", type_of_number(json.clean(2.0 ^ 53 + 2, null)))
      assert.are.equal("integer", type_of_number(json.clean(-2.0 ^ 53, null)))
    end
  end)

  it("refuses what is no number", function()
    for _, number in ipairs { 0 / 0, math.huge, -math.huge } do
      for _, value in ipairs { number, { a = number }, { { number } }, { 1, 2, { b = { number } } } } do
        local clean, reason = json.clean(value, null)
        assert.is_nil(clean)
        assert.is_truthy(reason:find("not finite", 1, true))
      end
    end
  end)

  it("refuses what is nested too deeply, or in itself", function()
    local function nested(depth)
      local value = {}
      for _ = 2, depth do value = { value } end
      return value
    end
    assert.is_truthy(json.clean(nested(64), null))
    assert.are.same({ nil, "is nested too deeply" }, { json.clean(nested(65), null) })
    assert.are.same({ nil, "is nested too deeply" }, { json.clean(nested(100000), null) })
    local circle = {}
    circle.circle = circle
    assert.is_nil(json.clean(circle, null))
  end)

  it("cleans a page of ten thousand machines", function()
    local page = {}
    for i = 1, 10000 do
      page[i] = { id = "m" .. i, index = i + 0.0, ip = null, tags = { "a", null, "b" }, nested = { x = null, y = 1.0 } }
    end
    page = json.clean({ value = page }, null).value
    assert.are.equal(10000, #page)
    for i = 1, 10000, 999 do
      assert.are.same({ id = "m" .. i, index = i, tags = { "a", "b" }, nested = { y = 1 } }, page[i])
    end
  end)

  it("works on a coroutine's small stack", function()
    local value = { 1.0 }
    for _ = 1, 62 do value = { value, null } end
    local clean = coroutine.wrap(function() return json.clean(value, null) end)()
    for _ = 1, 62 do
      assert.are.equal(1, #clean)
      clean = clean[1]
    end
    assert.are.equal(1, clean[1])
  end)

  it("asks for a value", function()
    assert.has_error(function() json.clean() end)
  end)

  it("counts the items of a list, before nulls are gone", function()
    assert.are.equal(0, json.list('{"value":[]}', "value"))
    assert.are.equal(3, json.list('{"a":{},"value":[null,{"b":[1,2]},"]"]}', "value"))
    for _, text in ipairs { '{"value":{}}', '{"value":null}', "{}", "[]", "", '{"value":[}',
      '{"value":[],"value":[]}' } do
      assert.is_nil(json.list(text, "value"))
    end
    assert.has_error(function() json.list(nil, "value") end)
    assert.has_error(function() json.list "{}" end)
  end)
end)
