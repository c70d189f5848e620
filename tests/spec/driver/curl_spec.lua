-- mde.driver.curl: the contract over real TLS, and what is its own.
-- Labels: sanitized-each-lua, long

local clients = require "mde.client"
local conformance = require "tests.spec.driver.conformance"
local curl = require "mde.driver.curl"
local environment = require "tests.spec.support.environment"
local proxies = require "tests.spec.support.server.connect_proxy"
local raw_server = require "tests.spec.support.server.raw_server"
local rehearsal = require "tests.spec.support.rehearsal"
local shell = require "tests.spec.support.process.shell"
local tenants = require "tests.spec.support.server.tenant"

-- The two other Luas have half of it each.
local shares = { ["Lua 5.1"] = { 1, 2 }, ["Lua 5.3"] = { 2, 2 } }

conformance("curl", function(tenant)
  return curl.new { ca_file = tenant.ca_file, proxy = "" }
end, tenants.start, { share = shares[_VERSION] })

describe("mde.driver.curl", function()
  it("says what is wrong with its options", function()
    assert.error_matches(function() curl.new { cafile = "x" } end, "no option 'cafile'")
    assert.error_matches(function() curl.new { ca_file = 1 } end, "ca_file must be a string")
    assert.error_matches(function() curl.new { now = os.time } end, "come together")
  end)

  it("names what brings the C module where it is missing", function()
    local loaded, preload, cpath = package.loaded["mde.curl"], package.preload["mde.curl"], package.cpath
    package.loaded["mde.curl"], package.preload["mde.curl"], package.cpath = nil, nil, ""
    local ok, err = pcall(curl.new)
    package.loaded["mde.curl"], package.preload["mde.curl"], package.cpath = loaded, preload, cpath
    assert.is_false(ok)
    local message = tostring(err)
    assert.truthy(message:find("mde.curl", 1, true))
    assert.truthy(message:find("libcurl4-openssl-dev", 1, true))
    assert.is_nil(message:find "\n")
  end)

  it("shows nothing of its objects", function()
    local module = require "mde.curl"
    local multi = module.multi()
    assert.equal("mde.curl.multi", tostring(multi))
    assert.is_false(getmetatable(multi))
    assert.equal(multi, module.multi())
    assert.truthy(module.version:find "^libcurl/%d")
  end)

  it("lets made-up time pass only while nothing is in flight", function()
    local clock = 0
    local driver = curl.new {
      proxy = "",
      now = function() return clock end,
      sleep = function(seconds) clock = clock + seconds end,
    }
    local tenant = tenants.start()
    finally(function()
      driver.close()
      tenant.stop()
    end)
    driver.sleep(7200)
    assert.equal(7200, clock)
    local gate, response = driver.gate(), nil
    driver.spawn(function()
      response = driver.send { method = "GET", url = tenant.base_url .. "/", headers = {}, timeout = 10,
        max_bytes = 1000, max_idle = 5 }
      gate:open()
    end)
    assert.is_true(gate:wait(1))
    assert.equal(7200, clock)
    assert.is_nil(response) -- the authority of the tenant was not named
  end)

  -- Every answer is whole, and the answer to something else: as if another one had come before it.
  it("is told by a client of answers that are not what was asked for, and uses their connections no more", function()
    local raw, clock = raw_server.start(), 0
    local driver = curl.new { ca_file = raw.ca_file, proxy = "", now = function() return clock end,
      sleep = function(seconds) clock = clock + seconds end }
    finally(function()
      driver.close()
      raw.stop()
    end)
    local client = assert(clients.new { driver = driver, tenant_id = "feed0000-0000-4000-8000-000000000001",
      client_id = "feed0000-0000-4000-8000-000000000002", credential = "made up", authority = raw.base_url,
      base_url = raw.base_url, cap = false })
    local function answer(name, status, body)
      raw.reply(name, { ("HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s")
        :format(status, #body, body), ends = "open" })
    end
    local function connections()
      local all, seen, count = 0, {}, 0
      for _, line in ipairs(raw.arrived()) do
        local number = line:match "^(%d+) api$"
        if number then all = all + 1 end
        if number and not seen[number] then seen[number], count = true, count + 1 end
      end
      return all, count
    end
    answer("feed0000", "200 OK", '{"token_type":"Bearer","expires_in":3599,"access_token":"opaque"}')

    for status, body in pairs {
      ["200 OK"] = ('{"id":"%s","computerDnsName":"another"}'):format(("b2"):rep(20)),
      ["201 Created"] = '{"value":[]}',
      ["409 Conflict"] = "<html>a page</html>",
    } do
      answer("api", status, body)
      for _ = 1, 4 do assert.is_nil((client:machine(("a1"):rep(20)))) end
      local all, different = connections()
      assert.equal(status:find "^2" and 16 or 4, all)
      assert.equal(all, different, status)
    end

    -- The action of another machine.
    answer("api", "201 Created", ('{"id":"feed0000-0000-4000-8000-000000000003","type":"RestrictCodeExecution",'
      .. '"status":"Pending","machineId":"%s","creationDateTimeUtc":"2026-11-29T01:02:03Z"}'):format(("b2"):rep(20)))
    for _ = 1, 2 do
      local action, err = client:restrict(("a1"):rep(20), "a test", { look = false, resend = false,
        allow = { "tags", "names", "device_values", "servers", "platforms" } })
      assert.is_nil(action)
      assert.equal("unknown", err.kind, err.message)
    end
    local all, different = connections()
    assert.is_true(all >= 2)
    assert.equal(all, different)

    -- And what is understood, refusals too.
    for status, body in pairs {
      ["200 OK"] = ('{"id":"%s","computerDnsName":"desk-1"}'):format(("a1"):rep(20)),
      ["403 Forbidden"] = '{"error":{"code":"Forbidden","message":"no"}}',
    } do
      answer("api", status, body)
      for _ = 1, 3 do client:machine(("a1"):rep(20)) end
      all, different = connections()
      assert.same({ 3, 1 }, { all, different }, status)
    end
  end)

  describe("with a tenant", function()
    local tenant, driver

    setup(function() tenant = tenants.start() end)
    teardown(function() tenant.stop() end)

    before_each(function()
      tenant.reset()
      tenant.clear()
      driver = curl.new { ca_file = tenant.ca_file, proxy = "" }
    end)

    local function request(changes)
      local made = { method = "GET", url = tenant.base_url .. "/api/machines", headers = {}, timeout = 10,
        max_bytes = 100000, max_idle = 5 }
      for field, value in pairs(changes or {}) do made[field] = value end
      return made
    end

    it("is closed for good", function()
      assert(driver.send(request()))
      driver.close()
      driver.close()
      assert.error_matches(function() driver.send(request()) end, "closed")
    end)

    it("leaves the others open when one is closed", function()
      local other = curl.new { ca_file = tenant.ca_file, proxy = "" }
      other.close()
      assert.equal(401, assert(driver.send(request())).status)
    end)

    it("takes user names, fragments and bare schemes in a URL for mistakes", function()
      local host = tenant.base_url:gsub("^https://", "")
      for _, url in ipairs {
        "https://user@" .. host .. "/", "https://user:word@" .. host .. "/", tenant.base_url .. "/#a", "https://",
        "https:///api", "https://a\\@" .. host, "https://%6cocalhost/",
      } do
        assert(not pcall(driver.send, request { url = url }), url)
      end
      assert.equal(0, #tenant.history "request")
    end)

    it("sends a path as it is written", function()
      assert(driver.send(request { url = tenant.base_url .. "/api/../api/./machines?a=%27" }))
      assert.equal("/api/../api/./machines", tenant.history("request")[1].path)
    end)

    it("lets nobody else say where a request ends, and to whom it goes", function()
      for _, name in ipairs { "Host", "content-length", "Transfer-Encoding", "CONNECTION" } do
        local ok, err = pcall(driver.send, request { method = "POST", body = "{}", headers = { [name] = "1" } })
        assert.is_false(ok)
        assert.matches(("header %s is the driver's own"):format(name), err, 1, true)
      end
      assert.equal(0, #tenant.history "request")
    end)

    it("says why a proxy did not work, and nothing of its password", function()
      for _, proxy in ipairs { "http://user:opaque-word@127.0.0.1:9", "user:opaque-word@127.0.0.1:9",
        "http://user:opaque-word@no-such.invalid:9" } do
        local through = curl.new { ca_file = tenant.ca_file, proxy = proxy }
        local response, message, maybe_sent, code = through.send(request { method = "POST", body = "x" })
        through.close()
        assert.is_nil(response)
        assert.equal("proxy", code, message)
        assert.is_false(maybe_sent)
        assert.matches("the proxy is http://" .. proxy:match "@(.*)$" .. ' (option "proxy")', message, 1, true)
        assert.is_nil(message:find("opaque-word", 1, true))
        assert.is_nil(message:find("user", 1, true))
      end
    end)

    it("tells the proxy's fault from the host's as well as it can", function()
      -- The host may be one that is reached without the proxy.
      environment.set { no_proxy = "elsewhere.example" }
      finally(environment.restore)
      local through = curl.new { ca_file = tenant.ca_file, proxy = "http://127.0.0.1:9" }
      assert.equal("connect", select(4, through.send(request())))
      assert.is_false(through.proxy.everywhere)
      through.close()
    end)

    for _, case in ipairs(proxies.CASES) do
      it(("makes of a proxy's answer what each driver does: %s"):format(case.password), function()
        local proxy = proxies.start()
        local through = curl.new { ca_file = tenant.ca_file,
          proxy = ("http://proxied:%s@127.0.0.1:%d"):format(case.password, proxy.port) }
        finally(function()
          through.close()
          proxy.stop()
        end)
        for _ = 1, case.tunnel and 3 or 1 do
          local response, message, maybe_sent, code = through.send(request())
          assert.equal(case.code, code, message)
          assert.equal(case.tunnel and 401 or nil, response and response.status)
          assert.equal(case.tunnel, response and response.proxied)
          if message then
            assert.is_false(maybe_sent)
            assert.matches(case.code == "proxy_auth" and "407" or "403", message, 1, true)
            assert.matches("the proxy .*http://127.0.0.1:" .. proxy.port, message)
            assert.matches('option "proxy"', message, 1, true)
            assert.is_nil(message:find(case.password, 1, true))
          end
        end
        -- One connection, and one password that may have been wrong.
        assert.equal(1, select(2, proxy.seen():gsub("CONNECT ", "")))
      end)
    end

    it("speaks by TLS to a proxy whose certificate is of the given authorities, and to no other", function()
      local proxy = proxies.start { tls = true }
      local both = proxy.ca_file .. "-and-the-host-s"
      shell.write_file(both, shell.read_file(proxy.ca_file) .. shell.read_file(tenant.ca_file))
      finally(proxy.stop)
      local function send(ca_file)
        local through = curl.new { ca_file = ca_file,
          proxy = ("https://proxied:opaque-word@localhost:%d"):format(proxy.port) }
        local response, message, maybe_sent, code = through.send(request())
        through.close()
        return response and response.status or message, maybe_sent, code
      end
      assert.same({ 401 }, { send(both) })
      local message, maybe_sent, code = send(tenant.ca_file)
      assert.same({ false, "proxy" }, { maybe_sent, code })
      assert.matches("^TLS with the proxy on the way to localhost:%d+ failed: ", message)
      assert.matches("the proxy is https://localhost", message, 1, true)
      -- Why it refused a certificate inside of TLS libcurl 7.88 does not tell.
      message, maybe_sent, code = send(proxy.ca_file)
      assert.is_false(maybe_sent)
      assert.matches("^tls", code)
      assert.is_nil(message:find("proxy", 1, true))
    end)

    it("knows a SOCKS proxy that wants another password", function()
      local proxy = proxies.start()
      local through = curl.new { ca_file = tenant.ca_file,
        proxy = ("socks5h://proxied:wrong-word@127.0.0.1:%d"):format(proxy.port) }
      finally(function()
        through.close()
        proxy.stop()
      end)
      local response, message, maybe_sent, code = through.send(request())
      assert.same({ nil, false, "proxy_auth" }, { response, maybe_sent, code })
      assert.matches(("the proxy socks5h://127.0.0.1:%d refused the user and password"):format(proxy.port), message, 1,
        true)
      assert.is_nil(message:find("wrong-word", 1, true))
      assert.equal(1, select(2, proxy.seen():gsub("SOCKS", "")))
    end)

    it("takes the proxy from the environment, and tells which of its variables names it", function()
      for _, name in ipairs { "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY" } do
        environment.set { [name] = "http://user:opaque-word@127.0.0.1:9" }
        local through = curl.new { ca_file = tenant.ca_file }
        environment.restore()
        assert.same({ "http://127.0.0.1:9", name, true }, { through.proxy.shown, through.proxy.source,
          through.proxy.everywhere })
        through.close()
        -- libcurl goes by the same one.
        local said = shell.output_of(("env %s=http://user:opaque-word@127.0.0.1:9 %s -e '%s' 2>&1"):format(name,
          os.getenv "MDE_LUA", ([[
            print(require "mde.driver.curl".new().send { method = "GET", url = "https://localhost:1/", headers = {},
              timeout = 5, max_bytes = 10, max_idle = 0 })]]):gsub("\n%s*", " ")))
        assert.matches("127.0.0.1 port 9", said, 1, true)
        assert.matches(("the proxy is http://127.0.0.1:9 (%s)"):format(name), said, 1, true)
        assert.is_nil(said:find("opaque-word", 1, true))
      end
    end)

    it("refuses a proxy that can be read in more than one way, and shows nothing of it", function()
      local url = "http://svc-mde:Pa@opaque-word/x1@127.0.0.1:9"
      local err = rehearsal.refused(curl.new, { proxy = url })
      assert.equal("proxy_malformed", err.code)
      assert.is_nil(tostring(err):find("opaque", 1, true))
      environment.set { https_proxy = url }
      finally(environment.restore)
      err = rehearsal.refused(curl.new)
      assert.matches("https_proxy is not the URL of a proxy", tostring(err), 1, true)
      assert.is_nil(tostring(err):find("opaque", 1, true))
    end)

    it("sends nothing of a managed identity's through a proxy", function()
      local through = curl.new { ca_file = tenant.ca_file, proxy = "http://127.0.0.1:9" }
      local response, message = through.send(request { plain = true, headers = { Metadata = "true" },
        url = tenant.identity_url .. "/metadata/identity/oauth2/token?api-version=2018-02-01" })
      through.close()
      assert.equal(400, response and response.status, message)
    end)

    it("finds what another driver of the state has in flight, and tells it", function()
      local other = curl.new { ca_file = tenant.ca_file, proxy = "" }
      local status
      other.spawn(function() status = assert(other.send(request())).status end)
      other.sleep(0)
      driver.sleep(0.3)
      other.sleep(0)
      other.close()
      assert.equal(401, status)
    end)

    -- What is in flight when an error or Ctrl-C ends the wait for it.
    describe("when a wait is cut short", function()
      -- The error of a task ends whatever the main program waits for, as Ctrl-C does.
      local function send_and_cut(made)
        driver.spawn(function()
          driver.sleep(0.3)
          error("cut short", 0)
        end)
        local ok, err = pcall(driver.send, made)
        assert.is_false(ok)
        assert.equal("cut short", err)
      end

      it("a request that has gone goes on to its end", function()
        tenant.fault { fault = "slow", interval = 0.005, processed = true }
        send_and_cut(request { method = "POST", body = "{}" })
        collectgarbage()
        collectgarbage()
        driver.sleep(3)
        assert.equal(1, #tenant.history "request")
        assert.is_truthy(tenant.history("request")[1].status)
        assert.equal(401, assert(driver.send(request())).status)
      end)

      it("a request that has not gone is taken back", function()
        -- A listener that nobody serves: the connection stands, TLS does not.
        local socket = require "socket"
        local listener = assert(socket.bind("127.0.0.1", 0))
        local _, port = listener:getsockname()
        send_and_cut(request { method = "POST", body = "{}", url = ("https://127.0.0.1:%s/"):format(port) })
        local accepted = assert(listener:accept())
        accepted:settimeout(5)
        local _, err = accepted:receive "*a"
        listener:close()
        assert.not_equal("timeout", err)
      end)
    end)
  end)
end)
