-- output: standard output, which may end before the command does.
-- Labels: not-lua5.3

local NAME = "mde.cli.ui.output"

describe("standard output", function()
  local own, stdout = package.loaded[NAME], io.stdout
  local output, answer, written

  before_each(function()
    package.loaded[NAME] = nil
    output, answer, written = require(NAME), {}, {}
  end)

  after_each(function() package.loaded[NAME] = own end)

  -- What is called with standard output in the place of which each write ends with `answer`.
  local function call(name, ...)
    local file = {
      write = function(self, text)
        if answer[1] then return nil, answer[1], answer[2] end
        written[#written + 1] = text
        return self
      end,
      flush = function(self)
        if answer[1] then return nil, answer[1], answer[2] end
        return self
      end,
    }
    rawset(io, "stdout", file)
    local ok, result = pcall(output[name], ...)
    rawset(io, "stdout", stdout)
    assert(ok, result)
    return result
  end

  it("takes what is written", function()
    assert.is_true(call("write", "a"))
    assert.is_true(call "flush")
    assert.same({ "a" }, written)
    assert.is_false(output.is_broken())
    assert.is_nil(output.failure())
  end)

  it("takes nothing more once it failed, and says why", function()
    answer = { "No space left on device", 28 }
    assert.is_false(call("write", "a"))
    answer = {}
    assert.is_false(call("write", "b"))
    assert.is_false(call "flush")
    assert.same({}, written)
    assert.is_true(output.is_broken())
    assert.equal("No space left on device", output.failure())
  end)

  it("has not failed where its reader has had enough", function()
    answer = { "Broken pipe", 32 }
    assert.is_false(call "flush")
    assert.is_true(output.is_broken())
    assert.is_nil(output.failure())
  end)

  it("goes on where a signal came in between", function()
    answer = { "Interrupted system call", 4 }
    assert.is_true(call("write", "a"))
    assert.is_false(output.is_broken())
  end)
end)
