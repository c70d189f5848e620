--- resolve: finds the machines that many devices mean, with a handful of requests.
--
-- Few are asked for together, in filters of at most twenty comparisons, since a service may limit how many there are.
-- For more, or if the service refuses such a filter, the tenant's machines are read once, page by page, and the devices
-- are found among them here. What one device means is decided as for that device alone (choice.lua).

local choice = require "mde.device.choice"
local core = require "mde.core"
local devices = require "mde.device.device"
local errors = require "mde.base.error"
local identities = require "mde.device.identity"
local names = require "mde.query.names"

local odata = core.odata

-- So many filters are read before all machines are: a page has 10,000.
local MAX_FILTERS = 2

local M = {}

---@class mde.Question what is asked once, however many name it
---@field kind "machine_id"|"guid"|"full_name"|"bare_name"
---@field canonical string
---@field shown string for errors
---@field comparisons string[] OData
---@field matches fun(row: table): boolean
---@field machine? mde.Machine
---@field err? mde.Error

local function name_comparisons(name, is_bare)
  local list = names.render("computerDnsName", "eq", name)
  if is_bare then
    for _, comparison in ipairs(names.render("computerDnsName", "startswith", name .. ".")) do
      list[#list + 1] = comparison
    end
  end
  return list
end

local function has_name(row, name, is_bare)
  local own = row.computerDnsName
  return type(own) == "string"
    and (core.name.matches(own, "eq", name) or is_bare and core.name.matches(own, "startswith", name .. "."))
end

local function same(value, canonical)
  return type(value) == "string" and core.text.lower(value) == canonical
end

--- How to ask for the records of a device, and how to tell that one is what was asked for.
---@param kind "machine_id"|"guid"|"full_name"|"bare_name"
---@param canonical string
---@param shown string
---@return mde.Question
function M.question(kind, canonical, shown)
  local question = { kind = kind, canonical = canonical, shown = shown }
  if kind == "machine_id" then
    question.comparisons = { "id eq " .. odata.literal(canonical) }
    question.matches = function(row) return same(row.id, canonical) end
  elseif kind == "guid" then
    question.comparisons = { "aadDeviceId eq " .. canonical }
    question.matches = function(row) return same(row.aadDeviceId, canonical) end
  else
    local is_bare = kind == "bare_name"
    question.comparisons = name_comparisons(canonical, is_bare)
    question.matches = function(row) return has_name(row, canonical, is_bare) end
  end
  return question
end

--- Those of some rows that match, as machines; but for one without an id, which may be any.
---@param inventory mde.Inventory
---@param rows table[]
---@param question mde.Question
---@param read_at? number by the driver's clock
---@return mde.Machine[] records
function M.matching(inventory, rows, question, read_at)
  local records = {}
  for _, row in ipairs(rows) do
    if question.matches(row) then records[#records + 1] = row.id and inventory:adopt(row, read_at) or row end
  end
  return records
end

local function is_by_name(question)
  return question.kind == "full_name" or question.kind == "bare_name"
end

-- What a name that no machine has may have been meant to be.
local function nearest(inventory, question, read_at)
  local rows = inventory.all_machines:nearest(question.canonical)
  for i, row in ipairs(rows) do rows[i] = inventory:adopt(row, read_at) end
  return rows
end

-- The record of a machine id, which is written in lower case here.
local function by_id(question, record)
  record.id = question.canonical
  return choice.unmerged(record)
end

-- ---- among all machines

--- Finds what a question means among all machines of the tenant.
---@param inventory mde.Inventory
---@param question mde.Question
---@param found mde.Machine[] records of it that are known already
---@param context mde.Context
---@return mde.Machine? machine
---@return mde.Error? err
function M.among_all(inventory, question, found, context)
  local rows, read_at = inventory.all_machines:like(question.kind, question.canonical, context)
  if not rows then return nil, read_at end
  local records = M.matching(inventory, rows, question, read_at)
  local is_known = {}
  for _, machine in ipairs(records) do is_known[core.text.lower(machine.id or "")] = true end
  for _, machine in ipairs(found) do
    if not is_known[core.text.lower(machine.id or "")] then records[#records + 1] = machine end
  end
  if question.kind ~= "machine_id" then
    local similar = not records[1] and is_by_name(question) and nearest(inventory, question, read_at) or nil
    return choice.one(question.shown, records, nil, similar)
  end
  -- A list may lack a machine that the service knows.
  if not records[1] then return inventory:read_unmerged(question.canonical, context) end
  return by_id(question, records[1])
end

-- ---- together

-- The questions, as many together as fit into a filter.
local function filters_of(questions)
  local filters, comparisons = {}, 0
  for _, question in ipairs(questions) do
    local filter = filters[#filters]
    if not filter or comparisons + #question.comparisons > names.MAX_COMPARISONS then
      filter, comparisons = { questions = {}, clauses = {} }, 0
      filters[#filters + 1] = filter
    end
    table.insert(filter.questions, question)
    for _, comparison in ipairs(question.comparisons) do table.insert(filter.clauses, comparison) end
    comparisons = comparisons + #question.comparisons
  end
  return filters
end

local function answer(question, machine, err)
  question.machine, question.err = machine, err
end

-- What is not found as it was asked for may be stored in another spelling.
local function answer_from(inventory, question, rows, context)
  local records = {}
  for _, row in ipairs(rows) do
    if question.matches(row) then records[#records + 1] = row end
  end
  if question.kind == "machine_id" then
    if records[1] then return answer(question, by_id(question, records[1])) end
    return answer(question, inventory:read_unmerged(question.canonical, context))
  elseif is_by_name(question) and not choice.usable(records)[1] then
    return answer(question, M.among_all(inventory, question, records, context))
  end
  return answer(question, choice.one(question.shown, records))
end

local function ask_together(inventory, filter, context)
  local rows, err = inventory:read_list(table.concat(filter.clauses, " or "), context)
  if not rows and err.http_status ~= 400 then
    for _, question in ipairs(filter.questions) do answer(question, nil, err) end
    return
  end
  local is_whole = rows ~= nil
  for i, row in ipairs(rows or {}) do
    -- Which of the questions it answers, nobody knows.
    is_whole = is_whole and (row.id or row.computerDnsName or row.aadDeviceId) ~= nil
    rows[i] = row.id and inventory:adopt(row) or row
  end
  for _, question in ipairs(filter.questions) do
    if is_whole then
      answer_from(inventory, question, rows, context)
    else
      answer(question, M.among_all(inventory, question, {}, context))
    end
  end
end

-- Whether the list of all machines cannot be made sense of. One malformed row is enough for that.
local function is_list_malformed(inventory, question, context)
  local rows, err = inventory.all_machines:like(question.kind, question.canonical, context)
  return not rows and err.kind == "protocol"
end

local function ask(inventory, questions, context)
  local filters = filters_of(questions)
  if #filters <= MAX_FILTERS or is_list_malformed(inventory, questions[1], context) then
    for _, filter in ipairs(filters) do ask_together(inventory, filter, context) end
    return
  end
  for _, question in ipairs(questions) do answer(question, M.among_all(inventory, question, {}, context)) end
end

-- ---- many

-- The question behind a device. A machine table, and what cannot name a device, needs no question: nil, and the machine
-- or an error.
local function question_of(inventory, device, asked, context)
  local ok, kind, canonical = errors.try(devices.check, device)
  if not ok then return nil, nil, kind end
  local named = device
  if kind == "identity" then
    named = canonical
    kind, canonical = devices.check(canonical)
  end
  if kind == "machine" then return nil, inventory:resolve(device, context) end
  local key = kind .. " " .. core.text.lower(canonical)
  if not asked[key] then
    asked[key] = M.question(kind, canonical, devices.shown(named))
    asked[#asked + 1] = asked[key]
  end
  return asked[key]
end

--- Finds what each of many devices means. One that cannot name a device is an error of its own.
---@param inventory mde.Inventory
---@param list mde.Device[]
---@param context mde.Context
---@return mde.Results results in the order of the list: `value` the machine, or `err`
function M.many(inventory, list, context)
  local results, questions, asked = { failed = 0 }, {}, {}
  for i, device in ipairs(list) do
    results[i] = { item = device }
    questions[i], results[i].value, results[i].err = question_of(inventory, device, asked, context)
  end
  ask(inventory, asked, context)
  for i, result in ipairs(results) do
    local question = questions[i]
    if question then result.value, result.err = question.machine, question.err end
    if result.value and identities.is(result.item) then
      result.value, result.err = identities.check(result.item, result.value)
    end
    if not result.value then results.failed = results.failed + 1 end
  end
  return results
end

return M
