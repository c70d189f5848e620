-- Names have one form, whether or not the tenant regards case: what one function finds, each finds, and what is found
-- at the first request costs no more.
-- Labels: not-lua5.3

local mde = require "mde"
local odata = require "tests.spec.support.odata"
local rehearsal = require "tests.spec.support.rehearsal"

local function id(number)
  return ("%040x"):format(number)
end

local TENANTS = { "exact", "caseless" }
local SMALL, CAPITAL, MIXED = "laptop-17.corp.example", "LAPTOP-17.CORP.EXAMPLE", "Laptop-17.Corp.example"

-- What a person may type, and whether it is stored so.
local TYPED = { SMALL, CAPITAL, MIXED, "lapTOP-17.corp.EXAMPLE", SMALL .. ".", " " .. CAPITAL .. ". ",
  "\194\160" .. MIXED .. "\227\128\128" }

describe("a condition on names or tags becomes OData:", function()
  odata.tests {
    { { computerDnsName = "o'brien.corp.example" }, "computerDnsName eq 'o''brien.corp.example' or "
      .. "computerDnsName eq 'O''BRIEN.CORP.EXAMPLE'" },
    { { computerDnsName = { "17", "17." } }, "computerDnsName eq '17'" },
    { { computerDnsName = mde.ne "Desk-5" }, "computerDnsName ne 'Desk-5'" },
    { { computerDnsName = mde.none_of { mde.ne "Desk-5" } }, "not ((computerDnsName ne 'Desk-5' and "
      .. "computerDnsName ne 'desk-5' and computerDnsName ne 'DESK-5'))" },
    { { computerDnsName = mde.none_of { mde.none_of { "Desk-5" } } }, "not (not (computerDnsName eq 'Desk-5' or "
      .. "computerDnsName eq 'desk-5' or computerDnsName eq 'DESK-5'))" },
    { { computerDnsName = "x' or 1 eq 1 or 'a" }, "computerDnsName eq 'x'' or 1 eq 1 or ''a' or "
      .. "computerDnsName eq 'X'' OR 1 EQ 1 OR ''A'" },
    { { computerDnsName = mde.startswith "lap'" },
      "startswith(computerDnsName,'lap''') or startswith(computerDnsName,'LAP''')" },
    { { computerDnsName = mde.startswith " desk-5." },
      "startswith(computerDnsName,'desk-5.') or startswith(computerDnsName,'DESK-5.')" },
    { { computerDnsName = mde.endswith ".Example. " }, "endswith(computerDnsName,'.Example') or "
      .. "endswith(computerDnsName,'.example') or endswith(computerDnsName,'.EXAMPLE')" },
    { { computerDnsName = mde.contains "-17." }, "contains(computerDnsName,'-17.')" },
    { { computerDnsName = mde.none_of { "a", mde.startswith "lab-" } },
      "not (computerDnsName eq 'a' or startswith(computerDnsName,'lab-'))" },
    { { computerDnsName = mde.all_of { mde.startswith "lab-", mde.none_of { "lab-1", "lab-2" } } },
      "((startswith(computerDnsName,'lab-') or startswith(computerDnsName,'LAB-')) and "
        .. "not (computerDnsName eq 'lab-1' or computerDnsName eq 'lab-2'))" },
    { { machineTags = mde.has "It's" },
      "machineTags/any(t: t eq 'It''s') or machineTags/any(t: t eq 'it''s') or machineTags/any(t: t eq 'IT''S')" },
    { { machineTags = mde.any_of { mde.has "1", mde.has " 2." } },
      "machineTags/any(t: t eq '1') or machineTags/any(t: t eq ' 2.')" },
    { { machineTags = mde.none_of { mde.has "tier0" } }, "not (machineTags/any(t: t eq 'tier0'))" },
  }
end)

