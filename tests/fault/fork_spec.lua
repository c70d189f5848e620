-- A client that was made before a fork, and used in every child, as in servers whose master sets up and then forks.
-- Labels: sanitized, not-lua5.3

local script = require "tests.spec.support.process.script"
local tenants = require "tests.spec.support.server.tenant"

local CHILDREN, REQUESTS = 8, 200

local START = [[
local base_url, ca_file, tenant_id, client_id, credential = (table.unpack or unpack)(arg)
local fork = require "tests.fork"
local mde = require "mde"
io.stdout:setvbuf "no"

-- A line for the test, in one piece, since all write to the same pipe.
local function tell(...)
  io.write(table.concat({ ... }, " ") .. "\n")
end

-- With an inherited connection TLS fails and a read is tried again, so that has to be counted.
local retries = 0
local client = assert(mde.client { tenant_id = tenant_id, client_id = client_id, credential = credential,
  authority = base_url, base_url = base_url, ca_file = ca_file, proxy = "", cap = false, limits = false,
  on_event = function(event)
    if event.event == "retry" then retries = retries + 1 end
  end })

-- Runs work(n) in so many children at once; each writes its result in one line. Waits for all.
local function in_children(count, work)
  local children = {}
  for n = 1, count do
    children[n] = fork.fork()
    if children[n] == 0 then
      local ok, result = pcall(work, n)
      tell(ok and "child" or "raised", tostring(result), "retries", retries)
      fork.exit(ok and 0 or 1)
    end
  end
  return function()
    for _, child in ipairs(children) do assert(fork.wait(child) == 0) end
  end
end
]]

