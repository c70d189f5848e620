-- Finding the machine that is meant: by what it may be called, by an address, and where the service is odd.
-- Labels: sanitized, not-lua5.3, caseless

local contexts = require "mde.sync.context"
local identities = require "mde.device.identity"
local mde = require "mde"
local rehearsal = require "tests.spec.support.rehearsal"

local LAPTOP = "1f00000000000000000000000000000000000017"

local function id(number)
  return ("%040x"):format(number)
end

describe("a device", function()
  local r

  -- The tests' own machines instead of the tenant's fleet.
  local function with(machines)
    r = rehearsal.new { machines = machines, unguarded = true }
    return r.client
  end

  describe("is found by", function()
    local awkward = "6f00000000000000000000000000000000000002"
    local odd = { id = id(0xab), computerDnsName = "50% & more #1 + c?=;'\"$.corp.example" }
    local spoken = { id = id(0xac), computerDnsName = "b\195\188ro-\231\148\181.corp.example" }

    for what, case in pairs {
      ["its machine id"] = { LAPTOP, LAPTOP },
      ["its machine id in capitals"] = { LAPTOP:upper(), LAPTOP },
      ["its Entra device id"] = { "17171717-0000-4000-8000-000000000017", LAPTOP },
      ["its Entra device id in capitals"] = { "60606060-0000-4000-8000-00000000000A", id(0xa0) },
      ["its full name"] = { "laptop-17.corp.example", LAPTOP },
      ["its full name in capitals"] = { "LAPTOP-17.Corp.Example", LAPTOP },
      ["its bare name"] = { "laptop-17", LAPTOP },
      ["its bare name in capitals"] = { "LAPTOP-17", LAPTOP },
      ["the name of one outside of any domain"] = { "desk-5", "7f00000000000000000000000000000000000001" },
      ["a name that is stored in capitals"] = { "SHOP-1.CORP.EXAMPLE", id(0xa1) },
      ["a name with a quote"] = { "o'brien-laptop", "6f00000000000000000000000000000000000001" },
      ["a name that looks like a filter"] = { "x' or healthStatus eq 'Active", awkward },
      ["a name of legal punctuation"] = { odd.computerDnsName:gsub("%?", "!"), odd.id },
      ["a name in another script"] = { spoken.computerDnsName, spoken.id },
      ["a machine that was found before"] = { { id = LAPTOP, computerDnsName = "an old name" }, LAPTOP },
    } do
      it(what, function()
        r = rehearsal.new()
        r.tenant:put_machine { id = id(0xa0), aadDeviceId = "60606060-0000-4000-8000-00000000000a" }
        r.tenant:put_machine { id = id(0xa1), computerDnsName = "SHOP-1.CORP.EXAMPLE" }
        r.tenant:put_machine { id = odd.id, computerDnsName = (odd.computerDnsName:gsub("%?", "!")) }
        r.tenant:put_machine(spoken)
        local machine = assert(r.client:machine(case[1]))
        assert.equal(case[2], machine.id)
        assert.is_nil(machine["@odata.context"])
        local action = assert(r.client:restrict(case[1], "why"))
        assert.equal(case[2], action.machineId)
        assert.equal(1, r:count "action_created")
      end)
    end

    it("its name, and no other machine is touched by one that looks like a filter", function()
      r = rehearsal.new()
      assert(r.client:restrict("x' or healthStatus eq 'Active", "why"))
      assert.equal(1, #r.tenant.actions)
      assert.equal("6f00000000000000000000000000000000000002", r.tenant.actions[1].machineId)
      local machine, err = r.client:machine "y' or healthStatus eq 'Active"
      assert.is_nil(machine)
      assert.equal("not_found", err.kind)
    end)

    it("a bare name that is only the beginning of others: not at all", function()
      local client = with { { id = id(1), computerDnsName = "desk-55.corp.example" } }
      local machine, err = client:machine "desk-5"
      assert.is_nil(machine)
      assert.equal("not_found", err.kind)
    end)
  end)

  describe("by a name that none has is not found,", function()
    -- What the error of each way to name it offers, by the machines' numbers; nothing may be sent.
    local function offered(name)
      local numbers, text
      for _, call in ipairs { r.client.machine, r.client.state, r.client.restrict, r.client.resolve } do
        local value, err = call(r.client, call == r.client.resolve and { name } or name,
          call == r.client.restrict and "why" or nil)
        if call == r.client.resolve then value, err = value[1].value, value[1].err end
        assert.is_nil(value)
        assert.same({ "not_found", "no_such_device" }, { err.kind, err.code })
        local own = {}
        for i, machine in ipairs(err.candidates or {}) do own[i] = tonumber(machine.id, 16) end
        assert.same(numbers or own, own)
        assert.equal(text or err.hint, err.hint)
        numbers, text = own, err.hint
      end
      assert.same({}, r:posts())
      return numbers, text
    end

    it("and those with the nearest names are offered: by distance, domain and when they were seen", function()
      with { { id = id(1), computerDnsName = "laptop-71.lab.example", lastSeen = "2026-02-03T10:11:12Z" },
        { id = id(2), computerDnsName = "LAPTOP-17.corp.example", lastSeen = "2026-01-01T00:00:00Z",
          osPlatform = "Windows10", healthStatus = "Inactive" },
        { id = id(3), computerDnsName = "laptop-7.corp.example", lastSeen = "2026-01-02T00:00:00Z" },
        { id = id(4), computerDnsName = "laptp-7" }, { id = id(5), computerDnsName = "desk-17.corp.example" } }
      local numbers, hint = offered "laptp-17.corp.example"
      assert.same({ 2, 4, 3, 1 }, numbers)
      assert.truthy(hint:find(("%s (LAPTOP-17.corp.example, Windows10, Inactive, last seen 2026-01-01T00:00:00Z)")
        :format(id(2)), 1, true), hint)
      assert.same({ 4, 2, 1, 3 }, (offered " LAPTP-17 "))
      assert.same({}, (offered "kiosk-17"))
    end)

    it("and a bare record is offered to a full name, as one of another domain is", function()
      with { { id = id(1), computerDnsName = "desk.lab.example", lastSeen = "2026-01-01T00:00:00Z" },
        { id = id(2), computerDnsName = "desk", lastSeen = "2026-01-02T00:00:00Z" } }
      assert.same({ 2, 1 }, (offered "desk.corp.example"))
    end)

    it("and one that was merged is not offered; five are at most, escaped", function()
      local machines = { { id = id(9), computerDnsName = "desk-19", mergedIntoMachineId = id(1) } }
      for i = 1, 7 do machines[i + 1] = { id = id(i), computerDnsName = ("desk\27[2J-%d"):format(i) } end
      with(machines)
      local numbers, hint = offered "desk\195\188[2J-1"
      assert.equal(5, #numbers)
      assert.equal(1, numbers[1])
      assert.is_true(rehearsal.is_one_line(hint))
      with { machines[1] }
      local none, check = offered "desk-18"
      assert.same({}, none)
      assert.truthy(check:find("Check the spelling", 1, true), check)
    end)
  end)

  it("is acted on by its id whatever its health", function()
    local client = with { { id = id(1), healthStatus = "Inactive", onboardingStatus = "CanBeOnboarded" } }
    assert.equal("accepted", assert(client:restrict(id(1), "why")).outcome)
  end)

  it("without a name is no obstacle to finding another", function()
    local client = with { { id = id(1) }, { id = id(2), computerDnsName = "desk.corp.example" } }
    assert.equal(id(2), assert(client:machine "desk").id)
  end)

  describe("when the service is odd:", function()
    local other = { id = id(9), computerDnsName = "somebody-else.corp.example", aadDeviceId = id(9):sub(1, 36) }

    for _, asked in ipairs { "desk", "desk.corp.example", "17171717-0000-4000-8000-000000000017" } do
      it("a list of other machines is not taken for an answer to " .. asked, function()
        local client = with { { id = id(1), computerDnsName = "desk.corp.example" } }
        r:answer({ path = "$filter" }, 200, { value = { other } }, { count = false })
        local action, err = client:restrict(asked, "why")
        assert.is_nil(action)
        assert.equal("protocol", err.kind)
        assert.same({}, r:posts())
      end)
    end

    it("other machines beside the right one are passed over", function()
      local client = with {}
      r:answer({ path = "$filter" }, 200, { value = { other, { id = id(1), computerDnsName = "desk.corp.example" } } })
      assert.equal(id(1), assert(client:machine "desk").id)
    end)

    for what, row in pairs {
      ["without an id"] = { computerDnsName = "desk" },
      ["with a number for an id"] = { id = 1, computerDnsName = "desk" },
      ["with a path for an id"] = { id = "../alerts", computerDnsName = "desk" },
    } do
      it("a row " .. what .. " makes no sense", function()
        local client = with {}
        r:answer({ path = "$filter" }, 200, { value = { row } }, { count = false })
        local machine, err = client:machine "desk"
        assert.is_nil(machine)
        assert.equal("protocol", err.kind)
      end)
    end

    it("texts that are no texts do not make it fall over", function()
      local client = with {}
      r:answer({ path = "$filter" }, 200, { value = {
        { id = id(1), computerDnsName = 17, healthStatus = true },
        { id = id(2), computerDnsName = "desk", healthStatus = 3, lastSeen = 4, onboardingStatus = "Onboarded" },
        { id = id(3), computerDnsName = "desk", healthStatus = { 1 }, lastSeen = true },
      } }, { count = false })
      local machine, err = client:machine "desk"
      assert.is_nil(machine)
      assert.equal("ambiguous", err.kind)
      assert.is_true(rehearsal.is_one_line(tostring(err)))
    end)

    -- What is found by the id, by the name, and what keeps it from being restricted; "" is nothing.
    for what, case in pairs {
      ["tags that are a text"] = { { machineTags = "tier0" }, "", "", "" },
      ["a platform that is a number"] = { { osPlatform = 5 }, "", "", "protected" },
      ["a name that is a number"] = { { computerDnsName = 7 }, "", "protocol", "protocol" },
      ["a survivor that is a number"] = { { mergedIntoMachineId = 9 }, "not_found", "not_found", "not_found" },
    } do
      it("a record with " .. what .. " costs that field", function()
        r = rehearsal.new { machines = { { id = id(1), computerDnsName = "desk" } } }
        local client, fields = r.client, case[1]
        local row = { id = id(1), computerDnsName = "desk", osPlatform = "Windows11" }
        for name, value in pairs(fields) do row[name] = value end
        r:answer({ method = "GET", path = "/machines/" }, 200, row, { count = false })
        r:answer({ method = "GET", path = "/machines?" }, 200, { value = { row } }, { count = false })
        local function kind_of(_, err) return err and err.kind or "" end
        assert.equal(case[2], kind_of(client:machine(id(1))))
        assert.equal(case[3], kind_of(client:machine "desk"))
        assert.equal(case[4], kind_of(client:restrict("desk", "why")))
        assert.equal(case[4] == "" and 1 or 0, #r:posts())
      end)
    end

    it("a 404 for a known machine is asked once more", function()
      local client = with { { id = id(1) } }
      r:answer({ path = "/machines/" .. id(1), nth = 1 }, 404, "")
      assert.equal(id(1), assert(client:machine(id(1))).id)
      assert.equal(2, #r:requests())
    end)

    it("a second 404 is believed, and nothing is sent", function()
      local client = with { { id = id(1) } }
      r:answer({ method = "GET", path = "/machines/" .. id(1) }, 404, "", { count = 2 })
      local action, err = client:restrict(id(1), "why")
      assert.is_nil(action)
      assert.equal("not_found", err.kind)
      assert.same({}, r:posts())
    end)

    it("the record of another machine is not taken for the one that was asked for", function()
      local client = with { { id = id(1) } }
      r:answer({ path = "/machines/" .. id(1) }, 200, other, { count = false })
      local machine, err = client:machine(id(1))
      assert.is_nil(machine)
      assert.equal("protocol", err.kind)
    end)
  end)

  describe("whose record may not be read", function()
    before_each(function() r = rehearsal.new { roles = { "Machine.RestrictExecution" }, unguarded = true } end)

    it("is restricted all the same if its id is known and nothing is guarded", function()
      local action = assert(r.client:restrict("1f00000000000000000000000000000000000017", "why"))
      assert.equal("accepted", action.outcome)
      assert.is_false(action.looked)
    end)

    it("is not looked for by a name, and the missing permission is named", function()
      local action, err = r.client:restrict("laptop-17", "why")
      assert.is_nil(action)
      assert.equal("permission", err.kind)
      assert.truthy(err.hint:find("Machine.Read.All", 1, true))
      assert.same({}, r:posts())
    end)
  end)

  it("that is a machine is read anew when its record is asked for", function()
    local client = with { { id = id(1), computerDnsName = "desk" } }
    local before = assert(client:machine "desk")
    r.tenant:put_machine { id = id(1), riskScore = "High" }
    assert.equal("High", assert(client:machine(before)).riskScore)
    assert.equal("None", before.riskScore)
  end)

  it("that is a machine is not read again before an action", function()
    local client = with { { id = id(1), computerDnsName = "desk" } }
    assert(client:restrict({ id = id(1):upper() }, "why"))
    assert.equal(2, #r:requests())
    assert.truthy(r:requests()[1]:find "^GET /api/machineactions")
    assert.equal("POST /api/machines/" .. id(1) .. "/restrictCodeExecution", r:requests()[2])
  end)
end)

describe("the machine that had an address", function()
  it("is found by the address and the time", function()
    local r = rehearsal.new()
    local at = r.tenant.clock.now() - 4 * 3600
    local machine = assert(r.client:machine { ip = "192.0.2.31", at = at })
    assert.equal("3f00000000000000000000000000000000000001", machine.id)
    assert.is_function(machine.restrict)
    assert.equal(("GET /api/machines/findbyip(ip='192.0.2.31',timestamp=%s)"):format(
      os.date("!%Y-%m-%dT%H:%M:%SZ", math.floor(at))), r:requests()[1])
  end)

  it("can be said in any way to say a time", function()
    local r = rehearsal.new()
    local at = math.floor(r.tenant.clock.now() - 4 * 3600)
    for _, time in ipairs { mde.ago "4h", os.date("!%Y-%m-%dT%H:%M:%SZ", at), os.date("*t", at), at + 0.5 } do
      assert.equal("3f00000000000000000000000000000000000001",
        assert(r.client:machine { ip = "192.0.2.31", at = time }).id)
    end
  end)

  it("is not found where nobody had it", function()
    local r = rehearsal.new()
    local machine, err = r.client:machine { ip = "203.0.113.99", at = mde.ago "1h" }
    assert.is_nil(machine)
    assert.equal("not_found", err.kind)
    assert.truthy(tostring(err):find('machine { ip = "203.0.113.99" }: ', 1, true), tostring(err))
    assert.truthy(err.hint:find("quarter of an hour", 1, true))
  end)

  it("is ambiguous where two had it", function()
    local r = rehearsal.new()
    r.tenant:put_machine { id = LAPTOP, lastIpAddress = "192.0.2.31" }
    local machine, err = r.client:machine { ip = "192.0.2.31", at = mde.ago "3h" }
    assert.is_nil(machine)
    assert.equal("ambiguous", err.kind)
    assert.equal(2, #err.candidates)
  end)

  it("is an error where the service lists something else", function()
    local r = rehearsal.new()
    for _, value in ipairs { { value = "none" }, { value = { { id = "../x" } } }, { value = { "row" } } } do
      r.tenant.faults:clear()
      r:answer({ path = "findbyip" }, 200, value, { count = false })
      local machine, err = r.client:machine { ip = "192.0.2.31", at = mde.ago "3h" }
      assert.is_nil(machine)
      assert.equal("protocol", err.kind)
    end
  end)

  it("is none where the service calls that not found", function()
    local r = rehearsal.new()
    r:answer({ path = "findbyip" }, 404, { error = { code = "ResourceNotFound", message = "none" } })
    local machine, err = r.client:machine { ip = "192.0.2.31", at = mde.ago "3h" }
    assert.is_nil(machine)
    assert.equal("not_found", err.kind)
    assert.truthy(err.message:find("with the address 192.0.2.31 at ", 1, true))
  end)

  it("is not looked for by what is no address or no time of the last 30 days", function()
    local r = rehearsal.new()
    local now = r.tenant.clock.now()
    local wrong = {
      { ip = "192.0.2.31" }, { at = now }, { ip = "laptop-17", at = now }, { ip = "", at = now }, { ip = 7, at = now },
      { ip = "192.0.2.256", at = now }, { ip = "192.0.2.31", at = "yesterday" },
      { ip = "192.0.2.31", at = mde.ago "31d" },
      { ip = "192.0.2.31", at = now + 86400 }, { ip = "192.0.2.31", at = now, tag = "x" },
      { ip = "192.0.2.31') or (1 eq 1", at = now },
    }
    for _, owner in ipairs(wrong) do rehearsal.refused(r.client.machine, r.client, owner) end
    assert.same({}, r:requests())
  end)

  for what, case in pairs {
    ["no address"] = { { at = "2026-02-03" }, "ip is missing", "Say which address it was" },
    ["no time"] = { { ip = "192.0.2.31" }, "at is missing", "mde.ago" },
    ["a name for the address"] = { { ip = "laptop-17", at = 1 }, 'ip is "laptop-17", which is not an IP address',
      "given alone" },
    ["a table for the address"] = { { ip = {}, at = 1 }, "ip is a table", "10.1.2.3" },
    ["a word for the time"] = { { ip = "192.0.2.31", at = "now" }, 'at: "now" is not a time', "Unix seconds" },
    ["an impossible date"] = { { ip = "192.0.2.31", at = { year = 2026, month = 2, day = 30 } }, "has no day 30" },
    ["a time long ago"] = { { ip = "192.0.2.31", at = "2020-01-01" }, "not lie in the last 30 days", "remembers" },
    ["another field"] = { { ip = "192.0.2.31", at = 1, [{}] = 1 }, "has no field a table", "mde.ago" },
  } do
    it("is not looked for with " .. what .. ", and it is said what to write", function()
      local r = rehearsal.new()
      local err = rehearsal.refused(r.client.machine, r.client, case[1])
      assert.truthy(err.message:find("mde.machine { ip, at }", 1, true), err.message)
      assert.truthy(err.message:find(case[2], 1, true), err.message)
      if case[3] then assert.truthy(err.hint:find(case[3], 1, true), err.hint) end
      assert.is_nil(tostring(err):find "0x%x%x")
    end)
  end

  it("has to be found before it is acted on", function()
    local r = rehearsal.new()
    for _, device in ipairs { "192.0.2.31", { ip = "192.0.2.31", at = mde.ago "3h" } } do
      local err = rehearsal.refused(r.client.restrict, r.client, device, "why")
      assert.truthy(err.hint:find("mde.machine { ip", 1, true), err.hint)
    end
    assert.same({}, r:requests())
  end)

  it("is found by an IPv6 address, whatever stands around it", function()
    local r = rehearsal.new()
    r.tenant:put_machine { id = LAPTOP, lastIpAddress = "2001:db8::17" }
    assert.equal(LAPTOP, assert(r.client:machine { ip = "[2001:DB8::17]", at = mde.ago "3h" }).id)
  end)
end)

describe("the inventory", function()
  local r, inventory

  local function with(machines, options)
    options = options or {}
    options.machines, options.unguarded = machines, true
    r = rehearsal.new(options)
    inventory = r.client.inventory
  end

  local function context(seconds) return contexts.new(r.driver.now, seconds) end

  it("keeps of a machine what the service said, and when, whatever a program writes into its table", function()
    with { { id = id(1), computerDnsName = "desk", machineTags = { "tier0" } } }
    r.tenant:advance(50)
    local machine = inventory:adopt({ id = id(1):upper(), machineTags = { "tier0" }, ["@odata.context"] = "x",
      restrict = "theirs", mergedIntoMachineId = "" }, r.driver.now() - 20)
    machine.machineTags[1] = "other"
    assert.same({ id = id(1), machineTags = { "tier0" }, read_at = r.driver.now() - 20 },
      inventory:record_of(machine))
    assert.is_function(machine.restrict)
    assert.same({ id = id(1):upper(), machineTags = { "other" } }, machine)
    assert.equal(r.driver.now(), inventory:record_of(inventory:adopt { id = id(2) }).read_at)
    assert.is_nil(inventory:record_of { id = id(1) })
  end)

  it("knows nothing of a machine that is outlined", function()
    with {}
    local machine = inventory:outline { id = id(1), computerDnsName = "desk" }
    assert.is_nil(inventory:record_of(machine))
    assert.is_function(machine.release)
    assert.equal("desk", tostring(machine))
  end)

  describe("tells a record that is fresh", function()
    local machine

    before_each(function()
      with { { id = id(1), computerDnsName = "desk", osPlatform = "Windows11" } }
      machine = assert(inventory:read(id(1), context()))
      r.tenant.history = {}
    end)

    it("as it is known, if that is not older than it may be", function()
      r.tenant:advance(300)
      local record = assert(inventory:fresh_record(machine, 300, context()))
      assert.equal(inventory:record_of(machine), record)
      assert.same({}, r:requests())
    end)

    it("as it is read again, if it is older; and that is known of the table that was given, too", function()
      r.tenant:put_machine { id = id(1), osPlatform = "Windows10" }
      r.tenant:advance(300.5)
      local record = assert(inventory:fresh_record(machine, 300, context()))
      assert.same({ "Windows10", r.driver.now() }, { record.osPlatform, record.read_at })
      assert.equal(record, inventory:record_of(machine))
      assert.equal(1, #r:requests())
    end)

    it("as it is read, if nothing was", function()
      assert.equal("Windows11", assert(inventory:fresh_record({ id = id(1) }, 300, context())).osPlatform)
      assert.equal(1, #r:requests())
    end)

    it("unless it cannot be read, or the machine was merged", function()
      r:answer({ path = "/machines/" }, 403, "")
      local record, err = inventory:fresh_record({ id = id(1) }, 300, context())
      assert.is_nil(record)
      assert.equal("permission", err.kind)
      r.tenant:put_machine { id = id(1), mergedIntoMachineId = id(2) }
      r.tenant:advance(301)
      record, err = inventory:fresh_record(machine, 300, context())
      assert.is_nil(record)
      assert.matches("merged", err.message)
    end)
  end)

  describe("resolves a table", function()
    it("to itself, unread", function()
      with { { id = id(1) } }
      local machine = { id = id(1) }
      assert.equal(machine, (inventory:resolve(machine, context())))
      assert.same({}, r.tenant.history)
      machine = assert(inventory:read(id(1), context()))
      assert.equal(machine, (inventory:resolve(machine, context())))
      assert.equal(1, #r:requests())
    end)

    it("to nothing where the service said that it was merged, whatever the table says", function()
      with {}
      local machine = inventory:adopt { id = id(1), mergedIntoMachineId = id(2) }
      machine.mergedIntoMachineId = nil
      local found, err = inventory:resolve(machine, context())
      assert.is_nil(found)
      assert.same({ "not_found", id(2) }, { err.kind, err.candidates[1].id })
      assert.same({}, r.tenant.history)
    end)

    it("by reading where it got the id of another machine", function()
      with { { id = id(1) }, { id = id(2), computerDnsName = "desk-2" } }
      local machine = assert(inventory:read(id(1), context()))
      machine.id = id(2):upper()
      local found = assert(inventory:resolve(machine, context()))
      assert.equal("desk-2", found.computerDnsName)
      assert.not_equal(machine, found)
    end)
  end)

  it("resolves several identifiers to the machine that all of them mean", function()
    with { { id = id(1), computerDnsName = "desk" } }
    assert.equal(id(1), assert(inventory:resolve(identities.new { "desk", id(1) }, context())).id)
    assert.equal("ambiguous", select(2, inventory:resolve(identities.new { "desk", id(2) }, context())).kind)
    assert.equal("not_found", select(2, inventory:resolve(identities.new { "desk-2", id(1) }, context())).kind)
  end)

  it("finds an Entra id in whatever case the record has it", function()
    with {}
    local guid = "6060606a-0000-4000-8000-00000000000a"
    r:answer({ path = "aadDeviceId" }, 200, { value = { { id = id(1), aadDeviceId = guid:upper() } } })
    assert.equal(id(1), assert(inventory:resolve(guid, context())).id)
  end)

  describe("compares a name with all machines", function()
    for what, answer in pairs { ["is told of none"] = { 200, '{"value":[]}' }, ["is told 404"] = { 404, "" },
      ["may not filter by it"] = { 400, { error = { code = "ODataError", message = "no" } } },
      ["is told of one that is not in use"] = { 200, { value = { { id = id(2), computerDnsName = "desk",
        healthStatus = "Inactive" } } } } } do
      it("where it " .. what, function()
        with { { id = id(1), computerDnsName = "Desk.corp.example" } }
        r:answer({ path = "$filter=computerDnsName" }, answer[1], answer[2])
        assert.equal(id(1), assert(inventory:resolve("desk", context())).id)
        assert.equal(2, #r:requests())
      end)
    end

    it("but not an Entra id, nor one that was found", function()
      with { { id = id(1), computerDnsName = "desk" } }
      assert(inventory:resolve("desk", context()))
      assert.is_nil((inventory:resolve("17171717-0000-4000-8000-000000000017", context())))
      assert.equal(2, #r:requests())
    end)

    it("and lets go of that list, once it is five minutes old, with whatever it is asked next", function()
      with { { id = id(1) } }
      assert.is_nil((inventory:resolve("desk", context())))
      assert.is_table(inventory.all_machines.rows)
      r.tenant:advance(301)
      assert(inventory:resolve({ id = id(1) }, context()))
      assert.is_nil(inventory.all_machines.rows)
    end)
  end)

  describe("asks for an id once more where the service says 404,", function()
    it("two seconds later", function()
      with { { id = id(1) } }
      r:answer({ path = "/machines/" }, 404, "")
      local before = r.driver.now()
      assert.equal(id(1), assert(inventory:read(id(1), context(2.5))).id)
      assert.equal(2, r.driver.now() - before)
    end)

    it("unless there is no time for that", function()
      with { { id = id(1) } }
      assert(inventory:read(id(1), context()))
      r.tenant.history = {}
      r:answer({ path = "/machines/" }, 404, "")
      local machine, err = inventory:read(id(1), context(2))
      assert.is_nil(machine)
      assert.equal("the service knows no machine " .. id(1), err.message)
      assert.equal(1, #r:requests())
    end)
  end)

  it("writes a machine's id as it was asked for", function()
    with {}
    r:answer({ path = "/machines/" }, 200, { id = id(0xab):upper() })
    assert.equal(id(0xab), assert(inventory:read(id(0xab), context())).id)
  end)
end)
