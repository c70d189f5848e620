-- Calls for one machine that cross: what was called last decides, nobody is told what is not so, and nothing is sent or
-- cancelled twice.
-- Labels: not-lua5.3

local clients = require "mde.client"
local dicts = require "tests.spec.support.dict"
local rehearsal = require "tests.spec.support.rehearsal"

local DAY, HOUR, PER_HOUR = 86400, 3600, 10

local machine = ("b"):rep(40)

local function other(n) return ("%040x"):format(0xf000 + n) end

local opposite_of = { restrict = "release", release = "restrict" }
local done_by = { restrict = "restricted", release = "released" }

describe("calls for one machine", function()
  local r

  local function new(options)
    options = options or {}
    local client = { cap = false, limits = false, protect = { servers = false, device_values = {} } }
    for name, value in pairs(options.client or {}) do client[name] = value end
    local machines = { { id = machine, computerDnsName = "crossed.corp.example" } }
    for i = 1, PER_HOUR + 2 do
      machines[#machines + 1] = { id = other(i), computerDnsName = ("other-%d.corp.example"):format(i) }
    end
    r = rehearsal.new { limits = false, client = client, latency = options.latency, machines = machines,
      delays = options.delays, duplicates = options.duplicates }
    return r.client
  end

  -- Two clients of two processes that share a store.
  local function workers(client_options)
    local place, list = dicts(r.tenant.clock.now), {}
    for n = 1, 2 do
      local options = { tenant_id = r.tenant.tenant_id, client_id = r.tenant.client_id, driver = r.driver, cap = false,
        credential = r.tenant.client_secret, store = place, protect = { servers = false, device_values = {} } }
      for name, value in pairs(client_options) do options[name] = value end
      list[n] = assert(clients.new(options))
    end
    return list[1], list[2]
  end

  local function use_up(client, verb)
    for i = 1, PER_HOUR do assert(client[verb](client, other(i), "another", { look = false })) end
  end

  -- Each of { when, function } at its time; what they returned when all have ended.
  local function together(calls)
    local left, ended, results = #calls, r.driver.gate(), {}
    for i, call in ipairs(calls) do
      r.driver.spawn(function()
        r.driver.sleep(call[1])
        results[i] = { call[2]() }
        left = left - 1
        if left == 0 then ended:open() end
      end)
    end
    ended:wait()
    return results
  end

  local function state_at_the_end()
    r.driver.sleep(1000)
    return (r.client:state(machine))
  end

  for _, is_shared in ipairs { false, true } do
    local where = is_shared and "another process" or "the same process"
    for _, verb in ipairs { "restrict", "release" } do
      local opposite = opposite_of[verb]

      it(("do not go after the opposite was found to hold: a queued %s, and %s"):format(verb, where), function()
        local first = new { client = { limits = { per_hour = PER_HOUR } } }
        local second = first
        if is_shared then first, second = workers { limits = { per_hour = PER_HOUR } } end
        r:past(machine, verb, "Succeeded", 8 * DAY)
        r:past(machine, opposite, "Succeeded", 7 * DAY,
          { requestor = "bob@corp.example", requestorComment = "so it shall be [mde:INC-9:operation-9]" })
        use_up(first, verb)
        local results = together {
          { 0, function() return first[verb](first, machine, "one") end },
          { HOUR / 2, function() return second[opposite](second, machine, "two") end },
        }
        assert.equal("already_active", results[2][1].outcome)
        assert.is_nil(results[1][1])
        assert.equal("superseded", results[1][2].kind)
        assert.equal(results[2][1].id, results[1][2].action.id)
        assert.matches("meanwhile " .. opposite .. " was called", results[1][2].message, 1, true)
        assert.matches('%) by bob@corp%.example for INC%-9, created [%d-]+T[%d:]+Z: "so it shall be"$',
          results[1][2].message)
        assert.equal(done_by[opposite], state_at_the_end())
        assert.equal(PER_HOUR, #r:posts())
      end)

      it(("end in what was called last, or say why not: %s while the opposite is on its way, %s"):format(verb, where),
        function()
          for _, delay in ipairs { 0.5, 1.5, 2.5, 3.5 } do
            local first = new { latency = 1 }
            local second = first
            if is_shared then first, second = workers { limits = false } end
            r:past(machine, opposite, "Succeeded", 2 * HOUR)
            r:past(machine, verb, "Succeeded", HOUR)
            local results = together {
              { 0, function() return first[opposite](first, machine, "one") end },
              { delay, function() return second[verb](second, machine, "two") end },
            }
            assert.equal("accepted", results[1][1].outcome)
            local action, err = results[2][1], results[2][2]
            if action then
              assert.equal("accepted", action.outcome)
            else
              assert.equal("conflict", err.kind)
            end
            assert.equal(done_by[action and verb or opposite], state_at_the_end())
          end
        end)
    end
  end

  for _, delay in ipairs { 0.5, 1.5, 2.2, 3 } do
    it(("are not told of what another is cancelling: %.1f s after it"):format(delay), function()
      new { latency = 1, delays = { pending = 300, running = 300 } }
      assert(r.client:restrict(machine, "earlier"))
      r.driver.sleep(200)
      local results = together {
        { 0, function() return r.client:release(machine, "one") end },
        { delay, function() return r.client:restrict(machine, "two") end },
      }
      assert.equal("accepted", results[1][1].outcome)
      assert.equal("conflict", results[2][2].kind)
      assert.same({ "restrictCodeExecution", "cancel", "unrestrictCodeExecution" }, r:posts())
    end)
  end

  it("are not stopped by one for another response that has found nothing to do", function()
    local client = new { client = { limits = { per_hour = PER_HOUR } } }
    r.tenant:put_application { client_id = r.tenant.client_id, client_secret = r.tenant.client_secret, name = "mde",
      roles = { "Machine.Read.All", "Machine.RestrictExecution", "Machine.Isolate" } }
    r:past(machine, "restrict", "Succeeded", 7 * DAY, { type = "Isolate", scope = "Full" })
    use_up(client, "restrict")
    local results = together {
      { 0, function() return client:restrict(machine, "one") end },
      { HOUR / 2, function() return client:isolate(machine, "two") end },
    }
    assert.equal("already_active", results[2][1].outcome)
    assert.equal("accepted", results[1][1] and results[1][1].outcome, tostring(results[1][2]))
    assert.equal("restricted", state_at_the_end())
  end)

  it("cancel what stands against them once", function()
    new { latency = 1, delays = { pending = 300, running = 300 } }
    assert(r.client:restrict(machine, "earlier"))
    r.driver.sleep(200)
    local results = together {
      { 0, function() return r.client:release(machine, "one") end },
      { 0.1, function() return r.client:release(machine, "two") end },
    }
    assert.equal("accepted", results[1][1].outcome)
    assert.equal("already_active", results[2][1].outcome)
    assert.same({ "restrictCodeExecution", "cancel", "unrestrictCodeExecution" }, r:posts())
  end)

  for _, duplicates in ipairs { "pending", "in_progress" } do
    it("do not take a colleague's action for their client's own, where duplicates are " .. duplicates, function()
      new { client = { limits = { per_hour = PER_HOUR } }, duplicates = duplicates }
      use_up(r.client, "restrict")
      r.driver.sleep(600)
      use_up(r.client, "release")
      local posted = #r:posts()
      local results = together {
        { 0, function() return r.client:restrict(machine, "beacon", { look = false }) end },
        { 1, function() return r.client:release(machine, "was a drill") end },
        { 2400, function()
          r:past(machine, "restrict", "Pending", 0, { requestor = "colleague@corp.example" })
        end },
      }
      assert.equal("already_active", results[1][1].outcome)
      assert.equal("superseded", results[2][2].kind)
      assert.equal("colleague@corp.example", results[2][2].action.requestor)
      assert.equal(posted + 1, #r:posts())
    end)
  end

  it("know their client's earlier one where their own first look came after it", function()
    new { client = { limits = { per_hour = PER_HOUR } } }
    use_up(r.client, "restrict")
    r.driver.sleep(600)
    use_up(r.client, "release")
    local results = together {
      { 0, function() return r.client:restrict(machine, "beacon") end },
      { 1, function()
        for i = 1, PER_HOUR - 1 do r.client:state(other(i)) end
        return r.client:release(machine, "false alarm")
      end },
    }
    assert.equal("accepted", results[1][1].outcome)
    assert.equal("accepted", assert(results[2][1], tostring(results[2][2])).outcome)
    assert.equal("released", state_at_the_end())
  end)

  it("take one place under the cap while they wait for each other", function()
    new { latency = 1, client = { cap = 2 } }
    local calls = { { 1.5, function() return r.client:restrict(other(1), "another") end } }
    for i = 1, 5 do calls[i + 1] = { 0, function() return r.client:restrict(machine, "beacon") end } end
    local accepted = 0
    for _, result in ipairs(together(calls)) do
      assert.is_nil(result[2])
      if result[1].outcome == "accepted" then accepted = accepted + 1 end
    end
    assert.equal(2, accepted)
    assert.equal(2, #r:posts())
  end)

  it("see what was sent by a process that died with the machine's lock", function()
    new { latency = 1 }
    local dying, second = workers { limits = false }
    local results = together {
      { 0, function()
        assert(dying.exchange.store:lease("turn|" .. machine, 30))
        r.driver.sleep(2)
        return r.client:restrict(machine, "why", { look = false })
      end },
      { 0.1, function() return second:restrict(machine, "why") end },
    }
    assert.equal("accepted", results[1][1].outcome)
    assert.equal("already_active", results[2][1].outcome)
    assert.equal(results[1][1].id, results[2][1].id)
  end)
end)
