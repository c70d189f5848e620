-- The examples, each as a user starts it: a program of its own, over real TLS.
-- Labels: not-lua5.3, long
local rehearsal = require "tests.spec.support.rehearsal"
local script = require "tests.spec.support.process.script"
local tenants = require "tests.spec.support.server.tenant"

local LAPTOP, LAPTOP_ENTRA_ID = "1f00000000000000000000000000000000000017", "17171717-0000-4000-8000-000000000017"

local function read_file(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read "*a"
  file:close()
  return text
end

describe("the example", function()
  local tenant

  setup(function()
    tenant = tenants.start { limits = false, action_seconds = 0.5, fixture = {
      roles = { "Machine.Read.All", "Machine.RestrictExecution", "Machine.Isolate" } } }
  end)
  teardown(function() tenant.stop() end)
  before_each(function() tenant.reset() end)

  local function run(name, ...)
    return script.run(read_file("examples/" .. name .. ".lua"), { arguments = { ... }, environment = tenant.env })
  end

  -- The machines on which an action was created, by type; every test looks at the domain controllers.
  local function acted_on(kind)
    local machines, count = {}, 0
    for _, entry in ipairs(tenant.history "action_created") do
      assert.is_nil(entry.machine:find "^5f00", "a domain controller was touched")
      if entry.type == kind then
        machines[entry.machine] = (machines[entry.machine] or 0) + 1
        count = count + 1
      end
    end
    return machines, count
  end

  -- How many requests were not the POST of an action.
  local function beside_posts()
    local count = 0
    for _, entry in ipairs(tenant.history "request") do
      if not entry.path:find "/machines/%x+/%a+$" then count = count + 1 end
    end
    return count
  end

  it("is under forty lines", function()
    local pipe = io.popen "wc -l examples/*.lua"
    for line in pipe:lines() do
      local lines, name = line:match "^%s*(%d+) (%S+%.lua)$"
      if name then assert.is_true(tonumber(lines) < 40, name) end
    end
    pipe:close()
  end)

  it("runbook restricts a device by its Entra device id, and takes it back", function()
    local output, status = run("runbook", LAPTOP_ENTRA_ID)
    assert.equal("exit 0", status)
    assert.truthy(output:find("accepted", 1, true))
    assert.truthy(output:find("Succeeded", 1, true))
    local created = tenant.history "action_created"
    assert.truthy(created[1].comment:find("^Possible security risk%. %[mde:"))
    output, status = run("runbook", LAPTOP_ENTRA_ID, "true", "it was nothing")
    assert.equal("exit 0", status)
    assert.truthy(output:find("Succeeded", 1, true))
    assert.same({ [LAPTOP] = 1 }, (acted_on "UnrestrictCodeExecution"))
    output, status = run("runbook", "kiosk")
    assert.equal("exit 2", status)
    assert.truthy(output:find("2 devices answer to", 1, true))
    assert.equal("exit 1", select(2, run "runbook"))
    assert.equal("exit 1", select(2, run("runbook", LAPTOP, "perhaps")))
  end)

  it("machine_list works off 90 devices of a CSV with conditions", function()
    local lines, wanted = { "\239\187\191device,owner\r" }, 0
    for i = 1, 84 do
      local fields = { id = ("%040x"):format(0xb0000 + i), computerDnsName = ("till-%03d.shop.example"):format(i) }
      if i % 20 == 0 then
        fields.machineTags = { "Keep" }
      elseif i % 20 == 1 then
        fields.osPlatform = "WindowsServer2022"
      elseif i % 20 == 2 then
        fields.lastSeen = "30d ago"
      else
        wanted = wanted + 1
      end
      tenant.machine(fields)
      lines[#lines + 1] = ('"till-%03d",somebody\r'):format(i)
    end
    local others = { "kiosk", "nobody-1", "nobody-2", "dc-01", "till-007", "", "TILL-008", "laptop-17", "build-3" }
    for _, name in ipairs(others) do
      lines[#lines + 1] = name .. ",\r"
    end
    local file = os.tmpname()
    local handle = assert(io.open(file, "wb"))
    handle:write(table.concat(lines, "\n"), "\n")
    handle:close()
    local output, status = run("machine_list", file, "INC-1")
    os.remove(file)
    assert.equal("exit 2", status)
    assert.is_true(beside_posts() <= 10, ("%d requests"):format(beside_posts()))
    local machines, count = acted_on "RestrictCodeExecution"
    assert.equal(wanted + 1, count)
    assert.equal(1, machines[LAPTOP])
    assert.truthy(output:find("till%-040 +left: tagged keep"))
    assert.truthy(output:find("till%-002 +left: not seen for a week"))
    assert.truthy(output:find("till%-001 +.-servers"))
    assert.truthy(output:find("kiosk +.-2 devices answer"))
    assert.truthy(output:find("nobody%-1 +.-knows no device"))
    assert.truthy(output:find("dc%-01 +.-protected"))
    assert.truthy(output:find("90 devices, ", 1, true))
  end)

  local function written(text)
    local file = os.tmpname()
    local handle = assert(io.open(file, "wb"))
    handle:write(text)
    handle:close()
    return file
  end

  it("machine_list knows fields with spaces, quotes and line breaks", function()
    local file = written('# laptop-16\n\ndevice,owner\n  laptop-17  ,"somebody, or\nlaptop-19"\n'
      .. '"front-desk","Smith, J."\r\n "desk-5" ,x\n\t"o\'brien-laptop",\nFRONT-DESK,')
    local output, status = run("machine_list", file, "INC-1")
    os.remove(file)
    assert.equal("exit 0", status, output)
    local devices = {}
    for line in output:gmatch "[^\n]+" do devices[#devices + 1] = line:match "^(%S+) +accepted$" end
    assert.same({ "laptop-17", "front-desk", "desk-5", "o'brien-laptop" }, devices)
    assert.equal(4, select(2, acted_on "RestrictCodeExecution"))
  end)

  it("machine_list does nothing where the list does not tell the column, until it is told", function()
    local file = written "laptop-18,owner\nlaptop-17,somebody\n"
    local output, status = run("machine_list", file, "INC-1")
    assert.equal("exit 1", status)
    assert.truthy(output:find("no heading that tells which one names a device", 1, true), output)
    assert.equal(0, #tenant.history "action_created")
    status = select(2, run("machine_list", file, "INC-1", "laptop-18"))
    os.remove(file)
    assert.equal("exit 0", status)
    assert.same({ [LAPTOP] = 1 }, (acted_on "RestrictCodeExecution"))
  end)

  it("machine_list has nothing to do for a header alone, and says that a file is empty", function()
    for text, case in pairs { ["device,owner\r\n"] = { "exit 0", "\n0 devices" }, [""] = { "exit 1", "is empty" } } do
      local file = written(text)
      local output, status = run("machine_list", file, "INC-1")
      os.remove(file)
      assert.equal(case[1], status)
      assert.truthy(output:find(case[2]), output)
    end
  end)

  it("shows what the service says harmlessly, whichever it is", function()
    local evil, name = ("%040x"):format(0xe0001), "\27[2Jevil\7\226\128\174.shop.example"
    local function check(outcome, output, status)
      local shown = output:gsub("\n", "")
      assert.is_true(rehearsal.is_one_line(shown), ("%q"):format(output))
      assert.is_nil(output:find("\226\128\174", 1, true))
      assert.truthy(output:find("\\x1b[2Jevil\\x07", 1, true), output)
      assert.truthy(output:find(outcome), output)
      assert.equal("exit 0", status, output)
      acted_on "RestrictCodeExecution"
    end
    local function meet(fields)
      tenant.reset()
      fields.id, fields.computerDnsName, fields.riskScore, fields.lastSeen = evil, name, "High", "20m ago"
      tenant.machine(fields)
    end
    meet {}
    check("accepted", run("high_risk", "High", "INC-1"))
    check("evil[^\n]+ already_active", run("nightly", "INC-1"))
    meet {}
    check("Succeeded", run("wait_and_report", "INC-1", evil))
    check("evil[^\n]+ accepted", run("morning_release", "INC-1"))
    meet { osPlatform = "Windows\27]0;11\7" }
    check("left for review: Windows\\x1b", run("high_risk", "High", "INC-1"))
    meet {}
    check("done ", run("quickstart", evil))
    meet {}
    for _, fields in ipairs { { ago = "9h ago", requestorComment = "why [mde:INC-1:operation-1]" },
      { ago = "2h ago", requestorComment = "\27[2J", requestor = "\27[31mcolleague\7" } } do
      tenant.action { machineId = evil, computerDnsName = name, type = "RestrictCodeExecution", status = "Succeeded",
        creationDateTimeUtc = fields.ago, lastUpdateDateTimeUtc = fields.ago, requestor = fields.requestor,
        requestorComment = fields.requestorComment }
    end
    check("evil[^\n]+ left: also held by by hand %(\\x1b%[31mcolleague", run("morning_release", "INC-1"))
    local file = written("device\n" .. name .. "\n")
    local output, status = run("machine_list", file, "INC-1")
    os.remove(file)
    assert.equal("exit 1", status)
    assert.truthy(output:find("line 2 of ", 1, true), output)
    -- LuaJIT shows where it was raised behind it.
    assert.is_true(rehearsal.is_one_line(output:match "^[^\n]*"), ("%q"):format(output))
  end)

  it("high_risk selects by a query whose value comes from outside", function()
    local output, status = run("high_risk", "High", "INC-1")
    assert.equal("exit 0", status)
    assert.truthy(output:find("laptop%-17%.corp%.example +accepted"))
    local _, count = acted_on "RestrictCodeExecution"
    assert.is_true(count >= 1)
    tenant.reset()
    output, status = run "high_risk"
    assert.equal("exit 1", status)
    assert.truthy(output:find("nil", 1, true))
    assert.equal(0, #tenant.history "action_created")
  end)

  it("wait_and_report waits for all, and says which failed", function()
    local output, status = run("wait_and_report", "INC-1", "laptop-17", "laptop-19", "nobody")
    assert.equal("exit 4", status)
    assert.truthy(output:find("laptop%-17%.corp%.example +Succeeded"))
    assert.truthy(output:find("laptop%-19%.corp%.example +.-Failed"))
    assert.truthy(output:find("knows no device", 1, true))
  end)

  it("morning_release leaves what others hold", function()
    local function restricted(name, comment, ago)
      tenant.action { computerDnsName = name, type = "RestrictCodeExecution", status = "Succeeded",
        requestorComment = comment, creationDateTimeUtc = ago, lastUpdateDateTimeUtc = ago }
    end
    restricted("laptop-17.corp.example", "night [mde:INC-1:operation-1]", "9h ago")
    restricted("desk-5", "night [mde:inc-1:operation-2]", "8h ago")
    tenant.action { computerDnsName = "laptop-17.corp.example", type = "Isolate", scope = "Full", status = "Succeeded",
      requestorComment = "night [mde:INC-1:operation-5]", creationDateTimeUtc = "9h ago",
      lastUpdateDateTimeUtc = "9h ago" }
    restricted("front-desk.corp.example", "night [mde:INC-10:operation-3]", "9h ago")
    restricted("o'brien-laptop.corp.example", "night [mde:INC-1:operation-4]", "9h ago")
    restricted("o'brien-laptop.corp.example", "I am not done with it", "2h ago")
    local before = #tenant.history "action_created"
    local output, status = run("morning_release", "INC-1")
    assert.equal("exit 0", status)
    assert.truthy(output:find("o'brien%-laptop%.corp%.example +release: left: also held by by hand"))
    assert.truthy(output:find("laptop%-17%.corp%.example +unisolate: accepted, release: accepted"))
    local machines = acted_on "UnrestrictCodeExecution"
    assert.same({ [LAPTOP] = 1, ["7f00000000000000000000000000000000000001"] = 1 }, machines)
    assert.same({ [LAPTOP] = 1 }, (acted_on "Unisolate"))
    assert.equal(before + 3, #tenant.history "action_created")
  end)

  it("nightly_expiry releases what was meant to end by now, and nothing that somebody else holds", function()
    local now = os.time()
    local function restricted(name, comment)
      tenant.action { computerDnsName = name, type = "RestrictCodeExecution", status = "Succeeded",
        requestorComment = comment, creationDateTimeUtc = "2h ago", lastUpdateDateTimeUtc = "2h ago" }
    end
    restricted("laptop-17.corp.example", ("night [mde:INC-1:operation-1.until.%d]"):format(now - 600))
    restricted("desk-5", ("night [mde:INC-1:operation-2.until.%d]"):format(now + 600))
    restricted("o'brien-laptop.corp.example", ("night [mde:INC-1:operation-3.until.%d]"):format(now - 600))
    restricted("o'brien-laptop.corp.example", "I am not done with it")
    for _ = 1, 2 do
      local output, status = run "nightly_expiry"
      assert.equal("exit 0", status)
      assert.truthy(output:find("o'brien%-laptop%.corp%.example +left: also held by by hand"))
      assert.same({ [LAPTOP] = 1 }, (acted_on "UnrestrictCodeExecution"))
    end
  end)

  it("escalation restricts, isolates where that fails, and calls a person", function()
    tenant.machine { id = LAPTOP, osPlatform = "macOS", version = "14", agentVersion = "101.98.84" }
    local output, status = run("escalation", "INC-7", "desk-5", "laptop-17", "laptop-19", "dc-01", "nobody")
    assert.equal("exit 4", status)
    assert.truthy(output:find("desk%-5 +restrict Succeeded"))
    assert.truthy(output:find("laptop%-17 +isolate Succeeded"))
    for _, name in ipairs { "laptop%-19", "dc%-01", "nobody" } do
      assert.truthy(output:find(name .. " +CALL A PERSON"), name)
    end
    -- What is protected is not touched in another way either.
    assert.equal(2, select(2, acted_on "Isolate"))
  end)

  it("nightly restricts ten an hour at the most, in however many processes", function()
    for i = 1, 15 do
      tenant.machine { id = ("%040x"):format(0xc0000 + i), computerDnsName = ("risky-%d.shop.example"):format(i),
        riskScore = "High" }
    end
    local output, status = run("nightly", "INC-2")
    assert.equal("exit 0", status)
    local _, count = acted_on "RestrictCodeExecution"
    assert.equal(10, count)
    assert.truthy(output:find("for the morning", 1, true))
    assert.truthy(output:find("risky%-%d+%.shop%.example +cap"))
    assert.truthy(output:find("sql%-1%.corp%.example +device_values"))
    local again = select(2, run("nightly", "INC-3"))
    assert.equal("exit 0", again)
    assert.equal(10, select(2, acted_on "RestrictCodeExecution"))
  end)
end)
