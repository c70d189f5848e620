-- mde.journal: journals are created, opened, closed.
-- Labels: sanitized-each-lua
local journal = require "mde.journal"
local journals = require "tests.spec.support.journals"
local shell = require "tests.spec.support.process.shell"

describe("a journal", function()
  local directory, path

  before_each(function()
    directory = shell.new_directory()
    path = directory .. "/run.db"
  end)
  after_each(function() shell.remove(directory) end)

  it("has what it was created with", function()
    local given = journals.run { verb = "undo", undoes = "earlier", plan = ("p"):rep(32) }
    local file = assert(journal.create(path, given))
    local run = file:run()
    file:close()
    given.state = "planned"
    assert.same(given, run)
    file = assert(journal.open(path))
    assert.same(given, file:run())
    file:close()
  end)

  it("is never made over another file", function()
    shell.write_file(path, "precious")
    local file, message, code = journal.create(path, journals.run())
    assert.is_nil(file)
    assert.equal("exists", code)
    assert.equal("could not make the file " .. path ..
      ": File exists; name another file, or delete that one yourself", message)
    assert.equal("precious", shell.read_file(path))
  end)

  it("leaves no file when it cannot be created", function()
    local file, _, code = journal.create(path, journals.run { verb = "dance" })
    assert.is_nil(file)
    assert.equal("constraint", code)
    for _, wrong in ipairs { { id = 1 }, { colour = "red" }, { made = 0 / 0 }, { [1] = "x" } } do
      assert.has_error(function() journal.create(path, journals.run(wrong)) end)
    end
    assert.equal("", shell.output_of("ls -A " .. directory))
    assert(journal.create(path, journals.run())):close()
  end)

  it("says what is missing", function()
    for _, call in ipairs { function() return journal.open(path) end,
      function() return journal.create(directory .. "/none/run.db", journals.run()) end } do
      local file, message, code = call()
      assert.is_nil(file)
      assert.equal("missing", code)
      assert.truthy(message:find(directory, 1, true))
    end
  end)

  it("can be closed twice, and says then that it is closed", function()
    local file = journals.begun(path)
    file:close()
    file:close()
    for _, method in ipairs { "run", "begin", "commit", "rollback", "finish", "devices", "names" } do
      local result, message, code = file[method](file)
      assert.is_nil(result)
      assert.equal("the journal is closed; open it again", message)
      assert.equal("closed", code)
    end
    assert.equal("closed", (select(3, file:sending(journals.step()))))
  end)

  it("is taken for nothing but a file, whatever its name", function()
    local here = shell.output_of "pwd":gsub("%s+$", "")
    for _, name in ipairs { ":memory:", "file:run.db?mode=memory", "-run.db", "%41.db" } do
      local long = directory .. "/" .. name
      assert(journal.create(long, journals.run())):close()
      assert.is_string(shell.read_file(long))
      assert(journal.open(long)):close()
    end
    -- The same without a directory in front.
    local name = ("file:mde-journal-%d.db?mode=memory"):format(math.random(1e9))
    finally(function() os.remove(name) os.remove(name .. "-journal") end)
    assert(journal.create(name, journals.run())):close()
    assert.is_string(shell.read_file(here .. "/" .. name))
  end)

  it("is given a path, a table and a time that can be", function()
    for _, wrong in ipairs { "", "a\0b", 1, true } do
      assert.has_error(function() journal.open(wrong) end)
      assert.has_error(function() journal.create(wrong, journals.run()) end)
      assert.has_error(function() journals.begun(path):copy(wrong) end)
      shell.remove(path)
    end
    for _, wrong in ipairs { -1, 1e9, 0 / 0, "soon" } do
      assert.has_error(function() journal.open(path, { timeout = wrong }) end)
    end
    assert.has_error(function() journal.create(path) end)
    assert.has_error(function() journal.open(path, "untrusted") end)
  end)

  it("is no other userdata", function()
    local file = journals.begun(path)
    assert.has_error(function() file.run(io.stdout) end)
    assert.has_error(function() file.close({}) end)
    assert.is_false(getmetatable(file))
    file:close()
  end)

  it("tells which SQLite it uses", function()
    assert.truthy(journal.version:find "^SQLite 3%.%d+%.%d+$")
  end)
end)
