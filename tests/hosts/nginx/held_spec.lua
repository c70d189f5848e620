-- A machine's turn is kept for as long as the worker of nginx that has it is at work, although its lease is shorter.

local nameserver = require "tests.spec.support.nameserver"
local site = require "tests.hosts.nginx.site"

local LATENCY_SECONDS = 1
local MANY = 8

describe("A machine's turn in nginx", function()
  local tenant, names, server

  setup(function()
    names = nameserver.start()
    tenant = site.tenant { latency = LATENCY_SECONDS }
    server = site.start(tenant, names)
  end)

  teardown(function()
    server.stop()
    tenant.stop()
    names.stop()
  end)

  it("outlasts a look that takes as long as the lease", function()
    local id = site.id(1)
    local looked = site.watch(tenant, "GET", id .. "%27")
    tenant.fault { fault = "stall", match = { method = "GET", path = id .. "%27" } }
    local first = server.ask { ["do"] = "restrict", device = id }
    site.wait_until(function() return looked() == 1 end, server.errors)
    local clients, answers = {}, {}
    for n = 1, MANY do clients[n] = server.ask { ["do"] = "restrict", device = id } end
    local answer = first.answer()
    assert.equal("accepted", answer.outcome, answer.whole)
    assert.is_false(answer.looked)
    for n, client in ipairs(clients) do answers[n] = client.answer() end
    assert.equal(MANY .. " already_active", site.tally(answers, "outcome"))
    assert.equal(1, #site.requests(tenant, "POST", "/restrictCodeExecution"))
    assert.is_true(#server.served() > 1)
  end)
end)
