--- problem: an error in the words of the command, which are not those of the library.

local errors = require "mde.base.error"

local M = {}

-- What to do, where the library's own words are for programs. By the error's code.
local hints = {
  opposite_pending = "Wait for its end, or give --cancel-opposite to cancel it.",
  settings_missing = "Set what is missing. Instead of a secret there may be AZURE_CLIENT_CERTIFICATE_PATH or "
    .. "AZURE_FEDERATED_TOKEN_FILE, or a managed identity: AZURE_TOKEN_CREDENTIALS=ManagedIdentityCredential.",
  time_malformed = "Write 2026-02-03, 2026-02-03T10:11:12Z or, in quotes, 2h ago.",
  machine_id_malformed = "Write 40 hex digits; mde machines computerDnsName=NAME --csv shows them.",
  time_out_of_range = "Write 20m, or 2026-02-03T10:11:12Z.",
  key_without_look = "Leave out --no-look, or --key.",
  decided_at_without_look = "Leave out --no-look, or --decided-at.",
}
local is_of_cap = { cap_full = true, cap_zero = true }

-- For errors whose code may be the service's.
local function general_hint(err)
  if err.kind == "unknown" and err.operation_id then
    return "Do not repeat it blindly: mde state shows the outcome."
  end
end

--- What to do now, in the words of the command.
---@param err mde.Error|mde.Check with a hint
---@param raises? string what raises a cap, default "--cap N, or --allow cap"
---@return string
function M.advice(err, raises)
  if is_of_cap[err.code] then
    return ("If so many are meant, give %s."):format(raises or "--cap N, or --allow cap")
  end
  local own = general_hint(err) or hints[err.code]
  if own then return own end
  return (err.hint:gsub("allow = %b{} %((%-%-allow [^()]*)%)", "%1"):gsub(", or a client with cap = false%.", ".")
    :gsub("asked for in a text:", "asked for with --filter"):gsub("mde%.collect", "mde collect")
    :gsub("action:wait%(%) first", "mde action shows how far it is"))
end

-- The options of functions that are options of the command, too.
local options = { allow = "--allow", decided_at = "--decided-at", since = "--since" }

local function with_own_options(message)
  message = message:gsub("^mde[A-Za-z_.]+: option", "option"):gsub('option "([A-Za-z_]+)"', options)
  return (message:gsub("^decided_at", options))
end

--- An error in one line.
---@param err any
---@param raises? string what raises a cap, default "--cap N, or --allow cap"
---@return string
function M.in_words(err, raises)
  if not errors.is(err) then return tostring(err) end
  return tostring(errors.derive(err, { hint = err.hint and M.advice(err, raises),
    message = with_own_options(err.message) }))
end

local shown_of_candidate = { "id", "computerDnsName", "osPlatform", "healthStatus", "lastSeen" }

--- The machines that may be meant, as --json shows them.
---@param err mde.Error
---@return table[]? candidates
function M.candidates(err)
  if not err.candidates then return nil end
  local shown = {}
  for i, candidate in ipairs(err.candidates) do
    shown[i] = {}
    for _, name in ipairs(shown_of_candidate) do shown[i][name] = candidate[name] end
  end
  return shown
end

--- An error as --json shows it.
---@param err any
---@param known? mde.Action an action that is shown beside it
---@return table
function M.record(err, known)
  if not errors.is(err) then return { kind = "unknown", code = "unforeseen", message = tostring(err) } end
  local record = { text = M.in_words(err) }
  for _, name in ipairs { "kind", "message", "asked", "hint", "http_status", "code", "request_id", "retry_at", "rule",
    "operation_id", "machine_id", "sent_at" } do
    record[name] = err[name]
  end
  if err.action ~= known then record.action = err.action end
  record.candidates = M.candidates(err)
  return record
end

return M
