-- Transactions, several who open one journal, forks, and the file as a whole.
-- Labels: sanitized-each-lua
local journal = require "mde.journal"
local journals = require "tests.spec.support.journals"
local script = require "tests.spec.support.process.script"
local shell = require "tests.spec.support.process.shell"

describe("an open journal", function()
  local directory, path, file, others

  before_each(function()
    directory = shell.new_directory()
    path = directory .. "/run.db"
    file = journals.begun(path)
    others = {}
  end)
  after_each(function()
    file:close()
    for _, other in ipairs(others) do other:close() end
    shell.remove(directory)
  end)

  local function open(options)
    local other = assert(journal.open(path, options))
    others[#others + 1] = other
    return other
  end

  local function events_of(other)
    return #journals.list(other:events())
  end

  local function code_of(_, _, code)
    return code
  end

  describe("with a transaction", function()
    it("has all of it or nothing", function()
      assert.is_true(file:begin())
      for i = 1, 10 do assert.equal(i, file:event { at = i, kind = "x" }) end
      assert.equal(10, events_of(file))
      assert.equal(0, events_of(open()))
      assert.is_true(file:rollback())
      assert.equal(0, events_of(file))
      assert.is_true(file:begin())
      for i = 1, 10 do assert.equal(i, file:event { at = i, kind = "x" }) end
      assert.is_true(file:commit())
      assert.equal(10, events_of(open()))
    end)

    it("loses it when it is closed in between", function()
      assert.is_true(file:begin())
      assert.equal(1, file:event { at = 1, kind = "x" })
      file:close()
      assert.equal(0, events_of(open()))
    end)

    it("fails all of it with one part, and can be used then", function()
      assert.is_true(file:begin())
      assert.equal(1, file:event { at = 1, kind = "x" })
      assert.equal("constraint", code_of(file:event { at = 2 }))
      local event, message, code = file:event { at = 3, kind = "x" }
      assert.is_nil(event)
      assert.equal("constraint", code)
      assert.truthy(message:find("^nothing of this transaction was written, since one part of it failed: "))
      assert.equal(0, events_of(file))
      assert.equal("constraint", code_of(file:commit()))
      assert.is_true(file:rollback())
      assert.equal(0, events_of(open()))
      assert.equal(1, file:event { at = 4, kind = "x" })
      assert.is_true(file:begin())
      assert.equal("constraint", code_of(file:event { at = 2 }))
      assert.is_true(file:rollback())
      assert.equal(2, file:event { at = 5, kind = "x" })
    end)

    it("has one at a time", function()
      assert.is_true(file:rollback())
      assert.has_error(function() file:commit() end, "no transaction was begun")
      assert.is_true(file:begin())
      for _, work in ipairs { function() file:begin() end, function() file:finish() end,
        function() file:reserve(1) end, function() file:copy(path .. ".copy") end } do
        assert.has_error(work, "a transaction is under way")
      end
      assert.is_true(file:rollback())
    end)
  end)

  describe("beside another", function()
    it("writes in turn with it", function()
      local other = open()
      for i = 1, 20 do assert.equal(i, (i % 2 == 0 and file or other):event { at = i, kind = "x" }) end
      assert.equal(20, events_of(other))
      assert.equal(20, events_of(file))
    end)

    it("says that it is busy, for as long as that one is writing", function()
      local other = open { timeout = 0.1 }
      assert.is_true(file:begin())
      assert.equal(1, file:event { at = 1, kind = "x" })
      local event, message, code = other:event { at = 2, kind = "x" }
      assert.is_nil(event)
      assert.equal("busy", code)
      assert.truthy(message:find(path, 1, true))
      assert.equal("busy", code_of(other:begin()))
      assert.has_error(function() other:commit() end, "no transaction was begun")
      assert.equal(0, events_of(other))
      assert.is_true(file:commit())
      assert.equal(2, other:event { at = 2, kind = "x" })
    end)

    it("waits for that one", function()
      local process = script.start([[
        local journal = require "mde.journal"
        local file = assert(journal.open(arg[1]))
        assert(file:begin())
        assert(file:event { at = 1, kind = "x" })
        io.open(arg[1] .. ".began", "w"):close()
        require("mde.posix").clock.sleep(0.5)
        assert(file:commit())
      ]], { arguments = { path } })
      while not shell.read_file(path .. ".began") do os.execute "sleep 0.05" end
      assert.equal(2, file:event { at = 2, kind = "x" })
      local output, status = process.finish()
      assert.equal("exit 0", status, output)
    end)
  end)

  it("belongs to the process that opened it", function()
    local output, status = script.run([[
      local fork = require "tests.fork"
      local journal = require "mde.journal"
      local journals = require "tests.spec.support.journals"
      local file = journals.begun(arg[1])
      assert(file:begin())
      assert(file:event { at = 1, kind = "x" })
      local child = fork.fork()
      if child == 0 then
        local result, message, code = file:event { at = 2, kind = "y" }
        assert(result == nil and code == "forked" and message:find "open it again here")
        for _, method in ipairs { "run", "commit", "rollback", "finish", "devices" } do
          assert(select(3, file[method](file)) == "forked")
        end
        file:close()
        file = nil
        collectgarbage()
        collectgarbage()
        fork.exit(0)
      end
      assert(fork.wait(child) == 0)
      assert(file:event { at = 3, kind = "z" } == 2)
      assert(file:commit())
      child = fork.fork()
      if child == 0 then
        local own = assert(journal.open(arg[1]))
        assert(own:event { at = 4, kind = "own" } == 3)
        own:close()
        fork.exit(0)
      end
      assert(fork.wait(child) == 0)
      assert(#journals.list(file:events()) == 3)
      file:close()
    ]], { arguments = { path .. ".forked" } })
    assert.equal("exit 0", status, output)
    assert.equal("", output)
  end)

  it("that came from elsewhere is read and copied, and not written", function()
    assert(file:sending(journals.step()))
    local other = open { untrusted = true }
    for _, call in ipairs { function() return other:event { at = 1, kind = "x" } end,
      function() return other:begin() end, function() return other:take(1) end,
      function() return other:device { id = journals.device_id(5) } end,
      function() return other:forget(1) end, function() return other:reserve(10) end } do
      local result, message, code = call()
      assert.is_nil(result)
      assert.equal("read_only", code)
      assert.truthy(message:find("untrusted", 1, true))
    end
    assert.is_true(other:copy(path .. ".copy"))
    assert.equal(1, #journals.list(other:steps "open"))
    assert.is_nil(file:run().taken)
  end)

  it("is copied with all that is committed", function()
    assert.equal(1, file:event { at = 1, kind = "x" })
    assert.is_true(file:reserve(100000))
    local copy = path .. ".copy"
    assert.is_true(file:copy(copy))
    assert.equal("exists", code_of(file:copy(copy)))
    assert.equal("exists", code_of(file:copy(path)))
    assert.equal("missing", code_of(file:copy(directory .. "/none/copy")))
    assert.is_true(#shell.read_file(copy) < 100000)
    local other = assert(journal.open(copy))
    assert.same(file:run(), other:run())
    assert.equal(1, events_of(other))
    other:close()
    assert.equal("ok\n", journals.by_sqlite(copy, "PRAGMA integrity_check"))
  end)

  it("is one file when it is finished", function()
    assert.equal(1, file:event { at = 1, kind = "x" })
    assert.is_string(shell.read_file(path .. "-journal"))
    assert.is_true(file:finish())
    assert.is_nil(shell.read_file(path .. "-journal"))
    assert.equal("closed", code_of(file:run()))
    assert.equal(1, events_of(open()))
  end)

  it("is not finished while another one writes", function()
    file:close()
    file = open { timeout = 0.1 }
    local other = open()
    assert.is_true(other:begin())
    assert.equal(1, other:event { at = 1, kind = "x" })
    local done, _, code = file:finish()
    assert.is_nil(done)
    assert.equal("busy", code)
    assert.is_true(other:commit())
    assert.equal(2, file:event { at = 2, kind = "x" })
    assert.is_true(file:finish())
    assert.is_nil(shell.read_file(path .. "-journal"))
  end)

  it("has the space that was reserved, and its rollback journal too", function()
    assert.is_true(file:reserve(512 * 1024))
    local size, beside = #shell.read_file(path), #shell.read_file(path .. "-journal")
    assert.is_true(size >= 512 * 1024 and beside >= 512 * 1024)
    for i = 1, 300 do assert.equal(i, file:event { at = i, kind = "x", detail = ("d"):rep(900) }) end
    assert.equal(size, #shell.read_file(path))
    assert.equal(beside, #shell.read_file(path .. "-journal"))
  end)

  it("notices that its file is gone", function()
    os.remove(path)
    local event, message, code = file:event { at = 1, kind = "x" }
    assert.is_nil(event)
    assert.equal("missing", code, message)
  end)
end)
