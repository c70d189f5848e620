-- When a caller says when it was decided, what a restrict overturns, and what a dry run says.
-- Labels: not-lua5.3

local rehearsal = require "tests.spec.support.rehearsal"

local machine = "1f00000000000000000000000000000000000017"
local MINUTE, HOUR, DAY = 60, 3600, 86400

local opposite_of = { restrict = "release", release = "restrict" }

describe("a change", function()
  local r

  before_each(function() r = rehearsal.new { unguarded = true } end)

  local function now() return r.client:now() end

  describe("that is not to be repeated", function()
    local function restrict(comment, options)
      options.again = false
      return r.client:restrict(machine, comment, options)
    end

    it("leaves a device that somebody released since, for the same incident or comment alone", function()
      assert(r.client:restrict(machine, "beacon", { incident = "INC-1" }):wait { timeout = 3600 })
      local release = r:past(machine, "release", "Succeeded", 0)
      for _, options in ipairs { {}, { dry_run = true } } do
        options.incident = "inc-1"
        local action, err = restrict("another text", options)
        assert.is_nil(action)
        assert.equal("superseded", err.kind)
        assert.equal("withdrawn", err.code)
        assert.equal(release.id, err.action.id)
      end
      assert.equal(1, #r:posts())
      assert.equal("accepted", assert(restrict("beacon", { incident = "INC-2" })).outcome)
    end)

    it("goes by the comment where no incident is named", function()
      assert(r.client:restrict(machine, "beacon"):wait { timeout = 3600 })
      r:past(machine, "release", "Succeeded", 0)
      assert.equal("withdrawn", select(2, restrict("beacon", {})).code)
      assert.equal("accepted", assert(restrict("beacon to C2", {})).outcome)
    end)

    it("is sent where that was more than a day ago", function()
      r:past(machine, "restrict", "Succeeded", 30 * HOUR, { requestorComment = "beacon [mde:INC-1:operation-1]" })
      r:past(machine, "release", "Succeeded", HOUR)
      assert.equal("accepted", assert(restrict("beacon", { incident = "INC-1" })).outcome)
    end)
  end)

  for verb, opposite in pairs(opposite_of) do
    describe("that was decided at a time: " .. verb, function()
      local function act(decided_ago, options)
        options = options or {}
        options.decided_at = now() - decided_ago
        return r.client[verb](r.client, machine, "why", options)
      end

      it("is superseded by an opposite decision since then", function()
        for _, status in ipairs { "Pending", "Succeeded", "Failed" } do
          r = rehearsal.new { unguarded = true }
          local newer = r:past(machine, opposite, status, HOUR)
          local action, err = act(2 * HOUR, { cancel_opposite = true })
          assert.is_nil(action)
          assert.equal("superseded", err.kind)
          assert.equal("call_overtaken", err.code)
          assert.equal(newer.id, err.action.id)
          assert.same({}, r:posts())
        end
      end)

      it("is superseded by the cancellation of its like since then", function()
        local cancelled = r:past(machine, verb, "Cancelled", HOUR)
        local action, err = act(2 * HOUR)
        assert.is_nil(action)
        assert.equal("superseded", err.kind)
        assert.equal(cancelled.id, err.action.id)
        assert.same({}, r:posts())
      end)

      it("is superseded even where it is so already", function()
        r:past(machine, verb, "Succeeded", 30 * MINUTE)
        r:past(machine, opposite, "Failed", HOUR)
        local _, err = act(2 * HOUR)
        assert.equal("superseded", err.kind)
      end)

      it("is sent where what says otherwise is older", function()
        r:past(machine, opposite, "Succeeded", 3 * HOUR)
        local action = assert(act(2 * HOUR))
        assert.equal("accepted", action.outcome)
      end)

      it("is superseded by a cancellation since then of what was created before", function()
        r:past(machine, verb, "Cancelled", 3 * HOUR, { lastUpdateDateTimeUtc = rehearsal.time(now() - MINUTE) })
        local _, err = act(2 * HOUR)
        assert.equal("superseded", err and err.kind)
      end)

      it("may rest on the opposite action that it takes back", function()
        local first = r:past(machine, opposite, "Succeeded", 2 * HOUR)
        local action = assert(r.client[verb](r.client, machine, "why",
          { decided_at = assert(r.client:action(first.id)) }))
        assert.equal("accepted", action.outcome)
      end)

      it("may rest on an action", function()
        local first = r:past(machine, verb, "Succeeded", 2 * HOUR)
        local newer = r:past(machine, opposite, "Succeeded", HOUR)
        local _, err = r.client[verb](r.client, machine, "why", { decided_at = assert(r.client:action(first.id)) })
        assert.equal("superseded", err.kind)
        assert.equal(newer.id, err.action.id)
      end)

      it("is a conflict where an opposite action has no time", function()
        r:past(machine, opposite, "Succeeded", HOUR)
        local send = r.driver.send
        function r.driver.send(request)
          local response, message, maybe_sent, code = send(request)
          if response then response.body = response.body:gsub('("creationDateTimeUtc":)"[^"]*"', "%1null") end
          return response, message, maybe_sent, code
        end
        local _, err = act(2 * HOUR)
        assert.equal("conflict", err.kind)
        assert.equal("opposite_untimed", err.code)
        assert.same({}, r:posts())
      end)

      it("is not sent where the history cannot be read", function()
        r:answer({ method = "GET", path = "/machineactions" }, 403, "")
        local action, err = act(2 * HOUR)
        assert.is_nil(action)
        assert.equal("unavailable", err.kind)
        assert.equal("history_unreadable", err.code)
        assert.same({}, r:posts())
      end)
    end)
  end

  it("decides at a time within the last 30 days, and looks", function()
    for _, wrong in ipairs { now() + 10 * MINUTE, now() - 31 * DAY, "yesterday", true } do
      rehearsal.refused(r.client.restrict, r.client, machine, "why", { decided_at = wrong })
    end
    local err = rehearsal.refused(r.client.restrict, r.client, machine, "why", { decided_at = now(), look = false })
    assert.equal("decided_at_without_look", err.code)
    assert.equal("accepted", assert(r.client:restrict(machine, "why", { decided_at = now() + 4 * MINUTE })).outcome)
  end)

  it("names the release that a restrict goes against, and only that", function()
    local older = r:past(machine, "release", "Succeeded", 3 * HOUR)
    local action = assert(r.client:restrict(machine, "why"))
    assert.equal(older.id, action.overturned.id)
    r = rehearsal.new { unguarded = true }
    older = r:past(machine, "release", "Succeeded", 3 * HOUR)
    r:fault { match = { method = "POST", path = "restrictCodeExecution" }, fault = "gone" }
    action = assert(r.client:restrict(machine, "why"))
    assert.is_true(action.reconciled)
    assert.equal(older.id, action.overturned.id)
    r = rehearsal.new { unguarded = true }
    r:past(machine, "restrict", "Succeeded", 3 * HOUR)
    assert.is_nil(assert(r.client:release(machine, "why")).overturned)
    r = rehearsal.new { unguarded = true }
    assert.is_nil(assert(r.client:restrict(machine, "why")).overturned)
  end)

  describe("as a dry run", function()
    local function try(verb, options)
      options = options or {}
      options.dry_run = true
      return r.client[verb](r.client, machine, "why", options)
    end

    it("says that it would be sent, and sends nothing", function()
      for verb in pairs(opposite_of) do
        local action = assert(try(verb, { incident = "INC-1" }))
        assert.equal("would_send", action.outcome)
        assert.equal(machine, action.machineId)
        assert.equal("INC-1", action.incident)
        assert.is_true(action.looked)
        assert.is_nil(action.id)
        assert.same({}, r:posts())
      end
    end)

    it("says what stands against it", function()
      r:past(machine, "release", "Pending", HOUR)
      local action, err = try "restrict"
      assert.is_nil(action)
      assert.equal("conflict", err.kind)
      r = rehearsal.new { unguarded = true }
      r:past(machine, "restrict", "Succeeded", HOUR)
      assert.equal("already_active", assert(try "restrict").outcome)
      assert.same({}, r:posts())
    end)

    it("cancels nothing, although it would", function()
      local pending = r:past(machine, "restrict", "Pending", HOUR)
      local action = assert(try "release")
      assert.same({ "would_send", pending.id }, { action.outcome, action.would_cancel.id })
      assert.same({}, r:posts())
      r = rehearsal.new { unguarded = true }
      assert.is_nil(assert(try "release").would_cancel)
    end)

    it("asks the guard, and takes no place under the cap", function()
      r = rehearsal.new { client = { protect = { names = { "*" } } } }
      local _, err = try "restrict"
      assert.equal("protected", err.kind)
      r = rehearsal.new { client = { protect = { servers = false, device_values = {} }, cap = 1 } }
      for _ = 1, 3 do assert.equal("would_send", assert(try "restrict").outcome) end
      assert.equal("accepted", assert(r.client:restrict(machine, "why")).outcome)
      local other = "3f00000000000000000000000000000000000001"
      _, err = r.client:restrict(other, "why", { dry_run = true })
      assert.same({ "protected", "cap_full" }, { err.kind, err.code })
      assert.equal("would_send", assert(r.client:restrict(other, "why", { dry_run = true, allow = { "cap" } })).outcome)
      assert.equal(1, #r:posts())
    end)

    it("says whose hold a release would end", function()
      for _, incident in ipairs { "INC-1", "INC-2" } do
        r:past(machine, "restrict", "Succeeded", HOUR,
          { requestorComment = ("why [mde:%s:abcdefgh]"):format(incident) })
      end
      assert.same({ "INC-2" }, assert(try("release", { incident = "INC-1" })).also_ended)
    end)

    it("says who holds it restricted already", function()
      r:past(machine, "restrict", "Succeeded", HOUR, { requestorComment = "why [mde:INC-9:abcdefgh]" })
      r:past(machine, "restrict", "Succeeded", HOUR, { requestor = "a.colleague" })
      local action = assert(try("restrict", { incident = "INC-1" }))
      assert.equal("would_send", action.outcome)
      assert.same({ "a.colleague (no incident)", "INC-9" }, action.also_held)
      assert.same({}, r:posts())
      assert.same(action.also_held, assert(r.client:restrict(machine, "why", { incident = "INC-1" })).also_held)
      assert.is_nil(assert(try("restrict", { incident = "inc-9" })).also_held)
    end)

    it("says so of nobody where a release may have come since", function()
      r:past(machine, "restrict", "Succeeded", HOUR, { requestorComment = "why [mde:INC-9:abcdefgh]" })
      r:past(machine, "release", "Succeeded", HOUR)
      assert.is_nil(assert(try("restrict", { incident = "INC-1" })).also_held)
    end)

    it("may be unseen", function()
      assert.equal("would_send", assert(try("restrict", { look = false })).outcome)
      assert.same({}, r:posts())
    end)
  end)
end)
