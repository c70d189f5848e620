-- An answer that is no list where a list was asked for: it answers nothing, and is never the list of nothing. lua-cjson
-- makes the same of {} and [].

local rehearsal = require "tests.spec.support.rehearsal"

local bodies = { '{"value":{}}', '{"value":[],"value":[]}', '{"v\\u0061lue":{}}', "{}", "[]" }

describe("an answer that is no list", function()
  for _, body in ipairs(bodies) do
    describe(body, function()
      local r

      before_each(function()
        r = rehearsal.new { unguarded = true, machines = { { computerDnsName = "a.corp.example" } } }
      end)

      local function answer_lists(path)
        r:answer({ method = "GET", path = path }, 200, body, { count = false })
      end

      it("does not say that nothing was executed", function()
        local machine = assert(r.client:machine "a")
        answer_lists "machineactions"
        r:fault { match = { path = "restrictCodeExecution" }, fault = "gone" }
        local action, err = r.client:restrict(machine, "why")
        assert.is_nil(action)
        assert.equal("unknown", err.kind)
        assert.same({ "restrictCodeExecution" }, r:posts())
        assert.equal(1, r:count "action_created")
      end)

      it("does not say that nothing is restricted", function()
        local machine = assert(r.client:machine "a")
        assert(r.client:restrict(machine, "why", { incident = "INC-1" }))
        answer_lists "machineactions"
        local state, err = r.client:state(machine)
        assert.is_nil(state)
        assert.equal("protocol", err.kind)
        local held
        held, err = r.client:restricted { incident = "INC-1" }
        assert.is_nil(held)
        assert.equal("protocol", err.kind)
        assert.equal("protocol", r.client:states({ machine })[1].err.kind)
        local ok, problem = pcall(r.client:actions "all")
        assert.is_false(ok)
        assert.equal("protocol", problem.kind)
      end)

      it("does not say that there is no such machine", function()
        answer_lists "machines"
        local machine, err = r.client:machine "a"
        assert.is_nil(machine)
        assert.equal("protocol", err.kind)
        local ok, problem = pcall(r.client:machines "all")
        assert.is_false(ok)
        assert.equal("protocol", problem.kind)
      end)

      it("does not please the doctor", function()
        -- The first request only asks whether the host is there.
        r:answer({ method = "GET", path = "machines", nth = 2 }, 200, body, { count = false })
        local checks = {}
        for _, check in ipairs(r.client:doctor().checks) do checks[check.name] = check end
        assert.equal("ok", checks["API host"].status)
        assert.equal("failed", checks.read.status)
        assert.equal("protocol", checks.read.kind)
      end)
    end)
  end
end)
