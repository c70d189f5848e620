-- resty.phase: where in nginx a call can wait, and what to use instead where it cannot.
-- Labels: not-lua5.3

local core = require "mde.core"
local fake_nginx = require "tests.spec.support.fake_nginx"

describe("a phase of nginx", function()
  local nginx, phase

  before_each(function()
    nginx = fake_nginx.start()
    phase = nginx.load "phase"
  end)

  after_each(fake_nginx.stop)

  -- What a check says in a phase, where Lua could wait.
  local function check_in(name)
    nginx.phase = name
    local ok, err
    coroutine.wrap(function() ok, err = pcall(phase.check) end)()
    return ok, err
  end

  for _, name in ipairs { "rewrite", "server_rewrite", "access", "content", "timer", "preread", "ssl_cert",
    "ssl_client_hello", "ssl_session_fetch" } do
    it("can wait: " .. name, function() assert.is_true((check_in(name))) end)
  end

  for name, advice in pairs {
    init = "make the client there", init_worker = "in a timer", set = "in rewrite_by_lua", header_filter = "in a timer",
    body_filter = "in a timer", log = "in a timer", balancer = "in rewrite_by_lua", exit_worker = "too late",
    ssl_session_store = "in a timer", ["one that is new"] = "in a timer",
  } do
    it("cannot wait, and says what to use: " .. name, function()
      local ok, err = check_in(name)
      assert.is_false(ok)
      assert.matches("mde cannot wait in " .. name .. "_by_lua", err, 1, true)
      assert.matches(advice, err, 1, true)
    end)
  end

  it("cannot wait inside a C function that called back into Lua", function()
    local ok, err
    coroutine.wrap(function() ("x"):gsub("x", function() ok, err = pcall(phase.check) end) end)()
    -- Lua 5.1 cannot tell.
    if core.coroutine.is_yieldable() == nil then return end
    assert.is_false(ok)
    assert.matches("inside a callback of gsub", err, 1, true)
  end)

  it("is a timer's or not", function()
    nginx.phase = "timer"
    assert.is_true(phase.is_timer())
    nginx.phase = "content"
    assert.is_false(phase.is_timer())
  end)
end)
