--- selection: the machines, actions, indicators, alerts or incidents that a query selects, one after the other.
--
-- An iterator is a closure that reads the next page when the last one is used up, so that at most one page
-- and the ids so far are in memory. It may be called from several tasks; one of them reads, the others wait.
-- Like io.lines it raises if it cannot go on, with the error object, and goes on raising it: what looks
-- like the end is the end.
--
-- Names and tags are compared here. Where a value that was asked for is in no row, or the service takes no filter by
-- them, it is read on without that filter: what the other fields select.

local actions = require "mde.action.action"
local errors = require "mde.base.error"
local indicators = require "mde.indicator.fields"
local options_of = require "mde.base.options"
local queries = require "mde.query.filter"
local mutexes = require "mde.sync.mutex"
local pager = require "mde.api.pager"

local PAGE_SECONDS = 300

local M = {}

---@class mde.SelectionOptions
---@field timeout? number seconds for each page

-- What was asked, for errors.
local function described(what, filters)
  if filters[1] == "" then return "all " .. what end
  return ("%s where %s"):format(what, errors.show(filters[1])) .. (filters[2] and ", and more" or "")
end

-- An error about a query, which may be the query's fault. `named` names settings by what gave them.
local function problem_of(err, what, query, filters, named)
  local problem = errors.about(err, described(what, filters))
  if problem.http_status == 400 then
    problem.hint = type(query) == "string"
      and ("It was sent as it is: correct the text %s, or write a table, whose names and values are checked before "
        .. "anything is sent."):format(errors.quote(query))
      or "Leave out of the query what the message names, and test it in Lua."
  elseif problem.kind == "not_found" and filters[1] == "" then
    problem.hint = named "It has none, or is not set up for Defender for Endpoint: check AZURE_TENANT_ID."
  end
  return problem
end

---@class mde.SelectionKind what is selected
---@field what "machines"|"actions"|"indicators"|"alerts"|"incidents"
---@field query? mde.QueryOf what can be asked, default as `what`
---@field set mde.CollectionName
---@field resource? mde.ResourceName who is asked
---@field keeps_unidentified? boolean rows without an id are given, too
---@field mend fun(row: table): boolean makes a row's fields what they are meant to be; whether its id is one
---@field adopt fun(client: mde.Client, row: table, read_at: number): table a row of a page asked for at that time

--- What a query of a kind selects.
---@param client mde.Client
---@param kind mde.SelectionKind
---@param query mde.Query
---@param timeout? number seconds for each page
---@return fun(): table? raises the error if a page cannot be read
function M.select(client, kind, query, timeout)
  local what = kind.what
  local exchange = client.exchange
  local compiled = queries.compile(kind.query or what, query)
  local asked_at = exchange.clock:time()
  local filters, is_apart = compiled.filters(asked_at)
  local pages, judge = nil, compiled.judge and compiled.judge()
  local mutex, over, problem = mutexes.new(client.driver), false, nil
  local rows, at, read_at = {}, 0, nil

  -- The rows with an id. The others cannot be acted on; the pager has warned of them.
  local function identified(page)
    if kind.keeps_unidentified then return page end
    local kept = {}
    for _, row in ipairs(page) do
      if row.id then kept[#kept + 1] = row end
    end
    return kept
  end

  -- The rows of a page that are meant; or none, if it is to be read on without the filters by name and tag.
  local function judged(page, err)
    page = page and identified(page)
    if not judge then return page, err end
    if page then return judge:select(page) end
    local is_refused = err and err.http_status == 400
    -- The list of nothing is told as 404.
    if is_apart and err and err.kind == "not_found" then return nil end
    if is_apart or err and not is_refused or not err and not judge:misses() then return nil, err end
    is_apart = true
    pages:turn_to(compiled.filters_apart(asked_at))
    return {}
  end

  -- The next page. The query may depend on what time it is.
  local function next_page()
    local context = client:context(timeout):within(PAGE_SECONDS)
    if not pages then
      local settled, err = exchange:settle_clock(context, kind.resource)
      if not settled then return nil, err end
      asked_at = exchange.clock:time()
      filters, is_apart = compiled.filters(asked_at)
      pages = pager.pages(exchange, kind.set, filters, kind.mend)
    end
    return judged(pages:next(context))
  end

  -- Brings the next row within reach, unless another task just did.
  local function read_on()
    while not over and not problem and not rows[at + 1] do
      rows, at, read_at = {}, 0, exchange.now()
      local page, err = next_page()
      if page then
        rows = page
      elseif err then
        problem = problem_of(err, what, query, filters, exchange.named)
      else
        over = true
      end
    end
  end

  return function()
    while not rows[at + 1] and not over and not problem do mutex:take("page", nil, read_on) end
    if rows[at + 1] then
      at = at + 1
      local row = rows[at]
      rows[at] = false
      return kind.adopt(client, row, read_at)
    end
    if problem then error(problem, 0) end
  end
end

local function iterator(client, kind, query, options)
  options = options_of.check(options, { timeout = "seconds" }, "mde." .. kind.what)
  return M.select(client, kind, query, options.timeout)
end

local of_machines = { what = "machines", set = "machines", mend = function() return true end,
  adopt = function(client, row, read_at) return client.inventory:adopt(row, read_at) end }

local of_actions = { what = "actions", set = "machineactions", mend = actions.mend,
  adopt = function(client, row) return client.action_center:adopt(row) end }

local of_indicators = { what = "indicators", set = "indicators", mend = indicators.mend,
  adopt = function(_, row) return setmetatable(row, indicators.metatable) end }

--- The machines that a query selects.
---@param client mde.Client
---@param query mde.Query
---@param options? mde.SelectionOptions
---@return fun(): mde.Machine? next_machine raises the error if a page cannot be read
function M.machines(client, query, options)
  return iterator(client, of_machines, query, options)
end

--- The actions that a query selects, restricting and all others.
---@param client mde.Client
---@param query mde.Query
---@param options? mde.SelectionOptions
---@return fun(): mde.Action? next_action raises the error if a page cannot be read
function M.actions(client, query, options)
  return iterator(client, of_actions, query, options)
end

--- The indicators that a query selects.
---@param client mde.Client
---@param query mde.Query
---@param options? mde.SelectionOptions
---@return fun(): mde.Indicator? next_indicator raises the error if a page cannot be read
function M.indicators(client, query, options)
  return iterator(client, of_indicators, query, options)
end

return M
