-- The honest end of a list, whatever ends it: what it says and its exit status, over TLS; and the same command again,
-- which continues: each device is done exactly once.
-- Labels: only-lua5.4, long
local cables = require "tests.spec.support.server.cable"
local commands = require "tests.spec.support.process.command"
local shell = require "tests.spec.support.process.shell"
local sim_json = require "mde.sim.base.json"
local wait_until = require "tests.spec.support.process.wait_until"

local COUNT = 20
local CONTINUES = "un the same command again: it continues, and does nothing twice."

local has, has_not, lines_of = commands.has, commands.has_not, commands.lines_of
local scene = commands.scene()
local tenant, command, desks = scene.tenant, scene.command, scene.desks

local function id(number) return ("%040x"):format(0xd0000 + number) end

-- What takes so long that a test can do something meanwhile.
local function slow(path, count)
  tenant.fault { match = { method = "POST", path = path }, fault = "slow", interval = 0.0005, count = count }
end

-- The numbers in the line that tells the end of all, by their words; they add up.
local function counts_in(text, total)
  local line = text:match(("%d devices: ([^\n]*)%%.\n"):format(total))
  assert.truthy(line, text)
  local counts, sum = {}, 0
  for part in line:gsub(", of unknown fate", ""):gmatch "[^,]+" do
    local count, word = part:match "^ ?(%d+) (.+)$"
    counts[word] = tonumber(count)
    sum = sum + counts[word]
  end
  assert.equal(total, sum, line)
  return counts
end

local verbs = {
  restrict = { path = "/restrictCodeExecution", type = "RestrictCodeExecution", accepted = "restriction accepted",
    signals = { INT = "Ctrl-C", HUP = "a terminal that closes" }, formats = { text = false, JSON = "--json" } },
  release = { path = "/unrestrictCodeExecution", type = "UnrestrictCodeExecution", accepted = "release accepted",
    signals = { INT = "Ctrl-C", TERM = "SIGTERM" }, formats = { CSV = "--csv" } },
}

