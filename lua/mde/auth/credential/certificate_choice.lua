--- credential.certificate_choice: which of the certificates of one key is used: a renewed one stands beside the one
-- that it renews, often long before that one ends, and often long after.

local core = require "mde.core"
local errors = require "mde.base.error"

-- By how much the clock of the machine on which a certificate was made may be ahead.
local SKEW_SECONDS = 300
-- By RFC 5280 a certificate without an end says this.
local NO_END = "9999-12-31T23:59:59Z"

local M = {}

--- The one that is valid and ends last; nil if none is valid.
---@param certificates mde.crypto.certificate[]
---@param now number Unix seconds
---@return mde.crypto.certificate?
function M.choose(certificates, now)
  local best
  for _, one in ipairs(certificates) do
    local valid = one.not_before - SKEW_SECONDS <= now and now < one.not_after
    if valid and (not best or one.not_after > best.not_after) then best = one end
  end
  return best
end

--- The one that ends last of all, whether it is valid or not.
---@param certificates mde.crypto.certificate[]
---@return mde.crypto.certificate
function M.last(certificates)
  local last = certificates[1]
  for _, one in ipairs(certificates) do
    if one.not_after > last.not_after then last = one end
  end
  return last
end

--- When the row of certificates ends that begins with the one in use: each that follows begins before the one before
--- it has ended.
---@param certificates mde.crypto.certificate[]
---@param used mde.crypto.certificate
---@return number Unix seconds
function M.covered_until(certificates, used)
  local ends, again = used.not_after, true
  while again do
    again = false
    for _, one in ipairs(certificates) do
      if one.not_before <= ends and one.not_after > ends then
        ends, again = one.not_after, true
      end
    end
  end
  return ends
end

--- The thumbprint of a certificate as Microsoft's portal shows it.
---@param certificate mde.crypto.certificate
---@return string
function M.thumbprint(certificate)
  return (certificate.sha1:gsub(".", function(c) return ("%02X"):format(c:byte()) end))
end

--- A time of a certificate, to the second.
---@param seconds number Unix seconds
---@return string
function M.written(seconds)
  return core.timestamp.whole(seconds) or NO_END
end

local function date(seconds)
  return M.written(seconds):sub(1, 10)
end

-- What is wrong with one: "expired on 2026-01-31".
local function state_of(one, now)
  if now >= one.not_after then return "expired on " .. date(one.not_after) end
  return "is not valid before " .. M.written(one.not_before)
end

local RENEW = "Make a new one, register it with the application in the portal, and put it in its place."
local WAIT = "Wait until then, or set this machine's clock right (NTP)."

--- Why none is used.
---@param certificates mde.crypto.certificate[] of which none is valid
---@param now number
---@param name string what they are called
---@return mde.Error
function M.none(certificates, now, name)
  local list, expired, early = {}, false, false
  for i, one in ipairs(certificates) do
    if now >= one.not_after then expired = true else early = true end
    local of_several = certificates[2] and (", thumbprint %s"):format(M.thumbprint(one)) or ""
    list[i] = ("%s (%s%s) %s"):format(i == 1 and not certificates[2] and name or "one", errors.show(one.subject),
      of_several, state_of(one, now))
  end
  local message = list[1]
  if certificates[2] then
    message = ("%s cannot be used: none of the %d of its private key is valid now: %s"):format(name, #certificates,
      table.concat(list, ", "))
  end
  return errors.new { kind = "auth", code = expired and "certificate_expired" or "certificate_not_yet_valid",
    message = message, hint = early and WAIT or RENEW }
end

return M
