-- Restrict and release: what is looked at before, what is sent, how the answer is judged, and what is said when nobody
-- knows what happened.
-- Labels: sanitized

local mde = require "mde"
local core = require "mde.core"
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

  describe("needs a comment:", function()
    local function check(wanted, comment, options)
      local err = rehearsal.refused(r.client.restrict, r.client, machine, comment, options)
      assert.truthy(tostring(err):find(wanted, 1, true), tostring(err))
      assert.is_true(rehearsal.is_one_line(tostring(err)))
      assert.same({}, r.tenant.history)
    end

    for what, case in pairs {
      ["none"] = { nil, "a comment is required" },
      ["a number"] = { 17, "must be a string, not a number" },
      ["an empty one"] = { "", "empty" },
      ["only white space"] = { " \t\r\n\194\160", "empty" },
      ["only a suffix of an earlier action"] = { " [mde:INC-1:abcdefgh]", "empty" },
      ["not UTF-8"] = { "caf\233", "UTF-8" },
      ["a surrogate"] = { "\237\160\128", "UTF-8" },
      ["a NUL"] = { "beacon\0", "NUL" },
      ["851 characters"] = { ("\226\130\172"):rep(851), "850" },
    } do
      it(what .. " is refused", function() check(case[2], case[1]) end)
    end

    it("850 characters of any length are enough", function()
      local comment = ("\240\159\148\146"):rep(850)
      local action = assert(r.client:restrict(machine, comment))
      assert.equal(comment .. suffix(action.operation_id), action.requestorComment)
    end)

    it("a suffix that it brings along is removed first", function()
      local action = assert(r.client:restrict(machine, "again [mde:INC-1:abcdefgh]", { incident = "INC-2" }))
      assert.equal("again" .. suffix(action.operation_id, "INC-2"), action.requestorComment)
    end)

    it("control characters and quotes arrive as they are", function()
      local action = assert(r.client:restrict(machine, 'two\nlines, "quotes" and \\'))
      assert.equal('two\nlines, "quotes" and \\' .. suffix(action.operation_id), action.requestorComment)
    end)

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
      ["because it makes no sense"] = { 200, { value = { { id = "x", status = 4 } } } },
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
      assert.truthy(err.message:find("(RestrictCodeExecution, Cancelled) was cancelled by mde, created ", 1, true))
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

  describe("is found by its operation id", function()
    it("given as a table, whatever its verb", function()
      local action = assert(r.client:release(machine, "why"))
      local found = assert(r.client:find_action { machine_id = machine:upper(), operation_id = action.operation_id })
      assert.equal(action.id, found.id)
    end)

    it("and tells in its status what became of it", function()
      for _, status in ipairs { "Failed", "Cancelled", "Succeeded" } do
        r:past(machine, "restrict", status, 30, { requestorComment = ("why [mde:operation-%s]"):format(status) })
        local found = assert(r.client:find_action { machine_id = machine, operation_id = "operation-" .. status })
        assert.same({ "accepted", status }, { found.outcome, found.status })
        local ended, err = found:wait()
        assert.equal(status == "Succeeded" and "Succeeded" or status:lower(), ended or err.kind)
      end
    end)

    it("but not under another verb or machine", function()
      local id = assert(r.client:restrict(machine, "why")).operation_id
      for _, ask in ipairs { { machine_id = machine, operation_id = id, verb = "release" },
          { machine_id = other, operation_id = id } } do
        assert.equal("not_found", select(2, r.client:find_action(ask)).kind)
      end
    end)

    it("unless the list cannot be read", function()
      r:answer({ path = "/machineactions" }, 403, "", { count = false })
      local found, err = r.client:find_action { machine_id = machine, operation_id = "abcdefgh" }
      assert.is_nil(found)
      assert.equal("permission", err.kind)
      assert.truthy(tostring(err):find('^find action with operation id "abcdefgh"'))
    end)

    for what, ask in pairs {
      ["nothing"] = false, ["a text"] = "abcdefgh", ["no operation id"] = { machine_id = machine },
      ["a machine's name"] = { machine_id = "laptop-17", operation_id = "abcdefgh" },
    } do
      it("and refuses " .. what, function()
        rehearsal.refused(r.client.find_action, r.client, ask or nil)
        assert.same({}, r.tenant.history)
      end)
    end
  end)

  describe("is waited for", function()
    it("until it has succeeded", function()
      local action = assert(r.client:restrict(machine, "why"))
      assert.equal("Succeeded", action:wait { timeout = 60 })
      assert.equal("Succeeded", action.status)
    end)

    it("and needs no request if it is final already", function()
      r:past(machine, "restrict", "Succeeded", 100)
      local action = assert(r.client:restrict(machine, "why"))
      local before = #r:requests()
      assert.equal("Succeeded", action:wait())
      assert.equal(before, #r:requests())
    end)

    it("until it has failed, and says what the device said", function()
      local status, err = assert(r.client:restrict(failing, "why")):wait()
      assert.is_nil(status)
      assert.equal("failed", err.kind)
      assert.equal("Failed", err.action.status)
      assert.truthy(err.message:find("could not apply the policy", 1, true))
      assert.truthy(tostring(err):find("^wait for RestrictCodeExecution of laptop%-19"))
    end)

    it("until it has timed out at the service", function()
      local action = assert(r.client:restrict(offline, "why"))
      r.tenant:find_action(action.id).status = "TimeOut"
      assert.equal("failed", select(2, action:wait()).kind)
    end)

    it("until somebody cancels it, and says who and why", function()
      local action = assert(r.client:restrict(offline, "why"))
      r.tenant:cancel_action(r.tenant:find_action(action.id), "not\nthis one", "a.colleague@corp.example")
      local status, err = action:wait()
      assert.is_nil(status)
      assert.equal("cancelled", err.kind)
      assert.equal(action, err.action)
      assert.truthy(tostring(err):find("a.colleague@corp.example", 1, true))
      assert.is_true(rehearsal.is_one_line(tostring(err)))
    end)

    it("until the time is up, and is pending then", function()
      local action = assert(r.client:restrict(offline, "why"))
      local before = r.tenant.clock.now()
      local status, err = action:wait { timeout = 90 }
      assert.is_nil(status)
      assert.equal("pending", err.kind)
      assert.equal(action, err.action)
      assert.truthy(err.message:find("90 seconds", 1, true))
      local waited = r.tenant.clock.now() - before
      assert.is_true(waited > 85 and waited <= 90)
    end)

    it("ten minutes unless told, with few requests", function()
      local action = assert(r.client:restrict(offline, "why"))
      local before, requests = r.tenant.clock.now(), #r:requests()
      assert.equal("pending", select(2, action:wait()).kind)
      local waited = r.tenant.clock.now() - before
      assert.is_true(waited > 590 and waited <= 600)
      assert.is_true(#r:requests() - requests <= 30)
    end)

    for what, rule in pairs {
      ["reads that fail"] = { fault = "answer", status = 503, count = 6 },
      ["an answer that is lost"] = { fault = "gone", count = 3 },
      ["an answer that makes no sense"] = { fault = "answer", status = 200, body = "<html>", count = 2 },
      ["a fresh action that is 404 for a moment"] = { fault = "answer", status = 404, count = 3 },
    } do
      it("through " .. what, function()
        local action = assert(r.client:restrict(machine, "why"))
        rule.match = { method = "GET", path = "/machineactions/" .. action.id }
        r:fault(rule)
        assert.equal("Succeeded", action:wait())
      end)
    end

    it("but not when it stays unknown", function()
      local action = assert(r.client:restrict(machine, "why"))
      r:answer({ path = "/machineactions/" .. action.id }, 404, "", { count = false })
      local before = r.tenant.clock.now()
      local status, err = action:wait()
      assert.is_nil(status)
      assert.equal("not_found", err.kind)
      assert.is_true(r.tenant.clock.now() - before < 120)
    end)

    it("but not when it may not be read", function()
      local action = assert(r.client:restrict(machine, "why"))
      r:answer({ path = "/machineactions/" .. action.id }, 403, "")
      local status, err = action:wait()
      assert.is_nil(status)
      assert.equal("permission", err.kind)
    end)

    it("but not when it turns out to be another machine's", function()
      local action = assert(r.client:restrict(machine, "why"))
      r:answer({ path = "/machineactions/" .. action.id }, 200, reply("restrict",
        { id = action.id, machineId = other, status = "Succeeded" }))
      local status, err = action:wait()
      assert.is_nil(status)
      assert.equal("protocol", err.kind)
      assert.truthy(err.message:find(other, 1, true))
    end)

    it("and refuses an option it does not have", function()
      local action = assert(r.client:restrict(machine, "why"))
      assert.truthy(tostring(rehearsal.refused(action.wait, action, { timout = 5 })):find('"timeout"', 1, true))
    end)
  end)

  describe("is read", function()
    it("by its id", function()
      local action = assert(r.client:restrict(machine, "why", { incident = "INC-1" }))
      local read = assert(r.client:action(action.id:upper()))
      assert.equal(action.id, read.id)
      assert.equal("INC-1", read.incident)
      assert.equal(action.operation_id, read.operation_id)
      assert.equal("Succeeded", read:wait())
    end)

    it("or is not known", function()
      local read, err = r.client:action "11111111-0000-4000-8000-000000000011"
      assert.is_nil(read)
      assert.equal("not_found", err.kind)
      assert.truthy(tostring(err):find('^action "11111111'))
    end)

    it("and another one is not taken for it", function()
      local action = assert(r.client:restrict(machine, "why"))
      r:answer({ path = "/machineactions/" }, 200, reply "restrict", { count = false })
      assert.equal("protocol", select(2, r.client:action(action.id)).kind)
    end)

    for what, id in pairs {
      ["nothing"] = false, ["a machine id"] = machine, ["a name"] = "laptop-17", ["a table"] = {},
    } do
      it("only by its id, not by " .. what, function()
        rehearsal.refused(r.client.action, r.client, id or nil)
        assert.same({}, r.tenant.history)
      end)
    end
  end)

  it("that the service lists without a comment is no obstacle", function()
    r:past(machine, "restrict", "Pending", 10, { requestorComment = rehearsal.null, requestor = rehearsal.null })
    local action = assert(r.client:restrict(machine, "why"))
    assert.equal("already_active", action.outcome)
    assert.is_nil(action.operation_id)
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

  it("is reached as a function of the module too", function()
    for _, name in ipairs { "restrict", "release", "machine", "action", "cancel", "find_action", "state", "each" } do
      assert.equal("function", type(mde[name]))
      assert.equal("function", type(r.client[name]))
    end
    assert.truthy(mde._VERSION:find "^mde %d")
  end)

  it("carries the id that the core finds in its comment", function()
    local action = assert(r.client:restrict(machine, "why", { incident = "INC-1" }))
    local text, incident, operation_id = core.comment.parse(action.requestorComment)
    assert.same({ "why", "INC-1", action.operation_id }, { text, incident, operation_id })
  end)
end)
