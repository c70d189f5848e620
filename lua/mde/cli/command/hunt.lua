--- mde hunt: asks a query of advanced hunting, and writes its rows.

local core = require "mde.core"
local errors = require "mde.base.error"
local exit = require "mde.cli.ui.exit"
local interrupt = require "mde.cli.ui.interrupt"
local json = require "mde.base.json_line"
local mde = require "mde"
local output = require "mde.cli.ui.output"
local rows = require "mde.cli.ui.rows"
local terminal = require "mde.cli.ui.terminal"

local M = {
  name = "hunt",
  summary = "Ask a query of advanced hunting (KQL), by Microsoft Graph.",
  explained = [[
The application needs the permission ThreatHunting.Read.All of Microsoft Graph. The service gives
100,000 rows at most; so many are an error, since more may have been left out, unless --allow-cut.

A parameter stands in the query by its name, without quotes. Whatever its value says, it stays a
value. Without a type it is a text:
   --parameter host=O'Brien             where DeviceName =~ host
   --parameter since:datetime='2h ago'  where Timestamp > since
   --parameter names:list=pc-1,pc-2     where DeviceName in (names)
The types are string, list (of texts), long, real, bool, datetime, timespan and guid.]],
  examples = {
    { "mde hunt 'DeviceInfo | summarize arg_max(Timestamp, *) by DeviceId | take 10' --csv", "as CSV" },
    { "mde hunt 'DeviceFileEvents | where SHA1 == hash | distinct DeviceName' --parameter hash=$SHA1",
      "who has a file" },
    { "mde hunt --file logons.kql --timespan 2d --json", "of the last two days; one JSON object a line" },
    { "mde hunt - <logons.kql", "a query from standard input" },
  },
}

-- Bytes; the service takes no longer one by far.
local MOST_QUERY_BYTES = 1024 * 1024

--- Declares the options.
---@param command table of argparse
function M.configure(command)
  command:argument("query", "The query; - reads it from standard input."):args "?":argname "<query>"
  command:option("--file", "Read the query from a file."):argname "<file>":overwrite(false)
  command:option("--timespan", "Look at this time: 90m, 2h, 7d, or a span in ISO 8601. Of it and what the query says "
    .. "the shorter counts; default the service's 30 days."):argname "<span>":overwrite(false)
  command:option("--parameter", "A value for a name in the query: NAME=VALUE, or NAME:TYPE=VALUE. Several times.")
    :argname "<name=value>":count "*"
  command:flag("--allow-cut", "Take 100,000 rows as they are, though there may be more.")
  command:flag("-q --quiet", "Say nothing but errors, warnings and the rows.")
  rows.configure(command)
  rows.configure_heading(command)
end

local function read_file(file, name)
  local text, why = file:read(MOST_QUERY_BYTES + 1)
  if why then errors.invalid("query_unreadable", ("%s cannot be read: %s"):format(name, errors.show(why))) end
  if text and #text > MOST_QUERY_BYTES then
    errors.invalid("query_malformed", ("%s is longer than a query can be"):format(name), "Name the file of the query.")
  end
  return (text or ""):gsub("^\239\187\191", "")
end

local function open_file(path)
  local file, why = io.open(path, "rb")
  if not file then
    errors.invalid("query_unreadable", ("%s cannot be read: %s"):format(errors.quote(path),
      errors.show((why:gsub("^.*: ", "")))))
  end
  local text = read_file(file, errors.quote(path))
  file:close()
  return text
end

local function query_of(arguments)
  if (arguments.query ~= nil) == (arguments.file ~= nil) then
    errors.invalid(arguments.query and "contradictory_options" or "nothing_selected",
      arguments.query and "a query and --file exclude each other" or "nothing says what to hunt for",
      "Give a query, or --file, or - for standard input.")
  end
  if arguments.file then return open_file(arguments.file) end
  if arguments.query == "-" then return (read_file(io.stdin, "standard input")) end
  return arguments.query
end

local function number_of(text, what)
  return core.number.read(text)
    or errors.invalid("parameter_malformed", ("%s: %s is no number"):format(what, errors.quote(text)))
end

