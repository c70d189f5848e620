--- service_clock: what time it is at the service, and what has told it.
--
-- Three clocks are asked, and the median counts (src/core/service_time.h): this machine's, that of the API's answers,
-- and the one by which tokens are issued. Whatever is compared with the times of the service's own records, the age of
-- an action or "two hours ago" in a query, is reckoned by it.
--
-- Microsoft Graph's `Date` is no witness. Its front ends pass on what other services have recorded: they are not the
-- machines whose clock stamps an action, and one of them that is wrong would take the place of Defender's. Tokens for
-- Graph are one, since the same sign-in service issues them.

local token_claims = require "mde.auth.claims"
local core = require "mde.core"

-- Two clocks that differ by no more than this are enough to go by.
local AGREED_SECONDS = 60

local M = {}

---@class mde.ServiceClock
---@field private now fun(): number the driver's clock
---@field private wall fun(): number this machine's time, Unix seconds
---@field private trace mde.Trace
---@field private heard mde.core.service_time.value
---@field private heard_at table<"api"|"token", number> when each was heard last, by the driver's clock
---@field private told table<"api"|"token", number> what it told then, Unix seconds
---@field private warned? boolean
local ServiceClock = {}
ServiceClock.__index = ServiceClock

---@param clock mde.Clock the driver's
---@param trace mde.Trace is told once if the clocks differ
---@return mde.ServiceClock
function M.new(clock, trace)
  return setmetatable({ now = clock.now, wall = clock.time, trace = trace, heard = core.service_time.new(),
    heard_at = {}, told = {} }, ServiceClock)
end

local function warn(self)
  local seconds = not self.warned and self:apart()
  if not seconds then return end
  self.warned = true
  self.trace:tell { event = "warning", code = "clocks_apart", seconds = seconds,
    message = ("the clocks of this machine, of the service and of its sign-in differ by up to %d seconds; the median "
      .. "counts; mde doctor says more"):format(math.floor(seconds)) }
end

local function hear(self, witness, at, told)
  if not self.heard:hear(witness, at, told) then return end
  self.heard_at[witness], self.told[witness] = at, told
  warn(self)
end

--- The service's time.
---@param at? number by the driver's clock; now by default
---@return number seconds Unix seconds
function ServiceClock:time(at)
  local now = self.now()
  return self.heard:at(now, self.wall()) - (at and now - at or 0)
end

--- The same by the clocks alone, which no action moves: what counts actions goes by this.
---@return number seconds Unix seconds
function ServiceClock:agreed()
  return self.heard:agreed(self.now(), self.wall())
end

--- The latest time at which an action can have been created: one that says later has no usable time.
---@return number seconds Unix seconds
function ServiceClock:latest()
  return self.heard:latest(self.now(), self.wall())
end

--- Whether enough clocks were heard to go by. Before the API's first answer there are this machine's and the token's.
---@return boolean
function ServiceClock:is_settled()
  if self.heard_at.api then return true end
  return self.heard_at.token ~= nil and self.heard:spread(self.now(), self.wall()) <= AGREED_SECONDS
end

--- By how many seconds the clocks differ, if that is more than they should.
---@return number? seconds
function ServiceClock:apart()
  local seconds = self.heard:spread(self.now(), self.wall())
  return seconds > core.service_time.MAX_AHEAD_SECONDS and seconds or nil
end

--- By how many seconds what was heard last of a witness was ahead of this machine's clock; nil if nothing was.
---@param witness "api"|"token"
---@return number?
function ServiceClock:ahead_of_this_machine(witness)
  local at = self.heard_at[witness]
  return at and self.told[witness] - (self.wall() - (self.now() - at))
end

--- An answer of the API arrived. Its `Date` counts if it is the API's own: no cache has kept the answer, and it is no
--- page of something in between.
---@param headers table<string, string>
function ServiceClock:hear_api(headers)
  local date = type(headers.date) == "string" and core.header.date(headers.date, self.wall())
  local is_own = headers.age == nil and tostring(headers["content-type"] or ""):find("json", 1, true)
  if not date or not is_own then return end
  hear(self, "api", self.now(), date)
end

--- A token arrived. What is left of its life tells when it was asked for, whether it was issued then or its endpoint
--- had it already. Where that is not told it may be of any age, and tells nothing.
---@param value string
---@param answer table the token endpoint's
---@param sent number when it was asked for, by the driver's clock
function ServiceClock:hear_token(value, answer, sent)
  local told = core.token.sent(token_claims.of_token(value).exp, answer)
  if told then hear(self, "token", sent, told) end
end

--- Takes note of when actions say that they were created, which is never in the future.
---@param rows table[]
function ServiceClock:hear_rows(rows)
  local now, wall = self.now(), self.wall()
  for _, row in ipairs(rows) do
    local created = core.timestamp.read(row.creationDateTimeUtc)
    if created then self.heard:row(now, wall, created) end
  end
end

return M
