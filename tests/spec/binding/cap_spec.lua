-- mde.core.cap through the binding: what Lua sees of the cap. Its rules are tested in tests/core/test_cap.c.
-- Labels: sanitized-each-lua
local core = require "mde.core"

local SERVICE_NOW = 1770112860

-- A cap that is whole, at 0.
local function whole(limit)
  local cap = core.cap.new(limit)
  cap:merge({}, SERVICE_NOW, 0)
  return cap
end

describe("mde.core.cap", function()
  it("says what may go, and when", function()
    local cap = core.cap.new(1)
    assert.is_false(cap:is_whole())
    assert.same({ nil, "uncounted" }, { cap:take("abcdefgh", 0) })
    cap:merge({}, SERVICE_NOW, 0)
    assert.is_true(cap:is_whole())
    assert.equal(1, cap:remaining(0))
    assert.equal(100, cap:take("abcdefgh", 100))
    assert.same({ nil, "full" }, { cap:take("another0", 101) })
    assert.equal(0, cap:remaining(101))
    assert.equal(3599, cap:wait(101))
    assert.equal(101, cap:take("another0", 101, true))
    cap:doubt()
    assert.is_false(cap:is_whole())
  end)

  it("says that no wait helps where nothing may go, and that everything may without a limit", function()
    local cap = core.cap.new(0)
    assert.is_nil(cap:wait(0))
    assert.equal(0, cap:remaining(0))
    cap = core.cap.new(math.huge)
    for _ = 1, 3 do assert.equal(0, cap:take("abcdefgh", 0)) end
    assert.equal(math.huge, cap:remaining(0))
    assert.equal(0, cap:wait(0))
  end)

  it("takes a send back, and has it begin its hour when it went, if it knows it", function()
    local cap = whole(1)
    cap:take("abcdefgh", 0)
    assert.is_false(cap:went("abcdefgh", 1, 5))
    assert.is_true(cap:went("abcdefgh", 0, 5))
    assert.is_false(cap:give_back("abcdefgh", 0))
    assert.is_true(cap:give_back("abcdefgh", 5))
    assert.equal(1, cap:remaining(5))
  end)

  it("counts rows of the service's list, and what is no row", function()
    local cap = core.cap.new(9)
    cap:merge({
      { id = "1", type = "RestrictCodeExecution", requestorComment = "x [mde:abcdefgh]",
        creationDateTimeUtc = "2026-02-03T10:00:00Z" },
      { id = "2", type = "UnrestrictCodeExecution", requestorComment = "x [mde:another0]" },
      { id = 3, type = 4, requestorComment = {}, creationDateTimeUtc = 5 },
      { id = "4", requestorComment = "x" },
      17,
      {},
    }, SERVICE_NOW, 1000)
    assert.equal(5, cap:remaining(1000))
    assert.is_true(cap:give_back("abcdefgh", 940))
  end)

  it("is handed over as bytes, and says what it does not believe", function()
    local one, other = whole(2), core.cap.new(2)
    one:take("abcdefgh", 10)
    local bytes = one:pack(20)
    assert.same({ true }, { other:unpack(bytes, 30) })
    assert.is_true(other:is_whole())
    assert.equal(bytes, other:pack(0))
    for reason, text in pairs { other = "{}", damaged = bytes .. "x", clock = bytes } do
      assert.same({ false, reason }, { other:unpack(text, reason == "clock" and 4000 or 30) })
      assert.is_false(other:is_whole())
      assert.equal(2, other:remaining(30))
    end
  end)

  it("is collected with its memory, used or not", function()
    for i = 1, 200 do
      core.cap.new(i)
      core.cap.new(i):take("abcdefgh", 1, true)
    end
    collectgarbage()
    collectgarbage()
    assert.is_false(getmetatable(core.cap.new(1)))
  end)

  it("raises for what is no limit, id, time or list", function()
    local cap = core.cap.new(1)
    for _, limit in ipairs { -1, 1.5, 100001, -math.huge, 0 / 0, "x", {} } do
      assert.is_false(pcall(core.cap.new, limit), tostring(limit))
    end
    for _, id in ipairs { "", ("x"):rep(65), {}, false } do
      assert.is_false(pcall(cap.take, cap, id, 0, true), tostring(id))
      assert.is_false(pcall(cap.give_back, cap, id, 0), tostring(id))
      assert.is_false(pcall(cap.went, cap, id, 0, 1), tostring(id))
    end
    for _, time in ipairs { 0 / 0, math.huge, -math.huge, "x", {} } do
      for _, call in ipairs { "remaining", "wait", "pack" } do
        assert.is_false(pcall(cap[call], cap, time), call)
      end
      assert.is_false(pcall(cap.take, cap, "abcdefgh", time, true))
      assert.is_false(pcall(cap.give_back, cap, "abcdefgh", time))
      assert.is_false(pcall(cap.went, cap, "abcdefgh", 0, time))
      assert.is_false(pcall(cap.merge, cap, {}, time, 0))
      assert.is_false(pcall(cap.merge, cap, {}, 0, time))
      assert.is_false(pcall(cap.unpack, cap, "", time))
    end
    assert.is_false(pcall(cap.merge, cap, "rows", 0, 0))
    assert.is_false(pcall(cap.unpack, cap, nil, 0))
    assert.is_false(pcall(cap.take, {}, "abcdefgh", 0))
    assert.is_false(cap:is_whole())
    assert.equal(1, cap:remaining(0))
  end)
end)
