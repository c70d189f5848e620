-- mde.driver.resty inside nginx: what stands in the way is told with the directive to set, nothing is sent to a server
-- that was not verified, and a phase that cannot wait says which can.

local connect_proxy = require "tests.spec.support.server.connect_proxy"
local nameserver = require "tests.spec.support.server.nameserver"
local nginx = require "tests.spec.support.server.nginx"
local raw_server = require "tests.spec.support.server.raw_server"
local shell = require "tests.spec.support.process.shell"
local tenants = require "tests.spec.support.server.tenant"

local SEND = 'location /send { content_by_lua_block { require("tests.hosts.nginx.service").send() } }'

local function encoded(text)
  return (text:gsub("[^%w]", function(character) return ("%%%02X"):format(character:byte()) end))
end

-- Has the nginx send a request; its answer.
local function send(server, fields)
  local parts = {}
  for name, value in pairs(fields) do parts[#parts + 1] = name .. "=" .. encoded(tostring(value)) end
  return (server.get("/send?" .. table.concat(parts, "&"), 20))
end

local function assert_says(text, ...)
  for _, part in ipairs { ... } do
    assert(text:find(part, 1, true), ("'%s' is missing in: %s"):format(part, text))
  end
end

describe("mde.driver.resty in nginx", function()
  local tenant, names

  setup(function()
    tenant, names = tenants.start(), nameserver.start()
  end)

  teardown(function()
    names.stop()
    tenant.stop()
  end)

  before_each(function() tenant.reset() end)

  local function start(changes)
    local options = { ca_file = tenant.ca_file, resolver = names.address, locations = SEND, level = "info" }
    for name, value in pairs(changes) do options[name] = value or nil end
    local server = nginx.start(options)
    finally(server.stop)
    return server
  end

  local NOT_SENT = "(maybe sent: false)"

  -- Within one machine nginx's Lua module sometimes does not know why it refused a certificate (see connection.lua), so
  -- it is asked until it does; it must refuse each time.
  local function assert_refused(server, fields, ...)
    local text
    for _ = 1, 30 do
      text = send(server, fields)
      assert_says(text, NOT_SENT)
      if not text:find("error log says why", 1, true) then break end
      assert_says(text, "code: tls_certificate")
    end
    assert_says(text, ...)
  end

  describe("without", function()
    -- What is said when a request is sent, and what stands in the error log from the start.
    local function assert_told(changes, ...)
      changes.environment = { MDE_BASE_URL = tenant.base_url }
      changes.workers = 2
      changes.http = [[init_worker_by_lua_block {
        require("mde.driver.resty").check { os.getenv "MDE_BASE_URL", os.getenv "MDE_BASE_URL" .. "/api" }
      }]]
      local server = start(changes)
      assert_refused(server, { url = tenant.base_url .. "/", method = "POST", body = "{}" }, ...)
      server.wait_for "mde: calls will fail: "
      local lines = 0
      for line in server.errors():gmatch "[^\n]+" do
        if line:find("mde: ", 1, true) then
          lines = lines + 1
          assert_says(line, "[error]")
          if not line:find("error log says why", 1, true) then assert_says(line, ...) end
        end
      end
      assert.equal(1, lines)
      assert.equal(0, #tenant.history "request")
      return server
    end

    it("a resolver it names the directive", function()
      local server = assert_told({ resolver = false }, "could not resolve host localhost", "set resolver in nginx.conf")
      assert_says(send(server, { url = tenant.base_url .. "/" }), NOT_SENT, "code: resolver")
    end)

    it("certificates to trust it names the directive", function()
      assert_told({ ca_file = false }, "certificate of localhost", "was not accepted",
        "lua_ssl_trusted_certificate in nginx.conf")
    end)

    it("a resolver the check of a client says so, for both of its hosts", function()
      local environment = {}
      for name, value in pairs(tenant.env) do environment[name] = value end
      environment.MDE_BASE_URL = "https://api.example"
      local server = start {
        resolver = false, environment = environment,
        http = [[
          init_by_lua_block { client = assert(require("mde.client").new()) }
          init_worker_by_lua_block { require("mde.driver.resty").check(client) }
        ]],
      }
      server.wait_for "mde: calls will fail: "
      local line = server.errors():match "[^\n]*mde: calls will fail[^\n]*"
      assert_says(line, "could not resolve host localhost", "could not resolve host api.example",
        "set resolver in nginx.conf")
    end)

    it("anything missing the check says nothing", function()
      local server = start {
        environment = { MDE_BASE_URL = tenant.base_url },
        http = [[init_worker_by_lua_block {
          require("mde.driver.resty").check(os.getenv "MDE_BASE_URL")
          ngx.timer.at(0.3, function() ngx.log(ngx.NOTICE, "looked around") end)
        }]],
      }
      server.wait_for "looked around"
      assert.is_nil(server.errors():find("mde:", 1, true))
    end)
  end)

  it("names the directive for a chain that is longer than allowed", function()
    local directory = shell.new_directory()
    finally(function() shell.remove(directory) end)
    assert.truthy(os.execute(([[cd DIR && {
      key="-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
      openssl req -x509 $key -days 2 -subj /CN=root -keyout 0.key -out 0.pem
      for i in 1 2 3; do
        openssl req $key -subj /CN=between-$i -keyout $i.key -out $i.csr
        printf 'basicConstraints=critical,CA:TRUE\n' >ca.ext
        openssl x509 -req -in $i.csr -CA $((i - 1)).pem -CAkey $((i - 1)).key -days 2 -extfile ca.ext -out $i.pem
      done
      openssl req $key -subj /CN=localhost -keyout leaf.key -out leaf.csr
      printf 'subjectAltName=DNS:localhost\n' >leaf.ext
      openssl x509 -req -in leaf.csr -CA 3.pem -CAkey 3.key -days 2 -extfile leaf.ext -out leaf.pem
      cat leaf.pem 3.pem 2.pem 1.pem >chain.pem
    } >log 2>&1]]):gsub("DIR", directory)))
    for depth, says in pairs { [1] = "lua_ssl_verify_depth 3", [3] = "200 it is me" } do
      local port = nginx.free_port()
      local server = start {
        ca_file = directory .. "/0.pem", verify_depth = depth,
        http = ([[server {
          listen 127.0.0.1:%d ssl;
          ssl_certificate %s/chain.pem;
          ssl_certificate_key %s/leaf.key;
          location / { return 200 "it is me"; }
        }]]):format(port, directory, directory),
      }
      local fields = { url = ("https://localhost:%d/"):format(port) }
      if depth == 1 then assert_refused(server, fields, says) else assert_says(send(server, fields), says) end
      server.stop()
    end
  end)

  describe("refuses, before a byte of the request is sent, a server", function()
    local cases = {
      ["of another name"] = { { certificate = "wrong-host" }, "issued for another name", "code: tls_name" },
      ["whose certificate has expired"] = { { certificate = "expired" }, "expired; renew it", "code: tls_expired" },
      ["signed by itself"] = { { certificate = "self-signed" }, "lua_ssl_trusted_certificate", "code: tls_untrusted" },
      ["of an unknown authority"] = { { certificate = "unknown-ca" }, "lua_ssl_trusted_certificate",
        "code: tls_untrusted" },
      ["with TLS 1.1 only"] = { { tls = "1.1" }, "TLS 1.2 or newer is required", "code: tls" },
    }
    for name, case in pairs(cases) do
      it(name, function()
        local other = tenants.start(case[1])
        local server = nginx.start { ca_file = other.ca_file, resolver = names.address, locations = SEND }
        finally(function()
          server.stop()
          other.stop()
        end)
        assert_refused(server, { url = other.base_url .. "/" }, case[2], case[3])
        assert_refused(server, { url = other.base_url .. "/", method = "POST", body = "{}" }, case[2], case[3])
        assert.equal(0, #other.history "request")
      end)
    end
  end)

  describe("with everything in place", function()
    local server

    setup(function()
      server = nginx.start { ca_file = tenant.ca_file, resolver = names.address, locations = SEND }
    end)

    teardown(function() server.stop() end)

    it("cannot verify an address, and says so", function()
      for _, host in ipairs { "127.0.0.1", "[::1]" } do
        local url = tenant.base_url:gsub("localhost", (host:gsub("%%", "%%%%"))) .. "/"
        assert_refused(server, { url = url }, "certificate of " .. host, "use the host's name", "code: tls_name")
      end
    end)

    it("is not held up by a name server that does not answer", function()
      assert_says(send(server, { url = "https://silent.invalid/", timeout = 0.3 }), NOT_SENT, "silent.invalid",
        "in time", "code: timeout")
    end)
  end)

  describe("through a proxy", function()
    local proxy, server

    setup(function()
      proxy = connect_proxy.start()
      server = nginx.start { ca_file = tenant.ca_file, resolver = names.address, locations = SEND }
    end)

    teardown(function()
      server.stop()
      proxy.stop()
    end)

    it("has a tunnel made, and verifies what is behind it", function()
      local url = ("http://proxied:opaque%%2Dword@localhost:%d/"):format(proxy.port)
      assert_says(send(server, { url = tenant.base_url .. "/", proxy = url, idle = 50 }), "404 ")
      assert_says(send(server, { url = tenant.base_url .. "/", proxy = url, idle = 50 }), "404 ")
      local authority = tenant.base_url:match "//(.+)$"
      local _, tunnels = proxy.seen():gsub("CONNECT " .. authority:gsub("%-", "%%-") .. " HTTP/1.1", "")
      assert.equal(1, tunnels)
      local elsewhere = tenant.base_url:gsub("localhost", "127.0.0.1") .. "/"
      assert_says(send(server, { url = elsewhere, proxy = url }), NOT_SENT, "certificate")
    end)

    it("uses a connection again only as long as it may have idled", function()
      local function tunnels()
        return select(2, proxy.seen():gsub("CONNECT ", ""))
      end
      local url = ("http://proxied:opaque-word@127.0.0.1:%d"):format(proxy.port)
      local before = tunnels()
      for _, idle in ipairs { 50, 5, 0, 50, 5, 0 } do
        assert_says(send(server, { url = tenant.base_url .. "/", proxy = url, idle = idle }), "404 ")
      end
      assert.equal(before + 4, tunnels())
      -- A tenth of a second is over when its turn comes again, whatever else happens on this machine.
      send(server, { url = tenant.base_url .. "/", proxy = url, idle = 0.1 })
      require("mde.posix").clock.sleep(1)
      send(server, { url = tenant.base_url .. "/", proxy = url, idle = 0.1 })
      assert.equal(before + 6, tunnels())
    end)

    for _, case in ipairs(connect_proxy.CASES) do
      it("makes of the proxy's answer what each driver does: " .. case.password, function()
        local url = ("http://proxied:%s@127.0.0.1:%d"):format(case.password, proxy.port)
        local text = send(server, { url = tenant.base_url .. "/", proxy = url, method = "POST", body = "{}" })
        if case.tunnel then return assert_says(text, "404 ") end
        assert_says(text, NOT_SENT, case.code == "proxy_auth" and "407" or "403", "127.0.0.1:" .. proxy.port,
          "code: " .. case.code)
        assert.is_nil(text:find(case.password, 1, true))
      end)
    end

    it("says of a proxy that is not there whose it is, and nothing of the password", function()
      local nobody = send(server, { url = tenant.base_url .. "/", proxy = "http://proxied:wrong-word@127.0.0.1:9" })
      assert_says(nobody, NOT_SENT, "127.0.0.1:9, the proxy on the way to localhost", "code: proxy")
      assert.is_nil(nobody:find("wrong-word", 1, true))
    end)
  end)

  it("says what is wrong with its options", function()
    local server = start {
      locations = [[
        location / { content_by_lua_block {
          for _, options in ipairs {
            { ca_file = "x" }, { parralel = 2 }, { queue = "2" }, { queue = 0 }, { parallel = 1.5 },
            { proxy = "https://proxied:opaque-word@proxy.example" }, { proxy = "http://proxied:opaque-word@" },
          } do
            ngx.say(tostring(select(2, pcall(require("mde.driver.resty").new, options))))
          end
        } }
      ]],
    }
    local text = server.get "/"
    assert_says(text, "lua_ssl_trusted_certificate in nginx.conf", "there is no option 'parralel'",
      "queue must be a number", "queue must be a whole number above 0", "parallel must be a whole number above 0",
      'option "proxy" begins with https://', 'option "proxy" is not the URL of a proxy')
    assert.equal(7, select(2, text:gsub("[^\n]+", "")))
    assert.is_nil(text:find("opaque-word", 1, true))
  end)

  it("says in each phase that cannot wait which can", function()
    local HANDLER, TIMER = "rewrite_by_lua, access_by_lua or content_by_lua", "ngx.timer.at(0, "
    local server = start {
      environment = { LUA_PATH = "" },
      http = [[
        init_by_lua_block { told = { require("tests.hosts.nginx.service").refusal() } }
        init_worker_by_lua_block {
          for _, call in ipairs { "send", "sleep", "spawn", "detach" } do
            table.insert(told, require("tests.hosts.nginx.service").refusal(call))
          end
        }
        upstream behind {
          server 127.0.0.1:1;
          balancer_by_lua_block {
            table.insert(told, require("tests.hosts.nginx.service").refusal())
            ngx.exit(502)
          }
        }
      ]],
      locations = [[
        location /all {
          set_by_lua_block $unused { table.insert(told, require("tests.hosts.nginx.service").refusal()) return "" }
          content_by_lua_block { ngx.print "x" }
          header_filter_by_lua_block { table.insert(told, require("tests.hosts.nginx.service").refusal()) }
          body_filter_by_lua_block { table.insert(told, require("tests.hosts.nginx.service").refusal()) }
          log_by_lua_block { table.insert(told, require("tests.hosts.nginx.service").refusal()) }
        }
        location /balanced { proxy_pass http://behind; }
        location /told { content_by_lua_block { ngx.print(table.concat(told, "\n")) } }
      ]],
    }
    server.get "/all"
    server.get "/balanced"
    local told = {}
    for line in server.get("/told"):gmatch "[^\n]+" do
      local phase, text = line:match "^([%l_]+): (.*)$"
      assert_says(text, "mde cannot wait in " .. phase .. "_by_lua")
      told[phase] = (told[phase] or "") .. text
    end
    assert_says(told.init, "make the client there", HANDLER)
    for _, phase in ipairs { "set", "balancer" } do assert_says(told[phase], HANDLER) end
    for _, phase in ipairs { "init_worker", "header_filter", "body_filter", "log" } do
      assert_says(told[phase], TIMER)
    end
    assert.equal(4, select(2, told.init_worker:gsub("cannot wait", "")))
  end)
end)

-- The same bytes as the curl driver is given (tests/fault/driver_wire_spec.lua), and what this one makes of them.
describe("mde.driver.resty in nginx gets", function()
  local CHUNKED = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
  local answers = {
    { "a plain answer", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", "200 ok" },
    { "interim answers", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n"
      .. "HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\nok", "201 ok" },
    { "an interim answer and nothing more", "HTTP/1.1 100 Continue\r\n\r\n", "ended early", "closed" },
    { "another protocol", "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\n\r\n", "another protocol",
      "malformed" },
    { "chunks", CHUNKED .. "1\r\no\r\n1;a=b\r\nk\r\n0\r\n\r\n", "200 ok" },
    { "chunks without an end", CHUNKED .. "2\r\nok\r\n", "ended early", "closed" },
    { "a chunk of no size", CHUNKED .. "two\r\nok\r\n0\r\n\r\n", "malformed", "malformed" },
    { "chunks that are too long", CHUNKED .. "3e9\r\n" .. ("x"):rep(1001) .. "\r\n0\r\n\r\n",
      "longer than 1000 bytes", "too_large" },
    { "a body that ends with the connection", "HTTP/1.1 200 OK\r\n\r\nok", "does not say how long it is", "malformed" },
    { "fewer bytes than announced", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok", "ended early", "closed" },
    { "more bytes than announced", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n\r\n", "200 ok" },
    { "nothing", "", "closed the connection before it answered", "closed" },
    { "half a head", "HTTP/1.1 200 OK\r\nContent-Len", "ended early", "closed" },
    { "no HTTP", "220 mail.example ESMTP\r\n", "malformed: not HTTP", "malformed" },
    { "two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok!", "malformed", "malformed" },
    { "a length beside chunks", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n"
      .. "2\r\nok\r\n0\r\n\r\n", "200 ok" },
    { "a head that does not end", "HTTP/1.1 200 OK\r\n" .. ("X-A: " .. ("a"):rep(1000) .. "\r\n"):rep(100),
      "the head is too long", "too_large" },
    { "a header of a megabyte", "HTTP/1.1 200 OK\r\nX-A: " .. ("a"):rep(1024 * 1024) .. "\r\n\r\n",
      "the head is too long", "too_large" },
    { "an encoded body", "HTTP/1.1 200 OK\r\nContent-Encoding: deflate\r\nContent-Length: 2\r\n\r\nok",
      "is encoded (deflate), which was not asked for", "malformed" },
    { "a body that says it is not encoded", "HTTP/1.1 200 OK\r\nContent-Encoding: identity\r\n"
      .. "Content-Length: 2\r\n\r\nok", "200 ok" },
  }
  local raw, names, server

  setup(function()
    raw, names = raw_server.start(), nameserver.start()
    server = nginx.start { ca_file = raw.ca_file, resolver = names.address, locations = SEND }
  end)

  teardown(function()
    server.stop()
    names.stop()
    raw.stop()
  end)

  for i, answer in ipairs(answers) do
    it(answer[1], function()
      raw.reply("answer" .. i, answer[2])
      for _, fields in ipairs { {}, { method = "POST", body = "{}" } } do
        fields.url, fields.idle = raw.base_url .. "/answer" .. i, 50
        local text = send(server, fields)
        assert_says(text, answer[3])
        if answer[4] then assert_says(text, "(maybe sent: true) code: " .. answer[4]) end
      end
    end)
  end

  it("an answer to HEAD, which has no body whatever it announces", function()
    raw.reply("head", "HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n")
    assert.equal("200 ", send(server, { url = raw.base_url .. "/head", method = "HEAD" }))
  end)
end)
