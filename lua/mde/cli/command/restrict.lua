--- mde restrict: lets devices run only code signed by Microsoft.

local change = require "mde.cli.batch.change"
local core = require "mde.core"
local duration = require "mde.cli.ui.duration"
local list = require "mde.cli.batch.list"
local responses = require "mde.cli.batch.response"
local rows = require "mde.cli.ui.rows"

local M = {
  name = "restrict",
  is_audited = true,
  summary = "Let devices run only code signed by Microsoft.",
  explained = change.explained,
  examples = {
    { 'mde restrict laptop-17 --comment "beacon to known C2" --incident INC-4711', "shows the machine and asks" },
    { 'mde restrict --list suspects.csv --comment "same beacon" --yes --wait', "asks nobody, waits for all" },
    { 'mde restrict laptop-17 --comment "odd, to be looked at" --release-after 8h',
      "ends by mde release --expired, run by cron" },
    { "mde machines riskScore=High --csv | mde restrict --list - --yes --comment triage",
      "what a query finds" },
  },
}

--- Declares the options.
---@param command table of argparse
function M.configure(command)
  list.configure(command, "*")
  change.configure(command, "restrict")
  responses.configure_limits(command, core.response_actions.restrict)
  command:option("--release-after", "How long it is meant to hold: 30m, 8h, 7d. Nothing releases it by itself: have "
    .. "mde release --expired run every few minutes, on any host."):argname "<time>":convert(duration.parse)
    :overwrite(false)
  command:flag("--cancel-opposite", "Cancel a release that is still pending, instead of refusing.")
  command:flag("--again", "Restrict those of a list, too, that somebody has released or cancelled since they were "
    .. "restricted for the same incident (without one: with the same comment) in the last 24 hours.")
  rows.configure(command)
end

--- What the arguments ask.
---@param arguments table as argparse leaves them
---@return mde.cli.ChangeRequest
function M.request(arguments)
  return change.request(arguments, "restrict", {
    cancel_opposite = arguments.cancel_opposite, allow = arguments.allow[1] and arguments.allow or nil,
    release_after = arguments.release_after,
  })
end

---@param arguments table as argparse leaves them
---@return mde.ClientOptions
function M.client_options(arguments)
  return { cap = arguments.cap }
end

M.run = change.run

return M
