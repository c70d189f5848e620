-- mde.posix.directory: what is in a directory.
-- Labels: sanitized-each-lua
local directory = require("mde.posix").directory
local shell = require "tests.spec.support.process.shell"

describe("the names in a directory", function()
  local place

  before_each(function() place = shell.new_directory() end)
  after_each(function() shell.remove(place) end)

  local function names(path)
    local list = assert(directory.names(path))
    table.sort(list)
    return list
  end

  it("are those of all that is in it, but for itself and the one above", function()
    assert.same({}, names(place))
    shell.write_file(place .. "/b", "")
    shell.write_file(place .. "/.a", "")
    os.execute(("mkdir %s/c; ln -s nowhere %s/d"):format(place, place))
    assert.same({ ".a", "b", "c", "d" }, names(place))
  end)

  it("cannot be told of what is missing or no directory", function()
    shell.write_file(place .. "/b", "")
    local list, problem, is_missing = directory.names(place .. "/none")
    assert.is_nil(list)
    assert.matches("No such file", problem, 1, true)
    assert.is_true(is_missing)
    list, problem, is_missing = directory.names(place .. "/b")
    assert.is_nil(list)
    assert.matches("Not a directory", problem, 1, true)
    assert.is_false(is_missing)
    assert.is_false((pcall(directory.names, "a\0b")))
  end)

  it("leave nothing open", function()
    local before = #names "/proc/self/fd"
    for _ = 1, 50 do names(place) end
    assert.equal(before, #names "/proc/self/fd")
  end)
end)

describe("the absolute path of a file", function()
  it("is the same by every way to its directory, and keeps the file's own name", function()
    local place = shell.new_directory()
    finally(function() shell.remove(place) end)
    os.execute(("mkdir -p %s/real/below; ln -s real %s/link; ln -s nowhere %s/real/run.db"):format(place, place, place))
    local real = directory.absolute(place .. "/real/run.db")
    assert.matches("^/.*/real/run%.db$", real)
    for _, path in ipairs { "/link/run.db", "/link/below/../run.db", "//real///run.db", "/./real/run.db" } do
      assert.equal(real, directory.absolute(place .. path), path)
    end
    assert.equal("/etc", directory.absolute "/etc")
    assert.equal("/etc/hosts", directory.absolute "/etc/hosts")
    local here = shell.output_of("pwd -P"):gsub("%s+$", "")
    assert.equal(here .. "/run.db", directory.absolute "run.db")
    assert.equal(here .. "/run.db", directory.absolute "./run.db")
  end)

  it("cannot be told where its directory is not there", function()
    local path, problem, is_missing = directory.absolute "/nowhere/at/all/run.db"
    assert.is_nil(path)
    assert.matches("No such file", problem, 1, true)
    assert.is_true(is_missing)
    assert.matches("too long", select(2, directory.absolute(("d/"):rep(5000) .. "run.db")), 1, true)
    assert.is_false((pcall(directory.absolute, "a\0b")))
  end)
end)

describe("what lies at a path", function()
  it("is a regular file, something else, or nothing", function()
    local place = shell.new_directory()
    finally(function() shell.remove(place) end)
    shell.write_file(place .. "/file", "")
    os.execute(("cd %s; ln -s file link; ln -s nowhere dangling; mkfifo fifo"):format(place))
    assert.is_true(directory.is_regular(place .. "/file"))
    assert.is_true(directory.is_regular(place .. "/link"))
    assert.is_false(directory.is_regular(place .. "/fifo"))
    assert.is_false(directory.is_regular(place))
    assert.is_nil(directory.is_regular(place .. "/dangling"))
    assert.is_nil(directory.is_regular(place .. "/none"))
    assert.is_false((pcall(directory.is_regular, "a\0b")))
  end)
end)
