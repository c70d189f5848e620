-- The questions of a containment in hunting.md, each asked of the simulated tenant, whose story has the answers.
-- Labels: not-lua5.3
local rehearsal = require "tests.spec.support.rehearsal"

-- The queries of the page, in their order.
local function queries()
  local file = assert(io.open("lua/mde/hunting/hunting.md", "rb"))
  local page = file:read "*a"
  file:close()
  local list = {}
  for query in page:gmatch "```kql\n(.-)\n```" do list[#list + 1] = query end
  return list
end

describe("the questions of a containment", function()
  local r, devices, asked, texts

  setup(function()
    texts, asked = queries(), {}
    r = rehearsal.new { story = true, fleet = { count = 40 }, start = 1770113472,
      hunting = { mitigation_status = true }, graph_roles = { "ThreatHunting.Read.All" } }
    devices = r.tenant.story.devices
  end)

  -- Asks the query at a place of the page; the values of a column.
  local function ask(place, parameters, column)
    asked[place] = true
    local list = {}
    for row in r.client:hunt(texts[place], { parameters = parameters }) do list[#list + 1] = row[column] end
    return list
  end

  local function evidence(kind, fits)
    for _, alert in ipairs(r.tenant.alerts) do
      for _, piece in ipairs(alert.evidence) do
        if piece.kind == kind and fits(piece) then return piece end
      end
    end
  end

  it("say who ran a file", function()
    local shell = ask(1, { hash = "none" }, "DeviceId")
    assert.same({}, shell)
    local edge
    for row in r.client:hunt "DeviceProcessEvents | where FileName == 'msedge.exe' | take 1" do edge = row.SHA1 end
    assert.is_true(#ask(1, { hash = edge }, "DeviceId") > 5)
  end)

  it("say who has a file", function()
    local implant = evidence("file", function(piece) return piece.fileName == "sync.dll" end)
    assert.same({ devices.first.id, devices.second.id, devices.server.id }, ask(2, { hash = implant.sha1 }, "DeviceId"))
  end)

  it("say who talked to an address", function()
    local beacon = evidence("ip", function() return true end).ipAddress
    assert.same({ devices.first.id, devices.server.id }, ask(3, { addresses = { beacon, "192.0.2.1" } }, "DeviceId"))
  end)

  it("say where an account was logged on", function()
    local admin = evidence("user", function(piece) return piece.accountName:find "^adm%-" ~= nil end)
    local found = ask(4, { account = admin.accountName:upper() }, "DeviceId")
    table.sort(found)
    local expected = { devices.first.id, devices.second.id, devices.server.id, devices.bystander.id }
    local known = {}
    for _, id in ipairs(expected) do known[id] = true end
    assert.is_true(#found >= 3)
    for _, id in ipairs(found) do assert.is_true(known[id], id) end
  end)

  it("say who is logged on to a device", function()
    local users = ask(5, { device = devices.first.id }, "LoggedOnUsers")
    assert.equal(1, #users)
    assert.matches('"UserName":"', users[1])
  end)

  it("have the latest row of each device with a tag", function()
    r.tenant:put_machine { id = devices.first.id, machineTags = { "CASE-4711" } }
    assert.same({ devices.first.id }, ask(6, { tag = "case-4711" }, "DeviceId"))
    assert.same({}, ask(6, { tag = "case-471" }, "DeviceId"))
  end)

  it("say which devices are isolated, if the tenant has the column", function()
    r.tenant:insert_action { type = "Isolate", machineId = devices.first.id, status = "Succeeded" }
    local parameters = { devices = { devices.first.id } }
    assert.same({ "Isolated" }, ask(7, parameters, "status"))
    r.tenant:set { hunting = { mitigation_status = false } }
    assert.same({ "" }, ask(7, parameters, "status"))
  end)

  it("say which devices are in alerts", function()
    local ids = {}
    for i, alert in ipairs(r.tenant.alerts) do ids[i] = alert.id end
    local found = {}
    for _, id in ipairs(ask(8, { alerts = ids }, "DeviceId")) do found[id] = true end
    for _, name in ipairs { "first", "second", "server", "bystander", "stranger" } do
      assert.is_true(found[devices[name].id], name)
    end
  end)

  it("are all asked here", function()
    assert.equal(8, #texts)
    for place in ipairs(texts) do assert.is_true(asked[place], texts[place]) end
  end)
end)
