-- mde.read_list: what a file says. The table of files is in tests/core/test_device_list.c.
local mde = require "mde"
local rehearsal = require "tests.spec.support.rehearsal"

local LAPTOP = ("a"):rep(40)
local BOTH = "DeviceId,DeviceName\n"

local function written(text)
  local path = os.tmpname()
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
  return path
end

local function read(text, options)
  options = options or {}
  options.name = options.name or "FILE"
  local path = written(text)
  local list, err = mde.read_list(path, options)
  os.remove(path)
  return list, err
end

local function refused(text, options)
  local list, err = read(text, options)
  assert.is_nil(list)
  assert.equal("invalid", err.kind)
  assert.is_true(rehearsal.is_one_line(tostring(err)))
  return tostring(err)
end

local function has(text, part) assert.truthy(text:find(part, 1, true), text) end

describe("mde.read_list", function()
  it("tells the devices and where they stand", function()
    local list = assert(read('\239\187\191# x\r\nNote;Device Name\r\n"a\r\nlaptop-19";laptop-17 # seen\r\n'
      .. ";laptop-18\r\n"))
    assert.same({ "laptop-17", "laptop-18" }, { list[1], list[2] })
    assert.equal(2, #list)
    assert.same({ 3, 5 }, list.lines)
    assert.equal("Device Name", list.heading)
    assert.equal(2, list.column)
    assert.same({ 'the first line is a heading; the devices are named by column 2: "Device Name"',
      "left out of FILE: 1 line that begins with # (line 1), 1 note behind #", "a cell of line 3 spans 2 lines" },
      list.remarks)
    assert.same({}, list.repeated)
  end)

  it("tells which lines were left out for their sign", function()
    assert.same({ "left out of FILE: 2 lines that begin with # (lines 1, 3)" }, read("# a\nb\n #4711\n").remarks)
    assert.same({ "left out of FILE: 7 lines that begin with # (lines 2, 3, 4, 5, 6 and 2 more)" },
      read("b\n" .. ("#\n"):rep(7)).remarks)
  end)

  it("tells which cells span several lines", function()
    assert.equal("a cell of line 2 spans 3 lines", read('fqdn,x\na,"\n\n"').remarks[2])
    local remarks = read("fqdn,x\n" .. ('a,"b\nc"\n'):rep(7)).remarks
    assert.equal("a cell of line 10 spans 2 lines", remarks[6])
    assert.equal("2 more cells span several lines", remarks[7])
    has(read("fqdn,x\n" .. ('a,"b\nc"\n'):rep(6)).remarks[7], "1 more cell spans several lines")
  end)

  it("refuses a name that begins with an apostrophe, unless it is compared with an id", function()
    has(refused "'desk-001\n", [[line 1 of FILE: the device "'desk-001" begins with an apostrophe]])
    assert.equal("'desk-001", assert(read(BOTH .. LAPTOP .. ",'desk-001\n"))[1][2])
  end)

  it("refuses a line with # that could be a record", function()
    has(refused "Ticket;DeviceName\n#4711;desk-004\n4712;desk-005\n", "line 2 of FILE, column 1: a line that begins "
      .. "with #, in a list with columns; take it out, or put quotes around its first cell. Correct that place")
    assert.equal("desk-004", assert(read 'Ticket;DeviceName\n"#4711";desk-004\n')[1])
    has(refused '#4711,"x\ndesk-002\n#"\n', 'line 1 of FILE, column 7: a quote in a line that begins with #; take the '
      .. "line out, or put quotes around its first cell")
  end)

  it("tells what is named twice, whatever its spelling", function()
    local list = assert(read "a.b\nc\nA.B.\nc")
    assert.same({ "a.b", "c" }, { list[1], list[2] })
    assert.equal(2, #list)
    assert.same({ { device = "A.B.", line = 3, first = 1 }, { device = "c", line = 4, first = 2 } }, list.repeated)
    assert.same({ '"A.B." (line 3) is named more than once, first in line 1; it counts once',
      '"c" (line 4) is named more than once, first in line 2; it counts once' }, list.remarks)
    assert.equal(6, #assert(read(("a\n"):rep(9))).remarks)
  end)

  it("keeps a line apart that says something else of the same device", function()
    local list = assert(read(("%s%s,a\n%s,b\n%s,A\n"):format(BOTH, LAPTOP, LAPTOP:upper(), LAPTOP)))
    assert.equal(2, #list)
    assert.equal(LAPTOP .. " (a)", tostring(list[1]))
    assert.same({ 4 }, { list.repeated[1].line })
    assert.equal('the first line is a heading; the devices are named by column 1: "DeviceId", 2: "DeviceName", which '
      .. "must mean the same", list.remarks[1])
  end)

  it("tells which cells say nothing", function()
    local list = assert(read(("%s%s,a/b\n"):format(BOTH, LAPTOP)))
    assert.same({ LAPTOP }, { list[1] })
    assert.equal('"a/b" (line 2) contains "/", which no device name has, and is not compared', list.remarks[2])
  end)

  it("has a column of the caller's choice", function()
    assert.equal("b", assert(read("x,y\na,b", { column = "Y" }))[1])
    local list = assert(read("x,y\na,b", { column = 2 }))
    assert.same({ "y", "b" }, { list[1], list[2] })
    assert.is_nil(list.heading)
    assert.equal(2, list.column)
    assert.same({ "no heading is known in the first line, so it names a device; column 2 alone is read" },
      list.remarks)
  end)

  it("says of what it refuses where, why and what to do now", function()
    local text = refused "x,y\na,b"
    assert.equal('line 1 of FILE: several cells, and no heading that tells which one names a device (1: "x", 2: "y"). '
      .. "Say which column names the devices: column = HEADING or NUMBER (--column); or give each device a line of its "
      .. "own. Nothing was done.", text)
    has(refused "a\n\"b", "line 2 of FILE, column 1: a quote is not closed. Correct that place")
    has(refused "fqdn,x\na", "line 2 of FILE: 1 cell, where the first line has 2. Correct that line.")
    has(refused "a\n10.0.0.1\n\"b",
      '"10.0.0.1" is an IP address, and who has it now may not be who had it then; line 3')
    has(refused "caf\233", 'the device "caf\\xe9" is not valid UTF-8. Give a machine id')
    has(refused(("10.0.0.1\n"):rep(12)), "; and 7 more.")
    has(refused "id,x\n,b", "line 2 of FILE: its first cell is empty")
    has(refused "x,fqdn\nb,", "line 2 of FILE: its column 2 cell is empty")
    has(refused(("x"):rep(300)), "is 300 bytes long")
    has(refused(("n%d,"):rep(9)), "4 more")
  end)

  -- What is taken, and the messages of what is left out.
  local function skipped(text, options)
    options = options or {}
    options.skip_flawed = true
    local list, err = read(text, options)
    if not list then return err end
    local messages = {}
    for i, one in ipairs(list.flawed) do messages[i] = one.err.message end
    local taken = {}
    for i, device in ipairs(list) do taken[i] = tostring(device) end
    return taken, messages, list
  end

  it("leaves out a line that is not like the others, where ids and names prove the others", function()
    local text = ("%s%s,a\n%s,b,c\n,laptop-19\n%s,d\nTotal: 2\n"):format(BOTH, LAPTOP, LAPTOP, ("b"):rep(40))
    local taken, messages, list = skipped(text)
    assert.same({ LAPTOP .. " (a)", ("b"):rep(40) .. " (d)" }, taken)
    assert.same({ 2, 5 }, list.lines)
    assert.same({ "line 3 of FILE: 3 cells, where the first line has 2; the line is left out",
      'line 4 of FILE: "laptop-19" is left out, since line 3 is not like the others, and beside it this could be a '
        .. "line of a note",
      "line 6 of FILE: 1 cell, where the first line has 2; the line is left out" }, messages)
    local codes, texts = {}, {}
    for i, one in ipairs(list.flawed) do codes[i], texts[i] = one.err.code, one.text end
    assert.same({ "list_line_malformed", "list_line_doubtful", "list_line_malformed" }, codes)
    assert.same({ LAPTOP, "laptop-19", "Total: 2" }, texts)
    assert.equal("Correct line 3, or give the device's id and its name.", list.flawed[2].err.hint)
    has(refused(text), "line 3 of FILE: 3 cells, where the first line has 2. Correct that line.")
  end)

  it("is refused where a line is not like the others and nothing proves any", function()
    local err = skipped "name,note\nlaptop-17,user called:\nlaptop-19,x\nthanks\nlaptop-18,ok\n"
    has(tostring(err), "line 4 of FILE: 1 cell, where the first line has 2. Beside such a line any other could be a "
      .. "line of a note, and none shows that it is not, by an id and a name or by quotes around each cell.")
    assert.equal("list_line_malformed", err.code)
  end)

  it("takes nothing from behind a quote that is never closed, or another heading", function()
    local taken, messages = skipped(("%s%s,a\n,\"b\n%s,c\n"):format(BOTH, LAPTOP, LAPTOP))
    assert.same({ LAPTOP .. " (a)" }, taken)
    assert.same({ "line 3 of FILE, column 2: a quote is not closed; nothing from there on is taken" }, messages)
    taken, messages = skipped(("%s%s,a\nDeviceName,DeviceId\n%s,c\n"):format(BOTH, LAPTOP, LAPTOP))
    assert.same({ LAPTOP .. " (a)" }, taken)
    assert.same({ "line 3 of FILE: a heading in the middle of the list; nothing from there on is taken" }, messages)
  end)

  it("leaves out the same heading again", function()
    local taken, messages = skipped "fqdn,x\na,b\nFQDN,X\nc,d\n"
    assert.same({ "a", "c" }, taken)
    assert.same({ "line 3 of FILE: the heading again, in the middle of the list; the line is left out" }, messages)
    has(refused "fqdn,x\na,b\nFQDN,X\nc,d\n", "line 3 of FILE: the heading again, in the middle of the list")
  end)

  it("says which column may be meant where ids are numbers of rows", function()
    local advice = 'If the column "hostname" names the devices, say so: column = "hostname" (--column "hostname").'
    local _, _, list = skipped "id,hostname\n1,laptop-17\n"
    assert.equal(advice, list.flawed[1].err.hint)
    has(refused "id,hostname\n1,laptop-17\n", advice)
    assert.equal("laptop-17", assert(read("id,hostname\n1,laptop-17\n", { column = "hostname" }))[1])
  end)

  it("compares a name beside an id", function()
    assert.equal(LAPTOP .. " (a)", tostring(assert(read("id,name\n" .. LAPTOP .. ",a\n"))[1]))
    has(refused "id,name\n,a\n", '"a" has no id beside it, and its column may be about anything')
  end)

  it("says which file cannot be read", function()
    local list, err = mde.read_list "/nowhere/list"
    assert.is_nil(list)
    assert.equal("invalid", err.kind)
    has(tostring(err), "/nowhere/list")
    list, err = mde.read_list "/"
    assert.is_nil(list)
    has(tostring(err), "/ cannot be read: ")
  end)

  it("reads an open file, and leaves it open", function()
    local path = written "a\nb\n"
    local file = assert(io.open(path, "rb"))
    os.remove(path)
    assert.equal(2, #assert(mde.read_list(file)))
    assert.equal("file", io.type(file))
    file:close()
  end)

  it("says the same of a long list, however it is read", function()
    local lines = { "DeviceName,Note" }
    for i = 1, 30000 do lines[#lines + 1] = ('"desk-%d","%s\n"'):format(i, ("x"):rep(i % 50)) end
    local list = assert(read(table.concat(lines, "\r\n")))
    assert.equal(30000, #list)
    assert.equal("desk-30000", list[30000])
    assert.equal(60000, list.lines[30000])
  end)

  it("raises for a wrong argument", function()
    local path = written "a"
    local closed = io.open(path, "rb")
    closed:close()
    for _, case in ipairs { { nil }, { 7 }, { {} }, { "" }, { closed }, { path, { column = 0 } },
      { path, { column = 257 } }, { path, { column = 1.5 } }, { path, { column = "" } }, { path, { column = true } },
      { path, { column = " _\t_" } }, { path, { column = "\239\187\191" } },
      { path, { column = ("x"):rep(65) } }, { path, { colunm = 1 } }, { path, 7 } } do
      rehearsal.refused(mde.read_list, case[1], case[2])
    end
    os.remove(path)
  end)
end)
