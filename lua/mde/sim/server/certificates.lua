-- Keys and certificates made on the spot: an authority of the tenant's own and a server certificate from it, or one of
-- the bad certificates that a client must refuse.
local altname = require "openssl.x509.altname"
local bignum = require "openssl.bignum"
local context = require "openssl.ssl.context"
local extension = require "openssl.x509.extension"
local pkey = require "openssl.pkey"
local rand = require "openssl.rand"
local x509 = require "openssl.x509"
local x509_name = require "openssl.x509.name"

local M = {}

local day = 86400

--- The certificates that a server can have.
M.kinds = { "valid", "wrong-host", "expired", "self-signed", "unknown-ca" }

local function new_key()
  return pkey.new { type = "EC", curve = "prime256v1" }
end

local function subject(common_name)
  local name = x509_name.new()
  name:add("O", "Simulated tenant of mde")
  name:add("CN", common_name)
  return name
end

local function new_certificate(common_name, key, from, till)
  local certificate = x509.new()
  certificate:setVersion(3)
  certificate:setSerial(bignum.fromBinary(rand.bytes(15)))
  certificate:setSubject(subject(common_name))
  certificate:setLifetime(from, till)
  certificate:setPublicKey(key)
  return certificate
end

-- A new authority with a key of its own. The name is unique, so that two authorities are never taken for each other.
local function new_authority()
  local key, now = new_key(), os.time()
  local name = ("Authority %d-%s"):format(now, tostring(bignum.fromBinary(rand.bytes(4))))
  local certificate = new_certificate(name, key, now - day, now + 3650 * day)
  certificate:setIssuer(certificate:getSubject())
  certificate:setBasicConstraints { CA = true, pathLen = 0 }
  certificate:setBasicConstraintsCritical(true)
  certificate:addExtension(extension.new("keyUsage", "critical,keyCertSign,cRLSign"))
  certificate:sign(key)
  return { certificate = certificate, key = key }
end

--- Makes an authority.
---@return { certificate: string, key: string } pem
function M.make_authority()
  local authority = new_authority()
  return { certificate = authority.certificate:toPEM(), key = authority.key:toPEM "private" }
end

local function read_authority(pem)
  return { certificate = x509.new(pem.certificate), key = pkey.new(pem.key) }
end

local function server_names(kind)
  local names = altname.new()
  if kind == "wrong-host" then
    names:add("DNS", "elsewhere.example")
  else
    names:add("DNS", "localhost")
    names:add("IP", "127.0.0.1")
    names:add("IP", "::1")
  end
  return names
end

-- A server certificate of one of the kinds, and its key.
local function server_certificate(kind, authority)
  local key, now = new_key(), os.time()
  local from, till = now - day, now + 365 * day
  if kind == "expired" then from, till = now - 30 * day, now - day end
  local certificate = new_certificate("localhost", key, from, till)
  certificate:setSubjectAlt(server_names(kind))
  certificate:setBasicConstraints { CA = false }
  certificate:addExtension(extension.new("extendedKeyUsage", "serverAuth"))
  if kind == "self-signed" then
    certificate:setIssuer(certificate:getSubject())
    certificate:sign(key)
  else
    local signer = kind == "unknown-ca" and new_authority() or authority
    certificate:setIssuer(signer.certificate:getSubject())
    certificate:sign(signer.key)
  end
  return certificate, key
end

--- What a TLS server needs.
---@param pem { certificate: string, key: string } the authority
---@param kind string? one of `certificates.kinds`; "valid" if absent
---@param newest string? "1.1" for a server that speaks TLS 1.1 and nothing newer
---@return userdata context of luaossl
function M.server_context(pem, kind, newest)
  local tls = context.new("TLS", true)
  local certificate, key = server_certificate(kind or "valid", read_authority(pem))
  if newest == "1.1" then
    -- OpenSSL 3 signs the handshakes of old versions only at its lowest level of security.
    tls:setCipherList "ALL:@SECLEVEL=0"
    tls:setOptions(context.OP_NO_TLSv1_2 + context.OP_NO_TLSv1_3)
  end
  tls:setCertificate(certificate)
  tls:setPrivateKey(key)
  return tls
end

return M
