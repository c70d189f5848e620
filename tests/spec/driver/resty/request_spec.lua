-- resty.request: the bytes of a request, and what is refused before there are any.
-- Labels: not-lua5.3

local requests = require "mde.driver.resty.request"

local HOST = "https://api.example/x"

local function read(changes)
  local given = { method = "GET", url = HOST, headers = {} }
  for name, value in pairs(changes or {}) do given[name] = value end
  return requests.read(given, 1)
end

local function bytes(changes) return table.concat(read(changes).bytes) end

describe("a request's bytes", function()
  it("are HTTP/1.1 over a connection that is kept", function()
    assert.equal("GET /x HTTP/1.1\r\nHost: api.example\r\nConnection: keep-alive\r\nAccept-Encoding: identity\r\n\r\n",
      bytes())
  end)

  it("tell how long the body is, also of an empty one where the method has one", function()
    assert.matches("Content%-Length: 2\r\n\r\n{}$", bytes { method = "POST", body = "{}" })
    for _, method in ipairs { "POST", "PUT", "PATCH" } do
      assert.matches("Content%-Length: 0\r\n\r\n$", bytes { method = method })
    end
    assert.is_nil(bytes({ method = "DELETE" }):find "Content%-Length")
    assert.matches("Content%-Length: 3\r\n\r\na\0b$", bytes { method = "POST", body = "a\0b" })
  end)

  it("have the caller's headers, and leave Accept-Encoding to him", function()
    local text = bytes { headers = { ["Accept-encoding"] = "gzip", Authorization = "Bearer x" } }
    assert.matches("\r\nAccept-encoding: gzip\r\n", text, 1, true)
    assert.matches("\r\nAuthorization: Bearer x\r\n", text, 1, true)
    assert.is_nil(text:find("identity", 1, true))
  end)

  for url, expected in pairs {
    ["https://api.example"] = { "api.example", "api.example", 443, "/" },
    ["HTTPS://API.example/a?b=c"] = { "API.example", "API.example", 443, "/a?b=c" },
    ["https://api.example:8443?q"] = { "api.example:8443", "api.example", 8443, "/?q" },
    ["https://[2001:db8::1]:99/x"] = { "[2001:db8::1]:99", "2001:db8::1", 99, "/x" },
    ["https://192.0.2.1/"] = { "192.0.2.1", "192.0.2.1", 443, "/" },
    ["https://api.example:/x"] = { "api.example:", "api.example", 443, "/x" },
  } do
    it("go to whom the URL names: " .. url, function()
      local request = read { url = url }
      assert.same({ expected[1], expected[2], expected[3], "GET " .. expected[4] },
        { request.authority, request.host, request.port, (table.concat(request.bytes):match "^(.-) HTTP/1.1\r\n") })
    end)
  end

  it("go over plain http only near, and to an address where nginx could not look localhost up", function()
    local request = read { url = "http://localhost/token", plain = true }
    assert.same({ "127.0.0.1", 80, true, "localhost" },
      { request.host, request.port, request.plain, request.authority })
    for url, host in pairs { ["http://169.254.169.254/"] = "169.254.169.254", ["http://[::1]/"] = "::1",
      ["http://A.localhost.:40342/"] = "127.0.0.1" } do
      assert.equal(host, read({ url = url, plain = true }).host)
    end
  end)

  it("have limits, by default and as they are given", function()
    local request = read()
    assert.same({ 30, 64 * 1024 * 1024, 50 }, { request.timeout, request.max_bytes, request.max_idle })
    request = read { timeout = 0, max_bytes = math.huge, max_idle = 0.5 }
    assert.same({ 0, 9007199254740991, 0.5 }, { request.timeout, request.max_bytes, request.max_idle })
  end)
end)

describe("a request that cannot be meant", function()
  local cases = {
    ["no method"] = { { method = 7 }, "method must be a string" },
    ["two words"] = { { method = "GET /" }, "not one word" },
    ["a method with a line end"] = { { method = "GET\r\n" }, "not one word" },
    ["no URL"] = { { url = false }, "url must be" },
    ["http"] = { { url = "http://api.example/" }, "must begin with https://" },
    ["https where plain is meant"] = { { plain = true }, "must begin with http://" },
    ["plain that is no flag"] = { { plain = 1 }, "plain must be a boolean" },
    ["plain to another machine"] = { { url = "http://10.0.0.1/", plain = true }, "link-local network alone" },
    ["a line end in the path"] = { { url = HOST .. "\r\nX: y" }, "at position 22" },
    ["a user"] = { { url = "https://u:p@api.example/" }, "besides host and port" },
    ["a zone"] = { { url = "http://[fe80::1%25eth0]/", plain = true }, "a zone, which nginx does not know" },
    ["headers that are none"] = { { headers = 7 }, "headers must be a table" },
    ["a header without a name"] = { { headers = { "x" } }, "not a string" },
    ["a header's name with a colon"] = { { headers = { ["a:b"] = "x" } }, "not allowed" },
    ["an empty name"] = { { headers = { [""] = "x" } }, "not allowed" },
    ["a header that is a number"] = { { headers = { a = 7 } }, "header a must be a string" },
    ["a line end in a header"] = { { headers = { a = "b\r\nc: d" } }, "line break or NUL" },
    ["a line feed alone"] = { { headers = { a = "b\nc" } }, "line break or NUL" },
    ["NUL in a header"] = { { headers = { a = "\0" } }, "line break or NUL" },
    ["Host"] = { { headers = { HOST = "x" } }, "the driver's own" },
    ["Transfer-Encoding"] = { { headers = { ["transfer-Encoding"] = "chunked" } }, "the driver's own" },
    ["Content-Length"] = { { headers = { ["Content-Length"] = "5" } }, "the driver's own" },
    ["a body that is a table"] = { { body = {} }, "body must be a string" },
    ["a negative time-out"] = { { timeout = -1 }, "timeout must not be negative" },
    ["a time-out that is no number"] = { { timeout = 0 / 0 }, "timeout must not be negative" },
    ["a time-out in words"] = { { timeout = "10" }, "timeout must be a number" },
  }
  for what, case in pairs(cases) do
    it("is refused: " .. what, function()
      assert.error_matches(function() read(case[1]) end, case[2], 1, true)
    end)
  end

  it("is refused as a whole", function()
    assert.error_matches(function() requests.read("GET", 1) end, "a request must be a table, not string")
  end)

  it("is refused without a word of its secrets", function()
    local _, err = pcall(read, { headers = { Authorization = "made-up\r\nX: y" } })
    assert.is_nil(err:find("made-up", 1, true))
  end)
end)
