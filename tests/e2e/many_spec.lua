-- Many devices, over real TLS: contained by each, watched to their end, released by incident.
-- Labels: only-lua5.4, long
local mde = require "mde"
local tenants = require "tests.spec.support.server.tenant"

-- More than a URL of 8 KB can name.
local COUNT = 250

local function machine_id(number)
  return ("%040x"):format(0xa0000 + number)
end

-- The requests to the API in their order.
local function requests(tenant)
  local list = {}
  for _, entry in ipairs(tenant.history "request") do
    if not entry.path:find("/oauth2/", 1, true) then list[#list + 1] = entry end
  end
  return list
end

describe(COUNT .. " devices over TLS", function()
  local tenant

  setup(function() tenant = tenants.start { limits = false, action_seconds = 2 } end)
  teardown(function() tenant.stop() end)
  before_each(function()
    tenant.reset()
    tenant.clear()
    for i = 1, COUNT do
      tenant.machine { id = machine_id(i), computerDnsName = ("seat-%03d.corp.example"):format(i) }
    end
  end)

  local function machines_of(client)
    local machines = {}
    for machine in client:machines { computerDnsName = mde.startswith "seat-" } do machines[#machines + 1] = machine end
    table.sort(machines, function(a, b) return a.id < b.id end)
    assert.equal(COUNT, #machines)
    return machines
  end

  it("are restricted eight at a time; two faulty items and one that raises do not disturb the rest", function()
    local client = tenant.client { cap = COUNT, limits = false }
    local items = machines_of(client)
    items[100], items[150] = "nowhere.corp.example", "192.0.2.1"
    local before, now, most, told = #requests(tenant), 0, 0, 0
    local results = client:each(items, function(item)
      now = now + 1
      most = math.max(most, now)
      if item == items[200] then
        now = now - 1
        error "a mistake in the playbook"
      end
      local ok, action, err = pcall(client.restrict, client, item, "beacon", { incident = "INC-1" })
      now = now - 1
      if not ok then error(action, 0) end
      return action, err
    end, { parallel = 8, on_progress = function(done, total)
      told = told + 1
      assert.same({ told, COUNT }, { done, total })
    end })

    assert.equal(8, most)
    assert.equal(COUNT, told)
    assert.equal(COUNT, #results)
    assert.equal(3, results.failed)
    assert.equal("not_found", results[100].err.kind)
    assert.equal("invalid", results[150].err.kind)
    assert.truthy(results[200].err:find "a mistake in the playbook")
    for i, result in ipairs(results) do
      assert.equal(items[i], result.item)
      if i ~= 100 and i ~= 150 and i ~= 200 then
        assert.equal("accepted", result.value.outcome)
        assert.equal(machine_id(i), result.value.machineId)
        assert.is_true(result.value.looked)
      end
    end
    local created = tenant.history "action_created"
    assert.equal(COUNT - 3, #created)
    local seen = {}
    for _, entry in ipairs(created) do
      assert.is_nil(seen[entry.machine])
      seen[entry.machine] = true
    end

    local posts, others = 0, 0
    for i, entry in ipairs(requests(tenant)) do
      if i > before and entry.method == "POST" then posts = posts + 1 end
      if i > before and entry.method ~= "POST" then others = others + 1 end
    end
    assert.equal(COUNT - 3, posts)
    -- The search for the name, the count for the cap, and the listing, extended once a minute.
    assert.is_true(others <= 6, others .. " requests beside the POSTs")
  end)

  it("are watched to their end with at most two calls a round, and no URL above 8 KB", function()
    tenant.set { delays = { pending = 5, running = 2 } }
    local client = tenant.client { cap = COUNT, limits = false }
    local results = client:each(machines_of(client), function(machine) return client:restrict(machine, "beacon") end)
    assert.equal(0, results.failed)
    local actions = {}
    for i, result in ipairs(results) do actions[i] = result.value end

    local rounds, calls = 0, 0
    local driver = client.driver
    local send, sleep = driver.send, client.exchange.sleep
    local most, longest = 0, 0
    client.exchange.sleep = function(seconds)
      rounds, calls = rounds + 1, 0
      return sleep(math.min(seconds, 0.3))
    end
    function driver.send(request)
      calls = calls + 1
      most, longest = math.max(most, calls), math.max(longest, #request.url)
      return send(request)
    end
    local ended = client:wait(actions, { timeout = 60 })
    driver.send = send
    assert.equal(COUNT, #ended)
    assert.equal(0, ended.failed)
    for i, result in ipairs(ended) do
      assert.equal("Succeeded", result.value)
      assert.equal(actions[i], result.item)
      assert.equal("Succeeded", actions[i].status)
    end
    assert.is_true(rounds >= 5, rounds .. " rounds")
    assert.is_true(most >= 1 and most <= 2, most .. " calls in a round")
    assert.is_true(longest < 8192)

    local states = client:states(machines_of(client))
    for _, result in ipairs(states) do assert.equal("restricted", result.value) end
  end)

  it("are released by incident; what others hold too is named and left", function()
    local client = tenant.client { cap = COUNT, limits = false }
    local function restrict(from, to, incident)
      local numbers = {}
      for i = from, to do numbers[#numbers + 1] = { id = machine_id(i), number = i } end
      local results = client:each(numbers, function(item)
        return client:restrict(item.id, "beacon", { incident = incident })
      end)
      assert.equal(0, results.failed)
      local actions = {}
      for i, result in ipairs(results) do actions[i] = result.value end
      assert.equal(0, client:wait(actions, { timeout = 60 }).failed)
    end
    restrict(1, 20, "INC-1")
    restrict(19, 22, "INC-10")
    tenant.action { machineId = machine_id(1), type = "RestrictCodeExecution", status = "Succeeded" }

    local held = assert(client:restricted { incident = "inc-1", since = mde.ago "1h" })
    assert.equal(17, #held)
    assert.equal(3, #held.shared)
    assert.truthy(held.shared[1].incidents[1]:find "^by hand")
    assert.same({ "INC-10" }, held.shared[2].incidents)
    local results = client:each(held, function(machine)
      return client:release(machine, "cleared", { incident = "INC-1" })
    end)
    assert.equal(0, results.failed)
    local actions = {}
    for i, result in ipairs(results) do actions[i] = result.value end
    assert.equal(0, client:wait(actions, { timeout = 60 }).failed)

    local machines = {}
    for i = 1, 22 do machines[i] = { id = machine_id(i) } end
    for i, result in ipairs(client:states(machines)) do
      assert.equal((i == 1 or i >= 19) and "restricted" or "released", result.value)
    end
    assert.equal(4, #assert(client:restricted { incident = { "INC-1", "INC-10" } }))
  end)
end)
