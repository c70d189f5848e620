-- A fleet that changes between the plan and the run: what the plan shows is what happens, and each device of which that
-- is not so is told by its name, with the reason.
-- Labels: only-lua5.4, long
local carry_out = require "mde.cli.run.carry_out"
local console = require "tests.spec.support.console"
local playbooks = require "tests.spec.support.playbooks"
local runs = require "mde.run"

local PLANNED, NEW = 300, 50

local QUERY = [[
local mde = require "mde"
local suspects, found = {}, {}
for machine in mde.machines { machineTags = mde.has "suspect" } do
  suspects[#suspects + 1] = machine
  found[machine.computerDnsName] = true
end
%s
mde.each(suspects, function(device) return mde.restrict(device, "beacon", { incident = "INC-1" }) end)
]]

-- Those that the query does not find any more are named by a list.
local QUERY_AND_LIST = QUERY:format [[
for i = 1, %d do
  local name = ("pc-%%d.corp.example"):format(i)
  if not found[name] then suspects[#suspects + 1] = name end
end]]

local function name_of(i) return ("pc-%d.corp.example"):format(i) end

describe("a fleet that changes between the plan and the run", function()
  local stage

  before_each(function()
    local machines = playbooks.fleet(PLANNED + NEW)
    for i, machine in ipairs(machines) do machine.machineTags = { i <= PLANNED and "suspect" or "other" } end
    stage = playbooks.new { machines = machines, limits = false, unguarded = false,
      client = { cap = false, protect = { tags = { "tier0" }, servers = false } } }
  end)
  after_each(function() stage.remove() end)

  local function change(first, last, fields)
    for i = first, last do
      local own = { id = playbooks.id(i) }
      for name, value in pairs(fields) do own[name] = type(value) == "function" and value(i) or value end
      stage.tenant:put_machine(own)
    end
  end

  local function decided_by_colleague(first, last, kind, incident)
    local comment = ("mine [mde:%s:0123456789abcdef]"):format(incident or "INC-77")
    for i = first, last do
      stage.tenant:insert_action { machineId = playbooks.id(i), type = kind, status = "Succeeded",
        requestor = "a.colleague@corp.example", requestorComment = comment }
    end
  end

  local function vanish(first, last)
    for i = first, last do
      local id = playbooks.id(i)
      for place, machine in ipairs(stage.tenant.machines) do
        if machine.id == id then
          table.remove(stage.tenant.machines, place)
          break
        end
      end
      stage.tenant.machines_by_id[id] = nil
    end
  end

  local function run(text)
    local plan = assert(stage.plan(text))
    assert.equal(PLANNED, runs.counts(plan).restrict)
    stage.tenant:advance(30)
    decided_by_colleague(280, 280, "RestrictCodeExecution", "INC-1")
    change(281, 283, { computerDnsName = function(i) return ("renamed-%d.corp.example"):format(i) end })
    change(284, 286, { mergedIntoMachineId = playbooks.id(1), isPotentialDuplication = true })
    change(287, 289, { machineTags = { "suspect", "tier0" } })
    decided_by_colleague(290, 291, "UnrestrictCodeExecution")
    decided_by_colleague(292, 294, "RestrictCodeExecution")
    change(295, 297, { healthStatus = "Inactive" })
    vanish(298, 300)
    change(PLANNED + 1, PLANNED + NEW, { machineTags = { "suspect" } })
    return console.capture(function()
      return carry_out.run({ client = stage.client, arguments = { yes = true }, request = {} }, plan, function(more)
        more.record = stage.path()
        return runs.start(stage.client, plan, more)
      end)
    end, { columns = 200 })
  end

  -- What is said of a device.
  local function line_of(told, i)
    for line in told.err:gmatch "[^\n]+" do
      if line:find('"' .. name_of(i) .. '": ', 1, true) then return line end
    end
    return "nothing"
  end

  local function says(told, first, last, reason)
    for i = first, last do assert.matches(reason, line_of(told, i), 1, true) end
  end

  -- How often each was restricted since the plan was made, by anybody.
  local function restricted(first, last, count)
    local actions = stage.actions()
    for i = first, last do assert.equal(count, actions["restrict " .. playbooks.id(i)] or 0, name_of(i)) end
  end

  it("gets what the plan showed, and tells each difference", function()
    local told = run(QUERY_AND_LIST:format(PLANNED))
    assert.equal(2, told.value)
    restricted(1, 279, 1)
    for i = 1, 279 do assert.equal("nothing", line_of(told, i)) end
    says(told, 280, 280, "nothing was sent; since the plan was made it was restricted by a.colleague@corp.example for "
      .. "INC-1")
    restricted(280, 280, 1)
    for i = 281, 283 do
      assert.matches(('was called "pc-%d.corp.example" when the plan was made and is called "renamed-%d.corp.example" '
        .. "now"):format(i, i), told.err, 1, true)
    end
    says(told, 284, 286, "was merged into machine " .. playbooks.id(1))
    says(told, 287, 289, 'is protected (rule "tags": it has the tag "tier0")')
    says(told, 290, 291, "(UnrestrictCodeExecution, Succeeded) has overtaken it by a.colleague@corp.example for INC-77")
    restricted(281, 291, 0)
    says(told, 292, 294, "since the plan was made it was restricted for others, too: INC-77")
    restricted(292, 294, 2)
    says(told, 295, 297, "the service calls it Inactive, which it did not when the plan was made")
    restricted(295, 297, 1)
    says(told, 298, 300, "the service knows no device")
    says(told, PLANNED + 1, PLANNED + NEW, "is not among those that the plan restricts")
    restricted(298, PLANNED + NEW, 0)
    assert.matches("285 accepted, 1 already active", told.err, 1, true)
    assert.is_nil(told.err:find("not asked for", 1, true))
  end)

  it("tells those for which the playbook does not ask any more", function()
    local told = run(QUERY:format "")
    assert.equal(2, told.value)
    assert.matches("3 planned, and not asked for by the playbook this time:\n  restrict pc-298.corp.example\n"
      .. "  restrict pc-299.corp.example\n  restrict pc-300.corp.example\n", told.err, 1, true)
  end)
end)
