-- What a change wants is carried out, and it is told what happened.

local contexts = require "mde.sync.context"
local core = require "mde.core"
local errors = require "mde.base.error"
local executor = require "mde.action.change.executor"
local rehearsal = require "tests.spec.support.rehearsal"

local machine = "1f00000000000000000000000000000000000017"
-- The service's time when the driver's clock says 0.
local T = 1.8e9

describe("what a change wants", function()
  local now, log, lists, answers, queue, self
  -- What the cap, a cancellation and a reading of an action come to.
  local denied, cancelled, read, cap, shared
  -- What was told of a cancellation.
  local told

  local function note(...) log[#log + 1] = table.concat({ ... }, " ") end

  local function row(fields)
    local all = { id = "1d000000-0000-4000-8000-00000000001d", machineId = machine, status = "Pending",
      type = "RestrictCodeExecution", creationDateTimeUtc = rehearsal.time(T + 1),
      requestorComment = "why [mde:abcdefgh]" }
    for name, value in pairs(fields or {}) do all[name] = value end
    return all
  end

  local function opposite(fields)
    local all = row { id = "2d000000-0000-4000-8000-00000000002d", type = "UnrestrictCodeExecution",
      requestorComment = "by hand", creationDateTimeUtc = rehearsal.time(T - 100) }
    for name, value in pairs(fields or {}) do all[name] = value end
    return all
  end

  local function lost()
    return nil, errors.new { kind = "unknown", code = "closed", message = "the answer was lost" },
      { attempts = 1, sent = now, class = "maybe_sent", verdict = "unknown" }
  end

  local function answered(fields)
    return function()
      return row(fields), nil, { attempts = 1, sent = now, class = "definite", verdict = "done",
        response = { status = 201, discard = function() note "discard" end } }
    end
  end

  before_each(function()
    now, log, lists, answers, queue = 0, {}, {}, {}, 0
    denied, cancelled, read, told = nil, nil, nil, nil
    local exchange = {
      now = function() return now end,
      sleep = function(seconds)
        note("sleep", ("%g"):format(seconds))
        now = now + seconds
      end,
      clock = { latest = function() return T + 1000 end, time = function(_, at) return T + (at or now) end },
      queue = function() return queue end,
    }
    function exchange.call(_, call)
      note("send", call.path)
      if not call.before_send() then return nil, nil, { attempts = 0 } end
      note "leaves"
      return (table.remove(answers, 1) or answered())(call)
    end
    cap = { take = function()
        note "take"
        return not denied, denied
      end, went = function(_, slot, sent) note("went", slot.id, ("%g"):format(sent)) end }
    self = { exchange = exchange,
      center = { exchange = exchange,
        listing = function() return shared or { is_worth_it = function() return false end } end,
        cache = { complete = function() end, remember = function() end, ended = function() end },
        history = function()
          note "history"
          local list = #lists > 1 and table.remove(lists, 1) or lists[1] or {}
          return list.rows, list.err, list.absent
        end,
        request_cancel = function(_, id)
          note("cancel", id:sub(1, 2))
          return nil, cancelled
        end,
        read = function(_, id)
          note("read", id:sub(1, 2))
          return read and read() or nil, not read and errors.new { kind = "unavailable", code = "no_answer",
            message = "nobody answers" } or nil
        end, ended = function() end } }
  end)

  -- A run of this order.
  local function run_of(order, options)
    options = options or {}
    shared = options.cache
    local all = { verb = "restrict", machine_id = machine, operation_id = "abcdefgh", comment = "why [mde:abcdefgh]",
      keyed = false, look = true, resend = true, cancel_opposite = false, dry_run = false }
    for name, value in pairs(order or {}) do all[name] = value end
    return { change = core.change.new(all, now), verb = all.verb, began = now, machine_id = machine,
      members = {}, comment = all.comment, operation_id = all.operation_id, keyed = all.keyed, attempts = 0,
      slot = options.slot, cap = cap,
      context = contexts.new(function() return now end, options.seconds, nil, options.cache),
      confirm = options.confirm or function() return true end, queued = options.queued or function() end,
      know = function() end, leaving = options.leaving or function() return true end,
      holders = function(_, rows) if options.holders then options.holders(rows) end end,
      cancelling = function(_, cancelled_row, _, err) told = { cancelled_row.id, err } end }
  end

  local function carry_out(order, options)
    local run = run_of(order, options)
    assert.is_false(executor.execute(self, run))
    return run.change:result(), run
  end

  it("is a look, a place under the cap and a send, and it is told the answer", function()
    local seen
    lists = { { rows = { row { machineId = ("b"):rep(40) } } } }
    local result, run = carry_out(nil, { slot = { id = "abcdefgh" }, holders = function(rows) seen = rows end })
    assert.same({ "history", "take", "send /machines/" .. machine .. "/restrictCodeExecution", "leaves",
      "went abcdefgh 0" }, log)
    assert.same({ "accepted", true, 1 }, { result.fate, result.looked, result.sends })
    assert.equal(row().id, run.row.id)
    assert.same({ true, 1, true, T }, { run.answered, run.attempts, run.attempted, run.sent_at })
    assert.equal(1, #seen)
  end)

  it("is a release by its own path, which no cap counts", function()
    answers = { answered { type = "UnrestrictCodeExecution" } }
    lists = { { rows = {} } }
    assert.equal("accepted", (carry_out { verb = "release" }).fate)
    assert.same({ "history", "send /machines/" .. machine .. "/unrestrictCodeExecution", "leaves" }, log)
  end)

  it("is not sent without a place under the cap, and that is why", function()
    lists = { { rows = {} } }
    denied = errors.new { kind = "protected", code = "cap_full", message = "full" }
    local result, run = carry_out(nil, { slot = {} })
    assert.equal("protected", result.fate)
    assert.equal(denied, run.problem)
    assert.same({ "history", "take" }, log)
  end)

  it("ends where it is to end", function()
    lists = { { rows = {} } }
    local run = run_of()
    assert.is_true(executor.execute(self, run, "send"))
    assert.same({ "history" }, log)
    assert.equal("send", (run.change:next()))
  end)

  it("knows the release against which a restrict goes", function()
    lists = { { rows = { opposite { status = "Succeeded" } } } }
    local result, run = carry_out()
    assert.equal("accepted", result.fate)
    assert.equal(opposite().id, run.overturned.id)
  end)

  it("is active already where the look shows it, and nothing is sent", function()
    lists = { { rows = { row() } } }
    local result, run = carry_out()
    assert.equal("already_active", result.fate)
    assert.equal(row().id, run.row.id)
    assert.same({ "history" }, log)
  end)

  it("goes unseen where a restrict's history cannot be read", function()
    local trouble = errors.new { kind = "unavailable", code = "no_answer", message = "nobody answers" }
    lists = { { err = trouble } }
    local result = carry_out()
    assert.same({ "accepted", false }, { result.fate, result.looked })
    log = {}
    local run
    result, run = carry_out { verb = "release" }
    assert.same({ "not_sent", "unreadable" }, { result.fate, result.reason })
    assert.equal(trouble, run.problem)
    assert.same({ "history" }, log)
  end)

  describe("before it leaves", function()
    before_each(function() lists = { { rows = {} } } end)

    it("is written down, and stays where that fails", function()
      local problem = errors.new { kind = "unavailable", code = "journal_failed", message = "no room" }
      local result, run = carry_out(nil, { leaving = function() return nil, problem end })
      assert.equal("not_sent", result.fate)
      assert.equal(problem, run.problem)
      assert.is_true(run.attempts == 0)
    end)

    it("is confirmed, and stopped with the reason", function()
      local stop = errors.new { kind = "protected", code = "machine_protected", message = "it is tagged by now" }
      local result, run = carry_out(nil, { confirm = function() return false, stop end })
      assert.same({ "not_sent" }, { result.fate, result.reason })
      assert.equal(stop, run.problem)
      assert.is_false(run.attempted)
      assert.is_nil(log[3])
    end)

    it("is told that it waits", function()
      local queued
      local _, run = carry_out(nil, { queued = function(one) queued = one end })
      assert.equal(run, queued)
    end)

    for what, case in pairs { ["it waited for longer than a minute"] = { 61, nil },
      ["others may have changed the machine meanwhile"] = { 1, true } } do
      it("is looked at again where " .. what, function()
        local count = 0
        local result = carry_out(nil, { confirm = function()
          count = count + 1
          if count == 1 then now = now + case[1] end
          return true, nil, case[2] and count == 1
        end })
        assert.equal("accepted", result.fate)
        assert.equal(2, count)
        assert.same({ "history", "send /machines/" .. machine .. "/restrictCodeExecution", "history", "leaves" }, log)
      end)
    end

    it("is not sent where the second look shows what somebody decided since", function()
      lists = { { rows = {} }, { rows = { opposite { status = "Succeeded", creationDateTimeUtc =
        rehearsal.time(T + 1) } } } }
      local result, run = carry_out(nil, { confirm = function()
        now = now + 61
        return true
      end })
      assert.same({ "superseded", "decided" }, { result.fate, result.reason })
      assert.equal(opposite().id, run.row.id)
    end)
  end)

  describe("with an opposite action in the way", function()
    before_each(function()
      lists = { { rows = { opposite() } }, { rows = { opposite { status = "Cancelled" } } } }
    end)

    it("is a cancellation, the reading of its end, and another look", function()
      read = function() return opposite { status = "Cancelled" } end
      local result, run = carry_out { cancel_opposite = true }
      assert.equal("accepted", result.fate)
      assert.is_true(run.has_cancelled)
      assert.equal("history cancel 2d sleep 2 read 2d history", table.concat(log, " ", 1, 5))
      assert.same({ opposite().id }, told)
      assert.equal(201, run.http_status)
    end)

    for _, kind in ipairs { "permission", "auth", "throttled" } do
      it("is given up where that may not be cancelled: " .. kind, function()
        cancelled = errors.new { kind = kind, code = "Other", message = "no" }
        local result, run = carry_out { cancel_opposite = true }
        assert.same({ "conflict", "cancel_denied" }, { result.fate, result.reason })
        assert.equal(cancelled, run.problem)
        assert.same({ opposite().id, cancelled }, told)
        assert.same({ "history", "cancel 2d" }, log)
      end)
    end

    it("goes on where the cancellation was refused since it has ended", function()
      cancelled = errors.new { kind = "refused", code = "BadRequest", message = "ended" }
      read = function() return opposite { status = "Failed" } end
      assert.equal("accepted", (carry_out { cancel_opposite = true }).fate)
    end)

    it("is given up after two minutes where that stays open; why it was not cancelled says more than that", function()
      cancelled = errors.new { kind = "refused", code = "BadRequest", message = "not now" }
      read = function() return opposite() end
      local result, run = carry_out { cancel_opposite = true }
      assert.same({ "conflict", "cancel_late" }, { result.fate, result.reason })
      assert.equal(cancelled, run.problem)
      assert.is_true(now > 100 and now <= 120, now)
    end)
  end)

  it("is told that the answer is about another action, whose connection is not used any more", function()
    lists = { { rows = {} }, { rows = {} } }
    answers = { answered { machineId = ("b"):rep(40) } }
    local result, run = carry_out { resend = false }
    assert.equal("unknown", result.fate)
    assert.equal("answer_of_another", run.lost.code)
    assert.falsy(run.answered)
    assert.equal("discard", log[4])
  end)

  it("is told that the service said no, that nothing was sent, or that such an action is active", function()
    for _, case in ipairs {
      { { class = "definite", verdict = "refused", sent = 0 }, "refused" },
      { { class = "not_sent", verdict = "give_up", sent = 0 }, "not_sent" }, { {}, "not_sent" },
      { { class = "definite", verdict = "active", sent = 0 }, "refused", "not_shown" },
    } do
      log, lists = {}, { { rows = {} } }
      case[1].attempts = case[1].sent and 1 or 0
      local trouble = errors.new { kind = "refused", code = "Other", message = "no" }
      answers = { function() return nil, trouble, case[1] end }
      local result, run = carry_out()
      assert.same({ case[2], case[3] }, { result.fate, result.reason })
      assert.equal(trouble, case[3] and run.refusal or run.problem)
    end
  end)

  describe("after an answer that was lost", function()
    before_each(function() answers = { lost } end)

    -- What was done after the first send had left.
    local function behind()
      local list = {}
      for i = 4, #log do list[#list + 1] = log[i] end
      return list
    end

    local SEND = "send /machines/" .. machine .. "/restrictCodeExecution"

    it("is one look where the list shows it", function()
      lists = { { rows = {} }, { rows = { row() } } }
      local result, run = carry_out()
      assert.same({ "accepted", true, 1 }, { result.fate, result.reconciled, result.sends })
      assert.equal(row().id, run.row.id)
      assert.same({ "sleep 2", "history" }, behind())
    end)

    it("is two looks, seconds apart, and then another send, once", function()
      lists, answers = { { rows = {} } }, { lost, lost }
      local result, run = carry_out()
      assert.same({ "unknown", "not_shown", 2 }, { result.fate, result.reason, result.sends })
      assert.same({ "sleep 2", "history", "sleep 5", "history", SEND, "leaves", "sleep 2", "history", "sleep 5",
        "history" }, behind())
      assert.same({ 2, true, T }, { run.attempts, run.has_resent, run.sent_at })
    end)

    it("takes two minutes with the send, and with another one", function()
      lists = { { rows = {} } }
      local function slow(seconds)
        return function()
          now = now + seconds
          return lost()
        end
      end
      answers = { slow(70), slow(40) }
      local result = carry_out()
      assert.same({ "unknown", "time", 2 }, { result.fate, result.reason, result.sends })
      assert.equal(119, now)
    end)

    it("is not told to those who want to know what the look showed", function()
      lists = { { rows = {} } }
      local count = 0
      carry_out(nil, { holders = function() count = count + 1 end })
      assert.equal(1, count)
    end)

    it("is two looks where it may not be sent again", function()
      lists = { { rows = {} } }
      local result = carry_out { resend = false }
      assert.same({ "unknown", "not_shown", 1 }, { result.fate, result.reason, result.sends })
      assert.same({ "sleep 2", "history", "sleep 5", "history" }, behind())
    end)

    for seconds, done in pairs { [1] = {}, [2] = {}, [6] = { "sleep 2", "history" }, [7] = { "sleep 2", "history" } } do
      it(("is no more than there is time for: %d s"):format(seconds), function()
        lists = { { rows = {} } }
        local result = carry_out(nil, { seconds = seconds })
        assert.same({ "unknown", "time" }, { result.fate, result.reason })
        assert.same(done, behind())
        assert.is_true(now <= seconds)
      end)
    end

    it("is not found out where the list cannot be read, which is not tried again", function()
      local trouble = errors.new { kind = "permission", code = "permission_missing", message = "not for you" }
      lists = { { rows = {} }, { err = trouble } }
      local result, run = carry_out()
      assert.same({ "unknown", "unreadable" }, { result.fate, result.reason })
      assert.equal(trouble, run.problem)
      assert.same({ "sleep 2", "history" }, behind())
    end)

    for what, case in pairs {
      ["first"] = { { rows = {}, absent = true }, { rows = {} } },
      ["second"] = { { rows = {} }, { rows = {}, absent = true } },
    } do
      it("is not found out where the service says of the " .. what .. " look that there is no list", function()
        lists = { { rows = {} }, case[1], case[2] }
        local result = carry_out()
        assert.same({ "unknown", "absent" }, { result.fate, result.reason })
      end)
    end

    it("waits for the end of an opposite action that was pending before, and looks again", function()
      lists = { { rows = {} }, { rows = { opposite() } }, { rows = { row(), opposite { status = "Failed" } } } }
      local ends = { opposite { status = "InProgress" }, opposite { status = "Failed" } }
      read = function() return table.remove(ends, 1) end
      local run = run_of()
      run.change:see(opposite().id, "Pending")
      executor.execute(self, run)
      assert.equal("accepted", run.change:result().fate)
      assert.same({ "sleep 2", "history", "sleep 2", "read 2d", "sleep 3", "read 2d", "history" }, behind())
    end)

    it("is not found out where the end of that is not known in time", function()
      lists = { { rows = {} }, { rows = { opposite() } } }
      local run = run_of()
      run.change:see(opposite().id, "Pending")
      executor.execute(self, run)
      local result = run.change:result()
      assert.same({ "unknown", "opposite" }, { result.fate, result.reason })
      assert.equal("nobody answers", run.problem.message)
    end)
  end)

  describe("of a list that an each shares", function()
    local cache, asked

    before_each(function()
      asked = {}
      cache = { rows = function(_, id, context)
        asked[#asked + 1] = { "rows", id, context:left() }
        return {}, -10
      end, rows_now = function(_, id)
        asked[#asked + 1] = { "rows_now", id }
        return { row() }
      end }
    end)

    it("is read there, in half of the time that a look has, and what was done a moment ago is put into it", function()
      local completed
      self.center.cache.complete = function(_, id) completed = id end
      local result, run = carry_out(nil, { cache = cache })
      assert.equal("accepted", result.fate)
      assert.same({ { "rows", machine, 15 } }, asked)
      assert.equal(machine, completed)
      assert.equal(-10, run.looked_at)
      assert.is_nil(log[1]:find("history", 1, true))
    end)

    it("is read alone where the list does not tell, or the change is under a key", function()
      lists = { { rows = {} } }
      cache.rows = function() return nil end
      assert.equal("accepted", (carry_out(nil, { cache = cache })).fate)
      assert.equal("history", log[1])
      log, asked = {}, {}
      carry_out({ keyed = true }, { cache = cache })
      assert.same({}, asked)
      assert.equal("history", log[1])
    end)

    it("is read anew for a lost answer", function()
      answers = { lost }
      local result = carry_out(nil, { cache = cache })
      assert.same({ "accepted", true }, { result.fate, result.reconciled })
      assert.same({ "rows_now", machine }, asked[2])
    end)
  end)

  it("is looked at within half a minute, or half of the time there is, and in the queue as long as a send", function()
    local function look(seconds)
      local context = executor.look_context(self.exchange, { verb = "restrict",
        context = contexts.new(function() return now end, seconds) })
      return context:left(), context:patience()
    end
    assert.same({ 30, 30 }, { look(nil) })
    assert.same({ 10, 10 }, { look(20) })
    queue = 100
    assert.same({ 30, 130 }, { look(nil) })
    assert.same({ 10, 15 }, { look(20) })
  end)
end)
