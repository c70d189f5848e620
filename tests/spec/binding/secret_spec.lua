-- mde.core.secret through the binding; that memory is wiped is shown by tests/core/test_buffer.c.
-- Labels: sanitized-each-lua
local secret = require("mde.core").secret

describe("core.secret", function()
  it("shows itself to nobody who does not ask", function()
    local value = secret.new "fake"
    assert.are.equal("[secret]", tostring(value))
    assert.are.equal("[secret]", ("%s"):format(tostring(value)))
    assert.are.equal("fake", value:reveal())
    assert.are.equal(4, #value)
    assert.is_false(getmetatable(value))
    assert.has_error(function() setmetatable(value, {}) end)
    assert.has_error(function() return "x" .. value end)
    assert.is_nil(value.bytes)
  end)

  it("holds any bytes up to its limit", function()
    local bytes = ("\0\255x"):rep(21845)
    assert.are.equal(bytes, secret.new(bytes):reveal())
    assert.are.equal("", secret.new(""):reveal())
    assert.are.equal(65536, #secret.new(("x"):rep(65536)))
    assert.has_error(function() secret.new(("x"):rep(65537)) end)
    assert.has_error(function() secret.new() end)
  end)

  it("is gone once it is wiped", function()
    local value = secret.new "fake"
    value:wipe()
    value:wipe()
    assert.are.equal(0, #value)
    assert.are.equal("[secret]", tostring(value))
    local ok, message = pcall(value.reveal, value)
    assert.is_false(ok)
    assert.is_truthy(message:find("wiped", 1, true))
    local empty = secret.new ""
    empty:wipe()
    assert.has_error(function() empty:reveal() end)
  end)

  it("is equal to itself alone", function()
    local value = secret.new "fake"
    assert.is_true(value == value)
    assert.is_false(value == secret.new "fake")
  end)

  it("takes no other value for itself", function()
    local value = secret.new "fake"
    assert.has_error(function() value.reveal(io.stdout) end)
    assert.has_error(function() value.reveal({}) end)
    assert.has_error(function() value.wipe() end)
  end)

  it("is wiped when a variable that holds it is closed, where Lua has such", function()
    local compile = rawget(_G, "loadstring") or load
    local chunk = compile [[
      local new = ...
      local kept
      do
        local value <close> = new "fake"
        kept = value
      end
      return kept
    ]]
    if _VERSION == "Lua 5.4" then
      assert.are.equal(0, #chunk(secret.new))
    else
      assert.is_nil(chunk)
    end
  end)

  it("is collected", function()
    for _ = 1, 2000 do secret.new(("x"):rep(1000)) end
    collectgarbage()
    collectgarbage()
  end)
end)
