-- A store in a file: what a shared dict does, between processes, and what happens where it cannot.
-- Labels: sanitized
local posix = require "mde.posix"
local rehearsal = require "tests.spec.support.rehearsal"
local shared_files = require "mde.sync.shared_file"
local shell = require "tests.spec.support.process.shell"

local clients = require "mde.client"

local LAPTOP = { id = ("a"):rep(40), computerDnsName = "laptop.corp.example", osPlatform = "Windows11" }

describe("a shared file", function()
  local path, now, one, other

  before_each(function()
    path, now = os.tmpname(), 1000
    os.remove(path)
    local function clock() return now end
    one, other = shared_files.new(path, clock), shared_files.new(path, clock)
  end)

  after_each(function() os.remove(path) end)

  it("keeps texts under keys, for all who share it", function()
    assert.is_nil(one:get "a")
    assert.is_true(one:safe_set("a", "first\0\n", 10))
    assert.is_true(one:safe_set("b c\n", "", 10))
    assert.equal("first\0\n", other:get "a")
    assert.equal("", other:get "b c\n")
    other:delete "a"
    assert.is_nil(one:get "a")
    assert.equal("", one:get "b c\n")
  end)

  it("forgets what is past", function()
    one:safe_set("a", "x", 10)
    now = 1009.9
    assert.equal("x", other:get "a")
    now = 1010
    assert.is_nil(other:get "a")
    assert.is_true((other:safe_add("a", "y", 10)))
  end)

  it("lets one of many add", function()
    assert.is_true((one:safe_add("a", "x", 10)))
    assert.same({ false, "exists" }, { other:safe_add("a", "y", 10) })
    assert.equal("x", one:get "a")
  end)

  it("changes in one step", function()
    local seen
    local done, first, second = one:update("n", 10, function(text)
      seen = text
      return "1", "result", 2
    end)
    assert.same({ true, "result", 2 }, { done, first, second })
    assert.is_nil(seen)
    assert.is_true(other:update("n", 10, function(text) return text .. "2" end))
    assert.is_true(other:update("n", 10, function() return nil end))
    assert.equal("12", one:get "n")
    assert.is_false(pcall(one.update, one, "n", 10, function() error "no" end))
    assert.equal("12", other:get "n")
    assert.is_true(other:safe_set("n", "3", 10))
  end)

  it("says that it is busy while another changes it, and never waits", function()
    local lock = assert(posix.locked_file.open(path))
    assert.is_true(lock:lock())
    assert.same({ nil, "busy" }, { one:get "a" })
    assert.same({ nil, "busy" }, { one:safe_set("a", "x", 1) })
    assert.same({ nil, "busy" }, { one:update("a", 1, error) })
    lock:unlock()
    assert.is_nil(select(2, one:get "a"))
    lock:close()
  end)

  it("begins anew when the machine has", function()
    one:safe_set("a", "x", 10)
    local lock = assert(posix.locked_file.open(path))
    lock:lock()
    local text = lock:read()
    assert(lock:write((text:gsub("^%S+", "another-boot"))))
    lock:close()
    assert.is_nil(one:get "a")
    assert.is_true(one:safe_set("a", "y", 10))
    assert.equal("y", other:get "a")
  end)

  it("is not believed where it is damaged", function()
    one:safe_set("a", "x", 10)
    local lock = assert(posix.locked_file.open(path))
    lock:lock()
    local text = lock:read()
    assert(lock:write(text .. "10 5000 7\nrest"))
    lock:close()
    local value, message = one:get "a"
    assert.is_nil(value)
    assert.matches("damaged", message)
  end)

  it("keeps what is there when the disk is full", function()
    -- What may not grow any further stands for a disk that is full.
    local script = ([[
      local file = require("mde.sync.shared_file").new(%q)
      assert(file:safe_set("a", "x", 1000))
      local ok, message = file:safe_set("b", ("y"):rep(100000), 1000)
      assert(not ok and message, "it was not full")
      assert(file:get "a" == "x" and file:get "b" == nil)
      assert(file:safe_set("a", "z", 1000))
      io.write(message)
    ]]):format(path)
    local program = os.tmpname()
    shell.write_file(program, script)
    local output = shell.output_of(("sh -c 'trap \"\" XFSZ; ulimit -f 32; exec %s %s' 2>&1"):format(os.getenv "MDE_LUA",
      program))
    os.remove(program)
    assert.matches("File too large", output)
  end)
end)

describe("a client with a shared file", function()
  local path

  before_each(function()
    path = os.tmpname()
    os.remove(path)
  end)

  after_each(function() os.remove(path) end)

  it("shares what it restricts and how often, and no secret", function()
    local r = rehearsal.new { machines = { LAPTOP }, client = { store = path, cap = 1 } }
    local action = assert(r.client:restrict(LAPTOP.id, "why"))
    local second = assert(clients.new { driver = r.driver, store = path, tenant_id = r.tenant.tenant_id,
      client_id = r.tenant.client_id, credential = r.tenant.client_secret, cap = 1 })
    assert.equal(action.id, assert(second:restrict(LAPTOP.id, "why")).id)
    assert.equal(99, second:peek().remaining)
    local text = shell.read_file(path)
    assert.is_nil(text:find(r.tenant.client_secret, 1, true))
    for token in pairs(r.tenant.tokens) do assert.is_nil(text:find(token:sub(1, 16), 1, true)) end
  end)

  it("is told of a path that is none", function()
    assert.matches("store", rehearsal.refused(rehearsal.new, { machines = {}, client = { store = "" } }).message)
  end)

  it("that cannot be used restricts one device, and says why it does nothing to many", function()
    local r = rehearsal.new { machines = { LAPTOP }, client = { store = "/nowhere/store" } }
    local results = r.client:each({ LAPTOP.id }, function(id) return r.client:restrict(id, "why") end)
    local err = results[1].err
    assert.equal("unavailable", err.kind)
    assert.matches("/nowhere/store: No such file", err.message)
    assert.matches("disk", err.hint)
    assert.same({}, r:posts())
    assert.equal("accepted", assert(r.client:restrict(LAPTOP.id, "why")).outcome)
    assert.equal("already_active", assert(r.client:restrict(LAPTOP.id, "why")).outcome)
  end)
end)
