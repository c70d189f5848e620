-- Queries: what they become in OData, what is refused, and that a tenant and plain Lua read them alike.

local core = require "mde.core"
local errors = require "mde.error"
local mde = require "mde"
local queries = require "mde.query"
local rehearsal = require "tests.spec.support.rehearsal"

local NOW = 1770000000 -- 2026-02-02T02:40:00Z
local GUID = "17171717-0000-4000-8000-000000000017"

local function odata(query, what)
  local filters = queries.filters(what or "machines", query, NOW)
  assert.equal(1, #filters)
  return filters[1]
end

local function refused(query, what)
  return rehearsal.refused(queries.filters, what or "machines", query, NOW)
end

describe("a query becomes OData:", function()
  local cases = {
    { { riskScore = "High" }, "riskScore eq 'High'" },
    { { riskScore = mde.eq "High" }, "riskScore eq 'High'" },
    { { healthStatus = mde.ne "Active" }, "healthStatus ne 'Active'" },
    { { riskScore = "High", healthStatus = "Active" }, "healthStatus eq 'Active' and riskScore eq 'High'" },
    { { riskScore = { "High", "Medium" } }, "riskScore eq 'High' or riskScore eq 'Medium'" },
    { { riskScore = { "High", "Medium" }, healthStatus = "Active" },
      "healthStatus eq 'Active' and (riskScore eq 'High' or riskScore eq 'Medium')" },
    { { riskScore = mde.any_of { "High", "High" } }, "riskScore eq 'High'" },
    { { riskScore = mde.ge "Medium" }, "riskScore eq 'Medium' or riskScore eq 'High'" },
    { { exposureLevel = mde.lt "Medium" }, "exposureLevel eq 'None' or exposureLevel eq 'Low'" },
    { { deviceValue = mde.gt "Low" }, "deviceValue eq 'Normal' or deviceValue eq 'High'" },
    { { riskScore = mde.between("Low", "Medium") }, "riskScore eq 'Low' or riskScore eq 'Medium'" },
    { { computerDnsName = "o'brien.corp.example" }, "computerDnsName eq 'o''brien.corp.example'" },
    { { computerDnsName = "x' or 1 eq 1 or 'a" }, "computerDnsName eq 'x'' or 1 eq 1 or ''a'" },
    { { computerDnsName = mde.startswith "lap'" }, "startswith(computerDnsName,'lap''')" },
    { { computerDnsName = mde.endswith ".example" }, "endswith(computerDnsName,'.example')" },
    { { computerDnsName = mde.contains "-17." }, "contains(computerDnsName,'-17.')" },
    { { computerDnsName = mde.none_of { "a", mde.startswith "lab-" } },
      "not (computerDnsName eq 'a' or startswith(computerDnsName,'lab-'))" },
    { { computerDnsName = mde.all_of { mde.startswith "lab-", mde.none_of { "lab-1", "lab-2" } } },
      "(startswith(computerDnsName,'lab-') and not (computerDnsName eq 'lab-1' or computerDnsName eq 'lab-2'))" },
    { { machineTags = mde.has "it's" }, "machineTags/any(t: t eq 'it''s')" },
    { { machineTags = mde.any_of { mde.has "a", mde.has "b" } },
      "machineTags/any(t: t eq 'a') or machineTags/any(t: t eq 'b')" },
    { { machineTags = mde.none_of { mde.has "tier0" } }, "not (machineTags/any(t: t eq 'tier0'))" },
    { { aadDeviceId = GUID:upper() }, "aadDeviceId eq " .. GUID },
    { { rbacGroupId = 140 }, "rbacGroupId eq 140" },
    { { rbacGroupId = mde.between(1, 140) }, "(rbacGroupId ge 1 and rbacGroupId le 140)" },
    { { rbacGroupId = mde.ne(0) }, "rbacGroupId ne 0" },
    { { lastSeen = mde.ge(NOW) }, "lastSeen ge 2026-02-02T02:40:00Z" },
    { { lastSeen = mde.gt(NOW + 0.25) }, "lastSeen gt 2026-02-02T02:40:00.25Z" },
    { { lastSeen = mde.ge(mde.ago "2h") }, "lastSeen ge 2026-02-02T00:40:00Z" },
    { { lastSeen = mde.ge(mde.ago "30m") }, "lastSeen ge 2026-02-02T02:10:00Z" },
    { { lastSeen = mde.lt(mde.ago "7d") }, "lastSeen lt 2026-01-26T02:40:00Z" },
    { { lastSeen = mde.le(mde.ago "90s") }, "lastSeen le 2026-02-02T02:38:30Z" },
    { { lastSeen = mde.le(mde.ago(1.5)) }, "lastSeen le 2026-02-02T02:39:58.5Z" },
    { { lastSeen = mde.ge "2026-01-31" }, "lastSeen ge 2026-01-31T00:00:00Z" },
    { { lastSeen = mde.ge "2026-01-31Z" }, "lastSeen ge 2026-01-31T00:00:00Z" },
    { { lastSeen = mde.ge "2026-01-31t01:02:03z" }, "lastSeen ge 2026-01-31T01:02:03Z" },
    { { lastSeen = mde.ge "2026-01-31T01:02:03" }, "lastSeen ge 2026-01-31T01:02:03Z" },
    { { lastSeen = mde.ge "2026-01-31T01:02:03.123456789Z" }, "lastSeen ge 2026-01-31T01:02:03.1234567Z" },
    { { lastSeen = mde.ge "2026-01-31T01:02:03+02:00" }, "lastSeen ge 2026-01-31T01:02:03+02:00" },
    { { lastSeen = mde.between("2026-01-01", "2026-01-31") },
      "(lastSeen ge 2026-01-01T00:00:00Z and lastSeen le 2026-01-31T00:00:00Z)" },
    { "riskScore eq 'High' or (", "riskScore eq 'High' or (" },
    { "all", "" },
    { { status = { "Pending", "InProgress" }, machineId = ("a"):rep(40) },
      ("machineId eq '%s' and (status eq 'Pending' or status eq 'InProgress')"):format(("a"):rep(40)), "actions" },
    { { id = GUID }, "id eq " .. GUID, "actions" },
    { { type = "RestrictCodeExecution", requestor = mde.startswith "soc@" },
      "startswith(requestor,'soc@') and type eq 'RestrictCodeExecution'", "actions" },
    { { creationDateTimeUtc = mde.ge(mde.ago "1d") }, "creationDateTimeUtc ge 2026-02-01T02:40:00Z", "actions" },
  }
  for _, case in ipairs(cases) do
    it(case[2], function() assert.equal(case[2], odata(case[1], case[3])) end)
  end

  it("a table as os.date gives it is local time, its midnight unless it says more", function()
    local midnight = os.time { year = 2026, month = 1, day = 31, hour = 0 }
    assert.equal("lastSeen ge " .. os.date("!%Y-%m-%dT%H:%M:%SZ", midnight),
      odata { lastSeen = mde.ge { year = 2026, month = 1, day = 31 } })
    assert.equal("lastSeen ge 2026-02-02T02:40:00Z", odata { lastSeen = mde.ge(os.date("*t", NOW)) })
    assert.equal("lastSeen eq 2026-02-02T02:40:00Z", odata { lastSeen = os.date("*t", NOW) })
  end)
end)

describe("a query is refused:", function()
  local function case(name, query, message, hint, what)
    it(name, function()
      local err = refused(query, what)
      assert.truthy(err.message:find(message, 1, true), err.message)
      if hint then assert.truthy((err.hint or ""):find(hint, 1, true), tostring(err)) end
      assert.is_true(rehearsal.is_one_line(tostring(err)))
    end)
  end

  case("a name that is nil", { computerDnsName = nil }, "an empty table", "mde.eq(value)")
  case("an empty table", {}, "an empty table", 'mde.machines "all"')
  case("nil", nil, "not nil", 'mde.machines "all"')
  case("an empty text", "", "an empty text", '"all"')
  case("blanks", " \n", "an empty text")
  case("a number", 7, "not a number")
  case("an operator alone", mde.eq "High", "not an operator alone")
  case("a list", { "High" }, "1 is not a field's name")
  case("a misspelt field", { riskscore = "High" }, 'no field "riskscore"', 'Did you mean "riskScore"?')
  case("a part of a field's name", { name = "a" }, 'no field "name"', 'Did you mean "computerDnsName"?')
  case("a field like no other", { colour = "red" }, 'no field "colour"', "There are aadDeviceId, computerDnsName, ")
  case("a field full of escape codes", { ["\27[2J"] = 1 }, "\\x1b[2J")
  case("a field of actions", { status = "Pending" }, 'no field "status"')
  case("a misspelt field of actions", { machine = "a" }, 'no field "machine"', 'Did you mean "machineId"?', "actions")
  for _, name in ipairs { "firstSeen", "rbacGroupName", "osBuild", "mergedIntoMachineId", "ipAddresses" } do
    case(name, { [name] = "x" }, "the service cannot filter by " .. name, "test it in Lua")
  end
  case("the comment of an action", { requestorComment = "x" }, "cannot filter by requestorComment", "in Lua", "actions")
  case("a value in another case", { riskScore = "high" }, 'not "high"', 'Did you mean "High"?')
  case("a value nearly right", { healthStatus = "Actve" }, 'not "Actve"', 'Did you mean "Active"?')
  case("a value of another field", { deviceValue = "Critical" }, "one of Low, Normal, High")
  case("a status of actions", { status = "Canceled" }, 'not "Canceled"', 'Did you mean "Cancelled"?', "actions")
  case("one such value in a list", { onboardingStatus = { "Onboarded", "onboarded" } }, 'not "onboarded"')
  case("false", { riskScore = false }, "not false")
  case("a date compared with a word", { lastSeen = mde.ge "yesterday" }, '"yesterday" is not a time')
  case("a date that is none", { lastSeen = mde.ge "2026-02-30" }, '"2026-02-30" is not a time')
  case("a date with a word behind it", { lastSeen = mde.ge "2026-02-03 or 1 eq 1" }, "is not a time")
  case("a time without seconds", { lastSeen = mde.ge "2026-02-03T10:11" }, "is not a time")
  case("milliseconds", { lastSeen = mde.ge(NOW * 1000) }, "looks like milliseconds")
  case("not a number", { lastSeen = mde.ge(0 / 0) }, "is not a time")
  case("a time before 1970", { lastSeen = mde.ge(-1) }, "is not a time")
  case("a table that is no date", { lastSeen = mde.ge { year = 2026, month = "May", day = 1 } }, "see its month")
  case("exactly so long ago", { lastSeen = mde.ago "2h" }, "hardly ever", "mde.ge(mde.ago")
  case("a time for a text", { computerDnsName = mde.ago "2h" }, "is a text, not a table")
  case("a number for a text", { version = 1709 }, "is a text, not 1709", 'Write "1709".')
  case("a text for a number", { rbacGroupId = "140" }, 'a whole number, not "140"', "Write 140 without quotes.")
  case("half a number", { rbacGroupId = 1.5 }, "a whole number")
  case("a number too large", { rbacGroupId = 2 ^ 31 }, "a whole number")
  case("a name for a GUID", { aadDeviceId = "laptop-17" }, 'a GUID, not "laptop-17"')
  case("no device's GUID", { aadDeviceId = ("0"):rep(8) .. "-0000-0000-0000-" .. ("0"):rep(12) }, "a GUID")
  case("equality with a list", { computerDnsName = mde.eq { "a", "b" } }, "not a table", "mde.any_of")
  case("a tag without has", { machineTags = "tier0" }, "mde.eq cannot be asked of machineTags", "mde.has")
  case("has of a text", { osPlatform = mde.has "x" }, "mde.has cannot be asked of osPlatform")
  case("an order of texts", { version = mde.ge "22H2" }, "mde.ge cannot be asked of version", "in Lua")
  case("an order of what has none", { healthStatus = mde.gt "Active" }, "mde.gt cannot be asked of healthStatus")
  case("a part of a choice", { riskScore = mde.startswith "H" }, "mde.startswith cannot be asked of riskScore")
  case("more than the most", { riskScore = mde.gt "High" }, "no value lies there")
  case("a span the wrong way round", { lastSeen = mde.between("2026-02-01", "2026-01-01") }, "nothing lies between")
  case("levels the wrong way round", { riskScore = mde.between("High", "Low") }, "nothing lies between")
  case("an empty list", { riskScore = {} }, "an empty list")
  case("a list with a gap", { riskScore = { nil, "High" } }, "a list without gaps")
  case("a table that is no list", { riskScore = { a = "High" } }, "a list without gaps")
  case("an empty value", { computerDnsName = "" }, "an empty text")
  case("an empty value in a list", { computerDnsName = { "a", "" } }, "an empty text")

  for _, name in ipairs(queries.operators) do
    it("mde." .. name .. " of nil", function()
      assert.truthy(rehearsal.refused(mde[name], nil).message:find("nil", 1, true))
    end)
  end
  for _, name in ipairs { "startswith", "endswith", "contains", "eq", "ne", "has" } do
    it("mde." .. name .. " of an empty text", function() rehearsal.refused(mde[name], "") end)
  end
  it("half a span", function()
    rehearsal.refused(mde.between, 1, nil)
    rehearsal.refused(mde.between, nil, 1)
  end)
  it("a span of time that is none", function()
    for _, span in ipairs { "2", "h", "2 hours", "-2h", "2H", "1d12h", -1, 0 / 0, true } do
      rehearsal.refused(mde.ago, span)
    end
  end)
  it("a text that nobody could send", function()
    assert.truthy(refused(("a"):rep(8000)).message:find("too long", 1, true))
    assert.truthy(refused({ computerDnsName = ("a"):rep(8000) }).message:find("too long", 1, true))
  end)

  it("by the module's functions, before anything is sent", function()
    local r = rehearsal.new()
    rehearsal.refused(r.client.machines, r.client, { computerDnsName = nil })
    rehearsal.refused(r.client.machines, r.client)
    rehearsal.refused(r.client.actions, r.client, { riskScore = "High" })
    assert.same({}, r:requests())
  end)
end)

describe("a long list of values", function()
  local function names(count)
    local list = {}
    for i = 1, count do list[i] = ("o'hara-%05d.corp.example"):format(i) end
    return list
  end

  it("is split so that no filter is longer than a URL may be, and nothing is lost", function()
    local list = names(1000)
    local filters = queries.filters("machines", { computerDnsName = list, riskScore = mde.ge "Low" }, NOW)
    assert.truthy(#filters > 1)
    local found = {}
    for _, filter in ipairs(filters) do
      assert.truthy(#core.odata.encode(filter) <= 7500)
      assert.truthy(filter:find("riskScore eq 'High')", 1, true))
      for name in filter:gmatch "computerDnsName eq '([^ ]+)'[ )]" do found[#found + 1] = (name:gsub("''", "'")) end
    end
    assert.same(list, found)
  end)

  it("is not split if it fits", function()
    assert.equal(1, #queries.filters("machines", { computerDnsName = names(50) }, NOW))
  end)

  it("cannot be split where all of it must hold", function()
    assert.truthy(refused({ computerDnsName = mde.none_of(names(1000)) }).message:find("too long", 1, true))
  end)
end)

-- Machines with something for every field to find and something that it must not find.
local function small_fleet()
  local null = rehearsal.null
  local list = {}
  local function machine(fields)
    fields.id = ("%040x"):format(0xf0000 + #list)
    for _, name in ipairs { "computerDnsName", "version", "lastIpAddress", "aadDeviceId", "riskScore", "exposureLevel",
      "deviceValue", "rbacGroupId", "lastSeen", "machineTags", "onboardingStatus" } do
      if fields[name] == nil then fields[name] = null end
    end
    list[#list + 1] = fields
  end
  machine { computerDnsName = "laptop-1.corp.example", osPlatform = "Windows11", version = "22H2", riskScore = "High",
    exposureLevel = "Low", deviceValue = "Normal", rbacGroupId = 140, lastSeen = "2026-02-02T02:00:00Z",
    machineTags = { "laptop", "it's" }, aadDeviceId = GUID, lastIpAddress = "192.0.2.1", healthStatus = "Active" }
  machine { computerDnsName = "o'brien.corp.example", osPlatform = "Windows10", version = "1709", riskScore = "Medium",
    exposureLevel = "High", deviceValue = "Low", rbacGroupId = 0, lastSeen = "2026-02-01T02:40:00Z",
    machineTags = { "laptop" }, lastIpAddress = "192.0.2.2", healthStatus = "Inactive",
    onboardingStatus = "Onboarded" }
  machine { computerDnsName = "dc-01.corp.example", osPlatform = "WindowsServer2022", riskScore = "None",
    exposureLevel = "Medium", deviceValue = "High", rbacGroupId = 143, lastSeen = "2026-02-02T02:39:59Z",
    machineTags = { "tier0" }, healthStatus = "Active", onboardingStatus = "CanBeOnboarded" }
  machine { computerDnsName = "LAPTOP-1.CORP.EXAMPLE", osPlatform = "Linux", riskScore = "Low",
    exposureLevel = "None", lastSeen = "2025-12-31T23:59:59Z", machineTags = {}, healthStatus = "NoSensorData" }
  machine { osPlatform = "macOS", riskScore = "Informational", healthStatus = "Unknown" }
  machine { computerDnsName = "%27 + & # \195\188", osPlatform = "iOS", machineTags = { "Tier0", "50% & more #1 + c" },
    healthStatus = "ImpairedCommunication", onboardingStatus = "Unsupported" }
  return list
end

describe("a tenant and plain Lua agree on", function()
  local r, rows

  -- What a field of a row is to plain Lua; a list stays one.
  local function value_of(row, name)
    local value = row[name]
    if value == rehearsal.null then return nil end
    return value
  end

  local ranks = {
    riskScore = { None = 1, Informational = 2, Low = 3, Medium = 4, High = 5 },
    exposureLevel = { None = 1, Low = 2, Medium = 3, High = 4 },
    deviceValue = { Low = 1, Normal = 2, High = 3 },
  }

  -- Times are texts of the same length here, which sort as they are.
  local function rank(name, value)
    if value == nil then return nil end
    return ranks[name] and ranks[name][value] or value
  end

  local function is_at_start(text, part) return text:sub(1, #part) == part end

  local holds = {
    eq = function(_, own, value) return own == value end,
    ne = function(_, own, value) return own ~= value end,
    gt = function(name, own, value) return own ~= nil and rank(name, own) > rank(name, value) end,
    ge = function(name, own, value) return own ~= nil and rank(name, own) >= rank(name, value) end,
    lt = function(name, own, value) return own ~= nil and rank(name, own) < rank(name, value) end,
    le = function(name, own, value) return own ~= nil and rank(name, own) <= rank(name, value) end,
    startswith = function(_, own, value) return own ~= nil and is_at_start(own, value) end,
    endswith = function(_, own, value) return own ~= nil and is_at_start(own:reverse(), value:reverse()) end,
    contains = function(_, own, value) return own ~= nil and own:find(value, 1, true) ~= nil end,
    has = function(_, own, value)
      for _, item in ipairs(own or {}) do
        if item == value then return true end
      end
      return false
    end,
  }

  setup(function()
    rows = small_fleet()
    r = rehearsal.new { machines = small_fleet() }
    r.tenant:set { limits = false }
  end)

  -- Asks the tenant and compares with a reading of the same rows in Lua; how many there were.
  local function compare(query, is_meant)
    local meant, got = {}, {}
    for _, row in ipairs(rows) do
      if is_meant(row) then meant[#meant + 1] = row.id end
    end
    for machine in r.client:machines(query) do got[#got + 1] = machine.id end
    table.sort(got)
    assert.same(meant, got)
    return #got
  end

  local samples = {
    id = { ("%040x"):format(0xf0002), "f" },
    computerDnsName = { "laptop-1.corp.example", "o'brien.corp.example", "o'", "LAPTOP", ".example", "'",
      "%27 + & # \195\188", "nobody" },
    version = { "22H2", "17" }, osPlatform = { "Windows10", "Windows", "S" }, lastIpAddress = { "192.0.2.1", "192." },
    aadDeviceId = { GUID },
    rbacGroupId = { 0, 140, 143 },
    lastSeen = { "2026-02-01T02:40:00Z", "2026-02-02T02:39:59Z", "2025-12-31T23:59:59Z" },
    machineTags = { "laptop", "it's", "tier0", "50% & more #1 + c", "nobody" },
    healthStatus = { "Active", "Inactive", "ImpairedCommunication", "NoSensorData", "NoSensorDataImpairedCommunication",
      "Unknown" },
    onboardingStatus = { "Onboarded", "CanBeOnboarded", "Unsupported", "InsufficientInfo" },
    riskScore = { "None", "Informational", "Low", "Medium", "High" },
    exposureLevel = { "None", "Low", "Medium", "High" },
    deviceValue = { "Low", "Normal", "High" },
  }

  local text = { "eq", "ne", "startswith", "endswith", "contains" }
  local ordered = { "eq", "ne", "gt", "ge", "lt", "le" }
  local chosen = { "eq", "ne" }
  local operators = {
    id = text, computerDnsName = text, version = text, osPlatform = text, lastIpAddress = text,
    aadDeviceId = chosen, healthStatus = chosen, onboardingStatus = chosen,
    rbacGroupId = ordered, lastSeen = ordered, riskScore = ordered, exposureLevel = ordered, deviceValue = ordered,
    machineTags = { "has" },
  }

  -- Some comparisons with the lowest and the highest choice can hold for nothing and are refused.
  local function accepted(query)
    local ok, err = pcall(queries.filters, "machines", query, NOW)
    if not ok and not err.message:find("no value lies there", 1, true) then error(err, 0) end
    return ok
  end

  for name, own_operators in pairs(operators) do
    for _, operator in ipairs(own_operators) do
      it(("%s %s"):format(name, operator), function()
        local made = 0
        for _, value in ipairs(samples[name]) do
          local query = { [name] = mde[operator](value) }
          local function is_meant(row) return holds[operator](name, value_of(row, name), value) end
          if accepted(query) then
            made = made + 1
            compare(query, is_meant)
            compare({ [name] = mde.none_of { mde[operator](value) } }, function(row) return not is_meant(row) end)
          end
        end
        assert.truthy(made > 0)
      end)
    end

    it(name .. ", any and all of several", function()
      local operator = own_operators[1]
      local function is(value) return function(row) return holds[operator](name, value_of(row, name), value) end end
      for i, a in ipairs(samples[name]) do
        local b = samples[name][i + 1] or samples[name][1]
        local both = { mde[operator](a), mde[operator](b) }
        compare({ [name] = both }, function(row) return is(a)(row) or is(b)(row) end)
        compare({ [name] = mde.any_of(both) }, function(row) return is(a)(row) or is(b)(row) end)
        compare({ [name] = mde.all_of(both) }, function(row) return is(a)(row) and is(b)(row) end)
        compare({ [name] = mde.none_of(both) }, function(row) return not is(a)(row) and not is(b)(row) end)
        local other = name == "osPlatform" and "healthStatus" or "osPlatform"
        local left_out = other == "osPlatform" and { "Linux", "macOS" } or { "Active", "Unknown" }
        compare({ [name] = both, [other] = mde.none_of(left_out) }, function(row)
          return (is(a)(row) or is(b)(row)) and row[other] ~= left_out[1] and row[other] ~= left_out[2]
        end)
      end
    end)
  end

  for _, name in ipairs { "rbacGroupId", "lastSeen", "riskScore", "exposureLevel", "deviceValue" } do
    it(name .. " between", function()
      for _, a in ipairs(samples[name]) do
        for _, b in ipairs(samples[name]) do
          if rank(name, a) <= rank(name, b) then
            compare({ [name] = mde.between(a, b) }, function(row)
              local own = value_of(row, name)
              return holds.ge(name, own, a) and holds.le(name, own, b)
            end)
          end
        end
      end
    end)
  end

  it("every operator of every field, and on those that are refused", function()
    for name, own_operators in pairs(operators) do
      local has = {}
      for _, operator in ipairs(own_operators) do has[operator] = true end
      for operator in pairs(holds) do
        local query = { [name] = mde[operator](samples[name][2] or samples[name][1]) }
        if has[operator] then
          assert.is_true(accepted(query))
        else
          assert.truthy(refused(query).message:find("cannot be asked of " .. name, 1, true))
        end
      end
    end
  end)

  it("times however they are given", function()
    local function since(iso) return function(row) return holds.ge("lastSeen", value_of(row, "lastSeen"), iso) end end
    local all = { [1769913600] = "2026-02-01T02:40:00Z", [NOW - 1] = "2026-02-02T02:39:59Z" }
    for seconds, iso in pairs(all) do
      assert.truthy(compare({ lastSeen = mde.ge(seconds) }, since(iso)) > 0)
      compare({ lastSeen = mde.ge(os.date("*t", seconds)) }, since(iso))
      compare({ lastSeen = mde.ge(iso:gsub("Z", "+00:00")) }, since(iso))
      compare({ lastSeen = mde.gt(seconds - 0.5) }, since(iso))
    end
    compare({ lastSeen = mde.ge "2026-02-01" }, since "2026-02-01T00:00:00Z")
    compare({ lastSeen = mde.ge "2026-02-01T03:40:00+01:00" }, since "2026-02-01T02:40:00Z")
  end)

  it("all of them, and texts as they are", function()
    assert.equal(#rows, compare("all", function() return true end))
    compare("riskScore eq 'High' or lastSeen eq null", function(row)
      return row.riskScore == "High" or value_of(row, "lastSeen") == nil
    end)
  end)

  it("the same for actions", function()
    local now = r.tenant.clock.now()
    for i, status in ipairs { "Pending", "InProgress", "Succeeded", "Failed", "TimeOut", "Cancelled" } do
      r:past(rows[i].id, i % 2 == 0 and "restrict" or "release", status, i * 3600, { requestor = "soc " .. i })
    end
    local function count(query, is_meant)
      local got, meant = {}, {}
      for action in r.client:actions(query) do got[#got + 1] = action.id end
      for _, action in ipairs(r.tenant.actions) do
        if is_meant(action) then meant[#meant + 1] = action.id end
      end
      table.sort(got)
      table.sort(meant)
      assert.same(meant, got)
      return #got
    end
    assert.equal(6, count("all", function() return true end))
    assert.equal(1, count({ status = "Failed" }, function(a) return a.status == "Failed" end))
    assert.equal(5, count({ status = mde.ne "Failed" }, function(a) return a.status ~= "Failed" end))
    assert.equal(3, count({ type = "RestrictCodeExecution" }, function(a) return a.type == "RestrictCodeExecution" end))
    assert.equal(1, count({ machineId = rows[3].id }, function(a) return a.machineId == rows[3].id end))
    assert.equal(1, count({ requestor = mde.endswith "4" }, function(a) return a.requestor == "soc 4" end))
    assert.equal(1, count({ id = r.tenant.actions[2].id }, function(a) return a == r.tenant.actions[2] end))
    assert.equal(3, count({ creationDateTimeUtc = mde.ge(now - 3 * 3600 - 1) }, function(a)
      return a.created >= now - 3 * 3600 - 1
    end))
  end)
end)

describe("what a query costs to get wrong", function()
  it("is one clear error where the service refuses a text", function()
    local r = rehearsal.new()
    for _, filter in ipairs { "riskscore eq 'High'", "lastSeen gt 'yesterday'", "riskScore eq 'High' or (",
      "riskScore eq 'High') or (1 eq 1", "x&$top=1" } do
      local ok, err = pcall(r.client:machines(filter))
      assert.is_false(ok)
      assert.is_true(errors.is(err))
      assert.equal("refused", err.kind)
      assert.equal("ODataError", err.code)
      assert.truthy(tostring(err):find("machines where " .. filter, 1, true), tostring(err))
    end
  end)

  it("refuses a text with a control character, which no machine has", function()
    for _, text in ipairs { "a\0b", "a\nb", "\27[2J" } do
      assert.truthy(refused({ computerDnsName = text }).message:find("control", 1, true))
    end
  end)
end)
