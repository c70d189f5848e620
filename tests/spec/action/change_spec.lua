-- Restrict and release: what is looked at before, what is sent, how the answer is judged, and what is said when nobody
-- knows what happened.
-- Labels: sanitized, not-lua5.3

local rehearsal = require "tests.spec.support.rehearsal"
local times = require "mde.sim.base.time"

local machine = "1f00000000000000000000000000000000000017"
local offline = "1f00000000000000000000000000000000000018"
local failing = "1f00000000000000000000000000000000000019"
local other = "3f00000000000000000000000000000000000001"

local type_of = { restrict = "RestrictCodeExecution", release = "UnrestrictCodeExecution" }
local path_of = { restrict = "restrictCodeExecution", release = "unrestrictCodeExecution" }
local opposite_of = { restrict = "release", release = "restrict" }
local verbs = { "restrict", "release" }

local function suffix(operation_id, incident)
  return (" [mde:%s%s]"):format(incident and incident .. ":" or "", operation_id)
end

describe("an action", function()
  local r

  before_each(function() r = rehearsal.new { unguarded = true } end)

  -- The answer to a POST, as the service would tell a new action of this machine.
  local function reply(verb, fields)
    local now = rehearsal.time(r.tenant.clock.now())
    local action = { id = "5a5a5a5a-0000-4000-8000-00000000005a", type = type_of[verb], status = "Pending",
      machineId = machine, requestorComment = "theirs", creationDateTimeUtc = now, lastUpdateDateTimeUtc = now }
    for name, value in pairs(fields or {}) do action[name] = value end
    return action
  end

  local function answer_post(verb, status, value, rule)
    r:answer({ method = "POST", path = path_of[verb] }, status, value, rule)
  end

  describe("that is accepted", function()
    for _, verb in ipairs(verbs) do
      it("says what it is: " .. verb, function()
        local action = assert(r.client[verb](r.client, machine, "beacon", { incident = "INC-4711" }))
        assert.equal("accepted", action.outcome)
        assert.equal(type_of[verb], action.type)
        assert.equal("Pending", action.status)
        assert.equal(machine, action.machineId)
        assert.equal("laptop-17.corp.example", action.computerDnsName)
        assert.equal("INC-4711", action.incident)
        assert.equal(26, #action.operation_id)
        assert.equal("beacon" .. suffix(action.operation_id, "INC-4711"), action.requestorComment)
        assert.equal(1, action.attempts)
        assert.is_true(action.looked)
        assert.is_nil(action.comment_cut)
        assert.is_nil(action["@odata.context"])
        assert.equal(type_of[verb] .. " of laptop-17.corp.example: Pending", tostring(action))
        assert.same({ path_of[verb] }, r:posts())
      end)
    end

    it("took three requests by machine id: the record, the history, the action", function()
      assert(r.client:restrict(machine, "why"))
      local requests = r:requests()
      assert.equal(3, #requests)
      assert.equal("GET /api/machines/" .. machine, requests[1])
      assert.truthy(requests[2]:find "^GET /api/machineactions%?%$filter=machineId")
      assert.equal("POST /api/machines/" .. machine .. "/restrictCodeExecution", requests[3])
    end)

    it("has an operation id of its own each time", function()
      local first = assert(r.client:restrict(machine, "why"))
      local second = assert(r.client:restrict(other, "why"))
      assert.not_equal(first.operation_id, second.operation_id)
    end)

    it("was sent twice if the first was refused unprocessed, and says so", function()
      answer_post("restrict", 429, "", { headers = { ["Retry-After"] = "3" } })
      local action = assert(r.client:restrict(machine, "why"))
      assert.equal("accepted", action.outcome)
      assert.equal(2, action.attempts)
      assert.equal(1, r:count "action_created")
    end)

    it("is its own whatever the service's clock says", function()
      local send = r.driver.send
      function r.driver.send(request)
        local response = assert(send(request))
        response.headers.date = times.http(r.tenant.clock.now() + 3600)
        return response
      end
      assert.equal("accepted", assert(r.client:restrict(machine, "why")).outcome)
    end)
  end)

  describe("takes its options:", function()
    local function check(wanted, comment, options)
      local err = rehearsal.refused(r.client.restrict, r.client, machine, comment, options)
      assert.truthy(tostring(err):find(wanted, 1, true), tostring(err))
      assert.is_true(rehearsal.is_one_line(tostring(err)))
      assert.same({}, r.tenant.history)
    end

    for what, incident in pairs {
      ["empty"] = "", ["too long"] = ("x"):rep(65), ["with a colon"] = "INC:1", ["with a space"] = "INC 1",
      ["with a bracket"] = "INC]", ["a fraction"] = 1.5, ["infinite"] = math.huge, ["not a number"] = 0 / 0,
      ["a table"] = {}, ["a boolean"] = false,
    } do
      it("an incident that is " .. what .. " is refused", function()
        check("incident", "why", { incident = incident })
      end)
    end

    for what, case in pairs {
      ["an integer"] = { 4711, "4711" }, ["64 characters"] = { ("x"):rep(64), ("x"):rep(64) },
      ["punctuation"] = { "A/b#c.d_e-f", "A/b#c.d_e-f" },
    } do
      it("an incident of " .. what .. " is written as it is", function()
        assert.equal(case[2], assert(r.client:restrict(machine, "why", { incident = case[1] })).incident)
      end)
    end

    for what, key in pairs { short = "alert-1", long = ("x"):rep(65), ["not made of letters"] = "alert 4711" } do
      it("a key that is " .. what .. " is refused", function() check("key", "why", { key = key }) end)
    end

    it("a key that is no text is refused", function() check("key", "why", { key = 12345678 }) end)
    it("an unknown option is refused", function() check('Did you mean "incident"', "why", { incidnet = "INC-1" }) end)
    it("a timeout of nothing is refused", function() check("timeout", "why", { timeout = 0 }) end)
  end)

  describe("looks first:", function()
    -- What is there, what is asked for, and what comes of it. `past`: verb, status, seconds ago, incident.
    local settled = {
      { "restrict, nothing there", "restrict", {}, "accepted" },
      { "release, nothing there", "release", {}, "accepted" },
      { "restrict, restricted", "restrict", { { "restrict", "Succeeded", 100 } }, "already_active" },
      { "restrict, restricting", "restrict", { { "restrict", "Pending", 100 } }, "already_active" },
      { "restrict, in progress", "restrict", { { "restrict", "InProgress", 100 } }, "already_active" },
      { "restrict, in a state that nobody knows", "restrict", { { "restrict", "Dreaming", 100 } }, "already_active" },
      { "restrict, the last one failed", "restrict", { { "restrict", "Failed", 100 } }, "accepted" },
      { "restrict, the last one timed out", "restrict", { { "restrict", "TimeOut", 100 } }, "accepted" },
      { "restrict, the last one was cancelled", "restrict", { { "restrict", "Cancelled", 100 } }, "accepted" },
      { "restrict, released", "restrict", { { "restrict", "Succeeded", 200 }, { "release", "Succeeded", 100 } },
        "accepted" },
      { "release, released", "release", { { "restrict", "Succeeded", 200 }, { "release", "Succeeded", 100 } },
        "already_active" },
      { "release, releasing", "release", { { "restrict", "Succeeded", 200 }, { "release", "Pending", 100 } },
        "already_active" },
      { "release, restricted", "release", { { "restrict", "Succeeded", 100 } }, "accepted" },
      { "release, the release failed", "release",
        { { "restrict", "Succeeded", 200 }, { "release", "Failed", 100 } }, "accepted" },
    }
    for _, case in ipairs(settled) do
      it(case[1] .. ": " .. case[4], function()
        local last
        for _, past in ipairs(case[3]) do last = r:past(machine, past[1], past[2], past[3]) end
        local action = assert(r.client[case[2]](r.client, machine, "why"))
        assert.equal(case[4], action.outcome)
        assert.is_true(action.looked)
        if case[4] == "already_active" then
          assert.equal(last.id, action.id)
          assert.equal("somebody.else@corp.example", action.requestor)
          assert.is_true(action.recorded)
          assert.same({}, r:posts())
        else
          assert.same({ path_of[case[2]] }, r:posts())
        end
      end)
    end

    it("actions of other machines and other kinds do not count", function()
      r:past(other, "restrict", "Succeeded", 50)
      r:past(machine, "restrict", "Succeeded", 10, { type = "Isolate" })
      assert.equal("accepted", assert(r.client:restrict(machine, "why")).outcome)
    end)

    it("restricted under no incident is restricted again under one, since the comment is the only record", function()
      r:past(machine, "restrict", "Succeeded", 100)
      local action = assert(r.client:restrict(machine, "why", { incident = "INC-1" }))
      assert.equal("accepted", action.outcome)
      assert.equal("INC-1", action.incident)
    end)

    it("restricted under another incident is restricted again", function()
      r:past(machine, "restrict", "Succeeded", 100, { requestorComment = "theirs [mde:INC-2:abcdefgh]" })
      assert.equal("accepted", assert(r.client:restrict(machine, "why", { incident = "INC-1" })).outcome)
    end)

    it("restricted under the same incident, in whatever case, is not", function()
      local ours = r:past(machine, "restrict", "Succeeded", 100, { requestorComment = "ours [mde:INC-1:abcdefgh]" })
      r:past(machine, "restrict", "Succeeded", 50, { requestorComment = "theirs [mde:INC-2:abcdefgi]" })
      local action = assert(r.client:restrict(machine, "why", { incident = "inc-1" }))
      assert.equal("already_active", action.outcome)
      assert.equal(ours.id, action.id)
      assert.is_true(action.recorded)
    end)

    it("restricted under the same incident but released since is restricted again", function()
      r:past(machine, "restrict", "Succeeded", 300, { requestorComment = "ours [mde:INC-1:abcdefgh]" })
      r:past(machine, "release", "Succeeded", 200)
      assert.equal("accepted", assert(r.client:restrict(machine, "why", { incident = "INC-1" })).outcome)
    end)

    it("still pending under another incident is not sent again, and says that ours stands nowhere", function()
      r:past(machine, "restrict", "Pending", 100, { requestorComment = "theirs [mde:INC-2:abcdefgh]" })
      local action = assert(r.client:restrict(machine, "why", { incident = "INC-1" }))
      assert.equal("already_active", action.outcome)
      assert.is_false(action.recorded)
      assert.equal("INC-2", action.incident)
      assert.same({}, r:posts())
    end)

    for _, status in ipairs { "Pending", "InProgress" } do
      it("restrict while a release is " .. status .. " is a conflict", function()
        local pending = r:past(machine, "release", status, 100)
        local action, err = r.client:restrict("laptop-17", "why")
        assert.is_nil(action)
        assert.equal("conflict", err.kind)
        assert.equal(pending.id, err.action.id)
        assert.truthy(tostring(err):find('^restrict "laptop%-17": the opposite action'))
        assert.truthy(err.hint:find("cancel_opposite = true", 1, true))
        assert.same({}, r:posts())
      end)
    end

    it("release while a restrict is pending is a conflict if cancelling is forbidden", function()
      local pending = r:past(machine, "restrict", "Pending", 100)
      local action, err = r.client:release(machine, "why", { cancel_opposite = false })
      assert.is_nil(action)
      assert.equal("conflict", err.kind)
      assert.equal(pending.id, err.action.id)
      assert.same({}, r:posts())
    end)
  end)

  describe("cancels the opposite", function()
    for _, verb in ipairs(verbs) do
      local options = verb == "restrict" and { cancel_opposite = true } or nil
      it(verb .. ": reads until it is final, then sends", function()
        local pending = r:past(machine, opposite_of[verb], "Pending", 100)
        local action = assert(r.client[verb](r.client, machine, "all clear", options))
        assert.equal("accepted", action.outcome)
        assert.equal("Cancelled", pending.status)
        assert.truthy(pending.cancellationComment:find("all clear [mde:" .. action.operation_id .. "]", 1, true))
        assert.same({ "cancel", path_of[verb] }, r:posts())
      end)
    end

    it("of an offline device, which would be restricted after the all-clear", function()
      local restriction = assert(r.client:restrict(offline, "beacon"))
      r.tenant:advance(60)
      assert(r.client:release(offline, "false alarm"))
      r.tenant:put_machine { id = offline, offline = false }
      r.tenant:advance(3600)
      assert.equal("Cancelled", r.tenant:find_action(restriction.id).status)
      assert.equal("released", r.client:state(offline))
    end)

    it("one after the other if there are several", function()
      r:past(machine, "restrict", "Pending", 300)
      r:past(machine, "restrict", "InProgress", 200)
      assert.equal("accepted", assert(r.client:release(machine, "all clear")).outcome)
      assert.same({ "cancel", "cancel", "unrestrictCodeExecution" }, r:posts())
    end)

    it("and loses the race: it has ended meanwhile, and the release follows it", function()
      local restriction = r.tenant:insert_action { machineId = machine, type = "RestrictCodeExecution" }
      r:answer({ method = "POST", path = "/cancel" }, 400, { error = { code = "BadRequest", message = "has ended" } })
      local action = assert(r.client:release(machine, "all clear"))
      assert.equal("accepted", action.outcome)
      assert.equal("Succeeded", restriction.status)
      r.tenant:advance(60)
      assert.equal("released", r.client:state(machine))
    end)

    it("and the answer to that is lost: reading tells, the release follows", function()
      r:past(machine, "restrict", "Pending", 100)
      r:fault { match = { method = "POST", path = "/cancel" }, fault = "gone" }
      assert.equal("accepted", assert(r.client:release(machine, "all clear")).outcome)
      assert.same({ "cancel", "unrestrictCodeExecution" }, r:posts())
    end)

    it("and cannot: the release is not sent, and it says why", function()
      local pending = r:past(machine, "restrict", "Pending", 100)
      r:answer({ method = "POST", path = "/cancel" }, 400, { error = { code = "BadRequest",
        message = "not this one" } }, { count = false })
      local action, err = r.client:release(machine, "all clear", { timeout = 30 })
      assert.is_nil(action)
      assert.equal("conflict", err.kind)
      assert.equal(pending.id, err.action.id)
      assert.truthy(err.message:find("not this one", 1, true))
      assert.same({ "cancel" }, r:posts())
    end)

    it("and may not: the permission is named, and what it was for", function()
      local pending = r:past(machine, "restrict", "Pending", 100)
      r:answer({ method = "POST", path = "/cancel" }, 403, { error = { code = "Forbidden",
        message = "Missing application roles. API required roles: Machine.X, application roles: Machine.Y." } })
      local action, err = r.client:release(machine, "all clear")
      assert.is_nil(action)
      assert.equal("permission", err.kind)
      assert.equal(pending.id, err.action.id)
      assert.truthy(err.message:find("opposite action", 1, true))
      assert.truthy(err.hint:find("Machine.X", 1, true))
      assert.same({ "cancel" }, r:posts())
    end)
  end)

  describe("whose history cannot be read", function()
    for what, rule in pairs {
      ["because it fails"] = { 503, "" },
      ["because it may not be"] = { 403, { error = { code = "Forbidden", message = "no" } } },
      ["because it makes no sense"] = { 200, { value = { id = "x", status = 4 } } },
      ["because it is no list"] = { 200, { value = "none" } },
    } do
      it("is sent all the same " .. what, function()
        r:answer({ method = "GET", path = "/machineactions" }, rule[1], rule[2], { count = false })
        local action = assert(r.client:restrict(machine, "why"))
        assert.equal("accepted", action.outcome)
        assert.is_false(action.looked)
        assert.equal(1, r:count "action_created")
      end)
    end

    it("is sent all the same when the list never ends, and containing waits half a minute at most", function()
      r:fault { match = { method = "GET", path = "/machineactions" }, fault = "stall", count = false }
      local before = r.tenant.clock.now()
      assert.is_false(assert(r.client:restrict(machine, "why")).looked)
      assert.is_true(r.tenant.clock.now() - before <= 31)
    end)
  end)

  it("leaves time to send, however short it is and however long the reading takes", function()
    for _, path in ipairs { "/machineactions", "/machines/" .. machine } do
      r:fault { match = { method = "GET", path = path }, fault = "stall", count = false }
    end
    local before = r.tenant.clock.now()
    local action = assert(r.client:restrict(machine, "why", { timeout = 20 }))
    assert.equal("accepted", action.outcome)
    assert.is_false(action.looked)
    assert.is_true(r.tenant.clock.now() - before < 20)
  end)

  it("without a look is exactly one request", function()
    r:past(machine, "restrict", "Succeeded", 100)
    local action = assert(r.client:restrict(machine:upper(), "why", { look = false }))
    assert.equal("accepted", action.outcome)
    assert.is_false(action.looked)
    assert.same({ "POST /api/machines/" .. machine .. "/restrictCodeExecution" }, r:requests())
  end)

  describe("with a key", function()
    local key = "alert-4711"

    local function again(verb)
      return r.client[verb or "restrict"](r.client, machine, "why", { key = key })
    end

    it("has it for its operation id, verbatim", function()
      local action = assert(again())
      assert.equal(key, action.operation_id)
      assert.equal("why [mde:alert-4711]", action.requestorComment)
    end)

    it("that is pending or succeeded is given back", function()
      local first = assert(again())
      for _ = 1, 2 do
        local repeated = assert(again())
        assert.equal("already_active", repeated.outcome)
        assert.equal(first.id, repeated.id)
        r.tenant:advance(60)
      end
      assert.same({ "restrictCodeExecution" }, r:posts())
    end)

    it("that was undone since is superseded by what undid it", function()
      assert(again())
      r.tenant:advance(60)
      local release = assert(r.client:release(machine, "all clear"))
      r.tenant:advance(60)
      local action, err = again()
      assert.is_nil(action)
      assert.equal("superseded", err.kind)
      assert.equal(release.id, err.action.id)
      assert.truthy(err.message:find("(UnrestrictCodeExecution, Succeeded) has overtaken it", 1, true))
      assert.truthy(err.hint:find "another key")
      assert.equal(2, #r:posts())
    end)

    it("that is being undone is superseded, not a conflict", function()
      assert(again())
      r.tenant:advance(60)
      r:past(machine, "release", "Pending", 1)
      assert.equal("superseded", select(2, again()).kind)
    end)

    it("that was cancelled is superseded by itself", function()
      local first = assert(again())
      assert(first:cancel "not this one")
      local action, err = again()
      assert.is_nil(action)
      assert.equal("superseded", err.kind)
      assert.equal(first.id, err.action.id)
      assert.truthy(err.message:find("(RestrictCodeExecution, Cancelled) was cancelled by mde at ", 1, true))
      assert.truthy(err.message:find('"not this one"', 1, true))
    end)

    it("that failed is sent again", function()
      local first = assert(r.client:restrict(failing, "why", { key = key }))
      r.tenant:advance(60)
      local second = assert(r.client:restrict(failing, "why", { key = key }))
      assert.equal("accepted", second.outcome)
      assert.not_equal(first.id, second.id)
    end)

    it("of another verb or machine is another matter", function()
      assert(again())
      r.tenant:advance(60)
      assert.equal("accepted", assert(again "release").outcome)
      assert.equal("accepted", assert(r.client:restrict(other, "why", { key = key })).outcome)
    end)

    it("echoed by the service from an earlier time is already active", function()
      answer_post("restrict", 201, reply("restrict", { requestorComment = "why [mde:alert-4711]",
        creationDateTimeUtc = rehearsal.time(r.tenant.clock.now() - 3600) }))
      local action = assert(r.client:restrict(machine, "why", { key = key }))
      assert.equal("already_active", action.outcome)
      assert.is_true(action.recorded)
    end)
  end)

  it("that this client sent a moment ago is known while the service's list lags behind", function()
    r.tenant:set { lists = { lag = 20 } }
    local restriction = assert(r.client:restrict("laptop-18", "why"))
    assert.equal("restricting", r.client:state "laptop-18")
    assert.equal(restriction.id, assert(r.client:restrict("laptop-18", "why")).id)
    assert.equal("accepted", assert(r.client:release("laptop-18", "why")).outcome)
    assert.equal("Cancelled", r.tenant:find_action(restriction.id).status)
  end)

  describe("is judged by the answer:", function()
    for what, case in pairs {
      ["an action of another machine"] = { { machineId = other } },
      ["an action of another type"] = { { type = "Isolate" } },
      ["the opposite action"] = { { type = "UnrestrictCodeExecution" } },
      ["somebody's action that failed"] = { { status = "Failed" } },
      ["somebody's action that was cancelled"] = { { status = "Cancelled" } },
      ["an action without an id"] = { { id = "" } },
    } do
      it(what .. " leaves it to the list of actions, and without that unknown", function()
        answer_post("restrict", 201, reply("restrict", case[1]), { processed = true })
        local action, err = r.client:restrict(machine, "why")
        assert.equal("accepted", action and action.outcome, tostring(err))
        assert.is_true(action.reconciled)
        assert.equal(1, r:count "action_created")

        r = rehearsal.new { unguarded = true }
        answer_post("restrict", 201, reply("restrict", case[1]), { processed = true })
        r:answer({ path = "/machineactions" }, 403, "", { count = 2 })
        action, err = r.client:restrict(machine, "why")
        assert.is_nil(action)
        assert.equal("unknown", err.kind)
        assert.equal("restrict", err.verb)
        assert.equal(machine, err.machine_id)
        assert.truthy(err.operation_id)
        assert.equal("number", type(err.sent_at))
        assert.is_true(rehearsal.is_one_line(tostring(err)))
        assert.equal(1, r:count "action_created")
        assert.equal("accepted", assert(r.client:find_action(err)).outcome)
      end)
    end

    it("somebody's action that is pending is already active", function()
      answer_post("restrict", 201, reply "restrict")
      local action = assert(r.client:restrict(machine, "why", { incident = "INC-1" }))
      assert.equal("already_active", action.outcome)
      assert.is_false(action.recorded)
      assert.is_nil(action.operation_id)
    end)

    it("the pending action of our incident is recorded", function()
      answer_post("restrict", 201, reply("restrict", { requestorComment = "x [mde:inc-1:abcdefgh]" }))
      assert.is_true(assert(r.client:restrict(machine, "why", { incident = "INC-1" })).recorded)
    end)

    it("a comment that was cut is accepted, and says so", function()
      r.tenant:set { comment_limit = 20 }
      local action = assert(r.client:restrict(machine, "beacon to known C2", { incident = "INC-1" }))
      assert.equal("accepted", action.outcome)
      assert.is_true(action.comment_cut)
      assert.equal("INC-1", action.incident)
      assert.equal(20, #action.requestorComment)
    end)

    for what, date in pairs {
      ["of the year 9999"] = "Fri, 31 Dec 9999 23:59:59 GMT", ["of 1970"] = "Thu, 01 Jan 1970 00:00:00 GMT",
      ["of no sense"] = "yesterday",
    } do
      it("a date " .. what .. " in the answer does no harm", function()
        local key = "alert-4711"
        answer_post("restrict", 201, reply("restrict", { requestorComment = "why [mde:alert-4711]" }),
          { headers = { Date = date } })
        assert(r.client:restrict(machine, "why", { key = key }))
        answer_post("restrict", 503, "", { headers = { Date = date } })
        assert.is_true(assert(r.client:restrict(machine, "why", { look = false })).reconciled)
      end)
    end

    it("nulls in a fresh action do no harm", function()
      answer_post("restrict", 201, reply("restrict", { machineId = rehearsal.null,
        computerDnsName = rehearsal.null, requestorComment = "why [mde:alert-4711]" }))
      local action = assert(r.client:restrict(machine, "why", { key = "alert-4711" }))
      assert.equal("accepted", action.outcome)
      assert.equal(machine, action.machineId)
      assert.is_nil(action.computerDnsName)
      assert.equal("RestrictCodeExecution of " .. machine .. ": Pending", tostring(action))
    end)

    it("somebody's older action whose comment is the beginning of ours is theirs", function()
      answer_post("restrict", 201, reply("restrict", { requestorComment = "why",
        creationDateTimeUtc = rehearsal.time(r.tenant.clock.now() - 3600) }))
      assert.equal("already_active", assert(r.client:restrict(machine, "why")).outcome)
    end)

    it("two actions at once come back as one, each time the first", function()
      r.tenant:set { duplicates = "pending" }
      local first = assert(r.client:restrict(machine, "why", { look = false }))
      local second = assert(r.client:restrict(machine, "why", { look = false }))
      assert.equal("accepted", first.outcome)
      assert.equal("already_active", second.outcome)
      assert.equal(first.id, second.id)
    end)

    for what, settings in pairs { ["as the tenant does of itself"] = {},
      active_request = { duplicates = "active_request" }, in_progress = { duplicates = "in_progress" } } do
      it("refused because one is active, that one is looked for: " .. what, function()
        r.tenant:set(settings)
        local pending = r:past(machine, "restrict", "Pending", 10)
        local action = assert(r.client:restrict(machine, "why", { incident = "INC-1", look = false }))
        assert.equal("already_active", action.outcome)
        assert.equal(pending.id, action.id)
        assert.is_false(action.recorded)
        local statuses = {}
        for _, entry in ipairs(r.tenant.history) do
          if entry.event == "request" and entry.path:find("restrictCode", 1, true) then
            statuses[#statuses + 1] = entry.status
          end
        end
        assert.same({ 400 }, statuses)
      end)
    end

    it("refused because one is active that the list does not show is a conflict", function()
      answer_post("restrict", 400, { error = { code = "ActiveRequestAlreadyExists", message = "x" } })
      local action, err = r.client:restrict(machine, "why")
      assert.is_nil(action)
      assert.equal("conflict", err.kind)
      assert.equal("ActiveRequestAlreadyExists", err.code)
      assert.truthy(err.hint:find("does not show it", 1, true))
    end)

    for what, case in pairs {
      ["a platform that cannot do it"] = { "4f00000000000000000000000000000000000001", "refused",
        "OsPlatformNotSupported" },
      ["a machine that is not there"] = { ("a"):rep(40), "not_found", "ResourceNotFound" },
    } do
      it("a definite no is not repeated: " .. what, function()
        local action, err = r.client:restrict(case[1], "why", { look = false })
        assert.is_nil(action)
        assert.equal(case[2], err.kind)
        assert.equal(case[3], err.code)
        assert.truthy(err.request_id)
        assert.same({ "restrictCodeExecution" }, r:posts())
      end)
    end

    it("a missing permission is named, with those that there are", function()
      r = rehearsal.new { unguarded = true, roles = { "Machine.Read.All" } }
      local action, err = r.client:restrict(machine, "why")
      assert.is_nil(action)
      assert.equal("permission", err.kind)
      assert.equal(403, err.http_status)
      assert.truthy(err.hint:find("Machine.RestrictExecution", 1, true))
      assert.truthy(err.hint:find("Machine.Read.All", 1, true))
    end)
  end)

  it("counts everything against the caller's timeout", function()
    r = rehearsal.new { unguarded = true, latency = 6 }
    local before = r.tenant.clock.now()
    local action, err = r.client:restrict("laptop-17", "why", { timeout = 10 })
    assert.is_nil(action)
    assert.equal("unavailable", err.kind)
    assert.is_true(r.tenant.clock.now() - before <= 10)
    assert.same({}, r:posts())
  end)
end)
