-- A restrict or release that waits an hour for the service's limits, while the world changes: what it rests on is read
-- again right before it leaves, and its caller is told what happened meanwhile.
-- Labels: not-lua5.3

local rehearsal = require "tests.spec.support.rehearsal"

local HOUR = 3600
-- What the service allows in an hour, of each of its APIs.
local PER_HOUR = 10
-- Costs nothing but the send.
local UNSEEN = { look = false, allow = { "tags", "servers", "device_values", "cap" } }

local machine, survivor = ("b"):rep(40), ("c"):rep(40)

local function other(n) return ("%040x"):format(0xf000 + n) end

local function new(options)
  local client = { protect = { tags = { "tier0" } }, limits = { per_hour = PER_HOUR }, cap = false }
  for name, value in pairs(options and options.client or {}) do client[name] = value end
  local machines = { { id = machine, computerDnsName = "waits.corp.example" },
    { id = survivor, computerDnsName = "survivor.corp.example" } }
  for i = 1, PER_HOUR do
    machines[#machines + 1] = { id = other(i), computerDnsName = ("other-%d.corp.example"):format(i) }
  end
  return rehearsal.new { limits = false, client = client, latency = options and options.latency, machines = machines }
end

-- Uses up a limit with other machines.
local function use_up(r, verb, count)
  for i = 1, count do assert(r.client[verb](r.client, other(i), "another", UNSEEN)) end
end

-- Uses up the limit of sends, then calls; half an hour later `change(r)` happens. Returns what the call
-- returned, how long it took, and what was posted for the machine.
local function wait_while(r, verb, change, options)
  use_up(r, verb, PER_HOUR)
  local events = #r:requests()
  r.driver.spawn(function()
    r.driver.sleep(HOUR / 2)
    change(r)
  end)
  local began = r.driver.now()
  local action, err = r.client[verb](r.client, machine, "beacon", options)
  local posts = {}
  for i, request in ipairs(r:requests()) do
    if i > events and request:find "^POST" then posts[#posts + 1] = request:match "[^/]+$" end
  end
  return action, err, r.driver.now() - began, posts
end

local function act(verb, status)
  return function(r) r:past(machine, verb, status or "Succeeded", 0, { requestor = "colleague@corp.example",
    requestorComment = "all clear" }) end
end

local function put(fields)
  return function(r)
    fields.id = machine
    r.tenant:put_machine(fields)
  end
end

local path_of = { restrict = "restrictCodeExecution", release = "unrestrictCodeExecution" }
local opposite_of = { restrict = "release", release = "restrict" }

describe("a change that waits an hour for the limits", function()
  for _, verb in ipairs { "restrict", "release" } do
    it("is sent if nothing has changed: " .. verb, function()
      local r = new()
      local action, err, seconds, posts = wait_while(r, verb, function() end)
      assert.is_nil(err)
      assert.equal("accepted", action.outcome)
      assert.is_true(action.looked)
      assert.is_true(seconds >= HOUR)
      assert.same({ path_of[verb] }, posts)
    end)

    for _, status in ipairs { "Succeeded", "Pending", "Failed" } do
      it(("is superseded by a colleague's %s of which it is %s: %s"):format(opposite_of[verb], status, verb), function()
        local action, err, seconds, posts = wait_while(new(), verb, act(opposite_of[verb], status))
        assert.is_nil(action)
        assert.equal("superseded", err.kind)
        assert.equal("colleague@corp.example", err.action.requestor)
        assert.matches("by colleague@corp.example", err.message, 1, true)
        assert.matches('"all clear"', err.message, 1, true)
        assert.is_true(seconds >= HOUR)
        assert.same({}, posts)
      end)
    end

    it("is already active if somebody did the same: " .. verb, function()
      local action, err, _, posts = wait_while(new(), verb, act(verb))
      assert.is_nil(err)
      assert.equal("already_active", action.outcome)
      assert.equal("colleague@corp.example", action.requestor)
      assert.same({}, posts)
    end)

    it("is not sent to a machine that was merged into another: " .. verb, function()
      local action, err, _, posts = wait_while(new(), verb, put { mergedIntoMachineId = survivor })
      assert.is_nil(action)
      assert.equal("not_found", err.kind)
      assert.equal(survivor, err.candidates[1].id)
      assert.same({}, posts)
    end)

    it("is not sent against a cancellation of the same: " .. verb, function()
      local r = new()
      local action, err = wait_while(r, verb, act(verb, "Cancelled"))
      assert.is_nil(action)
      assert.equal("superseded", err.kind)
      assert.equal("Cancelled", err.action.status)
    end)

    it("gives back what it had taken if it is not sent: " .. verb, function()
      local r = new { client = { cap = PER_HOUR + 1 } }
      local _, err = wait_while(r, verb, act(opposite_of[verb]))
      assert.equal("superseded", err.kind)
      local began, before = r.driver.now(), r.client:peek(verb).remaining
      assert.equal("accepted", assert(r.client[verb](r.client, survivor, "the next", { look = false })).outcome)
      assert.equal(began, r.driver.now())
      assert.equal(before - 1, r.client:peek(verb).remaining)
    end)
  end

  it("is superseded where its first look alone had to wait, but not the machine's record", function()
    local r = new()
    for i = 1, PER_HOUR do r.client:find_action { machine_id = other(i), operation_id = "abcdefgh" } end
    local action, err, _, posts = wait_while(r, "restrict", act "release")
    assert.is_nil(action)
    assert.equal("superseded", err.kind)
    assert.same({}, posts)
  end)

  it("looks again where its first look failed and another call changed the machine meanwhile", function()
    local machines = { { id = machine, computerDnsName = "waits.corp.example" } }
    for i = 1, PER_HOUR do machines[#machines + 1] = { id = other(i), computerDnsName = "o" .. i } end
    local r = rehearsal.new { limits = false, client = { cap = false, limits = { per_minute = PER_HOUR } },
      machines = machines, delays = { pending = 300, running = 300 } }
    use_up(r, "restrict", PER_HOUR)
    r.driver.sleep(10)
    r:answer({ method = "GET", path = "/machineactions" }, 403, "", { count = 1 })
    r.driver.spawn(function()
      r.driver.sleep(20)
      assert(r.client:release(machine, "all clear"))
    end)
    local action, err = r.client:restrict(machine, "beacon")
    assert.is_nil(action)
    assert.equal("conflict", err.kind)
  end)

  it("does what was called last where both wait", function()
    local r = new { client = { protect = {} } }
    r:past(machine, "restrict", "Succeeded", 86400)
    use_up(r, "release", PER_HOUR)
    r.driver.sleep(600)
    use_up(r, "restrict", PER_HOUR)
    local results, left, ended = {}, 2, r.driver.gate()
    for i, verb in ipairs { "release", "restrict" } do
      r.driver.spawn(function()
        r.driver.sleep(i - 1)
        results[i] = { r.client[verb](r.client, machine, "why", { incident = "INC-2" }) }
        left = left - 1
        if left == 0 then ended:open() end
      end)
    end
    ended:wait()
    for i = 1, 2 do assert.equal("accepted", results[i][1] and results[i][1].outcome, tostring(results[i][2])) end
    r.driver.sleep(1000)
    assert.equal("restricted", (r.client:state(machine)))
  end)

  it("is not stopped by a dry run of the opposite", function()
    local r = new()
    r:past(machine, "release", "Succeeded", 86400)
    local rehearsed
    local action = wait_while(r, "restrict", function()
      rehearsed = assert(r.client:release(machine, "why", { dry_run = true })).outcome
    end)
    assert.equal("already_active", rehearsed)
    assert.equal("accepted", action and action.outcome)
  end)

  it("does not try again what was tagged since an attempt that the service put off", function()
    local r = new()
    local record = assert(r.client:machine(machine))
    r.driver.sleep(280)
    r:answer({ method = "POST", path = "restrictCodeExecution" }, 429, "", { headers = { ["Retry-After"] = "30" },
      count = 1 })
    r.driver.spawn(function()
      r.driver.sleep(10)
      put { machineTags = { "tier0" } } (r)
    end)
    local action, err = r.client:restrict(record, "beacon")
    assert.is_nil(action)
    assert.equal("protected", err.kind)
    assert.equal("tags", err.rule)
    assert.same({ "restrictCodeExecution" }, r:posts())
  end)

  it("does not restrict what was tagged meanwhile", function()
    local action, err, _, posts = wait_while(new(), "restrict", put { machineTags = { "tier0" } })
    assert.is_nil(action)
    assert.equal("protected", err.kind)
    assert.equal("tags", err.rule)
    assert.same({}, posts)
  end)

  it("is not sent again to what was tagged meanwhile, and that is said", function()
    local r = new()
    use_up(r, "restrict", PER_HOUR - 1)
    r:fault { match = { method = "POST", path = machine }, fault = "reset" }
    local events = #r:posts()
    r.driver.spawn(function()
      r.driver.sleep(HOUR / 2)
      put { machineTags = { "tier0" } } (r)
    end)
    local began = r.driver.now()
    local action, err = r.client:restrict(machine, "beacon")
    assert.is_nil(action)
    assert.equal("unknown", err.kind)
    assert.matches("it was not sent again: machine " .. machine, err.message, 1, true)
    assert.matches('it has the tag "tier0"', err.message, 1, true)
    assert.not_matches("it ended with", err.message, 1, true)
    assert.truthy(err.operation_id)
    assert.is_true(r.driver.now() - began >= HOUR - 60)
    assert.equal(1, #r:posts() - events)
  end)

  it("releases what was tagged meanwhile", function()
    local action = wait_while(new(), "release", put { machineTags = { "tier0" } })
    assert.equal("accepted", action.outcome)
  end)

  it("looks at every attempt again, however long the service asks to wait", function()
    local r = new { client = { limits = false } }
    r:answer({ method = "POST", path = machine }, 429, "", { headers = { ["Retry-After"] = "100" } })
    r.driver.spawn(function()
      r.driver.sleep(50)
      act "release" (r)
    end)
    local action, err = r.client:restrict(machine, "beacon")
    assert.is_nil(action)
    assert.equal("superseded", err.kind)
    assert.same({ "restrictCodeExecution" }, r:posts())
    assert.equal(1, #r.tenant.actions)
  end)

  it("looks once where the wait was short", function()
    local r = new { client = { limits = { per_minute = PER_HOUR } } }
    use_up(r, "restrict", PER_HOUR)
    r.driver.sleep(10)
    local began = #r:requests()
    assert.equal("accepted", assert(r.client:restrict(machine, "beacon")).outcome)
    assert.equal(3, #r:requests() - began)
  end)

  describe("whose history cannot be read again", function()
    local function unreadable(r) r:answer({ method = "GET", path = "/machineactions" }, 403, "", { count = false }) end

    it("is sent unseen if it restricts", function()
      local action = wait_while(new(), "restrict", unreadable)
      assert.equal("accepted", action.outcome)
      assert.is_false(action.looked)
    end)

    for what, case in pairs { ["has a key"] = { "restrict", { key = "alert-4711" } }, ["releases"] = { "release" } } do
      it("is not sent if it " .. what, function()
        local action, err, _, posts = wait_while(new(), case[1], unreadable, case[2])
        assert.is_nil(action)
        assert.equal("unavailable", err.kind)
        assert.matches("look = false", err.hint, 1, true)
        assert.same({}, posts)
      end)
    end
  end)

  it("in an each costs one list for all, not one for each", function()
    local machines, ids = {}, {}
    for i = 1, 30 do
      ids[i] = ("%040x"):format(0xe000 + i)
      machines[i] = { id = ids[i], computerDnsName = ("desk-%02d.corp.example"):format(i) }
    end
    local r = rehearsal.new { limits = false, client = { cap = false, limits = { per_minute = 5 },
      protect = { servers = false, device_values = {} } }, machines = machines }
    local results = r.client:each(ids, function(id) return r.client:restrict(id, "beacon") end)
    assert.equal(0, results.failed)
    local lists = 0
    for _, request in ipairs(r:requests()) do
      if request:find("^GET /api/machineactions") then lists = lists + 1 end
    end
    -- Six minutes in the queue: a list a minute.
    assert.is_true(lists <= 8, ("%d lists"):format(lists))
  end)

  it("keeps its place while it looks", function()
    local r = new { latency = 1, client = { limits = { per_hour = PER_HOUR } } }
    use_up(r, "restrict", PER_HOUR)
    local order = {}
    local ended = r.driver.gate()
    for i, id in ipairs { machine, survivor } do
      r.driver.spawn(function()
        assert(r.client:restrict(id, "beacon"))
        order[#order + 1] = i
        if #order == 2 then ended:open() end
      end)
      r.driver.sleep(0.1)
    end
    ended:wait()
    assert.same({ 1, 2 }, order)
  end)

  for _, verb in ipairs { "restrict", "release" } do
    it("is superseded where another call for the machine waits too: " .. verb, function()
      local r, results = new(), {}
      local ended = r.driver.gate()
      use_up(r, verb, PER_HOUR)
      r.driver.spawn(function()
        r.driver.sleep(HOUR / 2)
        act(opposite_of[verb]) (r)
      end)
      for i = 1, 2 do
        r.driver.spawn(function()
          results[i] = { r.client[verb](r.client, machine, "beacon") }
          if results[1] and results[2] then ended:open() end
        end)
        r.driver.sleep(1)
      end
      ended:wait()
      for i = 1, 2 do
        assert.is_nil(results[i][1])
        assert.equal("superseded", results[i][2].kind)
        assert.equal("colleague@corp.example", results[i][2].action.requestor)
      end
      assert.equal(PER_HOUR, #r:posts())
    end)

    it("is superseded where the first look was what had to wait: " .. verb, function()
      local r = new()
      for i = 1, PER_HOUR do assert(r.client:state(other(i))) end
      local action, err, seconds, posts = wait_while(r, verb, act(opposite_of[verb]))
      assert.is_nil(action)
      assert.equal("superseded", err.kind)
      assert.equal("colleague@corp.example", err.action.requestor)
      assert.is_true(seconds >= HOUR)
      assert.same({}, posts)
    end)
  end

  it("is superseded where the first look had failed", function()
    local r = new()
    r:answer({ method = "GET", path = "/machineactions" }, 403, "", { count = 1 })
    local action, err, _, posts = wait_while(r, "restrict", act "release")
    assert.is_nil(action)
    assert.equal("superseded", err.kind)
    assert.equal("colleague@corp.example", err.action.requestor)
    assert.same({}, posts)
  end)

  it("holds up no release of the machine, which takes it back", function()
    local r = new()
    local ended = r.driver.gate()
    use_up(r, "restrict", PER_HOUR)
    local action, err
    r.driver.spawn(function()
      action, err = r.client:restrict(machine, "beacon")
      ended:open()
    end)
    r.driver.sleep(HOUR / 2)
    local began = r.driver.now()
    local released = assert(r.client:release(machine, "false alarm"))
    assert.equal("accepted", released.outcome)
    assert.equal(began, r.driver.now())
    ended:wait()
    assert.is_nil(action)
    assert.equal("superseded", err.kind)
    assert.equal(released.id, err.action.id)
  end)

  it("and a release that the same playbook makes next both go, in their order", function()
    local r = new { client = { limits = { per_hour = PER_HOUR + 1 } } }
    use_up(r, "restrict", PER_HOUR)
    local results = r.client:each({ machine, survivor }, function(id)
      assert(r.client:restrict(id, "beacon"))
      return r.client:release(id, "was a drill")
    end)
    assert.equal(0, results.failed)
    local paths = { [machine] = {}, [survivor] = {} }
    for _, request in ipairs(r:requests()) do
      local id, path = request:match "^POST /api/machines/(%x+)/(%a+)$"
      if paths[id] then table.insert(paths[id], path) end
    end
    for _, list in pairs(paths) do assert.same({ path_of.restrict, path_of.release }, list) end
  end)

  it("is followed by a release that was called while it was on its way", function()
    local r = new { latency = 1 }
    local ended = r.driver.gate()
    local restricted, released, err
    r.driver.spawn(function()
      restricted = assert(r.client:restrict(machine, "beacon"))
      if released or err then ended:open() end
    end)
    r.driver.spawn(function()
      r.driver.sleep(0.5)
      released, err = r.client:release(machine, "false alarm")
      if restricted then ended:open() end
    end)
    ended:wait()
    assert.is_nil(err)
    assert.equal("accepted", released.outcome)
    assert.equal(path_of.release, r:posts()[#r:posts()])
  end)
end)

describe("a machine's table that is two hours old", function()
  for _, verb in ipairs { "restrict", "release" } do
    local function meet(fields)
      local r = rehearsal.new { unguarded = true, machines = { { id = machine, computerDnsName = "old.corp.example" },
        { id = survivor, computerDnsName = "survivor.corp.example" } } }
      local old = assert(r.client:machine(machine))
      r.driver.sleep(2 * HOUR)
      if fields then put(fields) (r) end
      return r, r.client[verb](r.client, old, "beacon")
    end

    it("is no reason to " .. verb .. " what was merged into another since", function()
      local r, action, err = meet { mergedIntoMachineId = survivor }
      assert.is_nil(action)
      assert.equal("not_found", err.kind)
      assert.equal(survivor, err.candidates[1].id)
      assert.same({}, r:posts())
    end)

    it("is enough to " .. verb .. " what is still there", function()
      local _, action = meet()
      assert.equal("accepted", action.outcome)
    end)
  end
end)
