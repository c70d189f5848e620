--- conditions: reads `riskScore=High lastSeen>='2h ago'` as a query.
--
-- The same field several times: with = any of the values, otherwise all of the conditions.

local core = require "mde.core"
local errors = require "mde.base.error"
local mde = require "mde"

local M = {}

M.explained = [[
A condition is one word, FIELD OPERATOR VALUE, quoted for the shell where needed:
   riskScore=High              is; several of one field mean any of these
   healthStatus!=Inactive      is not
   'lastSeen>=2h ago'          at or after; also <=, > and <; a time is like
                               2026-02-03, 2026-02-03T10:11:12Z or 30m ago
   computerDnsName^=lab-       begins with; *= has in it, $= ends with
   machineTags=tier0           has the tag
All conditions have to hold.]]

M.explained_for_actions = [[
A condition is one word, FIELD OPERATOR VALUE, quoted for the shell where needed:
   status=Pending              is; several of one field mean any of these; Pending,
                               InProgress, Succeeded, Failed, TimeOut or Cancelled
   type=RestrictCodeExecution  or UnrestrictCodeExecution, and what else there is
   machineId=ID                of one machine, by its id of 40 digits
   requestor!=NAME             is not
   'creationDateTimeUtc>=2h ago'
                               at or after; also <=, > and <; a time is like
                               2026-02-03, 2026-02-03T10:11:12Z or 30m ago
All conditions have to hold.]]

M.explained_for_alerts = [[
A condition is one word, FIELD OPERATOR VALUE, quoted for the shell where needed:
   severity=high               is; several of one field mean any of these; informational,
                               low, medium or high; also >=, <=, > and <
   status=new                  new, inProgress or resolved
   'createdDateTime>=2h ago'   at or after; a time is like 2026-02-03,
                               2026-02-03T10:11:12Z or 30m ago
   assignedTo!=NAME            is not
All conditions have to hold. Names and values are those of Microsoft Graph. --source defender, the
default, asks Defender for Endpoint, which also has alerts that were tuned away or stand alone, and
filters by incidentId, category and detectionSource, too. --source graph has the alerts of all
products, and filters by classification, determination and serviceSource, too.]]

M.explained_for_incidents = [[
A condition is one word, FIELD OPERATOR VALUE, quoted for the shell where needed:
   severity=high               is; several of one field mean any of these; informational,
                               low, medium or high; also >=, <=, > and <
   status=active               active, inProgress, resolved, redirected or awaitingAction
   'lastUpdateDateTime>=2h ago'
                               at or after; a time is like 2026-02-03,
                               2026-02-03T10:11:12Z or 30m ago
All conditions have to hold. Incidents are read by Microsoft Graph.]]

-- Longer ones first, since > begins >= too.
local operators = {
  { "!=", "ne" }, { ">=", "ge" }, { "<=", "le" }, { "^=", "startswith" }, { "*=", "contains" },
  { "$=", "endswith" }, { "==", "eq" }, { "=", "eq" }, { ">", "gt" }, { "<", "lt" },
}

local function split(word)
  local field, rest = word:match "^%s*([A-Za-z_][A-Za-z0-9_]*)%s*(.*)$"
  for _, operator in ipairs(field and operators or {}) do
    local symbol = operator[1]
    if rest:sub(1, #symbol) == symbol then return field, operator[2], core.text.trim(rest:sub(#symbol + 1)) end
  end
  if core.text.lower(word) == "all" then
    errors.invalid("condition_malformed", ("%s is not a condition"):format(errors.quote(word)), "Did you mean --all?")
  end
  errors.invalid("condition_malformed", ("%s is not a condition"):format(errors.quote(word)),
    ("Write FIELD=VALUE, computerDnsName=%s say."):format(errors.show(word:match "^[A-Za-z0-9.-]+$" or "NAME")))
end

local truths = { ["true"] = true, ["false"] = false }

-- Fields with several texts, of which one is asked for.
local lists = { machineTags = true, rbacGroupNames = true }

local function value_of(field, text)
  if field == "generateAlert" and truths[text] ~= nil then return truths[text] end
  if field == "rbacGroupId" and text:find "^%d+$" then return core.number.read(text) end
  local span = text:match "^(%d+%.?%d*[smhd])%s+ago$"
  return span and mde.ago(span) or text
end

local function condition(field, operator, text)
  local value = value_of(field, text)
  if not lists[field] then return mde[operator](value) end
  if operator == "eq" then return mde.has(value) end
  if operator == "ne" then return mde.none_of { mde.has(value) } end
  return mde[operator](value)
end

--- The query that the words mean.
---@param words string[]
---@return table<string, mde.Operator>
function M.query(words)
  local equal, others, fields = {}, {}, {}
  for _, word in ipairs(words) do
    local field, operator, text = split(word)
    if text == "" then errors.invalid("empty_text", ("%s has no value; an empty shell variable?"):format(field)) end
    local group = operator == "eq" and equal or others
    group[field] = group[field] or {}
    table.insert(group[field], condition(field, operator, text))
    fields[field] = true
  end
  local result = {}
  for field in pairs(fields) do
    local all = others[field] or {}
    if equal[field] then table.insert(all, 1, equal[field][2] and mde.any_of(equal[field]) or equal[field][1]) end
    result[field] = all[2] and mde.all_of(all) or all[1]
  end
  return result
end

--- Declares how machines, actions, alerts or incidents are chosen.
---@param command table of argparse
---@param what "machine"|"action"|"alert"|"incident"|"indicator"
function M.configure(command, what)
  command:argument("conditions", "What holds for them."):args "*":argname "<condition>"
  command:option("--filter", "A filter in OData, passed on as it is."):argname "<odata>"
    :overwrite(false)
  command:flag("--all", ("Every %s."):format(what))
end

--- The query that the arguments ask; raises unless exactly one way is used.
---@param arguments table as argparse leaves them
---@param is_narrowed? boolean something else says which are meant, too: then no way means all
---@return mde.Query
function M.gather(arguments, is_narrowed)
  local ways = (#arguments.conditions > 0 and 1 or 0) + (arguments.filter and 1 or 0) + (arguments.all and 1 or 0)
  if ways == 0 and is_narrowed then return "all" end
  if ways == 0 then
    errors.invalid("nothing_selected",
      "nothing says which are meant", "Give conditions, FIELD=VALUE, or --filter, or --all.")
  elseif ways > 1 then
    errors.invalid("contradictory_options", "conditions, --filter and --all exclude each other", "Give one of them.")
  end
  if arguments.all then return "all" end
  if arguments.filter and not arguments.filter:find "%S" then
    errors.invalid("empty_text", "--filter is empty; an empty shell variable?", "Say --all if you mean all.")
  end
  if arguments.filter and core.text.trim(core.text.lower(arguments.filter)) == "all" then
    errors.invalid("query_malformed", "--filter needs a filter in OData", "Say --all if you mean all.")
  end
  return arguments.filter or M.query(arguments.conditions)
end

return M
