-- The client inside a real nginx: in each phase that can wait, in those that cannot, and where nginx.conf lacks
-- something.

local nameserver = require "tests.spec.support.server.nameserver"
local nginx = require "tests.spec.support.server.nginx"
local site = require "tests.hosts.nginx.site"
local wait_until = require "tests.spec.support.process.wait_until"

-- It waits for no socket, so that it can say what the phase before it found out.
local TELL = 'content_by_lua_block { ngx.print(ngx.ctx.report) }'

local WORK = [[
  location /content { content_by_lua_block { ngx.print(require("tests.hosts.nginx.phases").work(clients.main, 1)) } }
  location /access {
    access_by_lua_block { ngx.ctx.report = require("tests.hosts.nginx.phases").work(clients.main, 21) }
    TELL
  }
  location /rewrite {
    rewrite_by_lua_block { ngx.ctx.report = require("tests.hosts.nginx.phases").work(clients.main, 41) }
    TELL
  }
  location /timer {
    content_by_lua_block { ngx.print(require("tests.hosts.nginx.phases").work_in_timer(clients.main, 61)) }
  }
]]

local REFUSE = [[
  location /header_filter {
    header_filter_by_lua_block { ngx.header.report = note("header_filter") }
    content_by_lua_block { ngx.print "" }
  }
  location /body_filter {
    body_filter_by_lua_block { note "body_filter" }
    content_by_lua_block { ngx.print "" }
  }
  location /log {
    log_by_lua_block { note "log" }
    content_by_lua_block { ngx.print "" }
  }
  location /set {
    set_by_lua_block $nothing { note "set" return "" }
    content_by_lua_block { ngx.print "" }
  }
  location /callback {
    content_by_lua_block { ("x"):gsub("x", function() note "callback" end) }
  }
  location /read { content_by_lua_block { clients.main:machine(("%040x"):format(0x1f001)) } }
  location /noted { content_by_lua_block { ngx.print(ngx.shared.notes:get(ngx.var.arg_phase) or "nothing") } }
]]

