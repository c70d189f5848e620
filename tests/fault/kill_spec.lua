-- A run that is killed (SIGKILL) before and after each commit of its record and each request, and is resumed: one of
-- each of its actions per device in the tenant's own history, and each device in one state in the record. Each state
-- change has one audit event, with a number of its own and none left out. The records lie in memory: what a process has
-- written outlives it there as well. tests/fault/kill does all of it.
-- Labels: only-lua5.4, long
local audit = require "mde.run.audit"
local cjson = require "cjson"
local commands = require "tests.spec.support.process.command"
local journals = require "mde.journal"
local shell = require "tests.spec.support.process.shell"

local COUNT = 12
-- Of all places of a run so many, spread evenly.
local SHARE = os.getenv "MDE_KILL_PLACES" == "all" and math.huge or tonumber(os.getenv "MDE_KILL_PLACES" or "")

-- Devices of the run that is killed ten times.
local MANY = tonumber(os.getenv "MDE_KILL_DEVICES" or "") or 40

---@class tests.KilledRun
---@field playbook string
---@field share integer how many of its places the suite takes
---@field deeds table<string, string> what it does to each device: the verb, and the type of the action

---@type tests.KilledRun[]
local killed_runs = {
  { playbook = "contain", share = 12,
    deeds = { restrict = "RestrictCodeExecution", release = "UnrestrictCodeExecution" } },
  { playbook = "mixed", share = 6,
    deeds = { isolate = "Isolate", restrict = "RestrictCodeExecution", scan = "RunAntiVirusScan" } },
}

local scene = commands.scene()
local tenant, command = scene.tenant, scene.command

local function id_of(round, i) return ("%040x"):format(0xa000000 + round * 0x1000 + i) end

local function prepare(prefix, round, count)
  for i = 1, count or COUNT do
    tenant.machine { id = id_of(round, i), computerDnsName = ("%s-%d.corp.example"):format(prefix, i),
      osPlatform = "Windows11" }
  end
end

-- Runs one session; what it wrote and how it ended.
local function session(run, how, record, place, prefix, count)
  return command.run({ how, record, ("tests/fault/killed/%s.lua"):format(run.playbook), tostring(place), prefix,
    tostring(count or COUNT) }, { program = "tests/fault/killed/worker.lua" })
end

-- A tenant that has done nothing yet, and is quick.
local function begin()
  tenant.reset()
  tenant.application { client_id = tenant.env.AZURE_CLIENT_ID, client_secret = tenant.env.AZURE_CLIENT_SECRET,
    roles = { "Machine.Read.All", "Machine.RestrictExecution", "Machine.Isolate", "Machine.Scan" } }
  tenant.set { delays = { pending = 0.02, running = 0.04 } }
end

-- The tenant did this: one action of each type to each device, and nothing else.
local function accepted_once_each(run, round, count, where)
  local counts, created = {}, scene.created()
  for _, event in ipairs(created) do
    local key = event.type .. " " .. event.machine
    counts[key] = (counts[key] or 0) + 1
  end
  local expected = 0
  for i = 1, count do
    for _, kind in pairs(run.deeds) do
      assert.equal(1, counts[kind .. " " .. id_of(round, i)] or 0, ("%s: %s %d"):format(where, kind, i))
      expected = expected + 1
    end
  end
  assert.equal(expected, #created, where)
end

-- The lines that the sessions of a run have written, and those of its record: each line of the file is one of the
-- record's, at most once, and these are numbered without a hole. How often each change of each device has which
-- outcome.
local function audited(record)
  local of_record, written, counts, sequence = {}, {}, {}, 0
  local journal = assert(journals.open(record, { untrusted = true }))
  for line in audit.lines(journal) do
    local event = cjson.decode(line)
    sequence = sequence + 1
    assert.equal(sequence, event.metadata.sequence)
    of_record[line] = true
    local key = ("%s %s %s"):format(event.unmapped.mde.verb, event.unmapped.mde.outcome, event.device.uid)
    counts[key] = (counts[key] or 0) + 1
  end
  journal:close()
  for line in shell.read_file(record .. ".audit"):gmatch "[^\n]+" do
    assert.is_true(of_record[line], line)
    assert.is_nil(written[line], line)
    written[line] = true
  end
  return counts
end

-- Each was done to each device, and has ended: what the audit has of that, it has once.
local function once_each(run, record, round, count)
  local counts = audited(record)
  for i = 1, count do
    for verb in pairs(run.deeds) do
      for _, outcome in ipairs { "accepted", "succeeded" } do
        local key = ("%s %s %s"):format(verb, outcome, id_of(round, i))
        assert.equal(1, counts[key], key)
      end
    end
  end
end

for _, run in ipairs(killed_runs) do describe(("a run of %s that is killed"):format(run.playbook), function()
  it("and resumed does everything once, wherever it was killed", function()
    local directory = shell.new_directory_in_memory()
    begin()
    prepare("whole", 0)
    local whole = session(run, "plan", directory .. "/whole.db", 0, "whole")
    assert.equal(0, whole.status, whole.out .. whole.err)
    local places = tonumber(whole.out:match "complete%s+(%d+)")
    assert.is_true(places >= 200, ("only %d places"):format(places))
    local step = math.max(1, math.floor(places / (SHARE or run.share)))
    local killed = 0
    for place = 1, places, step do
      local prefix, record = ("at%d"):format(place), ("%s/%d.db"):format(directory, place)
      begin()
      prepare(prefix, place)
      local first = session(run, "plan", record, place, prefix)
      if first.status == 137 then killed = killed + 1 end
      local last = first
      for _ = 1, 3 do
        if last.status == 0 then break end
        -- Killed before its plan was written, it has sent nothing, and is begun again.
        local is_unwritten = last.err:find("was not written to its end", 1, true)
        if is_unwritten then record = record .. ".again" end
        last = session(run, is_unwritten and "plan" or "resume", record, 0, prefix)
      end
      assert.equal(0, last.status, ("place %d: %s %s"):format(place, last.out, last.err))
      accepted_once_each(run, place, COUNT, ("place %d"):format(place))
      once_each(run, record, place, COUNT)
    end
    assert.is_true(killed > 0)
    print(("%s: %d places, killed at %d of %d"):format(run.playbook, places, killed, math.ceil(places / step)))
    shell.remove(directory)
  end)

  it("ten times at random places does everything once", function()
    local directory = shell.new_directory_in_memory()
    local record, seed = directory .. "/many.db", os.time()
    math.randomseed(seed)
    begin()
    prepare("many", 1, MANY)
    local killed, last = 0, nil
    for round = 1, 10 do
      -- Each device has four commits and two requests at the least.
      local place = math.random(MANY)
      last = session(run, round == 1 and "plan" or "resume", record, place + (round == 1 and 8 or 0), "many", MANY)
      if last.status == 137 then killed = killed + 1 end
    end
    if last.status ~= 0 then last = session(run, "resume", record, 0, "many", MANY) end
    assert.equal(0, last.status, ("seed %d: %s %s"):format(seed, last.out, last.err))
    accepted_once_each(run, 1, MANY, ("seed %d"):format(seed))
    once_each(run, record, 1, MANY)
    print(("%s: %d devices, killed %d times"):format(run.playbook, MANY, killed))
    shell.remove(directory)
  end)
end) end
