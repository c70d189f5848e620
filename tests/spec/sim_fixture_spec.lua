-- A tenant written by hand: files of Lua and of JSON.
local json = require "mde.sim.json"
local sim = require "mde.sim"

describe("a fixture", function()
  local path

  before_each(function() path = os.tmpname() end)
  after_each(function()
    os.remove(path)
    os.remove(path .. ".json")
  end)

  local function write(text, suffix)
    local name = path .. (suffix or "")
    local file = assert(io.open(name, "wb"))
    file:write(text)
    file:close()
    return name
  end

  local function new(text, suffix, options)
    options = options or {}
    options.fixture, options.start = write(text, suffix), 1770113472
    return sim.new(options)
  end

  local function refused(text, suffix)
    local ok, message = pcall(new, text, suffix)
    assert.is_false(ok)
    assert.is_string(message)
    assert.equal(1, message:find(path, 1, true), message)
    return message
  end

  local in_lua = [[
    -- Ours.
    return {
      machines = {
        { computerDnsName = "a.corp.example", lastSeen = "2h ago", osBuild = null, machineTags = { "x" } },
        { computerDnsName = "b.corp.example", offline = true, lastSeen = "2026-01-01T00:00:00Z" },
      },
      actions = {
        { computerDnsName = "a.corp.example", type = "RestrictCodeExecution", status = "Succeeded",
          creationDateTimeUtc = "9h ago", requestorComment = "because" },
      },
      roles = { "Machine.Read.All" },
      duplicates = "new",
      lists = { page_rows = 1 },
    }]]
  local in_json = [[{
    "machines": [
      { "computerDnsName": "a.corp.example", "lastSeen": "2h ago", "osBuild": null, "machineTags": ["x"] },
      { "computerDnsName": "b.corp.example", "offline": true, "lastSeen": "2026-01-01T00:00:00Z" }
    ],
    "actions": [
      { "computerDnsName": "a.corp.example", "type": "RestrictCodeExecution", "status": "Succeeded",
        "creationDateTimeUtc": "9h ago", "requestorComment": "because" }
    ],
    "roles": ["Machine.Read.All"], "duplicates": "new", "lists": { "page_rows": 1 } }]]

  local forms = {
    { "a file of Lua", in_lua }, { "a table of Lua alone", (in_lua:gsub("return", "")) }, { "JSON", in_json, ".json" },
    { "JSON with a byte order mark", "\239\187\191" .. in_json, ".json" },
  }
  forms[2][2] = forms[2][2]:gsub("%-%- Ours%.", "")
  for _, form in ipairs(forms) do
    it("may be " .. form[1], function()
      local tenant = new(form[2], form[3])
      assert.equal(2, #tenant.machines)
      local a, b = tenant.machines[1], tenant.machines[2]
      assert.same({ "a.corp.example", "2026-02-03T08:11:12Z", { "x" } }, { a.computerDnsName, a.lastSeen,
        a.machineTags })
      assert.is_nil(a.osBuild)
      assert.equal("Windows11", a.osPlatform)
      assert.same({ true, "2026-01-01T00:00:00Z" }, { b.offline, b.lastSeen })
      assert.equal(1, #tenant.actions)
      assert.same({ a.id, "2026-02-03T01:11:12Z", "because" }, { tenant.actions[1].machineId,
        tenant.actions[1].creationDateTimeUtc, tenant.actions[1].requestorComment })
      assert.same({ "Machine.Read.All" }, tenant.roles)
      assert.equal("new", tenant.duplicates)
      assert.equal(1, tenant.lists.page_rows)
      tenant:put_machine { id = a.id, riskScore = "High" }
      tenant:reset()
      assert.same({ "None", 2, 1 }, { tenant.machines[1].riskScore, #tenant.machines, #tenant.actions })
    end)
  end

  it("gives way to what is told beside it", function()
    local tenant = new(in_lua, nil, { duplicates = "pending", roles = { "Machine.Isolate" } })
    assert.same({ "pending", { "Machine.Isolate" } }, { tenant.duplicates, tenant.roles })
    tenant = new("return { fleet = { count = 5 } }")
    assert.equal(5, #tenant.machines)
    tenant = new("return { fleet = { count = 5 } }", nil, { machines = {} })
    assert.equal(0, #tenant.machines)
    tenant = new("return { machines = {} }", nil, { fleet = { count = 4 } })
    assert.equal(4, #tenant.machines)
  end)

  local wrong = {
    { "a word that does not exist", "return { computers = {} }", "'computers'" },
    { "a secret", "return { client_secret = 'x' }", "'client_secret'" },
    { "a property that does not exist", "return { machines = { {}, { nickname = 'x' } } }", "machines[2]: " },
    { "a property of a wrong type", "return { machines = { { riskScore = 5 } } }", "'riskScore'" },
    { "a time that is none", "return { machines = { { lastSeen = 'yesterday' } } }", "'lastSeen'" },
    { "a machine that is no table", "return { machines = { 'x' } }", "machines[1]: must be a table" },
    { "an action on nobody's machine", "return { actions = { { type = 'Isolate', computerDnsName = 'x.y' } } }",
      "actions[1]: there is no machine 'x.y'" },
    { "an action without a type", "return { machines = {}, actions = { {} } }", "actions[1]: an action needs a type" },
    { "a list of machines that is none", "return { machines = 5 }", "machines must be a list" },
    { "no Lua", "return {", "expected" },
    { "nothing", "", "does not return a table" },
    { "what asks for more than a table", "return { machines = { { computerDnsName = os.getenv 'HOME' } } }", "os" },
    { "compiled Lua", "\27Lua", "compiled" },
  }
  for _, case in ipairs(wrong) do
    it("is refused with " .. case[1], function()
      local message = refused(case[2])
      assert.truthy(message:find(case[3], 1, true), message)
    end)
  end

  it("is refused as JSON that is none", function()
    for _, text in ipairs { "", "[]", "{", "5", '{"machines":[{"nickname":1}]}' } do refused(text, ".json") end
  end)

  it("is refused if there is no such file", function()
    os.remove(path)
    local ok, message = pcall(sim.new, { fixture = path })
    assert.is_false(ok)
    assert.truthy(message:find(path, 1, true))
    assert.has_error(function() sim.new { fixture = {} } end)
  end)

  it("makes nothing null by itself", function()
    local tenant = new "return { machines = { { computerDnsName = null } } }"
    assert.is_nil(tenant.machines[1].computerDnsName)
    assert.are_not.equal(json.null, tenant.machines[1].computerDnsName)
  end)
end)
