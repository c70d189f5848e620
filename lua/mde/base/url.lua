--- url: the URLs that people set: what is said of a wrong one, and what may be shown of any. The core says what is one.

local core = require "mde.core"
local errors = require "mde.base.error"

local M = {}

--- A URL in quotes, without what may be secret in it.
---@param url string
---@return string
function M.shown(url)
  return errors.quote(core.redact.text(core.url.shown(url)))
end

--- The https URL of a host in its one form, without slashes at its end. Raises for anything else.
---@param value string also without its scheme, as Microsoft's libraries take it
---@param name string by which the user set it
---@return string url
function M.check_https(value, name)
  local url, flaw = core.url.https(value)
  if url then return url end
  if flaw == "insecure" then
    errors.invalid("url_insecure", ("%s is %s: only https is spoken"):format(name, M.shown(value)), "Write https://.")
  end
  errors.invalid("url_malformed", ("%s is %s, which is not the https URL of a host"):format(name, M.shown(value)),
    "Write https://host, and nothing after it but a port.")
end

return M
