-- mde report: what incidents did.
-- Labels: not-lua5.3
local console = require "tests.spec.support.console"
local json = require "mde.sim.base.json"
local rehearsal = require "tests.spec.support.rehearsal"

local function id(number) return ("%040x"):format(0xa0000 + number) end

local HEADING = "computerDnsName,machineId,incident,restrictAction,restrictStatus,restrictCreated,restrictUpdated,"
  .. "restrictRequestor,restrictCancelledBy,restrictComment,releaseAction,releaseStatus,releaseCreated,"
  .. "releaseUpdated,releaseRequestor,releaseCancelledBy,releaseIncident,releaseComment,state,restricted,restrictUntil,"
  .. "holders,verb,isolated"

describe("mde report", function()
  local r

  -- So that the minute of a time is known.
  local START = 1770000000

  local function happened(number, verb, status, ago, comment, fields)
    local all = { requestorComment = comment, requestor = verb == "restrict" and "alice" or "bob" }
    for name, value in pairs(fields or {}) do all[name] = value end
    return r:past(id(number), verb, status, ago, all)
  end

  before_each(function()
    local machines = {}
    for i = 1, 8 do machines[i] = { id = id(i), computerDnsName = ("desk-%d.corp.example"):format(i) } end
    r = rehearsal.new { limits = false, machines = machines, start = START }
  end)

  local function report(...) return console.run({ "report", ... }, { client = r.client }) end

  local function lines_of(text)
    local lines = {}
    for line in text:gmatch "[^\r\n]+" do lines[#lines + 1] = line end
    return lines
  end

  it("tells what was meant to end by now, and is still restricted", function()
    happened(1, "restrict", "Succeeded", 7200, "odd [mde:INC-1:operation-1.until.1769999000]")
    happened(2, "restrict", "Succeeded", 7200, "odd [mde:INC-1:operation-2.until.1779999000]")
    happened(3, "restrict", "Succeeded", 7200, "odd [mde:INC-1:operation-3.until.1769999000]")
    happened(3, "restrict", "Succeeded", 7100, "from the portal")
    local told = report "INC-1"
    assert.matches("INC%-1: 3 devices; 3 restricted now %(1 held by others too, 1 meant to be free by now%)", told.err)
    assert.matches("To release what was meant to end by now:\n  mde release %-%-expired\n", told.err)
    local until_when = {}
    for line in report("INC-1", "--csv").out:gmatch "[^\r\n]+" do
      until_when[#until_when + 1] = line:match ",(2026%-[%d-]+T[%d:]+Z),[^,]*,restrict,$"
    end
    assert.equal("2026-02-02T02:23:20Z", until_when[1])
    for i, overdue in ipairs { true, false, false } do
      assert.equal(overdue, assert(r.client:report { incident = "INC-1" })[i].overdue)
    end
  end)

  -- Six devices, in each of the states that there are.
  local function bad_day()
    happened(1, "restrict", "Succeeded", 7200, "beacon [mde:INC-1:operation-1]")
    happened(2, "restrict", "Succeeded", 7200, "beacon [mde:INC-1:operation-2]")
    happened(2, "release", "Succeeded", 3600, "cleared [mde:INC-2:operation-3]")
    happened(3, "restrict", "Cancelled", 7200, "beacon [mde:INC-1:operation-4]", { cancellationRequestor = "carol" })
    happened(4, "restrict", "Pending", 7200, "beacon [mde:INC-1:operation-5]")
    happened(5, "restrict", "Succeeded", 7200, "beacon [mde:INC-1:operation-6]")
    happened(5, "restrict", "Succeeded", 7100, "other [mde:INC-2:operation-7]")
    happened(5, "release", "Pending", 3600, "cleared [mde:INC-1:operation-8]")
    happened(6, "release", "Succeeded", 3600, "cleared [mde:INC-1:operation-9]")
    happened(7, "restrict", "Succeeded", 3600, "other [mde:INC-2:operation-0]")
  end

  it("is a table on a terminal, and a summary", function()
    bad_day()
    local told = console.run({ "report", "INC-1" }, { client = r.client, columns = 200 })
    assert.equal(0, told.status, told.err)
    local lines = lines_of(told.out)
    assert.equal(7, #lines)
    assert.matches("^NAME +RESTRICTED +BY +RELEASED +BY +NOW +COMMENT +HELD TOO BY +INCIDENT$", lines[1])
    local restricted = os.date("!%m-%d %H:%M", START - 7199):gsub("%-", "%%-")
    local released = os.date("!%m-%d %H:%M", START - 3599):gsub("%-", "%%-")
    for i, pattern in ipairs { restricted .. " +alice +restricted +beacon +INC%-1$",
      restricted .. " +alice +" .. released .. " +bob %(INC%-2%) +released +beacon +INC%-1$",
      "Cancelled +carol +none +beacon", "Pending +alice +restricting +beacon",
      restricted .. " +alice +Pending +bob +releasing +beacon +INC%-2 +INC%-1$",
      released .. " +bob +released +INC%-1$" } do
      assert.matches(("^desk%%-%d%%.corp%%.example +"):format(i) .. pattern, lines[i + 1])
    end
    assert.equal("INC-1: 6 devices; 2 restricted now (1 held by others too, 1 releasing), 2 released, 1 restricting, "
      .. "1 never restricted\n", told.err)
    -- One list of restrictions and one of isolations.
    assert.equal(2, #r:requests())
  end)

  it("tells isolations beside restrictions", function()
    happened(1, "restrict", "Succeeded", 7200, "beacon [mde:INC-1:operation-1]")
    happened(1, "restrict", "Succeeded", 3600, "worse [mde:INC-1:operation-2]", { type = "Isolate", scope = "Full" })
    happened(2, "restrict", "Succeeded", 3600, "worse [mde:INC-1:operation-3]", { type = "Isolate", scope = "Full" })
    happened(2, "release", "Succeeded", 1800, "fine [mde:INC-1:operation-4]", { type = "Unisolate" })
    happened(3, "restrict", "Succeeded", 3600, "worse [mde:INC-2:operation-5]", { type = "Isolate", scope = "Full" })
    local told = console.run({ "report", "INC-1" }, { client = r.client, columns = 200 })
    assert.equal(0, told.status, told.err)
    local lines = lines_of(told.out)
    assert.matches("^NAME +VERB +CUT OFF +BY +LET GO +BY +NOW", lines[1])
    assert.equal(4, #lines)
    assert.matches("desk%-1%S+ +restrict +.* restricted +beacon", lines[2])
    assert.matches("desk%-1%S+ +isolate +.* isolated +worse", lines[3])
    assert.matches("desk%-2%S+ +isolate +.* released +worse", lines[4])
    assert.equal("INC-1: 1 device; 1 restricted now, 0 released\nINC-1: 2 devices; 1 isolated now, 1 released\n",
      told.err)
    -- An incident that has only isolated is there.
    told = report("INC-2", "--csv")
    assert.equal(0, told.status, told.err)
    assert.matches(",isolate,true$", lines_of(told.out)[2])
    assert.equal(2, report("INC-3").status)
    -- Which are restricted, no isolation says.
    local said = {}
    for _, line in ipairs(lines_of(report("INC-1", "--json").out)) do
      local device = assert(json.decode(line))
      said[#said + 1] = { device.of, device.restricted, device.isolated,
        #(device.of == "restrict" and device.restrictions or device.isolations) }
    end
    assert.same({ { "restrict", true, nil, 1 }, { "isolate", nil, true, 1 }, { "isolate", nil, false, 1 } }, said)
    lines = lines_of(report("INC-1", "--csv", "--no-heading").out)
    assert.matches(",restricted,true,.*,restrict,$", lines[1])
    assert.matches(",isolated,,.*,isolate,true$", lines[2])
  end)

  it("has names, times and states whole where there is little room", function()
    bad_day()
    local told = console.run({ "report", "INC-1" }, { client = r.client, columns = 80 })
    for i, line in ipairs(lines_of(told.out)) do
      assert.is_true(#line <= 80, line)
      if i > 1 then assert.matches("^desk%-%d%.corp%.example ", line) end
    end
    assert.matches("%d%d%-%d%d %d%d:%d%d +alice +%d%d%-%d%d %d%d:%d%d +bob %(", told.out)
    assert.matches("restricting\n", told.out)
  end)

  it("tells when a device took it up, and when it was asked for where nobody knows that", function()
    happened(1, "restrict", "Succeeded", 7200, "beacon [mde:INC-1:operation-1]",
      { lastUpdateDateTimeUtc = rehearsal.time(START - 600) })
    happened(2, "restrict", "Succeeded", 7200, "beacon [mde:INC-1:operation-2]",
      { lastUpdateDateTimeUtc = rehearsal.null })
    local lines = lines_of(console.run({ "report", "INC-1" }, { client = r.client, columns = 80 }).out)
    for i, seconds in ipairs { START - 600, START - 7200 } do
      assert.truthy(lines[i + 1]:find(os.date("!%m-%d %H:%M", seconds) .. "  alice", 1, true), lines[i + 1])
    end
  end)

  it("says of what it cannot tell that it is unclear", function()
    for i = 1, 3 do happened(i, "restrict", "Succeeded", 7200, "beacon [mde:INC-1:operation-" .. i .. "]") end
    -- At the same time; the same, and another is pending; and two at the same time that are pending.
    for i = 1, 2 do happened(i, "release", "Succeeded", 7200, "by hand") end
    happened(2, "release", "Pending", 60, "by hand")
    happened(3, "release", "Succeeded", 3600, "by hand")
    for _, verb in ipairs { "restrict", "release" } do happened(3, verb, "Pending", 60, "by hand") end
    local told = console.run({ "report", "INC-1" }, { client = r.client, columns = 200 })
    for i = 1, 3 do assert.matches("desk%-" .. i .. "%S+ +[^\n]+ unclear +beacon", told.out) end
    assert.equal("INC-1: 3 devices; 0 restricted now, 0 released, 3 unclear\n", told.err)
  end)

  it("says so few words as there are of a plain one", function()
    for i = 1, 3 do happened(i, "restrict", "Succeeded", 100 * i, "beacon [mde:INC-4711:operation-" .. i .. "]") end
    happened(1, "release", "Succeeded", 50, "cleared [mde:INC-4711:operation-4]")
    assert.equal("INC-4711: 3 devices; 2 restricted now, 1 released\n", report("inc-4711").err:gsub("^inc", "INC"))
  end)

  it("has all of it in CSV, which nothing runs", function()
    happened(1, "restrict", "Succeeded", 7200, "=cmd|' /C calc'!A0 [mde:INC-1:operation-1]",
      { requestor = "@alice" })
    happened(1, "release", "Cancelled", 3600, 'so "he" said [mde:INC-2:operation-2]',
      { cancellationRequestor = "+carol" })
    happened(1, "restrict", "Failed", 1800, "again [mde:INC-1:operation-3]", { computerDnsName = "=desk\27[2J" })
    local told = report("INC-1", "--csv")
    assert.equal(0, told.status, told.err)
    local lines = lines_of(told.out)
    assert.equal(3, #lines)
    assert.equal(HEADING, lines[1])
    local first = lines[2]
    for _, part in ipairs { "'=desk\\x1b[2J," .. id(1) .. ",INC-1,", ",Succeeded,", ",'@alice,,'=cmd|' /C calc'!A0,",
      ",Cancelled,", ",bob,'+carol,INC-2,\"so \"\"he\"\" said\",restricted,true," } do
      assert.truthy(first:find(part, 1, true), part .. "\n" .. first)
    end
    assert.matches(",again,", lines[3])
    assert.is_nil(told.out:find "\27")
  end)

  it("is one object a device in JSON", function()
    bad_day()
    happened(2, "restrict", "Failed", 3000, "once more [mde:INC-1:operation-a]")
    local lines = lines_of(report("INC-1", "--json").out)
    assert.equal(6, #lines)
    local device = json.decode(lines[2])
    assert.equal(id(2), device.id)
    assert.is_false(device.restricted)
    assert.equal("released", device.state)
    assert.same({}, device.holders)
    assert.equal(2, #device.restrictions)
    assert.equal("beacon", device.restrictions[1].comment)
    assert.equal(device.releases[1].id, device.restrictions[1].release.id)
    assert.equal("INC-2", device.releases[1].incident)
    assert.same({}, json.decode(lines[1]).releases)
  end)

  it("names a device of which no name is known by its id, to a person", function()
    happened(1, "restrict", "Succeeded", 7200, "beacon [mde:INC-1:operation-1]", { computerDnsName = rehearsal.null })
    assert.matches("\n" .. id(1), console.run({ "report", "INC-1" }, { client = r.client, columns = 200 }).out)
    assert.matches("\n\t" .. id(1) .. "\tINC%-1\t", report("INC-1").out)
  end)

  it("is of several incidents, and of what they did since a time", function()
    bad_day()
    local told = report("INC-1", "INC-2")
    assert.equal(0, told.status)
    assert.matches("^INC%-1, INC%-2: 7 devices; 3 restricted now %(1 releasing%), ", told.err)
    told = report("INC-1", "--since", "90m")
    assert.equal(0, told.status)
    assert.equal("INC-1: 2 devices; 1 restricted now (1 held by others too, 1 releasing), 1 released\n", told.err)
  end)

  it("of an incident that did nothing is refused, and shows which incidents there are", function()
    bad_day()
    local told = report "INC-3"
    assert.equal(2, told.status)
    assert.equal("", told.out)
    assert.equal("INC-3: no restriction or release names it.\nThe incidents that acted last:\n"
      .. "  INC-1: 6 devices, 7 actions, the last 1h ago\n  INC-2: 3 devices, 3 actions, the last 1h ago\n", told.err)
    told = report("INC-3", "INC-1")
    assert.equal(2, told.status)
    assert.equal(1 + 7 - 1, #lines_of(told.out))
    assert.matches("^INC%-3, INC%-1: 6 devices; .*\nINC%-3: no restriction or release names it%.\n", told.err)
    told = report("INC-1", "--since", "5m")
    assert.equal(2, told.status)
    assert.matches("^INC%-1: no restriction or release names it since then%.\n", told.err)
  end)

  it("says that there is no incident at all", function()
    local told = report "INC-3"
    assert.equal(2, told.status)
    assert.equal("INC-3: no restriction or release names it.\nNo restriction or release names any incident.\n",
      told.err)
  end)

  it("names an action that does not say of which device it is", function()
    local action = happened(1, "restrict", "Failed", 60, "why [mde:INC-1:abcdefgh]", { machineId = rehearsal.null,
      computerDnsName = rehearsal.null })
    local told = report "INC-1"
    assert.equal(0, told.status)
    assert.equal(("Left out: action %s (RestrictCodeExecution, Failed), which does not say of which device it is.\n")
      :format(action.id), told.err)
  end)

  for what, words in pairs { ["no incident"] = {}, ["an empty one"] = { "" }, ["a time of no sense"] = { "INC-1",
    "--since", "yesterday" }, ["two formats"] = { "INC-1", "--csv", "--json" } } do
    it("is refused with " .. what, function()
      local told = report((table.unpack or unpack)(words)) -- luacheck: ignore
      assert.equal(1, told.status)
      assert.equal("", told.out)
      assert.matches("^mde report: ", told.err)
      assert.same({}, r:requests())
    end)
  end

  it("has the status of what kept it from being read", function()
    r:answer({ path = "/machineactions" }, 403, { error = { code = "Forbidden", message = "no" } }, { count = false })
    local told = report "INC-1"
    assert.equal(2, told.status)
    assert.matches('^mde report: report of "INC%-1"', told.err)
  end)

  it("can be left", function()
    bad_day()
    r.driver.sleep(1)
    local told = console.run({ "report", "INC-1" }, { client = { report = function() end, now = os.time,
      remarks = function() return {} end, interruptible = function() return false end } })
    assert.equal(130, told.status)
    assert.matches("^Interrupted", told.err)
  end)
end)
