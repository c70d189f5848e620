--- plan: what a playbook would do, as it is shown, approved by its digest, kept in a record, and bound to its run.

local audit = require "mde.audit.change"
local core = require "mde.core"
local deeds = require "mde.run.deed"
local digests = require "mde.run.digest"
local json = require "mde.base.json"
local lefts = require "mde.run.left"
local others_of = require "mde.run.other"
local responses = require "mde.action.response"
local rules = require "mde.run.rules"
local steps_of = require "mde.run.steps"

local FORMAT = "mde-plan-1"
-- A device that was not seen for so long is taken to be offline: its action stays pending.
local OFFLINE_SECONDS = 3600
-- So many digits of a digest are meant for no other plan.
local LEAST_DIGITS = 12

local M = {}

---@class mde.PlanDevice a machine of a plan, with what was known of it
---@field id string
---@field name? string
---@field platform? string
---@field tags string[]
---@field value? string its device value
---@field health? string its health status
---@field last_seen? string
---@field is_server boolean
---@field is_offline boolean
---@field audit? mde.ChangeEventDevice what is told of it with each event
---@field wave? integer the first in which it is cut off
---@field changes mde.PlannedChange[] one for each verb, scope or file, and incident

---@class mde.RunPlan
---@field made number Unix seconds by the service's time
---@field tenant_id? string
---@field client_id? string
---@field base_url string
---@field playbook mde.Playbook
---@field modules mde.PlaybookModule[]
---@field settings table what the run is bound to beside: protect, cap, caps, waves, gate
---@field devices mde.PlanDevice[] in the order in which they are done
---@field unresolvable mde.Unresolved[]
---@field others string[] what else would be changed
---@field asked table<string, string>
---@field limits? table of a plan that was kept: what limits and caps made of it when it was shown
---@field digest string 32 bytes
---@field undoes? string the run that it takes back, as it is called in a command
---@field undone? mde.Undone of the plan of an undo, not of one that was kept

-- ---- what binds

local function sorted(list, key)
  local own = {}
  for i, item in ipairs(list) do own[i] = item end
  table.sort(own, key and function(a, b) return key(a) < key(b) end or nil)
  return own
end

