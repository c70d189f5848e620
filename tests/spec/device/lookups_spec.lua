-- What the calls of an each look up, asked for together.
-- Labels: not-lua5.3

local errors = require "mde.base.error"
local rehearsal = require "tests.spec.support.rehearsal"

local PAGE = 10000

local function id(number)
  return ("%040x"):format(0xa0000 + number)
end

local function entra(number)
  return ("17171717-0000-4000-8000-%012x"):format(number)
end

local function name(number)
  return ("desk-%d.corp.example"):format(number)
end

describe("the devices that the calls of an each look up", function()
  local r

  local function begin(count, options)
    options = options or {}
    options.machines = options.machines or {}
    for i = 1, count do
      table.insert(options.machines, { id = id(i), aadDeviceId = entra(i), computerDnsName = name(i),
        lastSeen = rehearsal.time(1790000000 + i % 3000) })
    end
    options.client = options.client or { cap = false }
    options.latency = options.latency or 0.2
    r = rehearsal.new(options)
    return r.client
  end

  local function restrict(device)
    return r.client:restrict(device, "why", { incident = "INC-1" })
  end

  -- How many requests were not the POST of a restrict, that for a token among them.
  local function others()
    local posts = 0
    for _, request in ipairs(r:requests()) do
      if request:find "^POST" then posts = posts + 1 end
    end
    return r:count "request" - posts, posts
  end

  local function names(count)
    local list = {}
    for i = 1, count do list[i] = name(i * 7) end
    return list
  end

  local function iterator(list)
    local i = 0
    return function()
      i = i + 1
      return list[i]
    end
  end

  describe("are 300 of a tenant of 10,000: ten requests beside the POSTs,", function()
    local lists = {
      ["by name"] = function() return names(300) end,
      ["by this and that, from an iterator, a wrong one among them"] = function()
        local list = names(300)
        for i = 1, 300, 3 do list[i], list[i + 1] = id(i * 7), entra((i + 1) * 7):upper() end
        list[6] = "no-such-desk"
        return iterator(list)
      end,
    }
    for what, list_of in pairs(lists) do
      it(what, function()
        begin(PAGE)
        local results = r.client:each(list_of(), restrict)
        local requests, posts = others()
        assert.is_true(requests <= 10, ("%d requests"):format(requests))
        assert.equal(300 - results.failed, posts)
        for i, result in ipairs(results) do
          if result.item == "no-such-desk" then
            assert.equal("not_found", result.err.kind)
          else
            assert.equal(id(i * 7), result.value.machineId)
          end
        end
        assert.equal(what:find "wrong" and 1 or 0, results.failed)
      end)
    end

  end)

  it("are asked for together also with a driver that does one thing at a time", function()
    begin(300, { sequential = true })
    assert.equal(0, r.client:each(names(40), restrict).failed)
    assert.is_true(others() <= 8)
  end)

  it("cost nothing where the function asks for none", function()
    begin(30)
    local seen = {}
    r.client:each(names(4), function(item) seen[#seen + 1] = item return true end)
    assert.same(names(4), seen)
    assert.equal(0, r:count "request")
  end)

  it("that are few are not looked for among all machines", function()
    begin(60)
    local results = r.client:each(names(8), function(item) return r.client:machine(item) end)
    assert.equal(0, results.failed)
    assert.is_true(#r:requests() <= 2)
    for _, request in ipairs(r:requests()) do assert.matches("$filter=", request, 1, true) end
  end)

  it("cost nothing more where all machines were just read, also those that none has", function()
    begin(60)
    local list = {}
    for i = 1, 60 do list[i] = i % 3 == 0 and ("no-such-desk-%d"):format(i) or name(i) end
    local results = r.client:each(list, function(item) return r.client:machine(item) end)
    assert.equal(20, results.failed)
    assert.is_true(#r:requests() <= 3)
    -- A single call for what none has reads all machines, too.
    begin(60)
    assert.is_nil((r.client:machine "no-such-desk"))
    r.tenant.history = {}
    results = r.client:each({ name(1), "no-such-desk-1", id(2) }, function(item) return r.client:machine(item) end)
    assert.equal(1, results.failed)
    assert.same({}, r:requests())
  end)

  it("are read again by a look that is no restrict, once what was read is a minute old", function()
    local client = begin(60)
    local results = client:each({ 1 }, function()
      for i = 1, 30 do assert(client:machine(name(i))) end
      r.tenant:put_machine { id = id(1), computerDnsName = name(1), machineTags = { "by a colleague" } }
      r.driver.sleep(61)
      return assert(client:machine(name(1))):has_tag "by a colleague"
    end)
    assert.is_true(results[1].value)
  end)

  it("are asked for one by one by single calls, as ever", function()
    begin(60)
    for i = 1, 12 do assert.equal(id(i), r.client:machine(i % 2 == 0 and name(i) or id(i)).id) end
    assert.equal(12, #r:requests())
  end)

  it("are pulled from an iterator no earlier than they are needed", function()
    begin(60)
    local pulled, most = 0, 0
    local done = 0
    local list = iterator(names(8))
    r.client:each(function()
      pulled = pulled + 1
      most = math.max(most, pulled - done)
      return list()
    end, function(item)
      local machine, err = r.client:machine(item)
      done = done + 1
      return machine, err
    end, { parallel = 3 })
    assert.is_true(most <= 4)
  end)

  it("that are none, several, merged or not onboarded get the errors that they get alone", function()
    local client = begin(30, { limits = false, machines = {
      { id = id(1001), computerDnsName = "twin.corp.example" }, { id = id(1002), computerDnsName = "twin" },
      { id = id(1003), computerDnsName = "old.corp.example", healthStatus = "Inactive" },
      { id = id(1005), computerDnsName = "gone.corp.example", mergedIntoMachineId = id(1) },
      { id = id(1006), computerDnsName = "seen.corp.example", onboardingStatus = "CanBeOnboarded" } } })
    local odd = { "twin", "TWIN ", "old", "gone", "seen", id(1005), id(9999), entra(9999), "nowhere", "dekk-1" }
    for _, before in ipairs { 0, 1, 20 } do
      local list = names(before)
      for _, device in ipairs(odd) do list[#list + 1] = device end
      for what, fn in pairs {
        machine = function(device) return client:machine(device) end,
        state = function(device) return client:state(device) end,
        rehearsal = function(device) return client:restrict(device, "why", { dry_run = true }) end,
      } do
        local results = client:each(list, fn)
        for i, device in ipairs(list) do
          local err = select(2, fn(device))
          assert.equal(errors.is(err) and tostring(err) or nil, results[i].err and tostring(results[i].err),
            what .. " of " .. device)
        end
      end
    end
  end)

  it("are tables of their own, also of one machine", function()
    local client = begin(3)
    local results = client:each({ name(1), name(1), id(1), name(1):upper() },
      function(item) return client:machine(item) end)
    for i = 1, 4 do
      assert.equal(id(1), results[i].value.id)
      for j = 1, i - 1 do assert.not_equal(results[j].value, results[i].value) end
    end
  end)

  it("do not wait longer than half of a call's time for those of others, and it asks alone then", function()
    local client = begin(30, { limits = false })
    local send, is_first = r.driver.send, true
    function r.driver.send(request)
      if is_first and request.url:find "filter" then
        is_first = false
        r.driver.sleep(40)
      end
      return send(request)
    end
    local results = client:each({ "desk-1", "desk-2", "desk-3", "desk-4" }, function(item)
      local before = r.driver.now()
      local machine, err = client:machine(item, { timeout = item == "desk-2" and 8 or item == "desk-3" and 0.1 or nil })
      return { machine = machine, err = err, took = r.driver.now() - before }
    end)
    local got = {}
    for i, result in ipairs(results) do got[i] = result.value end
    assert.equal(id(1), got[1].machine.id)
    assert.equal(id(2), got[2].machine.id)
    assert.is_true(got[2].took < 8)
    assert.is_nil(got[3].machine)
    assert.equal("unavailable", got[3].err.kind)
    assert.is_true(got[3].took < 1)
    assert.equal(id(4), got[4].machine.id)
  end)

  it("are asked for alone for a minute where they cannot be asked for together", function()
    local client = begin(30, { limits = false })
    -- All machines cannot be read.
    r:answer({ path = "/machines?$top" }, 200, { value = "none" }, { count = false })
    local list = {}
    for i = 1, 30 do list[i] = name(i) end
    local results = client:each(list, function(item) return client:machine(item) end)
    assert.equal(0, results.failed)
    local lists = 0
    for _, request in ipairs(r:requests()) do
      if request:find("/machines?$top", 1, true) then lists = lists + 1 end
    end
    -- One reading, with its repetitions.
    assert.is_true(lists <= 4)
  end)

  it("get the error that they get alone where nothing can be read", function()
    local client = begin(9, { limits = false })
    r:answer({ path = "/machines" }, 403, { error = { code = "Forbidden", message = "no" } }, { count = false })
    local alone = select(2, client:machine(name(1)))
    local results = client:each({ name(1) }, function(item) return client:machine(item) end)
    assert.equal("permission", results[1].err.kind)
    assert.equal(tostring(alone):gsub("%x+%-%x+%-%x+%-%x+%-%x+", ""),
      tostring(results[1].err):gsub("%x+%-%x+%-%x+%-%x+%-%x+", ""))
  end)

  it("are as this client has changed them, and as they are now where a machine is read again", function()
    local client = begin(30, { limits = false, roles = { "Machine.Read.All", "Machine.ReadWrite.All" } })
    local results = client:each(names(4), function(item)
      for i = 8, 15 do assert(client:machine(name(i))) end
      assert(client:machine(item))
      assert(client:tag(item, "marked"))
      local machine = assert(client:machine(item))
      local marked = machine:has_tag "marked"
      r.tenant:put_machine { id = machine.id, computerDnsName = item, machineTags = { "by a colleague" } }
      return marked and assert(client:machine(machine)):has_tag "by a colleague"
    end)
    for _, result in ipairs(results) do assert.is_true(result.value, tostring(result.err)) end
  end)

  it("are not restricted on a record that is too old, and not said to be absent by an old list", function()
    local client = begin(30, { limits = false, client = { cap = false, protect = { tags = { "tier0" } } } })
    local results = client:each({ "first", name(7) }, function(item)
      if item == "first" then
        for i = 10, 29 do assert(client:machine(name(i))) end
        return true
      end
      r.driver.sleep(100)
      r.tenant:put_machine { id = id(31), computerDnsName = "new-desk" }
      assert.equal(id(31), assert(client:machine "new-desk").id)
      r.tenant:put_machine { id = id(7), computerDnsName = name(7), machineTags = { "tier0" } }
      r.driver.sleep(301)
      return restrict(item)
    end, { parallel = 2 })
    assert.equal("protected", results[2].err.kind)
  end)

  it("are found all the same where what asks raises", function()
    local client = begin(9, { limits = false })
    local send, raised = r.driver.send, 0
    function r.driver.send(request)
      if request.url:find "computerDnsName" and raised == 0 then
        raised = 1
        error("made up", 0)
      end
      return send(request)
    end
    local results = client:each(names(1), function(item) return client:machine(item) end)
    assert.matches("made up", tostring(results[1].err))
    results = client:each({ name(1), name(2), name(3) }, function(item) return client:machine(item) end)
    assert.equal(0, results.failed)
  end)
end)
