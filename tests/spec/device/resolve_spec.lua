-- Many devices at once: each is what it is alone, for a handful of requests.
-- Labels: sanitized, not-lua5.3, caseless

local errors = require "mde.base.error"
local identities = require "mde.device.identity"
local rehearsal = require "tests.spec.support.rehearsal"

local function id(number)
  return ("%040x"):format(0xa0000 + number)
end

local function entra(number)
  return ("17171717-0000-4000-8000-%012x"):format(number)
end

for _, comparison in ipairs { "exact", "caseless" } do
  describe(("many devices, in a tenant that is %s,"):format(comparison), function()
    local r

    local function begin(count, options)
      options = options or {}
      options.machines = options.machines or {}
      for i = 1, count do
        table.insert(options.machines, { id = id(i), aadDeviceId = entra(i),
          computerDnsName = ("Desk-%d.corp.example"):format(i) })
      end
      options.limits, options.comparison = false, comparison
      r = rehearsal.new(options)
    end

    local function found(results)
      local list = {}
      for i, result in ipairs(results) do
        list[i] = result.value and result.value.id or result.err.kind
      end
      return list
    end

    it("are found by name, Entra id and machine id, in order, whatever the case", function()
      begin(5)
      local list = { "desk-3", "DESK-1.CORP.EXAMPLE.", entra(2):upper(), id(4):upper(), " desk-5 " }
      local results = r.client:resolve(list)
      assert.same({ id(3), id(1), id(2), id(4), id(5) }, found(results))
      assert.equal(0, results.failed)
      for i, result in ipairs(results) do
        assert.equal(list[i], result.item)
        assert.equal("Windows11", result.value.osPlatform)
      end
      assert.is_true(#r:requests() <= 3)
    end)

    for _, count in ipairs { 1, 2, 5, 11, 60 } do
      it(("are %d: each is what it is alone"):format(count), function()
        begin(count, { machines = {
          { id = id(1001), computerDnsName = "twin.corp.example" }, { id = id(1002), computerDnsName = "twin" },
          { id = id(1003), computerDnsName = "old.corp.example", healthStatus = "Inactive" },
          { id = id(1004), computerDnsName = "old.corp.example" },
          { id = id(1005), computerDnsName = "gone.corp.example", mergedIntoMachineId = id(1) },
          { id = id(1006), computerDnsName = "seen.corp.example", onboardingStatus = "CanBeOnboarded" } } })
        local list = { "twin", "old", "gone", "seen", id(1005), id(9999), entra(9999), "nowhere" }
        for i = 1, count do list[#list + 1] = ("desk-%d"):format(i) end
        local results = r.client:resolve(list)
        for i, device in ipairs(list) do
          local machine, err = r.client:machine(device)
          assert.equal(machine and machine.id, results[i].value and results[i].value.id, device)
          assert.equal(err and tostring(err), results[i].err and tostring(results[i].err))
        end
        assert.equal(7, results.failed)
      end)
    end

    it("that none has come with the nearest names, as alone, and cost nothing besides", function()
      for _, count in ipairs { 2, 60 } do
        begin(count)
        local list = { "dekk-1", "desk-1.lab.example", "Deks-2", "elsewhere" }
        for i = 1, count do list[#list + 1] = ("desk-%d"):format(i) end
        local results = r.client:resolve(list)
        local requests = #r:requests()
        assert.equal(4, results.failed)
        for i, wanted in ipairs { id(1), id(1), id(2) } do
          assert.equal("no_such_device", results[i].err.code)
          assert.equal(wanted, results[i].err.candidates[1].id)
        end
        assert.is_nil(results[4].err.candidates)
        for i = 1, 4 do
          assert.equal(tostring(results[i].err), tostring(select(2, r.client:machine(list[i]))))
        end
        -- The filter of each, and the list that is there already.
        assert.equal(requests + 4, #r:requests())
      end
    end)

    it("cost a handful of requests, however many they are", function()
      begin(300)
      local names = {}
      for i = 1, 300 do names[i] = ("desk-%d"):format(i) end
      local results = r.client:resolve(names)
      assert.equal(0, results.failed)
      assert.equal(1, #r:requests())
    end)
  end)
end

describe("many devices", function()
  local r

  before_each(function()
    r = rehearsal.new { limits = false, machines = { { id = id(1), computerDnsName = "desk-1.corp.example" },
      { id = id(2), computerDnsName = "desk-2.corp.example", aadDeviceId = entra(2) } } }
  end)

  it("are asked for once, however often they are named", function()
    local results = r.client:resolve { "desk-1", "DESK-1", "desk-1.corp.example", "desk-1" }
    for i = 1, 4 do assert.equal(id(1), results[i].value.id) end
    assert.equal(1, #r:requests())
  end)

  it("may have some that can be none: that is an error of theirs", function()
    local results = r.client:resolve { "desk-1", "192.0.2.1", "", 17, { id = "x" }, "desk-2" }
    assert.equal(4, results.failed)
    assert.equal(id(1), results[1].value.id)
    assert.equal(id(2), results[6].value.id)
    for i = 2, 5 do
      assert.equal("invalid", results[i].err.kind)
      assert.is_true(errors.is(results[i].err))
    end
    assert.matches("IP address", tostring(results[2].err))
  end)

  it("may be machines, of which nothing is asked, and identities, whose identifiers must mean one", function()
    local machine = assert(r.client:machine "desk-1")
    local before = #r:requests()
    local results = r.client:resolve { machine }
    assert.equal(machine, results[1].value)
    assert.equal(before, #r:requests())
    results = r.client:resolve { identities.new { id(2), entra(2) }, identities.new { id(1), entra(2) } }
    assert.equal(id(2), results[1].value.id)
    assert.equal("identifiers_differ", results[2].err.code)
  end)

  it("are found among all machines where the service refuses the filter", function()
    r:answer({ path = "/machines?$filter=" }, 400, { error = { code = "BadRequest", message = "too many nodes" } },
      { count = false })
    local results = r.client:resolve { "desk-1", "desk-2", "nowhere" }
    assert.equal(id(1), results[1].value.id)
    assert.equal(id(2), results[2].value.id)
    assert.equal("not_found", results[3].err.kind)
    assert.equal(2, #r:requests())
  end)

  it("are found all the same if a row of the whole list is malformed", function()
    local list = { { id = id(1), computerDnsName = "desk-1" }, { id = "not an id", computerDnsName = "odd" } }
    r:answer({ path = "/machines?$top" }, 200, { value = list }, { count = false })
    local names = { "nowhere" }
    for i = 2, 30 do names[i] = ("desk-%d"):format(i % 2 + 1) end
    local results = r.client:resolve(names)
    assert.equal(1, results.failed)
    assert.equal("not_found", results[1].err.kind)
    for i = 2, 30 do assert.equal(id(i % 2 + 1), results[i].value.id) end
  end)

  it("are not found where nothing can be read, and each error says whose it is", function()
    r:answer({ path = "/machines" }, 403, { error = { code = "Forbidden", message = "no" } }, { count = false })
    local results = r.client:resolve { "desk-1", "desk-2" }
    assert.equal(2, results.failed)
    for i = 1, 2 do
      assert.equal("permission", results[i].err.kind)
      assert.matches(('^machine "desk%%-%d"'):format(i), tostring(results[i].err))
    end
  end)

  it("have their ids in lower case, as by themselves", function()
    for _, count in ipairs { 1, 30 } do
      local machines, list = {}, {}
      for i = 1, count do
        machines[i], list[i] = { id = id(i):upper() }, id(i)
      end
      r = rehearsal.new { limits = false, machines = machines }
      local results = r.client:resolve(list)
      for i = 1, count do assert.equal(r.client:machine(list[i]).id, results[i].value.id) end
    end
  end)

  it("may be none", function()
    assert.same({ failed = 0 }, r.client:resolve {})
    assert.same({}, r:requests())
  end)

  it("are a list", function()
    for _, wrong in ipairs { "desk-1", 17, { id = id(1) }, { "desk-1", nil, "desk-2" } } do
      rehearsal.refused(r.client.resolve, r.client, wrong)
    end
    rehearsal.refused(r.client.resolve, r.client)
    assert.same({}, r:requests())
  end)
end)
