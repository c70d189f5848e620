--- exit: what the command tells the shell that called it.

local M = { done = 0, usage = 1, refused = 2, unavailable = 3, unfinished = 4, unknown = 5, would_send = 6,
  interrupted = 130 }

local statuses = {
  invalid = M.usage, auth = M.usage,
  permission = M.refused, not_found = M.refused, ambiguous = M.refused, protected = M.refused,
  conflict = M.refused, superseded = M.refused, refused = M.refused, cancelled = M.refused,
  throttled = M.unavailable, unavailable = M.unavailable, protocol = M.unavailable,
  failed = M.unfinished, pending = M.unfinished,
  unknown = M.unknown,
}

--- The paragraph of `--help` that lists them.
M.explained = [[
Exit status:
   0    done
   1    wrong usage or setting, or the sign-in failed; nothing was done
   2    refused: permission, not found, ambiguous, protected, conflict,
        superseded, cancelled, or you answered no; a line that is no
        device; the sign-in was lost midway
   3    throttled, unavailable, or an answer that makes no sense; results
        or a log that could not be written
   4    the action failed, or was still pending when the time was up
   5    sent, but its outcome could not be established
   6    with --exit-code: something would be sent
   130  interrupted
   Of several devices the highest counts.]]

--- The status of one error. What is no error of ours was not foreseen, and may have come after a send.
---@param err any
---@return integer
function M.of(err)
  -- Not needed before: where it cannot be loaded, the command still ends with a status.
  return require("mde.base.error").is(err) and M.of_kind(err.kind) or M.unknown
end

--- The status of a kind of error.
---@param kind mde.ErrorKind
---@return integer
function M.of_kind(kind)
  return statuses[kind] or M.unknown
end

return M
