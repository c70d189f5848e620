-- Fails each system call of mde.driver.curl in turn, with each error that it can have, and judges what the caller was
-- told by what the tenant did; the same for mde.driver.cqueues in a controller, and for a client whose state is in a
-- file. To be run with tests/fault/system_calls.c preloaded.
--
-- usage: system_calls.lua [sample|print]    sample: each with one of its errors; print: prints each row

local axes = require "tests.fault.outcomes.axes"
local cqueues = require "cqueues"
local play = require "tests.fault.outcomes.play"
local system_calls = require "tests.system_calls"
local worlds = require "tests.fault.outcomes.world"

local MOST_ERRORS, MOST_CALLS = 4, 2000
-- How often a controller may stop: some of the calls that fail are its own.
local MOST_STOPS = 1000
local samples, prints = arg[1] == "sample", arg[1] == "print"

local function descriptors()
  local pipe = assert(io.popen(("ls /proc/%d/fd | wc -l"):format(tonumber(io.open("/proc/self/stat"):read "*n"))))
  local count = pipe:read "*n"
  pipe:close()
  return count
end

---@class tests.SystemCalls what came of it with one driver
---@field name string the driver's
---@field world tests.outcomes.World
---@field failed integer
---@field told table<string, integer>
---@field calls table<string, integer>
---@field problems string[]

-- Plays the row with the k-th call failed. Tells whether there was such a call, and whether it has such an error.
local function fail(run, row, k, variant)
  local calls, name, number
  if row.store then os.remove(row.store) end
  row.strike = function() system_calls.arm(k, variant, samples) end
  row.spare = function() calls, name, number = system_calls.disarm() end
  local seen, problem = play.play(run.world, row)
  if name then
    run.failed = run.failed + 1
    run.told[seen.result] = (run.told[seen.result] or 0) + 1
    run.calls[name] = (run.calls[name] or 0) + 1
    local text = ("%-8s %-8s %-6s %-5s call %3d, %-12s errno %3d: tenant: %d done, told: %s%s"):format(run.name,
      row.request, row.connection, row.store and "file" or "state", k, name, number, seen.actions, seen.result,
      problem and " WRONG: " .. problem or "")
    if prints then print(text) end
    if problem then run.problems[#run.problems + 1] = text end
  end
  return calls >= k, name ~= nil
end

local samples_taken = 0

local function fail_each(run, request, connection, store)
  local row = { driver = "libcurl", request = request, connection = connection, store = store, expected = {} }
  for k = 1, MOST_CALLS do
    local is_reached = true
    local first, last = 1, MOST_ERRORS
    if samples then
      samples_taken = samples_taken + 1
      first = samples_taken % MOST_ERRORS + 1
      last = first
    end
    for variant = first, last do
      local reached, has_error = fail(run, row, k, variant)
      is_reached = is_reached and reached
      if not has_error then break end
    end
    if not is_reached then return end
  end
  run.problems[#run.problems + 1] = ("%s: more than %d calls"):format(request, MOST_CALLS)
end

local function fail_all(run, store)
  for _, request in ipairs { "get", "restrict", "release" } do
    for _, connection in ipairs(axes.connections) do
      fail_each(run, request, connection)
      if store then fail_each(run, request, connection, store) end
    end
  end
end

local function in_words(counts)
  local names, parts = {}, {}
  for name in pairs(counts) do names[#names + 1] = name end
  table.sort(names)
  for i, name in ipairs(names) do parts[i] = ("%d %s"):format(counts[name], name) end
  return table.concat(parts, ", ")
end

-- Whether all was well. `within(fn)` calls fn where the driver is at home.
local function judge(name, store, within)
  local run = { name = name, world = worlds.start(name), failed = 0, told = {}, calls = {}, problems = {} }
  local before
  within(run, function()
    -- What keeps descriptors for good is opened now.
    play.play(run.world, { driver = "libcurl", request = "restrict", connection = "new", expected = {} })
    before = descriptors()
    fail_all(run, store)
  end)
  collectgarbage()
  -- Nothing that was begun is left open, but for a few connections that are kept alive.
  local after = descriptors()
  if after > before + 8 then
    run.problems[#run.problems + 1] = ("%d descriptors, and %d before"):format(after, before)
  end
  run.world.stop()
  print(("%s: system calls failed: %d (%s); told: %s; descriptors: %d before, %d after; wrong: %d"):format(name,
    run.failed, in_words(run.calls), in_words(run.told), before, after, #run.problems))
  for _, problem in ipairs(run.problems) do io.stderr:write(problem, "\n") end
  return #run.problems == 0 and run.failed > 0
end

local function directly(_, fn) fn() end

-- A program whose controller stops has it go on.
local function in_controller(run, fn)
  local controller, ended = cqueues.new(), false
  controller:wrap(function()
    fn()
    ended = true
  end)
  local stops = 0
  while not controller:empty() and stops <= MOST_STOPS do
    local ok, message = controller:loop()
    if not ok then
      stops = stops + 1
      if prints then print(("%s: the controller stopped: %s"):format(run.name, message)) end
    end
  end
  if not ended then run.problems[#run.problems + 1] = "the controller did not end" end
end

local path = os.tmpname()
local is_well = judge("curl", path, directly)
os.remove(path)
is_well = judge("cqueues", nil, in_controller) and is_well
os.exit(is_well and 0 or 1, true)
