-- What is told about a machine beside its record, what the exports tell about all, and the device groups.
local answers = require "mde.sim.api.answers"
local core = require "mde.core"
local detail_schema = require "mde.sim.odata.detail_schema"
local encoding = require "mde.sim.base.encoding"
local lists = require "mde.sim.odata.lists"
local machine_details = require "mde.sim.model.machine_details"
local schema = require "mde.sim.odata.schema"
local time = require "mde.sim.base.time"

local M = {}

local refusal = answers.refusal

local PAGE_ROWS, MOST_ROWS = 50000, 200000

--- What runs a request for what a machine has of a kind.
---@param kind string
---@return fun(tenant: mde.sim.tenant, request: table, grant: table, id: string): table response
function M.of_machine(kind)
  return function(tenant, _, _, id)
    local machine = tenant:find_machine(id)
    if not machine then return answers.no_such_machine(tenant, id) end
    return answers.with_body(tenant, 200, schema.list(detail_schema[kind], machine_details.of(tenant, machine, kind)))
  end
end

---- exports

-- Where a page begins, in the form that the links have.
local function token_of(row)
  return encoding.base64url(('{"ExportFileIndex":0,"LineStoppedAt":%d}'):format(row))
end

local function row_of(token)
  local text = encoding.unbase64((token:gsub("-", "+"):gsub("_", "/")))
  local row = text and text:match '^{"ExportFileIndex":0,"LineStoppedAt":(%d+)}$'
  return row and core.number.read(row)
end

local function count_of(name, text, least, most)
  local number = text:find "^%d+$" and #text < 10 and core.number.read(text)
  if number and number >= least and number <= most then return number end
  return nil, ("The value '%s' of %s is not a number from %d to %d."):format(text, name, least, most)
end

-- For each option, whose name is compared without case, how it is read.
local readers = {
  pagesize = { "size", function(text) return count_of("pageSize", text, 1, MOST_ROWS) end },
  ["$top"] = { "top", function(text) return count_of("$top", text, 1, MOST_ROWS) end },
  ["$skiptoken"] = { "first", function(text)
    local row = row_of(text)
    return row, not row and ("The value '%s' of $skiptoken is not one of this API's."):format(text) or nil
  end },
  sincetime = { "since", function(text)
    local at = text:find "T.*Z$" and time.parse(text)
    return at, not at and ("'%s' is not a time in UTC."):format(text) or nil
  end },
}

local function read_options(query)
  local form, message = encoding.form(query)
  if not form then return nil, message end
  local options = { size = PAGE_ROWS, first = 0, rest = {} }
  for name, text in pairs(form) do
    local reader = readers[core.text.lower(name)]
    if not reader then return nil, ("The query option '%s' is not supported."):format(name) end
    options[reader[1]], message = reader[2](text)
    if message then return nil, message end
  end
  return options
end

-- Where an export goes on, or where the setting `export_links` leads.
local function link(tenant, request, options, first)
  local query = ("pagesize=%d"):format(options.size)
  if options.since then query = query .. "&sinceTime=" .. time.iso(options.since) end
  local origin = tenant.export_links == "foreign" and "https://elsewhere.example" or request.origin
  local row = tenant.export_links == "looping" and 0 or first
  return ("%s%s?%s&$skiptoken=%s"):format(origin, request.path, query, token_of(row))
end

--- What runs a request for an export.
---@param kind "software"|"vulnerabilities"
---@return fun(tenant: mde.sim.tenant, request: table): table response
function M.export(kind)
  return function(tenant, request)
    local options, message = read_options(request.query)
    if not options then return refusal(tenant, 400, "ODataError", message) end
    local all, rows = machine_details.export(tenant, kind, options.since), {}
    local last = math.min(#all, options.first + (options.top or options.size))
    for i = options.first + 1, last do rows[#rows + 1] = all[i] end
    local next_link = last < #all and not options.top and link(tenant, request, options, last) or nil
    return answers.with_body(tenant, 200, schema.list(detail_schema["exported_" .. kind], rows, nil, next_link))
  end
end

---- device groups

-- What the service calls the group of machines that are in none.
local UNASSIGNED = "UnassignedGroup"

-- The groups that machines are in, each once, by their ids.
local function groups_of(tenant)
  local list, has = {}, {}
  for _, machine in ipairs(tenant.machines) do
    local id = machine.rbacGroupId or 0
    if not has[id] then
      has[id] = true
      list[#list + 1] = { rbacGroupId = id, rbacGroupName = id == 0 and UNASSIGNED or machine.rbacGroupName,
        score = 10 + id % 50 + 0.5, time = time.iso(tenant.clock.now() - 600) }
    end
  end
  table.sort(list, function(a, b) return a.rbacGroupId < b.rbacGroupId end)
  return list
end

--- The exposure of each device group.
---@param tenant mde.sim.tenant
---@param request table
---@return table response
function M.list_groups(tenant, request)
  local options, message = encoding.form(request.query)
  for name in pairs(options or {}) do
    if name ~= "$top" and name ~= "$skip" then
      options, message = nil, ("The query option '%s' is not supported."):format(name)
      break
    end
  end
  if not options then return refusal(tenant, 400, "ODataError", message) end
  local body
  body, message = lists.answer(tenant.lists, request, detail_schema.exposure, groups_of(tenant), false)
  if not body then return refusal(tenant, 400, "ODataError", message) end
  return answers.with_body(tenant, 200, body)
end

return M
