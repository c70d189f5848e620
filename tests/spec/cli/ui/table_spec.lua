-- table: rows in columns that fit a terminal.
-- Labels: not-lua5.3
local tables = require "mde.cli.ui.table"

describe("a table", function()
  local columns = { { title = "NAME", least = 12 }, { title = "TAGS" }, { title = "ID", optional = true } }

  local function lines_of(limit, rows, without_titles, others)
    local lines = {}
    local shown = tables.new(others or columns, limit, function(line) lines[#lines + 1] = line end, without_titles)
    for _, row in ipairs(rows) do shown.add(row) end
    shown.finish()
    return lines
  end

  it("is as wide as it has to be", function()
    assert.same({ "NAME  TAGS  ID", "a     b     c", "dddd        ee" },
      lines_of(80, { { "a", "b", "c" }, { "dddd", "", "ee" } }))
  end)

  it("has no titles where they are left away, nor room for them", function()
    assert.same({ "a     b  c", "dddd     ee" }, lines_of(80, { { "a", "b", "c" }, { "dddd", "", "ee" } }, true))
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

  it("leaves others away before it cuts what is kept, as long as that is no wider than names are", function()
    local own = { { title = "NAME", kept = true }, { title = "TAGS" }, { title = "ID", optional = true } }
    local function shown(limit, name) return lines_of(limit, { { name, ("t"):rep(40), "1f001f00" } }, false, own)[2] end
    local name = ("n"):rep(46)
    assert.equal(name .. "  " .. ("t"):rep(40) .. "  1f001f00", shown(98, name))
    assert.equal(name .. "  " .. ("t"):rep(40), shown(97, name))
    assert.equal(("n"):rep(45) .. "...  " .. ("t"):rep(40) .. "  1f001f00", shown(100, ("n"):rep(200)))
  end)

  it("has of what is optional each for which there is room", function()
    local own = { { title = "NAME" }, { title = "ID", optional = true }, { title = "SEEN", optional = true } }
    assert.same({ "NAME  SEEN", "abcd  now" }, lines_of(20, { { "abcd", ("1"):rep(30), "now" } }, false, own))
  end)

  it("escapes what is in it, and has nothing to say without rows", function()
    assert.same({ "NAME     TAGS  ID", "\\x1b[2J" }, lines_of(80, { { "\27[2J" } }))
    assert.same({ "NAME                TAGS  ID", "lap\\xe3\\x85\\xa4top" },
      lines_of(80, { { "lap\227\133\164top" } }))
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
