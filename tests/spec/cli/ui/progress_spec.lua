-- progress: how many of several are done.
-- Labels: not-lua5.3
local console = require "tests.spec.support.console"
local progress = require "mde.cli.ui.progress"

describe("progress", function()
  -- What is shown of so many that are done, of which the first fails.
  local function shown(total, options, in_lines, remark)
    return console.capture(function()
      local self = progress.new("Working", total, in_lines, remark)
      for i = 1, total do self.step(i == 1) end
      self.finish()
    end, options).err
  end

  it("is a bar in the last line of a terminal, which is gone at the end", function()
    local text = shown(3, { columns = 80, movable = true }, false, function(left) return left .. " left" end)
    local lines = {}
    for line in (text .. "\r\27[K"):gmatch "(.-)\r\27%[K" do lines[#lines + 1] = line end
    assert.same({
      "Working [..............................] 0 of 3, 3 left",
      "Working [##########....................] 1 of 3, 1 failed, 2 left",
      "Working [####################..........] 2 of 3, 1 failed, 1 left",
      "Working [##############################] 3 of 3, 1 failed, 0 left",
      "",
    }, lines)
  end)

  it("gives its room to the words, and tells the time that is left while nothing is done", function()
    local left = 200
    local text = console.capture(function()
      local self = progress.new("Restricting", 293, false, function() return ("at least %d s left"):format(left) end)
      for i = 1, 100 do self.step(i < 17) end
      for _ = 1, 3 do
        self.refresh()
        self.refresh()
        left = left - 5
      end
      self.finish()
    end, { columns = 80, movable = true }).err
    local lines = {}
    for line in (text .. "\r\27[K"):gmatch "(.-)\r\27%[K" do lines[#lines + 1] = line end
    assert.equal(100 + 1 + 2 + 1, #lines)
    assert.equal("Restricting [#######...............] 100 of 293, 16 failed, at least 200 s left", lines[101])
    assert.equal(79, #lines[101])
    assert.matches("at least 190 s left$", lines[103])
  end)

  it("is a line for each tenth elsewhere, where lines are wanted", function()
    local text = shown(40, {}, true)
    local _, count = text:gsub("\n", "")
    assert.equal(10, count)
    assert.matches("^Working: 4 of 40, 1 failed\n", text)
    assert.matches("\nWorking: 40 of 40, 1 failed\n$", text)
    assert.equal("", shown(40, {}, false))
  end)

  it("is not shown of one alone", function()
    assert.equal("", shown(1, { columns = 80, movable = true }))
    assert.equal("", shown(1, {}, true))
  end)

  it("is left out where that is asked for", function()
    for _, movable in ipairs { true, false } do
      local told = console.capture(function()
        require("mde.cli.ui.terminal").be_quiet(true)
        local waiting = progress.new("Waiting", 3, true)
        for _ = 1, 3 do waiting.step() end
        waiting.finish()
        require("mde.cli.ui.terminal").be_quiet(false)
      end, { movable = movable, columns = 80 })
      assert.equal("", told.err)
    end
  end)
end)
