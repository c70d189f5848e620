-- Indicators from a file.
-- Labels: only-lua5.4
local file = require "mde.cli.indicator.file"
local rehearsal = require "tests.spec.support.rehearsal"

describe("a file of indicators", function()
  local path

  before_each(function() path = os.tmpname() end)
  after_each(function() os.remove(path) end)

  local function write(text)
    local handle = assert(io.open(path, "wb"))
    handle:write(text)
    handle:close()
  end

  local function read(text)
    write(text)
    return file.read(path)
  end

  local function refused(text)
    write(text)
    return tostring(rehearsal.refused(file.read, path))
  end

  it("is CSV with the service's names", function()
    local rows, lines = read('\239\187\191indicatorValue,title,generateAlert,rbacGroupNames,rbacGroupIds,severity\r\n'
      .. 'a.example,"a ""b"",\nc",true,"Servers, tier 1; Laptops",140;141,\r\n\r\nb.example,t,false,,,High')
    assert.same({
      { indicatorValue = "a.example", title = 'a "b",\nc', generateAlert = true,
        rbacGroupNames = { "Servers, tier 1", "Laptops" }, rbacGroupIds = { 140, 141 } },
      { indicatorValue = "b.example", title = "t", generateAlert = false, severity = "High" },
    }, rows)
    assert.same({ 2, 5 }, lines)
  end)

  it("is JSON, whole or a line each", function()
    local rows = read '[{"indicatorValue":"a.example"},{"indicatorValue":"b.example"}]'
    assert.equal("b.example", rows[2].indicatorValue)
    local lines
    rows, lines = read '{"indicatorValue":"a.example"}\n\n{"indicatorValue":"b.example"}\n'
    assert.same({ "b.example", { 1, 3 } }, { rows[2].indicatorValue, lines })
  end)

  it("is refused whole where it cannot be read", function()
    assert.matches('no field "value".*line 1', (refused "value,type\na,b"):gsub("^(.*)(, line 1)(.*)$", "%1%3%2"))
    assert.matches('Did you mean "indicatorValue"', refused "indicatorvalue\na")
    assert.matches("two columns title", refused "title,title\na,b")
    assert.matches("line 3: it has 1 cells, and the heading 2", refused "indicatorValue,title\na,b\nc")
    assert.matches("a quote is not closed", refused 'title\n"a')
    assert.matches("a quote stands within", refused 'title\na"b')
    assert.matches("something behind a quoted cell", refused 'title\n"a"b')
    assert.matches("it is empty", refused " \n")
    assert.matches("line 2: it is not a JSON object", refused '{}\nx')
    assert.matches("it is not JSON", refused "[1,")
    os.remove(path)
    assert.equal("list_unreadable", rehearsal.refused(file.read, path).code)
  end)
end)
