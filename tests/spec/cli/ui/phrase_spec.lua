-- Numbers and times as a person reads them.
local phrase = require "mde.cli.ui.phrase"

describe("a phrase", function()
  it("counts", function()
    assert.equal("0 devices", phrase.counted(0, "device"))
    assert.equal("1 device", phrase.counted(1, "device"))
    assert.equal("2 devices", phrase.counted(2, "device"))
  end)

  it("has a time to the second", function()
    assert.equal("2026-11-29T02:58:04Z", phrase.second(1795921084.7))
    assert.is_nil(phrase.second(nil))
  end)

  it("has a time to the minute, with its year or without", function()
    assert.equal("11-29 02:58", phrase.minute(1795921084))
    assert.equal("2026-11-29 02:58", phrase.minute(1795921084, true))
    assert.equal("11-29 02:58", phrase.minute(1795921139.9))
  end)
end)
