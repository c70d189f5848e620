--- library: what `require "mde"` gives a playbook: the functions of mde, by the client of the run.
--
-- Nothing is taken away but clients of its own: a change by another client would be in no plan and in no record. Added
-- are mde.resuming, which says whether an earlier session has recorded steps, mde.on_plan, which looks at the plan, and
-- mde.may, which says what a playbook may come to. mde.leave is noted by the plan and the record.

local core = require "mde.core"
local devices = require "mde.device.device"
local errors = require "mde.base.error"
local leaves = require "mde.device.leave"
local mde = require "mde"
local operators = require "mde.query.operators"
local responses = require "mde.action.response"

local M = {}

---@class mde.RunPass a pass of a playbook: planning.lua, session.lua
---@field made number when the plan was made, Unix seconds: what mde.ago counts from
---@field is_plan boolean
---@field resuming fun(self): boolean
---@field if_needed fun(self, fn: function, ...) of a pass that plans: calls fn, whose changes the playbook may come to
---@field rank fun(self, machine_id: string): integer? in which order the devices of a list are best done
---@field leave fun(self, device: mde.Device, reason: string, canonical: string, machine_id?: string)
---@field begin_others fun(self, changes: mde.OtherChange[]): boolean, mde.Error[] whether that is all, since they are
--- planned; else by place why one may not be sent
---@field end_others? fun(self, changes: mde.OtherChange[], errs: any[]) of a session: by place how each ended
---@field machine_of fun(self, name: string): string? the machine that this name means in the run

-- The machine that an item of a list names, if that is known.
local function machine_of(pass, item)
  local ok, kind, canonical = pcall(devices.check, item)
  if not ok then return nil end
  if kind == "machine" or kind == "machine_id" then return core.text.lower(canonical) end
  return pass:machine_of(canonical)
end

-- The items in the order in which they are best done, and for each where it stood.
local function in_order(pass, items)
  local places, ranks = {}, {}
  for i, item in ipairs(items) do
    local id = machine_of(pass, item)
    places[i], ranks[i] = i, id and pass:rank(id) or math.huge
  end
  table.sort(places, function(a, b)
    if ranks[a] ~= ranks[b] then return ranks[a] < ranks[b] end
    return a < b
  end)
  local ordered = {}
  for i, place in ipairs(places) do ordered[i] = items[place] end
  return ordered, places
end

-- The results where their items stood.
local function put_back(results, places)
  local own = {}
  for key, value in pairs(results) do
    if type(key) ~= "number" then own[key] = value end
  end
  local reached = {}
  for i, result in ipairs(results) do reached[places[i]] = result end
  for place = 1, #places do own[#own + 1] = reached[place] end
  return own
end

-- mde.each: of a list, those that the plan has first.
local function each_of(client, pass)
  return function(items, fn, options)
    local is_list = type(items) == "table" and type(items.id) ~= "string" and #items > 0
    if not is_list or pass.is_plan then
      if not is_list or type(fn) ~= "function" then return client:each(items, fn, options) end
      return client:each(items, function(...) return pass:in_list(fn, ...) end, options)
    end
    local ordered, places = in_order(pass, items)
    return put_back(client:each(ordered, fn, options), places)
  end
end

-- mde.may: shows in the plan what the playbook may come to, the next rung of a ladder for example, and so allows it. It
-- does nothing, in a run either.
local function may_of(client, pass)
  return function(verb, device, comment, options)
    if not responses.is_verb(verb) then
      errors.invalid("wrong_value", ("mde.may: there is no verb %s, only %s"):format(errors.quote(verb),
        table.concat(responses.verbs, ", ")))
    end
    local ok, err = mde.check(verb, comment, options)
    if not ok then error(err, 0) end
    if pass.is_plan then pass:if_needed(client[verb], client, device, comment, options) end
  end
end

--- The library of one pass of a playbook.
---@param client mde.Client
---@param pass mde.RunPass
---@return table
function M.new(client, pass)
  local library = {}
  for name, value in pairs(mde) do
    if type(value) == "function" and type(client[name]) == "function" then
      library[name] = function(...) return client[name](client, ...) end
    else
      library[name] = value
    end
  end
  library.each = each_of(client, pass)
  library.client = function()
    errors.invalid("playbook_client",
      "a playbook has the client of its run; a change by another one would be in no plan and in no record",
      "Leave out mde.client; the environment or --profile says which tenant is meant.")
  end
  library.watch = function()
    errors.invalid("playbook_watches", "a run has an end, and a watch has none", "Run the playbook by mde watch.")
  end
  library.watcher = library.watch
  library.ago = function(span) return math.max(0, pass.made - operators.ago(span).seconds) end
  library.may = may_of(client, pass)
  library.leave = function(device, reason)
    local kind, canonical = leaves.check(device, reason)
    local is_id = kind == "machine" or kind == "machine_id"
    pass:leave(device, reason, canonical, is_id and core.text.lower(canonical) or pass:machine_of(canonical))
  end
  library.resuming = function() return pass:resuming() end
  library.on_plan = function(fn)
    if type(fn) ~= "function" then errors.invalid("wrong_type", "mde.on_plan needs a function") end
    pass.on_plan = fn
  end
  return library
end

return M
