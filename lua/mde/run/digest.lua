--- digest: SHA-256, which stands for a playbook, a module or a plan; by mde.crypto, which a build may not have.

local errors = require "mde.base.error"

local M = {}

--- The digest of a text.
---@param text string
---@return string? digest 32 bytes
---@return mde.Error? err there is no mde.crypto, or no libcrypto that will do
function M.sha256(text)
  local loaded, crypto = pcall(require, "mde.crypto")
  if not loaded then
    return nil, errors.new { kind = "invalid", code = "crypto_missing",
      message = "a run needs mde.crypto, which is not here",
      hint = "Build mde where OpenSSL's libcrypto is." }
  end
  local digest, problem = crypto.sha256(text)
  if digest then return digest end
  return nil, errors.new { kind = "unavailable", code = "digest_failed",
    message = "a digest cannot be made: " .. errors.show(problem), hint = "A run needs OpenSSL's libcrypto." }
end

--- How a digest is written: two digits for each byte, in lower case.
---@param digest string
---@return string
function M.hex(digest)
  return (digest:gsub(".", function(byte) return ("%02x"):format(byte:byte()) end))
end

return M
