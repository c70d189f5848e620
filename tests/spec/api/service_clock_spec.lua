-- What time it is at the service: which answers are believed, and what is done where clocks differ.

local clients = require "mde.client"
local core = require "mde.core"
local mde = require "mde"
local posix = require "mde.posix"
local rehearsal = require "tests.spec.support.rehearsal"
local service_clocks = require "mde.api.service_clock"
local times = require "mde.sim.base.time"

local id = "1f00000000000000000000000000000000000017"
local DAY = 86400

-- A clock beside a driver's that began at 1000 when the local one said `local_time`, and the events it told.
local function new(local_time)
  local now, events = 1000, {}
  local real = posix.clock.time
  posix.clock.time = function() return local_time + now - 1000 end
  local trace = { tell = function(_, event) events[#events + 1] = event end }
  local clock = service_clocks.new({ now = function() return now end, time = posix.clock.time }, trace)
  return clock, events, function(seconds) now = now + seconds end, function() posix.clock.time = real end
end

local function answer(time, fields)
  local headers = { date = times.http(time), ["content-type"] = "application/json; charset=utf-8" }
  for name, value in pairs(fields or {}) do headers[name] = value or nil end
  return headers
end

local function token(claims)
  local function part(value) return core.base64.encode_url(require("mde.base.json").encode(value)) end
  return part { alg = "none" } .. "." .. part(claims) .. ".c2ln"
end

describe("the service's clock", function()
  local T = 1.8e9

  local function with(local_time, fn)
    local clock, events, pass, restore = new(local_time)
    local ok, problem = pcall(fn, clock, events, pass)
    restore()
    if not ok then error(problem, 0) end
  end

  it("is this machine's, until another is heard", function()
    with(T, function(clock, _, pass)
      assert.equal(T, clock:time())
      pass(10)
      assert.equal(T + 10, clock:time())
      assert.equal(T + 5, clock:time(1005))
      assert.is_false(clock:is_settled())
    end)
  end)

  it("is the earlier of two", function()
    with(T, function(clock)
      clock:hear_api(answer(T + 7200))
      assert.equal(T, clock:time())
      clock:hear_api(answer(T - 7200))
      assert.equal(T - 7200, clock:time())
    end)
  end)

  for _, off in ipairs { -DAY, -600, -61, 30, 61, 600, DAY, 20 * 365 * DAY } do
    it(("is not moved by one of three that is %d seconds off"):format(off), function()
      with(T, function(clock)
        clock:hear_token(token { exp = T + 3600 }, { expires_in = 3600 }, 1000)
        clock:hear_api(answer(T + off))
        assert.equal(T, clock:time())
      end)
      with(T, function(clock)
        clock:hear_token(token { exp = T + 3600 + off }, { expires_in = 3600 }, 1000)
        clock:hear_api(answer(T))
        assert.equal(T, clock:time())
      end)
      with(T + off, function(clock)
        clock:hear_token(token { exp = T + 3600 }, { expires_in = 3600 }, 1000)
        clock:hear_api(answer(T))
        assert.equal(T, clock:time())
      end)
    end)
  end

  for what, fields in pairs {
    ["that a cache has kept"] = { age = "30" },
    ["that is a page"] = { ["content-type"] = "text/html" },
    ["without a type"] = { ["content-type"] = false },
    ["without a date"] = { date = false },
    ["with a date of no sense"] = { date = "yesterday" },
    ["of the year 9999"] = { date = "Fri, 31 Dec 9999 23:59:59 GMT" },
    ["of 1970"] = { date = "Thu, 01 Jan 1970 00:00:00 GMT" },
  } do
    it("does not go by an answer " .. what, function()
      with(T, function(clock)
        clock:hear_api(answer(T - 7200, fields))
        assert.equal(T, clock:time())
        assert.is_false(clock:is_settled())
        assert.is_nil(clock:ahead_of_this_machine "api")
      end)
    end)
  end

  it("goes by what is left of a token that its endpoint had already, and where that is not told by nothing", function()
    with(T + DAY, function(clock)
      -- Issued an hour ago, five minutes early by its iat.
      clock:hear_token(token { iat = T - 3900, exp = T + 1800 }, { expires_in = "1800" }, 1000)
      assert.equal(T, clock:time())
      clock:hear_token(token { iat = T + 700, exp = T + 4300 }, {}, 1000)
      assert.equal(T, clock:time())
      clock:hear_token("opaque", { expires_in = 10 }, 1000)
      assert.equal(T, clock:time())
    end)
  end)

  it("warns once where two are more than five minutes apart", function()
    with(T, function(clock, events)
      clock:hear_api(answer(T + 300))
      assert.same({}, events)
      clock:hear_api(answer(T + 301))
      clock:hear_api(answer(T + DAY))
      assert.equal(1, #events)
      assert.equal("warning", events[1].event)
      assert.equal("clocks_apart", events[1].code)
      assert.equal(301, events[1].seconds)
      assert.equal(DAY, clock:apart())
      clock:hear_api(answer(T))
      assert.is_nil(clock:apart())
    end)
  end)

  it("is moved forward by an action that was created a little later, and by no more", function()
    with(T, function(clock)
      clock:hear_rows { { creationDateTimeUtc = times.iso(T + 200) }, { creationDateTimeUtc = "never" }, {} }
      assert.equal(T + 200, math.floor(clock:time() + 0.5))
      clock:hear_rows { { creationDateTimeUtc = times.iso(T + 20 * 365 * DAY) } }
      assert.equal(T + 200, math.floor(clock:time() + 0.5))
      assert.equal(T + 300, math.floor(clock:latest() + 0.5))
    end)
  end)

  it("is not moved by an action for what counts actions", function()
    with(T, function(clock, _, pass)
      clock:hear_rows { { creationDateTimeUtc = times.iso(T + 200) } }
      assert.equal(T, math.floor(clock:agreed() + 0.5))
      clock:hear_api(answer(T - 7200))
      pass(10)
      assert.equal(T - 7200 + 10, clock:agreed())
    end)
  end)

  it("is settled by the API's answer, or by a token that agrees with this machine", function()
    with(T, function(clock)
      clock:hear_token(token { exp = T + 3600 + 61 }, { expires_in = 3600 }, 1000)
      assert.is_false(clock:is_settled())
      clock:hear_token(token { exp = T + 3600 + 59 }, { expires_in = 3600 }, 1000)
      assert.is_true(clock:is_settled())
      clock:hear_token(token { exp = T + DAY }, { expires_in = 3600 }, 1000)
      clock:hear_api(answer(T))
      assert.is_true(clock:is_settled())
    end)
  end)
end)

describe("a client", function()
  it("believes the API's own answers and none of the sign-in service's dates", function()
    local r = rehearsal.new {}
    r:fault { match = { path = "/oauth2/" }, fault = "skew", by = DAY, count = false }
    assert(r.client:machine(id))
    assert.is_true(math.abs(r.client.exchange.clock:time() - r.tenant.clock.now()) < 5)
  end)

  it("learns no time from a token whose age nobody tells", function()
    local r = rehearsal.new { lifetime = DAY }
    local real = posix.clock.time
    posix.clock.time = r.tenant.clock.now
    finally(function() posix.clock.time = real end)
    local send, value = r.driver.send, nil
    function r.driver.send(request)
      local response, message, maybe_sent, code = send(request)
      -- Nothing but the token and this machine's clock tells the time.
      if response then
        value = value or response.body:match '"access_token":"([^"]+)"'
        response.headers.date = nil
      end
      return response, message, maybe_sent, code
    end
    assert(r.client:machine(id))
    r.driver.sleep(3000)
    local client = assert(clients.new { credential = function() return value end, driver = r.driver })
    assert(client:machine(id))
    assert.is_true(math.abs(client:now() - r.tenant.clock.now()) < 5)
  end)

  it("does not take a row from the future for the last word", function()
    local r = rehearsal.new { unguarded = true }
    local ahead = r.tenant.clock.now() + 20 * 365 * DAY
    r:past(id, "restrict", "Succeeded", 0, { creationDateTimeUtc = rehearsal.time(ahead),
      lastUpdateDateTimeUtc = rehearsal.time(ahead) })
    r:past(id, "release", "Succeeded", 60)
    local state, err = r.client:state(id)
    assert.is_nil(state)
    assert.equal("protocol", err.kind)
    assert.equal("accepted", assert(r.client:restrict(id, "beacon")).outcome)
  end)

  it("tells on_event of clocks that differ, once", function()
    local warnings = {}
    local r = rehearsal.new { client = { on_event = function(event)
      if event.event == "warning" then warnings[#warnings + 1] = event end
    end } }
    r:fault { match = { path = "/api/" }, fault = "skew", by = DAY, count = false }
    assert(r.client:machine(id))
    assert(r.client:state(id))
    assert.equal(1, #warnings)
    assert.equal("clocks_apart", warnings[1].code)
    assert.matches("differ by up to 86", warnings[1].message, 1, true)
  end)

  it("asks for the time before a first query that depends on it, only where the clocks it knows differ", function()
    for _, case in ipairs { { 0, 1 }, { 5 * 3600, 2 } } do
      local r = rehearsal.new { start = os.time() + case[1] + 0.5 }
      r.client:machines { lastSeen = mde.ge(mde.ago "1h") } ()
      assert.equal(case[2], #r:requests())
    end
  end)
end)
