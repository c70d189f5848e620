-- Asks a simulated tenant in the same process, byte for byte as a client would: for tests of the tenant itself.
local assert = require "luassert"
local json = require "mde.sim.base.json"

local caller = {}
caller.__index = caller

--- Percent-encodes everything but letters and digits.
function caller.escape(text)
  return (text:gsub("[^%w]", function(character) return ("%%%02X"):format(character:byte()) end))
end

--- A form of the given fields.
function caller.form(fields)
  local parts = {}
  for name, value in pairs(fields) do parts[#parts + 1] = name .. "=" .. caller.escape(value) end
  return table.concat(parts, "&")
end

--- A caller with the credential of the tenant's main application, or another.
function caller.new(tenant, credential)
  credential = credential or {}
  return setmetatable({
    tenant = tenant,
    client_id = credential.client_id or tenant.client_id,
    client_secret = credential.client_secret or tenant.client_secret,
  }, caller)
end

--- Asks for a token; `changes` to the form, where false leaves a field out.
function caller:ask_for_token(changes, headers, tenant_id)
  local fields = {
    grant_type = "client_credentials", client_id = self.client_id, client_secret = self.client_secret,
    scope = "https://api.securitycenter.microsoft.com/.default",
  }
  for name, value in pairs(changes or {}) do fields[name] = value or nil end
  local all = { ["Content-Type"] = "application/x-www-form-urlencoded" }
  for name, value in pairs(headers or {}) do all[name] = value end
  local response = self.tenant:handle {
    method = "POST", url = ("/%s/oauth2/v2.0/token"):format(tenant_id or self.tenant.tenant_id),
    headers = all, body = caller.form(fields),
  }
  return response, json.decode(response.body)
end

function caller:token()
  if not self.access_token then
    local _, answer = self:ask_for_token()
    self.access_token = assert(answer.access_token, "no token")
  end
  return self.access_token
end

--- One request below /api/ with a token; the response and its decoded body.
function caller:call(method, path, body, headers)
  local all = { ["Authorization"] = "Bearer " .. self:token() }
  if body then all["Content-Type"] = "application/json" end
  for name, value in pairs(headers or {}) do all[name] = value or nil end
  if type(body) == "table" then body = json.encode(body) end
  local response = self.tenant:handle {
    method = method, url = "https://api.security.microsoft.com/api/" .. path, headers = all, body = body,
  }
  return response, json.decode(response.body)
end

--- One request to Microsoft Graph, with a token for it; the response and its decoded body.
function caller:graph(method, path, body, headers)
  if not self.graph_token then
    local _, answer = self:ask_for_token { scope = "https://graph.microsoft.com/.default" }
    self.graph_token = assert(answer.access_token, "no token")
  end
  local all = { ["Authorization"] = "Bearer " .. self.graph_token }
  if body then all["Content-Type"] = "application/json" end
  for name, value in pairs(headers or {}) do all[name] = value or nil end
  if type(body) == "table" then body = json.encode(body) end
  local response = self.tenant:handle {
    method = method, url = "https://graph.microsoft.com/v1.0/" .. path, headers = all, body = body,
  }
  return response, json.decode(response.body)
end

function caller:get(path) return self:call("GET", path) end

function caller:post(path, body) return self:call("POST", path, body) end

--- The rows of a list.
function caller:rows(set, filter)
  local _, answer = self:get(("%s?$filter=%s"):format(set, caller.escape(filter)))
  return answer.value or error(answer.error.message, 2)
end

--- That the API has refused a request in its way; returns the message.
---@param status integer
---@param code string
---@param response table
---@param answer table
---@return string
function caller.refused(status, code, response, answer)
  assert.equal(status, response.status)
  assert.equal(code, answer.error.code)
  assert.is_string(answer.error.message)
  assert.is_string(answer.error.target)
  return answer.error.message
end

return caller
