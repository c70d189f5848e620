-- columns: what is shown of machines and of actions.
-- Labels: not-lua5.3
local columns = require "mde.cli.ui.columns"

local NOW = 1800000000 -- 2027-01-15T08:00:00Z

local function of(list, name)
  for _, column in ipairs(list) do
    if column.name == name then return column end
  end
end

describe("a column", function()
  for time, text in pairs {
    ["2027-01-15T08:00:00Z"] = "1s ago", ["2027-01-15T07:30:00.1234567Z"] = "30m ago",
    ["2027-01-14T08:00:00Z"] = "1d ago", ["2027-01-15T08:00:05Z"] = "in the future",
  } do
    it(("of times shows %s as %s"):format(time, text), function() assert.equal(text, columns.ago(time, NOW)) end)
  end

  it("of times shows nothing for what is no time", function()
    for _, time in ipairs { "", "yesterday", 7, {} } do assert.is_nil(columns.ago(time, NOW)) end
    assert.is_nil(columns.ago(nil, NOW))
  end)

  it("tells of a machine that was never seen", function()
    assert.equal("2h ago", columns.last_seen({ lastSeen = "2027-01-15T06:00:00Z" }, NOW))
    assert.equal("never", columns.last_seen({ lastSeen = "0001-01-01T00:00:00Z" }, NOW))
    assert.equal("never", columns.last_seen({}, NOW))
  end)

  it("comes first if another program goes by it: the id", function()
    assert.equal("id", columns.machines[1].name)
    assert.equal("id", columns.actions[1].name)
  end)

  it("has the service's value for programs and a short one for people", function()
    local seen, kind = of(columns.machines, "lastSeen"), of(columns.actions, "type")
    assert.equal("2027-01-15T06:00:00Z", seen.value { lastSeen = "2027-01-15T06:00:00Z" })
    assert.equal("RestrictCodeExecution", kind.value { type = "RestrictCodeExecution" })
    assert.equal("Restrict", (kind.shown { type = "RestrictCodeExecution" }))
    assert.is_nil(kind.shown { type = 7 })
    assert.equal("vip, lab", of(columns.machines, "machineTags").value { machineTags = { "vip", "lab" } })
    assert.is_nil(of(columns.machines, "machineTags").value {})
  end)

  it("that is chosen is shown wherever there is room, in the order that was asked for", function()
    local chosen = columns.chosen({ "lastSeen", "id", "vmMetadata", "healthStatus" }, columns.machines)
    local names = {}
    for i, column in ipairs(chosen) do
      names[i] = column.name
      assert.is_nil(column.optional or column.only_data or column.only_shown)
    end
    assert.same({ "lastSeen", "id", "vmMetadata", "healthStatus" }, names)
    assert.equal(columns.last_seen, chosen[1].shown)
    assert.equal("vmMetadata", chosen[3].title)
    assert.equal('{"cloudProvider":"Azure"}', chosen[3].value { vmMetadata = { cloudProvider = "Azure" } })
    assert.is_nil(chosen[3].value {})
    assert.equal(false, columns.chosen({ "isExcluded" }, columns.machines)[1].value { isExcluded = false })
    assert.is_true(of(columns.machines, "healthStatus").optional)
  end)
end)
