-- mde.crypto, opened and used: digests, and a key that is read from a file, signs and is let go.

local certificates = require "tests.spec.support.certificates"
local core = require "mde.core"
local posix = require "mde.posix"

local one = certificates.new()
certificates.openssl(one, "rsa -in key.pem -aes128 -traditional -passout pass:a-made-up-password -out locked.pem")
os.execute("chmod 600 " .. one.directory .. "/locked.pem")
-- A line of the key in base64, and the password.
-- luacheck: read globals plant
plant(one.key:match "\n([%w+/]+)\n")
plant "a-made-up-password"

local function digest(crypto)
  local sum, problem = crypto.sha256 "abc"
  if not sum then return nil, problem end
  local code
  code, problem = crypto.hmac_sha256(sum, ("x"):rep(3000))
  if not code then return nil, problem end
  if crypto.equal(sum, code) or #crypto.hex(code:rep(100)) ~= 6400 then return nil, "it is wrong" end
  return crypto.version()
end

local function sign(crypto, path, password)
  local pem, problem = posix.secret_file.read(path)
  if not pem then return nil, problem end
  local key
  key, problem = crypto.private_key(pem, password)
  if not key then return nil, problem end
  local certificates_of_key
  certificates_of_key, problem = crypto.certificates(one.certificate .. one.certificate, key)
  if not certificates_of_key then return nil, problem end
  pem:wipe()
  if #certificates_of_key ~= 2 or not tostring(key):find "2048" then return nil, "it is wrong" end
  return key:sign("PS256", "a message")
end

return function()
  package.loaded["mde.crypto"] = nil
  local crypto = require "mde.crypto"
  local done, problem = digest(crypto)
  if done then done, problem = sign(crypto, one.path) end
  if done then done, problem = sign(crypto, one.directory .. "/locked.pem", core.secret.new "a-made-up-password") end
  if not done then return nil, problem end
  if crypto.private_key(one.certificate) then return nil, "a certificate is no key" end
  return true
end
