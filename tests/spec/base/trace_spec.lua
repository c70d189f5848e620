-- trace: what a watcher is told, and that nobody is told a secret.
-- Labels: sanitized
local variables = require "tests.spec.support.environment"
local rehearsal = require "tests.spec.support.rehearsal"
local script = require "tests.spec.support.process.script"

local cjson = require "cjson"
local encoding = require "mde.sim.base.encoding"
local errors = require "mde.base.error"
local traces = require "mde.base.trace"

local ID = ("a1"):rep(20)
local TOKEN_PATH = "/oauth2/v2.0/token"
local MACHINES = { { id = ID, computerDnsName = "desk-1.corp.example" } }

-- A rehearsal whose client tells `events`.
local function watched(options)
  local events = {}
  options = options or {}
  options.machines, options.unguarded = MACHINES, true
  options.client = { on_event = function(event) events[#events + 1] = event end }
  return rehearsal.new(options), events
end

local function of_kind(events, kind)
  local some = {}
  for _, event in ipairs(events) do
    if event.event == kind then some[#some + 1] = event end
  end
  return some
end

-- Standard error while fn() runs.
local function standard_error(fn)
  local original, written = io.stderr, {}
  io.stderr = { write = function(_, ...) -- luacheck: ignore 122
    for _, text in ipairs { ... } do written[#written + 1] = tostring(text) end
  end }
  local ok, problem = pcall(fn)
  io.stderr = original -- luacheck: ignore 122
  if not ok then error(problem, 0) end
  return table.concat(written)
end

describe("a watcher", function()
  it("is told of every request and response, of retries and tokens, and what a change came to", function()
    local r, events = watched { latency = 0.25 }
    r:answer({ method = "POST", path = "restrict" }, 429, "", { headers = { ["Retry-After"] = "2" } })
    assert(r.client:restrict(ID, "a test", { look = false, incident = "INC-1" }))
    local kinds = {}
    for i, event in ipairs(events) do
      kinds[i] = event.event
      assert.is_true(math.abs(event.time - os.time()) < 60)
    end
    assert.same({ "request", "response", "token", "request", "response", "retry", "request", "response", "change" },
      kinds)
    local request, response, retry, change = events[4], events[5], events[6], events[9]
    assert.equal("POST", request.method)
    assert.equal("https://api.security.microsoft.com/api/machines/" .. ID .. "/restrictCodeExecution", request.url)
    assert.matches("INC%-1", request.body)
    assert.equal(429, response.status)
    assert.equal("2", response.headers["retry-after"])
    assert.is_true(math.abs(response.seconds - 0.25) < 0.001)
    assert.equal("action", response.kind)
    assert.equal(1, retry.attempt)
    assert.is_true(retry.delay >= 2 and retry.delay <= 2.2)
    assert.equal("fetched", events[3].outcome)
    assert.same({ "restrict", "accepted", ID, "INC-1", 2 }, { change.verb, change.outcome, change.machine_id,
      change.incident, change.attempts })
  end)

  it("is told why there was no response, and whether something was sent", function()
    local r, events = watched()
    r:fault { fault = "refuse", match = { nth = 2 } }
    r:fault { fault = "gone", match = { method = "POST", path = "restrict" } }
    r:answer({ path = "/machineactions" }, 403, "", { count = false })
    local _, err = r.client:restrict(ID, "a test", { look = false })
    assert.equal("unknown", err.kind)
    local responses = of_kind(events, "response")
    assert.equal("the connection was refused", responses[2].message)
    assert.is_false(responses[2].maybe_sent)
    assert.equal("connect", responses[2].code)
    assert.is_true(responses[3].maybe_sent)
  end)

  it("sees the header Authorization and the bodies for tokens redacted", function()
    local r, events = watched()
    assert(r.client:machine(ID))
    local requests, responses = of_kind(events, "request"), of_kind(events, "response")
    assert.matches("client_secret=[redacted]", requests[1].body, 1, true)
    assert.matches("grant_type=client_credentials", requests[1].body, 1, true)
    assert.matches('"access_token":"[redacted]"', responses[1].body, 1, true)
    assert.equal("Bearer [redacted]", requests[2].headers["Authorization"])
  end)

  it("cannot change what is sent", function()
    local r = rehearsal.new { machines = MACHINES, client = { on_event = function(event)
      if event.headers then event.headers["Authorization"] = "Bearer changed" end
      event.url, event.body = "https://evil.example/", "changed"
    end } }
    assert.equal("accepted", assert(r.client:restrict(ID, "a test")).outcome)
  end)

  it("may raise, which changes nothing and is told on standard error", function()
    local r = rehearsal.new { machines = MACHINES, client = { on_event = function(event)
      if event.body then error("I raise " .. event.body) end
      error({})
    end } }
    local written = standard_error(function()
      assert.equal("accepted", assert(r.client:restrict(ID, "a test")).outcome)
    end)
    assert.equal(1, r:count "action_created")
    assert.matches("on_event raised", written, 1, true)
    -- Once, however often it raises.
    assert.equal(1, select(2, written:gsub("on_event raised", "")))
    assert.is_nil(written:find(r.tenant.client_secret, 1, true))
  end)

  it("sees the beginning of a long body", function()
    local r, events = watched()
    r:answer({ method = "GET" }, 200, '{"id":"' .. ID .. '","filler":"' .. ("x"):rep(200000) .. '"}')
    assert(r.client:machine(ID))
    local response = of_kind(events, "response")[2]
    assert.is_true(#response.body < 5000)
    assert.matches('^{"id":"', response.body)
  end)
end)

describe("no secret", function()
  local SECRET = "planted ~+/=%& for the trace"
  local TOKEN = "an-opaque-token-of-no-known-form-0123456789"

  local function percent(text, form)
    return (text:gsub("[^%w]", function(c) return form:format(c:byte()) end))
  end

  local function base64(text)
    local padding = ("="):rep(-#text % 3)
    return (encoding.base64url(text):gsub("-", "+"):gsub("_", "/")) .. padding
  end

  -- Every way in which a text may be written.
  local function forms(text)
    return { text, percent(text, "%%%02X"), percent(text, "%%%02x"), (percent(text, "%%%02X"):gsub("%%20", "+")),
      base64(text), encoding.base64url(text), (text:gsub("/", "\\/")), text:sub(1, 16),
      base64("id:" .. text), base64("me" .. text .. "!") }
  end

  -- The middle of what base64 makes of a text at each of the three places where it may begin.
  local function base64_cores(text)
    return { base64(text):sub(1, 20), base64("x" .. text):sub(5, 24), base64("xx" .. text):sub(5, 24) }
  end

  local needles = {}
  for _, text in ipairs { SECRET, TOKEN } do
    for _, form in ipairs { text, percent(text, "%%%02X"), percent(text, "%%%02x"), text:sub(1, 16) } do
      needles[#needles + 1] = form
    end
    for _, core in ipairs(base64_cores(text)) do
      needles[#needles + 1] = core
      needles[#needles + 1] = core:gsub("+", "-"):gsub("/", "_")
    end
  end

  local function search(value, found, path)
    if type(value) == "table" then
      for name, field in pairs(value) do
        search(name, found, path)
        search(field, found, path .. "." .. tostring(name))
      end
      if errors.is(value) then search(tostring(value), found, path .. ":tostring") end
    elseif type(value) == "string" then
      for _, needle in ipairs(needles) do
        if value:find(needle, 1, true) then found[#found + 1] = path .. " has " .. needle end
      end
    end
  end

  -- The sign-in service gives the planted token first, and others after it.
  local function planted()
    local r, events = watched { client_secret = SECRET }
    local send, token = r.driver.send, TOKEN
    r.driver.send = function(request)
      local response, message, maybe_sent = send(request)
      local real = response and request.url:find(TOKEN_PATH, 1, true) and response.body:match '"access_token":"([^"]+)"'
      if real then
        r.tenant.tokens[token] = r.tenant.tokens[real]
        response.body = response.body:gsub('"access_token":"[^"]+"', '"access_token":"' .. token .. '"')
        token = "another-" .. token:reverse()
      end
      return response, message, maybe_sent
    end
    return r, events
  end

  local function assert_clean(...)
    local found = {}
    for i, value in ipairs { ... } do search(value, found, tostring(i)) end
    assert.same({}, found)
  end

  it("is found by a search that finds it", function()
    local found = {}
    for _, text in ipairs { SECRET, TOKEN } do
      for _, form in ipairs(forms(text)) do search({ form }, found, "x") end
    end
    assert.is_true(#found >= 18)
  end)

  it("is in an ordinary trace", function()
    local r, events = planted()
    assert(r.client:restrict(ID, "a test"))
    assert_clean(events)
    assert.is_true(#events > 6)
  end)

  it("is in an error or a trace when the service says it aloud", function()
    for _, status in ipairs { 400, 401, 403, 500 } do
      for _, text in ipairs { SECRET, TOKEN } do
        for _, form in ipairs(forms(text)) do
          local r, events = planted()
          local said = "You sent " .. form .. " to us."
          if status == 403 then said = ("API required roles: %s, application roles: %s."):format(form, form) end
          r:answer({ method = "POST", path = "restrict" }, status,
            { error = { code = form, target = form, message = said } },
            { count = false, headers = { ["X-Echo"] = said, ["mise-correlation-id"] = form } })
          local action, err = r.client:restrict(ID, "a test", { look = false })
          assert.is_nil(action)
          assert_clean(err, events)
        end
      end
    end
  end)

  it("is in an error or a trace when the service redirects with it", function()
    for _, text in ipairs { SECRET, TOKEN } do
      local r, events = planted()
      r:fault { match = { method = "GET" }, fault = "redirect",
        location = "https://x.example/?q=" .. percent(text, "%%%02X") }
      local _, err = r.client:machine(ID)
      assert.equal("protocol", err.kind)
      assert_clean(err, events)
    end
  end)

  it("is in an error or a trace when the sign-in service says it aloud", function()
    for _, form in ipairs(forms(SECRET)) do
      local r, events = planted()
      r:answer({ path = TOKEN_PATH }, 401, { error = form, trace_id = form,
        error_description = "Not good: " .. form .. "\r\nTrace ID: " .. form })
      local _, err = r.client:machine(ID)
      assert.equal("auth", err.kind)
      local _, again = r.client:machine(ID)
      assert_clean(err, again, events)
    end
  end)

  it("is in an error or a trace when the driver says it aloud", function()
    for _, text in ipairs { SECRET, TOKEN } do
      for _, form in ipairs(forms(text)) do
        local r, events = planted()
        assert(r.client:machine(ID))
        r.driver.send = function() return nil, "cannot send " .. form, true end
        local _, err = r.client:restrict(ID, "a test", { look = false })
        assert.equal("unknown", err.kind)
        assert_clean(err, events)
      end
    end
  end)

  it("is in a trace when the token before the last one is said aloud", function()
    local r, events = planted()
    assert(r.client:machine(ID))
    local send = r.driver.send
    r.driver.send = function(request)
      local response, message, maybe_sent = send(request)
      if response then response.headers["x-echo"] = TOKEN end
      return response, message, maybe_sent
    end
    r.tenant.tokens = {}
    assert(r.client:machine(ID))
    assert.equal(2, r:count "token_issued")
    assert_clean(events)
  end)
end)

describe("a log on standard error", function()
  local PROGRAM = [[
    local mde, sim = require "mde", require "mde.sim"
    local tenant = sim.new()
    local options = { driver = tenant:driver(), tenant_id = tenant.tenant_id, client_id = tenant.client_id,
      credential = tenant.client_secret, protect = { servers = false, device_values = {} }, cap = false }
    local mode = ...
    if mode == "watched" then options.on_event = function() error "no\nway \255" end end
    if mode == "bytes" then
      tenant.faults:add { match = { path = "machineactions" }, fault = "answer", status = 400,
        body = "\255\0\27\n\226\130" }
    end
    assert(assert(mde.client(options)):restrict("desk-5", "a test"))
  ]]

  local function lines_of(environment, mode)
    local output, status = script.run(PROGRAM, { environment = environment, arguments = { mode },
      build = os.getenv "MDE_BUILD" })
    assert.equal("exit 0", status, output)
    local events = {}
    for line in output:gmatch "[^\n]+" do
      assert.is_nil(line:find "[%c\127]")
      assert.equal(encoding.characters(line) and true, true)
      events[#events + 1] = cjson.decode(line)
    end
    return events
  end

  it("has one line of JSON for each event", function()
    local events = lines_of({ MDE_LOG = "json" }, "plain")
    local kinds = {}
    for i, event in ipairs(events) do
      kinds[i] = event.event
      assert.is_number(event.time)
    end
    assert.same({ "request", "response", "token", "request", "response", "request", "response", "request",
      "response", "change" }, kinds)
    assert.equal("Bearer [redacted]", events[4].headers.Authorization)
    assert.matches("client_secret=[redacted]", events[1].body, 1, true)
  end)

  it("is UTF-8 whatever bytes came", function()
    local events = lines_of({ MDE_LOG = "json" }, "bytes")
    local found
    for _, event in ipairs(events) do
      if event.status == 400 then found = event.body end
    end
    assert.equal("\\xff\0\27\n\\xe2\\x82", found)
  end)

  it("is there beside a watcher, and tells in its own way what that one raised", function()
    local events = lines_of({ MDE_LOG = "json" }, "watched")
    assert.equal("request", events[1].event)
    assert.equal("on_event raised", events[2].event)
    assert.matches("no\nway", events[2].message, 1, true)
  end)

  it("is not there unless it was asked for", function()
    assert.same({}, lines_of({ MDE_LOG = "" }, "plain"))
  end)

  it("is asked for in whatever case", function()
    for _, word in ipairs { "JSON", "Json" } do
      assert.equal(10, #lines_of({ MDE_LOG = word }, "plain"), word)
    end
  end)

  it("is refused in one line, once, where it is asked for in another way, and nothing stops for it", function()
    local output, status = script.run(PROGRAM .. "\nassert(mde.client(options))", { arguments = { "plain" },
      environment = { MDE_LOG = "ye\27[2Js" }, build = os.getenv "MDE_BUILD" })
    assert.equal("exit 0", status, output)
    assert.equal('mde: MDE_LOG is "ye\\x1b[2Js", which is no way to log; there is json. Nothing is logged. Set '
      .. "MDE_LOG=json, or leave it out.\n", output)
  end)
end)

describe("a trace", function()
  it("is off when nobody watches", function()
    finally(variables.restore)
    variables.set {}
    local trace = traces.new(nil, function() return {} end)
    assert.is_false(trace:on())
    trace:tell { event = "request", body = {} }
  end)

  it("takes headers as a driver gives them", function()
    local event
    traces.new(function(told) event = told end, function() return {} end):tell { event = "response",
      headers = { ["set-cookie"] = { "a" }, ["x-number"] = 7, ["content-type"] = "text/html" } }
    assert.same({ ["set-cookie"] = "[redacted]", ["x-number"] = "7", ["content-type"] = "text/html" }, event.headers)
  end)

  it("conceals the last two tokens, and no more", function()
    local trace = traces.new(function() end, function() return { "a-secret-of-mine" } end)
    for _, token in ipairs { "first-of-tokens", "second-of-tokens", "third-of-tokens" } do trace:conceal(token) end
    assert.equal("[redacted] first-of-tokens [redacted] [redacted]",
      trace:redact "a-secret-of-mine first-of-tokens second-of-tokens third-of-tokens")
  end)
end)
