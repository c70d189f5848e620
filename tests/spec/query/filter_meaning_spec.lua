-- What a query means: a tenant that is asked it and plain Lua select the same rows.
-- Labels: only-lua5.4, caseless

local core = require "mde.core"
local mde = require "mde"
local operators = require "mde.query.operators"
local odata = require "tests.spec.support.odata"
local rehearsal = require "tests.spec.support.rehearsal"

local NOW = odata.NOW
local GUID = "17171717-0000-4000-8000-000000000017"
local ACTION_GUID = "ac710000-0000-4000-8000-0000000000ff"

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

  local function rank(name, value)
    return ranks[name] and ranks[name][value] or value
  end

  -- Times are texts of the same length here, which sort as they are; by their bytes, whatever the locale says.
  local function is_before(name, own, value)
    own, value = rank(name, own), rank(name, value)
    if type(own) == "string" then return core.text.before(own, value) end
    return own < value
  end

  local function is_at_start(text, part) return text:sub(1, #part) == part end

  -- Names and tags are compared without case by whatever tenant, other texts as the tenant does it.
  local is_caseless = os.getenv "MDE_TEST_COMPARISON" == "caseless"
  local compared_here = { computerDnsName = true, machineTags = true }

  local function folded(name, value)
    return (compared_here[name] or is_caseless) and type(value) == "string" and core.text.lower(value) or value
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
    gt = function(name, own, value) return own ~= nil and is_before(name, value, own) end,
    ge = function(name, own, value) return own ~= nil and not is_before(name, own, value) end,
    lt = function(name, own, value) return own ~= nil and is_before(name, own, value) end,
    le = function(name, own, value) return own ~= nil and not is_before(name, value, own) end,
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
    local ok, err = pcall(odata.filters, query, what)
    if not ok and not err.message:find("no value lies there", 1, true) then error(err, 0) end
    return ok
  end

  -- What more is asked of a row of the table: it is negated, and joined with another condition on the same field and on
  -- another.
  local further = {
    function(what, name, row)
      compare(what, { [name] = mde.none_of { row.condition } }, function(one) return not row.is_meant(one) end)
    end,
    function(what, name, row)
      local field = worlds[what].fields[name]
      local first = makers[field.knows[1]](name, field)[1]
      compare(what, { [name] = { row.condition, first.condition } }, either(row.is_meant, first.is_meant))
    end,
    function(what, name, row)
      local others = worlds[what].others
      local other = others[1][1] ~= name and others[1] or others[2]
      compare(what, { [name] = row.condition, [other[1]] = mde.none_of(other[2]) }, function(one)
        return row.is_meant(one) and one[other[1]] ~= other[2][1] and one[other[1]] ~= other[2][2]
      end)
    end,
  }

  -- A row alone, and further: in each way, or where it joins two already in one of them, row by row the next.
  local function check_row(what, name, row, way)
    if not accepted(what, { [name] = row.condition }) then return nil end
    local found = compare(what, { [name] = row.condition }, row.is_meant)
    for i, ask in ipairs(further) do
      if not way or i == way then ask(what, name, row) end
    end
    return found
  end

  local joins = { any_of = true, all_of = true, none_of = true }

  for what, world in pairs(worlds) do
    it(("the fields by which the service can filter %s"):format(what), function()
      local names = {}
      for name in pairs(world.fields) do names[#names + 1] = name end
      table.sort(names)
      assert.equal(("There are %s."):format(table.concat(names, ", ")), odata.refused({ xyzzy = "x" }, what).hint)
    end)

    for name, field in pairs(world.fields) do
      local knows = {}
      for _, operator in ipairs(field.knows) do knows[operator] = true end
      for _, operator in ipairs(operators.names) do
        if operator ~= "ago" then
          it(("%s: %s %s"):format(what, name, operator), function()
            local make = assert(makers[operator], "nobody has said what mde." .. operator .. " means")
            if not knows[operator] and not joins[operator] then
              local query = { [name] = make(name, field)[1].condition }
              assert.truthy(odata.refused(query, what).message:find("cannot be asked of " .. name, 1, true))
              return
            end
            local some, not_all = false, false
            for i, row in ipairs(make(name, field)) do
              local found = check_row(what, name, row, joins[operator] and i % #further + 1)
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
end)
