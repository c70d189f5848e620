-- whole_number: the value of an option that counts.
-- Labels: not-lua5.3
local whole_number = require "mde.cli.ui.whole_number"

describe("a whole number", function()
  it("is above 0", function()
    assert.equal(1, whole_number.parse "1")
    assert.equal(1000000, whole_number.parse "1000000")
  end)

  for _, text in ipairs { "", "0", "-1", "1.5", "1e3", "1000001", "many" } do
    it(("is not %q"):format(text), function()
      local value, message = whole_number.parse(text)
      assert.is_nil(value)
      assert.equal(("'%s' is not a whole number above 0"):format(text), message)
    end)
  end
end)
