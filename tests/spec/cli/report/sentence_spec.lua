-- What a run came to, in sentences for people.
local runs = require "mde.run"
local sentence = require "mde.cli.report.sentence"

describe("what is said of a run", function()
  -- Devices that came to these words.
  local function account(words, run)
    local own = { devices = {}, counts = {}, unresolvable = {}, sessions = {}, run = { id = "20261129T025804Z-7f3a",
      name = "20261129T025804Z-7f3a", verb = "run", state = "complete", playbook = "contain.lua", incidents = {} } }
    for name, value in pairs(run or {}) do own.run[name] = value end
    for i, word in ipairs(words) do
      own.counts[word] = (own.counts[word] or 0) + 1
      own.devices[i] = { id = ("%040x"):format(i), word = word, part = sentence.words[word].part,
        changes = { { verb = "restrict", word = word, decision = "restrict" } } }
    end
    return own
  end

  it("has a sign and a meaning for each word", function()
    for _, one in ipairs(runs.account_words) do
      local word = sentence.words[one.word]
      assert.equal(one.part, word.part)
      assert.is_nil(word.shown:find("_", 1, true))
      assert.is_true(#word.sign > 0 and #word.means > 0)
    end
  end)

  it("counts, the worst first", function()
    assert.equal("1 of 1 device restricted", sentence.headline(account { "restricted" }))
    assert.equal("1 of 4 devices restricted, 2 unknown, 1 pending",
      sentence.headline(account { "unknown", "restricted", "pending", "unknown" }))
    local told = account { "already_active", "protected" }
    told.devices[1].changes[1].decision, told.devices[2].changes[1].decision = "already_active", "protected"
    told.unresolvable = { {}, {} }
    assert.equal("No device was to be changed, 2 left as they were, 2 names not resolved", sentence.headline(told))
    told = account { "released", "restricted" }
    told.devices[1].changes[1] = { verb = "release", decision = "release" }
    assert.equal("1 of 1 device restricted, 1 of 1 device released", sentence.headline(told))
  end)

  it("does not take a device that was released for one that was restricted, as it was to be", function()
    assert.equal("1 of 2 devices restricted, 1 released beyond the plan",
      sentence.headline(account { "restricted", "released" }))
  end)

  it("names what was changed and was not planned", function()
    local told = account { "restricted", "restricted", "released", "unknown" }
    for _, device in ipairs(told.devices) do
      device.changes[1].decision, device.changes[1].sent_at = nil, 1796000000
    end
    assert.equal("2 restricted beyond the plan, 1 released beyond the plan, 1 unknown", sentence.headline(told))
    told.devices[1].changes[1].decision = "restrict"
    assert.equal("1 of 1 device restricted, 1 restricted beyond the plan, 1 released beyond the plan, 1 unknown",
      sentence.headline(told))
  end)

  it("has each device in one group of the headline, of whatever run", function()
    -- The same numbers each time.
    local state = 4711
    local function one_of(list)
      state = state * 16807 % 2147483647
      return list[state % #list + 1]
    end
    local verbs, words = { "restrict", "release" }, {}
    for i, one in ipairs(runs.account_words) do words[i] = one.word end
    for _ = 1, 500 do
      local own = {}
      for i = 1, one_of { 0, 1, 2, 5, 20 } do own[i] = one_of(words) end
      local told = account(own)
      for _, device in ipairs(told.devices) do
        device.changes = {}
        for i = 1, one_of { 0, 1, 2 } do
          local verb = one_of(verbs)
          device.changes[i] = { verb = verb, word = device.word, decision = one_of { verb, "protected", false } or nil,
            sent_at = one_of { 1796000000, false } or nil }
        end
      end
      local headline, total = sentence.headline(told), 0
      for group in (headline .. ", "):gmatch "(.-), " do total = total + (tonumber(group:match "^%d+") or 0) end
      assert.equal(#own, total, headline)
    end
  end)

  -- A device to which several things were done: for each of them the verb and what it came to.
  local function device_of(...)
    local came_to, changes = require "mde.run.came_to", {}
    for i, text in ipairs { ... } do
      local verb, mark, word = text:match "^(%a+)(%p?) (.+)$"
      changes[i] = { verb = verb, word = word, decision = verb, n = word ~= "not_needed" and i or nil,
        if_needed = mark == "?" or nil, outcome = "accepted", sent_at = 1796000000,
        sha1 = verb == "quarantine" and ("%040x"):format(i) or nil }
    end
    local word, groups = came_to.of_device(changes)
    return { id = ("%040x"):format(1), word = word, groups = groups, changes = changes }
  end

  it("counts each thing that was done to a device, in a run that did several", function()
    local told = account {}
    told.devices = { device_of("restrict restricted", "isolate isolated", "scan scanned"),
      device_of("restrict restricted", "isolate failed", "scan pending"), device_of "quarantine file_quarantined" }
    assert.equal("2 of 2 devices restricted, 1 of 2 devices isolated, 1 of 2 devices scanned, "
      .. "a file quarantined on 1 of 1 device, 1 failed, 1 pending", sentence.headline(told))
  end)

  it("counts a device of which several files were wanted once, as done when all are", function()
    local told = account {}
    told.devices = { device_of("quarantine failed", "quarantine file_quarantined"),
      device_of("quarantine file_quarantined", "quarantine file_quarantined") }
    assert.equal("a file quarantined on 1 of 2 devices, 1 failed", sentence.headline(told))
  end)

  it("does not count what was not needed, nor a rung that failed before the next one held", function()
    local told = account {}
    told.devices = { device_of("restrict restricted", "isolate? not_needed"),
      device_of("restrict failed", "isolate? isolated"), device_of("restrict failed", "isolate? failed") }
    assert.equal("1 of 3 devices restricted, 1 isolated as it was needed, 2 failed", sentence.headline(told))
  end)

  it("names the run, how far it is, when it was and by whom", function()
    local told = account({}, { incidents = { "INC-1", "INC-2" }, state = "paused", why = "the cap is full" })
    told.sessions = { { began_at = 1795921084, ended_at = 1795921100, who = "alice", host = "soc1" },
      { began_at = 1796000000, ended_at = 1796000060, host = "soc2" },
      { began_at = 1796000100, ended_at = 1796000160, who = "alice", host = "soc1" } }
    assert.equal("Run 20261129T025804Z-7f3a, playbook \"contain.lua\", INC-1, INC-2: paused (the cap is full), "
      .. "2026-11-29 02:58 to 2026-11-30 00:56 UTC, by alice on soc1, soc2.", sentence.about(told))
    assert.equal("Run 20261129T025804Z-7f3a, undo of run 20261128T000000Z-0001: complete.",
      sentence.about(account({}, { verb = "undo", undoes = "20261128T000000Z-0001" })))
  end)

  it("says in one sentence what its undo has taken back", function()
    assert.is_nil(sentence.undone {})
    assert.equal("It was undone by \\x1b, which took it back on 1 device; that does not count as differing.",
      sentence.undone { undone = { by = "\27", taken_back = 1, is_readable = true } })
    assert.equal("It was undone by x, whose record is not here; what that took back counts as differing.",
      sentence.undone { undone = { by = "x", taken_back = 0, is_readable = false } })
  end)

  it("says first that a run was undone", function()
    local told = account({ "restricted" }, { undone_by = "20261129T050000Z-bbbb" })
    assert.equal("Undone by 20261129T050000Z-bbbb; before that: 1 of 1 device restricted", sentence.headline(told))
    assert.equal("undone", sentence.state(told.run))
  end)

  for state, words in pairs { planned = "a plan", complete = "complete", broken = "broken off",
    stopped = "stopped" } do
    it("says how far it is: " .. state, function()
      assert.truthy(sentence.state({ state = state }):find(words, 1, true))
    end)
  end

  it("tells a run that goes on from one that was killed, and from a copy of either", function()
    assert.equal("under way", sentence.state { state = "running", life = "live" })
    assert.equal("killed before it ended", sentence.state { state = "running", life = "killed" })
    assert.matches("when this record was copied", sentence.state { state = "running" })
    assert.is_false(sentence.is_open { state = "running", life = "live" })
    assert.is_true(sentence.is_open { state = "running", life = "killed" })
    assert.is_true(sentence.is_open { state = "paused" })
    assert.is_false(sentence.is_open { state = "complete" })
  end)

  it("has advice for each word that needs somebody, and for no other", function()
    for _, one in ipairs(runs.account_words) do
      for _, state in ipairs { "complete", "paused" } do
        local words, command = sentence.advice(one.word, account({ one.word }, { state = state }))
        assert.equal(one.part == "needs", words ~= nil)
        if command then assert.matches("^mde %l+ [%w%-]+", command) end
      end
    end
  end)

  it("of what was not sent says that what stood against it stands beside it, where it does", function()
    local told = account { "not_sent", "not_sent" }
    assert.matches("which the record does not say", (sentence.advice("not_sent", told)))
    told.devices[2].changes[1].said = "HTTP 503"
    local words = sentence.advice("not_sent", told)
    assert.matches("stands beside it", words)
    assert.is_nil(words:find("does not say", 1, true))
  end)

  it("says of what is pending that it needs nobody, and how to look again, but while the run goes on", function()
    local words, command = sentence.pending(account { "pending", "restricted" })
    assert.matches("^1 device had not finished yet when this was recorded. Nobody has to do anything", words)
    assert.equal("mde report 20261129T025804Z-7f3a --verify", command)
    assert.matches("^2 devices had", (sentence.pending(account({ "pending", "pending" }, { life = "killed" }))))
    assert.is_nil(sentence.pending(account { "restricted" }))
    assert.is_nil(sentence.pending(account({ "pending" }, { state = "running", life = "live" })))
  end)

  it("names few devices in a command by their ids, and many by their run", function()
    local _, command = sentence.advice("failed", account { "failed", "failed" })
    assert.equal(("mde state %040x %040x"):format(1, 2), command)
    _, command = sentence.advice("failed", account { "failed", "failed", "failed", "failed", "failed", "failed" })
    assert.equal("mde report 20261129T025804Z-7f3a --verify", command)
    _, command = sentence.advice("unknown", account({ "unknown" }, { name = "./my run.db", state = "paused" }))
    assert.equal("mde resume './my run.db'", command)
  end)

  it("notes what is to be known of a change", function()
    for words, change in pairs {
      ["cancelled by carol"] = { word = "cancelled", cancelled_by = "carol", n = 1 },
      ["the service said no"] = { word = "refused", said = "the service said no", n = 1 },
      ["rule tags; it has a tag"] = { word = "protected", rule = "tags", why = "it has a tag" },
      ["the tag is gone; rule drift"] = { word = "withheld", said = "the tag is gone", rule = "drift" },
      ["by INC-1"] = { word = "already_active", holder = "INC-1", n = 1 },
      ["of the release"] = { verb = "release", word = "pending", n = 1 },
      ["of the release; no"] = { verb = "release", word = "refused", said = "no", n = 1 },
      ["sent 3 times"] = { word = "restricted", attempts = 3, n = 1 },
      ["not reached by the last session"] = { word = "restricted", attempts = 1, n = 1, not_reached = true },
      ["\\x1b[2J"] = { word = "refused", said = "\27[2J", n = 1 },
    } do
      assert.equal(words, sentence.note(change))
    end
    assert.is_nil(sentence.note { verb = "restrict", word = "pending", n = 1 })
    assert.is_nil(sentence.note { verb = "release", word = "released", n = 1 })
    assert.is_nil(sentence.note { word = "restricted", attempts = 1, n = 1, why = "of the plan" })
  end)

  it("finds the change by which a device has its word", function()
    local changes = { { word = "unknown" }, { word = "restricted" } }
    assert.equal(changes[1], sentence.deciding { word = "unknown", changes = changes })
    assert.equal(changes[2], sentence.deciding { word = "restricted", changes = changes })
    assert.equal(changes[2], sentence.deciding { word = "left", changes = changes })
    assert.is_nil(sentence.deciding { word = "left", changes = {} })
  end)
end)
