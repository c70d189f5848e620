-- Which one of the records that answer to a name is meant, and what is said where none can be acted on. The table of
-- the choice is in tests/core/test_device.c.
-- Labels: sanitized, caseless

local choice = require "mde.device.choice"
local rehearsal = require "tests.spec.support.rehearsal"

local function id(number)
  return ("%040x"):format(number)
end

describe("a device", function()
  local r

  -- The tests' own machines instead of the tenant's fleet.
  local function with(machines)
    r = rehearsal.new { machines = machines, unguarded = true }
    return r.client
  end

  describe("with several records", function()
    it("is the one that is onboarded, active and not merged", function()
      r = rehearsal.new()
      for _, name in ipairs { "front-desk", "front-desk.corp.example", "20202020-0000-4000-8000-000000000001" } do
        assert.equal("2f00000000000000000000000000000000000001", assert(r.client:machine(name)).id)
      end
    end)

    local name = "desk.corp.example"

    it("is so by each of its names, whatever else is kept of it", function()
      local entra = "12121212-0000-4000-8000-000000000001"
      local machines = { { id = id(1), mergedIntoMachineId = id(3) }, { id = id(2), onboardingStatus = "Unsupported" },
        { id = id(3), onboardingStatus = rehearsal.null, healthStatus = rehearsal.null },
        { id = id(4), healthStatus = "Inactive" } }
      for _, machine in ipairs(machines) do machine.computerDnsName, machine.aadDeviceId = name, entra end
      local client = with(machines)
      for _, asked in ipairs { name, "desk", entra } do assert.equal(id(3), assert(client:machine(asked)).id) end
    end)

    it("is ambiguous if several live: all are listed, the one seen last first, and nothing is sent", function()
      r = rehearsal.new()
      local action, err = r.client:restrict("kiosk", "why")
      assert.is_nil(action)
      assert.equal("ambiguous", err.kind)
      assert.equal("3f00000000000000000000000000000000000001", err.candidates[1].id)
      assert.equal("3f00000000000000000000000000000000000002", err.candidates[2].id)
      for _, machine in ipairs(err.candidates) do
        assert.truthy(err.message:find(machine.id, 1, true))
        assert.truthy(err.message:find(machine.lastSeen, 1, true))
      end
      assert.truthy(tostring(err):find('^restrict "kiosk": 2 devices answer to "kiosk"'))
      assert.is_true(rehearsal.is_one_line(tostring(err)))
      assert.same({}, r:posts())
    end)

    it("shows five candidates and says how many more there are", function()
      local machines = {}
      for i = 1, 7 do machines[i] = { id = id(i), computerDnsName = name } end
      local _, err = with(machines):machine(name)
      assert.equal(7, #err.candidates)
      assert.truthy(err.message:find("; 2 more", 1, true))
    end)

    it("shows hostile names of candidates escaped", function()
      local _, err = with {
        { id = id(1), computerDnsName = "desk.\27[2Jcorp" }, { id = id(2), computerDnsName = "desk.\226\128\174" },
      }:machine "desk"
      assert.equal("ambiguous", err.kind)
      assert.is_true(rehearsal.is_one_line(tostring(err)))
      assert.is_nil(tostring(err):find "\226\128\174")
      assert.is_true(rehearsal.is_one_line(err.message))
    end)
  end)

  describe("that cannot be acted on", function()
    local function not_found(client, device, ...)
      for _, call in ipairs { client.machine, client.state, client.restrict } do
        local value, err = call(client, device, call == client.restrict and "why" or nil)
        assert.is_nil(value)
        assert.equal("not_found", err.kind)
        for _, part in ipairs { ... } do assert.truthy(tostring(err):find(part, 1, true), tostring(err)) end
        assert.is_true(rehearsal.is_one_line(tostring(err)))
      end
      assert.same({}, r:posts())
    end

    it("is not known", function()
      not_found(with {}, "nowhere.corp.example", "nowhere.corp.example", "Check the spelling")
      not_found(with {}, id(1), "the service knows no machine " .. id(1))
      not_found(with {}, "17171717-0000-4000-8000-000000000017", "17171717-0000-4000-8000-000000000017")
    end)

    it("is not known where the service says so with 404", function()
      local client = with {}
      r:answer({ path = "$filter" }, 404, { error = { code = "ResourceNotFound", message = "none" } },
        { count = false })
      not_found(client, "nowhere", "Check the spelling")
    end)

    it("was merged into another: that one is named, however it is asked for", function()
      local client = with { { id = id(1), computerDnsName = "desk", mergedIntoMachineId = id(2) } }
      not_found(client, id(1), "merged", id(2))
      not_found(client, "desk", "merged", id(2))
      assert.equal(id(2), select(2, client:machine(id(1))).candidates[1].id)
    end)

    it("is a machine that was merged: refused without a request", function()
      local client = with { { id = id(1) } }
      local _, err = client:restrict({ id = id(1), mergedIntoMachineId = id(2) }, "why")
      assert.equal("not_found", err.kind)
      assert.same({}, r.tenant.history)
    end)

    it("is merged in one record and not onboarded in the other", function()
      not_found(with {
        { id = id(1), computerDnsName = "desk", mergedIntoMachineId = id(3) },
        { id = id(2), computerDnsName = "desk", onboardingStatus = "CanBeOnboarded" },
      }, "desk", "not onboarded", id(3))
    end)

    it("is known, but not onboarded", function()
      local client = with { { id = id(1), computerDnsName = "desk", onboardingStatus = "InsufficientInfo" } }
      not_found(client, "desk", "not onboarded", "InsufficientInfo")
      assert.equal(id(1), select(2, client:machine "desk").candidates[1].id)
    end)
  end)
end)

describe("the choice among records", function()
  local function day(number) return ("2026-02-%02dT10:11:12Z"):format(number) end

  -- Records of the name "desk", of these fields.
  local function records(list)
    for i, machine in ipairs(list) do
      machine.id, machine.computerDnsName = machine.id or id(i), machine.computerDnsName or "desk"
      machine.onboardingStatus = machine.onboardingStatus or "Onboarded"
    end
    return list
  end

  local desk = { kind = "bare_name", canonical = "desk", shown = '"desk"' }

  local function numbers(machines)
    local list = {}
    for i, machine in ipairs(machines) do list[i] = tonumber(machine.id, 16) end
    return list
  end

  it("finds one in use among some", function()
    assert.is_true(choice.has_live(records { { healthStatus = "Inactive" }, {} }))
    for _, list in ipairs { {}, { { healthStatus = "INACTIVE" }, { mergedIntoMachineId = id(1) },
      { onboardingStatus = "CanBeOnboarded" } } } do
      assert.is_false(choice.has_live(records(list)))
    end
  end)

  it("is the record itself", function()
    local list = records { { healthStatus = "Inactive" }, { mergedIntoMachineId = id(9) }, { healthStatus = "Active" } }
    assert.equal(list[3], choice.one(desk, list))
  end)

  it("says of several what they are, the one seen last first", function()
    local machine, err = choice.one(desk, records { { lastSeen = day(3) }, { lastSeen = "never" },
      { lastSeen = day(9) }, { id = id(5), lastSeen = day(3) }, { id = id(4) } })
    assert.is_nil(machine)
    assert.equal("ambiguous", err.kind)
    assert.same({ 3, 1, 5, 2, 4 }, numbers(err.candidates))
    assert.truthy(err.message:find(('5 devices answer to "desk": %s (desk, platform unknown, health unknown, '
      .. 'last seen %s); '):format(id(3), day(9)), 1, true), err.message)
    assert.truthy(err.message:find("last seen never", 1, true), err.message)
    assert.is_nil(err.message:find("more", 1, true))
  end)

  it("names each survivor once where all were merged, and says so where some are not onboarded instead", function()
    local _, err = choice.one(desk, records { { mergedIntoMachineId = id(9) }, { mergedIntoMachineId = id(8) },
      { mergedIntoMachineId = id(9) } })
    assert.same({ "not_found", { { id = id(9) }, { id = id(8) } } }, { err.kind, err.candidates })
    assert.equal('every record of "desk" was merged into another machine', err.message)
    assert.equal(("If one of these is the one you mean, name it: %s, %s."):format(id(9), id(8)), err.hint)
    _, err = choice.one(desk, records { { onboardingStatus = "x" }, { mergedIntoMachineId = id(9) } })
    assert.equal('every record of "desk" was merged into another machine or is not onboarded', err.message)
    assert.equal(("If that is the one you mean, name it: %s."):format(id(9)), err.hint)
  end)

  it("offers those that are not onboarded, and says of the first what it is", function()
    local _, err = choice.one(desk, records { { onboardingStatus = "Unsupported", lastSeen = day(1) },
      { onboardingStatus = "CanBeOnboarded", lastSeen = day(2) } })
    assert.equal("not_found", err.kind)
    assert.same({ 2, 1 }, numbers(err.candidates))
    assert.equal('"desk" is known to the service, but not onboarded (CanBeOnboarded)', err.message)
  end)

  it("is none where one that answers has no id", function()
    for _, odd in ipairs { false, 17, {}, "x" } do
      local list = records { {}, {} }
      list[2].id = odd or nil
      local machine, err = choice.one(desk, list)
      assert.is_nil(machine)
      assert.same({ "protocol", "record_unidentified" }, { err.kind, err.code })
    end
  end)

  it("is by an id the record that has it, or an error about that one", function()
    local by_id = { kind = "machine_id", canonical = id(1), shown = '"' .. id(1) .. '"' }
    local list = records { { healthStatus = "Inactive", onboardingStatus = "x" } }
    assert.equal(list[1], choice.one(by_id, list))
    list[1].mergedIntoMachineId = id(2)
    assert.equal(tostring(choice.merged(list[1])), tostring(select(2, choice.one(by_id, list))))
  end)

  it("takes all of them for those that had an address", function()
    local owner = { shown = "with the address 192.0.2.1", hint = "Look elsewhere." }
    local list = records { { computerDnsName = "lamp" }, { healthStatus = "Inactive" } }
    assert.equal(list[1], choice.one(owner, list))
    local _, err = choice.one(owner, {})
    assert.same({ "the service knows no device with the address 192.0.2.1", "Look elsewhere." },
      { err.message, err.hint })
  end)

  it("offers what is like it where nothing answers to the name, in the order in which it is given", function()
    local similar = records { { lastSeen = day(1), osPlatform = "Windows11", healthStatus = "Active" },
      { lastSeen = day(9) } }
    local machine, err = choice.one(desk, {}, similar)
    assert.is_nil(machine)
    assert.equal("not_found", err.kind)
    assert.equal('the service knows no device "desk"', err.message)
    assert.same({ 1, 2 }, numbers(err.candidates))
    assert.equal(("If you mean one of these, give its id: %s (desk, Windows11, Active, last seen %s); "
      .. "%s (desk, platform unknown, health unknown, last seen %s)."):format(id(1), day(1), id(2), day(9)), err.hint)
    for _, none in ipairs { {}, false } do
      err = select(2, choice.one(desk, {}, none or nil))
      assert.is_nil(err.candidates)
      assert.truthy(err.hint:find "^Check the spelling")
    end
  end)

  it("says of a merged machine into which one", function()
    local err = choice.merged { id = id(1), mergedIntoMachineId = id(2) }
    assert.equal(("machine %s was merged into machine %s"):format(id(1), id(2)), err.message)
    assert.same({ "not_found", { { id = id(2) } } }, { err.kind, err.candidates })
  end)
end)
