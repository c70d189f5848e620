--- mde untag: takes a tag off machines.

local marking = require "mde.cli.marking"

local untag = {
  name = "untag",
  summary = "Take a tag off machines (needs Machine.ReadWrite.All).",
  examples = { { 'mde untag --list reviewed.txt "left for review"', "off every machine in a file" } },
}

--- Declares the options.
---@param command table of argparse
function untag.configure(command)
  marking.configure(command, "untag")
end

--- Runs the subcommand.
---@param arguments table as argparse leaves them
---@return integer status
function untag.run(arguments)
  return marking.run(arguments, "untag", "untagged")
end

return untag
