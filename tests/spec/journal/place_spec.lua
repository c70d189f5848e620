-- Where a journal may lie: for its owner alone, and never what others may write.
-- Labels: sanitized-each-lua
local journal = require "mde.journal"
local journals = require "tests.spec.support.journals"
local shell = require "tests.spec.support.process.shell"

describe("the file of a journal", function()
  local directory, path

  before_each(function()
    directory = shell.new_directory()
    path = directory .. "/run.db"
  end)
  after_each(function() shell.remove(directory) end)

  it("is for its owner alone, with all that is beside it, whatever the umask", function()
    for _, mask in ipairs { "000", "022", "077", "777" } do
      local program = ([[local path = %q
        local file = require("tests.spec.support.journals").begun(path)
        assert(file:event { at = 1, kind = "x" })
        assert(file:copy(path .. ".copy"))
        os.execute("stat -c '%%n %%a' " .. path .. "*")
        file:close()]]):format(path)
      local line = ("umask %s; %s -e %s 2>&1"):format(mask, os.getenv "MDE_LUA", shell.quote(program))
      local output = shell.output_of(line)
      assert.equal(("@ 600\n@-journal 600\n@.copy 600\n"):gsub("@", path), output)
      os.execute(("rm %s*"):format(path))
    end
  end)

  it("is refused if others own it or may write it, unless it is untrusted", function()
    journals.begun(path):close()
    for _, mode in ipairs { "620", "602", "666" } do
      os.execute(("chmod %s %s"):format(mode, path))
      local file, message, code = journal.open(path)
      assert.is_nil(file)
      assert.equal("unsafe", code)
      assert.truthy(message:find("others may write the journal " .. path, 1, true))
      assert(journal.open(path, { untrusted = true })):close()
    end
    os.execute("chmod 640 " .. path)
    assert(journal.open(path)):close()
  end)

  it("is a regular file", function()
    os.execute("mkfifo " .. path)
    assert.equal("not_a_journal", (select(3, journal.open(path))))
    assert.equal("not_a_journal", (select(3, journal.open(directory))))
    assert.equal("exists", (select(3, journal.create(path, journals.run()))))
  end)

  it("is not made where a symbolic link leads", function()
    os.execute(("ln -s %s/elsewhere %s"):format(directory, path))
    assert.equal("exists", (select(3, journal.create(path, journals.run()))))
    assert.is_nil(shell.read_file(directory .. "/elsewhere"))
  end)

  it("has three times the room that is to be reserved", function()
    local file = journals.begun(path)
    assert.is_true(file:reserve(10000))
    assert.has_error(function() file:reserve(1e12) end)
    assert.has_error(function() file:reserve(-1) end)
    assert.has_error(function() file:reserve(0 / 0) end)
    file:close()
  end)
end)
