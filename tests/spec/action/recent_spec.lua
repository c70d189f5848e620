-- What a client did a moment ago, put into lists that do not show it yet.

local recents = require "mde.action.recent"

local ID = ("a"):rep(40)
local OTHER = ("b"):rep(40)

describe("what was done a moment ago", function()
  local clock, recent

  before_each(function()
    clock = 1000
    recent = recents.new(function() return clock end)
  end)

  local function row(id, status, fields)
    local action = { id = id, status = status, machineId = ID, type = "RestrictCodeExecution" }
    for name, value in pairs(fields or {}) do action[name] = value end
    return action
  end

  local function recalled(rows)
    recent:recall(ID, rows)
    local list = {}
    for i, action in ipairs(rows) do list[i] = action.id .. " " .. action.status end
    return list
  end

  it("is put where it is missing, the oldest first, behind what is listed", function()
    recent:remember(ID:upper(), row("one", "Pending"))
    recent:remember(ID, row("two", "Succeeded"))
    recent:remember(OTHER, row("three", "Pending"))
    assert.same({ "zero Failed", "one Pending", "two Succeeded" }, recalled { row("zero", "Failed") })
  end)

  it("ends what is listed as pending, and takes back nothing that has ended", function()
    recent:remember(ID, row("ONE", "Pending"))
    recent:remember(ID, row("One", "Succeeded"))
    recent:remember(ID, row("two", "Pending"))
    assert.same({ "One Succeeded", "two Cancelled" }, recalled { row("one", "InProgress"), row("two", "Cancelled") })
    assert.same({ "One Succeeded", "two Pending" }, recalled {})
  end)

  it("is the newest that the list says of what is pending still", function()
    recent:remember(ID, row("one", "Pending"))
    assert.same({ "one InProgress" }, recalled { row("one", "InProgress") })
  end)

  it("is a copy, and gives copies", function()
    local own = row("one", "Pending", { machineId = false })
    own.machineId = nil
    recent:remember(ID, own)
    own.status = "changed"
    local rows = {}
    recent:recall(ID, rows)
    assert.equal("Pending", rows[1].status)
    assert.equal(ID, rows[1].machineId)
    rows[1].status = "changed"
    assert.same({ "one Pending" }, recalled {})
  end)

  it("is forgotten after two minutes", function()
    recent:remember(ID, row("one", "Pending"))
    clock = 1060
    recent:remember(OTHER, row("two", "Pending"))
    recent:remember(ID, row("three", "Pending"))
    clock = 1120
    assert.same({ "one Pending", "three Pending" }, recalled {})
    clock = 1121
    assert.same({ "three Pending" }, recalled {})
    clock = 1181
    assert.same({}, recalled {})
    local lists = {}
    recent:recall_all(lists)
    assert.same({}, lists)
  end)

  it("keeps nothing of what is forgotten, however much it was", function()
    for i = 1, 5000 do
      clock = clock + 1
      recent:remember(("%040x"):format(i), row("action-" .. i, "Pending"))
    end
    local lists, count = {}, 0
    recent:recall_all(lists)
    for _ in pairs(lists) do count = count + 1 end
    assert.equal(121, count)
  end)

  it("is put into the lists of all machines", function()
    recent:remember(ID, row("one", "Pending"))
    recent:remember(OTHER, row("two", "Succeeded", { machineId = OTHER }))
    local lists = { [ID] = { row("zero", "Failed") } }
    recent:recall_all(lists)
    assert.same({ row("zero", "Failed"), row("one", "Pending") }, lists[ID])
    assert.same({ row("two", "Succeeded", { machineId = OTHER }) }, lists[OTHER])
    assert.is_nil(lists[""])
  end)

  it("tells whose it is where the service does not", function()
    recent:remember(ID, row("one", "Pending"))
    recent:remember(ID, row("two", "Succeeded"))
    local stranger = { id = "three", status = "Pending" }
    local lists = { [""] = { { id = "ONE", status = "InProgress" }, stranger, { id = "two", status = "Pending" } } }
    recent:recall_all(lists)
    assert.same({ stranger }, lists[""])
    assert.equal(2, #lists[ID])
    assert.same({ id = "ONE", status = "InProgress", machineId = ID }, lists[ID][1])
    assert.same(row("two", "Succeeded"), lists[ID][2])
    lists = { [""] = { { id = "one", status = "InProgress" } } }
    recent:recall_all(lists)
    assert.is_nil(lists[""])
  end)
end)
