--- credential.certificate: an application that signs in with a certificate: each token request carries an assertion
-- that the certificate's private key has signed.
--
-- The key is an RSA key in a PEM file beside the certificate, or it lives elsewhere and a function signs. The file is
-- read again when it changes, so that a certificate can be renewed under a running service; of several of one key the
-- one is used that is valid and ends last, looked at for every request.

local assertions = require "mde.auth.credential.assertion"
local choices = require "mde.auth.credential.certificate_choice"
local errors = require "mde.base.error"
local options_of = require "mde.base.options"
local secret_files = require "mde.auth.credential.secret_file"

local MAX_FILE_BYTES = 65536
-- A clock that is off by more than this is put right by what the sign-in service's answer says, and asked once more.
local CLOCK_SECONDS = 60

local M = {}

---@class mde.credential.CertificateOptions
---@field path? string a PEM file with the certificate and, unless `sign` is given, its private key
---@field pem? string the same as a text
---@field password? string of the private key
---@field algorithm? "PS256"|"RS256" default "PS256"
---@field send_certificate_chain? boolean whether the certificate and those of the file that lead to its root are sent
--- along (x5c), as an application needs it that trusts a subject name and an issuer; default false
---@field sign? fun(message: string, algorithm: string): string?, string? for a key that lives elsewhere: returns the
--- signature of SHA-256 over the message, or nil and why there is not one

---@class mde.credential.Certificate: mde.Credential
---@field private file? mde.SecretFile
---@field private password? userdata an mde.core secret
---@field private algorithm string
---@field private sign? function
---@field private key? userdata
---@field private certificates mde.crypto.certificate[] those of the key
---@field private certificate mde.crypto.certificate the one in use
---@field private sends_chain boolean
---@field private flaw? mde.Error why what was read of the file last is of no use
local Certificate = { __name = "mde.credential.certificate" }
Certificate.__index = Certificate

function Certificate.__tostring()
  return "mde.credential.certificate: [secret]"
end

local function signing()
  local ok, crypto = pcall(require, "mde.crypto")
  if ok then return crypto end
  errors.invalid("crypto_missing", "a certificate needs mde.crypto, which is not here",
    "Build mde with a C compiler; the module needs OpenSSL's library at run time.")
end

local function refused(code, name, problem, hint)
  return errors.new { kind = "auth", code = code, hint = hint,
    message = ("%s cannot be used: %s"):format(name, errors.show(problem)) }
end

local MEND = "Write it again as text in ASCII or UTF-8, as openssl wrote it: a line -----BEGIN ...-----, lines of "
  .. "base64, a line -----END ...-----."

-- What to do about a private key that cannot be had.
local function how_to_mend(self, code)
  if code == "private_key_binary" then
    local path = errors.show(self.file and self.file.path or "client.pfx")
    return ("Convert it: openssl pkcs12 -in %s -out %s.pem -nodes"):format(path, path)
  elseif code == "private_key_password" then
    return "The password is set as AZURE_CLIENT_CERTIFICATE_PASSWORD, or as the option \"password\"."
  elseif code == "private_key_several" then
    return "Leave the key that is used and its certificates; each key needs a file of its own."
  elseif code == "pem_malformed" then
    return MEND
  end
  return "It has to be a PEM file with an RSA private key of at least 2048 bits and its certificate."
end

