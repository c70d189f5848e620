-- What the tests of the client do in each phase of nginx, and how they tell it.

local phases = {}

local function ids_of(first, last)
  local ids = {}
  for n = first, last do ids[#ids + 1] = ("%040x"):format(0x1f000 + n) end
  return ids
end

-- What a function of `each` sees of the request, or of the timer, in which each was called.
local function seen_by_each(client, ids)
  local has_variables = ngx.get_phase() ~= "timer"
  ngx.ctx.who = "the caller"
  local most, at_once = 0, 0
  local results = client:each(ids, function(id)
    at_once = at_once + 1
    most = math.max(most, at_once)
    local action, err = client:restrict(id, "a test restricts many")
    at_once = at_once - 1
    if not action then return nil, err end
    return ("%s, %s, %s"):format(ngx.ctx.who, has_variables and ngx.var.uri or "no request", action.outcome)
  end, { parallel = 8 })
  local counts = {}
  for _, result in ipairs(results) do
    local text = tostring(result.value or result.err)
    counts[text] = (counts[text] or 0) + 1
  end
  local parts = {}
  for text, count in pairs(counts) do parts[#parts + 1] = ("%d times %s"):format(count, text) end
  return ("%d at once, %s"):format(most, table.concat(parts, "; "))
end

--- Restricts, looks, releases, lists and restricts many; a line about each. Uses 20 machines from this one on.
---@param first integer
---@return string
function phases.work(client, first)
  local id, lines = ids_of(first, first)[1], { ngx.get_phase() }
  local function line(...) lines[#lines + 1] = table.concat({ ... }, " ") end
  local action, err = client:restrict(id, "a test restricts")
  line("restrict", action and action.outcome or tostring(err))
  line("state", (client:state(id)))
  local released
  released, err = client:release(id, "a test releases")
  line("release", released and released.outcome or tostring(err))
  local count = 0
  for _ in client:machines { id = ids_of(first, first + 4) } do count = count + 1 end
  line("machines", count)
  line("each", seen_by_each(client, ids_of(first + 1, first + 19)))
  return table.concat(lines, "\n")
end

--- The same in a timer, for whoever can wait for it.
---@return string
function phases.work_in_timer(client, first)
  local finished, report = require("ngx.semaphore").new(0), nil
  assert(ngx.timer.at(0, function()
    local ok, text = pcall(phases.work, client, first)
    report = ok and text or "raised: " .. tostring(text)
    finished:post()
  end))
  finished:wait(60)
  return report or "the timer did not end"
end

--- What calls raise here; one line for all if it is the same.
---@return string
function phases.refusals(client)
  local id, lines, known = ids_of(1, 1)[1], {}, {}
  for name, call in pairs {
    restrict = function() return client:restrict(id, "a test restricts") end,
    release = function() return client:release(id, "a test releases") end,
    machine = function() return client:machine(id) end,
    state = function() return client:state(id) end,
    machines = function() return client:machines("all")() end,
    each = function() return client:each({ id }, function() end) end,
  } do
    local ok, err = pcall(call)
    local text = ok and name .. " went on" or tostring(err)
    if not known[text] then lines[#lines + 1] = text end
    known[text] = true
  end
  table.sort(lines)
  return table.concat(lines, "\n")
end

return phases
