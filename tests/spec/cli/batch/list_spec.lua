-- Labels: not-lua5.3
local errors = require "mde.base.error"
local list = require "mde.cli.batch.list"

-- What the command makes of a file with that text.
local function gather(text, column, strict)
  local path = os.tmpname()
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
  local ok, found = pcall(list.gather, { devices = {}, list = path, column = column, strict = strict })
  os.remove(path)
  return ok, found, path
end

local function read(text, column)
  local ok, found, path = gather(text, column)
  if not ok then error(found, 0) end
  for _, entry in ipairs(found.entries) do entry.where = entry.where:gsub(path, "FILE", 1) end
  for _, one in ipairs(found.repeated) do
    one.where, one.first = one.where:gsub(path, "FILE", 1), one.first:gsub(path, "FILE", 1)
  end
  return found
end

local function devices(text)
  local names = {}
  for i, entry in ipairs(read(text).entries) do names[i] = entry.device end
  return names
end

local function refused(text)
  local ok, err, path = gather(text, nil, true)
  assert.is_false(ok)
  assert.is_true(errors.is(err))
  assert.equal("invalid", err.kind)
  return (tostring(err):gsub(path, "FILE"))
end

describe("a list of devices", function()
  for what, case in pairs {
    ["one a line"] = { "a\nb\nc\n", { "a", "b", "c" } },
    ["without a last line end"] = { "a\nb", { "a", "b" } },
    ["with Windows line ends"] = { "a\r\nb\r\n", { "a", "b" } },
    ["with a byte order mark"] = { "\239\187\191a\nb", { "a", "b" } },
    ["with blank lines and white space"] = { "\n  a \n\t\n  b\t\n\n", { "a", "b" } },
    ["with comments"] = { "# a\na\n  # b\nc#d\n", { "a", "c#d" } },
    ["with notes"] = {
      "laptop-17   # suspected, and \"why\"\r\na.corp.example\t#\n 1f00000000000000000000000000000000000017 # x",
      { "laptop-17", "a.corp.example", "1f00000000000000000000000000000000000017" } },
    ["with notes in the first column of a CSV"] = { "name,owner\nlaptop-17 # seen,x\nb,# x\n", { "laptop-17", "b" } },
    ["with names that have the sign of a note in them"] =
      { "Bob's phone # 2\niPad #2\n\"laptop # 3\"\na#\n", { "Bob's phone # 2", "iPad #2", "laptop # 3", "a#" } },
    ["of a CSV"] = { "device,x,y\na,x,y\nb,,\n,,\nc,x,\n", { "a", "b", "c" } },
    ["with a line for Excel"] = { "\239\187\191sep=;\r\nName;Owner\r\na;x\r\n", { "a" } },
    ["with quotes"] = { '"name","x"\n"a","x"\n"b, c",x\n"say ""d""",\n "e" ,x\n', { "a", "b, c", 'say "d"', "e" } },
    ["with a heading"] = { "computerDnsName\na", { "a" } },
    ["with a heading of several words"] = { "Device Name,Owner\na,b", { "a" } },
    ["with a heading behind a byte order mark and comments"] =
      { "\239\187\191# x\n\"hostname\",\"owner\"\na,b", { "a" } },
    ["with a machine that is called as a heading might be"] = { "name\nb", { "name", "b" } },
    ["with a word in a later line that is a heading only beside others"] = { "a\nid\nhost", { "a", "id", "host" } },
    ["with duplicates, whatever their case"] = { "a\nA\nb\na.corp.example\na", { "a", "b", "a.corp.example" } },
    ["with duplicates, whatever blanks are around and a dot at the end"] =
      { "Laptop-17.corp.example.\n laptop-17.CORP.example \nlaptop-17\n\194\160LAPTOP-17.",
        { "Laptop-17.corp.example.", "laptop-17" } },
    ["with apostrophes and other signs"] = { "o'brien\nx' or healthStatus eq 'Active\n50% & more",
      { "o'brien", "x' or healthStatus eq 'Active", "50% & more" } },
    ["of ids"] = { "1F00000000000000000000000000000000000017\n1f00000000000000000000000000000000000017",
      { "1F00000000000000000000000000000000000017" } },
  } do
    it(what, function() assert.same(case[2], devices(case[1])) end)
  end

  for what, case in pairs {
    ["an IP address"] = { "a\n10.0.0.1", "line 2 of FILE: the device \"10.0.0.1\" is an IP address" },
    ["a control character"] = { "a\7", "line 1 of FILE: the device \"a\\x07\"" },
    ["a NUL"] = { "ok\na\0b", "line 2 of FILE" },
    ["what is not UTF-8"] = { "caf\233", "line 1 of FILE" },
    ["a name that is too long"] = { ("x"):rep(256), "line 1 of FILE" },
    ["an open quote"] = { "a\n\"b,c", "line 2 of FILE, column 1: a quote is not closed" },
    ["a quote in the middle"] = { '"a"b', "line 1 of FILE, column 4: text behind a closing quote" },
    ["an empty first cell"] = { "a,\n,b", "line 2 of FILE: its first cell is empty" },
    ["several devices on a line"] = { "a,\nb, c", 'line 2 of FILE: several cells, and no heading' },
    ["a second heading"] = { "a\nfqdn", "line 2 of FILE: a heading in the middle of the list" },
    ["an empty first cell before a tab"] = { "\t\"b\"", "line 1 of FILE: its first cell is empty" },
    ["UTF-16"] = { "\255\254a\0\10\0", "line 1 of FILE, column 1: it is UTF-16, not UTF-8" },
  } do
    it("is refused for " .. what, function()
      assert.truthy(refused(case[1]):find(case[2], 1, true), refused(case[1]))
    end)
  end

  it("has an error of its own for a line that cannot name a device, in its place", function()
    local ok, found = gather("10.1.2.3\na\n" .. ("x"):rep(300) .. "\nb\na\n\127\n")
    assert.is_true(ok)
    local words = {}
    for i, entry in ipairs(found.entries) do words[i] = entry.err and entry.err.kind or entry.device end
    assert.same({ "invalid", "a", "invalid", "b", "invalid" }, words)
    assert.matches("^line 1 of .*: the device \"10%.1%.2%.3\" is an IP address", found.entries[1].err.message)
    assert.is_true(found.entries[1].done)
    assert.equal(1, #found.repeated)
  end)

  it("has an error of its own for a line that is not like the others, in its place", function()
    local id = ("a"):rep(40)
    local ok, found = gather(("id,fqdn\n%s,a\n%s\n,b\n\"x"):format(id, id))
    assert.is_true(ok)
    local words = {}
    for i, entry in ipairs(found.entries) do words[i] = { entry.device, entry.err and entry.err.code } end
    assert.same({ { id }, { id, "list_line_malformed" }, { "b", "list_line_doubtful" },
      { "line 5", "list_malformed" } }, words)
    assert.matches("line 3 of FILE: 1 cell, where the first line has 2%. Correct",
      refused(("id,fqdn\n%s,a\n%s\n"):format(id, id)))
  end)

  it("says which column may be meant where its ids are numbers of rows", function()
    local ok, err = gather "id,hostname\n1,laptop-17\n2,laptop-18\n"
    assert.is_false(ok)
    assert.matches('line 2 of .*: the device "1" is no machine id and no Entra device id%. If the column "hostname" '
      .. 'names the devices, say so: .*%-%-column "hostname"%)%. The list names no device; 2 of its lines',
      tostring(err))
  end)

  it("that has none but such lines is refused", function()
    local ok, err = gather "10.1.2.3\n10.1.2.4\n"
    assert.is_false(ok)
    assert.equal("invalid", err.kind)
    assert.matches("The list names no device; 2 of its lines cannot be one", tostring(err))
  end)

  it("shows the beginning of what is no device", function()
    local text = refused("\127ELF\1" .. ("\2"):rep(200) .. "x")
    assert.truthy(text:find('line 1 of FILE: the device "\\x7fELF\\x01\\x02', 1, true), text)
    assert.truthy(#text < 500)
  end)

  it("names the first bad lines and counts the others", function()
    local text = refused(("10.0.0.1\n"):rep(12))
    assert.truthy(text:find("line 5 of FILE", 1, true))
    assert.falsy(text:find("line 6 of FILE", 1, true))
    assert.truthy(text:find("; and 7 more", 1, true))
    assert.falsy(text:find("\n", 1, true))
    text = refused(("10.0.0.1\n"):rep(12) .. "\"open")
    assert.truthy(text:find("; and 7 more; line 13 of FILE, column 1: a quote is not closed", 1, true), text)
  end)

  it("says where a duplicate was and where it was first", function()
    local found = read "a\nb\nA\n"
    assert.same({ { device = "A", where = "line 3 of FILE", first = "line 1 of FILE" } }, found.repeated)
    assert.same({ '"A" (line 3 of FILE) is named more than once, first in line 1 of FILE; it counts once' },
      list.remarks(found))
  end)

  it("may be long", function()
    local lines = {}
    for i = 1, 100000 do lines[i] = ("desk-%d\r\n"):format(i % 99990) end
    local found = read(table.concat(lines))
    assert.equal(99990, #found.entries)
    assert.equal(10, #found.repeated)
    assert.equal(6, #list.remarks(found))
  end)

  it("has a column of the person's choice", function()
    local found = read("box,place\na,b\n", "Place")
    assert.equal("b", found.entries[1].device)
    assert.same({ 'the first line is a heading; the devices are named by column 2: "place"' }, list.remarks(found))
    assert.equal("b", read("a,b\n", 2).entries[1].device)
    local ok, err = pcall(list.gather, { devices = { "a" }, column = 2 })
    assert.is_false(ok)
    assert.truthy(tostring(err):find("--column belongs to a list", 1, true))
  end)

  it("that names no device is told beside the devices that are named", function()
    local path = os.tmpname()
    local found = list.gather { devices = { "a" }, list = path }
    os.remove(path)
    assert.equal(1, #found.entries)
    assert.same({ path .. " names no device" }, list.remarks(found))
  end)

  it("keeps the identifiers of one device together", function()
    local entry = read("DeviceId,DeviceName\n1f00000000000000000000000000000000000017,laptop-17\n").entries[1]
    assert.equal("1f00000000000000000000000000000000000017", entry.device)
    assert.equal("laptop-17", entry.identity[2])
    assert.equal("line 2 of FILE", entry.where)
  end)

  it("comes from arguments too, which are no CSV", function()
    local found = list.gather { devices = { "a,b", "c", "A,B" } }
    assert.equal(2, #found.entries)
    assert.equal("a,b", found.entries[1].device)
    assert.same({ '"A,B" is named more than once; it counts once' }, list.remarks(found))
  end)

  it("has to name something", function()
    for _, arguments in ipairs { { devices = {} }, { list = os.tmpname(), devices = {} } } do
      local ok, err = pcall(list.gather, arguments)
      assert.is_false(ok)
      assert.truthy(tostring(err):find("Name one or more devices", 1, true), tostring(err))
      if arguments.list then os.remove(arguments.list) end
    end
  end)

  it("is asked for before a file is read", function()
    assert.has_error(function() list.check { devices = {} } end)
    list.check { devices = { "a" } }
    list.check { devices = {}, list = "/nowhere" }
  end)

  it("is on standard input where - says so", function()
    assert.is_true(list.is_on_standard_input { devices = { "a", "-" } })
    assert.is_true(list.is_on_standard_input { devices = {}, list = "-" })
    assert.is_false(list.is_on_standard_input { devices = { "a" }, list = "b" })
  end)
end)
