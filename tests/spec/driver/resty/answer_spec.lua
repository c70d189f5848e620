-- resty.answer: one answer from a socket, whole or not at all, whatever pieces it comes in.
-- Labels: not-lua5.3

local clock = require("mde.posix").clock
local fake_nginx = require "tests.spec.support.fake_nginx"

describe("an answer", function()
  local answers

  before_each(function() answers = fake_nginx.start().load "answer" end)
  after_each(fake_nginx.stop)

  -- A socket that gives these pieces, and then this error.
  local function socket_of(pieces, err)
    local at = 0
    return {
      settimeouts = function(_, ...) for _, milliseconds in ipairs { ... } do assert(milliseconds > 0) end end,
      receiveany = function(_, most)
        at = at + 1
        if not pieces[at] then return nil, err or "closed" end
        assert(#pieces[at] <= most)
        return pieces[at]
      end,
    }
  end

  local function read(pieces, wanted, err)
    local all = { method = "GET", max_bytes = 1000, authority = "api.example" }
    for name, value in pairs(wanted or {}) do all[name] = value end
    return answers.read(socket_of(pieces, err), all, clock.now() + 60)
  end

  local LENGTH = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-A: b\r\n\r\nhello"
  local CHUNKED = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n"

  for what, text in pairs { ["with its length"] = LENGTH, ["in chunks"] = CHUNKED,
    ["behind an interim one"] = "HTTP/1.1 103 Early Hints\r\nX-B: c\r\n\r\n" .. LENGTH } do
    it("is the same in whatever two pieces it comes, and byte by byte: " .. what, function()
      for cut = 1, #text do
        local response, reusable = read { text:sub(1, cut), text:sub(cut + 1) }
        assert.equal("hello", response.body, cut)
        assert.is_true(reusable)
      end
      local letters = {}
      for letter in text:gmatch "." do letters[#letters + 1] = letter end
      assert.equal("hello", read(letters).body)
    end)

    it("that ends early at any byte is none: " .. what, function()
      for cut = 0, #text - 1 do
        local response, message, code = read(cut > 0 and { text:sub(1, cut) } or {})
        assert.is_nil(response, cut)
        assert.matches(cut == 0 and "closed the connection before it answered" or "ended early", message, 1, true)
        assert.equal("closed", code)
      end
    end)
  end

  it("keeps its connection only where nothing came behind it, and nobody closes it", function()
    assert.is_false((select(2, read { LENGTH .. "HTTP/1.1" })))
    assert.is_false((select(2, read { CHUNKED .. "x" })))
    assert.is_false((select(2, read { "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n" })))
  end)

  it("to HEAD, and one without content, has no body, whatever it announces", function()
    local head = "HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n"
    assert.equal("", read({ head }, { method = "HEAD" }).body)
    assert.equal("", read({ "HTTP/1.1 204 No Content\r\n\r\n" }).body)
  end)

  it("may be as long as allowed, and no longer", function()
    local function of(length)
      return { ("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n"):format(length), ("x"):rep(length) }
    end
    assert.equal(1000, #read(of(1000)).body)
    local chunks = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3E9\r\n" .. ("x"):rep(1001)
    for _, pieces in ipairs { of(1001), { chunks }, { "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999\r\n\r\n" } } do
      local response, message, code = read(pieces)
      assert.is_nil(response)
      assert.matches("longer than 1000 bytes", message, 1, true)
      assert.equal("too_large", code)
    end
  end)

  for what, case in pairs {
    ["another protocol"] = { "HTTP/1.1 101 Switching Protocols\r\n\r\n", "changes to another protocol" },
    ["no HTTP"] = { "SSH-2.0-OpenSSH\r\n\r\n" },
    ["no length"] = { "HTTP/1.1 200 OK\r\n\r\nhello", "does not say how long it is" },
    ["two lengths"] = { "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!" },
    ["a control character in a header"] = { "HTTP/1.1 200 OK\r\nX: \27\r\nContent-Length: 0\r\n\r\n" },
    ["a chunk that is none"] = { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n" },
  } do
    it("is malformed: " .. what, function()
      local response, message, code = read { case[1] }
      assert.is_nil(response)
      assert.matches(case[2] or "malformed", message, 1, true)
      assert.equal("malformed", code)
      assert.is_nil(message:find "[%c]")
    end)
  end

  it("that is encoded as identity is not encoded", function()
    assert.equal("hello", read({ (LENGTH:gsub("X%-A: b", "Content-Encoding: Identity")) }).body)
    local response, message, code = read { (LENGTH:gsub("X%-A: b", "Content-Encoding: br")) }
    assert.is_nil(response)
    assert.matches("encoded (br), which was not asked for", message, 1, true)
    assert.equal("malformed", code)
  end)

  it("that does not come in time, or over a connection that breaks, is none", function()
    for err, expected in pairs { timeout = { "no whole answer from api.example in time", "timeout" },
      ["connection reset\27"] = { "the connection to api.example broke: connection reset?", "closed" } } do
      local response, message, code = read({ LENGTH:sub(1, 30) }, nil, err)
      assert.is_nil(response)
      assert.same(expected, { message, code })
    end
    local response, _, code = answers.read(socket_of { LENGTH }, { method = "GET", max_bytes = 9, authority = "a" },
      clock.now() - 1)
    assert.is_nil(response)
    assert.equal("timeout", code)
  end)
end)
