-- What nginx answers in the benchmark: as the service would, as cheaply as possible, remembering nothing
-- but the first changing request and how many there were.

local cjson = require "cjson"

local M = {}

local ACTION = [[{"@odata.context":"https://localhost/api/$metadata#MachineActions/$entity",]]
  .. [["id":"00000000-0000-4000-8000-%012x","type":"%s","title":null,"requestor":"bench",]]
  .. [["requestorComment":%s,"status":"Pending","machineId":"%s","computerDnsName":"bench.corp.example",]]
  .. [["creationDateTimeUtc":"%s.0000000Z","lastUpdateDateTimeUtc":"%s.0000000Z",]]
  .. [["cancellationRequestor":null,"cancellationComment":null,"cancellationDateTimeUtc":null,]]
  .. [["errorHResult":0,"scope":null,"externalId":null,"requestSource":"PublicApi","relatedFileInfo":null,]]
  .. [["commands":[],"troubleshootInfo":null}]]

local MACHINE = [[{"id":"%s","computerDnsName":"bench.corp.example","osPlatform":"Windows11",]]
  .. [["onboardingStatus":"Onboarded","healthStatus":"Active","riskScore":"High","mergedIntoMachineId":null,]]
  .. [["isPotentialDuplication":false,"machineTags":[],"lastSeen":"%s.0000000Z"}]]

local TOKEN = [[{"token_type":"Bearer","expires_in":3599,"ext_expires_in":3599,"access_token":"%s"}]]

local count = 0

local function answer(status, body)
  ngx.status = status
  ngx.header.content_length = #body
  ngx.print(body)
end

local function now()
  return (ngx.utctime():gsub(" ", "T"))
end

local function restrict(machine, verb)
  ngx.req.read_body()
  local body = ngx.req.get_body_data()
  if count == 1 then ngx.shared.bench:add("request", ngx.req.raw_header(true) .. body) end
  local comment = cjson.encode(cjson.decode(body).Comment)
  local time = now()
  local kind = verb == "restrictCodeExecution" and "RestrictCodeExecution" or "UnrestrictCodeExecution"
  answer(201, ACTION:format(count, kind, comment, machine, time, time))
end

function M.api()
  count = count + 1
  local path = ngx.var.uri
  local machine, verb = path:match "^/api/machines/(%x+)/(%a+)$"
  if machine then return restrict(machine, verb) end
  machine = path:match "^/api/machines/(%x+)$"
  if machine then return answer(200, MACHINE:format(machine, now())) end
  if path == "/api/machineactions" then
    return answer(200, [[{"@odata.context":"https://localhost/api/$metadata#MachineActions","value":[]}]])
  end
  answer(404, [[{"error":{"code":"ResourceNotFound","message":"no such thing in the benchmark"}}]])
end

function M.sign_in()
  count = 0
  answer(200, TOKEN:format(("benchmark."):rep(140)))
end

-- /bench/request: the first changing request after a token request; /bench/count: how many since then.
function M.bench()
  if ngx.var.uri == "/bench/request" then
    answer(200, ngx.shared.bench:get "request" or "")
  else
    answer(200, tostring(count))
  end
end

return M
