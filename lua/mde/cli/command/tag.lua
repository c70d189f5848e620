--- mde tag: puts a tag on machines.

local marking = require "mde.cli.batch.marking"

return marking.subcommand("tag", { done = "tagged", doing = "tagging %s", label = "Tagging" }, {
  summary = "Put a tag on machines (needs Machine.ReadWrite.All).",
  examples = { { 'mde tag laptop-17 laptop-18 "left for review"', "the last word is the tag" } },
})