-- What a double cannot hold would be another number, without a word.
local function long_of(text, what)
  local number = number_of(text, what)
  if number >= 2 ^ 53 or number <= -2 ^ 53 then
    errors.invalid("parameter_malformed", ("%s: %s is too long a number to be kept exactly"):format(what,
      errors.quote(text)), "Write it in the query, long(...).")
  end
  return mde.kql.long(number)
end

local truths = { ["true"] = true, ["false"] = false }

local readers = {
  string = function(text) return text end,
  list = function(text, what)
    local list = {}
    for item in (text .. ","):gmatch "([^,]*)," do
      if item == "" then
        errors.invalid("parameter_malformed", ("%s: %s has an item that is empty"):format(what, errors.quote(text)),
          "Write A,B,C.")
      end
      list[#list + 1] = item
    end
    return list
  end,
  guid = mde.kql.guid,
  timespan = mde.kql.timespan,
  long = long_of,
  real = function(text, what) return mde.kql.real(number_of(text, what)) end,
  datetime = function(text)
    local span = text:match "^(%d+%.?%d*[smhd])%s+ago$"
    return mde.kql.datetime(span and mde.ago(span) or text)
  end,
  bool = function(text, what)
    if truths[text] ~= nil then return truths[text] end
    errors.invalid("parameter_malformed", ("%s: %s is neither true nor false"):format(what, errors.quote(text)))
  end,
}

local function parameters_of(words)
  local list, has_any = {}, false
  for _, word in ipairs(words) do
    local name, kind, value = word:match "^%s*([A-Za-z0-9_]+):?([a-z]*)=(.*)$"
    if not name then
      errors.invalid("parameter_malformed", ("--parameter: %s is not NAME=VALUE"):format(errors.quote(word)))
    elseif list[name] ~= nil then
      errors.invalid("parameter_malformed", ("--parameter: %s is given twice"):format(name), "Give it once.")
    end
    local read = readers[kind == "" and "string" or kind]
    if not read then
      errors.invalid("parameter_malformed", ("--parameter: there is no type %s"):format(errors.quote(kind)),
        "There are string, list, long, real, bool, datetime, timespan and guid.")
    elseif kind == "" and value == "" then
      errors.invalid("parameter_malformed", ("--parameter %s is empty"):format(name),
        ("If you mean the empty text, write %s:string="):format(name))
    end
    list[name], has_any = read(value, "--parameter " .. name), true
  end
  return has_any and list or nil
end

--- The query and its options. Raises for what cannot be asked.
---@param arguments table as argparse leaves them
---@return { query: string, options: mde.HuntOptions }
function M.request(arguments)
  return { query = query_of(arguments), options = { timespan = arguments.timespan,
    parameters = parameters_of(arguments.parameter or {}), allow_cut = arguments.allow_cut } }
end

-- What is nested is written as JSON.
local function columns_of(schema)
  local columns = {}
  for i, column in ipairs(schema) do
    local name = errors.escape(column.name)
    columns[i] = { name = name, title = name, value = function(row)
      local value = row[column.name]
      return type(value) == "table" and json.encode(value) or value
    end }
  end
  return columns
end

-- A row with all columns, also those that are null.
local function whole(schema)
  return function(row)
    local complete = {}
    for _, column in ipairs(schema) do complete[column.name] = json.null end
    for name, value in pairs(row) do complete[name] = value end
    return complete
  end
end

--- Runs the subcommand.
---@param context mde.cli.Context
---@return integer status
function M.run(context)
  local request, hunt = context.request, nil
  local finished = interrupt.during(context.client, 1, function()
    hunt = context.client:hunt(request.query, request.options)
  end)
  if not finished then return exit.interrupted end
  local writer = rows.new(context, columns_of(hunt.schema), whole(hunt.schema))
  -- What came is written, also if it is not all.
  local ok, problem = pcall(function()
    for row in hunt do
      writer.add(row)
      if output.is_broken() then return end
    end
  end)
  writer.finish()
  output.flush()
  if not ok then error(problem, 0) end
  if output.failure() then return exit.unavailable end
  if hunt.count == 0 then terminal.say "Nothing was found." end
  return exit.done
end

return M
