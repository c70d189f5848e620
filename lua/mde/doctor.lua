--- doctor: looks at everything that a call needs, from the settings to the permissions, and changes nothing.
--
-- Each check tells what it found in a sentence, and what to do now where something is wrong. What depends on a check
-- that failed is skipped. The only things sent are requests without a credential to both hosts, one for a token, one
-- harmless read, and the list of restrictions. What stands on this machine is surroundings.lua's. Microsoft Graph is
-- looked at only if that is asked for: that is one request without a credential, one for a token and one read more.

local clouds = require "mde.base.cloud"
local collection = require "mde.api.pager"
local core = require "mde.core"
local errors = require "mde.base.error"
local expiries = require "mde.action.expiry"
local permissions = require "mde.permissions"
local proxies = require "mde.base.proxy"
local refusal = require "mde.auth.credential.refusal"
local surroundings = require "mde.surroundings"

local SECONDS, PROBE_SECONDS = 60, 15
local CLOCK_WARNING_SECONDS, CLOCK_FAILURE_SECONDS = 60, 300
local SHORT_LIFE_SECONDS = 300
local NO_API = "https://api.security.microsoft.com/.default"

---@class mde.Check
---@field name string "settings", "log", "certificates", "store", "sign-in host", "API host", "proxy", "token", "clock",
--- "read", "permissions", "expired" (if something is overdue, or nobody can tell); before them the command's "profile",
--- and behind them, if asked for, "Graph host", "Graph token", "Graph read" and "Graph roles"
---@field status "ok"|"warning"|"failed"|"skipped"
---@field message string
---@field hint? string what to do now
---@field kind? mde.ErrorKind of what failed
---@field code? string of what failed, as an error has it

---@class mde.DoctorFunction
---@field name string functions, or in words what the service has
---@field works boolean
---@field needs string the permissions, any of which will do
---@field remark? string

---@class mde.Report
---@field ok boolean nothing failed; there may be warnings
---@field checks mde.Check[]
---@field functions mde.DoctorFunction[] empty if the permissions could not be told

local M = {}

-- ---- reports

local Report = {}
Report.__index = Report

local function new_report()
  return setmetatable({ ok = true, checks = {}, functions = {} }, Report)
end

function Report:add(name, status, message, hint, kind, code)
  self.checks[#self.checks + 1] = { name = name, status = status, message = message, hint = hint, kind = kind,
    code = code }
  if status == "failed" then self.ok = false end
  return status ~= "failed" and status ~= "skipped"
end

function Report:fail(name, err)
  return self:add(name, "failed", err.message, err.hint, err.kind, err.code)
end

function Report:skip(name, why)
  return self:add(name, "skipped", why)
end

local function plain(report)
  return setmetatable(report, nil)
end

local OF_GRAPH = { "Graph host", "Graph token", "Graph read", "Graph roles" }

--- The report of an environment that describes no client.
---@param err mde.Error
---@param graph? boolean Microsoft Graph was asked for, too
---@return mde.Report
function M.without_client(err, graph)
  local report = new_report()
  report:fail("settings", err)
  surroundings.log(report)
  for _, name in ipairs { "certificates", "store", "sign-in host", "API host", "proxy", "token", "clock", "read",
    "permissions" } do
    report:skip(name, "the settings have to be right first")
  end
  for _, name in ipairs(graph and OF_GRAPH or {}) do report:skip(name, "the settings have to be right first") end
  return plain(report)
end

-- ---- settings

