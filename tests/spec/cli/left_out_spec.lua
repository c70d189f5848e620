-- left_out: commands that there are not, on purpose.
-- Labels: not-lua5.3
local console = require "tests.spec.support.console"
local left_out = require "mde.cli.left_out"

describe("a command that is left out", function()
  for name, words in pairs {
    ["start-investigation"] = { "retired this on 1 September 2026", "mde scan --scan-type Full <device>" },
    offboard = { "nothing takes it back over the API", "out of sight", "mde isolate" },
  } do
    it("says why, and what to do: " .. name, function()
      for _, arguments in ipairs { { name }, { name, "laptop-17", "--comment", "x", "--yes" }, { name, "--help" } } do
        local told = console.run(arguments)
        assert.equal(1, told.status)
        assert.equal("", told.out)
        assert.matches("^mde " .. name:gsub("%-", "%%-") .. ": [^\n]+\n$", told.err)
        for _, word in ipairs(words) do assert.truthy(told.err:find(word, 1, true), told.err) end
        assert.is_nil(told.client_options)
      end
    end)
  end

  it("stands in no help and no completion", function()
    for name in pairs(left_out) do
      for _, arguments in ipairs { { "help" }, { "man" }, { "completion", "bash" }, { "completion", "zsh" },
        { "completion", "fish" } } do
        assert.is_nil(console.run(arguments).out:find(name, 1, true), name)
      end
    end
  end)
end)
