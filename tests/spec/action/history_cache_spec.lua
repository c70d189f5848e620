-- What a client knows of actions: what it did a moment ago, put into lists that do not show it yet; what lists told.

local history_caches = require "mde.action.history_cache"
local responses = require "mde.action.response"

local ID = ("a"):rep(40)
local OTHER = ("b"):rep(40)

describe("what was done a moment ago", function()
  local clock, cache

  before_each(function()
    clock = 1000
    cache = history_caches.new(function() return clock end)
  end)

  local function row(id, status, fields)
    local action = { id = id, status = status, machineId = ID, type = "RestrictCodeExecution" }
    for name, value in pairs(fields or {}) do action[name] = value end
    return action
  end

  local function recalled(rows)
    cache:complete(ID, rows)
    local list = {}
    for i, action in ipairs(rows) do list[i] = action.id .. " " .. action.status end
    return list
  end

  it("is put where it is missing, the oldest first, behind what is listed", function()
    cache:remember(ID:upper(), row("one", "Pending"))
    cache:remember(ID, row("two", "Succeeded"))
    cache:remember(OTHER, row("three", "Pending"))
    assert.same({ "zero Failed", "one Pending", "two Succeeded" }, recalled { row("zero", "Failed") })
  end)

  it("ends what is listed as pending, and takes back nothing that has ended", function()
    cache:remember(ID, row("ONE", "Pending"))
    cache:remember(ID, row("One", "Succeeded"))
    cache:remember(ID, row("two", "Pending"))
    assert.same({ "One Succeeded", "two Cancelled" }, recalled { row("one", "InProgress"), row("two", "Cancelled") })
    assert.same({ "One Succeeded", "two Pending" }, recalled {})
  end)

  it("is the newest that the list says of what is pending still", function()
    cache:remember(ID, row("one", "Pending"))
    assert.same({ "one InProgress" }, recalled { row("one", "InProgress") })
  end)

  it("is a copy, and gives copies", function()
    local own = row("one", "Pending", { machineId = false })
    own.machineId = nil
    cache:remember(ID, own)
    own.status = "changed"
    local rows = {}
    cache:complete(ID, rows)
    assert.equal("Pending", rows[1].status)
    assert.equal(ID, rows[1].machineId)
    rows[1].status = "changed"
    assert.same({ "one Pending" }, recalled {})
  end)

  it("is forgotten after two minutes", function()
    cache:remember(ID, row("one", "Pending"))
    clock = 1060
    cache:remember(OTHER, row("two", "Pending"))
    cache:remember(ID, row("three", "Pending"))
    clock = 1120
    assert.same({ "one Pending", "three Pending" }, recalled {})
    clock = 1121
    assert.same({ "three Pending" }, recalled {})
    clock = 1181
    assert.same({}, recalled {})
    local lists = {}
    cache:complete_all(lists)
    assert.same({}, lists)
  end)

  it("keeps nothing of what is forgotten, however much it was", function()
    for i = 1, 5000 do
      clock = clock + 1
      cache:remember(("%040x"):format(i), row("action-" .. i, "Pending"))
    end
    local lists, count = {}, 0
    cache:complete_all(lists)
    for _ in pairs(lists) do count = count + 1 end
    assert.equal(121, count)
  end)

  it("is put into the lists of all machines", function()
    cache:remember(ID, row("one", "Pending"))
    cache:remember(OTHER, row("two", "Succeeded", { machineId = OTHER }))
    local lists = { [ID] = { row("zero", "Failed") } }
    cache:complete_all(lists)
    assert.same({ row("zero", "Failed"), row("one", "Pending") }, lists[ID])
    assert.same({ row("two", "Succeeded", { machineId = OTHER }) }, lists[OTHER])
    assert.is_nil(lists[""])
  end)

  it("tells whose it is where the service does not", function()
    cache:remember(ID, row("one", "Pending"))
    cache:remember(ID, row("two", "Succeeded"))
    local stranger = { id = "three", status = "Pending" }
    local lists = { [""] = { { id = "ONE", status = "InProgress" }, stranger, { id = "two", status = "Pending" } } }
    cache:complete_all(lists)
    assert.same({ stranger }, lists[""])
    assert.equal(2, #lists[ID])
    assert.same({ id = "ONE", status = "InProgress", machineId = ID }, lists[ID][1])
    assert.same(row("two", "Succeeded"), lists[ID][2])
    lists = { [""] = { { id = "one", status = "InProgress" } } }
    cache:complete_all(lists)
    assert.is_nil(lists[""])
  end)

  local function noted(machine_id)
    local list = {}
    for i, action in ipairs(cache:rows(machine_id)) do list[i] = action.id .. " " .. action.status end
    return list
  end

  it("is beside it what lists tell of response actions, while they are kept", function()
    cache:note(row("before", "Pending"))
    cache:keep_listed(900)
    cache:note(row("one", "Pending"))
    cache:note(row("two", "Succeeded", { machineId = ID:upper() }))
    cache:note(row("three", "Pending", { type = "Offboard" }))
    cache:note({ id = "four", status = "Pending", type = "RestrictCodeExecution" })
    assert.same({ "one Pending", "two Succeeded" }, noted(ID))
    cache:remember(ID, row("five", "Pending"))
    cache:note({ id = "FIVE", status = "Failed", type = "restrictcodeexecution" })
    assert.same({ "one Pending", "two Succeeded", "FIVE Failed" }, noted(ID))
    clock = 1900
    cache:note(row("six", "Pending"))
    assert.equal(4, #noted(ID))
    clock = 1901
    cache:note(row("seven", "Pending"))
    assert.equal(4, #noted(ID))
  end)

  it("is not put into another list if only a list has told it, but ends what is there", function()
    cache:keep_listed(900)
    cache:note(row("one", "Succeeded"))
    cache:note(row("two", "Pending"))
    assert.same({}, recalled {})
    assert.same({ "one Succeeded", "two Pending" }, recalled { row("one", "Pending"), row("two", "Pending") })
  end)

  it("stays as it ended, whatever a list tells later", function()
    cache:keep_listed(900)
    cache:remember(ID, row("one", "Succeeded"))
    cache:note(row("one", "Pending"))
    assert.same({ "one Succeeded" }, noted(ID))
    cache:note(row("one", "Cancelled"))
    assert.same({ "one Cancelled" }, noted(ID))
  end)

  it("tells of an action by its id what it came to, and whose it is", function()
    cache:remember(ID:upper(), row("One", "Pending"))
    assert.same({ nil, ID }, { cache:ended "ONE", cache:owner "ONE" })
    cache:remember(ID, row("one", "Failed"))
    local ended = cache:ended "ONE"
    ended.status = "changed"
    assert.equal("Failed", cache:ended("one").status)
    assert.is_nil(cache:ended "two")
    assert.is_nil(cache:owner "two")
  end)

  it("tells which have not ended", function()
    cache:keep_listed(900)
    cache:note(row("other", "Pending", { type = "Isolate" }))
    for _, action in ipairs { row("one", "Pending"), row("two", "Failed"), row("three", "InProgress") } do
      cache:note(action)
    end
    local pending = {}
    for action in cache:pending(responses.group "restrict") do pending[#pending + 1] = action.id end
    table.sort(pending)
    assert.same({ "one", "three" }, pending)
  end)

  it("forgets what lists told, and keeps what was done a moment ago", function()
    cache:keep_listed(900)
    cache:note(row("one", "Pending"))
    cache:remember(ID, row("two", "Pending"))
    cache:forget_listed(responses.group "restrict")
    assert.same({ "two Pending" }, noted(ID))
    clock = clock + 121
    cache:forget_listed(responses.group "restrict")
    assert.same({}, noted(ID))
    assert.is_nil(next(cache.known))
    assert.is_nil(next(cache.ids))
  end)
end)
