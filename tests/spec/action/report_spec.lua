-- What incidents did, by the service's own history.
-- Labels: sanitized

local mde = require "mde"
local past = require "tests.spec.support.past"
local rehearsal = require "tests.spec.support.rehearsal"

local id, names = past.id, past.names

describe("a report", function()
  local r

  before_each(function() r = past.rehearsal() end)

  local function happened(number, action) return past.happened(r, number, action) end

  local function report(options)
    local before = #r:requests()
    local list, err = r.client:report(type(options) == "table" and options or { incident = options })
    if list then assert.equal(1, #r:requests() - before) end
    return list, err
  end

  local function states(list)
    local found = {}
    for i, action in ipairs(list) do found[i] = action.status end
    return table.concat(found, " ")
  end

  -- What happened, and what INC-1 reports of it: the state, whether it is restricted, the statuses of its restrictions
  -- and of the releases, the status of the release of each restriction, and who else holds it. Nothing: not reported.
  for what, case in pairs {
    ["nothing of it"] = { { { "restrict", "Succeeded", 100, "INC-2" } } },
    ["nothing by somebody without an incident"] = { { { "restrict", "Succeeded", 100, "by hand" } } },
    ["nothing by one whose name begins alike"] = { { { "restrict", "Succeeded", 100, "INC-10" } } },
    ["restricted"] = { { { "restrict", "Succeeded", 100, "INC-1" } }, "restricted", true, "Succeeded", "", "" },
    ["restricted, in another case"] =
      { { { "restrict", "Succeeded", 100, "inc-1" } }, "restricted", true, "Succeeded", "", "" },
    ["restricting"] = { { { "restrict", "Pending", 100, "INC-1" } }, "restricting", false, "Pending", "", "" },
    ["failed"] = { { { "restrict", "Failed", 100, "INC-1" } }, "none", false, "Failed", "", "" },
    ["cancelled"] = { { { "restrict", "Cancelled", 100, "INC-1" } }, "none", false, "Cancelled", "", "" },
    ["released"] = { { { "restrict", "Succeeded", 200, "INC-1" }, { "release", "Succeeded", 100, "INC-1" } },
      "released", false, "Succeeded", "Succeeded", "Succeeded" },
    ["released by another incident"] = { { { "restrict", "Succeeded", 200, "INC-1" },
      { "release", "Succeeded", 100, "INC-2" } }, "released", false, "Succeeded", "Succeeded", "Succeeded" },
    ["released by hand"] = { { { "restrict", "Succeeded", 200, "INC-1" }, { "release", "Succeeded", 100, "by hand" } },
      "released", false, "Succeeded", "Succeeded", "Succeeded" },
    ["releasing"] = { { { "restrict", "Succeeded", 200, "INC-1" }, { "release", "Pending", 100, "INC-1" } },
      "releasing", true, "Succeeded", "Pending", "Pending" },
    ["a release that failed"] = { { { "restrict", "Succeeded", 200, "INC-1" }, { "release", "Failed", 100, "INC-1" } },
      "restricted", true, "Succeeded", "Failed", "Failed" },
    ["a release that failed, and one that did not"] = { { { "restrict", "Succeeded", 200, "INC-1" },
      { "release", "Failed", 150, "INC-1" }, { "release", "Succeeded", 100, "INC-1" },
      { "release", "Cancelled", 50, "INC-1" } }, "released", false, "Succeeded", "Failed Succeeded Cancelled",
      "Succeeded" },
    ["a release of before"] = { { { "release", "Succeeded", 200, "by hand" },
      { "restrict", "Succeeded", 100, "INC-1" } }, "restricted", true, "Succeeded", "", "" },
    ["a release of before that succeeded since"] = { { { "release", "Succeeded", 200, "by hand",
      { lastUpdateDateTimeUtc = rehearsal.time(os.time() - 50) } }, { "restrict", "Succeeded", 100, "INC-1" } },
      "released", false, "Succeeded", "Succeeded", "Succeeded" },
    ["a release of before with a time to come"] = { { { "release", "Succeeded", 200, "by hand",
      { lastUpdateDateTimeUtc = rehearsal.time(os.time() + 3600) } }, { "restrict", "Succeeded", 100, "INC-1" } },
      "restricted", true, "Succeeded", "", "" },
    ["a release at the same time"] = { { { "restrict", "Succeeded", 100, "INC-1" },
      { "release", "Succeeded", 100, "INC-1" } }, "unclear", nil, "Succeeded", "Succeeded", "Succeeded" },
    ["a restriction that was taken back by a release while it waited"] = { { { "restrict", "Cancelled", 200, "INC-1" },
      { "release", "Succeeded", 100, "INC-1" } }, "released", false, "Cancelled", "Succeeded", "Succeeded" },
    ["restricted again after a release"] = { { { "restrict", "Succeeded", 300, "INC-1" },
      { "release", "Succeeded", 200, "INC-1" }, { "restrict", "Succeeded", 100, "INC-1" } }, "restricted", true,
      "Succeeded Succeeded", "Succeeded", "Succeeded -" },
    ["restricted twice and released once"] = { { { "restrict", "Succeeded", 300, "INC-1" },
      { "restrict", "Succeeded", 200, "INC-1" }, { "release", "Succeeded", 100, "INC-1" } }, "released", false,
      "Succeeded Succeeded", "Succeeded", "Succeeded Succeeded" },
    ["restricted by another since the release"] = { { { "restrict", "Succeeded", 300, "INC-1" },
      { "release", "Succeeded", 200, "INC-1" }, { "restrict", "Succeeded", 100, "INC-2" } }, "restricted", true,
      "Succeeded", "Succeeded", "Succeeded", "INC-2" },
    ["held by others too"] = { { { "restrict", "Succeeded", 300, "INC-2" }, { "restrict", "Succeeded", 200, "INC-1" },
      { "restrict", "Succeeded", 100, "by hand" } }, "restricted", true, "Succeeded", "", "",
      "INC-2, somebody.else@corp.example (no incident)" },
    ["only a release"] = { { { "restrict", "Succeeded", 200, "by hand" }, { "release", "Succeeded", 100, "INC-1" } },
      "released", false, "", "Succeeded", "" },
  } do
    it("tells of a device with " .. what, function()
      for _, action in ipairs(case[1]) do happened(3, action) end
      local list = assert(report "INC-1")
      if not case[2] then
        assert.equal(0, #list)
        assert.same({ "INC-1" }, list.absent)
        return
      end
      local device = list[1]
      assert.equal(id(3), device.id)
      assert.equal("desk-03.corp.example", device.computerDnsName)
      assert.equal("desk-03.corp.example", tostring(device))
      assert.equal(case[2] ~= "unclear" and case[2] or nil, device.state)
      assert.equal(case[3], device.restricted)
      assert.equal(case[4], states(device.restrictions))
      assert.equal(case[5], states(device.releases))
      local ends = {}
      for i, restriction in ipairs(device.restrictions) do ends[i] = restriction.release or { status = "-" } end
      assert.equal(case[6], (states(ends):gsub("^%-$", "")))
      assert.equal(case[7] or "", table.concat(device.holders, ", "))
      assert.same({}, list.absent)
      assert.same({}, list.unattributed)
    end)
  end

  it("tells of each action who asked for it, when, why and how far it is", function()
    local restriction = happened(1, { "restrict", "Succeeded", 7200, "INC-1", { requestor = "alice" } })
    local release = happened(1, { "release", "Cancelled", 3600, "INC-2", { requestor = "bob",
      cancellationRequestor = "carol" } })
    local device = assert(report "inc-1")[1]
    local own, other = device.restrictions[1], device.releases[1]
    assert.equal(other, own.release)
    for name, value in pairs { id = restriction.id, status = "Succeeded", requestor = "alice", comment = "why",
      incident = "INC-1", operation_id = "operation-1-7200", creationDateTimeUtc = restriction.creationDateTimeUtc,
      lastUpdateDateTimeUtc = restriction.lastUpdateDateTimeUtc } do
      assert.equal(value, own[name], name)
    end
    for name, value in pairs { id = release.id, status = "Cancelled", requestor = "bob", comment = "why",
      incident = "INC-2", cancellationRequestor = "carol" } do
      assert.equal(value, other[name], name)
    end
  end)

  it("has the first release that succeeded beside a restriction, whichever was asked for first", function()
    local function at(ago) return { lastUpdateDateTimeUtc = rehearsal.time(r.tenant.clock.now() - ago) } end
    happened(1, { "restrict", "Succeeded", 300, "INC-1" })
    happened(1, { "release", "Succeeded", 200, "INC-1", at(50) })
    local first = happened(1, { "release", "Succeeded", 100, "by hand", at(80) })
    happened(1, { "release", "Succeeded", 70, "by hand", at(60) })
    local device = assert(report "INC-1")[1]
    assert.equal(3, #device.releases)
    assert.equal(first.id, device.restrictions[1].release.id)
  end)

  it("has the releases of the very moment of a restriction, and those that do not say when", function()
    local restriction = happened(1, { "restrict", "Failed", 300, "INC-1" })
    local time = { lastUpdateDateTimeUtc = restriction.creationDateTimeUtc }
    happened(1, { "release", "Cancelled", 400, "by hand", time })
    assert.equal("Cancelled", states(assert(report "INC-1")[1].releases))
    assert.equal("Failed", states(assert(report { incident = "INC-1", since = restriction.creationDateTimeUtc })[1]
      .restrictions))
    r:answer({ path = "/machineactions" }, 200, { value = {
      { id = "a", type = "RestrictCodeExecution", status = "Failed", machineId = id(5), computerDnsName = "desk-05",
        requestorComment = "why [mde:INC-1:abcdefgh]", creationDateTimeUtc = restriction.creationDateTimeUtc },
      { id = "b", type = "UnrestrictCodeExecution", status = "Failed", machineId = id(5) } } })
    local device = assert(report "INC-1")[1]
    assert.equal("Failed", states(device.releases))
    assert.equal("b", device.restrictions[1].release.id)
  end)

  it("has the devices by name, of several incidents too, and which of these did nothing", function()
    happened(4, { "restrict", "Succeeded", 100, "INC-1" })
    happened(2, { "restrict", "Succeeded", 100, "INC-2" })
    happened(3, { "restrict", "Succeeded", 100, "4711" })
    happened(2, { "restrict", "Succeeded", 50, "INC-1" })
    assert.equal("02 04", names(assert(report "INC-1")))
    assert.same({ "INC-2" }, report("INC-1")[1].holders)
    local list = assert(report { incident = { "INC-1", "inc-2", "INC-3", 4711, "inc-3" } })
    assert.equal("02 03 04", names(list))
    assert.same({}, list[1].holders)
    assert.equal("Succeeded Succeeded", states(list[1].restrictions))
    assert.same({ "INC-3" }, list.absent)
    assert.equal("03", names(assert(report(4711))))
  end)

  it("has the incidents that acted last, ten at the most", function()
    for i = 1, 12 do
      happened(i, { "restrict", "Succeeded", 10000 - 100 * i, "INC-" .. i })
      happened(1, { "restrict", "Succeeded", 10010 - 100 * i, "inc-" .. i })
    end
    r:past(id(1), "release", "Succeeded", 8795, { machineId = rehearsal.null,
      requestorComment = "why [mde:Inc-12:operation]" })
    local list = assert(report "INC-99")
    assert.equal(0, #list)
    assert.same({ "INC-99" }, list.absent)
    assert.equal(10, #list.recent)
    assert.same({ incident = "Inc-12", devices = 2, actions = 3 }, { incident = list.recent[1].incident,
      devices = list.recent[1].devices, actions = list.recent[1].actions })
    assert.equal("INC-11", list.recent[2].incident)
    assert.equal("INC-3", list.recent[10].incident)
    assert.equal(rehearsal.time(r.tenant.clock.now() - 8900):sub(1, 19), list.recent[2].last:sub(1, 19))
    assert.same({ failed = 0 }, r.client:each(list, print))
  end)

  it("is given to what releases", function()
    happened(1, { "restrict", "Succeeded", 100, "INC-1" })
    happened(2, { "restrict", "Failed", 100, "INC-1" })
    local list = assert(report "INC-1")
    local results = r.client:each(list, function(device)
      if device.restricted then return r.client:release(device, "over", { incident = "INC-1" }) end
      return "free"
    end)
    assert.equal(0, results.failed)
    assert.equal("free", results[2].value)
    assert.equal("Succeeded", results[1].value:wait())
    local device = assert(report "INC-1")[1]
    assert.equal("released", device.state)
    assert.equal("over", device.restrictions[1].release.comment)
  end)

  describe("since a time", function()
    before_each(function()
      happened(1, { "restrict", "Succeeded", 5000, "INC-1" })
      happened(1, { "release", "Succeeded", 4000, "INC-1" })
      happened(2, { "restrict", "Succeeded", 1000, "INC-1" })
      happened(3, { "restrict", "Succeeded", 5000, "INC-1" })
      happened(3, { "restrict", "Succeeded", 1000, "INC-1" })
    end)

    it("has the actions since, and the state of all", function()
      local list = assert(report { incident = "INC-1", since = r.tenant.clock.now() - 2000 })
      assert.equal("02 03", names(list))
      assert.equal("Succeeded", states(list[2].restrictions))
      assert.same({}, list[2].holders)
      list = assert(report { incident = "INC-1", since = mde.ago "10m" })
      assert.equal(0, #list)
      assert.same({ "INC-1" }, list.absent)
      assert.equal(3, list.recent[1].devices)
    end)

    it("counts by the service's clock", function()
      for _, skew in ipairs { -7200, 7200 } do
        r = rehearsal.new { start = os.time() + skew, machines = { { id = id(1), computerDnsName = "desk-01" },
          { id = id(2), computerDnsName = "desk-02" } } }
        happened(1, { "restrict", "Succeeded", 5400, "INC-1" })
        happened(2, { "restrict", "Succeeded", 1800, "INC-1" })
        assert.equal("02", names(assert(report { incident = "INC-1", since = mde.ago "1h" })))
      end
    end)
  end)

  it("has a row that says little at its place, and every row that it can", function()
    r:answer({ path = "/machineactions" }, 200, { value = {
      { id = "a", type = "RestrictCodeExecution", status = "Succeeded", machineId = id(5),
        computerDnsName = { "no text" }, requestorComment = "why [mde:INC-1:abcdefgh]" },
      { id = "b", type = "UnrestrictCodeExecution", machineId = id(5):upper(), computerDnsName = "desk-05",
        creationDateTimeUtc = "yesterday", requestor = 7 },
      { id = "c", type = "RestrictCodeExecution", status = "Succeeded", machineId = id(6),
        requestorComment = "why [mde:INC-1:abcdefgi]", comment = "posing", release = "posing",
        creationDateTimeUtc = "2999-01-01T00:00:00Z" },
      { id = "f", type = "Unisolate", status = "Succeeded", machineId = id(6) },
      { id = "d", type = "UnrestrictCodeExecution", status = "Succeeded", machineId = id(6) },
      { id = "e", type = "Isolate", status = "Succeeded", machineId = id(7),
        requestorComment = "why [mde:INC-1:abcdefgj]" },
    } })
    local list = assert(report { incident = "INC-1", since = r.tenant.clock.now() })
    assert.equal(2, #list)
    assert.equal(id(6), list[1].id)
    assert.same({ nil, nil, "why" }, { list[1].state, list[1].restricted, list[1].restrictions[1].comment })
    assert.equal("d", list[1].restrictions[1].release.id)
    assert.equal(1, #list[1].releases)
    assert.is_nil(list.recent[1].last)
    assert.equal("desk-05", list[2].computerDnsName)
    assert.equal("b", list[2].restrictions[1].release.id)
    assert.same({ "releasing", true }, { list[2].state, list[2].restricted })
  end)

  it("names the actions that do not say of which device they are", function()
    for i, case in ipairs { { "restrict", "INC-1" }, { "release", "INC-1" }, { "restrict", "INC-2" } } do
      r:past(id(1), case[1], "Failed", 100 - i, { machineId = rehearsal.null, computerDnsName = rehearsal.null,
        requestorComment = ("why [mde:%s:abcdefgh]"):format(case[2]) })
    end
    local list = assert(report "INC-1")
    assert.equal(0, #list)
    assert.equal(2, #list.unattributed)
    assert.equal("RestrictCodeExecution", list.unattributed[1].type)
    assert.equal("why", list.unattributed[1].comment)
    assert.same({}, list.absent)
  end)

  it("knows what this client did a moment ago, though the service's list lags behind", function()
    r.tenant:set { lists = { lag = 1000 } }
    local action = assert(r.client:restrict(id(1), "why", { incident = "INC-1" }))
    assert.equal("restricting", assert(report "INC-1")[1].state)
    assert(action:wait())
    assert.is_true(assert(report "INC-1")[1].restricted)
  end)

  it("cannot be made if the list cannot be read", function()
    r:answer({ path = "/machineactions" }, 403, { error = { code = "Forbidden", message = "no" } }, { count = false })
    local list, err = report { incident = { "INC-1", "INC-2" } }
    assert.is_nil(list)
    assert.equal("permission", err.kind)
    assert.truthy(tostring(err):find '^report of "INC%-1, INC%-2"')
  end)

  for what, options in pairs { ["no options"] = false, ["no incident"] = {}, ["an empty one"] = { incident = "" },
    ["an empty list"] = { incident = {} }, ["a list with a hole"] = { incident = { [1] = "INC-1", [3] = "INC-3" } },
    ["one with a space"] = { incident = "INC 1" }, ["a fraction"] = { incident = 1.5 }, ["a text"] = "INC-1",
    ["an unknown option"] = { incident = "INC-1", sinse = 3 },
    ["a span for a time"] = { incident = "INC-1", since = 14 * 3600 },
    ["a word for a time"] = { incident = "INC-1", since = "yesterday" } } do
    it("refuses " .. what, function()
      local err = rehearsal.refused(r.client.report, r.client, options or nil)
      assert.truthy(err.message:find("mde.report", 1, true), err.message)
      assert.same({}, r.tenant.history)
    end)
  end

  it("is of isolations where that is asked for, and of nothing that does not hold", function()
    r:past(id(1), "restrict", "Succeeded", 900, { requestorComment = "x [mde:INC-1:operation-1]" })
    r:past(id(1), "restrict", "Succeeded", 800, { type = "Isolate", requestorComment = "x [mde:INC-1:operation-2]" })
    r:past(id(2), "restrict", "Succeeded", 700, { type = "Isolate", requestorComment = "x [mde:INC-2:operation-3]" })
    local told = assert(r.client:report { incident = "INC-1", of = "isolate" })
    assert.same({ 1, 1, "isolate", "isolated", true }, { #told, #told[1].isolations, told[1].of, told[1].state,
      told[1].isolated })
    assert.equal("Isolate", told[1].isolations[1].type)
    for _, of in ipairs { "scan", "release", "nonsense" } do
      assert.has_error(function() r.client:report { incident = "INC-1", of = of } end)
    end
  end)

  it("calls what it tells as the verb does", function()
    r:past(id(1), "restrict", "Succeeded", 800, { type = "Isolate", requestorComment = "x [mde:INC-1:operation-2]" })
    r:past(id(1), "release", "Succeeded", 700, { type = "Unisolate", requestorComment = "x [mde:INC-1:operation-3]" })
    r:past(id(2), "restrict", "Succeeded", 800, { requestorComment = "x [mde:INC-1:operation-1]" })
    for of, called in pairs { restrict = { "restrictions", "restricted", true },
      isolate = { "isolations", "isolated", false }, contain = { "containments", "contained", false } } do
      local device = assert(r.client:report { incident = "INC-1", of = of })[1]
      assert.equal(1, #device[called[1]])
      assert.equal(called[3], device[called[2]])
      assert.equal(of ~= "restrict" and device[called[1]][1].release or nil, device.releases[1])
      for _, other in ipairs { "restrictions", "restricted", "isolations", "isolated", "containments", "contained" } do
        if other ~= called[1] and other ~= called[2] then assert.is_nil(device[other], of .. " " .. other) end
      end
    end
  end)
end)
