-- What mde plan, mde run and mde resume have in common on the command line.
-- Labels: not-lua5.3
local argparse = require "argparse"
local arguments = require "mde.cli.run.arguments"
local rehearsal = require "tests.spec.support.rehearsal"

local NOW = 1770088500.5

describe("the options of a plan", function()
  local function parsed(words)
    local parser = argparse()
    arguments.configure_plan(parser)
    arguments.configure_session(parser)
    return parser:parse(words)
  end

  it("are those of mde.run.plan", function()
    local own = parsed { "--cap", "500", "--waves", "1,10,rest", "--gate", "wait=1m", "--until", "05:00", "--yes",
      "--stale", "-q" }
    assert.same({ { { verb = "restrict", count = 500 } }, "1,10,rest", "wait=1m", "05:00", true, true, true },
      { own.cap, own.waves, own.gate, own.until_time, own.yes, own.stale, own.quiet })
    own.playbook, own.arguments = "contain.lua", { "INC-1" }
    assert.same({ playbook = "contain.lua", arguments = { "INC-1" }, waves = "1,10,rest", gate = "wait=1m" },
      arguments.plan_options(own))
  end)

  it("have a cap for each verb that is named, and change no other", function()
    local function caps(words, cap) return arguments.caps(parsed(words).cap, cap) end
    assert.is_nil(caps({}))
    assert.equal(10, caps({}, 10))
    assert.same({ restrict = 500 }, caps { "--cap", "500" })
    assert.same({ restrict = 500, isolate = 10, contain = 10, quarantine = 10 }, caps({ "--cap", "500" }, 10))
    assert.same({ restrict = 7, isolate = 4, contain = false, quarantine = false },
      caps({ "--cap", "isolate=4", "--cap=restrict=7" }, false))
    assert.same({ restrict = 9, isolate = 4, contain = 25, quarantine = 25 },
      caps({ "--cap", "isolate=4" }, { restrict = 9, isolate = 2, contain = 25, quarantine = 25 }))
    assert.equal("contradictory_options", rehearsal.refused(caps, { "--cap", "5", "--cap", "restrict=6" }).code)
    local parser = argparse()
    arguments.configure_plan(parser)
    for _, text in ipairs { "scan=4", "isolate=", "isolate=0", "=4", "isolate=4=4", "-1" } do
      assert.is_false((parser:pparse { "--cap=" .. text }))
    end
  end)

  it("leave the waves away, or say nothing of them", function()
    assert.is_false(arguments.plan_options(parsed { "--no-waves" }).waves)
    assert.is_nil(arguments.plan_options(parsed {}).waves)
    assert.equal("contradictory_options",
      rehearsal.refused(arguments.plan_options, parsed { "--no-waves", "--waves", "1" }).code)
  end)
end)

describe("--until", function()
  it("is a span, or a time to come", function()
    assert.is_nil(arguments.until_time(nil, NOW))
    assert.equal(NOW + 7200, arguments.until_time("2h", NOW))
    assert.equal(NOW + 90, arguments.until_time("90s", NOW))
    assert.equal(1770091200, arguments.until_time("2026-02-03T04:00:00Z", NOW))
  end)

  it("is today at a time of this machine, or tomorrow", function()
    for minutes = -600, 600, 150 do
      local at = math.floor(NOW / 60) * 60 + minutes * 60
      local found = arguments.until_time(os.date("%H:%M", at), NOW)
      assert.is_true(found > NOW and found <= NOW + 86400)
      assert.equal(os.date("%H:%M:00", at), os.date("%H:%M:%S", found))
    end
    assert.equal("05:07", os.date("%H:%M", arguments.until_time("5:07", NOW)))
  end)

  for _, text in ipairs { "", "24:00", "05:60", "5", "05:00:00", "2026-02-03T03:00:00Z", "yesterday", "-2h", "0s" } do
    it(("is not %q"):format(text), function()
      assert.equal("wrong_value", rehearsal.refused(arguments.until_time, text, NOW).code)
    end)
  end
end)
