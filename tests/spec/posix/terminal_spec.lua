-- mde.posix.terminal: e2e/terminal has real ones.
-- Labels: sanitized-each-lua
local terminal = require("mde.posix").terminal

describe("a terminal", function()
  it("is asked about on standard input, output and error alone", function()
    assert.is_boolean(terminal.is_terminal(0))
    for _, descriptor in ipairs { -1, 3 } do
      assert.has_error(function() terminal.is_terminal(descriptor) end)
      assert.has_error(function() terminal.columns(descriptor) end)
    end
  end)
end)
