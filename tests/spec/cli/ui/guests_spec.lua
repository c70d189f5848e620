-- guests: what is said before an isolation until a tag or a name is protected.
-- Labels: not-lua5.3
local console = require "tests.spec.support.console"
local guests = require "mde.cli.ui.guests"
local rehearsal = require "tests.spec.support.rehearsal"

describe("the guests of a device that is to be isolated", function()
  for what, case in pairs {
    ["nothing is chosen"] = { nil, true },
    ["servers and values alone are protected"] = { { servers = true, device_values = { "High", "Normal" } }, true },
    ["nothing is protected"] = { { servers = false, device_values = {} }, true },
    ["a tag is protected"] = { { tags = { "vm-host" } }, false },
    ["a name is protected"] = { { names = { "hv-*" } }, false },
  } do
    it(("are %s where %s"):format(case[2] and "told" or "not told", what), function()
      local client = rehearsal.new({ client = { protect = case[1] } }).client
      local told = console.capture(function() guests.caution(client) end)
      assert.equal(case[2] and "Note: a device that runs virtual machines takes them off the network with it, and but "
        .. "for servers nothing tells which devices do; give these a tag, and protect that.\n" or "", told.err)
    end)
  end
end)
