-- One list of all actions for the devices of an each, or of many calls one behind the other.
-- Labels: not-lua5.3, caseless

local rehearsal = require "tests.spec.support.rehearsal"

local function id(number)
  return ("%040x"):format(0xa0000 + number)
end

-- A tenant with so many laptops, and their machine tables.
local function many(count, options)
  options = options or {}
  options.machines = {}
  for i = 1, count do
    options.machines[i] = { id = id(i), computerDnsName = ("desk-%d.corp.example"):format(i) }
  end
  options.client = options.client or { cap = false }
  options.limits = false
  local r = rehearsal.new(options)
  local machines = {}
  for machine in r.client:machines "all" do machines[#machines + 1] = machine end
  assert.equal(count, #machines)
  table.sort(machines, function(a, b) return a.id < b.id end)
  r.before = #r:requests()
  return r, machines
end

-- What was asked since the machines were read: how many lists of all devices, of one device (of this one, if one is
-- named), and POSTs.
local function asked(r, machine_id)
  local count = { listings = 0, single = 0, posts = 0, others = 0 }
  for i, request in ipairs(r:requests()) do
    local kind = request:find "^POST" and "posts" or request:find("/machineactions?$filter=machineId", 1, true)
      and "single" or request:find("/machineactions?$filter=", 1, true) and "listings" or "others"
    local meant = not machine_id or kind ~= "single" or request:find(machine_id, 1, true)
    if i > r.before and meant then count[kind] = count[kind] + 1 end
  end
  return count
end

local function listings(r)
  local list = {}
  for _, request in ipairs(r:requests()) do
    if request:find("/machineactions?$filter=", 1, true) and not request:find("machineId", 1, true) then
      list[#list + 1] = request
    end
  end
  return list
end

for _, kind in ipairs { "several things at once", "one thing at a time" } do
  local sequential = kind == "one thing at a time"

  local function new(count, options)
    options = options or {}
    options.sequential = sequential
    return many(count, options)
  end

  describe("the listing of an each, with a driver that does " .. kind, function()
    local r, machines

    local function restrict(machine) return r.client:restrict(machine, "why") end
    local function release(machine) return r.client:release(machine, "why") end

    it("serves 500 devices: 500 POSTs and one list", function()
      r, machines = new(500)
      local results = r.client:each(machines, restrict)
      assert.equal(0, results.failed)
      for i, result in ipairs(results) do
        assert.equal(machines[i], result.item)
        assert.equal(id(i), result.value.machineId)
        assert.equal("accepted", result.value.outcome)
        assert.is_true(result.value.looked)
      end
      assert.same({ listings = 1, single = 0, posts = 500, others = 0 }, asked(r))
    end)

    it("says what a look at each device would have said", function()
      r, machines = new(7)
      r:past(id(1), "restrict", "Succeeded", 100)
      r:past(id(2), "restrict", "Pending", 100)
      r:past(id(3), "restrict", "Failed", 100)
      r:past(id(4), "restrict", "Succeeded", 200)
      r:past(id(4), "release", "Succeeded", 100)
      r:past(id(5):upper(), "restrict", "Succeeded", 100)
      r:past(id(6), "restrict", "Pending", 100, { type = "Isolate" })
      local outcomes = {}
      for i, result in ipairs(r.client:each(machines, restrict)) do outcomes[i] = result.value.outcome end
      assert.same({ "already_active", "already_active", "accepted", "accepted", "already_active", "accepted",
        "accepted" }, outcomes)
      assert.same({ listings = 1, single = 0, posts = 4, others = 0 }, asked(r))
    end)

    it("is extended once a minute, from the oldest that was pending, less a margin", function()
      r, machines = new(20)
      local start = r.tenant.clock.now()
      r:past(id(20), "restrict", "Pending", 5000)
      r:past(id(19), "release", "Succeeded", 1000)
      r:past(id(18), "restrict", "Pending", 90000, { type = "Isolate" })
      r.client:each(machines, function(machine)
        assert(r.client:state(machines[18]))
        restrict(machine)
        r.driver.sleep(10)
      end, { parallel = 1 })
      local lists = listings(r)
      assert.equal(4, #lists)
      assert.is_nil(lists[1]:find("creationDateTimeUtc", 1, true))
      local since = lists[2]:match "creationDateTimeUtc%%20ge%%20(%d+%-%d+%-%d+T%d+%%3A%d+%%3A%d+Z)"
      since = require("mde.core").timestamp.read((since:gsub("%%3A", ":")))
      assert.is_true(since <= start - 5060 and since >= start - 6000, "it reaches back " .. start - since)
      -- The one that was pending is already active; all others are sent.
      assert.equal(19, asked(r).posts)
    end)

    it("sees after a minute what others did, and how what was pending ended", function()
      r, machines = new(3)
      local pending = r:past(id(1), "restrict", "Pending", 5000)
      local outcomes = {}
      r.client:each({ 3, 1, 2 }, function(i)
        if i == 1 then
          r:past(id(2), "restrict", "Succeeded", 0)
          pending.status = "Failed"
        end
        r.driver.sleep(i == 3 and 0 or 61)
        outcomes[i] = assert(restrict(machines[i])).outcome
      end, { parallel = 1 })
      assert.same({ "accepted", "already_active", "accepted" }, outcomes)
      assert.equal(3, #listings(r))
      assert.equal(0, asked(r).single)
    end)

    it("does not unlearn an end because a list lags behind", function()
      r, machines = new(2)
      local pending = r:past(id(1), "release", "Pending", 100)
      local outcomes = {}
      r.client:each({ 1, 2, 3 }, function(i)
        if i == 2 then assert(r.client:cancel(pending.id, "not yet")) end
        if i == 3 then
          r:answer({ path = "/machineactions?$filter=" }, 200, { value = { { id = pending.id, status = "Pending",
            type = "UnrestrictCodeExecution", machineId = id(1),
            creationDateTimeUtc = pending.creationDateTimeUtc } } })
          r.driver.sleep(61)
        end
        if i ~= 2 then outcomes[#outcomes + 1] = assert(release(machines[1])).outcome end
      end, { parallel = 1 })
      assert.same({ "already_active", "accepted" }, outcomes)
      assert.equal(0, asked(r).single)
    end)

    it("knows at once what was done through it, and hands everybody his own copy", function()
      r, machines = new(1)
      local results = r.client:each({ machines[1], machines[1], machines[1] }, restrict)
      local outcomes = {}
      for _, result in ipairs(results) do
        outcomes[result.value.outcome] = (outcomes[result.value.outcome] or 0) + 1
        assert.equal(results[1].value.id, result.value.id)
      end
      assert.same({ accepted = 1, already_active = 2 }, outcomes)
      for i = 1, 3 do
        local action, next_one = results[i].value, results[i % 3 + 1].value
        assert.not_equal(action, next_one)
        assert.equal(action.outcome == "accepted" and 1 or nil, action.attempts)
        action.status = "Failed"
        assert.is_true(i == 3 or next_one.status == "Pending")
      end
      assert.same({ listings = 1, single = 0, posts = 1, others = 0 }, asked(r))
    end)

    it("knows what this client itself just sent, though the service's lists lag behind", function()
      r, machines = new(2, { lists = { lag = 1000 }, duplicates = "new" })
      r.tenant:put_machine { id = id(1), offline = true }
      local sent = {}
      for i = 1, 2 do sent[i] = assert(restrict(machines[i])) end
      local results = r.client:each({ function() return release(machines[1]) end,
        function() return restrict(machines[2]) end }, function(call) return call() end)
      assert.equal("accepted", results[1].value.outcome)
      assert.equal("Cancelled", r.tenant:find_action(sent[1].id).status)
      assert.equal("already_active", results[2].value.outcome)
      assert.equal(sent[2].id, results[2].value.id)
      assert.same({ "restrictCodeExecution", "restrictCodeExecution", "cancel", "unrestrictCodeExecution" }, r:posts())
    end)

    for _, lag in ipairs { 0, 1000 } do
      it(("knows what on_progress did, where lists lag %d seconds"):format(lag), function()
        r, machines = new(2, { lists = { lag = lag } })
        local released
        local results = r.client:each({ 1, 2, 1 }, function(i)
          if i == 2 then r.driver.sleep(20) end
          local action, err = restrict(machines[i])
          if action then assert(action:wait()) end
          return action, err
        end, { parallel = 1, on_progress = function(done, _, result)
          if done > 1 then return end
          released = assert(release(machines[1]))
          assert(released:wait())
          assert.equal("accepted", result.value.outcome)
        end })
        assert.equal("accepted", released.outcome)
        assert.equal("accepted", results[3].value.outcome)
        assert.equal("restricted", (r.client:state(machines[1])))
      end)
    end

    it("knows what was read through it: an action that failed is sent again at once", function()
      r, machines = new(2)
      for i = 1, 2 do r.tenant:put_machine { id = id(i), failing = true } end
      local results = r.client:each({ machines[1] }, function(machine)
        local first = assert(restrict(machine))
        assert.equal("failed", select(2, first:wait { timeout = 20 }).kind)
        local second, other = assert(restrict(machine)), assert(restrict(machines[2]))
        assert.equal(2, r.client:wait({ second, other }, { timeout = 20 }).failed)
        return assert(restrict(machine)).outcome .. " " .. assert(restrict(machines[2])).outcome
      end)
      assert.equal("accepted accepted", results[1].value)
      assert.equal(5, asked(r).posts)
    end)

    it("reads anew what stands in the way, and so does not cancel what has ended", function()
      r, machines = new(2)
      local ended = r:past(id(2), "restrict", "Pending", 100)
      r:past(id(1), "restrict", "Succeeded", 100)
      local results = r.client:each(machines, function(machine)
        local action = release(machine)
        ended.status, ended.lastUpdateDateTimeUtc = "Succeeded", rehearsal.time(r.tenant.clock.now())
        return action
      end, { parallel = 1 })
      assert.equal(0, results.failed)
      assert.equal("accepted", results[2].value.outcome)
      assert.equal(0, r:count "action_cancelled")
      assert.same({ listings = 1, single = 1, posts = 2, others = 0 }, asked(r))
    end)

    it("cancels what is still in the way, then looks anew", function()
      r, machines = new(1)
      r:past(id(1), "restrict", "Pending", 100)
      r:past(id(1), "restrict", "Pending", 50)
      local results = r.client:each(machines, release)
      assert.equal("accepted", results[1].value.outcome)
      assert.equal(2, r:count "action_cancelled")
      assert.equal(3, asked(r).single)
    end)

    it("tells of a conflict only if it is one now", function()
      r, machines = new(2)
      r:past(id(1), "release", "Pending", 100)
      r:past(id(2), "release", "Pending", 100)
      local results = r.client:each(machines, restrict)
      for _, result in ipairs(results) do assert.equal("conflict", result.err.kind) end
      assert.same({ listings = 1, single = 2, posts = 0, others = 0 }, asked(r))
    end)

    it("is not asked about a key", function()
      r, machines = new(2)
      local results = r.client:each(machines, function(machine)
        return r.client:restrict(machine, "why", { key = "alert-4711" })
      end)
      assert.equal(0, results.failed)
      assert.same({ listings = 0, single = 2, posts = 2, others = 0 }, asked(r))
    end)

    it("is not asked again about a device whose state nobody knows", function()
      r, machines = new(2)
      r:fault { match = { method = "POST", path = id(1) }, fault = "gone" }
      r:answer({ path = "/machineactions?", nth = 2 }, 403, "", { count = 2 })
      local results = r.client:each({ 1, 2, 1, 2 }, function(i) return restrict(machines[i]) end, { parallel = 1 })
      assert.equal("unknown", results[1].err.kind)
      assert.equal("accepted", results[2].value.outcome)
      assert.equal("already_active", results[3].value.outcome)
      assert.equal("already_active", results[4].value.outcome)
      assert.same({ listings = 2, single = 2, posts = 2, others = 0 }, asked(r))
    end)

    it("is read anew, once for all whose answers were lost at the same time", function()
      r, machines = new(8)
      r:fault { match = { method = "POST" }, fault = "gone", count = false }
      local results = r.client:each(machines, restrict, { parallel = 8 })
      assert.equal(0, results.failed)
      for i = 1, 8 do
        assert.equal("accepted", results[i].value.outcome)
        assert.is_true(results[i].value.reconciled)
      end
      local counts = asked(r)
      assert.equal(0, counts.single)
      assert.equal(8, counts.posts)
      assert.is_true(counts.listings <= (sequential and 9 or 3), ("%d listings"):format(counts.listings))
    end)

    it("attributes no action that does not say whose it is", function()
      r, machines = new(3)
      r:past(id(1), "restrict", "Pending", 10, { machineId = rehearsal.null })
      r:past(id(1), "release", "Pending", 10, { machineId = rehearsal.null })
      local results = r.client:each(machines, restrict)
      for i = 1, 3 do assert.equal("accepted", results[i].value.outcome) end
    end)

    it("gives way to a look at the device where it cannot be read, and is not tried again within a minute", function()
      r, machines = new(10)
      r:past(id(4), "restrict", "Succeeded", 100)
      r:answer({ path = "/machineactions?$filter=type" }, 400, { error = { code = "ODataError", message = "no" } },
        { count = false })
      local results = r.client:each(machines, restrict)
      assert.equal(0, results.failed)
      assert.equal("already_active", results[4].value.outcome)
      for _, result in ipairs(results) do assert.is_true(result.value.looked) end
      assert.same({ listings = 1, single = 10, posts = 9, others = 0 }, asked(r))
    end)

    it("and if that cannot be read either, the POST goes out", function()
      r, machines = new(3)
      r:answer({ path = "/machineactions?$filter=" }, 403, { error = { code = "Forbidden", message = "no" } },
        { count = false })
      local results = r.client:each(machines, restrict)
      assert.equal(0, results.failed)
      for _, result in ipairs(results) do assert.is_false(result.value.looked) end
      assert.equal(3, asked(r).posts)
    end)

    it("is not used outside: a single call looks at its device", function()
      r, machines = new(3)
      r.client:each({ machines[1] }, restrict)
      assert(restrict(machines[2]))
      assert.same({ listings = 1, single = 1, posts = 2, others = 0 }, asked(r))
      assert.is_nil(next(r.client.tasks.caches))
    end)

    it("is not used in a coroutine of the user's own", function()
      r, machines = new(1)
      r.client:each(machines, function(machine)
        assert(coroutine.wrap(function() return restrict(machine) end)())
      end)
      assert.same({ listings = 0, single = 1, posts = 1, others = 0 }, asked(r))
    end)

    it("is left behind by what raises", function()
      r, machines = new(2)
      local results = r.client:each(machines, function(machine)
        restrict(machine)
        error("raised", 0)
      end)
      assert.equal("raised", results[1].err)
      assert.is_nil(next(r.client.tasks.caches))
    end)

    it("is the same one for an each inside of it and for the next, and is extended after a minute", function()
      r, machines = new(12)
      r:past(machines[12].id, "release", "Succeeded", 100)
      r.client:each({ 0, 4, 8 }, function(offset)
        return r.client:each({ 1, 2, 3, 4 }, function(i) return restrict(machines[offset + i]) end)
      end)
      assert.same({ listings = 1, single = 0, posts = 12, others = 0 }, asked(r))
      r.client:each({ machines[1] }, restrict)
      assert.equal(1, asked(r).listings)
      r.driver.sleep(61)
      r.client:each({ machines[1] }, restrict)
      assert.equal(2, asked(r).listings)
      assert.matches("creationDateTimeUtc", listings(r)[2], 1, true)
    end)

    it("serves calls one behind the other from the third within a minute on", function()
      r, machines = new(50)
      for _, machine in ipairs(machines) do assert(restrict(machine)) end
      assert.same({ listings = 1, single = 2, posts = 50, others = 0 }, asked(r))
    end)

    it("does not tell a single call that an action is pending, which may have failed since", function()
      r, machines = new(4)
      for _, machine in ipairs(machines) do assert(restrict(machine)) end
      assert.same({ listings = 1, single = 2, posts = 4, others = 0 }, asked(r))
      for _, machine in ipairs(machines) do assert.equal("already_active", assert(restrict(machine)).outcome) end
      assert.same({ listings = 1, single = 6, posts = 4, others = 0 }, asked(r))
    end)

    it("is not read for calls now and then", function()
      r, machines = new(6)
      for _, machine in ipairs(machines) do
        assert(restrict(machine))
        r.driver.sleep(31)
      end
      assert.same({ listings = 0, single = 6, posts = 6, others = 0 }, asked(r))
    end)

    it("tells nothing that stands against a call: that is read by itself", function()
      r, machines = new(6)
      for i = 1, 4 do assert(restrict(machines[i])) end
      r:past(machines[5].id, "release", "Pending", 10)
      r.driver.sleep(61)
      for i = 1, 2 do assert(restrict(machines[i])) end
      local before = asked(r).single
      local _, err = restrict(machines[5])
      assert.equal("conflict", err.kind)
      assert.equal(before + 1, asked(r).single)
    end)

    it("is forgotten where nobody has asked for it for a quarter of an hour", function()
      r, machines = new(3)
      r:past(machines[3].id, "release", "Succeeded", 100)
      r.client:each(machines, restrict)
      r.driver.sleep(1000)
      assert.is_truthy(next(r.client.action_center.cache.known))
      r.client:each({ machines[1] }, restrict)
      assert.not_matches("creationDateTimeUtc", listings(r)[2], 1, true)
    end)

    it("is not another client's", function()
      r, machines = new(2)
      local options = { tenant_id = r.tenant.tenant_id, client_id = r.tenant.client_id,
        credential = r.tenant.client_secret, driver = r.driver }
      local other = require("mde.client").new(options)
      r.client:each(machines, function(machine) return other:release(machine, "why") end)
      assert.same({ listings = 0, single = 2, posts = 2, others = 0 }, asked(r))
    end)
  end)
end

describe("the listing of an each", function()
  it("is read once for all who wait, however long that takes", function()
    local r, machines = many(100, { latency = 4 })
    local results = r.client:each(machines, function(machine) return r.client:restrict(machine, "why") end,
      { parallel = 100 })
    assert.equal(0, results.failed)
    assert.same({ listings = 1, single = 0, posts = 100, others = 0 }, asked(r))
  end)

  it("is not waited for longer than half of the time for a look", function()
    local r, machines = many(3)
    r:fault { match = { path = "/machineactions?$filter=type" }, fault = "stall", count = false }
    local start = r.tenant.clock.now()
    local results = r.client:each(machines, function(machine) return r.client:restrict(machine, "why") end)
    assert.equal(0, results.failed)
    for _, result in ipairs(results) do assert.is_true(result.value.looked) end
    assert.equal(3, asked(r).single)
    assert.is_true(r.tenant.clock.now() - start >= 15)
  end)

  it("is nobody's own: it goes on when the time of the one who asked first is up", function()
    local r, machines = many(2, { latency = 3 })
    local results = r.client:each({ 1, 2 }, function(i)
      if i == 2 then r.driver.sleep(0.1) end
      return r.client:restrict(machines[i], "why", { timeout = i == 1 and 8 or nil })
    end)
    assert.is_false(results[1].value.looked)
    assert.is_true(results[2].value.looked)
    assert.same({ listings = 1, single = 0, posts = 2, others = 0 }, asked(r, machines[2].id))
  end)

  it("knows what another task of the same client did while the each runs", function()
    for _, lag in ipairs { 0, 1000 } do
      local r, machines = many(2, { lists = { lag = lag } })
      r.driver.spawn(function()
        r.driver.sleep(10)
        assert(assert(r.client:release(machines[1], "cleared")):wait())
      end)
      local results = r.client:each({ 1, 2, 1 }, function(i)
        if i == 2 then r.driver.sleep(30) end
        local action, err = r.client:restrict(machines[i], "why")
        if action then assert(action:wait()) end
        return action, err
      end, { parallel = 1 })
      for i = 1, 3 do assert.equal("accepted", results[i].value.outcome) end
      assert.equal("restricted", (r.client:state(machines[1])))
    end
  end)

  it("does not reach beside the each: another task looks for itself", function()
    local r, machines = many(3, { latency = 1 })
    local done
    r.client:each({ 1, 2 }, function(i)
      if i == 1 then
        local gate = r.driver.gate()
        r.driver.spawn(function()
          done = r.client:restrict(machines[3], "why")
          gate:open()
        end)
        gate:wait()
      end
      return r.client:restrict(machines[i], "why")
    end)
    assert.equal("accepted", done.outcome)
    assert.same({ listings = 1, single = 1, posts = 3, others = 0 }, asked(r))
  end)
end)
