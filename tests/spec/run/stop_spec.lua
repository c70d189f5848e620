-- How a run is asked from outside to begin nothing new: by a file beside its record, by an entry in a shared store.
local dict_of = require "tests.spec.support.dict"
local json = require "mde.base.json"
local playbooks = require "tests.spec.support.playbooks"
local runs = require "mde.run"
local shell = require "tests.spec.support.process.shell"
local stops = require "mde.run.stop"

describe("a run", function()
  it("is asked to stop by a file, until that is taken back", function()
    local directory = shell.new_directory()
    local path = directory .. "/run.db"
    assert.is_false(stops.is_asked(path))
    assert.is_true(stops.ask(path))
    assert.is_true(stops.is_asked(path))
    assert.is_true(stops.ask(path))
    stops.take_back(path)
    assert.is_false(stops.is_asked(path))
    stops.take_back(path)
    shell.remove(directory)
    local ok, err = stops.ask(path)
    assert.is_nil(ok)
    assert.equal("stop_not_written", err.code)
  end)
end)

describe("a run whose client has a store", function()
  local stage, dict, asked_for

  before_each(function()
    local clock = { now = function() return 0 end }
    dict = dict_of(function() return clock.now() end)
    -- How often the entry of a run is looked at.
    asked_for = 0
    local get = dict.get
    function dict.get(own, key)
      if key:find("|run|", 1, true) then asked_for = asked_for + 1 end
      return get(own, key)
    end
    stage = playbooks.new { machines = playbooks.fleet(30), limits = false, latency = 1, client = { store = dict } }
    clock.now = stage.tenant.clock.now
  end)
  after_each(function() stage.remove() end)

  local function plan(text) return assert(stage.plan(text or playbooks.restrict(30), { waves = false })) end

  -- The client of another host.
  local function elsewhere()
    local here = stage.client
    stage.renew()
    local client = stage.client
    stage.client = here
    return client
  end

  -- Calls fn when so many were sent.
  local function at(count, fn)
    local sent = 0
    return function(event)
      if event.event ~= "sending" then return end
      sent = sent + 1
      if sent == count then fn() end
    end
  end

  it("is stopped from elsewhere within seconds, and goes on when it is resumed", function()
    local one, other, session = plan(), elsewhere(), nil
    local stopped_at, last
    local report, _, path = stage.start(one, { on_session = function(own) session = own end, on_event = function(event)
      if event.event == "sending" then last = stage.tenant.clock.now() end
      if event.event == "sending" and not stopped_at then
        stopped_at = last
        local host, err = runs.stop_elsewhere(other, session.id)
        assert(host, err)
        assert.equal(shell.read_file "/proc/sys/kernel/hostname":match "[^\n]+", host)
      end
    end })
    assert.equal("stopped", report.state)
    assert.equal("asked", report.stop.rule)
    assert.matches("from elsewhere", report.stop.message, 1, true)
    assert.is_true(stage.posts() > 0 and stage.posts() < 30, stage.posts())
    assert.is_true(last - stopped_at <= stops.LOOK_SECONDS + 1, last - stopped_at)
    report = assert(stage.resume(path))
    assert.equal("complete", report.state, report.why)
    for i = 1, 30 do assert.equal(1, stage.actions()["restrict " .. playbooks.id(i)]) end
  end)

  it("looks every few seconds, and not for each send", function()
    local began = stage.tenant.clock.now()
    local report = stage.start(plan())
    assert.equal("complete", report.state, report.why)
    local seconds = stage.tenant.clock.now() - began
    assert.is_true(asked_for <= seconds / stops.LOOK_SECONDS + 1, ("%d in %d s"):format(asked_for, seconds))
    assert.is_true(asked_for < 30)
  end)

  it("is known only while a session is at work, however that ends", function()
    local other, id = elsewhere(), nil
    local one = plan(playbooks.restrict(1, 'if fail_in_spec then error "later" end'))
    for _, state in ipairs { "broken", "complete" } do
      rawset(_G, "fail_in_spec", state == "broken")
      local report = stage.start(one, { on_session = function(own) id = own.id end })
      rawset(_G, "fail_in_spec", nil)
      assert.equal(state, report.state)
      local host, err = runs.stop_elsewhere(other, id)
      assert.is_nil(host)
      assert.equal("run_missing", err.code)
      assert.matches("no session of it in a table of your own", err.message, 1, true)
    end
  end)

  it("is not known where another tenant or nobody shares the store", function()
    local id
    stage.start(plan(), { on_session = function(own) id = own.id end, on_event = at(1, function()
      local other = playbooks.new { machines = {}, client = { store = dict },
        tenant_id = "11111111-2222-4333-8444-555555555555" }
      assert.equal("run_missing", select(2, runs.stop_elsewhere(other.client, id)).code)
      other.remove()
      other = playbooks.new { machines = {} }
      local _, err = runs.stop_elsewhere(other.client, id)
      assert.equal("run_missing", err.code)
      assert.matches("MDE_STORE", err.hint, 1, true)
      other.remove()
    end) })
  end)

  it("goes on without it where the entry cannot be written, and says so in its record", function()
    local one = plan()
    local set = dict.safe_set
    function dict.safe_set(own, key, ...)
      if key:find("|run|", 1, true) then return nil, "no memory" end
      return set(own, key, ...)
    end
    local is_shared
    local report, _, path = stage.start(one, { on_session = function(own) is_shared = own.is_shared end })
    assert.equal("complete", report.state, report.why)
    assert.is_false(is_shared)
    local journal, noted = assert(require("mde.journal").open(path)), nil
    for event in journal:events() do
      if event.kind == "store" then noted = event.detail end
    end
    journal:close()
    assert.matches("no memory", noted, 1, true)
  end)

  it("takes an entry that is not from here for none", function()
    local other, id, key = elsewhere(), nil, nil
    local set = dict.safe_set
    function dict.safe_set(own, name, ...)
      if name:find("|run|", 1, true) then key = name end
      return set(own, name, ...)
    end
    stage.start(plan(), { on_session = function(own) id = own.id end, on_event = at(1, function()
      set(dict, key, "no JSON", 60)
      assert.equal("run_missing", select(2, runs.stop_elsewhere(other, id)).code)
      set(dict, key, json.encode { host = 3 }, 60)
      assert.equal("another host", runs.stop_elsewhere(other, id))
    end) })
  end)
end)
