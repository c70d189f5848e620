-- The axes of the table of faults, its rows, and what is expected of each, computed from what the fault is.
--
-- A fault is described by what it does to a request, never by what the client makes of it:
--
--   executed   whether the tenant acted on the request
--   heard      what reaches the client (by driver, where they differ): "answer", the true one; "nothing" of use, though
--              the request may have been sent; "not_sent", for certain; "later", a refusal that says that nothing was
--              done and may be repeated; "unauthorized", the same for another token; "no", a definite refusal, with the
--              `kind` of error that it is
--
-- What is expected follows from that and from the promises: a read or a token is asked for again; an action is looked
-- for before it is sent again, happens once, and is never told wrong.

local axes = {}

local MACHINE = ("a1"):rep(20)
local OTHER = ("b2"):rep(20)
axes.machine, axes.other = MACHINE, OTHER

axes.drivers = { "libcurl", "cosocket" }
axes.verbs = { "restrict", "release", "isolate", "unisolate" }
axes.requests = { "get", "token", "restrict", "release", "isolate", "unisolate" }
axes.connections = { "new", "reused" }

local FOREIGN = ('{"id":"0f0f0f0f-0000-4000-8000-00000000000f","type":"RestrictCodeExecution","status":"Pending",'
  .. '"requestorComment":"not ours","machineId":"%s"}'):format(OTHER)
local PAGE = "<html><body>a proxy's page</body></html>"
local HTML = { ["Content-Type"] = "text/html" }

-- ---- faults

local faults = {}

