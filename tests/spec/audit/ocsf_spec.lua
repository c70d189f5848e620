-- Each outcome of each verb as an event and a line: the fields, what hostile texts become, and what is absent.
local ocsf = require "mde.audit.ocsf"
local ocsf_fields = require "tests.spec.support.ocsf"
local outcomes = require "mde.audit.outcome"
local shell = require "tests.spec.support.process.shell"

local cjson = require "cjson"

local ID = ("a1"):rep(20)

local function change(fields)
  local own = { event = "change", time = 1795921084.1239, verb = "restrict", outcome = "accepted", machine_id = ID,
    computerDnsName = "laptop-17.corp.example", operation_id = "op-12345678", incident = "INC-4711",
    comment = "beacon to known C2", tenant_id = "8f0e6b1c-0000-4000-8000-0000000000aa",
    client_id = "5b7f6a3e-0000-4000-8000-00000000c11e", stream = "0badcafe", sequence = 12, version = "0.2.0" }
  for name, value in pairs(fields or {}) do own[name] = value end
  return own
end

describe("an event of OCSF", function()
  for verb, activity in pairs { restrict = { 1, "Isolate" }, release = { 3, "Restore" }, cancel = { 99, "Cancel" } } do
    for name, outcome in pairs(outcomes.words) do
      it(("of %s that is %s has all that is required, and no other field"):format(verb, name), function()
        local event = ocsf.event(change { verb = verb, outcome = name })
        assert.same({}, ocsf_fields.problems(event))
        assert.same({ activity[1], activity[2], 700100 + activity[1] },
          { event.activity_id, event.activity_name, event.type_uid })
        assert.same({ outcome.status_id, outcome.status, outcome.severity_id },
          { event.status_id, event.status, event.severity_id })
        assert.equal(("%s laptop-17.corp.example: %s"):format(verb, outcome.says), event.message)
        assert.same({ verb, name }, { event.unmapped.mde.verb, event.unmapped.mde.outcome })
      end)
    end
  end

  it("names the countermeasure: an allow list, its end, and nothing for a cancellation", function()
    local restrict, release = ocsf.event(change()), ocsf.event(change { verb = "release" })
    assert.same({ { d3f_tactic = { name = "Isolate", uid = "d3f:Isolate" },
      d3f_technique = { name = "Executable Allowlisting", uid = "D3-EAL" }, version = "1.2.0" } },
      restrict.countermeasures)
    assert.same({ { d3f_tactic = { name = "Restore", uid = "d3f:Restore" }, version = "1.2.0" } },
      release.countermeasures)
    assert.is_nil(ocsf.event(change { verb = "cancel" }).countermeasures)
  end)

  it("has all that is known of the device", function()
    local event = ocsf.event(change { device = { aadDeviceId = "17171717-0000-4000-8000-000000000017",
      osPlatform = "Windows11", version = "23H2", lastIpAddress = "10.1.2.3", rbacGroupName = "Laptops",
      onboardingStatus = "Onboarded", lastSeen = "2026-11-29T02:56:31Z" } })
    assert.same({}, ocsf_fields.problems(event))
    assert.same({ uid = ID, uid_alt = "17171717-0000-4000-8000-000000000017", hostname = "laptop-17.corp.example",
      name = "laptop-17", type_id = 0, type = "Unknown", ip = "10.1.2.3", groups = { { name = "Laptops" } },
      is_managed = true, last_seen_time = 1795920991000,
      os = { name = "Windows11", type_id = 100, type = "Windows", version = "23H2" } }, event.device)
    assert.same({ { name = "device.hostname", type_id = 1, type = "Hostname", value = "laptop-17.corp.example" } },
      event.observables)
  end)

  it("has the file of a quarantine where it is searched for", function()
    local event = ocsf.event(change { verb = "quarantine", sha1 = ("a1"):rep(20) })
    assert.same({}, ocsf_fields.problems(event))
    assert.same({ { name = "device.hostname", type_id = 1, type = "Hostname", value = "laptop-17.corp.example" },
      { name = "unmapped.mde.sha1", type_id = 8, type = "Hash", value = ("a1"):rep(20) } }, event.observables)
  end)

  for platform, system in pairs { WindowsServer2022 = { 100, "Windows" }, Linux = { 200, "Linux" },
    Android = { 201, "Android" }, macOS = { 300, "macOS" }, iOS = { 301, "iOS" }, BeOS = { 99, "Other" } } do
    it("knows the kind of " .. platform, function()
      local os_of = ocsf.event(change { device = { osPlatform = platform } }).device.os
      assert.same({ name = platform, type_id = system[1], type = system[2] }, os_of)
    end)
  end

  it("leaves out what is not known, and what cannot be so", function()
    local event = ocsf.event(change { device = { lastIpAddress = "10.1.2.300", lastSeen = "0001-01-01T00:00:00Z",
      onboardingStatus = "CanBeOnboarded" } })
    for _, name in ipairs { "uid_alt", "os", "ip", "groups", "is_managed", "last_seen_time" } do
      assert.is_nil(event.device[name], name)
    end
    event = ocsf.event { event = "change", time = 1, verb = "cancel", outcome = "unknown", stream = "s", sequence = 1 }
    assert.same({}, ocsf_fields.problems(event))
    assert.is_nil(event.device)
    assert.is_nil(event.metadata.correlation_uid)
    assert.same({ app_name = "mde" }, event.actor)
    assert.same({ verb = "cancel", outcome = "unknown" }, event.unmapped.mde)
    -- What OCSF requires, and nobody drew.
    assert.equal("s/1", event.command_uid)
  end)

  it("names a device that was not found as it was asked for", function()
    local event = ocsf.event { event = "change", time = 1, verb = "restrict", outcome = "not_found", asked = "lap-17",
      kind = "not_found", code = "no_such_device", message = "why", operation_id = "op", stream = "s", sequence = 1 }
    assert.same({}, ocsf_fields.problems(event))
    assert.same({ name = "lap-17", type_id = 0, type = "Unknown" }, event.device)
    assert.same({ "restrict lap-17: not found", "not_found", "why", "no_such_device" },
      { event.message, event.status_code, event.status_detail, event.unmapped.mde.code })
  end)

  it("says by status_code and status_detail what the service or the error says", function()
    for _, case in ipairs {
      { { http_status = 201, status = "Pending" }, "201", "Pending" },
      { { status = "Succeeded" }, "Succeeded", "Succeeded" },
      { { status = "Failed", message = "no such policy" }, "Failed", "no such policy" },
      { { kind = "unknown", http_status = 500, message = "no answer" }, "unknown", "no answer" },
    } do
      local event = ocsf.event(change(case[1]))
      assert.same({ case[2], case[3] }, { event.status_code, event.status_detail })
    end
  end)

  it("is numbered in its run, or in its stream, and correlates by the incident or the run", function()
    local event = ocsf.event(change { run = "20261129T025804Z-7f3a" })
    assert.same({ "20261129T025804Z-7f3a/12", 12, "INC-4711", "mde-run" }, { event.metadata.uid,
      event.metadata.sequence, event.metadata.correlation_uid, event.metadata.log_name })
    event = ocsf.event(change())
    assert.same({ "0badcafe/12", "mde" }, { event.metadata.uid, event.metadata.log_name })
    local without = change { run = "R" }
    without.incident = nil
    assert.equal("R", ocsf.event(without).metadata.correlation_uid)
  end)

  it("has the time in whole milliseconds, and the user if one is named", function()
    local event = ocsf.event(change { user = "alice" })
    assert.equal(1795921084123, event.time)
    assert.same({ name = "alice", type_id = 1 }, event.actor.user)
  end)
end)

