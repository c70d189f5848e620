-- Fails each system call of mde.driver.curl in turn, with each error that it can have, and judges what the caller was
-- told by what the tenant did; and once more each of a client whose state is in a file. To be run with
-- tests/fault/system_calls.c preloaded.
--
-- With any argument each row is printed.

local axes = require "tests.fault.outcomes.axes"
local play = require "tests.fault.outcomes.play"
local system_calls = require "tests.system_calls"
local worlds = require "tests.fault.outcomes.world"

local MOST_ERRORS, MOST_CALLS = 4, 2000
local prints = arg[1] ~= nil

local function descriptors()
  local pipe = assert(io.popen(("ls /proc/%d/fd | wc -l"):format(tonumber(io.open("/proc/self/stat"):read "*n"))))
  local count = pipe:read "*n"
  pipe:close()
  return count
end

local world = worlds.start()
local failed, clean, problems, by_call = 0, {}, {}, {}

-- Plays a row with the k-th call failed. Whether there was such a call, and whether it has such an error.
local function fail(request, connection, store, k, variant)
  local calls, name, number
  if store then os.remove(store) end
  local row = { store = store, driver = "libcurl", fault = "a system call", request = request, connection = connection, expected = {},
    strike = function() system_calls.arm(k, variant) end,
    spare = function() calls, name, number = system_calls.disarm() end }
  local seen, problem = play.play(world, row)
  if name then
    failed = failed + 1
    clean[seen.result] = (clean[seen.result] or 0) + 1
    by_call[name] = (by_call[name] or 0) + 1
    local text = ("%-8s %-6s %-5s call %3d, %-12s errno %3d: tenant: %d done, told: %s%s"):format(request, connection,
      store and "file" or "state", k, name, number, seen.actions, seen.result, problem and " WRONG: " .. problem or "")
    if prints or problem then print(text) end
    if problem then problems[#problems + 1] = text end
  end
  return calls >= k, name ~= nil
end

-- What keeps descriptors for good has been opened.
play.play(world, { driver = "libcurl", request = "restrict", connection = "new", expected = {} })
local before = descriptors()
local function fail_all(request, connection, store)
  for k = 1, MOST_CALLS do
    local is_reached = true
    for variant = 1, MOST_ERRORS do
      local reached, has_error = fail(request, connection, store, k, variant)
      is_reached = is_reached and reached
      if not has_error then break end
    end
    if not is_reached then return end
  end
  problems[#problems + 1] = ("%s: more than %d calls"):format(request, MOST_CALLS)
end

local path = os.tmpname()
for _, request in ipairs { "get", "restrict", "release" } do
  for _, connection in ipairs(axes.connections) do
    fail_all(request, connection)
    fail_all(request, connection, path)
  end
end
collectgarbage()
os.remove(path)
-- Nothing that was begun is left open, but for a few connections that are kept alive.
local after = descriptors()
if after > before + 8 then problems[#problems + 1] = ("%d descriptors, and %d before"):format(after, before) end
world.stop()

local function in_words(counts)
  local names, parts = {}, {}
  for name in pairs(counts) do names[#names + 1] = name end
  table.sort(names)
  for i, name in ipairs(names) do parts[i] = ("%d %s"):format(counts[name], name) end
  return table.concat(parts, ", ")
end

print(("system calls failed: %d (%s); told: %s; descriptors: %d before, %d after; wrong: %d"):format(failed,
  in_words(by_call), in_words(clean), before, after, #problems))
for _, problem in ipairs(problems) do io.stderr:write(problem, "\n") end
os.exit(#problems == 0 and failed > 0 and 0 or 1, true)
