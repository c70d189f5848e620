-- mde.curl.multi: what it keeps from one transfer to the next. mde.curl.loop: the multi handle as a loop sees it, which
-- asks it for a descriptor, events and a time. The loop here is that of cqueues.
-- Labels: sanitized

local certificates = require "tests.spec.support.certificates"
local cqueues = require "cqueues"
local nginx = require "tests.spec.support.server.nginx"
local script = require "tests.spec.support.process.script"
local tenants = require "tests.spec.support.server.tenant"

describe("mde.curl.multi", function()
  it("goes on with a TLS session on a new connection, whatever else has ended meanwhile", function()
    local one, port = certificates.of_localhost(), nginx.free_port()
    local server = nginx.start { workers = 1, http = ([[
      server {
        listen 127.0.0.1:PORT ssl;
        ssl_certificate CERTIFICATE;
        ssl_certificate_key KEY;
        ssl_protocols TLSv1.3;
        keepalive_timeout 0;
        location / { return 200 $ssl_session_reused; }
      }
    ]]):gsub("%u%u%u+", { PORT = tostring(port), CERTIFICATE = one.certificate_file, KEY = one.key_file }) }
    local output, status = script.run([[
      local multi = require "mde.curl".multi()
      local function start()
        return assert(multi:start({ method = "GET", url = arg[1], headers = {}, timeout = 10, max_bytes = 100,
          max_idle = 5 }, { ca_file = arg[2], proxy = "" }))
      end
      local function told(transfer)
        repeat multi:poll(1) until multi:finished() == transfer
        multi:release(transfer)
        return assert(transfer:result()).body
      end
      io.write(told(start()), told(start()))
      start():withdraw()
      multi:release(multi:finished())
      io.write(told(start()))
      multi:close()
      print(told(start()))
    ]], { arguments = { "https://localhost:" .. port .. "/", one.certificate_file } })
    server.stop()
    certificates.remove()
    assert.equal(".rr.\n", output)
    assert.equal("exit 0", status)
  end)
end)

describe("mde.curl.loop", function()
  local tenant

  setup(function() tenant = tenants.start { limits = false } end)
  teardown(function() tenant.stop() end)

  -- A loop that knows nothing but the descriptor: `timeout` is not asked.
  it("needs nothing but its descriptor", function()
    local loop = assert(require "mde.curl".loop())
    assert.equal(require "mde.curl".multi(), loop)
    assert.equal("r", loop:events())
    local descriptor = loop:pollfd()
    local transfer = assert(loop:start({ method = "GET", url = tenant.base_url .. "/api/machines", headers = {},
      timeout = 10, max_bytes = 100000, max_idle = 5 }, { ca_file = tenant.ca_file, proxy = "" }))
    assert.is_number(loop:timeout())
    local controller = cqueues.new()
    controller:wrap(function()
      while not loop:finished() do
        cqueues.poll { pollfd = descriptor, events = "r" }
        loop:step()
      end
    end)
    assert(controller:loop())
    assert.equal(transfer, loop:finished())
    loop:release(transfer)
    assert.equal(401, transfer:result().status)
    assert.equal(descriptor, loop:pollfd())
  end)

  it("keeps its descriptor when it is closed, and says there that something has ended", function()
    -- The connection stands, and nobody answers.
    local unserved = assert(require "socket".bind("127.0.0.1", 0))
    local port = select(2, unserved:getsockname())
    local output, status = script.run([[
      local multi, cqueues = require "mde.curl".loop(), require "cqueues"
      local transfer = assert(multi:start({ method = "GET", url = arg[1] .. "/api/machines", headers = {},
        timeout = 10, max_bytes = 100000, max_idle = 5 }, { ca_file = arg[2], proxy = "" }))
      local object, controller = { pollfd = multi:pollfd(), events = "r" }, cqueues.new()
      controller:wrap(function()
        multi:step()
        while cqueues.poll(object, 0) == object do multi:step() end
        controller:wrap(function() multi:close() end)
        print(cqueues.poll(object, 5) == object, multi:finished() == transfer)
      end)
      assert(controller:loop())
    ]], { arguments = { "https://127.0.0.1:" .. port, tenant.ca_file } })
    unserved:close()
    assert.equal("true\ttrue\n", output)
    assert.equal("exit 0", status)
  end)

  it("takes on what is in flight when it is asked for", function()
    local output, status = script.run([[
      local curl, cqueues = require "mde.curl", require "cqueues"
      local multi, transfers = curl.multi(), {}
      for i = 1, 3 do
        transfers[i] = assert(multi:start({ method = "GET", url = arg[1] .. "/api/machines", headers = {},
          timeout = 10, max_bytes = 100000, max_idle = 5 }, { ca_file = arg[2], proxy = "" }))
        for _ = 1, i do multi:poll(0.002) end
      end
      assert(curl.loop() == multi)
      local controller, ended = cqueues.new(), 0
      controller:wrap(function()
        while ended < 3 do
          multi:step()
          local transfer = multi:finished()
          if transfer then
            ended = ended + 1
            multi:release(transfer)
          else
            cqueues.poll { pollfd = multi:pollfd(), events = "r" }
          end
        end
      end)
      assert(controller:loop())
      for i = 1, 3 do print(transfers[i]:result().status) end
    ]], { arguments = { tenant.base_url, tenant.ca_file } })
    assert.equal("401\n401\n401\n", output)
    assert.equal("exit 0", status)
  end)
end)
