-- Searches what the test suite wrote for secrets, and makes sure that it would have seen some: a trace
-- without requests would be clean too.

local cjson = require "cjson"

local M = {}

-- ---- the forms that a secret can take

-- Base64 of `bytes`, without padding, in the alphabet whose last two characters are `last`.
local function base64(bytes, last)
  local alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789" .. last
  local out = {}
  for first = 1, #bytes, 3 do
    local a, b, c = bytes:byte(first, first + 2)
    local n = a * 65536 + (b or 0) * 256 + (c or 0)
    local digits = c and 4 or b and 3 or 2
    for i = 1, digits do
      local digit = math.floor(n / 64 ^ (4 - i)) % 64
      out[#out + 1] = alphabet:sub(digit + 1, digit + 1)
    end
  end
  return table.concat(out)
end

-- The part of base64 that is the same whatever stands before and after `bytes`, when `offset` bytes (0
-- to 2) come before it in its group of three.
local function base64_inside(bytes, offset, last)
  local encoded = base64(("\0"):rep(offset) .. bytes, last)
  local skip = offset == 0 and 0 or offset + 1
  local whole = math.floor((offset + #bytes) * 8 / 6)
  return encoded:sub(skip + 1, whole)
end

local function percent_encoded(bytes, format, space)
  return (bytes:gsub("[^%w%-._~]", function(c)
    return c == " " and space or string.format(format, c:byte())
  end))
end

-- Every character, the harmless ones too.
local function all_percent_encoded(bytes, format)
  return (bytes:gsub(".", function(c) return string.format(format, c:byte()) end))
end

--- The forms of a secret to search for: name of the form to bytes.
---@param secret string
---@return table<string, string>
function M.forms(secret)
  local forms = {
    ["as it is"] = secret,
    ["percent-encoded"] = percent_encoded(secret, "%%%02X", "%20"),
    ["percent-encoded in lower case"] = percent_encoded(secret, "%%%02x", "%20"),
    ["form-encoded"] = percent_encoded(secret, "%%%02X", "+"),
    ["wholly percent-encoded"] = all_percent_encoded(secret, "%%%02X"),
    ["wholly percent-encoded in lower case"] = all_percent_encoded(secret, "%%%02x"),
    ["in JSON"] = cjson.encode(secret):sub(2, -2),
    ["reversed"] = secret:reverse(),
    ["in hexadecimal"] = (secret:gsub(".", function(c) return ("%02x"):format(c:byte()) end)),
  }
  for offset = 0, 2 do
    forms["in base64 after " .. offset] = base64_inside(secret, offset, "+/")
    forms["in base64url after " .. offset] = base64_inside(secret, offset, "-_")
  end
  return forms
end

-- ---- the events

local function header(event, name)
  for key, value in pairs(type(event.headers) == "table" and event.headers or {}) do
    if key:lower() == name then return value end
  end
end

local function seen(trace)
  local drivers = {}
  for line in trace:gmatch "[^\r\n]+" do
    local ok, event = pcall(cjson.decode, line:match "{.*}" or "")
    if ok and type(event) == "table" and event.event == "request" and type(event.driver) == "string" then
      local driver = drivers[event.driver] or {}
      drivers[event.driver] = driver
      if header(event, "authorization") == "Bearer [redacted]" then driver.authorization = true end
      if type(event.body) == "string" and event.body:find("client_secret=[redacted]", 1, true) then
        driver.token_body = true
      end
    end
  end
  return drivers
end

-- What tests make for themselves: how it begins, and what behind that says that it is one.
local unplanted = {
  { what = "a private key", begins = "PRIVATE KEY-----", goes_on = "^" },
  { what = "an assertion", begins = "client_assertion=", goes_on = "^[%w_-]+%." },
  { what = "a key of Azure Arc's agent", begins = "Basic ", goes_on = "^%x%x%x%x%x%x%x%x" },
}

--- What is wrong with a trace; an empty list if nothing is. The complaints name a secret by its place in
--- the list, never by its text.
---@param trace string
---@param planted { secrets: string[], token_prefixes: string[] }
---@param required string[] drivers that must have shown a redacted Authorization header and token body
---@return string[] complaints
function M.check(trace, planted, required)
  local complaints = {}
  local function complain(...)
    complaints[#complaints + 1] = string.format(...)
  end
  for i, secret in ipairs(planted.secrets) do
    for form, bytes in pairs(M.forms(secret)) do
      local at = trace:find(bytes, 1, true)
      if at then complain("secret %d, %s, at byte %d", i, form, at) end
    end
  end
  for i, prefix in ipairs(planted.token_prefixes) do
    local at = trace:find(prefix, 1, true)
    if at then complain("the beginning of token %d, at byte %d", i, at) end
  end
  for _, one in ipairs(unplanted) do
    local at = trace:find(one.begins, 1, true)
    while at and not trace:find(one.goes_on, at + #one.begins) do at = trace:find(one.begins, at + 1, true) end
    if at then complain("%s, at byte %d", one.what, at) end
  end
  local drivers = seen(trace)
  for _, name in ipairs(required) do
    local driver = drivers[name]
    if not driver then
      complain("no request of the driver %s", name)
    else
      if not driver.authorization then complain("no redacted Authorization header of the driver %s", name) end
      if not driver.token_body then complain("no redacted token body of the driver %s", name) end
    end
  end
  table.sort(complaints)
  return complaints
end

return M
