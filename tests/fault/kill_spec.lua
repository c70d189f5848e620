-- A run that is killed (SIGKILL) before and after each commit of its record and each request, and is resumed: one
-- restrict and one release per device in the tenant's own history, and each device in one state in the record. Each
-- state change has one audit event, with a number of its own and none left out. The records lie in memory: what a
-- process has written outlives it there as well.
-- Labels: only-lua5.4, long
local audit = require "mde.run.audit"
local cjson = require "cjson"
local commands = require "tests.spec.support.process.command"
local journals = require "mde.journal"
local shell = require "tests.spec.support.process.shell"

local COUNT = 12
-- Of all places so many in one round, spread evenly; all of them: MDE_KILL_PLACES=all.
local SHARE = tonumber(os.getenv "MDE_KILL_PLACES" or "") or os.getenv "MDE_KILL_PLACES" == "all" and 1000 or 20

-- Devices of the run that is killed ten times; 500: MDE_KILL_DEVICES=500.
local MANY = tonumber(os.getenv "MDE_KILL_DEVICES" or "") or 60

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
local function session(how, record, place, prefix, count)
  return command.run({ how, record, "tests/fault/kill/contain.lua", tostring(place), prefix, tostring(count or COUNT) },
    { program = "tests/fault/kill/worker.lua" })
end

-- A tenant that has done nothing yet, and is quick.
local function begin()
  tenant.reset()
  tenant.set { delays = { pending = 0.02, running = 0.04 } }
end

-- The tenant did this: one restrict and one release of each device, and nothing else.
local function accepted_once_each(round, count, where)
  local counts, created = {}, scene.created()
  for _, event in ipairs(created) do
    local key = event.type .. " " .. event.machine
    counts[key] = (counts[key] or 0) + 1
  end
  for i = 1, count do
    for _, kind in ipairs { "RestrictCodeExecution", "UnrestrictCodeExecution" } do
      assert.equal(1, counts[kind .. " " .. id_of(round, i)] or 0, ("%s: %s %d"):format(where, kind, i))
    end
  end
  assert.equal(2 * count, #created, where)
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

-- Each device was restricted and released, and both have ended: what the audit has of that, it has once.
local function once_each(record, round, count)
  local counts = audited(record)
  for i = 1, count do
    for _, verb in ipairs { "restrict", "release" } do
      for _, outcome in ipairs { "accepted", "succeeded" } do
        local key = ("%s %s %s"):format(verb, outcome, id_of(round, i))
        assert.equal(1, counts[key], key)
      end
    end
  end
end

describe("a run that is killed", function()
  it("and resumed does everything once, wherever it was killed", function()
    local directory = shell.new_directory_in_memory()
    begin()
    prepare("whole", 0)
    local whole = session("plan", directory .. "/whole.db", 0, "whole")
    assert.equal(0, whole.status, whole.out .. whole.err)
    local places = tonumber(whole.out:match "complete%s+(%d+)")
    assert.is_true(places >= 200, ("only %d places"):format(places))
    local step = math.max(1, math.floor(places / SHARE))
    local killed = 0
    for place = 1, places, step do
      local prefix, record = ("at%d"):format(place), ("%s/%d.db"):format(directory, place)
      begin()
      prepare(prefix, place)
      local first = session("plan", record, place, prefix)
      if first.status == 137 then killed = killed + 1 end
      local last = first
      for _ = 1, 3 do
        if last.status == 0 then break end
        -- Killed before its plan was written, it has sent nothing, and is begun again.
        local is_unwritten = last.err:find("was not written to its end", 1, true)
        if is_unwritten then record = record .. ".again" end
        last = session(is_unwritten and "plan" or "resume", record, 0, prefix)
      end
      assert.equal(0, last.status, ("place %d: %s %s"):format(place, last.out, last.err))
      accepted_once_each(place, COUNT, ("place %d"):format(place))
      once_each(record, place, COUNT)
    end
    assert.is_true(killed > 0)
    print(("%d places, killed at %d of them"):format(places, killed))
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
      last = session(round == 1 and "plan" or "resume", record, place + (round == 1 and 8 or 0), "many", MANY)
      if last.status == 137 then killed = killed + 1 end
    end
    if last.status ~= 0 then last = session("resume", record, 0, "many", MANY) end
    assert.equal(0, last.status, ("seed %d: %s %s"):format(seed, last.out, last.err))
    accepted_once_each(1, MANY, ("seed %d"):format(seed))
    once_each(record, 1, MANY)
    print(("%d devices, killed %d times"):format(MANY, killed))
    shell.remove(directory)
  end)
end)
