-- What restrict and release are called with.

local mde = require "mde"
local rehearsal = require "tests.spec.support.rehearsal"

describe("the arguments of restrict and release", function()
  it("are right", function()
    for _, case in ipairs {
      { "restrict", "beacon" }, { "release", "cleared", {} }, { "restrict", ("x"):rep(850), { incident = 4711 } },
      { "restrict", "beacon", { incident = "INC-4711", key = "alert-0001", timeout = 60, allow = { "servers" } } },
      { "release", "cleared", { look = false, resend = false, cancel_opposite = false } },
    } do
      assert.is_true(mde.check(case[1], case[2], case[3]))
    end
  end)

  -- Whatever is wrong is told as the call itself would raise it.
  for what, case in pairs {
    ["no comment"] = { nil, nil, "a comment is required" },
    ["an empty comment"] = { " \n", nil, "the comment is empty" },
    ["a comment that is too long"] = { ("x"):rep(851), nil, "longer than 850 characters" },
    ["a comment that is not UTF-8"] = { "caf\233", nil, "not valid UTF-8" },
    ["an incident with a blank"] = { "why", { incident = "INC 1" }, "the incident is not 1 to 64 of" },
    ["an incident that is a table"] = { "why", { incident = {} }, 'option "incident"' },
    ["a short key"] = { "why", { key = "alert" }, "the key is not 8 to 64 of" },
    ["a key without a look"] = { "why", { key = "alert-0001", look = false }, "a key needs a look" },
    ["a rule that there is not"] = { "why", { allow = { "server" } }, 'Did you mean "servers"?' },
    ["an option that there is not"] = { "why", { incidents = 1 }, 'Did you mean "incident"?' },
  } do
    it("are refused with " .. what, function()
      local r = rehearsal.new()
      for _, verb in ipairs { "restrict", "release" } do
        local ok, err = mde.check(verb, case[1], case[2])
        assert.is_nil(ok)
        assert.equal("invalid", err.kind)
        assert.truthy(tostring(err):find(case[3], 1, true), tostring(err))
        local raised = rehearsal.refused(r.client[verb], r.client, "desk-1", case[1], case[2])
        assert.equal(tostring(raised), tostring(err))
      end
      assert.same({}, r.tenant.history)
    end)
  end

  it("belong to one of the two", function()
    assert.matches('no verb "isolate"', rehearsal.refused(mde.check, "isolate", "why").message)
  end)
end)
