-- mde.crypto, opened and used.

return function()
  package.loaded["mde.crypto"] = nil
  local crypto = require "mde.crypto"
  local digest, problem = crypto.sha256 "abc"
  if not digest then return nil, problem end
  local code
  code, problem = crypto.hmac_sha256(digest, ("x"):rep(3000))
  if not code then return nil, problem end
  if crypto.equal(digest, code) or #crypto.hex(code:rep(100)) ~= 6400 then return nil, "it is wrong" end
  return crypto.version()
end
