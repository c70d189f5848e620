-- What a line of audit has to be, as lua/mde/audit/audit.md says it: the fields that there are, their types, and the
-- numbers that belong to words. It is written by hand, and stands in for a schema of OCSF, with which
-- tests/checks/ocsf compares where there is one.
--
--   assert.same({}, ocsf.problems(event))

local ocsf = {}

local TEXT, WHOLE, FLAG = "a text", "a whole number", "a flag"

local function list_of(fields) return { list = fields } end

local fields = {
  activity_id = WHOLE, activity_name = TEXT, category_uid = WHOLE, category_name = TEXT, class_uid = WHOLE,
  class_name = TEXT, type_uid = WHOLE, type_name = TEXT, time = WHOLE, severity_id = WHOLE, severity = TEXT,
  message = TEXT, command_uid = TEXT, status_id = WHOLE, status = TEXT, status_code = TEXT, status_detail = TEXT,
  countermeasures = list_of { d3f_tactic = { name = TEXT, uid = TEXT }, d3f_technique = { name = TEXT, uid = TEXT },
    version = TEXT },
  device = { uid = TEXT, uid_alt = TEXT, hostname = TEXT, name = TEXT, type_id = WHOLE, type = TEXT, ip = TEXT,
    os = { name = TEXT, type_id = WHOLE, type = TEXT, version = TEXT }, groups = list_of { name = TEXT },
    is_managed = FLAG, last_seen_time = WHOLE },
  actor = { app_name = TEXT, app_uid = TEXT, user = { name = TEXT, type_id = WHOLE } },
  metadata = { version = TEXT, profiles = list_of(TEXT), product = { name = TEXT, vendor_name = TEXT, version = TEXT },
    uid = TEXT, sequence = WHOLE, correlation_uid = TEXT, tenant_uid = TEXT, log_name = TEXT, log_version = TEXT },
  observables = list_of { name = TEXT, type_id = WHOLE, type = TEXT, value = TEXT },
  unmapped = { mde = { verb = TEXT, scope = TEXT, sha1 = TEXT, outcome = TEXT, incident = TEXT, run = TEXT,
    playbook_sha256 = TEXT, comment = TEXT, action_id = TEXT, attempts = WHOLE, looked = FLAG, wave = WHOLE,
    code = TEXT, rule = TEXT, http_status = WHOLE,
    request_id = TEXT, other_action_id = TEXT, recorded = FLAG, reconciled = FLAG, asked = TEXT,
    sent_at = "a number" } },
}

--- The fields of unmapped.mde.
ocsf.ours = fields.unmapped.mde

local required = { "activity_id", "category_uid", "class_uid", "type_uid", "severity_id", "time", "command_uid",
  "status_id", "message", "metadata", "unmapped" }

local words = {
  activity_id = { [1] = "Isolate", [2] = "Evict", [3] = "Restore", [5] = "Detect", [99] = true },
  severity_id = { "Informational", "Low", "Medium", "High" },
  status_id = { [0] = "Unknown", "Success", "Failure", "Does Not Exist", [6] = "Error", [99] = true },
}
local in_words = { activity_id = "activity_name", severity_id = "severity", status_id = "status" }

local function is(kind, value)
  if kind == TEXT then return type(value) == "string" and value ~= "" end
  if kind == FLAG then return type(value) == "boolean" end
  return type(value) == "number" and (kind ~= WHOLE or value % 1 == 0)
end

local function compare(value, expected, path, problems)
  if type(expected) == "string" then
    if not is(expected, value) then problems[#problems + 1] = ("%s is not %s"):format(path, expected) end
  elseif type(value) ~= "table" or next(value) == nil then
    problems[#problems + 1] = path .. " has nothing in it"
  elseif expected.list then
    for i, item in ipairs(value) do compare(item, expected.list, ("%s[%d]"):format(path, i), problems) end
  else
    for name, field in pairs(value) do
      local own = path == "" and name or ("%s.%s"):format(path, name)
      if expected[name] then
        compare(field, expected[name], own, problems)
      else
        problems[#problems + 1] = own .. " is no field"
      end
    end
  end
end

--- What is wrong with an event.
---@param event table
---@return string[] problems in order
function ocsf.problems(event)
  local problems = {}
  compare(event, fields, "", problems)
  for _, name in ipairs(required) do
    if event[name] == nil then problems[#problems + 1] = name .. " is missing" end
  end
  for name, known in pairs(words) do
    local word = known[event[name]]
    if not word or word ~= true and word ~= event[in_words[name]] then
      problems[#problems + 1] = ("%s %s is %s"):format(name, tostring(event[name]), tostring(event[in_words[name]]))
    end
  end
  if event.category_uid ~= 7 or event.class_uid ~= 7001 then problems[#problems + 1] = "it is of another class" end
  if event.type_uid ~= 700100 + (event.activity_id or 0) then problems[#problems + 1] = "type_uid differs" end
  local device, metadata = event.device, event.metadata or {}
  if device and not (device.type_id and (device.uid or device.hostname or device.name)) then
    problems[#problems + 1] = "device names none"
  end
  if not (metadata.product and metadata.version) then problems[#problems + 1] = "no product or version" end
  if not tostring(metadata.uid):find(("/%d$"):format(metadata.sequence or -1)) then
    problems[#problems + 1] = "metadata.uid does not end in the sequence"
  end
  table.sort(problems)
  return problems
end

return ocsf