describe("The client in nginx", function()
  local tenant, names, server

  setup(function()
    names = nameserver.start()
    tenant = site.tenant { action_seconds = 0.01 }
  end)

  teardown(function()
    tenant.stop()
    names.stop()
  end)

  before_each(function() tenant.reset() end)

  after_each(function()
    if server then server.stop() end
    server = nil
  end)

  it("has nginx's own sockets as its driver, if none is told", function()
    server = site.start(tenant, names, { workers = 1, locations = [[
      location /driver { content_by_lua_block {
        clients.main:machine(("%040x"):format(0x1f001))
        ngx.print(clients.main.driver.name, ", curl ", package.loaded["mde.curl"] and "is loaded" or "is not loaded")
      } }
    ]] })
    assert.equal("resty, curl is not loaded", (server.get "/driver"))
  end)

  it("works in content, access, rewrite and timer", function()
    server = site.start(tenant, names, { workers = 1, options = "cap = false",
      locations = WORK:gsub("TELL", TELL) })
    for phase, seen in pairs { content = "/content", access = "/access", rewrite = "/rewrite", timer = "no request" } do
      assert.equal(phase .. "\nrestrict accepted\nSTATE\nrelease accepted\nmachines 5\n"
        .. "each 8 at once, 19 times the caller, " .. seen .. ", accepted",
        (server.get("/" .. phase):gsub("state restrict%l+", "STATE")))
    end
    assert.equal(4 * 21, #tenant.history "action_created")
  end)

  describe("where nothing can wait", function()
    setup(function() tenant.reset() end)

    local instead = {
      header_filter = "call it in a timer: ngx.timer.at(0, function() ... end)",
      body_filter = "call it in a timer: ngx.timer.at(0, function() ... end)",
      log = "call it in a timer: ngx.timer.at(0, function() ... end)",
      set = "call it in rewrite_by_lua, access_by_lua or content_by_lua",
      init_worker = "call it in a timer: ngx.timer.at(0, function() ... end)",
    }

    local NOTE = [[
      init_worker_by_lua_block {
        function note(phase)
          local text = require("tests.hosts.nginx.phases").refusals(clients.main)
          ngx.shared.notes:set(phase, text)
          return "noted"
        end
        note "init_worker"
      }
    ]]

    local function noted(phase)
      return wait_until(function()
        local text = server.get("/noted?phase=" .. phase)
        return text ~= "nothing" and text
      end, server.errors)
    end

    -- Of one line: where the client was called, and what to do instead.
    local function assert_says(phase)
      local text = noted(phase)
      assert.truthy(text:find(("mde cannot wait in %s_by_lua, where nginx has no sockets; %s"):format(phase,
        instead[phase]), 1, true), text)
      assert.is_nil(text:find("\n", 1, true), text)
    end

    it("says which phase to use, in one line, before and after it has a token", function()
      server = site.start(tenant, names, { workers = 1, http = NOTE, locations = REFUSE })
      assert_says "init_worker"
      for _, when in ipairs { "before", "after" } do
        for _, phase in ipairs { "header_filter", "body_filter", "log", "set" } do
          server.get("/" .. phase)
          assert_says(phase)
        end
        if when == "before" then server.get "/read" end
      end
      server.get "/callback"
      assert.truthy(noted("callback"):find("mde cannot wait inside a callback of gsub", 1, true), noted "callback")
      -- What was refused has left nothing behind.
      assert.equal("accepted", server.ask({ ["do"] = "restrict", device = site.id(1) }).answer().outcome)
      assert.equal(1, #tenant.history "action_created")
    end)
  end)

  describe("made without its variables", function()
    local MAKE = [[
      local client, err = require("mde").client { store = ngx.shared.mde }
      made = client and "made" or tostring(err)
    ]]

    local function error_of(environment, where)
      server = nginx.start { environment = environment, ca_file = tenant.ca_file,
        http = "lua_shared_dict mde 1m;" .. (where == "init" and "init_by_lua_block {" .. MAKE .. "}" or ""),
        locations = "location / { content_by_lua_block {" .. (where == "init" and "" or MAKE)
          .. "ngx.print(made) } }" }
      return (server.get "/")
    end

    for _, where in ipairs { "init", "content" } do
      it("names the env lines, in " .. where .. "_by_lua", function()
        local text = error_of({ AZURE_TENANT_ID = tenant.env.AZURE_TENANT_ID }, where)
        assert.truthy(text:find("not set in the environment: AZURE_CLIENT_ID, AZURE_CLIENT_SECRET", 1, true), text)
        assert.truthy(text:find("env AZURE_CLIENT_ID; env AZURE_CLIENT_SECRET;", 1, true), text)
        assert.truthy(text:find("init_by_lua", 1, true), text)
        assert.is_nil(text:find("AZURE_TENANT_ID", 1, true), text)
      end)
    end

    it("is made where they are told", function()
      assert.equal("made", error_of(tenant.env, "init"))
      server.stop()
      assert.equal("made", error_of(tenant.env, "content"))
    end)
  end)

  describe("checked at start", function()
    local CHECK = 'init_worker_by_lua_block { require("mde.driver.resty").check(clients.main) }'
    local MARK = "mde: calls will fail: "

    -- The lines that the check wrote, once a call has failed in the same way or gone well.
    local function lines_of(options)
      options.http = CHECK
      server = site.start(tenant, names, options)
      local answer = server.ask({ ["do"] = "machine", device = site.id(1), timeout = 20 }).answer()
      if answer.kind then server.wait_for(MARK) end
      local lines = {}
      for line in server.errors():gmatch "[^\n]+" do
        if line:find(MARK, 1, true) then lines[#lines + 1] = line end
      end
      return lines, answer
    end

    it("names the directive with the certificates, once for all workers", function()
      local lines, answer = lines_of { ca_file = false }
      assert.equal(1, #lines)
      assert.truthy(lines[1]:find("lua_ssl_trusted_certificate", 1, true), lines[1])
      assert.equal("unavailable", answer.kind)
      assert.truthy(answer.whole:find("lua_ssl_trusted_certificate", 1, true), answer.whole)
    end)

    it("names the directive with the name server", function()
      local lines, answer = lines_of { resolver = false }
      assert.equal(1, #lines)
      assert.truthy(lines[1]:find("resolver", 1, true), lines[1])
      assert.truthy(answer.whole:find("set resolver in nginx.conf", 1, true), answer.whole)
    end)

    it("says nothing where nothing is missing", function()
      local lines, answer = lines_of {}
      assert.same({}, lines)
      assert.equal(site.id(1), answer.id)
    end)
  end)
end)
