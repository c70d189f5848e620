-- Values that would like to be more than values: each is a parameter, and the simulated tenant, whose reading of KQL
-- was written apart from the client's writing, finds the very device that has that name, and no other.
-- Labels: not-lua5.3
local core = require "mde.core"
local json = require "mde.sim.base.json"
local rehearsal = require "tests.spec.support.rehearsal"

local every_ascii = {}
for byte = 1, 127 do every_ascii[byte] = string.char(byte) end

local values = {
  ["a double quote"] = '"',
  ["a single quote"] = "'",
  ["both quotes"] = [["'"']],
  ["a doubled quote"] = '""',
  ["a backslash"] = "\\",
  ["a backslash at the end"] = "a\\",
  ["an escaped quote"] = '\\"',
  ["two backslashes"] = "\\\\",
  ["an escape"] = "\\n\\u0022\\x22\\042",
  ["a line feed"] = "a\nb",
  ["a carriage return"] = "a\rb",
  ["both"] = "a\r\nb",
  ["a line separator"] = "a\226\128\168b",
  ["a paragraph separator"] = "a\226\128\169b",
  ["a next line"] = "a\194\133b",
  ["a vertical tab"] = "a\vb\f",
  ["a pipe"] = "x | take 1",
  ["a closed string and a pipe"] = '" | take 1',
  ["a condition that is true"] = '" or true or "" == "',
  ["a comment"] = "// x",
  ["a comment behind a quote"] = '" //',
  ["a comment in a line of its own"] = "x\n// y\n",
  ["another statement"] = '"; DeviceInfo; let y = "',
  ["a let of another parameter"] = '"; let name = "b"; //',
  ["a verbatim string"] = '@"x"',
  ["a hidden string"] = "h'x'",
  ["a string of several lines"] = "```\nx\n```",
  ["another of several lines"] = "~~~x~~~",
  ["a dynamic"] = 'dynamic(["x"])',
  ["the end of a list"] = '"]) or DeviceName in ("',
  ["a goo literal"] = 'datetime(2026-01-01)',
  ["braces"] = "{x}[y](z)",
  ["a command"] = ".drop table DeviceInfo",
  ["a directive"] = "#connect x",
  ["a NUL"] = "a\0b",
  ["all of ASCII"] = table.concat(every_ascii),
  ["umlauts"] = "M\195\188ller",
  ["an emoji"] = "\240\159\146\187\\\240\159\146\187",
  ["a zero width space"] = "\226\128\139",
  ["a byte order mark"] = "\239\187\191x",
  ["a right-to-left mark"] = "\226\128\174x",
  ["a wide quote"] = "\239\188\130 or 1",
  ["typographic quotes"] = "\226\128\156x\226\128\157",
  ["10,000 quotes"] = ('"'):rep(10000),
  ["10,000 backslashes"] = ("\\"):rep(10000),
  ["10,000 line feeds"] = ("\n"):rep(10000),
  ["10,000 characters"] = ("a'\"\\|"):rep(2000),
  ["nothing"] = "",
  ["a blank"] = " ",
  ["a tab"] = "\t",
  ["its own name"] = "name",
  ["parameters of other languages"] = "{name} $name %s %1 :name ?",
}

describe("a value in a query", function()
  local r

  setup(function()
    local rows = { { DeviceName = "another", DeviceId = "0" }, { DeviceName = "b", DeviceId = "b" },
      { DeviceName = "x", DeviceId = "x" } }
    for what, value in pairs(values) do rows[#rows + 1] = { DeviceName = value, DeviceId = what } end
    r = rehearsal.new { machines = {}, graph_roles = { "ThreatHunting.Read.All" }, limits = false, start = 1770113472,
      hunting = { rows = { DeviceLogonEvents = rows }, quota = 1e6 } }
  end)

  local function ask(condition, parameters)
    local found = {}
    local query = "DeviceLogonEvents\n| where " .. condition .. " // the end"
    for row in r.client:hunt(query, { parameters = parameters }) do
      found[#found + 1] = row.DeviceId
    end
    table.sort(found, core.text.before)
    return found
  end

  for what, value in pairs(values) do
    it("stays one: " .. what, function()
      assert.same({ what }, ask("DeviceName == name", { name = value }))
      assert.same({ what }, ask("DeviceName in (list)", { list = { value } }))
      assert.same({ "0", what }, ask("DeviceName in (list) or DeviceName == name",
        { list = { value, value .. "!" }, name = "another" }))
      assert.same({}, ask("DeviceName == name and DeviceId == id", { name = value, id = value .. "!" }))
    end)
  end

  it("comes back as it was", function()
    for _, value in pairs(values) do
      local query = "DeviceLogonEvents | take 1 | project x = strcat(name, '')"
      for row in r.client:hunt(query, { parameters = { name = value } }) do
        assert.equal(value, row.x)
      end
    end
  end)

  it("is refused where it is not UTF-8", function()
    for _, value in ipairs { "\255", "a\195", "\237\160\128", "\192\162 or true" } do
      local ok, err = pcall(ask, "DeviceName == name", { name = value })
      assert.is_false(ok)
      assert.equal("parameter_malformed", err.code)
    end
  end)

  it("would be more without a parameter", function()
    local value = values["a condition that is true"]
    local rows = r.client:hunt('DeviceLogonEvents | where DeviceName == "' .. value .. '"')
    assert.is_true(rows.count > 1)
    assert.is_string(json.encode(value))
  end)
end)
