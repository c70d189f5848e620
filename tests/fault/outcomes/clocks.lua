-- The axis "the service's clock" of the table of faults: the API's Date, this machine's clock or the sign-in service's
-- is off, is missing, or jumps, while answers are lost and colleagues act. The bytes are real; each row is one or two
-- calls over TLS to a simulated tenant, which says afterwards what it did.
--
-- What is expected does not depend on the clock: that is what the rows show.

local axes = require "tests.fault.outcomes.axes"
local core = require "mde.core"
local json = require "mde.base.json"
local mde = require "mde"
local posix = require "mde.posix"
local times = require "mde.sim.base.time"

local DAY, YEAR = 86400, 365 * 86400
local KEY = "alert-12345678"
local MACHINE = axes.machine
local TYPES = { restrict = "RestrictCodeExecution", release = "UnrestrictCodeExecution" }
local PATHS = { restrict = "restrictCodeExecution", release = "unrestrictCodeExecution" }
local OPPOSITE = { restrict = "release", release = "restrict" }
local CAP = 5

local M = {}

-- ---- the clocks

local spans = { { "-1 day", -DAY }, { "-600 s", -600 }, { "-61 s", -61 }, { "0", 0 }, { "+30 s", 30 }, { "+61 s", 61 },
  { "+600 s", 600 }, { "+1 day", DAY }, { "+20 years", 20 * YEAR } }

---@class tests.Clock
---@field name string
---@field date? fun(nth: integer): number|false how far the Date of the nth answer of the API is ahead; false: none
---@field here? number how far this machine is ahead of the service
---@field sign_in? number how far the sign-in service is ahead of the API

