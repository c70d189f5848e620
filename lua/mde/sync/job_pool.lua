--- job_pool: the same for many items, some at a time; what mde.each is made of.
--
-- One puller takes the items, workers run the function in tasks of their own, results come in the
-- order of the items. What the function raises becomes that item's error; the others go on. Whatever
-- ends it early, an error, the iterator or the caller's own on_progress, what is in flight finishes
-- first, and the results so far are kept.

local errors = require "mde.base.error"
local options_of = require "mde.base.options"
local mutexes = require "mde.sync.mutex"
local posix = require "mde.posix"
local stop_rules = require "mde.base.stop_rule"

local PARALLEL = 8

local M = {}

local known_options = { parallel = "count", stop_on_error = "flag", on_progress = "callback" }

---@class mde.Result
---@field item any
---@field value any the first result of the function
---@field err any its second result if the first was nil or false, or what it raised

---@class mde.Results an array of mde.Result in the order of the items
---@field [integer] mde.Result
---@field failed integer how many have an err
---@field stopped? boolean true if an error ended it before the end of the items was reached
---@field reason? string why, in words, where that was not for stop_on_error

---@class mde.EachOptions
---@field parallel? integer how many at a time, where the driver can; default 8
---@field stop_on_error? boolean take no further item once one has an err
---@field on_progress? fun(done: integer, total: integer?, result: mde.Result) called where each was called, once for
--- each item that is done, as they end; `total` is nil for an iterator. What it raises ends the run

---@class mde.each.run what the workers of one each share
---@field results mde.Results
---@field fn fun(item: any): any, any
---@field next_item fun(): any
---@field count fun(): integer? how many items there are, if that can be known
---@field has_more fun(): boolean whether there is an item that was not pulled; true where that cannot be known
---@field on_progress? fun(done: integer, total: integer?, result: mde.Result)
---@field stop_on_error? boolean
---@field rule mde.StopRule
---@field reason? string why nothing new is begun
---@field halted boolean nothing new is pulled
---@field broken boolean something is to be raised in the end
---@field problem any that
---@field ended mde.Result[] in the order in which they ended
---@field reported integer of how many of those on_progress was told
---@field working integer workers at work
---@field generation integer of forks, when it began
---@field news? table the gate at which the caller waits for the next to end

--- A function that gives the next item, or nil at the end; for a list one that counts the items, and one that says
--- whether there is another.
local function puller(items)
  local metatable = type(items) == "table" and getmetatable(items)
  if type(items) == "function" or type(metatable) == "table" and metatable.__call then
    return function() return (items()) end, function() end, function() return true end
  end
  if type(items) ~= "table" then
    errors.invalid("wrong_type",
      ("mde.each needs a list or an iterator, not %s"):format(items == nil and "nil" or type(items)))
  elseif type(items.id) == "string" then
    errors.invalid("not_a_list", "mde.each needs a list or an iterator, not one item", "Write { item }.")
  end
  options_of.check_list(items, "mde.each")
  local i, total = 0, 0
  return function()
    i = i + 1
    return items[i]
  end, function()
    while items[total + 1] ~= nil do total = total + 1 end
    return total
  end, function()
    return items[i + 1] ~= nil
  end
end

--- The same for several workers: nobody pulls while another does, since an iterator may wait for the next
--- page, and nobody does after the end or an error, where iterators of the standard library raise.
local function shared(driver, run, next_item)
  local mutex, over = mutexes.new(driver), false
  local function pull()
    if over then return nil end
    local dropped = false
    if not run.halted then
      over = true
      local item = next_item()
      over = item == nil
      if over or not run.halted then return item end
      -- What was still being pulled when another item failed is not begun any more.
      dropped = true
    end
    if (run.stop_on_error or run.reason) and (dropped or run.has_more()) then
      run.results.stopped, run.results.reason = true, run.reason
    end
  end
  return function()
    local _, item = mutex:take("next", nil, pull)
    return item
  end
end

local function halt(run, problem)
  if not run.broken then run.broken, run.problem = true, problem end
  run.halted = true
end

-- Whether this is a fork of the process that works through the list, which goes on with it; nothing is done twice.
local function was_forked(run)
  if run.generation == posix.fork.generation() then return false end
  halt(run, errors.new { kind = "invalid", code = "forked",
    message = "this process was forked while mde.each was at work, which goes on in its parent alone",
    hint = "Fork before mde.each, or end the child before it returns to it." })
  return true
