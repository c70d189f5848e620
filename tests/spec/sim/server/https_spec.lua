-- The tenant behind real TLS: `mde sim` as a process, reached by the curl driver and, for what no decent client sends,
-- by a bare TLS connection.
-- Labels: only-lua5.4, long
local caller = require "tests.spec.support.caller"
local curl = require "mde.driver.curl"
local json = require "mde.sim.base.json"
local shell = require "tests.spec.support.process.shell"
local socket = require "cqueues.socket"
local context = require "openssl.ssl.context"
local tenants = require "tests.spec.support.server.tenant"

local laptop = "1f00000000000000000000000000000000000017"

local tenant, driver

local function send(method, path, body, headers, changes)
  local request = { method = method, url = tenant.base_url .. path, headers = headers or {}, body = body, timeout = 20,
    max_bytes = 2 ^ 28, max_idle = 50 }
  for name, value in pairs(changes or {}) do request[name] = value end
  return driver.send(request)
end

local function token()
  local response = assert(send("POST", ("/%s/oauth2/v2.0/token"):format(tenant.env.AZURE_TENANT_ID), caller.form {
    grant_type = "client_credentials", client_id = tenant.env.AZURE_CLIENT_ID,
    client_secret = tenant.env.AZURE_CLIENT_SECRET, scope = "https://api.securitycenter.microsoft.com/.default",
  }, { ["Content-Type"] = "application/x-www-form-urlencoded" }))
  return (assert(json.decode(response.body).access_token, "no token"))
end

local function authorized(access_token)
  return { ["Authorization"] = "Bearer " .. access_token, ["Content-Type"] = "application/json" }
end

local function restrict(access_token)
  return send("POST", ("/api/machines/%s/restrictCodeExecution"):format(laptop), '{"Comment":"x"}',
    authorized(access_token))
end

