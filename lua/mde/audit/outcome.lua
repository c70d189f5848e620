--- outcome: the fixed words for how a change stands, in the terms of OCSF, and which of them an error is.
--
-- Audit events are counted and searched by these words for years, so one that was written once keeps its meaning.
-- audit.md has them as a table.

local M = {}

---@class mde.AuditOutcome
---@field status_id 0|1|2|3|6|99 OCSF's: 0 nobody knows, 1 success, 2 failure, 3 there is no such device, 6 it could not
--- be tried, 99 none of these, and `status` is the word
---@field status string
---@field severity_id 1|2|3|4
---@field severity string
---@field says string how the message ends

local severities = { "Informational", "Low", "Medium", "High" }

local function outcome(status_id, status, severity_id, says)
  return { status_id = status_id, status = status, severity_id = severity_id, severity = severities[severity_id],
    says = says }
end

---@type table<string, mde.AuditOutcome>
M.words = {
  accepted = outcome(99, "Accepted", 1, "accepted"),
  pending = outcome(99, "Accepted", 1, "accepted, and still pending"),
  already_active = outcome(99, "Already Active", 1, "already active"),
  succeeded = outcome(1, "Success", 1, "succeeded"),
  failed = outcome(2, "Failure", 3, "failed"),
  timeout = outcome(2, "Failure", 3, "timed out"),
  unknown = outcome(0, "Unknown", 4, "unknown whether it was carried out"),
  superseded = outcome(99, "Superseded", 2, "superseded by another decision"),
  cancelled = outcome(99, "Cancelled", 2, "cancelled"),
  conflict = outcome(99, "Conflict", 2, "in conflict with another action"),
  protected = outcome(2, "Failure", 2, "left by a rule"),
  cap = outcome(2, "Failure", 2, "left by the cap"),
  not_found = outcome(3, "Does Not Exist", 2, "not found"),
  ambiguous = outcome(2, "Failure", 2, "left, as the name is ambiguous"),
  invalid = outcome(2, "Failure", 2, "left, as it was asked wrongly"),
  refused = outcome(2, "Failure", 3, "refused by the service"),
  permission = outcome(2, "Failure", 3, "not permitted"),
  auth = outcome(6, "Error", 3, "not sent, as the sign-in failed"),
  throttled = outcome(6, "Error", 3, "not sent, as the service asks to wait"),
  unavailable = outcome(6, "Error", 3, "not carried out, as something was out of reach"),
  protocol = outcome(6, "Error", 3, "ended with an answer that makes no sense"),
}

--- Which of them an error is.
---@param err any an mde.Error, or what else was raised
---@return string
function M.of_error(err)
  local kind = type(err) == "table" and err.kind
  if kind == "protected" and err.rule == "cap" then return "cap" end
  return M.words[kind] and kind or "unknown"
end

return M
