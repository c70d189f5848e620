-- mde.posix.fork: a number that grows in each child, and there alone.
-- Labels: sanitized-each-lua
local script = require "tests.spec.support.process.script"

describe("the generation of forks", function()
  it("grows in the child of each fork, and there alone", function()
    local output, status = script.run [[
      local fork = require "tests.fork"
      local generation = require("mde.posix").fork.generation
      io.stdout:setvbuf "no"
      local function in_child(work)
        local child = fork.fork()
        if child == 0 then
          work()
          fork.exit(0)
        end
        assert(fork.wait(child) == 0)
      end
      io.write(generation())
      in_child(function()
        io.write(" ", generation())
        in_child(function() io.write(" ", generation()) end)
        io.write(" ", generation())
      end)
      io.write(" ", generation())
    ]]
    assert.equal("0 1 2 1 0", output)
    assert.equal("exit 0", status)
  end)
end)
