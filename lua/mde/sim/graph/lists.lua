-- Lists of alerts and incidents of Microsoft Graph: what the query asks for, page by page, each with a link to the
-- next.
local alert_values = require "mde.sim.model.alert_values"
local answers = require "mde.sim.graph.answers"
local core = require "mde.core"
local json = require "mde.sim.base.json"
local filter = require "mde.sim.odata.filter"
local links = require "mde.sim.odata.lists"
local schema = require "mde.sim.odata.schema"

local M = {}

local MAX_TOP = 1000

--- What a list can be filtered by.
---@param set string what a message calls the records
---@param texts string names of texts, with blanks between
---@param times string names of times
---@param enumerations table<string, string> names of enumerations, and under which their members are listed
---@param others string names of properties that there are and that a filter cannot name
---@param paths table<string, table<string, fun(member: table): string?>>? names of collections, and for each of their
--- paths, from the type on, what a member has there
---@return table kind
function M.kind(set, texts, times, enumerations, others, paths)
  local properties = {}
  for name in texts:gmatch "%S+" do properties[name] = schema.property(name, "String", true) end
  for name in times:gmatch "%S+" do properties[name] = schema.property(name, "DateTimeOffset", true) end
  for name in others:gmatch "%S+" do properties[name] = schema.property(name, "String") end
  for name, listed in pairs(enumerations) do
    local one = schema.property(name, "String", true)
    one.is_member = function(value) return alert_values.is_listed(listed, value) end
    properties[name] = one
  end
  for name, readers in pairs(paths or {}) do
    properties[name] = schema.property(name, "Collection", true)
    properties[name].paths = readers
  end
  return { set = set, properties = properties }
end

local function row_count(text, least)
  local number = text:find "^%d+$" and #text < 10 and core.number.read(text)
  return number and number >= least and number or nil
end

local truth_values = { ["true"] = true, ["false"] = false }

-- What the options of the query ask for; or why they are refused.
local function read(options, kind, page_rows, caseless)
  local asked = { top = page_rows, skip = 0, counts = false }
  if options["$top"] then
    asked.top = row_count(options["$top"], 1)
    if not asked.top or asked.top > MAX_TOP then
      return nil, ("Invalid page size: $top must be from 1 to %d."):format(MAX_TOP)
    end
  end
  if options["$skip"] then
    asked.skip = row_count(options["$skip"], 0)
    if not asked.skip then return nil, "$skip must be a number of rows." end
  end
  if options["$count"] then
    asked.counts = truth_values[options["$count"]]
    if asked.counts == nil then return nil, "$count must be true or false." end
  end
  if options["$filter"] then
    local message
    asked.matches, message = filter.parse(options["$filter"], kind, caseless)
    if not asked.matches then return nil, "Invalid filter clause: " .. message end
  end
  return asked
end

--- The address of a set or of one of its records, as an answer names it.
---@param request { origin: string }
---@param set string
---@return string
function M.context(request, set)
  return ("%s/v1.0/$metadata#security/%s"):format(request.origin, set)
end

--- Answers a request for a list.
---@param tenant mde.sim.tenant
---@param request table
---@param options table<string, string>
---@param kind table from `kind`
---@param set string as the context names it
---@param records table[] the newest first
---@param write fun(record: table): string
---@return table response
function M.answer(tenant, request, options, kind, set, records, write)
  local manners = tenant.alert_lists
  local asked, message = read(options, kind, manners.page_rows, tenant.comparison == "caseless")
  if not asked then return answers.refusal(tenant, request, 400, "BadRequest", message) end
  local skip = math.max(0, asked.skip - manners.repeats)
  local rows, total = {}, 0
  for _, record in ipairs(records) do
    if not asked.matches or asked.matches(record) then
      total = total + 1
      if total > skip and #rows < asked.top then rows[#rows + 1] = write(record) end
    end
  end
  local head = { '"@odata.context":' .. json.encode(M.context(request, set)) }
  if asked.counts then head[#head + 1] = ('"@odata.count":%d'):format(total) end
  if total > skip + #rows then
    head[#head + 1] = '"@odata.nextLink":' .. json.encode(
      links.link(manners.next_link, request, asked.skip + asked.top))
  end
  return answers.with_body(tenant, request, 200, ('{%s,"value":[%s]}'):format(table.concat(head, ","),
    table.concat(rows, ",")))
end

return M
