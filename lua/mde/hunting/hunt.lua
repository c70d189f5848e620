--- hunt: asks one query of advanced hunting, by Microsoft Graph, and hands out its rows one after the other.
--
-- The API of Defender that did this ends on 1 February 2027, and is not asked. A reply is read whole: what the service
-- gives at most, 100,000 rows and 50 MB, fits into memory.

local core = require "mde.core"
local errors = require "mde.base.error"
local options_of = require "mde.base.options"
local parameters = require "mde.hunting.parameters"
local replies = require "mde.hunting.reply"
local timespans = require "mde.hunting.timespan"

-- Of the service: a query may run for 200 seconds, and a reply has no more rows than these.
local QUERY_SECONDS, MOST_ROWS = 200, 100000
-- For an answer to arrive, and for a second attempt.
local ATTEMPT_SECONDS, HUNT_SECONDS, ATTEMPTS = QUERY_SECONDS + 20, 2 * QUERY_SECONDS + 60, 2

local M = {}

---@class mde.HuntOptions
---@field timespan? mde.Timespan which time it looks at; default the service's 30 days
---@field parameters? table<string, mde.KqlParameter> values for names in the query
---@field timeout? number seconds for everything, default 460
---@field allow_cut? boolean 100,000 rows, of which more may have been left out, are no error

---@class mde.Hunt the rows: `for row in hunt do`
---@field schema mde.HuntColumn[] the columns, also where no row was found
---@field count integer how many rows there are
---@field cut boolean whether the service may have left out more
---@field private rows table[]
---@field private at integer
---@field private problem? mde.Error what is raised in the place of the end
---@overload fun(): table<string, any>?
local Hunt = { __name = "mde.hunt" }
Hunt.__index = Hunt

--- The next row; nil at the end. Raises an error in its place if rows may be missing.
function Hunt:__call()
  local row = self.rows[self.at + 1]
  if row then
    self.rows[self.at + 1] = false
    self.at = self.at + 1
    return row
  end
  if self.problem then error(self.problem, 0) end
end

function Hunt:__tostring()
  return ("%d row%s"):format(self.count, self.count == 1 and "" or "s")
end

local function check_query(query)
  if type(query) ~= "string" then
    errors.invalid("wrong_type", ("mde.hunt: the query must be a text of KQL, not %s"):format(errors.got(query)))
  elseif not query:find "%S" then
    errors.invalid("empty_text", "mde.hunt: the query is empty", 'Give a query: "DeviceInfo | take 10", say.')
  elseif not core.text.is_utf8(query) then
    errors.invalid("query_malformed", "mde.hunt: the query is not valid UTF-8", "Convert it to UTF-8.")
  elseif query:find "%z" then
    errors.invalid("query_malformed", "mde.hunt: the query has a NUL in it", "Take it out.")
  end
end

-- What was asked, for errors: the query's first words.
local function described(query)
  return "hunt " .. errors.quote((query:gsub("%s+", " "):gsub("^ ", "")))
end

-- An error about a query, which may be the query's fault. `before`: so many characters stand before it.
local function problem_of(err, query, before)
  local problem = errors.about(err, described(query))
  if problem.http_status == 400 then
    local beside = before > 0 and (" The parameters stand before it, %d characters in its first line."):format(before)
    problem.hint = "Correct the query where the message says." .. (beside or "")
  elseif problem.http_status == 504 then
    problem.hint = "The query may take too long: let it look at less time (timespan), or at fewer columns and rows."
  elseif problem.kind == "throttled" then
    problem.hint = "Others of the tenant may hunt, too. If its run time is used up, no query runs until the next "
      .. "quarter of an hour."
  end
  return problem
end

local function cut_problem(query, count)
  return errors.new { kind = "protocol", code = "list_cut_short", asked = described(query),
    message = (count < MOST_ROWS and "the service gave %d rows and links to more, and no link is followed"
      or "the service gave %d rows, and leaves out in silence what is more than that"):format(count),
    hint = "Let the query look at less, or count by summarize; allow_cut = true takes the rows as they are." }
end

local known_options = { timespan = "any", parameters = "any", timeout = "seconds", allow_cut = "flag" }

--- The options. Raises for what is wrong with them or the query.
---@param query any
---@param options any
---@return mde.HuntOptions
function M.check(query, options)
  options = options_of.check(options, known_options, "mde.hunt")
  check_query(query)
  return options
end

-- The timespan as the service takes it; nil: it was not given. A token tells the service's time, before anything else
-- does.
local function timespan_of(exchange, timespan, context)
  if timespan == nil then return nil end
  local text = timespans.read(timespan, exchange.clock:time())
  if not timespans.needs_time(timespan) then return text end
  local token, err = exchange:token(context, "graph")
  if not token then return nil, err end
  return timespans.read(timespan, exchange.clock:time())
end

--- Asks a query. Raises the error if it has no answer.
---@param exchange mde.Exchange
---@param query string KQL
---@param options mde.HuntOptions checked
---@param context mde.Context
---@return mde.Hunt
function M.run(exchange, query, options, context)
  local whole, before = parameters.bind(query, options.parameters)
  context = context:within(HUNT_SECONDS)
  local timespan, problem = timespan_of(exchange, options.timespan, context)
  if problem then error(problem_of(problem, query, before), 0) end
  local answer, err = exchange:call {
    method = "POST", resource = "graph", path = "/security/runHuntingQuery", kind = "read", api = "hunting",
    permission = "ThreatHunting.Read.All", context = context, seconds = ATTEMPT_SECONDS,
    attempts = ATTEMPTS, usable = replies.is_one, keeps_digits = true,
    body = { Query = whole, Timespan = timespan },
  }
  if not answer then error(problem_of(err, query, before), 0) end
  local schema, rows = replies.read(answer)
  -- Nothing says that a reply may link to more; where one does, it has not all.
  local is_cut = #rows >= MOST_ROWS or answer["@odata.nextLink"] ~= nil
  return setmetatable({ schema = schema, rows = rows, count = #rows, at = 0, cut = is_cut,
    problem = is_cut and not options.allow_cut and cut_problem(query, #rows) or nil }, Hunt)
end

return M
