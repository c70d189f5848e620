-- What stands for a text, and a build without mde.crypto.
local digests = require "mde.run.digest"

describe("a digest", function()
  it("is SHA-256, written in hexadecimal", function()
    assert.equal("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", digests.hex(digests.sha256 "abc"))
    assert.equal("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", digests.hex(digests.sha256 ""))
    assert.equal("00ff0a25", digests.hex "\0\255\n%")
  end)

  it("is an error where there is no mde.crypto, and all else loads", function()
    local loaded, preload = package.loaded["mde.crypto"], package.preload["mde.crypto"]
    package.loaded["mde.crypto"] = nil
    package.preload["mde.crypto"] = function() error "not built" end
    local digest, err = digests.sha256 "abc"
    package.loaded["mde.crypto"], package.preload["mde.crypto"] = loaded, preload
    assert.is_nil(digest)
    assert.equal("crypto_missing", err.code)
  end)
end)
