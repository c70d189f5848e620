-- One action: cancelled or read by its id, found by its operation id.
-- Labels: sanitized, not-lua5.3

local rehearsal = require "tests.spec.support.rehearsal"

local machine = "1f00000000000000000000000000000000000017"
local other = "3f00000000000000000000000000000000000001"
local unknown_id = "11111111-0000-4000-8000-000000000011"

describe("cancel", function()
  local r, action

  before_each(function()
    r = rehearsal.new()
    action = assert(r.client:restrict("laptop-18", "why", { incident = "INC-1" }))
  end)

  local function cancels()
    return r:count "action_cancelled"
  end

  for what, call in pairs {
    ["the action"] = function(comment) return r.client:cancel(action, comment) end,
    ["its id"] = function(comment) return r.client:cancel(action.id, comment) end,
    ["its id in capitals"] = function(comment) return r.client:cancel(action.id:upper(), comment) end,
    ["the action's own method"] = function(comment) return action:cancel(comment) end,
  } do
    it("ends an action that is not final, given " .. what, function()
      local cancelled = assert(call "not this one")
      assert.equal(action.id, cancelled.id)
      assert.equal("Cancelled", cancelled.status)
      assert.equal("not this one", cancelled.cancellationComment)
      assert.equal("INC-1", cancelled.incident)
      assert.equal("cancelled", select(2, cancelled:wait()).kind)
      assert.equal(1, cancels())
    end)
  end

  it("of what is cancelled already succeeds", function()
    assert(r.client:cancel(action, "not this one"))
    assert.equal("Cancelled", assert(r.client:cancel(action, "again")).status)
    assert.equal(1, cancels())
  end)

  for _, status in ipairs { "Succeeded", "Failed", "TimeOut" } do
    it("of what has ended as " .. status .. " is a conflict that shows how", function()
      local past = r:past(machine, "restrict", status, 100)
      local cancelled, err = r.client:cancel(past.id, "too late")
      assert.is_nil(cancelled)
      assert.equal("conflict", err.kind)
      assert.equal(status, err.action.status)
      assert.equal(400, err.http_status)
      assert.truthy(tostring(err):find("ended already: " .. status, 1, true))
      assert.truthy(tostring(err):find('^cancel action "' .. past.id:gsub("%-", "%%-")))
    end)
  end

  for what, case in pairs {
    ["is final otherwise"] = { "Succeeded", nil, "conflict" },
    ["is still pending"] = { "Pending", nil, "pending" },
    ["is another machine's"] = { "Cancelled", ("b"):rep(40), "protocol" },
  } do
    it("is no success because the service says 200, where the action " .. what, function()
      local body = ('{"id":"%s","type":"RestrictCodeExecution","status":"%s","machineId":"%s"}')
        :format(action.id, case[1], case[2] or action.machineId)
      r:fault { match = { path = "/machineactions/" .. action.id }, fault = "answer", count = false, body = body,
        headers = { ["Content-Type"] = "application/json" } }
      local cancelled, err = r.client:cancel(action, "not this one")
      assert.is_nil(cancelled)
      assert.equal(case[3], err.kind)
      assert.equal(0, cancels())
    end)
  end

  it("and reading refuse an answer of another type", function()
    r:fault { match = { path = "/machineactions/" .. action.id }, fault = "answer", count = false,
      body = ('{"id":"%s","type":"UnrestrictCodeExecution","status":"Succeeded"}'):format(action.id),
      headers = { ["Content-Type"] = "application/json" } }
    assert.equal("protocol", select(2, r.client:action(action)).kind)
    assert.equal("protocol", select(2, action:wait { timeout = 5 }).kind)
    assert.equal("RestrictCodeExecution", action.type)
  end)

  it("of what the service does not know is not found", function()
    local cancelled, err = r.client:cancel(unknown_id, "why")
    assert.is_nil(cancelled)
    assert.equal("not_found", err.kind)
    assert.equal("ResourceNotFound", err.code)
  end)

  it("that is refused while the action goes on is refused, in the service's words", function()
    r:answer({ path = "/cancel" }, 400, { error = { code = "BadRequest", message = "not now" } })
    local cancelled, err = r.client:cancel(action, "why")
    assert.is_nil(cancelled)
    assert.equal("refused", err.kind)
    assert.truthy(err.message:find("not now", 1, true))
  end)

  it("that may not be is a matter of permission", function()
    r.tenant:put_application { client_id = r.tenant.client_id, client_secret = r.tenant.client_secret,
      roles = { "Machine.Read.All" } }
    r.tenant:advance(7200)
    local cancelled, err = r.client:cancel(action, "why")
    assert.is_nil(cancelled)
    assert.equal("permission", err.kind)
    assert.truthy(err.hint:find("Machine.RestrictExecution", 1, true))
  end)

  for _, fault in ipairs { "gone", "cut", "stall" } do
    it("whose answer is lost was sent once, and reading the action tells: " .. fault, function()
      r:fault { match = { path = "/cancel" }, fault = fault }
      assert.equal("Cancelled", assert(r.client:cancel(action, "not this one")).status)
      assert.equal(1, cancels())
      assert.same({ "restrictCodeExecution", "cancel" }, r:posts())
    end)
  end

  it("that got lost on the way is unknown, and was sent once", function()
    r:fault { match = { path = "/cancel" }, fault = "reset" }
    local cancelled, err = r.client:cancel(action, "not this one")
    assert.is_nil(cancelled)
    assert.equal("unknown", err.kind)
    assert.truthy(err.hint:find("Read the action again", 1, true))
    assert.equal(0, cancels())
    assert.same({ "restrictCodeExecution", "cancel" }, r:posts())
  end)

  it("whose answer is lost and which cannot be read is unknown", function()
    r:fault { match = { path = "/cancel" }, fault = "gone" }
    r:answer({ method = "GET", path = "/machineactions/" }, 503, "", { count = false })
    local cancelled, err = r.client:cancel(action, "not this one")
    assert.is_nil(cancelled)
    assert.equal("unknown", err.kind)
    assert.truthy(err.hint:find("Read the action again", 1, true))
  end)

  it("answered with another action is not believed", function()
    local past = r:past(machine, "restrict", "Pending", 10)
    r:answer({ path = "/cancel" }, 200, { id = past.id, status = "Cancelled" })
    local cancelled, err = r.client:cancel(action, "not this one")
    assert.is_nil(cancelled)
    assert.equal("unknown", err.kind)
  end)

  it("counts everything against the caller's timeout", function()
    r:fault { match = { path = "/cancel" }, fault = "stall" }
    r:fault { match = { method = "GET", path = "/machineactions/" }, fault = "stall", count = false }
    local before = r.tenant.clock.now()
    assert.equal("unknown", select(2, r.client:cancel(action, "why", { timeout = 20 })).kind)
    assert.is_true(r.tenant.clock.now() - before <= 20.001)
  end)

  it("that is refused for good is not looked for", function()
    for _, status in ipairs { 403, 404 } do
      r:answer({ path = "/cancel" }, status, { error = { code = "Other", message = "no" } })
      local before = #r:requests()
      assert.equal(status, select(2, r.client:cancel(action, "why")).http_status)
      assert.equal(before + 1, #r:requests())
    end
  end)

  it("that was answered as cancelled is not read again", function()
    local before = #r:requests()
    assert(r.client:cancel(action, "why"))
    assert.equal(before + 1, #r:requests())
  end)

  it("that the answer does not show yet is read", function()
    r:answer({ path = "/cancel" }, 200, { id = action.id, status = "Pending" }, { processed = true })
    assert.equal("Cancelled", assert(r.client:cancel(action, "why")).status)
  end)

  it("is what the answer says where it cannot be read", function()
    r:answer({ path = "/cancel" }, 200, { id = action.id, status = "Pending" }, { processed = true })
    r:answer({ method = "GET", path = "/machineactions/" }, 503, "", { count = false })
    local cancelled, err = r.client:cancel(action, "why")
    assert.is_nil(cancelled)
    assert.equal("pending", err.kind)
    assert.equal("Pending", err.action.status)
  end)

  it("is known at once, though the service's lists lag behind", function()
    r.tenant:set { lists = { lag = 60 } }
    r.tenant:advance(1)
    assert(r.client:cancel(action, "why"))
    assert.equal("none", (r.client:state(action.machineId)))
  end)

  it("takes a minute at most, and reading two", function()
    r:fault { match = { path = "/machineactions/" }, fault = "stall", count = false }
    local before = r.tenant.clock.now()
    assert.equal("unknown", select(2, r.client:cancel(action, "why")).kind)
    assert.is_true(r.tenant.clock.now() - before <= 60.001)
    before = r.tenant.clock.now()
    assert.equal("unavailable", select(2, r.client:action(action)).kind)
    assert.is_true(r.tenant.clock.now() - before <= 120.001)
  end)

  describe("refuses, without a request,", function()
    for what, case in pairs {
      ["no action"] = { nil, "why", nil, "not an action" },
      ["a device's name"] = { "laptop-18", "why", nil, "not an action" },
      ["a machine id"] = { machine, "why", nil, "not an action" },
      ["a machine"] = { { id = machine }, "why", nil, "not an action" },
      ["no comment"] = { unknown_id, nil, nil, "a comment is required" },
      ["an empty comment"] = { unknown_id, " ", nil, "empty" },
      ["an unknown option"] = { unknown_id, "why", { timout = 3 }, "timeout" },
    } do
      it(what, function()
        local before = #r.tenant.history
        local err = rehearsal.refused(r.client.cancel, r.client, case[1], case[2], case[3])
        assert.truthy(tostring(err):find(case[4], 1, true), tostring(err))
        assert.equal(before, #r.tenant.history)
      end)
    end
  end)
end)

describe("an action", function()
  local r

  before_each(function() r = rehearsal.new { unguarded = true } end)

  describe("is found by its operation id", function()
    it("given as a table, whatever its verb", function()
      local action = assert(r.client:release(machine, "why"))
      local found = assert(r.client:find_action { machine_id = machine:upper(), operation_id = action.operation_id })
      assert.equal(action.id, found.id)
    end)

    it("and tells in its status how it ended", function()
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

    it("and if the service cut its comment, perhaps", function()
      local past = r:past(machine, "restrict", "Pending", 30, { requestorComment = "beacon to known C2 [md" })
      local ask = { machine_id = machine, operation_id = "abcdefgh", comment = "beacon to known C2 [mde:abcdefgh]",
        sent_at = r.tenant.clock.now() - 31 }
      local found, err = r.client:find_action(ask)
      assert.is_nil(found)
      assert.same({ "unknown", "perhaps_this_action", past.id }, { err.kind, err.code, err.action.id })
      ask.sent_at = r.tenant.clock.now() - 2000
      assert.is_true(assert(r.client:find_action(ask)).comment_cut)
      ask.verb = "release"
      assert.equal("not_found", select(2, r.client:find_action(ask)).kind)
      ask.verb, ask.comment = nil, nil
      assert.equal("not_found", select(2, r.client:find_action(ask)).kind)
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
      ["a verb that there is not"] = { machine_id = machine, operation_id = "abcdefgh", verb = "Restrict" },
    } do
      it("and refuses " .. what, function()
        rehearsal.refused(r.client.find_action, r.client, ask or nil)
        assert.same({}, r.tenant.history)
      end)
    end
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
      r:answer({ path = "/machineactions/" }, 200, { id = "5a5a5a5a-0000-4000-8000-00000000005a",
        type = "RestrictCodeExecution", status = "Pending", machineId = machine }, { count = false })
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
end)
