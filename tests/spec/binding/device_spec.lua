-- mde.core.device through the binding; its tables are in tests/core/test_device.c and test_device_text.c.
-- Labels: sanitized

local device = require("mde.core").device

local function id(number)
  return ("%040x"):format(number)
end

describe("core.device", function()
  it("tells the kinds of devices", function()
    for _, case in ipairs {
      { id(0xab):upper(), "machine_id", id(0xab) },
      { "01234567-89AB-cdef-0123-456789abcdef", "guid", "01234567-89ab-cdef-0123-456789abcdef" },
      { "LapTop.corp.example", "full_name", "LapTop.corp.example" },
      { "x' or healthStatus eq 'Active", "bare_name", "x' or healthStatus eq 'Active" },
      { "M\195\188ller 100% & #1+", "bare_name", "M\195\188ller 100% & #1+" },
    } do
      assert.are.same({ case[2], case[3] }, { device.kind(case[1]) })
    end
  end)

  it("tells a GUID", function()
    assert.is_true(device.is_guid "01234567-89AB-cdef-0123-456789abcdef")
    assert.is_true(device.is_guid "00000000-0000-0000-0000-000000000000")
    for _, other in ipairs { "", id(1), "0123456-789AB-cdef-0123-456789abcdef", "01234567-89AB-cdef-0123-456789abcdeg",
      " 01234567-89AB-cdef-0123-456789abcdef", "01234567-89AB-cdef-0123-456789abcdef\0" } do
      assert.is_false(device.is_guid(other))
    end
  end)

  it("says why a text can mean no device", function()
    for _, case in ipairs {
      { "", "is empty" },
      { " ", "is only white space" },
      { "a\27", "has a control character (byte 0x1b)" },
      { "a\0b", "has a control character (byte 0x00)" },
      { "a\255", "is not valid UTF-8" },
      { ("x"):rep(300), "is 300 bytes long; a name has at most 255" },
      { "a/b", 'contains "/", which no device name has' },
      { ("a"):rep(39), "looks like a machine id, but has 39 hex digits instead of 40" },
      { "00000000-0000-0000-0000-000000000000", "is the all-zero GUID, which no device has" },
    } do
      assert.are.same({ nil, case[2] }, { device.kind(case[1]) })
    end
  end)

  it("tells an address apart, and why it means no device", function()
    for text, address in pairs { ["10.1.2.3"] = "10.1.2.3", ["[FE80::ffff:1.2.3.4%eth0]"] = "fe80::ffff:1.2.3.4" } do
      assert.same({ "ip_address", address, "is an IP address, and who has it now may not be who had it then" },
        { device.kind(text) })
    end
    assert.has_error(function() device.kind(nil) end)
  end)

  it("tells the host of a name in small letters, however long it is", function()
    assert.equal("desk", device.host " Desk.Corp.example. ")
    assert.equal("", device.host "")
    assert.equal(("x"):rep(3000), device.host(("X"):rep(3000) .. ".example"))
  end)

  it("tells whether a record answers", function()
    assert.is_true(device.answers("DESK", { computerDnsName = "desk.corp.example" }))
    assert.is_true(device.answers(id(0xab), { id = id(0xab):upper() }))
    assert.is_false(device.answers("desk.corp.example", { computerDnsName = "desk" }))
    for _, asked in ipairs { "", ".", "a/b", "10.1.2.3" } do
      assert.has_error(function() device.answers(asked, {}) end)
      assert.has_error(function() device.choose(asked, {}) end)
    end
    assert.has_error(function() device.answers("desk", "desk") end)
  end)

  it("tells what can be done with a record", function()
    for standing, record in pairs { live = { id = id(1) }, inactive = { id = id(1), healthStatus = "INACTIVE" },
      not_onboarded = { id = id(1), onboardingStatus = "Unsupported" },
      merged = { id = id(1), mergedIntoMachineId = "x" }, unidentified = { id = "x" } } do
      assert.equal(standing, device.standing(record))
    end
  end)

  it("chooses one, or tells those among which it does not", function()
    local records = { { id = id(3), computerDnsName = "desk", lastSeen = "2026-02-03T10:11:12Z" },
      { id = id(2), computerDnsName = "desk.corp.example", lastSeen = "2026-02-04T10:11:12Z" },
      { id = id(1), computerDnsName = "lamp", mergedIntoMachineId = id(2) },
      { id = id(4), computerDnsName = "lamp", onboardingStatus = "x" }, { computerDnsName = "cup" } }
    for asked, wanted in pairs { desk = { "several", { 2, 1 } }, ["desk.corp.example"] = { "one", { 2 } },
      nowhere = { "none", {} }, lamp = { "merged_or_not_onboarded", { 3 } }, cup = { "unidentified", {} },
      [id(1)] = { "merged", { 3 } }, [id(4)] = { "one", { 4 } } } do
      assert.same(wanted, { device.choose(asked, records) })
    end
    assert.same({ "not_onboarded", { 1 } }, { device.choose("lamp", { records[4] }) })
    assert.same({ "several", { 2, 1 } }, { device.choose(nil, { records[1], records[2], records[3] }) })
    assert.has_error(function() device.choose("desk", { records[1], "desk" }) end)
    assert.has_error(function() device.choose("desk", nil) end)
  end)

  -- Whatever is in its fields: a program, or an attacker who chose it, gets an answer and no record by accident.
  it("takes what is no text for nothing, and never for the one that is meant", function()
    for _, odd in ipairs { 17, 1.5, true, false, {}, print } do
      assert.is_false(device.answers("17", { id = id(1), computerDnsName = odd, aadDeviceId = odd }))
      assert.equal("unidentified", device.choose("desk", { { id = odd, computerDnsName = "desk" } }))
      assert.equal("unidentified", device.choose("desk", { { id = id(1), computerDnsName = "desk" },
        { id = odd, computerDnsName = "desk" } }))
      assert.equal("merged", device.choose("desk", { { id = id(1), computerDnsName = "desk",
        mergedIntoMachineId = odd } }))
      local with_odd = { id = id(1), computerDnsName = "desk", healthStatus = odd, onboardingStatus = odd,
        lastSeen = odd }
      assert.equal("several", device.choose("desk", { with_odd, { id = id(2), computerDnsName = "desk" } }))
      assert.same({ "one", { 1 } }, { device.choose("desk", { with_odd }) })
    end
  end)

  it("keeps the texts that a record makes up while it is asked", function()
    local function made_up(number)
      return setmetatable({}, { __index = function(_, name)
        collectgarbage()
        if name == "id" then return id(number) end
        return name == "computerDnsName" and ("desk"):rep(20) .. "." .. number or nil
      end })
    end
    local records = {}
    for i = 1, 20 do records[i] = made_up(i) end
    local choice, places = device.choose(("desk"):rep(20), records)
    assert.equal("several", choice)
    for i = 1, 20 do assert.equal(i, places[i]) end
    assert.is_true(device.answers(("desk"):rep(20) .. ".7", made_up(7)))
  end)

  it("tells which identifier cannot mean a record", function()
    local record = { id = id(1), aadDeviceId = "17171717-0000-4000-8000-000000000017", computerDnsName = "Desk.corp" }
    assert.is_nil(device.differs(record, { id(1), "desk", "DESK.corp.", "17171717-0000-4000-8000-000000000017" }))
    assert.equal(2, device.differs(record, { id(1), "lamp", "desk" }))
    assert.equal(1, device.differs({ id = 17, computerDnsName = 17 }, { "17" }))
    assert.is_nil(device.differs(record, {}))
    assert.has_error(function() device.differs(record, { 17 }) end)
    assert.has_error(function() device.differs(record, "desk") end)
    assert.has_error(function() device.differs(nil, { "desk" }) end)
  end)
end)
