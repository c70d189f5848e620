-- The workers of an nginx keep the service's limits together, by the shared dict. The tenant's own clock tells how many
-- calls arrived when.

local nameserver = require "tests.spec.support.server.nameserver"
local site = require "tests.hosts.nginx.site"

local COUNT, SECONDS, CALLS = 20, 2, 90

describe("the limits in nginx", function()
  local tenant, names, server

  setup(function()
    names = nameserver.start()
    tenant = site.tenant()
    server = site.start(tenant, names, { options = "limits = {}",
      clients = ("clients.main.exchange.requests.windows = { { count = %d, seconds = %d } }"):format(COUNT, SECONDS) })
  end)

  teardown(function()
    server.stop()
    tenant.stop()
    names.stop()
  end)

  it("are kept by all workers together, and used", function()
    local queries = {}
    for n = 1, CALLS do queries[n] = { ["do"] = "machine", device = site.id(n) } end
    local answers = server.ask_many(queries)
    for n, answer in ipairs(answers) do assert.equal(site.id(n), answer.id, answer.message) end
    assert.is_true(#server.served() > 1)

    local times, most = {}, 0
    for _, entry in ipairs(site.requests(tenant, "GET", "/api/machines/")) do times[#times + 1] = entry.at end
    table.sort(times)
    for first = 1, #times do
      local last = first
      while times[last + 1] and times[last + 1] < times[first] + SECONDS do last = last + 1 end
      most = math.max(most, last - first + 1)
    end
    print(("%d calls of %d workers, at most %d in any %d seconds"):format(#times, #server.served(), most, SECONDS))
    assert.equal(CALLS, #times)
    assert.is_true(most <= COUNT, most)
    -- Five windows, with what is added to each.
    assert.is_true(times[#times] - times[1] < 2 * (math.ceil(CALLS / COUNT) - 1) * (SECONDS + 2))
  end)
end)
