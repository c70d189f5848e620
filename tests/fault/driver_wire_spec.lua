-- Answers that no honest server gives, byte by byte, and what the curl driver makes of each; and those that
-- are only too much.

local curl = require "mde.driver.curl"
local raw_server = require "tests.spec.support.raw_server"
local tenants = require "tests.spec.support.tenant"

local CHUNKED = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

-- `status`, `body` and `headers` of the answer, or `says`: a part of the message of the failure.
local answers = {
  { "a plain answer", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", status = 200, body = "ok" },
  { "a header that comes twice", "HTTP/1.1 200 OK\r\nX-A: 1\r\nx-a: 2\r\nContent-Length: 0\r\n\r\n",
    status = 200, body = "", headers = { ["x-a"] = "1, 2" } },
  { "100 and 103 before the answer", "HTTP/1.1 100 Continue\r\nX-A: 1\r\n\r\nHTTP/1.1 103 Early Hints\r\nX-A: 2\r\n\r\n"
    .. "HTTP/1.1 201 Created\r\nX-B: 3\r\nContent-Length: 2\r\n\r\nok",
    status = 201, body = "ok", headers = { ["x-b"] = "3" }, absent = "x-a" },
  { "an interim answer and nothing more", "HTTP/1.1 100 Continue\r\n\r\n" },
  { "another protocol", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: else\r\nConnection: upgrade\r\n\r\n" },
  { "chunks", CHUNKED .. "1\r\no\r\n1;a=b\r\nk\r\n0\r\n\r\n", status = 200, body = "ok" },
  { "a header behind the chunks", CHUNKED .. "2\r\nok\r\n0\r\nRetry-After: 9\r\n\r\n", status = 200, body = "ok",
    absent = "retry-after" },
  { "a header behind no chunk", CHUNKED .. "0\r\nRetry-After: 9\r\n\r\n", status = 200, body = "",
    absent = "retry-after" },
  { "chunks without an end", CHUNKED .. "2\r\nok\r\n" },
  { "a chunk that is cut", CHUNKED .. "9\r\nok" },
  { "a chunk of no size", CHUNKED .. "two\r\nok\r\n0\r\n\r\n" },
  { "a body that ends with the connection", "HTTP/1.1 200 OK\r\n\r\nok", status = 200, body = "ok" },
  { "fewer bytes than announced", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok", says = "ended early" },
  { "nothing", "", says = "closed the connection before it answered" },
  { "half a head", "HTTP/1.1 200 OK\r\nContent-Len" },
  { "no HTTP", "220 mail.example ESMTP\r\n" },
  { "two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok!", says = "malformed" },
  { "a length beside chunks", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n"
    .. "2\r\nok\r\n0\r\n\r\n", says = "malformed" },
  { "a folded header", "HTTP/1.1 200 OK\r\nX-A: 1\r\n 2\r\nContent-Length: 2\r\n\r\nok", says = "malformed" },
  { "a head that does not end", "HTTP/1.1 200 OK\r\n" .. ("X-A: " .. ("a"):rep(1000) .. "\r\n"):rep(100),
    says = "headers" },
  { "bytes that were never packed", "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\nok",
    says = "decompressed" },
}

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
        local response, message, maybe_sent = driver.send {
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
          assert(not message:find "[%c]", "the message has control characters")
        end
      end)
    end
  end
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
