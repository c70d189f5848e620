-- What a run was to do, and what came of each device.
local accounts = require "mde.run.account"
local journals = require "tests.spec.support.journals"
local readings = require "mde.run.reading"
local recorded = require "tests.spec.support.recorded"
local shell = require "tests.spec.support.process.shell"

describe("the account of a run", function()
  local directory, count

  before_each(function() directory, count = shell.new_directory_in_memory(), 0 end)

  after_each(function() shell.remove(directory) end)

  local function account(told)
    count = count + 1
    local path = ("%s/%d.db"):format(directory, count)
    recorded.write(path, told)
    return accounts.of(assert(readings.read(path)))
  end

  local function words_of(told)
    local words = {}
    for _, device in ipairs(told.devices) do words[device.name] = device.word end
    return words
  end

  it("has each device once, with one word, the worst first", function()
    local told = account { devices = recorded.bad_night, state = "paused", why = "2 sends are not known" }
    assert.same({
      ["done.corp.example"] = "restricted", ["pending.corp.example"] = "pending", ["failed.corp.example"] = "failed",
      ["lost.corp.example"] = "unknown", ["unknown.corp.example"] = "unknown", ["refused.corp.example"] = "refused",
      ["taken-back.corp.example"] = "superseded", ["cancelled.corp.example"] = "cancelled",
      ["never.corp.example"] = "not_sent", ["faster.corp.example"] = "already_active",
      ["dc-1.corp.example"] = "protected", ["held.corp.example"] = "already_active",
      ["opposite.corp.example"] = "conflict", ["unread.corp.example"] = "not_looked_at",
    }, words_of(told))
    assert.equal(#recorded.bad_night, #told.devices)
    local rank, before, total = {}, 0, 0
    for i, one in ipairs(accounts.words) do rank[one.word] = i end
    for _, device in ipairs(told.devices) do
      assert.is_true(rank[device.word] >= before)
      before = rank[device.word]
      assert.equal(accounts.words[before].part, device.part)
    end
    for _, number in pairs(told.counts) do total = total + number end
    assert.equal(#told.devices, total)
    assert.equal("unknown", told.devices[1].word)
    assert.same({ planned = 10, sent = 8, accepted = 4, succeeded = 1, failed = 1 }, told.numbers)
    assert.same({ { rule = "servers", count = 1 } }, told.rules)
    assert.same({ "INC-4711" }, told.run.incidents)
  end)

  it("has no word that report.md does not explain", function()
    local text = assert(shell.read_file "lua/mde/run/report.md")
    for _, one in ipairs(accounts.words) do
      assert.truthy(text:find(("\n| `%s` |"):format(one.word), 1, true), one.word)
    end
  end)

  it("has what is known of a change", function()
    local told = account { devices = { { name = "a", outcome = "accepted", status = "Succeeded", requestor = "soc",
      expires = 1796000000, comment = "seen twice", wave = 1 } }, events = { { "gate", "wave 1: 1 sent, all well" },
      { "note", "by hand" } } }
    local change = told.devices[1].changes[1]
    assert.equal(1, #told.devices[1].changes)
    assert.equal(recorded.BEGAN + 1, change.sent_at)
    assert.equal(recorded.BEGAN + 2, change.answered_at)
    assert.equal(recorded.BEGAN + 11, change.done_at)
    assert.equal(1796000000, change.expires_at)
    assert.equal("seen twice", change.comment)
    assert.equal("INC-4711", change.incident)
    assert.equal("soc", change.requestor)
    assert.equal("operation-1", change.operation_id)
    assert.same({ { verb = "restrict", wave = 1, planned = 1, sent = 1, succeeded = 1,
      verdict = "1 sent, all well" } }, told.waves)
    assert.equal(2, #told.events)
    assert.equal("alice", told.sessions[1].who)
    assert.equal("soc1", told.sessions[1].host)
    assert.is_false(told.sessions[1].is_changed)
    assert.equal(1, told.timeline.rows[#told.timeline.rows].succeeded)
  end)

  it("of a plan that was kept says what would be done", function()
    local told = account { devices = { { name = "a" }, { name = "b", decision = "protected", rule = "tags" } },
      state = "planned" }
    assert.same({ a = "planned", b = "protected" }, words_of(told))
    assert.equal("open", told.devices[1].part)
    assert.is_nil(told.timeline)
    assert.same({}, told.sessions)
  end)

  it("of a run under way says what is on its way and what is to come, and what needs somebody nonetheless", function()
    local path = directory .. "/live.db"
    recorded.write(path, { devices = recorded.bad_night, state = "running", open = true })
    local reading = assert(readings.read(path))
    reading.life = "live"
    local told = accounts.of(reading)
    local words = words_of(told)
    assert.equal("sending", words["lost.corp.example"])
    assert.equal("planned", words["never.corp.example"])
    assert.equal("unknown", words["unknown.corp.example"])
    for _, device in ipairs(told.devices) do
      if device.word == "pending" then assert.equal("open", device.part) end
    end
    reading.life = "killed"
    words = words_of(accounts.of(reading))
    assert.equal("unknown", words["lost.corp.example"])
    assert.equal("not_sent", words["never.corp.example"])
  end)

  it("takes what was done last, and what nobody knows before that", function()
    local path = directory .. "/twice.db"
    recorded.write(path, { devices = { { name = "a", outcome = "accepted", status = "Succeeded" },
      { name = "b", outcome = "lost" } }, open = true, state = "paused" })
    local file = assert(require("mde.journal").open(path))
    for n = 1, 2 do
      local step = assert(file:sending(journals.step { device = recorded.id(n), verb = "release",
        incident = "inc-4711", operation = "later-" .. n, at = recorded.BEGAN + 50,
        comment = ("cleared [mde:INC-4711:later-%d]"):format(n) }))
      assert(file:result { step = step, outcome = "accepted", answered = recorded.BEGAN + 51, action = "x" .. n,
        row = '{"status":"Succeeded"}' })
    end
    file:close()
    local told = accounts.of(assert(readings.read(path)))
    assert.same({ a = "released", b = "unknown" }, words_of(told))
    assert.equal(2, #told.devices[1].changes)
  end)

  -- The first device was restricted, which came to this, and was then asked for again: these verbs, found to be so.
  local function found_again(status, verbs)
    count = count + 1
    local path = ("%s/%d.db"):format(directory, count)
    recorded.write(path, { devices = { { name = "a", outcome = "accepted", status = status, wave = 1 } }, open = true })
    local file = assert(require("mde.journal").open(path))
    for i, verb in ipairs(verbs) do
      assert(file:settled { session = 1, device = recorded.id(1), verb = verb, incident = "inc-4711", key = "",
        occurrence = i + 1, arguments = "{}", answered = recorded.BEGAN + 50 + i, outcome = "already_active",
        row = "{}" })
    end
    file:close()
    return accounts.of(assert(readings.read(path)))
  end

  it("does not let a call that found what the run had done take the place of that", function()
    for status, word in pairs { Succeeded = "restricted", Pending = "pending" } do
      local told = found_again(status, { "restrict", "restrict" })
      assert.equal(word, told.devices[1].word)
      assert.equal(3, #told.devices[1].changes)
      assert.equal("already_active", told.devices[1].changes[3].word)
    end
    assert.equal("already_active", found_again("Succeeded", { "release" }).devices[1].word)
    assert.equal("already_active", found_again("Succeeded", { "release", "restrict" }).devices[1].word)
    assert.equal("already_active", found_again("Failed", { "restrict" }).devices[1].word)
  end)

  it("counts what was planned once, however often it was called", function()
    local told = found_again("Succeeded", { "restrict", "restrict" })
    assert.equal(1, told.numbers.planned)
    assert.equal(1, told.waves[1].planned)
    assert.equal("restrict", told.devices[1].changes[1].decision)
    assert.is_nil(told.devices[1].changes[2].decision)
  end)

  it("shows a device that no plan has", function()
    local told = account { devices = { { name = "a", unplanned = true, verb = "release", outcome = "accepted",
      status = "Succeeded" } } }
    assert.is_false(told.devices[1].in_plan)
    assert.equal("released", told.devices[1].word)
  end)

  it("knows of what was not sent why, from how its last call ended", function()
    local function call(n, outcome, more)
      return { "change", ('{"machine_id":"%s","verb":"restrict","incident":"INC-4711","outcome":"%s",'
        .. '"message":"why %d"%s}'):format(recorded.id(n):upper(), outcome, n, more or "") }
    end
    local told = account { devices = { { name = "a" }, { name = "b" }, { name = "c" }, { name = "d" }, { name = "e" } },
      state = "stopped", events = { call(1, "unavailable"), call(1, "protected", ',"rule":"drift"'), call(2, "cap"),
        call(3, "unavailable"), call(5, "conflict"), call(99, "protected"), { "change", "[[" }, { "change", "{}" },
        { "drift", "of the run" } } }
    assert.same({ a = "withheld", b = "not_sent", c = "not_sent", d = "not_sent", e = "withheld" }, words_of(told))
    assert.same({ { rule = "drift", count = 1 } }, told.rules)
    for _, device in ipairs(told.devices) do
      assert.equal("needs", device.part)
      local change = device.changes[1]
      assert.equal(({ a = "why 1", b = "why 2", c = "why 3", e = "why 5" })[device.name], change.said)
      if device.name == "a" then assert.equal("drift", change.rule) end
    end
    assert.same({ { machine_id = recorded.id(99):upper(), verb = "restrict", said = "why 99" } }, told.beyond)
    assert.equal(1, #told.events)
    assert.equal("drift", told.events[1].kind)
  end)

  it("has the names that meant no machine, or several, when the run came to them", function()
    local function call(asked, outcome)
      return { "change", ('{"asked":"%s","verb":"restrict","outcome":"%s","message":"of %s"}'):format(asked, outcome,
        asked) }
    end
    local told = account { devices = { { name = "a.corp.example" } }, run = { settings =
      '{"unresolvable":[{"asked":"\\"gone\\"","why":"of the plan"}]}' }, events = { call("pc-7", "not_found"),
      call("PC-7", "not_found"), call("pc", "ambiguous"), call("gone", "not_found"),
      call("A.corp.example", "not_found"), { "change", '{"asked":5,"verb":"restrict","outcome":"not_found"}' } } }
    assert.same({ { name = "PC-7", verb = "restrict", said = "of PC-7" },
      { name = "pc", verb = "restrict", said = "of pc" } }, told.beyond)
    assert.same({ ["a.corp.example"] = "not_sent" }, words_of(told))
  end)

  it("says of an undo what others hold", function()
    local told = account { devices = { { name = "a", verb = "release", decision = "held", why = "INC-2 holds it" },
      { name = "b", verb = "release", decision = "not_held" } }, run = { verb = "undo" } }
    assert.same({ a = "held", b = "not_held" }, words_of(told))
    assert.equal("left", told.devices[1].part)
  end)

  it("says of an undo which run it takes back", function()
    local told = account { devices = {}, run = { verb = "undo", undoes = "20261129T025804Z-7f3a" } }
    assert.equal("undo", told.run.verb)
    assert.equal("20261129T025804Z-7f3a", told.run.undoes)
  end)

  it("says of a run that it was undone, and by which", function()
    local told = account { devices = {}, events = { { "undone", "20261129T040000Z-aaaa" },
      { "undone", "20261129T050000Z-bbbb" }, { "note", "x" } }, why = "undone by 20261129T050000Z-bbbb" }
    assert.equal("20261129T050000Z-bbbb", told.run.undone_by)
    assert.is_nil(account({ devices = {} }).run.undone_by)
  end)

  it("has the settings as texts, which are the same for the same record", function()
    local path = directory .. "/settings.db"
    recorded.write(path, { devices = { { name = "a", outcome = "accepted", status = "Succeeded" } },
      run = { settings = '{"bound":{"gate":{"z":1,"b":2,"a":{},"y":4,"c":5,"x":[6]},"cap":"20","empty":{}}}' } })
    local told = accounts.of(assert(readings.read(path)))
    assert.same({ gate = '{"a":{},"b":2,"c":5,"x":[6],"y":4,"z":1}', cap = "20", empty = "{}" }, told.run.settings)
  end)

  it("stands whatever JSON the record has", function()
    for _, odd in ipairs { "", "null", "5", "[]", "[[[", '{"changes":5}', '{"changes":[5,{"verb":1}],"tags":[{}]}',
      '{"changes":[{"verb":"restrict","decision":"\\u0000","incident":7}],"order":"x","tags":{"a":1}}' } do
      count = count + 1
      local path = ("%s/%d.db"):format(directory, count)
      recorded.write(path, { devices = { { name = "a", outcome = "accepted", status = "Succeeded" } },
        run = { arguments = odd, settings = odd } })
      local reading = assert(readings.read(path))
      reading.devices[1].facts = odd
      reading.devices[1].wave, reading.steps[1].attempts, reading.sessions[1].pid = 1e300, 1e300, -1e300
      for _, name in ipairs { "row", "error", "arguments" } do reading.steps[1][name] = odd end
      reading.steps[1].sent, reading.steps[1].expires = math.huge, -1e300
      local told = accounts.of(reading)
      assert.equal("restricted", told.devices[1].word)
      assert.is_nil(told.devices[1].changes[1].expires_at)
      assert.is_nil(told.devices[1].changes[1].attempts)
      assert.is_nil(told.devices[1].wave)
      assert.equal(0, told.sessions[1].pid)
    end
  end)

  it("takes an outcome that there is not for one that nobody knows", function()
    local path = directory .. "/odd.db"
    recorded.write(path, { devices = { { name = "a", outcome = "refused" } } })
    local reading = assert(readings.read(path))
    reading.steps[1].outcome = "splendid"
    assert.equal("unknown", accounts.of(reading).devices[1].word)
  end)
end)
