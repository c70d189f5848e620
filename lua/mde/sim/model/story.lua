-- A story for a rehearsal: an intrusion, told in alerts over 40 minutes, from a document in a mail to the theft of
-- files from a server. Five devices are in it: two laptops, a server, a domain controller that is mentioned and was not
-- touched, and one that is not onboarded. Two incidents come of it, and the second is merged into the first.
--
-- The option `story` is true or a table:
--
--   seed     another number casts other devices, people and files (1)
--   begins   when the first alert is raised: "45m ago" (the default), so that all has happened when the tenant begins,
--            or "0s ago", say, so that it happens as the clock goes on
--
-- The devices are machines of the tenant. One that the tenant does not have is added to it.
local alerts = require "mde.sim.model.alerts"
local machine_record = require "mde.sim.model.machine_record"
local pseudorandom = require "mde.sim.base.pseudorandom"
local time = require "mde.sim.base.time"
local validation = require "mde.sim.base.validation"

---@class mde.sim.story
---@field devices table<"first"|"second"|"server"|"bystander"|"stranger", table> the machines that are in it
---@field incidents string[] the numbers of the two incidents; the second was merged into the first
local M = {}
M.__index = M

---- who is in it

local function has_tag(machine, wanted)
  for _, tag in ipairs(machine.machineTags or {}) do
    if tag == wanted then return true end
  end
  return false
end

local function is_alive(machine)
  local name = machine.computerDnsName
  return name ~= nil and name:find "^[A-Za-z0-9-]+%.[A-Za-z0-9.-]+$" ~= nil and machine.healthStatus == "Active"
    and machine_record.is_reachable(machine) and not machine.failing
end

local function is_laptop(machine)
  return is_alive(machine) and (machine.osPlatform == "Windows10" or machine.osPlatform == "Windows11")
    and machine.aadDeviceId ~= nil
end

local function is_controller(machine)
  return is_alive(machine) and has_tag(machine, "tier0")
end

local restrictable = { WindowsServer2019 = true, WindowsServer2022 = true, WindowsServer2025 = true }

local function is_server(machine)
  return is_alive(machine) and restrictable[machine.osPlatform] == true and not has_tag(machine, "tier0")
    and not machine.computerDnsName:find "^dc%-"
end

local function is_stranger(machine)
  return machine.computerDnsName ~= nil and machine.onboardingStatus == "CanBeOnboarded"
end

-- For each part who can play it, and who does if nobody can.
local parts = {
  { "first", is_laptop, { computerDnsName = "laptop-story-1.corp.example",
    aadDeviceId = "57000000-0000-4000-8000-000000000001" } },
  { "second", is_laptop, { computerDnsName = "laptop-story-2.corp.example",
    aadDeviceId = "57000000-0000-4000-8000-000000000002" } },
  { "server", is_server, { computerDnsName = "file-story.corp.example", osPlatform = "WindowsServer2022",
    version = "21H2", osBuild = 20348, isAadJoined = false } },
  { "bystander", is_controller, { computerDnsName = "dc-story.corp.example", osPlatform = "WindowsServer2022",
    version = "21H2", osBuild = 20348, isAadJoined = false, machineTags = { "tier0" } } },
  { "stranger", is_stranger, { computerDnsName = "device-story", osPlatform = "Windows10", healthStatus = "Unknown",
    onboardingStatus = "CanBeOnboarded", isAadJoined = false } },
}

