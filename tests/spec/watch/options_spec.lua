-- mde.watch.options: what a watch is asked.
local options_of = require "mde.watch.options"

local NOW = 1770112800

local function check(options)
  options.handler, options.cursor = options.handler or function() end, options.cursor or "/tmp/x"
  return options_of.check(options, NOW)
end

local function problem(options)
  local ok, err = pcall(check, options)
  assert.is_false(ok)
  return err.message
end

describe("the options of a watch", function()
  it("have defaults", function()
    local checked = check {}
    assert.equal(NOW, options_of.first(checked, NOW))
    assert.same({ by_status = false, overlap = 900, span = 86400, sweep_every = 3600, tries = 3, delay = 60 },
      options_of.limits(checked))
    assert.equal(60, checked.every)
  end)

  it("are copied", function()
    local given = { handler = function() end, cursor = "/tmp/x" }
    options_of.check(given, NOW).every = 5
    assert.is_nil(given.every)
  end)

  it("say since when in each way in which a time is given", function()
    local ago = check { since = require("mde.query.operators").ago "2h" }
    assert.equal(NOW - 7200, options_of.first(ago, NOW))
    assert.equal(NOW - 3600, options_of.first(ago, NOW + 3600))
    assert.equal(1770076800, options_of.first(check { since = "2026-02-03" }, NOW))
  end)

  it("say what is wrong with them", function()
    assert.truthy(problem({ per = "update" }):find('must be "alert" or "status", not "update"', 1, true))
    assert.truthy(problem({ overlap = 10, span = 5 }):find("at least the overlap", 1, true))
    assert.truthy(problem({ span = 367 * 86400 }):find("a year", 1, true))
    assert.truthy(problem({ cursor = {} }):find("names no place", 1, true))
    assert.truthy(problem({ cursor = 17 }):find("names no place", 1, true))
    assert.truthy(problem({ alerts = "x", source = { read = function() end } }):find("in the place of", 1, true))
    assert.truthy(problem({ again = { false } }):find("list of ids", 1, true))
    assert.is_true(check({ per = "status", cursor = { store = "alerts-1" } }).per == "status")
  end)
end)
