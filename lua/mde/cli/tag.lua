--- mde tag: puts a tag on machines.

local marking = require "mde.cli.marking"

local tag = {
  name = "tag",
  summary = "Put a tag on machines (needs Machine.ReadWrite.All).",
  examples = { { 'mde tag laptop-17 laptop-18 "left for review"', "the last word is the tag" } },
}

--- Declares the options.
---@param command table of argparse
function tag.configure(command)
  marking.configure(command, "tag")
end

--- Runs the subcommand.
---@param arguments table as argparse leaves them
---@return integer status
function tag.run(arguments)
  return marking.run(arguments, "tag", "tagged")
end

return tag
