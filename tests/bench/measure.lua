-- Runs the benchmark's programs in alternating rounds and prints medians and ratios.
--
-- usage: measure.lua HERE BUILD PLACE CA-FILE BASE COUNT ROUNDS
--
-- HERE holds the programs, BUILD the modules and raw; files are written into PLACE; BASE is the server.

local quantile = require "tests.bench.quantile"
local shell = require "tests.spec.support.process.shell"

local here, build, place, ca_file, base = arg[1], arg[2], arg[3], arg[4], arg[5]
local COUNT, ROUNDS = tonumber(arg[6]), tonumber(arg[7])
local FEW = math.ceil(COUNT / 100) -- for what opens a connection each time

local function command(...)
  local words = {}
  for i, word in ipairs { ... } do words[i] = shell.quote(tostring(word)) end
  return table.concat(words, " ")
end

-- ---- the programs

local function raw(parallel)
  return command(build .. "/raw", base .. "/api", ca_file, place .. "/headers", place .. "/body", COUNT, parallel)
end

local function client(lua, count, parallel, mode)
  return command("env", "LUA_CPATH=" .. build .. "/" .. lua .. "/?.so;;", lua, here .. "/client.lua",
    base, ca_file, count, parallel, mode)
end

local function by_hand(lua, count, parallel, library)
  return command(lua, here .. "/by_hand.lua", base, ca_file, count, parallel, library)
end

-- ---- the request that raw repeats: the one that mde sent

local function ask(path)
  return shell.output_of(command("curl", "--silent", "--cacert", ca_file, base .. path))
end

-- What libcurl adds itself; the rest of the head is given to raw.
local OWN = { host = true, ["content-length"] = true }

local function keep_request()
  shell.output_of(client("lua5.4", 1, 1, "wire"))
  local head, body = ask("/bench/request"):match "^(.-)\r\n\r\n(.*)$"
  assert(head, "the server saw no request")
  local headers = {}
  for line in head:gmatch "[^\r\n]+" do
    local name = line:match "^([%w%-]+):"
    if name and not OWN[name:lower()] then headers[#headers + 1] = line end
  end
  local file = assert(io.open(place .. "/headers", "wb"))
  file:write(table.concat(headers, "\n"), "\n")
  file:close()
  file = assert(io.open(place .. "/body", "wb"))
  file:write(body)
  file:close()
  return #head, #body
end

-- ---- what is measured

local subjects = {
  { "raw libcurl", raw(1) },
  { "raw libcurl, 8 in flight", raw(8) },
  { "mde, Lua 5.4", client("lua5.4", COUNT, 1, "wire") },
  { "mde, Lua 5.4, 8 in flight", client("lua5.4", COUNT, 8, "wire") },
  { "mde, LuaJIT", client("luajit", COUNT, 1, "wire") },
  { "mde, LuaJIT, 8 in flight", client("luajit", COUNT, 8, "wire") },
  { "mde, Lua 5.4, looking first", client("lua5.4", COUNT, 1, "look"), per_request = true },
  { "mde, LuaJIT, looking first", client("luajit", COUNT, 1, "look"), per_request = true },
  { "mde, Lua 5.4, without the wire", client("lua5.4", COUNT, 1, "memory") },
  { "mde, LuaJIT, without the wire", client("luajit", COUNT, 1, "memory") },
  { "by hand: lua-curl, LuaJIT", by_hand("luajit", COUNT, 1, "lua-curl") },
  { "by hand: lua-http, LuaJIT", by_hand("luajit", COUNT, 1, "lua-http") },
  { "by hand: lua-http, LuaJIT, 8 in flight", by_hand("luajit", COUNT, 8, "lua-http") },
  { "by hand: lua-sec, Lua 5.4", by_hand("lua5.4", FEW, 1, "lua-sec"), count = FEW },
}

local head_bytes, body_bytes = keep_request()
for _, subject in ipairs(subjects) do
  subject.wall, subject.cpu, subject.requests = {}, {}, 1
end
for round = 1, ROUNDS do
  io.stderr:write(("bench: round %d of %d\n"):format(round, ROUNDS))
  for _, subject in ipairs(subjects) do
    local said = shell.output_of(subject[2])
    local wall, cpu = said:match "^([%d.]+) ([%d.]+)"
    assert(wall, subject[1] .. " failed")
    if subject.per_request then
      local actions = COUNT + math.max(math.floor(COUNT / 10), 1)
      subject.requests = tonumber(ask "/bench/count") / actions
    end
    local per = (subject.count or COUNT) * subject.requests / 1e6
    table.insert(subject.wall, wall / per)
    table.insert(subject.cpu, cpu / per)
  end
end

local floor_wall, floor_cpu = quantile(subjects[1].wall, 0.5), quantile(subjects[1].cpu, 0.5)
print(("%d requests a round, medians of %d rounds; the request: %d bytes of head, %d of body"):format(
  COUNT, ROUNDS, head_bytes, body_bytes))
print "Microseconds per request, and the ratio to raw libcurl one after another."
print ""
print(("%-42s %9s %7s %9s %7s"):format("", "CPU us", "ratio", "wall us", "ratio"))
for _, subject in ipairs(subjects) do
  local wall, cpu = quantile(subject.wall, 0.5), quantile(subject.cpu, 0.5)
  local name = subject[1]
  if subject.per_request then name = ("%s (%.4g requests)"):format(name, subject.requests) end
  print(("%-42s %9.1f %7.2f %9.1f %7.2f"):format(name, cpu, cpu / floor_cpu, wall, wall / floor_wall))
end
