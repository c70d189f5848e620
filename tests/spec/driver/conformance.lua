-- The driver contract (lua/mde/driver/driver.md) as tests: all of it in one file, as the contract is one page.
--
--   conformance("curl", function(tenant) return curl.new { ca_file = tenant.ca_file } end, tenants.start)
--
-- `make` gives a driver that reaches the tenant; `serve` a simulated tenant with `base_url`, `env`, `history`,
-- `fault`, `clear`, `reset` and `stop`, as tests/spec/support/server/tenant.lua starts it. A driver without `spawn` is
-- tested without that. A fourth argument { never_blocks = true } is for a driver of a host that must not be blocked:
-- where it cannot suspend who calls, it raises; { plain = false } is for one that takes no requests over http.
-- { within = function(driver, fn) ... end } runs each test's body where the driver's host wants it. { raw = server } is
-- a server as tests/spec/support/server/raw_server.lua starts it, where the tests cannot start one themselves.
-- { lax = true } is for a driver of a library that reads more than RFC 9112 lets it. { share = { 2, 4 } } takes of each
-- four tests the second: where the same driver is tested in several places, which together have all of them.

-- busted gives its functions to spec files alone.
local busted = require "busted"
local describe, setup, teardown = busted.describe, busted.setup, busted.teardown
local before_each = busted.before_each
local assert = require "luassert"

local framings = require "tests.spec.driver.framings"
local raw_server = require "tests.spec.support.server.raw_server"
local clock = require("mde.posix").clock

-- luacheck: read globals unpack table.unpack (5.1 has the first, later ones the second)
local unpack = table.unpack or unpack

local LAPTOP = "1f00000000000000000000000000000000000017"
local RESTRICT = "/api/machines/" .. LAPTOP .. "/restrictCodeExecution"
local SCOPE = "https://api.securitycenter.microsoft.com/.default"

local function percent_encoded(text)
  return (text:gsub("[^%w%-._~]", function(c) return ("%%%02X"):format(c:byte()) end))
end