-- Each certificate once, however often it stands in the file.
local function distinct(certificates)
  local list, seen = {}, {}
  for _, one in ipairs(certificates) do
    if not seen[one.sha256] then list[#list + 1] = one end
    seen[one.sha256] = true
  end
  return list
end

-- Puts the key and the certificates of a PEM text into place; true, or nil and an error.
local function take(self, pem, name)
  local crypto = signing()
  local key, problem, code
  if not self.sign then
    key, problem, code = crypto.private_key(pem, self.password)
    if not key then return nil, refused(code, name, problem, how_to_mend(self, code)) end
  end
  local certificates
  certificates, problem, code = crypto.certificates(pem, key)
  if not certificates then
    return nil, refused(code, name, problem, code == "pem_malformed" and MEND
      or "Put the certificate that is registered with the application into the file, beside its private key.")
  end
  self.key, self.certificates = key, distinct(certificates)
  self.certificate = choices.choose(self.certificates, os.time()) or choices.last(self.certificates)
  return true
end

local function name_of(self)
  return self.file and ("the certificate %s"):format(errors.show(self.file.path)) or "the certificate"
end

-- Reads the file if it is new; true, or nil and an error, the same one until it is another file.
local function refresh(self)
  if not self.file then return true end
  local pem, err, is_new = self.file:read()
  if not pem then return nil, err end
  if is_new then
    local _, flaw = take(self, pem, name_of(self))
    self.flaw = flaw
  end
  if self.flaw then return nil, self.flaw end
  return true
end

local function post(self, request)
  local now = request:time()
  local chosen = choices.choose(self.certificates, now)
  if not chosen then return nil, choices.none(self.certificates, now, name_of(self)) end
  self.certificate = chosen
  local assertion, err = assertions.make(self, request, now)
  if not assertion then return nil, err end
  request:keep_secret(assertion)
  return request:post {
    client_assertion_type = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    client_assertion = assertion,
  }
end

---@param request mde.TokenRequest
function Certificate:ask(request)
  local ok, err = refresh(self)
  if not ok then return nil, err end
  local before = request:time_offset()
  local answer
  answer, err = post(self, request)
  if err and err.code == "AADSTS700024" and math.abs(request:time_offset() - before) > CLOCK_SECONDS then
    return post(self, request)
  end
  return answer, err
end

--- The signature of a message, or nil and why there is not one.
---@param message string
---@return string? signature
---@return string? problem
function Certificate:signature(message)
  if not self.sign then return self.key:sign(self.algorithm, message) end
  local ok, signature, problem = pcall(self.sign, message, self.algorithm)
  if not ok then return nil, tostring(signature) end
  if type(signature) == "string" and signature ~= "" then return signature end
  return nil, tostring(problem or "the function that signs returned no signature")
end

function Certificate:secrets()
  return { self.password }
end

-- All of them, so that processes that share a token agree also while one takes over from another.
function Certificate:traits()
  local list = {}
  for i, one in ipairs(self.certificates) do list[i] = one.sha256 end
  return list
end

function Certificate:changed()
  return self.file ~= nil and self.file:changed()
end

-- The one that would be used now.
local function current(self)
  return choices.choose(self.certificates, os.time()) or choices.last(self.certificates)
end

function Certificate:about()
  local certificate = current(self)
  local facts = {
    { name = "certificate", value = certificate.subject },
    { name = "thumbprint", value = choices.thumbprint(certificate) },
    { name = "certificate ends", value = choices.written(certificate.not_after) },
    { name = "algorithm", value = self.algorithm },
  }
  if self.certificates[2] then
    facts[#facts + 1] = { name = "chosen from", value = ("%d of this key"):format(#self.certificates) }
  end
  if self.sends_chain then
    facts[#facts + 1] = { name = "chain sent", value = certificate.chain[1]
      and ("%d certificates"):format(1 + #certificate.chain) or "the certificate alone" }
  end
  return facts
end

function Certificate:remarks()
  local list, certificate = {}, current(self)
  if self.file and self.file.remark and not self.sign then list[1] = self.file.remark end
  local now = os.time()
  if not choices.choose(self.certificates, now) then
    list[#list + 1] = choices.none(self.certificates, now, name_of(self)).message
    return list
  end
  local days = math.floor((choices.covered_until(self.certificates, certificate) - now) / 86400)
  if days < 30 then
    list[#list + 1] = ("%s (%s) ends in %d days"):format(name_of(self), errors.show(certificate.subject), days)
  end
  return list
end

local known_options = { path = "text", pem = "text", password = "text", algorithm = "text", sign = "callback",
  send_certificate_chain = "flag" }

--- A credential of a certificate. Raises if it cannot be used.
---@param options string|mde.credential.CertificateOptions the path of a PEM file, or more
---@return mde.Credential
function M.new(options)
  if type(options) == "string" then options = { path = options } end
  options = options_of.check(options, known_options, "mde.credential.certificate")
  if (options.path == nil) == (options.pem == nil) then
    errors.invalid("contradictory_options", "mde.credential.certificate wants one of the options \"path\" and \"pem\"")
  end
  local algorithm = options.algorithm or "PS256"
  if algorithm ~= "PS256" and algorithm ~= "RS256" then
    errors.invalid("wrong_value",
      ("mde.credential.certificate: option \"algorithm\" is %s"):format(errors.quote(algorithm)),
      "There are PS256 and RS256.")
  end
  local self = setmetatable({ kind = "certificate", algorithm = algorithm, sign = options.sign,
    sends_chain = options.send_certificate_chain == true,
    password = options.password and require("mde.core").secret.new(options.password) }, Certificate)
  local ok, err
  if options.path then
    self.file = secret_files.new(options.path, "the file with the certificate", MAX_FILE_BYTES)
    self.source = self.file:name()
    ok, err = refresh(self)
  else
    self.source = 'the option "pem"'
    ok, err = take(self, options.pem, "the certificate")
  end
  if not ok then error(err, 0) end
  return self
end

return M
