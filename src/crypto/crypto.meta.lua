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

---Which libcrypto is used.
---@return string? version as it tells it, "OpenSSL 3.0.19 ..." say
---@return string? problem
function crypto.version() end

return crypto