-- A list of the devices from one to another, each of which is as it has to be for the verb, and what is done with it.
local function new_list(verb, from, to)
  local own, names, self = verbs[verb], {}, {}
  local all = desks(to)
  for number = from, to do names[#names + 1] = all[number] end
  local path = command.file(("%s-%d"):format(verb, from), table.concat(names, "\n"))
  for number = from, verb == "release" and to or 0 do
    tenant.action { machineId = id(number), type = "RestrictCodeExecution", status = "Succeeded",
      creationDateTimeUtc = "2h ago", lastUpdateDateTimeUtc = "2h ago", requestor = "a.colleague" }
  end

  self.names, self.path = names, path

  local function is_own(machine)
    local number = machine and tonumber(machine, 16) - 0xd0000
    return number and number >= from and number <= to
  end

  --- What the tenant did to these.
  function self.done()
    local some = {}
    for _, entry in ipairs(scene.created()) do
      if entry.type == own.type and is_own(entry.machine) then some[#some + 1] = entry end
    end
    return some
  end

  --- How many requests there were, and how many for each machine.
  function self.posts()
    local times, count = {}, 0
    for _, entry in ipairs(tenant.history "request") do
      local machine = entry.method == "POST" and entry.path:match("/machines/(%x+)" .. own.path .. "$")
      if machine and is_own(machine) then times[machine], count = (times[machine] or 0) + 1, count + 1 end
    end
    return count, times
  end

  local function words(...)
    return { verb, "--list", path, "--comment", "x", "--yes", "--cap", "100", ... }
  end

  function self.start(options, ...) return command.start(words(...), options) end

  function self.run(options, ...) return command.run(words(...), options) end

  --- Begins it, and waits until so many were done.
  function self.begin(count, options, ...)
    local process = self.start(options, ...)
    wait_until(function() return #self.done() >= count end, process.errors)
    return process
  end

  --- How it ended, in numbers; nothing was sent twice.
  function self.ended(result, status)
    assert.equal(status, result.status, result.err)
    has_not(result.err, "traceback")
    for machine, times in pairs(select(2, self.posts())) do assert.equal(1, times, machine) end
    return counts_in(result.err, #names)
  end

  --- The same command again, where so many were done before.
  function self.continues(before, options, ...)
    assert.equal(before, #self.done())
    local result = self.run(options, ...)
    assert.equal(0, result.status, result.err)
    assert.same({ ["already active"] = before > 0 and before or nil,
      accepted = before < #names and #names - before or nil }, counts_in(result.err, #names))
    has_not(result.err, "un the same command again")
    local times = {}
    for _, entry in ipairs(self.done()) do
      assert.is_nil(times[entry.machine])
      times[entry.machine] = true
    end
    assert.equal(#names, #self.done())
  end

  return self
end

for verb, own in pairs(verbs) do
  describe(("mde %s of a list"):format(verb), function()
    local list, names

    before_each(function()
      list = new_list(verb, 1, COUNT)
      names = list.names
    end)

    it("ends where the sign-in is revoked midway", function()
      slow(own.path, 8)
      local process = list.begin(8)
      tenant.application { client_id = tenant.env.AZURE_CLIENT_ID, client_secret = "another one" }
      tenant.revoke()
      local result = process.finish()
      local counts = list.ended(result, 2)
      assert.is_nil(counts.unknown)
      assert.truthy(counts.accepted >= 8 and counts.failed >= 1)
      has(result.err, "AADSTS7000215")
      has(result.err, "\nStopped: the sign-in failed.\nWhen that is mended, r" .. CONTINUES)
      tenant.application { client_id = tenant.env.AZURE_CLIENT_ID, client_secret = tenant.client_secret,
        roles = { "Machine.Read.All", "Machine.RestrictExecution" } }
      list.continues(counts.accepted)
    end)

    it("ends where the application lacks the permission", function()
      local application = { client_id = tenant.env.AZURE_CLIENT_ID, client_secret = tenant.client_secret,
        roles = { "Machine.Read.All" } }
      tenant.application(application)
      local result = list.run()
      local counts = list.ended(result, 2)
      assert.is_nil(counts.accepted)
      assert.truthy(counts.failed <= 8)
      has(result.err, "an administrator consent")
      has(result.err, "\nStopped: the application lacks the permission Machine.RestrictExecution.\n"
        .. "When that is mended, r" .. CONTINUES)
      application.roles = { "Machine.Read.All", "Machine.RestrictExecution" }
      tenant.application(application)
      -- What was refused has been asked for once more, and was never done.
      list.continues(0)
    end)

    local function refuse(number)
      tenant.fault { match = { method = "POST", path = id(number) }, fault = "answer", status = 403, count = false,
        headers = { ["Content-Type"] = "application/json" },
        body = '{"error":{"code":"Forbidden","message":"not in a group of yours"}}' }
    end

    it("goes on where some are of a device group without access", function()
      for _, number in ipairs { 2, 10, 18 } do refuse(number) end
      local result = list.run()
      assert.same({ accepted = 17, failed = 3 }, list.ended(result, 2))
      has(result.err, "line 10 of")
      has(result.err, "a role for the device's group, too")
      has_not(result.err, "Stopped")
      tenant.clear()
      list.continues(17)
    end)

    it("ends where three in a row are of a device group without access", function()
      for number = 5, 17 do refuse(number) end
      local result = list.run()
      local counts = list.ended(result, 2)
      assert.truthy(counts.accepted <= 4 and counts.failed >= 3 and counts["not begun"] > 0)
      has(result.err, "\nStopped: 3 devices in a row were refused (HTTP 403).\n"
        .. "When that is mended, or without those devices, r" .. CONTINUES)
      tenant.clear()
      list.continues(counts.accepted)
    end)

    it("knows nothing of those whose answers were lost, until it asks again", function()
      for _, number in ipairs { 4, 9 } do
        tenant.fault { match = { method = "POST", path = id(number) }, fault = "gone" }
      end
      tenant.fault { match = { method = "POST", path = id(13) }, fault = "reset" }
      -- Neither the list of all, after the first look at it, nor that of the device tells.
      for path, nth in pairs { ["UnrestrictCode"] = 2, ["machineactions?$filter=machineId"] = 1 } do
        tenant.fault { match = { path = path, method = "GET", nth = nth }, fault = "answer", status = 403,
          count = false }
      end
      local result = list.run()
      assert.same({ accepted = 17, unknown = 3 }, list.ended(result, 5))
      for _, number in ipairs { 4, 9, 13 } do
        has(result.err, ('line %d of %s: %s "%s": it was sent, but its outcome is not known'):format(number, list.path,
          verb, names[number]))
      end
      has(result.err, "\nR" .. CONTINUES)
      tenant.clear()
      -- One of the three was never done.
      list.continues(19)
    end)

    for signal, what in pairs(own.signals) do
      it("finishes what is in flight at " .. what, function()
        local log = command.directory .. "/" .. signal .. verb
        slow(own.path, false)
        local process = list.begin(8, nil, "--json", "--log", log)
        process.signal(signal)
        process.wait_for "Finishing what is in flight"
        if signal == "HUP" then process.signal(signal) end
        local result = process.finish()
        local counts = list.ended(result, 130)
        assert.truthy(counts.accepted >= 8 and counts["not begun"] == COUNT - counts.accepted)
        has(result.err, "\nInterrupted. 20 devices: ")
        has(result.err, "\nR" .. CONTINUES)
        has_not(result.err, "Stopped")
        for _, text in ipairs { result.out, shell.read_file(log) } do
          local outcomes = {}
          for i, line in ipairs(lines_of(text)) do
            local row = assert(sim_json.decode(line))
            assert.equal(names[i], row.device)
            outcomes[row.outcome] = (outcomes[row.outcome] or 0) + 1
          end
          assert.same({ accepted = counts.accepted, not_started = counts["not begun"] }, outcomes)
        end
        tenant.clear()
        list.continues(counts.accepted)
      end)
    end

    it("stops at once at the second Ctrl-C, and says of which it cannot know", function()
      for number = 1, 4 do
        tenant.fault { match = { method = "POST", path = id(number) }, fault = "stall", processed = number % 2 == 0 }
      end
      tenant.fault { match = { method = "POST", path = own.path }, fault = "stall", count = false }
      local process = list.start()
      wait_until(function() return list.posts() == 8 end, process.errors)
      process.signal "INT"
      process.wait_for "Finishing what is in flight"
      process.signal "INT"
      local result = process.finish()
      assert.same({ ["stopped in flight"] = 8, ["not begun"] = 12 }, list.ended(result, 130))
      for number = 1, 8 do
        has(result.err, ('"%s": stopped in flight; mde state shows the outcome'):format(names[number]))
      end
      has(result.err, "\nR" .. CONTINUES)
      tenant.clear()
      list.continues(6)
    end)

    for what, format in pairs(own.formats) do
      it("ends where its results cannot be written as " .. what, function()
        local result = list.run({ output = ">/dev/full" }, format or nil)
        local counts = list.ended(result, 3)
        assert.truthy(counts.accepted > 0 and counts["not begun"] > 0)
        has(result.err, "\nStopped: the results cannot be written any more.\nWhen that is mended, r" .. CONTINUES
          .. "\nmde: results cannot be written: No space left on device\n")
        list.continues(counts.accepted, nil, format or nil)
      end)
    end

    it("ends where nobody reads its results any more", function()
      local place = command.directory .. "/reader"
      os.execute(("mkfifo %s.fifo; (head -n 1 <%s.fifo >%s.first) &"):format(place, place, place))
      tenant.fault { match = { method = "POST", path = id(1) }, fault = "interim" }
      slow(own.path, false)
      local result = list.run { output = (">%s.fifo"):format(place) }
      os.remove(place .. ".fifo")
      local counts = list.ended(result, 130)
      has(shell.read_file(place .. ".first"), names[1] .. ": " .. own.accepted)
      assert.truthy(counts.accepted >= 2 and counts["not begun"] > 0)
      has(result.err, "\nStopped: nobody reads the results any more.\nR" .. CONTINUES)
      has_not(result.err, "results cannot be written")
      tenant.clear()
      list.continues(counts.accepted)
    end)
  end)
end

describe("mde release of all that an incident holds", function()
  it("continues with what is left after Ctrl-C", function()
    desks(COUNT)
    for number = 1, COUNT do
      tenant.action { machineId = id(number), type = "RestrictCodeExecution", status = "Succeeded",
        creationDateTimeUtc = "2h ago", lastUpdateDateTimeUtc = "2h ago",
        requestorComment = ("x [mde:INC-9:operation-%02d]"):format(number) }
    end
    local function released()
      local some = {}
      for _, entry in ipairs(tenant.history "action_changed") do
        if entry.type == "UnrestrictCodeExecution" and entry.to == "Succeeded" then some[#some + 1] = entry.machine end
      end
      return some
    end
    local words = { "release", "--all-of", "INC-9", "--comment", "x", "--yes" }
    slow(verbs.release.path, false)
    local process = command.start(words)
    wait_until(function() return #scene.created() >= COUNT + 8 end, process.errors)
    process.signal "INT"
    local result = process.finish()
    assert.equal(130, result.status, result.err)
    local counts = counts_in(result.err, COUNT)
    assert.truthy(counts.accepted >= 8 and counts["not begun"] > 0)
    has(result.err, "\nR" .. CONTINUES)
    tenant.clear()
    wait_until(function() return #released() == counts.accepted end)
    result = command.run(words)
    assert.equal(0, result.status, result.err)
    assert.same({ accepted = counts["not begun"] }, counts_in(result.err, counts["not begun"]))
    wait_until(function() return #released() == COUNT end)
    local times = {}
    for _, machine in ipairs(released()) do
      assert.is_nil(times[machine])
      times[machine] = true
    end
  end)
end)

-- Both verbs at the same time, since each takes a while.
describe("two lists at once", function()
  local restricts, releases

  before_each(function() restricts, releases = new_list("restrict", 1, 12), new_list("release", 13, 24) end)

  it("know nothing of what was in flight when the cable was cut, and send nothing more", function()
    local cable = cables.start(tenant.base_url)
    finally(cable.stop)
    local environment = { environment = cable.env(tenant.env) }
    tenant.fault { match = { method = "POST", path = id(3) }, fault = "stall", processed = false }
    tenant.fault { match = { method = "POST", path = "estrictCodeExecution" }, fault = "stall", count = false }
    local processes = { restricts.start(environment), releases.start(environment) }
    wait_until(function() return #restricts.done() == 7 and #releases.done() == 8 end, processes[1].errors)
    -- One more, which is still looking its devices up.
    local late = new_list("restrict", 25, 28)
    tenant.fault { match = { method = "GET", path = "/machines?" }, fault = "stall" }
    processes[3] = late.start(environment)
    wait_until(function() return tenant.faults()[3].applied > 0 end, processes[3].errors)
    cable.cut()
    local results = {}
    for i, process in ipairs(processes) do results[i] = process.finish() end
    assert.same({ unknown = 8, failed = 4 }, restricts.ended(results[1], 5))
    assert.same({ unknown = 8, failed = 4 }, releases.ended(results[2], 5))
    assert.same({ failed = 4 }, late.ended(results[3], 3))
    for _, result in ipairs(results) do
      has(result.err, "could not connect to localhost")
      has(result.err, "\nR" .. CONTINUES)
    end
    tenant.clear()
    cable.mend()
    restricts.continues(7, environment)
    releases.continues(8, environment)
    late.continues(0, environment)
  end)

  it("are done where their log may not grow as long as it would, which is said", function()
    local log = command.directory .. "/short.log"
    local result = restricts.run({ first = "ulimit -f 8", output = ">/dev/null" }, "--log", log)
    assert.same({ accepted = 12 }, restricts.ended(result, 3))
    has(result.err, ("mde: the log %q cannot be written: File too large; the results from \"desk-"):format(log))
    has(result.err, '" on are not in it\n')
    local kept = lines_of(shell.read_file(log))
    restricts.continues(12, nil, "--log", log)
    releases.continues(0, nil, "--log", log)
    local devices, whole = {}, 0
    for i, line in ipairs(lines_of(shell.read_file(log))) do
      local row = sim_json.decode(line)
      -- The last that was written then is cut short.
      assert.equal(i ~= #kept, row ~= nil, line)
      if row then
        whole = whole + 1
        devices[row.device] = true
      end
    end
    assert.equal(#kept - 1 + 24, whole)
    for _, names in ipairs { restricts.names, releases.names } do
      for _, name in ipairs(names) do assert.truthy(devices[name], name) end
    end
  end)

  local place = shell.new_directory()
  local can_mount = os.execute(("mount -t tmpfs -o size=64k tmpfs %s 2>/dev/null"):format(place))
  if can_mount then os.execute("umount " .. place) end
  shell.remove(place)

  -- Where no disk can be mounted, no disk is full.
  if can_mount then
    it("are restricted no more while the disk of their store is full, and released one a second", function()
      releases = new_list("release", 25, 27)
      local disk = command.directory .. "/disk"
      os.execute(("mkdir %s; mount -t tmpfs -o size=64k tmpfs %s; cat /dev/zero >%s/rest 2>/dev/null"):format(disk,
        disk, disk))
      finally(function() os.execute("umount -l " .. disk) end)
      local options = { environment = { MDE_STORE = disk .. "/store" } }
      local processes = { restricts.start(options), releases.start(options) }
      local result = processes[1].finish()
      local counts = restricts.ended(result, 3)
      assert.truthy(counts.failed <= 8 and counts["not begun"] >= 4)
      has(result.err, "/disk/store: No space left on device. Look at the file ")
      has_not(result.err, "--allow cap")
      has(result.err, "\nStopped: the store that keeps the service's limits failed.\nWhen that is mended, r"
        .. CONTINUES)
      assert.same({ accepted = 3 }, releases.ended(processes[2].finish(), 0))
      os.remove(disk .. "/rest")
      restricts.continues(0, options)
      releases.continues(3, options)
    end)
  end
end)
