-- The list of all machines, in which a name is looked for that the service does not find as it is typed.
-- Labels: not-lua5.3

local rehearsal = require "tests.spec.support.rehearsal"

local function id(number)
  return ("%040x"):format(number)
end

for _, comparison in ipairs { "exact", "caseless" } do
  describe(("names in a tenant that is %s"):format(comparison), function()
    local r

    local function with(machines, options)
      options = options or {}
      options.machines, options.comparison, options.unguarded = machines, comparison, true
      r = rehearsal.new(options)
      return r.client
    end

    it("that an each asks for are compared with one list of all machines", function()
      local machines, list = {}, {}
      for i = 1, 30 do
        machines[i] = { id = id(i), computerDnsName = ("Desk-%d.Corp.example"):format(i) }
        list[i] = ("dESK-%d.corp.example"):format(i)
        list[i + 30] = ("desk-%d.lab.example"):format(i)
      end
      local client = with(machines, { limits = false })
      local results = client:each(list, function(name) return client:machine(name) end)
      assert.equal(30, results.failed)
      for i = 1, 30 do
        assert.equal(id(i), results[i].value.id)
        assert.equal("not_found", results[i + 30].err.kind)
      end
      assert.equal(60 + 1, #r:requests())
    end)

    it("are read anew when the list is a minute old", function()
      local client = with { { id = id(17), computerDnsName = "Laptop-17.Corp.example" } }
      assert.equal("not_found", select(2, client:machine "desk").kind)
      r.tenant:put_machine { id = id(18), computerDnsName = "Desk.Corp.example" }
      r.tenant:advance(61)
      assert.equal(id(18), assert(client:machine "DESK.corp.example").id)
    end)
  end)
end
