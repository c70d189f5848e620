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

local M = {}

--- So many filters are read before all machines are: a page has 10,000.
M.MAX_FILTERS = 2

---@class mde.Question what is asked once, however many name it
---@field kind "machine_id"|"guid"|"full_name"|"bare_name"
---@field canonical string
---@field shown string for errors
---@field comparisons string[] OData
---@field machine? mde.Machine
---@field err? mde.Error
---@field is_done? boolean it was asked for together with others

local function name_comparisons(name, is_bare)
  local list = names.render("computerDnsName", "eq", name)
  if is_bare then
    for _, comparison in ipairs(names.render("computerDnsName", "startswith", name .. ".")) do
      list[#list + 1] = comparison
    end
  end
  return list
end

--- How to ask for the records of a device.
---@param kind "machine_id"|"guid"|"full_name"|"bare_name"
---@param canonical string
---@param shown string
---@return mde.Question
function M.question(kind, canonical, shown)
  local comparisons
  if kind == "machine_id" then
    comparisons = { "id eq " .. odata.literal(canonical) }
  elseif kind == "guid" then
    comparisons = { "aadDeviceId eq " .. canonical }
  else
    comparisons = name_comparisons(canonical, kind == "bare_name")
  end
  return { kind = kind, canonical = canonical, shown = shown, comparisons = comparisons }
end

local function answering(rows, question)
  local list = {}
  for _, row in ipairs(rows) do
    if core.device.answers(question.canonical, row) then list[#list + 1] = row end
  end
  return list
end

--- Those of some rows that answer, as machines; but for one without an id, which may be any.
---@param inventory mde.Inventory
---@param rows table[]
---@param question mde.Question
---@param read_at? number by the driver's clock
---@return mde.Machine[] records
function M.matching(inventory, rows, question, read_at)
  local records = answering(rows, question)
  for i, row in ipairs(records) do records[i] = row.id and inventory:adopt(row, read_at) or row end
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

--- The machine that a question means, of those that answer. An id that was asked for is in lower case then.
---@param question mde.Question
---@param records mde.Machine[] at least one for a machine id
---@param similar? mde.Machine[] what to offer if there are none
---@return mde.Machine? machine
---@return mde.Error? err
function M.choose(question, records, similar)
  if question.kind == "machine_id" then
    for _, record in ipairs(records) do record.id = question.canonical end
  end
  return choice.one(question, records, similar)
end

-- ---- among all machines

--- Finds what a question means among all machines of the tenant. A list may lack a machine that the service knows by
--- its id: neither a machine nor an error then.
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
  if question.kind == "machine_id" and not records[1] then return nil end
  return M.choose(question, records,
    not records[1] and is_by_name(question) and nearest(inventory, question, read_at) or nil)
end

-- ---- together

---@class mde.QuestionFilter
---@field questions mde.Question[]
---@field clauses string[] OData, one of which holds

--- The questions, as many together as fit into a filter.
---@param questions mde.Question[]
---@return mde.QuestionFilter[]
function M.filters(questions)
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

local function copy(row)
  local own = {}
  for name, value in pairs(row) do own[name] = value end
  return own
end

-- What is not found as it was asked for may be stored in another spelling.
local function answer_from(inventory, question, rows, context)
  local records = answering(rows, question)
  for i, row in ipairs(records) do records[i] = row.id and inventory:adopt(copy(row)) or row end
  if is_by_name(question) and not choice.has_live(records) then
    answer(question, M.among_all(inventory, question, records, context))
  elseif records[1] or question.kind ~= "machine_id" then
    answer(question, M.choose(question, records))
  end
end

--- Answers the questions of a filter, but for machine ids that the service does not list.
---@param inventory mde.Inventory
---@param filter mde.QuestionFilter
---@param context mde.Context
function M.ask_together(inventory, filter, context)
  local rows, err = inventory:read_list(table.concat(filter.clauses, " or "), context)
  if not rows and err.http_status ~= 400 then
    for _, question in ipairs(filter.questions) do answer(question, nil, err) end
    return
  end
  -- Which of the questions it answers, nobody knows, if it says neither what it is nor its name.
  local is_whole = rows ~= nil
  for _, row in ipairs(rows or {}) do
    is_whole = is_whole and (row.id or row.computerDnsName or row.aadDeviceId) ~= nil
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
  local filters = M.filters(questions)
  if #filters <= M.MAX_FILTERS or is_list_malformed(inventory, questions[1], context) then
    for _, filter in ipairs(filters) do M.ask_together(inventory, filter, context) end
  else
    for _, question in ipairs(questions) do answer(question, M.among_all(inventory, question, {}, context)) end
  end
  for _, question in ipairs(questions) do
    if not question.machine and not question.err then
      answer(question, inventory:read_unmerged(question.canonical, context))
    end
  end
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
