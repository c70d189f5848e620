-- Plays a row of the table of faults for real: one call of the client over TLS to a simulated tenant, while the fault
-- strikes; then asks the tenant what it did, and judges what the caller was told.
--
-- Nobody waits: the driver's clock is made up, and whoever sleeps puts the tenant's clock forward by as much. What is
-- real are the bytes, and the time-outs, which are short.

local axes = require "tests.fault.outcomes.axes"
local mde = require "mde"

local TIMEOUT_SECONDS = 0.3
local VERBS = { restrict = "/restrictCodeExecution", release = "/unrestrictCodeExecution", isolate = "/isolate",
  unisolate = "/unisolate" }
local TYPES = { restrict = "RestrictCodeExecution", release = "UnrestrictCodeExecution", isolate = "Isolate",
  unisolate = "Unisolate" }
local OAUTH = '{"error":"invalid_client","error_description":"AADSTS7000215: made up","error_codes":[7000215]}'
local REFUSAL = '{"error":{"code":"Rehearsed","message":"made up","target":"|1."}}'

local M = {}

---@class tests.outcomes.World what rows are played in
---@field env table<string, string>
---@field control fun(method: string, path: string, body: table?): table one of the simulator's own requests
---@field send fun(request: table): table?, string?, boolean? the real driver's
---@field sleep_between? fun() lets others go on, where there are others

-- The real driver with made-up time, each request on a new connection or on one that was used before.
local function driver_of(world, row)
  local clock = 1000
  return {
    name = "table",
    now = function() return clock end,
    sleep = function(seconds)
      clock = clock + seconds
      if seconds > 0 then world.control("POST", "/sim/clock", { advance = seconds }) end
    end,
    send = function(request)
      local own = {}
      for name, value in pairs(request) do own[name] = value end
      own.timeout = math.min(request.timeout, TIMEOUT_SECONDS)
      if row.connection == "new" then own.max_idle = 0 end
      return world.send(own)
    end,
  }
end

local function client_of(world, row, driver)
  return assert(mde.client {
    tenant_id = world.env.AZURE_TENANT_ID, client_id = world.env.AZURE_CLIENT_ID,
    credential = world.env.AZURE_CLIENT_SECRET, authority = world.env.AZURE_AUTHORITY_HOST,
    base_url = world.env.MDE_BASE_URL, driver = driver, protect = { servers = false, device_values = {} },
    cap = false, store = row.store,
  })
end

-- Where the fault strikes.
local function match_of(row)
  if row.rule.fault == "refuse" then return { nth = row.in_list and row.connection == "new" and 2 or 1 } end
  if row.request == "token" then return { method = "POST", path = "/oauth2/" } end
  if row.request == "get" then return { method = "GET", path = "/api/machines/" } end
  if row.in_list then return { method = "GET", path = "/api/machineactions?" } end
  return { method = "POST", path = VERBS[row.request] }
end

local function arm(world, row)
  if not row.rule then return end
  if row.in_list then
    world.control("POST", "/sim/faults", { match = { method = "POST", path = VERBS[row.request] }, fault = "gone" })
  end
  local rule = { match = match_of(row), count = row.times }
  for name, value in pairs(row.rule) do rule[name] = value end
  if rule.fault == "answer" and not rule.body and row.status then
    rule.body = row.request == "token" and OAUTH or REFUSAL
  end
  world.control("POST", "/sim/faults", rule)
end

-- A token, and a connection such as the request will ask for: one for an action may not have idled for long.
local function warm_up(client, driver, world, row)
  if row.request ~= "token" then assert(client:machine(axes.other)) end
  assert(driver.send { method = "GET", url = world.env.MDE_BASE_URL .. "/api/", headers = {}, timeout = 5,
    max_bytes = 1e6, max_idle = VERBS[row.request] and 5 or 50 })
end

local function call(client, row)
  if row.request == "get" or row.request == "token" then return client:machine(axes.machine) end
  return client[row.request](client, axes.machine, "a row of the table", { look = false })
end

