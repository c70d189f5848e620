-- Writes lines of audit for tests/checks/ocsf: each verb with each outcome, with all that can be known and with the
-- least, and what a client and a run in a simulated tenant tell.

local audit = require "mde.run.audit"
local journals = require "mde.journal"
local mde = require "mde"
local ocsf = require "mde.audit.ocsf"
local outcomes = require "mde.audit.outcome"
local playbooks = require "tests.spec.support.playbooks"

local function write(line) print(line) end

-- ---- all that there can be

local all = { time = 1795921084.1239, machine_id = ("a1"):rep(20), computerDnsName = "laptop-17.corp.example",
  device = { aadDeviceId = "17171717-0000-4000-8000-000000000017", osPlatform = "Windows11", version = "23H2",
    lastIpAddress = "10.1.2.3", rbacGroupName = "Laptops", onboardingStatus = "Onboarded",
    lastSeen = "2026-11-29T02:56:31Z" },
  asked = "laptop-17", operation_id = "k3v7q2m4x5n6p7r8s9t2u3v4w5", incident = "INC-4711", comment = "beacon",
  action_id = "5382f7ea-7557-4ab7-9782-d50480024a4e", status = "Pending", kind = "conflict", code = "opposite_pending",
  message = "why", rule = "servers", http_status = 400, request_id = "r", other_action_id = "o", attempts = 2,
  looked = true, recorded = false, reconciled = true, sent_at = 1795921060.101, user = "alice", version = "0.1.0",
  tenant_id = "8f0e6b1c-0000-4000-8000-0000000000aa", client_id = "5b7f6a3e-0000-4000-8000-00000000c11e",
  run = "20261129T025804Z-7f3a", sequence = 12, wave = 1,
  scope = "Full", sha1 = ("a1"):rep(20), playbook_sha256 = ("9b"):rep(32) }

local verbs = { "restrict", "release", "isolate", "unisolate", "contain", "uncontain", "scan", "quarantine", "collect",
  "cancel" }
local names = {}
for name in pairs(outcomes.words) do names[#names + 1] = name end
table.sort(names)

for _, verb in ipairs(verbs) do
  for _, name in ipairs(names) do
    local most = { verb = verb, outcome = name }
    for field, value in pairs(all) do most[field] = value end
    write((ocsf.line(most)))
    write((ocsf.line { verb = verb, outcome = name, time = 1, stream = "s", sequence = 1 }))
  end
end

local function with(fields)
  local change = { verb = "restrict", outcome = "accepted" }
  for field, value in pairs(all) do change[field] = value end
  for field, value in pairs(fields) do change[field] = value end
  write((ocsf.line(change)))
end

for _, platform in ipairs { "Linux", "Android", "macOS", "iOS", "Windows10", "Other" } do
  with { device = { osPlatform = platform } }
end
for _, address in ipairs { "2001:db8::1", "::1", "fe80::1", "192.0.2.1", "not an address", "" } do
  with { device = { lastIpAddress = address } }
end
local hostile = "pc\n\27[2J\0\"\\\226\128\174gnp\255</script>" .. ("x"):rep(9000)
with { computerDnsName = hostile, comment = hostile, message = hostile, device = { osPlatform = hostile } }

-- ---- what is told

local stage = playbooks.new { machines = playbooks.fleet(3), limits = false, unguarded = true,
  client = { on_event = mde.audit.ocsf(write) } }
local action = assert(stage.client:restrict("pc-1", "beacon", { incident = "INC-1" }))
assert(action:wait())
stage.client:restrict("pc-1", "beacon", { incident = "INC-1" })
stage.client:cancel(action, "wrong")
stage.client:restrict("nobody", "beacon")
assert(stage.client:release("pc-1", "fine"))
local _, _, path = stage.start(assert(stage.plan(playbooks.restrict(3))))
for line in audit.lines(assert(journals.open(path))) do write(line) end
stage.remove()
