-- The story of an intrusion.
-- Labels: not-lua5.3
local events = require "mde.sim.model.events"
local sim = require "mde.sim"
local time = require "mde.sim.base.time"

local START = 1770113472.25

local function told(story, options)
  options = options or {}
  options.start, options.story = START, story
  return sim.new(options)
end

local function names(tenant)
  local list = {}
  for _, part in ipairs { "first", "second", "server", "bystander", "stranger" } do
    list[#list + 1] = tenant.story.devices[part].computerDnsName
  end
  return list
end

-- The roles in which a device of the story stands in the evidence, as a set.
local function roles_of(tenant, part)
  local roles = {}
  for _, alert in ipairs(tenant.alerts) do
    for _, piece in ipairs(alert.evidence) do
      if piece.kind == "device" and piece.machine == tenant.story.devices[part] then
        for _, role in ipairs(piece.roles) do roles[role] = true end
      end
    end
  end
  return roles
end

describe("the story", function()
  it("is told in alerts over 40 minutes", function()
    local tenant = told(true)
    local first, last = tenant.alerts[1], tenant.alerts[#tenant.alerts]
    assert.equal(40 * 60, time.parse(last.createdDateTime) - time.parse(first.createdDateTime))
    assert.same({ 11, "InitialAccess", "Exfiltration" }, { #tenant.alerts, first.category, last.category })
    local file = first.evidence[3]
    assert.same({ "file", 40, 64 }, { file.kind, #file.sha1, #file.sha256 })
    assert.equal(11, #tenant.alert_book:listed())
  end)

  it("has one incident, which a second one was merged into", function()
    local tenant = told(true)
    assert.equal(2, #tenant.incidents)
    assert.same({ "active", "redirected", "28201" }, { tenant.incidents[1].status, tenant.incidents[2].status,
      tenant.incidents[2].redirectIncidentId })
    assert.equal("2026-02-03T09:53:12.25Z", tenant.incidents[2].lastUpdateDateTime)
    local alone = {}
    for _, alert in ipairs(tenant.alerts) do
      if not alert.incidentId then alone[#alone + 1] = alert.is_standalone and "alone" or "suppressed" end
    end
    assert.same({ "suppressed", "alone" }, alone)
    assert.equal(9, #tenant.alert_book:alerts_of(tenant.incidents[1]))
  end)

  it("has five devices: a server, one that is only mentioned, one that is not onboarded", function()
    local tenant = told(true)
    local devices = tenant.story.devices
    assert.truthy(devices.first.osPlatform:find "^Windows1[01]$")
    assert.truthy(devices.server.osPlatform:find "^WindowsServer")
    assert.equal("CanBeOnboarded", devices.stranger.onboardingStatus)
    assert.same({ contextual = true }, roles_of(tenant, "bystander"))
    assert.same({ source = true, attacker = true }, roles_of(tenant, "stranger"))
    assert.is_true(roles_of(tenant, "server").compromised and roles_of(tenant, "second").compromised)
    local unknown = 0
    for _, alert in ipairs(tenant.alerts) do
      for _, piece in ipairs(alert.evidence) do
        if piece.kind == "device" and not piece.machine then unknown = unknown + 1 end
      end
    end
    assert.equal(1, unknown)
  end)

  it("rests on events that alerts can be raised on", function()
    local tenant = told(true)
    local first = tenant.alerts[1]
    assert.is_true(events.is_reported(tenant, tenant.story.devices.first, "12", first.firstActivityDateTime))
  end)

  it("is the same for the same seed, and another for another", function()
    local one, same, other = told(true), told { seed = 1 }, told { seed = 7 }
    assert.same(names(one), names(same))
    for i, alert in ipairs(one.alerts) do assert.equal(alert.id, same.alerts[i].id) end
    assert.equal(one.alerts[1].evidence[3].sha1, same.alerts[1].evidence[3].sha1)
    assert.not_same(names(one), names(other))
    assert.not_equal(one.alerts[1].evidence[3].sha1, other.alerts[1].evidence[3].sha1)
  end)

  it("can go on as the clock does", function()
    local tenant = told { begins = "0s ago" }
    assert.equal(1, #tenant.alerts)
    tenant:advance(19 * 60)
    assert.same({ 6, 2, "active" }, { #tenant.alerts, #tenant.incidents, tenant.incidents[2].status })
    tenant:advance(8 * 60)
    assert.equal("redirected", tenant.incidents[2].status)
    tenant:advance(3600)
    assert.equal(11, #tenant.alerts)
    tenant:reset()
    assert.equal(1, #tenant.alerts)
  end)

  it("adds the devices that the tenant lacks", function()
    local tenant = told(true, { machines = {} })
    assert.equal(5, #tenant.machines)
    assert.equal("file-story.corp.example", tenant.story.devices.server.computerDnsName)
    tenant = told(true, { machines = { { computerDnsName = "ours.corp.example",
      aadDeviceId = "17171717-0000-4000-8000-000000000017" } } })
    assert.equal("ours.corp.example", tenant.story.devices.first.computerDnsName)
    assert.equal(5, #tenant.machines)
  end)

  it("is refused in words", function()
    for _, wrong in ipairs { 5, { sead = 1 }, { seed = 0 }, { seed = 1.5 }, { begins = "noon" }, { begins = 5 } } do
      local ok, message = pcall(told, wrong)
      assert.is_false(ok)
      assert.truthy(message:find "^story", message)
    end
  end)
end)
