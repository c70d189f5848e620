-- change: what mde restrict and mde release have in common.
-- Labels: not-lua5.3
local change = require "mde.cli.batch.change"
local console = require "tests.spec.support.console"
local core = require "mde.core"
local json = require "mde.sim.base.json"
local rehearsal = require "tests.spec.support.rehearsal"

local function id(number) return ("%040x"):format(0xa0000 + number) end

describe("what is asked of a change", function()
  local function request(arguments, options, ...)
    arguments.devices = { "desk-1" }
    return console.capture(function() return pcall(change.request, arguments, "restrict", options or {}) end, ...)
  end

  it("has its devices and options", function()
    local told = request({ yes = true, comment = "why", incident = "INC-1", no_look = true }, { allow = { "cap" } })
    assert.is_true(told.value)
    assert.equal("desk-1", told.more.entries[1].device)
    assert.same({ incident = "INC-1", look = false, allow = { "cap" } }, told.more.options)
  end)

  it("leaves what was withdrawn to others, of a list however short it is", function()
    local function again(list, devices, is_again)
      local input = assert(io.tmpfile())
      input:write "desk-1\n"
      input:seek "set"
      local arguments = { list = list, devices = devices, yes = true, comment = "why", again = is_again }
      local told = console.capture(function() return pcall(change.request, arguments, "restrict", {}) end,
        { input = input })
      input:close()
      assert.is_true(told.value, tostring(told.more))
      return told.more.options.again
    end
    assert.is_nil(again(nil, { "desk-1" }))
    assert.is_false(again(nil, { "desk-1", "desk-2" }))
    assert.is_false(again("-", {}))
    assert.is_false(again(nil, { "-" }))
    assert.is_nil(again(nil, { "-" }, true))
  end)

  it("needs nobody's yes for a dry run, and no comment", function()
    local told = request { dry_run = true, decided_at = "2026-02-03" }
    assert.is_false(told.value)
    assert.equal("time_out_of_range", told.more.code)
    told = request { dry_run = true, decided_at = { ago = 60 } }
    assert.is_true(told.value)
    assert.is_true(told.more.options.dry_run)
  end)

  for what, case in pairs {
    ["with --exit-code alone"] = { { yes = true, comment = "why", exit_code = true },
      "--exit-code belongs to --dry-run" },
    ["with a dry run that waits"] = { { dry_run = true, wait = 60 }, "nothing to wait for" },
    ["with a decision and without a look"] = { { yes = true, comment = "why", no_look = true,
      decided_at = { ago = 60 } }, "decided_at needs a look" },
    ["without --yes"] = { { comment = "why" }, "Give --yes" },
    ["without a comment"] = { { yes = true }, "a comment is required" },
    ["with a comment that is too long"] = { { yes = true, comment = ("x"):rep(851) }, "850 characters" },
    ["with what is not an incident"] = { { yes = true, comment = "why", incident = "a b" }, "the incident is not" },
  } do
    it("is refused where nobody is there, " .. what, function()
      local told = request(case[1])
      assert.is_false(told.value)
      assert.equal("invalid", told.more.kind)
      assert.truthy(tostring(told.more):find(case[2], 1, true), tostring(told.more))
    end)
  end

  it("names a device before anything else is missing", function()
    local told = console.capture(function() return pcall(change.request, { devices = {} }, "restrict", {}) end)
    assert.is_false(told.value)
    assert.equal("nothing_selected", told.more.code)
  end)

  it("may lack both where somebody can be asked", function()
    assert.is_true(request({}, {}, { answers = {} }).value)
    local input = assert(io.tmpfile())
    input:write "desk-01\n"
    input:seek "set"
    assert.is_true(request({ list = "-" }, {}, { answers = {}, input = input }).value)
  end)
end)

