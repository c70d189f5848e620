-- transfers: what is in flight over libcurl, whose it is, and when the connections are closed. libcurl is made up.

local environment = require "tests.spec.support.environment"
local rehearsal = require "tests.spec.support.rehearsal"
local transfers = require "mde.driver.transfers"

describe("transfers", function()
  local multi, lines

  -- A multi handle whose transfers end when the test says so.
  local function new_multi()
    local made = { ended = {}, closed = 0 }
    function made.start(_, request, settings)
      if request.refused then return nil, "no connection", false, "connect" end
      local transfer = { settings = settings, withdrawable = request.withdrawable }
      function transfer.result() return { status = 200 }, nil, true, nil end
      function transfer.withdraw() return transfer.withdrawable end
      function transfer.discard() made.discarded = transfer end
      made.last = transfer
      return transfer
    end
    function made.finished() return table.remove(made.ended, 1) end
    function made.release(_, transfer) made.released = transfer end
    function made.close() made.closed = made.closed + 1 end
    return made
  end

  before_each(function()
    environment.set {}
    multi, lines = new_multi(), {}
  end)

  after_each(function()
    for _, line in ipairs(lines) do line.close() end
    environment.restore()
  end)

  -- A driver's share, whose gate has the transfer end, or raises, while somebody waits.
  local function open(wait)
    local line = transfers.open(multi, {}, function()
      local gate = { opened = false }
      function gate:open() self.opened = true end
      function gate:wait()
        wait()
        assert(self.opened, "nobody opened the gate")
      end
      return gate
    end)
    lines[#lines + 1] = line
    return line
  end

  local function end_it()
    multi.ended[1] = multi.last
    transfers.tell(multi)
  end

  it("are the sender's until they have ended, and then nobody's", function()
    local seen
    local line = open(function()
      seen = transfers.in_flight()
      end_it()
    end)
    assert.is_false(transfers.in_flight())
    assert.equal(200, line.send({}).status)
    assert.is_true(seen)
    assert.equal(multi.last, multi.released)
    assert.is_false(transfers.in_flight())
    assert.is_false(line.in_flight())
  end)

  it("that cannot begin are told of as libcurl does", function()
    assert.same({ nil, "no connection", false, "connect" }, { open(end_it).send { refused = true } })
    assert.is_false(transfers.in_flight())
  end)

  it("let the caller close the connection behind an answer", function()
    local response = open(end_it).send {}
    response.discard()
    assert.equal(multi.last, multi.discarded)
  end)

  it("are taken back by an error in the wait, if nothing of them has gone", function()
    local line = open(function()
      multi.ended[1] = multi.last
      error("interrupted!", 0)
    end)
    assert.same({ false, "interrupted!" }, { pcall(line.send, { withdrawable = true }) })
    assert.is_false(line.in_flight())
  end)

  it("go on after an error in the wait, if they have gone, and hold the connections open", function()
    local line = open(function() error("interrupted!", 0) end)
    assert.same({ false, "interrupted!" }, { pcall(line.send, {}) })
    assert.is_true(line.in_flight())
    line.close()
    assert.equal(0, multi.closed)
    end_it()
    assert.is_false(transfers.in_flight())
  end)

  it("are told of once more where the telling was interrupted", function()
    local line = open(function()
      local release = multi.release
      multi.release = function() error("interrupted!", 0) end
      multi.ended[1] = multi.last
      pcall(transfers.tell, multi)
      multi.release = release
      multi.ended[1] = multi.last
      transfers.tell(multi)
    end)
    assert.equal(200, line.send({}).status)
    assert.equal(multi.last, multi.released)
  end)

  it("close the connections with the last driver, once", function()
    local one, other = open(end_it), open(end_it)
    one.close()
    one.close()
    assert.equal(0, multi.closed)
    other.close()
    assert.equal(1, multi.closed)
    assert.error_matches(function() other.send {} end, "the driver is closed")
  end)

  it("trust the file that the environment names, unless an option does", function()
    environment.set { SSL_CERT_FILE = "/nowhere/at/all.pem" }
    assert.matches("SSL_CERT_FILE is ", rehearsal.refused(open, end_it).message, 1, true)
    assert.matches("ca_file is ", rehearsal.refused(transfers.open, multi, { ca_file = "/nowhere" }).message, 1, true)
    environment.set { SSL_CERT_FILE = "", SSL_CERT_DIR = "" }
    local line = open(end_it)
    line.send {}
    assert.is_nil(multi.last.settings.ca_file)
    assert.is_nil(multi.last.settings.ca_path)
    assert.same({}, line.authorities)
    environment.set { SSL_CERT_DIR = "/nowhere/at/all" }
    assert.matches("SSL_CERT_DIR is ", rehearsal.refused(open, end_it).message, 1, true)
  end)

  it("say which option is wrong", function()
    local known = { ca_file = "string", now = "function" }
    transfers.check_options({ ca_file = "x", now = print }, known)
    assert.error_matches(function() transfers.check_options({ cafile = "x" }, known) end, "no option 'cafile'")
    assert.error_matches(function() transfers.check_options({ now = 7 }, known) end, "now must be a function")
  end)
end)
