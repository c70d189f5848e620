-- Labels: not-lua5.3
local csv = require "mde.cli.ui.csv"

describe("a cell of CSV", function()
  for _, case in ipairs {
    { nil, "" }, { "", "" }, { "plain", "plain" }, { 17, "17" }, { -17, "-17" }, { true, "true" },
    { "a,b", '"a,b"' }, { 'say "a"', '"say ""a"""' }, { "a;b", '"a;b"' }, { " a", '" a"' }, { "a ", '"a "' },
    { "=1+1", "'=1+1" }, { "+1", "'+1" }, { "-1", "'-1" }, { "@SUM(A1)", "'@SUM(A1)" },
    { "=HYPERLINK(\"http://x\",\"y\")", "\"'=HYPERLINK(\"\"http://x\"\",\"\"y\"\")\"" },
    { "  =1", "'  =1" }, { "\t=1", "'\\x09=1" }, { "\r=1", "'\\x0d=1" }, { "\n=1", "'\\x0a=1" },
    { "\239\188\157SUM(A1)", "'\239\188\157SUM(A1)" },
    { "a=1", "a=1" }, { "laptop-17", "laptop-17" },
    { "lap\227\133\164top\239\184\143", "lap\\xe3\\x85\\xa4top\\xef\\xb8\\x8f" },
    { "a\nb", "a\\x0ab" }, { "\27[2J", "\\x1b[2J" }, { "\194\155x", "\\xc2\\x9bx" }, { "caf\195\169", "caf\195\169" },
  } do
    it(("of %q is %q"):format(tostring(case[1]), case[2]), function() assert.equal(case[2], csv.cell(case[1])) end)
  end

  it("has its place also if others are absent", function()
    assert.equal("a,,c,\r\n", csv.line({ "a", nil, "c" }, 4))
  end)
end)
