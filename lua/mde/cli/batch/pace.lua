--- pace: how long a long list takes at the least, since the service takes so many calls in a time and no more.

local duration = require "mde.cli.ui.duration"
local posix = require "mde.posix"

-- The limits of the service's API of machines and of its API of actions.
local PER_MINUTE, PER_HOUR = 100, 1500
-- What takes no longer need not be said.
local PATIENCE_SECONDS = 60

local M = {}

--- How many seconds so many calls take, sent as fast as they are taken: a hundred in each minute until
--- the hour has had its part.
---@param count integer
---@return integer
function M.seconds(count)
  local before = math.max(count, 1) - 1
  return math.floor(before / PER_HOUR) * 3600 + math.floor(before % PER_HOUR / PER_MINUTE) * 60
end

local function with_commas(count)
  local text = ("%d"):format(count):reverse():gsub("(%d%d%d)", "%1,"):reverse()
  return (text:gsub("^,", ""))
end

--- What somebody should know of so many devices before it begins; nil if there is nothing.
---@param count integer
---@param doing string what is done with all of them: "restricting %s" say
---@param cap? number how many of these are sent in an hour at the most
---@param seconds_for? fun(count: integer): number how long so many take; by default as if none had gone before
---@param verb? string what the cap counts, default restrict
---@return string? remark
function M.remark(count, doing, cap, seconds_for, verb)
  local parts, sent = {}, count
  -- The service itself stops what would get that far.
  if cap and cap < math.min(count, PER_HOUR) then
    sent = cap
    parts[1] = ("at most %s %s%s an hour %s sent; --cap raises that"):format(with_commas(cap), verb or "restrict",
      cap == 1 and "" or "s", cap == 1 and "is" or "are")
  end
  local seconds = (seconds_for or M.seconds)(sent)
  if seconds > PATIENCE_SECONDS then
    parts[#parts + 1] = ("the service takes %s calls a minute and %s an hour, so %s takes at least %s"):format(
      with_commas(PER_MINUTE), with_commas(PER_HOUR), doing:format(sent == count and "them" or "those"),
      duration.text(math.floor(seconds / 60) * 60))
  end
  if parts[1] then return ("%s devices: %s."):format(with_commas(count), table.concat(parts, "; ")) end
end

-- So often it is looked how long the rest takes, at most; what takes no longer is not worth a word.
local LOOK_SECONDS = 5

--- What the progress of many says of the time that is left; nothing where that is short.
---@param client mde.Client
---@param verb string
---@return fun(left: integer): string?
function M.left(client, verb)
  local now, looked_at, remark = posix.clock.now, -math.huge, nil
  return function(left)
    if now() - looked_at < LOOK_SECONDS then return remark end
    looked_at = now()
    local seconds = client:peek(verb, left).seconds
    remark = seconds > LOOK_SECONDS and ("at least %s left"):format(duration.countdown(seconds)) or nil
    return remark
  end
end

return M
