-- single_action: what mde action and mde cancel have in common.
-- Labels: not-lua5.3
local console = require "tests.spec.support.console"
local errors = require "mde.base.error"
local rehearsal = require "tests.spec.support.rehearsal"
local single_action = require "mde.cli.batch.single_action"

local IDS = { "5c1f9a52-0000-4000-8000-000000000001", "5c1f9a52-0000-4000-8000-000000000002" }

describe("actions by their ids", function()
  -- The first is there, the second is not.
  local function run(format)
    local r = rehearsal.new { machines = {} }
    return console.capture(function()
      return single_action.run({ client = r.client, format = format, request = single_action.request { ids = IDS } }, 1,
        "read", function(id)
          if id == IDS[1] then return { id = id, type = "Isolate", status = "Pending", internal = "x" } end
          return nil, errors.new { kind = "not_found", code = "no_such_action", message = "no such action" }
        end)
    end)
  end

  it("are GUIDs", function()
    assert.equal(IDS[2], single_action.request({ ids = IDS })[2].device)
    assert.matches("is not an action's id", rehearsal.refused(single_action.request, { ids = { "laptop-17" } }).message)
  end)

  it("are shown by their fields", function()
    local told = run "text"
    assert.equal(("id      %s\ntype    Isolate\nstatus  Pending\n"):format(IDS[1]), told.out)
    assert.equal("mde: no such action\n", told.err)
    assert.equal(2, told.value)
  end)

  it("are rows, in JSON also those that cannot be read", function()
    assert.equal(('{"id":"%s","internal":"x","status":"Pending","type":"Isolate"}\n{"error":{'
      .. '"code":"no_such_action","kind":"not_found","message":"no such action","text":"no such action"},"id":"%s"}\n')
      :format(IDS[1], IDS[2]), run "json".out)
    local told = run "csv"
    assert.matches("^id,type,.*\r\n5c1f9a52%-.*,Isolate,Pending,,,,,\r\n$", told.out)
    assert.equal("mde: no such action\n", told.err)
  end)
end)
