-- Restrictions that end by themselves: the end stands in the comment, a sweep releases what has expired, never early,
-- never twice, and never what something else holds.
-- Labels: sanitized

local core = require "mde.core"
local past = require "tests.spec.support.past"
local posix = require "mde.posix"
local rehearsal = require "tests.spec.support.rehearsal"

local id, names = past.id, past.names

describe("a restriction with an end", function()
  local r

  before_each(function() r = past.rehearsal() end)

  local function now() return r.tenant.clock.now() end

  -- Releases what has expired; how many.
  local function sweep(client)
    client = client or r.client
    local released = {}
    for _, machine in ipairs(assert(client:expired())) do
      local action, err = client:release(machine, "the time is up", { expired = true })
      released[#released + 1] = { machine = machine, action = action, err = err }
    end
    return released
  end

  local function posts(verb)
    r.tenant:settle()
    local count = 0
    for _, request in ipairs(r:posts()) do
      if request == verb then count = count + 1 end
    end
    return count
  end

  it("says until when in its comment, and in the action", function()
    local action = assert(r.client:restrict(id(1), "beacon", { release_after = "8h", incident = "INC-1" }))
    assert.is_true(math.abs(action.expires_at - (now() + 8 * 3600)) <= 2)
    assert.truthy(action.requestorComment:find("%[mde:INC%-1:%w+%.until%.%d%d%d%d%d%d%d%d%d%d%]$"))
    assert.equal(action.expires_at, core.comment.expiry(action.operation_id))
    assert.is_nil(assert(r.client:restrict(id(2), "beacon")).expires_at)
  end)

  it("counts its time from when it leaves, and is not sent where little of that is left", function()
    r = past.rehearsal()
    local driver = r.driver
    local send = driver.send
    -- The sign-in takes a minute, which is not counted.
    function driver.send(request)
      if request.url:find("oauth2", 1, true) then driver.sleep(40) end
      return send(request)
    end
    local action = assert(r.client:restrict(id(1), "beacon", { release_after = "30m" }))
    assert.is_true(action.expires_at - now() > 1790, tostring(action.expires_at - now()))
    -- Another change of the device holds it up, right before it leaves.
    local leaving = false
    function driver.send(request)
      if request.method == "GET" and request.url:find("machineactions", 1, true) and not leaving then
        leaving = true
        driver.sleep(400)
      end
      return send(request)
    end
    local late, err = r.client:restrict(id(2), "beacon", { release_after = "10m" })
    assert.is_nil(late)
    assert.same({ "unavailable", "end_too_near" }, { err.kind, err.code })
    assert.equal(1, posts "restrictCodeExecution")
  end)

  it("is released by a sweep a minute after its end, and not before", function()
    assert(r.client:restrict(id(1), "beacon", { release_after = 3600 }))
    local other = assert(r.client:restrict(id(2), "beacon"))
    assert(other:wait { timeout = 600 })
    local ends = now() + 3600 - 300
    while now() < ends do r.driver.sleep(ends - now()) end
    assert.same({}, sweep())
    r.driver.sleep(300 + 58)
    assert.same({}, sweep())
    r.driver.sleep(10)
    local released = sweep()
    assert.equal(1, #released)
    assert.equal(id(1), released[1].machine.id)
    assert.equal("accepted", assert(released[1].action).outcome)
    assert(released[1].action:wait { timeout = 600 })
    assert.same({}, sweep())
    assert.equal(1, posts "unrestrictCodeExecution")
    assert.equal("restricted", (r.client:state(id(2))))
  end)

  it("is cancelled by a sweep where its device has not come back until then", function()
    past.happened(r, 1, { "restrict", "Pending", 8000,
      ("why [mde:operation-1.until.%d]"):format(math.floor(now() - 100)) })
    local released = sweep()
    assert.equal(1, #released)
    assert.truthy(released[1].action, tostring(released[1].err))
    assert.equal(1, posts "cancel")
  end)

  -- What holds device 1 beside a restriction that ended an hour ago, and whether a sweep leaves it; and for whom.
  for what, case in pairs {
    ["nothing"] = { {}, nil },
    ["one that ended before"] = { { { "restrict", "Succeeded", 7000,
      "why [mde:INC-9:before-1.until.1000000001]" } }, nil },
    ["one of its own incident without an end"] = { { { "restrict", "Succeeded", 7000, "INC-1" } }, "INC-1" },
    ["one of another incident"] = { { { "restrict", "Succeeded", 7000, "INC-2" } }, "INC-2" },
    ["one by hand, since then"] = { { { "restrict", "Succeeded", 100 } }, "by hand (somebody.else@corp.example)" },
    ["one by hand, pending"] = { { { "restrict", "Pending", 100 } }, "by hand (somebody.else@corp.example)" },
    ["one by hand, in vain"] = { { { "restrict", "Failed", 100 } }, nil },
    ["one that ends much later"] = { { { "restrict", "Succeeded", 7000, "why [mde:INC-1:later-01.until.9999999999]" } },
      "INC-1 until 2286-11-20T17:46:39Z" },
  } do
    it("is held too by " .. what, function()
      past.happened(r, 1, { "restrict", "Succeeded", 8000,
        ("why [mde:INC-1:operation-1.until.%d]"):format(math.floor(now() - 3600)) })
      for _, action in ipairs(case[1]) do past.happened(r, 1, action) end
      local expired = assert(r.client:expired())
      assert.equal(case[2] and "" or "01", names(expired))
      assert.equal(case[2] and "01" or "", names(expired.shared))
      if case[2] then assert.same({ case[2] }, expired.shared[1].incidents) end
      local action, err = r.client:release(id(1), "the time is up", { expired = true })
      assert.equal(case[2] == nil, action ~= nil)
      if err then
        assert.same({ "conflict", "held_by_others" }, { err.kind, err.code })
        assert.equal(0, posts "unrestrictCodeExecution")
      end
    end)
  end

  it("is left where somebody restricts the device between the list and the release", function()
    past.happened(r, 1, { "restrict", "Succeeded", 8000,
      ("why [mde:INC-1:operation-1.until.%d]"):format(math.floor(now() - 3600)) })
    local machine = assert(r.client:expired())[1]
    past.happened(r, 1, { "restrict", "Succeeded", 0, "INC-2" })
    local _, err = r.client:release(machine, "the time is up", { expired = true })
    assert.equal("held_by_others", err.code)
    assert.equal(0, posts "unrestrictCodeExecution")
  end)

  it("is extended by a later one, and made to last by one without an end", function()
    assert(assert(r.client:restrict(id(1), "beacon", { release_after = "1h", incident = "INC-1" })):wait())
    local later = assert(r.client:restrict(id(1), "beacon", { release_after = "3h", incident = "INC-1" }))
    assert.equal("accepted", later.outcome)
    assert(later:wait())
    local again = assert(r.client:restrict(id(1), "beacon", { release_after = "3h", incident = "INC-1" }))
    assert.equal("already_active", again.outcome)
    r.driver.sleep(2 * 3600)
    assert.same({}, sweep())
    local kept = assert(r.client:restrict(id(1), "beacon", { incident = "INC-1" }))
    assert.equal("accepted", kept.outcome)
    assert(kept:wait())
    assert.equal("already_active", assert(r.client:restrict(id(1), "beacon")).outcome)
    r.driver.sleep(10 * 3600)
    assert.same({}, sweep())
    assert.equal("restricted", (r.client:state(id(1))))
  end)

  it("says so where the service cuts its end off the comment", function()
    r = rehearsal.new { limits = false, unguarded = true, comment_limit = 30 }
    local action = assert(r.client:restrict("laptop-17", "beacon to a known host", { release_after = "1h" }))
    assert.same({ true, true }, { action.comment_cut, action.end_lost })
    assert.is_nil(action.expires_at)
    assert.is_nil(assert(r.client:restrict("laptop-18", "beacon to a known host")).end_lost)
  end)

  it("is known again by its key", function()
    local first = assert(r.client:restrict(id(1), "beacon", { release_after = "1h", key = "alert-4711" }))
    assert.truthy(first.operation_id:find "^alert%-4711%.until%.%d+$")
    assert(first:wait())
    r.driver.sleep(1800)
    local again = assert(r.client:restrict(id(1), "beacon", { release_after = "1h", key = "alert-4711" }))
    assert.equal("already_active", again.outcome)
    assert.equal(first.id, again.id)
  end)

  it("is not released without a look", function()
    local err = rehearsal.refused(r.client.release, r.client, id(1), "x", { expired = true, look = false })
    assert.equal("claim_without_look", err.code)
    err = rehearsal.refused(r.client.release, r.client, id(1), "x", { expired = true, operations = { "abcdefgh" } })
    assert.equal("contradictory_options", err.code)
  end)

  -- Two hosts sweep twice a day for 40 days, or MDE_EXPIRY_DAYS; every day something is restricted, for hours or days,
  -- under keys and without, by this client and by hand. One clock of three is an hour off, now fast, now slow.
  describe("over months", function()
    local days = core.number.read(os.getenv "MDE_EXPIRY_DAYS" or "40")
    local real = posix.clock.time
    after_each(function() posix.clock.time = real end)

    it("is never released early, never twice, and never where something else holds the device", function()
      local off = 0
      posix.clock.time = function() return now() + off end
      math.randomseed(19)
      local clients = { r.client, assert(require("mde.client").new { tenant_id = r.tenant.tenant_id,
        client_id = r.tenant.client_id, credential = r.tenant.client_secret, driver = r.driver, limits = false,
        cap = false }) }
      local ends, kept, sent, released = {}, {}, 0, 0
      for day = 1, days do
        off = ({ 0, 3600, -3600 })[day % 3 + 1]
        local number = day % 12 + 1
        if not ends[number] and not kept[number] then
          local hours = math.random(1, 40)
          local action = assert(clients[day % 2 + 1]:restrict(id(number), "beacon",
            { release_after = hours * 3600, key = day % 4 == 0 and ("alert-%05d"):format(day) or nil }))
          ends[number], sent = action.expires_at, sent + 1
          assert(math.abs(ends[number] - now() - hours * 3600) <= 5, "the end is off")
          if day % 5 == 0 then
            assert(action:wait { timeout = 3600 })
            past.happened(r, number, { "restrict", "Succeeded", 0 })
            kept[number] = now() + 3 * 86400
          end
        end
        for step = 1, 2 do
          r.driver.sleep(12 * 3600 + math.random(-600, 600))
          for which = 1, 2 do
            local client = clients[(step + which) % 2 + 1]
            for _, machine in ipairs(assert(client:expired())) do
              local n = core.number.read(machine.computerDnsName:match "%d+")
              assert(ends[n] and now() >= ends[n], "released early")
              assert(not kept[n], "released what was made by hand")
              local action = assert(client:release(machine, "the time is up", { expired = true }))
              if action.outcome == "accepted" then released = released + 1 end
              if which == 2 then ends[n] = nil end
            end
          end
        end
        for n, at in pairs(kept) do
          if now() > at then
            assert(assert(clients[1]:release(id(n), "all clear")):wait { timeout = 3600 })
            kept[n], ends[n] = nil, nil
          end
        end
        for n, at in pairs(ends) do
          if not kept[n] and now() > at + 43200 then ends[n] = nil end
        end
      end
      assert.is_true(sent > days / 4 and released > days / 5, ("%d sent, %d released"):format(sent, released))
      -- Each device was released at most once for each of its restrictions.
      r.tenant:settle()
      local open = {}
      for action in r.client:actions("all") do open[#open + 1] = action end
      table.sort(open, function(a, b) return a.creationDateTimeUtc < b.creationDateTimeUtc end)
      local holding = {}
      for _, action in ipairs(open) do
        local n = action.machineId
        if action.type == "RestrictCodeExecution" then
          holding[n] = true
        elseif action.status ~= "Cancelled" and action.status ~= "Failed" then
          assert(holding[n], "released twice: " .. action.id)
          holding[n] = nil
        end
      end
    end)
  end)
end)
