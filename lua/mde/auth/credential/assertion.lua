--- credential.assertion: the signed statement (RFC 7523) by which an application with a certificate says who it is.

local core = require "mde.core"
local errors = require "mde.base.error"
local json = require "mde.base.json"
local posix = require "mde.posix"

local LIFE_SECONDS = 600

local M = {}

-- A random UUID (RFC 9562, version 4).
local function uuid()
  local bytes = assert(posix.entropy.bytes(16), "no entropy")
  local digits = bytes:gsub(".", function(c) return ("%02x"):format(c:byte()) end)
  local variant = ("89ab"):sub(bytes:byte(9) % 4 + 1):sub(1, 1)
  return ("%s-%s-4%s-%s%s-%s"):format(digits:sub(1, 8), digits:sub(9, 12), digits:sub(14, 16), variant,
    digits:sub(18, 20), digits:sub(21, 32))
end

-- The certificate and what leads from it to its root (RFC 7515, 4.1.6).
local function chain_of(certificate)
  local list = { core.base64.encode(certificate.der) }
  for _, der in ipairs(certificate.chain) do list[#list + 1] = core.base64.encode(der) end
  return list
end

--- An assertion for the token endpoint that is asked.
---@param credential mde.credential.Certificate
---@param request mde.TokenRequest
---@param now number the service's time, Unix seconds
---@return string? assertion
---@return mde.Error? err
function M.make(credential, request, now)
  local encode = core.base64.encode_url
  local of_algorithm = { PS256 = { "x5t#S256", "sha256" }, RS256 = { "x5t", "sha1" } }
  local name, digest = of_algorithm[credential.algorithm][1], of_algorithm[credential.algorithm][2]
  local header = { alg = credential.algorithm, typ = "JWT", [name] = encode(credential.certificate[digest]),
    x5c = credential.sends_chain and chain_of(credential.certificate) or nil }
  local issued = math.floor(now)
  local claims = { aud = request.token_url, iss = request.client_id, sub = request.client_id, jti = uuid(),
    nbf = issued, iat = issued, exp = issued + LIFE_SECONDS }
  local message = encode(json.encode(header)) .. "." .. encode(json.encode(claims))
  local signature, problem = credential:signature(message)
  if not signature then
    return nil, errors.new { kind = "auth", code = "signing_failed",
      message = "the assertion could not be signed: " .. request.show(problem),
      hint = "Check the private key of the certificate, or the function that signs." }
  end
  return message .. "." .. encode(signature)
end

return M
