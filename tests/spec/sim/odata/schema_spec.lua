-- The service's kinds of record: how one is written, and which values fit.
-- Labels: not-lua5.3
local json = require "mde.sim.base.json"
local schema = require "mde.sim.odata.schema"

describe("a record", function()
  it("is written with each property, in the service's order", function()
    local body = schema.entity(schema.machine, { id = "x", computerDnsName = 'a"b', machineTags = { "\n" } })
    local head = '{"@odata.context":"https://api.security.microsoft.com/api/$metadata#Machines/$entity","id":"x",'
      .. '"mergedIntoMachineId":null,'
    assert.equal(head, body:sub(1, #head))
    local members = json.decode(body)
    assert.same({ 'a"b', { "\n" } }, { members.computerDnsName, members.machineTags })
    local count = 0
    for _ in pairs(members) do count = count + 1 end
    assert.equal(#schema.machine.names + 1, count)
  end)

  it("in a list has the properties that are wanted", function()
    assert.equal('{"@odata.context":"https://api.security.microsoft.com/api/$metadata#MachineActions(id,status)",'
      .. '"@odata.count":7,"value":[{"id":"x","status":null}],"@odata.nextLink":"https://x"}',
      schema.list(schema.action, { { id = "x", type = "y" } }, { id = true, status = true }, "https://x", 7))
  end)

  it("is written as it is now, with what another one has too", function()
    local wanted = { osPlatform = true, version = true, osBuild = true, isAadJoined = true, machineTags = true,
      ipAddresses = true, vmMetadata = true }
    local function written(...)
      return (schema.list(schema.machine, { ... }, wanted):match '"value":(.*)}$')
    end
    local one = { osPlatform = "1", version = "1", osBuild = 1, isAadJoined = false, machineTags = { "1", '"' },
      ipAddresses = { { ipAddress = "1" }, { type = "1" } }, vmMetadata = { vmId = "1" } }
    local text = '{"osPlatform":"1","version":"1","osBuild":1,"isAadJoined":false,"machineTags":["1","\\""],'
      .. '"ipAddresses":[{"ipAddress":"1","macAddress":null,"type":null,"operationalStatus":null},'
      .. '{"ipAddress":null,"macAddress":null,"type":"1","operationalStatus":null}],'
      .. '"vmMetadata":{"vmId":"1","cloudProvider":null,"resourceId":null,"subscriptionId":null}}'
    assert.equal("[" .. text .. "," .. text .. "]", written(one, one))
    one.version, one.osBuild, one.isAadJoined, one.machineTags, one.ipAddresses = nil, 2, true, {}, {}
    one.vmMetadata = nil
    assert.equal('[{"osPlatform":"1","version":null,"osBuild":2,"isAadJoined":true,"machineTags":[],"ipAddresses":[],'
      .. '"vmMetadata":null}]', written(one))
    assert.equal("[]", written())
  end)
end)

describe("a text", function()
  it("is an answer of its own", function()
    assert.equal('{"@odata.context":"https://api.security.microsoft.com/api/$metadata#Edm.String","value":"a \\"b\\""}',
      schema.text 'a "b"')
  end)
end)

describe("a value", function()
  local fitting = { computerDnsName = "a", isExcluded = true, osBuild = 26100, lastSeen = "2026-02-03T10:11:12Z",
    aadDeviceId = "17171717-0000-4000-8000-000000000017", machineTags = { "a" }, ipAddresses = { {} }, vmMetadata = {} }
  local unfitting = { computerDnsName = 5, isExcluded = "yes", osBuild = 1.5, lastSeen = "soon", aadDeviceId = "x",
    machineTags = { {} }, ipAddresses = { "a" }, vmMetadata = "x", nickname = "x" }

  for name, value in pairs(fitting) do
    it("fits " .. name, function()
      assert.is_true(schema.fits(schema.machine, name, value))
      assert.is_nil(schema.problem(schema.machine, name, value, {}))
    end)
  end

  for name, value in pairs(unfitting) do
    it("does not fit " .. name, function()
      assert.is_false(schema.fits(schema.machine, name, value))
      assert.truthy(schema.problem(schema.machine, name, value, {}):find(name, 1, true))
    end)
  end

  it("of an object has the object's members and no others", function()
    local file = { fileIdentifier = "a", fileIdentifierType = "Sha1" }
    assert.is_true(schema.fits(schema.action, "relatedFileInfo", file))
    assert.is_nil(schema.undocumented(schema.action, "relatedFileInfo", file))
    file.fileIdentifierType = "Crc32"
    assert.is_true(schema.fits(schema.action, "relatedFileInfo", file))
    assert.equal("relatedFileInfo.fileIdentifierType must be one of Sha1, Sha256, Md5, not 'Crc32'",
      schema.undocumented(schema.action, "relatedFileInfo", file))
    file.name = "x"
    assert.is_false(schema.fits(schema.action, "relatedFileInfo", file))
  end)

  it("of an action's type and scope is documented", function()
    for _, kind in ipairs { "RequestSample", "Unknown", "LiveResponse", "Offboard", "Unisolate" } do
      assert.is_nil(schema.undocumented(schema.action, "type", kind))
    end
    for _, scope in ipairs { "Full", "Selective", "Quick" } do
      assert.is_nil(schema.undocumented(schema.action, "scope", scope))
    end
    assert.truthy(schema.undocumented(schema.action, "scope", "UnManagedDevice"))
  end)

  it("of a switch is true or false", function()
    assert.is_nil(schema.problem(schema.machine, "offline", true, { offline = true }))
    assert.truthy(schema.problem(schema.machine, "offline", 1, { offline = true }))
    assert.truthy(schema.problem(schema.machine, "ofline", true, { offline = true }):find("'offline'", 1, true))
  end)

  it("may fit and be documented nowhere", function()
    assert.is_nil(schema.problem(schema.machine, "riskScore", "Extreme", {}))
    assert.truthy(schema.undocumented(schema.machine, "riskScore", "Extreme"):find("one of None, ", 1, true))
    assert.is_nil(schema.undocumented(schema.machine, "riskScore", "High"))
    assert.is_nil(schema.undocumented(schema.machine, "computerDnsName", "x"))
  end)
end)
