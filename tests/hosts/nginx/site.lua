-- A real nginx whose workers have the client, with a simulated tenant behind it over TLS, seen from outside.
--
--   local site = require("tests.hosts.nginx.site")
--   local tenant, names = site.tenant { latency = 0.5 }, nameserver.start()
--   local server = site.start(tenant, names, { workers = 4, options = "cap = false" })
--   local answers = server.ask_many { { ["do"] = "machine", device = site.id(1) }, ... }
--
-- The tenant's machines are ordinary laptops, whose ids site.id tells. What nginx does is in calls.lua.

local cjson = require "cjson"
local nginx = require "tests.spec.support.server.nginx"
local shell = require "tests.spec.support.process.shell"
local socket = require "socket"
local tenants = require "tests.spec.support.server.tenant"
local wait_until = require "tests.spec.support.process.wait_until"

local MACHINES = 220
local PATIENCE_SECONDS = 120

local site = {}

--- The id of the tenant's nth machine.
function site.id(n) return ("%040x"):format(0x1f000 + n) end

--- The name of the tenant's nth machine.
function site.name(n) return ("desk-%d.corp.example"):format(n) end

--- Starts the tenant; see tests/spec/support/server/tenant.lua. Its limits are off.
function site.tenant(options)
  local machines = {}
  for n = 1, MACHINES do
    machines[n] = { id = site.id(n), computerDnsName = site.name(n), osPlatform = "Windows11" }
  end
  local given = { limits = false, fixture = { machines = machines } }
  for name, value in pairs(options or {}) do given[name] = value end
  return tenants.start(given)
end

--- The requests that the tenant got, by method and a plain part of their path.
function site.requests(tenant, method, part)
  local found = {}
  for _, entry in ipairs(tenant.history "request") do
    if entry.method == method and entry.path:find(part, 1, true) then found[#found + 1] = entry end
  end
  return found
end

--- Has the tenant count requests, which works as soon as one arrives: a rule that never strikes.
---@return fun(): integer
function site.watch(tenant, method, part)
  tenant.fault { fault = "gone", match = { method = method, path = part }, count = 0 }
  local place = #tenant.faults()
  return function() return tenant.faults()[place].seen end
end

local function encoded(query)
  local parts = {}
  for name, value in pairs(query) do
    parts[#parts + 1] = name .. "=" .. tostring(value):gsub("[^%w._-]", function(char)
      return ("%%%02X"):format(char:byte())
    end)
  end
  return table.concat(parts, "&")
end

-- A client of nginx's that has asked. Its answer is what calls.lua says.
local function ask(port, path)
  local tcp = assert(socket.connect("127.0.0.1", port))
  assert(tcp:send(("GET %s HTTP/1.0\r\nHost: localhost\r\n\r\n"):format(path)))
  local self = {}

  --- Hangs up.
  function self.hang_up() tcp:close() end

  --- The text that came, and nil if the connection ended without one.
  function self.text()
    tcp:settimeout(PATIENCE_SECONDS)
    local all, err, part = tcp:receive "*a"
    tcp:close()
    local text = all or part
    if text == "" then return nil, err end
    return text:match "^HTTP/1%.[01] 200.-\r\n\r\n(.*)$" or text
  end

  --- The same as a table.
  function self.answer()
    local text, err = self.text()
    local ok, value = pcall(cjson.decode, text or "")
    if ok and type(value) == "table" then return value end
    return { kind = "none", message = text or err or "the connection ended without an answer" }
  end

  return self
end

--- Starts nginx. `options`: those of the client "main", as Lua; `clients`: more of them, as Lua fields; `dict`: the
--- size of the shared dict; the others are as tests/spec/support/server/nginx.lua has them, `http` and `locations`
--- beside what stands here.
---@return table server
function site.start(tenant, names, options)
  local given = {}
  for name, value in pairs(options or {}) do given[name] = value end
  given.workers, given.level = given.workers or 4, "info"
  given.listen = given.workers > 1 and "reuseport" or ""
  if given.ca_file == nil then given.ca_file = tenant.ca_file end
  if given.resolver == nil then given.resolver = names.address end
  given.environment = given.environment or tenant.env
  given.http = ([[
    lua_shared_dict mde %s;
    lua_shared_dict notes 1m;
    lua_check_client_abort on;
    lua_max_pending_timers 2048;
    lua_max_running_timers 512;
    init_by_lua_block {
      local mde = require "mde"
      clients = { main = assert(mde.client { store = ngx.shared.mde, limits = false, %s }) }
      %s
      require("tests.hosts.nginx.calls").clients = clients
    }
    %s
  ]]):format(given.dict or "1m", given.options or "", given.clients or "", given.http or "")
  given.locations = [[
    location /call { content_by_lua_block { require("tests.hosts.nginx.calls").answer() } }
    location /notes { content_by_lua_block { require("tests.hosts.nginx.calls").notes() } }
  ]] .. (given.locations or "")
  given.options, given.clients, given.dict = nil, nil, nil
  local server = nginx.start(given)

  --- Sends a query, and does not wait for its answer.
  function server.ask(query) return ask(server.port, "/call?" .. encoded(query)) end

  --- Sends all queries at once; their answers.
  function server.ask_many(queries)
    local clients, answers = {}, {}
    for i, query in ipairs(queries) do clients[i] = server.ask(query) end
    for i, client in ipairs(clients) do answers[i] = client.answer() end
    return answers
  end

  --- What calls.lua noted.
  function server.notes() return ask(server.port, "/notes").answer() end

  --- How many queries each worker has served.
  function server.served()
    local counts = {}
    for name, count in pairs(server.notes()) do
      local pid = name:match "^served|(%d+)$"
      if pid then counts[#counts + 1] = count end
    end
    return counts
  end

  --- Has nginx read its configuration again, with one text in the place of another, and waits until the workers from
  -- before are gone.
  function server.reload_with(from, to)
    local path = server.place .. "/nginx.conf"
    local text = shell.read_file(path)
    local first, last = text:find(from, 1, true)
    shell.write_file(path, text:sub(1, first - 1) .. to .. text:sub(last + 1))
    server.signal "HUP"
    wait_until(function()
      return select(2, server.errors():gsub("exited with code 0", "")) >= given.workers
    end, server.errors)
  end

  --- How many clients have hung up before they had their answer.
  function server.hang_ups()
    return select(2, server.errors():gsub("client prematurely closed connection", ""))
  end

  return server
end

--- How often each value stands in a field of the answers: "49 already_active, 1 accepted".
---@return string
function site.tally(answers, field)
  local counts, parts = {}, {}
  for _, answer in ipairs(answers) do
    local value = answer[field] ~= nil and tostring(answer[field]) or answer.message or "nothing"
    counts[value] = (counts[value] or 0) + 1
  end
  for value, times in pairs(counts) do parts[#parts + 1] = ("%d %s"):format(times, value) end
  table.sort(parts)
  return table.concat(parts, ", ")
end

return site
