-- The changes of a run that are no response actions, as lines, and as events of its record.
local errors = require "mde.base.error"
local others = require "mde.run.other"

describe("a change that is no response action", function()
  it("has a line, in full where it is bound", function()
    assert.equal("tag pc-1: seen", others.line { what = "tag", subject = { computerDnsName = "pc-1", id = "x" },
      detail = "seen" })
    assert.equal("cancel 5c1f", others.line { what = "cancel", subject = { id = "5c1f" } })
    local long = ("a"):rep(400)
    assert.equal("add_indicator " .. long, others.line { what = "add_indicator", subject = long })
    assert.equal([[add_indicator a\x1b]], others.line { what = "add_indicator", subject = "a\27" })
    assert.is_true(#others.line { what = "tag", subject = long } < 320)
  end)

  it("binds the run where it is of an indicator", function()
    assert.is_true(others.is_bound "delete_indicator")
    assert.is_false(others.is_bound "tag")
    assert.same({ "add_indicator a", "delete_indicator 1" }, others.bound { "delete_indicator 1", "tag x",
      "add_indicator a", "add_indicator a" })
    assert.same({}, others.bound { "tag add_indicator", "odd" })
    assert.same({ "protected", "plan" }, { others.not_planned("x").kind, others.not_planned("x").rule })
  end)

  local function lost() return errors.new { kind = "unknown", code = "lost", message = "gone" } end

  it("is known by the event that says that it ended", function()
    local change = { what = "tag", subject = "pc-1 - x", detail = "seen" }
    local rows = {}
    for n = 1, 4 do rows[n] = { n = n, at = n, kind = "tag", detail = others.rest(change) } end
    change.n = 1
    rows[5] = others.ended(change, nil, 9)
    change.n = 3
    rows[6] = others.ended(change, lost(), 9)
    change.n = 4
    rows[7] = others.ended(change, errors.new { kind = "refused", code = "x", message = "no" }, 9)
    rows[8], rows[9], rows[10] = { kind = "done", detail = "7 tag pc" }, { kind = "done" }, { kind = "tag" }
    local words, said = {}, {}
    for i, one in ipairs(others.of_events(rows)) do words[i], said[i] = one.word, one.said or "" end
    assert.same({ "done", "unknown", "unknown", "failed" }, words)
    assert.same({ "", "", "gone", "no" }, said)
    assert.equal("sending", others.of_events(rows, true)[2].word)
  end)

  it("is open until the same was done", function()
    local function result(line, word) return { line = line, word = word } end
    local open = others.open { result("a", "unknown"), result("b", "unknown"), result("a", "done"),
      result("c", "failed") }
    assert.same({ result("b", "unknown") }, open)
    assert.equal("unknown", others.word "raised")
  end)
end)
