--- marking: what `mde tag` and `mde untag` have in common.

local batch = require "mde.cli.batch"
local connection = require "mde.cli.connection"
local errors = require "mde.error"
local exit = require "mde.cli.exit"
local interrupt = require "mde.cli.interrupt"
local list = require "mde.cli.list"
local output = require "mde.cli.output"
local result = require "mde.cli.result"
local rows = require "mde.cli.rows"
local terminal = require "mde.cli.terminal"

local marking = {}

--- Declares the devices and the tag, which comes last.
---@param command table of argparse
---@param name string
function marking.configure(command, name)
  list.configure(command, "1+")
  rows.configure(command)
  command:usage(("Usage: mde %s [-h] [--list <file>] [--json | --csv] <device> ... <tag>"):format(name))
end

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

--- Sets or removes the tag on each device.
---@param arguments table as argparse leaves them
---@param method "tag"|"untag"
---@param done string how it is told
---@return integer status
function marking.run(arguments, method, done)
  local tag = take_tag(arguments)
  local named = list.gather(arguments)
  if interrupt.asked() then return exit.interrupted end
  for _, remark in ipairs(list.remarks(named)) do terminal.say("Note: " .. remark .. ".") end
  local entries, format = named.entries, rows.format(arguments)
  local client = connection.open()
  local writer = format ~= "text" and rows.new(format, result.columns)
  local complete = batch.run(client, entries, function(entry)
    local err
    entry.machine, err = client[method](client, entry.device, tag)
    return entry.machine, err
  end, { label = "Tagging", patience = 2, show = function(entry)
    terminal.hide_progress()
    if writer then
      writer.add(format == "json" and result.record(entry) or entry)
    elseif entry.err then
      terminal.say("mde: " .. result.complaint(entry))
    else
      output.write(("%s: %s %s\n"):format(result.name(entry), done, errors.quote(tag)))
    end
    terminal.show_progress()
  end })
  if #entries > 1 or not complete then
    terminal.say(batch.summary(entries, function() return done end) .. ".")
  end
  return result.status(entries, interrupt.asked() or not complete and batch.is_cut_short())
end

return marking