for _, comparison in ipairs(TENANTS) do
  describe(("names in a tenant that is %s"):format(comparison), function()
    local r

    local function with(machines, options)
      options = options or {}
      options.machines, options.comparison, options.unguarded = machines, comparison, true
      r = rehearsal.new(options)
      return r.client
    end

    local function ids_of(client, query)
      local ids = {}
      for machine in client:machines(query) do ids[#ids + 1] = machine.id end
      table.sort(ids)
      return ids
    end

    -- Whether the tenant finds what is stored so, if it is asked for in the three spellings of what was typed.
    local function is_found_at_once(stored, typed)
      return comparison == "caseless" or stored ~= MIXED or typed:find(MIXED, 1, true) ~= nil
    end

    for _, stored in ipairs { SMALL, CAPITAL, MIXED } do
      for _, typed in ipairs(TYPED) do
        it(("%s is found by %q"):format(stored, typed), function()
          local requests = is_found_at_once(stored, typed) and 1 or 2
          for _, device in ipairs { typed, (typed:gsub("%.[%a.]+", "")) } do
            local client = with { { id = id(17), computerDnsName = stored }, { id = id(18), computerDnsName = "other" },
              { id = id(19), computerDnsName = "laptop-171.corp.example" } }
            local machine, err = client:machine(device)
            assert.equal(id(17), machine and machine.id, tostring(err))
            if device == typed then assert.equal(requests, #r:requests()) end
          end
          for _, query in ipairs { { computerDnsName = typed }, { computerDnsName = mde.any_of { typed } },
            { computerDnsName = typed, osPlatform = "Windows11" } } do
            local client = with { { id = id(17), computerDnsName = stored }, { id = id(18), computerDnsName = "other" },
              { id = id(19), computerDnsName = "laptop-171.corp.example" } }
            assert.same({ id(17) }, ids_of(client, query))
            assert.equal(requests, #r:requests())
          end
        end)
      end

      for what, fields in pairs { ["is not in use"] = { healthStatus = "Inactive" },
        ["was merged away"] = { mergedIntoMachineId = id(17) },
        ["is not onboarded"] = { onboardingStatus = "InsufficientInfo" } } do
        it(("%s means the one in use, where another record of the name %s"):format(stored, what), function()
          for _, other in ipairs { SMALL, CAPITAL, MIXED } do
            local old = { id = id(16), computerDnsName = other }
            for name, value in pairs(fields) do old[name] = value end
            local client = with { old, { id = id(17), computerDnsName = stored } }
            local machine, err = client:machine(other)
            assert.equal(id(17), machine and machine.id, tostring(err))
          end
        end)
      end

      it(stored .. " is found by a beginning, an end and a part, whatever their case", function()
        local client = with { { id = id(17), computerDnsName = stored }, { id = id(18), computerDnsName = "other" } }
        for _, condition in ipairs { mde.startswith "LAPTOP-1", mde.startswith "laptop-17.", mde.startswith "lapTop",
          mde.endswith ".corp.EXAMPLE", mde.endswith "Example.", mde.contains "TOP-17.c", mde.contains "Top" } do
          assert.same({ id(17) }, ids_of(client, { computerDnsName = condition }))
        end
      end)

      it(stored .. " is excluded in whatever spelling", function()
        local client = with { { id = id(17), computerDnsName = stored }, { id = id(18), computerDnsName = "other" },
          { id = id(19) } }
        for _, typed in ipairs(TYPED) do
          for _, condition in ipairs { mde.ne(typed), mde.none_of { typed }, mde.none_of { "nobody", mde.eq(typed) },
            mde.none_of { mde.startswith "LapTop-" }, mde.all_of { mde.ne(typed), mde.none_of { "x" } } } do
            assert.same({ id(18), id(19) }, ids_of(client, { computerDnsName = condition }))
          end
          assert.same({ id(17) }, ids_of(client, { computerDnsName = mde.none_of { mde.ne(typed) } }))
        end
        for _, request in ipairs(r:requests()) do assert.truthy(request:find("machines", 1, true)) end
      end)
    end

    it("that stand nowhere cost one more request, and that of each is the same", function()
      local client = with { { id = id(17), computerDnsName = MIXED } }
      local machine, err = client:machine "kiosk-18.corp.example"
      assert.is_nil(machine)
      assert.equal("not_found", err.kind)
      assert.is_nil(err.candidates)
      assert.equal(2, #r:requests())
      assert.same({}, ids_of(client, { computerDnsName = "kiosk-18.corp.example", riskScore = "None" }))
      assert.equal(4, #r:requests())
      assert.truthy(r:requests()[4]:find("?$filter=riskScore%20eq%20%27None%27&$top=10000", 1, true))
    end)

    it("that an each names twice are one device", function()
      local client = with { { id = id(17), computerDnsName = SMALL } }
      local results = client:each({ "LAPTOP-17", SMALL .. ".", "laptop-17 " }, function(name)
        return client:restrict(name, "why")
      end)
      assert.equal(0, results.failed)
      for i = 1, 3 do assert.equal(id(17), results[i].value.machineId) end
      assert.equal(1, r:count "action_created")
    end)

    it("that are full do not mean a record with a bare one, which is a candidate", function()
      local client = with { { id = id(17), computerDnsName = "Laptop-17" },
        { id = id(18), computerDnsName = "laptop-17.lab.example" } }
      local action, err = client:restrict("LAPTOP-17.corp.example", "why")
      assert.is_nil(action)
      assert.equal("not_found", err.kind)
      assert.same({ id(17), id(18) }, { err.candidates[1].id, err.candidates[2].id })
      assert.truthy(tostring(err):find(id(17) .. " (Laptop-17, Windows11, Active", 1, true), tostring(err))
      assert.same({}, r:posts())
    end)

    it("that are bare, and equal one record and begin another, are ambiguous", function()
      for _, names in ipairs { { "desk", "desk.corp.example" }, { "DESK", "desk.corp.example" },
        { "dEsk", "Desk.corp.example" } } do
        local client = with { { id = id(1), computerDnsName = names[1] }, { id = id(2), computerDnsName = names[2] } }
        local machine, err = client:machine "deSk."
        assert.is_nil(machine)
        assert.equal("ambiguous", err.kind)
        assert.equal(2, #err.candidates)
      end
    end)

    it("are compared with all machines where the service takes no filter by them", function()
      local client = with { { id = id(17), computerDnsName = SMALL }, { id = id(18), computerDnsName = "other" } }
      local function refuse()
        r:answer({ path = "/machines?$filter=" }, 400, { error = { code = "ODataError", message = "too complex" } })
      end
      refuse()
      assert.equal(id(17), assert(client:machine(CAPITAL)).id)
      refuse()
      assert.same({ id(17) }, ids_of(client, { computerDnsName = mde.startswith "LAPTOP" }))
    end)

    it("are not said to stand nowhere if not all machines could be read", function()
      local client = with({ { id = id(17), computerDnsName = SMALL } }, { client = { timeout = 60 } })
      r:answer({ path = "/machines?$top=" }, 503, "", { count = false })
      local machine, err = client:machine "laptop-18.corp.example"
      assert.is_nil(machine)
      assert.equal("unavailable", err.kind)
      local ok, problem = pcall(client:machines { computerDnsName = "laptop-18.corp.example" })
      assert.is_false(ok)
      assert.equal("unavailable", problem.kind)
    end)

    it("stand nowhere in a tenant without a machine", function()
      local client = with {}
      r:answer({ path = "/machines?$top=" }, 404, "", { count = 2 })
      assert.equal("not_found", select(2, client:machine "desk").kind)
      assert.same({}, ids_of(client, { computerDnsName = "desk" }))
    end)

    it("of more than one spelling come once each", function()
      local client = with { { id = id(1), computerDnsName = "desk-1" }, { id = id(2), computerDnsName = "DESK-2" },
        { id = id(3), computerDnsName = "Desk-3" }, { id = id(4), computerDnsName = "desk-4" } }
      assert.same({ id(1), id(2), id(3) }, ids_of(client, { computerDnsName = { "DESK-1", "desk-2", "DESK-3" } }))
    end)

    it("are found among so many that all machines are read instead", function()
      local list, machines = {}, {}
      for i = 1, 60 do
        list[i] = ("DESK-%d.corp.example"):format(i)
        machines[i] = { id = id(i), computerDnsName = ("Desk-%d.corp.example"):format(i * 2) }
      end
      local client = with(machines)
      local ids = ids_of(client, { computerDnsName = list })
      assert.equal(30, #ids)
      assert.equal(1, #r:requests())
      assert.equal(30, #ids_of(client, { computerDnsName = mde.none_of(list) }))
      assert.equal(2, #r:requests())
    end)

    it("tags are compared without regard to case, too", function()
      for _, stored in ipairs { "tier0", "TIER0", "Tier0" } do
        local client = with { { id = id(1), machineTags = { "x", stored } }, { id = id(2), machineTags = { "tier01" } },
          { id = id(3) } }
        for _, typed in ipairs { "tier0", "TIER0", "Tier0", "tIER0" } do
          assert.same({ id(1) }, ids_of(client, { machineTags = mde.has(typed) }))
          local either = mde.any_of { mde.has(typed), mde.has "TIER01" }
          assert.same({ id(1), id(2) }, ids_of(client, { machineTags = either }))
          assert.same({ id(2), id(3) }, ids_of(client, { machineTags = mde.none_of { mde.has(typed) } }))
        end
        assert.same({}, ids_of(client, { machineTags = mde.has "tier0." }))
      end
    end)

    it("tags are compared as the guard compares them", function()
      local client = with { { id = id(1), machineTags = { "Gesch\195\164ftsf\195\188hrung" } },
        { id = id(2), machineTags = { " VIP " } }, { id = id(3), machineTags = { "Geschaeftsfuehrung" } } }
      local typed = mde.has "GESCH\195\132FTSF\195\156HRUNG"
      assert.same({ id(1) }, ids_of(client, { machineTags = typed }))
      assert.same({ id(2), id(3) }, ids_of(client, { machineTags = mde.none_of { typed } }))
      assert.same({ id(2) }, ids_of(client, { machineTags = mde.has "vip" }))
      assert.same({ id(1), id(3) }, ids_of(client, { machineTags = mde.none_of { mde.has "vip" } }))
    end)
  end)
end
