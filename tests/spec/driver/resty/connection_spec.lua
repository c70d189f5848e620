-- resty.connection: what nginx's words about a connection come to, which connection is used again, and what a proxy is
-- told. What TLS itself accepts, tests/hosts/nginx/failures_spec.lua shows.
-- Labels: not-lua5.3

local clock = require("mde.posix").clock
local fake_nginx = require "tests.spec.support.fake_nginx"
local proxies = require "mde.base.proxy"
local rehearsal = require "tests.spec.support.rehearsal"

describe("a connection in nginx", function()
  local nginx, connection, socket

  -- A socket that does what the test says, and notes what it is told.
  before_each(function()
    nginx = fake_nginx.start()
    socket = { reused = 0, sent = {}, pools = {} }
    function socket:connect(host, port, options)
      self.to = ("%s %d"):format(host, port)
      self.pools[#self.pools + 1] = options.pool
      return self.refused == nil, self.refused
    end
    function socket.settimeouts() end
    function socket:sslhandshake(_, name, verify)
      self.handshake = { name, verify }
      return self.distrusted == nil, self.distrusted
    end
    function socket:getreusedtimes()
      if self.silently_closed and self.handshake then return nil, "closed" end
      return self.reused
    end
    function socket:send(parts)
      self.sent[#self.sent + 1] = type(parts) == "table" and table.concat(parts) or parts
      return 1
    end
    function socket:receiveany()
      local piece = table.remove(self.answers, 1)
      if piece then return piece end
      return nil, "closed"
    end
    function socket:close() self.closed = true end
    nginx.socket = function() return socket end
    connection = nginx.load "connection"
  end)

  after_each(fake_nginx.stop)

  local function proxy_of(url)
    return connection.proxy(proxies.read(url, proxies.OPTION))
  end

  local function open(changes, proxy, ends)
    local target = { authority = "api.example", host = "api.example", port = 443, max_idle = 5 }
    for name, value in pairs(changes or {}) do target[name] = value end
    return connection.open(target, proxy, ends or clock.now() + 60)
  end

  it("is verified under the host's name", function()
    assert.equal(socket, open())
    assert.same({ "api.example", true }, socket.handshake)
    assert.equal("api.example 443", socket.to)
  end)

  it("that is used again has been verified", function()
    socket.reused = 1
    assert.equal(socket, open())
    assert.is_nil(socket.handshake)
  end)

  it("that is plain has nothing to verify, and goes through no proxy", function()
    assert.equal(socket, open({ plain = true, host = "127.0.0.1", port = 80 }, proxy_of "http://proxy:1"))
    assert.is_nil(socket.handshake)
    assert.equal("127.0.0.1 80", socket.to)
  end)

  it("to an address of IPv6 is asked for as nginx wants it", function()
    open { host = "2001:db8::1" }
    assert.equal("[2001:db8::1] 443", socket.to)
  end)

  it("is not begun without time", function()
    local none, message, code = open(nil, nil, clock.now() - 1)
    assert.is_nil(none)
    assert.equal("timeout", code)
    assert.matches("no connection to api.example in time", message, 1, true)
    assert.is_nil(socket.to)
  end)

  for refused, case in pairs {
    ["timeout"] = { "timeout", "in time" },
    ["no resolver defined to resolve \"api.example\""] = { "resolver", "set resolver in nginx.conf" },
    ["api.example could not be resolved (3: Host not found)"] = { "resolve", "3: Host not found" },
    ["connection refused"] = { "connect", "connection refused" },
    ["odd\27[2J"] = { "connect", "odd?[2J" },
  } do
    it("that cannot be had has a code and what to do: " .. refused:gsub("%c", "?"), function()
      socket.refused = refused
      local none, message, code = open()
      assert.is_nil(none)
      assert.equal(case[1], code)
      assert.matches("api.example", message, 1, true)
      assert.matches(case[2], message, 1, true)
    end)
  end

  for distrusted, case in pairs {
    ["timeout"] = { "timeout", "in time" }, ["handshake failed"] = { "tls", "TLS 1.2 or newer" },
    ["closed"] = { "tls", "TLS 1.2 or newer" }, ["10: certificate has expired"] = { "tls_expired", "clock" },
    ["9: certificate is not yet valid"] = { "tls_expired", "clock" },
    ["certificate host mismatch"] = { "tls_name", "issued for another name" },
    ["20: certificate host mismatch"] = { "tls_name", "issued for another name" },
    ["18: self signed certificate"] = { "tls_untrusted", "lua_ssl_trusted_certificate" },
    ["20: unable to get local issuer certificate"] = { "tls_untrusted", "lua_ssl_trusted_certificate" },
    ["22: certificate chain too long"] = { "tls_untrusted", "lua_ssl_verify_depth 3" },
  } do
    it("that is not trusted has a code and what to do, and is closed: " .. distrusted, function()
      socket.distrusted = distrusted
      local none, message, code = open()
      assert.is_nil(none)
      assert.equal(case[1], code)
      assert.matches(case[2], message, 1, true)
      assert.is_true(socket.closed)
    end)
  end

  it("whose refused certificate nginx took for a success is refused", function()
    socket.silently_closed = true
    local none, message, code = open()
    assert.is_nil(none)
    assert.equal("tls_certificate", code)
    assert.matches("error log", message, 1, true)
    assert.is_true(socket.closed)
  end)

  it("to an address says that nginx compares names only", function()
    socket.distrusted = "certificate host mismatch"
    assert.matches("use the host's name", select(2, open { host = "192.0.2.1" }), 1, true)
  end)

  describe("that is used again", function()
    it("is one that has everything in common", function()
      local proxy, other = proxy_of "http://u:p@proxy:1", proxy_of "http://u:q@proxy:1"
      socket.reused = 1
      open()
      open { host = "other.example" }
      open { port = 8443 }
      open { max_idle = 6 }
      open { plain = true }
      open(nil, proxy)
      open(nil, other)
      open()
      local seen, count = {}, 0
      for _, pool in ipairs(socket.pools) do
        if not seen[pool] then count = count + 1 end
        seen[pool] = true
        assert.is_nil(pool:find("u:p", 1, true))
      end
      assert.equal(8, #socket.pools)
      assert.equal(7, count)
      assert.equal(socket.pools[1], socket.pools[8])
    end)

    it("is none of those that were given up, and no other host's", function()
      open()
      connection.discard("api.example", 443)
      open()
      connection.discard("api.example", 8443)
      connection.discard("other.example", 443)
      open()
      assert.not_equal(socket.pools[1], socket.pools[2])
      assert.equal(socket.pools[2], socket.pools[3])
    end)
  end)

  describe("through a proxy", function()
    local proxy

    before_each(function() proxy = proxy_of "http://user:pass%40word@proxy.example:3128" end)

    it("is a tunnel to the host, verified beyond it", function()
      socket.answers = { "HTTP/1.1 200 Connection ", "established\r\n\r\n" }
      assert.equal(socket, open(nil, proxy))
      assert.equal("proxy.example 3128", socket.to)
      assert.equal("CONNECT api.example:443 HTTP/1.1\r\nHost: api.example:443\r\n"
        .. "Proxy-Authorization: Basic dXNlcjpwYXNzQHdvcmQ=\r\n\r\n", socket.sent[1])
      assert.same({ "api.example", true }, socket.handshake)
    end)

    for what, case in pairs {
      ["that wants another password"] = { "HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", "proxy_auth" },
      ["that wants another password, in a page"] =
        { "HTTP/1.1 407 No\r\nContent-Length: 5\r\n\r\n<html", "proxy_auth" },
      ["that wants another password, in a broken way"] =
        { "HTTP/1.0 407 No\r\nTransfer-Encoding: gzip\r\nContent-Length: x\r\n\r\n<html", "proxy_auth" },
      ["that refuses in a page"] = { "HTTP/1.1 403 Forbidden\r\n\r\n<html", "proxy" },
      ["that refuses"] = { "HTTP/1.1 403 Forbidden\r\n\r\n", "proxy" },
      ["that sends more than its answer"] = { "HTTP/1.1 200 OK\r\n\r\nhello", "proxy" },
      ["that speaks something else"] = { "SOCKS\r\n\r\n", "proxy" },
      ["that hangs up"] = { nil, "proxy" },
      ["that wants another protocol first"] = { "HTTP/1.1 101 Switching Protocols\r\n\r\n", "proxy" },
    } do
      it("gives none " .. what .. ", which is told without its password", function()
        socket.answers = { case[1] }
        local none, message, code = open(nil, proxy)
        assert.is_nil(none)
        assert.equal(case[2], code)
        assert.matches(code == "proxy_auth"
          and 'http://proxy.example:3128 refused the user and password in option "proxy": no way to api.example'
          or "the proxy proxy.example:3128 gave no tunnel to api.example", message, 1, true)
        assert.is_nil(message:find("pass@word", 1, true))
        assert.is_nil(message:find("pass%40word", 1, true))
        assert.is_nil(socket.handshake)
        assert.is_true(socket.closed)
      end)
    end

    it("that is not there is the proxy's fault", function()
      socket.refused = "connection refused"
      local _, message, code = open(nil, proxy)
      assert.equal("proxy", code)
      assert.matches("proxy.example:3128, the proxy on the way to api.example", message, 1, true)
    end)
  end)

  for url, expected in pairs {
    ["http://proxy.example"] = { "proxy.example", 80, "", "proxy.example" },
    ["HTTP://proxy.example:3128/"] = { "proxy.example", 3128, "", "proxy.example:3128" },
    ["http://u@proxy.example"] = { "proxy.example", 80, "Proxy-Authorization: Basic dTo=\r\n", "proxy.example" },
    ["http://a:b%40c@proxy.example"] = { "proxy.example", 80, "Proxy-Authorization: Basic YTpiQGM=\r\n",
      "proxy.example" },
    ["http://[::1]:3128"] = { "::1", 3128, "", "[::1]:3128" },
  } do
    it("may have this proxy: " .. url, function()
      local proxy = proxy_of(url)
      assert.same(expected, { proxy.host, proxy.port, proxy.authorization, proxy.authority })
    end)
  end

  for _, url in ipairs { "https://u:opaque-word@proxy.example", "socks5://u:opaque-word@proxy.example" } do
    it("has no proxy that is spoken to otherwise than by http: " .. url:match "^%w+", function()
      local err = rehearsal.refused(proxy_of, url)
      assert.equal("proxy_unsupported", err.code)
      assert.is_nil(tostring(err):find("opaque-word", 1, true))
    end)
  end

  it("is to an address or to a name", function()
    for _, host in ipairs { "192.0.2.1", "::1", "2001:db8::1" } do assert.is_true(connection.is_address(host)) end
    for _, host in ipairs { "localhost", "1.example", "api.example" } do
      assert.is_false(connection.is_address(host))
    end
  end)
end)