local function add(name, heard, executed, rule, more)
  local fault = { name = name, heard = heard, executed = executed, rule = rule }
  for field, value in pairs(more or {}) do fault[field] = value end
  faults[#faults + 1] = fault
end

local function answer(status, fields)
  local rule = { fault = "answer", status = status }
  for name, value in pairs(fields or {}) do rule[name] = value end
  return rule
end

-- The connection.
add("refused", "not_sent", false, { fault = "refuse" }, { connects = true })
add("reset, not executed", "nothing", false, { fault = "reset" })
add("reset, executed", "nothing", true, { fault = "reset", processed = true })
add("closed, not executed", "nothing", false, { fault = "gone", processed = false })
add("closed, executed", "nothing", true, { fault = "gone" })
for _, place in ipairs { "nothing", "head", "half" } do
  for _, how in ipairs { "close", "reset" } do
    add(("cut after %s, %s"):format(place, how), "nothing", true, { fault = "cut", at = place, how = how })
    add(("cut after %s, %s, not executed"):format(place, how), "nothing", false,
      { fault = "cut", at = place, how = how, processed = false })
  end
  add(("stalled after %s"):format(place), "nothing", true, { fault = "stall", at = place })
end
add("stalled, not executed", "nothing", false, { fault = "stall", processed = false })
add("slow bytes", "nothing", true, { fault = "slow", interval = 0.05 })

-- HTTP.
add("too few bytes", "nothing", true, { fault = "wrong_length", by = 10 })
add("too short a length", "nothing", true, { fault = "wrong_length", by = -10 })
for _, how in ipairs { "head", "length", "chunk" } do
  add("malformed " .. how, "nothing", true, { fault = "malformed", how = how })
end
add("huge", "nothing", true, { fault = "huge", size = 400000 })
add("a bomb", "nothing", true, { fault = "gzip_bomb", size = 400000 })
for _, format in ipairs { "zlib", "raw" } do
  -- libcurl reads it, though it did not ask for it; nginx's sockets bring it as it is.
  add("deflate, " .. format, { libcurl = "answer", cosocket = "nothing" }, true,
    { fault = "deflate", format = format })
end
for _, status in ipairs { 100, 103 } do
  add(("interim %d"):format(status), "answer", true, { fault = "interim", status = status, times = 2 })
end
for _, status in ipairs { 301, 302, 307, 308 } do
  add(("redirect %d"):format(status), "no", false, { fault = "redirect", status = status }, { kind = "protocol" })
end

-- Refusals.
for _, status in ipairs { 400, 403, 405, 409, 413, 415 } do
  add(("HTTP %d"):format(status), "no", false, answer(status),
    { kind = status == 403 and "permission" or "refused", status = status })
end
add("HTTP 404", "no", false, answer(404), { kind = "not_found", status = 404 })
add("HTTP 403, a page", "no", false, answer(403, { body = PAGE, headers = HTML }), { kind = "protocol" })
for _, status in ipairs { 421, 425 } do
  add(("HTTP %d"):format(status), "later", false, answer(status))
end
for _, form in ipairs { "seconds", "milliseconds", "date", "rfc850", "asctime", "text", "none" } do
  add("429, " .. form, "later", false, { fault = "throttled", form = form, seconds = 4 })
end
for _, form in ipairs { "negative", "garbage" } do
  add("429, " .. form, "later", false, { fault = "throttled", form = form, seconds = 4 }, { seconds = 60 })
end
add("429, far away", "later", false, { fault = "throttled", seconds = 4000 }, { seconds = 4000 })
add("401", "unauthorized", false,
  answer(401, { headers = { ["WWW-Authenticate"] = 'Bearer error="invalid_token"' } }), { status = 401 })
add("401 with claims", "unauthorized", false, { fault = "challenge" }, { is_foreign_at_sign_in = true })

-- Failures, of a service that did nothing and of one that did it.
for _, executed in ipairs { false, true } do
  local how = executed and ", executed" or ", not executed"
  for _, status in ipairs { 408, 500, 502, 503, 504, 599 } do
    add(("HTTP %d%s"):format(status, how), "nothing", executed, answer(status, { processed = executed }))
  end
  add("502, a page" .. how, "nothing", executed, answer(502, { processed = executed, body = PAGE, headers = HTML }))
  add("503, Retry-After" .. how, "nothing", executed,
    answer(503, { processed = executed, headers = { ["Retry-After"] = "3" } }))
  for _, case in ipairs { { "empty", "" }, { "page", PAGE }, { "list", "[]" }, { "number", "7" },
    { "strange", '{"id":1}' }, { "foreign", FOREIGN }, { "broken", '{"id":"0f0f' }, { "null", "null" } } do
    add(("200, %s%s"):format(case[1], how), "nothing", executed, answer(200, { processed = executed, body = case[2] }))
  end
  add("204" .. how, "nothing", executed, answer(204, { processed = executed }))
end

-- The service's own manners.
for _, by in ipairs { -86400, 86400 } do
  add(("the date is off by %d"):format(by), "answer", true, { fault = "skew", by = by })
end
add("whose it is does not stand there", "answer", true, { fault = "nameless" })

-- ---- what is expected

local function value(more)
  local expected = { result = "value" }
  for name, field in pairs(more or {}) do expected[name] = field end
  return expected
end

local function failed(kind)
  return { result = kind }
end

-- Whether an attempt that has to wait so long, so often, is still made within that time.
local function fits(fault, times, seconds)
  return (fault.seconds or 5) * times < seconds
end

-- A read, and a request for a token, are asked for again whatever happened, up to four times.
local function of_read(fault, times, seconds)
  if fault.heard == "no" then
    -- A machine that is there has been told not to be, for a moment.
    if fault.kind == "not_found" and times == 1 then return value() end
    return failed(fault.kind)
  elseif fault.heard == "unauthorized" then
    return times == 1 and value() or failed "auth"
  elseif fault.heard == "later" and not fits(fault, times, seconds) then
    return failed "throttled"
  end
  return value()
end

local function of_token(fault, times)
  if fault.is_foreign_at_sign_in then return failed "protocol" end
  if fault.heard == "no" and fault.kind ~= "protocol" or fault.heard == "unauthorized" then return failed "auth" end
  if fault.heard == "no" then return failed(fault.kind) end
  -- A service that says what is none of a token's matters is believed to have issued it.
  return of_read(fault, times, 30)
end

local function of_action(fault, times)
  if fault.heard == "answer" then return value { attempts = 1, actions = 1 } end
  if fault.heard == "no" then return failed(fault.kind) end
  if fault.heard == "unauthorized" and times > 1 then return failed "auth" end
  if fault.heard == "later" and not fits(fault, times, 120) then return failed "throttled" end
  if fault.heard ~= "nothing" then return value { attempts = 1 + times, actions = 1 } end
  -- Found in the list; sent once more with the same id where it is not there; and then nobody knows.
  if fault.executed then return value { attempts = 1, actions = 1, reconciled = true } end
  if times == 1 then return value { attempts = 2, actions = 1 } end
  return failed "unknown"
end

-- The answer to the action was lost, and then the list is read by which it is found.
local function of_list(fault, times)
  local found = value { attempts = 1, actions = 1, reconciled = true }
  -- A list of nothing may be told as 404: there is another look, but nothing is sent on the strength of it.
  if fault.heard == "no" and (fault.kind ~= "not_found" or times > 1) then
    return { result = "unknown", actions = 1 }
  end
  if fault.heard == "unauthorized" and times > 1 then return { result = "unknown", actions = 1 } end
  if fault.heard == "later" and not fits(fault, times, 110) then return { result = "unknown", actions = 1 } end
  return found
end

-- The fault as a driver hears it.
local function heard_by(driver, fault)
  if type(fault.heard) == "string" then return fault end
  local own = {}
  for name, field in pairs(fault) do own[name] = field end
  own.heard = fault.heard[driver]
  return own
end

local function expected_of(fault, request, times, connection)
  -- Where the connection is there already, nobody can refuse it.
  if fault.connects and connection == "reused" and request ~= "list" then
    fault = { heard = "answer", executed = true }
  end
  if request == "get" then return of_read(fault, times, 300) end
  if request == "token" then return of_token(fault, times) end
  local expected = request == "list" and of_list(fault, times) or of_action(fault, times)
  expected.actions = expected.actions or 0
  return expected
end

-- ---- rows

-- What can become of a second action of a kind: the machine has carried the first out meanwhile; or it has not, and
-- then the service refuses the second, or answers with the first.
local manners = {
  { text = "the machine is on", offline = false, actions = 2 },
  { text = "the machine is off", offline = true },
  { text = "the machine is off, told again", offline = true, duplicates = "pending", actions = 1 },
}

-- Whether the suite plays it. A fault strikes a request in four ways: once or twice, on a new or on a reused
-- connection. Two of them, with both of either between them, are those with an even sum of their numbers; for the next
-- request, the next fault and the other driver the other two. Of isolations, which go the same way, fewer.
local function is_sampled(driver, request, ...)
  local sum = driver == "libcurl" and 0 or 1
  for i = 1, select("#", ...) do sum = sum + select(i, ...) end
  return sum % ((request == "isolate" or request == "unisolate") and 8 or 2) == 0
end

-- How far a list lags behind. Nobody knows whose the action is for which a second one was refused, if the list does not
-- show it.
local function lag_rows(rows, driver)
  for i, lag in ipairs { 0.5, 1, 1.5, 3, 5, 6.5, 7.5, 9, 12, 20 } do
    for j, manner in ipairs(manners) do
      for k, verb in ipairs(axes.verbs) do
        for l, connection in ipairs(axes.connections) do
          -- It is looked for after 2 and 7 seconds; and if a second one was refused, twice more, after 2 and 7.
          local seen, seen_later = lag < 7, lag < 14
          rows[#rows + 1] = { driver = driver, request = verb, connection = connection, times = 1,
            sampled = is_sampled(driver, verb, i, j, k, l),
            fault = ("closed, executed; the list lags %g s, %s"):format(lag, manner.text),
            rule = { fault = "gone" }, lag = lag, offline = manner.offline, duplicates = manner.duplicates,
            expected = seen and value { attempts = 1, actions = 1, reconciled = true }
              or manner.actions and value { attempts = 2, actions = manner.actions, lags = true }
              or seen_later and value { attempts = 2, actions = 1, reconciled = true }
              or { result = "unknown", actions = 1 } }
        end
      end
    end
  end
end

--- The rows of a driver.
---@param driver "libcurl"|"cosocket"
---@return table[] rows
function axes.rows(driver)
  local rows = {}
  for i, any in ipairs(faults) do
    local fault = heard_by(driver, any)
    for times = 1, 2 do
      for j, connection in ipairs(axes.connections) do
        for k, request in ipairs(axes.requests) do
          rows[#rows + 1] = { driver = driver, fault = fault.name, rule = fault.rule, status = fault.status,
            times = times, connection = connection, request = request,
            sampled = is_sampled(driver, request, i, times, j, k),
            expected = expected_of(fault, request, times, connection) }
        end
        for k, verb in ipairs(axes.verbs) do
          rows[#rows + 1] = { driver = driver, fault = fault.name, rule = fault.rule, status = fault.status,
            times = times, connection = connection, request = verb, in_list = true,
            sampled = is_sampled(driver, verb, i, times, j, k),
            expected = expected_of(fault, "list", times, connection) }
        end
      end
    end
  end
  lag_rows(rows, driver)
  return rows
end

--- How a row is called; no two are called the same.
---@param row table
---@return string
function axes.name(row)
  return ("%s | %s%s | %s | %s | %s"):format(row.driver, row.request, row.in_list and ", its list" or "", row.fault,
    row.times == 1 and "once" or "twice", row.connection)
end

--- How many rows there must be; of a driver those that are sampled, which are half of those of restrict and release
--- and of reads, and some of the others.
---@param only? "sampled"
---@param driver? "libcurl"|"cosocket"
---@return integer
function axes.count(only, driver)
  local ways = #axes.connections
  if not only then return #faults * 2 * ways * (#axes.requests + #axes.verbs) + 10 * #manners * #axes.verbs * ways end
  local count = (#faults * 2 * ways * 6 + 10 * #manners * 2 * ways) / 2
  for _, row in ipairs(axes.rows(driver)) do
    if row.sampled and (row.request == "isolate" or row.request == "unisolate") then count = count + 1 end
  end
  return count
end

return axes
