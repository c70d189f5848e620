-- mde.watch: what a client gives a watch: its time, its store, and its alerts.
local clients = require "mde.client"
local alerts = require "tests.spec.support.alerts"
local core = require "mde.core"
local rehearsal = require "tests.spec.support.rehearsal"
local watches = require "mde.watch"

local LAPTOP = { id = ("a"):rep(40), computerDnsName = "laptop.corp.example", osPlatform = "Windows11" }

describe("a client's watch", function()
  local r, path, list

  before_each(function()
    r = rehearsal.new { machines = { LAPTOP }, roles = { "Machine.Read.All", "Machine.RestrictExecution",
      "Alert.ReadWrite.All" }, graph_roles = { "SecurityAlert.Read.All" } }
    list = alerts.new()
    path = os.tmpname()
    os.remove(path)
  end)

  after_each(function() os.remove(path) end)

  -- An alert of now, by the service's clock.
  local function add(id)
    local now = core.timestamp.write(r.client:now() - 1)
    list.rows[#list.rows + 1] = { id = id, lastUpdateDateTime = now, createdDateTime = now, machineId = LAPTOP.id }
  end

  it("restricts a device once for an alert, also if that is handed over again", function()
    add "da637551227677560813_-961444813"
    local outcomes = {}
    local function watch()
      return r.client:watch { cursor = path, once = true, source = list.source, since = r.client:now() - 60,
        handler = function(alert, options)
          local action, err = r.client:restrict(alert.machineId, "beacon", options)
          outcomes[#outcomes + 1] = action and action.outcome or err.code
          return action, err
        end }
    end
    assert.is_true(watch())
    os.remove(path)
    assert.is_true(watch())
    assert.same({ "accepted", "already_active" }, outcomes)
  end)

  for _, source in ipairs { "defender", "graph" } do
    it(("reads the alerts of %s, once each, with their devices"):format(source), function()
      local since = r.client:now() - 30
      for i = 1, 3 do
        r.tenant:raise_alert { title = ("beacon %d"):format(i), severity = i == 3 and "low" or "high",
          evidence = { { kind = "device", machineId = LAPTOP.id } } }
      end
      local seen = {}
      local function watch()
        return r.client:watch { cursor = path, once = true, alerts = { severity = "high" }, source = source,
          since = since, handler = function(alert, options)
            seen[#seen + 1] = alert.title .. " " .. alert.source
            assert.equal(LAPTOP.id, alert.devices[1].id)
            assert.equal(alert.key, options.key)
            return true
          end }
      end
      assert.is_true(watch())
      assert.is_true(watch())
      table.sort(seen)
      assert.same({ "beacon 1 " .. source, "beacon 2 " .. source }, seen)
    end)
  end

  for _, source in ipairs { "defender", "graph" } do
    it(("names an alert of %s that does not say which it is, and hands the others over"):format(source), function()
      r.tenant:raise_alert { title = "without", lacks = { "id" } }
      r.tenant:raise_alert { title = "with" }
      r.tenant.clock.advance(1)
      local seen, unusable = {}, {}
      assert(r.client:watch { cursor = path, once = true, source = source, since = r.client:now() - 60,
        handler = function(alert) seen[#seen + 1] = alert.title end,
        on_event = function(event)
          if event.what == "unusable" then unusable[#unusable + 1] = event.alert.title .. " " .. event.reason end
        end })
      assert.same({ { "with" }, { "without no_id" } }, { seen, unusable })
    end)
  end

  it("keeps an alert that waits where the list is not found", function()
    r.tenant:raise_alert { title = "beacon" }
    r.tenant.clock.advance(1)
    local first, said = r.client:now() - 60, {}
    local function watch(handler)
      assert(r.client:watch { cursor = path, once = true, since = first, handler = handler, on_event = function(event)
        if event.what == "set_aside" or event.what == "waiting" then
          said[#said + 1] = event.what .. " " .. (event.err and event.err.code or event.reason)
        end
      end })
    end
    watch(function() return nil, "no" end)
    r.tenant.clock.advance(120)
    r:fault { match = { path = "/api/alerts" }, fault = "answer", status = 404, count = 3 }
    local handed = 0
    watch(function() handed = handed + 1 end)
    assert.same({ 1, { "waiting list_not_found", "waiting list_not_found", "waiting list_not_found" } },
      { handed, said })
  end)

  it("hands an alert over again that its handler has changed before it failed", function()
    r.tenant:raise_alert { title = "beacon", severity = "high",
      evidence = { { kind = "device", machineId = LAPTOP.id } } }
    local statuses = {}
    local function watch()
      return r.client:watch { cursor = path, once = true, alerts = { status = "new" }, since = r.client:now() - 3600,
        handler = function(alert)
          statuses[#statuses + 1] = alert.status
          if #statuses > 1 then return true end
          assert(alert:update { status = "inProgress" })
          return nil, "no answer"
        end }
    end
    assert.is_true(watch())
    r.tenant.clock.advance(120)
    assert.is_true(watch())
    assert.same({ "new", "inProgress" }, statuses)
  end)

  it("leaves a device alone that somebody has released since the alert", function()
    add "alert-0001"
    r.tenant.clock.advance(10)
    assert(r.client:restrict(LAPTOP.id, "by hand"))
    r.tenant.clock.advance(600)
    assert(r.client:release(LAPTOP.id, "cleared"))
    r.tenant.clock.advance(600)
    local ended
    assert.is_true(r.client:watch { cursor = path, once = true, source = list.source, since = r.client:now() - 3600,
      handler = function(alert, options) return r.client:restrict(alert.machineId, "beacon", options) end,
      on_event = function(event) if event.id then ended = event end end })
    assert.same({ "handed_over", "superseded" }, { ended.what, ended.err.kind })
  end)

  it("goes by the service's time", function()
    local watch = watches.new(r.client, { cursor = path, source = list.source, handler = function() end, once = true })
    local first
    watch.options.on_event = function(event) first = first or event.since end
    watch:run()
    assert.is_true(math.abs(first - r.client:now()) < 5)
  end)

  it("begins now by the service's time where this machine's clock is ahead", function()
    local driver = setmetatable({ time = function() return r.tenant.clock.now() + 7200 end }, { __index = r.driver })
    local handed = 0
    local function watch()
      local client = assert(clients.new { tenant_id = r.tenant.tenant_id, client_id = r.tenant.client_id,
        credential = r.tenant.client_secret, driver = driver })
      assert(client:watch { cursor = path, once = true, handler = function() handed = handed + 1 end })
    end
    watch()
    r.tenant.clock.advance(600)
    r.tenant:raise_alert { title = "beacon" }
    r.tenant.clock.advance(10)
    watch()
    assert.equal(1, handed)
  end)

  it("waits where it cannot sign in", function()
    local waited = {}
    r:fault { match = { path = "/token" }, fault = "answer", status = 503, count = 20 }
    local watch
    watch = r.client:watcher { cursor = path, handler = function() end, on_event = function(event)
      if event.what == "waiting" then
        waited[#waited + 1] = event.err.kind
        if #waited == 2 then watch:stop() end
      end
    end }
    assert.is_true(watch:run())
    assert.same({ "unavailable", "unavailable" }, waited)
  end)

  it("raises for alerts that are no conditions", function()
    for _, wrong in ipairs { "severity eq 'high'", 17, { lastUpdateDateTime = 17 }, {}, { severty = "high" } } do
      local ok, err = pcall(watches.new, r.client, { cursor = path, handler = function() end, alerts = wrong })
      assert.is_false(ok)
      assert.equal("invalid", err.kind)
    end
  end)

  it("has a cursor in the client's store, if that has one", function()
    local ok, err = pcall(watches.new, r.client, { cursor = { store = "alerts" }, source = list.source,
      handler = function() end })
    assert.is_false(ok)
    assert.truthy(err.message:find("the client has none", 1, true))
  end)
end)
