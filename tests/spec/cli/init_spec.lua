-- The command: how its words are taken, and how it ends.
-- Labels: not-lua5.3
local console = require "tests.spec.support.console"
local errors = require "mde.base.error"
local rehearsal = require "tests.spec.support.rehearsal"

describe("the command", function()
  for what, case in pairs {
    ["no subcommand"] = { {}, "mde: ", "See mde --help." },
    ["a misspelt subcommand"] = { { "restrct", "laptop-17" }, "Did you mean 'restrict'?", "See mde --help." },
    ["a misspelt option"] = { { "restrict", "x", "--coment", "x" }, "mde restrict: ", "See mde restrict --help." },
    ["a time without its unit"] = { { "restrict", "--wait", "300" }, "'--wait 300' has no unit; write --wait 300s",
      "See mde --help." },
    ["a time of nothing"] = { { "restrict", "x", "--wait", "0s" }, "'0s' is not a duration",
      "See mde restrict --help." },
    ["two formats"] = { { "state", "laptop-17", "--csv", "--json" }, "mde state: ", "See mde state --help." },
  } do
    it("is refused with " .. what, function()
      local told = console.run(case[1])
      assert.equal(1, told.status)
      assert.equal("", told.out)
      assert.truthy(told.err:find(case[2], 1, true), told.err)
      assert.truthy(told.err:find(case[3] .. "\n", 1, true), told.err)
      assert.is_nil(told.client_options)
    end)
  end

  it("tells in one line why it could not be done, with the status of that", function()
    local err = errors.new { kind = "auth", code = "Made up", message = "the secret\27 is wrong",
      hint = "Set another." }
    local told = console.run({ "state", "laptop-17" }, { client_error = err })
    assert.equal(1, told.status)
    assert.equal("mde state: the secret\\x1b is wrong. Set another.\n", told.err)
    err.kind = "unavailable"
    assert.equal(3, console.run({ "state", "laptop-17" }, { client_error = err }).status)
  end)

  it("tells of what nobody foresaw", function()
    local told = console.run({ "state", "laptop-17" }, { client = { remarks = function() error("a bug", 0) end } })
    assert.equal(5, told.status)
    assert.equal("mde state: a bug\n", told.err)
  end)

  -- Restricts devices that are never heard of again; for how long that was waited.
  local function waited(...)
    local machines = {}
    for i, name in ipairs { "desk-1", "7d" } do machines[i] = { computerDnsName = name, offline = true } end
    local r = rehearsal.new { machines = machines }
    local began = r.driver.now()
    local told = console.run({ "restrict", "--comment", "x", "--yes", ... }, { client = r.client })
    assert.equal(4, told.status, told.err)
    assert.falsy(told.err:find("no device", 1, true), told.err)
    return r.driver.now() - began
  end

  for what, case in pairs {
    ["ten minutes where no time is given"] = { 600, "desk-1", "--wait" },
    ["ten minutes where a device follows"] = { 600, "--wait", "desk-1" },
    ["ten minutes where another option follows"] = { 600, "desk-1", "--wait", "--incident", "INC-1" },
    ["as long as the next word says"] = { 300, "--wait", "5m", "desk-1" },
    ["as long as the next word says, in several units"] = { 90, "--wait", "1m30s", "desk-1" },
    ["as long as is said behind the sign"] = { 300, "--wait=5m", "desk-1" },
    ["as long as is said for a device that could be a time"] = { 300, "7d", "--wait", "5m" },
  } do
    it("waits " .. what, function()
      local seconds = waited((table.unpack or unpack)(case, 2)) -- luacheck: ignore
      assert.is_true(seconds >= case[1] - 10 and seconds < case[1] + 10, seconds)
    end)
  end

  it("takes nothing for a time behind --", function()
    local told = console.run({ "restrict", "--comment", "x", "--yes", "--", "--wait", "5m" },
      { client = rehearsal.new({ machines = {} }).client })
    assert.equal(2, told.status)
    assert.matches('restrict "%-%-wait": .*restrict "5m": ', told.err)
  end)

  it("says its version", function()
    local own, statuses = os.exit, {}
    for _, word in ipairs { "-V", "--version" } do
      local told = console.capture(function()
        os.exit = function(status) -- luacheck: ignore 122
          statuses[#statuses + 1] = status
          error("the end", 0)
        end
        pcall(require("mde.cli").run, { word })
        os.exit = own -- luacheck: ignore 122
      end)
      assert.matches("^mde %d+%.%d+%.%d+\n$", told.out)
    end
    assert.same({ 0, 0 }, statuses)
  end)
end)
