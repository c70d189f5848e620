-- What a caller may name a device by. The table of texts is in tests/core/test_device_text.c.
-- Labels: sanitized, caseless

local devices = require "mde.device.device"
local identities = require "mde.device.identity"
local rehearsal = require "tests.spec.support.rehearsal"

local function id(number)
  return ("%040x"):format(number)
end

describe("a device", function()
  describe("that cannot be one is refused without any request:", function()
    for what, case in pairs {
      ["nothing"] = { nil, "not nil" },
      ["a number"] = { 17, "not a number" },
      ["a boolean"] = { true, "not a boolean" },
      ["an empty text"] = { "", "empty" },
      ["an IPv4 address"] = { "192.0.2.10", "IP address" },
      ["a NUL"] = { "laptop\0-17", "control character" },
      ["an escape sequence"] = { "\27[31mlaptop-17", "control character" },
      ["invalid UTF-8"] = { "laptop\255", "UTF-8" },
      ["a machine id that lost a digit"] = { ("a"):rep(39), "39 hex digits" },
      ["a domain before a backslash"] = { "CORP\\laptop-17", "\\" },
      ["a machine without an id"] = { { computerDnsName = "laptop-17.corp.example" }, "no id" },
      ["a machine whose id is a name"] = { { id = "laptop-17" }, "no id" },
      ["a machine whose id is a number"] = { { id = 17 }, "no id" },
      ["a machine whose id is a table"] = { { id = {} }, "no id" },
      ["an action"] = { { id = "17171717-0000-4000-8000-000000000017", machineId = id(1) }, "no id" },
    } do
      it(what, function()
        local r = rehearsal.new()
        for _, call in ipairs {
          function(device) return r.client:restrict(device, "why") end,
          function(device) return r.client:release(device, "why", { look = false }) end,
          function(device) return r.client:machine(device) end,
          function(device) return r.client:state(device) end,
        } do
          local err = rehearsal.refused(call, case[1])
          assert.truthy(err.message:find(case[2], 1, true), err.message)
          assert.is_true(rehearsal.is_one_line(tostring(err)), tostring(err))
        end
        assert.same({}, r.tenant.history)
      end)
    end
  end)

  it("is shown by its name, else its id", function()
    assert.equal('"desk"', devices.shown { id = id(1), computerDnsName = "desk" })
    assert.equal('"' .. id(1) .. '"', devices.shown { id = id(1) })
    assert.equal('"desk"', devices.shown "desk")
    assert.equal('"a machine"', devices.shown {})
  end)

  it("with several identifiers is shown with all of them, and one by an address by that", function()
    assert.equal('"desk (x)"', devices.shown(identities.new { "desk", "x" }))
    assert.equal('{ ip = "192.0.2.1" }', devices.shown { ip = "192.0.2.1", at = 17 })
    assert.equal("{ ip = nil }", devices.shown { at = 17 })
    assert.equal('"' .. id(1) .. '"', devices.shown { id = id(1), ip = "192.0.2.1" })
    for _, device in ipairs { 17, true, {}, print, "\27[2J" } do
      assert.is_true(rehearsal.is_one_line(devices.shown(device)))
    end
  end)

  for what, case in pairs {
    ["a machine id"] = { id(0xab):upper(), "machine_id", id(0xab) },
    ["an Entra device id"] = { "6060606A-0000-4000-8000-00000000000A", "guid", "6060606a-0000-4000-8000-00000000000a" },
    ["a full name"] = { " Desk.Corp.example. ", "full_name", "Desk.Corp.example" },
    ["a bare name"] = { "DESK.", "bare_name", "DESK" },
    ["a machine"] = { { id = id(0xab):upper(), computerDnsName = 17 }, "machine", id(0xab) },
    ["a machine that has an address, too"] = { { id = id(1), ip = "192.0.2.1" }, "machine", id(1) },
    ["several identifiers, the first of which is looked for"] = { identities.new { "Desk", id(1) }, "identity",
      "Desk" },
  } do
    it("is " .. what, function()
      local kind, canonical = devices.check(case[1])
      assert.equal(case[2], kind)
      assert.equal(case[3], canonical)
    end)
  end
end)
