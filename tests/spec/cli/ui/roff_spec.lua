-- roff: text for a manual page.
-- Labels: not-lua5.3
local roff = require "mde.cli.ui.roff"

describe("a text in roff", function()
  for text, written in pairs {
    ["--dry-run"] = "\\-\\-dry\\-run", ["a\\nb"] = "a\\(rsnb", ["it's `x` \"y\""] = "it\\(aqs \\(gax\\(ga \\(dqy\\(dq",
    ["^=~"] = "\\(ha=\\(ti", [".SH"] = ".SH",
  } do
    it(("is no escape within a line: %q"):format(text), function() assert.equal(written, roff.escape(text)) end)
  end

  it("is in bold or italics", function()
    assert.equal("\\fB\\-q\\fR", roff.bold "-q")
    assert.equal("\\fI<file>\\fR", roff.italic "<file>")
  end)

  it("is filled up, and never a request", function()
    assert.equal("\\&.SH is \\(aqno\\(aq request\n", roff.filled "  .SH is\n'no'   request ")
    local text = (("x"):rep(25) .. " "):rep(3) .. ".so /etc/passwd"
    assert.equal(("x"):rep(25) .. " " .. ("x"):rep(25) .. "\n" .. ("x"):rep(25) .. " .so /etc/passwd\n",
      roff.filled(text))
    text = (("x"):rep(25) .. " "):rep(2) .. ("y"):rep(24) .. " .so /etc/passwd"
    assert.equal(("x"):rep(25) .. " " .. ("x"):rep(25) .. " " .. ("y"):rep(24) .. "\n\\&.so /etc/passwd\n",
      roff.filled(text))
  end)

  it("keeps its lines where they are literal", function()
    assert.equal(".nf\n  a\n\n\\&.b\n\\(aqc\n.fi\n", roff.literal "  a\n\n.b\n'c")
  end)

  it("has paragraphs, with tables and examples as they are", function()
    assert.equal(".PP\na b\n.PP\n.nf\nc:\n   d\n.fi\n", roff.paragraphs "a\nb\n\n\nc:\n   d")
    assert.equal("", roff.paragraphs "\n\n")
  end)

  it("is an entry of a list", function()
    assert.equal(".TP\n\\fB\\-q\\fR\nSay nothing.\n", roff.entry(roff.bold "-q", "Say nothing."))
    assert.equal(".TP\n\\&.x\nSee above.\n", roff.entry(".x", ""))
  end)
end)
