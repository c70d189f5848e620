-- mde.driver.curl: the contract over real TLS, and what is its own.

local conformance = require "tests.spec.conformance"
local curl = require "mde.driver.curl"
local tenants = require "tests.spec.support.tenant"

conformance("curl", function(tenant)
  return curl.new { ca_file = tenant.ca_file, proxy = "" }
end, tenants.start)

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

    it("says why a proxy did not work, and nothing of its password", function()
      for _, proxy in ipairs { "http://user:opaque-word@127.0.0.1:9", "bad://user:opaque-word@127.0.0.1:9" } do
        local through = curl.new { ca_file = tenant.ca_file, proxy = proxy }
        local response, message, maybe_sent = through.send(request { method = "POST", body = "x" })
        through.close()
        assert.is_nil(response)
        assert.is_false(maybe_sent)
        assert.is_nil(message:find("opaque-word", 1, true))
        assert.is_nil(message:find("user", 1, true))
      end
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