---@param name string
---@param make fun(tenant: table): mde.Driver
---@param serve fun(): table
---@param options { never_blocks: boolean?, plain: boolean?, within: fun(driver: mde.Driver, fn: fun())?,
--- raw: tests.raw_server?, lax: boolean?, share: integer[]? }?
return function(name, make, serve, options)
  local never_blocks = options ~= nil and options.never_blocks
  local takes_plain = options == nil or options.plain ~= false
  local within = options and options.within or function(_, body) body() end

  describe("the driver contract: " .. name, function()
    local tenant, driver
    local share, described = options and options.share or { 1, 1 }, 0

    local function it(what, body)
      described = described + 1
      if (described - share[1]) % share[2] == 0 then busted.it(what, function() within(driver, body) end) end
    end

    setup(function()
      tenant = serve()
      driver = make(tenant)
    end)

    teardown(function()
      if driver and driver.close then driver.close() end
      if tenant then tenant.stop() end
    end)

    before_each(function()
      tenant.reset()
      tenant.clear()
    end)

    local function request(method, path, changes)
      local made = {
        method = method, url = tenant.base_url .. path, headers = { Accept = "application/json" },
        timeout = 10, max_bytes = 1000000, max_idle = 50,
      }
      if method == "POST" then
        made.headers["Content-Type"] = "application/json"
        made.body = "{}"
      end
      for field, value in pairs(changes or {}) do made[field] = value end
      return made
    end

    local function token()
      local env = tenant.env
      local response = assert(driver.send(request("POST", "/" .. env.AZURE_TENANT_ID .. "/oauth2/v2.0/token", {
        headers = { ["Content-Type"] = "application/x-www-form-urlencoded" },
        body = ("grant_type=client_credentials&client_id=%s&client_secret=%s&scope=%s"):format(
          percent_encoded(env.AZURE_CLIENT_ID), percent_encoded(env.AZURE_CLIENT_SECRET), percent_encoded(SCOPE)),
      })))
      assert.equal(200, response.status)
      return response.body:match '"access_token":"([^"]+)"'
    end

    local function restrict(changes)
      local made = request("POST", RESTRICT, changes)
      made.headers = { Authorization = "Bearer " .. token(), ["Content-Type"] = "application/json" }
      made.body = '{"Comment":"conformance"}'
      return made
    end

    -- How many requests for that path reached the tenant.
    local function arrived(path)
      local count = 0
      for _, entry in ipairs(tenant.history "request") do
        if entry.path == path then count = count + 1 end
      end
      return count
    end

    -- `codes`: the reason that the driver has to give, or a list of those that are right.
    local function assert_failed(maybe_sent_is_false, codes, response, message, maybe_sent, code)
      assert.is_nil(response)
      assert.equal("string", type(message))
      assert.is_true(#message > 0)
      local is_right = false
      for _, right in ipairs(type(codes) == "table" and codes or { codes }) do is_right = is_right or code == right end
      assert(is_right, ("the code %s of: %s"):format(tostring(code), message))
      if maybe_sent_is_false then
        assert.is_false(maybe_sent)
      else
        assert.is_not_false(maybe_sent)
      end
    end

    describe("an answer", function()
      it("has a status, headers in lower case and a body", function()
        local response = assert(driver.send(request("GET", "/api/machines")))
        assert.equal(401, response.status)
        assert.equal("string", type(response.body))
        local names = 0
        for field, value in pairs(response.headers) do
          assert.equal(field:lower(), field)
          assert.equal("string", type(value))
          names = names + 1
        end
        assert.is_true(names > 0)
        assert.equal("string", type(response.headers.date))
      end)

      it("is an answer whatever its status", function()
        for _, status in ipairs { 204, 304, 404, 429, 500, 503 } do
          tenant.fault { fault = "answer", status = status, headers = { ["Retry-After"] = "7" } }
          local response = assert(driver.send(request("GET", "/api/machines")))
          assert.equal(status, response.status)
          assert.equal("7", response.headers["retry-after"])
          assert.equal("", response.body)
        end
      end)

      it("may be exactly as long as allowed, and no longer", function()
        tenant.fault { fault = "answer", body = ("x"):rep(1000), count = 2 }
        local response = assert(driver.send(request("GET", "/api/machines", { max_bytes = 1000 })))
        assert.equal(("x"):rep(1000), response.body)
        assert_failed(false, "too_large", driver.send(request("GET", "/api/machines", { max_bytes = 999 })))
      end)

      it("that redirects is returned and not followed", function()
        for _, status in ipairs { 301, 302, 307, 308 } do
          local made = restrict()
          tenant.fault { fault = "redirect", status = status, location = tenant.base_url .. "/elsewhere" }
          local response = assert(driver.send(made))
          assert.equal(status, response.status)
          assert.equal(tenant.base_url .. "/elsewhere", response.headers.location)
        end
        assert.equal(0, arrived "/elsewhere")
      end)
    end)

    describe("a request", function()
      it("is carried whole", function()
        local response = assert(driver.send(restrict()))
        assert.equal(201, response.status)
        local created = tenant.history "action_created"
        assert.equal(1, #created)
        assert.equal(LAPTOP, created[1].machine)
      end)

      it("is not changed", function()
        local made = request("POST", "/api/machines")
        assert(driver.send(made))
        assert.same(request("POST", "/api/machines"), made)
      end)

      it("that is malformed raises, and goes nowhere", function()
        local malformed = {
          { url = 17 }, { method = false }, { body = 17 }, { url = tenant.base_url .. "/a b" },
          { url = tenant.base_url .. "/a\r\nb" }, { url = tenant.base_url .. "/\0" },
          { url = tenant.base_url .. "/\195\164" },
          { headers = { Accept = "a\r\nX: b" } }, { headers = { Accept = "a\nb" } },
          { headers = { Accept = "a\0b" } }, { headers = { Accept = 17 } }, { headers = { ["A\nB"] = "c" } },
          { headers = { [17] = "c" } },
        }
        for i, changes in ipairs(malformed) do
          local ok, err = pcall(driver.send, request("GET", "/api/machines", changes))
          assert(not ok, ("malformed request %d did not raise"):format(i))
          assert.equal("string", type(err))
        end
        assert.equal(0, #tenant.history "request")
      end)

      it("goes over https or not at all", function()
        local url = tenant.base_url:gsub("^https", "http") .. "/api/machines"
        local results = { pcall(driver.send, request("GET", "/", { url = url })) }
        if results[1] then assert_failed(true, "unsupported", unpack(results, 2, 5)) end
        assert.equal(0, #tenant.history "request")
      end)
    end)

    describe("a request to a managed identity's endpoint", function()
      local function plain(changes)
        local made = request("GET", "/")
        made.url = tenant.identity_url .. "/metadata/identity/oauth2/token?api-version=2018-02-01&resource="
          .. percent_encoded(SCOPE:gsub("/.default$", ""))
        made.headers, made.plain = { Metadata = "true" }, true
        for field, value in pairs(changes or {}) do made[field] = value end
        return made
      end

      if takes_plain then
        it("goes over http, and its answer comes back", function()
          for _ = 1, 2 do
            local response = assert(driver.send(plain()))
            assert.equal(200, response.status)
            assert.truthy(response.body:find('"token_type":"Bearer"', 1, true))
          end
          assert.equal(2, #tenant.history "token_issued")
        end)

        it("keeps to the longest body and to the time-out", function()
          assert_failed(false, "too_large", driver.send(plain { max_bytes = 10 }))
          tenant.fault { fault = "stall", match = { path = "/metadata/" } }
          assert_failed(false, "timeout", driver.send(plain { timeout = 0.3 }))
        end)
      end

      it("goes nowhere else, and nothing else goes over http", function()
        for i, changes in ipairs {
          takes_plain and { url = tenant.base_url .. "/api/machines" } or { plain = false },
          { url = "http://192.0.2.1/metadata" }, { plain = "yes" },
          { url = "http://127.0.0.1.example/" }, { url = "http://identity.example/" }, { plain = false },
        } do
          local ok, response, _, maybe_sent = pcall(driver.send, plain(changes))
          assert(not ok or (response == nil and maybe_sent == false), ("request %d went somewhere"):format(i))
        end
        assert.equal(0, #tenant.history "request")
      end)
    end)

    describe("a failure before anything was sent", function()
      it("names the host that does not exist", function()
        local made = request("POST", "/", { url = "https://no-such-host.invalid/api/machines" })
        local response, message, maybe_sent, code = driver.send(made)
        assert_failed(true, "resolve", response, message, maybe_sent, code)
        assert.truthy(message:find("no-such-host.invalid", 1, true))
      end)

      for _, method in ipairs { "GET", "POST" } do
        it("is certain when the connection is refused: " .. method, function()
          tenant.fault { fault = "refuse" }
          assert_failed(true, "tls", driver.send(request(method, "/api/machines", { max_idle = 0 })))
          assert.equal(0, #tenant.history "request")
        end)

        it("is certain where nobody listens: " .. method, function()
          local made = request(method, "/", { url = "https://localhost:1/api/machines" })
          assert_failed(true, "connect", driver.send(made))
        end)
      end
    end)

    -- Each way of going wrong after the request has gone, on a new and on a reused connection: one request
    -- arrives, and the driver does not claim that it was none. Third, its code.
    local faults = {
      { "gone", { fault = "gone" }, "closed" },
      { "reset", { fault = "reset" }, "closed" },
      { "cut before the head", { fault = "cut", at = "nothing" }, "closed" },
      { "cut after the head", { fault = "cut", at = "head" }, "closed" },
      { "cut in the body", { fault = "cut", at = "half" }, "closed" },
      { "reset before the head", { fault = "cut", at = "nothing", how = "reset" }, "closed" },
      { "reset after the head", { fault = "cut", at = "head", how = "reset" }, "closed" },
      { "reset in the body", { fault = "cut", at = "half", how = "reset" }, "closed" },
      { "stalled before the head", { fault = "stall", at = "nothing" }, "timeout", timeout = 0.3 },
      { "stalled after the head", { fault = "stall", at = "head" }, "timeout", timeout = 0.3 },
      { "stalled in the body", { fault = "stall", at = "half" }, "timeout", timeout = 0.3 },
      { "slower than the time allows", { fault = "slow", interval = 0.05 }, "timeout", timeout = 0.3 },
      { "longer than announced", { fault = "wrong_length", by = 10 }, "closed" },
      { "too long", { fault = "huge", size = 4000000 }, "too_large" },
      -- Who did not ask for it need not unpack it.
      { "too long once unpacked", { fault = "gzip_bomb", size = 4000000 }, { "too_large", "malformed" } },
    }

    describe("a failure after the request has gone:", function()
      for _, fault in ipairs(faults) do
        for _, method in ipairs { "GET", "POST" } do
          for _, reused in ipairs { false, true } do
            it(("%s, %s, %s connection"):format(fault[1], method, reused and "reused" or "new"), function()
              if reused then assert(driver.send(request("GET", "/api/machines"))) end
              local path = method == "POST" and RESTRICT or "/api/machineactions"
              tenant.fault(fault[2])
              assert_failed(false, fault[3], driver.send(request(method, path, {
                timeout = fault.timeout or 10, max_idle = reused and 50 or 0,
              })))
              assert.equal(1, arrived(path))
              local after = assert(driver.send(request("GET", "/api/machines")))
              assert.equal(401, after.status)
            end)
          end
        end
      end

      it("an action that was processed is there once", function()
        local made = restrict { max_idle = 50 }
        tenant.fault { fault = "gone", match = { method = "POST" } }
        assert_failed(false, "closed", driver.send(made))
        assert.equal(1, #tenant.history "action_created")
      end)
    end)

    describe("a connection", function()
      local raw, raw_driver

      setup(function()
        raw = options and options.raw or raw_server.start()
        raw_driver = make(raw)
      end)

      teardown(function()
        if raw_driver and raw_driver.close then raw_driver.close() end
        if raw then raw.stop() end
      end)

      local function ok(body)
        return ("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s"):format(#body, body)
      end

      local function ask(path, method)
        return raw_driver.send { method = method or "GET", url = raw.base_url .. "/" .. path, headers = {},
          timeout = 10, max_bytes = 100000, max_idle = 50, body = method == "POST" and "{}" or nil }
      end

      local function connection_of(what)
        for _, line in ipairs(raw.arrived()) do
          local number, event = line:match "^(%d+) (.*)$"
          if event == what then return number end
        end
      end

      local function was_answered(what)
        local of_its_connection
        for _, line in ipairs(raw.arrived()) do
          local number, event = line:match "^(%d+) (.*)$"
          if event == what then of_its_connection = number .. " answered" end
          if line == of_its_connection then return true end
        end
      end

      -- Until all of the answer lies in this machine. `sleep`: clock.sleep stops the whole process meanwhile.
      local function wait_for_all(what, sleep)
        local tries = 0
        sleep = sleep or raw_driver.sleep or clock.sleep
        repeat
          sleep(0.01)
          tries = tries + 1
          assert.is_true(tries < 1000)
        until was_answered(what)
      end

      local CHUNKED = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
      local CHUNKS = "3\r\nodd\r\n0\r\n\r\n"

      -- Behind which nobody can know what comes. `status`: of the answer all the same; nil: it is a failure, unless it
      -- `may_be_taken` for an answer. `may_be_dropped`: what is behind it, with no more than that.
      local odd = {
        { "a second answer in the same record", { ok "odd" .. ok "stale" }, status = 200 },
        { "a second answer in the next record", { ok "odd", ok "stale" }, status = 200 },
        { "a second answer that comes late", { ok "odd", 0.05, ok "stale" }, status = 200 },
        { "a second answer behind the body, which is in a record of its own",
          { "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", "odd" .. ok "stale" }, status = 200 },
        { "a second answer, longer than a record",
          { "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", "odd" .. ok(("x"):rep(40000)) .. ok "stale" },
          status = 200 },
        { "half a second answer", { ok "odd", "HTTP/1.1 200 OK\r\nContent-" }, status = 200 },
        { "more bytes than announced", { "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", "odd!" }, status = 200 },
        { "line breaks behind the body", { ok "odd" .. "\r\n" }, status = 200 },
        { "a second answer behind chunks", { CHUNKED .. CHUNKS .. ok "stale" }, status = 200 },
        { "a second answer behind chunks in the next record", { CHUNKED .. CHUNKS, ok "stale" }, status = 200 },
        { "a second answer behind chunks, longer than a record",
          { CHUNKED, CHUNKS .. ok(("x"):rep(40000)) .. ok "stale" }, status = 200 },
        { "one byte behind chunks", { CHUNKED .. CHUNKS .. "0" }, status = 200 },
        { "a body behind 204", { "HTTP/1.1 204 No Content\r\n\r\n", ok "stale" }, status = 204 },
        { "a body behind 204 in the same record", { "HTTP/1.1 204 No Content\r\n\r\n" .. ok "stale" }, status = 204 },
        { "a body behind 304", { "HTTP/1.1 304 Not Modified\r\nContent-Length: 3\r\n\r\n" .. ok "stale" },
          status = 304 },
        { "a body behind none", { "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n" .. ok "stale" }, status = 200,
          may_be_dropped = true },
        { "a gateway's failure", { "HTTP/1.1 504 Gateway Timeout\r\nContent-Length: 3\r\n\r\nodd" }, status = 504 },
        { "a redirect", { "HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 3\r\n\r\nodd" }, status = 302 },
        { "a status that there is not", { "HTTP/1.1 999 Odd\r\nContent-Length: 3\r\n\r\nodd" }, status = 999 },
        { "HTTP/1.0", { "HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nodd" }, status = 200 },
        { "Connection: close", { "HTTP/1.1 200 OK\r\nConnection: x, Close\r\nContent-Length: 3\r\n\r\nodd" },
          status = 200 },
        { "two lengths", { "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nodd!" },
          may_be_taken = true },
        { "a length beside chunks", { "HTTP/1.1 200 OK\r\nContent-Length: 13\r\nTransfer-Encoding: chunked\r\n\r\n"
          .. CHUNKS }, status = 200 },
        { "a space before a colon", { "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nX-Odd : 1\r\n\r\nodd" },
          may_be_taken = true },
        -- libcurl has one code for it and for a connection that breaks.
        { "a chunk that is longer than its size", { CHUNKED .. "3\r\nodd!\r\n0\r\n\r\n" },
          codes = { "malformed", "closed" } },
      }

      for i, case in ipairs(odd) do
        for _, method in ipairs { "GET", "POST" } do
          it(("carries no %s after %s"):format(method, case[1]), function()
            local path = ("odd%d%s"):format(i, method)
            case[2].ends = "open"
            raw.reply("next", { ok "next", ends = "open" })
            raw.reply(path, case[2])
            local response, message, maybe_sent, code = ask(path, "POST")
            if case.status then
              assert(response, message)
              assert.equal(case.status, response.status)
            elseif not case.may_be_taken or not response then
              assert_failed(false, case.codes or "malformed", response, message, maybe_sent, code)
            end
            wait_for_all(path)
            assert.equal("next", assert(ask("next", method)).body)
            if not case.may_be_dropped then assert.not_equal(connection_of(path), connection_of "next") end
            assert.equal("next", assert(ask "next").body)
          end)
        end
      end

      -- An event loop has had no turn since, so it cannot have closed the connection.
      it("carries none after an answer that came while the process did something else", function()
        raw.reply("next", { ok "next", ends = "open" })
        raw.reply("busy", { ok "busy", 0.05, ok "stale", ends = "open" })
        assert.equal("busy", assert(ask("busy", "POST")).body)
        wait_for_all("busy", clock.sleep)
        assert.equal("next", assert(ask "next").body)
        assert.not_equal(connection_of "busy", connection_of "next")
      end)

      it("carries none when it was closed while the process did something else", function()
        raw.reply("next", { ok "next", ends = "open" })
        raw.reply("gone", { ok "gone" })
        assert.equal("gone", assert(ask("gone", "POST")).body)
        wait_for_all("gone", clock.sleep)
        clock.sleep(0.05)
        assert.equal("next", assert(ask("next", "POST")).body)
      end)

      it("is closed at once behind what cannot be understood", function()
        for i, answer in ipairs {
          "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 3\r\n\r\nodd", "HTTP/1.1 204 No Content\r\n\r\n",
          "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nX-Odd\r\n\r\nodd", CHUNKED .. CHUNKS .. "HTTP/1.1 200 OK\r\n",
        } do
          raw.reply("closed" .. i, { answer, ends = "open" })
          ask("closed" .. i)
          local sleep, tries = raw_driver.sleep or clock.sleep, 0
          repeat
            sleep(0.01)
            tries = tries + 1
            assert(tries < 1000, answer)
          until connection_of "ends"
        end
      end)

      local sound = {
        { "an answer with a length", ok "sound" },
        { "one in chunks", CHUNKED .. "3\r\nsou\r\n2;a=b\r\nnd\r\n0\r\nX-Trailer: 1\r\n\r\n" },
        { "one behind early hints", "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" .. ok "sound" },
        { "a refusal", "HTTP/1.1 400 Bad Request\r\nContent-Length: 5\r\n\r\nsound" },
      }

      for i, case in ipairs(sound) do
        it("carries another request after " .. case[1] .. ", unless that was discarded", function()
          local path = "sound" .. i
          raw.reply("after", { ok "after", ends = "open" })
          raw.reply(path, { case[2], ends = "open" })
          local response = assert(ask(path))
          assert.equal("sound", response.body)
          if not response.discard then return end
          wait_for_all(path)
          assert(ask("after", "POST"))
          assert.equal(connection_of(path), connection_of "after")
          raw.reply("after", { ok "after", ends = "open" })
          assert(ask "after").discard()
          local discarded = connection_of "after"
          raw.reply(path, { case[2], ends = "open" })
          assert.equal("sound", assert(ask(path)).body)
          assert.not_equal(discarded, connection_of(path))
        end)
      end

      it("says by its end alone where an answer ends, which is a failure: it could have been cut", function()
        for _, version in ipairs { "1.0", "1.1" } do
          for _, method in ipairs { "GET", "POST" } do
            raw.reply("endless", ("HTTP/%s 200 OK\r\nConnection: close\r\n\r\n{\"value\":[]}"):format(version))
            assert_failed(false, "malformed", ask("endless", method))
          end
        end
      end)

      for i, case in ipairs(framings) do
        it(("%s %s"):format(case.refused and "refuses" or "takes", case[1]), function()
          local path = "framing" .. i
          raw.reply("next", { ok "next", ends = "open" })
          raw.reply(path, { case[2], ends = "open" })
          local response, message, maybe_sent, code = ask(path, "POST")
          if case.refused and not (options and options.lax) then
            assert_failed(false, { "malformed", "closed" }, response, message, maybe_sent, code)
          elseif not case.refused then
            assert(response, message)
            assert.same({ 200, case.body }, { response.status, response.body })
            if not (options and options.lax) then assert.equal(case.field, response.headers["x-odd"]) end
          end
          wait_for_all(path)
          assert.equal("next", assert(ask "next").body)
          if not case.reusable then assert.not_equal(connection_of(path), connection_of "next") end
        end)
      end

      it("may bring too long a head, which is a failure", function()
        local line = "X: " .. ("a"):rep(1000) .. "\r\n"
        for _, head in ipairs { "X: " .. ("a"):rep(1024 * 1024) .. "\r\n", line:rep(1000) } do
          raw.reply("head", "HTTP/1.1 200 OK\r\n" .. head .. "Content-Length: 2\r\n\r\nok")
          assert_failed(false, "too_large", ask("head", "POST"))
        end
      end)
    end)

    describe("time", function()
      it("goes forward by what was slept", function()
        if not driver.now then return end
        local before = driver.now()
        driver.sleep(0.05)
        assert.is_true(driver.now() - before > 0.0499)
      end)
    end)

    describe("tasks", function()
      local can_spawn

      setup(function() can_spawn = make(tenant).spawn ~= nil end)

      -- Runs the functions as tasks, and returns once all have ended.
      local function together(functions)
        local gate, left = driver.gate(), #functions
        for _, fn in ipairs(functions) do
          driver.spawn(function()
            fn()
            left = left - 1
            if left == 0 then gate:open() end
          end)
        end
        assert.is_true(gate:wait(30))
      end

      it("have requests in flight beside one another", function()
        if not can_spawn then return end
        tenant.fault { fault = "stall", match = { path = "/api/machineactions" } }
        local order = {}
        together {
          function()
            assert_failed(false, "timeout", driver.send(request("GET", "/api/machineactions", { timeout = 1 })))
            order[#order + 1] = "stalled"
          end,
          function()
            for _ = 1, 3 do
              assert(driver.send(request("GET", "/api/machines")))
              order[#order + 1] = "answered"
            end
          end,
        }
        assert.same({ "answered", "answered", "answered", "stalled" }, order)
      end)

      it("can be a hundred", function()
        if not can_spawn then return end
        local functions, answers = {}, 0
        for i = 1, 100 do
          functions[i] = function()
            local response = assert(driver.send(request("GET", "/api/machines")))
            if response.status == 401 then answers = answers + 1 end
          end
        end
        together(functions)
        assert.equal(100, answers)
        assert.equal(100, arrived "/api/machines")
      end)

      it("raise where they cannot be suspended, if nothing may block", function()
        if not can_spawn or not never_blocks then return end
        local ok, err, answered
        together {
          function()
            ok, err = pcall(string.gsub, "x", "x", function() driver.send(request("GET", "/api/machines")) end)
            answered = assert(driver.send(request("GET", "/api/machineactions"))).status
          end,
        }
        assert.is_false(ok)
        assert.truthy(tostring(err):find "gsub")
        assert.equal(401, answered)
        assert.equal(0, arrived "/api/machines")
      end)

      it("block where they cannot be suspended", function()
        if not can_spawn or never_blocks then return end
        local replaced, list = nil, { 2, 1 }
        together {
          function()
            replaced = ("x"):gsub("x", function()
              return tostring(assert(driver.send(request("GET", "/api/machines"))).status)
            end)
          end,
          function()
            table.sort(list, function(a, b)
              return assert(driver.send(request("GET", "/api/machines"))).status == 401 and a < b
            end)
          end,
        }
        assert.truthy(replaced:find "^401")
        assert.same({ 1, 2 }, list)
      end)

      it("leave coroutines of the user's alone", function()
        if not can_spawn then return end
        local yields = {}
        together {
          function()
            local own = coroutine.wrap(function()
              for i = 1, 2 do
                assert(driver.send(request("GET", "/api/machines")))
                coroutine.yield(i)
              end
            end)
            yields[1], yields[2] = own(), own()
          end,
          function() assert(driver.send(request("GET", "/api/machines"))) end,
        }
        local outside = coroutine.wrap(function()
          return (assert(driver.send(request("GET", "/api/machines"))).status)
        end)
        assert.same({ 1, 2 }, yields)
        assert.equal(401, outside())
      end)

      it("can be detached, also by what was detached", function()
        if not driver.detach then return end
        local gate, order = driver.gate(), {}
        assert.is_true(driver.detach(function()
          order[#order + 1] = "begun"
          assert.is_true(driver.detach(function()
            driver.sleep(0.01)
            order[#order + 1] = tostring(assert(driver.send(request("GET", "/api/machines"))).status)
            gate:open()
          end))
        end))
        assert.is_true(gate:wait(30))
        assert.same({ "begun", "401" }, order)
      end)

      it("wait at gates", function()
        if not can_spawn then return end
        local gate, results = driver.gate(), {}
        together {
          function() results.late = gate:wait(0.01) end,
          function()
            driver.sleep(0.05)
            gate:open()
          end,
          function() results.through = gate:wait(10) end,
        }
        assert.same({ late = false, through = true }, results)
        assert.is_true(gate:wait(0))
      end)
    end)
  end)
end