-- That a tenant is simulated.
local function simulated(exchange, list)
  for _, url in ipairs { exchange.authority, exchange.base_url } do
    local parts = core.url.parse(url)
    if parts.class == "this_machine" then
      list[#list + 1] = ("%s is this machine: a simulated tenant"):format(errors.show(parts.authority))
      return
    end
  end
end

local function host_of(url)
  return core.url.parse(url).host
end

-- What does not belong together.
local function contradictions(exchange, list)
  local host, sign_in = host_of(exchange.base_url), host_of(exchange.authority)
  local of_host, of_sign_in = core.url.cloud(host), core.url.cloud(sign_in)
  if of_host and of_sign_in and of_host ~= of_sign_in then
    list[#list + 1] = exchange.named(("%s and %s are of two clouds: check MDE_CLOUD, MDE_BASE_URL and "
      .. "AZURE_AUTHORITY_HOST"):format(sign_in, host))
  end
  if exchange.scope == NO_API then
    list[#list + 1] = ("the scope is of another API; Defender for Endpoint's is %s"):format(clouds.commercial.scope)
  end
  for _, name in ipairs { "commercial", "gcc", "gcc_high" } do
    local cloud = clouds[name]
    if host == host_of(cloud.base_url) and exchange.scope ~= cloud.scope and exchange.scope ~= NO_API then
      list[#list + 1] = ("%s takes tokens of the scope %s, and %s is set"):format(host, cloud.scope,
        errors.show(exchange.scope))
    end
  end
end

local function settings(report, client)
  local exchange, remarks = client.exchange, client:remarks()
  local who = exchange.client_id and ("application %s"):format(exchange.client_id) or "its own identity"
  if exchange.tenant_id then who = who .. (" of the tenant %s"):format(errors.show(exchange.tenant_id)) end
  local facts = {}
  for _, fact in ipairs(exchange.credential.about and exchange.credential:about() or {}) do
    facts[#facts + 1] = ("%s: %s"):format(fact.name, errors.show(fact.value))
  end
  simulated(exchange, remarks)
  contradictions(exchange, remarks)
  local message = ("%s, by %s%s; in the cloud %s signs in at %s, calls %s with the scope %s, by the driver %s"):format(
    who, exchange.credential.kind, facts[1] and " (" .. table.concat(facts, ", ") .. ")" or "", exchange.cloud,
    exchange:signs_in_at(), exchange.host, errors.show(exchange.scope),
    client.driver.name or "of your own")
  if not remarks[1] then return report:add("settings", "ok", message) end
  return report:add("settings", "warning", message, table.concat(remarks, "; ") .. ".")
end

-- ---- hosts

local CHECK_NETWORK = "Check the network, the firewall, and whether only a proxy leads outside (https_proxy)."
local CHECK_TLS = "Check the host, the clock of this machine, and what stands in between."

-- What to do about a host that cannot be talked to, by the driver's code for the reason.
local hints = {
  resolve = "Check the name, the DNS of this machine, and whether only a proxy leads outside (https_proxy).",
  tls = CHECK_TLS, tls_name = CHECK_TLS, tls_expired = CHECK_TLS,
  tls_authorities = "Check the file that SSL_CERT_FILE or the option ca_file names, and SSL_CERT_DIR.",
  time_is_up = "Give it a longer timeout.",
}

-- Where a driver's host has settings of its own, these say what is asked and who is trusted.
local is_a_setting = { resolver = true, tls_untrusted = true, tls_certificate = true }

local function advice(driver, url, code)
  if is_a_setting[code] and driver.configured_in then
    return ("Set it in %s and have that read again."):format(driver.configured_in)
  elseif code == "tls_untrusted" or code == "tls_certificate" then
    local parts = core.url.parse(url)
    local place = parts.port == 443 and parts.authority .. ":443" or parts.authority
    return ("Most likely a proxy on the way opens TLS. Who issued the certificate: openssl s_client -connect %s "
      .. "-showcerts </dev/null. If that is your company's, name a file with its authority: SSL_CERT_FILE, or the "
      .. "option ca_file."):format(errors.show(place))
  end
  return proxies.hint(driver.proxy, code) or hints[code] or CHECK_NETWORK
end

-- Asks a host for something that needs no credential. `judge` says what the answer means. What came of it is added to
-- `tries`. `doubt`: what is wrong with the setting that leads there, if anything.
local function probe(report, client, name, url, context, judge, tries, doubt)
  local host = core.url.authority(url)
  local response, message, code, ahead = client.exchange:probe(url, math.min(PROBE_SECONDS, context:left()))
  tries[#tries + 1] = { host = host, answered = response ~= nil, code = code, ahead = ahead,
    proxied = response and response.proxied }
  if not response then
    return report:add(name, "failed", message, advice(client.driver, url, code), "unavailable", code)
  end
  local status, text, hint, kind, problem = judge(response, host)
  if status == "ok" and doubt then status, hint = "warning", doubt .. "." end
  return report:add(name, status, text, hint, kind, problem)
end

local BETWEEN = "Check whether a proxy stands in between and answers in its place."

local function judge_sign_in(client)
  return function(response, host)
    local exchange = client.exchange
    if response.status == 200 then
      return "ok", ("%s resolves, answers over verified TLS and knows the tenant"):format(host)
    elseif response.status == 400 or response.status == 404 then
      local reason = refusal.read(response.body)
      if reason and reason:find "^AADSTS" then
        return "failed", ("%s knows no tenant %s"):format(host, errors.quote(exchange.tenant_id)),
          exchange.named("Check AZURE_TENANT_ID, and MDE_CLOUD or AZURE_AUTHORITY_HOST if the tenant is in a national "
            .. "cloud."), "auth",
          errors.show(reason)
      end
    end
    return "failed", ("%s answers, but not as a sign-in service does (HTTP %d)"):format(host, response.status),
      exchange.named "Check AZURE_AUTHORITY_HOST. " .. BETWEEN, "protocol", "foreign_answer"
  end
end

local function judge_api(resource)
  return function(response, host)
    if response.status == 401 then
      return "ok", ("%s resolves, answers over verified TLS and asks for a token"):format(host)
    elseif response.status == 429 or response.status >= 500 then
      return "warning", ("%s answers over verified TLS, but has trouble (HTTP %d)"):format(host, response.status),
        "Try again in a minute."
    end
    return "failed", ("%s answers, but not as the service does (HTTP %d)"):format(host, response.status),
      resource.named "Check MDE_BASE_URL. " .. BETWEEN, "protocol", "foreign_answer"
  end
end

-- ---- the clock

local function in_words(seconds)
  seconds = math.abs(seconds)
  if seconds >= 5400 then return core.number.whole(seconds / 3600) .. " hours" end
  if seconds >= 120 then return core.number.whole(seconds / 60) .. " minutes" end
  return core.number.whole(seconds) .. " seconds"
end

local OTHERS_HINT = "Check whether something in between answers in its place. Of three clocks the median counts."

-- How far each of the witnesses, which are two or more, is from this machine's clock, for a person.
local function listed(witnesses)
  local words = {}
  for i, one in ipairs(witnesses) do
    words[i] = math.abs(one.ahead) < 1 and ("%s agrees"):format(one.name)
      or ("%s is %s %s"):format(one.name, in_words(one.ahead), one.ahead < 0 and "behind" or "ahead")
  end
  return table.concat(words, ", ")
end

-- `witnesses`: what told the time, and by how many seconds each is ahead of this machine.
local function clock(report, witnesses)
  local far, near, first, last = nil, nil, nil, nil
  for _, one in ipairs(witnesses) do
    if not far or math.abs(one.ahead) > math.abs(far.ahead) then far = one end
    if not near or math.abs(one.ahead) < math.abs(near.ahead) then near = one end
    if not first or one.ahead < first.ahead then first = one end
    if not last or one.ahead > last.ahead then last = one end
  end
  if not far then return report:skip("clock", "no answer told the time") end
  local off = math.abs(near.ahead)
  if last.ahead - first.ahead > CLOCK_FAILURE_SECONDS then
    return report:add("clock", "warning", ("%s and %s are %s apart; beside this machine's clock %s"):format(first.name,
      last.name, in_words(last.ahead - first.ahead), listed(witnesses)), OTHERS_HINT)
  elseif math.abs(far.ahead) < CLOCK_WARNING_SECONDS then
    return report:add("clock", "ok", "this machine's clock agrees with the service's")
  elseif off < CLOCK_WARNING_SECONDS then
    return report:add("clock", "warning", ("%s is %s %s that of this machine and of %s"):format(far.name,
      in_words(far.ahead), far.ahead < 0 and "behind" or "ahead of", near.name), OTHERS_HINT)
  end
  local message = ("this machine's clock is %s %s %s"):format(in_words(far.ahead),
    far.ahead < 0 and "ahead of" or "behind", far.name)
  local hint = "Set it right (NTP): certificates, federated tokens and times in queries depend on it."
  if off < CLOCK_FAILURE_SECONDS then return report:add("clock", "warning", message, hint) end
  return report:add("clock", "failed", message, hint, "invalid", "clock_wrong")
end

-- ---- the token

local function has(list, value)
  for _, one in ipairs(list) do
    if one == value then return true end
  end
  return false
end

-- What in a token is not as the settings have it.
local function doubts(exchange, claims, resource)
  local list = {}
  if not resource.is_audience(claims.aud) then
    list[#list + 1] = ("it is for %s, which is not %s: %s"):format(errors.show(claims.aud or "nobody"), resource.title,
      resource.named "check MDE_SCOPE and MDE_CLOUD")
  end
  local is_guid = exchange.tenant_id and core.device.is_guid(exchange.tenant_id)
  if is_guid and claims.tid and core.text.lower(claims.tid) ~= core.text.lower(exchange.tenant_id) then
    list[#list + 1] = ("it is of the tenant %s"):format(errors.show(claims.tid))
  end
  return list
end

-- `name` of the check. The claims of a token for a resource, or nil.
local function token(report, client, context, name, resource)
  local exchange = client.exchange
  local claims, err = exchange:token_claims(context, resource.name)
  if not claims then
    report:fail(name, err)
    return nil
  end
  if claims.opaque then
    report:add(name, "warning", "there is a token, and it does not tell what it is for",
      "The service decides what it is good for.")
    return claims
  end
  if resource.tells_time then exchange:settle_clock(context) end
  local left = claims.exp and claims.exp - exchange.clock:time()
  local message = ("for %s, of the tenant %s, application %s, with %s%s"):format(errors.show(claims.aud or "nobody"),
    errors.show(claims.tid or "?"), errors.show(claims.appid or "?"),
    claims.roles and #claims.roles > 0 and "the roles " .. errors.show(table.concat(claims.roles, ", ")) or "no roles",
    left and (", for another %s"):format(in_words(left)) or "")
  local list = doubts(exchange, claims, resource)
  if left and left < SHORT_LIFE_SECONDS then list[#list + 1] = "it ends soon: check the clock" end
  if not claims.roles or #claims.roles == 0 then
    list[#list + 1] = "it was issued although nothing was consented: an administrator grants the permissions below"
  end
  if list[1] then
    report:add(name, "warning", message, table.concat(list, "; ") .. ".")
  else
    report:add(name, "ok", message)
  end
  return claims
end

-- ---- reading, and what is allowed

local is_list = collection.lists(function() return true end)

local function is_one_machine(answer, text)
  local ok, why = is_list(answer, text)
  if not ok then return false, why end
  return not answer.value[1] or answer.value[1].id ~= nil, "a row of the list has no id"
end

local function read(report, client, context)
  local answer, err = client.exchange:call {
    method = "GET", path = "/machines?$top=1", kind = "read", api = "machines",
    permission = permissions.reading, context = context,
    usable = is_one_machine,
  }
  if answer then
    return report:add("read", "ok", ("one machine was read: %s"):format(answer.value[1] and "it is there"
      or "there is none in this tenant yet"))
  end
  return report:fail("read", err)
end

local MAX_NAMED = 5

-- What was meant to end, and is still restricted.
local function expired(report, client, context)
  local machines, err = expiries.expired(client.action_center, client.inventory, context)
  if not machines then
    return report:skip("expired", "whether a restriction is overdue could not be read: " .. err.message)
  elseif not machines[1] then
    return
  end
  local names = {}
  for i = 1, math.min(#machines, MAX_NAMED) do
    names[i] = errors.show(machines[i].computerDnsName or machines[i].id)
  end
  report:add("expired", "warning", ("%d machine%s still restricted, and meant to be free by now: %s%s"):format(
    #machines, #machines == 1 and " is" or "s are", table.concat(names, ", "),
    #machines > MAX_NAMED and ", ..." or ""),
    "Release them: mde release --expired; a job that runs it every few minutes is missing, or fails.")
end

-- How an application of this kind gets roles of a service.
local function how_to_add(client, service)
  return client.exchange.credential.kind == "managed identity"
    and ("An administrator assigns the roles of %s to the managed identity by Microsoft Graph."):format(service)
    or ("Add them in the portal (App registrations, API permissions, %s, Application permissions) and "
      .. "grant admin consent."):format(service)
end

local function allowed(report, client, claims)
  if claims.opaque then return report:skip("permissions", "the token does not tell its roles") end
  local roles, missing = claims.roles or {}, {}
  report.functions = permissions.functions(roles, client:rules())
  for _, one in ipairs(report.functions) do
    if not one.works and one.expected and not has(missing, one.needs) then missing[#missing + 1] = one.needs end
    one.expected, one.topic = nil, nil
  end
  if not missing[1] then return report:add("permissions", "ok", "restrict, release and all that reads will work") end
  return report:add("permissions", "failed", "missing: " .. table.concat(missing, "; "),
    how_to_add(client, "WindowsDefenderATP"), "permission", "permission_missing")
end

-- ---- Microsoft Graph

-- What the settings of Graph have that does not belong together.
local function graph_contradiction(exchange, resource)
  local host, sign_in = host_of(resource.base_url), host_of(exchange.authority)
  local of_host, of_sign_in = core.url.cloud(host), core.url.cloud(sign_in)
  if of_host and of_sign_in and of_host ~= of_sign_in then
    return resource.named(("%s and %s are of two clouds: check MDE_CLOUD, MDE_BASE_URL and "
      .. "AZURE_AUTHORITY_HOST"):format(sign_in, host))
  end
  for _, cloud in pairs(clouds) do
    if host == host_of(cloud.graph_url) and resource.scope ~= cloud.graph_scope then
      return ("%s takes tokens of the scope %s, and %s is set"):format(host, cloud.graph_scope,
        errors.show(resource.scope))
    end
  end
end

-- Whether Graph lets the application read, as one alert shows.
local function graph_read(report, client, context, claims)
  local needs = permissions.graph(claims.roles or {})[1]
  if not claims.opaque and not needs.works then
    return report:skip("Graph read", "the token has no role that reads alerts: " .. needs.needs)
  end
  local answer, err = client.exchange:call { resource = "graph", method = "GET", path = "/security/alerts_v2?$top=1",
    kind = "read", api = "graph_alerts", permission = needs.needs, context = context,
    usable = function(answer) return type(answer.value) == "table", "it has no list of values" end }
  if not answer then return report:fail("Graph read", err) end
  return report:add("Graph read", "ok", ("one alert was read: %s"):format(answer.value[1] and "it is there"
    or "this tenant has no alert yet"))
end

local function graph_roles(report, client, claims)
  if claims.opaque then return report:skip("Graph roles", "the token does not tell its roles") end
  local missing, works = {}, false
  for _, one in ipairs(permissions.graph(claims.roles or {})) do
    works = works or one.works
    if not one.works and one.expected then missing[#missing + 1] = ("%s (%s)"):format(one.needs, one.name) end
    one.expected, one.topic = nil, nil
    report.functions[#report.functions + 1] = one
  end
  if not missing[1] then return report:add("Graph roles", "ok", "alerts, incidents and hunting will work") end
  local text, hint = "missing: " .. table.concat(missing, "; "), how_to_add(client, "Microsoft Graph")
  if works then return report:add("Graph roles", "warning", text, hint) end
  return report:add("Graph roles", "failed", text, hint, "permission", "permission_missing")
end

local function skip_graph(report, from, why)
  for i = from, #OF_GRAPH do report:skip(OF_GRAPH[i], why) end
end

local function examine_graph(report, client, context, sign_in_works)
  local exchange = client.exchange
  local resource, err = exchange:resource "graph"
  if not resource then
    report:fail("Graph host", err)
    return skip_graph(report, 2, "the settings have to be right first")
  end
  local url = resource.base_url .. resource.root .. "/security/alerts_v2?$top=1"
  -- Its clock is no witness of Defender's, so its time goes nowhere.
  local answers = probe(report, client, "Graph host", url, context, judge_api(resource), {},
    graph_contradiction(exchange, resource))
  if not sign_in_works then return skip_graph(report, 2, "the sign-in host has to work first") end
  local claims = token(report, client, context, "Graph token", resource)
  if not claims then return skip_graph(report, 3, "it needs a token") end
  if answers then
    graph_read(report, client, context, claims)
  else
    report:skip("Graph read", "Graph's host has to work first")
  end
  graph_roles(report, client, claims)
end

-- ---- all of it

-- What told the time.
local function witnesses_of(exchange, tries)
  local list = {}
  for _, one in ipairs(tries) do
    if one.ahead then list[#list + 1] = { name = "that of " .. errors.show(one.host), ahead = one.ahead } end
  end
  local by_token = exchange.clock:ahead_of_this_machine "token"
  if by_token then list[#list + 1] = { name = "that of the token", ahead = by_token } end
  return list
end

--- Looks at everything, and changes nothing.
---@param client mde.Client
---@param seconds? number the longest that it may take; default 60
---@param graph? boolean Microsoft Graph, too
---@return mde.Report
function M.examine(client, seconds, graph)
  local exchange, report = client.exchange, new_report()
  seconds = seconds or SECONDS
  local context = client:context(seconds):within(seconds)
  settings(report, client)
  surroundings.log(report)
  surroundings.certificates(report, client.driver)
  surroundings.store(report, exchange.store)

  local sign_in_works, tries = true, {}
  if exchange.credential.kind == "token function" then
    report:skip("sign-in host", "a function of your own gets the tokens")
  elseif exchange.credential.host then
    report:skip("sign-in host", ("the managed identity's endpoint is %s"):format(exchange:signs_in_at()))
  else
    local url = ("%s/%s/v2.0/.well-known/openid-configuration"):format(exchange.authority, exchange.tenant_id)
    sign_in_works = probe(report, client, "sign-in host", url, context, judge_sign_in(client), tries)
  end
  local api_works = probe(report, client, "API host", exchange.base_url .. "/api/machines?$top=1", context,
    judge_api(exchange:resource "defender"), tries)
  surroundings.proxy(report, client.driver, tries)

  local claims
  if sign_in_works then
    claims = token(report, client, context, "token", exchange:resource "defender")
  else
    report:skip("token", "the sign-in host has to work first")
  end
  clock(report, witnesses_of(exchange, tries))
  if claims and api_works then
    if read(report, client, context) then expired(report, client, context) end
  else
    report:skip("read", claims and "the API host has to work first" or "it needs a token")
  end
  if claims then
    allowed(report, client, claims)
  else
    report:skip("permissions", "they stand in the token")
  end
  if graph then examine_graph(report, client, context, sign_in_works) end
  return plain(report)
end

return M
