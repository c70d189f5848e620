-- doctor: each check with each of its ends, in a simulated tenant in the same process.

local environment = require "tests.spec.support.environment"
local rehearsal = require "tests.spec.support.rehearsal"

local clients = require "mde.client"
local mde = require "mde"

local function new(options)
  options = options or {}
  options.machines = options.machines or { { computerDnsName = "desk-1.corp.example" } }
  return rehearsal.new(options)
end

-- The checks of a report by their names.
local function by_name(report)
  local checks = {}
  for _, check in ipairs(report.checks) do checks[check.name] = check end
  return checks
end

local function examine(r, options)
  local report = r.client:doctor(options)
  for _, check in ipairs(report.checks) do
    assert.is_true(rehearsal.is_one_line(check.message .. (check.hint or "")))
    if check.status == "failed" then
      assert.is_string(check.kind, check.name)
      assert.is_string(check.code, check.name)
    end
  end
  return report, by_name(report)
end

local function status_of(report)
  local list = {}
  for i, check in ipairs(report.checks) do list[i] = ("%s %s"):format(check.name, check.status) end
  return list
end

local NAMES = { "settings", "log", "certificates", "store", "sign-in host", "API host", "proxy", "token", "clock",
  "read", "permissions" }
-- What these tell does not rest on the hosts.
local ON_THIS_MACHINE = { log = "ok", certificates = "ok", store = "ok", proxy = "ok" }

local function all(status, changes)
  local list = {}
  for i, name in ipairs(NAMES) do list[i] = ("%s %s"):format(name, changes and changes[name]
    or ON_THIS_MACHINE[name] or status) end
  return list
end

