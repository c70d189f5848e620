-- mde.run.watching: a playbook of `mde watch`.
local alerts = require "tests.spec.support.alerts"
local core = require "mde.core"
local playbooks = require "mde.run.playbook"
local rehearsal = require "tests.spec.support.rehearsal"
local watching = require "mde.run.watching"

local LAPTOP = { id = ("a"):rep(40), computerDnsName = "laptop.corp.example", osPlatform = "Windows11" }

describe("a playbook that watches", function()
  local r, list, path, events, watches

  before_each(function()
    r, list, events, watches = rehearsal.new { machines = { LAPTOP } }, alerts.new(), {}, {}
    path = os.tmpname()
    os.remove(path)
    rawset(_G, "TEST_SOURCE", list.source)
  end)

  after_each(function()
    rawset(_G, "TEST_SOURCE", nil)
    os.remove(path)
  end)

  local function run(text, options)
    options = options or {}
    options.on_event = function(event) events[#events + 1] = event.what end
    options.on_watch = function(watch) watches[#watches + 1] = watch end
    local playbook = assert(playbooks.of_text("on-alert.lua", text, { path }))
    return watching.run(r.client, playbook, options)
  end

  local function add(id)
    local now = core.timestamp.write(r.client:now())
    list.rows[#list.rows + 1] = { id = id, lastUpdateDateTime = now, createdDateTime = now, machineId = LAPTOP.id }
  end

  it("has the functions of mde by the client, and is asked what the command asks", function()
    add "alert-0001"
    assert.is_true(run([[
      local mde, cursor = require "mde", ...
      assert(mde.watch { cursor = cursor, since = 2000000000, source = TEST_SOURCE, handler = function(alert, options)
        return mde.restrict(alert.machineId, "beacon", options)
      end })
    ]], { once = true, since = r.client:now() - 60 }))
    assert.same({ "restrictCodeExecution" }, r:posts())
    assert.same({ "begun", "reading", "handing_over", "handed_over", "read" }, events)
    assert.equal(1, #watches)
  end)

  it("changes nothing outside of a handler", function()
    for _, call in ipairs { "mde.restrict(id, 'why')", "mde.machine(id):restrict 'why'", "mde.tag(id, 'x')",
      "mde.cancel(id, 'why')" } do
      local ended, err = run([[
        local mde, id = require "mde", ("a"):rep(40)
        ]] .. call .. [[

        mde.watch { cursor = ..., once = true, source = TEST_SOURCE, handler = function() end }
      ]], {})
      assert.is_nil(ended, call)
      assert.matches("is called outside of a handler of mde.watch", err.message, 1, true)
    end
    assert.same({}, r:posts())
    -- Afterwards the client is as it was.
    assert(r.client:restrict(LAPTOP.id, "why"))
  end)

  it("is asked so by mde.watcher, too", function()
    add "alert-0001"
    assert.is_true(run([[
      local watch = require("mde").watcher { cursor = ..., since = 2000000000, source = TEST_SOURCE,
        handler = function() end }
      assert(watch:run() and watch:status().handed_over == 1)
    ]], { once = true, since = r.client:now() - 60 }))
    assert.same({ "begun", "reading", "handing_over", "handed_over", "read" }, events)
    assert.equal(1, #watches)
  end)

  it("tells the playbook's own on_event, too", function()
    add "alert-0001"
    rawset(_G, "TEST_EVENTS", {})
    assert.is_true(run([[
      require("mde").watch { cursor = ..., once = true, source = TEST_SOURCE, handler = function() end,
        on_event = function(event) TEST_EVENTS[#TEST_EVENTS + 1] = event.what end }
    ]], { since = r.client:now() - 60 }))
    assert.same(events, rawget(_G, "TEST_EVENTS"))
    rawset(_G, "TEST_EVENTS", nil)
  end)

  it("has ended with an error if its watch has, whatever it makes of that", function()
    local _, err = run [[require("mde").watch { cursor = "/nowhere/at/all", source = TEST_SOURCE, handler = print }]]
    assert.equal("cursor_unusable", err.code)
  end)

  it("has to watch", function()
    local _, err = run ""
    assert.equal("playbook_waits_not", err.code)
  end)

  it("is told what it does wrong, and in which line", function()
    local _, err = run "\n require('mde').watch { handler = 17 }\n"
    assert.equal("playbook_raised", err.code)
    assert.truthy(err.message:find("on-alert.lua:2", 1, true), err.message)
  end)
end)
