--- cap_count: what was sent of a response in the last hour, by the service's list: read once for all that wait for it.

local actions = require "mde.action.action"
local core = require "mde.core"
local errors = require "mde.base.error"
local pager = require "mde.api.pager"

local HOUR = 3600
local READ_SECONDS = 120
local COUNT_SECONDS = 60
-- If a count has not ended by then, the next caller that waits begins another: its task is gone.
local COUNT_LEASE_SECONDS = COUNT_SECONDS + 5
-- How much earlier the count begins than it has to, since clocks are never quite right.
local MARGIN_SECONDS = 60

local M = {}

-- Asks the service what was sent in the last hour, by its own clock, and counts it. A client that has had no
-- answer yet may have the time wrong; the answer tells it, and then it asks for the right hour.
local function count(exchange, filter, tally, context)
  local rows, err, since
  repeat
    since = exchange.clock:agreed() - HOUR - MARGIN_SECONDS
    rows, err = pager.read(exchange, "machineactions",
      ("type eq %s and creationDateTimeUtc ge %s"):format(filter, core.timestamp.whole(since)),
      actions.mend, context)
    if not rows then return nil, err end
  until exchange.clock:agreed() - HOUR >= since
  return tally:merge(rows, exchange.clock:agreed())
end

--- A function that counts in a tally what was sent before it began.
---@param exchange mde.Exchange
---@param driver mde.Driver
---@param verb string
---@param name string of what is counted, by which those who wait find each other
---@return mde.CapCount
function M.new(exchange, driver, verb, name)
  local flight, kind = "cap|" .. name, core.odata.literal(core.response_actions[verb].type)
  local single_flight, lease_ends = exchange.single_flight, -math.huge
  return function(tally, context)
    context = context:within(READ_SECONDS)
    while true do
      local whole, err = tally:is_whole()
      if whole or err then return whole, err end
      local now, call = exchange.now(), single_flight:current(flight)
      if context:left() <= 0 then
        return nil, errors.new { kind = "unavailable", code = "time_is_up", message = "the time was up" }
      end
      if not call or now >= lease_ends then
        lease_ends = now + COUNT_LEASE_SECONDS
        local own = driver.spawn and context:detached() or context
        call = single_flight:start(flight, count, exchange, kind, tally, own:within(COUNT_SECONDS))
      end
      single_flight:wait(call, math.min(context:left(), lease_ends - now))
      if call.raised then error(call.problem, 0) end
      if call.err then return nil, call.err end
    end
  end
end

return M
