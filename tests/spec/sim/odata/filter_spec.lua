-- $filter: what is selected, and what is refused with which words.
-- Labels: not-lua5.3
local filter = require "mde.sim.odata.filter"
local schema = require "mde.sim.odata.schema"

local guid = "0a0a0a0a-1b1b-4c4c-8d8d-2e2e2e2e2e2e"

local machines = {
  { id = "a1", computerDnsName = "alpha.corp.example", aadDeviceId = guid:upper(), rbacGroupId = 1,
    healthStatus = "Active", lastSeen = "2026-02-03T10:11:12.5Z",
    machineTags = { "tier0", "O'Brien & sons" } },
  { id = "b2", computerDnsName = "o'brien", rbacGroupId = 20, healthStatus = "Inactive",
    lastSeen = "2026-01-01T00:00:00Z", machineTags = { "Tier0" } },
  { id = "c3", computerDnsName = "x' or healthStatus eq 'Active", healthStatus = "Active", rbacGroupId = 300,
    machineTags = {},
    lastSeen = "2025-12-31T23:59:59.9999999Z" },
  { id = "d4", healthStatus = "Unknown", lastSeen = "2026-02-03T10:11:12.4Z" },
}

local function selected(text, caseless)
  local matches, message = filter.parse(text, schema.machine, caseless)
  if not matches then return nil, message end
  local ids = {}
  for _, machine in ipairs(machines) do
    local answer = matches(machine)
    assert(answer == true or answer == false, "a filter answers true or false")
    if answer then ids[#ids + 1] = machine.id end
  end
  return table.concat(ids, " ")
end

local selections = {
  -- strings
  { "computerDnsName eq 'alpha.corp.example'", "a1" },
  { "'alpha.corp.example' eq computerDnsName", "a1" },
  { "computerDnsName eq 'Alpha.corp.example'", "" },
  { "computerDnsName eq 'o''brien'", "b2" },
  { "computerDnsName eq 'x'' or healthStatus eq ''Active'", "c3" },
  { "computerDnsName eq 'x' or healthStatus eq 'Active'", "a1 c3" },
  { "computerDnsName eq ''", "" },
  { "computerDnsName ne 'o''brien'", "a1 c3 d4" },
  { "computerDnsName gt 'b'", "b2 c3" },
  { "ComputerDnsName eq 'o''brien'", "b2" },
  { "  computerDnsName   eq\t'o''brien'  ", "b2" },
  -- null
  { "computerDnsName eq null", "d4" },
  { "computerDnsName ne null", "a1 b2 c3" },
  { "aadDeviceId eq null", "b2 c3 d4" },
  { "computerDnsName lt null", "" },
  -- GUIDs
  { "aadDeviceId eq " .. guid, "a1" },
  { "aadDeviceId eq " .. guid:upper(), "a1" },
  { "aadDeviceId ne " .. guid, "b2 c3 d4" },
  -- numbers
  { "rbacGroupId eq 20", "b2" },
  { "rbacGroupId ge 20", "b2 c3" },
  { "rbacGroupId lt 20.5", "a1 b2" },
  { "rbacGroupId gt -1", "a1 b2 c3" },
  -- dates
  { "lastSeen gt 2026-02-03T10:11:12.4Z", "a1" },
  { "lastSeen ge 2026-02-03T10:11:12.4Z", "a1 d4" },
  { "lastSeen ge 2026-02-03T11:11:12.4+01:00", "a1 d4" },
  { "lastSeen lt 2026-01-01Z", "c3" },
  { "lastSeen le 2026-01-01Z", "b2 c3" },
  { "lastSeen eq 2026-01-01T00:00:00Z", "b2" },
  { "lastSeen lt 2026-01-01T00:00:00.0000000Z", "c3" },
  { "lastSeen eq null", "" },
  -- lists
  { "id in ('a1','d4')", "a1 d4" },
  { "id in ( 'a1' , 'x' )", "a1" },
  { "not (id in ('a1','d4')) and id ne 'c3'", "b2" },
  { "id in ('A1')", "" },
  { "computerDnsName in ('o''brien', null)", "b2 d4" },
  { "rbacGroupId in (1,300)", "a1 c3" },
  { "aadDeviceId in (" .. guid .. ")", "a1" },
  { "lastSeen in (2026-01-01Z)", "b2" },
  { "aadDeviceId in ('" .. guid .. "')", "a1" },
  { "aadDeviceId in ('" .. guid:upper() .. "', '" .. ("0"):rep(8) .. guid:sub(9) .. "')", "a1" },
  -- collections
  { "machineTags/any(t: t eq 'tier0')", "a1" },
  { "machineTags/any(tag:tag eq 'O''Brien & sons')", "a1" },
  { "machineTags/any(t: startswith(t,'tier') or t eq 'Tier0')", "a1 b2" },
  { "machineTags/any(t: t in ('x','Tier0'))", "b2" },
  { "machineTags/any(t: t eq 'tier0' and id eq 'a1')", "a1" },
  { "machineTags/any(t: t ne 'tier0')", "a1 b2" },
  { "not machineTags/any(t: t eq 'tier0')", "b2 c3 d4" },
  { "machineTags/any(t: t eq 'tier0') or machineTags/any(t: t eq 'Tier0')", "a1 b2" },
  { "machineTags/any(t: t eq 'tier0') and machineTags/any(t: t eq 'Tier0')", "" },
  { "machineTags/any()", "a1 b2" },
  { "MachineTags/any(t: t eq 'tier0')", "a1" },
  -- and, or, not, parentheses
  { "healthStatus eq 'Active' and rbacGroupId gt 1", "c3" },
  { "rbacGroupId eq 1 or rbacGroupId eq 20 and healthStatus eq 'Active'", "a1" },
  { "(rbacGroupId eq 1 or rbacGroupId eq 20) and healthStatus eq 'Inactive'", "b2" },
  { "not (healthStatus eq 'Active')", "b2 d4" },
  { "not (healthStatus eq 'Active' or rbacGroupId eq 20)", "d4" },
  { "not(healthStatus eq 'Active')", "b2 d4" },
  { "not not (healthStatus eq 'Active')", "a1 c3" },
  { "((((id eq 'a1'))))", "a1" },
  { "true eq false or id eq 'd4'", "d4" },
  { "healthStatus eq 'Active' AND rbacGroupId gt 1", "c3" },
  { "rbacGroupId eq 1 OR rbacGroupId eq 20 AND healthStatus eq 'Active'", "a1" },
  { "NOT (healthStatus eq 'Active' OR rbacGroupId eq 20)", "d4" },
  { "NOT not startswith(id,'a')", "a1" },
  -- functions
  { "startswith(computerDnsName,'alpha.')", "a1" },
  { "startswith(computerDnsName, '')", "a1 b2 c3" },
  { "endswith(computerDnsName,'.example')", "a1" },
  { "endswith(computerDnsName,'')", "a1 b2 c3" },
  { "contains(computerDnsName,'%a')", "" },
  { "contains(computerDnsName,'''')", "b2 c3" },
  { "not contains(computerDnsName,'''')", "a1 d4" },
  { "startswith(computerDnsName,'o') and endswith(id,'2')", "b2" },
}

-- What a tenant selects that does not regard case, beside the ones above.
local without_case = {
  { "computerDnsName eq 'Alpha.CORP.example'", "a1" },
  { "'ALPHA.corp.example' eq computerDnsName", "a1" },
  { "computerDnsName ne 'O''BRIEN'", "a1 c3 d4" },
  { "computerDnsName in ('ALPHA.corp.example', null)", "a1 d4" },
  { "startswith(computerDnsName,'ALPHA.')", "a1" },
  { "endswith(computerDnsName,'.Example')", "a1" },
  { "contains(computerDnsName,'CORP')", "a1" },
  { "machineTags/any(t: t eq 'TIER0')", "a1 b2" },
  { "machineTags/any(t: t in ('x','TIER0'))", "a1 b2" },
  { "machineTags/any(t: startswith(t,'o''brien'))", "a1" },
  { "machineTags/any(t: t ne 'tier0')", "a1" },
  { "healthStatus eq 'active'", "a1 c3" },
  { "id eq 'A1'", "a1" },
  { "computerDnsName eq 'alph\195\132'", "" },
}

local refusals = {
  { "nickname eq 'x'", "property named 'nickname' in Machines" },
  { "id eq nickname", "property named 'nickname'" },
  { "firstSeen gt 2026-01-01Z", "'firstSeen' cannot be used" },
  { "rbacGroupName eq 'x'", "'rbacGroupName' cannot be used" },
  { "COMPUTERDNSNAME eq 'x'", "'COMPUTERDNSNAME'" },
  { "aadDeviceId eq '" .. guid .. "'", "'aadDeviceId' of type Edm.Guid with a literal of type Edm.String" },
  { "computerDnsName eq " .. guid, "'computerDnsName' of type Edm.String with a literal of type Edm.Guid" },
  { "computerDnsName eq 5", "Edm.Double" },
  { "rbacGroupId eq '5'", "'rbacGroupId'" },
  { "lastSeen gt '2026-01-01Z'", "'lastSeen'" },
  { "aadDeviceId gt " .. guid, "'gt' is not defined" },
  { "startswith(rbacGroupId,'1')", "'rbacGroupId'" },
  { "startswith(computerDnsName,1)", "Edm.Double" },
  { "tolower(computerDnsName) eq 'x'", "function with name 'tolower'" },
  { "lastSeen gt 2026-13-01T00:00:00Z", "not a date" },
  { "lastSeen gt 2025-02-29Z", "not a date" },
  { "lastSeen gt 2026-01-01T25:00:00Z", "not a date" },
  { "computerDnsName eq 'x", "unterminated string" },
  { "computerDnsName eq 'x''", "unterminated string" },
  { "computerDnsName eq x", "property named 'x'" },
  { "computerDnsName EQ 'x'", "comparison operator expected" },
  { "computerDnsName = 'x'", "'=' is not valid" },
  { "computerDnsName eq", "property or a literal expected" },
  { "computerDnsName", "comparison operator expected" },
  { "", "property or a literal expected" },
  { "id eq 'a1' id eq 'b2'", "'end' expected" },
  { "(id eq 'a1'", "')' expected" },
  { "id eq 'a1')", "'end' expected" },
  { "id eq 'a1' and", "property or a literal expected" },
  { "id in ()", "a literal expected" },
  { "id in 'a1'", "'(' expected" },
  { "id in ('a1',)", "a literal expected" },
  { "id in ('a1' 'b2')", "')' expected" },
  { "id in ('a1'", "')' expected" },
  { "id in (id)", "a literal expected" },
  { "id in (5)", "'id' of type Edm.String with a literal of type Edm.Double" },
  { "id IN ('a1')", "comparison operator expected" },
  { "aadDeviceId in ('x')", "'aadDeviceId' of type Edm.Guid with a literal of type Edm.String" },
  { "aadDeviceId in ('{" .. guid .. "}')", "Edm.String" },
  { "id in (" .. guid .. ")", "Edm.Guid" },
  { "id eq 'a1' And id eq 'a1'", "'end' expected" },
  { "Not (id eq 'a1')", "'Not'" },
  { "NOT healthStatus eq 'Active'", "'not' cannot" },
  { "machineTags eq 'x'", "'machineTags' is a collection" },
  { "machineTags eq null", "'machineTags' is a collection" },
  { "contains(machineTags,'x')", "'machineTags' is a collection" },
  { "id/any(t: t eq 'x')", "'id' is no collection" },
  { "ipAddresses/any(a: a eq 'x')", "'ipAddresses' cannot be used" },
  { "nickname/any(t: t eq 'x')", "property named 'nickname'" },
  { "machineTags/all(t: t eq 'x')", "'any' expected" },
  { "machineTags/any(t eq 'x')", "':' expected" },
  { "machineTags/any(t: t eq 5)", "Operator 'eq' cannot compare property 't'" },
  { "machineTags/any(t: u eq 'x')", "property named 'u'" },
  { "machineTags/any(t: machineTags/any(t: t eq 'x'))", "a new variable expected" },
  { "machineTags/any(t: t eq 'x'", "')' expected" },
  { "machineTags/any(t: t eq 'x') and t eq 'x'", "property named 't'" },
  { "machineTags/", "'any' expected" },
  { "id eq \"a1\"", "is not valid" },
  -- `not` binds to what follows it, which must be true or false.
  { "not healthStatus eq 'Active'", "'not' cannot" },
  { "not id in ('a1')", "'not' cannot" },
  { "not 'a1' eq id", "'not' cannot" },
  { "id eq 'a1' and not rbacGroupId gt 5", "'not' cannot" },
  { "machineTags/any(t: not t eq 'x')", "'not' cannot" },
  { "lastSeen gt 2026-01-01", "not a date" },
  { "lastSeen gt 2026-01-01T00:00:00", "not a date" },
  { "lastSeen gt 2026-01-01T00:00:00.12345678Z", "not a date" },
  { "rbacGroupId eq 5.", "is not valid" },
  { ("("):rep(101) .. "id eq 'a1'" .. (")"):rep(101), "nested" },
  { ("not "):rep(200000) .. "(id eq 'a1')", "nested" },
}

describe("a filter", function()
  for _, case in ipairs(selections) do
    it("selects by " .. case[1], function()
      assert.equal(case[2], selected(case[1]))
    end)
  end

  for _, case in ipairs(without_case) do
    it("selects without regard to case, if it is told to, by " .. case[1], function()
      assert.equal(case[2], selected(case[1], true))
    end)
  end

  for _, case in ipairs(refusals) do
    it("is refused: " .. case[1]:sub(1, 60), function()
      local ids, message = selected(case[1])
      assert.is_nil(ids)
      assert.truthy(message:find(case[2], 1, true), message)
    end)
  end

  it("knows the types of actions", function()
    local action = { id = guid, machineId = "a1", status = "Pending" }
    assert.is_true(filter.parse("id eq " .. guid .. " and machineId eq 'a1'", schema.action)(action))
    assert.is_nil(filter.parse("id eq '" .. guid .. "'", schema.action))
    assert.is_nil(filter.parse("requestorComment eq 'x'", schema.action))
  end)

  it("may name what the service allows, and nothing else", function()
    local function filterable(kind)
      local names = {}
      for _, name in ipairs(kind.names) do
        local test = name .. (kind.properties[name].type == "Edm.Collection" and "/any()" or " eq null")
        local matches, message = filter.parse(test, kind)
        if matches then
          names[#names + 1] = name
        else
          assert.truthy(message:find(("'%s' cannot be used"):format(name), 1, true), message)
        end
      end
      table.sort(names)
      return table.concat(names, " ")
    end
    assert.equal("aadDeviceId computerDnsName deviceValue exposureLevel healthStatus id lastIpAddress lastSeen "
      .. "machineTags onboardingStatus osPlatform rbacGroupId riskScore version", filterable(schema.machine))
    assert.equal("creationDateTimeUtc id machineId requestor status type", filterable(schema.action))
  end)

  it("can be used again, and for record in record", function()
    local matches = filter.parse("machineTags/any(t: t eq 'x')", schema.machine)
    assert.same({ true, false, false, true }, { matches { machineTags = { "y", "x" } }, matches { machineTags = {} },
      matches {}, matches { machineTags = { "x" } } })
  end)

  it("compares an enumeration with its members alone, and follows the paths of a collection of objects", function()
    local status, things = schema.property("status", "String", true), schema.property("things", "Collection", true)
    status.is_member = function(text) return text == "new" or text == "old" end
    things.paths = { ["an.other/name"] = function(thing) return thing.name end }
    local kind = { set = "Set", properties = { status = status, things = things } }
    local record = { status = "new", things = { { name = "Ana" }, {} } }
    local function answer(text, caseless)
      local matches, message = filter.parse(text, kind, caseless)
      if matches then return matches(record) end
      return message
    end
    assert.is_true(answer "status eq 'new' and 'old' ne status and status in ('new', 'old') and status ne null")
    for _, text in ipairs { "status eq 'New'", "'newer' eq status", "status in ('new', 'newer')" } do
      assert.truthy(answer(text):find "is not a member of the enumeration of the property 'status'")
    end
    assert.is_true(answer "things/any(t: t/an.other/name eq 'Ana')")
    assert.is_true(answer "things/any(t: startswith(t/an.other/name, 'A') and t/an.other/name ne 'B')")
    assert.is_false(answer "things/any(t: t/an.other/name eq 'ana')")
    assert.is_true(answer("things/any(t: t/an.other/name eq 'ana')", true))
    assert.equal("The path 't/other/name' cannot be used in the $filter query option.",
      answer "things/any(t: t/other/name eq 'x')")
    assert.is_string(answer "things/any(t: t eq 'x')")
  end)
end)
