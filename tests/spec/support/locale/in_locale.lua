-- What a program sees in a locale: tests/spec/locale_spec.lua runs this file in interpreters of their own, and compares
-- what they write. Each line is what something came to; nothing in it is random or a time.
--
-- usage: in_locale.lua LOCALE before|after|changing STORE
--
-- The locale is set before anything is loaded, after everything is, or set and left again from each step to the next,
-- while others in the process make codecs of lua-cjson.

local locale, when, store = arg[1], arg[2], arg[3]

local function set(name)
  assert(os.setlocale(name) == name, "there is no locale " .. name)
end

if when == "before" then set(locale) end

local mde = require "mde"
local core = require "mde.core"
local csv = require "mde.cli.ui.csv"
local json = require "mde.base.json"
local lines = require "mde.base.json_line"
local others = require "cjson"
local rehearsal = require "tests.spec.support.rehearsal"

if when == "after" then set(locale) end

local steps = 0

-- Between two steps of a program whose locale changes.
local function turn()
  if when ~= "changing" then return end
  steps = steps + 1
  set(steps % 2 == 0 and "C" or locale)
  if steps % 3 == 0 then others.new() end
  if steps % 4 == 0 then set(steps % 8 == 0 and "C" or locale) end
end

local function shown(value)
  if type(value) == "number" then return core.number.write(value) end
  if type(value) ~= "table" then return tostring(value) end
  return value.kind and ("%s %s"):format(value.kind, value.rule or value.message) or value.outcome or tostring(value)
end

