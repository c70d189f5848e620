-- What a release says of those, beside the incident it names, whose hold on the device it ends.
-- Labels: sanitized

local core = require "mde.core"
local rehearsal = require "tests.spec.support.rehearsal"

local machine = "1f00000000000000000000000000000000000017"

describe("a release", function()
  local r

  before_each(function() r = rehearsal.new { unguarded = true } end)

  local function held_by(comment, ago, fields)
    local all = { requestorComment = comment }
    for name, value in pairs(fields or {}) do all[name] = value end
    return r:past(machine, "restrict", "Succeeded", ago, all)
  end

  local function release(options)
    return assert(r.client:release(machine, "cleared", options)).also_ended
  end

  it("that is rehearsed says that nothing holds the device, and is sent all the same", function()
    local function rehearsed(verb) return assert(r.client[verb](r.client, machine, "cleared", { dry_run = true })) end
    local action = rehearsed "release"
    assert.same({ "would_send", true }, { action.outcome, action.not_held })
    assert.is_true(rehearsed("unisolate").not_held)
    assert.is_nil(rehearsed("restrict").not_held)
    -- What it really does is as ever: the list does not reach back for ever.
    action = assert(r.client:release(machine, "cleared"))
    assert.same({ "accepted", nil }, { action.outcome, action.not_held })
    assert.equal(1, #r:posts())
    r = rehearsal.new { unguarded = true }
    held_by("beacon", 600)
    assert.is_nil(rehearsed("release").not_held)
    assert.is_true(rehearsed("unisolate").not_held)
  end)

  it("with a claim waits for its turn to read, as for its turn to be sent", function()
    local machines = {}
    for i = 1, 260 do machines[i] = { id = ("%040x"):format(i), computerDnsName = ("m%d.corp.example"):format(i) } end
    r = rehearsal.new { unguarded = true, machines = machines }
    for i = 1, 260 do
      r:past(machines[i].id, "restrict", "Succeeded", 600,
        { requestorComment = ("x [mde:INC-1:operation-%d]"):format(i) })
    end
    local results = r.client:each(machines, function(one)
      local number = one.computerDnsName:match "%d+"
      return r.client:release(one, "taken back", { incident = "INC-1", operations = { "operation-" .. number } })
    end)
    for _, result in ipairs(results) do
      assert.equal("accepted", result.value and result.value.outcome, tostring(result.err))
    end
    assert.equal(260, r:count "action_created" - 260)
  end)

  it("names nobody where it alone held the device, whatever the case", function()
    held_by("x [mde:inc-1:aaaaaaaa]", 500)
    held_by("x [mde:INC-1:bbbbbbbb]", 400)
    assert.is_nil(release { incident = "INC-1" })
  end)

  it("names each other incident once, and who held it without one", function()
    held_by("x [mde:INC-2:aaaaaaaa]", 900)
    held_by("x [mde:INC-1:bbbbbbbb]", 800)
    held_by("x [mde:inc-2:cccccccc]", 700)
    held_by("by hand", 600, { requestor = "bob\27@corp.example" })
    held_by("x [mde:42:dddddddd]", 500)
    local names = release { incident = "INC-1" }
    names[3] = core.text.upper(names[3])
    assert.same({ "42", "bob\\x1b@corp.example (no incident)", "INC-2" }, names)
  end)

  it("names all incidents where it names none itself", function()
    held_by("by hand", 950)
    held_by("x [mde:INC-2:aaaaaaaa]", 900)
    assert.same({ "INC-2" }, release())
  end)

  it("names nobody whose hold had ended before", function()
    held_by("x [mde:INC-2:aaaaaaaa]", 900)
    r:past(machine, "release", "Succeeded", 800)
    held_by("x [mde:INC-1:bbbbbbbb]", 700)
    assert.is_nil(release { incident = "INC-1" })
    r:past(machine, "release", "Succeeded", 10)
    held_by("x [mde:INC-2:aaaaaaaa]", 900)
    assert.is_nil(release { incident = "INC-3" })
  end)

  it("names whose pending restriction it cancelled", function()
    r:past(machine, "restrict", "Pending", 60, { requestorComment = "x [mde:INC-2:aaaaaaaa]" })
    assert.same({ "INC-2" }, release { incident = "INC-1" })
  end)

  it("says nothing where it did nothing, or did not look", function()
    held_by("x [mde:INC-2:aaaaaaaa]", 900)
    r:past(machine, "release", "Pending", 60)
    local action = assert(r.client:release(machine, "cleared", { incident = "INC-1" }))
    assert.equal("already_active", action.outcome)
    assert.is_nil(action.also_ended)
    r = rehearsal.new { unguarded = true }
    held_by("x [mde:INC-2:aaaaaaaa]", 900)
    assert.is_nil(release { incident = "INC-1", look = false })
  end)

  it("is told by each as by a single call", function()
    held_by("x [mde:INC-2:aaaaaaaa]", 900)
    local results = r.client:each({ machine }, function(id)
      return r.client:release(id, "cleared", { incident = "INC-1" })
    end)
    assert.same({ "INC-2" }, results[1].value.also_ended)
  end)
end)
