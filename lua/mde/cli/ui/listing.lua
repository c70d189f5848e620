--- listing: what `mde machines` and `mde actions` have in common: what a query finds is written as it is found.

local conditions = require "mde.cli.ui.conditions"
local exit = require "mde.cli.ui.exit"
local interrupt = require "mde.cli.ui.interrupt"
local output = require "mde.cli.ui.output"
local rows = require "mde.cli.ui.rows"
local terminal = require "mde.cli.ui.terminal"

local M = {}

-- Written through after so many rows, so that a reader who has gone is noticed.
local FLUSH_ROWS = 50

-- Writes everything that the query selects and that is meant. A reader who has had enough, as `head` has, is no error.
local function run(context, method, columns, is_meant)
  local client, writer, count = context.client, rows.new(context, columns), 0
  -- What was found is written, also if what follows cannot be read.
  local ok, finished = pcall(interrupt.during, client, 1, function()
    for record in client[method](client, context.request) do
      if not is_meant or is_meant(record) then
        writer.add(record)
        count = count + 1
        if count % FLUSH_ROWS == 0 then output.flush() end
      end
      if output.is_broken() or interrupt.asked() then return end
    end
  end)
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

---@class mde.cli.Sieve
---@field configure fun(command: table) declares its options to argparse
---@field read fun(arguments: table): (fun(record: table): boolean)? tells what is meant; nil if no option is given

--- A subcommand that lists what its conditions select.
---@param method "machines"|"actions" of the client
---@param noun "machine"|"action"
---@param columns mde.cli.RowColumn[]
---@param subcommand table what else init.lua asks of it
---@param sieve? mde.cli.Sieve what is asked beside the query, and tested here
---@return table subcommand
function M.subcommand(method, noun, columns, subcommand, sieve)
  subcommand.name = method

  function subcommand.configure(command)
    conditions.configure(command, noun)
    if sieve then sieve.configure(command) end
    rows.configure(command)
  end

  function subcommand.request(arguments)
    return conditions.gather(arguments, sieve and sieve.read(arguments) ~= nil)
  end

  function subcommand.run(context)
    return run(context, method, columns, sieve and sieve.read(context.arguments))
  end

  return subcommand
end

return M
