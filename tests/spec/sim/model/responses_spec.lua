-- What can be done to devices: the rows, and which devices can.
-- Labels: not-lua5.3
local json = require "mde.sim.base.json"
local machine_record = require "mde.sim.model.machine_record"
local responses = require "mde.sim.model.responses"
local roles = require "mde.sim.identity.roles"
local schema = require "mde.sim.odata.schema"

local by_name = responses.by_name

describe("the responses", function()
  it("are found by their names, which end their paths", function()
    for _, row in ipairs(responses.rows) do
      assert.equal(row, by_name[row.name])
      assert.equal(row.name, row.path:match "[^/]*$")
      assert.equal("string", type(row.source))
    end
  end)

  it("ask for roles that there are, and make actions of types that are documented", function()
    for _, row in ipairs(responses.rows) do
      roles.check(row.roles)
      assert.is_nil(schema.undocumented(schema.action, "type", row.type or "Isolate"))
    end
  end)

  it("name what is documented: path, body, role and type", function()
    local told = {}
    for _, row in ipairs(responses.rows) do
      local fields = {}
      for i, field in ipairs(row.fields) do
        fields[i] = field.name .. (field.required and "" or "?")
          .. (field.values and "=" .. table.concat(field.values, "|") or "")
      end
      told[#told + 1] = ("%s %s %s %s %s"):format(row.method, row.path, table.concat(fields, ","),
        #row.roles < 3 and table.concat(row.roles, "|") or #row.roles, row.type or "-")
    end
    assert.same({
      "POST machines/{id}/restrictCodeExecution Comment Machine.RestrictExecution RestrictCodeExecution",
      "POST machines/{id}/unrestrictCodeExecution Comment Machine.RestrictExecution UnrestrictCodeExecution",
      "POST machines/{id}/isolate Comment,IsolationType?=Full|Selective|UnManagedDevice Machine.Isolate Isolate",
      "POST machines/{id}/unisolate Comment Machine.Isolate Unisolate",
      "POST machines/{id}/runAntiVirusScan Comment,ScanType=Quick|Full Machine.Scan RunAntiVirusScan",
      "POST machines/{id}/StopAndQuarantineFile Comment,Sha1 Machine.StopAndQuarantine StopAndQuarantineFile",
      "POST machines/{id}/collectInvestigationPackage Comment Machine.CollectForensics CollectInvestigationPackage",
      "POST machines/{id}/offboard Comment Machine.Offboard Offboard",
      "POST machines/{id}/startInvestigation Comment Alert.ReadWrite.All -",
      "POST machineactions/{id}/cancel Comment 7 -",
      "GET machineactions/{id}/getPackageUri  Machine.Read.All|Machine.ReadWrite.All -",
      "POST machines/{id}/tags Value,Action=Add|Remove Machine.ReadWrite.All -",
      "POST machines/AddOrRemoveTagForMultipleMachines Value,Action=Add|Remove,MachineIds Machine.ReadWrite.All -",
      "POST machines/{id}/setDeviceValue DeviceValue=Low|Normal|High Machine.ReadWrite.All -",
    }, told)
  end)

  it("know the role that cancels", function()
    assert.equal("Machine.Isolate", responses.role_of_type "Unisolate")
    assert.equal("Machine.LiveResponse", responses.role_of_type "LiveResponse")
    for _, kind in ipairs { "RequestSample", "Unknown", "isolate" } do
      assert.is_nil(responses.role_of_type(kind))
    end
  end)
end)

describe("a response is", function()
  local function problem(name, fields, scope)
    local machine = machine_record.new(("a"):rep(40), 0, fields.osPlatform)
    machine_record.change(machine, fields, 0)
    return (responses.problem(by_name[name], scope, machine))
  end

  -- A row for each platform: its name, a version that is too old, the least one.
  local releases = {
    restrictCodeExecution = { Windows10 = { "1703", "1709" }, Windows11 = {}, WindowsServer2019 = {},
      WindowsServer2022 = {}, WindowsServer2025 = {} },
    isolate = { Windows10 = { "1607", "1703" }, Windows11 = {}, WindowsServer2012R2 = {}, WindowsServer2016 = {},
      WindowsServer2019 = {}, WindowsServer2022 = {}, WindowsServer2025 = {}, Linux = {},
      macOS = { "101.98.83", "101.98.84" } },
    ["isolate Selective"] = { Windows10 = { "1703", "1709" }, Windows11 = {}, WindowsServer2012R2 = {},
      WindowsServer2016 = {}, WindowsServer2019 = {}, WindowsServer2022 = {}, WindowsServer2025 = {},
      macOS = { "101.9.100", "101.98.84" } },
    runAntiVirusScan = { Windows10 = { "1703", "1709" }, Windows11 = {}, Linux = { "101.98", "101.98.84" },
      macOS = { "100.99.99", "102" } },
    StopAndQuarantineFile = { Windows10 = { "1607", "1703" }, Windows11 = {} },
    collectInvestigationPackage = { Windows10 = { "1607", "1703" }, Windows11 = {}, WindowsServer2012R2 = {},
      WindowsServer2016 = {}, WindowsServer2019 = {}, WindowsServer2022 = {}, WindowsServer2025 = {}, Linux = {},
      macOS = {} },
    offboard = { Windows10 = { "1607", "1703" }, Windows11 = {}, WindowsServer2012R2 = {}, WindowsServer2016 = {},
      WindowsServer2019 = {}, WindowsServer2022 = {}, WindowsServer2025 = {}, Linux = {},
      macOS = { "13.7", "14.0", "osVersion" } },
  }
  releases.unrestrictCodeExecution, releases.unisolate = releases.restrictCodeExecution, releases.isolate

  local platforms = { "Windows7", "Windows8", "Windows10", "Windows11", "WindowsServer2012R2", "WindowsServer2016",
    "WindowsServer2019", "WindowsServer2022", "WindowsServer2025", "Linux", "macOS", "iOS", "Android", json.null }

  for what, known in pairs(releases) do
    local name, scope = what:match "^(%S+) ?(.*)$"
    it("for the platforms that are documented, from the release on that is: " .. what, function()
      for _, platform in ipairs(platforms) do
        local versions = known[platform]
        local fields = { osPlatform = platform }
        assert.equal(not versions and "OsPlatformNotSupported" or nil, problem(name, fields, scope), platform)
        if versions and versions[1] then
          local property = versions[3] or platform == "Windows10" and "version" or "agentVersion"
          fields[property] = versions[1]
          assert.equal("ClientVersionNotSupported", problem(name, fields, scope), platform)
          fields[property] = versions[2]
          assert.is_nil(problem(name, fields, scope), platform)
          fields[property] = json.null
          assert.is_nil(problem(name, fields, scope), platform)
        end
      end
    end)
  end

  it("for Windows 10 of the releases that are not numbers, which came later", function()
    for _, version in ipairs { "20H2", "2004", "22H2" } do
      assert.is_nil(problem("restrictCodeExecution", { osPlatform = "Windows10", version = version }))
    end
  end)

  it("for devices that are onboarded, or for those that are not", function()
    for _, status in ipairs { "Onboarded", "CanBeOnboarded", "Unsupported", "InsufficientInfo", json.null } do
      local is_onboarded = status == "Onboarded"
      local function with(scope, platform)
        return problem("isolate", { onboardingStatus = status, osPlatform = platform }, scope)
      end
      assert.equal(not is_onboarded and "InvalidInput" or nil, with "Full")
      assert.equal(not is_onboarded and "InvalidInput" or nil, with "Selective")
      assert.equal(is_onboarded and "InvalidInput" or nil, with "UnManagedDevice")
      assert.equal(is_onboarded and "InvalidInput" or nil, with("UnManagedDevice", json.null))
    end
  end)

  it("is lifted from a device that is not onboarded, whatever it is", function()
    assert.is_nil(problem("unisolate", { onboardingStatus = "CanBeOnboarded", osPlatform = "iOS" }))
    assert.equal("OsPlatformNotSupported", problem("unisolate", { osPlatform = "iOS" }))
  end)
end)