describe("a client that was made before a fork", function()
  local tenant, ids

  setup(function()
    tenant = tenants.start { limits = false, latency = 0.002 }
  end)
  teardown(function() tenant.stop() end)

  before_each(function()
    tenant.reset()
    ids = {}
    for i = 1, 40 do
      ids[i] = tenant.machine { computerDnsName = ("forked-%d.corp.example"):format(i), osPlatform = "Windows11" }
    end
  end)

  local function run(text)
    local output, status = script.run(START .. 'local ids = { "' .. table.concat(ids, '", "') .. '" }\n' .. text, {
      arguments = { tenant.base_url, tenant.ca_file, tenant.env.AZURE_TENANT_ID, tenant.env.AZURE_CLIENT_ID,
        tenant.env.AZURE_CLIENT_SECRET },
      -- A child forgets the parent's handles on purpose, which a leak checker cannot know. Lines of the trace that
      -- are longer than a pipe takes at once would stand among those of the test.
      environment = { ASAN_OPTIONS = "detect_leaks=0", MDE_LOG = "" },
    })
    assert.equal("exit 0", status, output)
    return output
  end

  -- What was asked of the tenant: how often for a token, and how often for each change.
  local function asked()
    local tokens, changes = 0, {}
    for _, entry in ipairs(tenant.history "request") do
      if entry.path:find("/oauth2/", 1, true) then tokens = tokens + 1 end
      if entry.path:find "CodeExecution$" then changes[entry.path] = (changes[entry.path] or 0) + 1 end
    end
    return tokens, changes
  end

  local function count(set)
    local number = 0
    for _ in pairs(set) do number = number + 1 end
    return number
  end

  -- What was told: how often each line came.
  local function lines(output)
    local counts = {}
    for line in output:gmatch "[^\n]+" do counts[line] = (counts[line] or 0) + 1 end
    return counts
  end

  it("gives each of 8 children and the parent the machine that was asked for, 200 times", function()
    local output = run(([[
      local REQUESTS = %d
      assert(client:machine(ids[1]).id == ids[1])

      local function id(n, i) return ids[(n * 7 + i * 11) %% #ids + 1] end
      local function one_by_one(n)
        local right = 0
        for i = 1, REQUESTS do
          local machine, err = client:machine(id(n, i))
          if not machine then return tostring(err) end
          if machine.id == id(n, i) then right = right + 1 end
        end
        return right
      end
      local function several_at_once(n)
        local list, right = {}, 0
        for i = 1, REQUESTS do list[i] = id(n, i) end
        for i, result in ipairs(client:each(list, function(item) return client:machine(item) end)) do
          if not result.value then return tostring(result.err) end
          if result.value.id == list[i] then right = right + 1 end
        end
        return right
      end

      local wait = in_children(%d, function(n)
        return n %% 2 == 0 and several_at_once(n) or one_by_one(n)
      end)
      tell("parent", several_at_once(0), "retries", retries)
      wait()
      tell("parent", one_by_one(0), "retries", retries)
    ]]):format(REQUESTS, CHILDREN))
    assert.same({ ["child 200 retries 0"] = CHILDREN, ["parent 200 retries 0"] = 2 }, lines(output))
    assert.equal(1, (asked()))
  end)

  it("signs in once in each child if it had not before, and gives no two actions the same id", function()
    local output = run(([[
      in_children(%d, function(n)
        local done = 0
        for i = 1, 3 do
          local action, err = client:restrict(ids[(n - 1) * 3 + i], "forked")
          if not action then return tostring(err) end
          if action.outcome == "accepted" then done = done + 1 end
        end
        return done
      end)()
    ]]):format(CHILDREN))
    assert.same({ ["child 3 retries 0"] = CHILDREN }, lines(output))
    assert.equal(CHILDREN, (asked()))
    local operations = {}
    for _, action in ipairs(tenant.history "action_created") do
      operations[assert(action.comment:match "%[mde:([^%]]+)%]$")] = true
    end
    assert.equal(CHILDREN * 3, #tenant.history "action_created")
    assert.equal(CHILDREN * 3, count(operations))
  end)

  -- Forked in the midst of `each`: the child does something of its own, and then what `after` says.
  local FORK_IN_EACH = [[
    local list, child = {}, nil
    for i = 25, 40 do list[#list + 1] = ids[i] end
    local function fork_once()
      if child then return end
      child = fork.fork()
      if child ~= 0 then return end
      local right = 0
      for i = 1, 30 do
        local machine = client:machine(ids[i])
        if machine and machine.id == ids[i] then right = right + 1 end
      end
      -- Of the first the parent may be at work on the restriction just now.
      local action, err = client:restrict(ids[24], "in the child")
      tell("child", right, action and action.outcome or tostring(err))
      %s
    end
    local ok, results = pcall(client.each, client, list, function(id)
      local action, err = client:restrict(id, "in the parent")
      %s
      return action, err
    end, { parallel = 4, on_progress = %s })
    if child == 0 then
      tell("raised", tostring(not ok and results))
      fork.exit(0)
    end
    assert(fork.wait(child) == 0)
    tell("parent", #results, results.failed)
  ]]
  local EXIT, RETURN = "fork.exit(0)", ""
  local cases = {
    { "from the function of each", EXIT, "fork_once()", "nil" },
    { "from on_progress", EXIT, "", "fork_once" },
    { "from the function of each, to which the child returns", RETURN, "fork_once()", "nil" },
    { "from on_progress, to which the child returns", RETURN, "", "fork_once" },
  }
  for _, case in ipairs(cases) do
    it("leaves to the parent what each has still to do, forked " .. case[1], function()
      local output = run(FORK_IN_EACH:format(case[2], case[3], case[4]))
      local expected = { ["child 30 accepted"] = 1, ["parent 16 0"] = 1 }
      local told = lines(output)
      if case[2] == RETURN then
        local raised = output:match "raised ([^\n]*)"
        assert.truthy(raised and raised:find("forked while mde.each was at work", 1, true), output)
        expected["raised " .. raised] = 1
      end
      assert.same(expected, told)
      local _, changes = asked()
      for path, times in pairs(changes) do assert.equal(1, times, path) end
      assert.equal(17, count(changes))
    end)
  end

  it("waits in the child for nothing that the parent is at: a token, a turn, a count for the cap", function()
    local output = run [[
      local driver = require("mde.driver.curl").new { ca_file = ca_file, proxy = "" }
      -- Forked when the parent waits for its first answer, its second...
      for stage = 1, 4 do
        local requests, gate = {}, driver.gate()
        local counting = assert(mde.client { tenant_id = tenant_id, client_id = client_id, credential = credential,
          authority = base_url, base_url = base_url, driver = driver, on_event = function(event)
            if event.event == "request" then requests[#requests + 1] = event.method .. " " .. event.url end
          end })
        driver.spawn(function()
          local action, err = counting:restrict(ids[stage], "in the parent")
          tell("parent", action and "succeeds" or tostring(err))
          gate:open()
        end)
        while #requests < stage do driver.sleep(0) end
        local child = fork.fork()
        if child == 0 then
          local action, err = counting:restrict(ids[stage], "in the child", { timeout = 20 })
          tell("child", action and action.outcome or tostring(err))
          os.exit(0, true)
        end
        assert(fork.wait(child) == 0)
        gate:wait(30)
        assert(#requests >= stage)
        assert(requests[1]:find("/oauth2/", 1, true) and not requests[stage]:find "CodeExecution$", requests[stage])
      end
    ]]
    assert.same({ ["child accepted"] = 4, ["parent succeeds"] = 4 }, lines(output))
  end)
end)
