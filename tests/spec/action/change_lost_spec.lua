-- A restrict or release whose answer is lost, or whose history cannot be read: it is never done twice, never passes the
-- cap, and nobody is told what is not so. Each of these was seen to go wrong.
-- Labels: not-lua5.3

local rehearsal = require "tests.spec.support.rehearsal"

local machine = "1f00000000000000000000000000000000000017"
local DAY, YEAR = 86400, 365 * 86400

local path_of = { restrict = "restrictCodeExecution", release = "unrestrictCodeExecution" }
local opposite_of = { restrict = "release", release = "restrict" }
local type_of = { restrict = "RestrictCodeExecution", release = "UnrestrictCodeExecution" }
local verbs = { "restrict", "release" }

local function desk(n) return ("%040x"):format(0xd000 + n) end

local function new(options)
  local all = { unguarded = true, delays = { pending = 0.2, running = 0.2 } }
  for name, value in pairs(options or {}) do all[name] = value end
  return rehearsal.new(all)
end

local function lose(r, verb, processed)
  r:fault { match = { method = "POST", path = path_of[verb] }, fault = processed and "gone" or "reset" }
end

local function own_actions(r, verb, machine_id)
  local count = 0
  for _, action in ipairs(r.tenant.actions) do
    local is_of_machine = machine_id == nil or action.machineId == machine_id
    if is_of_machine and action.type == type_of[verb] and action.requestor == "mde" then count = count + 1 end
  end
  return count
end

-- Acts on one machine, by itself or as the only one of an each.
local function act(r, how, verb, options)
  if how == "a single call" then return r.client[verb](r.client, machine, "why", options) end
  local results = r.client:each({ machine }, function(id) return r.client[verb](r.client, id, "why", options) end)
  return results[1].value, results[1].err
end

-- Changes the text of each list of actions before the client reads it.
local function rewrite_lists(r, rewrite)
  local send = r.driver.send
  function r.driver.send(request)
    local response, message, maybe_sent, code = send(request)
    if response and request.method == "GET" and request.url:find("/api/machineactions", 1, true) then
      response.body = rewrite(response.body)
    end
    return response, message, maybe_sent, code
  end
end

-- The same list, with no word of whose its actions are.
local function without_machines(body)
  return (body:gsub('"machineId":"[^"]*",', ""):gsub(',"machineId":"[^"]*"', ""))
end

describe("a service whose Date is off", function()
  for _, by in ipairs { -DAY, -600, 61, 600, DAY, 20 * YEAR } do
    for _, verb in ipairs(verbs) do
      for _, key in ipairs { false, "alert-12345678" } do
        local how = key and ", under a key" or ""
        it(("by %d s does not make a lost %s happen twice%s"):format(by, verb, how), function()
          local r = new { duplicates = "new" }
          lose(r, verb, true)
          r:fault { match = {}, fault = "skew", by = by, count = false }
          local action = assert(r.client[verb](r.client, machine, "why", { key = key or nil }))
          assert.equal("accepted", action.outcome)
          assert.equal(1, action.attempts)
          assert.is_true(action.reconciled)
          assert.equal(1, own_actions(r, verb))
        end)
      end
    end

    it(("by %d s does not let more than the cap pass"):format(by), function()
      local machines = {}
      for i = 1, 40 do machines[i] = { id = desk(i), computerDnsName = ("desk-%02d.corp.example"):format(i) } end
      local r = rehearsal.new { machines = machines }
      r:fault { match = {}, fault = "skew", by = by, count = false }
      local sent, refused = 0, 0
      for run = 0, 3 do
        local one_shot = assert(require("mde.client").new { tenant_id = r.tenant.tenant_id,
          client_id = r.tenant.client_id, credential = r.tenant.client_secret, driver = r.driver })
        for i = run * 10 + 1, run * 10 + 10 do
          local action, err = one_shot:restrict(desk(i), "why")
          if action then sent = sent + 1 end
          if err and err.rule == "cap" then refused = refused + 1 end
        end
      end
      assert.equal(25, sent)
      assert.equal(15, refused)
    end)
  end
end)

