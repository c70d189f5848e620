-- mde.posix.entropy: random bytes of the kernel.
-- Labels: sanitized-each-lua
local entropy = require("mde.posix").entropy

describe("entropy", function()
  it("is as long as was asked, and another every time", function()
    for _, count in ipairs { 1, 16, 64 } do assert.equal(count, #entropy.bytes(count)) end
    assert.not_equal(entropy.bytes(16), entropy.bytes(16))
  end)

  it("is from 1 to 64 bytes", function()
    for _, count in ipairs { 0, -1, 65 } do
      assert.has_error(function() entropy.bytes(count) end)
    end
  end)
end)
