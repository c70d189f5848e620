-- A restrict whose answer was lost: it is looked for, and never done twice.
-- Labels: sanitized, not-lua5.3

local rehearsal = require "tests.spec.support.rehearsal"

local machine = "1f00000000000000000000000000000000000017"

describe("an action", function()
  local r

  before_each(function() r = rehearsal.new { unguarded = true } end)

  describe("of unknown fate", function()
    local match = { method = "POST", path = "restrictCodeExecution" }
    local processed = {
      ["gone"] = { fault = "gone" },
      ["reset after it was processed"] = { fault = "reset", processed = true },
      ["cut in the middle of the answer"] = { fault = "cut" },
      ["stalled"] = { fault = "stall" },
      ["a 500"] = { fault = "answer", status = 500, processed = true },
      ["a 503 that asks to wait"] = { fault = "answer", status = 503, headers = { ["Retry-After"] = "1" },
        processed = true },
      ["a 201 without a body"] = { fault = "answer", status = 201, processed = true },
      ["a page of a proxy"] = { fault = "answer", status = 200, body = "<html>signed in</html>", processed = true },
      ["a list instead of an action"] = { fault = "answer", status = 201, body = "[]", processed = true },
      ["null"] = { fault = "answer", status = 201, body = "null", processed = true },
      ["an action whose status is a number"] = { fault = "answer", status = 201, body = '{"id":"x","status":1}',
        processed = true },
      ["an action whose comment is no text"] = { fault = "answer", status = 201, processed = true,
        body = '{"id":"x","status":"Pending","requestorComment":{}}' },
      ["an answer of a hundred megabytes"] = { fault = "huge" },
    }
    for what, rule in pairs(processed) do
      it("was sent once, and is found in the device's list: " .. what, function()
        rule.match = match
        r:fault(rule)
        local action = assert(r.client:restrict("laptop-17", "why", { incident = "INC-1" }))
        assert.equal("accepted", action.outcome)
        assert.is_true(action.reconciled)
        assert.equal("INC-1", action.incident)
        assert.equal(1, action.attempts)
        assert.equal(1, r:count "action_created")
        assert.same({ "restrictCodeExecution" }, r:posts())
        assert.equal("Succeeded", action:wait())
      end)

      it("is told as unknown where the list cannot be read, and is found by asking again: " .. what, function()
        rule.match = match
        r:fault(rule)
        r:answer({ path = "/machineactions?" }, 403, "", { count = 2 })
        local before = r.tenant.clock.now()
        local action, err = r.client:restrict("laptop-17", "why", { incident = "INC-1" })
        assert.is_nil(action)
        assert.equal("unknown", err.kind)
        assert.equal("restrict", err.verb)
        assert.equal(machine, err.machine_id)
        assert.equal(26, #err.operation_id)
        assert.is_true(math.abs(err.sent_at - before) < 60)
        assert.truthy(tostring(err):find('^restrict "laptop%-17": it was sent'))
        assert.truthy(tostring(err):find("find_action", 1, true))
        assert.is_true(rehearsal.is_one_line(tostring(err)))
        assert.equal(1, r:count "action_created")
        assert.same({ "restrictCodeExecution" }, r:posts())

        local found = assert(r.client:find_action(err))
        assert.equal("accepted", found.outcome)
        assert.equal(err.operation_id, found.operation_id)
        assert.equal("INC-1", found.incident)
        assert.equal("Succeeded", found:wait())
      end)
    end

    -- What the POSTs carried, and what was read between them.
    local function told()
      local list = {}
      for _, request in ipairs(r:requests()) do
        if request:find "^POST" then
          list[#list + 1] = "sent"
        elseif request:find("machineactions?", 1, true) then
          list[#list + 1] = "looked"
        end
      end
      return list
    end

    it("that was not processed is sent once more, with the same id, after two looks", function()
      local comments, send = {}, r.driver.send
      r.driver.send = function(request)
        if request.method == "POST" and request.body and request.url:find "restrict" then
          comments[#comments + 1] = request.body
        end
        return send(request)
      end
      r:fault { match = match, fault = "reset" }
      local began = r.driver.now()
      local action = assert(r.client:restrict(machine, "why"))
      assert.equal("accepted", action.outcome)
      assert.is_nil(action.reconciled)
      assert.equal(2, action.attempts)
      assert.equal(1, r:count "action_created")
      assert.same({ "looked", "sent", "looked", "looked", "sent" }, told())
      assert.equal(comments[1], comments[2])
      assert.is_true(r.driver.now() - began >= 7)
    end)

    it("twice is looked for twice more, and not sent a third time", function()
      r:fault { match = match, fault = "reset", count = false }
      local action, err = r.client:restrict(machine, "why")
      assert.is_nil(action)
      assert.equal("unknown", err.kind)
      assert.matches("does not show it", err.message)
      assert.same({ "looked", "sent", "looked", "looked", "sent", "looked", "looked" }, told())
      assert.equal(0, r:count "action_created")
    end)

    it("and found after it was sent again is one action, accepted", function()
      r:fault { match = match, fault = "reset" }
      r:fault { match = match, fault = "gone" }
      local action = assert(r.client:restrict(machine, "why"))
      assert.equal("accepted", action.outcome)
      assert.is_true(action.reconciled)
      assert.equal(2, action.attempts)
      assert.equal(1, r:count "action_created")
    end)

    it("is in a list that lags for some seconds", function()
      r.tenant:set { lists = { lag = 4 } }
      r:fault { match = match, fault = "gone" }
      local action = assert(r.client:restrict(machine, "why"))
      assert.is_true(action.reconciled)
      assert.equal(1, r:count "action_created")
    end)

    it("is nobody else's: a pending one of a colleague is already active", function()
      r:fault { match = match, fault = "reset" }
      local send, theirs = r.driver.send, nil
      r.driver.send = function(request)
        local response, message, maybe_sent = send(request)
        if request.method == "POST" and request.url:find "restrict" then
          theirs = theirs or r:past(machine, "restrict", "Pending", 0, { requestorComment = "by hand" })
        end
        return response, message, maybe_sent
      end
      local action = assert(r.client:restrict(machine, "why", { incident = "INC-1" }))
      assert.equal("already_active", action.outcome)
      assert.equal(theirs.id, action.id)
      assert.is_false(action.recorded)
      assert.same({ "restrictCodeExecution" }, r:posts())
    end)

    for _, status in ipairs { "Pending", "Succeeded" } do
      it("is not sent again where somebody has decided otherwise since: " .. status, function()
        r:fault { match = match, fault = "reset" }
        local send, theirs = r.driver.send, nil
        r.driver.send = function(request)
          local response, message, maybe_sent = send(request)
          if request.method == "POST" and request.url:find "restrict" then
            theirs = theirs or r:past(machine, "release", status, 0)
          end
          return response, message, maybe_sent
        end
        local action, err = r.client:restrict(machine, "why")
        assert.is_nil(action)
        assert.equal("superseded", err.kind)
        assert.equal(theirs.id, err.action.id)
        assert.same({ "restrictCodeExecution" }, r:posts())
        assert.is_true(rehearsal.is_one_line(tostring(err)))
      end)
    end

    it("and cancelled by a colleague is superseded", function()
      r.tenant:put_machine { id = machine, offline = true }
      r:fault { match = match, fault = "gone" }
      local send = r.driver.send
      r.driver.send = function(request)
        local response, message, maybe_sent = send(request)
        if request.method == "POST" and request.url:find "restrict" then
          for _, entry in ipairs(r.tenant.history) do
            if entry.event == "action_created" then
              r.tenant:find_action(entry.action).status = "Cancelled"
              r.tenant:find_action(entry.action).frozen = true
            end
          end
        end
        return response, message, maybe_sent
      end
      local action, err = r.client:restrict(machine, "why")
      assert.is_nil(action)
      assert.equal("superseded", err.kind)
    end)

    it("is not sent again where the caller forbids it", function()
      r:fault { match = match, fault = "reset" }
      local _, err = r.client:restrict(machine, "why", { resend = false })
      assert.equal("unknown", err.kind)
      assert.matches("does not show it", err.message)
      assert.same({ "restrictCodeExecution" }, r:posts())
    end)

    it("is not looked for where there is no time for it", function()
      r:fault { match = match, fault = "reset" }
      local _, err = r.client:restrict(machine, "why", { timeout = 6 })
      assert.equal("unknown", err.kind)
      assert.matches("time was up", err.message)
      assert.same({ "restrictCodeExecution" }, r:posts())
    end)

    it("is found by its comment where the service cut that short", function()
      r.tenant:set { comment_limit = 20 }
      r:fault { match = match, fault = "gone" }
      local action = assert(r.client:restrict(machine, "a comment that is longer than that"))
      assert.equal("accepted", action.outcome)
      assert.is_true(action.comment_cut)
      assert.equal(1, r:count "action_created")
    end)

    it("with a key that failed before is the one that was sent now", function()
      r:past(machine, "restrict", "Failed", 4000, { requestorComment = "why [mde:alert-4711]" })
      r:fault { match = match, fault = "reset" }
      local action = assert(r.client:restrict(machine, "why", { key = "alert-4711" }))
      assert.equal("accepted", action.outcome)
      assert.equal(1, r:count "action_created" - 1)
      assert.equal(2, action.attempts)
    end)

    it("that was not processed and is not sent again is unknown, and not found", function()
      r:fault { match = match, fault = "reset" }
      local _, err = r.client:restrict(machine, "why", { resend = false })
      assert.equal("unknown", err.kind)
      assert.equal(0, r:count "action_created")
      local found, problem = r.client:find_action(err)
      assert.is_nil(found)
      assert.equal("not_found", problem.kind)
      assert.truthy(tostring(problem):find(err.operation_id, 1, true))
    end)

    it("is not claimed where nothing was sent", function()
      r:fault { fault = "refuse", match = { nth = 4 }, count = false }
      local action, err = r.client:restrict(machine, "why")
      assert.is_nil(action)
      assert.equal("unavailable", err.kind)
      assert.is_nil(err.operation_id)
      assert.equal(0, r:count "action_created")
    end)
  end)
end)
