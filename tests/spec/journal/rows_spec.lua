-- What a journal gives: all of it as it was, read before the first is given.
-- Labels: sanitized-each-lua
local journal = require "mde.journal"
local journals = require "tests.spec.support.journals"
local shell = require "tests.spec.support.process.shell"

local HOSTILE = { "", "\0", "a\0b\0", "\255\254\192\128", "'; DROP TABLE step; --", ('"'):rep(3), "\27[2J\r\n",
  ("x\0\255"):rep(350000), "null", "1", "x'00'", "caf\195\169 \226\128\174", "%s%n", "?1 :name @name $n" }

describe("the rows of a journal", function()
  local directory, path, file

  before_each(function()
    directory = shell.new_directory()
    path = directory .. "/run.db"
    file = journals.begun(path)
  end)
  after_each(function()
    file:close()
    shell.remove(directory)
  end)

  it("are the bytes that were given, whatever they are", function()
    assert(file:begin())
    for i, text in ipairs(HOSTILE) do
      assert.equal(i + 1, file:device { id = journals.device_id(i + 1), name = text, facts = text, why = text })
      assert.is_true(file:asked(text, journals.device_id(i + 1)))
      assert.is_true(file:planned(journals.device_id(i + 1), text, text))
      assert.is_true(file:module { name = text, path = text, digest = journals.DIGEST })
      local step = journals.step { device = journals.device_id(i + 1), verb = "v" .. text, incident = text, key = text,
        operation = text, comment = text, arguments = text }
      local n = assert(file:sending(step))
      assert.is_true(file:result { step = n, outcome = "accepted", answered = 1, action = text, row = text,
        error = text })
      assert.equal(i, file:event { at = 1, kind = text, detail = text })
    end
    assert(file:set_state("paused", HOSTILE[8]))
    assert(file:commit())
    file:close()
    file = assert(journal.open(path, { untrusted = true }))
    local devices, steps = journals.list(file:devices()), journals.list(file:steps())
    local events = journals.list(file:events())
    for i, text in ipairs(HOSTILE) do
      local id = journals.device_id(i + 1)
      assert.is_true(devices[i + 1].name == text and devices[i + 1].why == text)
      assert.equal(id, file:find_asked(text))
      assert.is_true(file:is_planned(id, text, text))
      local step = file:find { device = id, verb = "v" .. text, incident = text, key = text }
      for _, name in ipairs { "incident", "key", "operation", "comment", "arguments", "action", "row", "error" } do
        assert.is_true(step[name] == text and steps[i][name] == text, name)
      end
      assert.is_true(events[i].kind == text and events[i].detail == text)
    end
    assert.equal(#HOSTILE, #journals.list(file:modules()))
    assert.is_true(file:run().why == HOSTILE[8])
  end)

  it("know texts apart that differ behind a NUL, and in their case", function()
    assert(file:device { id = journals.device_id(2) })
    assert.is_true(file:asked("a\0b", journals.device_id(1)))
    assert.is_true(file:asked("a\0c", journals.device_id(2)))
    assert.is_true(file:asked("A\0b", journals.device_id(2)))
    assert.equal(journals.device_id(1), file:find_asked "a\0b")
    assert.is_false(file:find_asked "a")
    assert.equal("constraint", (select(3, file:device { id = journals.device_id(3) .. "\0" })))
    assert.equal("constraint", (select(3, file:device { id = journals.device_id(3):sub(2) .. "\0" })))
  end)

  it("come in the order in which they were made, with numbers as they were", function()
    for n = 2, 5 do assert(file:device { id = journals.device_id(n), wave = n }) end
    for n = 5, 1, -1 do
      assert(file:sending(journals.step { device = journals.device_id(n), operation = "op" .. n, occurrence = 2,
        sent_service = 1795921090.125, expires = 1795960800 }))
    end
    local steps = journals.list(file:steps())
    assert.equal(journals.device_id(5), steps[1].device)
    assert.equal("2", tostring(steps[1].occurrence))
    assert.equal(1795921090.125, steps[1].sent_service)
    assert.equal(1795960800, steps[1].expires)
    assert.equal("3", tostring(journals.list(file:devices())[3].wave))
    assert.is_nil(steps[1].outcome)
  end)

  it("hold nothing back while somebody pages, and may change meanwhile", function()
    for n = 2, 9 do assert(file:device { id = journals.device_id(n) }) end
    local other = assert(journal.open(path, { timeout = 0 }))
    local count = 0
    for device in assert(file:devices()) do
      count = count + 1
      assert.is_number(device.n)
      assert(other:device { id = journals.device_id(100 + count) })
      assert(file:event { at = count, kind = "x" })
    end
    other:close()
    assert.equal(9, count)
    local iterator = assert(file:devices())
    file:close()
    assert.equal(journals.device_id(1), iterator().id)
    for _ = 2, 18 do iterator() end
    assert.is_nil(iterator())
    assert.is_nil(iterator())
  end)

  it("are damaged where a column holds what it cannot", function()
    file:close()
    journals.by_sqlite(path, "PRAGMA ignore_check_constraints=1; UPDATE session SET began='soon'")
    local opened, _, code = journal.open(path)
    -- A newer SQLite notices when it opens.
    if opened then
      code = select(3, opened:sessions())
      opened:close()
    end
    assert.equal("damaged", code)
  end)
end)
