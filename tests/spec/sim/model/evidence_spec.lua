-- The pieces of evidence of an alert.
-- Labels: not-lua5.3
local evidence = require "mde.sim.model.evidence"
local json = require "mde.sim.base.json"

local NOW, CREATED = 1770113472, "2026-02-03T10:11:12Z"

describe("a piece of evidence", function()
  local machine = { id = "1f", computerDnsName = "a.corp.example" }

  local function new(fields)
    return evidence.new(fields, CREATED, NOW, function(key, by_name)
      return key == (by_name and "a.corp.example" or "1f") and machine or nil
    end)
  end

  it("is filled in", function()
    assert.same({ kind = "ip", ipAddress = "203.0.113.7", createdDateTime = CREATED, verdict = "suspicious",
      remediationStatus = "none", roles = {}, detailedRoles = {}, tags = {} },
      new { kind = "ip", ipAddress = "203.0.113.7", verdict = json.null })
    assert.equal("2026-02-03T09:11:12Z", new { kind = "process", processCreationDateTime = "1h ago" }
      .processCreationDateTime)
  end)

  it("names a machine of the tenant, by its id or its name", function()
    assert.equal(machine, new({ kind = "device", machineId = "1f" }).machine)
    assert.equal(machine, new({ kind = "file", computerDnsName = "a.corp.example" }).machine)
    assert.is_nil(new({ kind = "device", deviceDnsName = "a.corp.example" }).machine)
  end)

  it("is refused in words", function()
    for message, fields in pairs {
      ["kind must be one of device, file, ip, other, process, url, user, not 'mailbox'"] = { kind = "mailbox" },
      ["there is no 'sha'. Did you mean 'sha1'?"] = { kind = "file", sha = "00" },
      ["processId must be a whole number, not 1.5"] = { kind = "process", processId = 1.5 },
      ["roles must be a list of texts, not 'compromised'"] = { kind = "user", roles = "compromised" },
      ["there is no machine 'b.corp.example'"] = { kind = "device", computerDnsName = "b.corp.example" },
      ["createdDateTime must be a time such as 2026-02-03T10:11:12Z or 2h ago, not 'late'"] = { kind = "url",
        createdDateTime = "late" },
      ["a device needs machineId or computerDnsName, or, if Defender does not know it, deviceDnsName"] = {
        kind = "device" },
    } do
      local ok, said = pcall(new, fields)
      assert.is_false(ok)
      assert.equal(message, said)
    end
  end)

  it("may hold values that the documents do not list, and can tell", function()
    assert.equal("evil", new({ kind = "url", verdict = "evil" }).verdict)
    assert.truthy(evidence.undocumented({ verdict = "evil" }):find "^verdict must be one of unknown, ")
    assert.truthy(evidence.undocumented({ roles = { "attacked", "boss" } }):find "^roles must be one of unknown, ")
    assert.is_nil(evidence.undocumented { verdict = "malicious", remediationStatus = "active", roles = { "attacked" } })
  end)
end)
