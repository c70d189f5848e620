-- mde completion: what makes a shell complete the words of the command.
-- Labels: not-lua5.3
local console = require "tests.spec.support.console"

describe("mde completion", function()
  for _, shell in ipairs { "bash", "zsh", "fish" } do
    it("knows the subcommands and the options for " .. shell, function()
      local told = console.run { "completion", shell }
      assert.equal(0, told.status, told.err)
      for _, word in ipairs { "restrict", "all-of", "print-env" } do
        assert.truthy(told.out:find(word, 1, true), word)
      end
      assert.is_nil(told.client_options)
    end)
  end

  it("offers no option that is hidden", function()
    local _, count = console.run({ "completion", "fish" }).out:gsub("cancel%-opposite", "")
    assert.equal(1, count)
  end)

  it("knows these shells alone", function()
    local told = console.run { "completion", "tcsh" }
    assert.equal(1, told.status)
    assert.matches("must be one of", told.err)
  end)
end)