local function actions_of(history)
  local list = {}
  for _, entry in ipairs(history) do
    if entry.event == "action_created" then list[#list + 1] = entry end
  end
  return list
end

-- Whatever is expected: an answer that is false. nil if none is.
local function lie(row, value, err, actions)
  if row.request == "get" or row.request == "token" then
    if value and value.id ~= axes.machine then return "another machine was returned" end
    if actions[1] then return "a read has acted" end
    return nil
  end
  local operation
  for _, action in ipairs(actions) do
    if action.type ~= TYPES[row.request] or action.machine ~= axes.machine then return "something else was done" end
    local id = action.comment:match ":([^:]+)%]$"
    if operation and operation ~= id then return "two actions carry different ids" end
    operation = id
  end
  if value then
    local is_there = false
    for _, action in ipairs(actions) do is_there = is_there or action.action == value.id end
    if not is_there then return "an action was returned that is not there" end
    if value.outcome == "accepted" and value.operation_id ~= operation then return "the operation id is another" end
    if value.machineId ~= axes.machine then return "the action is not said to be the machine's" end
  elseif err.kind == "unknown" then
    if operation and err.operation_id ~= operation then return "the id to look for is another" end
    if err.machine_id ~= axes.machine then return "the machine to look at is another" end
  elseif actions[1] then
    return "it was done, and the caller was told that it was not"
  end
  if #actions > 1 and not row.expected.lags then return "it was done twice" end
  if #actions > 1 and not (value and value.attempts == #actions) then return "it was done twice, and nobody told so" end
end

--- Plays a row. Where it has `strike` and `spare`, these are called before and after the call; where it has `store`,
--- the client keeps its state there.
---@param world tests.outcomes.World
---@param row table
---@return table seen `result` ("value" or the error's kind), `attempts`, `reconciled`, `actions`, `message`
---@return string? problem what is wrong with that
function M.play(world, row)
  world.control("POST", "/sim/reset")
  world.control("POST", "/sim/settings", { lists = { lag = row.lag or 0 }, duplicates = row.duplicates })
  world.control("POST", "/sim/machines", { id = axes.machine, offline = row.offline or false })
  local driver = driver_of(world, row)
  local client = client_of(world, row, driver)
  warm_up(client, driver, world, row)
  arm(world, row)
  if row.strike then row.strike() end
  local value, err = call(client, row)
  if row.spare then row.spare() end
  world.control("DELETE", "/sim/faults")
  local actions = actions_of(world.control("GET", "/sim/history").history)
  local seen = { result = value and "value" or err.kind, message = err and err.message,
    attempts = value and value.attempts or nil, reconciled = value and value.reconciled or nil, actions = #actions }
  local problem = lie(row, value, err, actions)
  local expected = row.expected
  for _, name in ipairs { "result", "attempts", "reconciled", "actions" } do
    local is_told = expected[name] ~= nil or name == "reconciled" and row.expected.attempts ~= nil
    if not problem and is_told and expected[name] ~= seen[name] then
      problem = ("%s is %s, and should be %s"):format(name, tostring(seen[name]), tostring(expected[name]))
    end
  end
  return seen, problem
end

local function line(row, seen, problem)
  return ("%-9s | %-8s | %-6s | %-5s | %-60s | tenant: %d done | told: %s%s%s%s"):format(row.driver,
    row.request .. (row.in_list and "*" or ""), row.connection, row.times == 1 and "once" or "twice", row.fault,
    seen.actions, seen.result, seen.attempts and (", %d attempts"):format(seen.attempts) or "",
    seen.reconciled and ", reconciled" or "", problem and " | WRONG: " .. problem .. (seen.message and " ("
    .. seen.message .. ")" or "") or "")
end

--- Plays all rows of a driver, or those that are sampled.
---@param world tests.outcomes.World
---@param driver "libcurl"|"cosocket"
---@param tell fun(line: string) is given each row as a line
---@param only? "sampled"
---@return integer played
---@return string[] problems
function M.play_all(world, driver, tell, only)
  local played, problems, names = 0, {}, {}
  for _, row in ipairs(axes.rows(driver)) do
    local name = axes.name(row)
    assert(not names[name], "two rows are called " .. name)
    names[name] = true
    if not only or row.sampled then
      local seen, problem = M.play(world, row)
      played = played + 1
      local text = line(row, seen, problem)
      tell(text)
      if problem then problems[#problems + 1] = text end
      if world.sleep_between then world.sleep_between() end
    end
  end
  return played, problems
end

return M
