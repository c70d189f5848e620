-- Requests in flight when something ends: the wait by Ctrl-C, the Lua state in whatever order its objects go.
-- Labels: sanitized-each-lua

local script = require "tests.spec.support.process.script"
local tenants = require "tests.spec.support.server.tenant"

local START = [[
local base_url, ca_file = arg[1], arg[2]
local curl = require "mde.driver.curl"
local multi = require("mde.curl").multi()
local driver = curl.new { ca_file = ca_file, proxy = "" }
local function request(method)
  return { method = method or "GET", url = base_url .. "/api/machines", headers = {}, timeout = 100,
    max_bytes = 100000, max_idle = 5, body = method == "POST" and "{}" or nil }
end
local function start(method)
  return (assert(multi:start(request(method), { ca_file = ca_file, proxy = "" })))
end
local function poll(count)
  for _ = 1, count or 20 do multi:poll(0.01) end
end
-- Calls fn when the state closes, or when `object` is collected.
local function at_end(fn)
  if newproxy then
    local object = newproxy(true)
    getmetatable(object).__gc = fn
    return object
  end
  return setmetatable({}, { __gc = fn })
end
]]

describe("a request in flight", function()
  local tenant

  setup(function() tenant = tenants.start() end)
  teardown(function() tenant.stop() end)

  before_each(function()
    tenant.reset()
    tenant.clear()
    tenant.fault { fault = "stall", match = { path = "/api/machines" }, count = false }
  end)

  -- By its address, so that libcurl starts no thread to look a name up: the leak sanitizer crashes over a process that
  -- ends while such a thread does.
  local function run(text)
    local address = tenant.base_url:gsub("localhost", "127.0.0.1")
    return script.run(START .. text, { arguments = { address, tenant.ca_file } })
  end

  -- The server answers nothing and the time-out is 100 seconds: what ends the wait is the signal, or the test.
  it("does not keep Ctrl-C waiting", function()
    local process = script.start(START .. [[
      local ok, message = pcall(driver.send, request "POST")
      print(ok, (tostring(message):gsub("^.*: ", "")))
    ]], { arguments = { tenant.base_url, tenant.ca_file } })
    repeat until #tenant.history "request" > 0
    os.execute("kill -INT " .. process.pid)
    local output, status = process.finish()
    assert.equal("false\tinterrupted!\n", output)
    assert.equal("exit 0", status)
    assert.equal(1, #tenant.history "request")
  end)

  it("of a task does not, either", function()
    local process = script.start(START .. [[
      driver.spawn(function() driver.send(request "POST") end)
      local ok, message = pcall(driver.sleep, 100)
      print(ok, (tostring(message):gsub("^.*: ", "")))
      driver.sleep(0.01)
    ]], { arguments = { tenant.base_url, tenant.ca_file } })
    repeat until #tenant.history "request" > 0
    os.execute("kill -INT " .. process.pid)
    local output, status = process.finish()
    assert.equal("false\tinterrupted!\n", output)
    assert.equal("exit 0", status)
  end)

  local endings = {
    { "and held by a global", [[ transfer = start() poll() ]] },
    { "and held by nobody", [[ start() poll() collectgarbage() collectgarbage() poll() ]] },
    { "not yet polled", [[ transfer = start "POST" ]] },
    { "of several, some new", [[ a, b = start(), start "POST" poll() c = start() ]] },
    { "in tasks", [[
      for i = 1, 20 do driver.spawn(function() driver.send(request(i % 2 == 0 and "POST" or "GET")) end) end
      driver.sleep(0.2) ]] },
    { "while the driver is closed", [[
      driver.spawn(function() driver.send(request()) end) driver.sleep(0.1) driver.close() ]] },
    { "whose multi handle is closed first", [[
      local transfer = start() poll() multi:close()
      assert(multi:finished() == transfer)
      local response, message, maybe_sent, code = transfer:result()
      assert(response == nil and message:find "closed" and maybe_sent == true and code == "closed")
      multi:release(transfer) multi:release(transfer)
      assert(not pcall(transfer.result, transfer))
      next_one = start() poll() ]] },
    { "taken back", [[
      local transfer = start "POST"
      assert(transfer:withdraw() == true)
      assert(transfer:withdraw() == false)
      assert(multi:finished() == transfer)
      local response, message, maybe_sent, code = transfer:result()
      assert(response == nil and message:find "withdrawn" and maybe_sent == false and code == "closed")
      multi:release(transfer) ]] },
    { "that is too late to take back", [[
      transfer = start "POST" poll(50)
      assert(transfer:withdraw() == false)
      assert(not pcall(transfer.result, transfer)) ]] },
    { "with finalizers that came before", [[
      early = at_end(function() multi:poll(0) multi:close() end) transfer = start() poll() ]] },
    { "with finalizers that come after", [[
      transfer = start() poll()
      late = at_end(function()
        multi:poll(0)
        pcall(transfer.withdraw, transfer)
        pcall(transfer.result, transfer)
        pcall(multi.release, multi, transfer)
      end) ]] },
    { "with finalizers that send", [[
      early = at_end(function() pcall(start, "POST") multi:poll(0) end)
      transfer = start() poll()
      late = at_end(function() pcall(start, "POST") multi:poll(0) end) ]] },
  }

  for _, ending in ipairs(endings) do
    it("when the state closes: " .. ending[1], function()
      local output, status = run(ending[2] .. "\nprint 'end' os.exit(true, true)")
      assert.equal("end\n", output)
      assert.equal("exit 0", status)
    end)
  end

  it("when the state closes: while its host is being looked up", function()
    local output, status = script.run(START .. [[
      for _ = 1, 20 do driver.spawn(function() driver.send(request()) end) end
      driver.sleep(0)
      print "end" os.exit(true, true)]],
      { arguments = { tenant.base_url, tenant.ca_file }, environment = { ASAN_OPTIONS = "detect_leaks=0" } })
    assert.equal("end\n", output)
    assert.equal("exit 0", status)
  end)
end)
