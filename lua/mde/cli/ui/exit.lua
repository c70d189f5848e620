--- exit: what the command tells the shell that called it.

local errors = require "mde.base.error"

local exit = { done = 0, usage = 1, refused = 2, unavailable = 3, unfinished = 4, unknown = 5, interrupted = 130 }

local statuses = {
  invalid = exit.usage, auth = exit.usage,
  permission = exit.refused, not_found = exit.refused, ambiguous = exit.refused, protected = exit.refused,
  conflict = exit.refused, superseded = exit.refused, refused = exit.refused, cancelled = exit.refused,
  throttled = exit.unavailable, unavailable = exit.unavailable, protocol = exit.unavailable,
  failed = exit.unfinished, pending = exit.unfinished,
  unknown = exit.unknown,
}

--- The paragraph of `--help` that lists them.
exit.explained = [[
Exit status:
   0    done
   1    wrong usage or setting, or the sign-in failed; nothing was done
   2    refused: permission, not found, ambiguous, protected, conflict,
        superseded, cancelled, or you answered no
   3    throttled, unavailable, or an answer that makes no sense
   4    the action failed, or was still pending when the time was up
   5    sent, but what became of it could not be established
   130  interrupted
   Of several devices the highest counts.]]

--- The status of one error. What is no error of ours was not foreseen, and may have come after a send.
---@param err any
---@return integer
function exit.of(err)
  return errors.is(err) and exit.of_kind(err.kind) or exit.unknown
end

--- The status of a kind of error.
---@param kind mde.ErrorKind
---@return integer
function exit.of_kind(kind)
  return statuses[kind] or exit.unknown
end

return exit
