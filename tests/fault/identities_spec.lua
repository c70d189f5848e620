-- What a step is known by: after a crash at a random place, eight calls in flight, each call gets its own result,
-- nothing is done twice or left out, and what the playbook does not come by any more is named. By another identity that
-- fails.
-- tests/fault/identities takes 200 crashes of each playbook, and prints the table.
-- Labels: only-lua5.4, long
local replay = require "tests.fault.replay"

local CRASHES, SEED = 6, 1

local function identity(name)
  for _, one in ipairs(replay.identities) do
    if one.name == name then return one end
  end
end

describe("a run that crashed and is replayed", function()
  for _, case in ipairs(replay.playbooks) do
    it("keeps each result with its call: " .. case.name, function()
      local sums = replay.play(case, identity "mde", CRASHES, SEED)
      assert.same({ 0, 0, 0 }, { sums.twice, sums.never, sums.wrong })
      assert.equal(sums.orphans, sums.named)
      -- It was worth it.
      assert.is_true(sums.crashes >= CRASHES - 1, sums.crashes)
      assert.is_true(sums.replayed > 50, sums.replayed)
      if case.changes then
        assert.is_true(sums.orphans > 0)
        assert.equal(5 * CRASHES, sums.left)
      end
    end)
  end

  it("would mix them up by their order", function()
    local sums = replay.play(replay.playbooks[1], identity "position", 2, SEED)
    assert.is_true(sums.never > 0 and sums.wrong > 0)
  end)

  it("would mix the incidents up by the machine alone", function()
    local sums = replay.play(replay.playbooks[3], identity "verb, machine", 2, SEED)
    assert.is_true(sums.never > 0 and sums.wrong > 0)
  end)
end)
