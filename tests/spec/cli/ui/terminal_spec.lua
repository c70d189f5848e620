-- Labels: not-lua5.3
local tables = require "mde.cli.ui.table"
local terminal = require "mde.cli.ui.terminal"

describe("the terminal", function()
  for text, width in pairs {
    [""] = 0, ["abc"] = 3, ["caf\195\169"] = 4, ["e\204\129"] = 1, ["\230\151\165\230\156\172"] = 4,
    ["\240\159\148\146"] = 2, ["a\226\128\139b"] = 2,
  } do
    it(("takes %d columns for %q"):format(width, text), function() assert.equal(width, terminal.width(text)) end)
  end

  for _, case in ipairs {
    { "abc", 5, "abc  " }, { "abc", 3, "abc" }, { "abcdef", 5, "ab..." }, { "abcdef", 2, ".." }, { "", 2, "  " },
    { "\230\151\165\230\156\172\230\151\165", 5, "\230\151\165..." }, { "\230\151\165\230\156\172", 4,
      "\230\151\165\230\156\172" }, { "a\230\151\165\230\156\172x", 5, "a... " },
  } do
    it(("fits %q into %d columns"):format(case[1], case[2]), function()
      local fitted = terminal.fit(case[1], case[2])
      assert.equal(case[3], fitted)
      assert.equal(case[2], terminal.width(fitted))
    end)
  end

  it("is acted on by nothing that was escaped", function()
    assert.equal("\\x1b]0;x\\x07\\x0a\\xc2\\x9b\\xe2\\x80\\xae\\xff", terminal.escape
      "\27]0;x\7\n\194\155\226\128\174\255")
  end)
end)

describe("a table", function()
  local columns = { { title = "NAME", least = 12 }, { title = "TAGS" }, { title = "ID", optional = true } }

  local function lines_of(limit, rows)
    local lines = {}
    local shown = tables.new(columns, limit, function(line) lines[#lines + 1] = line end)
    for _, row in ipairs(rows) do shown.add(row) end
    shown.finish()
    return lines
  end

  it("is as wide as it has to be", function()
    assert.same({ "NAME  TAGS  ID", "a     b     c", "dddd        ee" },
      lines_of(80, { { "a", "b", "c" }, { "dddd", "", "ee" } }))
  end)

  it("leaves away what is optional and then cuts the widest", function()
    local row = { "laptop-17.corp.example", ("tag "):rep(10) .. "end", "1f00" }
    assert.same({ "NAME                 TAGS", "laptop-17.corp.e...  tag tag tag tag ..." }, lines_of(40, { row }))
    local lines = lines_of(22, { row })
    assert.same({ "NAME          TAGS", "laptop-17...  tag t..." }, lines)
  end)

  it("keeps what is optional where another column could be cut", function()
    local lines = lines_of(80, { { "a", ("x"):rep(200), "1f00" } })
    assert.truthy(lines[1]:find "ID$")
    assert.equal(80, #lines[1] + 2)
  end)

  it("escapes what is in it, and has nothing to say without rows", function()
    assert.same({ "NAME     TAGS  ID", "\\x1b[2J" }, lines_of(80, { { "\27[2J" } }))
    assert.same({}, lines_of(80, {}))
  end)

  it("goes on with the widths of the first hundred rows", function()
    local rows = {}
    for i = 1, 150 do rows[i] = { i <= 100 and "a" or "longer", "b", "c" } end
    local lines = lines_of(80, rows)
    assert.equal(151, #lines)
    assert.equal("l...", lines[151]:sub(1, 4))
  end)
end)
