-- A request for a token that only notes what a credential asks for, and a way to look at it.
--
--   local request = token_requests.new()
--   assert(credential:ask(request))
--   ... request.posted, request.got, request.kept

local token_requests = {}

--- What `sign_in` gives to a credential's `ask`. `answer` is what every request brings (a token by default), or a
--- function of the call that returns an answer, an error and the response.
---@param answer table|fun(call: table): table?, table?, table?
---@return table
function token_requests.new(answer)
  answer = answer or { access_token = "a made-up token", expires_in = 3599 }
  local request = {
    tenant_id = "t", client_id = "c", token_url = "https://login.example/t/oauth2/v2.0/token",
    scope = "https://api.securitycenter.microsoft.com/.default", info = {}, got = {}, kept = {},
    time = function() return os.time() end, time_offset = function() return 0 end, show = tostring,
    resource = function() return "https://api.securitycenter.microsoft.com" end,
  }

  local function answer_to(call)
    if type(answer) == "table" then return answer end
    local value, err, response = answer(call)
    request.info = { response = response }
    return value, err
  end

  function request:post(fields)
    self.posted = fields
    return answer_to(fields)
  end

  function request:get(call)
    local copy = {}
    for name, value in pairs(call) do copy[name] = value end
    self.got[#self.got + 1] = copy
    return answer_to(copy)
  end

  function request:keep_secret(text)
    self.kept[#self.kept + 1] = text
  end

  return request
end

--- What a credential posts to the token endpoint.
---@param credential mde.Credential
---@return table<string, string>
function token_requests.posted(credential)
  local request = token_requests.new()
  assert(credential:ask(request))
  return request.posted
end

return token_requests
