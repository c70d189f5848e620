-- driver.detach inside a real nginx: work goes on when its request is gone, whatever becomes of clients, timers and
-- workers; and a queue has an end.

local nameserver = require "tests.spec.support.server.nameserver"
local nginx = require "tests.spec.support.server.nginx"
local socket = require "socket"
local tenants = require "tests.spec.support.server.tenant"
local wait_until = require "tests.spec.support.process.wait_until"

describe("driver.detach in nginx", function()
  local server

  -- Each location's Lua has a driver and a table that all requests of the worker share. What is detached uses these, or
  -- what a function gave it that has returned: see driver.detach.
  local function start(locations, changes)
    local lines = {}
    for path, lua in pairs(locations) do
      lines[#lines + 1] = ("location /%s { content_by_lua_block { %s } }"):format(path, lua)
    end
    lines[#lines + 1] = "location /told { content_by_lua_block { ngx.print(table.concat(shared, ' ')) } }"
    local options = { locations = table.concat(lines, "\n"), level = "info", http = [[
      lua_check_client_abort on;
      init_by_lua_block {
        driver, shared = require("mde.driver.resty").new { queue = OPTIONS }, {}
      }
    ]] }
    for name, value in pairs(changes or {}) do options[name] = value end
    options.http = options.http:gsub("OPTIONS", tostring(changes and changes.queue or 1000)
      .. ", parallel = " .. tostring(changes and changes.parallel or 16)) .. (changes and changes.more or "")
    server = nginx.start(options)
  end

  after_each(function()
    if server then server.stop() end
    server = nil
  end)

  -- Asks until the answer has this text.
  local function wait_for(path, text)
    local told
    return wait_until(function()
      told = server.get(path)
      return told:find(text, 1, true) and told
    end, function() return ("%s never said '%s', but: %s"):format(path, text, told) end)
  end

  -- A client that asks and can hang up.
  local function ask(path)
    local tcp = assert(socket.connect("127.0.0.1", server.port))
    assert(tcp:send(("GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n"):format(path)))
    return tcp
  end

  -- The work of one request, for which another waits; it ends once /go was asked.
  local WORK = [[
    shared.gate = driver.gate()
    driver.%s(function()
      table.insert(shared, "begun")
      for _ = 1, 600 do
        if shared.go then break end
        driver.sleep(0.05)
      end
      table.insert(shared, "ended")
      shared.gate:open()
    end)
    shared.gate:wait(60)
    table.insert(shared, "caller-went-on")
  ]]
  local JOIN = 'ngx.print(shared.gate:wait(tonumber(ngx.var.arg_seconds)) and "served" or "in vain")'
  local GO = "shared.go = true"

  describe("when the client hangs up in the midst", function()
    it("work comes to its end, and others who wait for it are served", function()
      start { work = WORK:format "detach", join = JOIN, go = GO }
      local client = ask "/work"
      wait_for("/told", "begun")
      local other = ask "/join?seconds=50"
      client:close()
      server.wait_for "client prematurely closed connection"
      server.get "/go"
      other:settimeout(40)
      local answer
      repeat answer = other:receive "*l" until not answer or answer:find "served"
      assert.equal("served", answer)
      local told = server.get "/told"
      assert.equal("begun ended", told)
    end)

    it("work of the request's own would not, and nobody waits for it for ever", function()
      start { work = WORK:format "spawn", join = JOIN, go = GO }
      local client = ask "/work"
      wait_for("/told", "begun")
      client:close()
      server.wait_for "client prematurely closed connection"
      server.get "/go"
      assert.equal("in vain", server.get "/join?seconds=0.5")
      assert.equal("begun", server.get "/told")
    end)
  end)

  it("refuses more than its queue holds, and says which limit that is", function()
    start({
      fill = [[
        shared.gate = driver.gate()
        for i = 1, 4 do
          local taken, message, code = driver.detach(function()
            shared.gate:wait(60)
            table.insert(shared, i)
          end)
          ngx.say(tostring(taken), " ", tostring(message), " ", tostring(code))
        end
      ]],
      open = "shared.gate:open() driver.sleep(0.2) ngx.print(tostring(driver.detach(function() end)))",
    }, { queue = 3 })
    local lines = {}
    for line in server.get("/fill"):gmatch "[^\n]+" do lines[#lines + 1] = line end
    assert.same({ "true nil nil", "true nil nil", "true nil nil" }, { lines[1], lines[2], lines[3] })
    assert.truthy(lines[4]:find "^nil .*3 calls are under way.*option queue.* busy$")
    assert.equal("true", (server.get "/open"))
    assert.equal("1 2 3", server.get "/told")
  end)

  it("begins at once what detached work detaches, however much is under way", function()
    start({
      nested = [[
        local gate, answer = driver.gate(), "in vain"
        driver.detach(function()
          local inner = driver.gate()
          assert(driver.detach(function()
            driver.sleep(0.01)
            inner:open()
          end))
          answer = inner:wait(20) and "served" or "in vain"
          gate:open()
        end)
        gate:wait(30)
        ngx.print(answer)
      ]],
    }, { queue = 1 })
    assert.equal("served", (server.get "/nested"))
  end)

  it("goes on after work that raises, and logs where but not what", function()
    start {
      raise = [[
        driver.detach(function() error("opaque-word") end)
        driver.detach(function() error { "opaque-word" } end)
        local gate = driver.gate()
        driver.detach(function() gate:open() end)
        ngx.print(gate:wait(20) and "served" or "in vain")
      ]],
    }
    assert.equal("served", (server.get "/raise"))
    local _, lines = server.errors():gsub("detached work raised an error", "")
    assert.equal(2, lines)
    assert.truthy(server.errors():find ":%d+: detached work")
    assert.is_nil(server.errors():find("opaque-word", 1, true))
  end)

  it("is not held up by a timer that nginx dropped", function()
    start({
      occupy = [[
        ngx.timer.at(0, function()
          table.insert(shared, "occupied")
          for _ = 1, 600 do
            if shared.go then return end
            ngx.sleep(0.05)
          end
        end)
        ngx.sleep(0.05)
      ]],
      go = GO,
      detach = [[
        local gate = driver.gate()
        driver.detach(function() gate:open() end)
        ngx.print(gate:wait(50) and "served" or "in vain")
      ]],
    }, { more = "lua_max_running_timers 1;" })
    server.get "/occupy"
    assert.equal("occupied", server.get "/told")
    local client = ask "/detach"
    server.wait_for "lua_max_running_timers are not enough"
    server.get "/go"
    client:settimeout(40)
    local answer
    repeat answer = client:receive "*l" until not answer or answer:find "served"
    assert.equal("served", answer)
  end)

  it("survives work that ends its whole timer", function()
    start {
      exit = [[
        driver.detach(function()
          driver.sleep(0.01)
          ngx.exit(0)
        end)
        driver.sleep(0.1)
        local gate = driver.gate()
        driver.detach(function() gate:open() end)
        ngx.print(gate:wait(50) and "served" or "in vain")
      ]],
    }
    assert.equal("served", (server.get "/exit"))
  end)

  it("passes the queue from timer to timer, and loses nothing", function()
    start {
      many = [[
        local left, gate, timers, count = 2500, driver.gate(), {}, 0
        for i = 1, 2500 do
          local taken
          repeat
            taken = driver.detach(function()
              if not timers[ngx.ctx] then
                timers[ngx.ctx] = true
                count = count + 1
              end
              driver.sleep(0.001 * (i % 5))
              left = left - 1
              if left == 0 then gate:open() end
            end)
            if not taken then driver.sleep(0.01) end
          until taken
        end
        ngx.print(gate:wait(15) and "served" or "in vain", ", ", left, " left, ", count, " timers")
      ]],
    }
    assert.equal("served, 0 left, 3 timers", (server.get "/many"))
  end)

  describe("with a tenant", function()
    local tenant, names

    setup(function() tenant, names = tenants.start(), nameserver.start() end)

    teardown(function()
      names.stop()
      tenant.stop()
    end)

    before_each(function()
      tenant.reset()
      tenant.clear()
    end)

    local SEND = [[ local function send(path, seconds)
      return driver.send { method = "GET", url = os.getenv "MDE_BASE_URL" .. path, headers = {}, timeout = seconds,
        max_bytes = 100000, max_idle = 5 }
    end ]]

    local function start_with_tenant(locations, changes)
      local options = { ca_file = tenant.ca_file, resolver = names.address,
        environment = { MDE_BASE_URL = tenant.base_url } }
      for name, value in pairs(changes or {}) do options[name] = value end
      for path, lua in pairs(locations) do locations[path] = SEND .. lua end
      start(locations, options)
    end

    local TWO = [[
      local begun, first, second = driver.gate(), driver.gate(), driver.gate()
      driver.detach(function()
        begun:open()
        send("/api/machineactions", 3)
        table.insert(shared, "stalled")
        first:open()
      end)
      -- Timers run in an order of their own.
      begun:wait(20)
      driver.detach(function()
        table.insert(shared, tostring((send("/api/machines", 10) or {}).status))
        second:open()
      end)
      first:wait(20)
      second:wait(20)
    ]]

    it("has no more requests in flight to a host than allowed", function()
      for parallel, order in pairs { "stalled 401", "401 stalled" } do
        tenant.fault { fault = "stall", match = { path = "/api/machineactions" } }
        start_with_tenant({ two = TWO }, { parallel = parallel })
        server.get "/two"
        assert.equal(order, server.get "/told")
        server.stop()
      end
    end)

    it("sends what was taken, and what requests still bring, when the worker is to end", function()
      start_with_tenant {
        begin = [[
          for i = 1, 5 do
            driver.detach(function()
              while not ngx.worker.exiting() do driver.sleep(0.01) end
              send("/api/machines/" .. i, 10)
            end)
          end
          while not ngx.worker.exiting() do driver.sleep(0.01) end
          local gate = driver.gate()
          driver.detach(function()
            send("/api/machines/6", 10)
            gate:open()
          end)
          ngx.print(gate:wait(20) and "served" or "in vain")
        ]],
      }
      local client = ask "/begin"
      socket.sleep(0.3)
      server.signal "HUP"
      client:settimeout(30)
      local answer
      repeat answer = client:receive "*l" until not answer or answer:find "served"
      assert.truthy(answer)
      server.wait_for "exited with code 0"
      local paths = {}
      for _, entry in ipairs(tenant.history "request") do paths[#paths + 1] = entry.path end
      table.sort(paths)
      assert.same({ "/api/machines/1", "/api/machines/2", "/api/machines/3", "/api/machines/4", "/api/machines/5",
        "/api/machines/6" }, paths)
    end)

    it("sends what had not begun when the worker was told to end", function()
      -- The worker is blocked from before the work is taken to behind the signal, so no timer can have begun.
      start_with_tenant {
        begin = [[
          for i = 1, 5 do driver.detach(function() send("/api/machines/" .. i, 10) end) end
          require("mde.posix").clock.sleep(1.5)
        ]],
      }
      local client = ask "/begin"
      socket.sleep(0.5)
      server.signal "HUP"
      server.wait_for "exited with code 0"
      client:close()
      assert.equal(5, #tenant.history "request")
    end)
  end)
end)
