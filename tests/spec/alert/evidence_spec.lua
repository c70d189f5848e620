-- What alerts are about, from rows of either source; which devices may be acted on is in tests/core/test_evidence.c.
-- Labels: only-lua5.4
local evidence = require "mde.alert.evidence"

local A, B = "3c9a0f5be17d44a2b86c1e0d9f7a5534c2b1e6d8", "a17e4d902bc35f6681de0947ab3cf25e7d80b194"
local ENTRA = "b7f0c2a4-6d1e-4f38-9a55-20c8e1d7b346"

local function piece(kind, fields)
  fields["@odata.type"] = "#microsoft.graph.security." .. kind
  return fields
end

local function device(id, name, ...)
  return piece("deviceEvidence", { mdeDeviceId = id, deviceDnsName = name, onboardingStatus = "onboarded",
    osPlatform = "Windows11", roles = { ... } })
end

local function of_graph(...)
  return evidence.of_graph { evidence = { ... } }
end

describe("the evidence of Graph", function()
  it("tells the devices, and which may be acted on", function()
    local first = device(A:upper(), "wks-0417.corp.example", "compromised")
    first.azureAdDeviceId = ENTRA
    local found = of_graph(first, device(B, "srv-file-01.corp.example", "contextual"))
    assert.same({
      { id = A, computerDnsName = "wks-0417.corp.example", aadDeviceId = ENTRA, osPlatform = "Windows11",
        onboardingStatus = "onboarded", roles = { "compromised" }, is_contextual = false, is_target = true },
      { id = B, computerDnsName = "srv-file-01.corp.example", osPlatform = "Windows11", onboardingStatus = "onboarded",
        roles = { "contextual" }, is_contextual = true, is_target = false },
    }, found.devices)
    assert.equal("wks-0417.corp.example", tostring(found.devices[1]))
    assert.is_true(evidence.is_device(found.devices[1]))
  end)

  it("keeps a device that cannot be acted on, and says why", function()
    local stranger = device(B, "kiosk", "attacker")
    stranger.onboardingStatus = "canBeOnboarded"
    local damaged = device("17\27[31m", "odd")
    local number = device(17, "odder")
    local found = of_graph(device(nil, "printer", "attacked"), stranger, damaged, number).devices
    assert.same({ false, B, false, false },
      { found[1].id or false, found[2].id, found[3].id or false, found[4].id or false })
    assert.truthy(found[1].problem:find("no machine id", 1, true))
    assert.truthy(found[2].problem:find("not onboarded (canBeOnboarded)", 1, true))
    assert.truthy(found[3].problem:find('"17\\x1b[31m"', 1, true))
    assert.truthy(found[4].problem:find('"17"', 1, true))
    for _, one in ipairs(found) do assert.is_false(one.is_target) end
  end)

  it("merges what it says of one device", function()
    local second = device(A, nil, "compromised")
    second.hostName, second.azureAdDeviceId = "wks-0417", "00000000-0000-0000-0000-000000000000"
    local first = device(A, "wks-0417.corp.example", "contextual")
    first.osPlatform = nil
    local found = of_graph(first, device(B, "b"), second).devices
    assert.equal(2, #found)
    assert.same({ "contextual", "compromised" }, found[1].roles)
    assert.same({ "wks-0417.corp.example", "Windows11", true, false }, { found[1].computerDnsName, found[1].osPlatform,
      found[1].is_target, found[1].aadDeviceId or false })
  end)

  it("tells users, files, processes, addresses and URLs", function()
    local account = { accountName = "a.obrien", domainName = "CORP", userSid = "S-1-5-21-1", azureAdUserId = ENTRA,
      userPrincipalName = "a.obrien@corp.example", displayName = "Aoife O'Brien" }
    local found = of_graph(
      piece("userEvidence", { userAccount = account, roles = { "compromised" } }),
      piece("userEvidence", { userAccount = account, roles = {} }),
      piece("fileEvidence", { mdeDeviceId = A, verdict = "malicious", detectionStatus = "prevented",
        fileDetails = { sha1 = "5b81", fileName = "x.dll", filePath = "C:\\Temp", fileSize = 183296 } }),
      piece("processEvidence", { mdeDeviceId = A, processId = 4780, parentProcessId = 668,
        processCommandLine = "rundll32.exe x.dll,Start", processCreationDateTime = "2026-11-20T02:58:21Z",
        imageFile = { sha256 = "2e7d", fileName = "rundll32.exe" }, userAccount = { accountName = "a.obrien" } }),
      piece("ipEvidence", { ipAddress = "203.0.113.7" }), piece("ipEvidence", { ipAddress = "203.0.113.7" }),
      piece("urlEvidence", { url = "https://files.example/?a=1&b=2" }))
    account.roles = { "compromised" }
    assert.same({ account }, found.users)
    assert.same({ { sha1 = "5b81", fileName = "x.dll", filePath = "C:\\Temp", mdeDeviceId = A, verdict = "malicious",
      detectionStatus = "prevented" } }, found.files)
    assert.same({ { sha256 = "2e7d", fileName = "rundll32.exe", mdeDeviceId = A, processId = 4780,
      parentProcessId = 668, processCommandLine = "rundll32.exe x.dll,Start",
      processCreationDateTime = "2026-11-20T02:58:21Z", userAccount = { accountName = "a.obrien" } } },
      found.processes)
    assert.same({ "203.0.113.7" }, found.addresses)
    assert.same({ "https://files.example/?a=1&b=2" }, found.urls)
    assert.same({}, found.devices)
  end)

  it("passes over what it does not know, and what is not as it was meant to be", function()
    local found = of_graph(piece("quantumWidgetEvidence", { widgetId = "w-1" }), 17, {}, "x", { ["@odata.type"] = 17 },
      piece("userEvidence", { userAccount = "me" }), piece("fileEvidence", { fileDetails = 3 }),
      piece("processEvidence", {}), piece("ipEvidence", { ipAddress = {} }), piece("urlEvidence", { url = "" }),
      piece("deviceEvidence", { mdeDeviceId = A, deviceDnsName = {}, roles = { 1, "attacked" }, osPlatform = 11 }))
    assert.same({ {}, {}, {}, {}, {} },
      { found.users, found.files, found.processes, found.addresses, found.urls })
    assert.same({ { id = A, roles = { "1", "attacked" }, is_contextual = false, is_target = true } }, found.devices)
    assert.same({}, evidence.of_graph({}).devices)
    assert.same({}, evidence.of_graph({ evidence = "all of it" }).devices)
  end)
end)

describe("the evidence of Defender for Endpoint", function()
  it("tells the one device, and what stands beside it", function()
    local found = evidence.of_defender { machineId = A:upper(), computerDnsName = "temp123.corp.example",
      relatedUser = { userName = "other", domainName = "DOMAIN" },
      evidence = {
        { entityType = "User", accountName = "name", domainName = "DOMAIN", userSid = "S-1", aadUserId = ENTRA,
          userPrincipalName = "temp123@corp.example" },
        { entityType = "Process", sha1 = "ff83", fileName = "rundll32.exe", filePath = "C:\\Windows", processId = 3276,
          processCommandLine = "rundll32.exe x", processCreationTime = "2021-01-26T20:31:32Z", parentProcessId = 8420,
          detectionStatus = "Detected" },
        { entityType = "File", sha1 = "8563", fileName = "suspicious.dll", detectionStatus = "Detected" },
        { entityType = "Ip", ipAddress = "203.0.113.7" }, { entityType = "Url", url = "http://x.example" },
        { entityType = "Registry", registryKey = "HKLM" }, { entityType = 17 }, 17,
      } }
    assert.same({ { id = A, computerDnsName = "temp123.corp.example", roles = {}, is_contextual = false,
      is_target = true } }, found.devices)
    assert.same({ { accountName = "name", domainName = "DOMAIN", userSid = "S-1", azureAdUserId = ENTRA,
      userPrincipalName = "temp123@corp.example", roles = {} } }, found.users)
    assert.same({ { sha1 = "ff83", fileName = "rundll32.exe", filePath = "C:\\Windows", processId = 3276,
      parentProcessId = 8420, processCommandLine = "rundll32.exe x", processCreationDateTime = "2021-01-26T20:31:32Z",
      detectionStatus = "Detected" } }, found.processes)
    assert.same({ { sha1 = "8563", fileName = "suspicious.dll", detectionStatus = "Detected" } }, found.files)
    assert.same({ { "203.0.113.7" }, { "http://x.example" } }, { found.addresses, found.urls })
  end)

  it("tells the related user where the evidence has none, and a device without an id", function()
    local found = evidence.of_defender { computerDnsName = "printer", relatedUser = { userName = "temp123" } }
    assert.same({ { accountName = "temp123", roles = {} } }, found.users)
    assert.is_string(found.devices[1].problem)
    assert.same({}, evidence.of_defender({ machineId = 17, relatedUser = 17, evidence = 17 }).devices)
  end)
end)
