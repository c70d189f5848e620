--- mde untag: takes a tag off machines.

local marking = require "mde.cli.batch.marking"

return marking.subcommand("untag", { done = "untagged", doing = "untagging %s", label = "Untagging" }, {
  summary = "Take a tag off machines (needs Machine.ReadWrite.All).",
  examples = { { 'mde untag --list reviewed.txt "left for review"', "off every machine in a file" } },
})
