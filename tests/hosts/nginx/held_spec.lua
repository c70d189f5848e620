-- A machine is locked for as long as the worker of nginx that changes it is at work, although its lease is shorter.

local nameserver = require "tests.spec.support.server.nameserver"
local site = require "tests.hosts.nginx.site"
local wait_until = require "tests.spec.support.process.wait_until"

local LATENCY_SECONDS = 1
local MANY = 8

describe("The lock of a machine in nginx", function()
  local tenant, names, server

  before_each(function()
    names = nameserver.start()
    tenant = site.tenant { latency = LATENCY_SECONDS }
    server = site.start(tenant, names)
  end)

  after_each(function()
    server.stop()
    tenant.stop()
    names.stop()
  end)

  -- One asks, and many when its request has come.
  local function first_and_many(number, method, pattern)
    local id = site.id(number)
    local come = site.watch(tenant, method, pattern(id))
    tenant.fault { fault = "stall", match = { method = method, path = pattern(id) } }
    local first = server.ask { ["do"] = "restrict", device = id }
    wait_until(function() return come() == 1 end, server.errors)
    local clients, answers = {}, {}
    for n = 1, MANY do clients[n] = server.ask { ["do"] = "restrict", device = id } end
    local answer = first.answer()
    for n, client in ipairs(clients) do answers[n] = client.answer() end
    return answer, answers
  end

  it("outlasts a POST whose answer does not come for as long as the lease", function()
    local answer, answers = first_and_many(1, "POST", function(id) return id .. "/restrictCodeExecution" end)
    assert.equal("accepted", answer.outcome, answer.whole)
    assert.equal(MANY .. " already_active", site.tally(answers, "outcome"))
    assert.equal(1, #site.requests(tenant, "POST", site.id(1) .. "/restrictCodeExecution"))
    assert.is_true(#server.served() > 1)
  end)

  it("outlasts a look that takes as long as the lease", function()
    local answer, answers = first_and_many(2, "GET", function(id) return id .. "%27" end)
    assert.equal("accepted", answer.outcome, answer.whole)
    assert.is_false(answer.looked)
    assert.equal(MANY .. " already_active", site.tally(answers, "outcome"))
    assert.equal(1, #site.requests(tenant, "POST", site.id(2) .. "/restrictCodeExecution"))
  end)
end)
