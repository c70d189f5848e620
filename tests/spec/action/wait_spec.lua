-- Waiting for an action, and for many at once.
-- Labels: sanitized, not-lua5.3

local core = require "mde.core"
local rehearsal = require "tests.spec.support.rehearsal"

local ghost = "90000000-0000-4000-8000-000000000009"
local machine = "1f00000000000000000000000000000000000017"
local offline = "1f00000000000000000000000000000000000018"
local failing = "1f00000000000000000000000000000000000019"
local other = "3f00000000000000000000000000000000000001"

local function id(number)
  return ("%040x"):format(0xa0000 + number)
end

describe("an action is waited for", function()
  local r

  before_each(function() r = rehearsal.new { unguarded = true } end)

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

  it("and needs no request if this client has seen it end", function()
    local action, same = assert(r.client:restrict(machine, "why")), assert(r.client:restrict(machine, "why"))
    assert.equal("Succeeded", action:wait { timeout = 60 })
    assert.equal("Pending", same.status)
    local before = #r:requests()
    assert.equal("Succeeded", same:wait { timeout = 60 })
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

  it("ten minutes by default, with few requests", function()
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
    r:answer({ path = "/machineactions/" .. action.id }, 200, { id = action.id, type = "RestrictCodeExecution",
      status = "Succeeded", machineId = other })
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

describe("waiting for many", function()
  local r

  before_each(function() r = rehearsal.new { machines = {}, limits = false, client = { cap = false } } end)

  local function put(number, fields)
    local row = { id = id(number), computerDnsName = ("desk-%d.corp.example"):format(number) }
    for name, value in pairs(fields or {}) do row[name] = value end
    r.tenant:put_machine(row)
  end

  -- So many machines, and a restriction of each.
  local function restricted(count, fields)
    local actions = {}
    for i = 1, count do
      put(i, fields)
      actions[i] = assert(r.client:restrict(id(i), "why", { look = false }))
    end
    return actions
  end

  -- The requests since, in rounds: those of one moment.
  local function rounds(before)
    local list, last = {}, nil
    local n = 0
    for _, entry in ipairs(r.tenant.history) do
      if entry.event == "request" and not entry.path:find("/oauth2/", 1, true) then
        n = n + 1
        if n > before then
          if last ~= entry.at then list[#list + 1] = {} end
          last = entry.at
          table.insert(list[#list], entry)
        end
      end
    end
    return list
  end

  it("refuses a list with a hole", function()
    local actions = restricted(2)
    local err = rehearsal.refused(r.client.wait, r.client, { [1] = actions[1], [3] = actions[2] })
    assert.truthy(tostring(err):find("item 2", 1, true))
  end)

  it("gives each its end, in the order of the list", function()
    local actions = restricted(5)
    r.tenant:put_machine { id = id(2), failing = true }
    r.tenant:put_machine { id = id(3), offline = true }
    assert(r.client:cancel(actions[4], "not this one"))
    local results = r.client:wait(actions, { timeout = 30 })
    local ends = {}
    for i, result in ipairs(results) do
      assert.equal(actions[i], result.item)
      ends[i] = result.value or result.err.kind
    end
    assert.same({ "Succeeded", "failed", "pending", "cancelled", "Succeeded" }, ends)
    assert.equal(3, results.failed)
    assert.equal(actions[3], results[3].err.action)
    assert.equal("Succeeded", actions[1].status)
    assert.truthy(tostring(results[2].err):find("could not apply the policy", 1, true))
    assert.truthy(tostring(results[3].err):find("still Pending after 30 seconds", 1, true))
    assert.truthy(tostring(results[4].err):find("not this one", 1, true))
  end)

  it("says the same as waiting for each", function()
    local actions = restricted(4)
    r.tenant:put_machine { id = id(2), failing = true }
    r.tenant:put_machine { id = id(3), offline = true }
    local copies = {}
    for i, action in ipairs(actions) do copies[i] = assert(r.client:action(action.id)) end
    local results = r.client:wait(actions, { timeout = 20 })
    for i, copy in ipairs(copies) do
      local value, err = copy:wait { timeout = 20 }
      assert.equal(value, results[i].value)
      assert.equal(err and tostring(err), results[i].err and tostring(results[i].err))
    end
  end)

  it("asks nothing if there is nothing to wait for", function()
    assert.same({ failed = 0 }, r.client:wait {})
    local actions = restricted(2)
    r.client:wait(actions)
    local before = #r:requests()
    local results = r.client:wait(actions)
    assert.equal("Succeeded", results[2].value)
    assert.equal(before, #r:requests())
  end)

  it("asks for nothing that this client has seen end", function()
    local actions = restricted(3)
    local copies = {}
    for i, action in ipairs(actions) do copies[i] = assert(r.client:action(action.id)) end
    r.client:wait(actions)
    local before = #r:requests()
    local results = r.client:wait(copies)
    for i = 1, 3 do assert.same({ "Succeeded", "Succeeded" }, { results[i].value, copies[i].status }) end
    assert.equal(before, #r:requests())
  end)

  it("asks for the only one that is left by its id", function()
    local actions = restricted(2)
    r.tenant:put_machine { id = id(2), offline = true }
    local before = #r:requests()
    r.client:wait(actions, { timeout = 60 })
    local seen = rounds(before)
    assert.truthy(seen[1][1].query:find("$filter", 1, true))
    for i = 2, #seen do
      assert.equal(1, #seen[i])
      assert.truthy(seen[i][1].path:find(actions[2].id, 1, true))
    end
    assert.is_true(#seen >= 4)
  end)

  it("watches 500 with at most two calls a round, and no long URL", function()
    local actions = restricted(500)
    for i = 1, 500, 7 do r.tenant:put_machine { id = id(i), offline = true } end
    for i = 1, 50 do r:past(id(i), "release", "Succeeded", 100000) end
    local before = #r:requests()
    local results = r.client:wait(actions, { timeout = 200 })
    assert.equal(72, results.failed)
    local seen = rounds(before)
    assert.is_true(#seen >= 5)
    for _, round in ipairs(seen) do
      assert.is_true(#round <= 2)
      for _, request in ipairs(round) do assert.is_true(#request.path + #request.query < 1000) end
    end
  end)

  it("asks for what was created since the oldest that is pending", function()
    r:past(id(8), "restrict", "Succeeded", 90000)
    local old = r:past(id(9), "restrict", "Pending", 7200.5)
    local actions = restricted(2)
    for i = 1, 2 do r.tenant:put_machine { id = id(i), offline = true } end
    table.insert(actions, 1, (assert(r.client:action(old.id))))
    local before = #r:requests()
    r.client:wait(actions, { timeout = 5 })
    local query = require("mde.core").odata.decode(r:requests()[before + 1])
    local since = core.timestamp.read(query:match "creationDateTimeUtc ge (%S+Z)")
    local created = core.timestamp.read(old.creationDateTimeUtc)
    assert.is_true(since <= created and since > created - 1)
    assert.truthy(query:find("(type eq 'RestrictCodeExecution')", 1, true))
  end)

  it("asks for every type that is waited for", function()
    local actions = { assert(r.client:action(r:past(id(1), "restrict", "Pending", 10, { type = "Isolate" }).id)),
      assert(r.client:action(r:past(id(2), "release", "Pending", 10).id)) }
    local before = #r:requests()
    r.client:wait(actions, { timeout = 5 })
    local query = core.odata.decode(r:requests()[before + 1])
    assert.truthy(query:find("(type eq 'Isolate' or type eq 'UnrestrictCodeExecution') and creation", 1, true))
    assert.equal(actions[1].status, "Pending")
  end)

  it("knows actions without a time or a type", function()
    local actions = restricted(3)
    for _, action in ipairs(actions) do action.creationDateTimeUtc, action.type = nil, nil end
    assert.equal(0, r.client:wait(actions).failed)
    assert.equal("RestrictCodeExecution", actions[1].type)
  end)

  it("knows actions of a time that cannot be written", function()
    local actions = restricted(3)
    for _, action in ipairs(actions) do action.creationDateTimeUtc = "9999-12-31T23:59:59.9999999Z" end
    assert.equal(0, r.client:wait(actions).failed)
  end)

  it("reads by itself what the list does not show", function()
    local actions = restricted(4)
    r.tenant:set { lists = { lag = 100000 } }
    local before = #r:requests()
    r.tenant:put_machine { id = id(1), offline = true }
    local results = r.client:wait(actions, { timeout = 300 })
    assert.equal(1, results.failed)
    assert.equal("pending", results[1].err.kind)
    local seen = rounds(before)
    assert.is_true(#seen >= 4)
    for _, round in ipairs(seen) do assert.is_true(#round <= 2) end
  end)

  it("waits a minute for one that nobody knows yet, then says so", function()
    local actions = restricted(3)
    r.tenant:put_machine { id = id(1), offline = true }
    r.tenant:put_machine { id = id(2), offline = true }
    actions[3].id = ghost
    local start = r.tenant.clock.now()
    local results = r.client:wait(actions, { timeout = 300 })
    assert.equal("not_found", results[3].err.kind)
    assert.truthy(tostring(results[3].err):find("wait for RestrictCodeExecution of desk-3", 1, true))
    assert.equal("pending", results[1].err.kind)
    assert.is_true(r.tenant.clock.now() - start >= 298)
    local asked = {}
    for _, entry in ipairs(r.tenant.history) do
      if entry.event == "request" and entry.path:find(ghost, 1, true) then asked[#asked + 1] = entry.at - start end
    end
    assert.is_true(#asked >= 2)
    assert.is_true(asked[#asked] >= 60 and asked[#asked] < 120)
  end)

  it("goes on after a list that could not be read", function()
    local actions = restricted(3)
    r:answer({ path = "/machineactions?" }, 503, "", { count = 6 })
    assert.equal(0, r.client:wait(actions).failed)
    actions = restricted(3)
    r:answer({ path = "/machineactions?" }, 200, "<html>", { count = 6 })
    assert.equal(0, r.client:wait(actions).failed)
  end)

  it("tells what it read last where nothing could be read to the end", function()
    local actions = restricted(2)
    r:answer({ path = "/machineactions?" }, 503, "", { count = false })
    local results = r.client:wait(actions, { timeout = 60 })
    assert.equal(2, results.failed)
    for _, result in ipairs(results) do
      assert.equal("pending", result.err.kind)
      assert.truthy(tostring(result.err):find("HTTP 503", 1, true))
    end
  end)

  it("ends with a refusal that is here to stay, for all", function()
    local actions = restricted(2)
    r:answer({ path = "/machineactions?" }, 403, { error = { code = "Forbidden", message = "no" } }, { count = false })
    local start = r.tenant.clock.now()
    local results = r.client:wait(actions)
    for _, result in ipairs(results) do assert.equal("permission", result.err.kind) end
    assert.is_true(r.tenant.clock.now() - start < 10)
  end)

  it("refuses a row about another machine", function()
    local actions = restricted(2)
    actions[1].machineId = id(7)
    local results = r.client:wait(actions)
    assert.equal("protocol", results[1].err.kind)
    assert.equal("Succeeded", results[2].value)
  end)

  it("refuses what is of another machine or type by itself, not the action of the same id", function()
    local actions = restricted(3)
    local told = {}
    local list = { actions[1], { id = actions[1].id, machineId = 7 }, actions[2],
      { id = actions[1].id:upper(), machineId = id(3) }, { id = actions[2].id, type = 5 }, { id = actions[3].id } }
    local results = r.client:wait(list, { on_progress = function(done) told[#told + 1] = done end })
    for i, result in ipairs(results) do
      assert.equal(list[i], result.item)
      if i == 2 or i == 4 or i == 5 then
        assert.equal("protocol", result.err.kind)
        assert.is_true(rehearsal.is_one_line(tostring(result.err)))
      else
        assert.equal("Succeeded", result.value)
      end
    end
    assert.equal(3, results.failed)
    assert.same({ 1, 2, 3, 4, 5, 6 }, told)
    assert.equal("Succeeded", actions[1].status)
    assert.is_nil(list[2].status)
  end)

  it("leaves nothing unknown, though the service's lists lag behind", function()
    local actions = restricted(2)
    r.tenant:set { lists = { lag = 10000 } }
    assert.equal(0, r.client:wait(actions).failed)
    assert.equal("restricted", (r.client:state(id(1))))
    assert.equal("restricted", r.client:states({ id(2) })[1].value)
    actions[3] = assert(r.client:release(id(1), "why"))
    assert.equal(0, r.client:wait({ actions[3] }).failed)
    assert.equal("released", (r.client:state(id(1))))
  end)

  it("may be given the same action twice", function()
    local actions = restricted(2)
    local copy = assert(r.client:action(actions[1].id:upper()))
    local results = r.client:wait { actions[1], actions[1], copy, actions[2] }
    assert.equal(0, results.failed)
    assert.equal(4, #results)
    assert.equal("Succeeded", copy.status)
  end)

  it("ends in time", function()
    local actions = restricted(2, { offline = true })
    local start = r.tenant.clock.now()
    r.client:wait(actions, { timeout = 90 })
    local passed = r.tenant.clock.now() - start
    assert.is_true(passed <= 90 and passed > 85)
  end)

  it("tells of each once, as they end, and in the end of those that have not", function()
    local actions = restricted(4)
    r.tenant:put_machine { id = id(2), failing = true }
    r.tenant:put_machine { id = id(3), offline = true }
    assert(r.client:cancel(actions[4], "not this one"))
    actions[4] = assert(r.client:action(actions[4].id))
    local start, told = r.tenant.clock.now(), {}
    local results = r.client:wait(actions, { timeout = 60, on_progress = function(done, total, result)
      assert.equal(#told + 1, done)
      assert.equal(4, total)
      told[done] = { result = result, after = r.tenant.clock.now() - start }
    end })
    assert.equal(4, #told)
    assert.equal(results[4], told[1].result)
    assert.equal(0, told[1].after)
    assert.equal(results[1], told[2].result)
    assert.equal(results[2], told[3].result)
    assert.is_true(told[3].after > 0 and told[3].after < 30)
    assert.equal(results[3], told[4].result)
    assert.equal("pending", told[4].result.err.kind)
    assert.is_true(told[4].after > 50)
  end)

  it("ends with what on_progress raises", function()
    local actions = restricted(2)
    local ok, problem = pcall(r.client.wait, r.client, actions, { on_progress = function() error "enough" end })
    assert.is_false(ok)
    assert.truthy(problem:find "enough$")
  end)

  it("does not take back what has ended because a list lags behind", function()
    local actions = restricted(3)
    r.tenant:put_machine { id = id(2), offline = true }
    r.tenant:put_machine { id = id(3), offline = true }
    local rows = {}
    for i, action in ipairs(actions) do
      rows[i] = { id = action.id, status = "Pending", type = action.type, machineId = action.machineId,
        creationDateTimeUtc = action.creationDateTimeUtc }
    end
    local first
    local results = r.client:wait(actions, { timeout = 60, on_progress = function()
      if first then return end
      first = true
      r:answer({ path = "/machineactions?" }, 200, { value = rows }, { count = false })
    end })
    assert.equal("Succeeded", results[1].value)
    assert.equal("Succeeded", actions[1].status)
    assert.equal("pending", results[2].err.kind)
  end)

  for what, case in pairs {
    ["nothing"] = { nil, "a list of actions, not nil" },
    ["one action"] = { { id = ghost }, "action:wait" },
    ["actions by name"] = { { a = { id = ghost } }, "no item 1" },
    ["a number"] = { 17, "not number" },
    ["a list of names"] = { { "laptop-17" }, "item 1 is not an action" },
    ["a list of results"] = { { { item = "x", value = {} } }, "take the value" },
    ["a list of machines"] = { { { id = id(1) } }, "item 1 is not an action" },
  } do
    it("refuses " .. what, function()
      local err = rehearsal.refused(r.client.wait, r.client, case[1])
      assert.truthy(tostring(err):find(case[2], 1, true), tostring(err))
      assert.same({}, r.tenant.history)
    end)
  end

  it("refuses an unknown option", function()
    rehearsal.refused(r.client.wait, r.client, {}, { timeuot = 3 })
    rehearsal.refused(r.client.wait, r.client, {}, { on_progress = "tell me" })
  end)
end)
