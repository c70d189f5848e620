-- Queries: what they become in OData, what is refused, and that a tenant and plain Lua read them alike.
-- Labels: not-lua5.3, caseless

local core = require "mde.core"
local errors = require "mde.base.error"
local mde = require "mde"
local queries = require "mde.query.filter"
local rehearsal = require "tests.spec.support.rehearsal"

local NOW = 1770000000 -- 2026-02-02T02:40:00Z
local GUID = "17171717-0000-4000-8000-000000000017"
local ACTION_GUID = "ac710000-0000-4000-8000-0000000000ff"

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
    { { computerDnsName = "o'brien.corp.example" }, "computerDnsName eq 'o''brien.corp.example' or "
      .. "computerDnsName eq 'O''BRIEN.CORP.EXAMPLE'" },
    { { computerDnsName = " O'Brien.corp.example. ", riskScore = "High" },
      "(computerDnsName eq 'O''Brien.corp.example' or computerDnsName eq 'o''brien.corp.example' or "
        .. "computerDnsName eq 'O''BRIEN.CORP.EXAMPLE') and riskScore eq 'High'" },
    { { computerDnsName = { "17", "17." } }, "computerDnsName eq '17'" },
    { { computerDnsName = mde.ne "Desk-5" }, "computerDnsName ne 'Desk-5'" },
    { { computerDnsName = mde.none_of { mde.ne "Desk-5" } }, "not ((computerDnsName ne 'Desk-5' and "
      .. "computerDnsName ne 'desk-5' and computerDnsName ne 'DESK-5'))" },
    { { computerDnsName = mde.none_of { mde.none_of { "Desk-5" } } }, "not (not (computerDnsName eq 'Desk-5' or "
      .. "computerDnsName eq 'desk-5' or computerDnsName eq 'DESK-5'))" },
    { { computerDnsName = "x' or 1 eq 1 or 'a" }, "computerDnsName eq 'x'' or 1 eq 1 or ''a' or "
      .. "computerDnsName eq 'X'' OR 1 EQ 1 OR ''A'" },
    { { computerDnsName = mde.startswith "lap'" },
      "startswith(computerDnsName,'lap''') or startswith(computerDnsName,'LAP''')" },
    { { computerDnsName = mde.startswith " desk-5." },
      "startswith(computerDnsName,'desk-5.') or startswith(computerDnsName,'DESK-5.')" },
    { { computerDnsName = mde.endswith ".Example. " }, "endswith(computerDnsName,'.Example') or "
      .. "endswith(computerDnsName,'.example') or endswith(computerDnsName,'.EXAMPLE')" },
    { { computerDnsName = mde.contains "-17." }, "contains(computerDnsName,'-17.')" },
    { { computerDnsName = mde.none_of { "a", mde.startswith "lab-" } },
      "not (computerDnsName eq 'a' or startswith(computerDnsName,'lab-'))" },
    { { computerDnsName = mde.all_of { mde.startswith "lab-", mde.none_of { "lab-1", "lab-2" } } },
      "((startswith(computerDnsName,'lab-') or startswith(computerDnsName,'LAB-')) and "
        .. "not (computerDnsName eq 'lab-1' or computerDnsName eq 'lab-2'))" },
    { { machineTags = mde.has "It's" },
      "machineTags/any(t: t eq 'It''s') or machineTags/any(t: t eq 'it''s') or machineTags/any(t: t eq 'IT''S')" },
    { { machineTags = mde.any_of { mde.has "1", mde.has " 2." } },
      "machineTags/any(t: t eq '1') or machineTags/any(t: t eq ' 2.')" },
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
  case("a number", 7, "not 7", "{ riskScore")
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
  case("a time for a text", { computerDnsName = mde.ago "2h" }, "is a text, not mde.ago(7200)", "Only times")
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

  case("a table that is an impossible date", { lastSeen = mde.ge { year = 2026, month = 2, day = 30 } },
    "2026-02 has no day 30", "os.time(date)")
  case("the thirteenth month", { lastSeen = mde.ge { year = 2026, month = 13, day = 1 } }, "see its month")
  case("day zero", { lastSeen = mde.ge { year = 2026, month = 3, day = 0 } }, "see its day")
  case("the twenty-fifth hour", { lastSeen = mde.ge { year = 2026, month = 3, day = 1, hour = 24 } }, "see its hour")
  case("a leap day in another year", { lastSeen = { year = 2025, month = 2, day = 29 } }, "is not a date")
  case("an impossible date with a time", { creationDateTimeUtc = mde.lt "2026-04-31T10:00:00Z" }, "is not a time", nil,
    "actions")
  case("one impossible end", { lastSeen = mde.between("2026-02-01", "2026-02-30") }, '"2026-02-30" is not a time')
  case("a span for a time", { lastSeen = mde.ge(7200) }, "looks like a span", "mde.ago(7200)")
  case("infinity", { lastSeen = mde.le(math.huge) }, "is not a time")
  case("a date without a year", { lastSeen = mde.ge { month = 2, day = 3 } }, "the table is not a time")
  case("a gap in a list in a list", { riskScore = { "High", mde.any_of { "Low", { "None", nil, "Medium" } } } },
    "a list without gaps", "Leave out")
  case("an empty list in a list", { riskScore = { "High", {} } }, "an empty list")
  case("an empty text in an operator's list", { riskScore = { "High", { "Low", "" } } }, "an empty text")
  case("false in a list", { riskScore = { "High", false } }, "not false")
  case("a machine for its id", { machineId = { id = ("a"):rep(40), computerDnsName = "a" } }, "not a table",
    "write its id", "actions")
  case("an operator in an operator", { riskScore = mde.eq(mde.ne "High") }, "not mde.ne", "An operator stands alone")
  case("a word for a number", { rbacGroupId = "laptops" }, 'a whole number, not "laptops"', "140 say")
  it("an operator for a list", function()
    assert.equal("mde.any_of needs a list, not mde.eq", rehearsal.refused(mde.any_of, mde.eq "a").message)
  end)
  case("a function", print, "not a function", "riskScore")
  case("a table for a key", { [{}] = 1 }, "a table is not a field's name")
  case("a function for a value", { computerDnsName = print }, "not a function")
  case("a list in itself", (function()
    local list = {}
    list[1] = list
    return { riskScore = list }
  end)(), "lists in lists")

  case("ALL", "ALL", '"ALL" is no query', 'Did you mean "all"?')
  case("All, with blanks", " All\n", "is no query", 'Did you mean "all"?', "actions")
  case("a value alone", "Active", '"Active" is no condition in OData', '{ healthStatus = "Active" }')
  case("a value alone in another case", "high", '"high" is no condition', '"High" }')
  case("a field alone", "riskscore", '"riskscore" is no condition', "{ riskScore = ... }")
  case("a name alone", "laptop-17.corp.example", "is no condition in OData", '{ riskScore = "High" }')
  case("a value of actions alone", "Pending", '"Pending" is no condition', '{ status = "Pending" }', "actions")
  case("a type alone", "Isolate", '"Isolate" is no condition', '{ type = "Isolate" }', "actions")
  case("any word", "x&$top=1", '"x&$top=1" is no condition', '{ status = "Pending" }', "actions")
  case("OData with the option's name", "$filter=riskScore eq 'High'", "the query is ", "Leave $filter= away")
  case("OData percent-encoded already", "riskScore%20eq%20'High'", "is no condition in OData", '{ riskScore = "High" }')
  case("OData with a NUL", "riskScore eq 'a\0'", "has a control character (byte 0x00)")
  case("OData in another encoding", "computerDnsName eq 'caf\233'", "is not valid UTF-8", "Convert it to UTF-8")

  case("a misspelt type", { type = "RestrictCodeExecutions" }, 'not "RestrictCodeExecutions"',
    'Did you mean "RestrictCodeExecution"? One that the service has added since is asked for in a text: "type eq',
    "actions")
  case("a type in another case", { type = mde.ne "isolate" }, 'not "isolate"', 'Did you mean "Isolate"?', "actions")
  case("a type like no other", { type = { "Isolate", "Contain" } }, "type is one of RestrictCodeExecution, ",
    "One that the service has added since", "actions")
  case("a name for an action's id", { id = "laptop-17" }, 'a GUID, not "laptop-17"', "8-4-4-4-12 hex digits", "actions")
  case("an action's id too short", { id = { GUID, GUID:sub(1, 35) } }, "a GUID, not ", "dashes between: write 8-4",
    "actions")
  case("a machine's id for an action's", { id = ("a"):rep(40) }, "a GUID, not ", "8-4-4-4-12", "actions")
  case("a name for a machine's id", { machineId = mde.ne "laptop-17" }, 'the id of a machine, not "laptop-17"',
    "40 hex digits; mde.machine(name).id has it", "actions")
  case("an id too short", { machineId = { ("a"):rep(39) } }, "the id of a machine", "39 hex digits", "actions")
  case("a GUID for a machine's id", { machineId = GUID }, "the id of a machine", "40 hex digits", "actions")
  case("a number for a machine's id", { machineId = 7 }, "not 7", "40 hex digits", "actions")
  case("a name for a machine's own id", { id = "laptop-17" }, "the id of a machine", "computerDnsName")
  case("a number for a requestor", { requestor = 7 }, "a text, not 7", 'Write "7".', "actions")
  case("an order of requestors", { requestor = mde.gt "a" }, "cannot be asked of requestor", "in Lua", "actions")
  case("a part of an action's id", { id = mde.startswith "17" }, "cannot be asked of id", "mde.eq, mde.ne", "actions")
  case("a word for a time of actions", { creationDateTimeUtc = mde.ge "today" }, '"today" is not a time', nil,
    "actions")

  local not_utf8 = { "caf\233", "\192\175", "\237\160\128", "a\195" }
  for _, text in ipairs(not_utf8) do
    for _, query in ipairs { { computerDnsName = text }, { computerDnsName = { "a", text } },
      { version = mde.startswith(text) }, { osPlatform = mde.ne(text) }, { lastIpAddress = mde.contains(text) },
      { machineTags = mde.has(text) }, { machineTags = mde.none_of { mde.has(text) } }, { id = mde.endswith(text) } } do
      case(("text that is not UTF-8 for %s: %s"):format(next(query), errors.escape(text)), query, "is not valid UTF-8",
        "Convert it to UTF-8 first.")
    end
    case("a requestor that is not UTF-8: " .. errors.escape(text), { requestor = text }, "is not valid UTF-8", nil,
      "actions")
  end

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
    assert.truthy(refused("version eq '" .. ("a"):rep(8000) .. "'").message:find("too long", 1, true))
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
    local filters = queries.filters("machines", { version = list, riskScore = mde.ge "Low" }, NOW)
    assert.truthy(#filters > 1)
    local found = {}
    for _, filter in ipairs(filters) do
      assert.truthy(#core.odata.encode(filter) <= 7500)
      assert.truthy(filter:find("riskScore eq 'High')", 1, true))
      for name in filter:gmatch "version eq '([^ ]+)'[ )]" do found[#found + 1] = (name:gsub("''", "'")) end
    end
    assert.same(list, found)
  end)

  it("is not split if it fits", function()
    assert.equal(1, #queries.filters("machines", { version = names(50) }, NOW))
    assert.equal(1, #queries.filters("machines", { computerDnsName = names(10) }, NOW))
  end)

  it("cannot be split where all of it must hold", function()
    assert.truthy(refused({ version = mde.none_of(names(1000)) }).message:find("too long", 1, true))
  end)

  it("of names or tags is split so that no filter has more than 20 comparisons, and nothing is lost", function()
    for _, spelled in ipairs { { "computerDnsName", "computerDnsName eq '(o[^ ]+)'", names(50) },
      { "machineTags", "machineTags/any%(t: t eq '(o[^ ]+)'%)", mde.any_of { mde.has "o1", mde.has "o2" } } } do
      local filters = queries.filters("machines", { [spelled[1]] = spelled[3], riskScore = "High" }, NOW)
      local found, most = {}, 0
      for _, filter in ipairs(filters) do
        local _, count = filter:gsub(spelled[1], "")
        most = math.max(most, count)
        for name in filter:gmatch(spelled[2]) do found[#found + 1] = name:gsub("''", "'") end
      end
      assert.truthy(most <= 20)
      assert.equal(#(spelled[3].items or spelled[3]), #found)
    end
  end)

  it("of more names than five filters have is left to the comparison here", function()
    local high = { "riskScore eq 'High'" }
    assert.same(high, queries.filters("machines", { computerDnsName = names(1000), riskScore = "High" }, NOW))
    assert.same({ "" }, queries.filters("machines", { computerDnsName = names(51) }, NOW))
    assert.equal(5, #queries.filters("machines", { computerDnsName = names(50) }, NOW))
  end)

  it("of names that cannot be split is left to the comparison here", function()
    local high = { "riskScore eq 'High'" }
    for _, condition in ipairs { mde.none_of(names(21)), mde.all_of { mde.startswith "o", mde.none_of(names(19)) },
      mde.none_of(names(1000)) } do
      assert.same(high, queries.filters("machines", { computerDnsName = condition, riskScore = "High" }, NOW))
    end
    local most = queries.filters("machines", { computerDnsName = mde.none_of(names(20)) }, NOW)
    assert.truthy(most[1]:find "^not %(computerDnsName eq 'o''hara%-00001")
  end)
end)

-- What each world has, and what its fields are asked: `whole` values, `parts` of them where these may be asked for,
-- and the operators that the field `knows`. Rows are written as the service's; a field that is not there is null.
local TEXT = { "eq", "ne", "startswith", "endswith", "contains" }
local CHOICE = { "eq", "ne" }
local ORDERED = { "eq", "ne", "gt", "ge", "lt", "le", "between" }

local worlds = {
  machines = {
    -- Something for every field to find and something that it must not find.
    rows = {
      { computerDnsName = "laptop-1.corp.example", osPlatform = "Windows11", version = "22H2", riskScore = "High",
        exposureLevel = "Low", deviceValue = "Normal", rbacGroupId = 140, lastSeen = "2026-02-02T02:00:00Z",
        machineTags = { "laptop", "it's" }, aadDeviceId = GUID, lastIpAddress = "192.0.2.1", healthStatus = "Active" },
      { computerDnsName = "o'brien.corp.example", osPlatform = "Windows10", version = "1709", riskScore = "Medium",
        exposureLevel = "High", deviceValue = "Low", rbacGroupId = 0, lastSeen = "2026-02-01T02:40:00Z",
        machineTags = { "laptop" }, lastIpAddress = "192.0.2.2", healthStatus = "Inactive",
        onboardingStatus = "Onboarded" },
      { computerDnsName = "dc-01.corp.example", osPlatform = "WindowsServer2022", riskScore = "None",
        exposureLevel = "Medium", deviceValue = "High", rbacGroupId = 143, lastSeen = "2026-02-02T02:39:59Z",
        machineTags = { "tier0" }, healthStatus = "Active", onboardingStatus = "CanBeOnboarded" },
      { computerDnsName = "LAPTOP-1.CORP.EXAMPLE", osPlatform = "Linux", riskScore = "Low",
        exposureLevel = "None", lastSeen = "2025-12-31T23:59:59Z", machineTags = {}, healthStatus = "NoSensorData" },
      { computerDnsName = "Desk-3.corp.example", osPlatform = "Linux", riskScore = "Low", machineTags = { "Vip" },
        healthStatus = "Inactive" },
      { osPlatform = "macOS", riskScore = "Informational", healthStatus = "Unknown" },
      { computerDnsName = "%27 + & # \195\188", osPlatform = "iOS", machineTags = { "TIER0", "50% & more #1 + c" },
        healthStatus = "ImpairedCommunication", onboardingStatus = "Unsupported" },
    },
    fields = {
      id = { knows = TEXT, whole = { ("%040x"):format(0xf0003), ("f"):rep(40) }, parts = { "f0003", "000", "f" } },
      computerDnsName = { knows = TEXT, whole = { "laptop-1.corp.example", "o'brien.corp.example", "o'", "LAPTOP",
        ".example", "'", "%27 + & # \195\188", "nobody", "desk-3", "LAPTOP-1.corp.example.", " DESK-3.corp.example",
        "o'Brien.corp.example. ", "laptop-1.", "E.", "." } },
      version = { knows = TEXT, whole = { "22H2", "17", "2" } },
      osPlatform = { knows = TEXT, whole = { "Windows10", "Windows", "S", "0" } },
      lastIpAddress = { knows = TEXT, whole = { "192.0.2.1", "192.", "2" } },
      aadDeviceId = { knows = CHOICE, whole = { GUID, ACTION_GUID } },
      rbacGroupId = { knows = ORDERED, whole = { 0, 140, 143 } },
      lastSeen = { knows = ORDERED, whole = { "2025-12-31T23:59:59Z", "2026-02-01T02:40:00Z",
        "2026-02-02T02:39:59Z" } },
      machineTags = { knows = { "has" }, whole = { "laptop", "it's", "tier0", "50% & more #1 + c", "nobody", "VIP",
        "TIER0" } },
      healthStatus = { knows = CHOICE, whole = { "Active", "Inactive", "ImpairedCommunication", "NoSensorData",
        "NoSensorDataImpairedCommunication", "Unknown" } },
      onboardingStatus = { knows = CHOICE, whole = { "Onboarded", "CanBeOnboarded", "Unsupported",
        "InsufficientInfo" } },
      riskScore = { knows = ORDERED, whole = { "None", "Informational", "Low", "Medium", "High" } },
      exposureLevel = { knows = ORDERED, whole = { "None", "Low", "Medium", "High" } },
      deviceValue = { knows = ORDERED, whole = { "Low", "Normal", "High" } },
    },
    others = { { "osPlatform", { "Linux", "macOS" } }, { "healthStatus", { "Active", "Unknown" } } },
    time = "lastSeen",
  },
  actions = {
    rows = {
      { id = ACTION_GUID, machineId = ("%040x"):format(0xf0001), type = "RestrictCodeExecution", status = "Pending",
        requestor = "soc@corp.example", creationDateTimeUtc = "2026-02-02T02:00:00Z" },
      { machineId = ("%040x"):format(0xf0001), type = "UnrestrictCodeExecution", status = "Succeeded",
        requestor = "o'brien@corp.example", creationDateTimeUtc = "2026-02-01T02:40:00Z" },
      { machineId = ("%040x"):format(0xf0002), type = "Isolate", status = "InProgress",
        requestor = "SOC@corp.example", creationDateTimeUtc = "2026-02-02T02:39:59Z" },
      { machineId = ("%040x"):format(0xf0003), type = "Unisolate", status = "Failed",
        requestor = "100% & more #1 + c \195\188", creationDateTimeUtc = "2025-12-31T23:59:59Z" },
      { type = "Offboard", status = "TimeOut", creationDateTimeUtc = "2026-01-01T00:00:00Z" },
      { machineId = ("a"):rep(40), type = "RunAntiVirusScan", status = "Cancelled", requestor = "'",
        creationDateTimeUtc = "2026-01-01T00:00:01Z" },
      { machineId = ("b"):rep(40), type = "Live Response", status = "Succeeded",
        requestor = "c0ffee00-0000-4000-8000-000000000001", creationDateTimeUtc = "2026-01-15T12:00:00Z" },
      { machineId = ("b"):rep(40), type = "LiveResponse", status = "Pending",
        requestor = "night shift", creationDateTimeUtc = "2026-01-16T12:00:00Z" },
      { machineId = ("b"):rep(40), type = "StopAndQuarantineFile", status = "Succeeded",
        requestor = "night shift", creationDateTimeUtc = "2026-01-17T12:00:00Z" },
      { machineId = ("b"):rep(40), type = "CollectInvestigationPackage", status = "Succeeded",
        requestor = "night shift", creationDateTimeUtc = "2026-01-18T12:00:00Z" },
    },
    fields = {
      id = { knows = CHOICE, whole = { ACTION_GUID, GUID } },
      machineId = { knows = TEXT, whole = { ("%040x"):format(0xf0001), ("b"):rep(40), ("c"):rep(40) },
        parts = { "0000", "1", ("a"):rep(40), "F" } },
      type = { knows = TEXT, whole = { "RestrictCodeExecution", "UnrestrictCodeExecution", "Isolate", "Unisolate",
        "RunAntiVirusScan", "StopAndQuarantineFile", "CollectInvestigationPackage", "LiveResponse", "Offboard" },
        parts = { "Un", "CodeExecution", "e", "Live ", "isolate" } },
      requestor = { knows = TEXT, whole = { "soc@corp.example", "SOC", "o'brien@corp.example", "'", "night shift",
        "100% & more #1 + c \195\188", "1", "nobody" } },
      status = { knows = CHOICE, whole = { "Pending", "InProgress", "Succeeded", "Failed", "TimeOut", "Cancelled" } },
      creationDateTimeUtc = { knows = ORDERED, whole = { "2025-12-31T23:59:59Z", "2026-01-01T00:00:01Z",
        "2026-02-01T02:40:00Z", "2026-02-02T02:39:59Z" } },
    },
    others = { { "status", { "Failed", "Cancelled" } }, { "type", { "Isolate", "Offboard" } } },
    time = "creationDateTimeUtc",
  },
}

for _, world in pairs(worlds) do
  for i, row in ipairs(world.rows) do
    local of_actions = world == worlds.actions
    row.id = row.id or (of_actions and ("ac710000-0000-4000-8000-%012x"):format(i) or ("%040x"):format(0xf0000 + i))
  end
  for _, field in pairs(world.fields) do field.parts = field.parts or field.whole end
end

describe("a tenant and plain Lua agree on", function()
  local r, count
  local ranks = {
    riskScore = { None = 1, Informational = 2, Low = 3, Medium = 4, High = 5 },
    exposureLevel = { None = 1, Low = 2, Medium = 3, High = 4 },
    deviceValue = { Low = 1, Normal = 2, High = 3 },
  }

  -- Times are texts of the same length here, which sort as they are.
  local function rank(name, value)
    return ranks[name] and ranks[name][value] or value
  end

  local function is_at_start(text, part) return text:sub(1, #part) == part end

  -- Names and tags are compared without case by whatever tenant, other texts as the tenant does it.
  local is_caseless = os.getenv "MDE_TEST_COMPARISON" == "caseless"
  local compared_here = { computerDnsName = true, machineTags = true }

  local function folded(name, value)
    return (compared_here[name] or is_caseless) and type(value) == "string" and value:lower() or value
  end

  -- What is asked for: of a name without blanks before it, and without blanks and a dot behind it.
  local function asked(name, value, has_start, has_end)
    value = folded(name, value)
    if name ~= "computerDnsName" then return value end
    if has_start then value = value:gsub("^ +", "") end
    if has_end then value = value:gsub(" +$", ""):gsub("([^.])%.$", "%1") end
    return value
  end

  -- What each operator of one value means: of a row's own value, which may be nil, and the value asked for.
  local holds = {
    eq = function(name, own, value) return folded(name, own) == asked(name, value, true, true) end,
    ne = function(name, own, value) return folded(name, own) ~= asked(name, value, true, true) end,
    gt = function(name, own, value) return own ~= nil and rank(name, own) > rank(name, value) end,
    ge = function(name, own, value) return own ~= nil and rank(name, own) >= rank(name, value) end,
    lt = function(name, own, value) return own ~= nil and rank(name, own) < rank(name, value) end,
    le = function(name, own, value) return own ~= nil and rank(name, own) <= rank(name, value) end,
    startswith = function(name, own, value)
      return own ~= nil and is_at_start(folded(name, own), asked(name, value, true, false))
    end,
    endswith = function(name, own, value)
      return own ~= nil and is_at_start(folded(name, own):reverse(), asked(name, value, false, true):reverse())
    end,
    contains = function(name, own, value)
      return own ~= nil and folded(name, own):find(folded(name, value), 1, true) ~= nil
    end,
    has = function(name, own, value)
      for _, item in ipairs(own or {}) do
        if folded(name, item) == folded(name, value) then return true end
      end
      return false
    end,
  }

  local function of_one(name, operator, value)
    return { condition = mde[operator](value),
      is_meant = function(row) return holds[operator](name, row[name], value) end }
  end

  local of_parts = { startswith = true, endswith = true, contains = true }

  local function values_for(field, operator)
    return of_parts[operator] and field.parts or field.whole
  end

  -- The conditions that an operator makes of a field's sample values, each with its reading in Lua.
  local makers = {
    between = function(name, field)
      local list = {}
      for i, low in ipairs(field.whole) do
        for j = i, #field.whole do
          local high = field.whole[j]
          list[#list + 1] = { condition = mde.between(low, high), is_meant = function(row)
            return holds.ge(name, row[name], low) and holds.le(name, row[name], high)
          end }
        end
      end
      return list
    end,
  }
  for operator in pairs(holds) do
    makers[operator] = function(name, field)
      local list = {}
      for _, value in ipairs(values_for(field, operator)) do list[#list + 1] = of_one(name, operator, value) end
      return list
    end
  end

  local function every(a, b) return function(row) return a(row) and b(row) end end
  local function either(a, b) return function(row) return a(row) or b(row) end end
  local function neither(a, b) return function(row) return not a(row) and not b(row) end end

  -- Those that join conditions, of each operator that the field knows and of two in turn.
  for operator, join in pairs { any_of = either, all_of = every, none_of = neither } do
    makers[operator] = function(name, field)
      local list, singles = {}, {}
      for _, own in ipairs(field.knows) do
        for _, single in ipairs(makers[own](name, field)) do singles[#singles + 1] = single end
      end
      for i, a in ipairs(singles) do
        local b = singles[i % #singles + 1]
        list[#list + 1] = { condition = mde[operator] { a.condition, b.condition },
          is_meant = join(a.is_meant, b.is_meant) }
      end
      return list
    end
  end

  setup(function()
    count = { machines = 0, actions = 0 }
    local function with_nulls(world)
      local list = {}
      for i, row in ipairs(world.rows) do
        list[i] = {}
        for name in pairs(world.fields) do list[i][name] = row[name] == nil and rehearsal.null or row[name] end
      end
      return list
    end
    r = rehearsal.new { machines = with_nulls(worlds.machines), limits = false }
    for _, action in ipairs(with_nulls(worlds.actions)) do
      action.frozen = true
      r.tenant:insert_action(action)
    end
  end)

  teardown(function()
    print(("%d filters of machines and %d of actions, each evaluated by the tenant and by plain Lua"):format(
      count.machines, count.actions))
  end)

  -- Asks the tenant and compares with a reading of the same rows in Lua; how many there were.
  local function compare(what, query, is_meant)
    local meant, got = {}, {}
    for _, row in ipairs(worlds[what].rows) do
      if is_meant(row) then meant[#meant + 1] = row.id end
    end
    for row in r.client[what](r.client, query) do got[#got + 1] = row.id end
    table.sort(meant)
    table.sort(got)
    assert.same(meant, got)
    count[what] = count[what] + 1
    return #got
  end

  -- Some comparisons with the lowest and the highest choice can hold for nothing and are refused.
  local function accepted(what, query)
    local ok, err = pcall(queries.filters, what, query, NOW)
    if not ok and not err.message:find("no value lies there", 1, true) then error(err, 0) end
    return ok
  end

  -- One row of the table: alone, negated, and joined with another condition on the same field and on another.
  local function check_row(what, name, row)
    local world, is_meant = worlds[what], row.is_meant
    if not accepted(what, { [name] = row.condition }) then return nil end
    local found = compare(what, { [name] = row.condition }, is_meant)
    compare(what, { [name] = mde.none_of { row.condition } }, function(one) return not is_meant(one) end)
    local first = makers[world.fields[name].knows[1]](name, world.fields[name])[1]
    compare(what, { [name] = { row.condition, first.condition } }, either(is_meant, first.is_meant))
    local other = world.others[1][1] ~= name and world.others[1] or world.others[2]
    compare(what, { [name] = row.condition, [other[1]] = mde.none_of(other[2]) }, function(one)
      return is_meant(one) and one[other[1]] ~= other[2][1] and one[other[1]] ~= other[2][2]
    end)
    return found
  end

  local joins = { any_of = true, all_of = true, none_of = true }

  for what, world in pairs(worlds) do
    it(("the fields by which the service can filter %s"):format(what), function()
      local names = {}
      for name in pairs(world.fields) do names[#names + 1] = name end
      table.sort(names)
      assert.equal(("There are %s."):format(table.concat(names, ", ")), refused({ xyzzy = "x" }, what).hint)
    end)

    for name, field in pairs(world.fields) do
      local knows = {}
      for _, operator in ipairs(field.knows) do knows[operator] = true end
      for _, operator in ipairs(queries.operators) do
        if operator ~= "ago" then
          it(("%s: %s %s"):format(what, name, operator), function()
            local make = assert(makers[operator], "nobody has said what mde." .. operator .. " means")
            if not knows[operator] and not joins[operator] then
              local query = { [name] = make(name, field)[1].condition }
              assert.truthy(refused(query, what).message:find("cannot be asked of " .. name, 1, true))
              return
            end
            local some, not_all = false, false
            for _, row in ipairs(make(name, field)) do
              local found = check_row(what, name, row)
              some = some or found ~= nil and found > 0
              not_all = not_all or found ~= nil and found < #world.rows
            end
            assert.is_true(some)
            assert.is_true(not_all)
          end)
        end
      end
    end

    it(("times of %s however they are given"):format(what), function()
      local name = world.time
      local function since(iso) return function(row) return holds.ge(name, row[name], iso) end end
      for seconds, iso in pairs { [1769913600] = "2026-02-01T02:40:00Z", [NOW - 1] = "2026-02-02T02:39:59Z" } do
        assert.truthy(compare(what, { [name] = mde.ge(seconds) }, since(iso)) > 0)
        compare(what, { [name] = mde.ge(os.date("*t", seconds)) }, since(iso))
        compare(what, { [name] = mde.ge((iso:gsub("Z", "+00:00"))) }, since(iso))
        compare(what, { [name] = mde.gt(seconds - 0.5) }, since(iso))
        local half_an_hour_before = mde.ago(math.floor(r.tenant.clock.now()) - seconds + 1800)
        compare(what, { [name] = mde.ge(half_an_hour_before) }, since(rehearsal.time(seconds - 1800)))
        compare(what, { [name] = mde.lt(half_an_hour_before) }, function(row)
          return holds.lt(name, row[name], rehearsal.time(seconds - 1800))
        end)
      end
      compare(what, { [name] = mde.ge "2026-02-01" }, since "2026-02-01T00:00:00Z")
      compare(what, { [name] = mde.ge "2026-02-01T03:40:00+01:00" }, since "2026-02-01T02:40:00Z")
    end)
  end

  it("all of them, and texts as they are", function()
    for what, world in pairs(worlds) do
      assert.equal(#world.rows, compare(what, "all", function() return true end))
    end
    compare("machines", "riskScore eq 'High' or lastSeen eq null", function(row)
      return row.riskScore == "High" or row.lastSeen == nil
    end)
    assert.equal(1, compare("actions", "type eq 'Live Response'", function(row) return row.type == "Live Response" end))
  end)

  it("a machine's id in capitals", function()
    local id = ("AB"):rep(20)
    assert.equal("id eq '" .. id:lower() .. "'", odata { id = id })
    assert.equal("machineId eq '" .. id:lower() .. "'", odata({ machineId = id }, "actions"))
  end)
end)

describe("what a query costs to get wrong", function()
  it("is one clear error where the service refuses a text", function()
    local r = rehearsal.new()
    for _, filter in ipairs { "riskscore eq 'High'", "lastSeen gt 'yesterday'", "riskScore eq 'High' or (",
      "riskScore eq 'High') or (1 eq 1", "x &$top=1" } do
      local ok, err = pcall(r.client:machines(filter))
      assert.is_false(ok)
      assert.is_true(errors.is(err))
      assert.equal("refused", err.kind)
      assert.equal("ODataError", err.code)
      assert.truthy(tostring(err):find("machines where " .. filter, 1, true), tostring(err))
      assert.truthy(err.hint:find(errors.quote(filter) .. ", or write a table", 1, true), err.hint)
    end
  end)

  it("is one clear error where the service does not take what a table becomes", function()
    local r = rehearsal.new()
    r:answer({ path = "/machines?" }, 400, { error = { code = "ODataError", message = "contains is not supported." } })
    local ok, err = pcall(r.client:machines { version = mde.contains "x" })
    assert.is_false(ok)
    assert.truthy(tostring(err):find("machines where contains(version,'x'): ", 1, true), tostring(err))
    assert.truthy(err.hint:find("test it in Lua", 1, true), err.hint)
  end)

  it("refuses a text with a control character, which no machine has", function()
    for _, text in ipairs { "a\0b", "a\nb", "\27[2J" } do
      assert.truthy(refused({ computerDnsName = text }).message:find("control", 1, true))
    end
  end)
end)
