-- What clients in several processes share through a store: the token, the cap, the turns, what was sent just now.
-- The processes are clients with nothing else in common; the wire is the simulated tenant's driver.

local clients = require "mde.client"
local posix = require "mde.posix"
local dicts = require "tests.spec.support.dict"
local rehearsal = require "tests.spec.support.rehearsal"
local stores = require "mde.sync.store"

local LAPTOP = { id = ("a"):rep(40), computerDnsName = "laptop.corp.example", osPlatform = "Windows11" }
local RESTRICT = { method = "POST", path = "restrictCodeExecution" }

describe("a store", function()
  local r, dict

  -- So many clients, as workers have them.
  local function workers(count, options)
    local list = {}
    for n = 1, count do
      local own = { driver = r.driver, store = dict, tenant_id = r.tenant.tenant_id, client_id = r.tenant.client_id,
        credential = r.tenant.client_secret }
      for name, value in pairs(options or {}) do own[name] = value end
      list[n] = assert(clients.new(own))
    end
    return list
  end

  local function begin(options)
    options = options or {}
    options.machines = options.machines or { LAPTOP }
    r = rehearsal.new(options)
    dict = dicts(r.tenant.clock.now)
  end

  before_each(function() begin() end)

  local function token_requests()
    local count = 0
    for _, entry in ipairs(r.tenant.history) do
      if entry.event == "request" and entry.path:find("/oauth2/", 1, true) then count = count + 1 end
    end
    return count
  end

  -- fn(n, client) for each, all at once; what they returned.
  local function together(list, fn)
    local left, finished, results = #list, r.driver.gate(), {}
    for n, client in ipairs(list) do
      r.driver.spawn(function()
        results[n] = { fn(n, client) }
        left = left - 1
        if left == 0 then finished:open() end
      end)
    end
    finished:wait()
    return results
  end

  describe("for tokens", function()
    it("has one request for the workers that need one at once", function()
      begin { latency = 1 }
      local results = together(workers(10), function(_, client) return client:machine(LAPTOP.id) end)
      for _, result in ipairs(results) do assert.equal(LAPTOP.id, result[1].id) end
      assert.equal(1, token_requests())
    end)

    it("has the token for whoever comes later", function()
      assert(workers(1)[1]:machine(LAPTOP.id))
      assert(workers(1)[1]:machine(LAPTOP.id))
      assert.equal(1, token_requests())
    end)

    it("tells a failure to all", function()
      begin { latency = 1 }
      local results = together(workers(10, { credential = "wrong-on-purpose" }), function(_, client)
        return client:machine(LAPTOP.id)
      end)
      for _, result in ipairs(results) do
        assert.is_nil(result[1])
        assert.equal("auth", result[2].kind)
        assert.equal("AADSTS7000215", result[2].code)
        assert.equal(results[1][2].message, result[2].message)
      end
      assert.equal(1, token_requests())
    end)

    it("does not tell the failure of one credential to another", function()
      local _, err = workers(1, { credential = "wrong-on-purpose" })[1]:machine(LAPTOP.id)
      assert.equal("auth", err.kind)
      assert(workers(1)[1]:machine(LAPTOP.id))
      assert.equal(2, token_requests())
    end)

    it("hands out none that is about to end", function()
      local client = workers(1)[1]
      local share = client.exchange.token_source.token_share
      share:fetched("from another process", { expires_in = 40 }, posix.clock.time() - 18, r.driver.now() - 18, 2)
      r.driver.sleep(3)
      assert(workers(1)[1]:machine(LAPTOP.id))
      assert.equal(1, token_requests())
    end)

    it("is asked once more by whoever got the lease", function()
      local client = workers(1)[1]
      local place, share = dict, client.exchange.token_source.token_share
      local add = place.safe_add
      place.safe_add = function(...)
        place.safe_add = add
        share.store:write("token and age", { value = "x", at = posix.clock.time(), sent = r.driver.now(),
          answer = { expires_in = 3600 } }, 3600)
        return add(...)
      end
      assert.equal("token", (share:learn(r.driver.now, r.driver.sleep, r.driver.now() + 10, 30)))
    end)

    it("forgets one that the service rejected, and another is fetched once", function()
      local list = workers(3)
      for _, client in ipairs(list) do assert(client:machine(LAPTOP.id)) end
      r:fault { match = { method = "GET", path = "/machines/" }, fault = "answer", status = 401 }
      assert(list[1]:machine(LAPTOP.id))
      assert(list[2]:machine(LAPTOP.id))
      assert(workers(1)[1]:machine(LAPTOP.id))
      assert.equal(2, token_requests())
    end)

    for _, step in ipairs { 3000, -1500 } do
      it(("moves no clock where this machine's is set by %d s before another takes it"):format(step), function()
        local machines = {}
        for n = 1, 30 do machines[n] = { id = ("%040x"):format(n), osPlatform = "Windows11" } end
        begin { machines = machines, lifetime = 7200 }
        local off, real = 0, posix.clock.time
        posix.clock.time = function() return r.tenant.clock.now() + off end
        finally(function() posix.clock.time = real end)
        local held, spare = machines[29].id, machines[30].id
        assert(workers(1)[1]:machine(spare))
        -- Others, without the store.
        for n = 1, 25 do
          local alone = assert(clients.new { driver = r.driver, tenant_id = r.tenant.tenant_id,
            client_id = r.tenant.client_id, credential = r.tenant.client_secret })
          assert(alone:restrict(machines[n].id, "why"))
        end
        r.driver.sleep(1500)
        off = step
        local client = workers(1)[1]
        r:past(held, "release", "Succeeded", 1300)
        r:past(held, "restrict", "Succeeded", 1200, { requestorComment = "why [mde:alert-4711]" })
        local before = token_requests()
        assert.equal("already_active",
          assert(client:restrict(held, "why", { key = "alert-4711", allow = { "cap" } })).outcome)
        assert.equal(before, token_requests())
        assert.is_true(math.abs(client:now() - r.tenant.clock.now()) < 5)
        assert.equal("already_active", assert(client:restrict(held, "again", { allow = { "cap" } })).outcome)
        local action, err = client:restrict(spare, "why")
        assert.is_nil(action)
        assert.equal("cap", err.rule)
      end)
    end

    it("is done without where it is broken", function()
      dict.broken = true
      local machine = workers(1)[1]:machine(LAPTOP.id)
      assert.equal(LAPTOP.id, machine.id)
    end)

    it("does not hold others up for longer than the lease of one that died", function()
      local key
      begin { latency = 1 }
      -- Another process took the lease and was killed.
      local other = workers(1)[1]
      local lease = assert(other.exchange.token_source.token_share.store:lease("token", 35))
      key = lease.key
      local before = r.tenant.clock.now()
      assert(workers(1)[1]:machine(LAPTOP.id, { timeout = 60 }))
      assert.is_true(r.tenant.clock.now() - before >= 35)
      assert.is_nil(dict:get(key))
    end)
  end)

  describe("for turns", function()
    it("lets changes of one machine go one after the other, so that the second sees the first", function()
      begin { latency = 1 }
      local results = together(workers(8), function(_, client) return client:restrict(LAPTOP.id, "why") end)
      local accepted = 0
      for _, result in ipairs(results) do
        assert.is_truthy(result[1], tostring(result[2]))
        if result[1].outcome == "accepted" then accepted = accepted + 1 end
      end
      assert.equal(1, accepted)
      assert.same({ "restrictCodeExecution" }, r:posts())
    end)

    it("lets one key make one action, whoever has it", function()
      begin { latency = 1 }
      local results = together(workers(8), function(_, client)
        return client:restrict(LAPTOP.id, "why", { key = "alert-4711" })
      end)
      for _, result in ipairs(results) do
        assert.is_truthy(result[1], tostring(result[2]))
        assert.equal(results[1][1].id, result[1].id)
      end
      assert.same({ "restrictCodeExecution" }, r:posts())
    end)

    it("says that the time was up while another had it", function()
      local list = workers(2)
      local lease = assert(list[1].exchange.store:lease("turn|" .. LAPTOP.id, 1000))
      local action, err = list[2]:restrict(LAPTOP.id, "why", { timeout = 5 })
      assert.is_nil(action)
      assert.equal("unavailable", err.kind)
      assert.matches("still under way", err.message)
      assert.same({}, r:posts())
      lease:release()
      assert.equal("accepted", list[2]:restrict(LAPTOP.id, "why").outcome)
    end)

    it("keeps a lease as long as the work goes on, and no longer", function()
      local list = workers(2)
      local lock = list[1].changes.mutex:acquire "k"
      r.driver.sleep(100)
      assert.is_nil(list[2].exchange.store:lease "turn|k")
      assert.is_nil(list[2].changes.mutex:acquire("k", 5))
      lock:release()
      assert.is_truthy(list[2].exchange.store:lease "turn|k")
    end)

    it("lets a single change pass where it is broken, and nothing of many", function()
      local client = workers(1, { cap = false })[1]
      assert(client:machine(LAPTOP.id))
      dict.broken = true
      local results = client:each({ LAPTOP.id }, function(id) return client:restrict(id, "why") end)
      local err = results[1].err
      assert.equal("unavailable", err.kind)
      assert.matches("nothing was sent", err.message)
      assert.matches("the store could not be", err.message)
      assert.matches("lua_shared_dict", err.hint)
      assert.same({}, r:posts())
      assert.equal("accepted", assert(client:restrict(LAPTOP.id, "why")).outcome)
    end)
  end)

  describe("for what was sent just now", function()
    it("knows it while the service's list lags behind", function()
      local list = workers(2)
      assert.equal("accepted", list[1]:restrict(LAPTOP.id, "why").outcome)
      r:answer({ method = "GET", path = "/machineactions" }, 200, '{"value":[]}', { count = false })
      local action = assert(list[2]:restrict(LAPTOP.id, "why"))
      assert.equal("already_active", action.outcome)
      assert.same({ "restrictCodeExecution" }, r:posts())
    end)
  end)

  describe("for the cap", function()
    local fleet

    before_each(function()
      fleet = {}
      for n = 1, 30 do fleet[n] = { id = ("%040x"):format(n), osPlatform = "Windows11" } end
      begin { machines = fleet, latency = 0.1 }
    end)

    it("is one for all workers", function()
      local list = workers(30)
      local results = together(list, function(n, client) return client:restrict(fleet[n].id, "why") end)
      local sent, refused = 0, 0
      for _, result in ipairs(results) do
        if result[1] then sent = sent + 1 end
        if result[2] then
          assert.equal("cap", result[2].rule)
          refused = refused + 1
        end
      end
      assert.same({ 25, 5 }, { sent, refused })
      assert.equal(25, #r:posts())
    end)

    it("counts what was sent before the store began, and not twice", function()
      local list = workers(2, { cap = 3 })
      assert(list[1]:restrict(fleet[1].id, "why"))
      assert(list[2]:restrict(fleet[2].id, "why"))
      dict.forget()
      assert(list[1]:restrict(fleet[3].id, "why"))
      local action, err = list[2]:restrict(fleet[4].id, "why")
      assert.is_nil(action)
      assert.equal("cap", err.rule)
      assert.is_true(err.retry_at > posix.clock.time())
    end)

    it("tells each what is left for all", function()
      local list = workers(2, { cap = 2 })
      assert.same({ limit = 2 }, list[2]:cap())
      assert(list[1]:restrict(fleet[1].id, "why"))
      assert.same({ limit = 2, remaining = 1 }, list[2]:cap())
      assert(list[1]:restrict(fleet[2].id, "why"))
      local left = list[2]:cap()
      assert.equal(0, left.remaining)
      assert.equal("cap", left.refusal.rule)
    end)

    it("gives back what did not go", function()
      local list = workers(2, { cap = 1 })
      r:answer(RESTRICT, 400, { error = { code = "OsPlatformNotSupported", message = "no" } })
      local action = list[1]:restrict(fleet[1].id, "why")
      assert.is_nil(action)
      -- It was refused, but it went: that counts.
      local _, err = list[2]:restrict(fleet[2].id, "why")
      assert.equal("cap", err.rule)
      dict.forget()
      assert(list[2]:restrict(fleet[3].id, "why", { allow = { "cap" } }))
    end)

    it("is counted by the service's own list where the store is broken", function()
      local list = workers(2, { cap = 3 })
      assert(list[1]:restrict(fleet[1].id, "why"))
      assert(list[1]:restrict(fleet[2].id, "why"))
      dict.broken = true
      assert(list[2]:restrict(fleet[3].id, "why"))
      local action, err = list[2]:restrict(fleet[4].id, "why")
      assert.is_nil(action)
      assert.equal("cap", err.rule)
      assert.equal(3, #r:posts())
      -- And by the store again as soon as that works, with what was sent meanwhile.
      dict.broken = false
      action, err = list[2]:restrict(fleet[5].id, "why")
      assert.is_nil(action)
      assert.equal("cap", err.rule)
      action, err = list[1]:restrict(fleet[6].id, "why")
      assert.is_nil(action)
      assert.equal("cap", err.rule)
    end)
  end)

  it("keeps applications and tenants apart", function()
    local a = workers(1)[1].exchange.store
    local b = workers(1, { client_id = "00000000-0000-0000-0000-00000000000b" })[1].exchange.store
    assert(a:write("x", { n = 1 }, 10))
    assert.is_nil(b:read "x")
    assert.same({ n = 1 }, a:read "x")
  end)

  it("that is full of what is past is cleared", function()
    local client, full, flushed = workers(1)[1], true, 0
    local set = dict.safe_set
    dict.safe_set = function(...)
      if full then return nil, "no memory" end
      return set(...)
    end
    dict.flush_expired = function()
      full, flushed = false, flushed + 1
      return 1
    end
    assert(client.exchange.store:write("x", { n = 1 }, 10))
    assert.same({ n = 1 }, client.exchange.store:read "x")
    assert.equal(1, flushed)
  end)

  it("must be one", function()
    for _, wrong in ipairs { {}, { get = print }, { get = print, safe_set = print, safe_add = print } } do
      local err = rehearsal.refused(clients.new, { store = wrong })
      assert.matches("store", err.message)
      assert.matches("ngx.shared", err.hint)
    end
    assert.matches("store", rehearsal.refused(clients.new, { store = 7 }).message)
    assert.equal(dict, stores.check(dict, "store"))
  end)

  it("keeps any bytes that are put there in one step", function()
    local store, bytes = workers(1)[1].exchange.store, {}
    for byte = 0, 255 do bytes[#bytes + 1] = string.char(byte) end
    bytes = table.concat(bytes)
    assert.is_nil(store:read_text "x")
    assert.same({ true, "first", "second" }, { store:update("x", 10, function(text)
      assert.is_nil(text)
      return bytes, "first", "second"
    end) })
    assert.equal(bytes, store:read_text "x")
    assert.is_true(store:update("x", 10, function(text)
      assert.equal(bytes, text)
      return nil
    end))
    assert.equal(bytes, store:read_text "x")
    dict.broken = true
    local text, err = store:read_text "x"
    assert.is_nil(text)
    assert.equal("store_failed", err.code)
  end)

  it("that holds something else is not believed", function()
    local store = workers(1)[1].exchange.store
    dict:safe_set(store.prefix .. "x", "no JSON", 10)
    local value, err = store:read "x"
    assert.is_nil(value)
    assert.equal("unavailable", err.kind)
  end)
end)
