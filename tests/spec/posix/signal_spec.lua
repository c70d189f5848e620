-- mde.posix.signal: what asks the process to end is counted.
-- Labels: sanitized-each-lua
local script = require "tests.spec.support.process.script"

describe("a process that watches signals", function()
  local function run(text)
    return script.run("local signal = require('mde.posix').signal\n" .. text)
  end

  it("counts what asks it to end, instead of ending", function()
    local output, status = run [[
      signal.watch()
      local stat = assert(io.open "/proc/self/stat")
      local pid = stat:read "*l":match "^%d+"
      stat:close()
      local function send(name) os.execute(("sh -c 'kill -%s %s'"):format(name, pid)) end
      io.write(signal.interruptions())
      send "HUP"
      io.write(" ", signal.interruptions())
      send "HUP"
      io.write(" ", signal.interruptions())
      send "TERM"
      io.write(" ", signal.interruptions())
      send "TERM"
      io.write(" ", signal.interruptions())
    ]]
    assert.equal("0 1 1 2 2", output)
    assert.equal("exit 0", status)
  end)

  local ENDED = "\nmde: interrupted while the playbook did not wait for anything\n"

  for words, case in pairs {
    ["at the first, if it may"] = { "1, 1", 1, "1", "exit 130", ENDED },
    ["at the second, if it may then"] = { "2, 1", 2, "1", "exit 130", ENDED },
    ["not at the first, if it may at the second"] = { "2, 1", 1, "1", "exit 0", "computed" },
    ["not where it looks"] = { "1, 1", 1, "signal.interruptions()", "exit 0", "computed" },
    ["not where it may not"] = { "0", 2, "1", "exit 0", "computed" },
  } do
    it("is ended where it computes: " .. words, function()
      local output, status = run(([[
        signal.watch()
        signal.end_unless_looked_at(%s)
        local stat = assert(io.open "/proc/self/stat")
        local pid = stat:read "*l":match "^%%d+"
        stat:close()
        for _ = 1, %d do os.execute("kill -TERM " .. pid) end
        local clock = require("mde.posix").clock
        local began = clock.now()
        while clock.now() - began < 2 do local _ = %s end
        io.write "computed"
      ]]):format(case[1], case[2], case[3]))
      assert.equal(case[4], status)
      assert.equal(case[5], output)
    end)
  end

  it("refuses a count and a time that are none", function()
    local output = run [[
      for _, values in ipairs { { 3, 1 }, { -1, 1 }, { 1, 0 }, { 1, 3601 } } do
        io.write(tostring(pcall(signal.end_unless_looked_at, values[1], values[2])), " ")
      end]]
    assert.equal("false false false false ", output)
  end)

  it("gets an error for a pipe that nobody reads", function()
    local output, status = run [[
      signal.watch()
      local pipe = io.popen("exec true", "w")
      pipe:setvbuf "no"
      local ok, message, code = true
      while ok do ok, message, code = pipe:write(("x"):rep(65536)) end
      io.write(code)
    ]]
    assert.equal("32", output)
    assert.equal("exit 0", status)
  end)

  it("gets an error for a file that may not be as long", function()
    local output, status = run [[
      if not arg[1] then
        os.execute(("ulimit -f 1; exec %s %s child"):format(arg[-1], arg[0]))
      else
        signal.watch()
        local name = os.tmpname()
        local file = assert(io.open(name, "w"))
        file:setvbuf "no"
        local ok, message, code = true
        while ok do ok, message, code = file:write(("x"):rep(65536)) end
        os.remove(name)
        io.write(code)
      end
    ]]
    assert.equal("27", output)
    assert.equal("exit 0", status)
  end)

  it("leaves SIGHUP ignored where it was, as nohup has it", function()
    local output = run [[
      if not arg[1] then
        os.execute(("trap '' HUP; exec %s %s child"):format(arg[-1], arg[0]))
      else
        signal.watch()
        local file = assert(io.open "/proc/self/status")
        local ignored = tonumber(file:read "*a":match "SigIgn:%s*%x*(%x)", 16)
        io.write(ignored % 2)
      end
    ]]
    assert.equal("1", output)
  end)
end)
