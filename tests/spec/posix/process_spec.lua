-- Labels: sanitized-each-lua
local process = require("mde.core").process
local script = require "tests.spec.support.script"

describe("the process", function()
  local function run(text)
    return script.run("local process = require('mde.core').process\n" .. text)
  end

  it("counts what asks it to end, instead of ending", function()
    local output, status = run [[
      process.watch_signals()
      local stat = assert(io.open "/proc/self/stat")
      local pid = stat:read "*l":match "^%d+"
      stat:close()
      local function send(name) os.execute(("sh -c 'kill -%s %s'"):format(name, pid)) end
      io.write(process.interruptions())
      send "HUP"
      io.write(" ", process.interruptions())
      send "HUP"
      io.write(" ", process.interruptions())
      send "TERM"
      io.write(" ", process.interruptions())
      send "TERM"
      io.write(" ", process.interruptions())
    ]]
    assert.equal("0 1 1 2 2", output)
    assert.equal("exit 0", status)
  end)

  it("gets an error for a pipe that nobody reads", function()
    local output, status = run [[
      process.watch_signals()
      local pipe = io.popen("exec true", "w")
      pipe:setvbuf "no"
      local ok, message, code = true
      while ok do ok, message, code = pipe:write(("x"):rep(65536)) end
      io.write(code)
    ]]
    assert.equal("32", output)
    assert.equal("exit 0", status)
  end)

  it("leaves SIGHUP ignored where it was, as nohup has it", function()
    local output = run [[
      if not arg[1] then
        os.execute(("trap '' HUP; exec %s %s child"):format(arg[-1], arg[0]))
      else
        process.watch_signals()
        local file = assert(io.open "/proc/self/status")
        local ignored = tonumber(file:read "*a":match "SigIgn:%s*%x*(%x)", 16)
        io.write(ignored % 2)
      end
    ]]
    assert.equal("1", output)
  end)

  it("dumps no core once it is hardened", function()
    local output = run [[
      assert(process.harden())
      local file = assert(io.open "/proc/self/limits")
      io.write(file:read "*a":match "Max core file size%s+(%d+)%s+(%d+)")
    ]]
    assert.equal("00", output)
  end)

  it("lets no file take the place of a closed standard stream once it is hardened", function()
    local output = run [[
      if not arg[1] then
        local name = os.tmpname()
        os.execute(("%s %s %s <&- >&- 2>&-"):format(arg[-1], arg[0], name))
        local written = ""
        for i = 1, 3 do
          local file = assert(io.open(name .. i))
          written = written .. file:read "*a"
          file:close()
          os.remove(name .. i)
        end
        os.remove(name)
        io.write("[", written, "]")
      else
        assert(process.harden())
        local files = {}
        for i = 1, 3 do files[i] = io.open(arg[1] .. i, "w") end
        print "leaked"
        io.stdout:flush()
        io.stderr:write "leaked"
      end
    ]]
    assert.equal("[]", output)
  end)

  it("asks about standard input, output and error alone", function()
    assert.is_boolean(process.is_terminal(0))
    for _, descriptor in ipairs { -1, 3 } do
      assert.has_error(function() process.is_terminal(descriptor) end)
      assert.has_error(function() process.columns(descriptor) end)
    end
  end)
end)
