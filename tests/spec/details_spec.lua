-- The functions about details are the module's, too.
-- Labels: not-lua5.3
local details = require "mde.details"
local mde = require "mde"

it("each function of details is one of the module", function()
  local count = 0
  for name in pairs(details) do
    assert.is_function(mde[name], name)
    count = count + 1
  end
  assert.equal(8, count)
end)
