-- table: rows in columns that fit a terminal.
-- Labels: not-lua5.3
local tables = require "mde.cli.ui.table"

describe("a table", function()
  local columns = { { title = "NAME", least = 12 }, { title = "TAGS" }, { title = "ID", optional = true } }

  local function lines_of(limit, rows, without_titles)
    local lines = {}
    local shown = tables.new(columns, limit, function(line) lines[#lines + 1] = line end, without_titles)
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
