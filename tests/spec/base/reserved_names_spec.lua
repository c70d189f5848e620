-- A property of the service's that has the name of one of our methods or fields: it is dropped, wherever the row comes
-- from. The service here is the simulated tenant, and puts all of them into each of its rows.

local rehearsal = require "tests.spec.support.rehearsal"

local THEIRS = "theirs"

local action_methods, machine_methods = { "wait", "cancel" }, { "restrict", "release", "state", "has_tag" }
local action_fields = { "outcome", "operation_id", "incident", "attempts", "reconciled", "looked", "recorded",
  "also_ended", "also_held", "comment_cut" }
local machine_fields = { "action", "releasing", "incidents", "others" }

local function poison()
  local members = {}
  for _, names in ipairs { action_methods, machine_methods, action_fields, machine_fields } do
    for _, name in ipairs(names) do members[#members + 1] = ('"%s":"%s",'):format(name, THEIRS) end
  end
  return table.concat(members)
end

local function check(object, methods, fields)
  for _, name in ipairs(methods) do
    assert.equal("function", type(object[name]), name .. " is hidden")
    assert.is_nil(rawget(object, name))
  end
  for _, name in ipairs(fields) do assert.not_equal(THEIRS, object[name], name .. " is the service's") end
end

local function check_action(action)
  check(action, action_methods, action_fields)
  return action
end

local function check_machine(machine)
  check(machine, machine_methods, machine_fields)
  return machine
end

describe("a name of ours in a row of the service", function()
  local r

  before_each(function()
    r = rehearsal.new { unguarded = true, roles = { "Machine.Read.All", "Machine.ReadWrite.All",
      "Machine.RestrictExecution" }, machines = { { computerDnsName = "a.corp.example", machineTags = { "x" } },
      { computerDnsName = "b.corp.example" } } }
    local send, members = r.driver.send, poison()
    function r.driver.send(request)
      local response, message, maybe_sent = send(request)
      if response and response.status < 300 and request.url:find("/api/", 1, true) then
        response.body = response.body:gsub('"id":"', members .. '"id":"')
      end
      return response, message, maybe_sent
    end
  end)

  it("is dropped from a machine, whoever reads it", function()
    local machine = check_machine(assert(r.client:machine "a"))
    assert.is_true(machine:has_tag "X")
    assert.equal("none", machine:state())
    check_machine(assert(r.client:machine(machine.id)))
    check_machine(assert(r.client:tag(machine, "y")))
    check_machine(assert(r.client:untag("a", "y")))
    local count = 0
    for each in r.client:machines "all" do
      check_machine(each)
      count = count + 1
    end
    assert.equal(2, count)
    assert.equal("accepted", check_action(assert(machine:restrict("why"))).outcome)
    assert.equal("accepted", check_action(assert(machine:release("why"))).outcome)
  end)

  it("is dropped from the answer to a POST, and from what is found in its place", function()
    local action = check_action(assert(r.client:restrict("a", "why", { incident = "INC-1" })))
    assert.equal("accepted", action.outcome)
    assert.equal("INC-1", action.incident)
    assert.equal(1, action.attempts)
    assert.is_nil(action.recorded)
    assert.is_nil(action.comment_cut)
    action = check_action(assert(r.client:restrict("a", "why", { incident = "INC-1" })))
    assert.equal("already_active", action.outcome)
    assert.is_nil(action.attempts)

    r:fault { match = { method = "POST", path = "restrictCodeExecution" }, fault = "gone" }
    action = check_action(assert(r.client:restrict("b", "why")))
    assert.equal("accepted", action.outcome)
    assert.is_true(action.reconciled)
    assert.is_nil(action.incident)
  end)

  it("is dropped from an action, whoever reads it", function()
    local action = assert(r.client:restrict("a", "why"))
    check_action(assert(r.client:action(action.id)))
    for each in r.client:actions "all" do check_action(each) end
    check_action(assert(r.client:find_action { machine_id = action.machineId, operation_id = action.operation_id }))
    local _, resting = r.client:state "a"
    check_action(resting)
    assert.equal("Succeeded", action:wait())
    check_action(action)
    assert.equal("accepted", action.outcome)
    assert.equal(1, action.attempts)
  end)

  it("is dropped where many are awaited, and from a cancelled one", function()
    local actions = { assert(r.client:restrict("a", "why")), assert(r.client:restrict("b", "why")) }
    for _, result in ipairs(r.client:wait(actions)) do assert.equal("Succeeded", result.value) end
    for _, action in ipairs(actions) do
      assert.equal(1, check_action(action).attempts)
      assert.equal("accepted", action.outcome)
    end
    check_action(assert(assert(r.client:release("a", "why")):cancel "no"))
  end)

  it("is dropped from what an error and what an incident's list tell of", function()
    local action = assert(r.client:release("a", "why"))
    local refused, err = r.client:restrict("a", "why")
    assert.is_nil(refused)
    assert.equal("conflict", err.kind)
    assert.equal(action.id, check_action(err.action).id)

    assert(assert(r.client:restrict("b", "why", { incident = "INC-2" })):wait())
    local held = assert(r.client:restricted { incident = "INC-2" })
    assert.equal(1, #held)
    assert.equal("function", type(held[1].restrict))
    assert.is_nil(held[1].releasing)
    assert.equal("INC-2", check_action(held[1].action).incident)
    local states = r.client:states { "a", "b" }
    for _, result in ipairs(states) do check_action(result.action) end
  end)
end)

describe("what an earlier call found out", function()
  it("is not told of an action by a later one", function()
    local r = rehearsal.new { unguarded = true, machines = { { computerDnsName = "a.corp.example" } },
      lists = { lag = 100 } }
    local action = assert(r.client:restrict("a", "why"))
    assert.equal(1, action.attempts)
    assert.equal("Succeeded", action:wait())
    -- The list does not show it yet, but the client remembers it.
    local again = assert(r.client:restrict("a", "why"))
    assert.equal("already_active", again.outcome)
    assert.equal(action.id, again.id)
    assert.is_nil(again.attempts)
  end)
end)
