-- mde.watch.cursor_file: a cursor in a file, of one watch at a time.
local alerts = require "tests.spec.support.alerts"
local core = require "mde.core"
local cursor_files = require "mde.watch.cursor_file"
local shell = require "tests.spec.support.process.shell"

local START = alerts.START

describe("a cursor in a file", function()
  local path

  before_each(function()
    path = os.tmpname()
    os.remove(path)
  end)

  after_each(function() os.remove(path) end)

  local function hand_over(kept, id)
    kept.cursor:tell(START + 5, id, alerts.at(1), alerts.at(1))
    assert.equal(1, kept.cursor:begin(id))
    assert.is_true(kept:keep())
    kept.cursor:finish(id, "succeeded", START + 5)
    assert.is_true(kept:keep(true))
  end

  it("goes on where the last one ended", function()
    local kept = assert(cursor_files.open(path, START))
    assert.is_true(kept.is_fresh)
    kept.cursor:read(START + 5)
    hand_over(kept, "a")
    kept:close()
    kept = assert(cursor_files.open(path, START + 1000))
    assert.is_false(kept.is_fresh)
    assert.equal(0, kept.lost)
    assert.equal(START, kept.cursor:read(START + 6))
    assert.equal("known", kept.cursor:tell(START + 6, "a", alerts.at(1), alerts.at(1)))
    kept:close()
  end)

  it("is refused where the alerts of somebody else are watched, and says whose it is", function()
    local kept = assert(cursor_files.open(path, START, nil, "the tenant a"))
    kept.cursor:read(START + 5)
    hand_over(kept, "a")
    kept:close()
    local other, err = cursor_files.open(path, START, nil, "the tenant b")
    assert.is_nil(other)
    assert.equal("cursor_unusable", err.code)
    assert.matches("is about alerts of the tenant a, and this client asks the tenant b", err.message, 1, true)
    kept = assert(cursor_files.open(path, START, nil, "the tenant a"))
    assert.is_false(kept.is_fresh)
    kept.cursor:read(START + 6)
    assert.equal("known", kept.cursor:tell(START + 6, "a", alerts.at(1), alerts.at(1)))
    -- It says so behind a replacement, too.
    assert.is_true(kept:replace())
    kept:close()
    assert.is_nil((cursor_files.open(path, START, nil, "the tenant b")))
    -- One that was kept without a name is taken by the first who comes.
    os.remove(path)
    assert(cursor_files.open(path, START)):close()
    assert(cursor_files.open(path, START, nil, "the tenant b")):close()
  end)

  it("goes on wherever the process was killed while it wrote", function()
    local kept = assert(cursor_files.open(path, START))
    kept.cursor:read(START + 5)
    hand_over(kept, "a")
    local before = shell.read_file(path)
    hand_over(kept, "b")
    local after = shell.read_file(path)
    kept:close()
    for length = #before, #after - 1 do
      shell.write_file(path, after:sub(1, length))
      kept = assert(cursor_files.open(path, 0))
      kept.cursor:read(START + 6)
      assert.equal("known", kept.cursor:tell(START + 6, "a", alerts.at(1), alerts.at(1)))
      local answer = kept.cursor:tell(START + 6, "b", alerts.at(1), alerts.at(1))
      assert.is_true(answer == "hand_over" or answer == "known")
      hand_over(kept, "c")
      kept:close()
      kept = assert(cursor_files.open(path, 0))
      assert.equal(0, kept.lost)
      kept.cursor:read(START + 6)
      assert.equal("known", kept.cursor:tell(START + 6, "c", alerts.at(1), alerts.at(1)))
      kept:close()
    end
  end)

  it("has no more at its end that the machine may lose than can be told from damage", function()
    local kept = assert(cursor_files.open(path, START))
    local function bytes() return assert(shell.read_file(path)) end
    kept.cursor:read(START + 10)
    for i = 1, 200 do kept.cursor:tell(START + 10, "al" .. i, alerts.at(1), alerts.at(1), "new") end
    assert(kept:keep(true))
    for i = 1, 12 do
      kept.cursor:tell(START + 10, ("da63755122767756081%02d_-961444813"):format(i), alerts.at(1), alerts.at(1), "new")
    end
    kept.cursor:begin "al1"
    local safe = bytes()
    assert(kept:keep())
    local before = bytes()
    assert.equal(safe, before:sub(1, #safe))
    -- The second piece does not fit behind the first, so both are made safe by a new file.
    kept.cursor:finish("al1", "succeeded", START + 10)
    assert(kept:keep(true))
    assert.is_true(#before - #safe > core.cursor.TAIL_MAX - 107 and #before - #safe <= core.cursor.TAIL_MAX)
    assert.not_equal(before, bytes():sub(1, #before))
    kept:close()
    kept = assert(cursor_files.open(path, START))
    assert.equal(212, kept.cursor:counts().waiting + kept.cursor:counts().done)
    kept:close()
  end)

  it("does not grow without end", function()
    local kept = assert(cursor_files.open(path, START))
    for i = 1, 2000 do
      kept.cursor:read(START + i)
      kept.cursor:tell(START + i, "a", alerts.at(i), alerts.at(1))
      kept.cursor:end_read()
      assert(kept:keep())
    end
    kept:close()
    assert.is_true(#shell.read_file(path) < 100000)
  end)

  it("writes all again where much has changed at once", function()
    local kept = assert(cursor_files.open(path, START))
    kept.cursor:read(START + 5)
    for i = 1, 100 do kept.cursor:tell(START + 5, "a" .. i, alerts.at(1), alerts.at(1)) end
    assert.is_true(kept:keep())
    assert.equal(kept.cursor:size(), #shell.read_file(path))
    kept:close()
  end)

  it("is refused if it is damaged, or something else, and stays as it is", function()
    local kept = assert(cursor_files.open(path, START))
    kept.cursor:read(START + 5)
    for i = 1, 100 do hand_over(kept, "a" .. i) end
    kept:close()
    local text = shell.read_file(path)
    local damaged = text:sub(1, 100) .. "x" .. text:sub(102)
    for code, content in pairs { cursor_damaged = damaged, cursor_unusable = "SQLite format 3" } do
      shell.write_file(path, content)
      local opened, err = cursor_files.open(path, START)
      assert.is_nil(opened)
      assert.equal(code, err.code)
      assert.equal("invalid", err.kind)
      assert.equal(content, shell.read_file(path))
    end
    shell.write_file(path, text)
    local _, err = cursor_files.open(path, START, { by_status = true })
    assert.equal("cursor_unusable", err.code)
  end)

  it("is of one at a time", function()
    local kept = assert(cursor_files.open(path, START))
    local _, err = cursor_files.open(path, START)
    assert.equal("cursor_in_use", err.code)
    kept:close()
    assert(cursor_files.open(path, START)):close()
  end)

  it("says where it cannot be", function()
    local _, err = cursor_files.open("/nowhere/at/all", START)
    assert.equal("cursor_unusable", err.code)
    assert.truthy(tostring(err):find("/nowhere/at/all", 1, true))
  end)

  it("says that it cannot be written", function()
    local kept = assert(cursor_files.open(path, START))
    kept.file:close()
    kept.file = { length = function() return 0 end, append = function() return nil, "the disk is full" end,
      replace = function() return nil, "the disk is full" end, close = function() end }
    kept.cursor:read(START + 5)
    kept.cursor:tell(START + 5, "a", alerts.at(1), alerts.at(1))
    local done, err = kept:keep()
    assert.is_nil(done)
    assert.same({ "cursor_unwritable", "unavailable" }, { err.code, err.kind })
    for i = 1, 100 do kept.cursor:tell(START + 5, "a" .. i, alerts.at(1), alerts.at(1)) end
    assert.is_nil((kept:keep()))
    assert.is_true(core.cursor.TAIL_MAX > 0)
  end)
end)
