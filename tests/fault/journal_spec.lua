-- A journal on a disk that fails, is full, loses its power, or belongs to the network: nothing that was acknowledged is
-- lost, and what failed says so.
-- Labels: only-lua5.4, long
local fork = require "tests.fork"
local journal = require "mde.journal"
local journals = require "tests.spec.support.journals"
local script = require "tests.spec.support.process.script"
local shell = require "tests.spec.support.process.shell"
local vfs = require "tests.journal_vfs"

-- A process that does what `scenario` does, on a disk that is told what to do. What it acknowledged before it ended.
local function in_process(path, scenario, kind, k)
  local child = fork.fork()
  if child == 0 then
    local file = assert(io.open(path .. ".said", "w"))
    file:setvbuf "no"
    local ok, problem = pcall(scenario, path, function(text) file:write(text, "\n") end, kind, k)
    if not ok then file:write("raised: ", tostring(problem), "\n") end
    fork.exit(0)
  end
  fork.wait(child)
  return shell.read_file(path .. ".said")
end

local function create(path, say, kind, k)
  vfs.arm(kind, k)
  assert(journal.create(path, journals.run()))
  say "created"
end

local function live(path, say, kind, k)
  local file = journals.begun(path, 3)
  vfs.arm(kind, k)
  assert(file:reserve(8000))
  say "reserved"
  for n = 1, 3 do
    local step = assert(file:sending(journals.step { device = journals.device_id(n), operation = "op" .. n,
      arguments = ("a"):rep(9000 - 4000 * (n - 1)) }))
    say("sending " .. n)
    assert(file:result { step = step, outcome = "accepted", answered = n, row = ("r"):rep(9000 - 4000 * (n - 1)) })
    say("accepted " .. n)
  end
  assert(file:begin())
  for n = 1, 5 do assert(file:event { at = n, kind = "x", detail = ("e"):rep(1000) }) end
  assert(file:commit())
  say "events"
  assert(file:finish())
  say "finished"
end

