--- export: the software, or the vulnerabilities, of all devices of the tenant, page by page.
--
-- Here the service's links work, and are the way from one page to the next. A link comes from outside: it is followed
-- only if it leads to the same host and path and was not followed before, and what is asked is this client's own host.

local core = require "mde.core"
local details = require "mde.device.details"
local errors = require "mde.base.error"
local mutexes = require "mde.sync.mutex"
local times = require "mde.query.times"

local READ_SECONDS, PAGE_SECONDS = 300, 120
local PAGE_ROWS, MOST_ROWS = 10000, 200000
-- The service's own examples have the links with this name of it.
local OLD_HOST = "api.securitycenter.microsoft.com"

local M = {}

---@class mde.ExportOptions
---@field since? mde.Time only what was told since; default all
---@field page_rows? integer rows of a page, 1 to 200000; default 10000. One page is in memory
---@field timeout? number seconds for each page

M.known_options = { since = "any", page_rows = "count", timeout = "seconds" }

local kinds = {
  all_software = { path = "/machines/SoftwareInventoryByMachine", what = "software of all devices",
    permission = "Software.Read.All" },
  all_vulnerabilities = { path = "/machines/SoftwareVulnerabilitiesByMachine",
    what = "vulnerabilities of all devices", permission = "Vulnerability.Read.All" },
}

local function malformed(code, message)
  return errors.new { kind = "protocol", code = code, message = message, hint = "Try again later." }
end

--- The path and query that a link leads to, below /api.
---@param link any
---@param host string this client's
---@param path string of the export
---@param followed table<string, boolean> links so far; this one is added
---@return string? path
---@return mde.Error? err
function M.follow(link, host, path, followed)
  local told_host, told_path, query
  if type(link) == "string" then told_host, told_path, query = link:match "^https://([^/?#]+)(/[^?#]*)%?([^#]*)$" end
  local lower = core.text.lower
  local is_ours = told_host and (lower(told_host) == lower(host) or lower(told_host) == OLD_HOST)
  if not is_ours or lower(told_path) ~= lower("/api" .. path) or query:find "[^A-Za-z0-9%%%-._~!$&'()*+,;=:@/]" then
    return nil, malformed("link_elsewhere", ("the service links to another place for the next page, %s; it is not "
      .. "followed"):format(errors.quote(link)))
  elseif followed[query] then
    return nil, malformed("pages_repeat", "the service's links lead to a page that was read before")
  end
  followed[query] = true
  return path .. "?" .. query
end

--- The rows of an export, one after the other.
---@param client mde.Client
---@param name "all_software"|"all_vulnerabilities"
---@param options mde.ExportOptions
---@return fun(): table? next_row raises the error if a page cannot be read
function M.rows(client, name, options)
  local kind, exchange = kinds[name], client.exchange
  local page_rows = options.page_rows or PAGE_ROWS
  if page_rows < 1 or page_rows > MOST_ROWS then
    errors.invalid("wrong_value", ("mde.%s: page_rows is %s, not from 1 to %d"):format(name, errors.show(page_rows),
      MOST_ROWS))
  end
  if options.since ~= nil then times.read(options.since, exchange.clock:time(), "since") end
  local mutex, over, problem, path = mutexes.new(client.driver), false, nil, nil
  local rows, at, followed = {}, 0, {}

  local function first_path()
    local query = ("?pageSize=%d"):format(page_rows)
    if options.since == nil then return kind.path .. query end
    return kind.path .. query .. "&sinceTime="
      .. core.odata.encode((times.read(options.since, exchange.clock:time(), "since")))
  end

  local function next_page()
    local context = client:context(options.timeout):within(READ_SECONDS)
    if not path and options.since ~= nil then
      local settled, err = exchange:settle_clock(context)
      if not settled then return nil, err end
    end
    path = path or first_path()
    local answer, err = exchange:call { method = "GET", path = path, kind = "read", api = name,
      permission = kind.permission, context = context, seconds = PAGE_SECONDS, usable = details.is_list }
    if not answer then return nil, err end
    local link = answer["@odata.nextLink"]
    if link == nil then
      over = true
      return answer.value
    end
    path, err = M.follow(link, exchange.host, kind.path, followed)
    return path and answer.value, err
  end

  local function read_on()
    while not over and not problem and not rows[at + 1] do
      rows, at = {}, 0
      local page, err = next_page()
      if page then rows = page else problem = errors.about(err, kind.what) end
    end
  end

  return function()
    while not rows[at + 1] and not over and not problem do mutex:take("page", nil, read_on) end
    if rows[at + 1] then
      at = at + 1
      local row = rows[at]
      rows[at] = false
      return row
    end
    if problem then error(problem, 0) end
  end
end

return M
