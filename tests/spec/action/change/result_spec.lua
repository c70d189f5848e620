-- What a change came to, in words: each fate with each of its reasons.

local errors = require "mde.base.error"
local results = require "mde.action.change.result"

local ID = "5c1f9a52-0000-4000-8000-000000000001"

describe("what a change came to", function()
  local function row(fields)
    local all = { id = ID, type = "UnrestrictCodeExecution", status = "Pending", requestor = "colleague@corp.example",
      requestorComment = "all clear", creationDateTimeUtc = "2026-02-03T10:11:12Z" }
    for name, value in pairs(fields or {}) do all[name] = value end
    return all
  end

  local function problem(kind)
    return errors.new { kind = kind or "unavailable", code = kind == "auth" and "sign_in_refused" or "no_answer",
      message = "nobody answers", hint = "Try later." }
  end

  -- The report of a run with these fields, which ended so.
  local function report(result, run)
    local all = { verb = "restrict", machine_id = ("1"):rep(40), operation_id = "abcdefgh", comment = "why",
      incident = "INC-1", sent_at = 1.7e9, attempts = 1, row = row(),
      lost = errors.new { kind = "unknown", code = "closed", message = "it was sent, and nobody answered" } }
    for name, value in pairs(run or {}) do all[name] = value end
    for _, name in ipairs { "sends", "looked" } do if result[name] == nil then result[name] = name == "looked" end end
    if result.sends == false then result.sends = 0 end
    return { run = all, result = result, center = { adopt = function(_, one, fields)
      for name, value in pairs(fields or {}) do one[name] = value end
      return one
    end } }
  end

  local refusals = {
    { "conflict", "opposite", "conflict", "opposite_pending", "is still Pending" },
    { "conflict", "untimed", "conflict", "opposite_untimed", "before it or after cannot be told" },
    { "conflict", "cancels", "conflict", "opposites_keep_appearing", "10 were cancelled" },
    { "conflict", "cancel_late", "conflict", "opposite_not_cancelled", "could not be cancelled in time" },
    { "superseded", "key", "superseded", "key_overtaken", "this key was used before, and action" },
    { "superseded", "decided", "superseded", "call_overtaken", "not carried out; meanwhile action" },
    { "superseded", "withdrawn", "superseded", "withdrawn", "sent before and taken back: action" },
    { "superseded", "decided_on_loss", "superseded", "send_overtaken", "its answer was lost, and action" },
  }
  for _, case in ipairs(refusals) do
    it(("says why: %s, %s"):format(case[1], case[2]), function()
      local err = results.error(report { fate = case[1], reason = case[2] })
      assert.equal(case[3], err.kind)
      assert.equal(case[4], err.code)
      assert.truthy(err.message:find(case[5], 1, true), err.message)
      assert.is_string(err.hint)
      if case[2] ~= "cancels" then assert.equal(ID, err.action.id) end
    end)
  end

  it("names who decided otherwise, and that a cancellation did", function()
    local err = results.error(report({ fate = "superseded", reason = "decided" }, { row = row { status = "Cancelled",
      cancellationRequestor = "boss@corp.example", cancellationComment = "no" } }))
    assert.truthy(err.message:find('was cancelled by boss@corp.example, created 2026-02-03T10:11:12Z: "no"', 1, true),
      err.message)
  end)

  it("tells when it was cancelled rather than created, where that is known", function()
    local err = results.error(report({ fate = "superseded", reason = "decided" }, { row = row { status = "Cancelled",
      cancellationRequestor = "boss@corp.example", cancellationDateTimeUtc = "2026-02-03T12:13:14.1234567Z" } }))
    assert.truthy(err.message:find("was cancelled by boss@corp.example at 2026-02-03T12:13:14Z", 1, true), err.message)
  end)

  -- What is said of an opposite action with these fields.
  local function told(fields)
    return results.error(report({ fate = "superseded", reason = "decided" }, { row = row(fields) }))
      .message:match "has overtaken it(.*)$"
  end

  it("tells who, for which incident, when in UTC, and why without our suffix", function()
    assert.equal(' by anna@corp.example for INC-4711, created 2026-02-03T08:11:12Z: "cleared by forensics"', told {
      requestor = "anna@corp.example", creationDateTimeUtc = "2026-02-03T10:11:12.9+02:00",
      requestorComment = "cleared by forensics [mde:INC-4711:abcdefgh]" })
    assert.equal(" by anna@corp.example, created 2026-02-03T10:11:12Z", told { requestor = "anna@corp.example",
      requestorComment = " [mde:abcdefgh]" })
    for shown, time in pairs { ["\\x1b[2J"] = "\27[2J", ["a table"] = {} } do
      assert.equal((' by colleague@corp.example, created %s: "x"'):format(shown), told { creationDateTimeUtc = time,
        requestorComment = "x" })
    end
  end)

  it("cuts a long comment between two characters, whatever it is", function()
    local function why(text) return told({ requestorComment = text }):match ': "(.*)"$' end
    assert.equal(("x"):rep(160), why(("x"):rep(160)))
    assert.equal(("x"):rep(160) .. "...", why(("x"):rep(161)))
    assert.equal("x" .. ("\195\188"):rep(79) .. "...", why("x" .. ("\195\188"):rep(200)))
    assert.equal(("\\x80"):rep(160) .. "...", why(("\128"):rep(400)))
  end)

  it("names nobody where the action does not say in texts who decided and why", function()
    local err = results.error(report({ fate = "superseded", reason = "decided" }, { row = row { requestor = {},
      requestorComment = "" } }))
    assert.equal("has overtaken it, created 2026-02-03T10:11:12Z", err.message:match "has overtaken.*$")
    err = results.error(report({ fate = "superseded", reason = "decided" }, { row = row { requestor = "\27[2J",
      requestorComment = "a\nb" } }))
    assert.truthy(err.message:find('by \\x1b[2J, created 2026-02-03T10:11:12Z: "a\\x0ab"', 1, true), err.message)
  end)

  it("says of a pending opposite action by which option a restrict or a release cancels it", function()
    for verb, said in pairs { restrict = "give cancel_opposite = true", release = "leave cancel_opposite at true" } do
      assert.matches(said, results.error(report({ fate = "conflict", reason = "opposite" }, { verb = verb })).hint)
    end
  end)

  it("tells why an opposite action could not be cancelled", function()
    local denied = problem "permission"
    local err = results.error(report({ fate = "conflict", reason = "cancel_denied" }, { problem = denied }))
    assert.equal("permission", err.kind)
    assert.equal("opposite_not_cancelled", err.code)
    assert.equal(denied, err.cause)
    assert.matches("could not be cancelled: nobody answers", err.message, 1, true)
    err = results.error(report({ fate = "conflict", reason = "cancel_late" }, { problem = problem() }))
    assert.matches("in time: nobody answers", err.message, 1, true)
  end)

  it("is the problem itself where nothing is to be added", function()
    for _, fate in ipairs { "protected", "refused", "not_sent" } do
      local own = problem()
      assert.equal(own, results.error(report({ fate = fate }, { problem = own })))
    end
    local own = problem "auth"
    assert.equal(own, results.error(report({ fate = "not_sent", reason = "unreadable" }, { problem = own })))
  end)

  it("says how it is sent unseen, where the history could not be read", function()
    local err = results.error(report({ fate = "not_sent", reason = "unreadable" }, { problem = problem() }))
    assert.equal("unavailable", err.kind)
    assert.equal("history_unreadable", err.code)
    assert.equal("Try again; look = false (--no-look) sends it unseen.", err.hint)
    err = results.error(report({ fate = "not_sent", reason = "unreadable" }, { problem = problem(), keyed = true }))
    assert.matches("without a key, look = false", err.hint, 1, true)
  end)

  it("says of a refusal for an active action whether a list shows it", function()
    for reason, said in pairs { not_shown = "does not show it", unreadable = "could not be read" } do
      local own = errors.new { kind = "conflict", code = "action_in_progress", message = "one is in progress" }
      assert.equal(own, results.error(report({ fate = "refused", reason = reason }, { refusal = own })))
      assert.truthy(own.hint:find(said, 1, true), own.hint)
    end
  end)

  local function unknown(reason, run, sends)
    local err = results.error(report({ fate = "unknown", reason = reason, sends = sends or 1 }, run))
    assert.equal("unknown", err.kind)
    assert.same({ "restrict", "abcdefgh", ("1"):rep(40), 1.7e9 }, { err.verb, err.operation_id, err.machine_id,
      err.sent_at })
    assert.equal(1, err.message:find("it was sent, and nobody answered", 1, true))
    return err.message
  end

  it("says why it is not known", function()
    assert.matches("does not tell either: the time was up before its list", unknown "time", 1, true)
    assert.matches("no such list (HTTP 404)", unknown "absent", 1, true)
    assert.matches("its list of actions does not show it", unknown "not_shown", 1, true)
    assert.matches("does not tell either: nobody answers", unknown("unreadable", { problem = problem() }), 1, true)
    assert.matches("created 2026-02-03T10:11:12Z) came before it or after", unknown "unclear", 1, true)
    assert.matches("which was pending before, had ended", unknown("opposite", { want = "end" }), 1, true)
    assert.matches("does not tell either: nobody answers", unknown("opposite", { want = "end", problem = problem() }),
      1, true)
    assert.matches("does not tell either: the opposite action", unknown("opposite", { want = "history" }), 1, true)
  end)

  it("says what came of sending it again", function()
    local resent = { has_resent = true, problem = problem() }
    assert.matches("it was not sent again: nobody answers", unknown("unreadable", resent), 1, true)
    assert.matches("does not tell either: nobody answers", unknown("unreadable", resent, 2), 1, true)
    assert.matches("sent again, it ended with: nobody answers", unknown("resent", resent), 1, true)
    assert.matches("it was not sent again: nobody answers", unknown("not_resent", resent), 1, true)
    resent.attempted = true
    assert.matches("sent again, it ended with: nobody answers", unknown("not_resent", resent), 1, true)
  end)

  it("is an action with what is known of it", function()
    local action = results.action(report({ fate = "accepted", sends = 1, comment_cut = true },
      { answered = true, overturned = row { id = "older" } }))
    assert.same({ "accepted", 1, "abcdefgh", "INC-1", true, true, "older" }, { action.outcome, action.attempts,
      action.operation_id, action.incident, action.comment_cut, action.looked, action.overturned.id })
    assert.is_nil(action.reconciled)
    action = results.action(report({ fate = "accepted", sends = 2, reconciled = true },
      { attempts = 3, verb = "release", overturned = row() }))
    assert.same({ true, 3 }, { action.reconciled, action.attempts })
    assert.is_nil(action.overturned)
  end)

  it("is what was there already, which is not made ours", function()
    local action = results.action(report({ fate = "already_active", recorded = false },
      { row = row { incident = "INC-2", operation_id = "theirs01" } }))
    assert.same({ "already_active", false, "INC-2", "theirs01" }, { action.outcome, action.recorded, action.incident,
      action.operation_id })
    assert.is_nil(action.attempts)
  end)

  it("is an action of ours that was active already, where its own send was found", function()
    local action = results.action(report({ fate = "already_active", sends = 1, reconciled = false, recorded = true }))
    assert.is_nil(action.attempts)
    action = results.action(report({ fate = "already_active", sends = 1, reconciled = true, recorded = true }))
    assert.same({ 1, true }, { action.attempts, action.reconciled })
  end)

  it("says nothing that is not so", function()
    local action = results.action(report({ fate = "accepted", sends = 1, reconciled = false, comment_cut = false },
      { answered = true }))
    for _, name in ipairs { "reconciled", "comment_cut", "recorded", "overturned" } do
      assert.is_nil(action[name], name)
    end
  end)

  it("is what would be sent", function()
    local action = results.action(report { fate = "would_send" })
    assert.same({ "would_send", ("1"):rep(40), "RestrictCodeExecution", "not sent", "abcdefgh" }, { action.outcome,
      action.machineId, action.type, action.status, action.operation_id })
    assert.is_nil(action.id)
    assert.equal("UnrestrictCodeExecution", results.action(report({ fate = "would_send" }, { verb = "release" })).type)
  end)
end)
