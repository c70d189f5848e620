-- Which permission each function needs, and what a set of them is good for.

local clients = require "mde.client"
local core = require "mde.core"
local permissions = require "mde.permissions"

local READ, WRITE, RESTRICT = "Machine.Read.All", "Machine.ReadWrite.All", "Machine.RestrictExecution"

-- The functions by the first of their names.
local function functions(roles, rules)
  local by_name = {}
  for _, one in ipairs(permissions.functions(roles, rules or {})) do by_name[one.name:match "^%w+"] = one end
  return by_name
end

describe("an application's permissions", function()
  -- What works with these: reading, restricting, tagging.
  for _, case in ipairs {
    { {}, false, false, false },
    { { READ }, true, false, false },
    { { WRITE }, true, false, true },
    { { RESTRICT }, false, true, false },
    { { READ, RESTRICT }, true, true, false },
    { { RESTRICT, "Ti.ReadWrite", WRITE }, true, true, true },
    { { "Machine.Read", "Machine.Read.All.Extra", "Read.All", "or", "Machine" }, false, false, false },
  } do
    it("are good for what they name: " .. table.concat(case[1], ", "), function()
      local list = functions(case[1])
      for _, name in ipairs { "machine", "action", "state" } do assert.equal(case[2], list[name].works, name) end
      for _, name in ipairs { "restrict", "release", "cancel" } do assert.equal(case[3], list[name].works, name) end
      assert.equal(case[4], list.tag.works)
    end)
  end

  it("are told with each function, and which are an extra", function()
    local list = functions {}
    assert.equal("Machine.Read.All or Machine.ReadWrite.All", list.machine.needs)
    assert.equal(RESTRICT, list.cancel.needs)
    assert.equal(WRITE, list.tag.needs)
    local expected = { machine = true, action = true, state = true, restrict = true, release = true, cancel = true }
    for name, one in pairs(list) do assert.equal(expected[name], one.expected, name) end
  end)

  it("are told of each response action, as its row has them", function()
    local needs = {}
    for _, one in ipairs(permissions.functions({}, {})) do
      for name in (one.topic and "" or one.name):gmatch "[%w_]+" do
        assert.is_nil(needs[name], name)
        needs[name] = one.needs
      end
    end
    for _, name in ipairs(core.response_actions) do
      local row = core.response_actions[name]
      assert.equal(name == "cancel" and RESTRICT or row.permission, needs[name], name)
    end
    assert.is_true(functions({ "Machine.Isolate" }).isolate.works)
    assert.is_false(functions({ "Machine.Isolate" }).scan.works)
  end)

  it("are told of what else Defender has, by its name", function()
    local function topics(roles)
      local list = {}
      for _, one in ipairs(permissions.functions(roles, {})) do
        if one.topic then list[one.name] = one.works or one.needs end
      end
      return list
    end
    assert.same({ ["alerts of Defender"] = "Alert.Read.All or Alert.ReadWrite.All",
      ["changes of Defender's alerts"] = "Alert.ReadWrite.All", indicators = "Ti.ReadWrite.All",
      ["software of a device"] = "Software.Read.All", ["vulnerabilities of a device"] = "Vulnerability.Read.All",
      ["recommendations for a device"] = "SecurityRecommendation.Read.All",
      ["users of a device"] = "User.Read.All", ["device groups"] = "Score.Read.All" }, topics {})
    local list = topics { "Alert.ReadWrite.All", "SecurityAlert.ReadWrite.All" }
    assert.is_true(list["alerts of Defender"])
    assert.is_true(list["changes of Defender's alerts"])
    assert.equal("Ti.ReadWrite.All", list.indicators)
  end)

  it("of Microsoft Graph are other roles, of which those that read are expected", function()
    local function works(roles)
      local list = {}
      for i, one in ipairs(permissions.graph(roles)) do list[i] = one.works end
      return list
    end
    assert.same({ false, false, false, false, false }, works { "Alert.ReadWrite.All", "Machine.Read.All" })
    assert.same({ true, true, false, false, false }, works { "SecurityAlert.ReadWrite.All" })
    assert.same({ true, false, true, false, true },
      works { "SecurityAlert.Read.All", "SecurityIncident.Read.All", "ThreatHunting.Read.All" })
    for _, one in ipairs(permissions.graph {}) do assert.equal(one.expected == nil, one.name:find "^changes" ~= nil) end
  end)

  it("name functions that there are", function()
    local count = 0
    for _, one in ipairs(permissions.functions({}, {})) do
      for name in (one.topic and "" or one.name):gmatch "[%w_]+" do
        count = count + 1
        assert.is_function(clients.methods[name], name)
      end
    end
    assert.is_true(count >= 14)
  end)

  it("to change alone are good for what is known, and the rules that need a record have to be lifted", function()
    local list = functions({ RESTRICT }, { "device_values", "cap" })
    assert.equal('by machine id alone, without looking first; only with allow = { "device_values", "cap" }',
      list.restrict.remark)
    assert.equal("by machine id alone, without looking first", list.release.remark)
    assert.is_nil(list.cancel.remark)
    assert.is_nil(list.machine.remark)
    assert.equal("by machine id alone, without looking first", functions({ RESTRICT }, {}).restrict.remark)
  end)

  it("need no remark where everything or nothing works", function()
    for _, roles in ipairs { { READ, RESTRICT }, { WRITE, RESTRICT }, { READ }, {} } do
      for _, one in pairs(functions(roles, { "cap" })) do assert.is_nil(one.remark) end
    end
  end)
end)
