-- `mde doctor` as a person meets it, over TLS, with one thing after another wrong. The page lua/mde/doctor.md shows
-- what was seen here: MDE_WRITE_PAGES=1 in the environment writes it anew.
-- Labels: only-lua5.4

local certificates = require "tests.spec.support.certificates"
local cjson = require "cjson"
local commands = require "tests.spec.support.process.command"
local openssl = require "mde.sim.identity.openssl_command"
local page = require "tests.spec.support.page"
local proxies = require "tests.spec.support.server.connect_proxy"
local shell = require "tests.spec.support.process.shell"
local tenants = require "tests.spec.support.server.tenant"

local PAGE = "lua/mde/doctor.md"

describe("mde doctor", function()
  local tenant, command

  setup(function()
    tenant = tenants.start()
    command = commands.new(tenant.env)
  end)

  teardown(function()
    command.stop()
    tenant.stop()
    certificates.remove()
  end)

  before_each(function()
    tenant.reset()
    tenant.clear()
  end)

  local function application(roles, graph_roles)
    tenant.application { client_id = tenant.env.AZURE_CLIENT_ID, client_secret = tenant.client_secret, roles = roles,
      graph_roles = graph_roles }
  end

  -- What differs from run to run gives way to what a reader would have in its place.
  local function for_readers(text)
    return (text:gsub("(localhost):%d%d+", "%1:8443")
      :gsub("/tmp/%S+/store", "/run/mde/store"):gsub("/tmp/%S+/ca%.pem", "/etc/ssl/corp.pem")
      :gsub("127%.0%.0%.1:%d%d+", "127.0.0.1:8443"):gsub("port %d%d+", "port 8443")
      :gsub("after %d+ ms", "after 0 ms"):gsub("another %d+ minutes", "another 60 minutes"))
  end

  local cases = {
    { "All is well", 0, function() end },
    { "Without Machine.Read.All", 2, function() application { "Machine.RestrictExecution" } end },
    { "Without Machine.RestrictExecution", 2, function() application { "Machine.Read.All" } end },
    { "Nothing was consented", 2, function() application {} end },
    { "With Machine.ReadWrite.All, too", 0, function()
      application { "Machine.ReadWrite.All", "Machine.RestrictExecution" }
    end },
    { "The clock is two hours off", 1, function()
      tenant.advance(7200)
      return nil, function() tenant.advance(-7200) end
    end },
    { "A proxy cuts TLS open", 3, function()
      local behind, proxy = tenants.start { certificate = "unknown-ca" }, proxies.start()
      local environment = {}
      for name, value in pairs(behind.env) do environment[name] = value end
      environment.https_proxy = ("http://proxied:opaque-word@127.0.0.1:%d"):format(proxy.port)
      return environment, function()
        proxy.stop()
        behind.stop()
      end
    end },
    { "A proxy and a store that are of use", 0, function()
      local proxy = proxies.start()
      local environment = { https_proxy = ("http://proxied:opaque-word@127.0.0.1:%d"):format(proxy.port),
        MDE_STORE = command.directory .. "/store" }
      return environment, proxy.stop
    end },
    { "A proxy that wants another password", 3, function()
      local proxy = proxies.start()
      return { https_proxy = ("http://proxied:Winter2026@127.0.0.1:%d"):format(proxy.port) }, proxy.stop
    end },
    { "A store that cannot be used", 3, function() return { MDE_STORE = "~/store" } end },
    { "A log that is of no kind", 0, function() return { MDE_LOG = "xml" } end,
      'mde: MDE_LOG is "xml", which is no way to log; there is json. Nothing is logged. Set MDE_LOG=json, or leave it '
      .. "out.\n" },
    { "A host that is not there", 3, function() return { MDE_BASE_URL = "https://localhost:1" } end },
    { "A name that does not exist", 3, function() return { MDE_BASE_URL = "https://no-such-host.invalid" } end,
      "mde: warning: no-such-host.invalid receives the token and is no host of Microsoft's (MDE_BASE_URL)\n" },
    { "A wrong secret", 1, function() return { AZURE_CLIENT_SECRET = "not the right one" } end },
    { "A wrong tenant", 1, function() return { AZURE_TENANT_ID = "7e000000-0000-4000-8000-0000000000ff" } end },
    { "The scope of another API", 2, function()
      return { MDE_SCOPE = "https://api.security.microsoft.com/.default" }
    end },
    { "Nothing is set", 1, function()
      return { AZURE_TENANT_ID = "", AZURE_CLIENT_ID = "", AZURE_CLIENT_SECRET = "" }
    end },
    { "Microsoft Graph, too", 0, function()
      application({ "Machine.Read.All", "Machine.RestrictExecution" }, { "ThreatHunting.Read.All" })
    end, nil, { "doctor", "--graph" } },
    { "Microsoft Graph, with no role there", 2, function() end, nil, { "doctor", "--graph" } },
    { "The service is down", 3, function()
      tenant.fault { fault = "answer", status = 503, match = { path = "/api/" }, count = false }
    end },
    { "Something else answers in its place", 3, function()
      tenant.fault { fault = "answer", status = 200, body = "<html>Welcome</html>", match = { path = "/api/" },
        count = false }
    end },
  }

  local sections = {}
  for _, case in ipairs(cases) do
    it("tells: " .. case[1], function()
      local environment, stop = case[3]()
      if stop then finally(stop) end
      local result = command.run(case[5] or { "doctor" }, { environment = environment })
      assert.equal(case[2], result.status, result.out .. result.err)
      assert.equal(case[4] or "", result.err)
      assert.is_nil(result.out:find "opaque%-word" or result.out:find "Winter2026")
      assert.is_nil(result.out:find(tenant.client_secret, 1, true))
      for _, entry in ipairs(tenant.history()) do assert.not_equal("action_created", entry.event) end
      sections[#sections + 1] = ("## %s\n\n```\n%s```\n"):format(case[1], for_readers(result.out))
    end)
  end

  it("tells what the page says", function()
    assert.equal(#cases, #sections)
    local text = "\n" .. table.concat(sections, "\n")
    assert.equal(text, page.shown(PAGE, "cases", text))
  end)

  it("finds the roles of Microsoft Graph that the simulated tenant was given", function()
    local other = tenants.start { "--graph-role", "SecurityIncident.Read.All", "--graph-role",
      "ThreatHunting.Read.All" }
    finally(other.stop)
    local result = command.run({ "doctor", "--graph" }, { environment = other.env })
    assert.equal(0, result.status, result.out .. result.err)
    assert.truthy(result.out:find("with the roles SecurityIncident.Read.All, ThreatHunting.Read.All", 1, true))
    assert.truthy(result.out:find("Graph roles   missing: SecurityAlert.Read.All", 1, true), result.out)
  end)

  it("signs in at a place that is written without its scheme, and with its tenant", function()
    local host = tenant.env.AZURE_AUTHORITY_HOST:match "^https://([^/]+)"
    for _, written in ipairs { host, host .. "/", host .. "/" .. tenant.env.AZURE_TENANT_ID } do
      local result = command.run({ "doctor" }, { environment = { AZURE_AUTHORITY_HOST = written } })
      assert.equal(0, result.status, result.out .. result.err)
      assert.truthy(result.out:find("signs in at " .. host .. ",", 1, true), result.out)
    end
    local result = command.run({ "doctor" }, { environment = { AZURE_AUTHORITY_HOST = "http://" .. host } })
    assert.equal(1, result.status)
    assert.truthy(result.out:find("only https is spoken", 1, true), result.out)
  end)

  it("says which of the certificates of a key is used", function()
    local one = certificates.new()
    local renewed = certificates.of_key(one.key, { till = 300, subject = "renewed" })
    local path = tenant.directory .. "/renewed.pem"
    shell.write_file(path, one.key .. certificates.of_key(one.key, { from = -9, till = -1 }) .. renewed)
    os.execute("chmod 600 " .. shell.quote(path))
    tenant.application { client_id = tenant.env.AZURE_CLIENT_ID, certificates = { renewed },
      roles = { "Machine.Read.All", "Machine.RestrictExecution" } }
    local result = command.run({ "doctor" }, { environment = { AZURE_CLIENT_SECRET = "",
      AZURE_CLIENT_CERTIFICATE_PATH = path } })
    assert.equal(0, result.status, result.out .. result.err)
    local facts = openssl.certificate(renewed)
    local digits = facts.sha1:gsub(".", function(c) return ("%02X"):format(c:byte()) end)
    assert.truthy(result.out:find(("(certificate: /CN=renewed, thumbprint: %s, certificate ends: %s, algorithm: PS256, "
      .. "chosen from: 2 of this key)"):format(digits, os.date("!%Y-%m-%dT%H:%M:%SZ", facts.till)), 1, true),
      result.out)
  end)

  it("writes one object for programs", function()
    application { "Machine.RestrictExecution" }
    local result = command.run { "doctor", "--json" }
    assert.equal(2, result.status)
    assert.is_nil(result.out:find("\n.", 1))
    local report = cjson.decode(result.out)
    assert.is_false(report.ok)
    local status = {}
    for _, check in ipairs(report.checks) do status[check.name] = check.status end
    assert.same({ settings = "warning", log = "ok", certificates = "ok", store = "ok", proxy = "ok",
      ["sign-in host"] = "ok", ["API host"] = "ok", clock = "ok", token = "ok", read = "failed",
      permissions = "failed" }, status)
    local works = {}
    for _, one in ipairs(report.functions) do works[one.name] = one.works end
    assert.is_true(works.release)
    assert.is_false(works["machine, machines"])
  end)

  it("warns of a host that is nobody of Microsoft's, and of a certificate that ends soon", function()
    local one = certificates.new { days = 10 }
    local result = command.run({ "doctor" }, { environment = { MDE_BASE_URL = "https://api.elsewhere.invalid",
      AZURE_CLIENT_SECRET = "", AZURE_CLIENT_CERTIFICATE_PATH = one.path } })
    assert.matches("api.elsewhere.invalid receives the token and is no host of Microsoft's", result.out, 1, true)
    assert.matches("ends in %d+ days", result.out)
  end)

  it("reads a profile, names it and reports what is wrong in it", function()
    os.execute(("mkdir -p '%s/mde'"):format(command.directory))
    command.file("mde/config", ("[contoso]\ntenant_id = %s\n[fabrikam]\ncloud = moon\n"):format(
      tenant.env.AZURE_TENANT_ID))
    local environment = { XDG_CONFIG_HOME = command.directory, AZURE_TENANT_ID = "" }
    local result = command.run({ "doctor", "--profile", "contoso" }, { environment = environment })
    assert.equal(0, result.status, result.out .. result.err)
    assert.matches('^ok       profile       "contoso" of ', result.out)
    environment.MDE_PROFILE = "fabrikam"
    result = command.run({ "doctor" }, { environment = environment })
    assert.equal(1, result.status, result.out .. result.err)
    assert.equal("", result.err)
    assert.matches('profile       "fabrikam" of .*FAILED   settings      option "cloud" is "moon"', result.out)
  end)

  it("with a managed identity asks no sign-in service", function()
    local environment = tenant.identity_env "imds"
    environment.AZURE_CLIENT_SECRET, environment.AZURE_CLIENT_ID, environment.AZURE_TENANT_ID = "", "", ""
    local result = command.run({ "doctor" }, { environment = environment })
    assert.equal(0, result.status, result.out .. result.err)
    assert.matches("skipped  sign-in host  the managed identity's endpoint is 127.0.0.1", result.out, 1, true)
  end)
end)
