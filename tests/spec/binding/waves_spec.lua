-- mde.core.waves through the binding: what Lua sees of the waves. Their rules are tested in tests/core/test_waves.c.
-- Labels: sanitized-each-lua
local waves = require("mde.core").waves

local REST = { "rest" }

describe("mde.core.waves", function()
  it("reads what a user says, and names what is wrong with which part", function()
    assert.same({ 1, 10, 100, "rest" }, waves.read "1,10,100,rest")
    assert.same({ 7 }, waves.read " 7 ")
    assert.same({ succeeded = 60, failed = 10, wait = 120 }, waves.read_gate "succeeded=60%,wait=2m")
    assert.same({ succeeded = 60, failed = 0, wait = 0 }, waves.read_gate "wait=0s,failed=0%")
    for text, flaw in pairs { [""] = "empty", x = "number", ["0"] = "zero", ["100001"] = "large",
      [("1,"):rep(16) .. "17"] = "many", ["rest,1"] = "not_last" } do
      assert.same({ nil, flaw, text:match "([^,]*)$" }, { waves.read(text) })
    end
    for text, flaw in pairs { [""] = "empty", ["success=6%"] = "name", ["wait=1s,wait=2s"] = "twice",
      ["failed=10"] = "percent", ["wait=2d"] = "time" } do
      assert.same({ nil, flaw, text:match "([^,]*)$" }, { waves.read_gate(text) })
    end
    assert.has_error(function() waves.read(nil) end)
    assert.has_error(function() waves.read_gate {} end)
  end)

  it("has one wave by default for a few devices", function()
    assert.same(REST, waves.default(25))
    assert.same({ 5, 45, "rest" }, waves.default(26))
    for _, planned in ipairs { -1, 0.5, 0 / 0, math.huge } do
      assert.has_error(function() waves.default(planned) end)
    end
  end)

  it("admits, judges and goes on", function()
    local sent = waves.new({ 2, "rest" }, { wait = 10 })
    assert.same({ 1, 2, 0, 0, 0 }, { sent:position() })
    assert.equal("go", sent:admit())
    assert.equal("go", sent:admit())
    assert.equal("wait", sent:admit())
    assert.same({ 1, 2, 0, 0, 2 }, { sent:position() })
    sent:ended(false)
    sent:ended(true)
    assert.equal("go", sent:admit())
    sent:ended(true)
    assert.equal("gate", sent:admit())
    assert.same({ "wait", 4 }, { sent:judge(1, { succeeded = 1, pending = 1 }, 6) })
    assert.same({ "open" }, { sent:judge(1, { succeeded = 2 }, 6) })
    assert.same({ 2, nil, 0, 2, 0 }, { sent:position() })
    assert.same({ "open" }, { sent:judge(1, {}, 0) })
    assert.equal("go", sent:admit())
  end)

  it("pauses at a gate that closed, until a person opens it", function()
    local function closed(counts, waited)
      local sent = waves.new({ 5 }, nil, 5)
      local verdict = { sent:judge(1, counts, waited or 0) }
      assert.equal("closed", table.remove(verdict, 1))
      assert.same(verdict, { sent:paused() })
      assert.equal("paused", sent:admit())
      assert.is_true(sent:open())
      assert.is_nil(sent:paused())
      assert.is_false(sent:open())
      assert.equal("go", sent:admit())
      return verdict
    end
    assert.same({ "succeeded", 2, 3 }, closed({ succeeded = 2, pending = 3 }, 120))
    assert.same({ "failed", 2, 1 }, closed { succeeded = 3, failed = 2 })
    assert.same({ "unknown", 1, 0 }, closed({ succeeded = 4, unknown = 1 }, 120))
    assert.same({ "count", 6, 5 }, closed { succeeded = 5, cancelled = 1 })
    assert.is_nil(waves.new({ 5 }):paused())
  end)

  it("begins with what earlier sessions sent", function()
    assert.same({ 2, 45, 2, 5, 0 }, { waves.new({ 5, 45, "rest" }, nil, 7):position() })
    assert.equal("gate", waves.new({ 5, 45, "rest" }, nil, 50):admit())
  end)

  it("raises for what is no wave", function()
    for _, sizes in ipairs { {}, { 0 }, { -1 }, { 1.5 }, { 100001 }, { "1" }, { "rest", 1 }, { 1, "Rest" }, { 1, {} },
      { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17 }, { 0 / 0 }, { math.huge } } do
      assert.has_error(function() waves.new(sizes) end)
    end
    assert.has_error(function() waves.new "5,rest" end)
    for _, gate in ipairs { { succeeded = 101 }, { succeeded = -1 }, { succeeded = 1.5 }, { failed = 101 },
      { failed = "10" }, { wait = -1 }, { wait = 86401 }, { wait = 0 / 0 } } do
      assert.has_error(function() waves.new(REST, gate) end)
    end
    assert.has_error(function() waves.new(REST, "60%") end)
    for _, before in ipairs { -1, 0.5, 0 / 0, 1e300 } do
      assert.has_error(function() waves.new(REST, nil, before) end)
    end
  end)

  it("raises for what cannot be", function()
    local sent = waves.new { 1 }
    assert.has_error(function() sent:ended(true) end)
    sent:admit()
    assert.has_error(function() sent:ended() end)
    assert.has_error(function() sent:judge(1, { pending = 1 }, 0) end)
    sent:ended(true)
    assert.has_error(function() sent:judge(2, { pending = 1 }, 0) end)
    assert.has_error(function() sent:judge(0, { pending = 1 }, 0) end)
    assert.has_error(function() sent:judge(1, { pending = -1 }, 0) end)
    assert.has_error(function() sent:judge(1, { pending = 0.5 }, 0) end)
    assert.has_error(function() sent:judge(1, { pending = "1" }, 0) end)
    assert.has_error(function() sent:judge(1, { pending = 1 }, 0 / 0) end)
    assert.has_error(function() sent:judge(1, { pending = 1 }, math.huge) end)
    assert.has_error(function() sent:judge(1, { pending = 1 }) end)
    assert.has_error(function() sent.admit {} end)
    assert.equal("gate", sent:admit())
  end)

  it("says who comes first", function()
    local devices = {
      { platform = "Windows11", last_seen = "2026-02-03T10:11:12Z" },
      { platform = "windows11", last_seen = "2026-02-03T10:11:13.5Z" },
      { platform = "macOS", last_seen = 1770112800 },
      { platform = "Linux", last_seen = "never" },
      { last_seen = 0 / 0 },
      {},
    }
    assert.same({ 2, 3, 1, 4, 5, 6 }, waves.order(devices, 5))
    assert.same({ 2, 1, 3, 4, 5, 6 }, waves.order(devices, 1))
    assert.same({ 2, 3, 1, 4, 5, 6 }, waves.order(devices))
    assert.same({}, waves.order({}, 5))
    assert.same({ 1, 2, 3 }, waves.order({ { last_seen = math.huge }, { last_seen = 1 }, { last_seen = -math.huge } }))
    assert.has_error(function() waves.order { 1 } end)
    assert.has_error(function() waves.order({}, -1) end)
    assert.has_error(function() waves.order "a" end)
  end)
end)
