-- mde help: the same as --help.
-- Labels: not-lua5.3
local console = require "tests.spec.support.console"

describe("mde help", function()
  -- --help ends the process, so what it shows is made here.
  local function help_of(name)
    local own = os.exit
    local told = console.capture(function()
      os.exit = function() error("the end", 0) end -- luacheck: ignore 122
      pcall(require("mde.cli").run, name and { name, "--help" } or { "--help" })
      os.exit = own -- luacheck: ignore 122
    end)
    assert.matches("^Usage: mde", told.out)
    return told.out
  end

  it("shows what the command can do", function()
    local told = console.run { "help" }
    assert.equal(0, told.status, told.err)
    assert.equal(help_of(), told.out)
    assert.is_nil(told.client_options)
  end)

  it("shows what one of its commands can do", function()
    for _, name in ipairs { "restrict", "machines", "help" } do
      local told = console.run { "help", name }
      assert.equal(0, told.status, told.err)
      assert.equal(help_of(name), told.out)
    end
  end)

  it("says what was probably meant", function()
    for _, word in ipairs { "restrct", "--restrict" } do
      local told = console.run { "help", "--", word }
      assert.equal(1, told.status)
      assert.equal("", told.out)
      assert.truthy(told.err:find(("unknown command '%s'"):format(word), 1, true), told.err)
    end
    assert.truthy(console.run({ "help", "restrct" }).err:find("Did you mean 'restrict'?", 1, true))
  end)
end)
