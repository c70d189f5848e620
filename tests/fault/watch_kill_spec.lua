-- mde watch is killed (SIGKILL) at any place, again and again, and started again: each alert is handed over, and a
-- second time only where the kill fell between the end of its handler and the next line of the cursor. Many alerts
-- have the same time, some come late, some fail once. With the alert's key, one action reaches each device. The files
-- lie in memory: what a process has written outlives it there as well.
-- Labels: only-lua5.4, long
local commands = require "tests.spec.support.process.command"
local core = require "mde.core"
local posix = require "mde.posix"
local shell = require "tests.spec.support.process.shell"
local wait_until = require "tests.spec.support.process.wait_until"

-- Kills, at the least.
local KILLS = tonumber(os.getenv "MDE_KILLS" or "") or 12

local scene = commands.scene()
local tenant, command = scene.tenant, scene.command

describe("a watch that is killed", function()
  local directory, cursor, rows, log, began, added

  before_each(function()
    directory = shell.output_of("mktemp -d -p /dev/shm mde-watch.XXXXXX"):match "%S+"
    cursor, rows, log = directory .. "/cursor", directory .. "/rows", directory .. "/log"
    shell.write_file(rows, "")
    began, added = math.floor(posix.clock.time()), {}
    math.randomseed(tonumber(os.getenv "MDE_SEED" or "") or began)
  end)

  after_each(function() shell.remove(directory) end)

  -- Adds alerts that were changed and created so many seconds before the beginning, in one step.
  local function add(prefix, count, seconds, machine)
    local time, lines = core.timestamp.write(began - seconds), {}
    for i = 1, count do
      local id = ("%s-%08d%s"):format(prefix, i, i % 50 == 0 and "f" or "")
      lines[i] = ("%s %s %s %s\n"):format(id, time, time, machine and machine(i) or "-")
      added[#added + 1] = id
    end
    local file = assert(io.open(rows, "a"))
    file:write(table.concat(lines))
    file:close()
  end

  local function start(...)
    return command.start { "watch", "--quiet", "--cap", "1000", "--since", core.timestamp.write(began - 3000),
      "tests/fault/killed/on_alert.lua", cursor, rows, log, ... }
  end

  -- What the log tells: how often each handler has ended, and how often it might have a second time: so often the
  -- process was killed before it wrote anything else.
  local function read_log()
    local ended, excused, last = {}, {}, nil
    for line in (shell.read_file(log) or ""):gmatch "([^\n]*)\n" do
      local what, id = line:match "^(%u) ?(.*)$"
      if what == "S" and last then excused[last] = (excused[last] or 0) + 1 end
      last = what == "E" and id or nil
      if last then ended[last] = (ended[last] or 0) + 1 end
    end
    return ended, excused
  end

  local function are_all_ended()
    local ended = read_log()
    for _, id in ipairs(added) do
      if not ended[id] then return false end
    end
    return true
  end

  -- Kills it so often, after so many seconds at the most, and lets it end in peace.
  local function play(longest, on_kill, ...)
    for i = 1, KILLS do
      local process = start(...)
      wait_until(function() return select(2, (shell.read_file(log) or ""):gsub("S\n", "")) >= i end, process.errors)
      posix.clock.sleep(math.random() * longest)
      process.signal "KILL"
      assert.equal(137, process.finish().status)
      on_kill(i)
    end
    local process = start(...)
    wait_until(are_all_ended, process.errors)
    -- What was handed over stays so.
    posix.clock.sleep(1)
    process.signal "INT"
    local result = process.finish()
    assert.equal(0, result.status, result.err)
  end

  local function check_log()
    local ended, excused = read_log()
    local again = 0
    for _, id in ipairs(added) do
      local count = ended[id] or 0
      assert.is_true(count >= 1, id .. " was lost")
      assert.is_true(count <= 1 + (excused[id] or 0), ("%s was handed over %d times"):format(id, count))
      again = again + count - 1
    end
    local total = 0
    for _ in pairs(ended) do total = total + 1 end
    assert.equal(#added, total)
    return again
  end

  it("hands over each of 10,000 alerts of the same time, and those that come late", function()
    add("first", 9000, 600)
    play(0.5, function(i)
      if i == 3 then add("more", 800, 600) end
      if i == 6 then add("late", 100, 620) end -- within the overlap
      if i == 9 then add("later", 100, 2900) end -- found by a sweep
    end)
    local again = check_log()
    assert.equal(10000, #added)
    assert.is_true(again <= KILLS)
  end)

  it("restricts each device once", function()
    local function id_of(i) return ("%040x"):format(0xb000000 + i) end
    for i = 1, 60 do
      tenant.machine { id = id_of(i), computerDnsName = ("desk-%d.corp.example"):format(i), osPlatform = "Windows11" }
    end
    add("alert", 60, 100, id_of)
    play(0.25, function() end, "restrict")
    check_log()
    local counts, total = {}, 0
    for _, event in ipairs(scene.created()) do
      assert.equal("RestrictCodeExecution", event.type)
      counts[event.machine] = (counts[event.machine] or 0) + 1
      total = total + 1
    end
    for i = 1, 60 do assert.equal(1, counts[id_of(i)], i) end
    assert.equal(60, total)
  end)
end)
