-- The verbs of a run: what is planned, asked, sent, answered, and what never takes the place of what.
-- Labels: sanitized-each-lua
local journal = require "mde.journal"
local journals = require "tests.spec.support.journals"
local shell = require "tests.spec.support.process.shell"

local device = journals.device_id(1)

describe("in a journal", function()
  local directory, path, file

  before_each(function()
    directory = shell.new_directory()
    path = directory .. "/run.db"
    file = journals.begun(path, 2)
  end)
  after_each(function()
    file:close()
    shell.remove(directory)
  end)

  local function refused(result, message, code)
    assert.is_nil(result)
    assert.equal("constraint", code, message)
    return message
  end

  local function find(changes)
    local identity = { device = device, verb = "restrict", incident = "INC-4711" }
    for key, value in pairs(changes or {}) do identity[key] = value end
    return file:find(identity)
  end

  describe("the run", function()
    it("has one plan", function()
      assert.is_true(file:set_plan(("a"):rep(32)))
      assert.is_true(file:set_plan(("a"):rep(32)))
      refused(file:set_plan(("b"):rep(32)))
      refused(file:set_plan "short")
      assert.equal(("a"):rep(32), file:run().plan)
    end)

    it("is taken once", function()
      assert.is_true(file:take(1795921100.5))
      file:close()
      file = assert(journal.open(path))
      local taken, message, code, at = file:take(1795921200)
      assert.is_nil(taken)
      assert.equal("the plan was taken already; continue with the run that took it (resume)", message)
      assert.equal("taken", code)
      assert.equal(1795921100.5, at)
    end)

    it("has a state, and why", function()
      assert.is_true(file:set_state("paused", "5 sent, 3 pending"))
      local run = file:run()
      assert.equal("paused", run.state)
      assert.equal("5 sent, 3 pending", run.why)
      assert.is_true(file:set_state "complete")
      assert.is_nil(file:run().why)
      refused(file:set_state "dancing")
      assert.equal("complete", file:run().state)
    end)

    it("has sessions", function()
      local n = assert(file:begin_session { began = 2, host = "soc2", boot = "b", pid = 12, who = "alice",
        mde = "0.2.0",
        digest = ("x"):rep(32) })
      assert.equal(2, n)
      assert.is_true(file:end_session(n, 3.5))
      refused(file:end_session(7, 3.5))
      refused(file:begin_session { began = 2, host = "soc2", pid = 12, mde = "0.2.0", digest = "short" })
      local sessions = journals.list(file:sessions())
      assert.equal(2, #sessions)
      assert.same({ n = 2, began = 2, ended = 3.5, host = "soc2", boot = "b", pid = 12, who = "alice", mde = "0.2.0",
        digest = ("x"):rep(32) }, sessions[2])
      assert.is_nil(sessions[1].ended)
    end)

    it("has modules, the newest of each name", function()
      assert.is_true(file:module { name = "lists", path = "/a/lists.lua", digest = ("x"):rep(32) })
      assert.is_true(file:module { name = "lists", path = "/b/lists.lua", digest = ("y"):rep(32) })
      assert.same({ { name = "lists", path = "/b/lists.lua", digest = ("y"):rep(32) } }, journals.list(file:modules()))
      refused(file:module { name = "lists", path = "/b/lists.lua" })
      assert.equal(1, #journals.list(file:modules()))
    end)
  end)

  describe("a device", function()
    it("is inserted, and then changed in what is given", function()
      assert.equal(3, file:device { id = journals.device_id(3), name = "one", platform = "Windows11", wave = 1 })
      assert.equal(3, file:device { id = journals.device_id(3), name = "two", decision = "restrict", rule = "r",
        why = "w",
        facts = "{}" })
      assert.same({ n = 3, id = journals.device_id(3), name = "two", platform = "Windows11", wave = 1,
        decision = "restrict", rule = "r", why = "w", facts = "{}" }, journals.list(file:devices())[3])
    end)

    it("has a machine id in its normal form", function()
      for _, id in ipairs { "", "abc", device:upper():gsub("1$", "A"), device:gsub("^0", "g"), device .. "0" } do
        refused(file:device { id = id })
      end
      refused(file:device { name = "without" })
    end)

    it("is what a name means, and no other", function()
      assert.is_true(file:asked("laptop-1.corp.example", device))
      assert.is_true(file:asked("laptop-1.corp.example", device))
      refused(file:asked("laptop-1.corp.example", journals.device_id(2)))
      refused(file:asked("laptop-9", journals.device_id(9)))
      assert.equal(device, file:find_asked "laptop-1.corp.example")
      assert.is_false(file:find_asked "laptop-9")
      assert.same({ { name = "laptop-1.corp.example", device = device } }, journals.list(file:names()))
    end)

    it("stands in the plan with a verb and an incident", function()
      assert.is_true(file:planned(journals.device_id(2), "restrict", "INC-2"))
      assert.is_true(file:planned(device, "restrict", "INC-1"))
      assert.is_true(file:planned(device, "restrict", "INC-1"))
      refused(file:planned(journals.device_id(9), "restrict", "INC-1"))
      assert.is_true(file:is_planned(device, "restrict", "INC-1"))
      assert.is_false(file:is_planned(device, "release", "INC-1"))
      assert.is_false(file:is_planned(device, "restrict", "INC-2"))
      assert.is_false(file:is_planned(journals.device_id(9), "restrict", "INC-1"))
      assert.same({ { device = device, name = "laptop-1", verb = "restrict", incident = "INC-1" },
        { device = journals.device_id(2), name = "laptop-2", verb = "restrict", incident = "INC-2" } },
        journals.list(file:plan_rows()))
    end)
  end)

  describe("a step", function()
    it("is recorded before it is sent, and counts its attempts", function()
      assert.is_false(find())
      local n = assert(file:sending(journals.step { sent_service = 5 }))
      assert.equal(n, file:sending(journals.step { at = 1795921190, comment = "another" }))
      local expected = journals.step { n = n, sent = 1795921090.5, sent_service = 5, attempts = 2, key = "",
        occurrence = 1 }
      expected.at = nil
      assert.same(expected, find())
    end)

    it("is another one with another verb, incident, key or occurrence", function()
      local first = assert(file:sending(journals.step()))
      for _, change in ipairs { { verb = "release" }, { incident = "INC-1" }, { key = "alert-12345" },
        { occurrence = 2 },
        { device = journals.device_id(2) } } do
        assert.is_false(find(change))
        change.operation = "of " .. next(change)
        assert.is_true(assert(file:sending(journals.step(change))) > first)
        change.operation = nil
        assert.is_table(find(change))
      end
      assert.equal(1, find().attempts)
    end)

    it("keeps its operation id, which nobody else has on that device", function()
      assert(file:sending(journals.step()))
      assert.truthy(refused(file:sending(journals.step { operation = "another" })):find "another operation id")
      refused(file:sending(journals.step { occurrence = 2 }))
      assert(file:sending(journals.step { device = journals.device_id(2) }))
      assert.equal(1, find().attempts)
    end)

    it("needs a session and a device that are there, and a whole occurrence", function()
      refused(file:sending(journals.step { session = 9 }))
      refused(file:sending(journals.step { device = journals.device_id(9) }))
      refused(file:sending(journals.step { occurrence = 0 }))
      refused(file:sending(journals.step { occurrence = 1.5 }))
      assert.same({}, journals.list(file:steps()))
    end)

    it("has the strongest of its results", function()
      local definite = { "accepted", "already_active", "superseded", "refused" }
      for i, outcome in ipairs(definite) do
        local n = assert(file:sending(journals.step { occurrence = i, operation = "op" .. i }))
        assert.is_true(file:result { step = n, outcome = "unknown", answered = 1, error = "timeout" })
        assert.is_true(file:result { step = n, outcome = outcome, answered = 2, action = "A", row = "{}" })
        for _, other in ipairs { "unknown", "accepted", "already_active", "superseded", "refused" } do
          assert.equal(other == outcome, file:result { step = n, outcome = other, answered = 3, error = "late" })
        end
        local step = find { occurrence = i }
        assert.equal(outcome, step.outcome)
        assert.equal("A", step.action)
        assert.equal("{}", step.row)
        refused(file:sending(journals.step { occurrence = i, operation = "op" .. i }))
      end
      refused(file:result { step = 99, outcome = "accepted", answered = 1 })
      local n = assert(file:sending(journals.step { occurrence = 9, operation = "op9" }))
      refused(file:result { step = n, outcome = "dancing", answered = 1 })
      refused(file:result { step = n, outcome = "accepted" })
      assert.has_error(function() file:result { step = 1, answered = 1 } end)
    end)

    it("may be sent again while its result is unknown", function()
      local n = assert(file:sending(journals.step()))
      assert.is_true(file:result { step = n, outcome = "unknown", answered = 1 })
      assert.equal(n, file:sending(journals.step()))
      assert.equal("unknown", find().outcome)
      assert.equal(2, find().attempts)
    end)

    it("has a result of which nothing was sent", function()
      local step = { session = 1, device = device, verb = "restrict", incident = "INC-4711", arguments = "{}",
        outcome = "already_active", answered = 5, action = "A", row = "{}" }
      local n = assert(file:settled(step))
      refused(file:settled(step))
      refused(file:sending(journals.step()))
      step.n, step.attempts, step.key, step.occurrence = n, 0, "", 1
      assert.same(step, find())
      step = { session = 1, device = device, verb = "release", arguments = "{}", answered = 5 }
      refused(file:settled(step))
      step.outcome = "unknown"
      refused(file:settled(step))
    end)

    it("keeps a final status", function()
      local n = assert(file:sending(journals.step()))
      assert.is_true(file:result { step = n, outcome = "accepted", answered = 1 })
      for _, status in ipairs { "Pending", "InProgress", "Pending", "Succeeded", "Succeeded" } do
        assert.is_true(file:status(n, status, 7))
      end
      for _, status in ipairs { "Pending", "Failed" } do assert.is_false(file:status(n, status, 8)) end
      assert.equal("Succeeded", find().status)
      assert.equal(7, find().status_at)
      refused(file:status(99, "Failed", 8))
    end)

    it("says which session reached it", function()
      local n = assert(file:sending(journals.step()))
      assert.is_true(file:reached(n, 1))
      assert.equal(1, find().reached)
      refused(file:reached(99, 1))
    end)

    it("is forgotten where certainly nothing was sent", function()
      local n = assert(file:sending(journals.step()))
      assert(file:event { at = 1, step = n, kind = "sending" })
      assert(file:sending(journals.step()))
      assert.is_true(file:forget(n))
      assert.equal(1, find().attempts)
      assert.is_true(file:forget(n))
      assert.is_false(find())
      refused(file:forget(n))
      local event = journals.list(file:events())[1]
      assert.equal("sending", event.kind)
      assert.is_nil(event.step)
    end)

    it("is not forgotten with what came of it, a refusal aside", function()
      for i, outcome in ipairs { "accepted", "already_active", "superseded", "unknown" } do
        local n = assert(file:sending(journals.step { occurrence = i, operation = "op" .. i }))
        assert.is_true(file:result { step = n, outcome = outcome, answered = 1 })
        refused(file:forget(n))
      end
      local n = assert(file:sending(journals.step { occurrence = 4, operation = "op4" }))
      assert.is_true(file:forget(n))
      assert.equal("unknown", find { occurrence = 4 }.outcome)
      n = assert(file:sending(journals.step { occurrence = 5, operation = "op5" }))
      assert.is_true(file:result { step = n, outcome = "refused", answered = 1 })
      assert.is_true(file:forget(n))
      assert.is_false(find { occurrence = 5 })
    end)

    it("is open or pending until it is neither", function()
      local function numbers(which)
        local list = {}
        for i, step in ipairs(journals.list(file:steps(which))) do list[i] = step.n end
        return list
      end
      for i = 1, 5 do assert.equal(i, file:sending(journals.step { occurrence = i, operation = "op" .. i })) end
      assert(file:result { step = 2, outcome = "unknown", answered = 1 })
      assert(file:result { step = 3, outcome = "accepted", answered = 1 })
      assert(file:result { step = 4, outcome = "accepted", answered = 1 })
      assert(file:status(4, "Pending", 2))
      assert(file:result { step = 5, outcome = "already_active", answered = 1 })
      assert.same({ 1, 2 }, numbers "open")
      assert.same({ 3, 4 }, numbers "pending")
      assert(file:status(3, "Succeeded", 2))
      assert(file:result { step = 2, outcome = "refused", answered = 1 })
      assert.same({ 1 }, numbers "open")
      assert.same({ 4 }, numbers "pending")
      assert.same({ 1, 2, 3, 4, 5 }, numbers())
      assert.same({ 1, 2, 3, 4, 5 }, numbers "all")
    end)
  end)

  it("events are numbered and stay", function()
    assert.equal(1, file:event { at = 1.5, kind = "paused", detail = "{}" })
    assert.equal(2, file:event { at = 2.5, kind = "resumed" })
    refused(file:event { at = 3, kind = "x", step = 9 })
    refused(file:event { at = 3 })
    assert.same({ { n = 1, at = 1.5, kind = "paused", detail = "{}" }, { n = 2, at = 2.5, kind = "resumed" } },
      journals.list(file:events()))
  end)
end)
