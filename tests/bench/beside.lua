-- Restricts machines from inside one worker of nginx, 16 at a time, and prints how long unrelated requests to that
-- worker took meanwhile and what an action cost it: with nginx's own sockets, and with calls that block.
--
-- usage: beside.lua BASE CA-FILE COUNT ROUNDS
--
-- BASE answers a restrict after a while. In each round some of COUNT actions run twice: without pings, which shows
-- their CPU time, and beside somebody who sends one ping after another. Only pings that were answered between the
-- begin of the first action and the end of the last count. Started in the root of the tree, with MDE_BUILD.

local nameserver = require "tests.spec.support.server.nameserver"
local nginx = require "tests.spec.support.server.nginx"
local now = require("mde.posix").clock.now
local quantile = require "tests.bench.quantile"
local socket = require "socket"

local base, ca_file = arg[1], arg[2]
local COUNT, ROUNDS = tonumber(arg[3]), tonumber(arg[4])
local IN_FLIGHT = 16
local IDLE_SECONDS = 1

local subjects = {
  { "nothing to do" },
  { "mde on nginx's sockets", path = "cosocket", count = math.max(math.ceil(COUNT / 2), IN_FLIGHT) },
  { "mde on libcurl, which blocks", path = "blocking", count = math.max(math.ceil(COUNT / 30), IN_FLIGHT) },
}

local names = nameserver.start()
local server = nginx.start {
  workers = 1, ca_file = ca_file, resolver = names.address, level = "error",
  http = ('init_by_lua_block { require("tests.bench.worker").start("%s", "%s") }'):format(base, ca_file),
  locations = [[
    location /ping {
      content_by_lua_block {
        local text = require("tests.bench.worker").state()
        ngx.header.content_length = #text
        ngx.print(text)
      }
    }
    location /cosocket/ { content_by_lua_block { require("tests.bench.worker").restrict "cosocket" } }
    location /blocking/ { content_by_lua_block { require("tests.bench.worker").restrict "blocking" } }
  ]],
}

-- ---- pings

local line = assert(socket.connect("127.0.0.1", server.port))
line:setoption("tcp-nodelay", true)

-- How many restricts were begun and have ended, and the worker's CPU time.
local function ping()
  assert(line:send "GET /ping HTTP/1.1\r\nHost: localhost\r\n\r\n")
  local length
  for field in function() return assert(line:receive "*l") end do
    if field == "" then break end
    length = tonumber(field:lower():match "^content%-length: (%d+)$") or length
  end
  local begun, ended, cpu = assert(line:receive(length)):match "^(%d+) (%d+) ([%d.]+)$"
  return tonumber(begun), tonumber(ended), tonumber(cpu)
end

-- One ping after another, until `is_over(ended)`; the times of those answered when more than `before` had begun.
local function ping_until(is_over, before)
  local times = {}
  repeat
    local sent = now()
    local begun, ended = ping()
    if begun > before then times[#times + 1] = now() - sent end
  until is_over(ended)
  return times
end

-- ---- actions

local function start_restricts(subject, count)
  return assert(io.popen(("curl -q --no-progress-meter --parallel --parallel-immediate --parallel-max %d "
    .. "--output /dev/null --write-out '%%{http_code}\\n' '%s/%s/[1-%d]'")
    :format(IN_FLIGHT, server.url, subject.path, count)))
end

local function finish(restricts)
  for status in restricts:lines() do assert(status == "200", server.errors()) end
  restricts:close()
end

local function measure(subject)
  if not subject.path then
    local ends = now() + IDLE_SECONDS
    return ping_until(function() return now() >= ends end, -1)
  end
  finish(start_restricts(subject, IN_FLIGHT))
  local before, _, cpu_before = ping()
  finish(start_restricts(subject, subject.count))
  local last, _, cpu = ping()
  assert(last - before == subject.count)
  local restricts = start_restricts(subject, subject.count)
  local times = ping_until(function(ended) return ended == last + subject.count end, last)
  finish(restricts)
  return times, (cpu - cpu_before) / subject.count
end

-- ---- the measurement

for round = 1, ROUNDS do
  io.stderr:write(("bench: in nginx, round %d of %d\n"):format(round, ROUNDS))
  for _, subject in ipairs(subjects) do
    local times, cpu = measure(subject)
    local found = { pings = #times, p50 = quantile(times, 0.5) * 1e3, p99 = quantile(times, 0.99) * 1e3, cpu = cpu }
    for name, value in pairs(found) do
      subject[name] = subject[name] or {}
      table.insert(subject[name], value)
    end
  end
end
server.stop()
names.stop()

local function median(list) return quantile(list, 0.5) end

print(("One worker of nginx, %d actions in flight, each answered after 50 ms; medians of %d rounds."):format(
  IN_FLIGHT, ROUNDS))
print "Pings, one after another, and microseconds of the worker's CPU time per action."
print ""
print(("%-30s %8s %8s %8s %8s %8s %7s"):format("", "actions", "pings", "p50 ms", "p99 ms", "CPU us", "ratio"))
for _, subject in ipairs(subjects) do
  local cpu = subject.cpu and (" %8.1f %7.2f"):format(median(subject.cpu) * 1e6,
    median(subject.cpu) / median(subjects[2].cpu)) or ""
  print(("%-30s %8s %8.0f %8.2f %8.2f%s"):format(subject[1], subject.count or "", median(subject.pings),
    median(subject.p50), median(subject.p99), cpu))
end
