-- A month of six incidents, told later by the command over TLS, and compared with what the tenant itself knows.
-- Labels: only-lua5.4, long
local core = require "mde.core"
local commands = require "tests.spec.support.process.command"
local json = require "mde.sim.base.json"
local tenants = require "tests.spec.support.server.tenant"

local DEVICES, ACTIONS, DAY = 400, 1500, 86400
-- One is the beginning of another.
local INCIDENTS = { "INC-471", "INC-4711", "INC-4712", "4713", "SOC/2026-11", "inc_six" }
local BY_HAND = { "portal@corp.example", "night.shift@corp.example" }

local lower = core.text.lower
local has, lines_of = commands.has, commands.lines_of

local function machine_id(number)
  return ("%040x"):format(0xf0000 + number)
end

-- The same numbers each time.
local function numbers(seed)
  return function(count)
    seed = (seed * 16807) % 2147483647
    return seed % count + 1
  end
end

local function time(seconds)
  return os.date("!%Y-%m-%dT%H:%M:%SZ", seconds)
end

-- Fate of an action: most succeed.
local function status_of(draw)
  local number = draw(20)
  return number <= 15 and "Succeeded" or number <= 17 and "Failed" or number == 18 and "TimeOut" or "Cancelled"
end

-- What happened in a month, in its order: each incident goes on for ten days, and restricts and releases as it comes;
-- people act by hand, and other actions carry suffixes, too.
local function month(now)
  local draw, actions, begin = numbers(4711), {}, now - 31 * DAY
  for i = 1, ACTIONS do
    local at = begin + math.floor(i * 30.5 * DAY / ACTIONS)
    local first = math.min(5, math.floor((at - begin) / (5 * DAY)))
    local incident = INCIDENTS[math.min(6, first + draw(2))]
    if draw(3) == 1 then incident = lower(incident) end
    local is_release, by_hand = draw(5) <= 2, draw(8) == 1
    local action = { machineId = machine_id(draw(DEVICES)), status = status_of(draw),
      type = is_release and "UnrestrictCodeExecution" or draw(20) == 1 and "RunAntiVirusScan"
        or "RestrictCodeExecution",
      requestor = by_hand and BY_HAND[draw(2)] or "soc-playbook", creationDateTimeUtc = time(at),
      lastUpdateDateTimeUtc = time(at + draw(600)), requestorComment = "alert " .. i }
    if not by_hand then
      action.requestorComment = ("alert %d, =1+1 [mde:%s:operation-%06d]"):format(i, incident, i)
    elseif draw(2) == 1 then
      action.requestorComment = ("alert %d, see [mde:%s:operation-%06d] please"):format(i, incident, i)
    end
    if action.status == "Cancelled" then action.cancellationRequestor = "carol@corp.example" end
    -- In the last hours a device here and there is off.
    if i > ACTIONS - 60 and draw(3) == 1 then action.status, action.frozen = "Pending", true end
    actions[i] = action
  end
  return actions
end

-- ---- what the tenant knows

local function incident_of(comment)
  local incident = comment:match "%[mde:([^%s:%]]+):[%w%-]+%]$"
  return incident and lower(incident)
end

-- The restricts and releases of each device in their order, as the tenant took them.
local function devices_of(history)
  local devices = {}
  for _, entry in ipairs(history) do
    if entry.type ~= "RunAntiVirusScan" then
      devices[entry.machine] = devices[entry.machine] or {}
      table.insert(devices[entry.machine], { id = entry.action, status = entry.status, requestor = entry.requestor,
        incident = incident_of(entry.comment), comment = entry.comment:gsub(" %[mde:[^%s]+%]$", ""),
        is_release = entry.type == "UnrestrictCodeExecution" })
    end
  end
  return devices
end

