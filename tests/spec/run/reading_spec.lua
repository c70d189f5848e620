-- All that stands in a record, whoever has made it and whether or not its run has ended.
local environment = require "tests.spec.support.environment"
local journal = require "mde.journal"
local journals = require "tests.spec.support.journals"
local places = require "mde.run.place"
local posix = require "mde.posix"
local readings = require "mde.run.reading"
local records = require "mde.run.record"
local recorded = require "tests.spec.support.recorded"
local shell = require "tests.spec.support.process.shell"

describe("the reading of a record", function()
  local directory, path

  before_each(function()
    directory = shell.new_directory_in_memory()
    path = directory .. "/run.db"
  end)

  after_each(function() shell.remove(directory) end)

  local function written(told)
    recorded.write(path, told or { devices = recorded.bad_night })
    return path
  end

  -- A session that was killed in the middle of a commit: the file has half of it, and what takes it back stands beside.
  local function killed_in_commit()
    recorded.write(directory .. "/live.db", { devices = recorded.bad_night, state = "running", open = true })
    local file = assert(journal.open(directory .. "/live.db"))
    assert(file:begin())
    for _ = 1, 4000 do assert(file:event { at = 1, kind = "note", detail = ("x"):rep(2000) }) end
    shell.output_of(("cp %s/live.db %s; cp %s/live.db-journal %s-journal"):format(directory, path, directory, path))
    file:rollback()
    file:close()
    return path
  end

  it("has every row, and leaves the file as it is", function()
    written()
    local before = shell.read_file(path)
    local reading = assert(readings.read(path))
    assert.equal(#recorded.bad_night, #reading.devices)
    assert.equal(9, #reading.steps)
    assert.equal(1, #reading.sessions)
    assert.equal("complete", reading.run.state)
    assert.is_nil(reading.life)
    assert.equal(path, reading.name)
    assert.equal(before, shell.read_file(path))
    assert.is_nil(shell.read_file(path .. "-journal"))
  end)

  it("reads beside a session that is at work, and holds up nothing", function()
    written { devices = recorded.bad_night, state = "running", open = true }
    local lock = assert(posix.locked_file.open(places.lock_of(path)))
    assert.is_true(lock:lock())
    local file = assert(journal.open(path))
    assert.equal("live", assert(readings.read(path)).life)
    assert(file:event { at = 1, kind = "note" })
    assert(file:begin())
    assert(file:event { at = 1, kind = "note" })
    -- What is not committed is not there.
    assert.equal(1, #assert(readings.read(path)).events)
    assert(file:commit())
    assert.equal(2, #assert(readings.read(path)).events)
    file:close()
    lock:close()
    assert.equal("killed", readings.read(path).life)
  end)

  it("does not say that a run was killed whose record was sent from elsewhere", function()
    written { devices = recorded.bad_night, state = "running", open = true }
    assert.is_nil(readings.read(path).life)
  end)

  it("does not say that somebody is at work where the lock cannot be taken for another reason", function()
    written { devices = recorded.bad_night, state = "running", open = true }
    local lock = places.lock_of(path)
    shell.write_file(lock, "")
    os.execute("chmod 666 " .. lock)
    assert.is_nil(readings.read(path).life)
    os.execute(("rm %s; touch %s.other; ln -s %s.other %s"):format(lock, lock, lock, lock))
    assert.is_nil(readings.read(path).life)
    os.execute(("rm %s; mkfifo %s"):format(lock, lock))
    assert.is_nil(readings.read(path).life)
  end)

  it("does not say that a run was killed that ends while it is read", function()
    written { devices = recorded.bad_night, state = "running", open = true }
    shell.write_file(places.lock_of(path), "")
    os.execute("chmod 600 " .. places.lock_of(path))
    local is_in_use = records.is_in_use
    finally(function() records.is_in_use = is_in_use end)
    records.is_in_use = function(of)
      local file = assert(journal.open(of))
      assert(file:set_state "complete")
      file:close()
      return is_in_use(of)
    end
    local reading = assert(readings.read(path))
    assert.same({ "complete" }, { reading.run.state, reading.life })
  end)

  it("takes back half a commit of a session that was killed", function()
    local reading = assert(readings.read(killed_in_commit()))
    assert.equal(#recorded.bad_night, #reading.devices)
    assert.equal(0, #reading.events)
  end)

  it("reads a copy where what is half done cannot be taken back in its place, and leaves none", function()
    killed_in_commit()
    local temporary = directory .. "/tmp"
    shell.output_of("mkdir " .. temporary)
    environment.set { TMPDIR = temporary }
    local opened, copies = journal.open, {}
    for _, why in ipairs { "read_only", "network", "damaged" } do
      journal.open = function(place, given)
        if place == path then return nil, "it cannot be opened there", why end
        copies[#copies + 1] = shell.output_of(("ls -ld %s"):format(temporary .. "/*"))
        return opened(place, given)
      end
      local reading, err = readings.read(path)
      if why == "damaged" then
        assert.equal("record_unusable", err.code)
      else
        assert.equal(#recorded.bad_night, #assert(reading, err).devices)
        assert.equal(0, #reading.events)
        assert.equal(path, reading.path)
      end
      assert.equal("", shell.output_of("ls -A " .. temporary))
    end
    journal.open = opened
    environment.restore()
    assert.equal(2, #copies)
    assert.matches("^drwx%-%-%-%-%-%-", copies[1])
  end)

  it("opens what somebody has sent as one from elsewhere", function()
    written()
    local opened, options = journal.open, nil
    journal.open = function(place, given)
      options = given
      return opened(place, given)
    end
    local reading, err = readings.read(path)
    journal.open = opened
    assert(reading, err)
    assert.is_true(options.untrusted)
  end)

  it("refuses one beside which something names another file, also where it is copied first", function()
    written()
    shell.write_file(path .. "-journal", ("x"):rep(600) .. "\217\213\5\249\32\161\99\215")
    local opened, places_opened = journal.open, {}
    finally(function() journal.open = opened end)
    journal.open = function(place, options)
      places_opened[#places_opened + 1] = place
      if place == path then return nil, "on a network", "network" end
      return opened(place, options)
    end
    local reading, err = readings.read(path)
    assert.is_nil(reading)
    assert.equal(2, #places_opened)
    assert.matches("names another file, which SQLite would delete", err.message, 1, true)
  end)

  it("says what is wrong with a file", function()
    local reading, err = readings.read(directory .. "/none.db")
    assert.is_nil(reading)
    assert.equal("run_missing", err.code)
    shell.write_file(path, "no database")
    assert.equal("record_unusable", select(2, readings.read(path)).code)
    shell.write_file(path, "SQLite format 3\0" .. ("x"):rep(5000))
    assert.equal("record_unusable", select(2, readings.read(path)).code)
  end)

  it("can be copied into one file for its owner alone, also while the run goes on", function()
    written { devices = recorded.bad_night, state = "running", open = true }
    local file, copy = assert(journal.open(path)), directory .. "/copy.db"
    assert(file:begin())
    assert(file:event { at = 1, kind = "note" })
    assert.is_true(readings.copy(path, copy))
    assert(file:rollback())
    file:close()
    assert.matches("^%-rw%-%-%-%-%-%-%-", shell.output_of("ls -l " .. copy))
    assert.equal(#recorded.bad_night, #assert(readings.read(copy)).devices)
    local copied, err = readings.copy(path, copy)
    assert.is_nil(copied)
    assert.equal("record_unusable", err.code)
    assert.truthy(err.message:find(copy, 1, true))
    assert.equal("run_missing", select(2, readings.copy(directory .. "/none.db", directory .. "/b.db")).code)
  end)

  it("has the audit events as lines, but for those that are none", function()
    written { devices = { { name = "a" } }, events = {
      { "change", '{"machine_id":"1","verb":"restrict","outcome":"protected","message":"a rule"}' },
      { "change", '{"machine_id":{},"verb":[],"outcome":5}' }, { "change", "[[" }, { "note", "by hand" } } }
    local lines, lost = readings.audit_lines(path)
    assert.equal(1, #lines)
    assert.matches('^{.*"class_uid":7001.*"a rule".*}$', lines[1])
    assert.is_true(lost <= 1)
    assert.equal("run_missing", select(2, readings.audit_lines(directory .. "/none.db")).code)
  end)

  it("is of a run where the word names one", function()
    written()
    shell.write_file(directory .. "/text", "no database")
    for word, is_run in pairs { [path] = true, ["./none"] = true, ["/none"] = true, ["none.db"] = true,
      ["INC-4711"] = false, ["20261129T025804Z-ffff"] = false, ["team/INC-4711"] = false,
      [""] = false, ["not an incident"] = false } do
      assert.equal(is_run, readings.is_run(word), word)
    end
  end)

  it("is given what journals have", function()
    local file = journals.begun(path, 2)
    file:close()
    assert.equal(2, #assert(readings.read(path)).devices)
  end)
end)
