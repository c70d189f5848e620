-- The machines and actions that a query selects, one after the other.
-- Labels: not-lua5.3, long

local core = require "mde.core"
local errors = require "mde.base.error"
local mde = require "mde"
local rehearsal = require "tests.spec.support.rehearsal"
local script = require "tests.spec.support.process.script"

local function id(i)
  return ("%040x"):format(0xe0000 + i)
end

local function small(options)
  local machines = {}
  for i = 1, 5 do
    machines[i] = { id = id(i), computerDnsName = ("desk-%d.corp.example"):format(i), osPlatform = "Windows11",
      riskScore = i % 2 == 1 and "High" or "Low", machineTags = { "desk", i == 1 and "front" or nil } }
  end
  options = options or {}
  options.machines = machines
  return rehearsal.new(options)
end

local function ids(iterator)
  local list = {}
  for machine in iterator do list[#list + 1] = machine.id end
  table.sort(list)
  return list
end

-- An iterator over pages that `answer` makes up, from how often it was asked.
local function made_up(r, answer)
  local asked = 0
  function r.client.exchange.call()
    asked = asked + 1
    return answer(asked)
  end
  return r.client:machines "all"
end

local function page(first, last)
  local rows = {}
  for i = first, last do
    rows[#rows + 1] = { id = id(i), lastSeen = os.date("!%Y-%m-%dT%H:%M:%SZ", 1770000000 + i) }
  end
  return { value = rows }
end

describe("the machines of a query", function()
  it("come one after the other and are asked for once", function()
    local r = small()
    assert.same({ id(1), id(3), id(5) }, ids(r.client:machines { riskScore = "High" }))
    assert.same({ "GET /api/machines?$filter=riskScore%20eq%20%27High%27&$top=10000" }, r:requests())
  end)

  it("are not asked for before the first is wanted, nor after the last", function()
    local r = small()
    local next_machine = r.client:machines "all"
    assert.same({}, r:requests())
    for _ = 1, 5 do assert.is_table(next_machine()) end
    for _ = 1, 3 do assert.is_nil(next_machine()) end
    assert.same({ "GET /api/machines?$top=10000" }, r:requests())
  end)

  it("can be asked and acted on", function()
    local r = small()
    local machine = r.client:machines { machineTags = mde.has "front" }()
    assert.equal(id(1), machine.id)
    assert.is_true(machine:has_tag "DESK")
    assert.equal("desk-1.corp.example", tostring(machine))
    assert.equal("accepted", assert(machine:restrict "why").outcome)
    assert.equal("restricting", assert(machine:state()))
  end)

  it("were read when their page was asked for, however long the loop takes", function()
    local r = small { latency = 7 }
    assert(r.client:machine(id(1)))
    local before, next_machine = r.driver.now(), r.client:machines "all"
    local first = next_machine()
    assert.equal(before, r.client.inventory:record_of(first).read_at)
    r.driver.sleep(3600)
    assert.equal(before, r.client.inventory:record_of(next_machine()).read_at)
  end)

  it("of several queries at once come once each", function()
    local r = small()
    local names = {}
    for i = 1, 400 do names[i] = ("desk-%d.corp.example"):format(i % 7) .. (i > 7 and (" "):rep(i) or "") end
    assert.same({ id(1), id(2), id(3), id(4), id(5) }, ids(r.client:machines { computerDnsName = names }))
    assert.truthy(#r:requests() > 1)
    for _, request in ipairs(r:requests()) do assert.truthy(#request < 8000) end
  end)

  it("are none where the service calls that not found", function()
    local r = small()
    r:answer({ path = "/machines?" }, 404, { error = { code = "ResourceNotFound", message = "none" } })
    assert.same({}, ids(r.client:machines { riskScore = "High" }))
  end)

  it("are an error where everything is not found", function()
    local r = small()
    r:answer({ path = "/machines?" }, 404, { error = { code = "ResourceNotFound", message = "none" } })
    local ok, err = pcall(r.client:machines "all")
    assert.is_false(ok)
    assert.equal("not_found", err.kind)
  end)

  it("are asked for again if a page is lost on its way", function()
    local r = small()
    r:fault { match = { path = "/machines?" }, fault = "cut", at = "half", count = 2 }
    r:answer({ path = "/machines?", nth = 3 }, 429, "", { headers = { ["Retry-After"] = "20" } })
    assert.equal(5, #ids(r.client:machines "all"))
    assert.equal(4, #r:requests())
  end)

  it("are an error if a page stays lost, each time it is asked", function()
    local r = small()
    r:fault { match = { path = "/machines?" }, fault = "gone", count = false }
    local next_machine = r.client:machines { riskScore = "High" }
    for _ = 1, 2 do
      local ok, err = pcall(next_machine)
      assert.is_false(ok)
      assert.is_true(errors.is(err))
      assert.equal("unavailable", err.kind)
      assert.truthy(tostring(err):find("machines where riskScore eq 'High': ", 1, true), tostring(err))
    end
  end)

  it("end in an error where a page in the middle fails, after all before it", function()
    local r = small()
    local down = errors.new { kind = "unavailable", code = "connect", message = "down" }
    local next_machine = made_up(r, function(asked)
      if asked == 1 then return page(1, 10000) end
      return nil, down
    end)
    for i = 1, 10000 do assert.equal(id(i), next_machine().id) end
    for _ = 1, 2 do
      local ok, err = pcall(next_machine)
      assert.is_false(ok)
      assert.equal("all machines: down", tostring(err))
    end
  end)

  it("end in an error where the service repeats a page for ever", function()
    local r = small()
    local next_machine = made_up(r, function() return page(1, 10000) end)
    for i = 1, 10000 do assert.equal(id(i), next_machine().id) end
    local ok, err = pcall(next_machine)
    assert.is_false(ok)
    assert.equal("protocol", err.kind)
    assert.truthy(err.message:find("repeating a page", 1, true))
  end)

  it("are all that can be told apart, each with what it says", function()
    local r = small()
    local warnings = {}
    r.client.exchange.trace.tell = function(_, event)
      if event.event == "warning" then warnings[#warnings + 1] = event.message end
    end
    r:answer({ path = "/machines?" }, 200, { value = { { name = "no id" }, { id = id(1), machineTags = "tier0" }, 7,
      { id = id(2), osPlatform = 11 } } }, { count = false })
    local found = {}
    for machine in r.client:machines "all" do found[#found + 1] = machine end
    assert.same({ { id = id(1), machineTags = { "tier0" } }, { id = id(2) } }, found)
    assert.equal(1, #warnings)
    assert.matches("list of machines has 2 that cannot be identified", warnings[1])
  end)

  it("are pulled by one of many tasks at a time, each machine once", function()
    local r = small()
    local under_way, most, asked = 0, 0, 0
    function r.client.exchange.call()
      asked = asked + 1
      under_way = under_way + 1
      most = math.max(most, under_way)
      r.driver.sleep(1)
      under_way = under_way - 1
      if asked == 1 then return page(1, 10000) end
      return asked == 3 and page(9000, 10050) or { value = {} }
    end
    local seen, tasks, done = {}, 8, r.driver.gate()
    local next_machine, count = r.client:machines "all", 0
    for _ = 1, tasks do
      r.driver.spawn(function()
        for machine in next_machine do
          assert(not seen[machine.id], "twice")
          seen[machine.id], count = true, count + 1
          if count % 1000 == 0 then r.driver.sleep(0.5) end
        end
        tasks = tasks - 1
        if tasks == 0 then done:open() end
      end)
    end
    done:wait()
    assert.equal(10050, count)
    assert.equal(3, asked)
    assert.equal(1, most)
  end)

  it("are what each takes, and a page that fails ends it", function()
    local r = small()
    local results = r.client:each(r.client:machines "all", function(machine) return machine:restrict "why" end)
    assert.equal(5, #results)
    assert.equal(0, results.failed)
    r:fault { match = { path = "/machines?" }, fault = "gone", count = false }
    local ok, err = pcall(r.client.each, r.client, r.client:machines "all", function() end)
    assert.is_false(ok)
    assert.equal("unavailable", err.kind)
  end)

  it("take no option that does not exist", function()
    local r = small()
    assert.truthy(rehearsal.refused(r.client.machines, r.client, "all", { time_out = 3 }).hint:find("timeout", 1, true))
  end)

  it("have so many seconds for each page, not for all", function()
    local r = small { latency = 4 }
    assert(r.client:machine(id(1)))
    local next_machine = r.client:machines("all", { timeout = 5 })
    next_machine()
    r.driver.sleep(100)
    for _ = 1, 4 do assert.is_table(next_machine()) end
    local ok, err = pcall(r.client:machines("all", { timeout = 3 }))
    assert.is_false(ok)
    assert.equal("unavailable", err.kind)
  end)

  it("raise where the environment describes no client, as in the head of a for", function()
    local output = script.run([[
      local ok, err = pcall(require("mde").machines, "all")
      print(ok, err.kind, (tostring(err):match "AZURE_TENANT_ID"))
    ]], { environment = { AZURE_TENANT_ID = "", AZURE_CLIENT_ID = "", AZURE_CLIENT_SECRET = "" } })
    assert.equal("false\tinvalid\tAZURE_TENANT_ID\n", output)
  end)
end)

describe("more machines than a page holds", function()
  local COUNT = 15000
  local r, asked

  setup(function()
    local machines = {}
    for i = 1, COUNT do
      machines[i] = { id = id(i), computerDnsName = ("desk-%d"):format(i), healthStatus = "Active",
        lastSeen = os.date("!%Y-%m-%dT%H:%M:%SZ", 1770000000 + i % 40000) }
    end
    machines[COUNT + 1] = { id = id(COUNT + 1), healthStatus = "Inactive" }
    r = rehearsal.new { machines = machines, limits = false }
  end)

  before_each(function()
    r.tenant.faults:clear()
    asked = #r:requests()
  end)

  it(("come once each, %d of them"):format(COUNT), function()
    local seen, count = {}, 0
    for machine in r.client:machines { healthStatus = "Active" } do
      assert(not seen[machine.id], "twice")
      seen[machine.id], count = true, count + 1
    end
    assert.equal(COUNT, count)
    assert.is_nil(seen[id(COUNT + 1)])
    assert.is_true(#r:requests() - asked <= 30, ("%d requests"):format(#r:requests() - asked))
  end)

  it("end in an error where a page in the middle stays lost, and it says of what", function()
    r:fault { match = { path = "/machines?", nth = 2 }, fault = "gone", count = false }
    local count = 0
    local ok, err = pcall(function()
      for _ in r.client:machines { healthStatus = "Active" } do count = count + 1 end
    end)
    assert.is_false(ok)
    assert.is_true(errors.is(err))
    assert.equal("unavailable", err.kind)
    assert.truthy(tostring(err):find("machines where healthStatus eq 'Active': ", 1, true), tostring(err))
    assert.is_true(count >= 10000 and count < COUNT)
  end)

  it("end in an error where the service gives the same page for ever", function()
    local rows = {}
    for i = 1, 10000 do
      rows[i] = ('{"id":"%s","lastSeen":"%s"}'):format(id(i), os.date("!%Y-%m-%dT%H:%M:%SZ", 1770000000 + i))
    end
    r:answer({ path = "/machines?" }, 200, '{"value":[' .. table.concat(rows, ",") .. "]}", { count = false })
    local count = 0
    local ok, err = pcall(function()
      for _ in r.client:machines "all" do count = count + 1 end
    end)
    assert.is_false(ok)
    assert.equal("protocol", err.kind)
    assert.equal(10000, count)
    assert.equal(2, #r:requests() - asked)
  end)

  it("end in an error where the service links to another host, which is not asked", function()
    for _, link in ipairs { "https://elsewhere.example/api/machines?$skip=2", "/api/machines?$skip=2", "",
      "http://api.security.microsoft.com/api/machines?$skip=2" } do
      r.tenant.faults:clear()
      r:answer({ path = "/machines?" }, 200, { value = { { id = id(1) } }, ["@odata.nextLink"] = link },
        { count = false })
      local before, sent = #r:requests(), {}
      local send = r.driver.send
      r.driver.send = function(request)
        sent[#sent + 1] = request.url
        return send(request)
      end
      local ok, err = pcall(r.client:machines "all")
      r.driver.send = send
      assert.is_false(ok)
      assert.equal("protocol", err.kind)
      assert.truthy(err.message:find("no link is followed", 1, true))
      assert.equal(1, #r:requests() - before)
      for _, url in ipairs(sent) do assert.is_nil(url:find("elsewhere", 1, true)) end
    end
  end)
end)

describe("so long ago", function()
  for _, hours in ipairs { -5, 5 } do
    -- A client that has asked for nothing yet, and a service whose clock is so many hours off.
    local function new()
      local start = os.time() + hours * 3600
      local function seen(ago) return rehearsal.time(start - ago) end
      return rehearsal.new { start = start, machines = {
        { id = id(1), lastSeen = seen(600), lastIpAddress = "192.0.2.1" },
        { id = id(2), lastSeen = seen(3 * 3600), lastIpAddress = "192.0.2.2" },
        { id = id(3), lastSeen = seen(30 * 3600), lastIpAddress = "192.0.2.3" },
      } }
    end

    it(("is told by the service's clock, %d hours off, in a client's first query of machines"):format(hours), function()
      assert.same({ id(1) }, ids(new().client:machines { lastSeen = mde.ge(mde.ago "1h") }))
      assert.same({ id(2), id(3) }, ids(new().client:machines { lastSeen = mde.lt(mde.ago "2h") }))
    end)

    it(("is told by the service's clock, %d hours off, in a client's first query of actions"):format(hours), function()
      local r = new()
      local recent = r:past(id(1), "restrict", "Succeeded", 600)
      r:past(id(2), "restrict", "Succeeded", 3 * 3600)
      assert.same({ recent.id }, ids(r.client:actions { creationDateTimeUtc = mde.ge(mde.ago "1h") }))
    end)

    it(("is told by the service's clock, %d hours off, where an address is asked for first"):format(hours), function()
      local r = new()
      local at = r.tenant.clock.now() - 3600
      local machine, err = r.client:machine { ip = "192.0.2.1", at = mde.ago "1h" }
      assert.is_true(machine ~= nil or err.kind == "not_found")
      local asked = core.timestamp.read(r:requests()[#r:requests()]:match "timestamp=([^)]+)")
      assert.is_true(math.abs(asked - at) < 60)
    end)

    it(("is told by the service's clock, %d hours off, where incidents are asked for first"):format(hours), function()
      local r = new()
      r:past(id(1), "restrict", "Succeeded", 600, { requestorComment = "why [mde:INC-1:aaaaaaaaaaaaaaaaaaaaaaaaaa]" })
      r:past(id(2), "restrict", "Succeeded", 3 * 3600,
        { requestorComment = "why [mde:INC-1:bbbbbbbbbbbbbbbbbbbbbbbbbb]" })
      local list = assert(r.client:restricted { incident = "INC-1", since = mde.ago "1h" })
      assert.equal(1, #list)
      assert.equal(id(1), list[1].id)
    end)
  end

  it("is not asked for where the client cannot sign in, and that is the error", function()
    local r = rehearsal.new { client = { credential = "wrong" } }
    local ok, err = pcall(r.client:machines { lastSeen = mde.ge(mde.ago "1h") })
    assert.is_false(ok)
    assert.equal("auth", err.kind)
    assert.truthy(tostring(err):find "^machines where lastSeen ge ")
    assert.same({}, r:requests())
    local machine, problem = r.client:machine { ip = "192.0.2.1", at = mde.ago "1h" }
    assert.is_nil(machine)
    assert.equal("auth", problem.kind)
  end)

  it("is what the query was when it was made, whatever becomes of its table", function()
    local r = small()
    local values = { "High" }
    local query = { riskScore = values }
    local next_machine = r.client:machines(query)
    values[1], query.riskScore, query.computerDnsName = "Low", nil, "desk-1.corp.example"
    assert.same({ id(1), id(3), id(5) }, ids(next_machine))
  end)
end)

describe("the actions of a query", function()
  it("come one after the other, as actions", function()
    local r = small()
    local action = assert(r.client:restrict(id(1), "why", { incident = "INC-1" }))
    assert(r.client:restrict(id(2), "why"))
    local found = {}
    for one in r.client:actions { machineId = id(1), status = { "Pending", "InProgress" } } do
      found[#found + 1] = one
    end
    assert.equal(1, #found)
    assert.equal(action.id, found[1].id)
    assert.equal("INC-1", found[1].incident)
    assert.equal(action.operation_id, found[1].operation_id)
    assert.equal("Succeeded", found[1]:wait())
  end)

  it("are all that can be told apart, each with what it says", function()
    local r = small()
    local odd = { id = id(1), requestorComment = 7, status = 5 }
    r:answer({ path = "/machineactions?" }, 200, { value = { odd, { type = "x" } } }, { count = false })
    local found = {}
    for action in r.client:actions "all" do found[#found + 1] = action end
    assert.same({ { id = id(1), requestorComment = "7" } }, found)
  end)

  it("are an error if they cannot be read", function()
    local r = rehearsal.new { roles = { "Machine.RestrictExecution" } }
    local ok, err = pcall(r.client:actions { creationDateTimeUtc = mde.ge(mde.ago "1d") })
    assert.is_false(ok)
    assert.equal("permission", err.kind)
    assert.truthy(tostring(err):find("^actions where creationDateTimeUtc ge "))
  end)
end)
