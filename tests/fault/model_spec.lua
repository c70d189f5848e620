-- A model of a bad night: random calls, faults, deaths of processes and a colleague's decisions, in tests/spec/support/
-- model.lua. tests/fault/model takes as many steps as it is told.
--
-- The seed is printed; MDE_TEST_SEED in the environment repeats what one did.
-- Labels: not-lua5.3

local posix = require "mde.posix"
local model = require "tests.spec.support.model"

local STEPS = _VERSION == "Lua 5.4" and 3000 or 1000

describe("a bad night", function()
  it("keeps every promise", function()
    local seed = tonumber(os.getenv "MDE_TEST_SEED" or "") or math.floor(posix.clock.time() * 1000) % 2147483647
    print(("a bad night: MDE_TEST_SEED=%d"):format(seed))
    print(model.text(model.play(seed, STEPS)))
  end)
end)
