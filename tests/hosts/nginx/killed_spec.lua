-- A worker of nginx that dies in the midst of its work holds nobody up for longer than its leases last: the turn of a
-- machine half a minute, the fetching of a token 35 seconds.

local nameserver = require "tests.spec.support.server.nameserver"
local site = require "tests.hosts.nginx.site"
local wait_until = require "tests.spec.support.process.wait_until"

local OTHER_APPLICATION = "22222222-2222-4222-8222-222222222222"
local OTHER_SECRET = "not-a-secret-of-anybody"
-- Nginx spreads connections by their ports; so many reach all workers.
local MANY = 30

describe("A worker of nginx that is killed", function()
  local tenant, names, server

  setup(function()
    names = nameserver.start()
    tenant = site.tenant()
    tenant.application { client_id = OTHER_APPLICATION, client_secret = OTHER_SECRET, roles = { "Machine.Read.All" } }
    server = site.start(tenant, names, {
      clients = ("clients.other = assert(mde.client { store = ngx.shared.mde, client_id = %q, credential = %q })")
        :format(OTHER_APPLICATION, OTHER_SECRET),
    })
  end)

  teardown(function()
    server.stop()
    tenant.stop()
    names.stop()
  end)

  local function ask_many(count)
    local restricting, reading = {}, {}
    for n = 1, count do
      restricting[n] = server.ask { ["do"] = "restrict", device = site.id(1) }
      reading[n] = server.ask { ["do"] = "machine", client = "other", device = site.id(1) }
    end
    return restricting, reading
  end

  local function answers_of(clients)
    local answers = {}
    for i, client in ipairs(clients) do answers[i] = client.answer() end
    return answers
  end

  it("loses what it alone was asked, and the others go on", function()
    assert.equal(site.id(2), server.ask({ ["do"] = "machine", device = site.id(2) }).answer().id)

    -- It holds the machine's turn, whose restrict the tenant has carried out, and the lease of the other one's token.
    local sent = site.watch(tenant, "POST", "/restrictCodeExecution")
    local asked = site.watch(tenant, "POST", "/oauth2/")
    tenant.fault { fault = "stall", match = { path = "/restrictCodeExecution" } }
    tenant.fault { fault = "stall", match = { path = "/oauth2/" } }
    local first = server.ask { ["do"] = "both", device = site.id(1), name = "doomed" }
    wait_until(function() return sent() == 1 and asked() == 1 end, server.errors)
    local before = server.notes()
    local restricting, reading = ask_many(MANY)
    wait_until(function() return server.notes().begun == before.begun + 2 * MANY end, server.errors)
    assert(os.execute(("kill -KILL %d"):format(before["worker|doomed"])))
    server.wait_for "exited on signal 9"
    local restricting_later, reading_later = ask_many(MANY)

    assert.equal("none", first.answer().kind)
    assert.equal(MANY .. " already_active", site.tally(answers_of(restricting_later), "outcome"))
    assert.equal(("%d %s"):format(MANY, site.id(1)), site.tally(answers_of(reading_later), "id"))
    local lost = 0
    for _, clients in ipairs { restricting, reading } do
      for _, answer in ipairs(answers_of(clients)) do
        if answer.kind == "none" then lost = lost + 1 else assert(answer.id, answer.whole or answer.message) end
      end
    end
    assert.is_true(lost < MANY)
    assert.equal(1, #site.requests(tenant, "POST", "/restrictCodeExecution"))
    assert.equal(1, #tenant.history "action_created")
    -- Before, the one that was lost, and one more.
    assert.equal(3, #site.requests(tenant, "POST", "/oauth2/"))
  end)
end)