-- Sends bytes as they are over a TLS connection of its own; what comes back until the server closes.
local function send_bytes(bytes, close)
  local connection = socket.connect("127.0.0.1", tonumber(tenant.base_url:match "%d+$"))
  connection:onerror(function(_, _, code) return code end)
  connection:setmode("bn", "bn")
  assert(connection:starttls(context.new "TLS", 10))
  connection:xwrite(bytes, "bn", 10)
  if close then
    connection:close()
    return
  end
  local parts = {}
  while true do
    local part = connection:xread(-65536, "bn", 10)
    if not part then break end
    parts[#parts + 1] = part
  end
  connection:close()
  return table.concat(parts)
end

describe("a served tenant", function()
  setup(function()
    tenant = tenants.start {}
    driver = curl.new { ca_file = tenant.ca_file, proxy = "" }
  end)

  teardown(function()
    driver.close()
    tenant.stop()
  end)

  before_each(function() tenant.reset() end)

  it("gives tokens, machines and actions", function()
    local access_token = token()
    local response = assert(send("GET", "/api/machines?$filter=" .. caller.escape "computerDnsName eq 'desk-5'", nil,
      authorized(access_token)))
    assert.equal(200, response.status)
    assert.equal("desk-5", json.decode(response.body).value[1].computerDnsName)
    response = assert(restrict(access_token))
    assert.equal(201, response.status)
    local id = json.decode(response.body).id
    tenant.advance(2)
    response = assert(send("GET", "/api/machineactions/" .. id, nil, authorized(access_token)))
    assert.equal("Succeeded", json.decode(response.body).status)
    local created = tenant.history "action_created"
    assert.equal(1, #created)
    assert.same({ id, laptop, "x" }, { created[1].action, created[1].machine, created[1].comment })
    assert.equal(2, #tenant.history "action_changed")
  end)

  it("keeps connections", function()
    local bytes = send_bytes("GET /api/machines HTTP/1.1\r\nHost: x\r\n\r\n"
      .. "POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"
      .. "POST /nowhere HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
      .. "GET /api/machines HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    local statuses = {}
    for status in bytes:gmatch "HTTP/1%.1 (%d+)" do statuses[#statuses + 1] = status end
    assert.same({ "401", "404", "404", "401" }, statuses)
  end)

  it("answers the API in chunks, with a date", function()
    local bytes = send_bytes("GET /api/machines HTTP/1.1\r\nHost: x\r\n\r\n"
      .. "GET /api/machines HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert.truthy(bytes:find("\r\nTransfer-Encoding: chunked\r\n", 1, true))
    assert.truthy(bytes:find("\r\nDate: %a%a%a, "))
    assert.truthy(bytes:find("\r\nWww-Authenticate: Bearer\r\n", 1, true))
  end)

  describe("with a long list", function()
    -- The head and the body.
    local function list(access_token, encodings, query)
      local bytes = send_bytes(("GET /api/machines?%s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n%s"
        .. "Connection: close\r\n\r\n"):format(query or "", access_token,
        encodings and ("Accept-Encoding: %s\r\n"):format(encodings) or ""))
      return bytes:match "^(.-\r\n\r\n)(.*)$"
    end

    it("packs it for one who takes gzip, and for nobody else", function()
      local access_token = token()
      local head, plain = list(access_token)
      assert.is_nil(head:find("Content-Encoding", 1, true))
      for _, encodings in ipairs { "identity", "deflate, br", "gzip;q=0", "gzip; q=0.0", "x-gzip" } do
        local other_head, body = list(access_token, encodings)
        assert.is_nil(other_head:find("Content-Encoding", 1, true), encodings)
        assert.equal(#plain, #body)
      end
      for _, encodings in ipairs { "gzip", "deflate, gzip", "gzip;q=0.5, identity", "br,gzip ; q=1" } do
        local packed_head, packed = list(access_token, encodings)
        assert.truthy(packed_head:find("\r\nContent-Encoding: gzip\r\n", 1, true), encodings)
        assert.truthy(packed_head:find("\r\nVary: Accept-Encoding\r\n", 1, true))
        assert.is_true(#packed < #plain / 2)
      end
      local short_head = list(access_token, "gzip", "$top=1")
      assert.is_nil(short_head:find("Content-Encoding", 1, true))
    end)

    it("tells the same to one who unpacks it", function()
      local access_token = token()
      local _, plain = list(access_token)
      local response = assert(send("GET", "/api/machines", nil, authorized(access_token)))
      assert.equal("gzip", response.headers["content-encoding"])
      assert.is_true(plain == response.body)
    end)

    it("breaks off what is packed, too", function()
      local access_token = token()
      for _, rule in ipairs { { fault = "cut" }, { fault = "wrong_length", by = 10 } } do
        rule.match = { path = "/api/machines" }
        tenant.fault(rule)
        assert.is_nil(send("GET", "/api/machines", nil, authorized(access_token)))
        assert.equal(1, tenant.faults()[1].applied)
        tenant.clear()
      end
      assert.equal(200, send("GET", "/api/machines", nil, authorized(access_token)).status)
    end)
  end)

  it("sends no body to one who asks for the head alone", function()
    local path = ("/%s/oauth2/v2.0/token"):format(tenant.env.AZURE_TENANT_ID)
    local bytes = send_bytes("HEAD " .. path .. " HTTP/1.1\r\nHost: x\r\n\r\n"
      .. "HEAD /sim/history HTTP/1.1\r\nHost: x\r\n\r\n"
      .. "HEAD /api/machines HTTP/1.1\r\nHost: x\r\n\r\n"
      .. "GET /nowhere HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    local statuses, rest = {}, bytes
    while rest ~= "" do
      local status, after = rest:match "^HTTP/1%.1 (%d+) .-\r\n\r\n(.*)$"
      assert.is_string(status, rest)
      statuses[#statuses + 1], rest = status, after
    end
    assert.same({ "405", "404", "405", "404" }, statuses)
  end)

  it("does not ask for a body that it would not take", function()
    local bytes = send_bytes("POST /sim/clock HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
      .. "Content-Length: 99999999\r\n\r\n")
    assert.truthy(bytes:find "^HTTP/1%.1 413 ")
  end)

  it("asks for the body of one who waits to be asked", function()
    local bytes = send_bytes("POST /sim/clock HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 13\r\n"
      .. "Connection: close\r\n\r\n{\"advance\":0}")
    assert.truthy(bytes:find("^HTTP/1%.1 100 Continue\r\n\r\nHTTP/1%.1 200 OK\r\n"))
  end)

  it("closes after an HTTP/1.0 request", function()
    assert.truthy(send_bytes("GET /nowhere HTTP/1.0\r\n\r\n"):find("\r\nConnection: close\r\n", 1, true))
  end)

  local nonsense = {
    { "no HTTP", "\0\255\1 rubbish\r\n\r\n", "400" },
    { "a bare line feed", "GET / HTTP/1.1\nHost: x\n\n", "400" },
    { "two lengths", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", "400" },
    { "length and chunks", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
      "400" },
    { "a broken chunk", "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "400" },
    { "no host", "GET / HTTP/1.1\r\n\r\n", "400" },
    { "two hosts", "GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", "400" },
    { "too many chunks", "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
      .. ("10000\r\n" .. ("x"):rep(65536) .. "\r\n"):rep(65), "413" },
    { "too long a body", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n", "413" },
    { "an endless head", "GET / HTTP/1.1\r\nHost: x\r\nA: " .. ("a"):rep(70000), "4%d%d" },
  }
  for _, case in ipairs(nonsense) do
    it("survives " .. case[1], function()
      local bytes = send_bytes(case[2])
      assert.truthy(bytes:find("^HTTP/1%.1 " .. case[3]), bytes:sub(1, 40))
      assert.truthy(bytes:find("Connection: close", 1, true))
      assert.equal(401, send("GET", "/api/machines").status)
    end)
  end

  it("serves others while some never finish", function()
    local port, idle = tonumber(tenant.base_url:match "%d+$"), {}
    for i = 1, 60 do
      local one = socket.connect("127.0.0.1", port)
      one:onerror(function(_, _, code) return code end)
      one:setmode("bn", "bn")
      if i % 3 == 0 then
        assert(one:connect(10))
      else
        assert(one:starttls(context.new "TLS", 10))
        if i % 3 == 1 then one:xwrite("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nx", "bn", 10) end
      end
      idle[i] = one
    end
    assert.equal(401, send("GET", "/api/machines").status)
    for _, one in ipairs(idle) do one:close() end
    assert.equal(401, send("GET", "/api/machines").status)
    assert.equal("", tenant.errors())
  end)

  it("survives those who leave in the middle", function()
    send_bytes("POST /api/machines HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc", true)
    send_bytes("GET /api/mach", true)
    send_bytes("", true)
    local bare = socket.connect("127.0.0.1", tonumber(tenant.base_url:match "%d+$"))
    bare:onerror(function(_, _, code) return code end)
    bare:xwrite("GET / HTTP/1.1\r\n\r\n", "bn", 10)
    bare:close()
    assert.equal(401, send("GET", "/api/machines").status)
    assert.equal("", tenant.errors())
  end)

  it("serves a hundred at once", function()
    local gate, statuses, done = driver.gate(), {}, 0
    for i = 1, 100 do
      driver.spawn(function()
        local response, message = send("GET", "/api/machines")
        statuses[i] = response and response.status or message
        done = done + 1
        if done == 100 then gate:open() end
      end)
    end
    assert.is_true(gate:wait(30))
    for i = 1, 100 do assert.equal(401, statuses[i]) end
    assert.equal(100, #tenant.history "request")
  end)

  ---- control

  it("is controlled without a token, on its own port too", function()
    local response = assert(send("GET", "/sim/history"))
    assert.same({ history = {} }, json.decode(response.body))
    assert.equal(404, send("GET", "/sim/nothing").status)
    assert.equal(400, send("POST", "/sim/faults", "nonsense").status)
    response = assert(send("POST", "/sim/machines", '{"nickname":"x"}'))
    assert.equal(400, response.status)
    assert.truthy(response.body:find("nickname", 1, true))
    assert.same({}, tenant.history())
  end)

  it("takes machines, actions, applications and settings over the wire", function()
    local access_token = token()
    local machine = tenant.machine { computerDnsName = "wired.corp.example", offline = true }
    local action = tenant.action { type = "Isolate", machineId = machine, requestorComment = "by hand" }
    local response = send("GET", ("/api/machineactions?$filter=machineId%%20eq%%20'%s'"):format(machine), nil,
      authorized(access_token))
    assert.same({ action, "by hand" },
      { json.decode(response.body).value[1].id, json.decode(response.body).value[1].requestorComment })
    tenant.application { client_id = "other", client_secret = "x", roles = {} }
    tenant.set { duplicates = "active_request", limits = { per_minute = 2, per_hour = 2 } }
    assert.equal(201, restrict(access_token).status)
    assert.equal(400, restrict(access_token).status)
    assert.equal(429, restrict(access_token).status)
    assert.has_error(function() tenant.set { duplicates = "sometimes" } end)
  end)

  it("lets tokens expire", function()
    local access_token = token()
    assert.equal(200, send("GET", "/api/machines", nil, authorized(access_token)).status)
    tenant.advance(3600)
    assert.equal(401, send("GET", "/api/machines", nil, authorized(access_token)).status)
  end)

  ---- faults

  it("acts once and hangs up on a connection that was used before", function()
    local access_token = token()
    tenant.fault { fault = "gone", match = { method = "POST" } }
    local response, _, maybe_sent = restrict(access_token)
    assert.is_nil(response)
    assert.are_not.equal(false, maybe_sent)
    assert.equal(1, #tenant.history "action_created")
    local requests = tenant.history "request"
    assert.same({ "gone", 201 }, { requests[#requests].fault, requests[#requests].status })
  end)

  local failures = {
    { { fault = "reset" }, 0 }, { { fault = "cut" }, 1 }, { { fault = "cut", at = "head" }, 1 },
    { { fault = "cut", at = "nothing" }, 1 }, { { fault = "cut", how = "reset" }, 1 },
    { { fault = "wrong_length" }, 1 }, { { fault = "stall" }, 1 }, { { fault = "stall", at = "head" }, 1 },
    { { fault = "stall", at = "half" }, 1 }, { { fault = "slow" }, 1 },
    { { fault = "huge" }, 1 }, { { fault = "gzip_bomb" }, 1 },
  }
  for _, case in ipairs(failures) do
    it("goes wrong by " .. json.encode(case[1]), function()
      local access_token = token()
      local rule = { match = { method = "POST", path = "restrictCodeExecution" } }
      for name, value in pairs(case[1]) do rule[name] = value end
      tenant.fault(rule)
      local headers = authorized(access_token)
      headers["Accept-Encoding"] = "gzip"
      local response = send("POST", ("/api/machines/%s/restrictCodeExecution"):format(laptop), '{"Comment":"x"}',
        headers, { timeout = 0.5, max_bytes = 1e6 })
      if case[1].fault == "gzip_bomb" then
        -- Whether it is inflated is the client's choice; it is never a good answer.
        assert.is_true(response == nil or response.headers["content-encoding"] == "gzip")
      else
        assert.is_nil(response)
      end
      assert.equal(case[2], #tenant.history "action_created")
      assert.equal(1, tenant.faults()[1].applied)
      -- One that was carried out, though its answer was lost, is in the way of a second.
      assert.equal(case[2] == 1 and 400 or 201, restrict(access_token).status)
      assert.equal(1, #tenant.history "action_created")
    end)
  end

  it("resets where it was told to reset", function()
    tenant.fault { fault = "reset" }
    local connection = socket.connect("127.0.0.1", tonumber(tenant.base_url:match "%d+$"))
    local seen
    connection:onerror(function(_, _, code)
      seen = code
      return code
    end)
    connection:setmode("bn", "bn")
    assert(connection:starttls(context.new "TLS", 10))
    connection:xwrite("GET / HTTP/1.1\r\nHost: x\r\n\r\n", "bn", 10)
    repeat until not connection:xread(-65536, "bn", 10)
    connection:close()
    assert.equal(require("cqueues.errno").ECONNRESET, seen)
  end)

  it("inflates a gzip bomb to the size that was told", function()
    tenant.fault { fault = "gzip_bomb", size = 700001 }
    local bytes = send_bytes "GET /api/machines HTTP/1.1\r\nHost: x\r\n\r\n"
    local head, body = bytes:match "^(.-\r\n\r\n)(.*)$"
    assert.truthy(head:find("Content-Encoding: gzip", 1, true))
    assert.equal(("Content-Length: %d"):format(#body), head:match "Content%-Length: %d+")
    local name = os.tmpname()
    local file = assert(io.open(name, "wb"))
    file:write(body)
    file:close()
    local pipe = assert(io.popen(("gzip -dc <%s | wc -c; gzip -t <%s && echo whole"):format(name, name)))
    assert.same({ "700001", "whole" }, { pipe:read("*l"):match "%d+", pipe:read "*l" })
    pipe:close()
    os.remove(name)
  end)

  it("sends as much as it was told", function()
    tenant.fault { fault = "huge", size = 3000001 }
    assert.equal(3000001, #send("GET", "/api/machines").body)
  end)

  it("says too short a length", function()
    tenant.fault { fault = "wrong_length", by = -10 }
    local bytes = send_bytes "GET /api/machines HTTP/1.1\r\nHost: x\r\n\r\n"
    local head, body = bytes:match "^(.-\r\n\r\n)(.*)$"
    assert.equal(#body - 10, tonumber(head:match "Content%-Length: (%d+)"))
  end)

  it("redirects and answers as it was told", function()
    tenant.fault { fault = "redirect", location = "https://elsewhere.example/x" }
    tenant.fault { fault = "answer", status = 429, headers = { ["Retry-After"] = "7", ["content-type"] = "text/html" },
      body = "<html>" }
    local response = assert(send("GET", "/api/machines"))
    assert.same({ 302, "https://elsewhere.example/x" }, { response.status, response.headers["location"] })
    response = assert(send("GET", "/api/machines"))
    assert.same({ 429, "7", "text/html", "<html>" }, { response.status, response.headers["retry-after"],
      response.headers["content-type"], response.body })
  end)

  it("refuses connections", function()
    tenant.fault { fault = "refuse" }
    local other = socket.connect("127.0.0.1", tonumber(tenant.base_url:match "%d+$"))
    other:onerror(function(_, _, code) return code end)
    assert.is_falsy((other:starttls(context.new "TLS", 10)))
    other:close()
    assert.equal(1, tenant.faults()[1].applied)
    assert.same({}, tenant.history())
    assert.equal(401, send("GET", "/api/machines").status)
  end)
end)

describe("mde sim", function()
  local command = "env"
  for name, value in pairs(shell.lua_environment()) do command = ("%s %s='%s'"):format(command, name, value) end
  command = command .. " lua5.4 lua/mde/cli/mde.lua"

  local function run(arguments)
    return shell.output_of(("%s sim %s 2>&1; echo \"status $?\""):format(command, arguments))
  end

  it("makes what is missing and prints the environment, the same each time", function()
    local directory = shell.new_directory()
    local home = directory .. "/it's here"
    local first = run(("--print-env --port 77 --dir \"%s\""):format(home))
    assert.equal(first, run(("--print-env --port 77 --dir \"%s\""):format(home)))
    assert.truthy(first:find("export MDE_BASE_URL='https://localhost:77'\n", 1, true))
    assert.truthy(first:find("export AZURE_AUTHORITY_HOST='https://localhost:77/'\n", 1, true))
    assert.truthy(first:find("it'\\''s here/ca.pem'\n", 1, true))
    assert.truthy(first:find("status 0\n", 1, true))
    assert.truthy(run(("--print-env --dir \"%s\""):format(home)):find("localhost:8443'", 1, true))
    -- What eval makes of it is what was meant.
    local secret = shell.output_of(("eval \"$(%s sim --print-env --dir \"%s\")\"; "
      .. "printf '%%s' \"$AZURE_CLIENT_SECRET\""):format(command, home))
    local file = assert(io.open(home .. "/tenant.json"))
    assert.is_true(json.decode(file:read "*a").client_secret == secret)
    file:close()
    local modes = assert(io.popen(("stat -c '%%a %%n' \"%s\" \"%s\"/*"):format(home, home)))
    for line in modes:lines() do
      assert.equal(line:find "/it's here$" and "700" or "600", line:match "^%d+")
    end
    modes:close()
    shell.remove(directory)
  end)

  it("notes its port while it runs", function()
    local running = tenants.start {}
    local printed = run("--print-env --dir " .. running.directory)
    assert.truthy(printed:find(("MDE_BASE_URL='%s'"):format(running.base_url), 1, true))
    os.execute(("kill %d"):format(running.pid))
    -- Its standard output ends when the process does, and the port is forgotten before that.
    assert.has_error(function()
      while true do running.history() end
    end)
    assert.truthy(run("--print-env --dir " .. running.directory):find("localhost:8443'", 1, true))
    running.stop()
  end)

  it("says who has its port, and what to do", function()
    local running = tenants.start {}
    local port = running.base_url:match "%d+$"
    for _, option in ipairs { "--port", "--port 0 --control-port" } do
      local text = run(("%s %s --dir \"$(mktemp -d)\""):format(option, port))
      assert.truthy(text:find(("mde sim: port %s cannot be bound: Address already in use. Something else listens "
        .. "there: stop it, or choose another port.\n"):format(port), 1, true), text)
      assert.truthy(text:find("status 1\n", 1, true))
    end
    running.stop()
  end)

  it("starts again where it was killed", function()
    local running = tenants.start {}
    local port = running.base_url:match "%d+$"
    os.execute(("kill -9 %d"):format(running.pid))
    assert.has_error(function()
      while true do running.history() end
    end)
    assert.truthy(run("--print-env --dir " .. running.directory):find("localhost:8443'", 1, true))
    local text = run(("--port %s --until-eof --dir %s </dev/null"):format(port, running.directory))
    assert.truthy(text:find(("https://localhost:%s serves"):format(port), 1, true), text)
    running.stop()
  end)

  it("refuses what it does not understand", function()
    assert.truthy(run("--port x"):find("status 1\n", 1, true))
    assert.truthy(run("--nonsense"):find("status 1\n", 1, true))
    assert.truthy(run("--dir /proc/nowhere"):find("status 1\n", 1, true))
    assert.truthy(run("--port 0 --offline nobody --dir \"$(mktemp -d)\""):find("no machine 'nobody'", 1, true))
  end)

  it("has the machines of a fixture, and the settings", function()
    local path = os.tmpname()
    local file = assert(io.open(path, "w"))
    file:write [[{ machines = { { computerDnsName = "mine.corp.example" } }, roles = { "Machine.ReadWrite.All" },
      lists = { skip = "ignored" }, limits = { per_minute = 7 } }]]
    file:close()
    local served = "--port 0 --fixture %s --offline mine.corp.example --until-eof --dir \"$(mktemp -d)\" </dev/null"
    local printed = run(served:format(path))
    assert.truthy(printed:find("serves a simulated tenant", 1, true), printed)
    assert.truthy(printed:find("status 0\n", 1, true), printed)
    os.remove(path)
    assert.truthy(run(("--fixture %s --dir \"$(mktemp -d)\""):format(path)):find(path, 1, true))
  end)

  it("has as many machines as it is told to", function()
    tenant = tenants.start { "--machines", "12", "--seed", "3", "--role", "Machine.ReadWrite.All" }
    driver = curl.new { ca_file = tenant.ca_file, proxy = "" }
    local headers = authorized(token())
    local function list() return json.decode(assert(send("GET", "/api/machines", nil, headers)).body) end
    assert.equal(12, #list().value)
    tenant.set { lists = { next_link = "whole", page_rows = 5 } }
    assert.equal(5, #list().value)
    assert.equal(tenant.base_url .. "/api/machines?$skip=5", list()["@odata.nextLink"])
    local tagged = assert(send("POST", ("/api/machines/%s/tags"):format(laptop), '{"Value":"x","Action":"Add"}',
      headers))
    assert.equal(200, tagged.status)
    assert.same({ laptop }, { tenant.history("machine_tagged")[1].machine })
    assert.equal(403, restrict(token()).status)
    driver.close()
    tenant.stop()
  end)

  it("behaves with responses as it is told to", function()
    local started = {}
    for _, role in ipairs { "Read.All", "ReadWrite.All", "Isolate", "CollectForensics" } do
      table.insert(started, "--role")
      table.insert(started, "Machine." .. role)
    end
    for _, word in ipairs { "--bulk-tags", "skip", "--repeated-isolation", "sticks", "--package-uri", "plain",
        "--action-seconds", "0" } do
      table.insert(started, word)
    end
    tenant = tenants.start(started)
    driver = curl.new { ca_file = tenant.ca_file, proxy = "" }
    local headers = authorized(token())
    local function post(path, body) return json.decode(assert(send("POST", "/api/" .. path, body, headers)).body) end
    local function on_laptop(name) return post(("machines/%s/%s"):format(laptop, name), '{"Comment":"x"}') end
    assert.same({ "x" }, post("machines/AddOrRemoveTagForMultipleMachines",
      ('{"Value":"x","Action":"Add","MachineIds":["%s","%s"]}'):format(("0"):rep(40), laptop)).value[1].machineTags)
    local package = ("/api/machineactions/%s/getPackageUri"):format(on_laptop("collectInvestigationPackage").id)
    on_laptop "isolate"
    tenant.advance(1)
    assert.truthy(json.decode(assert(send("GET", package, nil, headers)).body).value:find "^https://")
    on_laptop "isolate"
    tenant.advance(1000)
    local ended = 0
    for _, change in ipairs(tenant.history "action_changed") do
      if change.to == "Succeeded" then ended = ended + 1 end
    end
    assert.equal(2, ended)
    driver.close()
    tenant.stop()
  end)

  it("takes machines offline", function()
    local running = tenants.start { "--offline", "laptop-17.corp.example" }
    running.action { type = "RestrictCodeExecution", machineId = laptop }
    running.advance(1000)
    assert.same({}, running.history "action_changed")
    running.stop()
  end)
end)

describe("a server that must not be trusted", function()
  local bad = {
    { certificate = "wrong-host" }, { certificate = "expired" }, { certificate = "self-signed" },
    { certificate = "unknown-ca" }, { tls = "1.1" },
  }
  for _, options in ipairs(bad) do
    it("is not: " .. json.encode(options), function()
      tenant = tenants.start(options)
      driver = curl.new { ca_file = tenant.ca_file, proxy = "" }
      local response, message, maybe_sent = send("POST", "/api/machines", "{}")
      assert.is_nil(response)
      assert.is_string(message)
      assert.is_false(maybe_sent)
      assert.same({}, tenant.history())
      driver.close()
      tenant.stop()
    end)
  end
end)
