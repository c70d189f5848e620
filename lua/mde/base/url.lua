--- url: what may be shown of a URL that somebody has set.
--
-- Nobody knows where a user part ends that is not written as it should be: a password in it may have a "/", a blank or
-- an "@". So all of it before the last "@" is taken out.

local core = require "mde.core"
local errors = require "mde.base.error"

local M = {}

--- A URL in quotes, without what may be secret in it.
---@param url string
---@return string
function M.shown(url)
  local scheme, rest = url:match "^([A-Za-z][A-Za-z0-9+.-]*://)(.*)$"
  local behind = (rest or url):match "@([^@]*)$"
  if behind then url = (scheme or "") .. "[redacted]@" .. behind end
  return errors.quote(core.redact.url(url))
end

return M
