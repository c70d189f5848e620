-- What is no journal, is one of another version, or was damaged, says so.
-- Labels: sanitized-each-lua
local journal = require "mde.journal"
local journals = require "tests.spec.support.journals"
local shell = require "tests.spec.support.process.shell"

local PAGE = 4096

describe("a file that is opened as a journal", function()
  local directory, path, whole

  setup(function()
    directory = shell.new_directory()
    path = directory .. "/run.db"
    local file = journals.begun(path, 300)
    assert(file:begin())
    for n = 1, 300 do
      local step = assert(file:sending(journals.step { device = journals.device_id(n), operation = "op" .. n }))
      assert(file:result { step = step, outcome = "accepted", answered = 1, action = "A" .. n, row = ("r"):rep(200) })
    end
    assert(file:commit())
    assert(file:finish())
    whole = shell.read_file(path)
  end)
  teardown(function() shell.remove(directory) end)

  before_each(function()
    os.remove(path .. "-journal")
    shell.write_file(path, whole)
  end)

  --- Why it is refused, from any caller.
  local function refused(code)
    local message
    for _, untrusted in ipairs { true, false } do
      local file, problem, said = journal.open(path, { untrusted = untrusted })
      assert.is_nil(file)
      assert.equal(code, said, problem)
      assert.truthy(problem:find(path, 1, true))
      message = problem
    end
    return message
  end

  it("is one if it is whole", function()
    for _, untrusted in ipairs { true, false } do
      local file = assert(journal.open(path, { untrusted = untrusted }))
      assert.equal(300, #journals.list(file:steps()))
      file:close()
    end
  end)

  it("is no journal if it is something else", function()
    for _, text in ipairs { "{}", ("text "):rep(3000), (whole:gsub("^S", "s")) } do
      shell.write_file(path, text)
      refused "not_a_journal"
      assert.equal(text, shell.read_file(path))
    end
  end)

  it("is no journal if nothing was written into it", function()
    shell.write_file(path, "")
    assert.truthy(refused "not_a_journal":find("is empty", 1, true))
  end)

  it("is no journal if it is a database of something else", function()
    journals.overwrite(path, 68, "\0\0\0\0")
    assert.truthy(refused "not_a_journal":find("a database of something else", 1, true))
  end)

  it("is newer if it says so, whatever it has", function()
    journals.overwrite(path, 60, "\0\0\0\2")
    assert.truthy(refused "newer":find("is of format 2, and this version of mde knows up to 1", 1, true))
    journals.by_sqlite(path, "CREATE TABLE more(x)")
    refused "newer"
  end)

  it("is foreign if it is of no version", function()
    journals.overwrite(path, 60, "\0\0\0\0")
    refused "foreign_schema"
  end)

  it("is foreign if its tables are not those of this version", function()
    for _, change in ipairs {
      "CREATE TABLE more(x)",
      "CREATE INDEX more ON event(kind)",
      "CREATE VIEW more AS SELECT 1",
      "CREATE TRIGGER more AFTER INSERT ON event BEGIN DELETE FROM step; END",
      "ALTER TABLE run ADD COLUMN more",
      "DROP INDEX step_open",
      "DROP TABLE asked",
      "DROP TABLE asked; CREATE TABLE more(x)",
      "PRAGMA writable_schema=1; UPDATE sqlite_master SET sql=replace(sql, 'CHECK(one=1)', '            ')",
    } do
      shell.write_file(path, whole)
      assert.equal("", journals.by_sqlite(path, change))
      refused "foreign_schema"
    end
  end)

  it("is damaged if it was cut", function()
    for _, pages in ipairs { 2, 10, 20, #whole / PAGE - 1 } do
      shell.write_file(path, whole:sub(1, pages * PAGE))
      refused "damaged"
    end
    for _, length in ipairs { 50, #whole - 100 } do
      shell.write_file(path, whole:sub(1, length))
      refused "damaged"
    end
  end)

  it("is damaged if a page is", function()
    for page = 1, #whole / PAGE - 1, 7 do
      shell.write_file(path, whole)
      journals.overwrite(path, page * PAGE, ("\99"):rep(200))
      local file, _, code = journal.open(path, { untrusted = true })
      if file then file:close() end
      assert.equal("damaged", code)
    end
  end)

  it("is never a crash with any bit turned", function()
    local seen, random = {}, 1
    for _ = 1, 400 do
      random = (random * 16807) % 2147483647
      -- Half of them in what holds the rest together.
      local place = random % 2 == 0 and random % #whole or (random % (#whole / PAGE)) * PAGE + random % 100
      local byte = whole:byte(place + 1)
      random = (random * 16807) % 2147483647
      local bit = 2 ^ (random % 8)
      shell.write_file(path, whole)
      local is_set = math.floor(byte / bit) % 2 == 1
      journals.overwrite(path, place, string.char(is_set and byte - bit or byte + bit))
      local file, _, code = journal.open(path, { untrusted = true })
      if file then
        for _, name in ipairs { "steps", "devices", "sessions", "events", "plan_rows" } do
          local rows, problem, why = file[name](file)
          if not rows then code = assert(why, problem) end
        end
        file:close()
      end
      seen[code or "whole"] = (seen[code or "whole"] or 0) + 1
    end
    local known = { whole = true, damaged = true, not_a_journal = true, newer = true, foreign_schema = true }
    for code in pairs(seen) do assert.is_true(known[code], code) end
    assert.is_true(seen.damaged > 20 and seen.whole > 20)
  end)
end)
