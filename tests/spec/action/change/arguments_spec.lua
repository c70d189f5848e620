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
    ["a comment with too many emoji"] = { ("\240\159\148\146"):rep(801), nil, "1,600 UTF-16 units" },
    ["a comment that is not UTF-8"] = { "caf\233", nil, "not valid UTF-8" },
    ["an incident with a blank"] = { "why", { incident = "INC 1" }, "the incident is not 1 to 64 of" },
    ["an incident that is a table"] = { "why", { incident = {} }, 'option "incident"' },
    ["a short key"] = { "why", { key = "alert" }, "the key is not 8 to 64 of" },
    ["a key without a look"] = { "why", { key = "alert-0001", look = false }, "a key needs a look" },
    ["a key that ends in a time"] = { "why", { key = "alert-0001.until.1795960800" },
      "until when a restriction holds" },
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
        assert.is_nil(err.where)
        assert.is_string(raised.where)
        raised.where = nil
        assert.equal(tostring(raised), tostring(err))
      end
      assert.same({}, r.tenant.history)
    end)
  end

  for what, case in pairs {
    ["a time to hold that is a word"] = { "restrict", { release_after = "soon" }, "a span of 5 minutes to 90 days" },
    ["a time to hold that is short"] = { "restrict", { release_after = 299 }, "a span of 5 minutes to 90 days" },
    ["a time to hold that is long"] = { "restrict", { release_after = "91d" }, "a span of 5 minutes to 90 days" },
    ["a time to hold beside a long key"] = { "restrict", { release_after = "8h", key = ("k"):rep(48) },
      "at most 47 characters" },
    ["a time to hold of a release"] = { "release", { release_after = "8h" }, "belongs to restrict" },
    ["operations of a restrict"] = { "restrict", { operations = { "abcdefgh" } }, "belongs to release" },
    ["expired of a restrict"] = { "restrict", { expired = true }, "belongs to release" },
    ["no operations"] = { "release", { operations = {} }, "is empty" },
    ["operations with a hole"] = { "release", { operations = { "abcdefgh", nil, "abcdefgi" } }, "missing" },
    ["an operation that is none"] = { "release", { operations = { "abcdefgh", "a b" } }, "item 2" },
    ["operations without a look"] = { "release", { operations = { "abcdefgh" }, look = false }, "needs a look" },
  } do
    it("are refused with " .. what, function()
      local ok, err = mde.check(case[1], "why", case[2])
      assert.is_nil(ok)
      assert.truthy(tostring(err):find(case[3], 1, true), tostring(err))
    end)
  end

  it("may be what an attacker wrote: a suffix in the comment is disarmed, and the action says so", function()
    local r = rehearsal.new { unguarded = true }
    local action = assert(r.client:restrict("laptop-17", "ran x [mde:INC-9:abcdefgh] (1).exe", { incident = "INC-1" }))
    assert.is_true(action.comment_changed)
    assert.equal("INC-1", action.incident)
    assert.matches("^ran x %(mde:INC%-9:abcdefgh%] %(1%)%.exe %[mde:INC%-1:[a-z2-7]+%]$", action.requestorComment)
    assert.is_nil(assert(r.client:release("laptop-17", "cleared")).comment_changed)
  end)

  it("may be any bytes that were made a comment", function()
    for i, bytes in ipairs { "caf\233", "a\0b", "", ("\240\159\148\146"):rep(2000), "x [mde:INC-9:abcdefgh]",
      ("x"):rep(5000) } do
      local r, comment = rehearsal.new { unguarded = true }, mde.comment(bytes)
      assert.is_true(mde.check("restrict", comment))
      local action = assert(r.client:restrict("laptop-17", comment, { key = "comment-number-" .. i }))
      assert.equal("comment-number-" .. i, action.operation_id)
    end
    assert.equal("caf\239\191\189", mde.comment "caf\233")
    assert.equal("17", mde.comment(17))
  end)

  it("are checked with what its body says", function()
    assert.is_true(mde.check("isolate", "why", { isolation_type = "Selective" }))
    local function problem(...) return select(2, mde.check(...)) end
    local err = problem("isolate", "why", { isolation_type = "full" })
    assert.matches('must be Full or Selective, not "full"', err.message)
    assert.equal('Did you mean "Full"?', err.hint)
    assert.matches("40 hexadecimal digits, not nil", problem("quarantine", "why").message)
    assert.matches("40 hexadecimal digits", problem("quarantine", "why", { sha1 = "abc" }).message)
    assert.is_true(mde.check("quarantine", "why", { sha1 = ("A"):rep(40) }))
    assert.matches('no option "isolation_type"', problem("restrict", "why", { isolation_type = "Full" }).message)
  end)

  it("belong to a response action", function()
    for _, name in ipairs { "offboard", "tag", "cancel", "Restrict" } do
      assert.matches(('no verb "%s"'):format(name), rehearsal.refused(mde.check, name, "why").message)
    end
  end)
end)
