-- Servers that a driver must not talk to: each is refused before a byte of the request is sent, and the message says
-- what to do.
-- Labels: sanitized, long

local curl = require "mde.driver.curl"
local tenants = require "tests.spec.support.server.tenant"

describe("mde.driver.curl over TLS", function()
  local function request(tenant, method)
    return { method = method, url = tenant.base_url .. "/api/machines", headers = { Authorization = "Bearer none" },
      body = method == "POST" and "{}" or nil, timeout = 10, max_bytes = 1000, max_idle = 5 }
  end

  local cases = {
    { name = "of another host", options = { certificate = "wrong-host" }, code = "tls_name",
      says = { "certificate of localhost:%d+ was not accepted", "issued for another name" } },
    { name = "that has expired", options = { certificate = "expired" }, code = "tls_expired",
      says = { "certificate of localhost:%d+ was not accepted", "expired", "clock" } },
    { name = "signed by itself", options = { certificate = "self-signed" }, code = "tls_untrusted",
      says = { "certificate of localhost:%d+ was not accepted", "ca_file or SSL_CERT_FILE" } },
    { name = "of an unknown authority", options = { certificate = "unknown-ca" }, code = "tls_untrusted",
      says = { "certificate of localhost:%d+ was not accepted", "ca_file or SSL_CERT_FILE" } },
    { name = "with TLS 1.1 only", options = { tls = "1.1" }, code = "tls",
      says = { "TLS with localhost:%d+ failed", "TLS 1%.2 or newer is required" } },
  }

  for _, case in ipairs(cases) do
    it("refuses a server " .. case.name, function()
      local tenant = tenants.start(case.options)
      local driver = curl.new { ca_file = tenant.ca_file, proxy = "" }
      finally(function()
        driver.close()
        tenant.stop()
      end)
      for _, method in ipairs { "GET", "POST" } do
        local response, message, maybe_sent, code = driver.send(request(tenant, method))
        assert.is_nil(response)
        assert.is_false(maybe_sent)
        assert.equal(case.code, code)
        for _, pattern in ipairs(case.says) do
          assert(message:find(pattern), ("'%s' is missing in: %s"):format(pattern, message))
        end
      end
      assert.equal(0, #tenant.history "request")
    end)
  end

  -- A certificate that was refused is the same one a second later. A handshake may fail once.
  for _, case in ipairs(cases) do
    local attempts = case.code == "tls" and 4 or 1
    it(("asks a server %s %d times in one call"):format(case.name, attempts), function()
      local tenant = tenants.start(case.options)
      local driver = curl.new { ca_file = tenant.ca_file, proxy = "" }
      local client = assert(require("mde.client").new { driver = driver, tenant_id = tenant.env.AZURE_TENANT_ID,
        client_id = tenant.env.AZURE_CLIENT_ID, credential = tenant.client_secret, authority = tenant.base_url,
        base_url = tenant.base_url })
      finally(function()
        driver.close()
        tenant.stop()
      end)
      -- Strikes nothing, and counts the connections.
      tenant.fault { fault = "refuse", count = 0 }
      local machine, err = client:machine(("a1"):rep(20))
      assert.is_nil(machine)
      assert.equal("unavailable", err.kind)
      assert(err.message:find(case.says[1]), err.message)
      assert.equal(attempts > 1, err.message:find "attempts" ~= nil, err.message)
      assert.equal(attempts, tenant.faults()[1].seen)
    end)
  end

  describe("finds the authority", function()
    local tenant

    setup(function() tenant = tenants.start() end)
    teardown(function() tenant.stop() end)

    it("in ca_file", function()
      local driver = curl.new { ca_file = tenant.ca_file, proxy = "" }
      assert.equal(401, assert(driver.send(request(tenant, "GET"))).status)
      driver.close()
    end)

    it("nowhere if it is not named, whatever was accepted before", function()
      local trusting, careful = curl.new { ca_file = tenant.ca_file, proxy = "" }, curl.new { proxy = "" }
      assert(trusting.send(request(tenant, "GET")))
      local response, message, maybe_sent = careful.send(request(tenant, "GET"))
      assert.is_nil(response)
      assert.is_false(maybe_sent)
      assert.truthy(message:find("was not accepted", 1, true))
      trusting.close()
      careful.close()
    end)

    it("in SSL_CERT_FILE", function()
      local script = require "tests.spec.support.process.script"
      local output, status = script.run([[
        local driver = require("mde.driver.curl").new { proxy = "" }
        print(assert(driver.send { method = "GET", url = arg[1], headers = {}, timeout = 10, max_bytes = 1000,
          max_idle = 5 }).status)
      ]], { arguments = { tenant.base_url .. "/" }, environment = { SSL_CERT_FILE = tenant.ca_file } })
      assert.equal("404\n", output)
      assert.equal("exit 0", status)
    end)

    it("in the directories of SSL_CERT_DIR, as OpenSSL does, alone or beside SSL_CERT_FILE", function()
      local script = require "tests.spec.support.process.script"
      local shell = require "tests.spec.support.process.shell"
      local other = tenants.start { certificate = "unknown-ca" }
      local one, empty = shell.new_directory(), shell.new_directory()
      finally(function()
        other.stop()
        shell.remove(one)
        shell.remove(empty)
      end)
      os.execute(("cp %s %s/ca.pem && openssl rehash %s"):format(tenant.ca_file, one, one))
      local function ask(environment)
        local output, status = script.run([[
          local ok, driver = pcall(require("mde.driver.curl").new, { proxy = "" })
          if not ok then return print(driver.code) end
          local response, message, _, code = driver.send { method = "GET", url = arg[1], headers = {}, timeout = 10,
            max_bytes = 1000, max_idle = 5 }
          print(response and response.status or code)
        ]], { arguments = { tenant.base_url .. "/" }, environment = environment })
        assert.equal("exit 0", status)
        return output
      end
      assert.equal("404\n", ask { SSL_CERT_DIR = one })
      assert.equal("404\n", ask { SSL_CERT_DIR = "/nowhere:" .. empty .. ":" .. one })
      assert.equal("404\n", ask { SSL_CERT_DIR = one, SSL_CERT_FILE = other.ca_file })
      assert.equal("404\n", ask { SSL_CERT_DIR = empty, SSL_CERT_FILE = tenant.ca_file })
      assert.equal("tls_untrusted\n", ask { SSL_CERT_DIR = empty, SSL_CERT_FILE = other.ca_file })
      assert.equal("ca_directory_without_certificate\n", ask { SSL_CERT_DIR = empty })
      os.execute(("rm %s/*.0"):format(one))
      assert.equal("ca_directory_without_certificate\n", ask { SSL_CERT_DIR = one })
    end)

    it("in no file that cannot be read or has none, and says so at once", function()
      for _, path in ipairs { "/nonexistent/ca.pem", "/", "/dev/null", tenant.directory .. "/tenant.json" } do
        local ok, err = pcall(curl.new, { ca_file = path, proxy = "" })
        assert.is_false(ok)
        assert.equal("invalid", err.kind)
        assert.truthy(err.message:find('ca_file is "' .. path .. '", ', 1, true), err.message)
      end
    end)

    it("in no such file that SSL_CERT_FILE names, and says so", function()
      local script = require "tests.spec.support.process.script"
      local output = script.run([[
        local ok, err = pcall(require("mde.driver.curl").new, { proxy = "" })
        print(ok, err.kind, err.message)
      ]], { environment = { SSL_CERT_FILE = "/nonexistent/ca.pem" } })
      assert.truthy(output:find '^false\tinvalid\tSSL_CERT_FILE is "/nonexistent/ca.pem", which cannot be read', output)
    end)
  end)
end)
