-- A worker of nginx goes on with its other work while calls of ours wait: judged by the order of events in one process,
-- which is at once the simulated tenant, its callers and somebody who pings the same worker all the time.

local cqueues = require "cqueues"
local keys = require "mde.sim.server.certificates"
local nameserver = require "tests.spec.support.server.nameserver"
local nginx = require "tests.spec.support.server.nginx"
local servers = require "mde.sim.server.https"
local signal = require "cqueues.signal"
local sim = require "mde.sim"
local socket = require "cqueues.socket"

local CALLS, ANSWERS_AFTER_SECONDS = 16, 0.5

describe("A worker of nginx", function()
  local tenant, url, names, ca_file, server, loop, events

  -- The tenant tells when it has received a restrict, and answers later.
  local function slow_tenant()
    local machines = {}
    for i = 1, CALLS do machines[i] = { computerDnsName = ("laptop-%d.corp.example"):format(i) } end
    local made = sim.new { machines = machines, limits = false }
    local handle = made.handle
    function made.handle(self, request)
      local is_restrict = request.url:find("restrictCodeExecution", 1, true)
      if is_restrict then
        events[#events + 1] = "received"
        cqueues.sleep(ANSWERS_AFTER_SECONDS)
      end
      local response = handle(self, request)
      if is_restrict then events[#events + 1] = response.status == 201 and "answered" or tostring(response.status) end
      return response
    end
    return made
  end

  local function serve(made, authority)
    local served = servers.new(made, 0)
    served.loop = loop
    local port = assert(served:open(0, keys.server_context(authority)))
    for _, entrance in ipairs(served.entrances) do
      for _, listener in pairs(entrance.listeners) do
        loop:wrap(function() served:take_connections(listener, entrance) end)
      end
    end
    return "https://localhost:" .. port
  end

  before_each(function()
    signal.ignore(signal.SIGPIPE)
    loop, events, names = cqueues.new(), {}, nameserver.start()
    tenant = slow_tenant()
    local authority = keys.make_authority()
    url = serve(tenant, authority)
    ca_file = os.tmpname()
    local file = assert(io.open(ca_file, "w"))
    file:write(authority.certificate)
    file:close()
    local environment = tenant:env(url, ca_file)
    server = nginx.start {
      ca_file = ca_file, resolver = names.address, environment = environment,
      http = 'init_by_lua_block { require "tests.hosts.nginx.restricting" }',
      locations = [[
        location /ping { return 200 "pong"; }
        location /resty { content_by_lua_block { require("tests.hosts.nginx.restricting").with "resty" } }
        location /detached { content_by_lua_block { require("tests.hosts.nginx.restricting").with "detached" } }
        location /blocking { content_by_lua_block { require("tests.hosts.nginx.restricting").with "curl" } }
      ]],
    }
  end)

  after_each(function()
    server.stop()
    names.stop()
    os.remove(ca_file)
  end)

  local function connect()
    local tcp = socket.connect { host = "127.0.0.1", port = server.port, nodelay = true }
    tcp:onerror(function(_, _, code) return code end)
    tcp:setmode("bn", "bn")
    assert(tcp:connect(10), "no connection to nginx")
    return tcp
  end

  local function ask(tcp, path)
    tcp:xwrite(("GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n"):format(path), "bn", 10)
    local length
    local status = tonumber((tcp:xread("*l", "b", 30) or ""):match "^HTTP/1.1 (%d+)")
    for line in function() return tcp:xread("*l", "b", 30) end do
      length = tonumber(line:lower():match "^content%-length: *(%d+)") or length
      if line:find "^\r?$" then break end
    end
    return status, length and length > 0 and tcp:xread(length, "b", 30) or ""
  end

  -- Restricts many machines at once, and pings from before the first to behind the last. The pings between the
  -- tenant's receipt of the first and its first answer.
  local function pings_beside(path)
    local asked, ended, answers = 0, false, {}
    for i = 1, CALLS do
      loop:wrap(function()
        local tcp = connect()
        while asked == 0 do cqueues.sleep(0.01) end
        local _, body = ask(tcp, ("%s?machine=%s"):format(path, tenant.machines[i].id))
        answers[#answers + 1] = body
        ended = #answers == CALLS
      end)
    end
    loop:wrap(function()
      local tcp = connect()
      while not ended do
        assert(ask(tcp, "/ping") == 200)
        asked = asked + 1
        events[#events + 1] = "pong"
      end
    end)
    local last = cqueues.monotime() + 60
    while not ended do
      assert(cqueues.monotime() < last, "not all were answered")
      assert(loop:step(1))
    end
    assert.equal(("201 "):rep(CALLS), table.concat(answers, " ") .. " ")
    local count, place = 0, 1
    while events[place] ~= "received" do place = place + 1 end
    while events[place] ~= "answered" do
      if events[place] == "pong" then count = count + 1 end
      place = place + 1
    end
    -- Shown with the result.
    print(("%s: %d pings between the first restrict and its answer"):format(path, count))
    return count
  end

  it("answers pings while restricts wait", function()
    local count = pings_beside "/resty"
    assert(count >= 50, count .. " pings were answered")
  end)

  it("answers pings while detached restricts wait", function()
    local count = pings_beside "/detached"
    assert(count >= 50, count .. " pings were answered")
  end)

  it("would answer none beside calls that block", function()
    local count = pings_beside "/blocking"
    assert(count <= 1, count .. " pings were answered")
  end)
end)
