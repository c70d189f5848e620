-- What the command `openssl` says of certificates and signatures. No Lua library that is at hand verifies PS256, and a
-- second pair of eyes on what the client signs should not be the client's own.
local encoding = require "mde.sim.base.encoding"
local time = require "mde.sim.base.time"

local M = {}

local function run(command)
  local pipe = io.popen("openssl " .. command .. " 2>/dev/null")
  if not pipe then error("the command openssl, which verifies signatures, is not here", 0) end
  local output = pipe:read "*a"
  pipe:close()
  return output
end

-- Calls fn with the names of files that hold these contents.
local function with_files(contents, fn)
  local names = {}
  for i, bytes in ipairs(contents) do
    names[i] = os.tmpname()
    local file = assert(io.open(names[i], "wb"))
    file:write(bytes)
    file:close()
  end
  local ok, result = pcall(fn, names)
  for _, name in ipairs(names) do os.remove(name) end
  if not ok then error(result, 0) end
  return result
end

local function bytes_of(digits)
  return (digits:gsub(":", ""):gsub("%x%x", function(pair) return string.char(tonumber(pair, 16)) end))
end

local function moment(output, name)
  local date, hour = output:match(name .. "=(%d+%-%d+%-%d+) (%d+:%d+:%d+)Z")
  return date and time.parse(date .. "T" .. hour .. "Z")
end

--- What a certificate says; nil if the text has none.
---@param pem string
---@return { key: string, sha256: string, sha1: string, from: number, till: number }? facts `key`: PEM
function M.certificate(pem)
  return with_files({ pem }, function(names)
    local output = run(("x509 -in %s -noout -pubkey -dates -dateopt iso_8601 -fingerprint -sha256"):format(names[1]))
    local sha1 = run(("x509 -in %s -noout -fingerprint -sha1"):format(names[1])):match "=([%x:]+)"
    local key = output:match "%-%-%-%-%-BEGIN PUBLIC KEY.-END PUBLIC KEY%-%-%-%-%-\n"
    local sha256 = output:match "[Ff]ingerprint=([%x:]+)"
    local from, till = moment(output, "notBefore"), moment(output, "notAfter")
    if not (key and sha256 and sha1 and from and till) then return nil end
    return { key = key, sha256 = bytes_of(sha256), sha1 = bytes_of(sha1), from = from, till = till }
  end)
end

local padding = {
  PS256 = "-sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:32 -sigopt rsa_mgf1_md:sha256",
  RS256 = "-sigopt rsa_padding_mode:pkcs1",
}

--- Whether a message was signed by the key that belongs to a public one.
---@param key string PEM
---@param algorithm "PS256"|"RS256"
---@param message string
---@param signature string
---@return boolean
function M.verifies(key, algorithm, message, signature)
  return with_files({ key, message, signature }, function(names)
    return run(("dgst -sha256 -verify %s -signature %s %s %s"):format(names[1], names[3], padding[algorithm], names[2]))
      :find("Verified OK", 1, true) ~= nil
  end)
end

--- The subject of a certificate if it leads to an authority over certificates that came with it; nil if it does not.
---@param pems string[] the certificate and those that came with it
---@param authority string PEM
---@return string? subject "CN=mde,O=A made-up company" (RFC 2253)
function M.subject_under(pems, authority)
  return with_files({ pems[1], table.concat(pems, "\n"), authority }, function(names)
    local verdict = run(("verify -no-CApath -no-CAstore -CAfile %s -untrusted %s %s"):format(names[3], names[2],
      names[1]))
    if not verdict:find ": OK" then return nil end
    return run(("x509 -in %s -noout -subject -nameopt RFC2253"):format(names[1])):match "subject=%s*([^\n]+)"
  end)
end

--- A thumbprint in the forms that clients send: unpadded base64url, padded, or plain base64.
---@param text string
---@return string? bytes
function M.thumbprint(text)
  return encoding.unbase64((text:gsub("-", "+"):gsub("_", "/")))
end

return M