describe("a journal", function()
  local directory, path

  before_each(function()
    directory = shell.new_directory_in_memory()
    path = directory .. "/run.db"
  end)
  after_each(function()
    vfs.disarm()
    shell.remove(directory)
  end)

  local function clear()
    os.remove(path)
    os.remove(path .. "-journal")
  end

  -- Whether a file has what was acknowledged, and is whole.
  local function check(acknowledged, what)
    local file, problem = journal.open(path)
    assert(file, what .. ": " .. tostring(problem))
    local outcomes = {}
    for _, step in ipairs(journals.list(file:steps())) do outcomes[step.operation] = step.outcome or "sending" end
    local count = #journals.list(file:events())
    assert.is_true(count == 0 or count == 5, what)
    for n = 1, 3 do
      if acknowledged:find("accepted " .. n, 1, true) then assert.equal("accepted", outcomes["op" .. n], what) end
      if acknowledged:find("sending " .. n, 1, true) then assert.is_string(outcomes["op" .. n], what) end
    end
    if acknowledged:find "events" then assert.equal(5, count, what) end
    assert.is_number((file:event { at = 9, kind = "y" }))
    file:close()
    -- The indexes, at which opening it does not look; a process takes its time.
    if what:find "[05]$" then assert.equal("ok\n", journals.by_sqlite(path, "PRAGMA integrity_check"), what) end
  end

  for _, kind in ipairs { "kill", "power" } do
    it("loses nothing that was acknowledged, wherever it ends: " .. kind, function()
      local k, output = 0
      repeat
        k = k + 1
        clear()
        output = in_process(path, live, kind, k)
        assert.is_nil(output:find "raised", output)
        check(output, kind .. " " .. k)
      until output:find "finished"
      assert.is_true(k > 60)
    end)

    it("is whole, or none yet, wherever its creation ends: " .. kind, function()
      local k, whole, output = 0, 0
      repeat
        k = k + 1
        clear()
        output = in_process(path, create, kind, k)
        local file, _, code = journal.open(path)
        if file then
          whole = whole + 1
          file:close()
        else
          assert.equal("not_a_journal", code)
          assert.is_nil(output:find "created")
        end
      until output:find "created"
      assert.is_true(k > 20 and whole > 0)
    end)
  end

  -- A run whose k-th call to the disk fails. What it acknowledged, the first code, and how many calls there were.
  local function run_on(kind, k)
    local said, first = {}, nil
    local file = journals.begun(path, 3)
    vfs.arm(kind, k)
    local function try(name, result, message, code)
      if result then
        said[#said + 1] = name
      else
        assert.is_string(code, name)
        assert.truthy(message:find(path, 1, true))
        first = first or code
      end
      return result
    end
    local function settle()
      -- The next call works, or fails as cleanly.
      try("reserved", file:reserve(8000))
      for n = 1, 3 do
        local step = try("sending " .. n, file:sending(journals.step { device = journals.device_id(n),
          operation = "op" .. n, arguments = ("a"):rep(9000 - 4000 * (n - 1)) }))
        if step then
          try("accepted " .. n, file:result { step = step, outcome = "accepted", answered = n,
            row = ("r"):rep(9000 - 4000 * (n - 1)) })
        end
      end
      if try("began", file:begin()) then
        for n = 1, 5 do file:event { at = n, kind = "x", detail = ("e"):rep(1000) } end
        try("events", file:commit())
      end
    end
    settle()
    local calls = vfs.disarm()
    return file, table.concat(said, "\n"), first, calls
  end

  it("says so each time a call to the disk fails, and goes on", function()
    local k, calls = 0
    repeat
      k = k + 1
      clear()
      local file, said, code
      file, said, code, calls = run_on("error", k)
      assert.is_true(code == "io" or k > calls, k)
      -- One call alone failed, so at most one verb did.
      local _, lines = said:gsub("\n", "")
      assert.is_true(lines >= 5, k .. ": " .. said)
      assert.is_true(#journals.list(file:steps()) >= 2)
      file:close()
      check(said, "error " .. k)
    until k > calls
    assert.is_true(k > 60)
  end)

  it("says so while a disk is dead, and goes on when it is back", function()
    local k, calls = 0
    repeat
      k = k + 1
      clear()
      local file, said, code
      file, said, code, calls = run_on("dead", k)
      assert.is_true(code == "io" or k > calls, k)
      assert.is_number(file:event { at = 1, kind = "back" } or nil)
      assert.is_true(file:begin())
      for n = 1, 4 do assert(file:event { at = n, kind = "x" }) end
      if said:find "events" then assert(file:rollback()) else assert(file:commit()) end
      -- Of what the disk did not confirm all may be there.
      local n = #journals.list(file:events())
      assert.is_true(n == 5 or n == 6 or n == 10, k)
      file:close()
    until k > calls
  end)

  it("leaves no file when its creation fails", function()
    local k, calls = 0, 0
    repeat
      k = k + 1
      for _, kind in ipairs { "error", "dead", "full" } do
        vfs.arm(kind, k)
        local file, _, code = journal.create(path, journals.run())
        calls = vfs.disarm()
        if file then
          file:close()
        else
          assert.equal(kind == "full" and "full" or "io", code)
          assert.equal("", shell.output_of("ls -A " .. directory))
        end
        clear()
      end
    until k > calls
    assert.is_true(k > 20)
  end)

  it("can write down what was sent on a full disk, if it reserved", function()
    local file = journals.begun(path, 400)
    for n = 1, 3 do assert(file:sending(journals.step { device = journals.device_id(n), operation = "op" .. n })) end
    assert.is_true(file:reserve(512 * 1024))
    vfs.arm("full", 1)
    for n = 1, 3 do
      assert.is_true(file:result { step = n, outcome = "accepted", answered = n, row = ("r"):rep(350) })
    end
    for n = 4, 400 do
      local step = assert(file:sending(journals.step { device = journals.device_id(n), operation = "op" .. n }))
      assert.is_true(file:result { step = step, outcome = "accepted", answered = n, row = ("r"):rep(350) })
    end
    vfs.disarm()
    file:close()
    file = assert(journal.open(path))
    assert.equal(400, #journals.list(file:steps()))
    file:close()
  end)

  it("says that a disk is full, and goes on when there is room", function()
    local file = journals.begun(path)
    vfs.arm("full", 1)
    local n, message, code = 0, nil, nil
    while n do
      n, message, code = file:event { at = 1, kind = "x", detail = ("d"):rep(5000) }
    end
    assert.equal("full", code)
    assert.truthy(message:find("could not record an event in the journal " .. path, 1, true))
    assert.truthy(message:find("make room on its disk and go on", 1, true))
    assert.is_nil((file:copy(path .. ".copy")))
    assert.is_nil(shell.read_file(path .. ".copy"))
    vfs.disarm()
    assert.is_number((file:event { at = 1, kind = "x", detail = ("d"):rep(5000) }))
    file:close()
  end)

  it("loses nothing that was acknowledged when it is killed from outside", function()
    for round = 1, 6 do
      clear()
      local process = script.start([[
        local file = require("tests.spec.support.journals").begun(arg[1])
        io.stdout:setvbuf "no"
        local n = 0
        while true do
          n = n + 1
          assert(file:event { at = n, kind = "x", detail = ("d"):rep(2000) })
          print(n)
        end
      ]], { arguments = { path } })
      os.execute(("sleep 0.%d; kill -9 %d"):format(round + 2, process.pid))
      local output = process.finish()
      local acknowledged = 0
      for line in output:gmatch "%f[^\n\0](%d+)\n" do acknowledged = tonumber(line) end
      local file = assert(journal.open(path))
      local count = #journals.list(file:events())
      file:close()
      assert.is_true(acknowledged > 5 and (count == acknowledged or count == acknowledged + 1), output:sub(-40))
    end
  end)

  local function on_file_system(environment, text)
    environment.LD_PRELOAD = shell.build() .. "/lua5.4/tests/file_system.so"
    return script.run(text, { arguments = { path }, environment = environment })
  end

  it("is refused on a file system of the network", function()
    journals.begun(path):close()
    for _, case in ipairs { "6969 network", "FF534D42 network", "FE534D42 network", "65735546 network",
      "FFFFFFFFFF534D42 network", "EF53", "9123683E", "1021994" } do
      local kind, code = case:match "(%S+) ?(.*)"
      assert.equal(code .. " " .. code .. "\n", on_file_system({ MDE_TEST_TYPE = kind }, [[
        local journal = require "mde.journal"
        local journals = require "tests.spec.support.journals"
        local _, _, code = journal.open(arg[1])
        os.remove(arg[1] .. ".new")
        local _, _, other = journal.create(arg[1] .. ".new", journals.run())
        print((code or "") .. " " .. (other or ""))]]))
    end
  end)

  it("does not begin where there is not three times the room", function()
    journals.begun(path):close()
    local output = on_file_system({ MDE_TEST_FREE = "299999" }, [[
      local file = assert(require("mde.journal").open(arg[1]))
      assert(file:reserve(99999))
      print(file:reserve(100000))]])
    assert.equal("nil\tthe disk of the journal " .. path .. " has 293 kB free, and 293 kB are needed before " ..
      "anything is sent; make room there, or put the journal elsewhere\tno_space\n", output)
  end)
end)
