-- RSA keys, certificates and signed tokens, made by the command openssl when a test needs them.
--
--   local one = certificates.new { days = 30 }
--   one.pem (key and certificate), one.key, one.certificate, one.public_key, one.key_file, one.certificate_file
--   certificates.of_key(one.key, { from = -90, till = -1 })        another certificate of that key, in days from now
--   certificates.token(one, { iss = ..., sub = ..., aud = ... })   a JSON Web Token signed by its key, RS256

local json = require "mde.sim.base.json"
local shell = require "tests.spec.support.process.shell"

local certificates = {}

-- Keys take longest, so one that will do is made once.
local made = {}

local function run(directory, command)
  local status = os.execute(("cd %s && openssl %s >log 2>&1"):format(directory, command))
  assert(status == true or status == 0, shell.read_file(directory .. "/log"))
end

local function make(options)
  local directory = shell.new_directory()
  run(directory, ("genpkey -algorithm %s -out key.pem"):format(options.algorithm
    or ("RSA -pkeyopt rsa_keygen_bits:%d"):format(options.bits or 2048)))
  run(directory, "req -new -key key.pem -subj '/O=A made-up company/CN=mde' -out request.pem")
  shell.write_file(directory .. "/extensions", options.host and "subjectAltName=DNS:" .. options.host .. "\n" or "")
  run(directory, ("x509 -req -in request.pem -signkey key.pem -days %d -extfile extensions -out certificate.pem")
    :format(options.days or 90))
  run(directory, "x509 -in certificate.pem -noout -pubkey")
  os.execute(("cd %s && cp log public.pem && cat key.pem certificate.pem >both.pem && chmod 600 *"):format(directory))
  local function read(name) return shell.read_file(("%s/%s.pem"):format(directory, name)) end
  return { directory = directory, path = directory .. "/both.pem", pem = read "both", key = read "key",
    key_file = directory .. "/key.pem", certificate = read "certificate",
    certificate_file = directory .. "/certificate.pem", public_key = read "public" }
end

--- A self-signed certificate and its key. Options: `days` (90; negative: it has expired), `bits` (2048), `algorithm`
--- (of `openssl genpkey`), `host` (whose server it is), `name` (another name is another key).
---@param options table?
---@return table
function certificates.new(options)
  options = options or {}
  local key = ("%s|%s|%s|%s|%s"):format(tostring(options.days), tostring(options.bits), tostring(options.algorithm),
    tostring(options.host), tostring(options.name))
  made[key] = made[key] or make(options)
  return made[key]
end

--- The same for a server on localhost, made in no time.
---@return table
function certificates.of_localhost()
  return certificates.new { algorithm = "EC -pkeyopt ec_paramgen_curve:prime256v1", host = "localhost" }
end

--- A further certificate of a private key, as a text. Options: `from` and `till` (days from now; -1 and 90), `subject`
--- ("mde"), `issuer` and `issuer_key` (a subject and PEM; itself), `ca` (whether it may issue others).
---@param key string PEM
---@param options table?
---@return string
function certificates.of_key(key, options)
  options = options or {}
  local bignum, names = require "openssl.bignum", require "openssl.x509.name"
  local pkey, x509 = require "openssl.pkey", require "openssl.x509"
  local function name_of(common_name)
    local name = names.new()
    name:add("CN", common_name)
    return name
  end
  local own, one, day, now = pkey.new(key), x509.new(), 86400, os.time()
  one:setVersion(3)
  one:setSerial(bignum.fromBinary(require("openssl.rand").bytes(15)))
  one:setSubject(name_of(options.subject or "mde"))
  one:setIssuer(name_of(options.issuer or options.subject or "mde"))
  one:setLifetime(now + (options.from or -1) * day, now + (options.till or 90) * day)
  one:setPublicKey(own)
  if options.ca then one:setBasicConstraints { CA = true } end
  one:sign(options.issuer_key and pkey.new(options.issuer_key) or own)
  return one:toPEM()
end

--- Runs openssl in the directory of a certificate.
---@param one table
---@param command string
function certificates.openssl(one, command)
  run(one.directory, command)
end

--- A token that the key has signed, as an identity provider does.
---@param one table
---@param claims table
---@return string
function certificates.token(one, claims)
  local encode = require("mde.core").base64.encode_url
  local message = encode(json.encode { alg = "RS256", typ = "JWT", kid = "made up" }) .. "."
    .. encode(json.encode(claims))
  shell.write_file(one.directory .. "/message", message)
  run(one.directory, "dgst -sha256 -sign key.pem -out signature message")
  return message .. "." .. encode(shell.read_file(one.directory .. "/signature"))
end

--- Removes all that was made.
function certificates.remove()
  for _, one in pairs(made) do shell.remove(one.directory) end
  made = {}
end

return certificates
