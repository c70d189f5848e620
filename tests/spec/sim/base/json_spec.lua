-- JSON as the simulated tenant writes and reads it.
-- Labels: not-lua5.3
local json = require "mde.sim.base.json"

describe("JSON", function()
  it("has its names in order, and null for what is absent where the names are given", function()
    assert.equal('{"a":1,"b":"x"}', json.encode { b = "x", a = 1 })
    assert.equal('{"z":null,"a":true}', json.object({ "z", "a" }, { a = true, b = 1 }))
  end)

  it("tells an empty list from an empty object", function()
    assert.equal("[]", json.encode(json.array {}))
    assert.equal("{}", json.encode {})
    assert.equal("[null,1]", json.encode { json.null, 1 })
  end)

  it("writes whole numbers without a fraction, and no number that there is not in JSON", function()
    assert.equal("[3,-0.5,1000000]", json.encode { 3.0, -0.5, 1e6 })
    for _, number in ipairs { 0 / 0, math.huge } do assert.has_error(function() json.encode(number) end) end
    assert.has_error(function() json.encode(print) end)
  end)

  it("escapes what a text may not hold as it is", function()
    assert.equal([["\"\\\n\u0001\u007f/"]], json.encode '"\\\n\1\127/')
  end)

  it("says where a raw control character stands in a text", function()
    assert.is_nil(json.control_character '{"a":"b\\n"}\n')
    assert.equal(6, json.control_character '{"a":"b\n"}')
  end)

  it("is read with null as a value, and without where an object is wanted", function()
    assert.equal(json.null, json.decode("[null]")[1])
    assert.same({ b = 1 }, json.decode_object '{"a":null,"b":1}')
    for _, text in ipairs { "[1]", "null", "", "{" } do
      local object, message = json.decode_object(text)
      assert.is_nil(object)
      assert.is_string(message)
    end
  end)
end)
