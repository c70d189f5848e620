-- incidents: what an option or an argument may name.
-- Labels: not-lua5.3
local errors = require "mde.base.error"
local incidents = require "mde.cli.ui.incidents"

describe("incidents on the command line", function()
  it("are these", function()
    incidents.check("--all-of", { "INC-1", "4711", "a/b#c_d.e" })
    incidents.check("--all-of", {})
  end)

  for _, incident in ipairs { "", "INC 1", "INC-1\n", "*", ("x"):rep(65), "\27[2J" } do
    it(("are none of %q"):format(incident), function()
      local ok, err = pcall(incidents.check, "--ended", { "INC-1", incident })
      assert.is_false(ok)
      assert.is_true(errors.is(err))
      assert.equal("incident_malformed", err.code)
      assert.matches("^%-%-ended: ", err.message)
      assert.is_nil(err.message:find "[%c]")
    end)
  end
end)