-- What they come to: the state, whether it is restricted, and the incidents and people that hold it.
local function outcome_of(actions)
  local state, restricted, holders, pending = "none", false, {}, nil
  for _, action in ipairs(actions) do
    if action.status == "Pending" then
      pending = action.is_release and "releasing" or "restricting"
      if not action.is_release then holders[#holders + 1] = action end
    elseif action.status == "Succeeded" then
      restricted = not action.is_release
      state = restricted and "restricted" or "released"
      local left = {}
      for _, holder in ipairs(holders) do
        if holder.status == "Pending" then left[#left + 1] = holder end
      end
      holders = restricted and holders or left
      if restricted then holders[#holders + 1] = action end
    end
  end
  return pending or state, restricted, holders
end

local function names_of(holders, incident)
  local names, seen = {}, {}
  for _, holder in ipairs(holders) do
    local name = holder.incident or holder.requestor .. " (no incident)"
    if holder.incident ~= incident and not seen[name] then
      seen[name] = true
      names[#names + 1] = name
    end
  end
  table.sort(names)
  return table.concat(names, ", ")
end

-- The release that belongs to the restriction at a place.
local function release_after(actions, place)
  local newest
  for i = place + 1, #actions do
    if actions[i].is_release then
      if actions[i].status == "Succeeded" then return actions[i].id end
      newest = actions[i].id
    end
  end
  return newest or ""
end

-- The lines that a report of an incident has, by the id of the restriction or, of a device that it has only released,
-- of the release.
local function expected(devices, incident)
  local lines, counts = {}, { lines = 0, devices = 0, restricted = 0 }
  for id, actions in pairs(devices) do
    local state, restricted, holders = outcome_of(actions)
    local others, own, has_restricted = names_of(holders, incident), 0, false
    local function line(action, words)
      lines[action.id] = table.concat({ id, words, state, tostring(restricted), others }, "|")
      counts.lines, own = counts.lines + 1, own + 1
    end
    for i, action in ipairs(actions) do
      if action.incident == incident and not action.is_release then
        has_restricted = true
        line(action, table.concat({ action.status, action.requestor, action.comment, release_after(actions, i) }, "|"))
      end
    end
    for _, action in ipairs(actions) do
      if action.incident == incident and not has_restricted then line(action, "|||" .. action.id) end
    end
    if own > 0 then
      local word = restricted and "restricted" or state
      counts.devices, counts[word] = counts.devices + 1, (counts[word] or 0) + 1
    end
  end
  return lines, counts
end

-- ---- what the command says

-- The cells of a line of CSV by the names in the heading; no text has a line break in it.
local function cells(heading, line)
  local record, place = {}, 1
  line = line .. ","
  for name in (heading .. ","):gmatch "([^,]*)," do
    local quoted, after = line:match('^"(.-)",()', place)
    local plain, behind = line:match("^([^,]*),()", place)
    record[name], place = quoted or plain, after or behind
  end
  return record
end

local function told(out)
  local list, lines = lines_of(out), {}
  for i = 2, #list do
    local row = cells(list[1], list[i])
    local id = row.restrictAction ~= "" and row.restrictAction or row.releaseAction
    assert(not lines[id], "twice: " .. id)
    lines[id] = table.concat({ row.machineId, row.restrictStatus, row.restrictRequestor, row.restrictComment,
      row.releaseAction, row.state, row.restricted, lower(row.holders) }, "|")
  end
  return lines
end

describe("a month later", function()
  local tenant, command, devices

  setup(function()
    local machines = {}
    for i = 1, DEVICES do
      machines[i] = { id = machine_id(i), computerDnsName = ("desk-%03d.corp.example"):format(i) }
    end
    tenant = tenants.start { limits = false, action_seconds = 0.3,
      fixture = { machines = machines, actions = month(os.time()) } }
    command = commands.new(tenant.env)
  end)

  teardown(function()
    if command then command.stop() end
    if tenant then tenant.stop() end
  end)

  before_each(function()
    tenant.reset()
    devices = devices_of(tenant.history "action_created")
  end)

  -- The requests to the API since the tenant was reset, those for tokens aside.
  local function requests()
    local list = {}
    for _, entry in ipairs(tenant.history "request") do
      if not entry.path:find("/oauth2/", 1, true) then list[#list + 1] = entry.method .. " " .. entry.path end
    end
    return list
  end

  for _, incident in ipairs(INCIDENTS) do
    it("the report of " .. incident .. " is what the tenant knows, by two lists", function()
      local lines, counts = expected(devices, lower(incident))
      assert.is_true(counts.devices >= 60 and counts.lines > counts.devices, counts.devices)
      local result = command.run { "report", incident, "--csv" }
      assert.equal(0, result.status, result.err)
      assert.same(lines, told(result.out))
      local words = ("%s: %d devices; %d restricted now"):format(incident, counts.devices, counts.restricted)
      assert.equal(words, (result.err:match "^[^,(]*":gsub(" $", "")))
      has(result.err, (", %d released"):format(counts.released))
      -- One of restrictions, and one of isolations.
      assert.same({ "GET /api/machineactions", "GET /api/machineactions" }, requests())
    end)
  end

  it("the reports of several are one, an object a device", function()
    local own = {}
    for id, actions in pairs(devices) do
      for _, action in ipairs(actions) do
        if action.incident == "inc-471" or action.incident == "inc-4711" then own[id] = true end
      end
    end
    local result = command.run { "report", "INC-471", "INC-4711", "--json" }
    assert.equal(0, result.status, result.err)
    local found = {}
    for _, line in ipairs(lines_of(result.out)) do
      local device = json.decode(line)
      found[device.id] = true
      local state, restricted = outcome_of(devices[device.id])
      assert.same({ state, restricted }, { device.state, device.restricted }, device.id)
    end
    assert.same(own, found)
    assert.equal(2, #requests())
  end)

  it("an incident that did nothing is refused, and those that there are are shown with their counts", function()
    local result = command.run { "report", "INC-47" }
    assert.equal(2, result.status)
    assert.equal("", result.out)
    local lines = lines_of(result.err)
    assert.equal(2 + #INCIDENTS, #lines)
    for _, incident in ipairs(INCIDENTS) do
      local own, count = {}, { actions = 0, devices = 0 }
      for id, actions in pairs(devices) do
        for _, action in ipairs(actions) do
          if action.incident == lower(incident) then
            count.actions = count.actions + 1
            count.devices = count.devices + (own[id] and 0 or 1)
            own[id] = true
          end
        end
      end
      has(lower(result.err), ("  %s: %d devices, %d actions, the last "):format(lower(incident), count.devices,
        count.actions))
    end
    assert.equal(2, #requests())
  end)

  it("its report has what is done today as well, and its devices are released by it", function()
    for i = 1, 3 do tenant.machine { id = machine_id(900 + i), computerDnsName = "new-" .. i .. ".corp.example" } end
    local result = command.run { "restrict", "new-1", "new-2", "new-3", "--comment", "beacon", "--incident", "INC-9",
      "--yes", "--wait" }
    assert.equal(0, result.status, result.err)
    result = command.run { "release", "new-2", "--comment", "cleared", "--incident", "INC-9", "--yes", "--wait" }
    assert.equal(0, result.status, result.err)
    result = command.run { "report", "inc-9", "--since", "1d", "--csv" }
    assert.equal(0, result.status, result.err)
    assert.equal("inc-9: 3 devices; 2 restricted now, 1 released\n", result.err)
    local created, list, restrictions = tenant.history "action_created", lines_of(result.out), {}
    for i = #created - 3, #created - 1 do restrictions[created[i].machine] = created[i].action end
    for i = 1, 3 do
      local row = cells(list[1], list[i + 1])
      assert.equal("new-" .. i .. ".corp.example", row.computerDnsName)
      assert.equal("INC-9", row.incident)
      assert.equal(restrictions[machine_id(900 + i)], row.restrictAction)
      assert.equal(i == 2 and created[#created].action or "", row.releaseAction)
      assert.equal(i == 2 and "cleared" or "", row.releaseComment)
    end
    -- What it writes is a list of devices.
    local path = command.file("report.csv", result.out)
    has(command.run({ "state", "--list", path }).out, "\treleased\tnew-2.corp.example\t")
  end)

  it("mde actions tells those of an incident, and those with a text in their comment", function()
    local own, failed = {}, {}
    for _, entry in ipairs(tenant.history "action_created") do
      if incident_of(entry.comment) == "inc-471" then
        own[entry.action] = true
        if entry.status == "Failed" then failed[entry.action] = true end
      end
    end
    local function found(...)
      local result = command.run { "actions", "--json", ... }
      assert.equal(0, result.status, result.err)
      local ids = {}
      for _, line in ipairs(lines_of(result.out)) do ids[json.decode(line).id] = true end
      return ids
    end
    assert.same(own, found("--incident", "INC-471"))
    assert.same(failed, found("--incident", "INC-471", "status=Failed"))
    local count = 0
    for _ in pairs(found("--comment", "ALERT 77,")) do count = count + 1 end
    assert.equal(1, count)
    assert.equal(3, #requests())
  end)
end)
