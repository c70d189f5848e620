-- What the tests of the client ask inside nginx: one call of the client for each request, its result as JSON. Beside
-- that it counts, in the shared dict "notes", what each worker has begun and come back from.
--
--   require("tests.hosts.nginx.calls").clients = { main = assert(mde.client { store = ngx.shared.mde }) }
--   /call?do=restrict&device=...&client=main

local cjson = require "cjson"

local calls = { clients = {} }

local function told(value, err)
  if type(value) == "table" then
    return { id = value.id, outcome = value.outcome, status = value.status, looked = value.looked }
  elseif value ~= nil then
    return { value = value }
  end
  return { kind = err.kind or "none", message = err.message or tostring(err), hint = err.hint, rule = err.rule,
    whole = tostring(err) }
end

local function options(query)
  return { incident = query.incident, key = query.key, timeout = tonumber(query.timeout), allow = query.allow and
    { query.allow } }
end

function calls.machine(client, query) return client:machine(query.device) end

function calls.restrict(client, query) return client:restrict(query.device, "a test restricts", options(query)) end

function calls.release(client, query) return client:release(query.device, "a test releases", options(query)) end

function calls.state(client, query) return (client:state(query.device)) end

-- Restricts a machine by one client and reads it by another, at the same time.
function calls.both(client, query)
  local reading = ngx.thread.spawn(function() return calls.clients.other:machine(query.device) end)
  local action, err = client:restrict(query.device, "a test restricts")
  ngx.thread.wait(reading)
  return action, err
end

-- Restricts machines of a list, two at a time; how many went well, and what the others said.
function calls.each(client, query)
  local list, problems = {}, {}
  for id in query.devices:gmatch "%x+" do list[#list + 1] = id end
  local results = client:each(list, function(id) return client:restrict(id, "a test restricts many") end,
    { parallel = 2 })
  for _, result in ipairs(results) do
    if result.err then problems[#problems + 1] = tostring(result.err) end
  end
  return ("%d done%s"):format(#results - results.failed, #problems > 0 and ": " .. table.concat(problems, "; ") or "")
end

local function count(name)
  ngx.shared.notes:incr(name, 1, 0)
end

--- Does what the request's query says.
function calls.answer()
  local query, pid = ngx.req.get_uri_args(), ngx.worker.pid()
  count "begun"
  if query.name then ngx.shared.notes:set("worker|" .. query.name, pid) end
  local ok, value, err = pcall(calls[query["do"]], calls.clients[query.client or "main"], query)
  local result = ok and told(value, err) or { kind = "raised", message = tostring(value) }
  result.worker = pid
  count("served|" .. pid)
  count "ended"
  ngx.print(cjson.encode(result))
end

--- Answers with everything that is noted.
function calls.notes()
  local notes = {}
  for _, name in ipairs(ngx.shared.notes:get_keys(0)) do notes[name] = ngx.shared.notes:get(name) end
  ngx.print(cjson.encode(notes))
end

return calls
