-- mde.posix.certificate_directory: which files of a directory OpenSSL finds.
-- Labels: sanitized-each-lua
local count = require("mde.posix").certificate_directory.count
local shell = require "tests.spec.support.process.shell"

describe("a directory of certificates", function()
  local directory

  before_each(function() directory = shell.new_directory() end)
  after_each(function() shell.remove(directory) end)

  it("has those that are named by a hash", function()
    assert.equal(0, count(directory))
    local function put(name) shell.write_file(directory .. "/" .. name, "x") end
    for _, name in ipairs { "5ed36f99.0", "5ed36f99.1", "00000000.12" } do put(name) end
    assert.equal(3, count(directory))
    for _, name in ipairs { "ca.pem", "5ED36F99.0", "5ed36f9.0", "5ed36f999.0", "5ed36f99.", "5ed36f99.r0",
      "5ed36f99.0x", "5ed36f99" } do
      put(name)
    end
    assert.equal(3, count(directory))
  end)

  it("has links, as openssl rehash makes them, but none that lead nowhere or to a directory", function()
    shell.write_file(directory .. "/ca.pem", "x")
    os.execute(("cd %s && ln -s ca.pem 5ed36f99.0 && ln -s gone.pem 5ed36f99.1 && mkdir 5ed36f99.2"):format(directory))
    assert.equal(1, count(directory))
  end)

  it("that cannot be read says why", function()
    shell.write_file(directory .. "/file", "x")
    assert.same({ nil, "No such file or directory" }, { count(directory .. "/gone") })
    assert.same({ nil, "Not a directory" }, { count(directory .. "/file") })
    assert.is_false(pcall(count, "a\0b"))
    assert.is_false(pcall(count))
  end)
end)
