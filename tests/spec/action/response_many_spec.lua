-- Many devices at once: a POST for each, and at most ten other requests, since what is listed is shared.
-- Labels: sanitized, not-lua5.3

local core = require "mde.core"
local rehearsal = require "tests.spec.support.rehearsal"

local SHA1 = "3395856ce81f2b7382dee72602f798b642f14140"
local MAX_READS = 10

local all_roles = { "Machine.Read.All", "Machine.Isolate", "Machine.Scan", "Machine.StopAndQuarantine",
  "Machine.CollectForensics" }

local function id(i) return ("%040x"):format(i) end

describe("many devices at once", function()
  local function check(verb, count, options, by_name)
    local machines, list = {}, {}
    local is_unmanaged = core.response_actions[verb].is_unmanaged
    for i = 1, count do
      machines[i] = { id = id(i), computerDnsName = ("m%d.corp.example"):format(i), osPlatform = "Windows11",
        onboardingStatus = is_unmanaged and "CanBeOnboarded" or nil }
      list[i] = by_name and machines[i].computerDnsName or id(i)
    end
    local r = rehearsal.new { unguarded = true, machines = machines, roles = all_roles }
    local results = r.client:each(list, function(device)
      return r.client[verb](r.client, device, "worm", options)
    end)
    assert.equal(0, results.failed, tostring(results[1].err))
    assert.equal(count, #r:posts())
    assert.equal(count, r:count "action_created")
    local reads = #r:requests() - count
    assert.is_true(reads <= MAX_READS, ("%d reads for %s"):format(reads, verb))
    for i, result in ipairs(results) do
      assert.equal("accepted", result.value.outcome)
      assert.equal(id(i), result.value.machineId)
    end
    -- Once more: what holds is so already, and nothing is sent.
    if not core.response_actions[verb].holds then return end
    r.tenant:advance(300)
    local before = #r:requests()
    results = r.client:each(list, function(device) return r.client[verb](r.client, device, "worm", options) end)
    assert.equal(0, results.failed)
    assert.equal("already_active", results[count].value.outcome)
    assert.equal(count, #r:posts())
    assert.is_true(#r:requests() - before <= MAX_READS)
  end

  for verb, case in pairs {
    isolate = { 500, { isolation_type = "Selective" } }, unisolate = { 300 }, scan = { 300, { scan_type = "Full" } },
    collect = { 300 }, quarantine = { 300, { sha1 = SHA1 } },
  } do
    it(("are %d POSTs: %s"):format(case[1], verb), function() check(verb, case[1], case[2], true) end)
  end

  it("are as many POSTs by their ids", function() check("isolate", 200, nil, false) end)
  it("are as many POSTs where they are not onboarded", function() check("contain", 100, nil, true) end)
end)
