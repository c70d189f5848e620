-- One session of a run that ends itself by SIGKILL at a chosen place: before or after a commit of the record, before or
-- after a request. Time passes by itself where it sleeps. Its audit events are appended to RECORD.audit.
--
-- usage: lua worker.lua plan|resume RECORD PLAYBOOK PLACE PREFIX COUNT
--
-- PLACE 0: it is not killed, and writes how many places there were. Exits with 0 if the run is complete.

local clients = require "mde.client"
local curl = require "mde.driver.curl"
local journals = require "mde.journal"
local line_file = require "mde.cli.ui.line_file"
local mde = require "mde"
local posix = require "mde.posix"
local runs = require "mde.run"

local how, record, playbook, place, prefix, count = ...
place = tonumber(place)

local passed = 0
local pid = io.open("/proc/self/stat"):read "*n"

local function may_die()
  passed = passed + 1
  if passed == place then
    os.execute("kill -9 " .. ("%d"):format(pid))
    -- Not reached.
    while true do posix.clock.sleep(1) end
  end
end

-- What writes into the record, each in a transaction of its own unless one is open.
local written = { "sending", "result", "forget", "status", "event", "set_state", "begin_session", "end_session", "take",
  "commit", "reserve", "finish" }

local function wrapped(journal)
  if not journal then return nil end
  local proxy = {}
  local methods = {}
  for _, name in ipairs(written) do
    methods[name] = function(_, ...)
      may_die()
      local value, message, code = journal[name](journal, ...)
      may_die()
      return value, message, code
    end
  end
  return setmetatable(proxy, { __index = function(_, name)
    return methods[name] or function(_, ...) return journal[name](journal, ...) end
  end })
end

local create, open = journals.create, journals.open
journals.create = function(...)
  local journal, message, code = create(...)
  return wrapped(journal), message, code
end
journals.open = function(...)
  local journal, message, code = open(...)
  return wrapped(journal), message, code
end

local driver = curl.new { proxy = "" }
local send, now, skipped = driver.send, driver.now or posix.clock.now, 0
driver.send = function(request)
  local is_counted = request.method == "POST" and request.url:find("/api/", 1, true)
  if is_counted then may_die() end
  local response, message, maybe_sent, code = send(request)
  if is_counted then may_die() end
  return response, message, maybe_sent, code
end
driver.now = function() return now() + skipped end
local sleep = driver.sleep
driver.sleep = function(seconds)
  if seconds <= 0 then return sleep(seconds) end
  -- The tenant's time does not pass by itself: it gets some for what it has to carry out.
  local really = math.min(seconds, 0.02)
  skipped = skipped + seconds - really
  return sleep(really)
end

local audit = assert(line_file.open(record .. ".audit"))
local client = assert(clients.new { driver = driver, cap = false, limits = false,
  protect = { servers = false, device_values = {} },
  on_event = mde.audit.ocsf(function(line) assert(audit:append(line)) end) })

local report, problem
if how == "plan" then
  local plan = assert(runs.plan(client, { playbook = playbook, arguments = { prefix, count } }))
  report, problem = runs.start(client, plan, { record = record })
else
  local opened = assert(runs.open(client, record))
  if opened.state == "planned" then
    report, problem = runs.start_opened(client, opened)
  elseif opened.state == "complete" then
    print("complete", passed)
    os.exit(0)
  else
    assert(runs.replan(client, opened))
    report, problem = runs.resume(client, opened)
  end
end
if not report then error(problem, 0) end
print(report.state, passed)
if report.why then print(report.why) end
for _, entry in ipairs(report.entries) do
  if entry.err then print(entry.machine_id, entry.err) end
end
os.exit(report.state == "complete" and 0 or 4)
