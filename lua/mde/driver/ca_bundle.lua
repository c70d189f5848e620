--- authorities: the file with the certificates to trust, looked at before it is needed.
--
-- A TLS library reads it at the first connection and then says little; by then a playbook is under way.

local errors = require "mde.base.error"

-- Every authority of the world fits into a fraction of this.
local MAX_BYTES = 64 * 1024 * 1024

local M = {}

-- The content of a file | nil and why it cannot be had.
local function read(path)
  local file, problem = io.open(path, "rb")
  if not file then return nil, problem end
  local content
  content, problem = file:read(MAX_BYTES)
  file:close()
  return content, problem or "it is empty"
end

-- Whether there is a certificate in it; one is a DER sequence longer than 255 bytes, which begins with MI in base64.
local function has_certificate(content)
  for label, body in content:gmatch "%-%-%-%-%-BEGIN ([A-Z%d ]+)%-%-%-%-%-%s+([A-Za-z0-9+/=%s]+)%-%-%-%-%-END " do
    if (label == "CERTIFICATE" or label == "TRUSTED CERTIFICATE" or label == "X509 CERTIFICATE")
      and body:find "^MI" then
      return true
    end
  end
  return false
end

--- Raises unless a file has certificates to trust.
---@param path string
---@param name string by which the user named it, for the error
---@return string path
function M.check(path, name)
  local hint = "Give the path of a PEM file with the certificates to trust."
  local content, problem = read(path)
  if not content then
    errors.invalid("ca_file_unreadable",
      ("%s is %s, which cannot be read (%s)"):format(name, errors.quote(path), errors.show(problem)), hint)
  elseif not has_certificate(content) then
    errors.invalid("ca_file_without_certificate",
      ("%s is %s, in which there is no PEM certificate"):format(name, errors.quote(path)),
      hint .. " Such a one has lines BEGIN CERTIFICATE and END CERTIFICATE.")
  end
  return path
end

return M
