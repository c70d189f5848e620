-- gzip streams, which the command gzip has to be able to unpack.
-- Labels: not-lua5.3
local gzip = require "mde.sim.server.gzip"
local shell = require "tests.spec.support.process.shell"

describe("a gzip stream", function()
  local path

  before_each(function() path = os.tmpname() end)
  after_each(function() os.remove(path) end)

  local function unpacked(stream)
    shell.write_file(path, stream)
    return shell.output_of(("gzip -dc <%s"):format(path))
  end

  it("of a text comes back", function()
    for _, text in ipairs { "", "a text", ("%27 + & # \195\188\0"):rep(5000) } do
      assert.equal(text, unpacked(assert(gzip.pack(text))))
    end
  end)

  for _, size in ipairs { 1, 2, 257, 258, 259, 258 * 8, 258 * 8 + 1, 258 * 17 + 5, 1000000 } do
    it(("of %d zeros is as long as it says, and comes back"):format(size), function()
      local parts, stream = {}, gzip.zeros(size)
      stream.write(function(bytes) parts[#parts + 1] = bytes end)
      local bytes = table.concat(parts)
      assert.equal(stream.length, #bytes)
      assert.is_true(unpacked(bytes) == ("\0"):rep(size))
    end)
  end
end)
