-- mde.posix.process: nobody reads its memory, and nothing takes the place of a standard stream.
-- Labels: sanitized-each-lua
local script = require "tests.spec.support.process.script"

describe("the process", function()
  local function run(text)
    return script.run("local process = require('mde.posix').process\n" .. text)
  end

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
end)
