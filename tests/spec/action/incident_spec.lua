-- The machines that an incident holds, by the service's own history.
-- Labels: sanitized, not-lua5.3

local core = require "mde.core"
local mde = require "mde"
local operators = require "mde.query.operators"
local past = require "tests.spec.support.past"
local rehearsal = require "tests.spec.support.rehearsal"
local times = require "mde.sim.base.time"

local id, names = past.id, past.names

describe("an incident's machines", function()
  local r

  before_each(function() r = past.rehearsal() end)

  local function happened(number, action) return past.happened(r, number, action) end

  -- What happened, the incident asked about, and whether its machine is "held", "shared" (and with whom) or neither.
  for what, case in pairs {
    ["nothing ever happened"] = { {}, "INC-1", "" },
    ["restricted"] = { { { "restrict", "Succeeded", 100, "INC-1" } }, "INC-1", "held" },
    ["restricting"] = { { { "restrict", "Pending", 100, "INC-1" } }, "INC-1", "held" },
    ["in progress"] = { { { "restrict", "InProgress", 100, "INC-1" } }, "INC-1", "held" },
    ["in another case"] = { { { "restrict", "Succeeded", 100, "inc-1" } }, "INC-1", "held" },
    ["asked about in another case"] = { { { "restrict", "Succeeded", 100, "INC-1" } }, "inc-1", "held" },
    ["an integer"] = { { { "restrict", "Succeeded", 100, "4711" } }, 4711, "held" },
    ["the beginning of another"] = { { { "restrict", "Succeeded", 100, "INC-10" } }, "INC-1", "" },
    ["the whole of another"] = { { { "restrict", "Succeeded", 100, "INC-1" } }, "INC-10", "" },
    ["failed"] = { { { "restrict", "Failed", 100, "INC-1" } }, "INC-1", "" },
    ["cancelled"] = { { { "restrict", "Cancelled", 100, "INC-1" } }, "INC-1", "" },
    ["released"] = { { { "restrict", "Succeeded", 200, "INC-1" }, { "release", "Succeeded", 100 } }, "INC-1", "" },
    ["a release that is pending"] = { { { "restrict", "Succeeded", 200, "INC-1" }, { "release", "Pending", 100 } },
      "INC-1", "held" },
    ["a release that failed"] = { { { "restrict", "Succeeded", 200, "INC-1" }, { "release", "Failed", 100 } },
      "INC-1", "held" },
    ["a release in between"] = { { { "restrict", "Succeeded", 300, "INC-2" }, { "release", "Succeeded", 200 },
      { "restrict", "Succeeded", 100, "INC-1" } }, "INC-1", "held" },
    ["a release in between, and another's since"] = { { { "restrict", "Succeeded", 300, "INC-1" },
      { "release", "Succeeded", 200 }, { "restrict", "Succeeded", 100, "INC-2" } }, "INC-1", "" },
    ["a comment that had a suffix of another"] = { { { "restrict", "Succeeded", 100,
      "again [mde:INC-2:abcdefgh] [mde:INC-1:ijklmnop]" } }, "INC-1", "held" },
    ["a comment that has a suffix of its own before another's"] = { { { "restrict", "Succeeded", 100,
      "again [mde:INC-1:abcdefgh] [mde:INC-2:ijklmnop]" } }, "INC-1", "" },
    ["a comment that only mentions it"] = { { { "restrict", "Succeeded", 100, "for INC-1 [mde:INC-1:abcdefgh], see" } },
      "INC-1", "" },
    ["a colleague by hand, later"] = { { { "restrict", "Succeeded", 200, "INC-1" }, { "restrict", "Succeeded", 100 } },
      "INC-1", "by hand (somebody.else@corp.example)" },
    ["a colleague by hand, before"] = { { { "restrict", "Succeeded", 200 }, { "restrict", "Succeeded", 100, "INC-1" } },
      "INC-1", "by hand (somebody.else@corp.example)" },
    ["a colleague by hand, still pending"] = { { { "restrict", "Succeeded", 200, "INC-1" },
      { "restrict", "Pending", 100 } }, "INC-1", "by hand (somebody.else@corp.example)" },
    ["a colleague by hand, in vain"] = { { { "restrict", "Succeeded", 200, "INC-1" }, { "restrict", "Failed", 100 } },
      "INC-1", "held" },
    ["a program that named no incident"] = { { { "restrict", "Succeeded", 200, "INC-1" },
      { "restrict", "Succeeded", 100, "why [mde:abcdefgh]" } }, "INC-1",
      "no incident (somebody.else@corp.example)" },
    ["two incidents"] = { { { "restrict", "Succeeded", 200, "INC-1" }, { "restrict", "Succeeded", 100, "INC-2" } },
      "INC-1", "INC-2" },
    ["INC-1 and INC-10"] = { { { "restrict", "Succeeded", 200, "INC-1" }, { "restrict", "Succeeded", 100, "INC-10" } },
      "INC-1", "INC-10" },
    ["many others"] = { { { "restrict", "Succeeded", 500, "INC-1" }, { "restrict", "Succeeded", 400, "INC-3" },
      { "restrict", "Succeeded", 300, "inc-3" }, { "restrict", "Pending", 200, "INC-2" },
      { "restrict", "Succeeded", 150 }, { "restrict", "Succeeded", 100 } }, "INC-1",
      "by hand (somebody.else@corp.example), INC-2, inc-3" },
    ["two incidents, both asked about"] = { { { "restrict", "Succeeded", 200, "INC-1" },
      { "restrict", "Succeeded", 100, "INC-2" } }, { "inc-1", "INC-2" }, "held" },
    ["two incidents of three asked about"] = { { { "restrict", "Succeeded", 300, "INC-1" },
      { "restrict", "Succeeded", 200, "INC-2" }, { "restrict", "Succeeded", 100, "INC-3" } }, { "INC-1", "INC-2" },
      "INC-3" },
    ["two incidents, one of which has ended"] = { { { "restrict", "Succeeded", 200, "INC-1" },
      { "restrict", "Pending", 100, "INC-2" } }, "INC-1", "held", "inc-2" },
    ["two incidents, one of which has ended, and it is asked about the first alone"] = { {
      { "restrict", "Succeeded", 100, "INC-2" } }, "INC-1", "", { "INC-2" } },
    ["three incidents, of which two have ended"] = { { { "restrict", "Succeeded", 300, "INC-1" },
      { "restrict", "Succeeded", 200, "INC-2" }, { "restrict", "Succeeded", 100, "3" } }, "INC-1", "held",
      { "INC-2", 3 } },
    ["an incident that has ended, and a colleague by hand"] = { { { "restrict", "Succeeded", 300, "INC-1" },
      { "restrict", "Succeeded", 200, "INC-2" }, { "restrict", "Succeeded", 100 } }, "INC-1",
      "by hand (somebody.else@corp.example)", { "INC-2" } },
  } do
    it("are told apart: " .. what, function()
      for _, action in ipairs(case[1]) do happened(1, action) end
      local list = assert(r.client:restricted { incident = case[2], ended = case[4] })
      local machine = list[1] or list.shared[1]
      local found = ""
      if list[1] then found = "held" elseif machine then found = table.concat(machine.incidents, ", ") end
      assert.equal(case[3], found)
      assert.equal(case[3] == "" and 0 or 1, #list + #list.shared)
      assert.same({}, list.unattributed)
      if machine then
        assert.equal(id(1), machine.id)
        assert.equal("desk-01.corp.example", machine.computerDnsName)
        assert.equal("RestrictCodeExecution", machine.action.type)
        assert.equal(list[1] == nil, machine.others ~= nil)
      end
      assert.equal(1, #r:requests())
    end)
  end

  it("come by name, each with the newest of its restrictions", function()
    happened(3, { "restrict", "Succeeded", 100, "INC-1" })
    happened(1, { "restrict", "Succeeded", 900, "INC-1" })
    local newest = happened(1, { "restrict", "Pending", 50, "INC-1" })
    happened(2, { "restrict", "Succeeded", 500, "INC-1" })
    happened(2, { "restrict", "Succeeded", 400, "INC-2" })
    happened(4, { "restrict", "Succeeded", 500, "INC-2" })
    local list = assert(r.client:restricted { incident = "INC-1" })
    assert.equal("01 03", names(list))
    assert.equal("02", names(list.shared))
    assert.equal(newest.id, list[1].action.id)
    assert.equal("INC-1", list[1].action.incident)
    assert.equal("INC-2", list.shared[1].others[1].incident)
    assert.equal("desk-01.corp.example", tostring(list[1]))
  end)

  it("say which release is under way", function()
    happened(1, { "restrict", "Succeeded", 200, "INC-1" })
    local release = happened(1, { "release", "Pending", 100 })
    happened(2, { "restrict", "Succeeded", 200, "INC-1" })
    local list = assert(r.client:restricted { incident = "INC-1" })
    assert.equal(release.id, list[1].releasing.id)
    assert.is_nil(list[2].releasing)
    assert.equal("already_active", assert(r.client:release(list[1], "done")).outcome)
  end)

  it("are left alone by the release of another, until both are released together", function()
    assert(r.client:restrict(id(1), "why", { incident = "INC-1" }))
    assert(r.client:restrict(id(2), "why", { incident = "INC-1" }))
    r.tenant:advance(60)
    assert(r.client:restrict(id(2), "why", { incident = "INC-2" }))
    assert(r.client:restrict(id(3), "why", { incident = "INC-10" }))
    r.tenant:advance(60)

    local first = assert(r.client:restricted { incident = "INC-1" })
    assert.equal("01", names(first))
    assert.equal("02", names(first.shared))
    assert.same({ "INC-2" }, first.shared[1].incidents)
    for _, machine in ipairs(first) do
      assert.equal("Succeeded", assert(r.client:release(machine, "cleared", { incident = "INC-1" })):wait())
    end
    assert.equal("restricted", r.client:state(id(2)))
    assert.equal("restricted", r.client:state(id(3)))

    assert.equal("", names(assert(r.client:restricted { incident = "INC-1" })))
    assert.equal("", names(assert(r.client:restricted { incident = "INC-2" })))
    local both = assert(r.client:restricted { incident = { "INC-1", "INC-2" } })
    assert.equal("02", names(both))
    assert.equal("Succeeded", assert(r.client:release(both[1], "cleared")):wait())
    local after = assert(r.client:restricted { incident = { "INC-1", "INC-2" } })
    assert.equal(0, #after + #after.shared)
    assert.equal("03", names(assert(r.client:restricted { incident = "inc-10" })))
  end)

  describe("since a time", function()
    before_each(function()
      happened(1, { "restrict", "Succeeded", 1000, "INC-1" })
      happened(2, { "restrict", "Succeeded", 100, "INC-1" })
      happened(3, { "restrict", "Succeeded", 1000, "INC-1" })
      happened(3, { "restrict", "Succeeded", 100, "INC-1" })
      happened(4, { "restrict", "Succeeded", 1000, "INC-2" })
      happened(4, { "restrict", "Succeeded", 100, "INC-1" })
    end)

    it("are those restricted since; what an older one holds too is shared, even of the same incident", function()
      local now = r.tenant.clock.now()
      for _, since in ipairs { now - 500, rehearsal.time(now - 500) } do
        local list = assert(r.client:restricted { incident = "INC-1", since = since })
        assert.equal("02", names(list))
        assert.equal("03 04", names(list.shared))
        assert.equal(1, #list.shared[1].incidents)
        assert.truthy(list.shared[1].incidents[1]:find "^INC%-1 before %d+%-%d+%-%d+T[%d:.]+Z$")
        assert.same({ "INC-2" }, list.shared[2].incidents)
      end
      assert.equal("01 02 03", names(assert(r.client:restricted { incident = "INC-1" })))
      assert.equal("", names(assert(r.client:restricted { incident = "INC-1", since = now })))
    end)

    it("may be given as a span", function()
      local list = assert(r.client:restricted { incident = "INC-1", since = operators.ago "1d" })
      assert.equal("01 02 03", names(list))
    end)

    it("is a span by the service's clock, whatever this one says, from the first question on", function()
      for _, skew in ipairs { -7200, 7200 } do
        r = rehearsal.new { start = os.time() + skew, machines = { { id = id(1), computerDnsName = "desk-01" },
          { id = id(2), computerDnsName = "desk-02" } } }
        happened(1, { "restrict", "Succeeded", 5400, "INC-1" })
        happened(2, { "restrict", "Succeeded", 1800, "INC-1" })
        for _ = 1, 2 do
          assert.equal("02", names(assert(r.client:restricted { incident = "INC-1", since = operators.ago "1h" })))
        end
      end
    end)

    it("counts what was created just then, to the last digit", function()
      for i = 1, 60 do
        local digits = i <= 10 and 10000000 - i or i * 1234567 % 10000000
        local time = os.date("!%Y-%m-%dT%H:%M:%S", os.time() - 3600 - i) .. (".%07dZ"):format(digits)
        local seconds = core.timestamp.read(time)
        r = rehearsal.new { machines = { { id = id(1), computerDnsName = "desk-01" } } }
        r:past(id(1), "restrict", "Succeeded", 3600, { creationDateTimeUtc = time, lastUpdateDateTimeUtc = time,
          requestorComment = "why [mde:INC-1:abcdefgh]" })
        for since, wanted in pairs { [time] = "01", [seconds] = "01", [seconds + 0.001] = "" } do
          local list = assert(r.client:restricted { incident = "INC-1", since = since })
          assert.equal(wanted, names(list), time .. " and " .. since)
        end
      end
    end)

    it("knows a restriction without a time as an old one", function()
      local now = rehearsal.time(r.tenant.clock.now())
      r:answer({ path = "/machineactions" }, 200, { value = {
        { id = "a", type = "RestrictCodeExecution", status = "Pending", machineId = id(5),
          requestorComment = "why [mde:INC-1:abcdefgh]" },
        { id = "b", type = "RestrictCodeExecution", status = "Pending", machineId = id(5),
          requestorComment = "why [mde:INC-1:abcdefgi]", creationDateTimeUtc = now },
      } })
      local list = assert(r.client:restricted { incident = "INC-1", since = r.tenant.clock.now() - 500 })
      assert.equal(0, #list)
      assert.equal(id(5), list.shared[1].id)
    end)

    for what, since in pairs { ["a span of seconds"] = 14 * 3600, ["milliseconds"] = 1.7e12, ["a word"] = "yesterday",
      ["a day of a month that is none"] = "2026-02-31T00:00:00Z", ["a flag"] = true } do
      it("refuses " .. what, function()
        local err = rehearsal.refused(r.client.restricted, r.client, { incident = "INC-1", since = since })
        assert.truthy(tostring(err):find('mde.restricted: option "since"', 1, true), tostring(err))
      end)
    end
  end)

  it("that do not say which they are, are named", function()
    for _, case in ipairs { { "Pending", "INC-1" }, { "Failed", "INC-1" }, { "Pending", "INC-2" } } do
      r:past(id(1), "restrict", case[1], 10, { machineId = rehearsal.null, computerDnsName = rehearsal.null,
        requestorComment = ("why [mde:%s:abcdefgh]"):format(case[2]) })
    end
    r:past(id(1), "release", "Succeeded", 5, { machineId = rehearsal.null })
    local list = assert(r.client:restricted { incident = "INC-1" })
    assert.equal(0, #list + #list.shared)
    assert.equal(1, #list.unattributed)
    assert.equal("INC-1", list.unattributed[1].incident)
  end)

  it("of a machine whose id comes in two spellings are one", function()
    happened(1, { "restrict", "Succeeded", 200, "INC-1" })
    r:past(id(1):upper(), "release", "Succeeded", 100)
    assert.equal(0, #assert(r.client:restricted { incident = "INC-1" }))
  end)

  it("are known to who restricted them a moment ago, though the service's list lags behind", function()
    r.tenant:set { lists = { lag = 1000 } }
    local action = assert(r.client:restrict(id(1), "why", { incident = "INC-1" }))
    assert.equal("01", names(assert(r.client:restricted { incident = "INC-1" })))
    assert.equal("restricting", r.client:states({ id(1) })[1].value)
    assert.equal("restricting", (r.client:state(id(1))))
    assert.equal("Succeeded", action:wait())
    assert.equal("01", names(assert(r.client:restricted { incident = "INC-1" })))
    assert.equal("restricted", r.client:states({ id(1) })[1].value)
    assert.equal("restricted", (r.client:state(id(1))))
    assert(assert(r.client:release(id(1), "why")):wait())
    assert.equal("", names(assert(r.client:restricted { incident = "INC-1" })))
    assert.equal("released", r.client:states({ id(1) })[1].value)
    assert.equal("released", (r.client:state(id(1))))
  end)

  it("are known to who restricted them a moment ago, though the list does not say yet whose it is", function()
    local action = assert(r.client:restrict(id(1), "why", { incident = "INC-1" }))
    r:answer({ path = "/machineactions?" }, 200, { value = { { id = action.id:upper(), type = action.type,
      status = "InProgress", requestorComment = action.requestorComment } } })
    local list = assert(r.client:restricted { incident = "INC-1" })
    assert.equal(id(1), list[1].id)
    assert.equal("InProgress", list[1].action.status)
    assert.equal(0, #list.unattributed)
  end)

  it("are none of an incident whose suffix was at the end of a text, though the service cuts comments", function()
    for _, text in ipairs { "x [mde:INC-9:abcdefgh]", "x [mde:INC-9:abcdefgh] [mde:INC-9:abcdefgh]",
      "x [mde:INC-9:abcdefgh] [mde:INC-9:abcdefgh] [mde:abcdefgh]" } do
      r = rehearsal.new { machines = { { id = id(1), computerDnsName = "desk-01" } }, unguarded = true,
        comment_limit = #"x [mde:INC-9:abcdefgh]" }
      local action = assert(r.client:restrict(id(1), text, { incident = "INC-1" }))
      assert.equal("accepted", action.outcome)
      assert.is_true(action.comment_cut)
      assert(action:wait())
      local list = assert(r.client:restricted { incident = "INC-9" })
      assert.equal(0, #list + #list.shared)
    end
  end)

  it("have a name if any of their actions tells it", function()
    happened(1, { "restrict", "Succeeded", 200, "INC-1" })
    r:past(id(1), "restrict", "Pending", 10, { computerDnsName = rehearsal.null,
      requestorComment = "why [mde:INC-1:abcdefgh]" })
    assert.equal("desk-01.corp.example", assert(r.client:restricted { incident = "INC-1" })[1].computerDnsName)
  end)

  it("have no name that is no text", function()
    local rows = {}
    for i, name in ipairs { 7, rehearsal.null, "desk-05" } do
      rows[i] = { id = "a" .. i, type = "RestrictCodeExecution", status = "Pending", machineId = id(i % 2),
        requestorComment = "why [mde:INC-1:abcdefg" .. i .. "]", computerDnsName = name }
    end
    r:answer({ path = "/machineactions" }, 200, { value = rows })
    local list = assert(r.client:restricted { incident = "INC-1" })
    assert.same({ id(0), id(1) }, { list[1].id, list[2].id })
    assert.same({ nil, "desk-05" }, { list[1].computerDnsName, list[2].computerDnsName })
  end)

  it("cannot be told if the list cannot be read", function()
    r:answer({ path = "/machineactions" }, 403, { error = { code = "Forbidden", message = "no" } }, { count = false })
    local list, err = r.client:restricted { incident = { "INC-1", "INC-2" } }
    assert.is_nil(list)
    assert.equal("permission", err.kind)
    assert.truthy(tostring(err):find('^restricted by "INC%-1, INC%-2"'))
  end)

  for what, incident in pairs { ["nothing"] = false, ["an empty one"] = "", ["an empty list"] = {},
    ["a list with an empty one"] = { "INC-1", "" }, ["one with a space"] = "INC 1", ["a fraction"] = 1.5,
    ["a list with a hole"] = { [1] = "INC-1", [3] = "INC-3" }, ["a table"] = { incident = "INC-1" },
    ["a list in a list"] = { { "INC-1" } },
    ["a device name with a wild card"] = "*" } do
    it("refuses " .. what, function()
      local err = rehearsal.refused(r.client.restricted, r.client, { incident = incident or nil })
      assert.truthy(tostring(err):find("incident", 1, true))
      assert.is_nil(tostring(err):find "0x%x%x")
      assert.same({}, r.tenant.history)
    end)
  end

  it("refuses an unknown option, and no options", function()
    rehearsal.refused(r.client.restricted, r.client, { incident = "INC-1", sinse = 3 })
    for _, ended in ipairs { "", {}, { "INC-2", "IN C" }, "inc-1", { "INC-2", "INC-1" }, true } do
      local err = rehearsal.refused(r.client.restricted, r.client, { incident = "INC-1", ended = ended })
      assert.truthy(err.message:find(type(ended) == "string" and ended == "inc-1" and "has ended" or "mde.restricted",
        1, true))
    end
    rehearsal.refused(r.client.restricted, r.client, "INC-1")
    rehearsal.refused(r.client.restricted, r.client)
  end)
end)

describe("since", function()
  for _, hours in ipairs { -2, 2, 26 } do
    it(("is told by the service's clock where this machine is %d hours behind it"):format(hours), function()
      local machine = "1f00000000000000000000000000000000000017"
      local r = rehearsal.new { start = os.time() + hours * 3600 + 0.5, unguarded = true }
      assert(r.client:restrict(machine, "why", { incident = "INC-1" }))
      r.tenant:advance(60)
      local held = assert(r.client:restricted { incident = "INC-1", since = mde.ago "1h" })
      assert.equal(1, #held)
      r.tenant:advance(2 * 3600)
      assert.equal(0, #assert(r.client:restricted { incident = "INC-1", since = mde.ago "1h" }))
      assert.is_true(math.abs(r.client:now() - r.tenant.clock.now()) < 5)
      assert.truthy(times.http(r.client:now()))
    end)
  end
end)
