-- Options: a misspelt name or a value of the wrong kind never passes.

local options = require "mde.base.options"
local rehearsal = require "tests.spec.support.rehearsal"

local known = { timeout = "seconds", parallel = "count", key = "text", look = "flag", on_event = "callback",
  driver = "object", incident = "any" }

local function check(given)
  return options.check(given, known, "mde.restrict")
end

local nan = 0 / 0

describe("options", function()
  it("may be left out", function()
    assert.same({}, check(nil))
    assert.same({}, check {})
  end)

  it("of the right kinds are given back as they are", function()
    local given = { timeout = 0.5, parallel = 1, key = "", look = false, on_event = print, driver = {}, incident = 17 }
    assert.equal(given, check(given))
  end)

  for what, case in pairs {
    ["a text for a table"] = { "look", "options must be a table, not a string" },
    ["a number for a table"] = { 17, "options must be a table, not a number" },
    ["a time-out of nothing"] = { { timeout = 0 }, 'option "timeout" must be a number of seconds above 0, not 0' },
    ["a negative time-out"] = { { timeout = -1 }, "above 0, not -1" },
    ["an infinite time-out"] = { { timeout = math.huge }, "above 0, not" },
    ["a time-out that is no number"] = { { timeout = nan }, "above 0, not" },
    ["a time-out in words"] = { { timeout = "60" }, 'not "60"' },
    ["half of one"] = { { parallel = 1.5 }, "whole number of at least 1" },
    ["an infinite count"] = { { parallel = math.huge }, "whole number of at least 1" },
    ["a number for a text"] = { { key = 12345678 }, "must be a string, not 12345678" },
    ["a text for a flag"] = { { look = "no" }, 'must be true or false, not "no"' },
    ["a text for a function"] = { { on_event = "print" }, "must be a function" },
    ["a text for an object"] = { { driver = "curl" }, "must be a table" },
    ["a name that is none"] = { { "look" }, 'mde.restrict has no option "1"' },
    ["a hostile value"] = { { look = "\27[2J" }, "\\x1b[2J" },
    ["a hostile name"] = { { ["\27[2J"] = 1 }, "\\x1b[2J" },
  } do
    it("refuse " .. what, function()
      local err = rehearsal.refused(check, case[1])
      assert.truthy(tostring(err):find(case[2], 1, true), tostring(err))
      assert.truthy(err.message:find("mde.restrict", 1, true))
      assert.is_true(rehearsal.is_one_line(tostring(err)))
    end)
  end

  for misspelt, meant in pairs {
    timout = "timeout", Timeout = "timeout", time = "timeout", paralel = "parallel", incidnet = "incident",
    event = "on_event", loook = "look", drvier = "driver", keys = "key",
  } do
    it(("ask whether %q was meant by %q"):format(meant, misspelt), function()
      assert.equal(("Did you mean %q?"):format(meant), rehearsal.refused(check, { [misspelt] = 1 }).hint)
    end)
  end

  for _, name in ipairs { "colour", "x", "", "kit", "lag" } do
    it(("make no guess about %q, but say what there is"):format(name), function()
      assert.equal("There are driver, incident, key, look, on_event, parallel, timeout.",
        rehearsal.refused(check, { [name] = 1 }).hint)
    end)
  end

  it("never print an address, which tells nobody anything", function()
    for name in pairs(known) do
      for _, value in ipairs { {}, print, coroutine.create(print), io.stdout } do
        local ok, err = pcall(check, { [name] = value })
        if not ok then assert.is_nil(tostring(err):find "0x%x%x") end
      end
    end
    for _, key in ipairs { {}, print } do
      assert.is_nil(tostring(rehearsal.refused(check, { [key] = 1 })):find "0x%x%x")
    end
  end)

  it("guess the same name every time", function()
    for _ = 1, 20 do assert.equal("ab", options.nearest("aa", { ab = 1, ac = 1, ad = 1, ca = 1 })) end
  end)
end)
