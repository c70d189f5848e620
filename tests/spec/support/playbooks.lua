-- Playbooks, plans and runs in a tenant in the same process, for the specs of mde.run.
--
--   local stage = playbooks.new { machines = playbooks.fleet(3) }
--   local plan = assert(stage.plan [[ local mde = require "mde" ... ]])
--   local report = assert(stage.start(plan))
--   stage.remove()

local clients = require "mde.client"
local endless_run = require "tests.spec.support.endless_run"
local playbook_of = require "mde.run.playbook"
local rehearsal = require "tests.spec.support.rehearsal"
local runs = require "mde.run"
local shell = require "tests.spec.support.process.shell"
local watched_journal = require "tests.spec.support.watched_journal"

local playbooks = {}

--- So many machines: pc-1.corp.example, ...
function playbooks.fleet(count, fields)
  local list = {}
  for i = 1, count do
    list[i] = { id = ("%040x"):format(0xb0000 + i), computerDnsName = ("pc-%d.corp.example"):format(i),
      osPlatform = "Windows11" }
    for name, value in pairs(fields or {}) do list[i][name] = value end
  end
  return list
end

--- The id of one of the fleet.
function playbooks.id(i) return ("%040x"):format(0xb0000 + i) end

--- A playbook that restricts the fleet by name, in mde.each.
function playbooks.restrict(count, more)
  return ([[
local mde = require "mde"
local names = {}
for i = 1, %d do names[i] = ("pc-%%d.corp.example"):format(i) end
results = mde.each(names, function(name)
  return mde.restrict(name, "beacon", { incident = "INC-1" })
end)
%s]]):format(count, more or "")
end

--- `options`: those of a rehearsal.
function playbooks.new(options)
  options.unguarded = options.unguarded == nil or options.unguarded
  -- A run waits for the disk twice for each device.
  local stage = { directory = shell.new_directory_in_memory() }
  stage.rehearsal = rehearsal.new(options)
  stage.client, stage.tenant = stage.rehearsal.client, stage.rehearsal.tenant
  endless_run.watch(stage.tenant)
  local count = 0

  function stage.path(name)
    count = count + 1
    return ("%s/%s"):format(stage.directory, name or ("run-%d.db"):format(count))
  end

  function stage.playbook(text, arguments)
    return assert(playbook_of.of_text("playbook.lua", text, arguments or {}))
  end

  function stage.plan(text, more)
    local all = { playbook = stage.playbook(text, more and more.arguments) }
    for name, value in pairs(more or {}) do all[name] = value end
    return runs.plan(stage.client, all)
  end

  function stage.start(plan, more)
    local all = { record = stage.path() }
    for name, value in pairs(more or {}) do all[name] = value end
    local report, err = runs.start(stage.client, plan, all)
    return report, err, all.record
  end

  --- From now on the answer to what is posted to a machine is lost, and no list can be read.
  function stage.lose(id)
    stage.rehearsal:fault { match = { method = "POST", path = id }, fault = "gone" }
    stage.rehearsal:answer({ method = "GET", path = "machineactions" }, 503, "{}", { count = false })
  end

  --- Another process: a client of its own. `driver`: what carries its bytes, default the tenant's
  function stage.renew(driver)
    local tenant = stage.tenant
    local own = { driver = driver or tenant:driver(), credential = tenant.client_secret }
    for name, value in pairs(options.unguarded and rehearsal.unguarded or {}) do own[name] = value end
    for name, value in pairs(options.client or {}) do own[name] = value end
    own.tenant_id, own.client_id = tenant.tenant_id, tenant.client_id
    if options.limits == false then own.limits = false end
    stage.client = assert(clients.new(own))
  end

  --- From now on the process can end: its driver and journals raise once it has, which `ends(what, ...)` says before
  --- and after each request ("request", "answer") and before each write. `driver`: as in renew
  function stage.mortal(ends, driver)
    stage.is_dead = false
    local function live(...)
      stage.is_dead = stage.is_dead or ends(...)
      if stage.is_dead then error("the process has ended", 0) end
    end
    watched_journal.watch(live)
    driver = driver or stage.tenant:driver()
    stage.renew(setmetatable({ send = function(request)
      live("request", request)
      local response, message, sent, code = driver.send(request)
      live("answer", request)
      return response, message, sent, code
    end }, { __index = driver }))
  end

  --- The process has ended: what it had is free, and another one goes on.
  function stage.another(driver)
    watched_journal.leave()
    stage.client = nil
    collectgarbage()
    collectgarbage()
    stage.renew(driver)
  end

  --- Goes on with a run.
  function stage.resume(path, more)
    local opened = assert(runs.open(stage.client, path))
    local found, err = runs.replan(stage.client, opened, more)
    if not found then
      runs.close(opened)
      return nil, err
    end
    return runs.resume(stage.client, opened, more), found
  end

  --- Of each machine how many actions of which type it has.
  function stage.actions()
    local counts = {}
    for _, event in ipairs(stage.tenant.history) do
      if event.event == "action_created" then
        local key = (event.type == "RestrictCodeExecution" and "restrict " or "release ") .. event.machine
        counts[key] = (counts[key] or 0) + 1
      end
    end
    return counts
  end

  function stage.posts() return #stage.rehearsal:posts() end

  --- How often a machine was posted this.
  function stage.posted_to(id, verb)
    local times = 0
    for _, request in ipairs(stage.rehearsal:requests()) do
      if request:find("^POST .*/machines/" .. id .. "/" .. verb .. "$") then times = times + 1 end
    end
    return times
  end

  function stage.remove()
    endless_run.leave()
    shell.remove(stage.directory)
  end

  return stage
end

return playbooks
