-- The list of all machines, in which a name is looked for that the service does not find as it is typed.
-- Labels: not-lua5.3

local all_machines = require "mde.device.all_machines"
local contexts = require "mde.sync.context"
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
      assert.is_true(#r:requests() <= 3)
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

describe("the list of all machines", function()
  local r, all

  local function begin(options)
    options = options or {}
    options.limits = false
    options.machines = options.machines or { { id = id(1), computerDnsName = "Desk-1.corp.example" },
      { id = id(2), computerDnsName = "desk-10.corp.example" }, { id = id(3), computerDnsName = "DESK-1" },
      { id = id(4) } }
    r = rehearsal.new(options)
    all = all_machines.new(r.client.exchange, r.driver, function() return true end)
  end

  local function context(seconds) return contexts.new(r.driver.now, seconds) end

  local function like(name, seconds)
    local rows, err = all:like("bare_name", name, context(seconds))
    if not rows then return nil, err end
    local list = {}
    for i, row in ipairs(rows) do list[i] = row.id end
    table.sort(list)
    return list
  end

  -- Calls each function as a task of its own, all at once, until all have ended.
  local function together(...)
    local gate, left = r.driver.gate(), select("#", ...)
    for _, fn in ipairs { ... } do
      r.driver.spawn(function()
        fn()
        left = left - 1
        if left == 0 then gate:open() end
      end)
    end
    gate:wait(1000)
    assert.equal(0, left)
  end

  it("has those with the same first part, whatever the case and what follows", function()
    begin()
    for _, name in ipairs { "desk-1", "DESK-1.lab.example", " desk-1. " } do
      assert.same({ id(1), id(3) }, like(name))
    end
    assert.same({ id(2) }, like "desk-10")
    for _, name in ipairs { "desk", "desk-100", "1" } do assert.same({}, like(name)) end
    assert.equal(1, #r:requests())
  end)

  it("tells them by their ids, too", function()
    local entra = "17171717-0000-4000-8000-000000000017"
    begin { machines = { { id = id(1), computerDnsName = "desk-1", aadDeviceId = entra:upper() },
      { id = id(10):upper() } } }
    assert.equal(id(1), all:like("guid", entra, context())[1].id)
    assert.equal(1, #all:like("machine_id", id(10), context()))
    assert.same({}, (all:like("machine_id", id(2), context())))
    assert.equal(1, #r:requests())
  end)

  it("gives each caller rows of his own, and tells when they were asked for", function()
    begin { latency = 3 }
    assert(r.client:machine(id(1)))
    local asked_at = r.driver.now()
    local rows, read_at = all:like("full_name", "desk-10", context())
    rows[1].computerDnsName, rows[1].id = "other", "other"
    assert.equal(asked_at, read_at)
    assert.equal("desk-10.corp.example", all:like("full_name", "desk-10", context())[1].computerDnsName)
  end)

  it("serves for a minute, and is let go of then", function()
    begin()
    like "desk-1"
    r.tenant:advance(59)
    all:forget_old()
    like "desk-1"
    assert.equal(1, #r:requests())
    r.tenant:advance(1.5)
    like "desk-1"
    assert.equal(2, #r:requests())
  end)

  it("serves those who waited for it, and others for a minute, however long reading it took", function()
    begin()
    local send = r.driver.send
    function r.driver.send(request)
      if request.url:find("/machines?", 1, true) then r.driver.sleep(70) end
      return send(request)
    end
    together(function() assert.same({ id(1), id(3) }, like("desk-1", 250)) end,
      function() assert.same({ id(2) }, like("desk-10", 250)) end)
    r.tenant:advance(50)
    assert.same({ id(2) }, like("desk-10", 250))
    assert.equal(1, #r:requests())
  end)

  it("serves for longer whom an older one will do, and is let go of after five minutes", function()
    begin()
    assert.same({}, all:known("bare_name", "desk-1", 300))
    like "desk-1"
    r.tenant:advance(200)
    all:forget_old()
    local rows, read_at = all:known("bare_name", "desk-1", 300)
    assert.equal(2, #rows)
    assert.equal(200, r.driver.now() - read_at)
    assert.same({}, all:known("bare_name", "desk-1", 200))
    assert.same({}, all:known("bare_name", "elsewhere", 300))
    r.tenant:advance(100)
    assert.same({}, all:known("bare_name", "desk-1", 1000))
    all:forget_old()
    assert.is_nil(all.rows)
    assert.equal(1, #r:requests())
  end)

  it("has those with the nearest names, the nearest first, but none that was merged", function()
    begin { machines = { { id = id(1), computerDnsName = "Desk-17.lab.example" },
      { id = id(2), computerDnsName = "desk-18.corp.example", lastSeen = "2026-02-03T10:11:12Z" },
      { id = id(3), computerDnsName = "DESK-19.corp.example", lastSeen = "2026-02-04T10:11:12Z" },
      { id = id(4), computerDnsName = "desk-17x.corp.example", mergedIntoMachineId = id(3) },
      { id = id(5), computerDnsName = "laptop-17.corp.example" }, { id = id(6) } } }
    like "desk-17"
    local rows = all:nearest " DESK-17.corp.example."
    assert.same({ id(1), id(3), id(2) }, { rows[1].id, rows[2].id, rows[3].id, rows[4] })
    rows[1].id = "other"
    assert.equal(id(1), all:nearest("desk-17.corp.example")[1].id)
    assert.same({}, all:nearest "elsewhere")
    assert.equal(1, #r:requests())
  end)

  it("has the nearest of the list that was read last, and none before", function()
    begin { machines = { { id = id(1), computerDnsName = "desk-18" } } }
    assert.same({}, all:nearest "desk-17")
    like "desk-17"
    assert.equal(id(1), all:nearest("desk-17")[1].id)
    r.tenant:put_machine { id = id(2), computerDnsName = "desk-71" }
    r.tenant:advance(61)
    like "desk-17"
    assert.equal(2, #all:nearest "desk-17")
    r.tenant:advance(301)
    all:forget_old()
    assert.same({}, all:nearest "desk-17")
  end)

  it("is none where the service calls it not found", function()
    begin()
    r:answer({ path = "/machines?" }, 404, "")
    assert.same({}, like "desk-1")
    assert.same({}, like "desk-10")
    assert.equal(1, #r:requests())
  end)

  it("takes no part of an answer whose names are no texts", function()
    begin()
    r:answer({ path = "/machines?" }, 200, { value = { { id = id(1), computerDnsName = 17 },
      { id = id(2), computerDnsName = "desk-1" }, { id = id(3), computerDnsName = { "desk-1" } },
      { id = id(4), computerDnsName = ".desk-1" }, { id = id(5), computerDnsName = "" } } })
    assert.same({ id(2) }, like "desk-1")
  end)

  it("is read by one for all who wait, and its failure is told to each; the next one reads again", function()
    begin { latency = 1 }
    r:answer({ path = "/machines?" }, 403, { error = { code = "Forbidden", message = "no" } })
    local errs = {}
    together(function() errs[1] = select(2, like "desk-1") end, function() errs[2] = select(2, like "desk-10") end)
    assert.same({ "permission", "permission" }, { errs[1].kind, errs[2].kind })
    assert.equal(1, #r:requests())
    assert.same({ id(1), id(3) }, like "desk-1")
    assert.equal(2, #r:requests())
  end)

  it("goes on for the others when the time of the one who began is up", function()
    begin { latency = 4 }
    local err, found
    together(function() err = select(2, like("desk-1", 2)) end, function() found = like("desk-1", 30) end)
    assert.equal("unavailable", err.kind)
    assert.truthy(tostring(err):find("could not be read in time", 1, true))
    assert.same({ id(1), id(3) }, found)
    assert.equal(1, #r:requests())
  end)

  it("is read in the caller's own time where the driver does one thing at a time", function()
    begin { sequential = true, latency = 4 }
    assert.equal("unavailable", select(2, like("desk-1", 2)).kind)
    assert.same({ id(1), id(3) }, like("desk-1", 30))
  end)

  it("raises what the reading raised to the one who began it", function()
    begin()
    function r.driver.send() error "made up" end
    local ok, problem = pcall(like, "desk-1")
    assert.is_false(ok)
    assert.matches("made up", tostring(problem))
  end)
end)