local function cast(tenant, draw)
  local devices, is_taken = {}, {}
  for number, part in ipairs(parts) do
    local name, can_play, stand_in = part[1], part[2], part[3]
    local candidates = {}
    for _, machine in ipairs(tenant.machines) do
      if can_play(machine) and not is_taken[machine] then candidates[#candidates + 1] = machine end
    end
    local machine = candidates[draw(math.max(#candidates, 1)) + 1]
    if not machine then
      local fields = { id = ("57%038d"):format(number) }
      for field, value in pairs(stand_in) do fields[field] = value end
      machine = tenant:put_machine(fields)
    end
    devices[name], is_taken[machine] = machine, true
  end
  return devices
end

local people = { "a.obrien", "j.dsouza", "m.okafor", "t.virtanen" }

local function person(draw)
  local name = people[draw(#people) + 1]
  return { accountName = name, domainName = "CORP", displayName = name,
    userSid = ("S-1-5-21-1004336348-1177238915-682003330-%d"):format(1100 + draw(800)),
    azureAdUserId = ("5e000000-0000-4000-8000-%012d"):format(draw(1000000)),
    userPrincipalName = name .. "@corp.example" }
end

local function hexadecimal(draw, count)
  local digits = {}
  for i = 1, count do digits[i] = ("%x"):format(draw(16)) end
  return table.concat(digits)
end

---- pieces of evidence

local function joined(first, more)
  local all = {}
  for name, value in pairs(first) do all[name] = value end
  for name, value in pairs(more or {}) do all[name] = value end
  return all
end

local function device(machine, ...)
  return { kind = "device", machineId = machine.id, roles = { ... } }
end

local function user(whom)
  return joined(whom, { kind = "user", roles = { "compromised" } })
end

local function file(machine, of, more)
  return joined(joined(of, { kind = "file", machineId = machine.id, verdict = "malicious",
    detectionStatus = "detected" }), more)
end

-- A process of a program that Windows has itself.
local function process(machine, whom, program, command_line, parent)
  return joined(whom, { kind = "process", machineId = machine.id, fileName = program,
    filePath = "C:\\Windows\\System32", processCommandLine = command_line, parentFileName = parent,
    processId = 4780, parentProcessId = 668, detectionStatus = "detected" })
end

---- what happens

-- A step a row: minutes after the beginning, and the alert, of which `incident` is 1 or 2.
local function steps_of(devices, draw)
  local first, second, server = devices.first, devices.second, devices.server
  local bystander, stranger = devices.bystander, devices.stranger
  local victim, admin = person(draw), person(draw)
  admin.accountName, admin.displayName = "adm-" .. admin.accountName, "adm-" .. admin.displayName
  admin.userPrincipalName = admin.accountName .. "@corp.example"
  local document = { fileName = "Invoice 4711.docm", filePath = "C:\\Users\\" .. victim.accountName .. "\\Downloads",
    sha1 = hexadecimal(draw, 40), sha256 = hexadecimal(draw, 64), fileSize = 61440 }
  local implant = { fileName = "sync.dll", filePath = "C:\\ProgramData\\Sync", sha1 = hexadecimal(draw, 40),
    sha256 = hexadecimal(draw, 64), fileSize = 183296 }
  local beacon = ("203.0.113.%d"):format(10 + draw(200))
  return {
    { at = 0, incident = 1, title = "Document with a macro from a mail was opened", severity = "medium",
      category = "InitialAccess", mitreTechniques = { "T1566.001" },
      evidence = { device(first, "compromised"), user(victim), file(first, document) } },
    { at = 3, incident = 1, title = "Suspicious PowerShell started by Word", severity = "high",
      category = "Execution", mitreTechniques = { "T1059.001" },
      evidence = { device(first, "compromised"), user(victim),
        process(first, victim, "powershell.exe", "powershell.exe -nop -w hidden -enc SQBFAFgA", "winword.exe"),
        { kind = "url", url = "https://files.invoices.example/4711?d=a&b=1", verdict = "malicious" } } },
    { at = 9, incident = 1, title = "Connection to a known command-and-control server", severity = "high",
      category = "CommandAndControl", mitreTechniques = { "T1071.001", "T1218.011" },
      evidence = { device(first, "compromised"), file(first, implant),
        process(first, victim, "rundll32.exe", 'rundll32.exe "C:\\ProgramData\\Sync\\sync.dll",Start',
          "powershell.exe"),
        { kind = "ip", ipAddress = beacon, roles = { "commandAndControl" }, verdict = "malicious" } } },
    { at = 12, is_suppressed = true, title = "Script of the inventory agent", severity = "low",
      category = "SuspiciousActivity", evidence = { device(first, "contextual") } },
    { at = 14, incident = 1, title = "Credentials were read from the memory of LSASS", severity = "high",
      category = "CredentialAccess", mitreTechniques = { "T1003.001" },
      evidence = { device(first, "compromised"), user(admin),
        process(first, admin, "rundll32.exe", "rundll32.exe C:\\Windows\\System32\\comsvcs.dll, MiniDump 668",
          "cmd.exe") } },
    { at = 19, incident = 2, title = "Unusual sign-in of an administrator", severity = "medium",
      category = "LateralMovement", serviceSource = "microsoftDefenderForIdentity", mitreTechniques = { "T1550.002" },
      evidence = { { kind = "device", deviceDnsName = second.computerDnsName, azureAdDeviceId = second.aadDeviceId,
        roles = { "attacked" } }, device(bystander, "contextual"), user(admin) } },
    { at = 24, incident = 2, title = "A service was installed from another device", severity = "high",
      category = "LateralMovement", mitreTechniques = { "T1021.002", "T1569.002" },
      evidence = { device(second, "compromised", "attacked"), device(first, "source"), user(admin),
        process(second, admin, "services.exe", "C:\\Windows\\System32\\services.exe", "wininit.exe"),
        file(second, implant, { detectionStatus = "prevented", remediationStatus = "prevented" }) } },
    { at = 27, merge = true },
    { at = 31, incident = 1, title = "Command was run on a server from another device", severity = "high",
      category = "Execution", mitreTechniques = { "T1047" },
      evidence = { device(server, "compromised"), device(second, "source"), device(bystander, "contextual"),
        user(admin),
        process(server, admin, "wmiprvse.exe", "C:\\Windows\\System32\\wbem\\wmiprvse.exe -secured", "svchost.exe") } },
    { at = 33, is_standalone = true, title = "A removable drive was connected", severity = "informational",
      category = "Discovery", evidence = { device(second, "contextual") } },
    { at = 36, incident = 1, title = "A device that is not onboarded scans a server", severity = "medium",
      category = "Discovery", mitreTechniques = { "T1046" },
      evidence = { device(server, "attacked"), device(stranger, "source", "attacker") } },
    { at = 40, incident = 1, title = "Many files were packed and sent away", severity = "high",
      category = "Exfiltration", mitreTechniques = { "T1560.001", "T1041" },
      evidence = { device(server, "compromised"), user(admin), file(server, implant),
        process(server, admin, "tar.exe", "tar.exe -a -c -f C:\\ProgramData\\Sync\\d.zip D:\\Shares", "rundll32.exe"),
        { kind = "ip", ipAddress = beacon, roles = { "destination" }, verdict = "malicious" } } },
  }
end

local wishes = { seed = "number", begins = "string" }

local function read_wish(wish, now)
  if wish == true then wish = {} end
  if type(wish) ~= "table" then error(validation.mismatch("story", "true or a table", wish), 0) end
  for name, value in pairs(wish) do
    if not wishes[name] then error("story: " .. validation.unknown("", name, wishes), 0) end
    if type(value) ~= wishes[name] then
      error("story: " .. validation.mismatch(name, "a " .. wishes[name], value), 0)
    end
  end
  local seed, begins = wish.seed or 1, time.resolve(wish.begins or "45m ago", now)
  if seed ~= math.floor(seed) or seed < 1 then
    error("story: " .. validation.mismatch("seed", "a whole number of at least 1", seed), 0)
  end
  if not begins then
    error("story: " .. validation.mismatch("begins", "a time such as 2026-02-03T10:11:12Z or 2h ago", wish.begins), 0)
  end
  return seed, time.parse(begins)
end

--- Casts a story. Nothing has happened yet.
---@param tenant mde.sim.tenant
---@param wish true|{ seed: integer?, begins: string? }
---@return mde.sim.story
function M.new(tenant, wish)
  local seed, begins = read_wish(wish, tenant.clock.now())
  local draw = pseudorandom.new(seed)
  local self = setmetatable({ tenant = tenant, draw = draw, begins = begins, next_step = 1, incidents = {},
    devices = cast(tenant, draw) }, M)
  self.steps = steps_of(self.devices, draw)
  return self
end

local function tell(self, step)
  local at = self.begins + step.at * 60
  if step.merge then
    self.tenant:merge_incidents(self.incidents[2], self.incidents[1], at)
    return
  end
  local fields = { id = alerts.id_of(at, self.draw(2000000000) - 1000000000), createdDateTime = time.iso(at),
    incidentId = self.incidents[step.incident], description = step.title .. ".",
    recommendedActions = "Find out whether this was planned. If it was not, contain the device." }
  for name, value in pairs(step) do
    if name ~= "at" and name ~= "incident" then fields[name] = value end
  end
  local alert = self.tenant:raise_alert(fields)
  if step.incident and not self.incidents[step.incident] then self.incidents[step.incident] = alert.incidentId end
end

--- Tells what has happened until now.
function M:settle()
  local now = self.tenant.clock.now()
  while self.steps[self.next_step] and self.begins + self.steps[self.next_step].at * 60 <= now do
    local step = self.steps[self.next_step]
    self.next_step = self.next_step + 1
    tell(self, step)
  end
end

return M