describe("in an each", function()
  for _, verb in ipairs(verbs) do
    for _, ahead in ipairs { 250, 700, YEAR } do
      it(("another machine's action that is %d s ahead makes no lost %s happen twice"):format(ahead, verb), function()
        local r = new { duplicates = "new", machines = {
          { id = desk(1), computerDnsName = "desk-01.corp.example" },
          { id = desk(2), computerDnsName = "desk-02.corp.example" },
          { id = desk(3), computerDnsName = "desk-03.corp.example" },
        } }
        r:past(desk(3), "restrict", "Succeeded", -ahead)
        lose(r, verb, true)
        local results = r.client:each({ desk(1), desk(2) }, function(id)
          return r.client[verb](r.client, id, "why")
        end, { parallel = 1 })
        assert.equal(0, results.failed)
        assert.is_true(results[1].value.reconciled)
        for i = 1, 2 do
          assert.equal("accepted", results[i].value.outcome)
          assert.equal(1, results[i].value.attempts)
          assert.equal(1, own_actions(r, verb, desk(i)))
        end
      end)
    end

    for what, field in pairs { ["no time"] = "", ["a time of null"] = ',"creationDateTimeUtc":null' } do
      it(("an action with %s is found if its answer was lost: %s"):format(what, verb), function()
        local r = new { duplicates = "new", machines = { { id = machine, computerDnsName = "laptop.corp.example" },
          { id = desk(1), computerDnsName = "desk-01.corp.example" } } }
        r:past(desk(1), "restrict", "Succeeded", 1000)
        lose(r, verb, true)
        local send = r.driver.send
        function r.driver.send(request)
          local response, message, maybe_sent, code = send(request)
          for _, action in ipairs(r.tenant.actions) do
            if action.machineId == machine then action.creationDateTimeUtc = nil end
          end
          return response, message, maybe_sent, code
        end
        rewrite_lists(r, function(body) return (body:gsub('"machineId":"' .. machine .. '"', "%0" .. field)) end)
        local action = assert(act(r, "an each", verb))
        assert.equal("accepted", action.outcome)
        assert.is_true(action.reconciled)
        assert.equal(1, own_actions(r, verb))
      end)
    end
  end
end)

describe("where no listed action says whose it is,", function()
  for _, how in ipairs { "a single call", "an each" } do
    for _, verb in ipairs(verbs) do
      it(("%s does no lost %s twice"):format(how, verb), function()
        local r = new { duplicates = "new" }
        rewrite_lists(r, without_machines)
        lose(r, verb, true)
        local action = assert(act(r, how, verb))
        assert.equal("accepted", action.outcome)
        assert.is_true(action.reconciled)
        assert.equal(1, own_actions(r, verb))
      end)

      it(("%s sees a pending %s before a %s"):format(how, opposite_of[verb], verb), function()
        local r = new()
        rewrite_lists(r, without_machines)
        local opposite = r:past(machine, opposite_of[verb], "Pending", 5)
        local action, err = act(r, how, verb, { cancel_opposite = false })
        assert.is_nil(action)
        assert.equal("conflict", err.kind)
        assert.equal(opposite.id, err.action.id)
        assert.same({}, r:posts())
      end)
    end
  end
end)

