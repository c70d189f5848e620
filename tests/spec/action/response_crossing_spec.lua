-- Responses of different kinds on the same devices and in the same client: none hides what another has to know.
-- Labels: not-lua5.3
local clients = require "mde.client"
local rehearsal = require "tests.spec.support.rehearsal"

local ROLES = { "Machine.Read.All", "Machine.ReadWrite.All", "Machine.RestrictExecution", "Machine.Isolate",
  "Machine.Scan", "Machine.StopAndQuarantine", "Machine.CollectForensics" }
local FILE = "3395856ce81f2b7382dee72602f798b642f14140"

local function id(i) return ("%040x"):format(i) end

local function machines(count, fields)
  local list = {}
  for i = 1, count do
    list[i] = { id = id(i), computerDnsName = ("m%d.corp.example"):format(i), osPlatform = "Windows11" }
    for name, value in pairs(fields or {}) do list[i][name] = value end
  end
  return list
end

describe("responses of different kinds", function()
  local r

  local function begin(options)
    local all = { roles = ROLES, limits = false, machines = machines(4) }
    for name, value in pairs(options or {}) do all[name] = value end
    r = rehearsal.new(all)
  end

  it("do not empty each other's lists", function()
    begin()
    r:past(id(2), "restrict", "Succeeded", 100)
    r:past(id(3), "release", "Succeeded", 60)
    r:past(id(4), "release", "Pending", 60)
    local decided_at = r.tenant.clock.now() - 600
    local results = r.client:each({ 1, 2, 3, 4 }, function(i)
      local action, err = r.client:restrict(id(i), "why", i == 3 and { decided_at = decided_at } or nil)
      if i == 1 then assert(r.client:isolate(id(1), "why")) end
      return action and action.outcome, err
    end, { parallel = 1 })
    assert.equal("accepted", results[1].value)
    assert.equal("already_active", results[2].value)
    assert.equal("call_overtaken", results[3].err.code)
    assert.equal("opposite_pending", results[4].err.code)
  end)

  it("leave each other's notes to those that wait", function()
    -- Nothing but what is sent is counted: nobody's record is read.
    begin { machines = machines(6), client = { limits = { per_hour = 3 }, cap = false,
      protect = { servers = false, device_values = {} } } }
    r:past(id(1), "restrict", "Succeeded", 900)
    r:past(id(1), "release", "Succeeded", 800)
    r:past(id(1), "restrict", "Pending", 700, { type = "CollectInvestigationPackage" })
    for i = 2, 4 do assert(r.client:restrict(id(i), "another", { look = false })) end
    assert.equal(3, #r:requests())
    local results, left, ended = {}, 3, r.driver.gate()
    local function at(seconds, name, call)
      r.driver.spawn(function()
        r.driver.sleep(seconds)
        results[name] = { call() }
        left = left - 1
        if left == 0 then ended:open() end
      end)
    end
    at(0, "restrict", function() return r.client:restrict(id(1), "one") end)
    at(1800, "release", function() return r.client:release(id(1), "cleared") end)
    at(1801, "collect", function() return r.client:collect(id(1), "evidence") end)
    ended:wait()
    assert.equal("already_active", results.release[1].outcome)
    assert.equal("already_active", results.collect[1].outcome)
    assert.is_nil(results.restrict[1])
    assert.equal("superseded", results.restrict[2].kind)
  end)

  -- Two workers use one key for the two scopes, and the service folds the second into the first, which no list shows
  -- for so long.
  for lag, reason in pairs { [0.1] = false, [2] = "came before it or after cannot be told",
    [30] = "its list of actions does not show it" } do
    it(("of one key are unknown where the answer is of another scope, and lists lag by %g s"):format(lag), function()
      begin { lists = { lag = lag }, duplicates = "pending", client = { cap = false } }
      local other = assert(clients.new { tenant_id = r.tenant.tenant_id, client_id = r.tenant.client_id,
        credential = r.tenant.client_secret, driver = r.driver, limits = false })
      local first = assert(r.client:isolate(id(1), "C2", { key = "alert-4711", isolation_type = "Selective" }))
      if not reason then r.driver.sleep(1) end
      local action, err = other:isolate(id(1), "C2", { key = "alert-4711", isolation_type = "Full" })
      assert.is_nil(action)
      if not reason then return assert.same({ "conflict", "another_scope" }, { err.kind, err.code }) end
      assert.same({ "unknown", "answer_of_another", "alert-4711", "Full", true },
        { err.kind, err.code, err.operation_id, err.subject, err.keyed })
      assert.matches("the answer is about an action of another scope (Isolate, Selective and not Full, Pending), which "
        .. "this key may have made before; ", err.message, 1, true)
      assert.matches(reason, err.message, 1, true)
      assert.same({ "isolate", "isolate" }, r:posts())
      assert.equal(1, r:count "action_created")
      -- Asked again, nobody knows still.
      r.driver.sleep(60)
      local found, problem = other:find_action(err)
      assert.is_nil(found)
      assert.same({ "unknown", "perhaps_this_action", first.id }, { problem.kind, problem.code, problem.action.id })
      assert.matches("(Isolate, Selective, Succeeded) has the key, but is of another scope", problem.message, 1, true)
    end)
  end

  it("under a key are unknown where the answer says no scope that can be read, and has failed", function()
    begin()
    for _, scope in ipairs { 7, { "Full" }, true } do
      r:answer({ method = "POST", path = "/isolate" }, 201, { id = "5c1f9a52-0000-4000-8000-000000000001",
        type = "Isolate", status = "Failed", machineId = id(1), scope = scope,
        requestorComment = "C2 [mde:alert-4711]", creationDateTimeUtc = "2020-01-01T00:00:00Z" })
      local action, err = r.client:isolate(id(1), "C2", { key = "alert-4711", resend = false })
      assert.is_nil(action)
      assert.same({ "unknown", "answer_of_another" }, { err.kind, err.code })
    end
  end)

  it("uncontain does not let an isolated device onto the network", function()
    local list = machines(1)
    list[2] = { id = id(2), computerDnsName = "m1.corp.example", osPlatform = "Windows10",
      onboardingStatus = "CanBeOnboarded" }
    begin { machines = list }
    assert.equal("Succeeded", assert(r.client:isolate("m1", "C2", { incident = "INC-1" })):wait())
    assert.equal("Succeeded", assert(r.client:contain(id(2), "rogue")):wait())
    for _, device in ipairs { "m1", id(1) } do
      local action, err = r.client:uncontain(device, "found out")
      assert.is_nil(action)
      assert.equal("onboarded", err.code)
    end
    assert.equal("isolated", (r.client:state(id(1), { of = "isolate" })))
    assert.equal("accepted", assert(r.client:uncontain(id(2), "found out")).outcome)
  end)

  it("contain is refused for an onboarded device, whatever is lifted", function()
    begin { client = { protect = { servers = false, device_values = {} }, cap = false } }
    for _, options in ipairs { {}, { allow = { "servers", "device_values" } }, { dry_run = true } } do
      assert.equal("onboarded", select(2, r.client:contain("m1", "why", options)).code)
    end
    assert.same({}, r:posts())
  end)

  it("contain does not rest on an isolation", function()
    begin { machines = machines(1, { onboardingStatus = "CanBeOnboarded" }) }
    r:past(id(1), "restrict", "Succeeded", 60, { type = "Isolate", scope = "Full",
      requestorComment = "why [mde:INC-1:operation-1]" })
    assert.equal("accepted", assert(r.client:contain("m1", "why", { incident = "INC-1" })).outcome)
  end)

  it("are not found in a list that does not say which they are", function()
    begin()
    for _, verb in ipairs { "isolate", "scan", "quarantine", "restrict" } do
      r:answer({ path = "machineactions" }, 200, { value = { { status = "Pending", machineId = id(1),
        type = ({ isolate = "Isolate", scan = "RunAntiVirusScan", quarantine = "StopAndQuarantineFile",
          restrict = "RestrictCodeExecution" })[verb] } } })
      local action, err = r.client:find_action { verb = verb, machine_id = id(1), operation_id = "operation-1" }
      assert.is_nil(action)
      assert.equal("list_incomplete", err.code, verb)
    end
  end)

  it("tell where the list does not say in which scope a device is isolated", function()
    begin()
    r:past(id(1), "restrict", "Succeeded", 60, { type = "Isolate" })
    local action = assert(r.client:isolate("m1", "why"))
    assert.equal("already_active", action.outcome)
    assert.is_true(action.scope_unknown)
    r:past(id(2), "restrict", "Succeeded", 60, { type = "Isolate", scope = "Full" })
    assert.is_nil(assert(r.client:isolate("m2", "why")).scope_unknown)
  end)

  it("take what is without effect for a mistake", function()
    begin()
    for _, verb in ipairs { "scan", "collect" } do
      local err = rehearsal.refused(r.client[verb], r.client, "m1", "why", { cancel_opposite = true })
      assert.equal("option_without_effect", err.code)
    end
    assert.equal("sha1_missing", rehearsal.refused(r.client.cap, r.client, "quarantine").code)
  end)

  it("count a file's quarantines in either case of its hash", function()
    begin { client = { cap = { quarantine = 1 } } }
    local upper = FILE:gsub("%l", function(letter) return string.char(letter:byte() - 32) end)
    assert(r.client:quarantine("m1", "why", { sha1 = upper }))
    assert.equal(0, r.client:cap("quarantine", upper).remaining)
    assert.equal("cap", select(2, r.client:quarantine("m2", "why", { sha1 = FILE })).rule)
  end)

  it("keep the limit of the package link inside each, whatever the reserve", function()
    r = rehearsal.new { roles = ROLES, machines = machines(1), client = { reserve = 10 } }
    local action = assert(r.client:collect("m1", "evidence"))
    action:wait()
    local results = r.client:each({ 1, 2, 3, 4 }, function() return r.client:package_link(action) end)
    assert.equal(0, results.failed)
    for _, entry in ipairs(r.tenant.history) do assert.are_not.equal(429, entry.status) end
  end)

  it("do not show the link of a package to those who watch", function()
    local told = {}
    local json = require "mde.sim.base.json"
    begin { client = { on_event = function(event) told[#told + 1] = json.encode(event) end } }
    local action = assert(r.client:collect("m1", "evidence"))
    action:wait()
    local link = assert(r.client:package_link(action))
    local token = assert(link:match "token=(.+)$")
    assert.is_nil(table.concat(told):find(token:sub(1, 12), 1, true))
  end)
end)
