-- What a change makes of rows that are not as they should be: without a GUID, without a time, without a machine; and of
-- very many.

local rehearsal = require "tests.spec.support.rehearsal"

local machine = "1f00000000000000000000000000000000000017"
local opposite_of = { restrict = "release", release = "restrict" }

describe("a change", function()
  local r

  before_each(function() r = rehearsal.new { unguarded = true } end)

  -- Changes the text of each list of actions.
  local function rewrite_lists(rewrite)
    local send = r.driver.send
    function r.driver.send(request)
      local response, message, maybe_sent, code = send(request)
      if response and request.url:find("/machineactions?", 1, true) then response.body = rewrite(response.body) end
      return response, message, maybe_sent, code
    end
  end

  for verb, opposite in pairs(opposite_of) do
    it("is made against an old action whose id is no GUID: " .. verb, function()
      r:past(machine, opposite, "Succeeded", 50000)
      rewrite_lists(function(body) return (body:gsub('("id":")[^"]*"', '%1action-17"')) end)
      assert.equal("accepted", assert(r.client[verb](r.client, machine, "why")).outcome)
    end)

    it("is made against more old actions than are told apart, one of which has no time: " .. verb, function()
      for i = 1, 30 do r:past(machine, verb, "Failed", 50000 + i * 100) end
      local odd = r:past(machine, opposite, "Succeeded", 90000)
      local pattern = "{[^{}]*" .. odd.id:gsub("%-", "%%-") .. "[^{}]*}"
      rewrite_lists(function(body)
        return (body:gsub(pattern, function(row)
          return (row:gsub('("creationDateTimeUtc":)"[^"]*"', "%1null"))
        end))
      end)
      assert.equal("accepted", assert(r.client[verb](r.client, machine, "why")).outcome)
    end)
  end

  it("names the machine of the action that superseded it, where the service does not", function()
    rewrite_lists(function(body) return (body:gsub('("machineId":)"[^"]*"', "%1null")) end)
    r:fault { match = { method = "POST", path = "restrictCodeExecution" }, fault = "reset" }
    r.driver.spawn(function()
      r.driver.sleep(1)
      r:past(machine, "release", "Succeeded", 0)
    end)
    local _, err = r.client:restrict(machine, "why")
    assert.equal("superseded", err.kind)
    assert.equal(machine, err.action.machineId)
  end)
end)
