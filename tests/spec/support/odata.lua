-- What a query becomes in OData at a certain time, and what is said of one that is refused.

-- busted gives its functions to spec files alone.
local busted = require "busted"
local assert = require "luassert"

local queries = require "mde.query.filter"
local rehearsal = require "tests.spec.support.rehearsal"

local odata = { NOW = 1770000000 } -- 2026-02-02T02:40:00Z

--- The filters of a query at that time.
---@param query mde.Query
---@param what? "machines"|"actions" machines, by default
---@return string[]
function odata.filters(query, what)
  return (queries.compile(what or "machines", query).filters(odata.NOW))
end

--- The only filter of a query at that time.
---@param query mde.Query
---@param what? "machines"|"actions"
---@return string
function odata.of(query, what)
  local filters = odata.filters(query, what)
  assert(#filters == 1, "not one filter")
  return filters[1]
end

--- The error that a query raises.
---@param query any
---@param what? "machines"|"actions"
---@return mde.Error
function odata.refused(query, what)
  return rehearsal.refused(odata.filters, query, what)
end

--- Declares a test for each { query, its OData, "machines" or "actions" }.
---@param cases table[]
function odata.tests(cases)
  for _, case in ipairs(cases) do
    busted.it(case[2], function() assert.equal(case[2], odata.of(case[1], case[3])) end)
  end
end

--- Declares a test of a query that is refused, in one line that has these words.
---@param name string
---@param query any
---@param message string a part of the message
---@param hint? string a part of the hint
---@param what? "machines"|"actions"
function odata.tests_refusal(name, query, message, hint, what)
  busted.it(name, function()
    local err = odata.refused(query, what)
    assert.truthy(err.message:find(message, 1, true), err.message)
    if hint then assert.truthy((err.hint or ""):find(hint, 1, true), tostring(err)) end
    assert.is_true(rehearsal.is_one_line(tostring(err)))
  end)
end

return odata
