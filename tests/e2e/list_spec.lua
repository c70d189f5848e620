-- Lists of devices, as the command reads them: which device is restricted in a tenant over TLS, and which is not.
-- Labels: only-lua5.4
local commands = require "tests.spec.support.process.command"

local has, has_not = commands.has, commands.has_not
local scene = commands.scene()
local tenant, command, created, desks = scene.tenant, scene.command, scene.created, scene.desks

local function id(number) return ("%040x"):format(0xd0000 + number) end

local function restrict_list(text, ...)
  return command.run { "restrict", "--list", command.file("list", text), "--comment", "x", "--yes", ... }
end

-- The numbers of the desks that were restricted.
local function restricted()
  local numbers = {}
  for i, entry in ipairs(created()) do numbers[i] = tonumber(entry.machine, 16) - 0xd0000 end
  table.sort(numbers)
  return numbers
end

-- Nothing was asked, and each of these texts says why.
local function refused(result, ...)
  assert.equal(1, result.status, result.err)
  for _, text in ipairs { "Nothing was done.", ... } do has(result.err, text) end
  has_not(result.err, "stack traceback")
  assert.equal(0, #tenant.history "request")
end

describe("a list given to mde", function()
  for name, line_end in pairs { LF = "\n", CRLF = "\r\n", CR = "\r" } do
    it("may have notes with line breaks inside quotes, with " .. name, function()
      desks(4)
      local result = restrict_list(table.concat({ "DeviceName,Note", 'desk-001.corp.example,"the user called:',
        "desk-002", 'is fine, leave it alone"', "desk-003,ok", "" }, line_end))
      assert.equal(0, result.status, result.err)
      assert.same({ 1, 3 }, restricted())
    end)
  end

  it("restricts nothing that stands in a note of a record whose first cell begins with #", function()
    desks(3)
    refused(restrict_list('Ticket,DeviceName,Note\n#4711,desk-001,"the user called:\n'
      .. 'x,desk-002,is fine leave it alone\n# thanks"\n4712,desk-003,ok\n'),
      "line 2 of ", ", column 1: a line that begins with #, in a list with columns")
    refused(restrict_list "Ticket;DeviceName\n#4711;desk-001\n4712;desk-002\n", "line 2 of ",
      "take it out, or put quotes")
    local result = restrict_list '# of today\nTicket;DeviceName\n"#4711";desk-001\n4712;desk-002\n'
    assert.equal(0, result.status, result.err)
    has(result.err, "1 line that begins with # (line 1)")
    assert.same({ 1, 2 }, restricted())
  end)

  it("is refused where a quote is never closed", function()
    desks(3)
    refused(restrict_list 'DeviceName,Note\ndesk-001,"the user called:\ndesk-002\ndesk-003,ok\n',
      "line 2 of ", ", column 10: a quote is not closed")
  end)

  for _, text in ipairs { "desk-001, desk-002, desk-003\n", "desk-001\ndesk-002, desk-003\n", "desk-001;desk-002",
    "desk-001\tdesk-002\n", "desk-001,x\rdesk-002,y\r", '"desk-001","desk-002"\n' } do
    it(("is refused where a line has several devices: %q"):format(text), function()
      desks(3)
      refused(restrict_list(text), "line ")
    end)
  end

  it("may have its devices in any column whose heading says so", function()
    desks(3)
    local result = restrict_list('"RemoteDeviceName","DeviceName","Logons"\n'
      .. '"desk-002.corp.example","desk-001.corp.example","14"\n')
    assert.equal(0, result.status, result.err)
    has(result.err, 'the devices are named by column 2: "DeviceName"')
    assert.same({ 1 }, restricted())
  end)

  it("is refused where it does not tell the column, until a person does", function()
    desks(3)
    local text = "box,seat\ndesk-002,desk-001\n"
    refused(restrict_list(text), 'no heading that tells which one names a device (1: "box", 2: "seat")', "--column")
    refused(restrict_list(text, "--column", "chair"), "no column has the heading that was asked for")
    local result = restrict_list(text, "--column", "seat")
    assert.equal(0, result.status, result.err)
    assert.same({ 1 }, restricted())
    has(command.run({ "state", "-", "--column", "2" }, { input = "x,desk-001\n" }).out, "restrict")
  end)

  it("is refused where --column names none, or there is no list", function()
    refused(restrict_list("desk-001\n", "--column", "2"), "there is no column 2, but 1")
    local result = command.run { "state", "desk-001", "--column", "2" }
    assert.equal(1, result.status)
    has(result.err, "--column belongs to a list")
    result = command.run { "state", "--list", "x", "--column", "" }
    assert.equal(1, result.status)
    has(result.err, "--column is empty")
    for _, column in ipairs { "0", "257", " _\t", ("x"):rep(65) } do
      result = command.run { "state", "--list", "x", "--column", column }
      assert.equal(1, result.status)
      has(result.err, "--column must be a heading, of at most 64 bytes, or a number from 1 to 256, not ")
      has_not(result.err, "read_list")
    end
  end)

  it("is refused where there are two", function()
    desks(3)
    local first, second = command.file("first", "desk-001\n"), command.file("second", "desk-002\n")
    local words = { "restrict", "--list", first, "--list", second, "--comment", "x", "--yes" }
    local result = command.run(words)
    assert.equal(1, result.status, result.err)
    has(result.err, "option '--list' must be used at most 1 time")
    assert.same({}, restricted())
  end)

  -- Each has a note with a line break that nobody quoted, whose lines name desk-002 or desk-003.
  for _, note in ipairs { "user called:\ndesk-002", "user called:\ndesk-002, is fine\nthanks",
    "see\ndesk-002,x\nthanks", "see\n,desk-002,x\n,desk-003,y\nthanks", ",x\n,desk-002,x\n,desk-003,y",
    'said "look:\n,desk-002,"x', '"oops\n,desk-002,x\n,desk-003,y', '"oops"\n,desk-002,x\nthanks',
    "a, b\n,desk-002,x\n\n,desk-003,x", "x\nDeviceName,DeviceId,Note\n,desk-002,x" } do
    it(("never restricts what stands in the note %q"):format(note), function()
      desks(5)
      restrict_list(("DeviceName,Note\ndesk-001,%s\ndesk-004,ok\n"):format((note:gsub("\n,", "\n"))))
      assert.same({}, restricted())
      local result = restrict_list(("DeviceId,DeviceName,Note\n%s,desk-005,z\n%s,desk-001,%s\n%s,desk-004,ok\n")
        :format(id(5), id(1), note, id(4)))
      assert.equal(2, result.status, result.err)
      local numbers = restricted()
      assert.equal(5, numbers[#numbers])
      for _, number in ipairs(numbers) do assert(number ~= 2 and number ~= 3, result.err) end
    end)
  end

  it("takes beside a ragged line what ids and names prove, and names the rest", function()
    desks(4)
    local text = ("DeviceId,DeviceName\n%s,desk-001\n,desk-002\n%s,desk-003,x\n%s,desk-004\n(4 rows)\n"):format(
      id(1), id(3), id(4))
    local result = restrict_list(text, "--strict")
    refused(result, "line 4 of ", ": 3 cells, where the first line has 2")
    result = restrict_list(text, "--json")
    assert.equal(2, result.status, result.err)
    has(result.out, ": 3 cells, where the first line has 2; the line is left out")
    has(result.out, '"code":"list_line_doubtful"')
    has(result.out, "line 6 of ")
    assert.same({ 1, 4 }, restricted())
  end)

  it("leaves out a line whose name is not that of its id", function()
    desks(4)
    local result = restrict_list(("id,name\n%s,desk-002\n%s,DESK-003.\n%s,\n"):format(id(1), id(3), id(4)))
    assert.equal(2, result.status, result.err)
    has(result.err, "line 2 of ")
    has(result.err, ('"%s" and "desk-002" are not the same device'):format(id(1)))
    assert.same({ 3, 4 }, restricted())
  end)

  it("leaves out a line whose columns mean different devices", function()
    desks(4)
    local text = ("DeviceId,DeviceName\n%s,desk-002\n%s,DESK-003.corp.example.\n%s,desk-004\n"):format(id(1), id(3),
      id(4))
    local result = restrict_list(text)
    assert.equal(2, result.status)
    has(result.err, "line 2 of ")
    has(result.err, ('"%s" and "desk-002" are not the same device'):format(id(1)))
    assert.same({ 3, 4 }, restricted())
    for _, words in ipairs { { "state", "-", "--json" }, { "tag", "-", "seen", "--json" },
      { "release", "-", "--comment", "x", "--yes", "--json" } } do
      result = command.run(words, { input = ("id,fqdn\n%s,desk-002.corp.example\n"):format(id(1)) })
      assert.equal(2, result.status, result.err)
      has(result.out, '"kind":"ambiguous"')
    end
    assert.same({ 3, 4 }, restricted())
  end)

  it("leaves out a line of the portal whose name and Entra id mean different devices", function()
    desks(3)
    local entra = ("dddddddd-0000-4000-8000-%012x"):format(2)
    tenant.machine { id = id(9), computerDnsName = "desk-009.corp.example", aadDeviceId = entra, lastSeen = "5m ago" }
    local result = restrict_list("Device name,Domain,Device AAD Id\r\n"
      .. ("desk-001.corp.example,x,%s\r\ndesk-009.corp.example,x,%s\r\n"):format(entra, entra))
    assert.equal(2, result.status, result.err)
    has(result.err, ('"%s" and "desk-001.corp.example" are not the same device'):format(entra))
    assert.same({ 9 }, restricted())
  end)

  it("may be empty beside a device", function()
    desks(3)
    local path = command.file("empty", "# none today\n")
    local result = command.run { "restrict", "desk-001", "--list", path, "--comment", "x", "--yes" }
    assert.equal(0, result.status, result.err)
    has(result.err, ("Note: %s names no device"):format(path))
    assert.same({ 1 }, restricted())
  end)

  it("that a query wrote cannot be spoilt by what a machine is called", function()
    local names = { "=cmd|' /C calc'!A0", commands.HOSTILE, "hostname", "a,b;c", ' " ', "10.0.0.1", "-1" }
    for i, name in ipairs(names) do tenant.machine { id = id(i), computerDnsName = name, lastSeen = "5m ago" } end
    local found = command.run { "machines", "--filter", ("startswith(id,'%s')"):format(id(1):sub(1, 38)), "--csv" }
    assert.equal(0, found.status, found.err)
    local result = command.run({ "restrict", "-", "--comment", "x", "--yes" }, { input = found.out })
    assert.equal(0, result.status, result.err)
    assert.same({ 1, 2, 3, 4, 5, 6, 7 }, restricted())
  end)
end)