describe("the page", function()
  it("shows a line as it is written", function()
    local sample = shell.read_file "lua/mde/audit/audit.md":match "```json\n(.-)```":gsub("\n ?", "")
    local line = ocsf.line(change { operation_id = "k3v7q2m4x5n6p7r8s9t2u3v4w5", version = "0.1.0", user = "alice",
      machine_id = "1e5bc9d7e413ddd7902c2932e418702b84d0cc07", run = "20261129T025804Z-7f3a", wave = 1,
      playbook_sha256 = "9b1c44d0...", http_status = 201, status = "Pending", attempts = 1, looked = true,
      action_id = "5382f7ea-7557-4ab7-9782-d50480024a4e",
      device = { aadDeviceId = "17171717-0000-4000-8000-000000000017", osPlatform = "Windows11", version = "23H2",
        lastIpAddress = "10.1.2.3", rbacGroupName = "Laptops", onboardingStatus = "Onboarded",
        lastSeen = "2026-11-29T02:56:31Z" } })
    assert.equal(line, sample)
  end)

  local PAGE = shell.read_file "lua/mde/audit/audit.md"

  -- What the page prints of a file with these lines, sorted.
  local function missing_of(lines)
    local directory = shell.new_directory()
    finally(function() shell.remove(directory) end)
    shell.write_file(directory .. "/audit.jsonl", table.concat(lines, "\n") .. "\n")
    shell.write_environment(directory .. "/env", shell.lua_environment())
    shell.write_file(directory .. "/check", PAGE:match "prints nothing if all is there:\n\n```sh\n(.-)```")
    return shell.output_of((". %s/env; cd %s; { sh -eu ./check 2>&1; echo \"exit $?\"; } | sort"):format(directory,
      directory))
  end

  it("has a check that prints what is missing in a file, and nothing if all is there", function()
    local all, lines = {}, {}
    for n = 1, 12 do
      all[n] = (ocsf.line(change { run = "20261129T025804Z-7f3a", sequence = n, incident = "a/7 \"uid\":\"x/99\"" }))
      all[12 + n] = (ocsf.line(change { sequence = n }))
    end
    -- In any order, some of them twice, with an empty line and one of what is unwritten between.
    for i = 24, 1, -1 do lines[#lines + 1] = all[i] end
    lines[#lines + 1], lines[#lines + 2], lines[#lines + 3] = "", '{"unwritten":{"device":"x"}}', all[3]
    assert.equal("exit 0\n", missing_of(lines))
    local fewer = {}
    for i, line in ipairs(all) do
      if i ~= 1 and i ~= 10 and i ~= 12 + 11 then fewer[#fewer + 1] = line end
    end
    assert.equal("0badcafe/11\n20261129T025804Z-7f3a/1\n20261129T025804Z-7f3a/10\nexit 0\n", missing_of(fewer))
  end)

  -- The value in an event of a field, "device.os.name"; nil if it has no such field.
  local function value_of(event, path)
    for name in path:gmatch "[^.]+" do event = type(event) == "table" and event[name] or nil end
    return event
  end

  -- The fields that the page takes out of an event, for each of those that take it in.
  local function taken()
    local sentinel, splunk, elastic = {}, {}, {}
    local text = PAGE:match "```kusto\n(.-)```"
    for path in text:gmatch "Event%.([%w_.]+)" do sentinel[#sentinel + 1] = path end
    for path in text:gmatch 'Event%["([%w_.]+)"%]' do sentinel[#sentinel + 1] = path end
    for name in text:gmatch "[^%w_.]mde%.([%w_]+)" do sentinel[#sentinel + 1] = "unmapped.mde." .. name end
    splunk[1] = PAGE:match "TIMESTAMP_FIELDS = ([%w_.]+)"
    splunk[2], splunk[3] = PAGE:match "`sourcetype=mde:audit | dedup ([%w_.]+) | stats count by ([%w_.]+)`"
    for from in PAGE:match "| ECS | from |\n|[-|]+|\n(.-)\n\n":gmatch "[^\n]+" do
      local column = from:match "^|[^|]+|([^|]+)|$"
      for word in column:gmatch "`([%w_.]+)`" do elastic[#elastic + 1] = word end
    end
    return { sentinel = sentinel, splunk = splunk, elastic = elastic }
  end

  it("takes fields that there are into Sentinel, Splunk and Elastic", function()
    local event = cjson.decode((PAGE:match "```json\n(.-)```":gsub("\n ?", "")))
    -- Words of ECS that are no field of an event.
    local constant = { event = true, success = true, failure = true, unknown = true, _id = true }
    local counts = {}
    for name, list in pairs(taken()) do
      counts[name] = 0
      for _, path in ipairs(list) do
        if not constant[path] then
          counts[name] = counts[name] + 1
          assert(value_of(event, path) ~= nil, ("%s: no event has %s"):format(name, path))
        end
      end
    end
    assert.is_true(counts.sentinel > 20 and counts.splunk == 3 and counts.elastic > 15,
      ("%d %d %d"):format(counts.sentinel, counts.splunk, counts.elastic))
  end)

  it("calls the same outcomes a success and a failure in Sentinel and Elastic, and each has a place", function()
    local kinds = { [0] = "else", "success", "failure", "failure", [6] = "failure", [99] = "else" }
    for name, outcome in pairs(outcomes.words) do assert.is_string(kinds[outcome.status_id], name) end
    assert.truthy(PAGE:find('toint(Event.status_id) == 1, "Success", toint(Event.status_id) in (2, 3, 6), "Failure"',
      1, true))
    assert.truthy(PAGE:find("`success` if `status_id` is 1, `failure` if it is 2, 3 or 6, else `unknown`", 1, true))
  end)

  it("names each field of ours", function()
    local page = shell.read_file "lua/mde/audit/audit.md"
    for name in pairs(ocsf_fields.ours) do assert.truthy(page:find(("`%s`"):format(name), 1, true), name) end
  end)
end)

describe("a line of OCSF", function()
  it("is the event, with its keys in order, and equal for equal events", function()
    local line, event = ocsf.line(change())
    assert.same(event, cjson.decode(line))
    assert.equal(line, (ocsf.line(change())))
    assert.matches('^{"activity_id":1,"activity_name":"Isolate","actor":{', line)
    assert.is_nil(line:find "\n")
  end)

  it("makes hostile texts harmless, and keeps what they say", function()
    local hostile = "pc\n\27[2J\0\"\\\226\128\174gnp\255\237\160\128.corp</script>"
    local line = ocsf.line(change { computerDnsName = hostile, comment = hostile, message = hostile, kind = "refused",
      incident = hostile, asked = hostile, action_id = hostile, user = hostile,
      device = { osPlatform = hostile, version = hostile, rbacGroupName = hostile, aadDeviceId = hostile,
        lastIpAddress = hostile, lastSeen = hostile } })
    assert.is_nil(line:find "[%c\127-\255]")
    local event = cjson.decode(line)
    local repaired = "pc\n\27[2J\0\"\\\226\128\174gnp" .. ("\239\191\189"):rep(4) .. ".corp</script>"
    assert.equal(repaired, event.device.hostname)
    assert.equal(repaired, event.unmapped.mde.comment)
    assert.equal(repaired, event.status_detail)
    assert.equal(repaired, event.device.os.version)
    assert.same({}, ocsf_fields.problems(event))
  end)

  it("leaves out a number that JSON has no word for", function()
    for _, number in ipairs { math.huge, -math.huge, 0 / 0 } do
      local line = ocsf.line(change { attempts = number, wave = 2 })
      assert.is_nil(line:find("null", 1, true))
      assert.same({ 2 }, { cjson.decode(line).unmapped.mde.wave, cjson.decode(line).unmapped.mde.attempts })
    end
  end)

  it("stays short where a text is long, and cuts no character", function()
    local long = ("\195\164"):rep(100000)
    local line = ocsf.line(change { computerDnsName = long, comment = long, message = long, kind = long,
      run = long, version = long, asked = long, user = long,
      device = { osPlatform = long, version = long, rbacGroupName = long } })
    assert.is_true(#line < 60000)
    local name = cjson.decode(line).device.hostname
    assert.is_true(#name <= 2000)
    assert.matches("\195\164%.%.%.$", name)
    assert.is_nil(line:find("ufffd", 1, true))
  end)
end)
