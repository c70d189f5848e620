-- Answers that no honest server gives, byte by byte, and what the curl driver makes of each; and those that
-- are only too much.
-- Labels: sanitized, not-lua5.3

local certificates = require "tests.spec.support.certificates"
local curl = require "mde.driver.curl"
local nginx = require "tests.spec.support.server.nginx"
local raw_server = require "tests.spec.support.server.raw_server"
local servers = require "tests.spec.support.process.server"
local shell = require "tests.spec.support.process.shell"
local tenants = require "tests.spec.support.server.tenant"

local CHUNKED = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

-- `status`, `body` and `headers` of the answer, or the `code` of the failure and `says`, a part of its message.
local answers = {
  { "a plain answer", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", status = 200, body = "ok" },
  { "a header that comes twice", "HTTP/1.1 200 OK\r\nX-A: 1\r\nx-a: 2\r\nContent-Length: 0\r\n\r\n",
    status = 200, body = "", headers = { ["x-a"] = "1, 2" } },
  { "100 and 103 before the answer", "HTTP/1.1 100 Continue\r\nX-A: 1\r\n\r\nHTTP/1.1 103 Early Hints\r\nX-A: 2\r\n\r\n"
    .. "HTTP/1.1 201 Created\r\nX-B: 3\r\nContent-Length: 2\r\n\r\nok",
    status = 201, body = "ok", headers = { ["x-b"] = "3" }, absent = "x-a" },
  { "an interim answer and nothing more", "HTTP/1.1 100 Continue\r\n\r\n", code = "closed" },
  { "another protocol", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: else\r\nConnection: upgrade\r\n\r\n",
    code = "closed" },
  { "chunks", CHUNKED .. "1\r\no\r\n1;a=b\r\nk\r\n0\r\n\r\n", status = 200, body = "ok" },
  { "a header behind the chunks", CHUNKED .. "2\r\nok\r\n0\r\nRetry-After: 9\r\n\r\n", status = 200, body = "ok",
    absent = "retry-after" },
  { "a header behind no chunk", CHUNKED .. "0\r\nRetry-After: 9\r\n\r\n", status = 200, body = "",
    absent = "retry-after" },
  { "chunks without an end", CHUNKED .. "2\r\nok\r\n", code = "closed" },
  { "a chunk that is cut", CHUNKED .. "9\r\nok", code = "closed" },
  { "a chunk of no size", CHUNKED .. "two\r\nok\r\n0\r\n\r\n", code = "malformed" },
  { "a chunk that is longer than its size", CHUNKED .. "2\r\nok!\r\n0\r\n\r\n", says = "chunk", code = "malformed" },
  { "a line of chunks that ends in a line feed alone", CHUNKED .. "2\nok\r\n0\r\n\r\n", says = "chunk",
    code = "malformed" },
  { "a control character in a chunk extension", CHUNKED .. "2;\1\r\nok\r\n0\r\n\r\n",
    says = "a control character in a chunk extension", code = "malformed" },
  { "a body that ends with the connection", "HTTP/1.1 200 OK\r\n\r\nok", says = "does not say how long it is",
    code = "malformed" },
  { "one of HTTP/1.0", "HTTP/1.0 200 OK\r\nConnection: close\r\n\r\nok", says = "does not say how long it is",
    code = "malformed" },
  { "fewer bytes than announced", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok", says = "ended early",
    code = "closed" },
  { "nothing", "", says = "closed the connection before it answered", code = "closed" },
  { "half a head", "HTTP/1.1 200 OK\r\nContent-Len", code = "closed" },
  { "no HTTP", "220 mail.example ESMTP\r\n", says = "did not answer in HTTP/1.1", code = "malformed" },
  { "a length that is no number", "HTTP/1.1 200 OK\r\nContent-Length: two\r\n\r\nok",
    says = "did not answer in HTTP/1.1", code = "malformed" },
  { "a length with a sign", "HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nok", code = "malformed" },
  { "a length beyond all numbers", "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\nok",
    says = "malformed", code = "malformed" },
  { "line feeds alone", "HTTP/1.1 200 OK\nContent-Length: 2\n\nok", says = "malformed", code = "malformed" },
  { "a coding that is not one", "HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\nContent-Length: 2\r\n\r\nok",
    says = "malformed", code = "malformed" },
  { "chunks twice", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    status = 200, body = "ok" },
  { "a NUL in a header", "HTTP/1.1 200 OK\r\nX-A: a\0b\r\nContent-Length: 2\r\n\r\nok", code = "malformed" },
  { "too many headers", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n" .. ("Set-Cookie: a=b\r\n"):rep(140) .. "\r\nok",
    says = "too many fields", code = "malformed" },
  { "two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok!", says = "malformed",
    code = "malformed" },
  { "a length beside chunks", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n"
    .. "2\r\nok\r\n0\r\n\r\n", status = 200, body = "ok" },
  { "a folded header", "HTTP/1.1 200 OK\r\nX-A: 1\r\n 2\r\nContent-Length: 2\r\n\r\nok", status = 200, body = "ok",
    headers = { ["x-a"] = "1 2" } },
  { "a head that does not end", "HTTP/1.1 200 OK\r\n" .. ("X-A: " .. ("a"):rep(1000) .. "\r\n"):rep(100),
    says = "the headers of the answer", code = "too_large" },
  { "a header of a megabyte", "HTTP/1.1 200 OK\r\nX-A: " .. ("a"):rep(1024 * 1024) .. "\r\nContent-Length: 2\r\n\r\nok",
    says = "the headers of the answer", code = "too_large" },
  { "headers of a megabyte", "HTTP/1.1 200 OK\r\n" .. ("X-A: " .. ("a"):rep(1000) .. "\r\n"):rep(1000)
    .. "Content-Length: 2\r\n\r\nok", says = "the headers of the answer", code = "too_large" },
  { "bytes that were never packed", "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\nok",
    says = "decompressed", code = "malformed" },
}

local TEXT = ("packed "):rep(100)

local function packed()
  local pipe = assert(io.popen(("printf '%s' | gzip -c"):format(TEXT)))
  local bytes = pipe:read "*a"
  pipe:close()
  return bytes
end

local function with_length(bytes)
  return ("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%s"):format(#bytes, bytes)
end

local function in_chunks(bytes)
  local parts = { "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n" }
  for i = 1, #bytes, 3 do
    local part = bytes:sub(i, i + 2)
    parts[#parts + 1] = ("%x\r\n%s\r\n"):format(#part, part)
  end
  return table.concat(parts) .. "0\r\n\r\n"
end

for how, framed in pairs { ["with a length"] = with_length, ["in chunks"] = in_chunks } do
  local bytes = packed()
  answers[#answers + 1] = { "a packed body " .. how, framed(bytes), status = 200, body = TEXT }
  answers[#answers + 1] = { "an empty packed body " .. how, framed "", status = 200, body = "" }
  for _, missing in ipairs { 1, 4, 8, 9, #bytes - 10, #bytes - 1 } do
    answers[#answers + 1] = { ("a packed body without its last %d bytes %s"):format(missing, how),
      framed(bytes:sub(1, -missing - 1)), says = "compress", code = "malformed" }
  end
  answers[#answers + 1] = { "bytes behind a packed body " .. how, framed(bytes .. "ok"), says = "decompressed",
    code = "malformed" }
end

describe("mde.driver.curl gets", function()
  local server, driver

  setup(function()
    server = raw_server.start()
    driver = curl.new { ca_file = server.ca_file, proxy = "" }
  end)

  teardown(function()
    driver.close()
    server.stop()
  end)

  for i, answer in ipairs(answers) do
    for _, method in ipairs { "GET", "POST" } do
      it(("%s to a %s"):format(answer[1], method), function()
        local name = "answer" .. i
        server.reply(name, answer[2])
        local response, message, maybe_sent, code = driver.send {
          method = method, url = server.base_url .. "/" .. name, headers = {}, timeout = 5, max_bytes = 1000,
          max_idle = 0, body = method == "POST" and "{}" or nil,
        }
        if answer.status then
          assert(response, message)
          assert.equal(answer.status, response.status)
          assert.equal(answer.body, response.body)
          for field, value in pairs(answer.headers or {}) do assert.equal(value, response.headers[field]) end
          if answer.absent then assert.is_nil(response.headers[answer.absent]) end
        else
          assert.is_nil(response)
          assert.is_true(maybe_sent)
          if answer.says then assert(message:find(answer.says, 1, true), message) end
          assert.equal(answer.code, code, message)
          assert(not message:find "memory", message)
          assert(not message:find "[%c]", "the message has control characters")
        end
      end)
    end
  end
end)

-- The command openssl closes TLS in order, which the raw server cannot. Whether somebody did, libcurl does not tell.
describe("mde.driver.curl gets a body that ends with the connection", function()
  it("and takes it for one that could have been cut, also where TLS is closed in order", function()
    local place, port, one = shell.new_directory(), nginx.free_port(), certificates.of_localhost()
    shell.write_file(place .. "/answer", "HTTP/1.1 200 OK\r\n\r\nok")
    local server = servers.start { place = place, lines = 2, command = { "env", "-C", place, "openssl", "s_server",
      "-HTTP", "-accept", port, "-cert", one.certificate_file, "-key", one.key_file } }
    finally(function()
      server.stop()
      certificates.remove()
    end)
    assert.equal("ACCEPT", server.lines[2])
    local through = curl.new { ca_file = one.certificate_file, proxy = "" }
    local response, message, maybe_sent, code = through.send { method = "GET", headers = {}, timeout = 5,
      url = ("https://localhost:%d/answer"):format(port), max_bytes = 1000, max_idle = 5 }
    through.close()
    assert.is_nil(response)
    assert(message:find("does not say how long it is", 1, true), message)
    assert.is_true(maybe_sent)
    assert.equal("malformed", code)
  end)
end)

describe("mde.driver.curl gets too much:", function()
  local MEGABYTE = 1024 * 1024
  local tenant, driver

  setup(function()
    tenant = tenants.start()
    driver = curl.new { ca_file = tenant.ca_file, proxy = "" }
  end)

  teardown(function()
    driver.close()
    tenant.stop()
  end)

  local function peak_kilobytes()
    local file = io.open "/proc/self/status"
    local text = file:read "*a"
    file:close()
    return tonumber(text:match "VmHWM:%s*(%d+)")
  end

  for _, fault in ipairs { "huge", "gzip_bomb" } do
    it("100 MB as " .. fault .. ", and stops reading", function()
      local before = peak_kilobytes()
      tenant.fault { fault = fault, size = 100 * MEGABYTE }
      local response, message, maybe_sent = driver.send {
        method = "GET", url = tenant.base_url .. "/api/machines", headers = {}, timeout = 60, max_bytes = 256 * 1024,
        max_idle = 5,
      }
      assert.is_nil(response)
      assert.is_true(maybe_sent)
      assert.truthy(message:find("longer than 262144 bytes", 1, true))
      assert.is_true(peak_kilobytes() - before < 50 * 1024)
    end)
  end

  it("100 MB where that is allowed", function()
    tenant.fault { fault = "gzip_bomb", size = 100 * MEGABYTE }
    local response = assert(driver.send {
      method = "GET", url = tenant.base_url .. "/api/machines", headers = {}, timeout = 60,
      max_bytes = 100 * MEGABYTE, max_idle = 5,
    })
    assert.equal(100 * MEGABYTE, #response.body)
  end)
end)
