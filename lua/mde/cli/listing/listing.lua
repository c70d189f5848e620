--- listing: what `mde machines`, `mde actions` and others have in common: what a query finds is written as it is
-- found, or held back until all of it can be put in order.

local columns_of = require "mde.cli.ui.columns"
local conditions = require "mde.cli.listing.conditions"
local exit = require "mde.cli.ui.exit"
local fields = require "mde.cli.listing.fields"
local interrupt = require "mde.cli.ui.interrupt"
local json = require "mde.base.json_line"
local order = require "mde.cli.listing.order"
local output = require "mde.cli.ui.output"
local rows = require "mde.cli.ui.rows"
local terminal = require "mde.cli.ui.terminal"
local whole_number = require "mde.cli.ui.whole_number"

local M = {}

-- Written through after so many rows, so that a reader who has gone is noticed.
local FLUSH_ROWS = 50

---@class mde.cli.ListingRequest
---@field query mde.Query
---@field names? string[] the fields that are written
---@field order? mde.cli.Order
---@field limit? integer how many at the most
---@field is_meant? fun(record: table): boolean what is tested here, beside the query
---@field options? table of the client's function

-- What JSON has of a record of which some fields are asked for: each of them, also where the record has no value.
local function picked(names)
  return function(record)
    local row = {}
    for _, name in ipairs(names) do
      row[name] = record[name]
      if row[name] == nil then row[name] = json.null end
    end
    return row
  end
end

-- Writes each record as it comes. False once no more is wanted.
local function write_through(writer, limit)
  local count = 0
  return function(record)
    writer.add(record)
    count = count + 1
    if count % FLUSH_ROWS == 0 then output.flush() end
    return not output.is_broken() and count ~= limit
  end
end

-- Writes everything that the query selects. A reader who has had enough, as `head` has, is no error.
local function run(context, method, usual, as_json)
  local client, request = context.client, context.request
  local names = request.names
  local writer = rows.new(context, names and columns_of.chosen(names, usual) or usual,
    names and picked(names) or as_json)
  local write, count, held = write_through(writer, request.limit), 0, request.order and {}
  -- What was found is written, also if what follows cannot be read.
  local ok, finished = pcall(interrupt.during, client, 1, function()
    for record in client[method](client, request.query, request.options) do
      local is_meant = not request.is_meant or request.is_meant(record)
      if is_meant then
        count = count + 1
        if held then held[count] = record end
        if not held and not write(record) then return end
      end
      if output.is_broken() or interrupt.asked() then return end
    end
  end)
  for _, record in ipairs(held and order.sorted(held, request.order) or {}) do
    if not write(record) then break end
  end
  writer.finish()
  output.flush()
  if not ok then error(finished, 0) end
  if output.failure() then return exit.unavailable end
  if interrupt.asked() then
    terminal.say "Interrupted; the list is not complete."
    return exit.interrupted
  end
  if count == 0 then terminal.say "Nothing was found." end
  return exit.done
end

-- Declares what of the records is written, in which order, and how many.
local function configure(command)
  command:option("--columns", "The fields to write, in this order: NAME,NAME. Any field of the service will do; for "
    .. "JSON they are the keys."):argname "<names>":overwrite(false)
  command:option("--sort", "Put them in the order of a field: NAME, or NAME:desc for the highest first. Nothing is "
    .. "written before all are read; what lacks the field comes last."):argname "<name>":overwrite(false)
  command:option("--limit", "Write so many at the most; without --sort no more are read then.")
    :argname "<count>":convert(whole_number.parse):overwrite(false)
end

local function request_of(arguments, of, is_meant)
  return {
    query = conditions.gather(arguments, is_meant ~= nil), is_meant = is_meant, limit = arguments.limit,
    names = arguments.columns and fields.list(arguments.columns, of, "--columns") or nil,
    order = arguments.sort and order.read(arguments.sort, of) or nil,
  }
end

---@class mde.cli.Sieve
---@field configure fun(command: table) declares its options to argparse
---@field read fun(arguments: table): (fun(record: table): boolean)? tells what is meant; nil if no option is given

---@class mde.cli.ListingOptions of the client's function
---@field configure fun(command: table) declares them to argparse
---@field read fun(arguments: table): table

--- A subcommand that lists what its conditions select.
---@param method "machines"|"actions"|"alerts"|"incidents"|"indicators" of the client
---@param noun "machine"|"action"|"alert"|"incident"|"indicator"
---@param columns mde.cli.RowColumn[]
---@param subcommand table what else init.lua asks of it; `options`, a mde.cli.ListingOptions; and `as_json`, what of a
--- record is written as JSON
---@param sieve? mde.cli.Sieve what is asked beside the query, and tested here
---@return table subcommand
function M.subcommand(method, noun, columns, subcommand, sieve)
  local options = subcommand.options
  subcommand.name = method

  ---@return mde.cli.ListingRequest
  function subcommand.request(arguments)
    local request = request_of(arguments, fields[method], sieve and sieve.read(arguments))
    request.options = options and options.read(arguments)
    return request
  end

  function subcommand.configure(command)
    conditions.configure(command, noun)
    if sieve then sieve.configure(command) end
    if options then options.configure(command) end
    configure(command)
    rows.configure(command)
    rows.configure_heading(command)
  end

  function subcommand.run(context)
    return run(context, method, columns, subcommand.as_json)
  end

  return subcommand
end

return M