end

-- What the iterator raised, as each raises it.
local function broken(problem, results)
  if errors.is(problem) then return errors.derive(problem, { results = results }) end
  local shown, text = pcall(tostring, problem)
  return errors.new { kind = "invalid", code = "iterator_raised", cause = problem, results = results,
    message = "the iterator raised: " .. errors.show(shown and text or "a " .. type(problem)) }
end

local function do_one(run, item)
  local results, result = run.results, { item = item }
  results[#results + 1] = result
  local ok, value, err = pcall(run.fn, item)
  if not ok then
    result.err = value or tostring(value) .. " was raised"
  else
    result.value = value
    if not value then result.err = err end
  end
  if result.err ~= nil then
    results.failed = results.failed + 1
  end
  run.reason = run.reason or (run.rule:note(result.err))
  run.halted = run.halted or run.reason ~= nil or result.err ~= nil and run.stop_on_error or false
  run.ended[#run.ended + 1] = result
end

--- `rest` lets others go on between two items: one who blocks inside one task and drives the others meanwhile gets
--- the way back to what he waited for.
local function work_off(run, tell, rest)
  while not was_forked(run) do
    local pulled, item = pcall(run.next_item)
    if not pulled then halt(run, broken(item, run.results)) end
    if not pulled or item == nil then return end
    do_one(run, item)
    tell(run)
    if rest then rest() end
  end
end

--- Tells the caller, in his own world, of what has ended since; nothing more once he has raised.
local function report(run)
  while run.reported < #run.ended do
    run.reported = run.reported + 1
    if run.on_progress then
      local ok, problem = pcall(run.on_progress, run.reported, run.count(), run.ended[run.reported])
      if not ok then
        run.on_progress = nil
        halt(run, problem)
      end
    end
  end
end

local function wake_caller(run)
  if run.news then run.news:open() end
end

--- Starts the workers. With a host that does not grant as many, it goes on with those that there are.
local function start(driver, run, parallel)
  local function rest() driver.sleep(0) end
  local total = run.count()
  for n = 1, math.min(parallel, total and math.max(total, 1) or parallel) do
    run.working = run.working + 1
    local ok, problem = pcall(driver.spawn, function()
      -- It raises where there is no memory left.
      local done, why = pcall(work_off, run, wake_caller, driver.sleep and rest)
      if not done then halt(run, why) end
      run.working = run.working - 1
      wake_caller(run)
    end)
    if not ok then
      run.working = run.working - 1
      if n == 1 then error(problem, 0) end
      return
    end
  end
end

--- Calls fn(item) for every item, `parallel` (8) at a time where the driver can.
---
--- If the iterator raises, or on_progress does, nothing new is pulled, what is in flight finishes, and then it is
--- raised: what on_progress raised as it is; what the iterator raised as an mde.Error whose `results` are the results
--- so far (a copy of the error that it raised, or of kind `invalid` with `cause`, where it raised something else).
---@param driver mde.Driver
---@param items any[]|fun(): any a list, or an iterator whose first value is the item
---@param fn fun(item: any): any, any
---@param options? mde.EachOptions
---@return mde.Results
function M.each(driver, items, fn, options)
  options = options_of.check(options, known_options, "mde.each")
  if type(fn) ~= "function" then errors.invalid("wrong_type", "mde.each needs a function to call for each item") end
  if _VERSION == "Lua 5.1" and not rawget(_G, "jit") then
    errors.invalid("unsupported_lua", "mde.each does not work in plain Lua 5.1, whose pcall cannot be waited in",
      "Use Lua 5.3 or newer, or LuaJIT.")
  end
  local run = {
    results = { failed = 0 }, fn = fn, halted = false, broken = false, ended = {}, reported = 0, working = 0,
    on_progress = options.on_progress, stop_on_error = options.stop_on_error, generation = posix.fork.generation(),
    rule = stop_rules.new(),
  }
  local next_item
  next_item, run.count, run.has_more = puller(items)
  run.next_item = shared(driver, run, next_item)
  if driver.spawn then
    start(driver, run, options.parallel or PARALLEL)
    while run.working > 0 and not was_forked(run) do
      run.news = driver.gate()
      run.news:wait()
      report(run)
    end
  else
    work_off(run, report)
  end
  report(run)
  if run.broken then error(run.problem, 0) end
  return run.results
end

return M
