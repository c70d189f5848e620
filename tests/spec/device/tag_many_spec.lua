-- Tags of many machines, with a request for every 500, and what is told where the service knows one of them no more.
-- Labels: not-lua5.3
local rehearsal = require "tests.spec.support.rehearsal"

local ROLES = { "Machine.Read.All", "Machine.ReadWrite.All" }

local function id(i) return ("%040x"):format(i) end

describe("a tag of many", function()
  local r

  local function begin(count, options)
    local machines = {}
    for i = 1, count do machines[i] = { id = id(i), computerDnsName = ("m%d.corp.example"):format(i) } end
    options = options or {}
    options.machines, options.roles, options.limits = machines, ROLES, false
    r = rehearsal.new(options)
  end

  local function all(count)
    local list = {}
    for i = 1, count do list[i] = { id = id(i), computerDnsName = ("m%d.corp.example"):format(i) } end
    return list
  end

  local function tagged(tag)
    local count = 0
    for _, machine in ipairs(r.tenant.machines) do
      for _, own in ipairs(machine.machineTags or {}) do
        if own == tag then count = count + 1 end
      end
    end
    return count
  end

  it("is one request for every 500", function()
    begin(2000)
    local results = r.client:tag(all(2000), "INC-4711")
    assert.equal(0, results.failed)
    assert.equal(2000, tagged "INC-4711")
    assert.equal(4, #r:requests())
    assert.is_true(results[1500].value:has_tag "inc-4711")
    assert.equal(0, r.client:untag(all(2000), "INC-4711").failed)
    assert.equal(0, tagged "INC-4711")
    assert.equal(8, #r:requests())
  end)

  for setting, told in pairs { refuse_all = "not_found", skip = "not_found", stop = "not_found" } do
    it("names the one that the service does not know, and tags the others: " .. setting, function()
      begin(600, { bulk_tags = setting })
      local list = all(600)
      list[77] = { id = id(0xbad) }
      local results = r.client:tag(list, "INC-4711")
      assert.equal(1, results.failed)
      assert.is_nil(results[77].value)
      assert.equal(told, results[77].err.kind)
      assert.equal(id(0xbad), results[77].err.machine_id)
      assert.equal(599, tagged "INC-4711")
      assert.is_true(#r:posts() <= 21, #r:posts())
    end)
  end

  it("stops asking where the refusal is about something else", function()
    begin(500)
    r:answer({ path = "AddOrRemoveTag" }, 400, { error = { code = "InvalidInput", message = "no" } }, { count = 1e4 })
    local results = r.client:tag(all(500), "INC-4711")
    assert.equal(500, results.failed)
    assert.is_true(#r:posts() < 140, #r:posts())
  end)

  it("is not believed where the answer shows the contrary", function()
    begin(2)
    r:answer({ path = "AddOrRemoveTag" }, 200, { value = { { id = id(1), machineTags = { "INC-4711" } },
      { id = id(2), machineTags = {} } } })
    local results = r.client:tag(all(2), "INC-4711")
    assert.is_true(results[1].value:has_tag "INC-4711")
    assert.equal("tag_unchanged", results[2].err.code)
  end)

  it("is sent once more where the answer was lost", function()
    begin(3)
    r:fault { match = { path = "AddOrRemoveTag" }, fault = "gone" }
    assert.equal(0, r.client:tag(all(3), "INC-4711").failed)
    assert.equal(3, tagged "INC-4711")
  end)

  it("of machines that are named is told of each name", function()
    begin(3)
    local results = r.client:tag({ "m1", "m9", "m3.corp.example", "m1" }, "INC-4711")
    assert.equal(1, results.failed)
    assert.equal("not_found", results[2].err.kind)
    assert.equal(id(1), results[4].value.id)
    assert.equal(2, tagged "INC-4711")
  end)

  it("is taken away in every spelling that there is", function()
    begin(3)
    r.tenant:put_machine { id = id(1), machineTags = { "tier0", "TIER0" } }
    r.tenant:put_machine { id = id(2), machineTags = { "Tier0" } }
    local machines = {}
    for machine in r.client:machines "all" do machines[#machines + 1] = machine end
    assert.equal(0, r.client:untag(machines, "tier0").failed)
    for _, tag in ipairs { "tier0", "TIER0", "Tier0" } do assert.equal(0, tagged(tag)) end
  end)

  it("needs the permission, and says so of each", function()
    begin(2)
    r.tenant:put_application { client_id = r.tenant.client_id, client_secret = r.tenant.client_secret, name = "mde",
      roles = { "Machine.Read.All" } }
    local results = r.client:tag(all(2), "INC-4711")
    assert.equal(2, results.failed)
    assert.equal("permission", results[2].err.kind)
    assert.matches("Machine.ReadWrite.All", results[2].err.hint)
  end)

  it("of nobody asks nothing", function()
    begin(1)
    assert.equal(0, r.client:tag({}, "INC-4711").failed)
    assert.equal(0, #r:requests())
    assert.equal("tag_empty", rehearsal.refused(r.client.tag, r.client, {}, " ").code)
  end)
end)
