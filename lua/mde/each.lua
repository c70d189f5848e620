--- each: the same for many devices, some at a time.
--
-- One puller takes the items, workers run the function in tasks of their own, results come in the
-- order of the items. What the function raises becomes that item's error; the others go on.

local errors = require "mde.error"
local options_of = require "mde.options"
local turns = require "mde.turns"

local PARALLEL = 8

---@class mde.Result
---@field item any
---@field value any the first result of the function
---@field err any its second result if the first was nil or false, or what it raised

---@class mde.Results an array of mde.Result in the order of the items
---@field [integer] mde.Result
---@field failed integer how many have an err

--- A function that gives the next item, or nil at the end.
local function puller(items)
  if type(items) == "function" then
    return function() return (items()) end
  end
  if type(items) ~= "table" then
    errors.invalid(("mde.each needs a list or an iterator, not %s"):format(items == nil and "nil" or type(items)))
  end
  local i = 0
  return function()
    i = i + 1
    return items[i]
  end
end

--- The same for several workers: nobody pulls while another does, since an iterator may wait for the next
--- page, and nobody does after the end or an error, where iterators of the standard library raise.
local function shared(driver, next_item)
  local turn, over = turns.new(driver), false
  local function pull()
    if over then return nil end
    over = true
    local item = next_item()
    over = item == nil
    return item
  end
  return function()
    local _, item = turn:take("next", nil, pull)
    return item
  end
end

local function work_off(next_item, fn, results, state)
  while true do
    local pulled, item = pcall(next_item)
    if not pulled then state.broken, state.problem = true, item end
    if not pulled or item == nil then return end
    local result = { item = item }
    results[#results + 1] = result
    local ok, value, err = pcall(fn, item)
    if not ok then
      result.err = value or tostring(value) .. " was raised"
    else
      result.value = value
      if not value then result.err = err end
    end
    if result.err ~= nil then results.failed = results.failed + 1 end
  end
end

--- Calls fn(item) for every item, `parallel` (8) at a time where the driver can.
---@param driver mde.Driver
---@param items any[]|fun(): any a list, or an iterator whose first value is the item
---@param fn fun(item: any): any, any
---@param options? { parallel?: integer }
---@return mde.Results
local function each(driver, items, fn, options)
  options = options_of.check(options, { parallel = "count" }, "mde.each")
  if type(fn) ~= "function" then errors.invalid("mde.each needs a function to call for each item") end
  if _VERSION == "Lua 5.1" and not rawget(_G, "jit") then
    errors.invalid("mde.each does not work in plain Lua 5.1, whose pcall cannot be waited in",
      "Use Lua 5.3 or newer, or LuaJIT.")
  end
  local next_item = shared(driver, puller(items))
  local results, state = { failed = 0 }, { broken = false }
  if not driver.spawn then
    work_off(next_item, fn, results, state)
  else
    local left, finished = options.parallel or PARALLEL, driver.gate()
    for _ = 1, left do
      driver.spawn(function()
        work_off(next_item, fn, results, state)
        left = left - 1
        if left == 0 then finished:open() end
      end)
    end
    finished:wait()
  end
  if state.broken then error(state.problem, 0) end
  return results
end

return each
