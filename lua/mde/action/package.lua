--- package: the link to what a collection has collected.

local actions = require "mde.action.action"
local core = require "mde.core"
local errors = require "mde.base.error"

local ACTION_SECONDS = 120

local M = {}

-- In the service's own sample the link stands in quotation marks that belong to the text.
local function unquoted(link)
  return link:match '^"(.*)"$' or link
end

local function is_link(answer)
  local link = type(answer.value) == "string" and core.url.parse(unquoted(answer.value)) or nil
  return link ~= nil and link.scheme == "https", "it is not a link of https"
end

--- The link to the package of a collection that has succeeded.
---@param center mde.ActionCenter
---@param action mde.Action|string
---@param context mde.Context
---@return string? url
---@return mde.Error? err
function M.link(center, action, context)
  local id = actions.check_id(action, "mde.package_link")
  local response = core.response_actions.package_link
  local answer, err = center.exchange:call {
    method = "GET", path = ("/machineactions/%s/%s"):format(core.odata.encode(id), response.path), kind = "read",
    api = "package_link", permission = response.permission, context = context:within(ACTION_SECONDS),
    usable = is_link,
  }
  if answer then return unquoted(answer.value) end
  if err.http_status == 404 then
    err.hint = "It is not there before the collection has succeeded: action:wait() first."
  elseif err.http_status == 400 then
    err.hint = "Only a collection (mde.collect) has a package."
  end
  return nil, errors.about(err, "package of action " .. errors.quote(id))
end

return M
