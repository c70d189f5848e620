-- A client: its options, what carries its bytes, and what holds for all of its calls.
-- Labels: sanitized, caseless

local clients = require "mde.client"
local contexts = require "mde.sync.context"
local mde = require "mde"
local rehearsal = require "tests.spec.support.rehearsal"

local tenant_id = "7e000000-0000-4000-8000-00000000007e"
local client_id = "c1000000-0000-4000-8000-0000000000c1"
-- What must never be seen.
local secret = "planted+client/secret~value="

local function write(path, text)
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
end

-- It looks like one, which is all that is asked here; TLS reads it.
local certificate = "-----BEGIN CERTIFICATE-----\nMIIBszCCAVmgAwIBAgIU\nAbc+/w==\n-----END CERTIFICATE-----\n"

describe("a client", function()
  local system = package.loaded.os
  local getenv = system.getenv
  local environment

  before_each(function()
    environment = { AZURE_TENANT_ID = tenant_id, AZURE_CLIENT_ID = client_id, AZURE_CLIENT_SECRET = secret,
      MDE_LOG = getenv "MDE_LOG" }
    system.getenv = function(name) return environment[name] end
  end)

  after_each(function() system.getenv = getenv end)

  -- A driver that reaches nothing and remembers what it was asked.
  local function deaf_driver()
    local driver, clock = { requests = {} }, 0
    function driver.send(request)
      driver.requests[#driver.requests + 1] = request
      return nil, "there is nobody", false
    end
    function driver.now() return clock end
    function driver.sleep(seconds) clock = clock + seconds end
    return driver
  end

  -- The token request that a client makes first, and where it would go on to.
  local function first_request(options)
    local driver = deaf_driver()
    options = options or {}
    options.driver = driver
    local client = assert(clients.new(options))
    client:machine(("a"):rep(40))
    return driver.requests[1], client
  end

  local function check_message(err)
    local text = tostring(err) .. err.message .. (err.hint or "")
    assert.is_true(rehearsal.is_one_line(tostring(err)), text)
    assert.is_nil(text:find("planted", 1, true), text)
  end

  describe("whose trust the environment describes", function()
    it("is not made with an SSL_CERT_FILE that is of no use", function()
      environment.SSL_CERT_FILE = "/nowhere/at/all.pem"
      local client, err = clients.new()
      assert.is_nil(client)
      assert.equal("invalid", err.kind)
      assert.truthy(err.message:find("^SSL_CERT_FILE is "))
      check_message(err)
    end)

    it("is not made with an SSL_CERT_DIR that is of no use", function()
      environment.SSL_CERT_DIR = "/nowhere:/at/all"
      local client, err = clients.new()
      assert.is_nil(client)
      assert.equal("invalid", err.kind)
      assert.truthy(err.message:find("^SSL_CERT_DIR is "))
      check_message(err)
    end)

    it("remarks on what has no effect where the driver's host names whom to trust", function()
      environment.SSL_CERT_FILE, environment.SSL_CERT_DIR = "/nowhere/at/all.pem", "/nowhere"
      local driver = deaf_driver()
      assert.same({}, assert(clients.new { driver = driver }):remarks())
      driver.configured_in = "nginx.conf"
      assert.same({ "SSL_CERT_FILE has no effect here: nginx.conf names the certificates to trust",
        "SSL_CERT_DIR has no effect here: nginx.conf names the certificates to trust" },
        assert(clients.new { driver = driver }):remarks())
    end)

    it("raises for a ca_file that is of no use", function()
      local err = rehearsal.refused(clients.new, { ca_file = "/nowhere/at/all.pem" })
      assert.truthy(err.message:find('^option "ca_file" is '))
      assert.truthy(err.hint:find("PEM file", 1, true))
      check_message(err)
    end)

    it("is made with a ca_file that has a certificate", function()
      local path = os.tmpname()
      finally(function() os.remove(path) end)
      write(path, certificate)
      assert(clients.new { ca_file = path, proxy = "" }).driver.close()
    end)

    it("raises for a ca_file in nginx, which reads its own", function()
      local globals, path = package.loaded._G, os.tmpname()
      finally(function()
        rawset(globals, "ngx", nil)
        os.remove(path)
      end)
      write(path, certificate)
      rawset(globals, "ngx", { socket = {}, get_phase = print })
      local err = rehearsal.refused(clients.new, { ca_file = path })
      assert.matches("no effect in nginx", err.message)
      assert.matches("lua_ssl_trusted_certificate", err.hint)
    end)

    it("does not mind SSL_CERT_FILE if it has a driver", function()
      environment.SSL_CERT_FILE = "/nowhere/at/all.pem"
      assert(clients.new { driver = deaf_driver() })
    end)
  end)

  describe("of options", function()
    for _, case in ipairs {
      { { client_secret = secret }, 'Give the secret\'s value as "credential"' },
      { { ca_file = "/dev/null", driver = deaf_driver() }, 'option "ca_file" is "/dev/null", which cannot be read' },
      { { proxy = "https://proxy.example", driver = deaf_driver() }, 'option "proxy" has no effect beside the option '
        .. '"driver"' },
      { { ca_file = "/nowhere/at/all.pem" }, 'option "ca_file" is "/nowhere/at/all.pem", which cannot be read' },
      { { ca_file = 17 }, 'option "ca_file" must be a string' },
      { { timeout = -1 }, 'option "timeout"' },
      { { on_event = {} }, 'option "on_event" must be a function' },
      { { driver = {} }, 'option "driver" has no function send' },
      { { driver = { send = print, spawn = print } }, 'option "driver" has one of spawn and gate' },
      { { driver = { send = print, detach = print } }, 'option "driver" has detach but no gate' },
      { { driver = "curl" }, 'option "driver" must be a table' },
      { { tenant = tenant_id }, 'Did you mean "tenant_id"' },
      { { url = "https://a.example" }, 'Did you mean "base_url"' },
      { "https://a.example", "options must be a table" },
    } do
      it("raises: " .. case[2], function()
        local err = rehearsal.refused(clients.new, case[1])
        assert.truthy(tostring(err):find(case[2], 1, true), tostring(err))
        check_message(err)
      end)
    end
  end)

  it("shows no secret, and neither does its credential", function()
    local credential = mde.credential.secret(secret)
    local client = assert(clients.new { credential = credential, driver = deaf_driver() })
    for _, value in ipairs { client, credential, credential.value, client.exchange.credential } do
      assert.is_nil(tostring(value):find("planted", 1, true))
    end
    local _, err = client:machine(("a"):rep(40))
    check_message(err)
  end)

  it("shows no secret that the driver put into its words, nor tells it to on_event", function()
    local driver, told = deaf_driver(), {}
    function driver.send() return nil, "nobody knows " .. secret, false end
    local client = assert(clients.new { driver = driver, on_event = function(event)
      told[#told + 1] = tostring(event.message)
    end })
    local _, err = client:machine(("a"):rep(40))
    check_message(err)
    assert.truthy(err.message:find("nobody knows", 1, true), err.message)
    assert.is_true(#told > 0)
    assert.is_nil(table.concat(told):find("planted", 1, true))
  end)

  it("says what is not as it should be with its credential, if that can tell", function()
    local credential = mde.credential.secret(secret)
    assert.same({}, assert(clients.new { credential = credential, driver = deaf_driver() }):remarks())
    function credential.remarks(self)
      assert.equal(credential, self)
      return { "it ends tomorrow" }
    end
    assert.same({ "it ends tomorrow" }, assert(clients.new { credential = credential, driver = deaf_driver() })
      :remarks())
  end)

  it("tells which rules are in force", function()
    local function rules(options)
      options.driver = deaf_driver()
      return assert(clients.new(options)):rules()
    end
    assert.same({ "device_values", "servers", "cap" }, rules {})
    assert.same({ "tags", "cap" }, rules { protect = { tags = { "x" }, device_values = {}, servers = false }, cap = 0 })
    assert.same({}, rules { protect = { device_values = {}, servers = false }, cap = false })
  end)

  describe("passes down with each call", function()
    local r

    before_each(function() r = rehearsal.new { machines = {}, client = { timeout = 20 } } end)

    it("the call's own timeout, or the client's", function()
      local now = r.driver.now()
      assert.equal(now + 20, r.client:context():at())
      assert.equal(now + 50, r.client:context(50):at())
    end)

    it("that a release goes first, then what is called alone, then one of many", function()
      assert.equal(contexts.SINGLE, r.client:context().priority)
      assert.equal(contexts.SINGLE, r.client:context(nil, "restrict").priority)
      assert.equal(contexts.RELEASE, r.client:context(nil, "release").priority)
      local seen = {}
      r.client:each({ 1 }, function()
        seen[1], seen[2] = r.client:context(nil, "restrict").priority, r.client:context(nil, "release").priority
      end)
      assert.same({ contexts.MANY, contexts.RELEASE }, seen)
    end)

    it("the list that the devices of an each share, one for each each, also where it is interruptible", function()
      local caches = {}
      local function note() caches[#caches + 1] = r.client:context().cache or "none" end
      local function never() return false end
      note()
      r.client:each({ 1, 2 }, function()
        note()
        r.client:each({ 1 }, note)
        r.client:interruptible(note, never)
      end, { parallel = 1 })
      r.client:each({ 1 }, note)
      r.client:interruptible(note, never)
      assert.equal("none", caches[1])
      for i = 3, 7 do assert.equal(caches[2], caches[i]) end
      assert.is_table(caches[2])
      assert.is_table(caches[8])
      assert.equal(caches[2], caches[8])
      assert.equal("none", caches[9])
    end)
  end)

  it("reads again the machine that is given, and takes no address of a machine for a question", function()
    local machine_id = ("a"):rep(40)
    local r = rehearsal.new { machines = { { id = machine_id, computerDnsName = "desk" } } }
    local machine = assert(r.client:machine { id = machine_id:upper(), ip = "192.0.2.1" })
    assert.equal("desk", machine.computerDnsName)
    assert.not_equal(machine, assert(r.client:machine(machine)))
    assert.equal(2, #r:requests())
  end)

  it("tells the service who is asking", function()
    local request = first_request()
    assert.truthy(request.headers["User-Agent"]:find "^mde/%d+%.%d+%.%d+ %(Lua")
    assert.equal("mde " .. clients.VERSION, mde._VERSION)
  end)

  it("makes single calls in plain Lua 5.1, where no tasks can run", function()
    local globals = package.loaded._G
    local version, jit = rawget(globals, "_VERSION"), rawget(globals, "jit")
    rawset(globals, "_VERSION", "Lua 5.1")
    rawset(globals, "jit", nil)
    local ok, r = pcall(rehearsal.new)
    rawset(globals, "_VERSION", version)
    rawset(globals, "jit", jit)
    assert.is_true(ok)
    function r.driver.spawn() error "a task was made" end
    assert.equal("accepted", assert(r.client:restrict("laptop-17", "why")).outcome)
  end)

  it("ends a call when its own time is up, unless the call has another", function()
    local r = rehearsal.new { client = { timeout = 20 } }
    r:fault { match = { path = "/api/" }, fault = "stall", count = false }
    for _, case in ipairs { { nil, 20 }, { { timeout = 50 }, 50 } } do
      local before = r.tenant.clock.now()
      assert.equal("unavailable", select(2, r.client:machine("laptop-17", case[1])).kind)
      local took = r.tenant.clock.now() - before
      assert.is_true(took > case[2] / 2 and took <= case[2] + 0.001)
    end
  end)
end)

describe("text that is not UTF-8", function()
  local ID = ("%040x"):format(17)

  for what, call in pairs {
    ["a device"] = function(client, text) return client:restrict(text, "why") end,
    ["a comment"] = function(client, text) return client:restrict(ID, text) end,
    ["an incident"] = function(client, text) return client:restrict(ID, "why", { incident = text }) end,
    ["a key"] = function(client, text) return client:restrict(ID, "why", { key = "alert-12345" .. text }) end,
    ["a tag"] = function(client, text) return client:tag(ID, text) end,
    ["a tag to remove"] = function(client, text) return client:untag(ID, text) end,
    ["an action"] = function(client, text) return client:action(text) end,
    ["a comment of a cancellation"] = function(client, text)
      return client:cancel("17171717-0000-4000-8000-000000000017", text)
    end,
    ["an incident's machines"] = function(client, text) return client:restricted { incident = text } end,
    ["a time"] = function(client, text) return client:restricted { incident = "INC-1", since = text } end,
    ["an address"] = function(client, text) return client:machine { ip = text, at = mde.ago "1h" } end,
    ["a query"] = function(client, text) return client:machines { computerDnsName = text } end,
    ["a list of a query"] = function(client, text) return client:machines { osPlatform = { "Linux", text } } end,
    ["a query in OData"] = function(client, text) return client:machines(("version eq '%s'"):format(text)) end,
    ["a query of actions"] = function(client, text) return client:actions { requestor = mde.contains(text) } end,
  } do
    it("is refused before anything is sent: " .. what, function()
      local r = rehearsal.new()
      for _, text in ipairs { "caf\233", "\192\175", "\237\160\128", "a\195" } do
        local err = rehearsal.refused(call, r.client, text)
        assert.is_true(rehearsal.is_one_line(tostring(err)))
        assert.is_nil(tostring(err):find "[\128-\255]", tostring(err))
      end
      assert.same({}, r.tenant.history)
    end)
  end
end)

describe("a call that holds up the program's event loop", function()
  local warnings, r

  -- A client whose driver says this of the place where a call is made.
  local function told(instead)
    warnings = {}
    r = rehearsal.new { unguarded = true, client = { on_event = function(event)
      if event.event == "warning" then warnings[#warnings + 1] = event end
    end } }
    r.driver.holds_up = function() return instead end
    return r.client
  end

  it("is told once, with its line and what to do instead, and goes on", function()
    local client = told "make it elsewhere"
    assert(client:restrict("laptop-17", "why"))
    assert(client:machine "laptop-17")
    client:each({ 1 }, function() return true end)
    assert.equal(1, #warnings)
    assert.equal("loop_held_up", warnings[1].code)
    assert.matches("^.*client_spec%.lua:%d+$", warnings[1].where)
    assert.equal(("a call at %s blocks the event loop until it has ended, with the program's timers and sockets; "
      .. "make it elsewhere"):format(warnings[1].where), warnings[1].message)
  end)

  it("is told of each, too, whose own wait does so", function()
    told("make it elsewhere"):each({ 1 }, function() return true end)
    assert.equal(1, #warnings)
  end)

  it("is told of no call that does not", function()
    assert(told(nil):restrict("laptop-17", "why"))
    assert.same({}, warnings)
  end)
end)
