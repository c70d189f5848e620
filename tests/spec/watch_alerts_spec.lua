-- A watch of the alerts of the simulated tenant, page by page over its driver: times that are equal, alerts that come
-- late, updates by analysts, rows without what they should have, limits and a service that is down. Each alert is
-- handed over once, and one action reaches each device.
-- Labels: not-lua5.3
local core = require "mde.core"
local errors = require "mde.base.error"
local rehearsal = require "tests.spec.support.rehearsal"

local DEVICES, PAGE = 12, 20
local ROLES = { "Machine.Read.All", "Machine.RestrictExecution", "Alert.Read.All" }

local function id_of(i) return ("%040x"):format(0xc000000 + i) end

-- The alerts that were changed since, by pages. A row has the names that mde.alerts gives it.
local function source_of(client)
  return { read = function(_, since, context)
    local filter = core.odata.encode("lastUpdateTime ge " .. core.timestamp.whole(since))
    local rows, next_row, skip = {}, 1, 0
    return function()
      if next_row > #rows and skip then
        local answer, err = client.exchange:call { method = "GET", kind = "read", api = "alerts", context = context,
          permission = "Alert.Read.All",
          path = ("/alerts?$filter=%s&$top=%d&$skip=%d"):format(filter, PAGE, skip) }
        if not answer then error(err, 0) end
        rows, next_row = answer.value, 1
        skip = #rows == PAGE and skip + PAGE or nil
      end
      local row = rows[next_row]
      next_row = next_row + 1
      return row and { id = row.id, title = row.title, status = row.status, machineId = row.machineId,
        lastUpdateDateTime = row.lastUpdateTime, createdDateTime = row.alertCreationTime }
    end
  end }
end

describe("a watch of a tenant's alerts", function()
  local r, path, handed, raised, events

  before_each(function()
    local machines = {}
    for i = 1, DEVICES do
      machines[i] = { id = id_of(i), computerDnsName = ("desk-%d.corp.example"):format(i), osPlatform = "Windows11" }
    end
    r = rehearsal.new { machines = machines, roles = ROLES,
      alert_lists = { granularity = 60, late = { every = 5, by = 300 }, repeats = 2 } }
    path, handed, raised, events = os.tmpname(), {}, {}, {}
    os.remove(path)
  end)

  after_each(function() os.remove(path) end)

  local function raise(fields)
    fields = fields or {}
    fields.title = fields.title or "Suspicious PowerShell"
    fields.evidence = { { kind = "device", machineId = id_of(#raised % DEVICES + 1), roles = { "compromised" } } }
    raised[#raised + 1] = r.tenant:raise_alert(fields)
    return raised[#raised]
  end

  -- Watches until on_round(n) is false; a round is a read and what is waited behind it.
  local function watch(on_round, handler)
    local round = 0
    local watcher
    watcher = r.client:watcher { cursor = path, since = r.client:now() - 60, source = source_of(r.client), every = 60,
      handler = function(alert, options)
        handed[alert.id] = (handed[alert.id] or 0) + 1
        if handler then return handler(alert, options) end
      end,
      on_event = function(event)
        events[event.what] = (events[event.what] or 0) + 1
        if event.what ~= "waiting" then return end
        round = round + 1
        if on_round(round, event) == false then watcher:stop() end
      end }
    assert(watcher:run())
    return watcher:status()
  end

  local function each_was_handed_over(count)
    local total = 0
    for id, times in pairs(handed) do
      assert.equal(1, times, id)
      total = total + 1
    end
    assert.equal(count, total)
  end

  it("hands each over once, whatever the lists do", function()
    local status = watch(function(round)
      if round > 30 then return false end
      if round <= 15 then
        for _ = 1, 10 do raise() end
      end
      -- An analyst looks at what there is.
      r.tenant:update_alert(raised[math.max(1, #raised - 5)], { status = "inProgress" })
    end)
    each_was_handed_over(150)
    assert.equal(150, status.handed_over)
    assert.is_nil(events.old)
  end)

  it("finds by a sweep what comes later than the overlap", function()
    r.tenant:set { alert_lists = { late = { every = 3, by = 3000 } } }
    watch(function(round)
      if round > 140 then return false end
      if round <= 10 then raise() end
      if round % 5 == 0 then r.tenant:update_alert(raised[1], { status = round % 2 == 0 and "new" or "inProgress" }) end
    end)
    each_was_handed_over(10)
  end)

  it("restricts each device once for its first alert, over restarts", function()
    local outcomes = {}
    for _ = 1, 3 do
      watch(function(round)
        if round > 8 then return false end
        if round <= 2 then
          for _ = 1, DEVICES do raise() end
        end
      end, function(alert, options)
        local action, err = r.client:restrict(alert.machineId, core.comment.make(alert.title), options)
        if action then outcomes[action.outcome] = (outcomes[action.outcome] or 0) + 1 end
        return action, err
      end)
    end
    each_was_handed_over(6 * DEVICES)
    assert.same({ accepted = DEVICES, already_active = 5 * DEVICES }, outcomes)
    assert.equal(DEVICES, #r:posts())
  end)

  it("names a row that lacks what it needs, and hands over the others", function()
    local status = watch(function(round)
      if round > 8 then return false end
      if round > 1 then return end
      raise { lacks = { "id" } }
      raise { lacks = { "lastUpdateDateTime" } }
      raise()
    end)
    assert.is_true(status.unusable >= 1)
    local total = 0
    for _, times in pairs(handed) do
      assert.equal(1, times)
      total = total + 1
    end
    assert.is_true(total >= 1)
  end)

  it("waits out a service that is down, and limits", function()
    local failures = {}
    watch(function(round, event)
      if event.err then failures[event.err.kind] = true end
      if round > 12 then return false end
      if round == 2 then
        r:fault { match = { path = "alerts" }, fault = "answer", status = 503, count = 12 }
      elseif round <= 6 then
        raise()
      end
    end)
    assert.is_true(failures.unavailable or failures.throttled, errors.show(next(failures)))
    each_was_handed_over(5)
  end)

  it("ends with the error where a role is missing", function()
    r = rehearsal.new { machines = {}, roles = { "Machine.Read.All" } }
    local ended, err = r.client:watch { cursor = path, source = source_of(r.client), handler = function() end }
    assert.is_nil(ended)
    assert.equal("permission", err.kind)
  end)
end)