local function write(what, ...)
  local words = { what }
  for i = 1, select("#", ...) do words[#words + 1] = shown((select(i, ...))) end
  io.write(table.concat(words, " | "), "\n")
  turn()
end

-- ---- what is protected

local r = rehearsal.new {
  tenant_id = "5e5e5e5e-0000-4000-8000-000000000001",
  machines = {
    { id = ("1"):rep(40), computerDnsName = "ceo-laptop.corp.example", machineTags = { "VIP" } },
    { id = ("2"):rep(40), computerDnsName = "ID-PRINT.corp.example" },
    { id = ("3"):rep(40), computerDnsName = "till-3.corp.example", deviceValue = "High" },
    { id = ("4"):rep(40), computerDnsName = "desk-4.corp.example", osPlatform = "WINDOWSSERVERIOT" },
    { id = ("5"):rep(40), computerDnsName = "desk-5.corp.example", osPlatform = "WINDOWS11IOT" },
    { id = ("6"):rep(40), computerDnsName = "B\195\156RO-I.corp.example", machineTags = { "Stra\195\159e I" } },
    { id = ("7"):rep(40), computerDnsName = "i-7.corp.example", machineTags = { "Quiet" } },
    { id = ("8"):rep(40), computerDnsName = "i-8.corp.example", machineTags = { "\195\156BER" } },
    { id = ("9"):rep(40), computerDnsName = "desk-9.corp.example", riskScore = "High" },
    { id = ("a"):rep(40), computerDnsName = "desk-10.corp.example", riskScore = "High" },
  },
  client = { cap = 3, store = store, protect = { tags = { "vip", "stra\195\159e i" },
    names = { "id-*", "b\195\156ro-I*", "\195\150-*" }, platforms = { "windows11iot" }, device_values = { "High" } } },
}
local client = r.client

for digit = 1, 6 do
  local device = tostring(digit):rep(40)
  local machine = assert(client:machine(device))
  write("has_tag", machine, machine:has_tag "vIp", machine:has_tag "STRA\195\159E I")
  write("restrict", machine, client:restrict(machine, "beacon"))
end

-- ---- from the first look to the last

write("restrict", client:restrict("I-7", "beacon", { incident = "INC-I" }))
write("again", client:restrict("i-7.CORP.example", "beacon", { incident = "inc-i" }))
write("state", client:state "I-7")
local release = assert(client:release("I-7", "cleared", { incident = "INC-I", timeout = 50.5 }))
write("release", release)
write("wait", release:wait { timeout = 600.5 })
write("state", client:state "I-7")
r:fault { match = { path = "restrictCodeExecution" }, fault = "gone" }
local lost = assert(client:restrict("i-8", "beacon", { key = "ALERT-I-00001", incident = "INC-I" }))
write("lost", lost, lost.reconciled, lost.incident)
write("wait", lost:wait { timeout = 0.25 })
write("the same key", client:restrict("i-8", "beacon", { key = "ALERT-I-00001", incident = "INC-I" }))
r:fault { match = { path = "restrictCodeExecution" }, fault = "throttled", form = "rfc850", seconds = 20 }
write("throttled", client:restrict("desk-9", "beacon", { incident = "inc-i" }))
write("cap", client:restrict("desk-10", "beacon", { incident = "INC-i" }))
for _, machine in ipairs(assert(client:restricted { incident = "iNC-I", since = mde.ago "1.5h" })) do
  write("held", machine.id, machine.action.incident)
end
write("cancel", assert(client:release("desk-9", "cleared")):cancel "not yet")
write("peek", client:peek("restrict").remaining, client:peek("release").remaining)

-- ---- many

local names = {}
for machine in client:machines { riskScore = "High", lastSeen = mde.ge(1.5e9 + 0.25) } do
  names[#names + 1] = machine.computerDnsName
end
table.sort(names, core.text.before)
write("machines", table.concat(names, " "))
for machine in client:machines { riskScore = mde.ge "Medium", lastSeen = mde.between(1500000000.5, 4e9) } do
  write("between", machine.id)
end
for machine in client:machines { machineTags = mde.has "Quiet" } do write("tagged", machine.id) end
local results = client:each({ "I-7", "i-8", "ID-PRINT", "nobody" }, function(name)
  return client:release(name, "cleared")
end, { parallel = 3 })
for _, result in ipairs(results) do write("each", result.item, result.value or result.err.kind) end
for _, result in ipairs(client:states { "I-7", "i-8", "desk-9" }) do write("states", result.value) end
for _, request in ipairs(r:requests()) do
  if request:find("2017-07", 1, true) then write("request", request) end
end

-- ---- numbers

r:answer({ path = "machines/" .. ("7"):rep(40) }, 200, '{"id":"' .. ("7"):rep(40) .. '","computerDnsName":"I-7",'
  .. '"osPlatform":"Windows11","exposure":0.25,"count":3,"large":1.5e3,"list":[0.5,-1e-3]}')
local odd = assert(client:machine(("7"):rep(40)))
write("decoded", odd.exposure, odd.count, odd.large, odd.list[1], odd.list[2])
write("encoded", json.encode { at = 1700000000.25 })
write("as JSON", lines.encode { a = 0.5, list = { 1.25, 2 }, B = "\195\164", ["I"] = true, i = false })
write("as CSV", csv.line({ 0.5, "=1", "a;b", 1e-7 }, 4))
write("ago", tostring(mde.ago "2.5h"), tostring(mde.ago(0.5)))
local pending = assert(client:restrict("I-7", "beacon", { allow = { "cap" } }))
write("pending", pending:wait { timeout = 1.5 })

-- ---- settings

for _, setting in ipairs {
  { credential = "geheim \195\150\195\156" }, { tenant_id = "m\195\188ller.example" }, { client_id = "I" },
  { base_url = "HTTPS://API.SECURITYCENTER.MICROSOFT.COM" }, { protect = { names = { "\195\150*" } } },
  { protect = { device_values = { "HIGH" } } }, { protect = { device_values = { "HIHG" } } }, { cap = 1.5 },
} do
  local options = { tenant_id = r.tenant.tenant_id, client_id = r.tenant.client_id, driver = r.driver,
    credential = r.tenant.client_secret }
  for name, value in pairs(setting) do options[name] = value end
  local ok, made, err = pcall(mde.client, options)
  write("setting", next(setting), ok and made ~= nil, not ok and made.kind or err or "")
end
