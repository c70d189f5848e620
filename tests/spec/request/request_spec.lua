-- request: what is asked of whom around one request, in which order; and what is known of it afterwards. When it is
-- sent again, request_retry_spec.lua and request_throttled_spec.lua show by a client.

local contexts = require "mde.sync.context"
local requests = require "mde.request.request"
local traces = require "mde.base.trace"

describe("a request", function()
  local time, answers, sent, events, all

  -- Answers: a response, or a function of the request that returns what a driver does.
  before_each(function()
    time, answers, sent, events = 1000, {}, {}, {}
    all = requests.new {
      driver = {
        name = "scripted",
        send = function(request)
          sent[#sent + 1] = request
          local answer = table.remove(answers, 1) or error "one request too many"
          if type(answer) == "function" then return answer(request) end
          return answer
        end,
      },
      clock = { now = function() return time end, time = function() return 1.7e9 end,
        sleep = function(seconds) time = time + seconds end },
      trace = traces.new(function(event) events[#events + 1] = event end, function() return { "made-up secret" } end),
      user_agent = "mde/test", windows = {}, reserve = 0, service_time = function() return 1.7e9 end,
    }
  end)

  local function response(status, body, headers)
    return { status = status, headers = headers or {}, body = body or "" }
  end

  -- Performs a call of this kind: its value, its error, and what is known of it.
  local function perform(fields)
    local call = { method = "GET", url = "https://api.example/x", host = "api.example", kind = "read", api = "api",
      context = contexts.new(function() return time end, 60), longest = 1000, idle = 7,
      read = function(answer)
        if answer.body == "good" then return "a value" end
        return nil, "it is not good"
      end,
      failure = function(failure)
        return { kind = "unavailable", code = failure.code or "no_answer", message = failure.message or "HTTP" }
      end }
    for name, value in pairs(fields or {}) do call[name] = value end
    return all:perform(call)
  end

  it("is sent with what the call says of it, and nothing else", function()
    answers = { response(200, "good") }
    assert.equal("a value", (perform { method = "POST", kind = "action", payload = "{}",
      content_type = "application/json", headers = { Accept = "text/csv", ["X-Own"] = "1" }, plain = true, seconds = 12,
      authorize = function() return { header = "Bearer x" } end }))
    assert.same({ method = "POST", url = "https://api.example/x", body = "{}", timeout = 12, max_bytes = 1000,
      max_idle = 7, plain = true, headers = { Accept = "text/csv", Authorization = "Bearer x",
        ["Content-Type"] = "application/json", ["User-Agent"] = "mde/test", ["X-Own"] = "1" } }, sent[1])
  end)

  describe("asks what lets it in", function()
    it("first, and is not sent without it", function()
      local value, err, info = perform { authorize = function() return nil, "no token" end }
      assert.is_nil(value)
      assert.equal("no token", err)
      assert.same({ attempts = 0 }, info)
      assert.equal(0, #sent)
    end)

    it("again if it ended while the call was confirmed", function()
      local asked = 0
      answers = { response(200, "good") }
      assert(perform {
        authorize = function()
          asked = asked + 1
          return { header = "Bearer " .. asked, expires = time + 10 }
        end,
        before_send = function()
          if asked == 1 then time = time + 11 end
          return true
        end,
      })
      assert.equal(2, asked)
      assert.equal("Bearer 2", sent[1].headers.Authorization)
    end)

    it("once where it was over from the beginning, which may be tried all the same", function()
      local asked = 0
      answers = { response(200, "good") }
      assert(perform { authorize = function()
        asked = asked + 1
        return { header = "Bearer x", expires = time - 1 }
      end })
      assert.equal(1, asked)
      assert.equal(30, sent[1].timeout)
    end)

    it("again after a first 401, which is told, and not after a second", function()
      local asked, rejected = 0, {}
      answers = { response(401, "{}"), response(401, "{}") }
      local value, err = perform {
        authorize = function()
          asked = asked + 1
          return { header = "Bearer " .. asked }
        end,
        invalidate = function(authorization, answer)
          rejected[#rejected + 1] = authorization.header .. " " .. answer.status
        end,
      }
      assert.is_nil(value)
      assert.equal(401, err.http_status)
      assert.same({ "Bearer 1 401" }, rejected)
      assert.equal(2, #sent)
    end)
  end)

  it("is not sent where what it rests on holds no longer, which is no error", function()
    local value, err, info = perform { before_send = function() return false end }
    assert.is_nil(value)
    assert.is_nil(err)
    assert.equal(0, info.attempts)
    assert.equal(0, #sent)
  end)

  it("is confirmed before each attempt", function()
    local confirmed = 0
    answers = { response(503), response(503), response(200, "good") }
    assert(perform { before_send = function()
      confirmed = confirmed + 1
      assert.equal(confirmed - 1, #sent)
      return true
    end })
    assert.equal(3, confirmed)
  end)

  it("is not sent when the time is up, and the reason is what has kept it so far", function()
    local value, err = perform { context = contexts.new(function() return time end, 0) }
    assert.is_nil(value)
    assert.equal("unavailable", err.kind)
    assert.equal("the time was up before it could be sent", err.message)
    assert.is_string(err.hint)
    answers = { function() return nil, "connection refused", false, "connect" end }
    perform { attempts_allowed = 1 }
    assert.equal("connection refused", all:trouble_of "api")
    err = select(2, perform { context = contexts.new(function() return time end, 0) })
    assert.equal("the time was up before it could be sent: connection refused", err.message)
    answers = { response(200, "good") }
    assert(perform())
    assert.is_nil(all:trouble_of "api")
  end)

  describe("is told of", function()
    it("with each answer, whatever it is, and not where there is none", function()
      local heard = {}
      answers = { response(503), function() return nil, "gone" end, response(200, "good") }
      assert(perform { heard = function(answer) heard[#heard + 1] = answer.status end })
      assert.same({ 503, 200 }, heard)
    end)

    it("in an error by the answer's status, code and id, where it has them", function()
      local body = '{"error":{"code":"BadRequest","message":"No.","target":"an-id"}}'
      answers = { response(400, body), response(400, body) }
      local _, err = perform()
      assert.same({ 400, "BadRequest", "an-id" }, { err.http_status, err.code, err.request_id })
      _, err = perform { failure = function()
        return { kind = "refused", message = "x", code = "refused", request_id = "mine" }
      end }
      assert.same({ 400, "BadRequest", "mine" }, { err.http_status, err.code, err.request_id })
      answers = { response(400, "{}"), function() return nil, "gone", false, "connect" end }
      assert.equal("no_answer", select(2, perform()).code)
      err = select(2, perform { attempts_allowed = 1 })
      assert.same({ nil, "connect" }, { err.http_status, err.code })
    end)

    it("without a secret, on one line", function()
      answers = { function() return nil, "made-up secret\27[2J", false end }
      local _, err = perform { attempts_allowed = 1 }
      assert.equal("[redacted]\\x1b[2J", err.message)
      answers = { function() return nil end }
      _, err = perform { attempts_allowed = 1 }
      assert.equal("the driver gave no reason", err.message)
    end)

    it("as a warning where it is to wait for longer than any limit", function()
      answers = { response(503, "", { ["retry-after"] = "90000" }) }
      local _, err = perform()
      local warnings = {}
      for _, event in ipairs(events) do
        if event.event == "warning" then warnings[#warnings + 1] = event.code end
      end
      assert.same({ "retry_after_too_long" }, warnings)
      assert.matches("asks to wait for 90000 seconds", err.message, 1, true)
    end)
  end)

  describe("on whose way a proxy refuses its password", function()
    local function refused() return nil, "the proxy refused it", false, "proxy_auth" end

    before_each(function() all.driver.proxy = { shown = "http://p", source = "https_proxy", everywhere = true } end)

    it("is sent once, and no other within a minute, wherever to", function()
      answers = { refused, refused, response(200, "good") }
      local value, err, info = perform { kind = "token" }
      assert.is_nil(value)
      assert.same({ "proxy_auth", 1, "not_sent" }, { err.code, info.attempts, info.class })
      time = time + 59
      for _, url in ipairs { "https://api.example/x", "https://login.example/y" } do
        err, info = select(2, perform { method = "POST", kind = "action", url = url })
        assert.same({ "proxy_auth", 1, "not_sent" }, { err.code, info.attempts, info.class })
        assert.equal("the proxy refused it; it is not asked again for a minute", err.message)
      end
      assert.equal("proxy_auth", select(3, all:probe("https://login.example/", 5, 100, 0)))
      assert.equal(1, #sent)
      time = time + 1
      assert.equal("proxy_auth", select(2, perform()).code)
      time = time + 60
      assert.equal("a value", (perform()))
    end)

    it("is sent where the proxy may not be on the way", function()
      all.driver.proxy.everywhere = false
      answers = { refused, response(200, "good"), response(200, "good") }
      perform()
      assert.equal("a value", (perform { url = "https://login.example/y", host = "login.example" }))
      assert.equal("proxy_auth", select(2, perform()).code)
      assert.equal("a value", (perform { url = "http://169.254.169.254/x", plain = true }))
      assert.equal(3, #sent)
    end)

    it("tells what to do about it, by the name of what names the proxy", function()
      local told
      answers = { refused, function() return nil, "away", false, "proxy" end,
        function() return nil, "no", false, "connect" end }
      for _, hint in ipairs { "user and password in https_proxy", "Check the proxy that https_proxy names", false } do
        told = nil
        perform { attempts_allowed = 1, failure = function(failure)
          told = failure.proxy_hint
          return { kind = "unavailable", code = "x", message = "x" }
        end }
        if hint then assert.matches(hint, told, 1, true) else assert.is_nil(told) end
        time = time + 60
      end
    end)
  end)

  describe("whose driver gives nonsense", function()
    for what, answer in pairs { ["a text"] = "200", ["no body"] = { status = 200, headers = {} }, ["no headers"] =
      { status = 200, body = "good" }, ["half a status"] = { status = 200.5, headers = {}, body = "good" } } do
      it("may have been sent, and an action is not sent again: " .. what, function()
        answers = { answer }
        local value, err, info = perform { method = "POST", kind = "action" }
        assert.is_nil(value)
        assert.matches("without status, headers or body", err.message, 1, true)
        assert.equal("driver_broken", err.code)
        assert.equal("unknown", info.class)
        assert.equal(1, info.attempts)
      end)
    end
  end)

  it("closes the connection behind an answer that nobody understands, and behind no other", function()
    local discarded
    local function answer(status, body)
      local given = response(status, body)
      given.discard = function() discarded = true end
      return given
    end
    for _, case in ipairs { { 200, "good", false }, { 200, "bad", true }, { 302, "", true }, { 404, "<html>", true },
      { 404, '{"error":{"code":"NotFound"}}', false } } do
      discarded = false
      answers = { answer(case[1], case[2]) }
      perform { attempts_allowed = 1 }
      assert.equal(case[3], discarded, case[2])
    end
  end)

  it("that only probes needs no credential, is sent once, and leaves the answer to the caller", function()
    answers = { response(503, "busy") }
    assert.equal(503, all:probe("https://login.example/", 5, 100, 0).status)
    assert.same({ Accept = "application/json", ["User-Agent"] = "mde/test" }, sent[1].headers)
    assert.equal(5, sent[1].timeout)
    answers = { function() return nil, "connection refused" end }
    local answer, message = all:probe("https://login.example/", 5, 100, 0)
    assert.is_nil(answer)
    assert.equal("connection refused", message)
  end)
end)

describe("a random number", function()
  it("is from 0 to below 1, and never the same", function()
    local seen, different = {}, 0
    for _ = 1, 100 do
      local number = requests.random()
      assert.is_true(number >= 0 and number < 1)
      if not seen[number] then different = different + 1 end
      seen[number] = true
    end
    assert.is_true(different > 90)
  end)
end)
