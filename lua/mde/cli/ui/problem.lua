--- problem: an error in the words of the command, which are not those of the library.

local errors = require "mde.base.error"

local problem = {}

-- What to do, where the library's own words are for programs.
local hints = {
  { "cancel_opposite = true", "Wait for its end, or give --cancel-opposite to cancel it." },
  { "mde.find_action", "Do not repeat it blindly: mde state tells what became of it." },
  { 'mde.client the option "credential"', "Set what is missing. Instead of a secret there may be "
    .. "AZURE_CLIENT_CERTIFICATE_PATH or AZURE_FEDERATED_TOKEN_FILE, or a managed identity: "
    .. "AZURE_TOKEN_CREDENTIALS=ManagedIdentityCredential." },
  { 'os.date "*t"', "Write 2026-02-03, 2026-02-03T10:11:12Z or, in quotes, 2h ago." },
  { "mde.machine(name).id", "Write 40 hex digits; mde machines computerDnsName=NAME --csv shows them." },
  { "a client with cap = false", "To go on uncounted, give --allow cap." },
  { "the client a higher cap", "If so many are meant, give --cap N, or --allow cap." },
}

--- What to do now, in the words of the command.
---@param hint string of an error
---@return string
function problem.advice(hint)
  for _, one in ipairs(hints) do
    if hint:find(one[1], 1, true) then return one[2] end
  end
  return (hint:gsub("allow = %b{} %((%-%-allow [^()]*)%)", "%1"):gsub("asked for in a text:",
    "asked for with --filter"))
end

--- An error in one line.
---@param err any
---@return string
function problem.in_words(err)
  if not errors.is(err) or not err.hint then return tostring(err) end
  return tostring(errors.derive(err, { hint = problem.advice(err.hint) }))
end

local shown_of_candidate = { "id", "computerDnsName", "osPlatform", "healthStatus", "lastSeen" }

--- An error as --json shows it.
---@param err any
---@param known? mde.Action an action that is shown beside it
---@return table
function problem.record(err, known)
  if not errors.is(err) then return { kind = "unknown", message = tostring(err) } end
  local record = { text = problem.in_words(err) }
  for _, name in ipairs { "kind", "message", "asked", "hint", "http_status", "code", "request_id", "retry_at", "rule",
    "operation_id", "machine_id", "sent_at" } do
    record[name] = err[name]
  end
  if err.action ~= known then record.action = err.action end
  if err.candidates then
    record.candidates = {}
    for i, candidate in ipairs(err.candidates) do
      record.candidates[i] = {}
      for _, name in ipairs(shown_of_candidate) do record.candidates[i][name] = candidate[name] end
    end
  end
  return record
end

return problem
