-- Which machine is meant: by what it may be called, and when that is not enough to act.
-- Labels: sanitized, caseless

local devices = require "mde.device.device"
local rehearsal = require "tests.spec.support.rehearsal"

local null = rehearsal.null

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
    local laptop = "1f00000000000000000000000000000000000017"
    local awkward = "6f00000000000000000000000000000000000002"
    local odd = { id = id(0xab), computerDnsName = "50% & more #1 + c?=;'\"$.corp.example" }
    local spoken = { id = id(0xac), computerDnsName = "b\195\188ro-\231\148\181.corp.example" }

    for what, case in pairs {
      ["its machine id"] = { laptop, laptop },
      ["its machine id in capitals"] = { laptop:upper(), laptop },
      ["its Entra device id"] = { "17171717-0000-4000-8000-000000000017", laptop },
      ["its Entra device id in capitals"] = { "60606060-0000-4000-8000-00000000000A", id(0xa0) },
      ["its full name"] = { "laptop-17.corp.example", laptop },
      ["its full name in capitals"] = { "LAPTOP-17.Corp.Example", laptop },
      ["its bare name"] = { "laptop-17", laptop },
      ["its bare name in capitals"] = { "LAPTOP-17", laptop },
      ["the name of one outside of any domain"] = { "desk-5", "7f00000000000000000000000000000000000001" },
      ["a name that is stored in capitals"] = { "SHOP-1.CORP.EXAMPLE", id(0xa1) },
      ["a name with a quote"] = { "o'brien-laptop", "6f00000000000000000000000000000000000001" },
      ["a name that looks like a filter"] = { "x' or healthStatus eq 'Active", awkward },
      ["a name of legal punctuation"] = { odd.computerDnsName:gsub("%?", "!"), odd.id },
      ["a name in another script"] = { spoken.computerDnsName, spoken.id },
      ["a machine that was found before"] = { { id = laptop, computerDnsName = "an old name" }, laptop },
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

  describe("that cannot be one is refused without any request:", function()
    local guid = "17171717-0000-4000-8000-000000000017"

    for what, case in pairs {
      ["nothing"] = { nil, "not nil" },
      ["a number"] = { 17, "not a number" },
      ["a boolean"] = { true, "not a boolean" },
      ["an empty text"] = { "", "empty" },
      ["white space"] = { " \194\160 ", "white space" },
      ["an IPv4 address"] = { "192.0.2.10", "IP address" },
      ["an IPv6 address"] = { "2001:db8::17", "IP address" },
      ["an IPv6 address in brackets"] = { "[2001:db8::17]", "IP address" },
      ["an IPv6 address with a zone"] = { "fe80::1%eth0", "IP address" },
      ["a NUL"] = { "laptop\0-17", "control character" },
      ["a line feed"] = { "laptop-17\n", "control character" },
      ["an escape sequence"] = { "\27[31mlaptop-17", "control character" },
      ["a C1 control character"] = { "laptop\194\155-17", "control character" },
      ["a delete"] = { "laptop\127", "control character" },
      ["invalid UTF-8"] = { "laptop\255", "UTF-8" },
      ["an overlong form"] = { "laptop\192\175", "UTF-8" },
      ["more than 255 bytes"] = { ("x"):rep(256), "255" },
      ["a machine id that lost a digit"] = { ("a"):rep(39), "39 hex digits" },
      ["a machine id that won a digit"] = { ("a"):rep(41), "41 hex digits" },
      ["a GUID without dashes"] = { (guid:gsub("-", "")), "Entra device id" },
      ["a GUID in braces"] = { "{" .. guid .. "}", "Entra device id" },
      ["a GUID that lost a digit"] = { guid:sub(1, -2), "Entra device id" },
      ["the all-zero GUID"] = { "00000000-0000-0000-0000-000000000000", "all-zero" },
      ["a slash"] = { "corp/laptop-17", "/" },
      ["a domain before a backslash"] = { "CORP\\laptop-17", "\\" },
      ["a glob"] = { "laptop-*", "*" },
      ["a question mark"] = { "laptop-1?", "?" },
      ["a port"] = { "laptop-17:443", ":" },
      ["an angle bracket"] = { "<laptop>", "<" },
      ["a pipe"] = { "laptop|17", "|" },
      ["a machine without an id"] = { { computerDnsName = "laptop-17.corp.example" }, "no id" },
      ["a machine whose id is a name"] = { { id = "laptop-17" }, "no id" },
      ["a machine whose id is a number"] = { { id = 17 }, "no id" },
      ["an action"] = { { id = guid, machineId = id(1) }, "no id" },
    } do
      it(what, function()
        r = rehearsal.new()
        for _, call in ipairs {
          function(device) return r.client:restrict(device, "why") end,
          function(device) return r.client:release(device, "why", { look = false }) end,
          function(device) return r.client:machine(device) end,
          function(device) return r.client:state(device) end,
        } do
          local err = rehearsal.refused(call, case[1])
          assert.truthy(err.message:find(case[2], 1, true), err.message)
          assert.is_true(rehearsal.is_one_line(tostring(err)), tostring(err))
        end
        assert.same({}, r.tenant.history)
      end)
    end
  end)

  describe("with several records", function()
    it("is the one that is onboarded, active and not merged", function()
      r = rehearsal.new()
      for _, name in ipairs { "front-desk", "front-desk.corp.example", "20202020-0000-4000-8000-000000000001" } do
        assert.equal("2f00000000000000000000000000000000000001", assert(r.client:machine(name)).id)
      end
    end)

    local name = "desk.corp.example"
    local gone = "12121212-0000-4000-8000-000000000001"

    for what, case in pairs {
      ["ignores merged ones"] = { wanted = 2,
        { id = id(1), mergedIntoMachineId = id(2) }, { id = id(2) } },
      ["ignores those that are not onboarded"] = { wanted = 2,
        { id = id(1), onboardingStatus = "CanBeOnboarded" }, { id = id(2) } },
      ["ignores inactive ones while another is not"] = { wanted = 2,
        { id = id(1), healthStatus = "Inactive" }, { id = id(2), healthStatus = "ImpairedCommunication" } },
      ["takes an inactive one if there is no other"] = { wanted = 1,
        { id = id(1), healthStatus = "inactive" }, { id = id(2), mergedIntoMachineId = id(1) } },
      ["takes one without an onboarding status for onboarded"] = { wanted = 1,
        { id = id(1), onboardingStatus = null }, { id = id(2), onboardingStatus = "Unsupported" } },
      ["takes one whose health is not told for a living one"] = { wanted = 1,
        { id = id(1), healthStatus = null }, { id = id(2), healthStatus = "Inactive" } },
    } do
      it(what, function()
        for _, machine in ipairs(case) do
          machine.computerDnsName, machine.aadDeviceId = name, gone
        end
        local client = with(case)
        for _, asked in ipairs { name, "desk", gone } do
          assert.equal(id(case.wanted), assert(client:machine(asked)).id)
        end
      end)
    end

    it("is ambiguous if several live: all are listed, the one seen last first, and nothing is sent", function()
      r = rehearsal.new()
      local action, err = r.client:restrict("kiosk", "why")
      assert.is_nil(action)
      assert.equal("ambiguous", err.kind)
      assert.equal("3f00000000000000000000000000000000000001", err.candidates[1].id)
      assert.equal("3f00000000000000000000000000000000000002", err.candidates[2].id)
      for _, machine in ipairs(err.candidates) do
        assert.truthy(err.message:find(machine.id, 1, true))
        assert.truthy(err.message:find(machine.lastSeen, 1, true))
      end
      assert.truthy(tostring(err):find('^restrict "kiosk": 2 devices answer to "kiosk"'))
      assert.is_true(rehearsal.is_one_line(tostring(err)))
      assert.same({}, r:posts())
    end)

    it("is ambiguous if several are inactive and none is not", function()
      local client = with {
        { id = id(1), computerDnsName = name, healthStatus = "Inactive" },
        { id = id(2), computerDnsName = name, healthStatus = "Inactive" },
      }
      assert.equal("ambiguous", select(2, client:machine(name)).kind)
    end)

    it("is ambiguous if one bare name stands in two domains", function()
      local client = with {
        { id = id(1), computerDnsName = "desk.corp.example" }, { id = id(2), computerDnsName = "desk.lab.example" },
      }
      assert.equal("ambiguous", select(2, client:machine "desk").kind)
      assert.equal(id(2), assert(client:machine "desk.lab.example").id)
    end)

    it("shows five candidates and says how many more there are", function()
      local machines = {}
      for i = 1, 7 do machines[i] = { id = id(i), computerDnsName = name } end
      local _, err = with(machines):machine(name)
      assert.equal(7, #err.candidates)
      assert.truthy(err.message:find("; 2 more", 1, true))
    end)

    it("shows hostile names of candidates escaped", function()
      local _, err = with {
        { id = id(1), computerDnsName = "desk.\27[2Jcorp" }, { id = id(2), computerDnsName = "desk.\226\128\174" },
      }:machine "desk"
      assert.equal("ambiguous", err.kind)
      assert.is_true(rehearsal.is_one_line(tostring(err)))
      assert.is_nil(tostring(err):find "\226\128\174")
    end)
  end)

  describe("that cannot be acted on", function()
    local function not_found(client, device, ...)
      for _, call in ipairs { client.machine, client.state, client.restrict } do
        local value, err = call(client, device, call == client.restrict and "why" or nil)
        assert.is_nil(value)
        assert.equal("not_found", err.kind)
        for _, part in ipairs { ... } do assert.truthy(tostring(err):find(part, 1, true), tostring(err)) end
        assert.is_true(rehearsal.is_one_line(tostring(err)))
      end
      assert.same({}, r:posts())
    end

    it("is not known", function()
      not_found(with {}, "nowhere.corp.example", "nowhere.corp.example", "Check the spelling")
      not_found(with {}, id(1), "the service knows no machine " .. id(1))
      not_found(with {}, "17171717-0000-4000-8000-000000000017", "17171717-0000-4000-8000-000000000017")
    end)

    it("is not known where the service says so with 404", function()
      local client = with {}
      r:answer({ path = "$filter" }, 404, { error = { code = "ResourceNotFound", message = "none" } },
        { count = false })
      not_found(client, "nowhere", "Check the spelling")
    end)

    it("was merged into another: that one is named, however it is asked for", function()
      local client = with { { id = id(1), computerDnsName = "desk", mergedIntoMachineId = id(2) } }
      not_found(client, id(1), "merged", id(2))
      not_found(client, "desk", "merged", id(2))
      assert.equal(id(2), select(2, client:machine(id(1))).candidates[1].id)
    end)

    it("is a machine that was merged: refused without a request", function()
      local client = with { { id = id(1) } }
      local _, err = client:restrict({ id = id(1), mergedIntoMachineId = id(2) }, "why")
      assert.equal("not_found", err.kind)
      assert.same({}, r.tenant.history)
    end)

    it("is merged in one record and not onboarded in the other", function()
      not_found(with {
        { id = id(1), computerDnsName = "desk", mergedIntoMachineId = id(3) },
        { id = id(2), computerDnsName = "desk", onboardingStatus = "CanBeOnboarded" },
      }, "desk", "not onboarded", id(3))
    end)

    it("is known, but not onboarded", function()
      local client = with { { id = id(1), computerDnsName = "desk", onboardingStatus = "InsufficientInfo" } }
      not_found(client, "desk", "not onboarded", "InsufficientInfo")
      assert.equal(id(1), select(2, client:machine "desk").candidates[1].id)
    end)
  end)

  it("is merged into nothing, and onboarded for all that is known, where the service writes an empty text", function()
    for _, device in ipairs { "desk", id(1) } do
      local client = with { { id = id(1), computerDnsName = "desk", mergedIntoMachineId = "", onboardingStatus = "" } }
      local machine = assert(client:machine(device))
      assert.is_nil(machine.mergedIntoMachineId)
      assert.equal("accepted", assert(client:restrict(machine, "why", { look = false })).outcome)
    end
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
      assert.equal("protocol", err.kind)
      assert.is_true(rehearsal.is_one_line(tostring(err)))
    end)

    for what, fields in pairs { ["tags that are a text"] = { machineTags = "tier0" },
      ["a platform that is a number"] = { osPlatform = 5 }, ["a name that is a number"] = { computerDnsName = 7 },
      ["a survivor that is a number"] = { mergedIntoMachineId = 9 } } do
      it("a record with " .. what .. " is none, by its id and by its name", function()
        local client = with { { id = id(1), computerDnsName = "desk" } }
        local row = { id = id(1), computerDnsName = "desk", osPlatform = "Windows11" }
        for name, value in pairs(fields) do row[name] = value end
        r:answer({ method = "GET", path = "/machines/" }, 200, row, { count = false })
        r:answer({ method = "GET", path = "$filter" }, 200, { value = { row } }, { count = false })
        for _, device in ipairs { id(1), "desk" } do
          local machine, err = client:machine(device)
          assert.is_nil(machine)
          assert.equal("protocol", err.kind)
        end
        assert.equal("protocol", select(2, client:restrict("desk", "why")).kind)
        assert.same({}, r:posts())
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

  it("is shown by its name, else its id", function()
    assert.equal('"desk"', devices.shown { id = id(1), computerDnsName = "desk" })
    assert.equal('"' .. id(1) .. '"', devices.shown { id = id(1) })
    assert.equal('"desk"', devices.shown "desk")
    assert.equal('"a machine"', devices.shown {})
  end)
end)
