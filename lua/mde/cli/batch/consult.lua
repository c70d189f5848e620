--- consult: shows what is to be restricted or released, and asks whether that is meant.

local batch = require "mde.cli.batch.batch"
local columns = require "mde.cli.ui.columns"
local core = require "mde.core"
local errors = require "mde.base.error"
local exit = require "mde.cli.ui.exit"
local interrupt = require "mde.cli.ui.interrupt"
local lookup = require "mde.cli.batch.lookup"
local mde = require "mde"
local result = require "mde.cli.batch.result"
local tables = require "mde.cli.ui.table"
local terminal = require "mde.cli.ui.terminal"

local MAX_SHOWN = 40
-- So that an id of 40 digits fits beside it on a terminal of 80 columns.
local SHARED_NAME_COLUMNS = 26
local READ_SECONDS = 60

local M = {}

--- Asks why, until the answer can be recorded; nil without an answer.
---@param verb "restrict"|"release"
---@param default string
---@return string?
function M.comment(verb, default)
  while true do
    local answer = terminal.ask(("Comment [%s]: "):format(default))
    if not answer then return nil end
    if answer == "" then answer = default end
    local ok, problem = mde.check(verb, answer)
    if ok then return answer end
    terminal.say(tostring(problem))
  end
end

local function say_errors(entries)
  local count = 0
  for _, entry in ipairs(entries) do
    if entry.err then
      count = count + 1
      if count <= MAX_SHOWN then batch.complain(entry) end
    end
  end
  if count > MAX_SHOWN then terminal.say(("and %d more"):format(count - MAX_SHOWN)) end
end

-- Two names of one machine are one entry.
local function without_twins(entries)
  local first, rest = {}, {}
  for _, entry in ipairs(entries) do
    local id = entry.machine and core.text.lower(entry.machine.id)
    if id and first[id] then
      terminal.note(("%s and %s are the same machine; it counts once"):format(errors.quote(first[id].device),
        errors.quote(entry.device)))
    else
      rest[#rest + 1] = entry
      if id then first[id] = entry end
    end
  end
  return rest
end

local function found_among(entries)
  local found, names = {}, {}
  for _, entry in ipairs(entries) do
    if not entry.err then found[#found + 1] = entry end
    result.note_name(entry, names)
  end
  return found
end

-- What stands for a machine in the first column.
local function name_cell(entry)
  local name = result.dns_name(entry)
  if not name then return entry.machine.id end
  if not entry.shares_name then return name end
  name = errors.escape(name)
  name = terminal.fit(name, math.min(terminal.width(name), SHARED_NAME_COLUMNS))
  return ("%s %s"):format(name, entry.machine.id)
end

local function show(found, now)
  local asked = columns.asked
  for _, entry in ipairs(found) do
    if entry.shares_name then asked = columns.asked_by_id end
  end
  local shown = tables.new(asked, terminal.columns() - 2, function(line) terminal.show("  " .. line) end)
  for i = 1, math.min(#found, MAX_SHOWN) do
    local row = { name_cell(found[i]) }
    for j = 2, #asked do row[j] = asked[j].value(found[i].machine, now) or "" end
    shown.add(row)
  end
  shown.finish()
  if #found > MAX_SHOWN then terminal.say(("  and %d more"):format(#found - MAX_SHOWN)) end
end

--- Says whose hold a release ends beside the incident's own.
local function say_holders(client, found, incident)
  local machines = {}
  for i, entry in ipairs(found) do machines[i] = entry.machine end
  local finished, results = interrupt.during(client, 1, function()
    return client:holders(machines, { incident = incident, timeout = READ_SECONDS })
  end)
  if not finished then return end
  if results.failed > 0 then
    return terminal.caution("whether others hold them restricted too could not be read: "
      .. errors.show(results[1].err.message))
  end
  local count = 0
  for i, entry in ipairs(found) do
    local holders = results[i].value
    if holders[1] then
      count = count + 1
      if count <= MAX_SHOWN then
        terminal.caution(("%s is held %sby %s; the release ends that%s"):format(result.name(entry),
          incident and "too " or "", errors.show(table.concat(holders, ", ")), incident and " as well" or ""))
      end
    end
  end
  if count > MAX_SHOWN then terminal.say(("and %d more"):format(count - MAX_SHOWN)) end
end

-- Somebody did not say yes.
local function end_without()
  if not interrupt.asked() then
    terminal.say "Nothing was done."
    return nil, exit.refused
  end
  terminal.say "Interrupted; nothing was done."
  return nil, exit.interrupted
end

--- Shows what is meant and asks.
---@param context mde.cli.Context its request is an mde.cli.ChangeRequest
---@param entries mde.cli.Result[]
---@param words mde.cli.ChangeWords
---@param remark fun(count: integer): string? what else is to be known of so many
---@return mde.cli.Result[]? entries to go on with; those with an error are done and told
---@return string|integer comment or, if there are none to go on with, the status to end with
function M.ask(context, entries, words, remark)
  local request = context.request
  local complete = lookup.run(context, entries)
  if interrupt.asked() then return end_without() end
  say_errors(entries)
  if not complete then return nil, result.status(entries, false) end
  entries = without_twins(entries)
  local found = found_among(entries)
  if not found[1] then return nil, result.status(entries, false) end
  terminal.say(words.means)
  show(found, context.client:now())
  -- What was found by incidents is held by them alone.
  if request.verb == "release" and not request.find then
    say_holders(context.client, found, request.options.incident)
  end
  local text = remark(#found)
  if text then terminal.say(text) end
  if interrupt.asked() then return end_without() end
  local comment = context.arguments.comment or M.comment(request.verb, words.comment)
  local question = ("%s %s?"):format(words.question, #found == 1 and "it" or ("these %d"):format(#found))
  if not comment or not terminal.confirm(question) then return end_without() end
  for _, entry in ipairs(entries) do
    entry.done = entry.err ~= nil
    entry.started = entry.done
    entry.told = entry.done
  end
  return entries, comment
end

return M
