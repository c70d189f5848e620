-- The state of a device, from what was done to it.
-- Labels: sanitized

local rehearsal = require "tests.spec.support.rehearsal"

local laptop = "1f00000000000000000000000000000000000017"
local other = "3f00000000000000000000000000000000000001"

describe("the state", function()
  local r

  before_each(function() r = rehearsal.new() end)

  -- Each row: what happened (verb, status, created seconds ago, and how many seconds later it was updated), the state,
  -- and on which of the rows it rests.
  for what, case in pairs {
    ["nothing ever happened"] = { {}, "none" },
    ["it was restricted"] = { { { "restrict", "Succeeded", 100 } }, "restricted", 1 },
    ["a restriction is pending"] = { { { "restrict", "Pending", 100 } }, "restricting", 1 },
    ["a restriction is in progress"] = { { { "restrict", "InProgress", 100 } }, "restricting", 1 },
    ["it was released"] = { { { "restrict", "Succeeded", 200 }, { "release", "Succeeded", 100 } }, "released", 2 },
    ["a release is pending"] = { { { "restrict", "Succeeded", 200 }, { "release", "Pending", 100 } }, "releasing", 2 },
    ["it was only ever released"] = { { { "release", "Succeeded", 100 } }, "released", 1 },
    ["everything failed"] = { { { "restrict", "Failed", 300 }, { "restrict", "TimeOut", 200 },
      { "restrict", "Cancelled", 100 } }, "none" },
    ["the release failed"] = { { { "restrict", "Succeeded", 200 }, { "release", "Failed", 100 } }, "restricted", 1 },
    ["the one that was updated last decides"] = { { { "restrict", "Succeeded", 300, 250 },
      { "release", "Succeeded", 200, 10 } }, "restricted", 1 },
    ["a pending action counts however old it is"] = { { { "restrict", "Pending", 9e6 },
      { "release", "Succeeded", 100 } }, "restricting", 1 },
    ["of two that are pending the newer counts"] = { { { "restrict", "Pending", 200 },
      { "release", "InProgress", 100 } }, "releasing", 2 },
    ["a word that nobody knows is not final"] = { { { "release", "Postponed", 100 } }, "releasing", 1 },
    ["a status is read in any case"] = { { { "restrict", "SUCCEEDED", 100 } }, "restricted", 1 },
  } do
    it("is " .. case[2] .. ": " .. what, function()
      local actions = {}
      for i, past in ipairs(case[1]) do
        actions[i] = r:past(laptop, past[1], past[2], past[3], {
          lastUpdateDateTimeUtc = rehearsal.time(r.tenant.clock.now() - past[3] + (past[4] or 1)) })
      end
      for _, device in ipairs { laptop, "laptop-17", { id = laptop } } do
        local state, action = r.client:state(device)
        assert.equal(case[2], state)
        assert.equal(case[3] and actions[case[3]].id or nil, action and action.id)
      end
    end)
  end

  it("does not depend on other machines and other kinds of action", function()
    r:past(other, "restrict", "Succeeded", 100)
    r:past(laptop, "restrict", "Pending", 50, { type = "Isolate" })
    assert.equal("none", r.client:state(laptop))
  end)

  it("counts an action that does not say whose it is", function()
    r:answer({ path = "/machineactions" }, 200, { value = {
      { id = "a", type = "RestrictCodeExecution", status = "Pending", machineId = rehearsal.null } } })
    assert.equal("restricting", r.client:state(laptop))
  end)

  it("comes with an action that can be waited for, and says whose it is", function()
    local sent = assert(r.client:restrict(laptop, "why", { incident = "INC-1" }))
    local state, action = r.client:state(laptop)
    assert.equal("restricting", state)
    assert.equal("INC-1", action.incident)
    assert.equal(sent.operation_id, action.operation_id)
    assert.equal("Succeeded", action:wait())
    assert.equal("restricted", r.client:state(laptop))
  end)

  it("follows a device through all of it", function()
    assert(r.client:restrict(laptop, "why"))
    local seen = { (r.client:state(laptop)) }
    r.tenant:advance(60)
    seen[2] = r.client:state(laptop)
    assert(r.client:release(laptop, "why"))
    seen[3] = r.client:state(laptop)
    r.tenant:advance(60)
    seen[4] = r.client:state(laptop)
    assert.same({ "restricting", "restricted", "releasing", "released" }, seen)
  end)

  for what, times in pairs {
    ["at the same instant"] = { creationDateTimeUtc = "2026-01-01T00:00:00Z",
      lastUpdateDateTimeUtc = "2026-01-01T00:00:00Z" },
    ["at times that nobody can read"] = { creationDateTimeUtc = "yesterday" },
    ["at times that are missing"] = {},
  } do
    it("is not guessed where both came " .. what, function()
      local rows = {}
      for i, verb in ipairs { "RestrictCodeExecution", "UnrestrictCodeExecution" } do
        rows[i] = { id = tostring(i), type = verb, status = "Succeeded", machineId = laptop }
        for name, time in pairs(times) do rows[i][name] = time end
      end
      r:answer({ path = "/machineactions" }, 200, { value = rows })
      local state, err = r.client:state(laptop)
      assert.is_nil(state)
      assert.equal("protocol", err.kind)
      assert.truthy(tostring(err):find('^state of "'))
    end)
  end

  for what, case in pairs {
    ["fails"] = { 503, "", "unavailable" },
    ["may not be read"] = { 403, "", "permission" },
    ["makes no sense"] = { 200, "[]", "protocol" },
    ["has rows that make no sense"] = { 200, { value = { { id = "a", type = 1 } } }, "protocol" },
  } do
    it("is an error where the list " .. what .. ", never none", function()
      r:answer({ path = "/machineactions" }, case[1], case[2], { count = false })
      local state, err = r.client:state(laptop)
      assert.is_nil(state)
      assert.equal(case[3], err.kind)
    end)
  end

  it("of all is the restriction and the isolation, by one list", function()
    local restricted = r:past(laptop, "restrict", "Succeeded", 100)
    local isolating = r:past(laptop, "restrict", "Pending", 50, { type = "Isolate" })
    for _, device in ipairs { laptop, "laptop-17" } do
      local before = #r:requests()
      local states, nothing = r.client:state(device, { of = "all" })
      assert.is_nil(nothing)
      assert.equal(2, #r:requests() - before)
      assert.same({ "restricted", restricted.id, "isolating", isolating.id }, { states.restrict.value,
        states.restrict.action.id, states.isolate.value, states.isolate.action.id })
      for verb, one in pairs(states) do
        assert.equal(one.value, (r.client:state(laptop, { of = verb })))
        assert.is_nil(one.err)
      end
    end
    assert.equal("Isolate", r.client:state(laptop, { of = "all" }).isolate.action.type)
    assert.same({ restrict = { value = "none" }, isolate = { value = "none" } }, r.client:state(other, { of = "all" }))
  end)

  it("of all says for each where it cannot be told", function()
    r:answer({ path = "/machineactions" }, 200, { value = {
      { type = "Isolate", status = "Succeeded", machineId = laptop, creationDateTimeUtc = "2026-01-01T00:00:00Z" },
      { id = "a", type = "RestrictCodeExecution", status = "Succeeded", machineId = laptop } } })
    local states = assert(r.client:state(laptop, { of = "all" }))
    assert.same({ "restricted", "list_incomplete" }, { states.restrict.value, states.isolate.err.code })
    assert.is_nil(states.isolate.value)
    assert.matches("^state of .* %(isolate%): ", tostring(states.isolate.err))
    r:answer({ path = "/machineactions" }, 200, { value = {
      { type = "Isolate", status = "Succeeded", machineId = laptop, creationDateTimeUtc = "2026-01-01T00:00:00Z" },
      { id = "7e000000-0000-4000-8000-00000000007e", type = "RestrictCodeExecution", status = "Strange",
        machineId = laptop } } })
    local results = r.client:states({ laptop }, { of = "all" })
    assert.is_truthy(results[1].value.restrict.err or results[1].value.isolate.err)
    assert.equal(1, results.failed)
    assert.equal(results[1].value.restrict.err or results[1].value.isolate.err, results[1].err)
    r:answer({ path = "/machineactions" }, 403, "", { count = false })
    local told, err = r.client:state(laptop, { of = "all" })
    assert.is_nil(told)
    assert.equal("permission", err.kind)
  end)

  it("is of what cuts a device off, or of all", function()
    for _, of in ipairs { "scan", "release", "nonsense", true } do
      local err = rehearsal.refused(r.client.state, r.client, laptop, { of = of })
      if of ~= true then assert.matches("must be restrict, isolate, contain, all, not ", err.message, 1, true) end
    end
    rehearsal.refused(r.client.holders, r.client, { laptop }, { of = "all" })
    rehearsal.refused(r.client.report, r.client, { incident = "INC-1", of = "all" })
  end)

  it("is asked within the caller's time", function()
    r:fault { match = { path = "/machineactions" }, fault = "stall", count = false }
    local before = r.tenant.clock.now()
    assert.is_nil((r.client:state(laptop, { timeout = 15 })))
    assert.is_true(r.tenant.clock.now() - before <= 15.001)
  end)
end)