describe("a change", function()
  local r

  local function run(words, options)
    options = options or {}
    options.client = r.client
    local all = { "restrict", "--comment", "why" }
    if not options.answers then all[#all + 1] = "--yes" end
    for _, word in ipairs(words) do all[#all + 1] = word end
    return console.run(all, options)
  end

  local function begin(options, latency)
    local machines = {}
    for i = 1, 30 do machines[i] = { id = id(i), computerDnsName = ("desk-%02d.corp.example"):format(i) } end
    r = rehearsal.new { limits = false, machines = machines, client = options, latency = latency }
  end

  before_each(function() begin() end)

  local function desks(count)
    local names = {}
    for i = 1, count do names[i] = ("desk-%02d"):format(i) end
    return names
  end

  it("is told in the order of the devices, and waited for", function()
    local words = desks(3)
    words[4] = "--wait"
    local told = run(words)
    assert.equal(0, told.status, told.err)
    local lines = {}
    for line in told.out:gmatch "[^\n]+" do lines[#lines + 1] = line end
    assert.equal(6, #lines)
    for i = 1, 3 do assert.matches(("^desk%%-0%d.*: restriction accepted"):format(i), lines[i]) end
    for i = 4, 6 do assert.matches(": Succeeded$", lines[i]) end
    assert.equal("3 devices: 3 succeeded.\n", told.err)
  end)

  it("has one row each in JSON, also for what was not done", function()
    local told = run { "desk-01", "nowhere", "--json" }
    assert.equal(2, told.status)
    local rows = {}
    for line in told.out:gmatch "[^\n]+" do rows[#rows + 1] = assert(json.decode(line)) end
    assert.same({ "accepted", "error" }, { rows[1].outcome, rows[2].outcome })
    assert.equal("not_found", rows[2].error.kind)
  end)

  describe("as a dry run", function()
    it("says of each what would be done, and does nothing", function()
      r:past(id(2), "restrict", "Succeeded", 100)
      r:past(id(3), "release", "Succeeded", 100, { requestor = "a.colleague" })
      local told = run { "desk-01", "desk-02", "desk-03", "--dry-run" }
      assert.equal(0, told.status, told.err)
      assert.matches("^desk%-01%.corp%.example: would be restricted\ndesk%-02%.corp%.example: already restricted "
        .. "[^\n]+\ndesk%-03%.corp%.example: would be restricted; it goes against release [%x-]+ by a%.colleague\n$",
        told.out)
      assert.matches("^Tenant [%x-]+, application [%x-]+, at api%.security%.microsoft%.com\n"
        .. 'No incident, comment: "why"\n3 devices: 2 would be sent, 1 already active%.\n$', told.err)
      assert.same({}, r:posts())
    end)

    it("says which opposite action would be cancelled", function()
      local pending = r:past(id(1), "release", "Pending", 100)
      local told = run { "desk-01", "--dry-run", "--cancel-opposite" }
      assert.equal(("desk-01.corp.example: would be restricted, after release %s was cancelled\n"):format(pending.id),
        told.out)
      assert.same({}, r:posts())
    end)

    it("has the outcome would_send in JSON", function()
      local told = run { "desk-01", "--dry-run", "--json" }
      local first, second = told.out:match "^([^\n]+)\n([^\n]+)\n$"
      local row = assert(json.decode(first))
      assert.same({ "would_send", id(1) }, { row.outcome, row.machine_id })
      local plan = assert(json.decode(second)).plan
      assert.same({ 1, 1, 1, "why" }, { plan.devices, plan.would_send, plan.may_go_now, plan.comment })
    end)

    it("says that the cap will be reached", function()
      begin { cap = 2 }
      local words = desks(4)
      words[5] = "--dry-run"
      local told = run(words)
      assert.equal(2, told.status)
      assert.matches("\nThe cap of 2 restricts an hour lets 2 of these 4 through now; the other 2 are refused",
        told.err)
      assert(r.client:restrict(id(5), "why"))
      assert(r.client:restrict(id(6), "why"))
      words[6] = "--exit-code"
      told = run(words)
      assert.equal(2, told.status)
      assert.matches("lets none of these 4 through now; the next may go at 2%d%d%d%-", told.err)
    end)

    it("exits as the change would where the cap cannot be counted", function()
      begin { cap = 2 }
      r:answer({ path = "RestrictCodeExecution%27%20and%20creationDateTimeUtc" }, 500, "", { count = false })
      local told = run { "desk-01", "desk-02", "--dry-run", "--exit-code" }
      assert.equal(3, told.status)
      assert.matches("The cap lets none through: .*could not be counted", told.err)
    end)

    it("sums up a list as the last object in JSON", function()
      r:past(id(2), "restrict", "Succeeded", 100)
      local told = run { "desk-01", "desk-02", "desk-03", "nowhere", "--dry-run", "--json", "--incident", "INC-1" }
      local rows = {}
      for line in told.out:gmatch "[^\n]+" do rows[#rows + 1] = assert(json.decode(line)) end
      assert.equal(5, #rows)
      local plan = rows[5].plan
      assert.same({ 4, 3, 3, 25, "INC-1", "why" }, { plan.devices, plan.would_send, plan.may_go_now, plan.cap,
        plan.incident, plan.comment })
      assert.same({ { reason = "not found", count = 1 } }, plan.left)
    end)

    it("sums up a list of one, too", function()
      local path = os.tmpname()
      local file = assert(io.open(path, "w"))
      file:write "desk-01\n"
      file:close()
      local told = run { "--list", path, "--dry-run", "--json" }
      os.remove(path)
      local _, last = told.out:match "^([^\n]+)\n([^\n]+)\n$"
      assert.equal(1, assert(json.decode(last)).plan.would_send)
    end)

    it("exits with 6 where something would be sent, if that is asked for", function()
      r:past(id(2), "restrict", "Succeeded", 100)
      assert.equal(6, run({ "desk-01", "desk-02", "--dry-run", "--exit-code" }).status)
      assert.equal(6, run({ "desk-01", "nowhere", "--dry-run", "--exit-code" }).status)
      assert.equal(0, run({ "desk-02", "--dry-run", "--exit-code" }).status)
      assert.same({}, r:posts())
    end)
  end)

  describe("has an honest end", function()
    before_each(function() begin { cap = false } end)

    it("where the cap could not be counted, which is not the same as over it", function()
      begin { cap = 25 }
      r:answer({ path = "RestrictCodeExecution%27%20and%20creationDateTimeUtc" }, 500, "", { count = false })
      local told = run(desks(2))
      assert.equal(3, told.status)
      assert.matches("could not be counted", told.err)
      assert.matches("\n2 devices: 2 failed%.\n", told.err)
    end)

    it("after a sign-in that was lost midway: 2, and what to do", function()
      r:fault { match = { method = "POST", path = "restrictCodeExecution", nth = 13 }, fault = "answer", status = 401,
        count = false }
      local told = run(desks(30))
      assert.equal(2, told.status)
      assert.matches("\nStopped: the sign%-in failed%.\nWhen that is mended, run the same command again: it continues",
        told.err)
      assert.matches("30 devices: 12 accepted, %d+ failed, %d+ not begun%.\n", told.err)
      r.tenant.faults:clear()
      told = run(desks(30))
      assert.equal(0, told.status, told.err)
      assert.matches("30 devices: 12 already active, 18 accepted%.\n", told.err)
    end)

    it("after a sign-in that was lost before what was accepted had ended", function()
      r:fault { match = { method = "POST", path = "restrictCodeExecution", nth = 9 }, fault = "answer", status = 401,
        count = false }
      r:fault { match = { method = "GET", path = "/machineactions", nth = 2 }, fault = "answer", status = 401,
        count = false }
      local words = desks(12)
      words[13] = "--wait"
      local told = run(words)
      assert.equal(2, told.status)
      assert.matches("\n12 devices: 8 accepted %(end not read%), 4 failed%.\n"
        .. "When that is mended, run the same command again: it continues, and does nothing twice%.\n$", told.err)
    end)

    it("where some have not ended when the time is up, and some in vain", function()
      r.tenant:put_machine { id = id(2), offline = true }
      r.tenant:put_machine { id = id(3), failing = true }
      local words = desks(4)
      words[5] = "--wait=1m"
      local told = run(words)
      assert.equal(4, told.status)
      assert.matches("4 devices: 2 succeeded, 1 still pending, 1 failed%.\nRun the same command again", told.err)
    end)

    it("where the permission is missing: after the first, and nothing else is begun", function()
      r.tenant:put_application { client_id = r.tenant.client_id, client_secret = r.tenant.client_secret,
        roles = { "Machine.Read.All" } }
      local told = run(desks(30))
      assert.equal(2, told.status)
      assert.matches("\nStopped: the application lacks the permission Machine%.RestrictExecution%.\n"
        .. "When that is mended, run the same command again", told.err)
      assert(#r:posts() <= 8)
    end)

    it("after three in a row were refused: what to mend, or to leave out", function()
      for i = 3, 30 do
        r:answer({ method = "POST", path = id(i) }, 403, { error = { code = "Forbidden", message = "not yours" } },
          { count = false })
      end
      local told = run(desks(30))
      assert.equal(2, told.status)
      assert.matches("\nStopped: 3 devices in a row were refused %(HTTP 403%)%.\n"
        .. "When that is mended, or without those devices, run the same command again", told.err)
    end)

    it("goes on where one device alone is refused", function()
      r:answer({ method = "POST", path = id(7) }, 403, { error = { code = "Forbidden", message = "not yours" } },
        { count = false })
      local told = run(desks(30))
      assert.equal(2, told.status)
      assert.matches("30 devices: 29 accepted, 1 failed%.\n", told.err)
    end)
  end)

  describe("that was decided before", function()
    it("is superseded by what somebody decided otherwise since then", function()
      r:past(id(1), "release", "Succeeded", 600, { requestor = "a.colleague" })
      local told = run { "desk-01", "--decided-at", "20m" }
      assert.equal(2, told.status)
      assert.matches("by a%.colleague", told.err)
      assert.same({}, r:posts())
      assert.equal(0, run({ "desk-01", "--decided-at", "5m" }).status)
      assert.equal(1, #r:posts())
    end)

    it("was so, as of its begin, for the last of many, too", function()
      begin({ cap = false }, 4)
      r:past(id(20), "release", "Succeeded", 1190, { requestor = "a.colleague" })
      local words = desks(20)
      words[21], words[22] = "--decided-at", "20m"
      local told = run(words)
      assert.equal(2, told.status)
      assert.matches('restrict "desk%-20[^"]*": .*a%.colleague', told.err)
      assert.matches("20 devices: 19 accepted, 1 left%.\n$", told.err)
    end)

    it("may be given as a time, and as nothing else", function()
      local time = rehearsal.time(r.tenant.clock.now() - 1200)
      r:past(id(1), "release", "Succeeded", 600)
      assert.equal(2, run({ "desk-01", "--decided-at", time }).status)
      local told = run { "desk-01", "--decided-at", "yesterday" }
      assert.equal(1, told.status)
      assert.matches("'yesterday' is not a time; write 20m", told.err)
    end)
  end)

  it("says beforehand that the cap is reached, asks no more once it is, and tells few of those", function()
    begin { cap = 2 }
    local told = run(desks(20))
    assert.equal(2, told.status)
    assert.matches("^20 devices: at most 2 restricts an hour are sent; %-%-cap raises that%.\n", told.err)
    assert.equal(5, select(2, told.err:gsub('rule "cap"', "")))
    -- At once it would be of no use.
    local at = told.err:match("\nand 13 more: rule cap\n20 devices: 2 accepted, 18 over the cap%.\nThe cap lets the "
      .. "next go at (%S+Z)%. Run the same command again then, or now with a higher %-%-cap: it continues, and does "
      .. "nothing twice%.\n$")
    assert.is_near(r.tenant.clock.now() + 3600, assert(core.timestamp.read(at)), 60)
    assert.equal(2, #r:posts())
    assert.is_true(#r:requests() < 40)
  end)

  it("counts no cap that is lifted", function()
    begin { cap = 2 }
    local words = desks(4)
    words[5], words[6] = "--allow", "cap"
    local told = run(words)
    assert.equal(0, told.status)
    assert.equal("4 devices: 4 accepted.\n", told.err)
  end)

  it("is not begun where somebody says no", function()
    local told = run({ "desk-01" }, { answers = { "n" } })
    assert.equal(2, told.status)
    assert.same({}, r:posts())
  end)

  it("is begun where somebody says yes", function()
    local told = run({ "desk-01" }, { answers = { "y" } })
    assert.equal(0, told.status, told.err)
    assert.equal(1, #r:posts())
  end)

  it("says nothing but errors and results where it is to be quiet", function()
    local words = desks(3)
    for _, word in ipairs { "desk-01", "--quiet", "--wait" } do words[#words + 1] = word end
    local told = run(words)
    assert.equal(0, told.status)
    assert.equal("", told.err)
    assert.equal(6, select(2, told.out:gsub("\n", "")))
    told = run { "desk-04", "nowhere", "-q" }
    assert.equal(2, told.status)
    assert.matches('^mde: restrict "nowhere": [^\n]+\n$', told.err)
  end)

  it("asks also where it is to be quiet", function()
    assert(r.client:restrict(id(1), "beacon", { incident = "INC-1" })):wait()
    local told = console.run({ "release", "desk-01", "--comment", "x", "-q" }, { client = r.client, answers = { "n" } })
    assert.equal(2, told.status)
    assert.matches("\nNote: desk%-01%.corp%.example is held by INC%-1; the release ends that%.\n.*%[y/N%] ", told.err)
  end)

  describe("with a key", function()
    it("is done once, however often it is asked", function()
      assert.equal(0, run({ "desk-01", "--key", "alert-4711", "--wait" }).status)
      local told = run { "desk-01", "--key", "alert-4711" }
      assert.equal(0, told.status, told.err)
      assert.equal(1, #r:posts())
      for action in r.client:actions "all" do assert.equal("alert-4711", action.operation_id) end
      assert(r.client:release("desk-01", "cleared")):wait()
      told = run { "desk-01", "--key", "alert-4711" }
      assert.equal(2, told.status)
      assert.equal(2, #r:posts())
    end)

    for what, case in pairs {
      ["of several devices"] = { { "desk-01", "desk-02", "--key", "alert-4711" }, "belongs to one device, not to 2" },
      ["that is too short"] = { { "desk-01", "--key", "short" }, "key" },
      ["that is an unset variable"] = { { "desk-01", "--key", "" }, "key" },
      ["and without a look"] = { { "desk-01", "--key", "alert-4711", "--no-look" }, "look" },
    } do
      it(what .. " is refused", function()
        local told = run(case[1])
        assert.equal(1, told.status)
        assert.truthy(told.err:find(case[2], 1, true), told.err)
        assert.same({}, r:requests())
      end)
    end

    it("is refused for what an incident holds", function()
      local told = console.run({ "release", "--all-of", "INC-1", "--comment", "x", "--yes", "--key", "alert-4711" },
        { client = r.client })
      assert.equal(1, told.status)
      assert.matches("not to all that an incident holds", told.err)
      assert.same({}, r:requests())
    end)
  end)
end)
