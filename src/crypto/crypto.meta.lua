---@meta mde.crypto

-- mde.crypto.meta: what the C functions of mde.crypto take and return, for editors and type checkers.
-- It is never loaded.
-- luacheck: ignore

---What OpenSSL is needed for. Its libcrypto is the one that the process has loaded already, or else the system's;
---it is looked for when the first function that needs it is called. Whatever is not a string raises.
---@class mde.crypto
local crypto = {}

---@param message string any bytes
---@return string? digest 32 bytes
---@return string? problem there is no libcrypto that will do, or it refuses
function crypto.sha256(message) end

---@param key string any bytes
---@param message string any bytes
---@return string? digest 32 bytes
---@return string? problem there is no libcrypto that will do, or it refuses
function crypto.hmac_sha256(key, message) end

---Whether two texts are the same, in a time that does not tell where they differ. It can tell whether their
---lengths do.
---@param a string
---@param b string
---@return boolean
function crypto.equal(a, b) end

---@param bytes string
---@return string digits two for each byte, in lower case
function crypto.hex(bytes) end

---Reads an RSA private key of 2048 bits or more.
---@param pem string|mde.secret what else is in it is passed over; line ends that were lost on the way are put back
---@param password? string|mde.secret
---@return mde.crypto.key? key
---@return string? problem it has no private key or two, the key is encrypted and the password is missing or wrong, it is
---of another kind or too short, the text is UTF-16 or cut; or there is no libcrypto that will do
---@return "private_key_missing"|"private_key_binary"|"private_key_password"|"private_key_kind"|"private_key_several"|"private_key_unreadable"|"pem_malformed"
---code the same for programs
function crypto.private_key(pem, password) end

---@class mde.crypto.key
local key = {}

---@param algorithm "PS256"|"RS256"
---@param message string
---@return string? signature
---@return string? problem
function key:sign(algorithm, message) end

---@return integer bits
function key:bits() end

---@class mde.crypto.certificate
---@field der string
---@field sha256 string 32 bytes, of the DER
---@field sha1 string 20 bytes
---@field not_before number Unix seconds
---@field not_after number Unix seconds
---@field subject string in one line
---@field chain string[] the DER of those that lead from it to its root, as far as they are in the text

---The certificates that belong to a private key: one, and those that renewed it. Which is to be used is the caller's
---to say, who knows the time.
---@param pem string|mde.secret in any order with others and with the key
---@param key? mde.crypto.key nil: the key that the first certificate has
---@return mde.crypto.certificate[]? certificates at least one, as they stand in the text
---@return string? problem there is none in it, or none that belongs to the key
---@return "certificate_unusable"|"pem_malformed"? code
function crypto.certificates(pem, key) end

---Which libcrypto is used.
---@return string? version as it tells it, "OpenSSL 3.0.19 ..." say
---@return string? problem
function crypto.version() end

return crypto
