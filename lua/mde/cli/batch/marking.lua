--- marking: what `mde tag` and `mde untag` have in common.

local batch = require "mde.cli.batch.batch"
local connection = require "mde.cli.connection"
local errors = require "mde.base.error"
local exit = require "mde.cli.ui.exit"
local interrupt = require "mde.cli.ui.interrupt"
local list = require "mde.cli.batch.list"
local output = require "mde.cli.ui.output"
local pace = require "mde.cli.batch.pace"
local result = require "mde.cli.batch.result"
local rows = require "mde.cli.ui.rows"
local terminal = require "mde.cli.ui.terminal"

local marking = {}

-- The last word is the tag.
local function take_tag(arguments)
  local tag = table.remove(arguments.devices)
  if not tag:find "%S" then
    errors.invalid("the tag is empty", "An empty one is what a shell makes of a variable that is not set.")
  end
  if #arguments.devices == 0 and not arguments.list then
    errors.invalid(("%s is the tag, and no device is named"):format(errors.quote(tag)), "Write DEVICE... TAG.")
  end
  return tag
end

-- Sets or removes the tag on each device.
local function run(arguments, method, words)
  local tag = take_tag(arguments)
  local entries, format = list.entries(arguments), rows.format(arguments)
  if interrupt.asked() then return exit.interrupted end
  local client = connection.open()
  local remark = pace.remark(#entries, words.doing)
  if remark then terminal.say(remark) end
  local writer = format ~= "text" and rows.new(format, result.columns)
  local complete = batch.run(client, entries, function(entry)
    local err
    entry.machine, err = client[method](client, entry.identity or entry.device, tag)
    return entry.machine, err
  end, { label = words.label, patience = 2, show = function(entry)
    if writer then
      writer.add(format == "json" and result.record(entry) or entry)
    elseif entry.err then
      terminal.say("mde: " .. result.complaint(entry))
    else
      output.write(("%s: %s %s\n"):format(result.name(entry), words.done, errors.quote(tag)))
    end
  end })
  batch.say_end(entries, complete, { noun = "device", outcome = function() return words.done end,
    ask = "mde machines machineTags=TAG" })
  return result.status(entries, interrupt.asked() or not complete and batch.is_cut_short())
end

---@class mde.cli.MarkingWords how it is told
---@field done string
---@field doing string
---@field label string of the progress

--- A subcommand that sets or removes a tag, which is the last word.
---@param method "tag"|"untag"
---@param words mde.cli.MarkingWords
---@param subcommand table what else init.lua asks of it
---@return table subcommand
function marking.subcommand(method, words, subcommand)
  subcommand.name = method

  function subcommand.configure(command)
    list.configure(command, "1+")
    rows.configure(command)
    command:usage(("Usage: mde %s [-h] [--list <file>] [--column <column>] [--json | --csv]\n       <device> ... <tag>")
      :format(method))
  end

  function subcommand.run(arguments)
    return run(arguments, method, words)
  end

  return subcommand
end

return marking
