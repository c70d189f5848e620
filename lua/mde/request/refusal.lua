--- refusal: what the service says in an answer that is not a success.
--
-- Programs decide by the status and the code in it. Some things the service says in its message alone; what its words
-- mean is told by the core (src/core/refusal.h).

local core = require "mde.core"
local failures = require "mde.request.failure"
local json = require "mde.base.json"

local text = failures.text

---@class mde.Refusal
---@field code? string the service's own, fit to be shown
---@field message? string as it came
---@field request_id? string fit to be shown
---@field foreign boolean it has a body that is not the service's: the page of a proxy, for instance
---@field not_provisioned? boolean the tenant has not been set up
---@field required_roles? string the application permissions that would do, as they came
---@field present_roles? string those that the token has, as they came

local M = {}

local function read_message(refusal)
  local message = refusal.message
  if not message then return end
  refusal.not_provisioned = core.refusal.is_not_provisioned(message)
  refusal.required_roles, refusal.present_roles = core.refusal.roles(message)
end

--- Reads an answer that is not a success.
---@param response table
---@param show fun(text: string): string makes a text from outside fit to be shown
---@return mde.Refusal
function M.read(response, show)
  local body, headers = response.body, response.headers
  local answer = body:find "^%s*{" and json.decode(body)
  local e = type(answer) == "table" and type(answer.error) == "table" and answer.error or {}
  local code = text(e.code)
  -- Graph has it further in, and spells that in two ways.
  local inner = type(e.innerError) == "table" and e.innerError or type(e.innererror) == "table" and e.innererror or {}
  local request_id = text(e.target) or text(inner["request-id"]) or text(headers["mise-correlation-id"])
    or text(headers["x-ms-request-id"]) or text(headers["request-id"])
  local refusal = {
    code = code and show(code),
    message = text(e.message),
    request_id = request_id and show(request_id),
    foreign = body:find "%S" ~= nil and type(answer) ~= "table",
  }
  read_message(refusal)
  return refusal
end

return M