-- A table of options in an order of its own, so that one text stands for it.
local function canonical(value)
  if type(value) ~= "table" then return tostring(value) end
  if value[1] ~= nil then
    local list = {}
    for i, item in ipairs(value) do list[i] = canonical(item) end
    return sorted(list)
  end
  local names, pairs_of = {}, {}
  for name in pairs(value) do names[#names + 1] = tostring(name) end
  for _, name in ipairs(sorted(names)) do pairs_of[#pairs_of + 1] = { name, canonical(value[name]) } end
  return pairs_of
end

--- Whether two settings are the same.
---@return boolean
function M.is_same(a, b)
  return json.encode { canonical(a) } == json.encode { canonical(b) }
end

-- Names, tags, risk and when a machine was seen are not bound: they move by themselves, and are compared one by one.
local function digest_of(plan)
  local modules, changes = {}, {}
  for i, module in ipairs(sorted(plan.modules, function(one) return one.name end)) do
    modules[i] = { module.name, digests.hex(module.digest) }
  end
  for _, device in ipairs(plan.devices) do
    for _, change in ipairs(device.changes) do
      if change.decision == change.verb then
        -- What few changes have stands there only if they have it, as it is with plans that know none of it.
        changes[#changes + 1] = table.concat({ device.id, change.verb, change.incident,
          change.release_after and core.number.write(change.release_after) or nil }, " ")
          .. (change.subject and " " .. change.subject or "") .. (change.if_needed and " if needed" or "")
      end
    end
  end
  local bound = { FORMAT, plan.tenant_id or "", plan.client_id or "", plan.base_url,
    digests.hex(plan.playbook.digest), modules, plan.playbook.arguments, canonical(plan.settings), sorted(changes) }
  local lines = others_of.bound(plan.others)
  if lines[1] then bound[#bound + 1] = lines end
  return digests.sha256(json.encode(bound))
end

--- How a digest is written.
---@param digest string 32 bytes
---@return string
function M.shown(digest)
  return "sha256:" .. digests.hex(digest)
end

--- Whether somebody has approved this plan by its digest, or by the beginning of it (12 digits or more).
---@param plan mde.RunPlan
---@param expected string "sha256:9b1c..." or the digits alone
---@return boolean
---@return boolean? is_cut_short it is the beginning, and too short to be meant for no other plan
function M.is_expected(plan, expected)
  local digits = core.text.lower(expected):gsub("^sha256:", "")
  local is_beginning = digits ~= "" and digests.hex(plan.digest):sub(1, #digits) == digits
  if #digits >= LEAST_DIGITS then return is_beginning end
  return false, is_beginning
end

-- ---- making

local function fact(value)
  return type(value) == "string" and value or nil
end

local function is_server(platform)
  return platform == nil or core.guard.new { servers = true, tags = {}, names = {}, device_values = {}, platforms = {} }
    :judge({ osPlatform = platform }, {})[1] ~= nil
end

local function device_of(id, machine, now)
  local seen = machine and core.timestamp.read(machine.lastSeen)
  local tags = {}
  for _, tag in ipairs(machine and type(machine.machineTags) == "table" and machine.machineTags or {}) do
    tags[#tags + 1] = fact(tag)
  end
  return { id = id, name = machine and fact(machine.computerDnsName), platform = machine and fact(machine.osPlatform),
    tags = tags, value = machine and fact(machine.deviceValue), last_seen = machine and fact(machine.lastSeen),
    health = machine and fact(machine.healthStatus),
    is_server = is_server(machine and fact(machine.osPlatform)),
    is_offline = seen ~= nil and now - seen > OFFLINE_SECONDS, audit = machine and audit.device(machine),
    changes = {} }
end

-- The machines of a plan as the service knows them, with a handful of requests.
local function machines_of(client, ids)
  local machines = {}
  for i, result in ipairs(client:resolve(ids)) do machines[ids[i]] = result.value end
  return machines
end

-- Whether a verb of a device would be sent.
local function does(device, verb)
  for _, change in ipairs(device.changes) do
    if change.verb == verb and change.decision == verb then return true end
  end
  return false
end

--- How many devices a plan does something to.
---@param plan mde.RunPlan
---@param verb string
---@return integer
function M.count_of(plan, verb)
  local count = 0
  for _, device in ipairs(plan.devices) do
    if does(device, verb) then count = count + 1 end
  end
  return count
end

-- The devices in the order in which they are done: of lists, those from which a result comes soonest; else as called.
local function in_order(devices, leaders)
  local listed, facts = true, {}
  for i, device in ipairs(devices) do
    facts[i] = { platform = device.platform, last_seen = device.last_seen }
    for _, change in ipairs(device.changes) do listed = listed and change.in_list end
  end
  if not listed then return devices end
  local ordered = {}
  for _, place in ipairs(core.waves.order(facts, leaders)) do ordered[#ordered + 1] = devices[place] end
  return ordered
end

-- The wave of each device to which a verb is done, in their order.
local function put_verb_in_waves(plan, verb)
  local sizes, wave = rules.sizes(plan.settings.waves, M.count_of(plan, verb)), 1
  local left = sizes[1]
  for _, device in ipairs(plan.devices) do
    if does(device, verb) then
      if left == 0 then
        wave = wave + 1
        left = sizes[math.min(wave, #sizes)]
      end
      for _, change in ipairs(device.changes) do
        if change.verb == verb and change.decision == verb then change.wave = wave end
      end
      device.wave = math.min(device.wave or wave, wave)
      if left ~= "rest" then left = left - 1 end
    end
  end
end

-- How many devices come first of those that are cut off.
local function first_of(plan)
  for _, verb in ipairs(responses.holding) do
    local count = M.count_of(plan, verb)
    local first = count > 0 and rules.sizes(plan.settings.waves, count)[1]
    if first and first ~= "rest" then return first end
  end
end

-- Each verb that cuts off has waves of its own: what one does to a device says nothing of another.
local function put_in_waves(plan)
  local active, left = {}, {}
  for _, device in ipairs(plan.devices) do table.insert(lefts.is_left(device) and left or active, device) end
  plan.devices = in_order(active, first_of(plan))
  for _, device in ipairs(left) do table.insert(plan.devices, device) end
  for _, verb in ipairs(responses.holding) do put_verb_in_waves(plan, verb) end
end

--- A plan of what a pass of the playbook has found.
---@param client mde.Client
---@param planning mde.Planning
---@param settings { playbook: mde.Playbook, modules: mde.PlaybookModule[], bound: table }
---@return mde.RunPlan? plan
---@return mde.Error? err
function M.of(client, planning, settings)
  local exchange, ids, by_id = client.exchange, {}, {}
  lefts.find(client, planning)
  for _, change in ipairs(planning.changes) do
    if not by_id[change.machine_id] then
      by_id[change.machine_id] = true
      ids[#ids + 1] = change.machine_id
    end
  end
  local machines, devices = machines_of(client, ids), {}
  for i, id in ipairs(ids) do
    devices[i] = device_of(id, machines[id], planning.made)
    by_id[id] = devices[i]
  end
  for _, change in ipairs(planning.changes) do table.insert(by_id[change.machine_id].changes, change) end
  local plan = { made = planning.made, tenant_id = exchange.tenant_id, client_id = exchange.client_id,
    base_url = exchange.base_url, playbook = settings.playbook, modules = settings.modules, settings = settings.bound,
    devices = devices, unresolvable = planning.unresolvable, others = planning.others,
    asked = planning.asked }
  put_in_waves(plan)
  local err
  plan.digest, err = digest_of(plan)
  if not plan.digest then return nil, err end
  return plan
end

-- ---- counting

---@class mde.PlanCounts of changes; and for each other verb how many, by its name
---@field restrict integer
---@field release integer
---@field if_needed integer that the playbook may come to, of whatever verb; they are not counted by their verbs
---@field to_send integer all of these
---@field already_active integer
---@field recorded integer
---@field left integer protected, in conflict, superseded, or held by others or nobody
---@field left_by_playbook integer that the playbook leaves itself (mde.leave)
---@field not_looked_at integer
---@field unresolvable integer
---@field servers integer devices of those that would be cut off
---@field offline integer devices of those to which something would be sent

local counted_as = { protected = "left", conflict = "left", superseded = "left", held = "left", not_held = "left",
  left = "left_by_playbook" }

---@param plan mde.RunPlan
---@return mde.PlanCounts
function M.counts(plan)
  local counts = { if_needed = 0, to_send = 0, already_active = 0, recorded = 0, left = 0, left_by_playbook = 0,
    not_looked_at = 0,
    unresolvable = #plan.unresolvable, servers = 0, offline = 0 }
  for _, verb in ipairs(responses.verbs) do counts[verb] = 0 end
  local function count(name) counts[name] = counts[name] + 1 end
  for _, device in ipairs(plan.devices) do
    local is_cut_off, is_any_sent = false, false
    for _, change in ipairs(device.changes) do
      local is_sent = change.decision == change.verb
      is_any_sent = is_any_sent or is_sent
      count(is_sent and change.if_needed and "if_needed" or counted_as[change.decision] or change.decision)
      if is_sent then count "to_send" end
      is_cut_off = is_cut_off or is_sent and deeds.cuts_off(change.verb)
    end
    if is_cut_off and device.is_server then count "servers" end
    if is_any_sent and device.is_offline then count "offline" end
  end
  return counts
end

-- ---- as JSON

local function change_as_json(device, change)
  local object = { id = device.id, name = device.name, platform = device.platform, tags = device.tags,
    device_value = device.value, last_seen = device.last_seen, is_server = device.is_server,
    is_offline = device.is_offline, wave = change.wave, verb = change.verb, if_needed = change.if_needed,
    incident = steps_of.spelled(change), decision = change.decision, rule = change.rule,
    release_after = change.release_after or nil, why = change.why, holder = change.holder, reason = change.reason,
    asked = change.asked }
  local name = deeds.subject_name(change.verb)
  if name then object[name] = change.subject end
  return object
end

--- The plan as an object for JSON.
---@param plan mde.RunPlan
---@return table
function M.object(plan)
  local devices = {}
  for _, device in ipairs(plan.devices) do
    for _, change in ipairs(device.changes) do devices[#devices + 1] = change_as_json(device, change) end
  end
  return { format = FORMAT, digest = M.shown(plan.digest), made_at = core.timestamp.whole(plan.made),
    tenant_id = plan.tenant_id, client_id = plan.client_id, base_url = plan.base_url,
    undoes = plan.undoes, playbook = { name = plan.playbook.name, sha256 = digests.hex(plan.playbook.digest),
      arguments = plan.playbook.arguments },
    counts = M.counts(plan), devices = devices, unresolvable = plan.unresolvable, others = plan.others }
end

-- ---- in a record

local PLAN_FIELDS = { "name", "platform", "tags", "value", "health", "last_seen", "is_server", "is_offline", "audit",
  "wave", "changes" }

--- Writes a plan into a new record, in one transaction.
---@param journal table mde.journal's
---@param plan mde.RunPlan
---@return true?
---@return string? message
---@return string? code
function M.write(journal, plan)
  local ok, message, code = journal:begin()
  if not ok then return nil, message, code end
  local function all()
    for i, device in ipairs(plan.devices) do
      local facts = { order = i }
      for _, name in ipairs(PLAN_FIELDS) do facts[name] = device[name] end
      local first = device.changes[1]
      assert(journal:device { id = device.id, name = device.name, platform = device.platform,
        facts = json.encode(facts), wave = device.wave, decision = first.decision, rule = first.rule, why = first.why })
      for _, change in ipairs(device.changes) do
        if change.decision == change.verb then assert(journal:planned(device.id, change.verb, change.incident)) end
      end
    end
    for name, id in pairs(plan.asked) do assert(journal:asked(name, id)) end
    for _, module in ipairs(plan.modules) do assert(journal:module(module)) end
    assert(journal:set_plan(plan.digest))
    assert(journal:commit())
  end
  local written, why = pcall(all)
  if written then return true end
  journal:rollback()
  return nil, tostring(why), "io"
end

-- A list of texts.
local function are_texts(list)
  if type(list) ~= "table" then return false end
  for _, one in ipairs(list) do
    if type(one) ~= "string" then return false end
  end
  return true
end

local function are_unresolvable(list)
  if type(list) ~= "table" then return false end
  for _, one in ipairs(list) do
    if type(one) ~= "table" or type(one.asked) ~= "string" then return false end
  end
  return true
end

local optional_texts = { "rule", "why", "holder", "reason", "asked", "subject", "spelling" }

local function is_sound_change(change)
  if type(change) ~= "table" or not (deeds.of(change.verb) or change.verb == lefts.VERB) then return false end
  if type(change.decision) ~= "string"
    or type(change.incident) ~= "string" then return false end
  for _, name in ipairs(optional_texts) do
    if change[name] ~= nil and type(change[name]) ~= "string" then return false end
  end
  return (change.wave == nil or type(change.wave) == "number")
    and (not change.release_after or type(change.release_after) == "number")
    and (change.also_held == nil or are_texts(change.also_held))
end

-- Whether what stands in a record can be a device of a plan. The record may be from elsewhere.
local function is_sound(device)
  if not are_texts(device.tags) then return false end
  for _, name in ipairs { "name", "platform", "value", "health", "last_seen" } do
    if device[name] ~= nil and type(device[name]) ~= "string" then return false end
  end
  for _, change in ipairs(device.changes) do
    if not is_sound_change(change) then return false end
  end
  return true
end

--- The plan in a record; nil, message if what stands there is not one.
---@param journal table mde.journal's
---@return mde.RunPlan? plan
---@return string? message
function M.read(journal)
  local run = journal:run()
  if not run.plan then return nil, "the plan was not written to its end; nothing was sent by it" end
  local settings, arguments = json.decode(run.settings), json.decode(run.arguments)
  if type(settings) ~= "table" or type(arguments) ~= "table" then return nil, "its settings cannot be read" end
  local plan = { made = run.made, tenant_id = run.tenant ~= "" and run.tenant or nil,
    client_id = run.client ~= "" and run.client or nil, base_url = run.base_url, settings = settings.bound or {},
    playbook = { name = run.playbook, text = run.text, digest = run.digest, arguments = arguments }, modules = {},
    undoes = run.undoes,
    devices = {}, unresolvable = settings.unresolvable or {}, others = settings.others or {}, asked = {},
    limits = settings.limits, digest = run.plan }
  -- The digest of the plan covers that of the playbook, so that one has to be of the text which is run.
  if digests.sha256(run.text) ~= run.digest then
    return nil, "the text of its playbook is not what its digest says"
  end
  if not are_texts(plan.others) or not are_unresolvable(plan.unresolvable) then
    return nil, "what it leaves cannot be read"
  end
  for module in journal:modules() do plan.modules[#plan.modules + 1] = module end
  for row in journal:devices() do
    local facts = row.facts and json.decode(row.facts)
    -- What a session left beside the plan is no part of it.
    if type(facts) == "table" and type(facts.changes) == "table" and not facts.is_unplanned then
      local device = { id = row.id }
      for _, name in ipairs(PLAN_FIELDS) do device[name] = facts[name] end
      if not is_sound(device) then return nil, "a device of it is not one: " .. row.id end
      device.order = facts.order
      deeds.mend_waves(device.changes, device.wave)
      plan.devices[#plan.devices + 1] = device
    end
  end
  table.sort(plan.devices, function(a, b) return (a.order or 0) < (b.order or 0) end)
  if digest_of(plan) ~= plan.digest then return nil, "what stands in it is not what its digest says" end
  return plan
end

return M
