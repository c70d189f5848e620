-- mde release: of named devices, or of all that an incident holds.
-- Labels: not-lua5.3
local console = require "tests.spec.support.console"
local rehearsal = require "tests.spec.support.rehearsal"

describe("mde release", function()
  local r

  before_each(function()
    local machines = {}
    for i = 1, 3 do machines[i] = { computerDnsName = ("desk-%d.corp.example"):format(i) } end
    r = rehearsal.new { limits = false, unguarded = true, machines = machines }
  end)

  local function release(...)
    return console.run({ "release", "--comment", "false alarm", "--yes", ... }, { client = r.client })
  end

  local function restrict(device, incident)
    assert(r.client:restrict(device, "beacon", { incident = incident })):wait()
  end

  it("says beforehand of a device that nothing holds it, and that it would be sent all the same", function()
    local told = release("desk-1", "--dry-run")
    assert.equal(0, told.status, told.err)
    assert.matches("desk-1.corp.example: not restricted, as far as the service's list of its actions goes back; "
      .. "nothing needs the release, and it would be sent all the same", told.out, 1, true)
    assert.is_nil(told.out:find("would be released", 1, true))
    told = console.run({ "release", "desk-1", "--comment", "x" }, { client = r.client, answers = { "n" },
      columns = 300 })
    assert.matches("desk-1.corp.example is not restricted, as far as", told.err, 1, true)
    assert.equal(0, #r:posts())
  end)

  it("releases a device that is named", function()
    restrict("desk-1", "INC-1")
    local told = release "desk-1"
    assert.equal(0, told.status, told.err)
    assert.matches("^desk%-1%.corp%.example: release accepted", told.out)
  end)

  it("releases what an incident holds alone, under that incident, and says what is left", function()
    restrict("desk-1", "INC-1")
    for _, incident in ipairs { "INC-1", "INC-2" } do restrict("desk-2", incident) end
    local told = release("--all-of", "inc-1", "--since", "14h")
    assert.equal(0, told.status, told.err)
    assert.matches("^desk%-1%.corp%.example: release accepted [^\n]+\n$", told.out)
    assert.equal("Left restricted: desk-2.corp.example, held too by INC-2. Later, to release it:\n  mde release "
      .. "--all-of INC-2 --ended inc-1\n", told.err)
    local newest
    for action in r.client:actions { type = "UnrestrictCodeExecution" } do newest = action end
    assert.equal("inc-1", newest.incident)
  end)

  it("releases by what it said what it has left, when the other incident has ended", function()
    for _, incident in ipairs { "INC-1", "INC-2" } do restrict("desk-2", incident) end
    local command = release("--all-of", "INC-1").err:match "Later, to release it:\n  mde release ([^\n]+)\n"
    assert.equal("--all-of INC-2 --ended INC-1", command)
    local words = {}
    for word in command:gmatch "%S+" do words[#words + 1] = word end
    local told = release((table.unpack or unpack)(words)) -- luacheck: ignore
    assert.equal(0, told.status, told.err)
    assert.matches("^desk%-2%.corp%.example: release accepted", told.out)
    assert.equal("releasing", (r.client:state "desk-2"))
  end)

  it("says how to release what an incident held before --since", function()
    restrict("desk-2", "INC-1")
    r.driver.sleep(7200)
    restrict("desk-2", "INC-2")
    for _, incident in ipairs { "INC-1", "INC-2" } do restrict("desk-1", incident) end
    local told = release("--all-of", "INC-2", "--since", "1h", "--ended", "INC-3")
    assert.matches("Left restricted: desk%-2%.corp%.example, held too by INC%-1%. Later, to release it:\n  mde release "
      .. "%-%-all%-of INC%-1 %-%-ended INC%-2 %-%-ended INC%-3\n", told.err)
  end)

  it("says so in one line that a shell takes as it is, however narrow the terminal", function()
    for _, incident in ipairs { "INC-1", "#4711" } do restrict("desk-2", incident) end
    local told = console.run({ "release", "--all-of", "INC-1", "--comment", "over" }, { client = r.client,
      answers = { "n" }, columns = 20 })
    assert.matches("\n  mde release --all-of '#4711' --ended INC-1\n", told.err, 1, true)
  end)

  it("has nothing to do where the incident holds nothing", function()
    restrict("desk-1", "INC-7")
    r.driver.sleep(7200)
    local told = release("--all-of", "INC-7", "--since", "1h")
    assert.equal(0, told.status)
    assert.equal("Nothing to release: INC-7 alone holds no device that was restricted since then.\n", told.err)
    assert.equal(1, #r:posts())
  end)

  it("is refused where nothing names the incident, and says which there are", function()
    restrict("desk-1", "INC-7")
    local told = release("--all-of", "INC-77")
    assert.equal(2, told.status)
    assert.matches("^INC%-77: no restriction or release names it%.\nThe incidents that acted last:\n"
      .. "  INC%-7: 1 device, 1 action, the last [^\n]+\nNothing to release: INC%-77 alone holds no device%.\n$",
      told.err)
    assert.equal(1, #r:posts())
  end)

  describe("of what was isolated, too,", function()
    before_each(function()
      local machines = {}
      for i = 1, 3 do machines[i] = { computerDnsName = ("desk-%d.corp.example"):format(i) } end
      r = rehearsal.new { limits = false, unguarded = true, machines = machines, roles = { "Machine.Read.All",
        "Machine.RestrictExecution", "Machine.Isolate" } }
    end)

    local function isolate(device, incident)
      assert(r.client:isolate(device, "beacon", { incident = incident })):wait()
    end

    -- What was posted since `before` things were.
    local function posts_since(before)
      local list = r:posts()
      for _ = 1, before do table.remove(list, 1) end
      return list
    end

    it("takes the isolation back first, and names both", function()
      restrict("desk-1", "INC-1")
      isolate("desk-1", "INC-1")
      restrict("desk-2", "INC-1")
      local before = #r:posts()
      local told = release("--all-of", "INC-1", "--wait")
      assert.equal(0, told.status, told.err)
      assert.matches("INC%-1 holds 1 device isolated: the isolation is taken back first", told.err)
      assert.same({ "unisolate", "unrestrictCodeExecution", "unrestrictCodeExecution" }, posts_since(before))
      assert.matches("^desk%-1[^\n]+: release from isolation accepted [^\n]+\ndesk%-1[^\n]+: Succeeded\n", told.out)
      assert.equal("released", (r.client:state("desk-1", { of = "isolate" })))
      assert.equal("released", (r.client:state "desk-1"))
    end)

    it("has one comment and two questions on a terminal, and ends with the first no", function()
      restrict("desk-1", "INC-1")
      isolate("desk-1", "INC-1")
      local before = #r:posts()
      local options = { client = r.client, answers = { "all clear", "n" } }
      assert.equal(2, console.run({ "release", "--all-of", "INC-1" }, options).status)
      assert.same({}, posts_since(before))
      options.answers = { "all clear", "y", "y" }
      local told = console.run({ "release", "--all-of", "INC-1" }, options)
      assert.equal(0, told.status, told.err)
      assert.matches("To be let onto the network again:.*To be released, to run any code again:", told.err)
      assert.same({ "unisolate", "unrestrictCodeExecution" }, posts_since(before))
      for action in r.client:actions { type = "UnrestrictCodeExecution" } do
        assert.matches("^all clear ", action.requestorComment)
      end
    end)

    it("asks once for a comment where --yes leaves that open", function()
      restrict("desk-1", "INC-1")
      isolate("desk-1", "INC-1")
      local told = console.run({ "release", "--all-of", "INC-1", "--yes" }, { client = r.client,
        answers = { "all clear" } })
      assert.equal(0, told.status, told.err)
      for action in r.client:actions { type = "UnrestrictCodeExecution" } do
        assert.matches("^all clear ", action.requestorComment)
      end
    end)

    it("leaves and names what others hold, and keeps restricted what stays isolated in vain", function()
      for _, incident in ipairs { "INC-1", "INC-2" } do isolate("desk-2", incident) end
      for i = 1, 2 do
        restrict(("desk-%d"):format(i), "INC-1")
      end
      isolate("desk-1", "INC-1")
      r:answer({ method = "POST", path = "/unisolate" }, 400, { error = { code = "InvalidInput", message = "no" } })
      local before = #r:posts()
      local told = release("--all-of", "INC-1")
      assert.equal(2, told.status)
      assert.matches("Left isolated: desk%-2%.corp%.example, held too by INC%-2%. Later, to release it:\n"
        .. "  mde unisolate %-%-all%-of INC%-2 %-%-ended INC%-1\n", told.err)
      assert.matches("Left restricted: desk%-1%.corp%.example, which is still isolated%. To release it all the same:\n"
        .. "  mde release %x+\n", told.err)
      assert.same({ "unisolate", "unrestrictCodeExecution" }, posts_since(before))
    end)

    it("was decided when it began, however long the first part waits", function()
      isolate("desk-1", "INC-1")
      restrict("desk-2", "INC-1")
      r.driver.sleep(3600)
      -- A colleague sees it again after the decision.
      r:past(r.client:machine("desk-2").id, "restrict", "Succeeded", 1, { requestor = "a.colleague@corp.example",
        requestorComment = "seen again [mde:INC-1:operation-1]" })
      r.driver.sleep(900)
      r.tenant:put_machine { id = r.client:machine("desk-1").id, offline = true }
      local before = #r:posts()
      local told = release("--all-of", "INC-1", "--decided-at", "20m", "--wait", "10m")
      assert.equal(4, told.status, told.err)
      assert.matches("a%.colleague@corp%.example", told.err)
      assert.same({ "unisolate" }, posts_since(before))
    end)

    it("is done where the isolation was all there was", function()
      isolate("desk-1", "INC-1")
      local told = release("--all-of", "INC-1", "--json", "--wait")
      assert.equal(0, told.status, told.err)
      assert.matches('"verb":"unisolate"', told.out)
      assert.not_matches("Nothing to release", told.err)
      assert.matches("Nothing to release", release("--all-of", "INC-1").err)
    end)

    it("is one table in CSV, which names what was done", function()
      restrict("desk-1", "INC-1")
      isolate("desk-1", "INC-1")
      local told = release("--all-of", "INC-1", "--csv", "--wait")
      assert.matches("^device,[^\n]+,verb\r\ndesk%-1[^\n]+,unisolate\r\ndesk%-1[^\n]+,release\r\n$", told.out)
    end)

    it("names what is done in JSON, of each part and its plan", function()
      restrict("desk-1", "INC-1")
      isolate("desk-1", "INC-1")
      local told = release("--all-of", "INC-1", "--json", "--dry-run")
      local verbs = {}
      for verb in told.out:gmatch '"verb":"(%a+)"' do verbs[#verbs + 1] = verb end
      assert.same({ "unisolate", "unisolate", "release", "release" }, verbs)
    end)

    it("is shown by a dry run, which sends nothing", function()
      restrict("desk-1", "INC-1")
      isolate("desk-1", "INC-1")
      local before = #r:posts()
      local told = release("--all-of", "INC-1", "--dry-run", "--exit-code")
      assert.equal(6, told.status)
      assert.matches("would be released from isolation\n.*would be released\n", told.out)
      assert.same({}, posts_since(before))
    end)
  end)

  for what, case in pairs {
    ["--all-of and a device"] = { { "desk-1", "--all-of", "INC-1" }, "%-%-all%-of selects the devices" },
    ["--since alone"] = { { "desk-1", "--since", "2h" }, "%-%-since belongs to %-%-all%-of" },
    ["--ended alone"] = { { "desk-1", "--ended", "INC-2" }, "%-%-ended belongs to %-%-all%-of" },
    ["an incident that holds and has ended"] = { { "--all-of", "INC-1", "--ended", "inc-1" }, "and in %-%-ended" },
    ["an ended one that is not an incident"] = { { "--all-of", "INC-1", "--ended", "" }, "is not an incident" },
    ["what is not an incident"] = { { "--all-of", "" }, "is not an incident" },
    ["a device that cannot be one"] = { { "192.0.2.1" }, "is an IP address" },
  } do
    it("is refused with " .. what, function()
      local told = release((table.unpack or unpack)(case[1])) -- luacheck: ignore
      assert.equal(1, told.status)
      assert.matches(case[2], told.err)
      assert.same({}, r.tenant.history)
    end)
  end

  describe("--expired", function()
    local function command(...)
      return console.run({ ... }, { client = r.client })
    end

    it("releases what was restricted for a time that is over, and names what something else holds too", function()
      for i = 1, 3 do
        local told = command("restrict", ("desk-%d"):format(i), "--comment", "odd", "--yes", "--release-after", "2h")
        assert.equal(0, told.status, told.err)
        assert.matches("restriction accepted until %d+%-%d+%-%d+T[%d:]+Z", told.out)
      end
      r.driver.sleep(3600)
      restrict("desk-2", "INC-1")
      assert.equal(0, command("restrict", "desk-3", "--comment", "still odd", "--yes", "--release-after", "8h").status)
      local early = command("release", "--expired", "--yes")
      assert.same({ 0, "", "Nothing to release: no restriction was meant to end by now.\n" },
        { early.status, early.out, early.err })
      local quiet = command("release", "--expired", "--yes", "--quiet")
      assert.same({ 0, "", "" }, { quiet.status, quiet.out, quiet.err })
      r.driver.sleep(3600 + 120)
      local overdue = command("release", "--expired", "--dry-run", "--exit-code")
      assert.equal(6, overdue.status)
      local told = command("release", "--expired", "--yes")
      assert.equal(0, told.status, told.err)
      assert.matches("^desk%-1%.corp%.example: release accepted [^\n]+\n$", told.out)
      assert.matches("Left restricted: desk%-2%.corp%.example, held too by INC%-1%.\n", told.err)
      assert.matches("Left restricted: desk%-3%.corp%.example, held too by [^\n]+ until %d+%-", told.err)
      r.driver.sleep(600)
      -- What others hold is no news to a job that runs every few minutes.
      quiet = command("release", "--expired", "--yes", "--quiet")
      assert.same({ 0, "", "" }, { quiet.status, quiet.out, quiet.err })
      assert.equal(0, command("release", "--expired", "--dry-run", "--exit-code").status)
    end)

    it("names no devices, and belongs to release", function()
      for _, arguments in ipairs { { "release", "--expired", "desk-1", "--yes" },
        { "release", "--expired", "--all-of", "INC-1", "--yes" },
        { "restrict", "desk-1", "--release-after", "10s", "--comment", "x", "--yes" } } do
        local told = command((table.unpack or unpack)(arguments)) -- luacheck: ignore
        assert.equal(1, told.status, told.out)
      end
    end)
  end)
end)
