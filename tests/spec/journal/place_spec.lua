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

  describe("with what SQLite keeps beside it", function()
    local function big_endian(number)
      local bytes = {}
      for i = 4, 1, -1 do
        bytes[i] = string.char(number % 256)
        number = math.floor(number / 256)
      end
      return table.concat(bytes)
    end

    local MAGIC = "\217\213\5\249\32\161\99\215"

    -- A journal that is rolled back, without a page in it, and names another file at its end.
    local function forge(beside, victim)
      local pages = #shell.read_file(path) / 4096
      local header = MAGIC .. big_endian(0) .. big_endian(0) .. big_endian(pages) .. big_endian(512) .. big_endian(4096)
      local sum = 0
      for i = 1, #victim do sum = sum + victim:byte(i) end
      local lock_page = math.floor(0x40000000 / 4096) + 1
      shell.write_file(beside, header .. ("\0"):rep(512 - #header) .. big_endian(lock_page) .. victim
        .. big_endian(#victim) .. big_endian(sum) .. MAGIC)
      -- SQLite deletes none that names its child.
      shell.write_file(victim, "of the reader")
    end

    it("is refused if that names a file that SQLite would delete", function()
      journals.begun(path):close()
      local victim, link = directory .. "/thesis", directory .. "/link.db"
      os.execute(("ln -s run.db %s"):format(link))
      for _, untrusted in ipairs { true, false } do
        for _, name in ipairs { path, link } do
          forge(path .. "-journal", victim)
          local file, message, code = journal.open(name, { untrusted = untrusted })
          if file then file:close() end
          assert.equal("of the reader", shell.read_file(victim))
          assert.equal("damaged", code)
          assert.truthy(message:find("names another file, which SQLite would delete", 1, true))
        end
      end
    end)

    it("is refused if that is no regular file", function()
      journals.begun(path):close()
      local beside = path .. "-journal"
      for _, command in ipairs { "mkfifo %s", "mkdir %s", "ln -s elsewhere %s" } do
        os.execute(("rm -rf %s; "):format(beside) .. command:format(beside))
        assert.equal("io", (select(3, journal.open(path, { untrusted = true }))))
      end
    end)
  end)
end)
