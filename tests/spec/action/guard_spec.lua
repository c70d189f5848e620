-- The guard: which machines no restrict touches, and how one does it all the same. What the rules mean is in the tables
-- of tests/core/test_guard.c.
-- Labels: sanitized, caseless

local clients = require "mde.client"
local errors = require "mde.base.error"
local rehearsal = require "tests.spec.support.rehearsal"

local null = rehearsal.null

local function id(number)
  return ("%040x"):format(number)
end

local laptop, server = id(1), id(2)

describe("the guard", function()
  local r

  local function with(client, machines)
    r = rehearsal.new { client = client, limits = false, machines = machines or {
      { id = laptop, computerDnsName = "laptop.corp.example" },
      { id = server, computerDnsName = "server.corp.example", osPlatform = "WindowsServer2022" },
    } }
    return r.client
  end

  -- A machine of these properties, and a client that protects so.
  local function meet(fields, protect)
    fields.id = laptop
    if fields.computerDnsName == nil then fields.computerDnsName = "laptop.corp.example" end
    return with({ protect = protect }, { fields })
  end

  -- A record of the laptop as if this client had just read it, whatever is in it.
  local function as_read(client, fields)
    fields.id = laptop
    for name, value in pairs(fields) do
      if value == null then fields[name] = nil end
    end
    client.inventory.records:keep(fields, r.driver.now())
    return fields
  end

  local function check_protected(rule, said, action, err)
    assert.is_nil(action)
    assert.equal("protected", err.kind)
    assert.equal(rule, err.rule)
    assert.is_true(errors.is(err))
    assert.truthy(tostring(err):find(said, 1, true), tostring(err))
    assert.truthy(err.hint:find(("allow = { %q"):format(rule), 1, true), err.hint)
    assert.truthy(err.hint:find("--allow " .. rule, 1, true), err.hint)
    assert.is_true(rehearsal.is_one_line(tostring(err)))
    assert.same({}, r:posts())
  end

  -- It went out, whatever the service thinks of the machine's platform.
  local function check_sent(action, err)
    assert.truthy(action or err.code == "OsPlatformNotSupported", tostring(err))
    assert.same({ "restrictCodeExecution" }, r:posts())
  end

  describe("by default", function()
    for what, case in pairs {
      ["a server"] = { { osPlatform = "WindowsServer2022" }, "servers", 'osPlatform is "WindowsServer2022"' },
      ["a machine whose platform is null"] = { { osPlatform = null }, "servers", "counts as a server" },
      ["a machine of high value"] = { { deviceValue = "High" }, "device_values", 'deviceValue is "High"' },
    } do
      it("protects " .. what, function()
        local client = meet(case[1])
        check_protected(case[2], case[3], client:restrict(laptop, "why"))
        check_protected(case[2], case[3], client:restrict("laptop", "why"))
        check_protected(case[2], case[3], client:restrict(assert(client:machine "laptop"), "why", { look = false }))
        check_sent(client:restrict(laptop, "why", { allow = { case[2] } }))
      end)
    end

    for what, fields in pairs {
      ["an ordinary machine"] = {},
      ["a machine of normal value"] = { deviceValue = "Normal" },
      ["a tagged machine"] = { machineTags = { "tier0" } },
    } do
      it("does not protect " .. what, function()
        assert.equal("accepted", assert(meet(fields):restrict(laptop, "why")).outcome)
      end)
    end

    it("never stands before a release, which reads no more than without it", function()
      local client = with { cap = 0,
        protect = { tags = { "x" }, names = { "*" }, platforms = { "WindowsServer2022" } } }
      assert.equal("accepted", assert(client:release(server, "why")).outcome)
      assert.equal(3, #r:requests())
      assert.equal("accepted", assert(client:release(laptop, "why", { look = false })).outcome)
      assert.equal(4, #r:requests())
    end)
  end)

  describe("protects by", function()
    -- What is protected, the machine, and what the refusal says; nil: it is not refused.
    local cases = {
      { "a tag", { tags = { "tier0" } }, { machineTags = { "x", "tier0" } }, "tags", '(rule "tags": it has the tag '
        .. '"tier0")' },
      { "a tag in another spelling", { tags = { "GESCH\195\132FTSF\195\156HRUNG" } },
        { machineTags = { "Gesch\195\164ftsf\195\188hrung" } }, "tags",
        'it has the tag "Gesch\195\164ftsf\195\188hrung", protected as "GESCH\195\132FTSF\195\156HRUNG"' },
      { "a glob of a host name", { names = { "l?pt?p" } }, {}, "names",
        'its name "laptop.corp.example" matches "l?pt?p"' },
      { "a name that is longer than any", { names = { "dc*" } }, { computerDnsName = ("a"):rep(2000) }, "names",
        "its computerDnsName is longer than any name" },
      { "a value", { device_values = { "low" } }, { deviceValue = "Low" }, "device_values",
        'its deviceValue is "Low"' },
      { "no value if none is named", { device_values = {} }, { deviceValue = "High" } },
      { "no server if told so", { servers = false }, { osPlatform = "WindowsServer2022" } },
      { "a platform", { platforms = { "WINDOWS10" } }, { osPlatform = "Windows10" }, "platforms",
        'its osPlatform is "Windows10"' },
    }
    for _, case in ipairs(cases) do
      it(case[1], function()
        local client = meet(case[3], case[2])
        if case[4] then
          check_protected(case[4], case[5], client:restrict(laptop, "why"))
          check_sent(client:restrict(laptop, "why", { allow = { case[4] } }))
        else
          check_sent(client:restrict(laptop, "why"))
        end
      end)
    end

    it("several rules at once, and says how all of them are lifted", function()
      local client = meet({ osPlatform = "WindowsServer2022", deviceValue = "High", machineTags = { "tier0" } },
        { tags = { "tier0" } })
      local _, err = client:restrict(laptop, "why", { allow = { "cap" } })
      check_protected("tags", 'machine ' .. laptop .. ', "laptop.corp.example", is protected (rule "tags": it has the '
        .. 'tag "tier0"; rule "device_values": its deviceValue is "High"; rule "servers": its osPlatform is '
        .. '"WindowsServer2022")', nil, err)
      assert.truthy(err.hint:find('allow = { "tags", "device_values", "servers" }', 1, true), err.hint)
      assert.truthy(err.hint:find("--allow tags --allow device_values --allow servers", 1, true))
      assert.equal(laptop, err.machine_id)
      check_protected("servers", "servers", client:restrict(laptop, "why", { allow = { "tags", "device_values" } }))
      assert.truthy(client:restrict(laptop, "why", { allow = { "servers", "tags", "device_values" } }))
    end)

    it("what it was told at first, whatever becomes of the table", function()
      local protect = { tags = { "tier0" }, names = { "laptop" } }
      local client = meet({ machineTags = { "tier0" }, osPlatform = "WindowsServer2022" }, protect)
      protect.tags[1], protect.names[1], protect.servers = "other", "other", false
      check_protected("tags", "tier0", client:restrict(laptop, "why"))
      check_protected("names", "laptop", client:restrict(laptop, "why", { allow = { "tags" } }))
      check_protected("servers", "Server", client:restrict(laptop, "why", { allow = { "tags", "names" } }))
    end)

    it("the rules before what is restricted already, and before the look", function()
      local client = with()
      r:past(server, "restrict", "Succeeded", 100)
      check_protected("servers", "WindowsServer2022", client:restrict(server, "why"))
      assert.same({ "GET /api/machines/" .. server }, r:requests())
      assert.equal("already_active", assert(client:restrict(server, "why", { allow = { "servers" } })).outcome)
    end)
  end)

  describe("refuses what it cannot judge:", function()
    for what, case in pairs {
      ["tags that are a text"] = { { machineTags = "tier0" }, "tags", "its machineTags are not a list" },
      ["a tag that is a number"] = { { machineTags = { "x", 17 } }, "tags", "one of its machineTags is not a text" },
      ["a name that is a number"] = { { computerDnsName = 17 }, "names", "its computerDnsName is not a text" },
      ["a name that is null"] = { { computerDnsName = null }, "names", "no computerDnsName" },
      ["a value that is a number"] = { { deviceValue = 3 }, "device_values", "its deviceValue is not a text" },
      ["a platform that is a list"] = { { osPlatform = { "Windows11" } }, "servers", "its osPlatform is not a text" },
    } do
      it(what, function()
        local client = with { protect = { tags = { "tier0" }, names = { "dc*" } } }
        local record = { computerDnsName = "laptop.corp.example", osPlatform = "Windows11" }
        for name, value in pairs(case[1]) do record[name] = value end
        check_protected(case[2], case[3], client:restrict(as_read(client, record), "why"))
        -- And as the service tells it, whether or not that is taken for a record.
        record.id = laptop
        r:answer({ method = "GET", path = "/machines/" }, 200, record, { count = false })
        local _, err = client:restrict(laptop, "why")
        assert.is_true(err.kind == "protected" or err.kind == "protocol", tostring(err))
        assert.same({}, r:posts())
      end)
    end

    it("a record of nothing but an id", function()
      local client = with { protect = { tags = { "tier0" }, names = { "dc*" }, platforms = { "Windows10" } } }
      r:answer({ method = "GET", path = "/machines/" }, 200, { id = laptop })
      local _, err = client:restrict(laptop, "why")
      check_protected("names", 'rule "names": its record has no computerDnsName; rule "servers": its record has no '
        .. 'osPlatform, so it counts as a server; rule "platforms": its record has no osPlatform', nil, err)
    end)

    it("a name that acts on a terminal, which is shown harmlessly", function()
      local client = meet({ computerDnsName = "\27[2J\n\226\128\174laptop", osPlatform = "\27]0;Server\7" })
      check_protected("servers", "\\x1b", client:restrict(laptop, "why"))
    end)
  end)

  describe("refuses what it cannot read,", function()
    local function check_unread(kind, action, err)
      assert.is_nil(action)
      assert.equal(kind, err.kind)
      assert.truthy(err.message:find("nothing was sent, since its record could not be read", 1, true), err.message)
      assert.truthy(err.hint:find('allow = { "device_values", "servers" } (--allow device_values --allow servers)', 1,
        true), err.hint)
      assert.same({}, r:posts())
    end

    for _, look in ipairs { true, false } do
      local way = look and " with a look" or " without a look"
      it("because the service fails," .. way, function()
        local client = with()
        r:answer({ method = "GET", path = "/machines/" }, 503, "", { count = false })
        local action, err = client:restrict(laptop, "why", { look = look })
        check_unread("unavailable", action, err)
        assert.equal(503, err.http_status)
      end)

      it("because it may not," .. way, function()
        r = rehearsal.new { roles = { "Machine.RestrictExecution" } }
        local action, err = r.client:restrict("1f00000000000000000000000000000000000017", "why", { look = look })
        check_unread("permission", action, err)
        assert.truthy(err.hint:find("Machine.Read.All", 1, true), err.hint)
      end)

      it("and sends unseen what it is told to," .. way, function()
        local client = with()
        r:answer({ method = "GET", path = "/machines/" }, 503, "", { count = false })
        assert.truthy(client:restrict(laptop, "why", { look = look, allow = { "servers", "device_values" } }))
        assert.truthy(client:restrict(server, "why", { look = look, allow = { "device_values", "servers" } }))
      end)

      it("and says what is simply not there," .. way, function()
        local client = with()
        local _, err = client:restrict(id(99), "why", { look = look })
        assert.equal("not_found", err.kind)
        assert.is_nil(err.message:find("nothing was sent", 1, true))
      end)

      it("and names the survivor of a merged machine," .. way, function()
        local client = with()
        r.tenant:put_machine { id = laptop, mergedIntoMachineId = id(7) }
        local action, err = client:restrict(laptop, "why", { look = look })
        assert.is_nil(action)
        assert.truthy(err.message:find("merged", 1, true))
        assert.same({}, r:posts())
      end)
    end

    it("within the time there is", function()
      local client = with()
      r:fault { match = { method = "GET", path = "/machines/" }, fault = "stall", count = false }
      local before = r.driver.now()
      check_unread("unavailable", client:restrict(laptop, "why", { timeout = 7 }))
      assert.is_true(r.driver.now() - before <= 7)
    end)
  end)

  describe("judges a record", function()
    local function reads()
      local n = 0
      for _, request in ipairs(r:requests()) do
        if request == "GET /api/machines/" .. laptop then n = n + 1 end
      end
      return n
    end

    for _, look in ipairs { true, false } do
      local options = { look = look, allow = { "cap" } }
      local way = look and " with a look" or " without a look"

      it("that was read five minutes ago, not one that is older," .. way, function()
        for _, case in ipairs { { 0, 1 }, { 299, 1 }, { 300, 1 }, { 300.5, 2 }, { 100000, 2 } } do
          local client = with()
          local machine = assert(client:machine(laptop))
          r.tenant:advance(case[1])
          assert(client:restrict(machine, "why", options))
          assert.equal(case[2], reads(), case[1])
        end
      end)

      it("anew when it is older, and as it is now," .. way, function()
        local client = with { protect = { tags = { "tier0" } } }
        local machine = assert(client:machine(laptop))
        r.tenant:put_machine { id = laptop, machineTags = { "tier0" } }
        r.tenant:advance(301)
        check_protected("tags", "tier0", client:restrict(machine, "why", options))
      end)

      it("that the user made only after reading it," .. way, function()
        local client = with()
        local made = { id = server:upper(), computerDnsName = "laptop", osPlatform = "Windows11" }
        check_protected("servers", "WindowsServer2022", client:restrict(made, "why", options))
        assert.equal("GET /api/machines/" .. server, r:requests()[1])
      end)

      it("of another client only after reading it itself," .. way, function()
        local client = with()
        local machine = assert(client:machine(laptop))
        local other = assert(clients.new { tenant_id = r.tenant.tenant_id, client_id = r.tenant.client_id,
          credential = r.tenant.client_secret, driver = r.driver })
        assert(other:restrict(machine, "why", options))
        assert.equal(2, reads())
      end)
    end

    it("that was found by a name as it was found", function()
      local client = with()
      assert(client:restrict("laptop", "why"))
      assert.equal(0, reads())
    end)

    for what, case in pairs {
      ["another platform"] = { "osPlatform", "Windows11", "servers" },
      ["no server's platform where there was none"] = { "osPlatform", "unknown", "servers", null },
      ["another value"] = { "deviceValue", "Normal", "device_values" },
      ["other tags"] = { "machineTags", {}, "tags" },
      ["no tags"] = { "machineTags", nil, "tags" },
      ["another name"] = { "computerDnsName", "harmless", "names" },
    } do
      it("as the service told it, whatever the program wrote into the table: " .. what, function()
        local fields = { id = laptop, computerDnsName = "laptop.corp.example", osPlatform = "Windows11" }
        if case[3] == "servers" then fields.osPlatform = case[4] or "WindowsServer2022" end
        if case[3] == "device_values" then fields.deviceValue = "High" end
        if case[3] == "tags" then fields.machineTags = { "tier0" } end
        local client = with({ protect = { tags = { "tier0" }, names = case[3] == "names" and { "laptop" } or nil } },
          { fields })
        local machine = assert(client:machine(laptop))
        local found = client:machines "all"()
        machine[case[1]], found[case[1]] = case[2], case[2]
        check_protected(case[3], "protected", client:restrict(machine, "why"))
        check_protected(case[3], "protected", found:restrict "why")
        assert.equal(1, reads())
      end)
    end

    it("as the service told it, also where a program took a tag out of the list", function()
      local client = meet({ machineTags = { "tier0" } }, { tags = { "tier0" } })
      local machine = assert(client:machine(laptop))
      machine.machineTags[1] = nil
      check_protected("tags", "tier0", client:restrict(machine, "why"))
    end)

    it("of the machine whose id the table has now", function()
      local client = with()
      local machine = assert(client:machine(laptop))
      machine.id = server:upper()
      check_protected("servers", server, client:restrict(machine, "why"))
      machine.id = laptop
      assert.equal("accepted", assert(client:restrict(machine, "why")).outcome)
    end)

    it("of the machine that it goes to, though tasks share a table", function()
      local client = with { protect = { names = { "nothing" } } }
      local shared = {}
      client:each({ laptop, server }, function(machine_id)
        shared.id = machine_id
        return client:restrict(shared, "why")
      end)
      r.tenant:settle()
      for _, entry in ipairs(r.tenant.history) do
        if entry.event == "action_created" then assert.equal(laptop, entry.machine) end
      end
    end)

    it("as this client changed it meanwhile", function()
      r = rehearsal.new { client = { protect = { tags = { "keep" } } }, roles = { "Machine.Read.All",
        "Machine.ReadWrite.All", "Machine.RestrictExecution" }, machines = { { id = laptop,
        computerDnsName = "laptop.corp.example" } } }
      local machine = assert(r.client:machine(laptop))
      assert(r.client:tag("laptop", "Keep"))
      local action, err = r.client:restrict(machine, "why")
      assert.is_nil(action)
      assert.equal("tags", err.rule)
      assert(r.client:untag("laptop", "keep"))
      assert.equal("accepted", assert(r.client:restrict(machine, "why")).outcome)
    end)

    it("that was merged into another, whatever the table says", function()
      local client = with()
      local machine = assert(client:machine(laptop))
      r.tenant:put_machine { id = laptop, mergedIntoMachineId = id(7) }
      assert.is_nil((client:machine(laptop)))
      for _, verb in ipairs { "restrict", "release" } do
        local action, err = client[verb](client, machine, "why")
        assert.is_nil(action)
        assert.equal("not_found", err.kind)
        assert.truthy(err.message:find(id(7), 1, true), err.message)
      end
      for found in client:machines "all" do
        found.mergedIntoMachineId = nil
        if found.id == laptop then assert.is_nil((found:release "why")) end
      end
      assert.same({}, r:posts())
    end)

    it("that was merged into another no longer stands for what the table became", function()
      local client = with()
      r.tenant:put_machine { id = laptop, mergedIntoMachineId = server }
      local merged, other
      for found in client:machines "all" do
        if found.id == laptop then merged = found else other = found end
      end
      merged.id = server
      assert.equal("accepted", assert(client:release(merged, "why")).outcome)
      other.id = laptop
      assert.equal("not_found", select(2, client:release(other, "why")).kind)
    end)

    it("of no machine if no rule is in force", function()
      for _, case in ipairs {
        { { protect = { servers = false, device_values = {} }, cap = false } },
        { { cap = math.huge }, { "servers", "device_values" } },
      } do
        local client = with(case[1])
        assert(client:restrict(server, "why", { look = false, allow = case[2] }))
        assert.equal(1, #r:requests())
      end
    end)
  end)

  describe("raises", function()
    for what, case in pairs {
      ["for a rule that there is not"] = { { protect = { server = true } }, 'Did you mean "servers"' },
      ["for the cap among the rules"] = { { protect = { cap = 3 } }, 'no option "cap"' },
      ["for rules that are a flag"] = { { protect = false }, "options must be a table, not a boolean" },
      ["for tags that are a text"] = { { protect = { tags = "tier0" } }, "must be a list of strings" },
      ["for tags by name"] = { { protect = { tags = { tier0 = true } } }, "must be a list of strings" },
      ["for a tag that is nil"] = { { protect = { tags = { nil, "tier0" } } }, "tags" },
      ["for a tag that is a number"] = { { protect = { tags = { 17 } } }, "item 1" },
      ["for a tag that is empty"] = { { protect = { tags = { "a", " " } } }, "item 2" },
      ["for a tag of blanks that Lua does not know"] = { { protect = { tags = { "\194\160" } } }, "do not show" },
      ["for a name with a class"] = { { protect = { names = { "[l]aptop" } } }, "one glob for each alternative" },
      ["for a name with alternatives"] = { { protect = { names = { "a", "{dc,sql}-*" } } }, "{dc,sql}-*" },
      ["for a name that ends with a space"] = { { protect = { names = { "dc* " } } }, "space" },
      ["for a name that ends with a carriage return"] = { { protect = { names = { "dc*\r" } } }, "control" },
      ["for a name that is longer than any"] = { { protect = { names = { ("a"):rep(2000) } } }, "longer than any" },
      ["for names that are false"] = { { protect = { names = false } }, "must be a list of strings" },
      ["for a value that there is not"] = { { protect = { device_values = { "Hihg" } } }, 'Did you mean "High"' },
      ["for a value that is far from any"] = { { protect = { device_values = { "tier0" } } }, "only Low, Normal" },
      ["for servers that are a text"] = { { protect = { servers = "no" } }, "must be true or false" },
      ["for servers that are a list"] = { { protect = { servers = {} } }, "must be true or false" },
      ["for a platform with a wildcard"] = { { protect = { platforms = { "WindowsServer*" } } }, "wildcard" },
    } do
      it(what, function()
        local err = rehearsal.refused(clients.new, case[1])
        assert.truthy(tostring(err):find(case[2], 1, true), tostring(err))
        assert.is_true(rehearsal.is_one_line(tostring(err)))
      end)
    end

    for what, case in pairs {
      ["a misspelt rule to lift"] = { { "server" }, 'Did you mean "servers"' },
      ["a rule to lift that there is not"] = { { "everything" }, "device_values, servers, platforms and cap" },
      ["a text to lift"] = { "servers", "must be a list of strings" },
      ["a rule to lift by name"] = { { servers = true }, "must be a list of strings" },
      ["true to lift"] = { { true }, "item 1" },
    } do
      it("for " .. what, function()
        local client = with()
        for _, verb in ipairs { "restrict", "release" } do
          local err = rehearsal.refused(client[verb], client, laptop, "why", { allow = case[1] })
          assert.truthy(tostring(err):find(case[2], 1, true), tostring(err))
        end
        assert.same({}, r:requests())
      end)
    end
  end)
end)
