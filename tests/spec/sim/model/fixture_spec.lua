-- A tenant written by hand: files of Lua and of JSON.
-- Labels: not-lua5.3
local json = require "mde.sim.base.json"
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
      comparison = "caseless",
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
    "roles": ["Machine.Read.All"], "duplicates": "new", "comparison": "caseless",
    "lists": { "page_rows": 1 } }]]

  local forms = {
    { "a file of Lua", in_lua }, { "a table of Lua alone", (in_lua:gsub("return", "")) }, { "JSON", in_json, ".json" },
    { "a table of Lua with a comment before it", (in_lua:gsub("return", "--[[ and\n more { ]]\n-- more\n")) },
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
      assert.same({ "new", "caseless" }, { tenant.duplicates, tenant.comparison })
      assert.equal(1, tenant.lists.page_rows)
      tenant:put_machine { id = a.id, riskScore = "High" }
      tenant:reset()
      assert.same({ "None", 2, 1 }, { tenant.machines[1].riskScore, #tenant.machines, #tenant.actions })
    end)
  end

  it("may tell how responses behave, and hold actions of all types", function()
    local tenant = new [[{
      repeated_isolation = "sticks", bulk_tags = "skip", package_uri = "plain",
      delays = { RunAntiVirusScan = { running = 60 } },
      actions = {
        { computerDnsName = "desk-5", type = "RequestSample", status = "Succeeded" },
        { computerDnsName = "desk-5", type = "StopAndQuarantineFile", scope = null,
          relatedFileInfo = { fileIdentifier = "x", fileIdentifierType = "Sha256" } },
        { computerDnsName = "desk-5", type = "Isolate", scope = "Selective" },
      } }]]
    assert.same({ "sticks", "skip", "plain", { running = 60 }, 3 }, { tenant.repeated_isolation, tenant.bulk_tags,
      tenant.package_uri, tenant.delays.RunAntiVirusScan, #tenant.actions })
    assert.same({ "Selective", { fileIdentifier = "x", fileIdentifierType = "Sha256" } },
      { tenant.actions[3].scope, tenant.actions[2].relatedFileInfo })
    tenant:set { bulk_tags = "stop" }
    tenant:reset()
    assert.equal("skip", tenant.bulk_tags)
  end)

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
    { "a property of a wrong type", "return { machines = { { riskScore = 5 } } }", "riskScore must be" },
    { "a time that is none", "return { machines = { { lastSeen = 'yesterday' } } }", "lastSeen must be" },
    { "a machine that is no table", "return { machines = { 'x' } }", "machines[1] must be a table" },
    { "an action on nobody's machine", "return { actions = { { type = 'Isolate', computerDnsName = 'x.y' } } }",
      "actions[1]: there is no machine 'x.y'" },
    { "an action without a type", "return { machines = {}, actions = { {} } }", "actions[1]: an action needs a type" },
    { "a list of machines that is none", "return { machines = 5 }", "machines must be a list of tables" },
    { "no Lua", "return {", "expected" },
    { "Lua that does not end well", "return { machines = {} } + 1", "arithmetic" },
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

  -- What a hand writes wrong, where that is said to be, and what is said to be wanted.
  local slips = {
    { "{ machines = { {}, { computerDnsname = 'x' } } }",
      ": machines[2]: there is no property 'computerDnsname'. Did you mean 'computerDnsName'?" },
    { "{ machines = { { ofline = true } } }",
      ": machines[1]: there is no property 'ofline'. Did you mean 'offline'?" },
    { "{ machines = { { offline = 'yes' } } }", ": machines[1]: offline must be true or false, not 'yes'" },
    { "{ machines = { { riskScore = 'high' } } }", ": machines[1]: riskScore must be one of None, Informational, Low, "
      .. "Medium, High, not 'high'" },
    { "{ machines = { { healthStatus = 5 } } }", ": machines[1]: healthStatus must be one of Active, Inactive, " },
    { "{ machines = { { osPlatform = 11 } } }", ": machines[1]: osPlatform must be a text, not 11" },
    { "{ machines = { { osBuild = '26100' } } }", ": machines[1]: osBuild must be a whole number, not '26100'" },
    { "{ machines = { { isAadJoined = 'yes' } } }", ": machines[1]: isAadJoined must be true or false, not 'yes'" },
    { "{ machines = { { machineTags = 'tier0' } } }",
      ": machines[1]: machineTags must be a list of texts, not 'tier0'" },
    { "{ machines = { { machineTags = { a = 'tier0' } } } }", ": machines[1]: machineTags must be a list of texts" },
    { "{ machines = { { ipAddresses = { '10.0.0.1' } } } }", ": machines[1]: ipAddresses must be a list of tables with "
      .. "ipAddress, macAddress, type, operationalStatus" },
    { "{ machines = { { vmMetadata = 'x' } } }", ": machines[1]: vmMetadata must be a table with vmId, " },
    { "{ machines = { { lastSeen = 'yesterday' } } }", ": machines[1]: lastSeen must be a time such as "
      .. "2026-02-03T10:11:12Z or 2h ago, not 'yesterday'" },
    { "{ machines = { { aadDeviceId = '1234' } } }", ": machines[1]: aadDeviceId must be a GUID, not '1234'" },
    { "{ machines = { { id = 'abc' } } }", ": machines[1]: id must be 40 hexadecimal digits, not 'abc'" },
    { "{ machines = { { id = '" .. ("1"):rep(40) .. "' }, {}, { id = '" .. ("1"):rep(40) .. "' } } }",
      ": machines[3]: the id is that of machines[1]" },
    { "{ machines = { computerDnsName = 'x' } }", ": machines must be a list of tables" },
    { "{ machines = { {}, riskScore = 'High' } }", ": machines must be a list of tables: 'riskScore' stands in none" },
    { "{ machines = { { addresses = { { ipAddress = '10.0.0.1', form = '2d ago' } } } } }",
      ": machines[1]: addresses[1]: there is no 'form'. Did you mean 'from'?" },
    { "{ machines = { { addresses = { { ipAddress = '10.0.0.1', from = 'then' } } } } }",
      ": machines[1]: addresses[1]: from must be a time such as 2026-02-03T10:11:12Z or 2h ago, not 'then'" },
    { "{ machines = { { addresses = { { ipAddress = '10.0.0.1', from = '2d ago', to = '5d ago' } } } } }",
      ": machines[1]: addresses[1]: from is later than to" },
    { "{ machines = { { addresses = { { from = '2d ago' } } } } }",
      ": machines[1]: addresses[1]: ipAddress must be a text" },
    { "{ machines = { { computerDnsName = laptop } } }", ":1: there is no 'laptop' here: texts stand in quotes" },
    { "{ machines = {\n  { computerDnsName = 'x' }\n  { computerDnsName = 'y' } } }", ":3: '}' expected" },
    { "{ machines = {}, actions = { { type = 'Isolate', machineId = '" .. ("1"):rep(40) .. "' } } }",
      ": actions[1]: there is no machine '" .. ("1"):rep(40) .. "'" },
    { "{ actions = { { type = 'RestrictCode', computerDnsName = 'desk-5' } } }",
      ": actions[1]: type must be one of RunAntiVirusScan, " },
    { "{ actions = { { type = 'Isolate', computerDnsName = 'desk-5', status = 'Suceeded' } } }", ": actions[1]: status "
      .. "must be one of Pending, InProgress, Succeeded, Failed, TimeOut, Cancelled, not 'Suceeded'" },
    { "{ actions = { { type = 'Isolate', computerDnsName = 'desk-5', comment = 'x' } } }",
      ": actions[1]: there is no property 'comment'" },
    { "{ actions = { { type = 'Isolate' } } }",
      ": actions[1]: an action needs a machine: machineId or computerDnsName" },
    { "{ delays = { wait = 1 } }", ": delays: there is no 'wait'; there are pending and running, in seconds" },
    { "{ delays = { pending = 'long' } }", ": delays: pending must be a number of seconds, not 'long'" },
    { "{ delays = 5 }", ": delays must be a table" },
    { "{ delays = { RunAntiVirusScan = { wait = 1 } } }", ": delays: there is no 'wait' of RunAntiVirusScan; " },
    { "{ repeated_isolation = 'fails' }", ": repeated_isolation must be one of sticks, succeeds, not 'fails'" },
    { "{ bulk_tags = 'all' }", ": bulk_tags must be one of refuse_all, skip, stop, not 'all'" },
    { "{ package_uri = true }", ": package_uri must be one of plain, quoted, not true" },
    { "{ actions = { { type = 'Isolate', computerDnsName = 'desk-5', scope = 'full' } } }",
      ": actions[1]: scope must be one of Full, Selective, Quick, not 'full'" },
    { "{ actions = { { type = 'Unknown', computerDnsName = 'desk-5', relatedFileInfo = { sha1 = 'x' } } } }",
      ": actions[1]: relatedFileInfo must be a table with fileIdentifier, fileIdentifierType" },
    { "{ actions = { { type = 'Unknown', computerDnsName = 'desk-5', relatedFileInfo = { fileIdentifierType = 'x' } } "
      .. "} }", ": actions[1]: relatedFileInfo.fileIdentifierType must be one of Sha1, Sha256, Md5, not 'x'" },
    { "{ limits = { per_second = 1 } }", ": limits: there is no 'per_second'; there are per_minute and per_hour" },
    { "{ limits = { per_minute = 0 } }", ": limits: per_minute must be a whole number of at least 1, not 0" },
    { "{ duplicates = 'sometimes' }", ": duplicates must be one of active_request, in_progress, new, pending, "
      .. "not 'sometimes'" },
    { "{ comparison = true }", ": comparison must be one of caseless, exact, not true" },
    { "{ lists = { next_link = 'broken' } }", ": lists: next_link must be one of missing, whole, mangled, looping, "
      .. "foreign, not 'broken'" },
    { "{ lists = { page_row = 5 } }", ": lists: there is no 'page_row'. Did you mean 'page_rows'?" },
    { "{ lists = { page_rows = 50000 } }", ": lists: page_rows must be a whole number from 1 to 10000, not 50000" },
    { "{ comment_limit = 'short' }", ": comment_limit must be a number of characters, or false" },
    { "{ lifetime = 'long' }", ": lifetime must be a number of seconds, not 'long'" },
    { "{ roles = 'Machine.Read.All' }", ": roles must be a list of texts" },
    { "{ roles = { 'Machine.Reed.All' } }",
      ": roles: there is no role 'Machine.Reed.All'. Did you mean 'Machine.Read.All'?" },
    { "{ applications = { { client_id = 'x' } } }", ": applications[1]: an application needs a client_secret" },
    { "{ applications = { { client_id = 'x', client_secret = 'y', rolls = {} } } }",
      ": applications[1]: there is no 'rolls'. Did you mean 'roles'?" },
    { "{ fleet = { count = '5' } }", ": fleet: 'count' must be a whole number from 0 to 1000000" },
    { "{ machines = {}, fleet = { count = 5 } }", ": either `machines` or `fleet`, not both" },
    { "{ machine = {} }", ": there is no 'machine'. Did you mean 'machines'?" },
    { '{\n  "machines": [\n    { "osBuild": 5, }\n  ] }', ":3: ", ".json" },
    { '{ "machines": { "computerDnsName": "x" } }', ": machines must be a list of tables", ".json" },
    { '{ "machines": [ { "computerDnsName": "a\nb" } ] }', ":1: a text holds a line break or another control character",
      ".json" },
    { '{ "applications": [ { "client_id": "x", "client_secret": "y", "name": null } ] }',
      ": applications[1]: name must be a text", ".json" },
  }
  for i, slip in ipairs(slips) do
    it(("says where a slip is and what is wanted, %d"):format(i), function()
      local message = refused(slip[1], slip[3])
      local where = path .. (slip[3] or "")
      assert.equal(where .. slip[2], message:sub(1, #where + #slip[2]))
      assert.is_nil(message:find(path, #where, true), message)
    end)
  end

  it("alone is held to the values that are documented", function()
    local tenant = sim.new { machines = { { riskScore = "Extreme", healthStatus = "inactive" } } }
    assert.equal("Extreme", tenant.machines[1].riskScore)
    assert.equal("Paused", tenant:insert_action({ type = "Live Response", status = "Paused" }).status)
  end)

  it("blames the file for what it holds, and nothing else", function()
    local ok, message = pcall(new, "{ duplicates = 'new' }", nil, { machines = { { osBuild = "x" } } })
    assert.is_false(ok)
    assert.equal("machines[1]: osBuild must be a whole number, not 'x'", message)
  end)

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

  it("has alerts, incidents and a story, held to the values that the documents list", function()
    local tenant = new [[{
      machines = { { computerDnsName = "a.corp.example" } },
      incidents = { { id = 7, displayName = "Ours" } },
      alerts = { { incidentId = 7, severity = "high", createdDateTime = "2h ago",
        evidence = { { kind = "device", computerDnsName = "a.corp.example", roles = { "attacked" } } } } },
      story = { seed = 2 }, alert_lists = { page_rows = 5 },
    }]]
    assert.same({ "7", 12, 5 }, { tenant.alerts[1].incidentId, #tenant.alerts, tenant.alert_lists.page_rows })
    local message = refused "{ alerts = { {}, { severity = 'High' } } }"
    assert.truthy(message:find(": alerts[2]: severity must be one of unknown, informational, low, medium, high, not "
      .. "'High'", 1, true), message)
    message = refused "{ incidents = { { status = 'new' } } }"
    assert.truthy(message:find(": incidents[1]: status must be one of active,", 1, true), message)
    message = refused "{ alerts = { { evidence = { { kind = 'device', computerDnsName = 'b' } } } } }"
    assert.truthy(message:find(": alerts[1]: evidence[1]: there is no machine 'b'", 1, true), message)
    refused "{ incidents = { x = {} } }"
    refused "{ story = { sed = 1 } }"
  end)
end)
