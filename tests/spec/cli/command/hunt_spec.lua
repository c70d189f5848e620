-- mde hunt: a query, from wherever it comes, and its rows in each format.
-- Labels: not-lua5.3
local console = require "tests.spec.support.console"
local rehearsal = require "tests.spec.support.rehearsal"

local QUERY = "DeviceInfo | where Timestamp > ago(2h) | project DeviceName, OSBuild, IsAzureADJoined, "
  .. "MergedToDeviceId, x = dynamic(['a'])"

describe("mde hunt", function()
  local r, files

  before_each(function()
    files = {}
    r = rehearsal.new { graph_roles = { "ThreatHunting.Read.All" }, start = 1770113472,
      machines = { { computerDnsName = "o'brien.corp.example", lastSeen = "1h ago", osBuild = 26100 } } }
  end)

  after_each(function()
    for _, path in ipairs(files) do os.remove(path) end
  end)

  local function file_of(text)
    local path = os.tmpname()
    local file = assert(io.open(path, "wb"))
    file:write(text)
    file:close()
    files[#files + 1] = path
    return path
  end

  local function hunt(arguments, options)
    options = options or {}
    options.client = r.client
    return console.run({ "hunt", (table.unpack or unpack)(arguments) }, options) -- luacheck: ignore 113 143
  end

  it("writes rows in each format", function()
    local text = hunt { QUERY }
    assert.equal(0, text.status, text.err)
    assert.equal("DeviceName\tOSBuild\tIsAzureADJoined\tMergedToDeviceId\tx\n"
      .. "o'brien.corp.example\t26100\ttrue\t\t[\"a\"]\n", text.out)
    assert.equal("DeviceName,OSBuild,IsAzureADJoined,MergedToDeviceId,x\r\n"
      .. "o'brien.corp.example,26100,true,,\"[\"\"a\"\"]\"\r\n", hunt({ QUERY, "--csv" }).out)
    assert.equal('{"DeviceName":"o\'brien.corp.example","IsAzureADJoined":true,"MergedToDeviceId":"","OSBuild":26100,'
      .. '"x":["a"]}\n', hunt({ QUERY, "--json" }).out)
    assert.equal("o'brien.corp.example\t26100\ttrue\t\t[\"a\"]\n", hunt({ QUERY, "--no-heading" }).out)
    assert.equal('{"a":null}\n', hunt({ "DeviceInfo | take 1 | project a = long(null)", "--json" }).out)
    assert.matches("^DeviceName +OSBuild", hunt({ QUERY }, { columns = 200 }).out)
  end)

  it("says that nothing was found, with a heading of CSV", function()
    local told = hunt { "DeviceInfo | where false | project DeviceName", "--csv" }
    assert.same({ 0, "DeviceName\r\n", "Nothing was found.\n" }, { told.status, told.out, told.err })
  end)

  it("takes the query from a file and from standard input", function()
    local path = file_of("\239\187\191" .. QUERY)
    assert.matches("o'brien", hunt({ "--file", path }).out)
    local input = assert(io.open(file_of(QUERY), "rb"))
    assert.matches("o'brien", hunt({ "-" }, { input = input }).out)
    input:close()
  end)

  it("takes parameters of each type, and a timespan", function()
    local told = hunt { [[DeviceInfo | where DeviceName =~ host and Timestamp > since and Timestamp > ago(span)
      and OSBuild == build and n < 1.5 and IsAzureADJoined == joined and id == guid(]] .. ("1"):rep(8)
      .. [[-1111-1111-1111-111111111111) | project DeviceName]], "--parameter", "host=O'BRIEN.corp.example",
      "--parameter", "since:datetime=2h ago", "--parameter", "span:timespan=2h", "--parameter", "build:long=26100",
      "--parameter", "n:real=0.5", "--parameter", "joined:bool=true",
      "--parameter", "id:guid=11111111-1111-1111-1111-111111111111", "--timespan", "2h" }
    assert.equal(0, told.status, told.err)
    assert.equal("DeviceName\no'brien.corp.example\n", told.out)
    assert.equal("", hunt({ QUERY, "--timespan", "30m" }).out)
  end)

  it("takes a list of texts", function()
    local told = hunt { "DeviceInfo | where DeviceName in~ (names) | distinct DeviceName", "--parameter",
      "names:list=nobody.corp.example,O'Brien.corp.example" }
    assert.equal("DeviceName\no'brien.corp.example\n", told.out)
  end)

  it("keeps a value a value", function()
    local told = hunt { "DeviceInfo | where DeviceName == name | count", "--parameter", 'name=" or true //' }
    assert.equal("Count\n0\n", told.out)
  end)

  it("shows the service's words escaped, and fails", function()
    local told = hunt { "DeviceInfos | where x == 1" }
    assert.equal(2, told.status)
    assert.matches("named 'DeviceInfos'", told.err)
    r:answer({ path = "runHuntingQuery" }, 200,
      [[{"schema":[{"name":"a\u001b[2J","type":"String"}],"results":[{"a\u001b[2J":"b\u001b[2J"}]}]])
    told = hunt { "DeviceInfo" }
    assert.is_nil(told.out:find "\27")
    assert.matches("a\\x1b", told.out)
    assert.matches("b\\x1b", told.out)
  end)

  it("writes what came, and fails, if it may not be all", function()
    local rows = ('{"a":1},'):rep(100000):sub(1, -2)
    r:answer({ path = "runHuntingQuery" }, 200,
      ('{"schema":[{"name":"a","type":"Int64"}],"results":[%s]}'):format(rows), { count = 2 })
    local told = hunt { "DeviceInfo", "--no-heading" }
    assert.equal(3, told.status)
    assert.equal(200000, #told.out)
    assert.matches("leaves out in silence", told.err)
    assert.equal(0, hunt({ "DeviceInfo", "--allow-cut" }).status)
  end)

  it("says which permission is missing", function()
    r = rehearsal.new {}
    local told = hunt { "DeviceInfo" }
    assert.equal(2, told.status)
    assert.matches("ThreatHunting%.Read%.All", told.err)
  end)

  for name, case in pairs {
    ["nothing"] = { {}, "nothing says what to hunt for" },
    ["a query and a file"] = { { "DeviceInfo", "--file", "x" }, "exclude each other" },
    ["a file that is not there"] = { { "--file", "/nowhere/x.kql" }, "cannot be read" },
    ["an empty query"] = { { " " }, "the query is empty" },
    ["no name and value"] = { { QUERY, "--parameter", "x" }, "is not NAME=VALUE" },
    ["a name twice"] = { { QUERY, "--parameter", "x=1", "--parameter", "x=2" }, "x is given twice" },
    ["an empty value"] = { { QUERY, "--parameter", "x=" }, "--parameter x is empty" },
    ["an empty item"] = { { QUERY, "--parameter", "x:list=a,,b" }, "has an item that is empty" },
    ["an unknown type"] = { { QUERY, "--parameter", "x:text=1" }, 'there is no type "text"' },
    ["a number that no double holds"] = { { QUERY, "--parameter", "x:long=9007199254740993" }, "kept exactly" },
    ["no number"] = { { QUERY, "--parameter", "x:long=1x" }, '"1x" is no number' },
    ["no truth value"] = { { QUERY, "--parameter", "x:bool=yes" }, "neither true nor false" },
    ["a parameter that is not used"] = { { QUERY, "--parameter", "y=1" }, "does not use the parameter y" },
    ["no timespan"] = { { QUERY, "--timespan", "soon" }, "is no span of time" },
  } do
    it("refuses " .. name .. ", and sends nothing", function()
      local told = hunt(case[1])
      assert.equal(1, told.status)
      assert.is_truthy(told.err:find(case[2], 1, true), told.err)
      assert.same({}, r.tenant.history)
    end)
  end
end)
