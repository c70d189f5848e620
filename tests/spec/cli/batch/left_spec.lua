-- left: devices that are left as they are without a call for them. That a SIEM has a line of each stands in
-- tests/spec/cli/ui/audit_spec.lua.
-- Labels: not-lua5.3
local errors = require "mde.base.error"
local left = require "mde.cli.batch.left"

describe("a device that is left", function()
  local told, context

  before_each(function()
    told = {}
    context = { request = { verb = "restrict", options = { incident = "INC-1" } }, client = {
      tell_left = function(_, verb, device, comment, options, action, err)
        told[#told + 1] = { verb, device, comment, options.incident, action or false, err or false }
      end } }
  end)

  local err = errors.new { kind = "protected", code = "machine_protected", rule = "servers", message = "no" }
  local cap = errors.new { kind = "protected", code = "cap_full", rule = "cap", message = "full" }

  it("is told by its machine, its identity or its name, with why it is left", function()
    local machine, identity = { id = "m" }, { "a", "b" }
    left.tell(context, { device = "pc-1", machine = machine, identity = identity, err = err }, "beacon")
    left.tell(context, { device = "pc-1", identity = identity, err = err }, "beacon")
    left.tell(context, { device = "pc-1", action = { outcome = "would_send" } }, "beacon", cap)
    assert.same({ { "restrict", machine, "beacon", "INC-1", false, err },
      { "restrict", identity, "beacon", "INC-1", false, err }, { "restrict", "pc-1", "beacon", "INC-1", false, cap } },
      told)
  end)

  it("is told with the action by which it is so already", function()
    local action = { outcome = "already_active" }
    left.tell(context, { device = "pc-1", action = action }, "beacon")
    assert.same({ { "restrict", "pc-1", "beacon", "INC-1", action, false } }, told)
  end)

  it("is not told where nobody knows why", function()
    left.tell(context, { device = "pc-1" }, "beacon")
    left.tell(context, { device = "pc-1", err = "raised" }, "beacon")
    assert.same({}, told)
  end)

  it("of many is each that is done", function()
    left.tell_done(context, { { device = "a", done = true, err = err }, { device = "b", err = err },
      { device = "c", done = true, action = { outcome = "already_active" } } }, "beacon")
    assert.same({ "a", "c" }, { told[1][2], told[2][2] })
    assert.is_nil(told[3])
  end)
end)
