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
