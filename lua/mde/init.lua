--- mde: contain a compromised device through Microsoft Defender for Endpoint.
--
--     local mde = require "mde"
--     local action, err = mde.restrict("laptop-17.corp.example", "beacon to known C2", { incident = "INC-4711" })
--
-- The functions use the client that the environment describes (AZURE_TENANT_ID, AZURE_CLIENT_ID,
-- AZURE_CLIENT_SECRET and what client.lua lists); `mde.client { ... }` makes one explicitly, with the
-- same functions as methods. Success is truthy, and nothing else is: everything returns nil and an
-- error (see error.lua) when it did not happen, and raises one for a wrong argument.

local arguments = require "mde.action.change.arguments"
local audit_streams = require "mde.audit.stream"
local clients = require "mde.client"
local core = require "mde.core"
local device_lists = require "mde.device.list"
local doctors = require "mde.doctor"
local errors = require "mde.base.error"
local leaves = require "mde.device.leave"
local operators = require "mde.query.operators"
local responses = require "mde.action.response"

---@class mde
local M = { _VERSION = "mde " .. clients.VERSION }

local client_of_environment

local function default_client()
  local err
  if not client_of_environment then
    client_of_environment, err = clients.new()
  end
  return client_of_environment, err
end

M.client = clients.new

--- The ways to prove who the application is; see credential.md.
---@class mde.credentials
---@field secret fun(value: string): mde.Credential
---@field secret_file fun(path: string): mde.Credential
---@field certificate fun(options: string|mde.credential.CertificateOptions): mde.Credential
---@field federated fun(source: string|fun(application: table): string?, string?): mde.Credential
---@field managed_identity fun(options?: mde.credential.ManagedIdentityOptions): mde.Credential
---@field token fun(give: mde.TokenGiver): mde.Credential
M.credential = {
  secret = require("mde.auth.credential.secret").new,
  secret_file = require("mde.auth.credential.secret").from_file,
  certificate = require("mde.auth.credential.certificate").new,
  federated = require("mde.auth.credential.federated").new,
  managed_identity = require("mde.auth.credential.managed_identity").new,
  token = require("mde.auth.credential.token_function").new,
}

--- What a client's changes came to, in lines for a SIEM; see audit/audit.md.
---@class mde.audit
M.audit = {
  --- An `on_event` for mde.client that calls write(line, event) for each state change of a change: a line of JSON
  --- without its end, and the same as a table, an event of OCSF.
  ---@param write fun(line: string, event: table)
  ---@param options? mde.AuditOptions
  ---@return fun(event: table)
  ocsf = function(write, options) return audit_streams.new(write, options, clients.VERSION) end,
}

for _, name in ipairs(operators.names) do M[name] = operators[name] end

--- A text that came from the service, a name or a comment, made safe to show: it is one line, and what would act on
--- a terminal is shown as `\x1b`. Errors, and what tostring makes of machines and actions, are safe already.
---@param text any
---@return string
function M.show(text)
  return errors.escape(tostring(text))
end

--- Any bytes made a comment that can be recorded: what is not UTF-8 becomes U+FFFD, and what is too long is cut and
--- ends in an ellipsis. For text from outside, an alert's title say, which must not keep a device from being contained.
---@param text any
---@return string
function M.comment(text)
  return core.comment.make(tostring(text))
end

--- Looks at everything that a call needs, and changes nothing. Where the environment describes no client, the report
--- says what is wrong with it.
---@param options? { timeout?: number, graph?: boolean, problem?: mde.Error } seconds for all of it, default 60; true:
--- Microsoft Graph, too; why `mde.client` gave no client, which is then reported
---@return mde.Report
function M.doctor(options)
  local graph = type(options) == "table" and options.graph == true
  if type(options) == "table" and errors.is(options.problem) then
    return doctors.without_client(options.problem, graph)
  end
  local client, err = default_client()
  if not client then return doctors.without_client(err, graph) end
  return client:doctor(options)
end

M.read_list = device_lists.read

M.check = arguments.check

--- Leaves a device as it is, and says why. In a playbook it stands in the plan, the record and the report of the run;
--- anywhere else only its arguments are checked. Nothing is sent.
---@param device mde.Device
---@param reason string
function M.leave(device, reason)
  leaves.check(device, reason)
end

M.start_investigation = clients.start_investigation

--- Values of a hunting query whose types are named, mde.kql.datetime(time) for instance; see hunting/hunting.md.
M.kql = require("mde.hunting.value").types

-- What is called in the head of a `for` has nobody to return an error to.
for _, name in ipairs { "machines", "actions", "alerts", "incidents", "hunt", "indicators", "all_software",
  "all_vulnerabilities" } do
  M[name] = function(...)
    local client, err = default_client()
    if not client then error(err, 0) end
    return client[name](client, ...)
  end
end

-- A function of the client that the environment describes.
local function delegate(name)
  M[name] = function(...)
    local client, err = default_client()
    if not client then return nil, err end
    return client[name](client, ...)
  end
end

for _, verb in ipairs(responses.verbs) do delegate(verb) end
for _, name in ipairs { "machine", "resolve", "action", "cancel", "find_action", "state", "states", "wait",
  "restricted", "held", "expired", "report", "tag", "untag", "set_device_value", "package_link", "each", "now",
  "peek", "cap", "holders", "interruptible", "remarks", "watcher", "watch", "alert", "incident", "update_alert",
  "update_incident", "logon_users", "software", "vulnerabilities", "missing_kbs", "recommendations", "device_groups",
  "add_indicator", "import_indicators", "delete_indicator" } do
  delegate(name)
end

return M
