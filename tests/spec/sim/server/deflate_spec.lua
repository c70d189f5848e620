-- Deflate streams of stored blocks.
-- Labels: not-lua5.3
local deflate = require "mde.sim.server.deflate"
local shell = require "tests.spec.support.process.shell"

-- The command gzip writes what a stream inflates to, also where no checksum stands behind it.
local function inflated(raw)
  local path = os.tmpname()
  shell.write_file(path, "\31\139\8\0\0\0\0\0\0\255" .. raw .. ("\0"):rep(8))
  local text = shell.output_of(("gzip -dc <%s 2>/dev/null"):format(path))
  os.remove(path)
  return text
end

describe("a deflate stream", function()
  for _, length in ipairs { 0, 1, 65535, 65536, 200000 } do
    it(("of %d bytes inflates to them"):format(length), function()
      local text = ("0123456789abcdef"):rep(math.ceil(length / 16)):sub(1, length)
      assert.is_true(inflated(deflate.stored(text, "raw")) == text)
    end)
  end

  it("in the form of zlib has its head, and the checksum behind", function()
    local raw, zlib = deflate.stored("Wikipedia", "raw"), deflate.stored("Wikipedia", "zlib")
    assert.equal("\120\1" .. raw .. "\17\230\3\152", zlib)
  end)
end)
