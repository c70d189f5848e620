--- changes: how `mde indicators` adds, deletes and imports: what it would do is shown, and asked about, first.

local errors = require "mde.base.error"
local exit = require "mde.cli.ui.exit"
local interrupt = require "mde.cli.ui.interrupt"
local output = require "mde.cli.ui.output"
local problem = require "mde.cli.ui.problem"
local terminal = require "mde.cli.ui.terminal"

local M = {}

local function complain(err, about)
  terminal.complain(("mde indicators: %s%s"):format(about and about .. ": " or "", problem.in_words(err)))
end

--- Raises where nobody can be asked and --yes was not given.
---@param arguments table as argparse leaves them
function M.check_asking(arguments)
  if arguments.yes or arguments.dry_run or terminal.is_interactive() then return end
  errors.invalid("no_terminal", "there is no terminal to ask on", "Give --yes if you are sure.")
end

local function is_confirmed(arguments, question, number)
  if arguments.yes then return true end
  if terminal.confirm(question, number) then return true end
  terminal.say "Nothing was sent."
  return false
end

-- Runs fn(), which returns a value or nil and an error; the value, or nil and the status.
local function call(context, patience, fn)
  local finished, value, err = interrupt.during(context.client, patience, fn)
  if not finished then return nil, exit.interrupted end
  if value then return value end
  complain(err)
  return nil, exit.of(err)
end

local function described(indicator)
  return ("%s %s %s"):format(errors.show(indicator.action), errors.show(indicator.indicatorType),
    errors.quote(indicator.indicatorValue))
end

-- Whom it is for.
local function audience(indicator)
  if indicator.rbacGroupNames then return errors.show(table.concat(indicator.rbacGroupNames, "; ")) end
  if indicator.rbacGroupIds then return "device groups " .. table.concat(indicator.rbacGroupIds, "; ") end
  return "all devices"
end

--- Adds one.
---@param context mde.cli.Context
---@return integer status
function M.add(context)
  local client, arguments, request = context.client, context.arguments, context.request
  local planned, status = call(context, 1, function()
    return client:add_indicator(request.fields, { allow = request.allow, dry_run = true })
  end)
  if not planned then return status end
  terminal.say(("%s, for %s%s"):format(described(planned), audience(planned),
    planned.expirationTime and ", until " .. planned.expirationTime or ", without an end"))
  if planned.present then
    terminal.say(("It changes indicator %s, which is %s now: %s"):format(errors.show(planned.present.id),
      errors.show(planned.present.action), errors.show(planned.present.title)))
  end
  if arguments.dry_run then return exit.done end
  if not is_confirmed(arguments, "Add it?") then return exit.refused end
  local added
  added, status = call(context, 2, function()
    return client:add_indicator(request.fields, { allow = request.allow })
  end)
  if not added then return status end
  output.write(("%s: %s\n"):format(errors.show(added.id), described(added)))
  return exit.done
end

--- Deletes by ids.
---@param context mde.cli.Context
---@return integer status
function M.delete(context)
  local client, arguments, ids = context.client, context.arguments, context.request.ids
  if arguments.dry_run then
    for _, id in ipairs(ids) do output.write(("%s: would be deleted\n"):format(errors.show(id))) end
    return exit.done
  end
  local number = #ids > 1 and #ids or nil
  if not is_confirmed(arguments, ("Delete %d indicator%s?"):format(#ids, #ids == 1 and "" or "s"), number) then
    return exit.refused
  end
  local highest = exit.done
  for _, id in ipairs(ids) do
    if interrupt.asked() then return exit.interrupted end
    local done, status = call(context, 2, function() return client:delete_indicator(id) end)
    if done then output.write(("%s: deleted\n"):format(errors.show(id))) end
    highest = math.max(highest, status or exit.done)
  end
  return highest
end

-- "3 Block DomainName, 1 Allowed Url", and whether there are any.
local function counted(results)
  local counts, names = {}, {}
  for _, result in ipairs(results) do
    if result.value then
      local name = ("%s %s"):format(errors.show(result.value.action), errors.show(result.value.indicatorType))
      if not counts[name] then names[#names + 1] = name end
      counts[name] = (counts[name] or 0) + 1
    end
  end
  for i, name in ipairs(names) do names[i] = ("%d %s"):format(counts[name], name) end
  return table.concat(names, ", ")
end

-- How many are for all devices, and how many never end: what nobody sees in a file that leaves both out.
local function breadth(results)
  local everywhere, endless = 0, 0
  for _, result in ipairs(results) do
    local indicator = result.value
    if indicator and not indicator.rbacGroupNames and not indicator.rbacGroupIds then everywhere = everywhere + 1 end
    if indicator and not indicator.expirationTime then endless = endless + 1 end
  end
  return ("%d for all devices, %d without an end"):format(everywhere, endless)
end

-- Says what is wrong with rows. The highest status among them.
local function complain_of(results, request, from)
  local highest = exit.done
  for i, result in ipairs(results) do
    if result.err then
      local place = (from or {})[i] or i
      local line = request.lines[place]
      complain(result.err, line and ("line %d"):format(line) or ("item %d"):format(place))
      highest = math.max(highest, exit.of(result.err))
    end
  end
  -- What is wrong with a row is no wrong usage of the command.
  return highest == exit.usage and exit.refused or highest
end

--- Adds those of a file.
---@param context mde.cli.Context
---@return integer status
function M.import(context)
  local client, arguments, request = context.client, context.arguments, context.request
  local planned, status = call(context, 1, function()
    return client:import_indicators(request.rows, { allow = request.allow, dry_run = true })
  end)
  if not planned then return status end
  local highest, good, from = complain_of(planned, request), {}, {}
  for i, result in ipairs(planned) do
    if result.value then good[#good + 1], from[#from + 1] = result.item, i end
  end
  if #good == 0 then
    terminal.say "Nothing can be sent."
    return math.max(highest, exit.refused)
  end
  terminal.say(("%d of %d rows can be sent: %s; %s"):format(#good, #planned, counted(planned), breadth(planned)))
  if arguments.dry_run then return highest end
  if not is_confirmed(arguments, "Add them?", #good) then return exit.refused end
  local results
  results, status = call(context, 2, function()
    return client:import_indicators(good, { allow = request.allow })
  end)
  if not results then return status end
  for i, result in ipairs(results) do
    if result.value then
      output.write(("%s: %s\n"):format(errors.show(result.value.id or from[i]), described(result.value)))
    end
  end
  highest = math.max(highest, complain_of(results, request, from))
  terminal.say(("%d added or changed, %d not."):format(#results - results.failed,
    #planned - #results + results.failed))
  return highest
end

return M
