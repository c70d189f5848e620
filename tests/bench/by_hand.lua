-- The same action, written by hand with what Debian has for this Lua: the token asked for once, a JSON
-- body, the reply decoded and looked at. No retry, no limit, no look at what the device's state is.
--
-- usage: by_hand.lua BASE CA-FILE COUNT PARALLEL lua-sec|lua-http|lua-curl
--
-- lua-sec (with LuaSocket) opens a connection for each request. lua-http keeps one for each of PARALLEL
-- coroutines, lua-curl one; Debian has these two for LuaJIT but not for Lua 5.4.

local cjson = require "cjson"
local cqueues = require "cqueues"

local base, ca_file = arg[1], arg[2]
local count, parallel, library = tonumber(arg[3]), tonumber(arg[4]), arg[5]
local port = tonumber(base:match ":(%d+)$")

local SIGN_IN = "/00000000-0000-4000-8000-000000000001/oauth2/v2.0/token"
local FORM = "client_id=00000000-0000-4000-8000-000000000002&client_secret=not%20a%20real%20secret"
  .. "&grant_type=client_credentials&scope=https%3A%2F%2Fapi.securitycenter.microsoft.com%2F.default"

-- ---- lua-http

local function with_lua_http()
  local http_client = require "http.client"
  local http_headers = require "http.headers"
  local http_tls = require "http.tls"
  local store = require "openssl.x509.store"
  local AF_INET = require "cqueues.socket".AF_INET

  local function connect()
    local context = http_tls.new_client_context()
    local trusted = store.new()
    trusted:add(ca_file)
    context:setStore(trusted)
    return assert(http_client.connect({
      host = "localhost", port = port, family = AF_INET, tls = true, ctx = context, version = 1.1,
    }, 10))
  end

  local function post(connection, path, content_type, token, body)
    local stream = assert(connection:new_stream())
    local headers = http_headers.new()
    headers:append(":method", "POST")
    headers:append(":scheme", "https")
    headers:append(":authority", "localhost:" .. port)
    headers:append(":path", path)
    headers:append("content-type", content_type)
    headers:append("content-length", tostring(#body))
    headers:append("accept", "application/json")
    if token then headers:append("authorization", "Bearer " .. token, true) end
    assert(stream:write_headers(headers, false, 30))
    assert(stream:write_chunk(body, true, 30))
    local reply = assert(stream:get_headers(30))
    local text = assert(stream:get_body_as_string(30))
    stream:shutdown()
    return tonumber(reply:get ":status"), text
  end

  local connections = {}
  local function run(action, n)
    local left = n
    local queue = cqueues.new()
    for i = 1, parallel do
      queue:wrap(function()
        connections[i] = connections[i] or connect()
        while left > 0 do
          left = left - 1
          action(function(...) return post(connections[i], ...) end)
        end
      end)
    end
    assert(queue:loop())
  end
  return run
end

-- ---- lua-sec

local function with_lua_sec()
  local https = require "ssl.https"
  local ltn12 = require "ltn12"

  local function post(path, content_type, token, body)
    local parts = {}
    local ok, status = https.request {
      url = base .. path,
      method = "POST",
      headers = {
        ["content-type"] = content_type,
        ["content-length"] = #body,
        accept = "application/json",
        authorization = token and "Bearer " .. token,
      },
      source = ltn12.source.string(body),
      sink = ltn12.sink.table(parts),
      verify = "peer",
      cafile = ca_file,
    }
    if not ok then error(status, 0) end
    return status, table.concat(parts)
  end

  return function(action, n)
    for _ = 1, n do action(post) end
  end
end

-- ---- lua-curl

local function with_lua_curl()
  local curl = require "curl"
  local transfer = curl.easy_init()
  transfer:setopt(curl.OPT_CAINFO, ca_file)
  local parts
  transfer:setopt(curl.OPT_WRITEFUNCTION, function(text, size)
    parts[#parts + 1] = text
    return size
  end)
  local status
  transfer:setopt(curl.OPT_HEADERFUNCTION, function(line, size)
    status = tonumber(line:match "^HTTP/%S+ (%d+)") or status
    return size
  end)

  local function post(path, content_type, token, body)
    local headers = { "Content-Type: " .. content_type, "Accept: application/json" }
    if token then headers[#headers + 1] = "Authorization: Bearer " .. token end
    transfer:setopt(curl.OPT_URL, base .. path)
    transfer:setopt(curl.OPT_HTTPHEADER, headers)
    transfer:setopt(curl.OPT_POSTFIELDS, body)
    parts = {}
    local result, problem = transfer:perform()
    if result ~= 0 then error(problem, 0) end
    return status, table.concat(parts)
  end

  return function(action, n)
    for _ = 1, n do action(post) end
  end
end

-- ---- the measurement

local run = ({ ["lua-sec"] = with_lua_sec, ["lua-http"] = with_lua_http, ["lua-curl"] = with_lua_curl })[library]()

local token
local machine = 0
local function restrict_next(post)
  if not token then
    local status, text = post(SIGN_IN, "application/x-www-form-urlencoded", nil, FORM)
    assert(status == 200, "no token")
    token = cjson.decode(text).access_token
  end
  machine = machine + 1
  local id = ("%040x"):format(machine)
  local body = cjson.encode { Comment = "benchmark of one action" }
  local status, text = post("/api/machines/" .. id .. "/restrictCodeExecution", "application/json", token, body)
  assert(status == 201, status)
  assert(cjson.decode(text).machineId == id)
end

run(restrict_next, math.max(math.floor(count / 10), parallel))
collectgarbage()
local wall, cpu = cqueues.monotime(), os.clock()
run(restrict_next, count)
print(("%.6f %.6f"):format(cqueues.monotime() - wall, os.clock() - cpu))