---@type tests.Clock[]
local clocks = {}
for _, span in ipairs(spans) do
  clocks[#clocks + 1] = { name = "Date " .. span[1], date = function() return span[2] end }
  clocks[#clocks + 1] = { name = "this machine behind by " .. span[1], here = -span[2] }
end
clocks[#clocks + 1] = { name = "Date missing", date = function() return false end }
local jumps = { 0, 600, -600, DAY, -61, 20 * YEAR }
clocks[#clocks + 1] = { name = "Date jumping", date = function(nth) return jumps[nth % #jumps + 1] end }
for _, by in ipairs { -DAY, -600, 600, DAY } do
  clocks[#clocks + 1] = { name = ("sign-in host %+d s"):format(by), sign_in = by }
end

-- A token as a sign-in service would issue it whose clock is off.
local function shifted_token(token, by)
  local head, payload, signature = token:match "^([^.]*)%.([^.]*)%.([^.]*)$"
  local claims = json.object(core.base64.decode(payload))
  for _, name in ipairs { "iat", "nbf", "exp" } do claims[name] = claims[name] + by end
  return table.concat({ head, core.base64.encode_url(json.encode(claims)), signature }, ".")
end

-- The real driver with made-up time and such clocks. Whoever sleeps puts the tenant's clock forward by as much.
local function driver_of(world, clock, time)
  local answers, issued = 0, {}
  local driver = { name = "clocks", now = function() return time.now end }
  function driver.sleep(seconds)
    if seconds <= 0 then return end
    time.now = time.now + seconds
    world.control("POST", "/sim/clock", { advance = seconds })
  end
  local function shift(response, is_sign_in)
    local by = clock.sign_in or 0
    if not is_sign_in then
      answers = answers + 1
      by = clock.date and clock.date(answers) or not clock.date and 0
    end
    response.headers.date = by and times.http(time.service() + by) or nil
    local answer = is_sign_in and by ~= 0 and json.object(response.body)
    if not answer or not answer.access_token then return end
    local own = shifted_token(answer.access_token, by)
    issued[own], answer.access_token = answer.access_token, own
    response.body = json.encode(answer)
  end
  function driver.send(request)
    local own, headers = {}, {}
    for name, value in pairs(request) do own[name] = value end
    for name, value in pairs(request.headers) do headers[name] = value end
    local bearer = (headers.Authorization or ""):match "^Bearer (.*)$"
    if issued[bearer] then headers.Authorization = "Bearer " .. issued[bearer] end
    own.headers, own.timeout = headers, math.min(request.timeout, 0.3)
    local response, message, maybe_sent = world.send(own)
    if response then shift(response, request.url:find("/oauth2/", 1, true) ~= nil) end
    return response, message, maybe_sent
  end
  return driver
end

-- ---- a row

---@class tests.ClockRow
---@field clock tests.Clock
---@field scenario string
---@field verb? "restrict"|"release"
---@field key? string
---@field play fun(stage: table): string? why what was told or done is wrong
---@field twice? integer is counted
---@field past_the_cap? integer

-- Where a row is played: a tenant as it was born, a client, and what they can be asked.
local function stage_of(world, row)
  world.control("POST", "/sim/reset")
  local base = world.control("POST", "/sim/clock", { advance = 0 }).now
  local time = { now = 1000 }
  function time.service() return base + time.now - 1000 end
  local stage = { world = world, row = row, time = time, driver = driver_of(world, row.clock, time) }

  function stage.client(options)
    local all = { tenant_id = world.env.AZURE_TENANT_ID, client_id = world.env.AZURE_CLIENT_ID,
      credential = world.env.AZURE_CLIENT_SECRET, authority = world.env.AZURE_AUTHORITY_HOST,
      base_url = world.env.MDE_BASE_URL, driver = stage.driver, protect = { servers = false, device_values = {} },
      cap = false, limits = false }
    for name, value in pairs(options or {}) do all[name] = value end
    return assert(mde.client(all))
  end

  function stage.lose(executed)
    world.control("POST", "/sim/faults", { match = { method = "POST", path = PATHS[row.verb] },
      fault = executed and "gone" or "reset" })
  end

  function stage.colleague(verb, ago)
    return world.control("POST", "/sim/actions", { machineId = MACHINE, type = TYPES[verb], status = "Succeeded",
      creationDateTimeUtc = times.iso(time.service() - ago),
      lastUpdateDateTimeUtc = times.iso(time.service() - ago + 1),
      requestor = "colleague@corp.example", requestorComment = "decided" }).id
  end

  -- How often the tenant did what the client asked for.
  function stage.done(verb)
    local count = 0
    for _, entry in ipairs(world.control("GET", "/sim/history").history) do
      local is_own = entry.event == "action_created" and entry.requestor == "mde"
      if is_own and entry.type == TYPES[verb or row.verb] then count = count + 1 end
    end
    return count
  end
  return stage
end

-- What is wrong where this should have come out. `times`: how often it should have been done.
local function judge(stage, action, err, expected)
  local done = stage.done()
  if done > 1 then stage.row.twice = 1 end
  if done ~= expected.done then return ("done %d times, and should be %d"):format(done, expected.done) end
  local told = action and action.outcome or err.kind
  if told ~= expected.told then
    return ("told %s, and should be %s: %s"):format(told, expected.told, tostring(err or ""))
  end
  for _, name in ipairs { "attempts", "reconciled" } do
    if action and expected[name] ~= nil and action[name] ~= expected[name] then
      return ("%s is %s, and should be %s"):format(name, tostring(action[name]), tostring(expected[name]))
    end
  end
  if told == "superseded" and err.action.requestor ~= "colleague@corp.example" then return "superseded by another" end
end

local function call(stage, options)
  local client = stage.client()
  assert(client:machine(axes.other))
  local all = { key = stage.row.key }
  for name, value in pairs(options or {}) do all[name] = value end
  return client[stage.row.verb](client, MACHINE, "a row of the table", all)
end

local changes = {
  { "answered", function(stage)
    local action, err = call(stage)
    return judge(stage, action, err, { told = "accepted", done = 1, attempts = 1 })
  end },
  { "lost, executed", function(stage)
    stage.lose(true)
    local action, err = call(stage)
    return judge(stage, action, err, { told = "accepted", done = 1, attempts = 1, reconciled = true })
  end },
  { "lost, not executed", function(stage)
    stage.lose(false)
    local action, err = call(stage)
    return judge(stage, action, err, { told = "accepted", done = 1, attempts = 2 })
  end },
  { "lost, executed; the opposite 30 s before", function(stage)
    stage.colleague(OPPOSITE[stage.row.verb], 30)
    stage.lose(true)
    local action, err = call(stage)
    return judge(stage, action, err, { told = "accepted", done = 1, attempts = 1, reconciled = true })
  end },
  { "lost, not executed; the opposite 30 s before", function(stage)
    stage.colleague(OPPOSITE[stage.row.verb], 30)
    stage.lose(false)
    local action, err = call(stage)
    return judge(stage, action, err, { told = "accepted", done = 1, attempts = 2 })
  end },
  { "lost, not executed; the opposite since", function(stage)
    stage.lose(false)
    local sleep, has_acted = stage.driver.sleep, false
    function stage.driver.sleep(seconds)
      if not has_acted then stage.colleague(OPPOSITE[stage.row.verb], 0) end
      has_acted = true
      sleep(seconds)
    end
    local action, err = call(stage)
    return judge(stage, action, err, { told = "superseded", done = 0 })
  end },
}

local unlooked = {
  { "unlooked: lost, executed", function(stage)
    stage.lose(true)
    local action, err = call(stage, { look = false })
    return judge(stage, action, err, { told = "accepted", done = 1, attempts = 1, reconciled = true })
  end },
  { "unlooked: lost, not executed", function(stage)
    stage.lose(false)
    local action, err = call(stage, { look = false })
    return judge(stage, action, err, { told = "accepted", done = 1, attempts = 2 })
  end },
  { "unlooked: lost, not executed; the opposite 30 s before", function(stage)
    stage.colleague(OPPOSITE[stage.row.verb], 30)
    stage.lose(false)
    local action, err = call(stage, { look = false })
    return judge(stage, action, err, { told = "unknown", done = 0 })
  end },
}

local repeated = { "the key was used before", function(stage)
  local first = assert(call(stage))
  stage.driver.sleep(90)
  local action, err = call(stage)
  if action and action.id ~= first.id then return "another action than the first" end
  return judge(stage, action, err, { told = "already_active", done = 1 })
end }

-- Clients one after the other, each of which knows of the others by the service's list alone.
local function past_the_cap(stage)
  local sent, refused = 0, 0
  for run = 1, 4 do
    local client = stage.client { cap = CAP }
    for i = 1, 2 do
      local id = ("%040x"):format(0xca00 + 2 * run + i)
      local name = ("cap-%d-%d.corp.example"):format(run, i)
      stage.world.control("POST", "/sim/machines", { id = id, computerDnsName = name })
      local action, err = client:restrict(id, "a row of the table")
      if action then sent = sent + 1 end
      if err and err.rule == "cap" then refused = refused + 1 end
    end
    stage.driver.sleep(60)
  end
  local done = stage.done "restrict"
  stage.row.past_the_cap = math.max(0, done - CAP)
  if done ~= CAP or sent ~= CAP then return ("%d done, %d told, under a cap of %d"):format(done, sent, CAP) end
  if refused ~= 3 then return ("%d refused for the cap"):format(refused) end
end

local function since(stage)
  local function held()
    local list, err = stage.client():restricted { incident = "INC-1", since = mde.ago "1h" }
    return list and #list or tostring(err)
  end
  assert(stage.client():restrict(MACHINE, "a row of the table", { incident = "INC-1" }))
  stage.driver.sleep(600)
  local early = held()
  stage.driver.sleep(2 * 3600)
  local late = held()
  if early ~= 1 or late ~= 0 then return ("held: %s after ten minutes, %s after two hours"):format(early, late) end
end

--- All rows; or those that are sampled: each second one, of the other verb and with the next clock of a host the rest.
---@param only? "sampled"
---@return tests.ClockRow[]
function M.rows(only)
  local rows, number = {}, 0
  local function add(clock, scenario, play, verb, key)
    number = number + 1
    if only and number % 2 == 1 then return end
    rows[#rows + 1] = { clock = clock, scenario = scenario, play = play, verb = verb, key = key }
  end
  for i, clock in ipairs(clocks) do
    for j, verb in ipairs { "restrict", "release" } do
      -- The host's clocks and this machine's take turns.
      number = math.floor(i / 2) + j
      for _, change in ipairs(changes) do
        add(clock, change[1], change[2], verb)
        add(clock, change[1], change[2], verb, KEY)
      end
      for _, change in ipairs(unlooked) do add(clock, change[1], change[2], verb) end
      add(clock, repeated[1], repeated[2], verb, KEY)
    end
    add(clock, "a cap of " .. CAP, past_the_cap)
    add(clock, "since an hour ago", since)
  end
  return rows
end

---@param row tests.ClockRow
---@return string
function M.name(row)
  return ("%-32s | %-8s | %-5s | %s"):format(row.clock.name, row.verb or "", row.key and "key" or "", row.scenario)
end

--- Plays all rows, or those that are sampled.
---@param world tests.outcomes.World
---@param tell fun(line: string)
---@param only? "sampled"
---@return { rows: integer, twice: integer, past_the_cap: integer, problems: string[] }
function M.play_all(world, tell, only)
  local sum = { rows = 0, twice = 0, past_the_cap = 0, problems = {} }
  local local_time = posix.clock.time
  for _, row in ipairs(M.rows(only)) do
    local name = M.name(row)
    local stage = stage_of(world, row)
    posix.clock.time = function() return stage.time.service() + (row.clock.here or 0) end
    local ok, problem = pcall(row.play, stage)
    posix.clock.time = local_time
    if not ok then problem = "raised " .. tostring(problem) end
    sum.rows, sum.twice = sum.rows + 1, sum.twice + (row.twice or 0)
    sum.past_the_cap = sum.past_the_cap + (row.past_the_cap or 0)
    if problem then sum.problems[#sum.problems + 1] = name .. ": " .. problem end
    tell(name .. (problem and " | WRONG: " .. problem or " | as expected"))
  end
  world.control("DELETE", "/sim/faults")
  return sum
end

--- The sum in words.
---@param sum table
---@return string
function M.text(sum)
  return ("the service's clock: %d rows, %d twice, %d past the cap, %d false answers"):format(sum.rows, sum.twice,
    sum.past_the_cap, #sum.problems)
end

return M
