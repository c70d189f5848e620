--- mde details: what the service knows of a device beside its record.

local core = require "mde.core"
local errors = require "mde.base.error"
local exit = require "mde.cli.ui.exit"
local interrupt = require "mde.cli.ui.interrupt"
local problem = require "mde.cli.ui.problem"
local rows = require "mde.cli.ui.rows"
local terminal = require "mde.cli.ui.terminal"

local M = {
  name = "details",
  summary = "Show the users, software, flaws and missing updates of a device.",
  explained = [[
Each part needs a permission of its own: User.Read.All, Software.Read.All (software and missing
updates), Vulnerability.Read.All, SecurityRecommendation.Read.All. A part that cannot be read is
told, and the others are shown.]],
  examples = {
    { "mde details laptop-17", "everything" },
    { "mde details laptop-17 --only logon_users --json", "who logged on; one JSON object a line" },
  },
}

-- In the order in which they are shown: for each function what a row is told by, and what is said of it.
local parts = {
  { "logon_users", "id", { "lastSeen", "logonTypes" } },
  { "software", "id", { "weaknesses" } },
  { "vulnerabilities", "id", { "severity", "cvssV3" } },
  { "missing_kbs", "id", { "name" } },
  { "recommendations", "id", { "recommendationName", "status" } },
}

local names, known = {}, {}
for i, part in ipairs(parts) do names[i], known[part[1]] = part[1], true end

--- Declares the options.
---@param command table of argparse
function M.configure(command)
  command:argument("device", "A machine id, an Entra device id, or a full or bare DNS name."):argname "<device>"
  command:option("--only", "One part: " .. table.concat(names, ", ") .. "; may be repeated."):argname "<part>"
    :count "*":choices(names)
  command:flag("-q --quiet", "Say nothing but errors, warnings and results.")
  rows.configure(command)
  rows.configure_heading(command)
end

--- What the arguments ask. Raises for what is no device.
---@param arguments table as argparse leaves them
---@return table request
function M.request(arguments)
  local kind, canonical, reason = core.device.kind(arguments.device)
  if not kind or reason then
    errors.invalid("device_malformed", ("the device %s %s"):format(errors.quote(arguments.device),
      reason or canonical), "Give a machine id, an Entra device id or a DNS name. Nothing was asked.")
  end
  local wanted = {}
  for _, name in ipairs(arguments.only) do wanted[name] = true end
  return { device = arguments.device, wanted = next(wanted) and wanted or known }
end

local function told_of(part, record)
  local words = {}
  for _, field in ipairs(part[3]) do
    if record[field] ~= nil then words[#words + 1] = tostring(record[field]) end
  end
  return table.concat(words, ", ")
end

local columns = {
  { name = "part", title = "PART", value = function(entry) return entry.part[1] end, kept = true },
  { name = "id", title = "WHAT", value = function(entry) return entry.record[entry.part[2]] end, kept = true },
  { name = "about", title = "ABOUT", value = function(entry) return told_of(entry.part, entry.record) end },
}

local function as_json(entry)
  local record = {}
  for name, value in pairs(entry.record) do record[name] = value end
  record.part = entry.part[1]
  return record
end

--- Runs the subcommand.
---@param context mde.cli.Context
---@return integer status
function M.run(context)
  local client, request, highest, count = context.client, context.request, exit.done, 0
  local machine, err
  local finished = interrupt.during(client, 1, function() machine, err = client:machine(request.device) end)
  if not finished then return exit.interrupted end
  if not machine then error(err, 0) end
  local writer = rows.new(context, columns, as_json)
  for _, part in ipairs(parts) do
    if request.wanted[part[1]] and not interrupt.asked() then
      local list
      finished = interrupt.during(client, 1, function() list, err = client[part[1]](client, machine) end)
      if not finished then break end
      if not list then
        terminal.complain("mde details: " .. problem.in_words(err))
        highest = math.max(highest, exit.of(err))
      end
      for _, record in ipairs(list or {}) do
        count = count + 1
        writer.add { part = part, record = record }
      end
    end
  end
  writer.finish()
  if interrupt.asked() then return exit.interrupted end
  if count == 0 and highest == exit.done then terminal.say "Nothing was found." end
  return highest
end

return M
