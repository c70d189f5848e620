-- What a run does to a device has words for each verb, and those that take something from a user are bound to the plan.
local core = require "mde.core"
local deeds = require "mde.run.deed"

describe("what a run does", function()
  it("has words for every response action, no two the same", function()
    local seen = {}
    for _, name in ipairs(core.response_actions) do
      local deed = core.response_actions[name].kind == "acts" and deeds.of(name)
      if core.response_actions[name].kind == "acts" then
        for _, field in ipairs { "done", "means", "noun", "does", "asks", "title", "count" } do
          assert.is_string(deed[field], name .. " " .. field)
        end
        assert.is_nil(seen[deed.done], name)
        seen[deed.done] = true
        assert.matches("%d+ .*12 devices", ("x" .. deed.count):format(11, "12 devices"))
      else
        assert.is_nil(deeds.of(name))
      end
    end
  end)

  it("comes with what cuts off first", function()
    assert.same({ "restrict", "isolate", "contain", "release" },
      { deeds.verbs[1], deeds.verbs[2], deeds.verbs[3], deeds.verbs[4] })
    assert.equal(9, #deeds.verbs)
  end)

  it("is bound to the plan where it cuts off, and where nothing takes it back that is capped", function()
    local bound = {}
    for _, verb in ipairs(deeds.verbs) do
      if deeds.is_bound(verb) then bound[#bound + 1] = verb end
      assert.equal(core.response_actions[verb].holds, deeds.cuts_off(verb))
    end
    assert.same({ "restrict", "isolate", "contain", "quarantine" }, bound)
    for _, other in ipairs { "tag", "cancel", "nonsense" } do
      assert.is_false(deeds.is_bound(other))
      assert.is_false(deeds.cuts_off(other))
    end
  end)

  it("is told with its scope or file", function()
    assert.equal("restricted", deeds.done "restrict")
    assert.equal("file quarantined", deeds.done "quarantine")
    assert.equal("isolate (Selective)", deeds.shown("isolate", "Selective"))
    assert.equal("restrict", deeds.shown("restrict"))
    assert.equal("scope", deeds.subject_name "isolate")
    assert.equal("sha1", deeds.subject_name "quarantine")
    assert.is_nil(deeds.subject_name "restrict")
    assert.is_nil(deeds.subject_name "nonsense")
    assert.not_equal(deeds.key("a", "isolate", "Full"), deeds.key("a", "isolate", "Selective"))
  end)

  it("gives the restrict of an older plan the wave of its device", function()
    local changes = { { verb = "restrict", decision = "restrict" }, { verb = "restrict", decision = "protected" },
      { verb = "release", decision = "release" }, { verb = "restrict", decision = "restrict", wave = 1 } }
    deeds.mend_waves(changes, 3)
    assert.same({ 3, 1 }, { changes[1].wave, changes[4].wave })
    assert.is_nil(changes[2].wave or changes[3].wave)
  end)
end)
