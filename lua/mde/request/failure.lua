--- failure: what is known of a request that failed, and the words that all kinds of requests have in common.
--
-- The core has judged; those who asked give the verdict its kind, the words for a person and a hint. Whatever came from
-- outside is redacted, escaped and cut before it is part of them.

local core = require "mde.core"

---@class mde.Failure what is known of a request that failed
---@field host string who was asked
---@field verdict string the core's
---@field delay number seconds to stay away, 0 if nobody said
---@field attempts integer
---@field at number when it failed, Unix seconds
---@field response? table
---@field message? string why there is no response, or why a 2xx one is not what was asked for
---@field code? string the same for programs: the driver's code, or that of what reads the answer
---@field refusal? mde.Refusal what another says
---@field proxy_hint? string what to do, where a proxy on the way is to blame
---@field kind "read"|"token"|"action"
---@field authorization? mde.Authorization what the request was let in by
---@field show fun(text: string): string makes a text from outside fit to be shown

local M = {}

--- A text or a number of an answer as a text; nil for anything else and for an empty one.
---@param value any
---@return string?
function M.text(value)
  if type(value) == "string" and value ~= "" then return value end
  if type(value) == "number" then return core.number.write(value) end
end

--- The error of a call that has to wait longer than it may.
---@param host string who wants it
---@param seconds number
---@param at number Unix seconds
---@return table fields
function M.throttled(host, seconds, at)
  return {
    kind = "throttled", code = "throttled", retry_at = at + seconds,
    message = ("%s asks to wait for %s seconds, longer than the time there is"):format(host,
      core.number.whole(seconds)),
    hint = "Try again then, or give it a longer timeout.",
  }
end

---@param status integer
---@return boolean
function M.is_redirect(status)
  return status >= 300 and status <= 399
end

---@param status integer
---@return boolean
function M.is_success(status)
  return status >= 200 and status <= 299
end

--- The fields of the error that a redirect is.
---@param failure mde.Failure
---@param hint string
---@return table fields
function M.redirected(failure, hint)
  local location = M.text(failure.response.headers.location)
  return {
    kind = "protocol", code = "redirected", hint = hint,
    message = ("%s answered with a redirect (HTTP %d)%s, which is not followed"):format(failure.host,
      failure.response.status, location and (' to "%s"'):format(failure.show(location)) or ""),
  }
end

--- A message, with how many attempts it took.
---@param message string
---@param failure mde.Failure
---@return string
function M.with_attempts(message, failure)
  return failure.attempts > 1 and ("%s (%d attempts)"):format(message, failure.attempts) or message
end

return M