describe("the doctor", function()
  it("finds nothing where nothing is wrong, and changes nothing", function()
    local r = new()
    local report = examine(r)
    assert.is_true(report.ok)
    assert.same(all "ok", status_of(report))
    local requests = {}
    for _, entry in ipairs(r.tenant.history) do
      if entry.event == "request" then requests[#requests + 1] = entry.method .. " " .. entry.path end
    end
    assert.same({ ("GET /%s/v2.0/.well-known/openid-configuration"):format(r.tenant.tenant_id), "GET /api/machines",
      ("POST /%s/oauth2/v2.0/token"):format(r.tenant.tenant_id), "GET /api/machines", "GET /api/machineactions" },
      requests)
  end)

  it("warns of what was meant to end, and is still restricted", function()
    local r = new()
    local id = r.tenant.machines[1].id
    r:past(id, "restrict", "Succeeded", 7200, { requestorComment = "odd [mde:abcdefgh.until.1000000001]" })
    local report = examine(r)
    assert.is_true(report.ok)
    local check = report.checks[#report.checks - 1].name == "expired" and report.checks[#report.checks - 1]
      or report.checks[#report.checks]
    assert.same({ "expired", "warning" }, { check.name, check.status })
    assert.matches("^1 machine is still restricted, and meant to be free by now: ", check.message)
    assert.matches("mde release %-%-expired", check.hint)
    r:answer({ method = "GET", path = "machineactions" }, 503, "{}", { count = false })
    report = examine(r)
    assert.is_true(report.ok)
    assert.truthy(table.concat(status_of(report), "\n"):find("expired skipped", 1, true))
  end)

  it("sends no credential where none belongs", function()
    local r = new()
    local send, seen = r.driver.send, {}
    r.driver.send = function(request)
      seen[#seen + 1] = request
      return send(request)
    end
    examine(r)
    for i = 1, 2 do
      assert.is_nil(seen[i].headers.Authorization)
      assert.is_nil(seen[i].body)
    end
  end)

  local permissions = {
    { { "Machine.RestrictExecution" }, "Machine.Read.All or Machine.ReadWrite.All", "failed" },
    { { "Machine.Read.All" }, "Machine.RestrictExecution", "ok" },
    { {}, "Machine.Read.All or Machine.ReadWrite.All; Machine.RestrictExecution", "failed" },
  }
  for _, case in ipairs(permissions) do
    it("says that what is missing is " .. case[2], function()
      local report, checks = examine(new { roles = case[1] })
      assert.is_false(report.ok)
      assert.equal("failed", checks.permissions.status)
      assert.equal("permission", checks.permissions.kind)
      assert.equal("missing: " .. case[2], checks.permissions.message)
      assert.equal(case[3], checks.read.status)
      assert.equal(#case[1] == 0 and "warning" or "ok", checks.token.status)
    end)
  end

  it("knows what each function needs, as the service does", function()
    for _, roles in ipairs { { "Machine.Read.All", "Machine.RestrictExecution" }, { "Machine.RestrictExecution" },
      { "Machine.ReadWrite.All" }, { "Machine.Read.All" }, {} } do
      local r = new { roles = roles, client = { cap = false, protect = { servers = false, device_values = {} } } }
      local report = examine(r)
      local works = {}
      for _, one in ipairs(report.functions) do works[one.name:match "^%w+"] = one.works end
      local id = r.tenant.machines[1].id
      local function permitted(_, err) return not (err and err.kind == "permission") end
      assert.equal(permitted(r.client:machine(id)), works.machine)
      assert.equal(permitted(r.client:restrict(id, "why", { look = false })), works.restrict)
      assert.equal(permitted(r.client:release(id, "why", { look = false })), works.release)
      assert.equal(permitted(r.client:state(id)), works.state)
      assert.equal(permitted(r.client:tag(id, "seen")), works.tag)
      assert.equal(permitted(r.client:action("1d000000-0000-4000-8000-00000000001d")), works.action)
    end
  end)

  it("says which rules stand in the way of who cannot read", function()
    local report = examine(new { roles = { "Machine.RestrictExecution" } })
    for _, one in ipairs(report.functions) do
      if one.name == "restrict" then assert.matches('"device_values", "servers", "cap"', one.remark, 1, true) end
    end
  end)

  local hours = { { 7200, "failed", "2 hours behind" }, { -7200, "failed", "2 hours ahead of" },
    { 200, "warning", "3 minutes behind" }, { 30, "ok", "agrees" } }
  for _, case in ipairs(hours) do
    it(("tells a clock that is off by %d seconds"):format(case[1]), function()
      local _, checks = examine(new { start = os.time() + case[1] + 0.5 })
      assert.equal(case[2], checks.clock.status)
      assert.matches(case[3], checks.clock.message)
    end)
  end

  it("warns of two clocks that are far apart, and names both", function()
    local cases = {
      -- The sign-in host, the API host and the token, each ahead of this machine by so many seconds.
      { { 0, 0, 400 }, "that of .- and that of the token are 7 minutes apart" },
      { { 0, -7200, 0 }, "that of api%.security%.microsoft%.com and that of .- are 2 hours apart" },
      { { 7200, 0, 0 }, "and that of login%.microsoftonline%.com are 2 hours apart" },
      { { 200, 0, -200 }, "that of the token and that of login%.microsoftonline%.com are 7 minutes apart" },
    }
    for _, case in ipairs(cases) do
      local r = new()
      local exchange, ahead = r.client.exchange, case[1]
      local probe, probed = exchange.probe, 0
      exchange.probe = function(self, ...)
        local response, message, code = probe(self, ...)
        probed = probed + 1
        return response, message, code, ahead[probed]
      end
      exchange.clock.ahead_of_this_machine = function() return ahead[3] end
      local report, checks = examine(r)
      assert.equal("warning", checks.clock.status, checks.clock.message)
      assert.matches(case[2], checks.clock.message)
      assert.is_true(report.ok)
    end
  end)

  it("has the token for a witness", function()
    local r = new { start = os.time() + 7200.5 }
    local send = r.driver.send
    r.driver.send = function(request)
      local response, message, sent, code = send(request)
      if response then response.headers.date = nil end
      return response, message, sent, code
    end
    local _, checks = examine(r)
    assert.equal("failed", checks.clock.status)
    assert.matches("2 hours behind that of the token", checks.clock.message)
  end)

  it("names the cloud, the hosts and the scope", function()
    for cloud, scope in pairs { gcc = "https://api-gcc.securitycenter.microsoft.us/.default",
      commercial = "https://api.securitycenter.microsoft.com/.default" } do
      local _, checks = examine(new { client = { cloud = cloud } })
      local text = checks.settings.message
      assert.matches("in the cloud " .. cloud .. " signs in at login.microsoftonline.com, calls api", text, 1, true)
      assert.matches("with the scope " .. scope .. ", by", text, 1, true)
    end
  end)

  it("warns of hosts of two clouds", function()
    local cases = {
      { { cloud = "gcc_high" }, false }, { { cloud = "gcc" }, false }, { {}, false },
      { { cloud = "gcc_high", authority = "https://login.microsoftonline.com" }, true },
      { { cloud = "gcc_high", base_url = "https://eu.api.security.microsoft.com" }, true },
      { { cloud = "gcc", authority = "https://login.microsoftonline.us" }, true },
      { { cloud = "gcc_high", authority = "https://login.sovcloud-identity.fr" }, false },
      { { cloud = "gcc_high", authority = "https://login.example.com" }, false },
    }
    for _, case in ipairs(cases) do
      local options = {}
      for name, value in pairs(case[1]) do options[name] = value end
      local _, checks = examine(new { client = options })
      assert.equal(case[2], (checks.settings.hint or ""):find("of two clouds", 1, true) ~= nil, checks.settings.hint)
    end
  end)

  it("goes no further than what works", function()
    local r = new()
    r:fault { fault = "refuse", count = false }
    assert.same(all("failed", { settings = "ok", clock = "skipped", token = "skipped", read = "skipped",
      permissions = "skipped" }), status_of(examine(r)))
    r = new()
    r:fault { fault = "gone", match = { path = "/api/" }, count = false }
    local report = examine(r)
    assert.same(all("ok", { ["API host"] = "failed", read = "skipped" }), status_of(report))
    r = new { client = { credential = "not the right one" } }
    assert.same(all("ok", { token = "failed", read = "skipped", permissions = "skipped" }), status_of(examine(r)))
  end)

  -- Whatever the message says: that is for people.
  for code, hint in pairs { resolve = "the DNS of this machine", connect = "the firewall", timeout = "the firewall",
    proxy = "Check the proxy that https_proxy names", proxy_auth = "user and password in https_proxy",
    tls = "the clock of this machine",
    tls_name = "the clock of this machine", tls_expired = "the clock of this machine",
    tls_untrusted = "a proxy on the way opens TLS", tls_certificate = "a proxy on the way opens TLS",
    tls_authorities = "SSL_CERT_FILE", OfItsOwn = "the firewall" } do
    it("says what to do by the driver's code, " .. code, function()
      local r = new()
      r.driver.send = function() return nil, "the certificate of nginx could not be resolved", false, code end
      local _, checks = examine(r)
      for _, name in ipairs { "sign-in host", "API host" } do
        assert.equal(code, checks[name].code)
        assert.matches(hint, checks[name].hint, 1, true)
      end
    end)
  end

  it("names the file in which a driver's host is configured", function()
    local r = new()
    for code, is_there in pairs { resolver = true, tls_untrusted = true, tls_certificate = true, tls_name = false } do
      r.driver.configured_in = "web.conf"
      r.driver.send = function() return nil, "no", false, code end
      local _, checks = examine(r)
      assert.equal(is_there, checks["API host"].hint:find("Set it in web.conf", 1, true) ~= nil, code)
    end
  end)

  it("does without a driver's code", function()
    local r = new()
    r.driver.send = function() return nil, "no", false end
    local report = r.client:doctor()
    assert.matches("the firewall", by_name(report)["API host"].hint, 1, true)
  end)

  it("tells whom it does not know as what they are", function()
    local r = new()
    r:fault { fault = "answer", status = 200, body = "<html>", match = { path = "/api/" }, count = false }
    r:fault { fault = "answer", status = 302, match = { path = "openid" }, count = false }
    local _, checks = examine(r)
    assert.equal("protocol", checks["API host"].kind)
    assert.equal("protocol", checks["sign-in host"].kind)
    r = new()
    r:fault { fault = "answer", status = 503, match = { path = "/api/" }, count = false }
    _, checks = examine(r)
    assert.equal("warning", checks["API host"].status)
    assert.equal("failed", checks.read.status)
  end)

  it("warns of hosts that are nobody of Microsoft's", function()
    local strange = { ["https://api.security.microsoft.com.example"] = true,
      ["https://evil-security.microsoft.com"] = true,
      ["https://eu.api.security.microsoft.com"] = false, ["https://api-gcc.securitycenter.microsoft.us"] = false,
      ["https://notsecurity.microsoft.com"] = true, ["https://api.securitycenter.windows.com:443"] = false }
    for url, is_strange in pairs(strange) do
      local _, checks = examine(new { client = { base_url = url } })
      local hint = checks.settings.hint or ""
      assert.equal(is_strange, hint:find("no host of Microsoft's", 1, true) ~= nil, url .. hint)
    end
    local _, checks = examine(new { client = { authority = "https://login.example" } })
    assert.matches("login.example receives the credential", checks.settings.hint, 1, true)
  end)

  it("warns of a scope that does not belong to the host", function()
    local _, checks = examine(new { client = { scope = "https://api.security.microsoft.com/.default" } })
    assert.matches("another API", checks.settings.hint)
    _, checks = examine(new { client = { cloud = "gcc", scope = "https://api.securitycenter.microsoft.com/.default" } })
    assert.matches("api%-gcc%.securitycenter%.microsoft%.us takes tokens of the scope", checks.settings.hint)
  end)

  it("has no more time than it is given", function()
    local r = new()
    r:fault { fault = "stall", count = false }
    local began = r.driver.now()
    local report = examine(r, { timeout = 20 })
    assert.is_true(r.driver.now() - began <= 20)
    assert.is_false(report.ok)
    rehearsal.refused(r.client.doctor, r.client, { timeout = "long" })
  end)

  it("does not ask what a token that it cannot read may do", function()
    local r = new { client = { credential = function() return "an-opaque-token", 600 end } }
    local _, checks = examine(r)
    assert.equal("skipped", checks["sign-in host"].status)
    assert.equal("warning", checks.token.status)
    assert.equal("skipped", checks.permissions.status)
  end)

  it("is called by the module, too, which reports an environment that describes no client", function()
    finally(environment.restore)
    environment.set {}
    local report = mde.doctor()
    assert.is_false(report.ok)
    assert.equal("failed", report.checks[1].status)
    assert.equal("invalid", report.checks[1].kind)
    assert.matches("AZURE_TENANT_ID", report.checks[1].message)
    assert.equal(11, #report.checks)
    for i = 2, 11 do assert.equal(i == 2 and "ok" or "skipped", report.checks[i].status) end
    assert.same({}, report.functions)
    assert.is_function(clients.methods.doctor)
  end)
end)

describe("the doctor of Microsoft Graph", function()
  local READING = { "SecurityAlert.Read.All", "SecurityIncident.Read.All", "ThreatHunting.Read.All" }

  -- The last four checks, and the report. `answer`: what is read of the alerts.
  local function graph(options, answer)
    local r = new(options)
    if answer then r:answer({ path = "alerts_v2", nth = 2 }, answer[1], answer[2], { count = false }) end
    local report, checks = examine(r, { graph = true })
    assert.same({ "Graph host", "Graph token", "Graph read", "Graph roles" }, { report.checks[#report.checks - 3].name,
      report.checks[#report.checks - 2].name, report.checks[#report.checks - 1].name,
      report.checks[#report.checks].name })
    return checks, report, r
  end

  local function statuses(checks)
    return { checks["Graph host"].status, checks["Graph token"].status, checks["Graph read"].status,
      checks["Graph roles"].status }
  end

  it("is not asked unless that is wanted, and gets no token", function()
    local r = new { graph_roles = READING }
    local _, checks = examine(r)
    assert.is_nil(checks["Graph host"])
    for _, entry in ipairs(r.tenant.history) do
      assert.is_nil((entry.path or entry.audience or ""):find("v1.0/", 1, true))
      assert.not_equal("https://graph.microsoft.com", entry.audience)
    end
    local err = rehearsal.refused(r.client.doctor, r.client, { graph = "yes" })
    assert.matches("graph", err.message)
  end)

  it("finds nothing where nothing is wrong", function()
    local checks, report = graph({ graph_roles = READING }, { 200, { value = { { id = "a" } } } })
    assert.same({ "ok", "ok", "ok", "ok" }, statuses(checks))
    assert.is_true(report.ok)
    assert.matches("for https://graph.microsoft.com, of the tenant", checks["Graph token"].message, 1, true)
    assert.equal("one alert was read: it is there", checks["Graph read"].message)
    local last = report.functions[#report.functions]
    assert.same({ name = "hunting", works = true, needs = "ThreatHunting.Read.All" }, last)
  end)

  it("names each role that is missing, and what it is for", function()
    local checks, report = graph { graph_roles = { "ThreatHunting.Read.All" } }
    assert.same({ "ok", "ok", "skipped", "warning" }, statuses(checks))
    assert.is_true(report.ok)
    assert.equal("missing: SecurityAlert.Read.All or SecurityAlert.ReadWrite.All (alerts of Graph); "
      .. "SecurityIncident.Read.All or SecurityIncident.ReadWrite.All (incidents of Graph)",
      checks["Graph roles"].message)
    assert.matches("API permissions, Microsoft Graph, Application permissions", checks["Graph roles"].hint, 1, true)
    checks, report = graph { graph_roles = {} }
    assert.same({ "ok", "warning", "skipped", "failed" }, statuses(checks))
    assert.is_false(report.ok)
    assert.equal("permission_missing", checks["Graph roles"].code)
  end)

  -- What each role is for, and the call that is refused without it.
  local uses = {
    ["SecurityAlert.Read.All"] = { "alerts of Graph", function(client)
      client:alerts("all", { source = "graph" })()
    end },
    ["SecurityIncident.Read.All"] = { "incidents of Graph", function(client) client:incidents "all"() end },
    ["ThreatHunting.Read.All"] = { "hunting", function(client) client:hunt "DeviceInfo | take 1"() end },
  }

  for missing, use in pairs(uses) do
    it("names " .. missing .. " where it alone is missing, as the call does that needs it", function()
      local roles = {}
      for _, role in ipairs(READING) do roles[#roles + 1] = role ~= missing and role or nil end
      local _, report, r = graph { graph_roles = roles }
      local lacking = {}
      for _, one in ipairs(report.functions) do
        local of = uses[one.needs:match "^%S+"]
        if of and of[1] == one.name and not one.works then lacking[#lacking + 1] = one.name end
      end
      assert.same({ use[1] }, lacking)
      for role, other in pairs(uses) do
        local ok, err = pcall(other[2], r.client)
        assert.equal(role ~= missing, ok, tostring(err))
        if not ok then
          assert.equal("permission", err.kind)
          assert.matches(missing, err.hint or err.message, 1, true)
        end
      end
    end)
  end

  it("takes the refusal for the proof, whatever the token says", function()
    local checks = graph({ graph_roles = READING }, { 403, { error = { code = "Forbidden", message = "No." } } })
    assert.same({ "ok", "ok", "failed", "ok" }, statuses(checks))
    assert.matches("needs a licence", checks["Graph read"].hint, 1, true)
  end)

  it("tells of a token for somebody else, and of a scope that is not the host's", function()
    local checks = graph({ graph_roles = READING, client = { graph_scope = "https://graph.microsoft.us/.default" } })
    assert.same({ "warning", "ok", "failed" }, { checks["Graph host"].status, checks["Graph token"].status,
      checks["Graph read"].status == "skipped" and "failed" or checks["Graph read"].status })
    assert.matches("graph.microsoft.com takes tokens of the scope https://graph.microsoft.com/.default, and "
      .. "https://graph.microsoft.us/.default is set", checks["Graph host"].hint, 1, true)
    checks = graph({ client = { graph_scope = "https://api.securitycenter.microsoft.com/.default" } })
    assert.matches("which is not Microsoft Graph: check option \"graph_scope\" and MDE_CLOUD",
      checks["Graph token"].hint, 1, true)
  end)

  it("skips what rests on something that failed", function()
    local checks = graph { client = { base_url = "https://localhost:8443" } }
    assert.same({ "failed", "skipped", "skipped", "skipped" }, statuses(checks))
    assert.equal("graph_url_missing", checks["Graph host"].code)
    checks = graph { client = { graph_scope = "https://nowhere.example/.default" } }
    assert.same({ "warning", "failed", "skipped", "skipped" }, statuses(checks))
    checks = graph { client = { graph_url = "https://nowhere.example" } }
    assert.same({ "failed", "warning", "skipped", "failed" }, statuses(checks))
  end)

  it("leaves the clock to Defender and the sign-in", function()
    local r = new { graph_roles = READING }
    r:fault { match = { path = "/v1.0/" }, fault = "skew", by = 7200, count = false }
    local _, checks = examine(r, { graph = true })
    assert.equal("ok", checks.clock.status)
  end)

  it("is in the report of an environment that describes no client", function()
    environment.set { AZURE_TENANT_ID = "", AZURE_CLIENT_ID = "", AZURE_CLIENT_SECRET = "" }
    finally(environment.restore)
    local report = mde.doctor { graph = true, problem = require("mde.base.error").new { kind = "invalid",
      code = "settings_missing", message = "nothing is set", hint = "Set it." } }
    assert.equal("Graph roles skipped", ("%s %s"):format(report.checks[#report.checks].name,
      report.checks[#report.checks].status))
  end)
end)
