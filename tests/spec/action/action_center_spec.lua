-- The actions of a tenant, as a client reads them.

local contexts = require "mde.sync.context"
local rehearsal = require "tests.spec.support.rehearsal"
local responses = require "mde.action.response"

local function id(number)
  return ("%040x"):format(0xa0000 + number)
end

describe("the action center", function()
  local r, center, told

  before_each(function()
    r = rehearsal.new { machines = { { id = id(1) }, { id = id(2) } }, unguarded = true }
    center, told = r.client.action_center, {}
    function center.cache.note(_, row) told[#told + 1] = row.id end
  end)

  local function context(seconds) return contexts.new(r.driver.now, seconds) end

  local function decoded(request)
    return (request:gsub("%%(%x%x)", function(hex) return string.char(tonumber(hex, 16)) end))
  end

  local function ids(rows)
    local list = {}
    for i, row in ipairs(rows) do list[i] = row.id end
    table.sort(list)
    return list
  end

  it("tells the actions of one machine, of every type, and notes them for others", function()
    local mine = r:past(id(1), "restrict", "Succeeded", 100)
    local scan = r:past(id(1), "restrict", "Succeeded", 50, { type = "RunAntiVirusScan" })
    r:past(id(2), "restrict", "Succeeded", 100)
    local rows, err, absent = center:history(id(1), context())
    assert.is_nil(err)
    assert.is_falsy(absent)
    assert.same(ids { mine, scan }, ids(rows))
    assert.equal(2, #told)
    assert.equal(("GET /api/machineactions?$filter=machineId eq '%s'&$top=10000"):format(id(1)),
      decoded(r:requests()[1]))
  end)

  it("tells with them what this client did a moment ago, though the list lags behind", function()
    r.tenant:set { lists = { lag = 60 } }
    local action = assert(r.client:restrict(id(1), "why"))
    local rows = assert(center:history(id(1), context()))
    assert.same({ action.id }, ids(rows))
    assert.same({ action.id }, ids(assert(center:histories("restrict", context()))[id(1)]))
    assert.same({}, (center:history(id(2), context())))
  end)

  it("says where the service knows no list of a machine", function()
    r:answer({ path = "/machineactions" }, 404, "")
    local rows, err, absent = center:history(id(1), context())
    assert.same({}, rows)
    assert.is_nil(err)
    assert.is_true(absent)
  end)

  it("keeps a row that cannot be told from others, without its id, and drops what is no text", function()
    r:answer({ path = "/machineactions" }, 200, { value = { { id = 7, status = 5 }, { id = "x", status = 5 } } },
      { count = false })
    local wanted = { {}, { id = "x" } }
    assert.same(wanted, center:history(id(1), context(60)))
    assert.same(wanted, center:listed(responses.group "restrict", nil, context(60)))
    assert.same({ [""] = wanted }, center:histories("restrict", context(60)))
  end)

  it("lists the restrict and release actions of all machines, since a time or since ever", function()
    local old = r:past(id(1), "restrict", "Succeeded", 7200)
    local new = r:past(id(2), "release", "Succeeded", 60)
    local undated = r:past(id(2), "release", "Succeeded", 60)
    undated.creationDateTimeUtc = nil
    r:past(id(2), "release", "Succeeded", 60, { type = "Isolate" })
    assert.same(ids { old, new, undated }, ids(assert(center:listed(responses.group "restrict", nil, context()))))
    assert.same(ids { new, undated },
      ids(assert(center:listed(responses.group "restrict", r.tenant.clock.now() - 3600.5, context()))))
    local since = os.date("!%Y-%m-%dT%H:%M:%SZ", math.floor(r.tenant.clock.now() - 3600.5))
    assert.truthy(decoded(r:requests()[2]):find(("$filter=(type eq 'RestrictCodeExecution' or type eq "
      .. "'UnrestrictCodeExecution') and (creationDateTimeUtc ge %s or creationDateTimeUtc eq null)&"):format(since),
      1, true), decoded(r:requests()[2]))
  end)

  it("tells the actions of all machines by machine, and apart those that do not say whose they are", function()
    local one = r:past(id(1):upper(), "restrict", "Succeeded", 100)
    local two = r:past(id(1), "release", "Succeeded", 50)
    local nobodys = r:past(id(2), "restrict", "Succeeded", 50, { machineId = rehearsal.null })
    local machines = assert(center:histories("restrict", context()))
    assert.same(ids { one, two }, ids(machines[id(1)]))
    assert.same({ nobodys.id }, ids(machines[""]))
    assert.is_nil(machines[id(2)])
  end)

  it("tells no machine's actions where they cannot be listed", function()
    r:answer({ path = "/machineactions" }, 403, "", { count = false })
    local machines, err = center:histories("restrict", context())
    assert.is_nil(machines)
    assert.equal("permission", err.kind)
  end)

  it("reads one action, notes it, and takes no other for it", function()
    local mine, other = r:past(id(1), "restrict", "Succeeded", 100), r:past(id(2), "restrict", "Succeeded", 100)
    assert.equal(mine.id, assert(center:read(mine.id:upper(), context())).id)
    assert.same({ mine.id }, told)
    r:answer({ path = "/machineactions/" }, 200, { id = other.id, status = "Pending" }, { count = false })
    local row, err = center:read(mine.id, context(60))
    assert.is_nil(row)
    assert.equal("protocol", err.kind)
    assert.same({ mine.id }, told)
  end)

  it("asks for a cancellation with its comment, notes the answer, and tells how the call went", function()
    local mine = r:past(id(1), "restrict", "Pending", 10)
    local row, err, info = center:request_cancel(mine.id, "restrict", 'not "this" one', context())
    assert.is_nil(err)
    assert.same({ mine.id, "Cancelled", 'not "this" one' }, { row.id, row.status, row.cancellationComment })
    assert.same({ mine.id }, told)
    assert.equal(1, info.attempts)
    row, err, info = center:request_cancel("11111111-0000-4000-8000-000000000011", nil, "why", context())
    assert.is_nil(row)
    assert.equal(404, err.http_status)
    assert.equal(404, info.response.status)
  end)

  it("notes nothing that was not read", function()
    assert.is_nil((center:read("11111111-0000-4000-8000-000000000011", context())))
    assert.same({}, told)
  end)

  it("makes actions of rows, with what was found out about them", function()
    local action = center:adopt({ id = "x", requestorComment = "why [mde:INC-1:abcdefgh]" }, { outcome = "accepted" })
    assert.same({ "accepted", "INC-1", "abcdefgh" }, { action.outcome, action.incident, action.operation_id })
    assert.is_function(action.wait)
  end)
end)