describe("an action of nobody knows which machine", function()
  for _, verb in ipairs(verbs) do
    it(("is not forgotten when an each reads on: a pending %s before a %s"):format(opposite_of[verb], verb), function()
      local r = new { machines = { { id = machine, computerDnsName = "laptop.corp.example" },
        { id = desk(1), computerDnsName = "desk-01.corp.example" },
        { id = desk(2), computerDnsName = "desk-02.corp.example" } } }
      local opposite = r:past(machine, opposite_of[verb], "Pending", 3600)
      r:past(desk(2), verb, "Succeeded", 10)
      rewrite_lists(r, function(body) return (body:gsub('"machineId":"' .. machine .. '",', "")) end)
      local results = r.client:each({ desk(1), machine }, function(id)
        if id == machine then r.driver.sleep(100) end
        return r.client[verb](r.client, id, "why", { cancel_opposite = false })
      end, { parallel = 1 })
      assert.equal("accepted", results[1].value.outcome)
      assert.is_nil(results[2].value)
      assert.equal("conflict", results[2].err.kind)
      assert.equal(opposite.id, results[2].err.action.id)
      assert.equal(0, own_actions(r, verb, machine))
    end)
  end
end)

describe("what a colleague decided since", function()
  -- What was done after the lost send, the oldest first: whether it is the same or the opposite, its status, and
  -- whether it says when; and which of them counts.
  local cases = {
    ["the opposite, pending"] = { { { "opposite", "Pending" } }, 1 },
    ["the opposite, done"] = { { { "opposite", "Succeeded" } }, 1 },
    ["the opposite, failed"] = { { { "opposite", "Failed" } }, 1 },
    ["the opposite, timed out"] = { { { "opposite", "TimeOut" } }, 1 },
    ["the same, cancelled"] = { { { "same", "Cancelled" } }, 1 },
    ["the opposite, behind one that was cancelled"] = { { { "opposite", "Succeeded" }, { "opposite", "Cancelled" } },
      1 },
    ["the opposite, behind one of the same that failed"] = { { { "opposite", "Succeeded" }, { "same", "Failed" } }, 1 },
    ["the opposite, failed, behind the same"] = { { { "same", "Succeeded" }, { "opposite", "Failed" } }, 2 },
    ["the newest of two"] = { { { "opposite", "Succeeded" }, { "opposite", "Failed" } }, 2 },
    ["a cancellation behind the opposite"] = { { { "opposite", "Failed" }, { "same", "Cancelled" } }, 2 },
    ["the opposite, beside one of the same without a time"] = { { { "same", "Succeeded", true },
      { "opposite", "Succeeded" } }, 2 },
    ["the opposite, beside a pending one of the same without a time"] = { { { "opposite", "Succeeded" },
      { "same", "Pending", true } }, 1 },
    ["a cancellation, beside one of the same without a time"] = { { { "same", "Succeeded", true },
      { "same", "Cancelled" } }, 2 },
  }
  for what, case in pairs(cases) do
    for _, verb in ipairs(verbs) do
      it(("stops a lost %s: %s"):format(verb, what), function()
        local r = new()
        lose(r, verb, false)
        local made = {}
        r.driver.spawn(function()
          r.driver.sleep(1)
          for i, of in ipairs(case[1]) do
            made[i] = r:past(machine, of[1] == "same" and verb or opposite_of[verb], of[2], (#case[1] - i) / 10,
              { requestor = ("colleague-%d@corp.example"):format(i), requestorComment = "all clear" })
            if of[3] then made[i].creationDateTimeUtc, made[i].lastUpdateDateTimeUtc = nil, nil end
          end
        end)
        local action, err = r.client[verb](r.client, machine, "why")
        assert.is_nil(action)
        assert.equal("superseded", err.kind)
        assert.equal(made[case[2]].id, err.action.id)
        local how = made[case[2]].status == "Cancelled" and "was cancelled" or "has overtaken it"
        assert.matches(("it was sent and its answer was lost, and .*%s by colleague%%-%d@"):format(how, case[2]),
          err.message)
        assert.equal(0, own_actions(r, verb))
      end)
    end
  end

  it("is nothing if it was the opposite and that was cancelled", function()
    for _, verb in ipairs(verbs) do
      local r = new()
      lose(r, verb, false)
      r.driver.spawn(function()
        r.driver.sleep(1)
        r:past(machine, opposite_of[verb], "Cancelled", 0)
      end)
      assert.equal("accepted", assert(r.client[verb](r.client, machine, "why")).outcome)
      assert.equal(1, own_actions(r, verb))
    end
  end)
end)

describe("a colleague's comment", function()
  local ours = "beacon to known C2"

  -- What a restrict returns whose answer is lost, where a colleague restricts a moment later.
  local function meet(comment, processed)
    local r = new { duplicates = "new" }
    lose(r, "restrict", processed)
    r.driver.spawn(function()
      r.driver.sleep(1)
      r:past(machine, "restrict", "Succeeded", 0, { requestorComment = comment })
    end)
    return r, assert(r.client:restrict(machine, ours, { key = "alert-4711" }))
  end

  for _, comment in ipairs { "b", "beacon", "beacon to known", ours .. ".", ours .. " [mde:alert-47]",
    ours .. " [mde:alert-471]", ours .. " [mde:alert-47110]", ours .. " [mde:alert-4711] too",
    "Beacon to known C2 [mde:" } do
    it(("is not taken for ours: %q"):format(comment), function()
      local r, action = meet(comment, false)
      assert.equal("accepted", action.outcome)
      assert.equal("mde", action.requestor)
      assert.is_nil(action.comment_cut)
      assert.equal(2, action.attempts)
      assert.equal(1, own_actions(r, "restrict"))
    end)
  end

  it("does not hide ours", function()
    local r, action = meet("beacon", true)
    assert.equal("mde", action.requestor)
    assert.is_true(action.reconciled)
    assert.equal(1, own_actions(r, "restrict"))
  end)

  it("of sixteen bytes that begin ours is ours, cut", function()
    local r, action = meet("beacon to known ", false)
    assert.is_true(action.comment_cut)
    assert.is_true(action.reconciled)
    assert.equal(0, own_actions(r, "restrict"))
  end)

  for _, comment in ipairs { "why [mde:alert-47", "why [mde:alert-471]", "why [mde:alert-47110]", "why [mde:alert-4711",
    "why [mde:ALERT-4711]", "why [mde:alert-4711] too", "why alert-4711" } do
    it(("uses up no key: %q"):format(comment), function()
      local r = new()
      r:past(machine, "restrict", "Succeeded", 200, { requestorComment = comment })
      r:past(machine, "release", "Succeeded", 100)
      assert.equal("accepted", assert(r.client:restrict(machine, "why", { key = "alert-4711" })).outcome)
      assert.equal(1, own_actions(r, "restrict"))
    end)
  end
end)

describe("what the first look has seen", function()
  for _, verb in ipairs(verbs) do
    for _, ago in ipairs { 2, 30, 59 } do
      it(("is no newer decision: the opposite %d s before a lost %s"):format(ago, verb), function()
        local r = new()
        r:past(machine, opposite_of[verb], "Succeeded", ago)
        lose(r, verb, false)
        local action = assert(r.client[verb](r.client, machine, "why"))
        assert.equal("accepted", action.outcome)
        assert.equal(2, action.attempts)
        assert.equal(1, own_actions(r, verb))
      end)
    end

    it("is told from what came since by its id, whatever the clocks say: " .. verb, function()
      local r = new()
      lose(r, verb, false)
      local now = r.tenant.clock.now()
      r.driver.spawn(function()
        r.driver.sleep(1)
        r:past(machine, opposite_of[verb], "Succeeded", 0, { creationDateTimeUtc = rehearsal.time(now - 3600),
          lastUpdateDateTimeUtc = rehearsal.time(now - 3599), requestor = "colleague@corp.example" })
      end)
      local action, err = r.client[verb](r.client, machine, "why")
      assert.is_nil(action)
      assert.equal("superseded", err.kind)
      assert.equal("colleague@corp.example", err.action.requestor)
      assert.equal(0, own_actions(r, verb))
    end)

    for _, since in ipairs { -30, 30 } do
      it(("is not known unlooked: the opposite %d s after a lost %s is in doubt"):format(since, verb), function()
        local r = new()
        r:past(machine, opposite_of[verb], "Succeeded", -since)
        lose(r, verb, false)
        local action, err = r.client[verb](r.client, machine, "why", { look = false })
        assert.is_nil(action)
        assert.equal("unknown", err.kind)
        assert.matches("cannot be told", err.message, 1, true)
        assert.equal(0, own_actions(r, verb))
      end)
    end
  end
end)

describe("a history that cannot be read", function()
  local function unreadable(options)
    local r = new(options)
    r:answer({ method = "GET", path = "/machineactions" }, 500, "", { count = false })
    return r
  end

  it("lets a restrict through, unseen", function()
    local action = assert(unreadable().client:restrict(machine, "why"))
    assert.equal("accepted", action.outcome)
    assert.is_false(action.looked)
  end)

  it("does not let a key be used twice", function()
    local r = unreadable()
    for _ = 1, 2 do
      local action, err = r.client:restrict(machine, "why", { key = "alert-4711" })
      assert.is_nil(action)
      assert.equal("unavailable", err.kind)
      assert.equal(500, err.http_status)
      assert.matches("history could not be read", err.message, 1, true)
      assert.matches("without a key, look = false", err.hint, 1, true)
    end
    assert.equal(0, #r.tenant.actions)
  end)

  it("stops a release, which look = false sends all the same", function()
    local r = unreadable()
    local action, err = r.client:release(machine, "why")
    assert.is_nil(action)
    assert.equal("unavailable", err.kind)
    assert.matches("look = false (--no-look)", err.hint, 1, true)
    assert.same({}, r:posts())
    assert.equal("accepted", assert(r.client:release(machine, "why", { look = false })).outcome)
  end)

  it("does not let a restrict through that cannot be counted", function()
    local r = rehearsal.new {}
    r:answer({ method = "GET", path = "/machineactions" }, 500, "", { count = false })
    local action, err = r.client:restrict(machine, "why")
    assert.is_nil(action)
    assert.equal("cap", err.rule)
    assert.same({}, r:posts())
  end)

  it("tells a sign-in that failed as that", function()
    local r = new { client = { credential = "not the right one" } }
    local action, err = r.client:release(machine, "why")
    assert.is_nil(action)
    assert.equal("auth", err.kind)
  end)

  it("is not to be skipped under a key", function()
    local err = rehearsal.refused(new().client.restrict, new().client, machine, "why",
      { key = "alert-4711", look = false })
    assert.matches("a key needs a look", err.message, 1, true)
  end)
end)

describe("HTTP 408", function()
  for _, verb in ipairs(verbs) do
    it("after the service has acted does not make it act twice: " .. verb, function()
      local r = new { duplicates = "new" }
      r:answer({ method = "POST", path = path_of[verb] }, 408, "", { processed = true })
      local action = assert(r.client[verb](r.client, machine, "why"))
      assert.equal("accepted", action.outcome)
      assert.is_true(action.reconciled)
      assert.equal(1, action.attempts)
      assert.equal(1, own_actions(r, verb))
    end)
  end
end)

describe("a send again that is answered with 'active already'", function()
  for _, duplicates in ipairs { "active_request", "in_progress" } do
    it("is known as ours once the list shows it: " .. duplicates, function()
      local r = rehearsal.new { unguarded = true, duplicates = duplicates, lists = { lag = 9 },
        delays = { pending = 60, running = 60 } }
      lose(r, "restrict", true)
      local action = assert(r.client:restrict(machine, "why"))
      assert.equal("accepted", action.outcome)
      assert.is_true(action.reconciled)
      assert.equal(2, action.attempts)
      assert.equal(1, own_actions(r, "restrict"))
    end)
  end
end)
