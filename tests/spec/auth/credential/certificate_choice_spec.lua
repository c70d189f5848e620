-- credential.certificate_choice: which of several certificates is used, at every time.

local choices = require "mde.auth.credential.certificate_choice"
local rehearsal = require "tests.spec.support.rehearsal"

local NOW, DAY = 1770113472, 86400

-- In days from now.
local function one(from, till, name)
  return { not_before = NOW + from * DAY, not_after = NOW + till * DAY, subject = "/CN=" .. (name or "x"),
    sha1 = ("\171"):rep(20) }
end

describe("of several certificates", function()
  it("the valid one that ends last is used", function()
    local old, long, short, early = one(-9, -1), one(-9, 9), one(-1, 3), one(2, 99)
    for _, list in ipairs { { old, long, short, early }, { early, short, long, old }, { long }, { short, long } } do
      assert.equal(long, choices.choose(list, NOW))
    end
    assert.equal(short, choices.choose({ old, short, early }, NOW))
    assert.is_nil(choices.choose({ old, early }, NOW))
    assert.equal(early, choices.choose({ old, long, early }, NOW + 2 * DAY))
    assert.equal(early, choices.last { old, early, long })
  end)

  it("one is valid from its first second, clocks aside, until before its last", function()
    local it = one(0, 1)
    assert.equal(it, choices.choose({ it }, NOW))
    assert.equal(it, choices.choose({ it }, NOW - 300))
    assert.is_nil(choices.choose({ it }, NOW - 301))
    assert.equal(it, choices.choose({ it }, NOW + DAY - 1))
    assert.is_nil(choices.choose({ it }, NOW + DAY))
  end)

  it("those that follow without a gap count as one", function()
    local used, next_one, gap = one(-1, 5), one(4, 20), one(21, 90)
    assert.equal(used.not_after, choices.covered_until({ used, gap }, used))
    assert.equal(next_one.not_after, choices.covered_until({ gap, next_one, used }, used))
    assert.equal(gap.not_after, choices.covered_until({ gap, one(19, 30), next_one, used }, used))
  end)

  it("none is used where none is valid, which says why of each", function()
    local err = choices.none({ one(-9, -1, "a\27") }, NOW, "the certificate")
    assert.matches("^the certificate %(/CN=a\\x1b%) expired on 2026%-02%-02$", err.message)
    assert.equal("certificate_expired", err.code)
    err = choices.none({ one(1, 2, "b") }, NOW, "the certificate")
    assert.matches("is not valid before 2026-02-04T10:11:12Z", err.message, 1, true)
    assert.equal("certificate_not_yet_valid", err.code)
    err = choices.none({ one(1, 2, "b"), one(-9, -1, "a") }, NOW, "the certificate")
    assert.equal("certificate_expired", err.code)
    assert.matches("none of the 2 of its private key is valid now", err.message, 1, true)
    assert.matches("/CN=b, thumbprint " .. ("AB"):rep(20), err.message, 1, true)
    assert.is_true(rehearsal.is_one_line(tostring(err)))
  end)
end)
