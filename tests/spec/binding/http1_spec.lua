-- mde.core.http1 through the binding; the malformed heads and chunks are in tests/core/test_http1.c.
-- Labels: sanitized-each-lua
local http1 = require("mde.core").http1

describe("core.http1", function()
  describe("request_head", function()
    it("reads a head and says where the body begins", function()
      local bytes = "POST /api/x?a=b HTTP/1.1\r\nHost: localhost\r\nAccept: a\r\nACCEPT: b\r\n"
        .. "Content-Length: 4\r\n\r\nbody"
      local head, next_index = http1.request_head(bytes)
      assert.are.same({
        method = "POST", target = "/api/x?a=b", version = "1.1", body = "length", length = 4,
        headers = { host = "localhost", accept = "a, b", ["content-length"] = "4" },
      }, head)
      assert.are.equal("body", bytes:sub(next_index))
      assert.are.equal("4", tostring(head.length))
    end)

    it("begins where it is told", function()
      local bytes = "rubbishGET / HTTP/1.0\r\n\r\n"
      local head, next_index = http1.request_head(bytes, 8)
      assert.are.same({ method = "GET", target = "/", version = "1.0", body = "none", headers = {} }, head)
      assert.are.equal(#bytes + 1, next_index)
      assert.are.same({ nil, "more" }, { http1.request_head(bytes, next_index) })
      assert.has_error(function() http1.request_head(bytes, #bytes + 2) end)
      assert.has_error(function() http1.request_head(bytes, 0) end)
    end)

    it("asks for more, or says what is wrong", function()
      assert.are.same({ nil, "more" }, { http1.request_head "GET / HTTP/1.1\r\nHost: x\r\n" })
      assert.are.same({ nil, "more" }, { http1.request_head "" })
      local answer = http1.response_head "HTTP/1.1 200 OK\r\nRetry-After:\r\n 5\r\nA: b \r\n\t c\r\nA: d\r\n\r\n"
      assert.are.same({ ["retry-after"] = "5", a = "b c, d" }, answer.headers)
      assert.is_nil(answer.reusable)
      assert.are.same({ nil, "bad", "a folded line" }, { http1.request_head "GET / HTTP/1.1\r\nA: b\r\n c\r\n\r\n" })
      assert.are.same({ nil, "bad", "both Transfer-Encoding and Content-Length" }, {
        http1.request_head "GET / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
      })
      assert.are.same({ nil, "too_long", "the head is too long" }, { http1.request_head(("x"):rep(65536)) })
    end)
  end)

  describe("response_head", function()
    it("reads a head", function()
      local head, next_index = http1.response_head "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 8\r\n\r\n"
      assert.are.same({
        status = 429, reason = "Too Many Requests", version = "1.1", body = "close",
        headers = { ["retry-after"] = "8" },
      }, head)
      assert.are.equal(51, next_index)
    end)

    it("knows whether the connection can carry another request", function()
      local function reusable(bytes, method) return assert(http1.response_head(bytes, 1, method)).reusable end
      assert.is_true(reusable "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n")
      assert.is_nil(reusable "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\n")
      assert.is_nil(reusable "HTTP/1.1 503 No\r\nContent-Length: 3\r\n\r\n")
    end)

    it("knows how the body is delimited", function()
      local function body(bytes, method)
        local head = assert(http1.response_head(bytes, 1, method))
        return head.body
      end
      assert.are.equal("length", body("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", "GET"))
      assert.are.equal("none", body("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", "HEAD"))
      assert.are.equal("none", body("HTTP/1.1 204 No Content\r\n\r\n", "GET"))
      assert.are.equal("none", body("HTTP/1.1 100 Continue\r\n\r\n"))
      assert.are.equal("chunked", body("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"))
      assert.are.equal("close", body("HTTP/1.0 200 OK\r\n\r\n"))
    end)
  end)

  describe("chunks", function()
    local BODY = "5;a=b\r\nhello\r\n6\r\n world\r\n0\r\nA: b\r\n\r\n"

    it("decodes the same however the bytes are cut", function()
      for size = 1, #BODY + 4 do
        local decoder = http1.chunks(100)
        local parts, done, rest = {}, false, nil
        local bytes = BODY .. "rest"
        local at = 1
        while not done do
          local data
          data, done, rest = decoder:feed(bytes:sub(at, at + size - 1))
          parts[#parts + 1] = assert(data)
          at = at + size
        end
        assert.are.equal("hello world", table.concat(parts))
        assert.are.equal("rest", (rest or "") .. bytes:sub(at))
      end
    end)

    it("has no rest when there is none, and stays at its end", function()
      local decoder = http1.chunks(100)
      assert.are.same({ "hello world", true }, { decoder:feed(BODY) })
      assert.are.same({ "", true, "more" }, { decoder:feed "more" })
    end)

    it("refuses what is malformed or too long, and goes on refusing", function()
      local decoder = http1.chunks(10)
      local too_long = { nil, "too_long", "the body is longer than allowed" }
      assert.are.same(too_long, { decoder:feed(BODY) })
      assert.are.same(too_long, { decoder:feed "" })
      assert.are.same({ nil, "bad", "a chunk without a size" }, { http1.chunks(10):feed "x\r\n" })
    end)

    it("decodes many small chunks and large ones", function()
      local decoder = http1.chunks(2000000)
      local data, done = decoder:feed(("1\r\nx\r\n"):rep(50000) .. "f4240\r\n" .. ("y"):rep(1000000) .. "\r\n0\r\n\r\n")
      assert.is_true(done)
      assert.are.equal(("x"):rep(50000) .. ("y"):rep(1000000), data)
    end)

    it("raises for wrong arguments", function()
      assert.has_error(function() http1.chunks() end)
      assert.has_error(function() http1.chunks(-1) end)
      assert.has_error(function() http1.chunks(0 / 0) end)
      assert.has_error(function() http1.chunks(1).feed({}, "") end)
      assert.is_false(getmetatable(http1.chunks(1)))
    end)
  end)
end)
