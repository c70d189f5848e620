-- rows: records in the format that was asked for.
-- Labels: not-lua5.3
local console = require "tests.spec.support.console"
local rows = require "mde.cli.ui.rows"

local NOW = 1800000000

---@type mde.cli.RowColumn[]
local columns = {
  { name = "id", title = "ID", value = function(record) return record.id end, only_data = true },
  { name = "name", title = "NAME", value = function(record) return record.name end },
  { name = "seen", title = "SEEN", value = function(record) return record.seen end,
    shown = function(record, now) return ("%ds ago"):format(now - record.seen) end },
  { name = "id", title = "ID", value = function(record) return record.id end, only_shown = true },
}

local some = { { id = 1, name = "a\27[2J", seen = NOW - 5 }, { id = 2, seen = NOW - 60 } }

describe("rows", function()
  local records = some

  local function written(format, options, as_json)
    local context = { format = format, client = { now = function() return NOW end },
      arguments = { no_heading = options and options.no_heading } }
    return console.capture(function()
      local writer = rows.new(context, columns, as_json)
      for _, record in ipairs(records) do writer.add(record) end
      writer.finish()
    end, options).out
  end

  it("are an object of JSON a line", function()
    assert.equal('{"id":1,"name":"a\\u001b[2J","seen":1799999995}\n{"id":2,"seen":1799999940}\n', written "json")
    assert.equal("[1]\n[2]\n", written("json", nil, function(record) return { record.id } end))
  end)

  it("are shown without a client, too", function()
    local told = console.capture(function()
      local writer = rows.new({ format = "text" }, { columns[2] })
      writer.add(some[1])
      writer.finish()
    end, { columns = 80 }).out
    assert.equal("NAME\na\\x1b[2J\n", told)
  end)

  it("are CSV with a heading", function()
    assert.equal("id,name,seen\r\n1,a\\x1b[2J,1799999995\r\n2,,1799999940\r\n", written "csv")
  end)

  it("are CSV with one heading, where a second writer goes on with the same columns", function()
    local context = { format = "csv" }
    local out = console.capture(function()
      for i, chosen in ipairs { columns, columns, { columns[2] } } do
        rows.new(context, chosen).add(some[i] or some[1])
      end
    end).out
    assert.equal("id,name,seen\r\n1,a\\x1b[2J,1799999995\r\n2,,1799999940\r\nname\r\na\\x1b[2J\r\n", out)
  end)

  it("are cells between tabs where a program reads them, with a heading", function()
    assert.equal("id\tname\tseen\n1\ta\\x1b[2J\t1799999995\n2\t\t1799999940\n", written "text")
  end)

  it("are columns on a terminal, as a person reads them", function()
    assert.equal("NAME      SEEN     ID\na\\x1b[2J  5s ago   1\n          60s ago  2\n",
      written("text", { columns = 80 }))
  end)

  it("have no heading where that is left away", function()
    assert.equal("1,a\\x1b[2J,1799999995\r\n2,,1799999940\r\n", written("csv", { no_heading = true }))
    assert.equal("1\ta\\x1b[2J\t1799999995\n2\t\t1799999940\n", written("text", { no_heading = true }))
    assert.equal("a\\x1b[2J  5s ago   1\n          60s ago  2\n",
      written("text", { columns = 80, no_heading = true }))
  end)

  it("have no heading where there are none, but in CSV", function()
    records = {}
    finally(function() records = some end)
    assert.equal("", written "text")
    assert.equal("", written("text", { columns = 80 }))
    assert.equal("id,name,seen\r\n", written "csv")
  end)

  it("are asked for by options", function()
    assert.equal("json", rows.format { json = true })
    assert.equal("csv", rows.format { csv = true })
    assert.equal("text", rows.format {})
  end)

  it("have a bold heading where that is seen", function()
    assert.equal("\27[1mNAME      SEEN     ID\27[m\na\\x1b[2J  5s ago   1\n          60s ago  2\n",
      written("text", { columns = 80, styles = true }))
  end)
end)
