-- The client in four workers of nginx that share a dict: one token request, one action for a machine, one cap, whoever
-- hangs up, fails or is told to end in the midst.

local cjson = require "cjson"
local nameserver = require "tests.spec.support.server.nameserver"
local ocsf_fields = require "tests.spec.support.ocsf"
local site = require "tests.hosts.nginx.site"
local wait_until = require "tests.spec.support.process.wait_until"

local WORKERS = 4
local UNCAPPED = "cap = false"

describe("The client in four workers of nginx", function()
  local tenant, names, server

  setup(function()
    names = nameserver.start()
    tenant = site.tenant()
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

  local function start(options, of)
    options.workers = options.workers or WORKERS
    server = site.start(of or tenant, names, options)
    return server
  end

  local function token_requests(of) return #site.requests(of or tenant, "POST", "/oauth2/") end

  local function restricts(of) return #site.requests(of or tenant, "POST", "/restrictCodeExecution") end

  -- So many queries, every second one reads a machine and the others restrict one, each another.
  local function mixed(count)
    local queries = {}
    for n = 1, count do
      queries[n] = { ["do"] = n % 2 == 0 and "machine" or "restrict", device = site.id(n) }
    end
    return queries
  end

  local function restricting(first, last, more)
    local queries = {}
    for n = first, last do
      local query = { ["do"] = "restrict", device = site.id(n) }
      for name, value in pairs(more or {}) do query[name] = value end
      queries[#queries + 1] = query
    end
    return queries
  end

  -- The actions that the tenant made, by machine.
  local function actions()
    local count, most, by_machine = 0, 0, {}
    for _, entry in ipairs(tenant.history "action_created") do
      count = count + 1
      by_machine[entry.machine] = (by_machine[entry.machine] or 0) + 1
      most = math.max(most, by_machine[entry.machine])
    end
    return count, most
  end

  -- The token's answer takes some seconds.
  local function let_tokens_be_slow()
    tenant.fault { fault = "slow", interval = 0.001, count = false, match = { path = "/oauth2/" } }
  end

  local function until_all_have_begun(count)
    wait_until(function() return server.notes().begun == count end, server.errors)
  end

  describe("when all need a token at once", function()
    it("tells each change once in a line of audit, numbered by the worker that made it", function()
    start { options = UNCAPPED .. [[,
      on_event = mde.audit.ocsf(function(line) assert(ngx.shared.notes:rpush("audit", line)) end)]], locations = [[
      location /audit { content_by_lua_block {
        repeat
          local line = ngx.shared.notes:lpop "audit"
          if line then ngx.say(line) end
        until not line
      } } ]] }
    server.ask_many(restricting(1, 40))
    local highest, lines = {}, 0
    for line in (server.get "/audit"):gmatch "[^\n]+" do
      local event = cjson.decode(line)
      assert.same({}, ocsf_fields.problems(event))
      assert.equal("accepted", event.unmapped.mde.outcome)
      local worker, number = event.metadata.uid:match "^(%x+)/(%d+)$"
      -- Of one worker they come in order.
      assert.equal((highest[worker] or 0) + 1, tonumber(number))
      highest[worker], lines = tonumber(number), lines + 1
    end
    assert.equal(40, lines)
    local workers = 0
    for _ in pairs(highest) do workers = workers + 1 end
    assert.equal(#server.served(), workers)
  end)

  it("ask for one, and all are served", function()
      let_tokens_be_slow()
      start { options = UNCAPPED }
      local answers = server.ask_many(mixed(200))
      assert.equal(1, token_requests())
      assert.equal(1, #tenant.history "token_issued")
      for _, answer in ipairs(answers) do assert(answer.id, answer.whole or answer.message) end
      local served = server.served()
      assert.equal(WORKERS, #served)
      for _, count in ipairs(served) do assert.is_true(count >= 10) end
      local count, most = actions()
      assert.equal(100, count)
      assert.equal(1, most)
    end)

    it("ask for one, also if the client that caused it hangs up", function()
      let_tokens_be_slow()
      local asked_for = site.watch(tenant, "POST", "/oauth2/")
      start { options = UNCAPPED }
      local first = server.ask { ["do"] = "machine", device = site.id(1) }
      wait_until(function() return asked_for() == 1 end, server.errors)
      local others = {}
      for i, query in ipairs(mixed(199)) do
        others[i] = server.ask(query)
        if i == 100 then first.hang_up() end
      end
      local answers = {}
      for i, client in ipairs(others) do answers[i] = client.answer() end
      for _, answer in ipairs(answers) do assert(answer.id, answer.whole or answer.message) end
      assert.equal(1, server.hang_ups())
      assert.equal(199, server.notes().ended)
      assert.equal(1, token_requests())
      for _, count in ipairs(server.served()) do assert.is_true(count >= 10) end
    end)

    it("ask for one that is refused, and all are told the same", function()
      local environment = {}
      for name, value in pairs(tenant.env) do environment[name] = value end
      environment.AZURE_CLIENT_SECRET = tenant.client_secret:reverse()
      start { environment = environment }
      local answers = server.ask_many(mixed(100))
      assert.equal(1, token_requests())
      assert.equal("100 auth", site.tally(answers, "kind"))
      assert.equal("100 " .. answers[1].message, site.tally(answers, "message"))
      assert.equal("100 " .. answers[1].hint, site.tally(answers, "hint"))
      assert.truthy(answers[1].message:find("7000215", 1, true), answers[1].message)
      assert.equal(WORKERS, #server.served())
      assert.equal(0, restricts())
    end)
  end)

  it("replace a token that the service rejects once", function()
    start { options = UNCAPPED }
    for _, answer in ipairs(server.ask_many(mixed(60))) do assert(answer.id, answer.whole or answer.message) end
    assert.equal(WORKERS, #server.served())
    tenant.advance(4000)
    for _, answer in ipairs(server.ask_many(mixed(100))) do assert(answer.id, answer.whole or answer.message) end
    assert.equal(2, token_requests())
    assert.equal(50, (actions()))
  end)

  it("restrict one machine once, however many ask for it", function()
    start {}
    -- Each worker's first look takes a while, so that without turns all would find nothing.
    tenant.fault { fault = "slow", interval = 0.001, count = WORKERS, match = { path = site.id(7) .. "%27" } }
    local queries = {}
    for n = 1, 50 do queries[n] = { ["do"] = "restrict", device = n % 2 == 0 and site.id(7) or site.name(7) } end
    local answers = server.ask_many(queries)
    assert.equal("1 accepted, 49 already_active", site.tally(answers, "outcome"))
    local id = answers[1].id
    assert.equal("50 " .. id, site.tally(answers, "id"))
    assert.equal(1, restricts())
    assert.equal(WORKERS, #server.served())
  end)

  it("restrict one machine once, also where the tenant's list lags and would take another", function()
    tenant.set { lists = { lag = 60 }, duplicates = "new" }
    start {}
    local queries = {}
    for n = 1, 50 do queries[n] = { ["do"] = "restrict", device = site.id(7) } end
    local answers = server.ask_many(queries)
    assert.equal("1 accepted, 49 already_active", site.tally(answers, "outcome"))
    assert.equal(1, restricts())
  end)

  it("have one cap, which a restart does not lift", function()
    start { options = "cap = 5" }
    local answers = server.ask_many(restricting(1, 20))
    assert.equal("15 cap, 5 nothing", site.tally(answers, "rule"))
    assert.equal(5, restricts())
    assert.is_true(#server.served() > 1)
    server.stop()
    start { options = "cap = 5" }
    answers = server.ask_many(restricting(21, 40))
    assert.equal("20 protected", site.tally(answers, "kind"))
    assert.equal("20 cap", site.tally(answers, "rule"))
    assert.equal(5, restricts())
    answers = server.ask_many { { ["do"] = "restrict", device = site.id(41), allow = "cap" } }
    assert.equal("accepted", answers[1].outcome)
    assert.equal(6, restricts())
  end)

  describe("when a caller of restrict hangs up", function()
    local slow

    setup(function() slow = site.tenant { latency = 2 } end)

    teardown(function() slow.stop() end)

    before_each(function() slow.reset() end)

    -- By what the tenant has seen of a restrict of this machine; the request that is meant is on its way then, and its
    -- answer is a second or two away.
    local moments = {
      { name = "resolving", reached = function(id) return site.watch(slow, "GET", "/machines/" .. id) end },
      -- Of one machine, or of all: whichever the worker asks for by then.
      { name = "looking", reached = function() return site.watch(slow, "GET", "/machineactions") end },
      { name = "sending", reached = function(id) return site.watch(slow, "POST", id) end },
      { name = "answering", reached = function(id)
        return function()
          for _, entry in ipairs(slow.history "action_created") do
            if entry.machine == id then return 1 end
          end
          return 0
        end
      end },
    }

    -- Restricts a machine for each moment from `first` on and hangs up then; how many did so before they were answered.
    local function hang_up_at_each_moment(first)
      local before, callers, waiting = server.hang_ups(), {}, #moments
      for i, moment in ipairs(moments) do
        local id = site.id(first + i)
        callers[i] = { reached = moment.reached(id), client = server.ask { ["do"] = "restrict", device = id } }
      end
      wait_until(function()
        for _, caller in ipairs(callers) do
          if not caller.gone and caller.reached() > 0 then
            caller.client.hang_up()
            caller.gone, waiting = true, waiting - 1
          end
        end
        return waiting == 0
      end, server.errors)
      -- The calls go on, and end.
      wait_until(function() return #slow.history "action_created" >= first + #moments end, server.errors)
      return server.hang_ups() - before
    end

    it("do what was begun exactly once, and leave nothing locked", function()
      start({ options = UNCAPPED }, slow)
      server.ask({ ["do"] = "machine", device = site.id(100) }).answer()
      local first, hung_up = 0, nil
      -- Where the machine is so busy that an answer was faster, once more with others.
      for _ = 1, 3 do
        hung_up = hang_up_at_each_moment(first)
        first = first + #moments
        if hung_up == #moments then break end
      end
      assert.equal(#moments, hung_up)
      local again = restricting(first - #moments + 1, first)
      for _, query in ipairs(restricting(first - #moments + 1, first)) do again[#again + 1] = query end
      local answers = server.ask_many(again)
      assert.equal(("%d already_active"):format(2 * #moments), site.tally(answers, "outcome"))
      assert.equal(first, restricts(slow))
      assert.equal(first, #slow.history "action_created")
    end)
  end)

  describe("when nginx is reloaded", function()
    it("ask anew with a secret that was corrected, whatever was told to the old one", function()
      local environment = {}
      for name, value in pairs(tenant.env) do environment[name] = value end
      environment.AZURE_CLIENT_SECRET = tenant.client_secret:reverse()
      start { environment = environment, options = UNCAPPED }
      assert.equal("auth", server.ask({ ["do"] = "machine", device = site.id(1) }).answer().kind)
      server.reload_with(environment.AZURE_CLIENT_SECRET, tenant.client_secret)
      local answers = server.ask_many(mixed(40))
      for _, answer in ipairs(answers) do assert(answer.id, answer.whole or answer.message) end
      assert.equal(2, token_requests())
    end)

    it("come to the end of what they have begun, and each machine is restricted once", function()
      start { options = UNCAPPED }
      let_tokens_be_slow()
      local clients = {}
      for i, query in ipairs(restricting(1, 60)) do clients[i] = server.ask(query) end
      until_all_have_begun(60)
      local lists = {}
      for i = 1, 4 do
        local ids = {}
        for n = 100 + i * 10, 109 + i * 10 do ids[#ids + 1] = site.id(n) end
        lists[i] = server.ask { ["do"] = "each", devices = table.concat(ids, " ") }
      end
      until_all_have_begun(64)
      server.signal "HUP"
      local later = server.ask_many(restricting(61, 90))
      local answers, done = {}, {}
      for i, client in ipairs(clients) do answers[i] = client.answer() end
      for i, client in ipairs(lists) do done[i] = client.answer() end
      assert.equal(1, token_requests())
      assert.equal("60 accepted", site.tally(answers, "outcome"))
      assert.equal("30 accepted", site.tally(later, "outcome"))
      assert.equal("4 10 done", site.tally(done, "value"))
      local count, most = actions()
      assert.equal(130, count)
      assert.equal(1, most)
    end)
  end)

  describe("when the shared dict is full", function()
    local FILL = [[
      local dict, taken = ngx.shared.mde, {}
      function fill()
        for _, size in ipairs { 2000, 500, 100, 40, 1 } do
          while dict:safe_set(("filler %06d"):format(#taken + 1), ("x"):rep(size)) do taken[#taken + 1] = true end
        end
        return #taken
      end
      function free()
        dict:delete(("filler %06d"):format(#taken))
        taken[#taken] = nil
        return #taken
      end
    ]]

    it("restrict a single machine, and nothing is sent twice however much room there is", function()
      start { dict = "64k", workers = 1, clients = FILL, locations = [[
        location /fill { content_by_lua_block { ngx.print(fill()) } }
        location /free { content_by_lua_block { ngx.print(free()) } }
      ]] }
      local left = tonumber((server.get "/fill"))
      assert.is_true(left > 3)
      local outcomes = {}
      repeat
        local answer = server.ask({ ["do"] = "restrict", device = site.id(1) }).answer()
        outcomes[#outcomes + 1] = answer.outcome or answer.whole
        for _ = 1, math.ceil(left / 12) do left = tonumber((server.get "/free")) end
      until left <= 0
      assert.equal("accepted", outcomes[1])
      for n = 2, #outcomes do assert.equal("already_active", outcomes[n]) end
      assert.equal(1, restricts())
    end)

    it("of a size that can never do, they restrict single machines and say why they do nothing to many", function()
      start { dict = "12k", options = UNCAPPED .. ", limits = {}" }
      local answer = server.ask({ ["do"] = "each", devices = site.id(11) .. " " .. site.id(12) }).answer()
      assert.truthy(answer.value:find("nothing was sent", 1, true), answer.value)
      assert.truthy(answer.value:find("no memory", 1, true), answer.value)
      assert.truthy(answer.value:find("lua_shared_dict", 1, true), answer.value)
      assert.equal(0, restricts())
      for n = 1, 3 do
        assert.equal("accepted", server.ask({ ["do"] = "restrict", device = site.id(n) }).answer().outcome)
      end
      for n = 1, 4 do
        assert.equal(site.id(n), server.ask({ ["do"] = "machine", device = site.id(n) }).answer().id)
      end
    end)
  end)
end)
