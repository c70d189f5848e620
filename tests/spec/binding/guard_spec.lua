-- mde.core.guard through the binding; the tables are in tests/core/test_guard.c and test_guard_text.c.
-- Labels: sanitized-each-lua
local guard = require("mde.core").guard

local function judged(protect, record, lifted)
  return guard.new(protect):judge(record, lifted or {})
end

describe("core.guard", function()
  it("tells each rule that protects a machine, what is found, and what it matches", function()
    local rules = guard.new { tags = { "VIP", "tier0" }, names = { "x", "dc-*" }, device_values = { "high" },
      servers = true, platforms = { "windowsserver2022" } }
    local record = { machineTags = { "a", " Tier0" }, computerDnsName = "DC-01.corp", deviceValue = "High",
      osPlatform = "WindowsServer2022" }
    assert.same({
      { rule = "tags", reason = "matches", found = " Tier0", by = "tier0" },
      { rule = "names", reason = "matches", found = "DC-01.corp", by = "dc-*" },
      { rule = "device_values", reason = "matches", found = "High", by = "high" },
      { rule = "servers", reason = "matches", found = "WindowsServer2022", by = "*server*" },
      { rule = "platforms", reason = "matches", found = "WindowsServer2022", by = "windowsserver2022" },
    }, rules:judge(record, {}))
    assert.same({ { rule = "names", reason = "matches", found = "DC-01.corp", by = "dc-*" } },
      rules:judge(record, { tags = true, device_values = true, servers = true, platforms = true, names = false }))
    assert.same({}, rules:judge({ computerDnsName = "desk-1", osPlatform = "Windows11" }, {}))
  end)

  it("names the rules, all and those in force", function()
    assert.same({ "tags", "names", "device_values", "servers", "platforms" }, guard.rules)
    assert.same({}, guard.new({}):rules())
    assert.same({}, guard.new({ tags = {}, names = {}, servers = false }):rules())
    assert.same({ "names", "servers" }, guard.new({ names = { "a" }, servers = true }):rules())
    assert.same({ "tags", "device_values", "platforms" },
      guard.new({ platforms = { "a" }, device_values = { "Low" }, tags = { "b" } }):rules())
  end)

  it("finds a tag under whatever key", function()
    for _, tags in ipairs { { first = "tier0" }, { nil, "tier0" }, { [1.5] = 17, [true] = "tier0" } } do
      assert.equal("tier0", judged({ tags = { "tier0" } }, { machineTags = tags })[1].found)
    end
  end)

  it("protects what is not of the type that it is to be", function()
    local all = { tags = { "a" }, names = { "b" }, device_values = { "Low" }, platforms = { "c" } }
    for _, value in ipairs { 17, true, false } do
      local reasons = {}
      for i, broken in ipairs(judged(all, { machineTags = value, computerDnsName = value, deviceValue = value,
        osPlatform = value })) do
        assert.is_nil(broken.found)
        reasons[i] = broken.reason
      end
      assert.same({ "not_a_list", "not_a_text", "not_a_text", "not_a_text" }, reasons)
      assert.equal("item_not_a_text", judged({ tags = { "a" } }, { machineTags = { "x", value } })[1].reason)
    end
    assert.equal("not_a_list", judged({ tags = { "a" } }, { machineTags = "a" })[1].reason)
    assert.equal("item_not_a_text", judged({ tags = { "a" } }, { machineTags = { { "a" } } })[1].reason)
    assert.equal("not_a_text", judged({ names = { "a" } }, { computerDnsName = { "a" } })[1].reason)
    assert.same({ { rule = "names", reason = "missing" } }, judged({ names = { "a" } }, {}))
    assert.equal("too_long", judged({ names = { "a" } }, { computerDnsName = ("b"):rep(2000) })[1].reason)
  end)

  it("leaves the numbers in a record numbers", function()
    local record = { machineTags = { 17 }, computerDnsName = 17 }
    judged({ tags = { "17" }, names = { "17" } }, record)
    assert.equal("number", type(record.machineTags[1]))
    assert.equal("number", type(record.computerDnsName))
  end)

  it("keeps what it needs of the texts, however many there are", function()
    local tags = {}
    for i = 1, 2000 do tags[i] = ("Tier-%d"):format(i) end
    local rules = guard.new { tags = tags }
    for i = 1, 2000 do tags[i] = nil end
    collectgarbage()
    -- What would be put where the texts were.
    for i = 1, 2000 do assert.equal("o", (("other-%d"):format(i):sub(1, 1))) end
    local record = { machineTags = {} }
    for i = 1, 5000 do record.machineTags[i] = ("tag-%d"):format(i) end
    assert.same({}, rules:judge(record, {}))
    record.machineTags[5001] = "TIER-1999"
    assert.same({ { rule = "tags", reason = "matches", found = "TIER-1999", by = "Tier-1999" } },
      rules:judge(record, {}))
  end)

  it("takes any bytes", function()
    assert.equal("a\0\255", judged({ tags = { "A\0\255" } }, { machineTags = { "a\0\255" } })[1].found)
    assert.same({}, judged({ tags = { "a" } }, { machineTags = { "a\0b" } }))
  end)

  it("says why a text protects nothing", function()
    assert.is_nil(guard.flaw("tags", "tier0"))
    for flaw, case in pairs { empty = { "tags", " " }, blank = { "names", " a" }, control = { "names", "a\0" },
      bracket = { "names", "[a]" }, long = { "names", ("a"):rep(2000) }, unknown = { "device_values", "x" },
      wildcard = { "platforms", "a*" } } do
      assert.equal(flaw, guard.flaw(case[1], case[2]))
    end
  end)

  it("gives the one form of a tag, however long", function()
    assert.equal("gesch\195\164ftsf\195\188hrung", guard.tag " GESCH\195\132FTSFU\204\136HRUNG\n")
    assert.equal("", guard.tag "")
    for _, length in ipairs { 511, 512, 513, 100000 } do
      assert.equal(("x"):rep(length), guard.tag(("X"):rep(length)))
    end
  end)

  it("raises for what is no list of texts, no record and no rule", function()
    local rules = guard.new {}
    for _, wrong in ipairs {
      function() guard.new() end, function() guard.new { tags = "a" } end, function() guard.new { tags = { 17 } } end,
      function() guard.flaw("cap", "a") end, function() guard.flaw("tags") end, function() guard.tag() end,
      function() rules:judge() end, function() rules:judge({}) end, function() rules:judge("a", {}) end,
      function() rules.judge({}, {}, {}) end,
    } do
      assert.has_error(wrong)
    end
  end)
end)
