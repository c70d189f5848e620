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
    ["a time that could be a device"] = { { "restrict", "--wait", "10m" }, "write --wait=10m", "See mde --help." },
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

  it("waits ten minutes where no time is given", function()
    local r = rehearsal.new { machines = { { computerDnsName = "desk-1.corp.example", offline = true } } }
    local began = r.driver.now()
    local told = console.run({ "restrict", "desk-1", "--comment", "x", "--yes", "--wait" }, { client = r.client })
    assert.equal(4, told.status)
    local seconds = r.driver.now() - began
    assert.is_true(seconds > 590 and seconds < 610, seconds)
  end)
end)
